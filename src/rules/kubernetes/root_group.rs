//! The group of root may read, and often write, what belongs to root.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "root-group",
        title: "Program in the group of root",
        why: "Many files of the system and of mounted volumes may be written by the group of root: a program in it needs no other user to change them.",
        remedy: "Take another number. On OpenShift, where images are made for the group of root, leave the setting out: the cluster chooses.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::NsaCisa, "Non-root containers and rootless container engines"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"),
        ],
        equivalents: &["kube-linter:run-as-non-root", "trivy:KSV-0021", "trivy:KSV-0116"],
        examples: &[
            Example::new(
                "The primary group",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      «runAsGroup: 0»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      runAsGroup: 10001\n",
            ),
            Example::new(
                "A further group, and that of volumes",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    supplementalGroups: [«0», 10001]\n    «fsGroup: 0»\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    supplementalGroups: [10001]\n    fsGroup: 10001\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| !workload.is_on_windows()) {
        let contexts = workload.containers().map(|container| container.node).chain([workload.pod]);
        for context in contexts.filter_map(|node| node.entry("securityContext")).map(|entry| entry.value) {
            for key in ["runAsGroup", "fsGroup"] {
                let Some(entry) = context.entry(key).filter(|entry| is_root(entry.value)) else { continue };
                out.report(entry.span(), format!("`{key}` puts the program into the group of root")).decline(REASON);
            }
            let further = context.get("supplementalGroups");
            for item in further.into_iter().flat_map(Node::items).filter(|item| is_root(*item)) {
                out.report(item.span(), "the program is in the group of root too").decline(REASON);
            }
        }
    }
}

const REASON: &str = "what the program reads and writes by this group is not known here";

fn is_root(node: Node<'_>) -> bool {
    !node.resolved().is_template() && node.scalar() == Some("0")
}
