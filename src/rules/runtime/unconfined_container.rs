//! A container without its profile may make any call to the kernel.

use crate::{
    model::{
        compose::{ComposeModel, ServiceMount, ServiceMountKind},
        kubernetes::{Container, KubernetesModel, Setting},
    },
    rewrite::profile,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node, Refusal, Value},
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
            "Goes back to the default profile, but for what starts containers itself; debuggers, tracers and browsers may need a profile of their own.",
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
            Example::new(
                "AppArmor, which not every node has",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    team: shop\n    «container.apparmor.security.beta.kubernetes.io/web: unconfined»\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      appArmorProfile:\n        «type: Unconfined»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    team: shop\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n",
            ),
            Example::new(
                "An annotation that clusters of today do not read",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    «seccomp.security.alpha.kubernetes.io/pod: unconfined»\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n",
            ),
            Example::new(
                "What builds images itself needs it, and is for somebody to decide",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: build}\nspec:\n  containers:\n  - name: build\n    image: moby/buildkit:v0.26.2-rootless\n    securityContext:\n      seccompProfile:\n        «type: Unconfined»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: build}\nspec:\n  hostUsers: false\n  containers:\n  - name: build\n    image: moby/buildkit:v0.26.2\n",
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
                if service.runs_containers() {
                    return Err(NESTED.to_owned());
                }
                let keeps_label =
                    |mount: &ServiceMount<'_>| mount.kind == ServiceMountKind::Bind && !mount.is_relabelled;
                if option.starts_with("label") && service.mounts().iter().any(keeps_label) {
                    return Err(LABELS.to_owned());
                }
                let edit = editor.remove_item(text.node).map_err(|refusal| refusal.to_string())?;
                Ok::<Fix, String>(fix(vec![edit]))
            });
        }
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for workload in cx.model.workloads() {
        let is_nesting = workload.containers().any(Container::runs_containers);
        let contexts = workload.containers().map(|container| container.node).chain([workload.pod]);
        for (node, key) in contexts.flat_map(|node| ["seccompProfile", "appArmorProfile"].map(|key| (node, key))) {
            let profile = Setting::below(node, &["securityContext", key]).node();
            let entry = profile.and_then(|profile| profile.entry("type"));
            let Some(entry) = entry.filter(|entry| entry.value.scalar() == Some("Unconfined")) else { continue };
            let is_overruled = node.span() == workload.pod.span()
                && workload.containers().all(|container| container.own_security(&[key]).node().is_some());
            if !is_overruled {
                let finding = out.report(entry.span(), format!("no profile confines it: `{key}` is `Unconfined`"));
                finding.repair(cx, || {
                    let edit = match key {
                        _ if is_nesting => return Err(NESTED.to_owned()),
                        "appArmorProfile" => without_profile(editor, node),
                        _ => editor.replace(entry.value, &Value::text("RuntimeDefault")),
                    };
                    Ok::<Fix, String>(fix(vec![edit.map_err(|refusal| refusal.to_string())?]))
                });
            }
        }
        for entry in workload.annotations().filter(|entry| entry.value.scalar() == Some("unconfined")) {
            let (Some(key), Some(annotation)) = (entry.key.scalar(), profile::Annotation::of(workload, entry)) else {
                continue;
            };
            let finding = out.report(entry.span(), format!("no profile confines it: `{key}` is `unconfined`"));
            finding.repair(cx, || {
                if is_nesting {
                    return Err(NESTED.to_owned());
                }
                annotation.as_default(editor).map(fix)
            });
        }
    }
}

const NESTED: &str = "what starts containers itself, or builds images, makes the calls that the default profile forbids: rootless BuildKit, Podman and the like ask for this";

const LABELS: &str = "where SELinux is on, the files of the host that are mounted could not be used any more: `:z` behind a mount labels its files anew, and that is for whoever owns them to say";

/// Engines apply their profile of `AppArmor` unasked where the node has it; a node without it refuses a pod that asks.
fn without_profile<'y>(editor: &Editor<'y>, node: Node<'y>) -> Result<Edit, Refusal> {
    let context = node.get("securityContext").ok_or(Refusal::Form)?;
    editor.remove_key(context, "appArmorProfile")
}

fn fix(edits: Vec<Edit>) -> Fix {
    let reason = "a program that traces others or makes rare calls to the kernel may need a profile of its own";
    Fix::new("Go back to the default profile", Safety::Risky, reason, edits)
}
