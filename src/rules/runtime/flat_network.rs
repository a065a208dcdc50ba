//! On one network every service reaches every other one.

use crate::{
    model::compose::{ComposeModel, Service},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "flat-network",
        title: "Every service on one network",
        why: "Whoever breaks into the service that the world sees reaches all others directly, the database included, and every one of them may send what it finds to the internet.",
        remedy: "Give services that talk to each other a network of their own under `networks`, and set `internal: true` on those that need no way out.",
        group: Group::Runtime,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Nist800190, "4.3.3"),
            Reference::new(Scheme::Cwe, "653"),
            Reference::new(Scheme::Url, "https://docs.docker.com/compose/how-tos/networking/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A proxy, a program and its database",
                "-- compose.yaml --\n«services»:\n  proxy: {image: 'nginx:1.29', ports: ['443:443']}\n  shop: {image: 'shop/web:3'}\n  db: {image: 'postgres:18'}\n",
                "-- compose.yaml --\nservices:\n  proxy: {image: 'nginx:1.29', ports: ['443:443'], networks: [front]}\n  shop: {image: 'shop/web:3', networks: [front, back]}\n  db: {image: 'postgres:18', networks: [back]}\nnetworks:\n  front: {}\n  back: {internal: true}\n",
            ),
            Example::new(
                "One network that all of them name",
                "-- compose.yaml --\n«services»:\n  proxy: {image: 'nginx:1.29', ports: ['443:443'], networks: [all]}\n  shop: {image: 'shop/web:3', networks: [all]}\n  db: {image: 'postgres:18', networks: {all: {aliases: [sql]}}}\nnetworks: {all: {}}\n",
                "-- compose.yaml --\nservices:\n  shop: {image: 'shop/web:3', ports: ['443:443']}\n  db: {image: 'postgres:18'}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

/// With fewer services there is nothing to keep apart.
const FEWEST: usize = 3;

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let services: Vec<&Service<'_>> = cx.model.services.iter().collect();
    let is_seen = services.iter().all(|service| service.is_whole()) && cx.model.includes().is_empty();
    let published = services.iter().filter(|service| !service.ports().is_empty()).count();
    if services.len() < FEWEST || !is_seen || published == 0 || published == services.len() {
        return;
    }
    let mut networks = services.iter().map(|service| service.only_network());
    let first = networks.next().flatten();
    if first.is_none() || !networks.all(|network| network == first) || cx.model.is_internal(first.unwrap_or_default()) {
        return;
    }
    let Some(place) = cx.model.tree.documents().find_map(|document| document.entry("services")) else { return };
    let message =
        format!("all {} services reach each other, those that the host does not publish included", services.len());
    out.report(place.key.span(), message)
        .decline("which of the services talk to each other is for their author to say");
}
