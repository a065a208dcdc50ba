//! What a run came to, as emitters receive it: files, findings with their levels, and what could not be read.

use crate::{
    rule::{Finding, Level, RuleMeta},
    source::{FileKind, SourceSet},
};

/// Everything that a run of `check` says.
#[derive(Debug, Default)]
pub struct Report {
    /// Every file that was judged, sorted by path.
    pub files: Vec<Judged>,
    /// The bytes behind the findings; files without findings may be missing.
    pub sources: SourceSet,
    /// Sorted by path, place and rule.
    pub findings: Vec<Ranked>,
    /// What could not be read, sorted by path.
    pub errors: Vec<Unread>,
}

impl Report {
    /// The highest level of a finding; [`Level::Off`] if there is none.
    pub fn highest_level(&self) -> Level {
        self.findings.iter().map(|ranked| ranked.level).max().unwrap_or(Level::Off)
    }
}

/// A file that was judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Judged {
    /// As the user named it or as the walk found it, `/` between parts.
    pub path: String,
    /// What it was read as.
    pub kind: FileKind,
}

/// A finding, and what this project makes of it.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// What is wrong, and where.
    pub finding: Finding,
    /// The rule that says so.
    pub rule: &'static RuleMeta,
    /// What this project does about it; never [`Level::Off`].
    pub level: Level,
}

/// A file that could not be judged, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// As the user named it or as the walk found it, `/` between parts.
    pub path: String,
    /// One sentence, present tense, no full stop.
    pub message: String,
}
