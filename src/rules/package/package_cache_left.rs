//! Caches and lists of packages stay in the layer that made them.

use crate::{
    model::DockerfileModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

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
        fix: FixNote::Never,
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
                "With apt, which has a command of its own for it since Debian 13",
                "FROM debian:13\nRUN «apt update» && apt install -y curl && apt clean\n",
                "FROM debian:13\nRUN apt update && apt install -y curl && apt dist-clean\n",
            ),
            Example::new(
                "With apk",
                "FROM alpine:3.22\nRUN «apk add» curl\n",
                "FROM alpine:3.22\nRUN apk add --no-cache curl\n",
            ),
            Example::new(
                "With pip",
                "FROM python:3.13\nRUN «pip install» flask\n",
                "FROM python:3.13\nENV PIP_NO_CACHE_DIR=1\nRUN pip install flask\n",
            ),
            Example::new(
                "A cache mount stays out of the image",
                "FROM fedora:42\nRUN «dnf install» -y curl\n",
                "FROM fedora:42\nRUN --mount=type=cache,target=/var/cache/libdnf5 dnf install -y curl\n",
            ),
            Example::new(
                "A stage that only builds is thrown away",
                "FROM debian:13\nRUN «apt-get update» && apt-get install -y curl\n",
                "FROM debian:13 AS build\nRUN apt-get update && apt-get install -y gcc\nFROM scratch\nCOPY --from=build /x /x\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target() else { return };
    for stage in target.chain() {
        for step in stage.steps().filter(|step| !step.is_trigger()) {
            for (packages, leftover) in step.package_leftovers() {
                out.report(packages.head_span(), format!("the layer keeps the {}", leftover.made_by(&packages.call)))
                    .only_with(packages.at.needs_argument());
            }
        }
    }
}
