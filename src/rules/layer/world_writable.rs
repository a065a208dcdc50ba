//! What everybody may write, any process in the container may replace.

use crate::{
    model::DockerfileModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "world-writable",
        title: "Files that everybody may write",
        why: "Every process of the container, also one that was broken into, can replace these files: programs, configuration, code that others run.",
        remedy: "Give the files to the user that writes them (`chown`, `COPY --chown`) and keep the mode at 755 or 644; a shared scratch directory gets the sticky bit (1777).",
        group: Group::Layer,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Cwe, "732"),
            Reference::new(Scheme::Cwe, "276"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "`chmod 777`",
                "FROM debian:13\nRUN mkdir /data && chmod -R «777» /data\n",
                "FROM debian:13\nRUN install -d -o 10001 -g 10001 /data\n",
            ),
            Example::new(
                "Symbolic",
                "FROM debian:13\nRUN chmod «a+rw» /etc/app.conf\n",
                "FROM debian:13\nRUN chmod u+rw,go=r /etc/app.conf\n",
            ),
            Example::new(
                "While copying",
                "FROM debian:13\nCOPY «--chmod=777» app /app\n",
                "FROM debian:13\nCOPY --chmod=755 app /app\n",
            ),
            Example::new(
                "A scratch directory with the sticky bit",
                "FROM debian:13\nRUN mkdir -m «0777» /scratch\n",
                "FROM debian:13\nRUN mkdir -m 1777 /scratch\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps() {
        for change in step.mode_changes() {
            let is_device = !change.targets.is_empty()
                && change
                    .targets
                    .iter()
                    .all(|target| target.starts_with("/dev/") || target == "/tmp" || target == "/var/tmp");
            if !change.mode.is_world_writable() || change.mode.is_sticky() || is_device {
                continue;
            }
            let message = match change.targets.as_slice() {
                [only] if only.len() <= 60 => format!("mode `{}` lets everybody write `{only}`", change.text),
                _ => format!("mode `{}` lets everybody write", change.text),
            };
            let finding = out.report(change.span, message);
            if !step.stage().is_target() {
                finding.severity(Severity::Low);
            }
        }
    }
}
