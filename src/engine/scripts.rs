//! Shell scripts, Makefiles and steps of CI files x rules -> findings.

use super::{Evidence, Unjudged, containers, fingerprint};
use crate::{
    context::BuildContext,
    model::script_file::ScriptFile,
    rule::{Builtin, Check, Cx, Findings, Judgement},
    rules::RULES,
    source::{FileKind, SourceFile},
    suppress::Suppressions,
};

/// What `rules` say about `file`, which holds scripts.
pub(super) fn judge_scripts(
    file: &SourceFile,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
) -> Result<Judgement, Unjudged> {
    let (model, mut suppressions) = match file.kind {
        FileKind::Workflow | FileKind::GitlabCi => {
            let parsed = containers::parsed(file)?;
            (ScriptFile::of_steps(&parsed.tree), Suppressions::read_yaml(file, &parsed.tree, RULES, evidence.today))
        }
        FileKind::Script if is_binary(&file.text) => return Err(Unjudged::Binary),
        FileKind::Script
        | FileKind::Makefile
        | FileKind::Dockerfile
        | FileKind::Compose
        | FileKind::Kubernetes
        | FileKind::Bake
        | FileKind::Seccomp
        | FileKind::Devcontainer => {
            let Some(scripts) = ScriptFile::of(file.kind, &file.text) else { return Ok(Judgement::default()) };
            (scripts, Suppressions::read_lines(file, RULES, evidence.today))
        }
    };
    let Evidence { knowledge, around, lock, detail, .. } = evidence;
    let cx = Cx { file, model: &model, knowledge, context: BuildContext::new(around, &file.path), lock, detail };
    let mut judgement = Judgement::default();
    for rule in rules {
        let (Check::Script(check) | Check::Commands { script: check, .. }) = rule.check else { continue };
        let mut findings = Findings::new(&rule.meta, file.id);
        check(&cx, &mut findings);
        let (found, declined) = findings.into_parts();
        judgement.findings.extend(found);
        judgement.declined.extend(declined);
    }
    let (left, silenced) = suppressions.silence(std::mem::take(&mut judgement.findings));
    (judgement.findings, judgement.silenced) = (left, silenced);
    judgement.findings.sort_by(|a, b| (a.primary.span, a.rule).cmp(&(b.primary.span, b.rule)));
    fingerprint::mark_lines(&mut judgement.findings, &file.text);
    Ok(judgement)
}

fn is_binary(text: &[u8]) -> bool {
    memchr::memchr(0, &text[..text.len().min(super::HEAD)]).is_some()
}
