//! A low port of the host belongs to a service that everybody knows.

use crate::{
    model::compose::ComposeModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "privileged-port",
        title: "Port of the host below 1024",
        why: "A host keeps these ports for root, because everybody takes what answers there for the service of that name: whoever gets hold of the container answers in its place, and an engine that does not run as root cannot start it.",
        remedy: "Publish a high port; where users need the low one, let a proxy or load balancer in front have it.",
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
                "A low port of the host",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - «80:8080»\n      - «target: 8443\n        published: 443»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - 8080:80\n      - target: 8443\n        published: 8443\n",
            ),
            Example::new(
                "The default of a variable",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - «\"127.0.0.1:${PORT:-80}:8080\"»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - \"127.0.0.1:${PORT:-8080}:8080\"\n      - \"${ADMIN_PORT}:8081\"\n      - \"0:80\"\n",
            ),
            Example::new(
                "On the network of the host",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    network_mode: host\n    ports:\n      - «80»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    ports:\n      - 80\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    for service in cx.model.services.iter().filter(|service| !service.may_lack_low_ports()) {
        let is_on_host = service.is_on_host_network();
        for port in service.ports() {
            let low = if is_on_host { port.low_in_container() } else { port.low_on_host() };
            let Some(low) = low else { continue };
            let message = format!("`{}` takes port {low} of the host", service.name());
            let finding = out.report(service.place_of_item(port.node), message);
            finding.decline("on which other port it can be reached is for its author to say");
        }
    }
}
