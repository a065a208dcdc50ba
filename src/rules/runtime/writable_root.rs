//! A root file system that can be written lets an attacker keep what he brings.

use crate::{
    model::{compose::ComposeModel, graph::Made, kubernetes::KubernetesModel},
    rewrite::confine::{read_only_container, read_only_service},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "writable-root",
        title: "Root file system of the container can be written",
        why: "Whoever breaks in can replace programs and leave tools behind; nothing that the image ships has to be written while it runs.",
        remedy: "Set `read_only: true` on the service, `readOnlyRootFilesystem: true` in the container, and mount memory where the program writes.",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Makes it read-only, with memory where the program writes, if that is known of the image.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.13"),
            Reference::new(Scheme::Nist800190, "4.4.4"),
            Reference::new(Scheme::NsaCisa, "Immutable container file systems"),
            Reference::new(Scheme::Cwe, "732"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_22",
            "kics:a9c2f49d-0671-4fc9-9ece-f4e261e128d0",
            "kube-linter:no-read-only-root-fs",
            "semgrep:writable-filesystem-container",
            "semgrep:writable-filesystem-service",
            "trivy:KSV-0014",
        ],
        examples: &[
            Example::new(
                "A service",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    read_only: true\n    tmpfs:\n      - /var/cache/nginx\n      - /var/run\n",
            ),
            Example::new(
                "A container of a pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      readOnlyRootFilesystem: true\n    volumeMounts:\n    - name: web-var-cache-nginx\n      mountPath: /var/cache/nginx\n    - name: web-var-run\n      mountPath: /var/run\n  volumes:\n  - name: web-var-cache-nginx\n    emptyDir: {}\n  - name: web-var-run\n    emptyDir: {}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let mut made = Made::around(cx.context);
    for service in cx.model.linux_services().filter(|service| service.is_whole()) {
        // What nobody can read may be it.
        if service.switch("read_only").is_some_and(|(value, _)| value != Some(false)) {
            continue;
        }
        let message = format!("`{}` may write to its root file system", service.name());
        let finding = out.report(service.key.span(), message);
        finding.repair(cx, || read_only_service(cx.knowledge, &mut made, editor, service));
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let mut made = Made::around(cx.context);
    for container in cx.model.linux_containers().filter(|container| container.is_whole()) {
        let setting = container.own_security(&["readOnlyRootFilesystem"]);
        if setting.is_hidden() || setting.boolean() == Some(true) {
            continue;
        }
        let place = container.place_of(&["securityContext", "readOnlyRootFilesystem"]);
        let message = format!("the container `{}` may write to its root file system", container.name());
        out.report(place, message).repair(cx, || read_only_container(cx.knowledge, &mut made, editor, container));
    }
}
