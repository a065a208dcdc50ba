//! What decides how others run, and what tells of it.

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
        id: "rbac-infrastructure",
        title: "Role over configuration, network or logs",
        why: "Configuration of others decides what their programs do; services, ingresses and policies decide where traffic goes; logs that are deleted tell nobody what happened.",
        remedy: "Name the objects that are needed in `resourceNames`, or leave the rule to the pipeline that deploys.",
        group: Group::Kubernetes,
        severity: Severity::Low,
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
        equivalents: &["checkov:CKV2_K8S_4", "trivy:KSV-0042", "trivy:KSV-0049", "trivy:KSV-0056"],
        examples: &[
            Example::new(
                "A resource too many",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods, «configmaps»]\n  verbs: [get, update]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get, update]\n",
            ),
            Example::new(
                "The address of a service",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods, «services/status»]\n  verbs: [patch]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [patch]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

const ACCESSES: [Access; 3] = [
    Access { groups: &[""], resources: &["pods/log"], verbs: &["delete", "deletecollection"] },
    Access { groups: &[""], resources: &["configmaps"], verbs: CHANGE },
    Access {
        groups: &["", "discovery.k8s.io", "extensions", "networking.k8s.io"],
        resources: &["services", "services/status", "endpoints", "endpointslices", "networkpolicies", "ingresses"],
        verbs: CHANGE,
    },
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    granted(cx, &ACCESSES, out);
}
