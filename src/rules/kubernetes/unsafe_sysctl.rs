//! A setting of the kernel that is not the pod's own is that of all its neighbours.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unsafe-sysctl",
        title: "Setting of the kernel that is not held safe",
        why: "Only some settings belong to one pod. The others change the kernel for everything on the node, or let one pod take its memory; the cluster refuses them unless its administrator allowed them.",
        remedy: "Take it out, or set it on the node.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Hardening container environments"),
            Reference::new(Scheme::Cwe, "668"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &["kics:9127f0d9-2310-42e7-866f-5fd9d20dcbad", "kube-linter:unsafe-sysctls", "trivy:KSV-0026"],
        examples: &[
            Example::new(
                "Semaphores",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    sysctls:\n    - «name: kernel.sem»\n      value: 128 32768 128 4096\n    - name: net.ipv4.tcp_syncookies\n      value: \"1\"\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    sysctls:\n    - name: net.ipv4.tcp_syncookies\n      value: \"1\"\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "Message queues",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    sysctls: [{«name: kernel.msgmax», value: \"65536\"}]\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// What belongs to one pod, as the admission of Kubernetes 1.32 has it.
const SAFE: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| !workload.is_on_windows()) {
        for item in workload.security(&["sysctls"]).node().into_iter().flat_map(Node::items) {
            let Some(entry) = item.entry("name").filter(|entry| !entry.value.resolved().is_template()) else {
                continue;
            };
            // Both dots and slashes are taken.
            let Some(name) = entry.value.scalar().map(|name| name.replace('/', ".")) else { continue };
            if !SAFE.contains(&&*name) {
                out.report(entry.span(), format!("`{name}` is not among the settings that are safe for every pod"));
            }
        }
    }
}
