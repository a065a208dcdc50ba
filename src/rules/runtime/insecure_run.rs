//! `RUN --security=insecure` builds with every privilege of the host.

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
        id: "insecure-run",
        title: "Build step with all privileges",
        why: "The step runs without confinement, with every capability and the host's devices: whatever it runs, a downloaded script included, can take over the machine that builds.",
        remedy: "Do without: most steps that seem to need it can mount a cache, use `fakeroot`, or run when the container starts. Else build it alone, on a machine that is thrown away.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the flag out; only whoever wrote the command knows whether it needs what it asks for.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.5"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/dockerfile/#run---security"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A step that asks for everything",
                "FROM debian:13\nRUN «--security=insecure» mount -t tmpfs none /mnt\n",
                "FROM debian:13\nRUN mount -t tmpfs none /mnt\n",
            ),
            Example::new(
                "The sandbox is the default",
                "FROM debian:13\nRUN «--security=insecure» --network=none make\n",
                "FROM debian:13\nRUN --network=none make\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps().filter(|step| step.keyword() == Keyword::Run) {
        for flag in step.instruction().flags_named("security") {
            if flag.value.as_deref() == Some("insecure") {
                let finding = out.report(flag.span, "the step runs with every privilege of the machine that builds");
                if step.is_trigger() {
                    continue;
                }
                let edit = Editor::new(cx.file, cx.model.syntax).remove_flag(flag);
                let reason = "the command may need the privileges that it asks for: build once without";
                finding.fix(Fix::new("Run it in the sandbox", Safety::Manual, reason, vec![edit]));
            }
        }
    }
}
