//! `admin` and `edit` are made for one namespace, and here they hold in all.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "wide-role-binding",
        title: "Binding of `admin` or `edit` in the whole cluster",
        why: "`admin` and `edit` read the secrets of a namespace and start anything in it; bound in the whole cluster that is every namespace, that of the system included.",
        remedy: "Bind them in the namespaces that are meant, with a `RoleBinding`.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.1"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &["trivy:KSV-0111"],
        examples: &[
            Example::new(
                "Everything in every namespace",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: Group\n  name: team\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  «name: edit»\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: Group\n  name: team\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: edit\n",
            ),
            Example::new(
                "All that an administrator of a namespace may",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  «name: admin»\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: view\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for binding in cx.model.bindings().filter(|binding| binding.is_cluster_wide()) {
        let Some(role @ ("admin" | "edit")) = binding.role_name() else { continue };
        let message = format!("the binding gives `{role}` away in every namespace");
        out.report(binding.role_place(), message).decline("which namespaces are meant is not written down anywhere");
    }
}
