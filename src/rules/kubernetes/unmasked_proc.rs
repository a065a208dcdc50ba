//! Parts of `/proc` tell about the node and steer it.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unmasked-proc",
        title: "All of `/proc` in the container",
        why: "Engines hide what in `/proc` tells about the whole machine, and keep the container from writing what steers it. `Unmasked` undoes that.",
        remedy: "Take `procMount` out. What needs it, to run containers in containers, needs `hostUsers: false` beside it.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the setting out; what starts containers itself needs it."),
        references: &[
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Hardening container environments"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &["kube-linter:unsafe-proc-mount", "trivy:KSV-0027"],
        examples: &[
            Example::new(
                "A container",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      «procMount: Unmasked»\n      runAsNonRoot: true\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsNonRoot: true\n",
            ),
            Example::new(
                "The only setting",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {«procMount: Unmasked»}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for container in cx.model.linux_containers() {
        let setting = container.own_security(&["procMount"]);
        if setting.text().is_none_or(|text| text == "Default") {
            continue;
        }
        let name = container.name();
        let place = container.place_of(&["securityContext", "procMount"]);
        // With users of its own root in the pod is nobody on the node, and writes nothing there that steers it.
        let finding = if container.workload.has_own_users() {
            let message = format!(
                "the restricted standard does not allow the open `/proc` of the container `{name}`, nor do older baseline ones"
            );
            out.report(place, message).severity(Severity::Info)
        } else {
            out.report(place, format!("the container `{name}` sees and writes all of `/proc`"))
        };
        finding.repair(cx, || {
            let context = container.node.get("securityContext").ok_or("it is not written here")?;
            let edit = editor.remove_key(context, "procMount").map_err(|refusal| refusal.to_string())?;
            let reason = "a program that starts containers itself needs it";
            Ok::<Fix, String>(Fix::new("Hide what is the node's", Safety::Manual, reason, vec![edit]))
        });
    }
}
