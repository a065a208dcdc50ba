//! A host process is a program of the node with the name of a container.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "host-process",
        title: "Host process on Windows",
        why: "The program runs on the node itself, with its network, its files and mostly as its system account.",
        remedy: "Take `hostProcess` out. Where an agent of the node needs it, keep it out of the namespaces of applications.",
        group: Group::Kubernetes,
        severity: Severity::Critical,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.2.11"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Pod security enforcement"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &["trivy:KSV-0103"],
        examples: &[
            Example::new(
                "A pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    windowsOptions:\n      «hostProcess: true»\n      runAsUserName: NT AUTHORITY\\SYSTEM\n  containers:\n  - name: web\n    image: example/agent:1.4\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    windowsOptions:\n      runAsUserName: NT AUTHORITY\\SYSTEM\n  containers:\n  - name: web\n    image: example/agent:1.4\n",
            ),
            Example::new(
                "A container",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext: {windowsOptions: {«hostProcess: true»}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads() {
        let contexts = workload.containers().map(|container| container.node).chain([workload.pod]);
        let options =
            contexts.filter_map(|context| Setting::below(context, &["securityContext", "windowsOptions"]).node());
        for entry in options.filter_map(|options| options.entry("hostProcess")) {
            if entry.value.boolean() == Some(true) {
                out.report(entry.span(), "the program runs on the node itself, not in a container");
            }
        }
    }
}
