//! A rule for pods that nobody starts lets nobody through.

use crate::{
    model::kubernetes::{KubernetesModel, Workload, network::may_match},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "dangling-network-peer",
        title: "Network policy for peers that are not here",
        why: "The labels of the pods that are let through are on no pod of this file: a letter that is wrong shuts out who was meant, or lets in who comes later.",
        remedy: "Write the labels as the pods have them.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::NsaCisa, "Network policies"),
            Reference::new(Scheme::CisKubernetes, "5.3.2"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/services-networking/network-policies/"),
        ],
        equivalents: &["kube-linter:dangling-networkpolicypeer-podselector"],
        examples: &[
            Example::new(
                "A peer of another name",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  ingress:\n  - from:\n    - «podSelector: {matchLabels: {app: shop}}»\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  ingress:\n  - from:\n    - podSelector: {matchLabels: {app: web}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
            ),
            Example::new(
                "Of two peers one",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {}\n  egress:\n  - to: [{podSelector: {matchLabels: {app: web}}}, {«podSelector: {matchLabels: {app: db}}»}]\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {}\n  egress:\n  - to: [{podSelector: {matchLabels: {app: web}}}, {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}]\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    // Where there are no pods, they are in another file.
    if !cx.model.matches_policies() {
        return;
    }
    for policy in cx.model.network_policies() {
        // Peers of another namespace are in another file more often than not.
        let peers = policy.peer_selectors().filter(|(peer, _)| peer.get("namespaceSelector").is_none());
        for (peer, selector) in peers {
            let is_chosen = |workload: Workload<'_>| {
                may_match(selector.value, workload.metadata.and_then(|metadata| metadata.get("labels")))
            };
            if !peer.is_open() && !cx.model.workloads().any(is_chosen) {
                let finding = out.report(selector.span(), "the rule is for pods of which this file has none");
                finding.decline("which pods are meant is not known");
            }
        }
    }
}
