//! A pod that no policy chooses talks to everybody.

use crate::{
    model::kubernetes::{KubernetesModel, Setting, Workload},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::Value,
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
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Adds a policy that refuses everything in the namespace; what is needed has to be allowed beside it.",
        ),
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
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec: {containers: [{name: web, image: nginx}]}\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: default-deny\nspec:\n  podSelector: {}\n  policyTypes:\n    - Ingress\n    - Egress\n",
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
        out.report(place.span(), message).repair(cx, || refusing(cx, workload));
    }
}

/// A policy that refuses everything to and from all pods of the namespace.
fn refusing<'y>(cx: &Cx<'_, KubernetesModel<'y>>, workload: Workload<'y>) -> Result<Fix, String> {
    let mut metadata = vec![("name", Value::text("default-deny"))];
    match Setting::below(workload.object.node, &["metadata", "namespace"]) {
        Setting::Written(node) => metadata.extend(node.scalar().map(|name| ("namespace", Value::text(name)))),
        Setting::Absent => {}
        Setting::Hidden(_) => return Err("which namespace the pods lie in is not known".to_owned()),
    }
    let policy = Value::map([
        ("apiVersion", Value::text("networking.k8s.io/v1")),
        ("kind", Value::text("NetworkPolicy")),
        ("metadata", Value::map(metadata)),
        ("spec", Value::map([("podSelector", Value::map([])), ("policyTypes", Value::texts(["Ingress", "Egress"]))])),
    ]);
    let edit = cx.model.editor(cx.file.id).append_document(&policy).map_err(|refusal| refusal.to_string())?;
    let reason = "nothing reaches the pods of the namespace any more, nor they anything, names of hosts included: allow what they need beside it";
    Ok(Fix::new("Refuse everything by default", Safety::Manual, reason, vec![edit]))
}

/// Whether a file in the same directory has a policy: of which pods is not asked.
fn has_policy_beside(cx: &Cx<'_, KubernetesModel<'_>>) -> bool {
    let files = cx.context.list(cx.context.directory());
    let names = files.iter().map(|entry| &*entry.name).filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"));
    let mut texts = names.take(MOST_FILES).filter_map(|name| cx.context.beside(name));
    texts
        .any(|found| cx.file.text != *found.text && memchr::memmem::find(&found.text, b"kind: NetworkPolicy").is_some())
}
