//! The images that are built around a file, by name: what a manifest runs, and a Dockerfile beside it makes.

use super::{
    about,
    actor::{self, Actor, Order},
    evidence,
    recipe::Question,
    services,
};
use crate::{
    context::{BuildContext, Found},
    knowledge::Knowledge,
    model::{Base, DockerfileModel, Reference, Stage, StartPower, Step, User, UserOrigin, compose::Build, dockerfile},
    source::{FileKind, SourceFile},
    syntax::dockerfile::{self as syntax, Arguments, Keyword},
    text::FileId,
};
use std::{collections::HashMap, sync::Arc};

/// What is built around a file.
pub struct Made<'c> {
    context: BuildContext<'c>,
    sources: Option<Vec<Orders>>,
    answers: HashMap<(String, Question), Option<MadeImage>>,
}

/// An image, as far as the Dockerfile tells that it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeImage {
    /// The Dockerfile.
    pub dockerfile: String,
    /// Who runs it, if nobody says otherwise.
    pub user: User,
    /// The number of that user, if it can be told.
    pub uid: Option<u32>,
    /// Whether it is certain that there is no shell in it.
    pub has_no_shell: bool,
    /// Where its steps put things, if they alone decide what is in it beside the system of a bare base.
    pub places: Option<Vec<String>>,
    /// What its start needs of the capabilities that engines give.
    pub power: StartPower,
    /// The line of the `USER` that says who runs it, if one does.
    pub user_line: Option<u32>,
    /// Whether it is built by the very tag that is asked for; else it may be older than its Dockerfile.
    pub is_same_tag: bool,
}

/// What is built by a name.
struct Named {
    dockerfile: String,
    question: Question,
    names: Vec<actor::ImageName>,
}

/// What one file orders, or all compose files together, which complete each other.
enum Orders {
    Read(Arc<Vec<Named>>),
    /// Nobody asked for a name that the file holds.
    Unread(Found, FileKind),
}

/// So many Dockerfiles are looked at for one file.
const MOST_ANSWERS: usize = 64;

impl<'c> Made<'c> {
    /// What is built around the file that `context` is about. Nothing is read before it is asked for.
    pub fn around(context: BuildContext<'c>) -> Self {
        Self { context, sources: None, answers: HashMap::new() }
    }

    /// The image called `name`, if one Dockerfile here makes all that is so called.
    pub fn image(&mut self, name: &Reference<'_>, knowledge: &Knowledge) -> Option<MadeImage> {
        if name.digest().is_some() {
            return None;
        }
        let context = self.context;
        let sources = self.sources.get_or_insert_with(|| sources(context));
        for source in sources.iter_mut() {
            source.read_if_it_says(name, context);
        }
        let orders: Vec<&Named> = sources.iter().flat_map(Orders::read).collect();
        let (whole, repository) = (name.normalized(), name.name());
        let has = |is_one: &dyn Fn(&actor::ImageName) -> bool| {
            orders.iter().copied().filter(|order| order.names.iter().any(is_one)).collect::<Vec<_>>()
        };
        let exact = has(&|name| name.whole.as_ref() == Some(&whole));
        let is_same_tag = !exact.is_empty();
        let named = if is_same_tag { exact } else { has(&|name| name.repository.as_ref() == Some(&repository)) };
        let questions: Vec<(String, Question)> = named
            .into_iter()
            .take(MOST_ANSWERS)
            .map(|order| (order.dockerfile.clone(), order.question.clone()))
            .collect();
        let mut answers = questions.into_iter().map(|(path, question)| self.answer(path, question, knowledge));
        let first = answers.next()??;
        let is_clear = answers.all(|other| other.as_ref() == Some(&first));
        is_clear.then_some(MadeImage { is_same_tag, ..first })
    }

