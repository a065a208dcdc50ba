//! Hardly a program needs the capabilities that engines give unasked.

use crate::{
    model::{compose::ComposeModel, graph::Made},
    rewrite::confine::drop_all_of_service,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "capabilities-kept",
        title: "Default capabilities kept",
        why: "Engines give a container fourteen capabilities, and few programs need one: with them root in a container changes owners, reads what others wrote and forges packets.",
        remedy: "Write `cap_drop: [ALL]`, and add the few that the program needs.",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Drops all of them, and adds back what the image is known to need, unless the program starts as root and that is not known.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.4"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:ce76b7d0-9e77-464d-b86f-c5c48e03e22d"],
        examples: &[
            Example::new(
                "Nothing is dropped",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    cap_drop:\n      - ALL\n    cap_add:\n      - CHOWN\n      - NET_BIND_SERVICE\n      - SETGID\n      - SETUID\n",
            ),
            Example::new(
                "Some are dropped",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «cap_drop»: [MKNOD]\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    cap_drop: [MKNOD, ALL]\n    cap_add:\n      - CHOWN\n      - NET_BIND_SERVICE\n      - SETGID\n      - SETUID\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let mut made = Made::around(cx.context);
    for service in cx.model.linux_services().filter(|service| service.is_whole()) {
        let dropped = service.list("cap_drop");
        // What nobody can read may be all of them.
        if dropped.iter().any(|text| text.known().is_none_or(|name| name.eq_ignore_ascii_case("ALL"))) {
            continue;
        }
        let place = service.own_entry("cap_drop").map_or(service.key.span(), |entry| entry.key.span());
        let finding = out.report(place, format!("`{}` keeps capabilities that engines give unasked", service.name()));
        finding.repair(cx, || drop_all_of_service(cx.knowledge, &mut made, editor, service));
    }
}
