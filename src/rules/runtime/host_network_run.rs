//! `RUN --network=host` builds in the network of the host.

use crate::{
    model::DockerfileModel,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::{Editor, Keyword},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "host-network-run",
        title: "Build step in the network of the host",
        why: "The step reaches what listens on the machine that builds, and on its network: metadata services, databases, the engine's own port.",
        remedy: "Use the default network; reach what is needed by its name.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(Safety::Risky, "Takes the flag out; the command may need what it asks for."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.10"),
            Reference::new(Scheme::Nist800190, "4.4.2"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/dockerfile/#run---network"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A step in the host's network",
                "FROM debian:13\nRUN «--network=host» make fetch\n",
                "FROM debian:13\nRUN make fetch\n",
            ),
            Example::new(
                "Beside other flags",
                "FROM debian:13\nRUN --mount=type=tmpfs,target=/tmp «--network=host» make\n",
                "FROM debian:13\nRUN --mount=type=tmpfs,target=/tmp make\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps().filter(|step| step.keyword() == Keyword::Run) {
        for flag in step.instruction().flags_named("network") {
            if flag.value.as_deref() == Some("host") {
                let finding = out.report(flag.span, "the step shares the network of the machine that builds");
                if step.is_trigger() {
                    continue;
                }
                let edit = Editor::new(cx.file, cx.model.syntax).remove_flag(flag);
                let reason = "the command may reach for what only the network of the host has: build once without";
                finding.fix(Fix::new("Use the network of the build", Safety::Risky, reason, vec![edit]));
            }
        }
    }
}
