//! A group number that the node knows too is a group there.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    text::Span,
};
use std::collections::BTreeSet;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "low-group-id",
        title: "Group number that may be a group on the node",
        why: "Files that leave the container belong to the node's group of the same number, and an image that says nothing of groups puts its program into the group of root.",
        remedy: "Set `runAsGroup` to a number above 10000, and hand over to it what the program shares.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"),
        ],
        equivalents: &["trivy:KSV-0021"],
        examples: &[
            Example::new(
                "A low number",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {«runAsGroup: 100»}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsGroup: 10001}\n",
            ),
            Example::new(
                "Nothing is said of groups",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsGroup: 10001}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| !workload.is_on_windows() && !workload.has_own_users()) {
        let mut told: BTreeSet<Span> = BTreeSet::new();
        for container in workload.containers().filter(|container| container.is_whole()) {
            let setting = container.security(&["runAsGroup"]);
            let message = match (setting.is_absent(), setting.number()) {
                (true, _) => format!("nothing says which group the container `{}` has", container.name()),
                (false, Some(number @ 1..10000)) => {
                    format!("the container `{}` has the group {number}, which the node may know", container.name())
                }
                (false, _) => continue,
            };
            let place = container.place_of_security(&["runAsGroup"]);
            if told.insert(place) {
                out.report(place, message)
                    .decline("what belongs to the group in the image and in volumes is not known here");
            }
        }
    }
}
