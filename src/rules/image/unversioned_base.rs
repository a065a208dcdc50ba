//! An image without a tag, or with `latest`, is another image tomorrow.

use crate::{
    model::{DockerfileModel, ImageUse, UsedBy},
    rewrite::Pins,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    text::{Edit, Span},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unversioned-base",
        title: "Image without a version",
        why: "`latest` is whatever was pushed last: builds of the same file differ, break without a change, and nobody can tell what was in last month's image.",
        remedy: "Name a version, as exact as the project can keep up with, and pin it by digest.",
        group: Group::Image,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Writes the digest that `ironhull.lock` has of the image as it was; which version it should be is a decision.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.28"),
            Reference::new(Scheme::Nist800190, "4.1.5"),
            Reference::new(Scheme::NsaCisa, "Building secure container images"),
            Reference::new(Scheme::Cwe, "1357"),
            Reference::new(
                Scheme::Url,
                "https://docs.docker.com/build/building/best-practices/#pin-base-image-versions",
            ),
        ],
        equivalents: &[
            "hadolint:DL3006",
            "hadolint:DL3007",
            "checkov:CKV_DOCKER_7",
            "trivy:DS-0001",
            "semgrep:avoid-latest-version",
            "semgrep:missing-image-version",
            "semgrep:dockerfile-source-not-pinned",
            "kics:9efb0b2d-89c9-41a3-91ca-dcc0aec911fd",
            "kics:f45ea400-6bbe-4501-9fc7-1c3d75c32067",
        ],
        examples: &[
            Example::new("No tag", "FROM «alpine»\n", "FROM alpine:3.22\n"),
            Example::new(
                "The tag `latest`",
                "FROM «node:latest» AS build\nFROM scratch\nCOPY --from=build /x /x\n",
                "FROM node:22 AS build\nFROM scratch\nCOPY --from=build /x /x\n",
            ),
            Example::new(
                "In `COPY --from`",
                "FROM alpine:3.22\nCOPY --from=«composer» /usr/bin/composer /usr/bin/\n",
                "FROM alpine:3.22\nCOPY --from=composer:2.8 /usr/bin/composer /usr/bin/\n",
            ),
            Example::new(
                "By the default of an argument; without a default only the build knows",
                "ARG TAG=latest\nFROM «alpine:$TAG»\n",
                "ARG TAG\nFROM alpine:$TAG\n",
            ),
            Example::new(
                "The lock has the digest",
                "-- Dockerfile --\nFROM «debian»\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"debian:latest\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\nFROM debian:latest@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"debian:latest\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let pins = Pins::new(cx);
    for image in cx.model.image_uses() {
        if image.reference.digest().is_some() || image.reference.tag().is_some_and(|tag| tag != "latest") {
            continue;
        }
        let name = image.reference.name();
        let message = match image.reference.tag() {
            None => format!("`{}` has no tag, which means `latest`", image.reference.text()),
            Some(_) => format!("`{}` is whatever was pushed last", image.reference.text()),
        };
        let is_certain = image.is_written_out();
        let finding = out.report(image.span, message);
        // An unknown name without a registry is often an image that the project builds itself.
        if !is_certain || image.reference.is_official() && cx.knowledge.image(&name, None).is_none() {
            finding.confidence(Confidence::Medium);
        }
        if !is_built(&image) {
            finding.severity(Severity::Low);
        }
        let is_locked = cx.lock.image(&image.reference).is_some();
        match pins.fix(&image) {
            Ok(pin) if is_locked => {
                finding.fix(pin).fix(name_version(cx, &image));
            }
            Err(reason) if is_locked => {
                finding.decline(reason).fix(name_version(cx, &image));
            }
            Ok(_) | Err(_) => {
                finding.fix(name_version(cx, &image));
            }
        }
    }
}

/// A version in place of none, which somebody who knows the program must choose.
fn name_version(cx: &Cx<'_, DockerfileModel<'_>>, image: &ImageUse<'_>) -> Fix {
    let reference = &image.reference;
    let mut edits = Vec::new();
    if image.is_written_out() && cx.bytes(image.span) == reference.text().as_bytes() {
        let end = image.span.end as usize;
        let tag = reference.tag_range().map_or(0, |tag| tag.len() + ":".len());
        edits.push(Edit::replace(cx.file.id, Span::new(end - tag, end), ":<version>"));
    }
    let reason = format!(
        "which version of `{}` the program was made for is not in the files: take the newest one that it is tested with",
        reference.written_repository(),
    );
    Fix::new("Name a version", Safety::Manual, reason, edits)
}

fn is_built(image: &ImageUse<'_>) -> bool {
    match image.by {
        UsedBy::From(stage) => stage.is_built(),
        UsedBy::Step(step) => step.stage().is_built(),
    }
}
