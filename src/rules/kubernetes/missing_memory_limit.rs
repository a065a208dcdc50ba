//! A container without a limit takes the memory of its neighbours.

use crate::{
    model::kubernetes::{KubernetesModel, Workload},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-memory-limit",
        title: "Memory without a limit",
        why: "A program that leaks, or is made to, takes the memory of the node until the kernel kills something, which need not be this one.",
        remedy: "Set `resources.limits.memory` to what the program needs at its worst.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.11"),
            Reference::new(Scheme::NsaCisa, "Resource policies"),
            Reference::new(Scheme::Cwe, "770"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
            ),
        ],
        equivalents: &[
            "checkov:Requests_Limits",
            "kics:b14d1bc4-a208-45db-92f0-e21f8e2588e9",
            "kube-linter:unset-memory-requirements",
            "trivy:KSV-0018",
        ],
        examples: &[
            Example::new(
                "Nothing is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      limits:\n        memory: 256Mi\n",
            ),
            Example::new(
                "Something else is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      «limits»:\n        ephemeral-storage: 1Gi\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      limits:\n        ephemeral-storage: 1Gi\n        memory: 256Mi\n",
            ),
            Example::new(
                "A virtual machine is a limit too",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: vm}\nspec:\n  runtimeClassName: kata-qemu\n  containers: [{name: vm, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{«name: web», image: 'nginx:1.29'}]\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: vm}\nspec:\n  runtimeClassName: kata-qemu\n  containers: [{name: vm, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: 'nginx:1.29', resources: {limits: {memory: 256Mi}}}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    // A virtual machine of its own has no more than it was started with.
    let workloads = cx.model.workloads().filter(|workload| !workload.has_own_machine());
    for container in workloads.flat_map(Workload::containers).filter(|container| container.is_whole()) {
        if container.lacks_resource("limits", "memory") {
            let message = format!("the container `{}` may take all memory of its node", container.name());
            out.report(container.place_of_resources("limits"), message);
        }
    }
}
