//! A published port is open to every network of the host.

use crate::{
    model::compose::{ComposeModel, ServicePort},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node, Value},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "port-on-every-interface",
        title: "Port open on every interface",
        why: "Engines publish a port on every address of the host, and write rules that go around its firewall: a database for the neighbour service is open to the network.",
        remedy: "Publish on `127.0.0.1` what only the host needs, nothing that only other services need.",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Publishes the port on the host only; who else reaches it is for its author to say.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.14"),
            Reference::new(Scheme::Nist800190, "4.4.2"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://docs.docker.com/engine/network/port-publishing/"),
        ],
        equivalents: &["kics:451d79dc-0588-476a-ad03-3c7f0320abb3"],
        examples: &[
            Example::new(
                "A database for everybody",
                "-- compose.yaml --\nservices:\n  web:\n    image: postgres:17\n    ports:\n      - «\"5432:5432\"»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: postgres:17\n    ports:\n      - \"127.0.0.1:5432:5432\"\n",
            ),
            Example::new(
                "The long form",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - «target: 8080\n        published: 8080»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - target: 8080\n        published: 8080\n        host_ip: 127.0.0.1\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in &cx.model.services {
        for port in service.ports().into_iter().filter(ServicePort::is_open_to_all) {
            let message = format!("a port of `{}` is open on every address of the host", service.name());
            let finding = out.report(service.place_of_item(port.node), message);
            finding.repair(cx, || on_the_host_only(editor, port.node));
        }
    }
}

fn on_the_host_only<'y>(editor: &Editor<'y>, node: Node<'y>) -> Result<Fix, String> {
    const HOST: &str = "127.0.0.1";
    let edit = match node.scalar() {
        None => editor.set(node, "host_ip", &Value::text(HOST)),
        Some(port) if port.contains(':') && !port.starts_with(['0', '[', '$']) => {
            editor.replace(node, &Value::text(format!("{HOST}:{port}")))
        }
        Some(_) => return Err("which port of the host is meant is not written".to_owned()),
    };
    let edit = edit.map_err(|refusal| refusal.to_string())?;
    let reason = "whoever reaches it from elsewhere no longer does";
    Ok(Fix::new("Publish it on the host only", Safety::Manual, reason, vec![edit]))
}
