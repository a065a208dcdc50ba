//! What decides how others run, and where traffic goes.

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
        title: "Role over configuration or network",
        why: "Configuration of others decides what their programs do; services, ingresses and policies decide where traffic goes.",
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
            Example::new(
                "Logs can only be read, and another group has no such resource",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods/log, ingresses]\n  verbs: [get, delete]\n- apiGroups: [networking.k8s.io]\n  resources: [ingressclasses, «ingresses»]\n  verbs: [delete]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods/log, ingresses]\n  verbs: [get, delete]\n- apiGroups: [networking.k8s.io]\n  resources: [ingressclasses]\n  verbs: [delete]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Which group has what; a resource under another one is a name that nobody has.
const ACCESSES: [Access; 3] = [
    Access { groups: &[""], resources: &["configmaps", "services", "services/status", "endpoints"], verbs: CHANGE },
    Access { groups: &["discovery.k8s.io"], resources: &["endpointslices"], verbs: CHANGE },
    Access {
        groups: &["extensions", "networking.k8s.io"],
        resources: &["networkpolicies", "ingresses"],
        verbs: CHANGE,
    },
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    granted(cx, &ACCESSES, out);
}
