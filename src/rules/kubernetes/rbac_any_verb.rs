//! A wildcard for verbs includes those that nobody thinks of.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "rbac-any-verb",
        title: "Role with every verb",
        why: "The wildcard stands for reading, changing and deleting, and for `escalate`, `bind`, `impersonate` and whatever verb a later version adds.",
        remedy: "Name the verbs that are needed.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.3"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_49",
            "checkov:WildcardEntities",
            "kics:6b896afb-ca07-467a-b256-1a0077a1c08e",
            "kube-linter:wildcard-in-rules",
            "semgrep:legacy-api-clusterrole-excessive-permissions",
            "trivy:KSV-0045",
        ],
        examples: &[
            Example::new(
                "Everything that can be done with a resource",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [apps]\n  resources: [deployments]\n  verbs: [«\"*\"»]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [apps]\n  resources: [deployments]\n  verbs: [get, list]\n",
            ),
            Example::new(
                "Beside another verb",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [nodes]\n  verbs: [get, «\"*\"»]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [nodes]\n  verbs: [get]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for (role, grant) in cx.model.grants().filter(|(_, grant)| grant.any_resource().is_none()) {
        let Some(any) = grant.any_verb() else { continue };
        let message = format!("`{}` has every verb on its resources", role.name());
        out.report(any.span(), message).decline("which verbs are needed is not written down anywhere");
    }
}
