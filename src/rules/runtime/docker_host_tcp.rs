//! An engine that listens on TCP without TLS obeys anybody.

use crate::{
    model::{DockerfileModel, script_file::ScriptFile},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "docker-host-tcp",
        title: "Container engine over TCP without TLS",
        why: "The engine's interface over plain TCP asks nobody who they are: whoever reaches the port is root on the machine behind it.",
        remedy: "Use a socket that is not shared, or TLS with client certificates (port 2376, `DOCKER_TLS_VERIFY=1`).",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile, FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "2.7"),
            Reference::new(Scheme::Cwe, "306"),
            Reference::new(Scheme::Url, "https://docs.docker.com/engine/security/protect-access/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A client",
                "FROM docker:28-cli\nENV DOCKER_HOST=«tcp://docker:2375»\n",
                "FROM docker:28-cli\nENV DOCKER_HOST=tcp://docker:2376 DOCKER_TLS_VERIFY=1\n",
            ),
            Example::new(
                "An engine",
                "FROM docker:28-dind\nCMD [\"dockerd\", «\"--host=tcp://0.0.0.0:2375\"»]\n",
                "FROM docker:28-dind\nCMD [\"dockerd\", \"--host=tcp://0.0.0.0:2376\", \"--tlsverify\"]\n",
            ),
            Example::new(
                "A script",
                "-- build.sh --\nexport «DOCKER_HOST=tcp://build:2375»\ndocker build .\n",
                "-- build.sh --\nexport DOCKER_HOST=ssh://build\ndocker build .\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Commands { dockerfile: check, script },
};

const REFUSAL: &str = "the engine has to serve TLS before a client can ask for it, and that is set up elsewhere";

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps() {
        for reach in step.engine_addresses() {
            out.report(reach.span, format!("`{}` is an engine that asks nobody who they are", reach.what))
                .decline(REFUSAL);
        }
    }
}

fn script(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for reach in cx.model.engine_addresses() {
        out.report(reach.span, format!("`{}` is an engine that asks nobody who they are", reach.what)).decline(REFUSAL);
    }
}
