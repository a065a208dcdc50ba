//! Two verbs lift the bar that keeps roles from growing.

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
        id: "rbac-escalation",
        title: "Role that may give itself more",
        why: "The server keeps anybody from writing roles with more rights than his own; `escalate` and `bind` lift that, and so lead to every right there is.",
        remedy: "Take `escalate`, `bind` and the wildcard out of the rule.",
        group: Group::Kubernetes,
        severity: Severity::High,
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
        equivalents: &[
            "checkov:CKV2_K8S_1",
            "checkov:CKV_K8S_157",
            "checkov:CKV_K8S_158",
            "kics:8320826e-7a9c-4b0b-9535-578333193432",
            "trivy:KSV-0050",
        ],
        examples: &[
            Example::new(
                "A resource too many",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [«roles»]\n  verbs: [get, escalate]\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get]\n",
            ),
            Example::new(
                "The wildcard includes both",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [«clusterroles»]\n  verbs: [\"*\"]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [clusterroles]\n  verbs: [get, list, create]\n",
            ),
            Example::new(
                "On bindings the verbs mean nothing",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [rolebindings, «clusterroles»]\n  verbs: [bind]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [rbac.authorization.k8s.io]\n  resources: [rolebindings]\n  verbs: [bind]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// The server asks about these verbs on roles only: on bindings they allow nothing.
const ACCESS: Access = Access {
    groups: &["rbac.authorization.k8s.io"],
    resources: &["roles", "clusterroles"],
    verbs: &["escalate", "bind"],
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    granted(cx, &[ACCESS], out);
}
