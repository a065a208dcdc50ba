//! A template of a chart, judged with the values that the chart ships with.

use super::{fingerprint, judge_manifest};
use crate::{
    context::BuildContext,
    engine::Evidence,
    model::kubernetes::chart::Rendered,
    rule::{Builtin, Companion, Finding, Fix, Judgement, Safety},
    source::{FileKind, SourceFile},
    syntax::yaml,
};

/// What `rules` say about `file`, if it is a template that passes values on.
pub(super) fn judge(file: &SourceFile, rules: &[&'static Builtin], evidence: Evidence<'_>) -> Option<Judgement> {
    let rendered = Rendered::of(&file.text, &BuildContext::new(evidence.around, &file.path))?;
    let shown = SourceFile::new(file.id, file.path.clone(), file.kind, rendered.text.clone());
    let mut parsed = yaml::parse(&shown.text);
    // A value that breaks the form is not what the chart's author has seen there.
    if parsed.errors.len() > yaml::parse(&file.text).errors.len() {
        return None;
    }
    parsed.tree = parsed.tree.rendered_at(rendered.open());
    let mut judgement = judge_manifest(&shown, &parsed, rules, evidence);
    judgement.findings.iter_mut().for_each(|finding| place(finding, &rendered));
    judgement.silenced.iter_mut().for_each(|silenced| place(&mut silenced.finding, &rendered));
    for declined in &mut judgement.declined {
        declined.place.span = rendered.place(declined.place.span);
    }
    judgement.findings.sort_by(|a, b| (a.primary.span, a.rule).cmp(&(b.primary.span, b.rule)));
    fingerprint::mark_lines(&mut judgement.findings, &file.text);
    Some(judgement)
}

/// Says where `finding` is in the template, and what its fixes are in the values.
fn place(finding: &mut Finding, rendered: &Rendered) {
    let own = finding.primary.file;
    finding.primary.span = rendered.place(finding.primary.span);
    for label in finding.related.iter_mut().filter(|label| label.file == own) {
        label.span = rendered.place(label.span);
    }
    let mut reason = None;
    let fixes = std::mem::take(&mut finding.fixes);
    finding.fixes = fixes
        .into_iter()
        .filter_map(|fix| of_values(fix, rendered).inspect_err(|why| reason = reason.take().or(Some(why.clone()))).ok())
        .collect();
    if let Some(reason) = reason.filter(|_| finding.fixes.is_empty()) {
        finding.decline(reason);
    }
}

/// The same fix as a change of `values.yaml`.
fn of_values(mut fix: Fix, rendered: &Rendered) -> Result<Fix, String> {
    if fix.edits.is_empty() {
        return Ok(fix);
    }
    let values = rendered.values();
    if fix.companions.iter().any(|other| other.path == values.path) {
        return Err("`values.yaml` would change for two reasons at once".to_owned());
    }
    let edits = rendered.edits_of_values(&std::mem::take(&mut fix.edits))?;
    fix.companions.push(Companion {
        path: values.path.clone(),
        kind: FileKind::Kubernetes,
        text: values.text.clone(),
        edits,
    });
    // Places in the rendered text are none in the template.
    fix.claims.clear();
    fix.safety = fix.safety.min(Safety::Risky);
    fix.reason =
        format!("{}; whoever installs the chart with values of their own may need it otherwise", fix.reason).into();
    Ok(fix)
}
