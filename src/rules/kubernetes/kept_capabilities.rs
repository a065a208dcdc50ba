//! Dropping some capabilities leaves those that nobody thought of.

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
        id: "kept-capabilities",
        title: "Container keeps capabilities that it does not name",
        why: "A list of what is dropped leaves everything else, also what engines give in the future. The restricted Pod Security Standard asks for `ALL`.",
        remedy: "Drop `ALL`, and add back what is needed.",
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
        equivalents: &["trivy:KSV-0003", "trivy:KSV-0106"],
        examples: &[
            Example::new(
                "One is dropped",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      capabilities:\n        «drop»:\n          - NET_RAW\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      capabilities:\n        drop:\n          - NET_RAW\n          - ALL\n",
            ),
            Example::new(
                "In brackets",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsUser: 10001, capabilities: {«drop»: [NET_RAW]}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsUser: 10001, capabilities: {drop: [NET_RAW, ALL]}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let mut made = Made::around(cx.context);
    for container in cx.model.linux_containers() {
        if container.dropped() == (Dropped::Some { net_raw: true }) {
            let place = container.place_of(&["securityContext", "capabilities", "drop"]);
            let message = format!("the container `{}` keeps the capabilities that it does not name", container.name());
            out.report(place, message).repair(cx, || drop_all(cx.knowledge, &mut made, editor, container));
        }
    }
}
