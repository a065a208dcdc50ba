//! Mounts that one side makes appear on the other.

use crate::{
    model::compose::ComposeModel,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node, Value},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "shared-propagation",
        title: "Mounts propagate between container and host",
        why: "With shared propagation what is mounted in the container appears on the host, and the other way round: the border between the two file systems is open.",
        remedy: "Take it out: `private` is what engines do unasked.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Back to `rprivate`; a program that mounts for others needs the other.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.20"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:baa452f0-1f21-4a25-ace5-844e7a5f410d"],
        examples: &[
            Example::new(
                "The long form",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes:\n      - «type: bind\n        source: ./data\n        target: /data\n        bind: {propagation: rshared}»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes:\n      - type: bind\n        source: ./data\n        target: /data\n        bind: {propagation: rprivate}\n",
            ),
            Example::new(
                "The short form",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes:\n      - «./data:/data:shared»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    volumes:\n      - ./data:/data\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in &cx.model.services {
        for mount in service.mounts() {
            let Some(how) = mount.propagation.as_deref() else { continue };
            let (means, severity) = match how {
                "shared" | "rshared" => ("in both directions", Severity::Medium),
                "slave" | "rslave" => ("from the host to the container", Severity::Info),
                _ => continue,
            };
            let message = format!("mounts of `{}` propagate {means}", service.name());
            let finding = out.report(service.place_of_item(mount.node), message);
            finding.severity(severity).repair(cx, || private(editor, mount.node));
        }
    }
}

fn private<'y>(editor: &Editor<'y>, item: Node<'y>) -> Result<Fix, String> {
    let propagation = item.get("bind").and_then(|bind| bind.get("propagation"));
    let node = propagation.ok_or("it is written together with other options")?;
    let edit = editor.replace(node, &Value::text("rprivate")).map_err(|refusal| refusal.to_string())?;
    let reason = "a program that mounts for others, or sees their mounts, no longer does";
    Ok(Fix::new("Keep its mounts to itself", Safety::Manual, reason, vec![edit]))
}
