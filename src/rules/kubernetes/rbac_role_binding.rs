//! Whoever writes bindings decides who has which rights.

use super::granted;
use crate::{
    model::kubernetes::{KubernetesModel, rbac::Access},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "rbac-role-binding",
        title: "Role that may give roles away",
        why: "Whoever writes bindings gives his rights to others, who keep them when he has lost his; together with `bind` on roles that is every role there is.",
        remedy: "Leave bindings to administrators.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the resource out of the rule; whoever has the role may need it.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.8"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "269"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &["checkov:CKV2_K8S_1", "trivy:KSV-0051", "trivy:KSV-0052", "trivy:KSV-0055"],
        examples: &[
            Example::new(
                "A resource too many",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [roles, «rolebindings»]\n  verbs: [get, create]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [roles]\n  verbs: [get, create]\n",
            ),
            Example::new(
                "In the whole cluster",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [«clusterrolebindings»]\n  verbs: [patch]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [clusterrolebindings]\n  verbs: [list]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

const ACCESS: Access = Access {
    groups: &["rbac.authorization.k8s.io"],
    resources: &["rolebindings", "clusterrolebindings"],
    verbs: &["create", "update", "patch"],
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    granted(cx, &[ACCESS], out);
}
