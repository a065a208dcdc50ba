//! A directory of the node in a pod ties both together.

use crate::{
    model::{
        host_path::{self, Reach},
        kubernetes::KubernetesModel,
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "host-path-volume",
        title: "Path of the node mounted",
        why: "What the pod reads and writes there is that of the node and of every other pod that mounts it, and its quotas, users and life are the node's. The Pod Security Standards allow it to no one.",
        remedy: "Take a claim for a volume, an `emptyDir` for what may be lost, or a `configMap` for what is configured.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.12"),
            Reference::new(Scheme::CisDocker, "5.6"),
            Reference::new(Scheme::Nist800190, "4.5.5"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &["kics:aa8f7a35-9923-4cad-bd61-a19b7f6aac91", "trivy:KSV-0023"],
        examples: &[
            Example::new(
                "Data",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - name: data\n    hostPath:\n      «path: /srv/data»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - name: data\n    persistentVolumeClaim: {claimName: data}\n",
            ),
            Example::new(
                "Beside another volume",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - {name: tmp, emptyDir: {}}\n  - {name: logs, hostPath: {«path: /var/log»}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - {name: tmp, emptyDir: {}}\n",
            ),
            Example::new(
                "A word in the place of a path",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - {name: data, hostPath: {«path: HOST_FILE»}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads() {
        // Agents of the node live there, and read what is the node's.
        if workload.object.at(&["metadata", "namespace"]).and_then(Node::scalar) == Some("kube-system") {
            continue;
        }
        for volume in workload.volumes() {
            let Some(path) = volume.host_path() else { continue };
            let severity = match host_path::reach(path) {
                Reach::Data => Severity::Medium,
                // Nothing is given away, but the standards allow it no more than the rest.
                Reach::Harmless => Severity::Info,
                Reach::Node | Reach::System | Reach::Socket => continue,
            };
            let message = format!("{} of the node is a volume of `{}`", host_path::in_words(path), workload.name());
            let finding = out.report(volume.place_of_path(), message);
            finding.severity(severity).decline("where else the data can be is not known here");
        }
    }
}
