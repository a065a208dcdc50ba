//! Takes from containers what the program of their image does not need, where that is known of the image.

mod capabilities;
mod escalation;
mod read_only;
mod secret_file;

pub use capabilities::{drop_all, drop_all_of_service};
pub use escalation::{gained, gained_in_pod};
pub use read_only::{read_only_container, read_only_service};
pub use secret_file::secret_file;

use crate::{
    knowledge::{ImageFacts, Knowledge, Start},
    model::{
        Evidence, StartPower, User,
        compose::{Service, Text},
        graph::{Made, MadeImage},
        kubernetes::{Container, Runner},
    },
    text::Edit,
};
use std::sync::Arc;

/// What runs in a container.
struct Program {
    /// What is known of its image; none where that is hidden, built here, or unknown.
    facts: Option<Arc<ImageFacts>>,
    /// Its image, where a Dockerfile here makes it.
    made: Option<MadeImage>,
    /// Who starts it; or why that is not known.
    start: Result<Start, String>,
    /// Whether it is the program that the image starts.
    is_own: bool,
    /// What is started in the place of what the image says.
    called: Called,
}

/// What a service or container starts in the place of what its image says.
#[derive(Default)]
struct Called {
    /// Whether it has an entry point of its own.
    has_entrypoint: bool,
    /// The words of the entry point and those in the place of the command, as far as they can be seen.
    words: Vec<String>,
    /// The first word in the place of the command, empty where it is hidden.
    first: Option<String>,
}

impl Program {
    fn of_service(knowledge: &Knowledge, made: &mut Made<'_>, service: &Service<'_>) -> Self {
        let pulled = service.pulled_image();
        let facts = pulled.as_ref().and_then(|image| image.facts(knowledge));
        let made = match service.build() {
            Some(build) => made.build(&build, knowledge),
            None if facts.is_some() => None,
            None => pulled.and_then(|image| made.image(&image.reference, knowledge)),
        };
        let start = match (&facts, &made) {
            (Some(facts), _) => service.start(facts).ok_or_else(|| match service.user() {
                Some(_) => HIDDEN_USER.to_owned(),
                None => UNKNOWN_USER.to_owned(),
            }),
            (None, Some(image)) => named_start(service.user(), || start_of(image), true),
            (None, None) => named_start(service.user(), || Err(not_built(service)), false),
        };
        let command = service.words("command");
        let first = command.as_deref().and_then(first_word);
        let has_entrypoint = service.value("entrypoint").is_some();
        let is_own = facts.as_ref().is_some_and(|facts| runs_own_program(service, facts));
        let words = service.words("entrypoint").into_iter().chain(command).flatten();
        let words = words.map(|word| word.seen().to_owned()).collect();
        Self { facts, made, start, is_own, called: Called { has_entrypoint, words, first } }
    }

    fn of_container(knowledge: &Knowledge, made: &mut Made<'_>, container: Container<'_>) -> Self {
        let facts = container.image().and_then(|image| image.facts(knowledge));
        let made = match &facts {
            Some(_) => None,
            None => container.image().and_then(|image| made.image(&image, knowledge)),
        };
        let somebody = |number: Option<u32>| Ok(Start::User(number));
        let start = match container.runner(knowledge) {
            Runner::Number(0) => Ok(Start::Root),
            Runner::Number(number) => somebody(number.try_into().ok()),
            Runner::ImageNumber(number) => somebody(Some(number)),
            Runner::ImageName => somebody(None),
            // The cluster does not start it as root.
            Runner::ImageRoot | Runner::Image | Runner::Hidden if container.is_kept_from_root() == Some(true) => {
                somebody(None)
            }
            Runner::ImageRoot => Ok(Start::Root),
            Runner::Image if facts.is_some() => Err(UNKNOWN_USER.to_owned()),
            Runner::Image => made.as_ref().map_or_else(|| Err(UNKNOWN_IMAGE.to_owned()), start_of),
            Runner::Hidden => Err(HIDDEN_USER.to_owned()),
        };
        let arguments = container.setting(&["args"]).items();
        let command = container.setting(&["command"]);
        let is_own = |facts: &Arc<ImageFacts>| match arguments.as_deref() {
            None => false,
            Some([]) => true,
            Some([first, ..]) => first.scalar().is_some_and(|first| facts.runs_own_program(first)),
        };
        let has_entrypoint = !command.is_absent();
        let is_own = !has_entrypoint && facts.as_ref().is_some_and(is_own);
        let first = match arguments.as_deref() {
            None => Some(String::new()),
            Some(words) => words.first().map(|word| word.scalar().unwrap_or_default().to_owned()),
        };
        let words = command.items().into_iter().chain(arguments).flatten();
        let words = words.filter_map(|node| node.scalar().map(str::to_owned)).collect();
        Self { facts, made, start, is_own, called: Called { has_entrypoint, words, first } }
    }

    /// What is known of the image that starts it.
    fn known(&self) -> Result<&ImageFacts, String> {
        let facts = self.facts.as_deref().ok_or(UNKNOWN_NEEDS)?;
        if self.is_own { Ok(facts) } else { Err(OTHER_PROGRAM.to_owned()) }
    }

