//! A build and an image that can less: one stage becomes a build and a runtime of its own, without root, without tools,
//! without a shell, as far as the files prove that the program needs none of them.
//!
//! [`rung`] says where an image stands on the ladder. A [`Subject`] is the image that is to climb it, with all that is
//! known of it. A recipe answers [`Runtime`]s for it, the best first, each with its proof; [`split`] writes one as
//! edits. Nothing here applies an edit, and nothing reads a file but through the build context.

mod base;
pub mod definition;
pub mod effect;
pub mod health;
pub mod ignored;
pub mod installer;
pub mod kept_back;
pub mod note;
pub mod outputs;
pub mod packages;
pub mod program;
pub mod recipe;
pub mod release;
pub mod rung;
pub mod secret;
pub mod split;
pub mod started;
pub mod strip;
pub mod tree;
pub mod trim;

mod subject;

pub use crate::model::Evidence;
pub use subject::Subject;

use crate::{rule::Safety, source::SourceFile, text::Edit};
use std::{borrow::Cow, fmt};

/// How far an image is from the worst one: the ladder of hardening. Each rung has what the ones below it have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// It runs as root, or nobody can tell.
    Root,
    /// It runs as a user with a number, who owns what it writes.
    NonRoot,
    /// It holds no build tools, no caches of package managers, no secrets, and nothing unverified.
    Clean,
    /// Its base is made to run this and no more; no shell stands before its program; what the lock knows is pinned.
    RuntimeOnly,
    /// Its base has no shell and no package manager.
    NoShell,
    /// The files that run it say so too.
    Deployed,
}

impl Rung {
    /// Every rung, from the ground up.
    pub const ALL: [Rung; 6] =
        [Rung::Root, Rung::NonRoot, Rung::Clean, Rung::RuntimeOnly, Rung::NoShell, Rung::Deployed];

    /// Its number, 0 to 5.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(out)
    }
}

/// One thing that a rewrite does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Imperative, a few words.
    pub title: Cow<'static, str>,
    /// What it may do to the image.
    pub safety: Safety,
    /// The proof, or what could not be proved.
    pub reason: Cow<'static, str>,
    /// The places that prove it.
    pub evidence: Vec<Evidence>,
}

/// A rung that is not reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declined {
    /// The rung.
    pub rung: Rung,
    /// What could not be proved, and what would prove it: one sentence.
    pub reason: Cow<'static, str>,
}

/// A final stage that could take the place of the image of a [`Subject`]: what a recipe answers.
///
/// What the author wrote becomes the stage that builds. What is said there about the finished image (labels, ports,
/// variables, the health check, the start) is said again in the new one without the recipe's doing; the user, and what
/// it owns, are found afterwards by the engine for users.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// Its base image, as a reference.
    pub base: String,
    /// Edits of what the author wrote: a virtual environment, a static build.
    pub build: Vec<Edit>,
    /// Instructions behind the last of the build.
    pub build_end: Vec<String>,
    /// What is copied out of the build, in this order.
    pub taken: Vec<Taken>,
    /// Packages of the distribution to install in it.
    pub packages: Vec<String>,
    /// Instructions that it needs besides, before anything is copied.
    pub setup: Vec<String>,
    /// Instructions that it needs besides, behind everything that is copied.
    pub finish: Vec<String>,
    /// Variables that it needs besides.
    pub environment: Vec<(String, String)>,
    /// Variables that only the build used.
    pub left_out: Vec<String>,
    /// What it starts, if not what the author wrote.
    pub start: Option<Start>,
    /// What its health check runs, in JSON form, if not what the author wrote.
    pub health: Option<Vec<String>>,
    /// What is done, with the proof.
    pub changes: Vec<Change>,
    /// What its user still has to do, each a sentence.
    pub manual: Vec<String>,
    /// Whether it is worth nothing if it stands no higher than the author's image with its repairs alone.
    pub only_higher: bool,
}

/// Files that are copied out of the build: the same path on both sides, unless something else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The absolute path in the build.
    pub from: String,
    /// The absolute path in the image.
    pub to: String,
}

impl Taken {
    /// A path that stays where it is.
    pub fn at(path: impl Into<String>) -> Self {
        let from = path.into();
        Self { to: from.clone(), from }
    }
}

/// A start command in JSON form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// `ENTRYPOINT`; `None` for none.
    pub entrypoint: Option<Vec<String>>,
    /// `CMD`; `None` for none.
    pub command: Option<Vec<String>>,
}

