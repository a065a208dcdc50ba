//! Some capabilities are as good as root on the host.

use crate::{
    model::{capability, compose::ComposeModel, kubernetes::KubernetesModel},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "dangerous-capability",
        title: "Capability beyond those that may be given to any container",
        why: "Each capability is a part of what root may do on the host. `SYS_ADMIN`, `SYS_MODULE`, `SYS_PTRACE` and their like are enough to leave the container.",
        remedy: "Take it out, or name the one capability that the program needs.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the capability out; the program may need it."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.4"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_25",
            "checkov:CKV_K8S_39",
            "kics:19ebaa28-fc86-4a58-bcfa-015c9e22fe40",
            "kics:235236ee-ad78-4065-bd29-61b061f28ce0",
            "kics:ce76b7d0-9e77-464d-b86f-c5c48e03e22d",
            "kube-linter:drop-net-raw-capability",
            "trivy:KSV-0005",
            "trivy:KSV-0022",
            "trivy:KSV-0106",
            "trivy:KSV-0119",
            "trivy:KSV-0120",
        ],
        examples: &[
            Example::new(
                "A capability that can leave the container",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    cap_add:\n      - NET_BIND_SERVICE\n      - «SYS_ADMIN»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    cap_add:\n      - NET_BIND_SERVICE\n",
            ),
            Example::new(
                "A container of a pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      capabilities: {add: [CHOWN, «NET_RAW»]}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      capabilities: {add: [CHOWN]}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

fn is_dangerous(name: &str) -> bool {
    !capability::is_usual(name)
}

/// How bad a capability is: some are all that it takes.
fn severity(name: &str) -> Severity {
    match &*capability::canonical(name) {
        "ALL" | "SYS_ADMIN" | "SYS_MODULE" | "SYS_RAWIO" | "SYS_PTRACE" | "DAC_READ_SEARCH" | "BPF" => {
            Severity::Critical
        }
        _ => Severity::High,
    }
}

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for service in cx.model.linux_services() {
        for text in service.list("cap_add") {
            let Some(name) = text.known().filter(|name| is_dangerous(name)) else { continue };
            let message = format!("`{}` is given the capability `{name}`", service.name());
            let finding = out.report(service.place_of_item(text.node), message);
            finding.severity(severity(name)).repair(cx, || without(editor, text.node));
        }
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for container in cx.model.linux_containers() {
        for item in container.own_security(&["capabilities", "add"]).node().into_iter().flat_map(Node::items) {
            let is_known = !item.resolved().is_template();
            let Some(name) = item.scalar().filter(|name| is_known && is_dangerous(name)) else { continue };
            let message = format!("the container `{}` is given the capability `{name}`", container.name());
            let finding = out.report(item.span(), message);
            finding.severity(severity(name)).repair(cx, || without(editor, item));
        }
    }
}

fn without<'y>(editor: &Editor<'y>, item: Node<'y>) -> Result<Fix, String> {
    let edit = editor.remove_item(item).map_err(|refusal| refusal.to_string())?;
    let reason = "the program may need it: start it without, and see what is refused";
    Ok(Fix::new("Take the capability away", Safety::Manual, reason, vec![edit]))
}
