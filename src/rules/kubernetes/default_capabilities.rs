//! What engines give to every container, hardly any program needs.

use crate::{
    model::{
        graph::Made,
        kubernetes::{Dropped, KubernetesModel},
    },
    rewrite::confine::drop_all,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "default-capabilities",
        title: "Container keeps all capabilities that engines give",
        why: "Engines give a container fourteen capabilities: to forge packets, to take over files, to become anybody. A program that is no root needs none of them.",
        remedy: "Set `capabilities: {drop: [ALL]}` in the container, and add back the one that a program that starts as root needs.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Drops all of them, and adds back what the image is known to need, unless the program starts as root and that is not known.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.10"),
            Reference::new(Scheme::CisDocker, "5.4"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "restricted 1.22"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_28",
            "kics:268ca686-7fb7-4ae9-b129-955a2a89064e",
            "kics:dbbc6705-d541-43b0-b166-dd4be8208b54",
            "kube-linter:drop-net-raw-capability",
            "trivy:KSV-0003",
            "trivy:KSV-0004",
            "trivy:KSV-0106",
        ],
        examples: &[
            Example::new(
                "A program that is not root",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    «securityContext»:\n      runAsUser: 10001\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      capabilities:\n        drop:\n        - ALL\n",
            ),
            Example::new(
                "A program that starts as root",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      capabilities:\n        drop:\n        - ALL\n        add:\n        - CHOWN\n        - NET_BIND_SERVICE\n        - SETGID\n        - SETUID\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let mut made = Made::around(cx.context);
    for container in cx.model.linux_containers().filter(|container| container.is_whole()) {
        if container.dropped() == Dropped::Nothing {
            let place = container.place_of(&["securityContext", "capabilities", "drop"]);
            // What is privileged has all that there are.
            let given = if container.is_privileged() { "that there is" } else { "that engines give" };
            let message = format!("the container `{}` keeps every capability {given}", container.name());
            out.report(place, message).repair(cx, || drop_all(cx.knowledge, &mut made, editor, container));
        }
    }
}
