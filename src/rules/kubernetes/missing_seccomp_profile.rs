//! Without a profile a container may make any call to the kernel.

use crate::{
    model::kubernetes::{Container, KubernetesModel, Setting},
    rewrite::manifest::set_below,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Value},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-seccomp-profile",
        title: "No seccomp profile",
        why: "A cluster applies no seccomp profile unless the pod asks for one: every call to the kernel is allowed, also the rare ones in which its holes are found.",
        remedy: "Set `seccompProfile: {type: RuntimeDefault}` for the pod. Nearly every program runs under it.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Asks for the default profile; debuggers, tracers and browsers may need one of their own.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.7.2"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "restricted 1.19"),
            Reference::new(Scheme::NsaCisa, "Hardening container environments"),
            Reference::new(Scheme::Cwe, "693"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_31",
            "kics:f377b83e-bd07-4f48-a591-60c82b14a78b",
            "trivy:KSV-0030",
            "trivy:KSV-0104",
        ],
        examples: &[
            Example::new(
                "Nothing is said of it",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n",
            ),
            Example::new(
                "Another container has one",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n  - name: log\n    image: fluent-bit:4.1\n    securityContext: {seccompProfile: {type: Unconfined}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      seccompProfile:\n        type: RuntimeDefault\n  - name: log\n    image: fluent-bit:4.1\n    securityContext: {seccompProfile: {type: Unconfined}}\n",
            ),
            Example::new(
                "Beside a privileged container, which has none whatever is said",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n  - name: node\n    image: node-agent:4.1\n    securityContext: {privileged: true}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n  - name: node\n    image: node-agent:4.1\n    securityContext: {privileged: true}\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n",
            ),
            Example::new(
                "Servers that know this version of the API do not know the field",
                "-- web.k8s.yaml --\napiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - «name: web»\n        image: nginx:1.29\n",
                "-- web.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - name: web\n        image: nginx:1.29\n      securityContext:\n        seccompProfile:\n          type: RuntimeDefault\n",
            ),
            Example::new(
                "A type that the cluster does not know",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      seccompProfile:\n        «type: custom»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      seccompProfile:\n        type: RuntimeDefault\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for workload in cx.model.workloads().filter(|workload| !workload.is_on_windows()) {
        let seen = workload.containers().filter(|container| container.is_whole() && workload.is_whole());
        // What is privileged has no profile, whatever is said, and that is told as what it is.
        for container in seen.filter(|container| !container.is_privileged()) {
            let has_profile = match container.security(&["seccompProfile"]) {
                Setting::Hidden(_) => true,
                Setting::Absent => is_annotated(container),
                Setting::Written(profile) => match Setting::below(profile, &["type"]) {
                    Setting::Hidden(_) => true,
                    Setting::Absent => false,
                    // That it is turned off is told as what it is.
                    Setting::Written(node) => {
                        matches!(node.scalar(), Some("RuntimeDefault" | "Localhost" | "Unconfined"))
                    }
                },
            };
            if !has_profile {
                let place = container.place_of_security(&["seccompProfile", "type"]);
                let message = format!(
                    "the container `{}` may make any call to the kernel: it has no seccomp profile",
                    container.name()
                );
                out.report(place, message).repair(cx, || default_profile(editor, container));
            }
        }
    }
}

/// Whether an annotation names a profile, as it was done before there was a field.
fn is_annotated(container: Container<'_>) -> bool {
    container
        .workload
        .annotations()
        .filter_map(|entry| entry.key.scalar())
        .any(|key| key.contains("seccomp.security.alpha"))
}

fn default_profile<'y>(editor: &Editor<'y>, container: Container<'y>) -> Result<Fix, String> {
    let workload = container.workload;
    if workload.containers().any(Container::runs_containers) {
        return Err("what starts containers itself makes calls that the default profile forbids".to_owned());
    }
    if let Some(reason) = workload.object.is_older_than("seccompProfile") {
        return Err(reason);
    }
    let path = ["securityContext", "seccompProfile", "type"];
    let has_own = |container: Container<'_>| !container.own_security(&["seccompProfile"]).is_absent();
    let is_of_pod = !has_own(container)
        && (!workload.security(&["seccompProfile"]).is_absent() || !workload.containers().any(has_own));
    let node = if is_of_pod { workload.pod } else { container.node };
    let edit = set_below(editor, node, &path, Value::text("RuntimeDefault"))?;
    let reason = "a program that traces others or makes rare calls to the kernel may need a profile of its own";
    Ok(Fix::new("Ask for the default profile", Safety::Risky, reason, vec![edit]))
}
