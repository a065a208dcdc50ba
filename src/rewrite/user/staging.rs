//! Directories for an image that has no shell to make them in: an earlier stage makes them, and `COPY --from` brings
//! them over.
//!
//! How builders treat a directory that is copied decides the form (BuildKit's copier, moby/moby#38710): one that is not
//! there yet gets the owner of `--chown`, one that is there keeps its own, and one inside of the copied tree gets that
//! of its source. So a new directory is copied alone with `--chown`, one in a copied tree is given away at its source,
//! and one that other copies go into is made before them.

use super::{
    Obstacle,
    identity::Identity,
    place::{Handed, Owned, Unreadable},
};
use crate::{
    model::{Base, CopySource, DockerfileModel, Stage, Step, join_path},
    rule::Cx,
    syntax::dockerfile::{Editor, Instruction, Keyword},
    text::Edit,
};

/// What brings directories into an image without a shell.
#[derive(Debug, Default)]
pub(super) struct Staged {
    /// What is done in earlier stages, and to copies that are there already.
    pub(super) edits: Vec<Edit>,
    /// Lines behind `FROM`, before anything else is copied.
    pub(super) first: Vec<String>,
    /// Lines behind everything that is copied.
    pub(super) last: Vec<String>,
}

/// Roots of what is made to be copied: the first that the file does not know.
const ROOTS: [&str; 4] = ["/out", "/rootfs", "/image", "/image-root"];

/// Directories that images without a shell may have, or that many programs share: their owner cannot be changed by a
/// copy, and should not be.
const SHARED: [&str; 16] = [
    "/",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/cache",
    "/var/spool",
    "/var/tmp",
    "/home",
    "/opt",
    "/srv",
    "/mnt",
    "/etc",
    "/usr",
    "/usr/local",
    "/run",
    "/root",
];

/// Makes what `identity` is to own in earlier stages.
pub(super) fn staged(
    cx: &Cx<'_, DockerfileModel<'_>>,
    target: Stage<'_>,
    identity: &Identity,
    handed: &Handed,
) -> Result<Staged, Obstacle> {
    let mut staging = Staging::new(cx, target, identity);
    for owned in &handed.owned {
        staging.own(owned)?;
    }
    for file in &handed.readable {
        staging.make_readable(file)?;
    }
    for path in &handed.missing {
        staging.new_directory(path, Moment::Last)?;
    }
    staging.finish()
}

/// When a directory is copied.
#[derive(Clone, Copy)]
enum Moment {
    /// Before anything else, because other copies go into it.
    First,
    Last,
}

/// A copy of the target out of an earlier stage.
struct Taken<'m> {
    step: Step<'m>,
    stage: Stage<'m>,
    from: String,
    to: String,
    /// Whether it may be one of several sources, or a file that goes into a directory.
    is_loose: bool,
}

/// What an earlier stage does at its end.
struct Works<'m> {
    stage: Stage<'m>,
    name: String,
    directories: Vec<String>,
    deep: Vec<String>,
    flat: Vec<String>,
    readable: Vec<String>,
}

struct Staging<'s, 'm> {
    cx: &'s Cx<'s, DockerfileModel<'s>>,
    target: Stage<'m>,
    owner: String,
    taken: Vec<Taken<'m>>,
    works: Vec<Works<'m>>,
    staged: Staged,
    /// Copies that got an owner.
    owned: Vec<usize>,
}

impl<'s, 'm> Staging<'s, 'm> {
    fn new(cx: &'s Cx<'s, DockerfileModel<'s>>, target: Stage<'m>, identity: &Identity) -> Self {
        let copies = target.steps().filter(|step| !step.is_trigger());
        let taken = copies.flat_map(taken).collect();
        let owner = identity.owner();
        Self { cx, target, owner, taken, works: Vec::new(), staged: Staged::default(), owned: Vec::new() }
    }

