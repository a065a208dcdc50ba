//! In another control group the limits of the engine do not hold.

use crate::{
    model::compose::ComposeModel,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "foreign-cgroup",
        title: "Service in another control group",
        why: "The limits and the accounting of a container are those of its control group: in one that somebody else made nobody knows what holds.",
        remedy: "Take it out, and set limits on the service.",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the key out; whoever made the group had a reason."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.25"),
            Reference::new(Scheme::Cwe, "770"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:4d9f44c6-2f4a-4317-9bb5-267adbea0232"],
        examples: &[
            Example::new(
                "A group by name",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «cgroup_parent: batch»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n",
            ),
            Example::new(
                "Beside limits",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    mem_limit: 256m\n    «cgroup_parent: /system.slice»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    mem_limit: 256m\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in cx.model.services.iter().filter(|service| service.text("cgroup_parent").is_some()) {
        let message = format!("`{}` runs in a control group that the engine did not make", service.name());
        let finding = out.report(service.place_of("cgroup_parent"), message);
        finding.repair(cx, || removed(editor, service.own()));
    }
}

fn removed<'y>(editor: &Editor<'y>, mapping: Node<'y>) -> Result<Fix, String> {
    let edit = editor.remove_key(mapping, "cgroup_parent").map_err(|refusal| refusal.to_string())?;
    let reason = "whoever made the group may count or limit the service by it";
    Ok(Fix::new("Leave it in the group of the engine", Safety::Manual, reason, vec![edit]))
}
