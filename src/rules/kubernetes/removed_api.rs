//! What the server no longer knows is not made.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::Value,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "removed-api",
        title: "Version of the API that servers no longer have",
        why: "A server of today refuses the object, and what it should have limited or confined is left as it was.",
        remedy: "Write the version that replaced it, and what changed with it.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Writes the next version where only the name changed; older servers do not know it.",
        ),
        references: &[Reference::new(Scheme::Url, "https://kubernetes.io/docs/reference/using-api/deprecation-guide/")],
        equivalents: &[],
        examples: &[
            Example::new(
                "Only the name changed",
                "-- object.k8s.yaml --\n«apiVersion: batch/v1beta1»\nkind: CronJob\nmetadata: {name: report}\n",
                "-- object.k8s.yaml --\napiVersion: batch/v1\nkind: CronJob\nmetadata: {name: report}\n",
            ),
            Example::new(
                "Nothing replaced it",
                "-- object.k8s.yaml --\n«apiVersion: policy/v1beta1»\nkind: PodSecurityPolicy\nmetadata: {name: restricted}\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels: {pod-security.kubernetes.io/enforce: restricted}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Versions that servers no longer have: kind, version, the server that dropped it, what replaced it, and whether only
/// the name changed.
const REMOVED: &[(&str, &str, &str, &str, bool)] = &[
    ("ClusterRole", "rbac.authorization.k8s.io/v1beta1", "1.22", "rbac.authorization.k8s.io/v1", true),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1beta1", "1.22", "rbac.authorization.k8s.io/v1", true),
    ("CronJob", "batch/v1beta1", "1.25", "batch/v1", true),
    ("CSIDriver", "storage.k8s.io/v1beta1", "1.22", "storage.k8s.io/v1", true),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1beta1", "1.22", "apiextensions.k8s.io/v1", false),
    ("DaemonSet", "apps/v1beta2", "1.16", "apps/v1", false),
    ("DaemonSet", "extensions/v1beta1", "1.16", "apps/v1", false),
    ("Deployment", "apps/v1beta1", "1.16", "apps/v1", false),
    ("Deployment", "apps/v1beta2", "1.16", "apps/v1", false),
    ("Deployment", "extensions/v1beta1", "1.16", "apps/v1", false),
    ("EndpointSlice", "discovery.k8s.io/v1beta1", "1.25", "discovery.k8s.io/v1", false),
    ("HorizontalPodAutoscaler", "autoscaling/v2beta1", "1.25", "autoscaling/v2", false),
    ("HorizontalPodAutoscaler", "autoscaling/v2beta2", "1.26", "autoscaling/v2", false),
    ("Ingress", "extensions/v1beta1", "1.22", "networking.k8s.io/v1", false),
    ("Ingress", "networking.k8s.io/v1beta1", "1.22", "networking.k8s.io/v1", false),
    ("IngressClass", "networking.k8s.io/v1beta1", "1.22", "networking.k8s.io/v1", true),
    ("Lease", "coordination.k8s.io/v1beta1", "1.22", "coordination.k8s.io/v1", true),
    (
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1beta1",
        "1.22",
        "admissionregistration.k8s.io/v1",
        false,
    ),
    ("NetworkPolicy", "extensions/v1beta1", "1.16", "networking.k8s.io/v1", true),
    ("PodDisruptionBudget", "policy/v1beta1", "1.25", "policy/v1", false),
    ("PodSecurityPolicy", "extensions/v1beta1", "1.16", "Pod Security Admission", false),
    ("PodSecurityPolicy", "policy/v1beta1", "1.25", "Pod Security Admission", false),
    ("PriorityClass", "scheduling.k8s.io/v1beta1", "1.22", "scheduling.k8s.io/v1", true),
    ("ReplicaSet", "apps/v1beta2", "1.16", "apps/v1", false),
    ("ReplicaSet", "extensions/v1beta1", "1.16", "apps/v1", false),
    ("Role", "rbac.authorization.k8s.io/v1beta1", "1.22", "rbac.authorization.k8s.io/v1", true),
    ("RoleBinding", "rbac.authorization.k8s.io/v1beta1", "1.22", "rbac.authorization.k8s.io/v1", true),
    ("RuntimeClass", "node.k8s.io/v1beta1", "1.25", "node.k8s.io/v1", true),
    ("StatefulSet", "apps/v1beta1", "1.16", "apps/v1", false),
    ("StatefulSet", "apps/v1beta2", "1.16", "apps/v1", false),
    ("StorageClass", "storage.k8s.io/v1beta1", "1.22", "storage.k8s.io/v1", true),
    (
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1beta1",
        "1.22",
        "admissionregistration.k8s.io/v1",
        false,
    ),
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for object in &cx.model.objects {
        let Some(entry) = object.node.entry("apiVersion").filter(|entry| !entry.value.is_template()) else { continue };
        let version = entry.value.scalar().unwrap_or_default();
        let is_one = |removed: &&(&str, &str, &str, &str, bool)| (removed.0, removed.1) == (object.kind, version);
        let Some(&(kind, _, server, next, is_same)) = REMOVED.iter().find(is_one) else { continue };
        let message = format!("`{version}` of `{kind}` is gone since Kubernetes {server}: `{next}` replaced it");
        let finding = out.report(entry.span(), message);
        finding.repair(cx, || {
            if !is_same {
                return Err("more than the name changed: fields have to be written anew".to_owned());
            }
            let edit = editor.replace(entry.value, &Value::text(next)).map_err(|refusal| refusal.to_string())?;
            let reason = "servers that are older than the new version do not know it";
            Ok(Fix::new("Write the version that replaced it", Safety::Risky, reason, vec![edit]))
        });
    }
}
