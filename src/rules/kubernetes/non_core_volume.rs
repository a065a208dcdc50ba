//! A volume that a pod describes by itself needs drivers, and often keys, of the cluster.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "non-core-volume",
        title: "Volume of a kind that does not belong in a pod",
        why: "Servers, disks and often keys stand in the manifest of the pod, and code of the cluster itself serves most of these kinds, or did until it was removed; for `gitRepo` the node runs git. The restricted Pod Security Standard refuses them.",
        remedy: "Take a claim for a volume, which a driver of its own serves (CSI). In place of `gitRepo`, clone in an init container into an `emptyDir`.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "restricted 1.0"),
            Reference::new(Scheme::Cwe, "1104"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/storage/volumes/"),
        ],
        equivalents: &["trivy:KSV-0028"],
        examples: &[
            Example::new(
                "A disk",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - name: data\n    «scaleIO»:\n      gateway: https://localhost:443/api\n      system: scaleio\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - name: data\n    persistentVolumeClaim: {claimName: data}\n",
            ),
            Example::new(
                "A repository",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - name: site\n    «gitRepo»: {repository: 'https://example.com/site.git'}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  volumes:\n  - name: site\n    emptyDir: {}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Kinds of volumes that the restricted standard leaves out; `hostPath` has rules of its own.
const KINDS: [&str; 20] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "iscsi",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads() {
        for entry in workload.volumes().flat_map(|volume| volume.node.entries()) {
            let Some(kind) = entry.key.scalar().filter(|kind| KINDS.contains(kind)) else { continue };
            // Nobody can claim one, and hooks of the repository run on the node, as root.
            if kind == "gitRepo" {
                let message = "`gitRepo` lets the node clone a repository as root: an init container can do it instead";
                out.report(entry.key.span(), message).severity(Severity::High);
            } else {
                out.report(entry.key.span(), format!("`{kind}` is a kind of volume that pods should only claim"));
            }
        }
    }
}
