//! A pod that says nothing of its security has what the cluster gives to everybody.

use crate::{
    model::kubernetes::{Container, KubernetesModel, Setting, Workload},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-security-context",
        title: "No security context",
        why: "Where nothing says as whom a program runs, what it may do and what it may write, it is root if its image says so, with the usual capabilities and a root file system that it may write.",
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
                "What every container says for itself, the pod need not",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «containers»:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}\n  - «name: log»\n    image: fluent-bit:4.1\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}\n  - name: log\n    image: fluent-bit:4.1\n    securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}\n",
            ),
            Example::new(
                "What the values of a chart say of the pods",
                "-- chart/templates/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  {{- if .Values.context }}\n  securityContext:\n{{ toYaml .Values.context | indent 4 }}\n  {{- end }}\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {allowPrivilegeEscalation: false}\n  - «name: log»\n    image: fluent-bit:4.1\n",
                "-- chart/templates/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  {{- if .Values.context }}\n  securityContext:\n{{ toYaml .Values.context | indent 4 }}\n  {{- end }}\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {allowPrivilegeEscalation: false}\n  - name: log\n    image: fluent-bit:4.1\n    securityContext: {allowPrivilegeEscalation: false}\n",
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
        let of_pod = workload.setting(&["securityContext"]);
        if of_pod.is_absent()
            && let Some(message) = left_out(workload)
        {
            out.report(workload.place(), message);
        }
        for container in workload.containers().filter(|container| container.is_whole()) {
            if !container.setting(&["securityContext"]).is_absent() {
                continue;
            }
            let name = container.name();
            let message = if says_something(of_pod) {
                format!(
                    "the container `{name}` has no security context of its own: privileges, capabilities and root file system are not said"
                )
            } else {
                format!("nothing is said of the security of the container `{name}`")
            };
            out.report(container.place(), message);
        }
    }
}

/// What of a pod without a context its containers leave out as well, as a message.
fn left_out(workload: Workload<'_>) -> Option<String> {
    let name = workload.name();
    let says = |container: Container<'_>, key: &str| !container.own_security(&[key]).is_absent();
    let has_context = |container: Container<'_>| says_something(container.setting(&["securityContext"]));
    let says_user = |container| says(container, "runAsUser") || says(container, "runAsNonRoot");
    let says_profile = |container: Container<'_>| container.is_privileged() || says(container, "seccompProfile");
    if !workload.containers().any(has_context) {
        return Some(format!("nothing is said of the security of the pods of `{name}`"));
    }
    let what = if !workload.containers().all(has_context) {
        "has a security context"
    } else if !workload.has_own_users() && !workload.containers().all(says_user) {
        "says who runs it"
    } else if !workload.containers().all(says_profile) {
        "says which seccomp profile it has"
    } else {
        return None;
    };
    Some(format!("the pods of `{name}` have no security context, and not every container {what}"))
}

/// Whether a context says anything, or may: what is no mapping is what a template leaves of one.
fn says_something(context: Setting<'_>) -> bool {
    let is_empty = |context: Node<'_>| context.is_mapping() && !context.is_open() && context.entries().next().is_none();
    context.is_hidden() || context.node().is_some_and(|context| !is_empty(context))
}