/// Another base for an image.
#[derive(Clone, Debug)]
pub struct Rebase {
    /// The base, as a reference.
    pub base: String,
    /// What is done, with the proof.
    pub change: Change,
    /// Edits of the file besides.
    pub edits: Vec<Edit>,
}

/// What a recipe says of a subject that is of its kind.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// The name of the stack, for people: `Go`, `Node.js with npm`.
    ///
    /// Empty where nothing tells.
    pub stack: String,
    /// Another base for the image as it is, where nothing has to be taken apart.
    pub rebase: Option<Rebase>,
    /// What could take the image's place, the best first; empty where nothing can be proved.
    pub runtimes: Vec<Runtime>,
    /// The rungs that none of them reaches, and why.
    pub declined: Vec<Declined>,
}

impl Proposal {
    /// What `answer` says of an image of `stack`: what could take its place and what that does not reach, or why
    /// nothing can.
    pub fn of(stack: &str, answer: Result<(Vec<Runtime>, Vec<Declined>), Cow<'static, str>>) -> Self {
        let declined = |reason| (Vec::new(), vec![Declined { rung: Rung::Clean, reason }]);
        let (runtimes, declined) = answer.unwrap_or_else(declined);
        Self { stack: stack.to_owned(), runtimes, declined, ..Self::default() }
    }
}

/// What became of one file.
#[derive(Clone, Debug)]
pub struct Hardened {
    /// The stack, as far as a recipe knows it.
    pub stack: Option<String>,
    /// Where the image stood.
    pub before: Rung,
    /// Where it stands.
    pub after: Rung,
    /// What was done.
    pub changes: Vec<Change>,
    /// The rungs that are not reached, and why.
    pub declined: Vec<Declined>,
    /// What its user still has to do, each a sentence.
    pub manual: Vec<String>,
    /// The file as it would be.
    pub text: Vec<u8>,
    /// The files that hand its builds something, as far as these change with it, as they would be.
    pub beside: Vec<SourceFile>,
}

/// A file that changes with hardened Dockerfiles: it builds them, or runs what they make.
#[derive(Clone, Debug)]
pub struct Dependent {
    /// Its path, written as those of the Dockerfiles are.
    pub path: String,
    /// Its bytes as they were.
    pub before: Vec<u8>,
    /// Its bytes as they would be.
    pub after: Vec<u8>,
    /// Which of the Dockerfiles was the first that it was changed for.
    pub first: usize,
}

/// What `harden` was told beyond the files.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// The highest rung to climb to: a build that failed was one too high.
    pub highest: Rung,
    /// What kind of base is wanted; `None` for the one that less is in.
    pub runtime: Option<Kind>,
    /// The user that is wanted: its number and that of its group.
    pub user: Option<(u32, u32)>,
    /// Whether package managers and the like are taken out of an image that keeps a shell.
    pub strips: bool,
}

/// A kind of base to run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The author's own.
    Full,
    /// A smaller one that has a shell.
    Slim,
    /// One without a shell.
    Distroless,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { highest: Rung::Deployed, runtime: None, user: None, strips: false }
    }
}

impl Wishes {
    /// Takes a `KEY=VALUE` of the command line.
    ///
    /// # Errors
    /// Which keys and values there are.
    pub fn set(&mut self, setting: &str) -> Result<(), String> {
        match setting.split_once('=') {
            Some(("runtime", "full")) => self.runtime = Some(Kind::Full),
            Some(("runtime", "slim")) => self.runtime = Some(Kind::Slim),
            Some(("runtime", "distroless")) => self.runtime = Some(Kind::Distroless),
            Some(("runtime", other)) => {
                return Err(format!("`runtime` is `full`, `slim` or `distroless`, not `{other}`"));
            }
            Some(("user", ids)) => {
                let (uid, gid) = ids.split_once(':').unwrap_or((ids, ids));
                let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse()) else {
                    return Err(format!("`user` is a number, or two with a colon between them, not `{ids}`"));
                };
                if uid == 0 {
                    return Err("`user` 0 is root".to_owned());
                }
                self.user = Some((uid, gid));
            }
            _ => return Err(format!("`{setting}` is none of `runtime=full|slim|distroless` and `user=UID[:GID]`")),
        }
        Ok(())
    }
}