    fn own(&mut self, place: &Owned) -> Result<(), Obstacle> {
        let path = place.path.as_str();
        if place.is_file {
            return Err(format!("it writes `{path}`, and the image has no shell to make that file").into());
        }
        if SHARED.contains(&path) {
            return Err(format!(
                "it writes into `{path}`, which the image shares among programs: a directory of its own could be given to it"
            )
            .into());
        }
        let around = self.taken.iter().rposition(|taken| {
            taken.to != path && is_below(path, &taken.to) && (!taken.is_loose || is_directory_of(taken))
        });
        if let Some(at) = around {
            return self.own_inside(at, place);
        }
        let inside: Vec<usize> = (0..self.taken.len()).filter(|&at| is_below(&self.taken[at].to, path)).collect();
        let is_made_before =
            inside.iter().any(|&at| self.taken[at].to != path) || !place.is_deep || self.is_workdir(path);
        for at in inside {
            if place.is_deep {
                self.own_copy(at)?;
            } else if self.taken[at].to == path && !self.taken[at].is_loose {
                let (stage, from) = (self.taken[at].stage, self.taken[at].from.clone());
                self.works_of(stage)?.flat.push(from);
            }
        }
        let is_copied = self.taken.iter().any(|taken| taken.to == path);
        match (is_made_before, is_copied) {
            (true, _) => self.new_directory(path, Moment::First),
            (false, true) => Ok(()),
            (false, false) => self.new_directory(path, Moment::Last),
        }
    }

    /// A directory in a tree that is copied: given away where it comes from.
    fn own_inside(&mut self, at: usize, place: &Owned) -> Result<(), Obstacle> {
        let Taken { step, stage, from, to, .. } = &self.taken[at];
        let (step, stage) = (*step, *stage);
        let source = join_path(from, place.path.strip_prefix(to.as_str()).unwrap_or_default().trim_start_matches('/'));
        if step.instruction().flag("chown").is_some_and(|flag| flag.value.as_deref() != Some(&self.owner)) {
            let line = step.instruction().lines.0;
            return Err(format!("line {line} gives `{}`, which it writes, to somebody else", place.path).into());
        }
        let owner = self.owner.clone();
        let works = self.works_of(stage)?;
        works.directories.push(source.clone());
        if !place.is_deep {
            works.flat.push(source);
            return Ok(());
        }
        works.deep.push(source.clone());
        let name = works.name.clone();
        self.staged.last.push(format!("COPY --from={name} --chown={owner} {source} {}", place.path));
        Ok(())
    }

    /// A copy that is given to the user as a whole.
    fn own_copy(&mut self, at: usize) -> Result<(), Obstacle> {
        let instruction = self.taken[at].step.instruction();
        if self.owned.contains(&self.taken[at].step.index()) {
            return Ok(());
        }
        match instruction.flag("chown") {
            Some(flag) if flag.value.as_deref() == Some(&self.owner) => {}
            Some(_) => {
                let (to, line) = (&self.taken[at].to, instruction.lines.0);
                return Err(format!("line {line} gives `{to}`, which it writes, to somebody else").into());
            }
            None => {
                self.owned.push(self.taken[at].step.index());
                let editor = Editor::new(self.cx.file, self.cx.model.syntax);
                self.staged.edits.push(editor.add_flag(instruction, &format!("--chown={}", self.owner)));
            }
        }
        Ok(())
    }

    /// An empty directory.
    fn new_directory(&mut self, path: &str, moment: Moment) -> Result<(), Obstacle> {
        let no_shell = || -> Obstacle {
            format!("it writes `{path}`, and neither the image nor a stage that it copies from has a shell to make that directory for another user").into()
        };
        let maker =
            self.taken.iter().rev().map(|taken| taken.stage).find(|stage| can_work(*stage)).ok_or_else(no_shell)?;
        let text = self.cx.file.text.as_slice();
        let fills_root = fills_root(maker);
        let is_free = |root: &&&str| {
            let is_brought = || fills_root && self.cx.context.entry(root.trim_start_matches('/')).is_some();
            memchr::memmem::find(text, root.as_bytes()).is_none() && !is_brought()
        };
        let root = ROOTS.iter().find(is_free).ok_or_else(no_shell)?;
        let made = format!("{root}{path}");
        let owner = self.owner.clone();
        let works = self.works_of(maker)?;
        works.directories.push(made.clone());
        let line = format!("COPY --from={} --chown={owner} {made} {path}", works.name);
        match moment {
            Moment::First => self.staged.first.push(line),
            Moment::Last => self.staged.last.push(line),
        }
        Ok(())
    }

    fn make_readable(&mut self, file: &Unreadable) -> Result<(), Obstacle> {
        let line = file.line;
        let Some((stage, path)) = &file.source else {
            return Err(format!("only root may read what line {line} fetches: give it `--chmod=0644`").into());
        };
        let stage = self.target.model().stage(*stage).filter(|stage| can_work(*stage));
        let stage = stage.ok_or_else(|| format!("only root may read what line {line} fetches"))?;
        let path = path.clone();
        self.works_of(stage)?.readable.push(path);
        Ok(())
    }

