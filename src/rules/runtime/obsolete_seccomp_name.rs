//! A profile that names calls one by one is read by some engines and passed over by others.

use crate::{
    model::seccomp::{Calls, SeccompModel},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Kind, Style},
    text::Edit,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "obsolete-seccomp-name",
        title: "Seccomp profile that names calls as `name`",
        why: "The runtime's specification knows `names`, a list, only. Docker still takes `name` for one, and where others read the profile the call is named by nothing: it is refused, or goes through.",
        remedy: "Write `\"names\": [\"…\"]`.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Seccomp],
        fix: FixNote::Sometimes(Safety::Safe, "Writes the list that Docker makes of it."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.22"),
            Reference::new(Scheme::Cwe, "477"),
            Reference::new(
                Scheme::Url,
                "https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp",
            ),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A call",
                "-- seccomp.json --\n{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"syscalls\": [\n    {\n      «\"name\": \"accept\"»,\n      \"action\": \"SCMP_ACT_ALLOW\",\n      \"args\": []\n    }\n  ]\n}\n",
                "-- seccomp.json --\n{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"syscalls\": [\n    {\n      \"names\": [\"accept\"],\n      \"action\": \"SCMP_ACT_ALLOW\",\n      \"args\": []\n    }\n  ]\n}\n",
            ),
            Example::new(
                "Beside a list",
                "-- seccomp.json --\n{\"syscalls\": [{\"names\": [\"read\"]}, {«\"name\": \"write\"»}]}\n",
                "-- seccomp.json --\n{\"syscalls\": [{\"names\": [\"read\"]}, {\"names\": [\"write\"]}]}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Seccomp(check),
};

fn check(cx: &Cx<'_, SeccompModel<'_>>, out: &mut Findings) {
    for entry in cx.model.calls().filter_map(Calls::single) {
        let name = entry.value.scalar().unwrap_or_default();
        let finding = out.report(entry.span(), format!("only some engines read that `{name}` is meant"));
        let is_json = [entry.key, entry.value].iter().all(|node| node.kind() == Kind::Scalar(Style::DoubleQuoted));
        if !is_json {
            finding.decline("it is not written as JSON is");
            continue;
        }
        let list = format!("[{}]", cx.text(entry.value.span()));
        let edits = vec![
            Edit::replace(cx.file.id, entry.key.span(), "\"names\""),
            Edit::replace(cx.file.id, entry.value.span(), list),
        ];
        let reason = "Docker reads both the same, and the specification knows the list only";
        finding.fix(Fix::new("Name it in a list", Safety::Safe, reason, edits));
    }
}
