//! Every account of every pod has the role.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "authenticated-binding",
        title: "Binding to whoever is known to the cluster",
        why: "Every user and every account of every namespace is in `system:authenticated`, and in some hosted clusters everybody who has an account there.",
        remedy: "Name the users, groups or accounts that are meant.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.1"),
            Reference::new(Scheme::NsaCisa, "Authentication"),
            Reference::new(Scheme::Cwe, "284"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &["trivy:KSV-01011"],
        examples: &[
            Example::new(
                "A role for them",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: Group\n  «name: system:authenticated»\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: Group\n  name: team\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\n",
            ),
            Example::new(
                "Beside another subject",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\n- kind: Group\n  «name: system:authenticated»\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: reader\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: reader\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Roles that the cluster itself gives to everybody: versions, health, one's own rights.
fn is_public(role: Option<&str>) -> bool {
    matches!(role, Some("system:discovery" | "system:basic-user" | "system:public-info-viewer"))
}

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for binding in cx.model.bindings().filter(|binding| !is_public(binding.role_name())) {
        for subject in binding.subjects() {
            if matches!((subject.kind, subject.name), ("Group", "system:authenticated" | "system:serviceaccounts")) {
                out.report(subject.place(), format!("the role is given to all of `{}`", subject.name))
                    .decline("who is meant is not written down anywhere");
            }
        }
    }
}
