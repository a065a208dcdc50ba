//! Compose files and manifests x rules -> findings.

mod chart;
mod inline;
mod patched;

use super::{Evidence, Unjudged, fingerprint};
use crate::{
    context::BuildContext,
    model::{
        compose::ComposeModel,
        kubernetes::{KubernetesModel, kustomization},
        seccomp::SeccompModel,
    },
    rule::{Builtin, Check, Cx, Findings, Judgement},
    rules::RULES,
    source::SourceFile,
    suppress::Suppressions,
    syntax::yaml::{self, Yaml},
    text::Parsed,
};

/// What `rules` say about `file`, a compose file.
pub(super) fn judge_compose(
    file: &SourceFile,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
) -> Result<Judgement, Unjudged> {
    let parsed = parsed(file)?;
    let context = BuildContext::new(evidence.around, &file.path);
    let model = ComposeModel::of(&parsed.tree, &context);
    let is_override = file.path.rsplit('/').next().is_some_and(|name| name.contains(".override."));
    let model = if is_override { model.on_top() } else { model };
    let found = ask(file, rules, evidence, &model, |check| match check {
        Check::Containers { compose: check, .. } | Check::Images { compose: check, .. } | Check::Compose(check) => {
            Some(check)
        }
        Check::Dockerfile(_)
        | Check::Commands { .. }
        | Check::Script(_)
        | Check::Kubernetes(_)
        | Check::Seccomp(_)
        | Check::Syntax
        | Check::Suppressions => None,
    });
    let mut judgement = judgement(file, &parsed, found, evidence);
    for text in model.services.iter().filter_map(|service| service.build()?.inline) {
        inline::judge(file, text.node, rules, evidence, &mut judgement);
    }
    Ok(judgement)
}

/// What `rules` say about `file`, a manifest.
pub(super) fn judge_kubernetes(
    file: &SourceFile,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
) -> Result<Judgement, Unjudged> {
    if let Some(judgement) = chart::judge(file, rules, evidence) {
        return Ok(judgement);
    }
    let mut parsed = parsed(file)?;
    if kustomization::is_patch(&BuildContext::new(evidence.around, &file.path)) {
        parsed.tree = parsed.tree.merged_elsewhere();
        return Ok(judge_manifest(file, &parsed, rules, evidence));
    }
    let mut judgement = judge_manifest(file, &parsed, rules, evidence);
    patched::withdraw_given(file, rules, evidence, &mut judgement);
    Ok(judgement)
}

fn judge_manifest(
    file: &SourceFile,
    parsed: &Parsed<Yaml<'_>>,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
) -> Judgement {
    let model = KubernetesModel::new(&parsed.tree);
    let found = ask(file, rules, evidence, &model, |check| match check {
        Check::Containers { kubernetes: check, .. }
        | Check::Images { kubernetes: check, .. }
        | Check::Kubernetes(check) => Some(check),
        Check::Dockerfile(_)
        | Check::Commands { .. }
        | Check::Script(_)
        | Check::Compose(_)
        | Check::Seccomp(_)
        | Check::Syntax
        | Check::Suppressions => None,
    });
    judgement(file, parsed, found, evidence)
}

/// What `rules` say about `file`, a seccomp profile.
pub(super) fn judge_seccomp(
    file: &SourceFile,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
) -> Result<Judgement, Unjudged> {
    let parsed = parsed(file)?;
    let model = SeccompModel::new(&parsed.tree);
    let found = ask(file, rules, evidence, &model, |check| match check {
        Check::Seccomp(check) => Some(check),
        Check::Dockerfile(_)
        | Check::Commands { .. }
        | Check::Containers { .. }
        | Check::Images { .. }
        | Check::Script(_)
        | Check::Compose(_)
        | Check::Kubernetes(_)
        | Check::Syntax
        | Check::Suppressions => None,
    });
    Ok(judgement(file, &parsed, found, evidence))
}

pub(super) fn parsed(file: &SourceFile) -> Result<Parsed<Yaml<'_>>, Unjudged> {
    let parsed = yaml::parse(&file.text);
    let head = &file.text[..file.text.len().min(super::HEAD)];
    let is_binary = !parsed.errors.is_empty() && memchr::memchr(0, head).is_some();
    if is_binary { Err(Unjudged::Binary) } else { Ok(parsed) }
}

fn judgement(file: &SourceFile, parsed: &Parsed<Yaml<'_>>, found: Vec<Findings>, evidence: Evidence<'_>) -> Judgement {
    let mut judgement = Judgement { errors: parsed.errors.len(), ..Judgement::default() };
    for findings in found {
        let (found, declined) = findings.into_parts();
        judgement.findings.extend(found);
        judgement.declined.extend(declined);
    }
    let mut suppressions = Suppressions::read_yaml(file, &parsed.tree, RULES, evidence.today);
    let (left, silenced) = suppressions.silence(std::mem::take(&mut judgement.findings));
    (judgement.findings, judgement.silenced) = (left, silenced);
    judgement.findings.sort_by(|a, b| (a.primary.span, a.rule).cmp(&(b.primary.span, b.rule)));
    fingerprint::mark_lines(&mut judgement.findings, &file.text);
    judgement
}

/// The function of a rule for one model.
type Ask<M> = fn(&Cx<'_, M>, &mut Findings);

fn ask<M>(
    file: &SourceFile,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
    model: &M,
    function: impl Fn(Check) -> Option<Ask<M>>,
) -> Vec<Findings> {
    let Evidence { knowledge, around, lock, detail, .. } = evidence;
    let cx = Cx { file, model, knowledge, context: BuildContext::new(around, &file.path), lock, detail };
    let asked = rules.iter().filter_map(|rule| {
        let check = function(rule.check)?;
        let mut findings = Findings::new(&rule.meta, file.id);
        check(&cx, &mut findings);
        Some(findings)
    });
    asked.collect()
}
