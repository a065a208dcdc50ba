//! Whoever reads secrets is whoever these secrets open doors for.

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
        id: "rbac-secrets",
        title: "Role over secrets",
        why: "Secrets hold the passwords, keys and tokens of others, those of accounts with more rights included. `list` and `watch` show their content as `get` does.",
        remedy: "Name the secrets that are needed in `resourceNames`, or mount them where they are used.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the resource out of the rule; whoever has the role may need it.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.2"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "522"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &[
            "checkov:CKV2_K8S_5",
            "kics:056ac60e-fe07-4acc-9b34-8e1d51716ab9",
            "kics:b7bca5c4-1dab-4c2c-8cbe-3050b9d59b14",
            "kube-linter:access-to-secrets",
            "trivy:KSV-0041",
            "trivy:KSV-0113",
        ],
        examples: &[
            Example::new(
                "A resource too many",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods, «secrets»]\n  verbs: [get, list]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get, list]\n",
            ),
            Example::new(
                "Names narrow it",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [«secrets»]\n  verbs: [watch]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [secrets]\n  resourceNames: [mail]\n  verbs: [get]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

const ACCESS: Access = Access {
    groups: &[""],
    resources: &["secrets"],
    verbs: &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate"],
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    granted(cx, &[ACCESS], out);
}
