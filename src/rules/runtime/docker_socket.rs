//! Whoever reaches the socket of the engine is root on the host.

use crate::{
    model::DockerfileModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "docker-socket",
        title: "Image made for the socket of the container engine",
        why: "A process that can write to the engine's socket starts a container with the host's file system and any privilege: it is root on the host. A read-only mount does not change that.",
        remedy: "Do without the socket. Where a program must talk to the engine, give it a proxy that allows only the calls it needs, or a rootless engine of its own.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.32"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Cwe, "250"),
        ],
        equivalents: &["semgrep:dockerfile-dockerd-socket-mount"],
        examples: &[
            Example::new(
                "A volume",
                "FROM alpine:3.22\nVOLUME «/var/run/docker.sock»\n",
                "FROM alpine:3.22\nVOLUME /data\n",
            ),
            Example::new(
                "A command that opens it to everybody",
                "FROM alpine:3.22\nRUN chmod 666 «/var/run/docker.sock»\n",
                "FROM alpine:3.22\nRUN chmod 640 /etc/app.conf\n",
            ),
            Example::new(
                "The address of a client",
                "FROM docker:28-cli\nENV DOCKER_HOST=«unix:///var/run/docker.sock»\n",
                "FROM docker:28-cli\nENV DOCKER_HOST=tcp://docker-socket-proxy:2376 DOCKER_TLS_VERIFY=1\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

const REFUSAL: &str = "what uses the socket decides what may take its place: nothing, a proxy, or an engine of its own";

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps() {
        for reach in step.engine_sockets() {
            out.report(reach.span, format!("the image is made to use `{}`, which is root on the host", reach.what))
                .decline(REFUSAL);
        }
    }
}
