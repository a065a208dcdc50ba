//! `ARG` with a credential: its value stays in the history and the provenance of the image.
//!
//! An `ARG` without a literal is reported only where the file uses it: in a `RUN`, an `ADD`, an `ENV`, or by a program
//! that reads a variable of that name.

use super::{Repairs, confidence, noun, severity};
use crate::{
    model::{
        DockerfileModel, MountKind, Step, Variable, VariableKind, address,
        credential::{self, Credential, Name},
    },
    rule::{
        Builtin, Check, Confidence, Cx, Example, Finding, Findings, FixNote, Group, Reference, RuleMeta, Safety,
        Scheme, Severity,
    },
    source::FileKind,
    syntax::dockerfile::Keyword,
    text::Span,
};
use std::collections::BTreeMap;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-in-arg",
        title: "Credential in `ARG`",
        why: "`docker history` and the provenance of the image show the build arguments of each `RUN`, so a credential handed over that way is readable for everybody who can pull the image.",
        remedy: "Hand it to the `RUN` that needs it with `--mount=type=secret,id=…,env=…` and `docker build --secret`, and rotate what was ever built in.",
        group: Group::Secret,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "The `ARG` goes, with each `ENV` that repeats it, and each `RUN` that reads it is given it as a build secret; compose files, workflows, scripts and make files that hand the argument in change with it, and where one of them cannot be edited, that is manual.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.10"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::Cwe, "538"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/secrets/"),
        ],
        equivalents: &[
            "hadolint:DL3064",
            "semgrep:secret-in-build-arg",
            "trivy:DS-0031",
            "buildkit:SecretsUsedInArgOrEnv",
        ],
        examples: &[
            Example::new(
                "A token that a command is given",
                "# syntax=docker/dockerfile:1\nFROM node:22\nARG «NPM_TOKEN»\nRUN npm config set //npm.example.com/:_authToken $NPM_TOKEN && npm ci\n",
                "# syntax=docker/dockerfile:1\nFROM node:22\nRUN --mount=type=secret,id=npm_token,env=NPM_TOKEN,required=true npm config set //npm.example.com/:_authToken $NPM_TOKEN && npm ci\n",
            ),
            Example::new(
                "A literal default",
                "FROM alpine:3.22\nARG ADMIN_PASS=«passw0rd»\nARG HELM_SECRETS_VERSION=4.6.5\n",
                "FROM alpine:3.22\nARG HELM_SECRETS_VERSION=4.6.5\n",
            ),
            Example::new(
                "Kept in the environment as well",
                "FROM alpine:3.22\nARG «DB_PASSWORD»\nENV DB_PASSWORD=${DB_PASSWORD}\nARG DB_NAME\nENV DB_NAME=${DB_NAME}\n",
                "FROM alpine:3.22\nARG DB_NAME\nENV DB_NAME=${DB_NAME}\n",
            ),
            Example::new(
                "In a stage that is only copied from",
                "FROM node:22 AS build\nARG «NPM_TOKEN»\nRUN npm ci --token $NPM_TOKEN\nFROM node:22\nCOPY --from=build /app /app\n",
                "FROM node:22 AS build\nRUN --mount=type=secret,id=npm_token,required=true export NPM_TOKEN=\"$(cat /run/secrets/npm_token)\" && npm ci --token $NPM_TOKEN\nFROM node:22\nCOPY --from=build /app /app\n",
            ),
            Example::new(
                "Read by a program without being named",
                "FROM rust:1.90\nARG «CARGO_REGISTRY_TOKEN»\nRUN cargo publish\n",
                "FROM rust:1.90\nRUN --mount=type=secret,id=cargo_registry_token,required=true export CARGO_REGISTRY_TOKEN=\"$(cat /run/secrets/cargo_registry_token)\" && cargo publish\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

/// Arguments that carry a credential in, by where their name is written; the first use of each, in a stage that is part
/// of the image if there is one.
type Uses<'m> = BTreeMap<Span, Option<(Span, Step<'m>)>>;

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let mut arguments: Uses<'_> = BTreeMap::new();
    let mut repairs = Repairs::default();
    let steps = || cx.model.steps().filter(|step| !step.is_trigger());
    for variable in cx.model.global_arguments() {
        report_literal(cx, variable, &mut repairs, out);
    }
    for step in steps().filter(|step| step.keyword() == Keyword::Arg) {
        for variable in step.assigned() {
            let is_reported = report_literal(cx, variable, &mut repairs, out);
            let is_given = variable.value.as_ref().is_none_or(|value| value.text.is_empty());
            if is_given && !is_reported && credential::classify(&variable.name) == Name::Credential {
                arguments.insert(variable.name_span, None);
            }
        }
    }
    if arguments.is_empty() {
        return;
    }
    for step in steps() {
        note_uses(step, &mut arguments);
    }
    for (span, used) in arguments {
        let Some((place, step)) = used else { continue };
        let finding = report_use(cx, span, place, step, out);
        repairs.take_out(cx, &cx.text(span), finding);
    }
}

