//! A tag can be pushed again; only a digest names one image.

use crate::{
    model::DockerfileModel,
    rewrite::Pins,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unpinned-base",
        title: "Image without a digest",
        why: "Whoever can push to the repository can put another image under the same tag, and the next build takes it.",
        remedy: "Write the digest of the multi-platform index behind the tag (`node:22@sha256:…`), and let an updater such as Renovate or Dependabot move both.",
        group: Group::Image,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Writes the digest that `ironhull.lock` has behind the tag, or to the default of the argument that only this image reads.",
        ),
        references: &[
            Reference::new(Scheme::Nist800190, "4.1.5"),
            Reference::new(Scheme::NsaCisa, "Building secure container images"),
            Reference::new(Scheme::Cwe, "1357"),
            Reference::new(
                Scheme::Url,
                "https://docs.docker.com/build/building/best-practices/#pin-base-image-versions",
            ),
        ],
        equivalents: &["semgrep:dockerfile-source-not-pinned"],
        examples: &[
            Example::new(
                "A tag",
                "FROM «alpine:3.22»\n",
                "FROM alpine:3.22@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\n",
            ),
            Example::new(
                "Stages and `scratch` are no images of a registry",
                "FROM «golang:1.25» AS build\nFROM scratch\nCOPY --from=build /x /x\n",
                "FROM golang:1.25@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d AS build\nFROM build AS test\nFROM scratch\nCOPY --from=build /x /x\n",
            ),
            Example::new(
                "The lock has the digest",
                "-- Dockerfile --\nFROM «node:22-slim» AS build\nFROM scratch\nCOPY --from=«alpine:3.22» /etc/passwd /etc/\nCOPY --from=build /x /x\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"node:22-slim\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n[[image]]\nreference = \"alpine:3.22\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\nFROM node:22-slim@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d AS build\nFROM scratch\nCOPY --from=alpine:3.22@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d /etc/passwd /etc/\nCOPY --from=build /x /x\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"node:22-slim\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n[[image]]\nreference = \"alpine:3.22\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
            Example::new(
                "An argument that only one image reads",
                "-- Dockerfile --\nARG BASE=alpine:3.22\nARG NODE=\"22\"\nFROM «$BASE» AS build\nFROM «node:${NODE}»\nCOPY --from=build /x /x\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"node:22\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n[[image]]\nreference = \"alpine:3.22\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\nARG BASE=alpine:3.22@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\nARG NODE=\"22@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nFROM $BASE AS build\nFROM node:${NODE}\nCOPY --from=build /x /x\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"node:22\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n[[image]]\nreference = \"alpine:3.22\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let pins = Pins::new(cx);
    for image in cx.model.image_uses() {
        // Without a tag, or with `latest`, the missing version is the worse news.
        let has_version = image.reference.tag().is_some_and(|tag| tag != "latest");
        if image.reference.digest().is_none() && has_version {
            let message = format!("the tag of `{}` can be moved to another image", image.reference.text());
            let finding = out.report(image.span, message);
            match pins.fix(&image) {
                Ok(fix) => finding.fix(fix),
                Err(reason) => finding.decline(reason),
            };
        }
    }
}
