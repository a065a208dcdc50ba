//! In the default namespace lies what nobody put anywhere.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};
use std::cell::LazyCell;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "default-namespace",
        title: "Object in the default namespace",
        why: "Rights, quotas, network policies and pod security are set for namespaces. What lies in the default one has none of its own, and shares it with everything else that was put nowhere.",
        remedy: "Make a namespace for the application, and name it.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.7.4"),
            Reference::new(Scheme::Nist800190, "4.3.3"),
            Reference::new(Scheme::NsaCisa, "Namespaces"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
            ),
        ],
        equivalents: &[
            "checkov:CKV_K8S_21",
            "checkov:NoDefaultNamespace",
            "kics:611ab018-c4aa-4ba2-b0f6-a448337509a6",
            "kube-linter:use-namespace",
            "trivy:KSV-0110",
        ],
        examples: &[
            Example::new(
                "In so many words",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  «namespace: default»\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
            ),
            Example::new(
                "Nothing is said of it",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {«name: web»}\ndata: {colour: blue}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata: {colour: blue}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Kinds beside workloads that lie in namespaces.
const KINDS: [&str; 14] = [
    "ConfigMap",
    "CronJob",
    "Endpoints",
    "HorizontalPodAutoscaler",
    "Ingress",
    "LimitRange",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "ServiceAccount",
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let is_placed = LazyCell::new(|| is_placed_elsewhere(cx));
    for object in &cx.model.objects {
        let is_service = object.kind == "Service" && object.at(&["apiVersion"]).and_then(Node::scalar) == Some("v1");
        let lies_in_one = is_service || KINDS.contains(&object.kind) || object.workload().is_some();
        // These two are the cluster's own.
        let is_own = matches!(
            (object.kind, object.name()),
            ("Service", Some("kubernetes")) | ("ServiceAccount", Some("default"))
        );
        if !lies_in_one || is_own {
            continue;
        }
        let Some(metadata) = object.at(&["metadata"]) else { continue };
        let name = object.name().unwrap_or("the object");
        match Setting::below(metadata, &["namespace"]) {
            Setting::Written(node) if node.scalar() == Some("default") => {
                let place = metadata.entry("namespace").map_or(node.span(), |entry| entry.span());
                out.report(place, format!("`{name}` lies in the default namespace"));
            }
            Setting::Hidden(_) | Setting::Written(_) => {}
            Setting::Absent if *is_placed || object.name().is_none() => {}
            Setting::Absent => {
                let place = metadata.entry("name").map_or(metadata.span(), |entry| entry.span());
                let message =
                    format!("`{name}` names no namespace: it goes to the default one unless a command says otherwise");
                out.report(place, message).severity(Severity::Info).confidence(Confidence::Medium);
            }
        }
    }
}

/// Whether something else names the namespace: a chart is installed into one, Kustomize writes one.
fn is_placed_elsewhere(cx: &Cx<'_, KubernetesModel<'_>>) -> bool {
    let names_one = |file: &str| {
        cx.context.beside(file).is_some_and(|found| memchr::memmem::find(&found.text, b"namespace:").is_some())
    };
    cx.model.tree.is_rendered_elsewhere() || ["kustomization.yaml", "kustomization.yml"].into_iter().any(names_one)
}
