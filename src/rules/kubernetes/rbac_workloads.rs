//! Whoever may start a pod has what a pod can have.

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
        id: "rbac-workloads",
        title: "Role that starts or changes workloads",
        why: "A pod may mount any secret, use any account and, where nothing forbids it, any path of its node: whoever makes pods in a namespace has all of that.",
        remedy: "Leave it to the pipeline that deploys, and hold the namespace to a Pod Security Standard.",
        group: Group::Kubernetes,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the resource out of the rule; whoever has the role may need it.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.4"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "269"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &[
            "kics:592ad21d-ad9b-46c6-8d2d-fad09d62a942",
            "kube-linter:access-to-create-pods",
            "trivy:KSV-0048",
        ],
        examples: &[
            Example::new(
                "A resource too many",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [services, «pods»]\n  verbs: [get, create]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [services]\n  verbs: [get, create]\n",
            ),
            Example::new(
                "By way of a controller",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [apps, batch]\n  resources: [«cronjobs»]\n  verbs: [patch]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [apps, batch]\n  resources: [cronjobs]\n  verbs: [watch]\n",
            ),
            Example::new(
                "What is deleted does not start, and another group has no such resource",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get, delete, deletecollection]\n- apiGroups: [\"\"]\n  resources: [deployments, services]\n  verbs: [create]\n- apiGroups: [apps]\n  resources: [«deployments», scales]\n  verbs: [create]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get, delete, deletecollection]\n- apiGroups: [\"\"]\n  resources: [deployments, services]\n  verbs: [create]\n- apiGroups: [apps]\n  resources: [scales]\n  verbs: [create]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// What decides about what runs; whoever deletes a workload starts none.
const START: &[&str] = &["create", "update", "patch"];

/// Which group has which workloads; a resource under another one is a name that nobody has.
const ACCESSES: [Access; 3] = [
    Access { groups: &[""], resources: &["pods", "replicationcontrollers"], verbs: START },
    Access {
        groups: &["apps", "extensions"],
        resources: &["deployments", "statefulsets", "daemonsets", "replicasets"],
        verbs: START,
    },
    Access { groups: &["batch"], resources: &["jobs", "cronjobs"], verbs: START },
];

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    granted(cx, &ACCESSES, out);
}
