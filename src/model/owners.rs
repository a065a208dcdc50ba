//! Whom the files belong to: `chown`, `--chown`, and what a user makes itself.
//!
//! Sources: chown(1); Dockerfile reference, `COPY --chown`.

use super::{
    dockerfile::CopySource, path, programs::Programs, script::StepCommand, stage::Stage, step::Step, user::User,
};
use crate::syntax::{dockerfile::Keyword, shell::Word};
use std::cell::Cell;

/// One `chown`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    /// Where the command starts in the file.
    pub at: u32,
    /// The new owner, a name or a number.
    pub owner: String,
    /// The files that it gets, as they are written.
    pub targets: Vec<String>,
    /// Whether everything below them is given away too.
    pub is_recursive: bool,
}

impl OwnerChange {
    /// Whether the owner is certainly not root.
    pub fn is_to_another(&self) -> bool {
        !matches!(self.owner.as_str(), "root" | "0")
    }

    /// Whether `path` is given away.
    pub fn covers(&self, path: &str) -> bool {
        self.targets.iter().any(|target| {
            let target = target.trim_end_matches('/');
            let below = path.strip_prefix(target);
            below.is_some_and(|rest| rest.is_empty() || rest == "/" || self.is_recursive && rest.starts_with('/'))
        })
    }
}

impl Step<'_> {
    /// What the `chown`s of a `RUN` that name an owner do, in order.
    pub fn owner_changes(self) -> Vec<OwnerChange> {
        if self.keyword() != Keyword::Run || !self.may_run(Programs::of(&["chown"])) {
            return Vec::new();
        }
        self.commands().filter_map(owner_change).collect()
    }
}

impl Stage<'_> {
    /// Whether its steps give the directory or file at `path` to the user with the number `uid`, also called `name`, or
    /// that user makes it, or the directory around it.
    ///
    /// `COPY --chown` gives away what it makes: a directory that was there before keeps its owner.
    pub fn gives(self, path: &str, uid: u32, name: Option<&str>) -> bool {
        self.gives_with(path, uid, name, true)
    }

    /// The same for every builder: only BuildKit makes the directory of `WORKDIR` as the user in force, others as root.
    pub fn always_gives(self, path: &str, uid: u32, name: Option<&str>) -> bool {
        self.gives_with(path, uid, name, false)
    }

    fn gives_with(self, path: &str, uid: u32, name: Option<&str>, by_workdir: bool) -> bool {
        let of_base = self.image_facts().and_then(|facts| facts.identity.known()?.as_ref());
        let home = of_base.filter(|identity| identity.uid == Some(uid)).and_then(|identity| identity.home.as_deref());
        let around = |path: &'_ str| path.rfind('/').filter(|&at| at > 0).map(|at| path[..at].to_owned());
        let paths = std::iter::successors(Some(path.to_owned()), |path| around(path));
        // What nobody makes before the program does belongs to it if the directory around it does.
        let looks = Cell::new(MOST_LOOKS);
        let answers = paths.map(|path| {
            let answer = Whose { path: &path, uid, name, by_workdir, looks: &looks }.answer(self);
            // What nobody copies into the home that the base made is its user's.
            if !answer.is_there && home == Some(&*path) { Answer { is_theirs: true, is_there: true } } else { answer }
        });
        answers.into_iter().find(|answer| answer.is_there).is_some_and(|answer| answer.is_theirs)
    }
}

/// Stages that start from each other are followed so far.
const LONGEST_CHAIN: usize = 64;

/// So many steps are looked at for one path; behind them nothing is told.
const MOST_LOOKS: u32 = 20_000;

/// The question whether a path belongs to a user.
struct Whose<'a> {
    path: &'a str,
    uid: u32,
    name: Option<&'a str>,
    /// Whether `WORKDIR` makes directories as the user in force.
    by_workdir: bool,
    /// How many steps may still be looked at.
    looks: &'a Cell<u32>,
}

/// What the steps of an image say of a path.
#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    is_theirs: bool,
    /// Whether it is made, or may come with what is copied.
    is_there: bool,
}

/// Endings of files that nobody gives to a directory.
const OF_FILES: [&str; 26] = [
    "cfg",
    "conf",
    "crt",
    "css",
    "env",
    "go",
    "html",
    "ini",
    "jar",
    "js",
    "json",
    "key",
    "lock",
    "md",
    "pem",
    "properties",
    "py",
    "rb",
    "sh",
    "sql",
    "toml",
    "ts",
    "txt",
    "xml",
    "yaml",
    "yml",
];

/// Whether a source is a file, as its name tells.
fn has_name_of_file(source: &str) -> bool {
    let name = path::file_name(source);
    let has_ending = name.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && OF_FILES.contains(&ending));
    has_ending && !source.ends_with('/') && !source.contains(['*', '?', '[', '$'])
}

/// Whether the image of the stage starts the program at `place`, which so is a file.
fn is_started(step: Step<'_>, place: &str) -> bool {
    let stage = step.stage();
    let workdir = stage.workdir().path.known().unwrap_or("/");
    stage.start_steps().into_iter().any(|start| {
        let first = start.commands().next();
        let program = first.and_then(|command| command.command.word(0)?.literal());
        program.is_some_and(|program| program.contains('/') && path::join(workdir, program) == place)
    })
}

