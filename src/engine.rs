//! Files × rules → findings: parses a file once, asks every rule, sorts what they say.
//!
//! Knows nothing of disks and nothing of output. Each file is judged on its own, so callers may judge files in parallel.

mod containers;
mod fingerprint;
mod scripts;

use crate::{
    context::{BuildContext, Files, Overlaid},
    knowledge::Knowledge,
    lock::Lock,
    model::DockerfileModel,
    rule::{Builtin, Check, Cx, Detail, Finding, Findings, Judgement},
    rules::RULES,
    source::{FileKind, SourceFile, SourceSet},
    suppress::{Date, Suppressions},
    syntax::{dockerfile, yaml},
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

/// What files are judged by, the files themselves left out.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// Facts about images and packages.
    pub knowledge: &'a Knowledge,
    /// The files around the judged one, which are evidence and are not judged.
    pub around: &'a dyn Files,
    /// Digests that were written down once.
    pub lock: &'a Lock,
    /// The day on which comments that silence findings may have ended; without it none has.
    pub today: Option<Date>,
    /// How much is wanted to be known.
    pub detail: Detail,
}

/// What `rules` say about `file`.
///
/// # Errors
/// If the file is not of its kind, so that whatever a rule says would be a guess.
pub fn judge(file: &SourceFile, rules: &[&'static Builtin], evidence: Evidence<'_>) -> Result<Judgement, Unjudged> {
    let mut judgement = match file.kind {
        FileKind::Dockerfile => judge_dockerfile(file, rules, evidence)?,
        FileKind::Compose => containers::judge_compose(file, rules, evidence)?,
        FileKind::Kubernetes => containers::judge_kubernetes(file, rules, evidence)?,
        FileKind::Script | FileKind::Makefile | FileKind::Workflow | FileKind::GitlabCi => {
            scripts::judge_scripts(file, rules, evidence)?
        }
        FileKind::Seccomp => containers::judge_seccomp(file, rules, evidence)?,
        FileKind::Bake | FileKind::Devcontainer => Judgement::default(),
    };
    judgement.declined.sort_by(|a, b| (a.place.span, a.rule).cmp(&(b.place.span, b.rule)));
    let place = |finding: &Finding| (finding.primary.span, finding.rule);
    judgement.silenced.sort_by(|a, b| place(&a.finding).cmp(&place(&b.finding)));
    Ok(judgement)
}

/// What `rules` say about the first of `sources`, whose others lie beside it as they would be; errors of form are those of
/// all of them.
///
/// # Errors
/// If the file is not of its kind.
///
/// # Panics
/// If there is no file.
pub fn judge_first(
    sources: &SourceSet,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
) -> Result<Judgement, Unjudged> {
    let (file, beside) = sources.files().split_first().expect("a set that is judged has a file");
    let around = Overlaid::new(evidence.around, beside);
    let mut judgement = judge(file, rules, Evidence { around: &around, ..evidence })?;
    judgement.errors += beside.iter().map(errors_of_form).sum::<usize>();
    Ok(judgement)
}

/// How many errors of form `file` has, whatever its rules say.
fn errors_of_form(file: &SourceFile) -> usize {
    match file.kind {
        FileKind::Dockerfile => dockerfile::parse(&file.text).errors.len(),
        FileKind::Compose
        | FileKind::Kubernetes
        | FileKind::Workflow
        | FileKind::GitlabCi
        | FileKind::Devcontainer
        | FileKind::Seccomp => yaml::parse(&file.text).errors.len(),
        FileKind::Bake | FileKind::Script | FileKind::Makefile => 0,
    }
}

fn judge_dockerfile(
    file: &SourceFile,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
) -> Result<Judgement, Unjudged> {
    let parsed = dockerfile::parse(&file.text);
    if let Some(reason) = unjudged(&file.text, &parsed.errors) {
        return Err(reason);
    }
    let Evidence { knowledge, around, lock, today, detail } = evidence;
    let model = DockerfileModel::new(file, &parsed.tree, knowledge);
    let context = BuildContext::new(around, &file.path);
    let cx = Cx { file, model: &model, knowledge, context, lock, detail };
    let has_foreign_frontend = parsed.tree.has_foreign_frontend(&file.text);
    let mut judgement = Judgement { errors: parsed.errors.len(), ..Judgement::default() };
    let mut suppressions = Suppressions::read(file, &parsed.tree, RULES, today);
    let reporter = rules.iter().find(|rule| matches!(rule.check, Check::Suppressions));
    for rule in rules.iter().copied().chain(asked_for_comments(&suppressions, rules, reporter.is_some())) {
        let mut findings = Findings::new(&rule.meta, file.id);
        match rule.check {
            Check::Dockerfile(check)
            | Check::Commands { dockerfile: check, .. }
            | Check::Images { dockerfile: check, .. } => check(&cx, &mut findings),
            // Another frontend may take what BuildKit's own refuses.
            Check::Syntax if has_foreign_frontend => {}
            Check::Syntax => report_errors(&parsed.errors, &mut findings),
            Check::Suppressions
            | Check::Containers { .. }
            | Check::Kubernetes(_)
            | Check::Compose(_)
            | Check::Seccomp(_)
            | Check::Script(_) => {}
        }
        let (found, declined) = findings.into_parts();
        judgement.findings.extend(found);
        judgement.declined.extend(declined);
    }
    let (left, silenced) = suppressions.silence(std::mem::take(&mut judgement.findings));
    (judgement.findings, judgement.silenced) = (left, silenced);
    if let Some(rule) = reporter {
        let mut findings = Findings::new(&rule.meta, file.id);
        // What a rule finds may depend on files that nobody sees here.
        let is_certain = parsed.errors.is_empty() && !has_foreign_frontend && around.are_seen();
        suppressions.report(RULES, is_certain, &mut findings);
        judgement.findings.extend(findings.into_parts().0);
        let is_wanted = |id: &str| rules.iter().any(|rule| rule.meta.id == id);
        judgement.findings.retain(|finding| is_wanted(finding.rule));
        judgement.declined.retain(|declined| is_wanted(declined.rule));
        judgement.silenced.retain(|silenced| is_wanted(silenced.finding.rule));
    }
    judgement.findings.sort_by(|a, b| (a.primary.span, a.rule).cmp(&(b.primary.span, b.rule)));
    fingerprint::mark(&mut judgement.findings, &parsed.tree, &file.text);
    if has_foreign_frontend {
        withdraw_fixes(&mut judgement.findings, FOREIGN_FRONTEND);
    } else if !parsed.errors.is_empty() {
        withdraw_fixes(&mut judgement.findings, DAMAGED);
    }
    Ok(judgement)
}

/// Rules that nobody wants to hear but that a comment names: whether it silences anything must not depend on the choice
/// of rules.
fn asked_for_comments<'a>(
    suppressions: &'a Suppressions,
    rules: &'a [&'static Builtin],
    is_reported: bool,
) -> impl Iterator<Item = &'static Builtin> + 'a {
    let is_extra = move |rule: &&'static Builtin| {
        is_reported && suppressions.names(rule.meta.id) && !rules.iter().any(|wanted| wanted.meta.id == rule.meta.id)
    };
    RULES.iter().copied().filter(is_extra)
}

/// Why a file of another frontend is not edited.
const FOREIGN_FRONTEND: &str =
    "`# syntax=` names another frontend than Docker's, and only it knows what the file means";

/// Why a damaged file is not edited.
const DAMAGED: &str = "no builder reads the file as it is: once its errors of form are mended, this can be fixed";

/// Takes the fixes away from findings of a file whose meaning nobody here can be sure of.
fn withdraw_fixes(findings: &mut [Finding], reason: &'static str) {
    for finding in findings.iter_mut().filter(|finding| !finding.fixes.is_empty()) {
        finding.fixes.clear();
        finding.decline(reason);
    }
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
