//! Versions of the API that servers no longer have, and which fields of pods such servers know.
//!
//! Sources: the deprecation guide of Kubernetes (kubernetes.io/docs/reference/using-api/deprecation-guide), and the pages
//! of the fields.

use super::Object;
use crate::syntax::yaml::Node;

/// A version of a kind that servers no longer have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovedVersion {
    /// The kind.
    pub kind: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The first server without it, by the number behind `1.`.
    pub since: u32,
    /// What replaced it.
    pub next: &'static str,
    /// Whether only the name changed.
    pub is_same: bool,
}

const fn removed(
    kind: &'static str,
    version: &'static str,
    since: u32,
    next: &'static str,
    is_same: bool,
) -> RemovedVersion {
    RemovedVersion { kind, version, since, next, is_same }
}

const REMOVED: &[RemovedVersion] = &[
    removed("ClusterRole", "rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1", true),
    removed("ClusterRoleBinding", "rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1", true),
    removed("CronJob", "batch/v1beta1", 25, "batch/v1", true),
    removed("CSIDriver", "storage.k8s.io/v1beta1", 22, "storage.k8s.io/v1", true),
    removed("CustomResourceDefinition", "apiextensions.k8s.io/v1beta1", 22, "apiextensions.k8s.io/v1", false),
    removed("DaemonSet", "apps/v1beta2", 16, "apps/v1", false),
    removed("DaemonSet", "extensions/v1beta1", 16, "apps/v1", false),
    removed("Deployment", "apps/v1beta1", 16, "apps/v1", false),
    removed("Deployment", "apps/v1beta2", 16, "apps/v1", false),
    removed("Deployment", "extensions/v1beta1", 16, "apps/v1", false),
    removed("EndpointSlice", "discovery.k8s.io/v1beta1", 25, "discovery.k8s.io/v1", false),
    removed("HorizontalPodAutoscaler", "autoscaling/v2beta1", 25, "autoscaling/v2", false),
    removed("HorizontalPodAutoscaler", "autoscaling/v2beta2", 26, "autoscaling/v2", false),
    removed("Ingress", "extensions/v1beta1", 22, "networking.k8s.io/v1", false),
    removed("Ingress", "networking.k8s.io/v1beta1", 22, "networking.k8s.io/v1", false),
    removed("IngressClass", "networking.k8s.io/v1beta1", 22, "networking.k8s.io/v1", true),
    removed("Lease", "coordination.k8s.io/v1beta1", 22, "coordination.k8s.io/v1", true),
    removed(
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1beta1",
        22,
        "admissionregistration.k8s.io/v1",
        false,
    ),
    removed("NetworkPolicy", "extensions/v1beta1", 16, "networking.k8s.io/v1", true),
    removed("PodDisruptionBudget", "policy/v1beta1", 25, "policy/v1", false),
    removed("PodSecurityPolicy", "extensions/v1beta1", 16, "Pod Security Admission", false),
    removed("PodSecurityPolicy", "policy/v1beta1", 25, "Pod Security Admission", false),
    removed("PriorityClass", "scheduling.k8s.io/v1beta1", 22, "scheduling.k8s.io/v1", true),
    removed("ReplicaSet", "apps/v1beta2", 16, "apps/v1", false),
    removed("ReplicaSet", "extensions/v1beta1", 16, "apps/v1", false),
    removed("Role", "rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1", true),
    removed("RoleBinding", "rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1", true),
    removed("RuntimeClass", "node.k8s.io/v1beta1", 25, "node.k8s.io/v1", true),
    removed("StatefulSet", "apps/v1beta1", 16, "apps/v1", false),
    removed("StatefulSet", "apps/v1beta2", 16, "apps/v1", false),
    removed("StorageClass", "storage.k8s.io/v1beta1", 22, "storage.k8s.io/v1", true),
    removed(
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1beta1",
        22,
        "admissionregistration.k8s.io/v1",
        false,
    ),
];

/// Fields of pods that servers did not always know, with the first that does so unasked, by the number behind `1.`.
const FIELDS: [(&str, u32); 4] =
    [("appArmorProfile", 30), ("fsGroupChangePolicy", 20), ("hostUsers", 30), ("seccompProfile", 19)];

impl Object<'_> {
    /// What is to be known of its version, if servers of today do not have that.
    pub fn removed_version(self) -> Option<&'static RemovedVersion> {
        let version = self.node.get("apiVersion").filter(|version| !version.is_template()).and_then(Node::scalar)?;
        REMOVED.iter().find(|removed| (removed.kind, removed.version) == (self.kind, version))
    }

    /// Why a field of pods does nothing in it, if every server that knows its version is older than the field.
    pub fn is_older_than(self, field: &str) -> Option<String> {
        let (_, first) = FIELDS.into_iter().find(|(name, _)| *name == field)?;
        let RemovedVersion { version, since, next, .. } = self.removed_version().filter(|it| it.since <= first)?;
        Some(format!(
            "servers that know `{version}` end before Kubernetes 1.{since}, and `{field}` begins with 1.{first}: write `{next}` first"
        ))
    }
}
