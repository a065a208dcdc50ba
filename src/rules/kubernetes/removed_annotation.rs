//! An annotation that nobody reads any more looks like a profile and is none.

use crate::{
    model::kubernetes::{KubernetesModel, Setting, Workload},
    rewrite::manifest::set_below,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Entry, Value},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "removed-annotation",
        title: "Profile in an annotation of old",
        why: "Clusters since 1.27 do not read annotations about seccomp: the pod has no profile while its manifest says it has. Those about AppArmor are given up since 1.30, in favour of a field.",
        remedy: "Write `seccompProfile` and `appArmorProfile` in the `securityContext`.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(Safety::Risky, "Moves the profile into the field; the default of AppArmor needs none."),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.7.2"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "477"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tutorials/security/seccomp/"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tutorials/security/apparmor/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Seccomp of a pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    «seccomp.security.alpha.kubernetes.io/pod: runtime/default»\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n",
            ),
            Example::new(
                "AppArmor of a container",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    team: shop\n    «container.apparmor.security.beta.kubernetes.io/web: localhost/web»\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    team: shop\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      appArmorProfile:\n        type: Localhost\n        localhostProfile: web\n",
            ),
            Example::new(
                "The default of AppArmor, which engines apply unasked",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    team: shop\n    «container.apparmor.security.beta.kubernetes.io/web: runtime/default»\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    team: shop\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Starts of annotations, and the fields in their place.
const ANNOTATIONS: [(&str, &str); 3] = [
    ("container.seccomp.security.alpha.kubernetes.io/", "seccompProfile"),
    ("seccomp.security.alpha.kubernetes.io/", "seccompProfile"),
    ("container.apparmor.security.beta.kubernetes.io/", "appArmorProfile"),
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for workload in cx.model.workloads() {
        for entry in workload.annotations() {
            let Some(key) = entry.key.scalar() else { continue };
            let Some((start, field)) = ANNOTATIONS.iter().find(|(start, _)| key.starts_with(start)) else { continue };
            let state = if *field == "seccompProfile" { "is not read any more" } else { "is given up" };
            let finding = out.report(entry.span(), format!("`{key}` {state}: the field is `{field}`"));
            if *field == "appArmorProfile" {
                finding.severity(Severity::Low);
            }
            finding.repair(cx, || as_field(editor, workload, entry, &key[start.len()..], field));
        }
    }
}

/// The annotation `entry`, which is about `subject`, as a field.
fn as_field<'y>(
    editor: &Editor<'y>,
    workload: Workload<'y>,
    entry: Entry<'y>,
    subject: &str,
    field: &str,
) -> Result<Fix, String> {
    let node = match subject {
        "pod" | "defaultProfileName" => workload.pod,
        name => {
            let mut named = workload.containers().filter(|container| container.name() == name);
            named.next().ok_or("the pod has no container of that name")?.node
        }
    };
    if !Setting::below(node, &["securityContext", field]).is_absent() {
        return Err("the field says something already".to_owned());
    }
    let profile = entry.value.scalar().filter(|_| !entry.value.resolved().is_template()).unwrap_or_default();
    let metadata = workload.metadata.and_then(|metadata| metadata.get("annotations")).ok_or("it has no annotations")?;
    let key = entry.key.scalar().ok_or("the annotation has no name")?;
    let removal = editor.remove_key(metadata, key).map_err(|refusal| refusal.to_string())?;
    let kind = |kind: &str| Value::map([("type", Value::text(kind))]);
    let (value, reason) = match (profile, profile.strip_prefix("localhost/")) {
        // A node without AppArmor refuses a pod that asks for a profile, be it the default.
        ("runtime/default", _) if field == "appArmorProfile" => {
            let reason = "it is the default: where a node has AppArmor, its engine applies that profile unasked";
            return Ok(Fix::new("Take it out", Safety::Risky, reason, vec![removal]));
        }
        ("runtime/default" | "docker/default", _) => (kind("RuntimeDefault"), SECCOMP),
        (_, Some(file)) => {
            let value = Value::map([("type", Value::text("Localhost")), ("localhostProfile", Value::text(file))]);
            (value, if field == "appArmorProfile" { APPARMOR } else { SECCOMP_OF_NODE })
        }
        _ => return Err("what it names is no profile that the field knows, or none at all".to_owned()),
    };
    let field = set_below(editor, node, &["securityContext", field], value)?;
    Ok(Fix::new("Write it as a field", Safety::Risky, reason, vec![field, removal]))
}

const SECCOMP: &str =
    "clusters of today apply the field where they did not read the annotation, and those before 1.19 do not know it";

const SECCOMP_OF_NODE: &str = "clusters of today apply the field where they did not read the annotation: the profile has to lie on every node that the pod may run on, or it does not start";

const APPARMOR: &str = "the profile has to be loaded on every node that the pod may run on, or it does not start, and clusters before 1.30 do not know the field";
