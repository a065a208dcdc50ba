//! A manifest that kustomizations build, judged with the patches that it gets there.

use super::judge_manifest;
use crate::{
    context::BuildContext,
    engine::Evidence,
    model::kubernetes::kustomization,
    rule::{Builtin, Detail, Finding, Judgement},
    source::SourceFile,
    syntax::yaml,
};
use std::collections::BTreeSet;

/// In more ways than these a manifest is judged as it is.
const MOST_BUILDS: usize = 8;

/// A larger manifest is judged as it is, too.
const LARGEST: usize = 256 * 1024;

/// Takes from `judgement`, which is of `file` alone, what patches set right wherever a kustomization builds it. What is
/// left is set right in the file itself: whatever is laid over it is laid over that, too.
pub(super) fn withdraw_given(
    file: &SourceFile,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
    judgement: &mut Judgement,
) {
    if judgement.findings.is_empty() || judgement.errors > 0 || file.text.len() > LARGEST {
        return;
    }
    let builds = kustomization::builds(&BuildContext::new(evidence.around, &file.path));
    let is_patched = |patches: &Vec<kustomization::Patch>| !patches.is_empty();
    if builds.is_empty() || builds.len() > MOST_BUILDS || !builds.iter().all(is_patched) {
        return;
    }
    let evidence = Evidence { detail: Detail::Findings, ..evidence };
    let mut left = Vec::new();
    for patches in builds {
        // What a patch does that nobody here can read is not held for anything.
        let Some(text) = kustomization::merged(&file.text, &patches) else { return };
        let patched = SourceFile::new(file.id, file.path.clone(), file.kind, text);
        let parsed = yaml::parse(&patched.text);
        left.extend(judge_manifest(&patched, &parsed, rules, evidence).findings);
    }
    let still: BTreeSet<(&str, &str)> = left.iter().map(said).collect();
    let own: BTreeSet<(&str, &str)> = judgement.findings.iter().map(said).collect();
    // A patch may also change the words of a finding: then it is not known which of them it sets right.
    let reworded: BTreeSet<&str> = still.difference(&own).map(|(rule, _)| *rule).collect();
    let given: Vec<bool> = judgement
        .findings
        .iter()
        .map(|finding| !still.contains(&said(finding)) && !reworded.contains(finding.rule))
        .collect();
    let mut given = given.into_iter();
    judgement.findings.retain(|_| given.next() == Some(false));
}

fn said(finding: &Finding) -> (&str, &str) {
    (finding.rule, &finding.message)
}
