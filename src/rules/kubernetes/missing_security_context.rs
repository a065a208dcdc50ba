//! A pod that says nothing of its security has what the cluster gives to everybody.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-security-context",
        title: "No security context",
        why: "Nothing here says as whom the program runs, what it may do and what it may write: it has everything that is not forbidden elsewhere.",
        remedy: "Add a `securityContext` to the pod (user, groups, seccomp) and to each container (privileges, capabilities, root file system).",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.7.3"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "1188"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"),
        ],
        equivalents: &["checkov:SecurityContexts", "kics:a97a340a-0063-418e-b3a1-3028941d0995", "trivy:KSV-0118"],
        examples: &[
            Example::new(
                "Neither pod nor container",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «containers»:\n  - «name: web»\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext: {runAsNonRoot: true}\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {allowPrivilegeEscalation: false}\n",
            ),
            Example::new(
                "One container of two",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext: {runAsNonRoot: true}\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {allowPrivilegeEscalation: false}\n  - «name: log»\n    image: fluent-bit:4.1\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext: {runAsNonRoot: true}\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {allowPrivilegeEscalation: false}\n  - name: log\n    image: fluent-bit:4.1\n    securityContext: {allowPrivilegeEscalation: false}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| workload.is_whole()) {
        if workload.setting(&["securityContext"]).is_absent() {
            out.report(
                workload.place(),
                format!("nothing is said of the security of the pods of `{}`", workload.name()),
            );
        }
        for container in workload.containers().filter(|container| container.is_whole()) {
            if container.setting(&["securityContext"]).is_absent() {
                let message = format!("nothing is said of the security of the container `{}`", container.name());
                out.report(container.place(), message);
            }
        }
    }
}
