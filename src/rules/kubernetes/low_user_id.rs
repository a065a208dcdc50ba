//! A user number that the node knows too is somebody there.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    text::Span,
};
use std::collections::BTreeSet;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "low-user-id",
        title: "User number that may be somebody on the node",
        why: "A file or process that leaves the container belongs to the node's user of the same number. Numbers below 10000 are those of people and services there, and a number that only the image says may be any.",
        remedy: "Take a number above 10000, and hand over to it what the program writes; or set `hostUsers: false`.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::NsaCisa, "Non-root containers and rootless container engines"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/multi-tenancy/"),
        ],
        equivalents: &["checkov:CKV_K8S_40", "kics:02323c00-cdc3-4fdc-a310-4f2b3e7a1660", "trivy:KSV-0020"],
        examples: &[
            Example::new(
                "A low number",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {«runAsUser: 1000»}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsUser: 10001}\n",
            ),
            Example::new(
                "The number is left to the image",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    «securityContext»:\n      runAsNonRoot: true\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsNonRoot: true\n      runAsUser: 10001\n",
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
            let message = match container.user() {
                Setting::Hidden(_) => continue,
                Setting::Absent if container.is_kept_from_root() != Some(true) => continue,
                Setting::Absent => {
                    format!("the container `{}` has a user of which only its image knows the number", container.name())
                }
                Setting::Written(_) => match container.user().number() {
                    Some(number @ 1..10000) => {
                        format!(
                            "the container `{}` runs as {number}, which may be somebody on the node",
                            container.name()
                        )
                    }
                    Some(_) | None => continue,
                },
            };
            let place = container.place_of_security(&["runAsUser"]);
            if told.insert(place) {
                out.report(place, message)
                    .decline("what belongs to the user in the image and in volumes is not known here");
            }
        }
    }
}
