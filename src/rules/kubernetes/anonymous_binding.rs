//! Whoever reaches the server has the role.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "anonymous-binding",
        title: "Binding to those who are nobody",
        why: "A request without any credentials is one of `system:anonymous`: whoever reaches the port of the server has the role.",
        remedy: "Name the users, groups or accounts that are meant.",
        group: Group::Kubernetes,
        severity: Severity::Critical,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.1"),
            Reference::new(Scheme::NsaCisa, "Authentication"),
            Reference::new(Scheme::Cwe, "284"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &["trivy:KSV-0122"],
        examples: &[
            Example::new(
                "A role for them",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  «name: system:anonymous»\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: Group\n  name: team\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\n",
            ),
            Example::new(
                "Beside another subject",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\n- kind: User\n  «name: system:anonymous»\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: reader\n",
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
            if matches!(subject.name, "system:anonymous" | "system:unauthenticated") {
                out.report(subject.place(), "the role is given to whoever reaches the server, without credentials")
                    .decline("who is meant is not written down anywhere");
            }
        }
    }
}
