//! Members of the group `docker` are root on the host.

use crate::{
    model::{DockerfileModel, Step, script_file::ScriptFile},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "docker-group",
        title: "User in the group of the container engine",
        why: "Who is in the group `docker` may use the engine's socket, and so becomes root on the host as soon as the socket is mounted.",
        remedy: "Leave the user out of the group. Let a proxy with an allow list talk to the engine, or use a rootless engine.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile, FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.32"),
            Reference::new(Scheme::Cwe, "269"),
            Reference::new(
                Scheme::Url,
                "https://docs.docker.com/engine/install/linux-postinstall/#manage-docker-as-a-non-root-user",
            ),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "`usermod`",
                "FROM debian:13\nRUN useradd -m app && «usermod -aG docker app»\n",
                "FROM debian:13\nRUN useradd -m app && usermod -aG video app\n",
            ),
            Example::new(
                "BusyBox",
                "FROM alpine:3.22\nRUN adduser -D app && «addgroup app docker»\n",
                "FROM alpine:3.22\nRUN adduser -D app && addgroup app video\n",
            ),
            Example::new(
                "Root has the engine anyway",
                "FROM debian:13\nRUN usermod -aG docker root && «usermod -aG docker app»\n",
                "FROM debian:13\nRUN usermod -aG docker root\n",
            ),
            Example::new(
                "A script",
                "-- setup.sh --\nsudo «usermod -aG docker \"$USER\"»\n",
                "-- setup.sh --\nsudo usermod -aG video \"$USER\"\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Commands { dockerfile: check, script },
};

const REFUSAL: &str = "what in the container uses the engine, and whether it may, is for the project to decide";

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    if !cx.model.may_run(Step::ACCOUNT_PROGRAMS) {
        return;
    }
    for step in cx.model.built_steps() {
        for reach in step.engine_group_members() {
            out.report(reach.span, "a user is put into the group `docker`, which may use the engine as root")
                .decline(REFUSAL);
        }
    }
}

fn script(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for place in cx.model.engine_group_members() {
        out.report(place, "a user is put into the group `docker`, which may use the engine as root").decline(REFUSAL);
    }
}
