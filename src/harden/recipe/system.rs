//! Images of a distribution that build nothing: the smaller variant of the same release in the place of the base.

use super::common::change;
use crate::{
    harden::{
        Proposal, Rebase, Subject,
        effect::{self, Effect, Kind},
    },
    knowledge::Role,
};

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    let facts = image.facts.as_deref()?;
    let slim = facts.slim.known()?;
    let is_plain = facts.role.known() == Some(&Role::Os);
    let builds = |effect: &Effect<'_>| matches!(effect.kind, Kind::Build { .. });
    // Minimal images of Red Hat's family have another package manager.
    if !is_plain || !subject.installs_alike(slim) || effect::effects(subject).iter().any(builds) {
        return None;
    }
    let base = subject.named(slim)?;
    let change = change(
        "Use the smaller variant of the same release",
        "it is the same distribution without manuals and translations",
        subject.evidence(subject.target.root().base_span(), format!("`{}`", image.reference.text())),
    );
    Some(Proposal { rebase: Some(Rebase { base, change, edits: Vec::new() }), ..Proposal::default() })
}
