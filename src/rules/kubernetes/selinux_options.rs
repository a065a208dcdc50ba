//! A label that the cluster does not give may be one that is not confined.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "selinux-options",
        title: "SELinux label of the pod's own",
        why: "The type decides what the program may touch on its node; a user or role of the policy, or a type that is not made for containers, can free it from all of it.",
        remedy: "Leave `user` and `role` out, and take `container_t`, or the type made for containers that boot or virtualize.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.3"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::PodSecurity, "baseline 1.0"),
            Reference::new(Scheme::NsaCisa, "Hardening container environments"),
            Reference::new(Scheme::Cwe, "693"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-standards/"),
        ],
        equivalents: &["trivy:KSV-0025"],
        examples: &[
            Example::new(
                "A type of its own",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    seLinuxOptions:\n      «type: spc_t»\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  securityContext:\n    seLinuxOptions:\n      type: container_t\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "A user and a role",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      seLinuxOptions:\n        «user: system_u»\n        «role: system_r»\n        level: s0:c123,c456\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    securityContext:\n      seLinuxOptions:\n        level: s0:c123,c456\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Types that are made for containers.
const TYPES: [&str; 4] = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for workload in cx.model.workloads().filter(|workload| !workload.is_on_windows()) {
        let contexts = workload.containers().map(|container| container.node).chain([workload.pod]);
        let options =
            contexts.filter_map(|context| Setting::below(context, &["securityContext", "seLinuxOptions"]).node());
        for entry in options.flat_map(Node::entries).filter(|entry| !entry.value.resolved().is_template()) {
            let (Some(key), Some(value)) = (entry.key.scalar(), entry.value.scalar()) else { continue };
            let is_own = match key {
                "type" => !value.is_empty() && !TYPES.contains(&value),
                "user" | "role" => !value.is_empty(),
                _ => false,
            };
            if is_own {
                out.report(entry.span(), format!("`{value}` is an SELinux {key} that is not made for containers"));
            }
        }
    }
}
