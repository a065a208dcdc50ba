//! A policy that lets everybody through says that it limits traffic and does not.

use crate::{
    model::kubernetes::{KubernetesModel, network::Direction},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "open-network-policy",
        title: "Network policy that lets everybody through",
        why: "A rule without peers, or with all addresses, allows what would be refused without it: the policy limits the ports at most.",
        remedy: "Name the pods, namespaces or addresses that are meant.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.3.2"),
            Reference::new(Scheme::NsaCisa, "Network policies"),
            Reference::new(Scheme::Cwe, "284"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/services-networking/network-policies/"),
        ],
        equivalents: &["trivy:KSV-0038"],
        examples: &[
            Example::new(
                "A rule that says nothing",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {}\n  ingress:\n  - «{}»\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {}\n  ingress:\n  - from: [{podSelector: {matchLabels: {app: shop}}}]\n",
            ),
            Example::new(
                "All addresses",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  ingress:\n  - «from: [{ipBlock: {cidr: 0.0.0.0/0}}]»\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  ingress:\n  - from: [{ipBlock: {cidr: 10.0.0.0/8}}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for policy in cx.model.network_policies() {
        for rule in policy.open_rules(Direction::Ingress) {
            let place = if rule.span().is_empty() { policy.spec.span() } else { rule.span() };
            let name = policy.object.name().unwrap_or("the policy");
            let has_ports = rule.get("ports").is_some_and(|ports| ports.items().next().is_some());
            let message = if has_ports { "lets everybody reach these ports" } else { "lets everybody reach the pods" };
            let finding = out.report(place, format!("`{name}` {message}"));
            // Ports of something that is open to the world on purpose.
            finding.severity(if has_ports { Severity::Low } else { Severity::Medium });
            finding.decline("who is meant to reach the pods is not written down anywhere");
        }
    }
}
