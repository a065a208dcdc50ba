//! `system:masters` is beyond every check.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "masters-binding",
        title: "Binding to `system:masters`",
        why: "The group has every right, and no policy or webhook is asked about it; it is given by certificates that nobody can take back. A binding to it says that people are in it.",
        remedy: "Bind to a group of your own.",
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
        equivalents: &["trivy:KSV-0123"],
        examples: &[
            Example::new(
                "A role for them",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: Group\n  «name: system:masters»\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: Group\n  name: team\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: reader\n",
            ),
            Example::new(
                "Beside another subject",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\n- kind: Group\n  «name: system:masters»\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: reader\n",
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
            if (subject.kind, subject.name) == ("Group", "system:masters") {
                out.report(subject.place(), "the role is given to a group that no check holds for")
                    .decline("who is meant is not written down anywhere");
            }
        }
    }
}
