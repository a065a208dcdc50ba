//! A policy that chooses no pod protects none.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "dangling-network-policy",
        title: "Network policy that chooses no pod here",
        why: "The labels that the policy looks for are on no pod of this file: a letter that is wrong leaves the pods open to everybody.",
        remedy: "Write the labels as the pods have them.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::NsaCisa, "Network policies"),
            Reference::new(Scheme::CisKubernetes, "5.3.2"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/services-networking/network-policies/"),
        ],
        equivalents: &["kics:85ab1c5b-014e-4352-b5f8-d7dea3bb4fd3", "kube-linter:dangling-networkpolicy"],
        examples: &[
            Example::new(
                "Another name",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  «podSelector: {matchLabels: {app: wep}}»\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {matchLabels: {app: web}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
            ),
            Example::new(
                "One of several labels",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  «podSelector: {matchLabels: {app: web, tier: api}}»\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {matchExpressions: [{key: app, operator: Exists}]}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
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
        let Some(entry) = policy.spec.entry("podSelector") else { continue };
        if !cx.model.workloads().any(|workload| policy.may_select(workload)) {
            let name = policy.object.name().unwrap_or("the policy");
            let finding = out.report(entry.span(), format!("`{name}` chooses no pod of this file"));
            finding.decline("which pods are meant is not known");
        }
    }
}
