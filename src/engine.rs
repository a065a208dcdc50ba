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
use std::fmt;

/// Why a file is not judged: it is not what its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unjudged {
    /// What a build reads is made from it, and nobody knows with which values.
    Template,
    /// Text, but none that a builder reads.
    Utf16,
    /// No text.
    Binary,
}

impl fmt::Display for Unjudged {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Unjudged::Template => "it is a template; what it is rendered to can be checked",
            Unjudged::Utf16 => "it is UTF-16, and builders read UTF-8",
            Unjudged::Binary => "it is no text",
        })
    }
}

/// What `rules` say about `file`, sorted by place and rule.
///
/// `around` answers for the files beside it, which are evidence and are not judged.
///
/// # Errors
/// If the file is not of its kind, so that whatever a rule says would be a guess.
pub fn findings(
    file: &SourceFile,
    rules: &[&'static Builtin],
    knowledge: &Knowledge,
    around: &dyn Files,
) -> Result<Vec<Finding>, Unjudged> {
    let mut found = match file.kind {
        FileKind::Dockerfile => dockerfile_findings(file, rules, knowledge, around)?,
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
    Ok(found)
}

fn dockerfile_findings(
    file: &SourceFile,
    rules: &[&'static Builtin],
    knowledge: &Knowledge,
    around: &dyn Files,
) -> Result<Vec<Finding>, Unjudged> {
    let parsed = dockerfile::parse(&file.text);
    if let Some(reason) = unjudged(&file.text, &parsed.errors) {
        return Err(reason);
    }
    let model = DockerfileModel::new(file, &parsed.tree, knowledge);
    let context = BuildContext::new(around, &file.path);
    let cx = Cx { file, model: &model, knowledge, context };
    let mut found = Vec::new();
    for rule in rules {
        let mut findings = Findings::new(&rule.meta, file.id);
        match rule.check {
            Check::Dockerfile(check) => check(&cx, &mut findings),
            // Another frontend may take what BuildKit's own refuses.
            Check::Syntax if parsed.tree.has_foreign_frontend(&file.text) => {}
            Check::Syntax => report_errors(&parsed.errors, &mut findings),
        }
        found.append(&mut findings.into_vec());
    }
    Ok(found)
}

/// What a text is that no builder would read, if it is something else than a Dockerfile with a slip.
fn unjudged(text: &[u8], errors: &[SyntaxError]) -> Option<Unjudged> {
    if errors.is_empty() {
        return None;
    }
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Some(Unjudged::Utf16);
    }
    if memchr::memchr(0, &text[..text.len().min(HEAD)]).is_some() {
        return Some(Unjudged::Binary);
    }
    errors.iter().any(|error| is_of_template(error.span.of(text))).then_some(Unjudged::Template)
}

/// So many bytes tell whether something is text.
const HEAD: usize = 1024;

/// Whether an instruction that cannot be read holds the marks of a template language.
fn is_of_template(text: &[u8]) -> bool {
    let start = &text[..text.len().min(HEAD)];
    start.windows(2).any(|pair| matches!(pair, b"{{" | b"{%" | b"<%"))
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
