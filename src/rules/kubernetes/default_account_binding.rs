//! Every pod that names no account has the role.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "default-account-binding",
        title: "Binding to the default account",
        why: "A pod that names no account runs as `default`: a role that one of them needs is a role of all of them, those that come later included.",
        remedy: "Give the program that needs it an account of its own.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.1"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "284"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &["checkov:CKV_K8S_42", "kics:1e749bc9-fde8-471c-af0c-8254efd2dee5"],
        examples: &[
            Example::new(
                "A role for them",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: ServiceAccount\n  «name: default»\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: Group\n  name: team\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\n",
            ),
            Example::new(
                "Beside another subject",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\n- kind: ServiceAccount\n  «name: default»\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: reader\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: reader\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for binding in cx.model.bindings() {
        for subject in binding.subjects() {
            if (subject.kind, subject.name) == ("ServiceAccount", "default") {
                out.report(subject.place(), "the role is given to every pod that names no account")
                    .decline("who is meant is not written down anywhere");
            }
        }
    }
}
