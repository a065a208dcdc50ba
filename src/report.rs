//! What a run came to, as emitters receive it: files, findings with their levels, and what could not be read.

use crate::{
    fix::{Applied, Quarantined},
    rule::{Declined, Finding, Label, Level, RuleMeta, Safety},
    source::{FileKind, Generation, SourceSet},
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
    /// Findings that are not reported; they never count.
    pub left_out: Vec<LeftOut>,
    /// Whether a baseline says which findings are new.
    pub has_baseline: bool,
}

impl Report {
    /// The highest level of a finding; [`Level::Off`] if there is none.
    pub fn highest_level(&self) -> Level {
        self.findings.iter().map(|ranked| ranked.level).max().unwrap_or(Level::Off)
    }

    /// How many findings are left out by comments, by the baseline, and because their lines did not change.
    pub fn left_out_counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for left_out in &self.left_out {
            let at = match left_out.why {
                Why::Comment(_) => 0,
                Why::Baseline => 1,
                Why::Unchanged => 2,
            };
            counts[at] += 1;
        }
        counts
    }
}

/// What is to be said about one file.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Sorted by place and rule.
    pub findings: Vec<Ranked>,
    /// Changes that one may expect and that would be wrong, where there is no finding.
    pub declined: Vec<Declined>,
    /// Findings that are not reported.
    pub left_out: Vec<LeftOut>,
}

/// A finding that is not reported.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// What would have been said.
    pub ranked: Ranked,
    /// Why it is not.
    pub why: Why,
}

/// Why a finding is not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A comment in the file says so; its reason.
    Comment(String),
    /// The baseline has it.
    Baseline,
    /// It is on lines that did not change.
    Unchanged,
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

/// Everything that a run of `fix` says.
#[derive(Debug, Default)]
pub struct Repairs {
    /// Files as they would be, and what is left to say about them.
    pub left: Report,
    /// Files that change, sorted by path.
    pub changes: Vec<Change>,
    /// What was done, by file and round.
    pub applied: Vec<Applied>,
    /// Changes that one may expect and that would be wrong, where there is no finding.
    pub declined: Vec<Declined>,
    /// Fixes that did harm and were taken back.
    pub quarantined: Vec<Quarantined>,
    /// Whether there is more to do, for another run.
    pub is_unfinished: bool,
}

impl Repairs {
    /// What was not done because it would be wrong or is for a person to decide: the rule, the place, the reason.
    pub fn undone(&self) -> impl Iterator<Item = (&'static str, &Label, &str)> {
        let findings = self.left.findings.iter().filter_map(|Ranked { finding, .. }| {
            let manual = finding.fixes.first().filter(|fix| fix.safety == Safety::Manual).map(|fix| &*fix.reason);
            Some((finding.rule, &finding.primary, finding.declined.as_deref().or(manual)?))
        });
        findings.chain(self.declined.iter().map(|each| (each.rule, &each.place, &*each.reason)))
    }

    /// How many findings are left whose default fix has that safety.
    pub fn left_with(&self, safety: Safety) -> usize {
        let default = |ranked: &&Ranked| ranked.finding.fixes.first().is_some_and(|fix| fix.safety == safety);
        self.left.findings.iter().filter(default).count()
    }
}

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// As the user named it or as the walk found it, `/` between parts.
    pub path: String,
    /// Its bytes as they were read.
    pub before: Vec<u8>,
    /// Its bytes as they would be.
    pub after: Vec<u8>,
}

impl Change {
    /// What its head says of how it is made: a change of a generated file is lost the next time.
    pub fn generation(&self) -> Option<Generation> {
        Generation::of(&self.before)
    }
}
