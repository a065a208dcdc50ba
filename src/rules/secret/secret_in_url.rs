//! Addresses with a password, and tokens and private keys that can be told by their form, anywhere in the file.
//!
//! The values of `ENV` and `ARG` are judged by `secret-in-env` and `secret-in-arg`, addresses in them here.

use super::Repairs;
use crate::{
    knowledge::tokens::Tokens,
    model::{DockerfileModel, Step, address, credential, credential::Value},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::{Keyword, TokenKind},
    text::{Edit, Span},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-in-url",
        title: "Credential in an address or in plain text",
        why: "Whoever can read the file or the history of the image can use it, and tools that are given an address with a password write it into logs, configuration and `.git/config`.",
        remedy: "Rotate it, since history keeps it; then let the `RUN` that needs it read it from a `--mount=type=secret`.",
        group: Group::Secret,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "A token in a comment is blotted out, and an `ENV` or `ARG` with such an address goes; what stands in a command is for a person to decide.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.10"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::Cwe, "798"),
            Reference::new(Scheme::Cwe, "522"),
        ],
        equivalents: &["trivy:DS-0031"],
        examples: &[
            Example::new(
                "A password in front of the host",
                "FROM python:3.13\nRUN pip install --index-url https://ci:«hunter22»@pypi.example.com/simple shop\n",
                "FROM python:3.13\nRUN --mount=type=secret,id=pip,target=/etc/pip.conf pip install shop\n",
            ),
            Example::new(
                "The address of a database",
                "FROM alpine:3.22\nENV DATABASE_URL=postgres://shop:«x8Kq2LmP0aZ9»@db.example.com/shop\n",
                "FROM alpine:3.22\n",
            ),
            Example::new(
                "A token in a comment",
                "FROM alpine:3.22\n# with «ghp_abcdefghijklmnopqrstuvwxyz0123456789»\nCMD [\"a\"]\n",
                "FROM alpine:3.22\n# with REDACTED\nCMD [\"a\"]\n",
            ),
            Example::new(
                "A token in a command",
                "FROM alpine:3.22\nRUN gitlab-login «glpat-a1b2c3d4e5f6g7h8i9j0»\n",
                "FROM alpine:3.22\nRUN --mount=type=secret,id=token gitlab-login \"$(cat /run/secrets/token)\"\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let text = cx.file.text.as_slice();
    let comments = cx.model.syntax.tokens.iter().filter(|token| token.kind == TokenKind::Comment);
    let comments: Vec<Span> = comments.map(|token| token.span).collect();
    let bases: Vec<Span> = cx.model.stages().map(|stage| stage.instruction().span).collect();
    let assigned = assigned_values(cx);
    let judged_elsewhere: Vec<Span> = assigned.iter().map(|&(span, _)| span).collect();
    let mut repairs = Repairs::default();
    let mut addressed = Vec::new();
    for found in address::credentials(text) {
        let span = Span::new(found.range.start, found.range.end);
        if holds(&comments, span) || holds(&bases, span) {
            continue;
        }
        addressed.push(span);
        let (message, severity) = match found.shape {
            Value::Known(what) => (format!("the address holds a {what}"), Severity::Critical),
            Value::Random => ("the address holds a credential".to_owned(), Severity::High),
            Value::Word | Value::Harmless if found.is_loopback => {
                ("the address of a local service holds a password".to_owned(), Severity::Low)
            }
            Value::Word | Value::Harmless => ("the address holds a password".to_owned(), Severity::Medium),
        };
        let finding = out.report(span, message).severity(severity);
        if found.shape == Value::Word {
            finding.confidence(Confidence::Medium);
        }
        match name_at(&assigned, span) {
            Some(name) => {
                repairs.take_out(cx, name, finding);
                // An address tells more than the password, and a well-known one may be meant as an example.
                let is_example = found.shape == Value::Word || found.is_loopback;
                finding.fixes.iter_mut().filter(|_| is_example).for_each(|fix| fix.safety = Safety::Manual);
            }
            None => {
                finding.decline(ELSEWHERE);
            }
        }
    }
    let tokens = Tokens::builtin().find(text).map(|token| (token.range, token.shape.title.as_str()));
    let keys = credential::private_keys(text).map(|range| (range, PRIVATE_KEY));
    for (range, what) in tokens.chain(keys) {
        let span = Span::new(range.start, range.end);
        if holds(&addressed, span) || holds(&judged_elsewhere, span) {
            continue;
        }
        let is_comment = holds(&comments, span);
        let place = if is_comment { "a comment" } else { "the file" };
        let finding = out.report(span, format!("{place} holds a {what}"));
        finding.severity(if is_comment { Severity::Medium } else { Severity::Critical });
        if is_comment && what != PRIVATE_KEY {
            let reason = "a comment does nothing; rotate the token, since the history of the repository keeps it";
            let edit = Edit::replace(cx.file.id, span, "REDACTED");
            finding.fix(Fix::new("Take the token out of the comment", Safety::Safe, reason, vec![edit]));
        } else {
            finding.decline(ELSEWHERE);
        }
    }
}

/// Whether one of `spans`, which are sorted and disjoint, holds `span`.
fn holds(spans: &[Span], span: Span) -> bool {
    let before = spans.partition_point(|other| other.start <= span.start);
    before.checked_sub(1).is_some_and(|at| spans[at].covers(span))
}

const PRIVATE_KEY: &str = "private key";

/// Why what stands in a command is left to a person.
const ELSEWHERE: &str = "where the command would read it from is for a person to decide: rotate it, since history keeps it, then mount it with `--mount=type=secret`";

/// The name of the variable in whose value `span` lies; the values are in file order.
fn name_at<'m>(assigned: &[(Span, &'m str)], span: Span) -> Option<&'m str> {
    let before = assigned.partition_point(|(value, _)| value.start <= span.start);
    let (value, name) = assigned.get(before.checked_sub(1)?)?;
    value.covers(span).then_some(name)
}

/// The values of all `ENV` and `ARG`, in file order, with the names.
fn assigned_values<'m>(cx: &Cx<'m, DockerfileModel<'m>>) -> Vec<(Span, &'m str)> {
    let steps = cx.model.steps().filter(|step| matches!(step.keyword(), Keyword::Env | Keyword::Arg));
    let stages = steps.filter(|step| !step.is_trigger()).flat_map(Step::assigned);
    let all = cx.model.global_arguments().iter().chain(stages);
    all.filter_map(|variable| Some((variable.value_span?, &*variable.name))).collect()
}
