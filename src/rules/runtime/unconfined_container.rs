//! A container without its profile may make any call to the kernel.

use crate::{
    model::{
        compose::ComposeModel,
        kubernetes::{KubernetesModel, Setting},
    },
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node, Value},
    text::Edit,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unconfined-container",
        title: "Confinement of the container turned off",
        why: "The profile that engines apply by default forbids calls to the kernel that programs hardly need and attackers do. Without it a hole in the kernel is within reach.",
        remedy: "Take it out: the default profile suits nearly every program. Where one call is needed, write a profile that adds it.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Goes back to the default profile; debuggers, tracers and browsers may need a profile of their own.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.2"),
            Reference::new(Scheme::CisDocker, "5.3"),
            Reference::new(Scheme::CisDocker, "5.22"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Hardening container environments"),
            Reference::new(Scheme::Cwe, "693"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_31",
            "kics:404fde2c-bc4b-4371-9747-7054132ac953",
            "kics:f377b83e-bd07-4f48-a591-60c82b14a78b",
            "semgrep:seccomp-confinement-disabled",
            "semgrep:selinux-separation-disabled",
            "trivy:KSV-0002",
            "trivy:KSV-0030",
            "trivy:KSV-0104",
        ],
        examples: &[
            Example::new(
                "A service without its profile",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    security_opt:\n      - «seccomp:unconfined»\n      - no-new-privileges:true\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    security_opt:\n      - no-new-privileges:true\n",
            ),
            Example::new(
                "A container of a pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      seccompProfile:\n        «type: Unconfined»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      seccompProfile:\n        type: RuntimeDefault\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

/// Options that turn confinement off, `=` written as `:`.
const OPTIONS: [&str; 4] = ["seccomp:unconfined", "apparmor:unconfined", "label:disable", "systempaths:unconfined"];

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in &cx.model.services {
        for text in service.list("security_opt") {
            let Some(option) = text.known().filter(|option| OPTIONS.contains(&&*option.replace('=', ":"))) else {
                continue;
            };
            let message = format!("`{}` is not confined: `{option}`", service.name());
            let finding = out.report(service.place_of_item(text.node), message);
            finding.repair(cx, || {
                let edit = editor.remove_item(text.node).map_err(|refusal| refusal.to_string())?;
                Ok::<Fix, String>(fix(edit))
            });
        }
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for workload in cx.model.workloads() {
        let contexts = workload.containers().map(|container| container.node).chain([workload.pod]);
        for (node, key) in contexts.flat_map(|node| ["seccompProfile", "appArmorProfile"].map(|key| (node, key))) {
            let profile = Setting::below(node, &["securityContext", key]).node();
            let entry = profile.and_then(|profile| profile.entry("type"));
            let Some(entry) = entry.filter(|entry| entry.value.scalar() == Some("Unconfined")) else { continue };
            let is_overruled = node.span() == workload.pod.span()
                && workload.containers().all(|container| container.own_security(&[key]).node().is_some());
            if !is_overruled {
                let finding = out.report(entry.span(), format!("no profile confines it: `{key}` is `Unconfined`"));
                finding.repair(cx, || default_profile(editor, entry.value));
            }
        }
        for entry in workload.annotations().filter(|entry| entry.value.scalar() == Some("unconfined")) {
            let is_profile = |key: &str| ANNOTATIONS.iter().any(|start| key.starts_with(start));
            let Some(key) = entry.key.scalar().filter(|key| is_profile(key)) else { continue };
            let finding = out.report(entry.span(), format!("no profile confines it: `{key}` is `unconfined`"));
            finding.repair(cx, || {
                let value = Value::text("runtime/default");
                let edit = editor.replace(entry.value, &value).map_err(|refusal| refusal.to_string())?;
                Ok::<Fix, String>(fix(edit))
            });
        }
    }
}

/// Annotations that named profiles before there were fields for it.
const ANNOTATIONS: [&str; 3] = [
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
];

fn default_profile<'y>(editor: &Editor<'y>, node: Node<'y>) -> Result<Fix, String> {
    let edit = editor.replace(node, &Value::text("RuntimeDefault")).map_err(|refusal| refusal.to_string())?;
    Ok(fix(edit))
}

fn fix(edit: Edit) -> Fix {
    let reason = "a program that traces others or makes rare calls to the kernel may need a profile of its own";
    Fix::new("Go back to the default profile", Safety::Risky, reason, vec![edit])
}
