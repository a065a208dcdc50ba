//! Where an image stands on the ladder, and what keeps it from the next rung.
//!
//! The judge looks at a file before and after a rewrite in the same way, and believes only what the files show: what
//! nobody can tell never counts as reached.

mod base;
mod called;
mod clean;
mod user;

pub use base::has_shell;
pub use called::{called, programs};

use super::{Declined, Rung};
use crate::{
    model::{DockerfileModel, Stage},
    rule::{Cx, Finding},
    text::Span,
};
use std::{borrow::Cow, collections::BTreeSet};

/// Where an image stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The highest rung that is proved.
    pub rung: Rung,
    /// What keeps it from the ones above, the lowest first.
    pub missing: Vec<Declined>,
}

/// Where the image of `target` stands; `findings` are those of every rule on the file.
///
/// The definitions that run the image are not looked at: the answer is never [`Rung::Deployed`].
pub fn standing(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>, findings: &[Finding]) -> Standing {
    let mut judge = Judge { cx, target, missing: BTreeSet::new() };
    judge.user();
    judge.clean(findings);
    judge.runtime_only();
    judge.no_shell();
    let missing: Vec<Declined> = judge.missing.into_iter().collect();
    let below = |missing: &Declined| Rung::ALL[usize::from(missing.rung.number()).saturating_sub(1)];
    let rung = missing.first().map_or(Rung::NoShell, below);
    Standing { rung, missing }
}

/// Collects what keeps an image down.
struct Judge<'j, 'm> {
    cx: &'j Cx<'j, DockerfileModel<'m>>,
    target: Stage<'j>,
    missing: BTreeSet<Declined>,
}

impl Judge<'_, '_> {
    fn miss(&mut self, rung: Rung, reason: impl Into<Cow<'static, str>>) {
        self.missing.insert(Declined { rung, reason: reason.into() });
    }

    fn line(&self, span: Span) -> u32 {
        self.cx.file.locate(span.start).line
    }
}
