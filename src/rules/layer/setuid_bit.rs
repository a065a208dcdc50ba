//! A set-uid program gives its caller the rights of its owner.

use crate::{
    model::{DockerfileModel, ModeChange, Step},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "setuid-bit",
        title: "Program made set-uid",
        why: "Whoever runs the program gets the rights of its owner, usually root: one mistake in it undoes the unprivileged user of the image.",
        remedy: "Leave the bit out. Do what needs root while the image is built, or give the one capability that is needed (`setcap`).",
        group: Group::Layer,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "4.8"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Cwe, "732"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Octal",
                "FROM debian:13\nRUN chmod «4755» /usr/bin/tool\n",
                "FROM debian:13\nRUN chmod 755 /usr/bin/tool\n",
            ),
            Example::new(
                "Symbolic",
                "FROM debian:13\nRUN chmod «u+s» /bin/ping\n",
                "FROM debian:13\nRUN chmod a-s /bin/ping\n",
            ),
            Example::new(
                "Set-gid on a directory only passes the group on",
                "FROM debian:13\nRUN chmod «6755» /usr/bin/tool\n",
                "FROM debian:13\nRUN chmod 2775 /srv/shared\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps() {
        for change in
            step.mode_changes().into_iter().filter(|change| change.mode.is_setuid() && !is_cleared(step, change))
        {
            let what = change.targets.first().map_or(String::new(), |target| format!(" of `{target}`"));
            let finding =
                out.report(change.span, format!("mode `{}` lets callers{what} act as its owner", change.text));
            if !step.stage().is_target() {
                finding.severity(Severity::Low);
            }
        }
    }
}

/// Whether a later `chown` of the same file takes the bit away again (chown(2)).
fn is_cleared(step: Step<'_>, change: &ModeChange) -> bool {
    step.commands().filter(|command| command.span().start > change.span.start && command.name() == Some("chown")).any(
        |command| command.command.arguments().any(|word| change.targets.iter().any(|target| word.text() == *target)),
    )
}