    /// What it needs of the capabilities that engines give, where a Dockerfile here makes its image.
    fn power_of_made(&self, image: &MadeImage, start: Start) -> Result<Vec<String>, String> {
        let words: Vec<&str> = self.called.words.iter().map(String::as_str).collect();
        if let Some(program) = StartPower::gained_by(&words) {
            return Err(format!("it calls `{program}`, which may need what is taken away"));
        }
        match start {
            Start::User(_) => image.power.user.clone(),
            Start::Root => {
                let power = image.power.root.as_ref().map_err(String::clone)?;
                let is_own = match (&power.program, &self.called.first) {
                    (Some(program), Some(first)) => first == program || first.starts_with('-'),
                    (None, _) | (Some(_), None) => true,
                };
                if self.called.has_entrypoint || !is_own {
                    Err(OTHER_PROGRAM.to_owned())
                } else {
                    Ok(power.names.clone())
                }
            }
        }
    }

    /// What tells who starts it, in another file.
    fn evidence(&self) -> Vec<Evidence> {
        let Some(image) = &self.made else { return Vec::new() };
        let line = image.user_line.unwrap_or(1);
        vec![Evidence { path: image.dockerfile.clone(), line, shows: "its image is made here".to_owned() }]
    }
}

const UNKNOWN_NEEDS: &str = "nothing is known of what its image needs";
const OTHER_PROGRAM: &str = "it runs another program than its image starts";
const HIDDEN_USER: &str = "a variable hides who starts it, and root may need any of them";
const UNKNOWN_USER: &str = "who starts its image is not known, and root may need any of them";
const UNKNOWN_IMAGE: &str = "nothing is known of its image, and no Dockerfile here is built under that name: root may start it, who may need any of them";

/// Why nothing is known of what a service starts.
fn not_built(service: &Service<'_>) -> String {
    match service.build().map(|build| build.dockerfile) {
        None => UNKNOWN_IMAGE.to_owned(),
        Some(Some(path)) => {
            format!("`{path}` could not be read: root may start what it makes, who may need any of them")
        }
        Some(None) => {
            "what it is built of is hidden, or not in a file: root may start it, who may need any of them".to_owned()
        }
    }
}

/// Who starts what a Dockerfile makes.
fn start_of(image: &MadeImage) -> Result<Start, String> {
    if !image.is_same_tag {
        return Err(format!("`{}` makes its image with another tag: root may start what runs", image.dockerfile));
    }
    match &image.user {
        User::Root => Ok(Start::Root),
        user @ (User::Numeric { .. } | User::Named { .. }) if !user.is_root() => Ok(Start::User(image.uid)),
        User::Numeric { .. } | User::Named { .. } | User::Unknown(_) => Err(format!(
            "`{}` does not tell who starts it: name a user there, root may need any of them",
            image.dockerfile
        )),
    }
}

/// Who starts a program: whom `user` names, else who `image` says; names mean somebody where the image is known.
fn named_start(
    user: Option<Text<'_>>,
    image: impl FnOnce() -> Result<Start, String>,
    is_known: bool,
) -> Result<Start, String> {
    let Some(user) = user else { return image() };
    let user = user.known().ok_or(HIDDEN_USER)?.split(':').next().unwrap_or_default();
    match (user, user.parse()) {
        ("root" | "0", _) => Ok(Start::Root),
        (_, Ok(number)) => Ok(Start::User(Some(number))),
        (_, Err(_)) if is_known => Ok(Start::User(None)),
        (_, Err(_)) => Err(format!("nothing is known of its image, and so of who `{user}` is in it")),
    }
}

/// What is known of the image of `service`, if that starts its own program.
fn known_of_service(knowledge: &Knowledge, service: &Service<'_>) -> Result<Arc<ImageFacts>, String> {
    let facts = service.pulled_image().and_then(|image| image.facts(knowledge)).ok_or(UNKNOWN_NEEDS)?;
    if runs_own_program(service, &facts) { Ok(facts) } else { Err(OTHER_PROGRAM.to_owned()) }
}

fn runs_own_program(service: &Service<'_>, facts: &ImageFacts) -> bool {
    let first = service.words("command").as_deref().and_then(first_word);
    service.value("entrypoint").is_none() && first.is_none_or(|command| facts.runs_own_program(&command))
}

fn first_word(words: &[Text<'_>]) -> Option<String> {
    let first = words.first()?.seen().split_ascii_whitespace().next();
    Some(first.unwrap_or_default().to_owned())
}

/// Edits of one file in order, those at one place as one; of two at one place the first is the one further in.
fn together(mut edits: Vec<Edit>) -> Result<Vec<Edit>, String> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut apart: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match apart.last_mut() {
            Some(last) if last.span == edit.span && edit.span.is_empty() => last.text += &edit.text,
            Some(last) if edit.span.start < last.span.end => {
                return Err("the changes of the file would touch each other".to_owned());
            }
            Some(_) | None => apart.push(edit),
        }
    }
    Ok(apart)
}
