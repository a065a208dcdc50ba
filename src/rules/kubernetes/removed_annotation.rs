//! An annotation that nobody reads any more looks like a profile and is none.

use crate::{
    model::kubernetes::KubernetesModel,
    rewrite::profile,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
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

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for workload in cx.model.workloads() {
        for entry in workload.annotations() {
            let Some(key) = entry.key.scalar() else { continue };
            let Some(annotation) = profile::Annotation::of(workload, entry) else { continue };
            let field = annotation.field;
            let state = if field == "seccompProfile" { "is not read any more" } else { "is given up" };
            let finding = out.report(entry.span(), format!("`{key}` {state}: the field is `{field}`"));
            if field == "appArmorProfile" {
                finding.severity(Severity::Low);
            }
            finding.repair(cx, || annotation.as_field(editor));
        }
    }
}
