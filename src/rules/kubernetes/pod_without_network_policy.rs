//! A pod that no policy chooses talks to everybody.

use crate::{
    model::kubernetes::{KubernetesModel, Workload},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "pod-without-network-policy",
        title: "Pod that no network policy chooses",
        why: "Without a policy every pod of the cluster may reach it, and it may reach every address: one break-in is a way to all.",
        remedy: "Refuse everything by default in its namespace, and allow what is needed.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.3.2"),
            Reference::new(Scheme::NsaCisa, "Network policies"),
            Reference::new(Scheme::Cwe, "284"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/services-networking/network-policies/"),
        ],
        equivalents: &["checkov:CKV2_K8S_6", "kube-linter:non-isolated-pod"],
        examples: &[
            Example::new(
                "A policy for others",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {matchLabels: {app: shop}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {«name: web»}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
                "-- object.k8s.yaml --\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n  podSelector: {matchLabels: {app: web}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
            ),
            Example::new(
                "A pod alone",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  «name: web»\nspec: {containers: [{name: web, image: nginx}]}\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec: {containers: [{name: web, image: nginx}]}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: default-deny}\nspec: {podSelector: {}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// So many files beside the judged one are asked for policies.
const MOST_FILES: usize = 32;

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    if !cx.model.matches_policies() {
        return;
    }
    let is_chosen = |workload: Workload<'_>| cx.model.network_policies().any(|policy| policy.may_select(workload));
    let open: Vec<Workload<'_>> =
        cx.model.workloads().filter(|workload| !workload.pod.resolved().is_open() && !is_chosen(*workload)).collect();
    if open.is_empty() || has_policy_beside(cx) {
        return;
    }
    for workload in open {
        let place = workload.object.at(&["metadata"]).and_then(|metadata| metadata.entry("name"));
        let Some(place) = place else { continue };
        let message = "no network policy in this file or beside it chooses these pods";
        out.report(place.span(), message).decline("who has to reach the pods is not written down anywhere");
    }
}

/// Whether a file in the same directory has a policy: of which pods is not asked.
fn has_policy_beside(cx: &Cx<'_, KubernetesModel<'_>>) -> bool {
    let files = cx.context.list(cx.context.directory());
    let names = files.iter().map(|entry| &*entry.name).filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"));
    let mut texts = names.take(MOST_FILES).filter_map(|name| cx.context.beside(name));
    texts
        .any(|found| cx.file.text != *found.text && memchr::memmem::find(&found.text, b"kind: NetworkPolicy").is_some())
}
