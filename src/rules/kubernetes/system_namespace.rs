//! In the namespaces of the cluster itself, rights are wide and rules are few.

use crate::{
    model::kubernetes::{KubernetesModel, Setting, Workload},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "system-namespace",
        title: "Workload in a namespace of the cluster itself",
        why: "Admission, network policies and quotas mostly leave these namespaces out, and whoever may write to one of them may take over the cluster's own programs.",
        remedy: "Give the workload a namespace of its own.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.7.1"),
            Reference::new(Scheme::Nist800190, "4.3.3"),
            Reference::new(Scheme::NsaCisa, "Namespaces"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
            ),
        ],
        equivalents: &["kics:611ab018-c4aa-4ba2-b0f6-a448337509a6", "trivy:KSV-0037"],
        examples: &[
            Example::new(
                "An application",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  «namespace: kube-system»\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
            ),
            Example::new(
                "What the cluster needs belongs there",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web, «namespace: kube-public»}\nspec:\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: kube-system}\nspec:\n  priorityClassName: system-cluster-critical\n  containers: [{name: web, image: 'nginx:1.29'}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| !belongs_there(*workload)) {
        let Some(metadata) = workload.object.at(&["metadata"]) else { continue };
        let Some(entry) = metadata.entry("namespace").filter(|entry| !entry.value.resolved().is_template()) else {
            continue;
        };
        if let Some(namespace @ ("kube-system" | "kube-public" | "kube-node-lease")) = entry.value.scalar() {
            out.report(
                entry.span(),
                format!("`{}` lies in `{namespace}`, among the cluster's own programs", workload.name()),
            );
        }
    }
}

/// Whether it is one of the cluster's own programs, or says that the cluster cannot do without it.
fn belongs_there(workload: Workload<'_>) -> bool {
    let class = workload.setting(&["priorityClassName"]);
    let is_critical = class.is_hidden() || class.text().is_some_and(|class| class.starts_with("system-"));
    let has_label = |metadata: Node<'_>| {
        let tier = Setting::below(metadata, &["labels", "tier"]).text();
        tier == Some("control-plane") || !Setting::below(metadata, &["labels", "k8s-app"]).is_absent()
    };
    is_critical || workload.object.at(&["metadata"]).into_iter().chain(workload.metadata).any(has_label)
}
