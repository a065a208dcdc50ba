//! A pod that asks for nothing is put where nothing is left.

use crate::{
    model::kubernetes::{Container, KubernetesModel, Role},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-cpu-request",
        title: "Processor time that is not asked for",
        why: "The scheduler puts a pod where its requests fit, and shares processor time by them. A pod that asks for nothing gets what the others leave.",
        remedy: "Set `resources.requests.cpu` to what the program needs on an ordinary day.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.12"),
            Reference::new(Scheme::NsaCisa, "Resource policies"),
            Reference::new(Scheme::Cwe, "400"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
            ),
        ],
        equivalents: &[
            "checkov:Requests_Limits",
            "kics:ca469dd4-c736-448f-8ac1-30a642705e0a",
            "kube-linter:unset-cpu-requirements",
            "trivy:KSV-0015",
        ],
        examples: &[
            Example::new(
                "Nothing is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      requests:\n        cpu: 100m\n",
            ),
            Example::new(
                "Something else is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      «requests»:\n        ephemeral-storage: 1Gi\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      requests:\n        ephemeral-storage: 1Gi\n        cpu: 100m\n",
            ),
            Example::new(
                "What runs before the others has what they ask for",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers:\n  - name: prepare\n    image: debian:13\n  - «name: proxy»\n    image: envoy:1.36\n    restartPolicy: Always\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources: {requests: {cpu: 100m}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers:\n  - name: prepare\n    image: debian:13\n  - name: proxy\n    image: envoy:1.36\n    restartPolicy: Always\n    resources: {requests: {cpu: 100m}}\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources: {requests: {cpu: 100m}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers().filter(|container| container.is_whole()) {
        if container.lacks_resource("requests", "cpu") && !is_counted_by_others(container) {
            let message = format!("the container `{}` does not say how much processor time it needs", container.name());
            out.report(container.place_of_resources("requests"), message);
        }
    }
}

/// Whether it runs alone before the others, and these ask for processor time: the pod asks for the larger of both, and
/// has it then too.
fn is_counted_by_others(container: Container<'_>) -> bool {
    let is_sidecar = container.setting(&["restartPolicy"]).text() == Some("Always");
    let mut later = container.workload.containers().filter(|other| other.role == Role::Main);
    container.role == Role::Init && !is_sidecar && later.any(|other| !other.lacks_resource("requests", "cpu"))
}