/// Reports a default that is a credential; answers whether it is one.
fn report_literal(
    cx: &Cx<'_, DockerfileModel<'_>>,
    variable: &Variable<'_>,
    repairs: &mut Repairs,
    out: &mut Findings,
) -> bool {
    let (Some(value), Some(span)) = (&variable.value, variable.value_span) else { return false };
    let text = value.text.as_bytes();
    if cx.bytes(span).contains(&b'$') || address::credentials(text).next().is_some() {
        return false;
    }
    let Some(credential) = credential::judge(&variable.name, text) else { return false };
    let name = &variable.name;
    let message = match credential {
        Credential::Known(what) => format!("the default of `{name}` is a {what}"),
        Credential::Named => format!("the default of `{name}` is a credential"),
        Credential::Default => format!("the default of `{name}` is a {}", noun(name)),
    };
    let finding = out.report(span, message);
    finding.severity(severity(credential, false)).confidence(confidence(credential));
    repairs.take_out(cx, name, finding);
    true
}

fn note_uses<'m>(step: Step<'m>, arguments: &mut Uses<'m>) {
    let keyword = step.keyword();
    if !matches!(keyword, Keyword::Run | Keyword::Add | Keyword::Env) {
        return;
    }
    let mounted: Vec<_> = step.mounts().into_iter().filter(|mount| mount.kind == MountKind::Secret).collect();
    let mut note = |name: &str, span: Span| {
        let argument = step.variable(name).filter(|variable| variable.kind == VariableKind::Arg);
        let is_mounted = mounted.iter().any(|mount| mount.env.as_ref().is_some_and(|env| env.text == name));
        let Some(used) = argument.and_then(|argument| arguments.get_mut(&argument.name_span)) else { return };
        let is_better = used.is_none_or(|(_, by)| step.stage().is_exported() && !by.stage().is_exported());
        if !is_mounted && is_better {
            *used = Some((span, step));
        }
    };
    for mention in step.mentions() {
        note(&mention.name, mention.span);
    }
    if keyword != Keyword::Run {
        return;
    }
    for command in step.commands() {
        let Some(name) = command.name() else { continue };
        credential::read_by(name).for_each(|variable| note(variable, command.span()));
    }
}

fn report_use<'o>(
    cx: &Cx<'_, DockerfileModel<'_>>,
    span: Span,
    place: Span,
    step: Step<'_>,
    out: &'o mut Findings,
) -> &'o mut Finding {
    let name = cx.text(span);
    let is_kept = step.keyword() == Keyword::Env;
    let is_exported = step.stage().is_exported();
    // The history of a stage that is only copied from is no part of the image.
    let place_of_value =
        if is_exported { "the history of the image" } else { "the cache and the full provenance of the build" };
    let finding = out.report(span, format!("the value of `{name}` stays readable in {place_of_value}"));
    finding.severity(match (is_exported, is_kept) {
        (true, true) => Severity::High,
        (true, false) => Severity::Medium,
        (false, _) => Severity::Low,
    });
    finding.relate(place, if is_kept { "it is kept in the environment here" } else { "it is used here" })
}
