//! A pod that asks for nothing is put where nothing is left.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-memory-request",
        title: "Memory that is not asked for",
        why: "The scheduler puts a pod where its requests fit. Without one, or with the limit in its place, it fills nodes by chance, and a pod that asks for nothing is the first to be killed.",
        remedy: "Set `resources.requests.memory` to what the program needs on an ordinary day.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.11"),
            Reference::new(Scheme::NsaCisa, "Resource policies"),
            Reference::new(Scheme::Cwe, "400"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
            ),
        ],
        equivalents: &[
            "checkov:Requests_Limits",
            "kics:229588ef-8fde-40c8-8756-f4f2b5825ded",
            "kube-linter:unset-memory-requirements",
            "trivy:KSV-0016",
        ],
        examples: &[
            Example::new(
                "Nothing is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      requests:\n        memory: 128Mi\n",
            ),
            Example::new(
                "Something else is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      «requests»:\n        ephemeral-storage: 1Gi\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      requests:\n        ephemeral-storage: 1Gi\n        memory: 128Mi\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers().filter(|container| container.is_whole()) {
        if container.lacks_resource("requests", "memory") {
            let message = format!("the container `{}` does not say how much memory it needs", container.name());
            out.report(container.place_of_resources("requests"), message);
        }
    }
}
