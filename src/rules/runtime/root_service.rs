//! `user: root` overrides the user that the image was given.

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
        id: "root-service",
        title: "Service run as root",
        why: "The image may name a user of its own, and here it is overridden: whoever breaks into the program is root in the container, and with one hole more on the host.",
        remedy: "Take it out, or name the user that the image has.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the key out; the program may need root to start."),
        references: &[
            Reference::new(Scheme::CisDocker, "4.1"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "By name",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «user: root»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n",
            ),
            Example::new(
                "By number",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «user: \"0:0\"»\n    cap_drop: [ALL]\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    cap_drop: [ALL]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in cx.model.linux_services() {
        let user = service.user();
        let name = user.as_ref().and_then(|user| user.known()?.split(':').next());
        if !matches!(name, Some("root" | "0")) {
            continue;
        }
        let finding = out.report(service.place_of("user"), format!("`{}` runs as root", service.name()));
        finding.repair(cx, || removed(editor, service.own()));
    }
}

fn removed<'y>(editor: &Editor<'y>, mapping: Node<'y>) -> Result<Fix, String> {
    let edit = editor.remove_key(mapping, "user").map_err(|refusal| refusal.to_string())?;
    let reason = "whoever wrote it had a reason: start it without, and see what it may not read or write";
    Ok(Fix::new("Leave it to the image", Safety::Manual, reason, vec![edit]))
}
