//! Addresses with a password, and tokens and private keys that can be told by their form, anywhere in the file.
//!
//! The values of `ENV` and `ARG` are judged by `secret-in-env` and `secret-in-arg`, addresses in them here.

use crate::{
    knowledge::tokens::Tokens,
    model::{DockerfileModel, Step, address, credential, credential::Value},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::dockerfile::{Keyword, TokenKind},
    text::Span,
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
        fix: FixNote::Never,
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
                "FROM alpine:3.22\nENV DATABASE_HOST=db.example.com\n",
            ),
            Example::new(
                "A token in a command and in a comment",
                "FROM alpine:3.22\n# «ghp_abcdefghijklmnopqrstuvwxyz0123456789»\nRUN gitlab-login «glpat-a1b2c3d4e5f6g7h8i9j0»\n",
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
    }
    let tokens = Tokens::builtin().find(text).map(|token| (token.range, token.shape.title.as_str()));
    let keys = credential::private_keys(text).map(|range| (range, "private key"));
    let judged_elsewhere = assigned_values(cx);
    for (range, what) in tokens.chain(keys) {
        let span = Span::new(range.start, range.end);
        if holds(&addressed, span) || holds(&judged_elsewhere, span) {
            continue;
        }
        let is_comment = holds(&comments, span);
        let place = if is_comment { "a comment" } else { "the file" };
        let finding = out.report(span, format!("{place} holds a {what}"));
        finding.severity(if is_comment { Severity::Medium } else { Severity::Critical });
    }
}

/// Whether one of `spans`, which are sorted and disjoint, holds `span`.
fn holds(spans: &[Span], span: Span) -> bool {
    let before = spans.partition_point(|other| other.start <= span.start);
    before.checked_sub(1).is_some_and(|at| spans[at].covers(span))
}

/// The values of all `ENV` and `ARG`, in file order.
fn assigned_values(cx: &Cx<'_, DockerfileModel<'_>>) -> Vec<Span> {
    let steps = cx.model.steps().filter(|step| matches!(step.keyword(), Keyword::Env | Keyword::Arg));
    let stages = steps.filter(|step| !step.is_trigger()).flat_map(Step::assigned);
    cx.model.global_arguments().iter().chain(stages).filter_map(|variable| variable.value_span).collect()
}