    /// What comes of a build that a compose file describes.
    pub fn build(&mut self, build: &Build<'_>, knowledge: &Knowledge) -> Option<MadeImage> {
        let known = |text: &Option<crate::model::compose::Text<'_>>| {
            text.as_ref().and_then(|text| text.known().map(str::to_owned))
        };
        let target = match &build.target {
            Some(target) => Some(target.known()?.to_owned()),
            None => None,
        };
        let arguments = build.arguments.iter().map(|(name, value)| (name.clone(), known(value))).collect();
        let answer = self.answer(build.dockerfile.clone()?, Question { target, arguments }, knowledge)?;
        Some(MadeImage { is_same_tag: true, ..answer })
    }

    fn answer(&mut self, path: String, question: Question, knowledge: &Knowledge) -> Option<MadeImage> {
        if self.answers.len() >= MOST_ANSWERS {
            return None;
        }
        let context = self.context;
        let key = (path, question);
        if let Some(known) = self.answers.get(&key) {
            return known.clone();
        }
        let answer = context.at(&key.0).and_then(|found| read(&found, &key.1, knowledge, context));
        self.answers.insert(key, answer.clone());
        answer
    }
}

impl Orders {
    fn read(&self) -> &[Named] {
        match self {
            Orders::Read(orders) => orders,
            Orders::Unread(..) => &[],
        }
    }

    fn read_if_it_says(&mut self, name: &Reference<'_>, context: BuildContext<'_>) {
        let Orders::Unread(file, kind) = self else { return };
        if may_say(&file.text, name) {
            let read = || actor::of_file(&file.path, *kind, &file.text, context.of(&file.path));
            let key = about("orders", std::slice::from_ref(file));
            *self = Orders::Read(context.remembered(key, || read().into_iter().filter_map(named).collect()));
        }
    }
}

/// Whether a file may call an image by `name`: the last part of a name is written out, or a loop puts it together. To
/// see that costs far less than reading the file.
fn may_say(text: &[u8], name: &Reference<'_>) -> bool {
    let says = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
    let mut parts = name.written_repository().split('/');
    let first = parts.next().unwrap_or_default();
    says(parts.next_back().unwrap_or(first)) || says("done") && says(first)
}

/// Everything around that may build a Dockerfile.
fn sources(context: BuildContext<'_>) -> Vec<Orders> {
    let files = evidence::compose_files(context);
    let actors = || services::read(&files, context, actor::of_compose);
    let services =
        context.remembered(about("orders of services", &files), || actors().into_iter().filter_map(named).collect());
    let builders = evidence::builders(context).into_iter().map(|(file, kind)| Orders::Unread(file, kind));
    std::iter::once(Orders::Read(services)).chain(builders).collect()
}

fn named(actor: Actor) -> Option<Named> {
    let Order::File(dockerfile) = actor.builds else { return None };
    let build = actor.caller.build?;
    let target = match build.target {
        Some(target) => Some(target.value?),
        None => None,
    };
    Some(Named { dockerfile, question: Question { target, arguments: build.arguments }, names: actor.names })
}

fn read(found: &Found, question: &Question, knowledge: &Knowledge, context: BuildContext<'_>) -> Option<MadeImage> {
    let file = SourceFile::new(FileId(0), found.path.clone(), FileKind::Dockerfile, found.text.to_vec());
    let parsed = syntax::parse(&file.text);
    let build = dockerfile::Build { arguments: &question.arguments, ..dockerfile::Build::default() };
    let model = DockerfileModel::of_build(&file, &parsed.tree, knowledge, &build);
    let stage = match &question.target {
        Some(name) => model.stage_named(name)?,
        None => model.target()?,
    };
    Some(MadeImage {
        dockerfile: found.path.clone(),
        user: stage.user().user.clone(),
        uid: stage.user_ids().map(|ids| ids.uid),
        has_no_shell: has_no_shell(stage),
        places: places(stage),
        power: stage.start_power(&context.of(&found.path)),
        user_line: match stage.user().origin {
            UserOrigin::Instruction { span, .. } => Some(file.locate(span.start).line),
            UserOrigin::BaseImage { .. } | UserOrigin::Nobody => None,
        },
        is_same_tag: false,
    })
}

