//! A program that may forge packets plays the gateway for its neighbours.

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
        id: "net-raw-kept",
        title: "Container may forge packets",
        why: "With `NET_RAW` a program answers for other addresses of its network: it takes over the names and the traffic of other pods on the node. Other capabilities are dropped here, and this one is not.",
        remedy: "Drop `ALL` instead, and add back what is needed; `ping` works without it where the node allows groups to send echo requests.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Drops all of them, and adds back what the image is known to need, unless the program starts as root and that is not known.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.8"),
            Reference::new(Scheme::CisDocker, "5.4"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "restricted 1.22"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_28",
            "kics:dbbc6705-d541-43b0-b166-dd4be8208b54",
            "kube-linter:drop-net-raw-capability",
            "trivy:KSV-0003",
            "trivy:KSV-0106",
        ],
        examples: &[
            Example::new(
                "Some are dropped",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      capabilities:\n        «drop»:\n        - MKNOD\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      runAsUser: 10001\n      capabilities:\n        drop:\n        - MKNOD\n        - ALL\n",
            ),
            Example::new(
                "In brackets",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsUser: 10001, capabilities: {«drop»: [KILL]}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsUser: 10001, capabilities: {drop: [KILL, ALL]}}\n",
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
        if container.dropped() == (Dropped::Some { net_raw: false }) {
            let place = container.place_of(&["securityContext", "capabilities", "drop"]);
            let message =
                format!("the container `{}` drops capabilities, but may still forge packets", container.name());
            out.report(place, message).repair(cx, || drop_all(cx.knowledge, &mut made, editor, container));
        }
    }
}
