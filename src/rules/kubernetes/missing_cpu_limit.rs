//! A container without a limit takes every processor that is free.

use crate::{
    model::kubernetes::{KubernetesModel, Workload},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-cpu-limit",
        title: "Processor time without a limit",
        why: "A program that spins, or is made to, takes all processor time that others leave. Whether a limit is better than a request alone is disputed: a limit also slows a program down while the node is idle.",
        remedy: "Set `resources.limits.cpu` where one pod must not slow others down; set a request everywhere.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.12"),
            Reference::new(Scheme::NsaCisa, "Resource policies"),
            Reference::new(Scheme::Cwe, "770"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
            ),
        ],
        equivalents: &[
            "checkov:Requests_Limits",
            "kics:4ac0e2b7-d2d2-4af7-8799-e8de6721ccda",
            "kube-linter:unset-cpu-requirements",
            "trivy:KSV-0011",
        ],
        examples: &[
            Example::new(
                "Nothing is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      limits:\n        cpu: 500m\n",
            ),
            Example::new(
                "Something else is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      «limits»:\n        ephemeral-storage: 1Gi\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      limits:\n        ephemeral-storage: 1Gi\n        cpu: 500m\n",
            ),
            Example::new(
                "A virtual machine is a limit too",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: vm}\nspec:\n  runtimeClassName: kata-qemu\n  containers: [{name: vm, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{«name: web», image: 'nginx:1.29'}]\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: vm}\nspec:\n  runtimeClassName: kata-qemu\n  containers: [{name: vm, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: 'nginx:1.29', resources: {limits: {cpu: 500m}}}]\n",
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
        if container.lacks_resource("limits", "cpu") {
            let message = format!("the container `{}` may take all processor time of its node", container.name());
            out.report(container.place_of_resources("limits"), message);
        }
    }
}