impl MadeImage {
    /// Whether it is certain that a directory at `path` is root's, or is made for root when a volume is mounted there.
    pub fn leaves_to_root(&self, path: &str) -> bool {
        let is_below = |path: &str, above: &str| {
            let above = above.trim_end_matches('/');
            path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_of_others = OTHERS.iter().any(|directory| is_below(path, directory));
        let touches = |place: &String| is_below(path, place) || is_below(place, path);
        path.starts_with('/') && !is_of_others && self.places.as_ref().is_some_and(|places| !places.iter().any(touches))
    }
}

/// Directories of which bare images give something to others than root.
const OTHERS: [&str; 6] = ["/dev", "/home", "/run", "/tmp", "/var/run", "/var/tmp"];

/// Where the steps of a stage from a bare base put things; none where that cannot be told.
fn places(stage: Stage<'_>) -> Option<Vec<String>> {
    if !is_bare(stage) {
        return None;
    }
    let mut places = Vec::new();
    for step in stage.chain_steps() {
        match step.keyword() {
            Keyword::Run => return None,
            Keyword::Copy | Keyword::Add => {
                let (Arguments::Words(words) | Arguments::Json(words)) = step.arguments() else { return None };
                places.push(words.last().and_then(|word| step.absolute_arg(word))?);
            }
            Keyword::Workdir => {
                let workdir = step.next().map_or_else(|| step.stage().workdir(), Step::workdir);
                places.push(workdir.path.known()?.to_owned());
            }
            _ => {}
        }
    }
    Some(places)
}

/// Names of shells, and of the program that is many of them.
const SHELLS: [&str; 8] = ["sh", "bash", "ash", "dash", "zsh", "ksh", "fish", "busybox"];

/// Where programs are looked for, and what holds such a directory.
const PROGRAMS: [&str; 9] =
    ["/", "/bin", "/sbin", "/usr", "/usr/bin", "/usr/sbin", "/usr/local", "/usr/local/bin", "/usr/local/sbin"];

/// Whether `path` names a shell.
pub fn is_shell(path: &str) -> bool {
    SHELLS.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// Whether what is put at `path` may bring a shell along.
pub fn may_hold_shell(path: &str) -> bool {
    let path = if path.trim_end_matches('/').is_empty() { "/" } else { path.trim_end_matches('/') };
    PROGRAMS.contains(&path) || is_shell(path)
}

/// Whether a stage starts from nothing, or from an image that is known to have no shell.
fn is_bare(stage: Stage<'_>) -> bool {
    match stage.root_base() {
        Base::Scratch => true,
        Base::Image(image) => image.facts.as_ref().is_some_and(|facts| facts.has_no_shell()),
        Base::Stage(_) | Base::Unknown(_) => false,
    }
}

/// Whether the image has no shell to begin with, and no step can have brought one.
fn has_no_shell(stage: Stage<'_>) -> bool {
    is_bare(stage) && !stage.chain_steps().any(may_bring_shell)
}

fn may_bring_shell(step: Step<'_>) -> bool {
    match step.keyword() {
        Keyword::Run => true,
        Keyword::Copy | Keyword::Add => {
            let (Arguments::Words(words) | Arguments::Json(words)) = step.arguments() else { return true };
            let target = words.last().and_then(|word| step.absolute_arg(word));
            target.is_none_or(|target| may_hold_shell(&target))
        }
        // Where programs are looked for is another place then.
        Keyword::Env => step.assigned().iter().any(|variable| variable.name == "PATH"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Entry, Files, entries};

    struct Tree(&'static [(&'static str, &'static str)]);

    impl Files for Tree {
        fn read(&self, path: &str) -> Option<Arc<[u8]>> {
            self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| Arc::from(text.as_bytes()))
        }

        fn list(&self, path: &str) -> Arc<[Entry]> {
            entries(self.0.iter().map(|(name, _)| *name), path)
        }
    }

    fn made(files: &'static [(&'static str, &'static str)], image: &str) -> Option<MadeImage> {
        let tree = Tree(files);
        let mut made = Made::around(BuildContext::new(&tree, "k8s/web.yaml"));
        made.image(&Reference::parse(image).expect("it is a name"), &Knowledge::builtin())
    }

    #[test]
    fn an_image_is_found_by_its_name() {
        const FILES: &[(&str, &str)] = &[
            ("web/Dockerfile", "FROM debian:13\nRUN useradd -u 7 app\nUSER app\n"),
            ("Makefile", "all:\n\tdocker build -t acme/web:1 web\n"),
        ];
        let image = made(FILES, "acme/web:1").expect("it is built here");
        assert_eq!((image.dockerfile.as_str(), image.uid, image.is_same_tag), ("web/Dockerfile", Some(7), true));
        assert!(!made(FILES, "acme/web:2").expect("it is built here").is_same_tag);
        assert_eq!(made(FILES, "acme/other"), None);
    }

    #[test]
    fn a_name_is_found_that_a_loop_puts_together() {
        const FILES: &[(&str, &str)] = &[
            ("web/Dockerfile", "FROM debian:13\nUSER 7\n"),
            ("build.sh", "for part in web api; do docker build -t acme/shop-$part:1 $part; done\n"),
        ];
        assert_eq!(made(FILES, "acme/shop-web:1").and_then(|image| image.uid), Some(7));
    }

    #[test]
    fn what_no_step_makes_is_left_to_root() {
        let leaves = |dockerfile: &str, path: &str| {
            let found = Found { path: "Dockerfile".to_owned(), text: dockerfile.as_bytes().into() };
            let question = Question { target: None, arguments: Vec::new() };
            let tree = Tree(&[]);
            let context = BuildContext::new(&tree, "compose.yaml");
            let image = read(&found, &question, &Knowledge::builtin(), context).expect("there is a stage");
            image.leaves_to_root(path)
        };
        assert!(leaves("FROM scratch\nCOPY a /a\n", "/data"));
        assert!(leaves("FROM scratch\nCOPY a /data2\n", "/data"));
        for (dockerfile, path) in [
            ("FROM scratch\nCOPY a /data\n", "/data/in"),
            ("FROM scratch\nCOPY a /data/in/\n", "/data"),
            ("FROM scratch\nCOPY a /\n", "/data"),
            ("FROM scratch\nWORKDIR /data\n", "/data"),
            ("FROM scratch\nWORKDIR /srv\nCOPY a data/\n", "/srv/data"),
            ("FROM scratch\nARG TO\nCOPY a $TO\n", "/data"),
            ("FROM gcr.io/distroless/static-debian12\n", "/home/nonroot/data"),
            ("FROM debian:13\n", "/data"),
        ] {
            assert!(!leaves(dockerfile, path), "{dockerfile}");
        }
    }

    #[test]
    fn two_dockerfiles_of_one_name_are_none() {
        const FILES: &[(&str, &str)] = &[
            ("a/Dockerfile", "FROM debian:13\nUSER 1\n"),
            ("b/Dockerfile", "FROM debian:13\nUSER 2\n"),
            ("compose.yaml", "services:\n  a: {build: a, image: 'x/y:a'}\n  b: {build: b, image: 'x/y:b'}\n"),
        ];
        assert_eq!(made(FILES, "x/y:a").and_then(|image| image.uid), Some(1));
        assert_eq!(made(FILES, "x/y"), None);
    }

    #[test]
    fn only_what_nobody_can_have_brought_is_missing() {
        let has_none = |dockerfile: &str| {
            let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, dockerfile.as_bytes().to_vec());
            let parsed = syntax::parse(&file.text);
            let knowledge = Knowledge::builtin();
            let model = DockerfileModel::new(&file, &parsed.tree, &knowledge);
            has_no_shell(model.target().expect("there is a stage"))
        };
        assert!(has_none("FROM scratch\nCOPY a /a\nCOPY p /etc/passwd\n"));
        assert!(has_none("FROM gcr.io/distroless/static-debian12\nCOPY a /usr/local/bin/a\n"));
        for dockerfile in [
            "FROM scratch\nADD rootfs.tar /\n",
            "FROM scratch\nCOPY busybox /bin/\n",
            "FROM scratch\nCOPY b /bin/sh\n",
            "FROM scratch\nCOPY a .\n",
            "FROM scratch\nCOPY a /opt/\nENV PATH=/opt\n",
            "FROM scratch\nARG TO\nCOPY a $TO\n",
            "FROM gcr.io/distroless/static-debian12:debug\n",
            "FROM debian:13\n",
            "FROM acme/bare\n",
        ] {
            assert!(!has_none(dockerfile), "{dockerfile}");
        }
    }
}
