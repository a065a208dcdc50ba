//! Whoever may run commands in pods has what these pods have.

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
        id: "rbac-exec",
        title: "Role that reaches into pods",
        why: "A shell, a terminal or a port of a pod is all that its processes have: their secrets, their account, their network. Through the proxy of a node that holds for every pod on it.",
        remedy: "Take it out of standing roles, and give it for the time of a repair only.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the resource out of the rule; whoever has the role may need it.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.1"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "269"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &[
            "checkov:CKV2_K8S_2",
            "kics:38fa11ef-dbcc-4da8-9680-7e1fd855b6fb",
            "kics:c589f42c-7924-4871-aee2-1cede9bc7cbc",
            "kics:d45330fd-f58d-45fb-a682-6481477a0f84",
            "trivy:KSV-0047",
            "trivy:KSV-0053",
            "trivy:KSV-0054",
        ],
        examples: &[
            Example::new(
                "A resource too many",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods, «pods/exec»]\n  verbs: [get, create]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get, create]\n",
            ),
            Example::new(
                "Every pod of a node",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [«nodes/proxy»]\n  verbs: [get]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [nodes/metrics]\n  verbs: [get]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// The server takes `get` too, for clients that speak over a web socket.
const ACCESS: Access = Access {
    groups: &[""],
    resources: &["pods/exec", "pods/attach", "pods/portforward", "nodes/proxy"],
    verbs: &["create", "get"],
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    granted(cx, &[ACCESS], out);
}
