//! What the server no longer knows is not made.

use crate::{
    model::kubernetes::{KubernetesModel, RemovedVersion},
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

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for object in &cx.model.objects {
        let (Some(entry), Some(removed)) = (object.node.entry("apiVersion"), object.removed_version()) else {
            continue;
        };
        let RemovedVersion { kind, version, since, next, is_same } = *removed;
        let message = format!("`{version}` of `{kind}` is gone since Kubernetes 1.{since}: `{next}` replaced it");
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
