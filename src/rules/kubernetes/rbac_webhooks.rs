//! Whoever writes webhooks sees and changes what everybody writes.

use super::granted;
use crate::{
    model::kubernetes::{
        KubernetesModel,
        rbac::{Access, CHANGE},
    },
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "rbac-webhooks",
        title: "Role over admission webhooks",
        why: "A webhook sees every object that is written, secrets included, may change it, and may let through what policies forbid.",
        remedy: "Leave webhooks to administrators.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the resource out of the rule; whoever has the role may need it.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.12"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "269"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &["checkov:CKV_K8S_155", "trivy:KSV-0114"],
        examples: &[
            Example::new(
                "A resource too many",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [admissionregistration.k8s.io]\n  resources: [validatingadmissionpolicies, «mutatingwebhookconfigurations»]\n  verbs: [get, patch]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [admissionregistration.k8s.io]\n  resources: [validatingadmissionpolicies]\n  verbs: [get, patch]\n",
            ),
            Example::new(
                "Every webhook",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [admissionregistration.k8s.io]\n  resources: [«\"*\"»]\n  verbs: [update]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [admissionregistration.k8s.io]\n  resources: [\"*\"]\n  verbs: [get]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

const ACCESS: Access = Access {
    groups: &["admissionregistration.k8s.io"],
    resources: &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    verbs: CHANGE,
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    granted(cx, &[ACCESS], out);
}
