//! What the comparison came to.

use super::{archive::Contents, image::Image};
use std::collections::BTreeSet;

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Whether it builds.
    Build,
    /// Who runs it.
    User,
    /// `ENTRYPOINT` and `CMD`.
    Start,
    /// Environment variables.
    Env,
    /// Where it starts.
    Workdir,
    /// Ports that it says it listens on.
    Ports,
    /// Volumes.
    Volumes,
    /// Labels.
    Labels,
    /// `HEALTHCHECK`, and what it says.
    HealthCheck,
    /// `STOPSIGNAL`.
    StopSignal,
    /// Whether it can be started and becomes ready.
    Ready,
    /// Ports that it listens on.
    Listens,
    /// What it answers.
    Answer,
    /// How it ends by itself.
    ExitCode,
    /// What it says.
    Logs,
    /// How it ends when it is asked to.
    Stop,
    /// What the user's own check says.
    Smoke,
}

impl Subject {
    /// All of them, in the order in which they are told.
    pub const ALL: [Subject; 17] = [
        Subject::Build,
        Subject::User,
        Subject::Start,
        Subject::Env,
        Subject::Workdir,
        Subject::Ports,
        Subject::Volumes,
        Subject::Labels,
        Subject::HealthCheck,
        Subject::StopSignal,
        Subject::Ready,
        Subject::Listens,
        Subject::Answer,
        Subject::ExitCode,
        Subject::Logs,
        Subject::Stop,
        Subject::Smoke,
    ];

    /// The word for it, on the command line as well.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Build => "build",
            Subject::User => "user",
            Subject::Start => "start",
            Subject::Env => "env",
            Subject::Workdir => "workdir",
            Subject::Ports => "ports",
            Subject::Volumes => "volumes",
            Subject::Labels => "labels",
            Subject::HealthCheck => "health-check",
            Subject::StopSignal => "stop-signal",
            Subject::Ready => "ready",
            Subject::Listens => "listens",
            Subject::Answer => "answer",
            Subject::ExitCode => "exit-code",
            Subject::Logs => "logs",
            Subject::Stop => "stop",
            Subject::Smoke => "smoke",
        }
    }

    /// The subject of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subject| subject.name() == name)
    }
}

/// What a difference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was promised, or does no harm.
    Allowed,
    /// Somebody should look at it; a strict run fails.
    Noted,
    /// The result does not do what the original did.
    Broken,
}

impl Standing {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Allowed => "allowed",
            Standing::Noted => "noted",
            Standing::Broken => "broken",
        }
    }
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub subject: Subject,
    /// What it means.
    pub standing: Standing,
    /// How it was; empty where there was nothing.
    pub before: String,
    /// How it is; empty where there is nothing.
    pub after: String,
    /// Why it means that: a clause, no full stop.
    pub why: String,
}

impl Difference {
    /// A difference of `before` and `after`.
    pub(super) fn new(
        subject: Subject,
        standing: Standing,
        (before, after): (impl Into<String>, impl Into<String>),
        why: impl Into<String>,
    ) -> Self {
        Self { subject, standing, before: before.into(), after: after.into(), why: why.into() }
    }
}

/// What was measured of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// Its configuration.
    pub image: Image,
    /// What lies in it, if it could be counted.
    pub contents: Option<Contents>,
    /// The number of the user that its first process had, if it was seen.
    pub user_id: Option<u32>,
}

/// What happens when the result is locked in: read-only, without capabilities, without new privileges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// What no longer works, as sentences; empty if it holds.
    pub broke: Vec<String>,
    /// Paths that the result writes when it may, without `/tmp`: these need a volume or a tmpfs.
    pub writes: BTreeSet<String>,
}

/// What the comparison came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The engine that built.
    pub engine: &'static str,
    /// The original.
    pub before: Measures,
    /// The result; none if it does not build.
    pub after: Option<Measures>,
    /// What is not as it was, in the order of subjects.
    pub differences: Vec<Difference>,
    /// What was seen to be the same, as sentences.
    pub same: Vec<String>,
    /// What could not be compared and why, as sentences.
    pub not_compared: Vec<String>,
    /// The result locked in; none if it was not started that way.
    pub confinement: Option<Confinement>,
}

impl Verdict {
    /// Whether the result does what the original did, as far as it was compared.
    pub fn holds(&self) -> bool {
        self.with(Standing::Broken).next().is_none()
    }

    /// Whether it holds, nothing was noted, everything could be compared, and it holds locked in.
    pub fn holds_strictly(&self) -> bool {
        let is_confined = self.confinement.as_ref().is_some_and(|confinement| confinement.broke.is_empty());
        self.holds() && self.with(Standing::Noted).next().is_none() && self.not_compared.is_empty() && is_confined
    }

    /// The differences of that standing.
    pub fn with(&self, standing: Standing) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(move |difference| difference.standing == standing)
    }
}
