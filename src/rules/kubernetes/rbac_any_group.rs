//! A wildcard for groups covers resources of the same name that others bring.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "rbac-any-group",
        title: "Role over resources of every group",
        why: "A resource of that name in any group is meant, those that programs bring along included.",
        remedy: "Name the group: `\"\"` for pods and services, `apps` for deployments.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.3"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &["checkov:CKV_K8S_49", "checkov:WildcardEntities", "kics:6b896afb-ca07-467a-b256-1a0077a1c08e"],
        examples: &[
            Example::new(
                "Pods of every group",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [«\"*\"»]\n  resources: [pods]\n  verbs: [get]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get]\n",
            ),
            Example::new(
                "Beside another group",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [apps, «\"*\"»]\n  resources: [deployments]\n  verbs: [watch]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [apps, extensions]\n  resources: [deployments]\n  verbs: [watch]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let grants = cx.model.grants();
    for (role, grant) in grants.filter(|(_, grant)| grant.any_resource().is_none() && grant.any_verb().is_none()) {
        let Some(any) = grant.any_group() else { continue };
        let message = format!("`{}` means its resources in every group", role.name());
        out.report(any.span(), message).decline("which groups are meant is not written down anywhere");
    }
}
