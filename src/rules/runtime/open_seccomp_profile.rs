//! A profile that lets through what it does not name confines little.

use crate::{
    model::seccomp::{SeccompModel, lets_through},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "open-seccomp-profile",
        title: "Seccomp profile that allows by default",
        why: "Every call to the kernel goes through that nobody thought of, new ones included. The profiles of engines refuse by default and name what programs need.",
        remedy: "Start from the default profile of the engine, with `SCMP_ACT_ERRNO` as its default action, and add the calls that the program makes.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Seccomp],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.22"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "693"),
            Reference::new(Scheme::Url, "https://docs.docker.com/engine/security/seccomp/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Everything but a few",
                "-- seccomp.json --\n{\n  «\"defaultAction\": \"SCMP_ACT_ALLOW\"»,\n  \"syscalls\": [{\"names\": [\"ptrace\"], \"action\": \"SCMP_ACT_ERRNO\"}]\n}\n",
                "-- seccomp.json --\n{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"syscalls\": [{\"names\": [\"read\", \"write\"], \"action\": \"SCMP_ACT_ALLOW\"}]\n}\n",
            ),
            Example::new(
                "Everything, written down",
                "-- seccomp-audit.json --\n{«\"defaultAction\": \"SCMP_ACT_LOG\"»}\n",
                "-- seccomp-audit.json --\n{\"defaultAction\": \"SCMP_ACT_KILL_PROCESS\"}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Seccomp(check),
};

fn check(cx: &Cx<'_, SeccompModel<'_>>, out: &mut Findings) {
    let Some(action) = cx.model.default_action() else { return };
    let Some(name) = action.value.scalar().filter(|name| lets_through(name)) else { return };
    let message = format!("calls that the profile does not name go through: `{name}`");
    out.report(action.span(), message).decline("which calls the program makes is seen only where it runs");
}
