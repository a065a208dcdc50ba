//! Caches and lists of packages stay in the layer that made them.

use crate::{
    model::{DockerfileModel, Step, packages::Manager},
    rewrite::packages,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::TokenKind,
};
use std::cell::OnceCell;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "package-cache-left",
        title: "Package cache left in the image",
        why: "Lists and caches make the image bigger and tell what it holds; once a layer has them, deleting them later changes nothing.",
        remedy: "Remove them in the same `RUN`, use the manager's own switch (`apk add --no-cache`, `pip install --no-cache-dir`), or keep them in a cache mount.",
        group: Group::Package,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Cleans up at the end of the step, or uses the manager's own switch; risky where a later script may rely on what goes.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.3"),
            Reference::new(Scheme::Cwe, "459"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/best-practices/#apt-get"),
        ],
        equivalents: &[
            "hadolint:DL3009",
            "hadolint:DL3032",
            "hadolint:DL3036",
            "hadolint:DL3040",
            "hadolint:DL3042",
            "hadolint:DL3060",
        ],
        examples: &[
            Example::new(
                "With apt",
                "FROM debian:13\nRUN «apt-get update» && apt-get install -y curl\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
            ),
            Example::new(
                "`apt clean` leaves the lists; from Debian 13 on `apt dist-clean` does not",
                "FROM debian:13\nRUN «apt update» && apt install -y curl && apt clean\n",
                "FROM debian:13\nRUN apt update && apt install -y curl && apt clean && rm -rf /var/lib/apt/lists/*\n",
            ),
            Example::new(
                "With apk, which needs no index beforehand",
                "FROM alpine:3.22\nRUN «apk update» && apk add curl\n",
                "FROM alpine:3.22\nRUN apk add --no-cache curl\n",
            ),
            Example::new(
                "With pip; a cache mount would stay out of the image too",
                "FROM python:3.13\nRUN «pip install» flask && pip install gunicorn\n",
                "FROM python:3.13\nRUN pip install --no-cache-dir flask && pip install --no-cache-dir gunicorn\n",
            ),
            Example::new(
                "With dnf, in a stage that is part of the image; one that only builds is thrown away",
                "FROM fedora:42 AS build\nRUN dnf install -y gcc\nFROM fedora:42\nRUN «dnf install» -y \\\n      curl \\\n      git\n",
                "FROM fedora:42 AS build\nRUN dnf install -y gcc\nFROM fedora:42\nRUN dnf install -y \\\n      curl \\\n      git \\\n      && dnf clean all\n",
            ),
            Example::new(
                "A later step that installs from the lists needs them",
                "FROM debian:13\nRUN «apt-get update» && apt-get install -y curl\nRUN apt-get install -y git\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y curl git && rm -rf /var/lib/apt/lists/*\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target() else { return };
    let later = OnceCell::new();
    for stage in target.chain() {
        for step in stage.steps().filter(|step| !step.is_trigger()) {
            for (packages, leftover) in step.package_leftovers() {
                let message = format!("the layer keeps the {}", leftover.made_by(&packages.call));
                let finding = out.report(packages.head_span(), message).only_with(packages.at.needs_argument());
                let later = later.get_or_init(|| cx.model.later_list_use(Manager::Apt));
                if is_kept_on_purpose(cx, step) {
                    finding.decline("a comment in the step says that the lists are kept");
                    continue;
                }
                match packages::drop_leftover(&packages, leftover, later[step.index()]) {
                    Ok(fix) => finding.fix(fix),
                    Err(refusal) => finding.decline(refusal),
                };
            }
        }
    }
}

/// Whether a comment among the lines of the step speaks of the lists.
fn is_kept_on_purpose(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>) -> bool {
    let span = step.instruction().span;
    let tokens = &cx.model.syntax.tokens;
    let first = tokens.partition_point(|token| token.span.end <= span.start);
    let inside = tokens[first..].iter().take_while(|token| token.span.start < span.end);
    inside.filter(|token| token.kind == TokenKind::Comment).any(|token| {
        ["apt/lists", "apt lists", "package lists"].iter().any(|words| cx.text(token.span).contains(words))
    })
}
