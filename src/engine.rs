//! Files × rules → findings: parses a file once, asks every rule, sorts what they say.
//!
//! Knows nothing of disks and nothing of output. Each file is judged on its own, so callers may judge files in parallel.

use crate::{
    context::{BuildContext, Files},
    knowledge::Knowledge,
    model::DockerfileModel,
    rule::{Builtin, Check, Cx, Finding, Findings},
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::SyntaxError,
};

/// What `rules` say about `file`, sorted by place and rule.
///
/// `around` answers for the files beside it, which are evidence and are not judged.
pub fn findings(
    file: &SourceFile,
    rules: &[&'static Builtin],
    knowledge: &Knowledge,
    around: &dyn Files,
) -> Vec<Finding> {
    let mut found = match file.kind {
        FileKind::Dockerfile => dockerfile_findings(file, rules, knowledge, around),
        FileKind::Compose
        | FileKind::Kubernetes
        | FileKind::Workflow
        | FileKind::GitlabCi
        | FileKind::Bake
        | FileKind::Devcontainer
        | FileKind::Script
        | FileKind::Makefile => Vec::new(),
    };
    found.sort_by(|a, b| (a.primary.span, a.rule).cmp(&(b.primary.span, b.rule)));
    found
}

fn dockerfile_findings(
    file: &SourceFile,
    rules: &[&'static Builtin],
    knowledge: &Knowledge,
    around: &dyn Files,
) -> Vec<Finding> {
    let parsed = dockerfile::parse(&file.text);
    let model = DockerfileModel::new(file, &parsed.tree, knowledge);
    let context = BuildContext::new(around, &file.path);
    let cx = Cx { file, model: &model, knowledge, context };
    let mut found = Vec::new();
    for rule in rules {
        let mut findings = Findings::new(&rule.meta, file.id);
        match rule.check {
            Check::Dockerfile(check) => check(&cx, &mut findings),
            Check::Syntax => report_errors(&parsed.errors, &mut findings),
        }
        found.append(&mut findings.into_vec());
    }
    found
}

/// So many errors of form are reported of one file. What is no Dockerfile at all has one on every line.
const ERRORS_OF_FORM: usize = 3;

fn report_errors(errors: &[SyntaxError], out: &mut Findings) {
    for (at, error) in errors.iter().take(ERRORS_OF_FORM).enumerate() {
        let rest = errors.len() - ERRORS_OF_FORM.min(errors.len());
        let message = match rest {
            1.. if at + 1 == ERRORS_OF_FORM => format!("{}, and {rest} more errors like it follow", error.message),
            _ => error.message.clone(),
        };
        out.report(error.span, message);
    }
}