    /// What `stage` does at its end.
    fn works_of(&mut self, stage: Stage<'m>) -> Result<&mut Works<'m>, Obstacle> {
        if let Some(at) = self.works.iter().position(|works| works.stage == stage) {
            return Ok(&mut self.works[at]);
        }
        if !can_work(stage) {
            let line = stage.instruction().lines.0;
            return Err(format!("the stage of line {line} has no shell to make directories for another user").into());
        }
        let flag = |taken: &Taken<'_>| taken.step.instruction().flag("from").and_then(|flag| flag.value.clone());
        let name = self.taken.iter().find(|taken| taken.stage == stage).and_then(flag).unwrap_or_default();
        let none = Vec::new;
        self.works.push(Works { stage, name, directories: none(), deep: none(), flat: none(), readable: none() });
        let last = self.works.len() - 1;
        Ok(&mut self.works[last])
    }

    fn is_workdir(&self, path: &str) -> bool {
        let behind = |step: Step<'m>| step.next().map_or(step.stage().workdir(), Step::workdir);
        let steps = self.target.steps().filter(|step| step.keyword() == Keyword::Workdir);
        steps.filter_map(|step| behind(step).path.known()).any(|workdir| is_below(workdir, path))
    }

    fn finish(self) -> Result<Staged, Obstacle> {
        let editor = Editor::new(self.cx.file, self.cx.model.syntax);
        let mut staged = self.staged;
        for works in &self.works {
            let mut lines = Vec::new();
            if !works.stage.user().is_root() {
                lines.push("USER 0".to_owned());
            }
            lines.extend(works.lines(&self.owner));
            let edit = editor.insert_after(end_of(works.stage), &lines);
            staged.edits.push(edit.ok_or("the end of the file cuts an instruction off")?);
        }
        Ok(staged)
    }
}

impl Works<'_> {
    fn lines(&self, owner: &str) -> Vec<String> {
        let list = |command: &str, paths: &[String]| {
            let mut paths = paths.to_vec();
            paths.sort();
            paths.dedup();
            (!paths.is_empty()).then(|| format!("{command} {}", paths.join(" ")))
        };
        let commands = [
            list("mkdir -p", &self.directories),
            list(&format!("chown -R {owner}"), &self.deep),
            list(&format!("chown {owner}"), &self.flat),
            list("chmod a+r", &self.readable),
        ];
        super::place::run(commands.into_iter().flatten().collect())
    }
}

/// The last instruction that is written in a stage.
fn end_of(stage: Stage<'_>) -> &Instruction {
    stage.steps().rfind(|step| !step.is_trigger()).map_or(stage.instruction(), Step::instruction)
}

/// What a `COPY --from` of a stage takes.
fn taken(step: Step<'_>) -> Vec<Taken<'_>> {
    let Some(CopySource::Stage(index)) = step.copy_source() else { return Vec::new() };
    let Some(stage) = step.model().stage(index) else { return Vec::new() };
    let Some(word) = step.destination() else { return Vec::new() };
    let Some(to) = step.absolute_arg(word) else { return Vec::new() };
    let sources = step.sources();
    let is_loose = sources.len() > 1 || word.text.ends_with(b"/") || &*word.text == b".";
    let of = |from: String| Taken { step, stage, from: join_path("/", &from), to: to.clone(), is_loose };
    sources.into_iter().map(|source| of(source.text)).collect()
}

/// Whether what is copied is known to be a directory: the stage works in it.
fn is_directory_of(taken: &Taken<'_>) -> bool {
    taken
        .stage
        .chain()
        .flat_map(Stage::steps)
        .any(|step| step.workdir().path.known().is_some_and(|workdir| workdir != "/" && is_below(workdir, &taken.from)))
}

/// Whether a stage can run a command at its end that nothing else sees.
fn can_work(stage: Stage<'_>) -> bool {
    let has_shell = match stage.root_base() {
        Base::Scratch | Base::Unknown(_) | Base::Stage(_) => false,
        Base::Image(_) => stage.image_facts().is_none_or(|facts| !facts.has_no_shell()),
    };
    let has_shell = has_shell && stage.steps().last().is_none_or(|step| step.dialect().is_bourne());
    let is_parent = || stage.model().stages().any(|other| other.parent() == Some(stage));
    has_shell && (stage.user().is_root() || !is_parent())
}

/// Whether something may be copied to the root of the file system of a stage.
fn fills_root(stage: Stage<'_>) -> bool {
    stage.chain_steps().any(|step| {
        matches!(step.keyword(), Keyword::Copy | Keyword::Add)
            && step.destination().and_then(|word| step.absolute_arg(word)).is_none_or(|to| to == "/")
    })
}

/// Whether `path` is `directory`, or lies in it.
fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
