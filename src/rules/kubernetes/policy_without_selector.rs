//! A policy that chooses nothing by labels is hardly what was meant.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "policy-without-selector",
        title: "Network policy that names no pods",
        why: "Without selectors nothing says which pods the policy is about or whom it lets through; it is about all of them, or about none that was meant.",
        remedy: "Write a `podSelector`, `{}` where all pods of the namespace are meant.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::NsaCisa, "Network policies"),
            Reference::new(Scheme::CisKubernetes, "5.3.2"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/services-networking/network-policies/"),
        ],
        equivalents: &["trivy:KSV-0038"],
        examples: &[
            Example::new(
                "Addresses only",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\n«spec»:\n  egress:\n  - to: [{ipBlock: {cidr: 10.0.0.0/8}}]\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {}\n  egress:\n  - to: [{ipBlock: {cidr: 10.0.0.0/8}}]\n",
            ),
            Example::new(
                "Nothing in it",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\n«spec»:\n  policyTypes: [Ingress]\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for policy in cx.model.network_policies().filter(|policy| !policy.spec.is_open()) {
        let names_own = policy.selector().is_some() || policy.spec.get("namespaceSelector").is_some();
        if names_own || policy.names_peers() {
            continue;
        }
        let place = policy.object.node.entry("spec").map_or(policy.spec.span(), |entry| entry.key.span());
        let name = policy.object.name().unwrap_or("the policy");
        let finding = out.report(place, format!("`{name}` names no pods"));
        finding.decline("which pods are meant is not written down anywhere");
    }
}
