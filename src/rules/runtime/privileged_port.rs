//! A program that listens on a low port starts as root, or with a capability.

use crate::{
    model::compose::{ComposeModel, Service},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "privileged-port",
        title: "Port below 1024",
        why: "Only root, or who has `NET_BIND_SERVICE`, may listen on such a port: a program that needs one is started with more than it needs.",
        remedy: "Let the program listen on a high port, and let a proxy in front of it have the low one.",
        group: Group::Runtime,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.8"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:bc2908f3-f73c-40a9-8793-c1b7d5544f79"],
        examples: &[
            Example::new(
                "A low port in the container",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - «8080:80»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - 8080:8080\n",
            ),
            Example::new(
                "A low port of the host",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - «target: 8080\n        published: 443»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - target: 8080\n        published: 8443\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    for service in cx.model.services.iter().filter(|service| !may_not_bind(service)) {
        for port in service.ports() {
            let ends = [port.published.as_deref(), port.target.as_deref()];
            let mut ports = ends.into_iter().flatten().filter_map(lowest);
            let Some(low) = ports.find(|port| *port < 1024) else { continue };
            let message = format!("`{}` has port {low}, which only root may listen on", service.name());
            let finding = out.report(service.place_of_item(port.node), message);
            finding.decline("on which other port the program can listen is for its author to say");
        }
    }
}

/// Whether the capability is taken away that low ports need.
fn may_not_bind(service: &Service<'_>) -> bool {
    let dropped = service.list("cap_drop");
    dropped.iter().any(|text| {
        let name = text.known().map(str::to_ascii_uppercase);
        name.is_none_or(|name| matches!(name.strip_prefix("CAP_").unwrap_or(&name), "NET_BIND_SERVICE" | "ALL"))
    })
}

/// The first port of a port or a range.
fn lowest(ports: &str) -> Option<u32> {
    ports.split('-').next()?.trim().parse().ok()
}