impl Whose<'_> {
    fn answer(&self, stage: Stage<'_>) -> Answer {
        let mut chain: Vec<Stage<'_>> = stage.chain().take(LONGEST_CHAIN).collect();
        chain.reverse();
        let mut answer = Answer::default();
        for step in chain.into_iter().flat_map(Stage::steps) {
            let Some(left) = self.looks.get().checked_sub(1) else { return Answer::default() };
            self.looks.set(left);
            if let Some(is_theirs) = self.after(step, answer.is_there) {
                answer = Answer { is_theirs, is_there: true };
            }
            answer.is_there |= self.makes(step);
        }
        answer
    }

    /// Whether the path is theirs once a `COPY` or `ADD` has run.
    ///
    /// What comes from a stage keeps its owner there, unless `--chown` gives it another (BuildKit's copier).
    fn copied(&self, step: Step<'_>, is_there: bool) -> Option<bool> {
        let to = step.absolute_arg(step.destination()?)?;
        let rest = self.path.strip_prefix(to.trim_end_matches('/'))?;
        let is_below = rest.starts_with('/');
        if !is_below && !rest.is_empty() || is_below && self.is_beside_files(step, &to) {
            return None;
        }
        let Some(flag) = step.instruction().flag("chown") else {
            return match step.copy_source() {
                Some(CopySource::Stage(_)) => self.brought(step, rest).filter(|_| is_below),
                // What the context or an image brings is root's, if it brings anything there.
                Some(CopySource::Image(_) | CopySource::Scratch | CopySource::Invalid) | None => {
                    is_below.then_some(false)
                }
            };
        };
        let is_given = || {
            let owner = flag.value.as_deref().and_then(|owner| step.expand(owner).ok());
            owner.is_some_and(|owner| owner.known().is_some_and(|owner| self.is_them(step, owner)))
        };
        let is_brought = if is_below { self.brought(step, rest).is_some() } else { !is_there };
        is_brought.then(is_given)
    }

    /// Whether everything that a `COPY` brings is a file in the directory `to`, and none of them is the path or around it.
    fn is_beside_files(&self, step: Step<'_>, to: &str) -> bool {
        let sources = step.sources();
        !sources.is_empty()
            && sources.iter().all(|source| {
                let place = path::join(to, path::file_name(&source.text));
                (has_name_of_file(&source.text) || is_started(step, &place)) && !path::is_in(self.path, &place)
            })
    }

    /// Whether what lies at `rest` below the sources of a `COPY` of another stage is theirs there; `None` if nothing
    /// tells that anything lies there.
    fn brought(&self, step: Step<'_>, rest: &str) -> Option<bool> {
        let Some(CopySource::Stage(index)) = step.copy_source() else { return None };
        let stage = step.model().stage(index).filter(|stage| stage.index() < step.stage().index())?;
        step.sources().into_iter().find_map(|source| {
            let path = path::join("/", &format!("{}/{rest}", source.text));
            let answer = Whose { path: &path, ..*self }.answer(stage);
            answer.is_there.then_some(answer.is_theirs)
        })
    }

    /// Whether `step` means them by `owner`: a number, their name, or another name for their number.
    fn is_them(&self, step: Step<'_>, owner: &str) -> bool {
        let user = owner.split([':', '.']).next().unwrap_or(owner);
        let is_number = || step.stage().ids_of(&User::parse(user)).is_some_and(|ids| ids.uid == self.uid);
        self.name.is_some_and(|name| name == user) || is_number()
    }

    /// Whether the path is theirs once `step` has run; `None` where the step says nothing of it.
    fn after(&self, step: Step<'_>, is_there: bool) -> Option<bool> {
        match step.keyword() {
            Keyword::Copy | Keyword::Add => self.copied(step, is_there),
            Keyword::Run => {
                let changes = step.owner_changes();
                let change = changes.iter().rfind(|change| {
                    let paths = change.targets.iter().filter_map(|target| step.absolute(target));
                    paths.into_iter().any(|target| {
                        target == self.path
                            || change.is_recursive && path::is_in(self.path, target.trim_end_matches('/'))
                    })
                });
                let made = || (self.is_run_by_them(step) && self.makes(step) && !is_there).then_some(true);
                change.map(|change| self.is_them(step, &change.owner)).or_else(made)
            }
            Keyword::Workdir if !is_there && self.by_workdir => {
                (self.is_run_by_them(step) && self.makes(step)).then_some(true)
            }
            _ => None,
        }
    }

    fn is_run_by_them(&self, step: Step<'_>) -> bool {
        let user = step.user();
        user.user.is_unprivileged() && user.value.known().is_some_and(|written| self.is_them(step, written))
    }

    /// Whether a step certainly makes the path, if it is not there.
    fn makes(&self, step: Step<'_>) -> bool {
        match step.keyword() {
            Keyword::Copy | Keyword::Add => {
                let to = step.destination().and_then(|word| step.absolute_arg(word));
                to.is_some_and(|to| path::is_in(&to, self.path))
            }
            Keyword::Workdir => {
                let behind = step.next().map_or(step.stage().workdir(), Step::workdir);
                behind.path.known().is_some_and(|made| path::is_in(made, self.path))
            }
            Keyword::Run => {
                let made = step.made_directories();
                made.iter().filter_map(|made| step.absolute(made)).any(|made| path::is_in(&made, self.path))
            }
            _ => false,
        }
    }
}

fn owner_change(command: StepCommand<'_>) -> Option<OwnerChange> {
    let invocation = command.invocation().filter(|invocation| invocation.name() == Some("chown"))?;
    let mut operands = invocation.arguments().filter(|word| !word.bytes().starts_with(b"-"));
    let owner = operands.next()?.literal()?.split([':', '.']).next().filter(|owner| !owner.is_empty())?.to_owned();
    let targets = operands.filter_map(Word::literal).map(str::to_owned).collect();
    let is_recursive = invocation.has_option(Some('R'), "recursive", "");
    Some(OwnerChange { at: command.span().start, owner, targets, is_recursive })
}
