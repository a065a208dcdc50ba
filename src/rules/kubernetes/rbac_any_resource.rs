//! A wildcard for resources includes secrets, and what is installed tomorrow.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "rbac-any-resource",
        title: "Role over every resource",
        why: "The wildcard stands for all resources of its group, secrets among them, and for those that a later version or another program adds.",
        remedy: "Name the resources that are needed.",
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
            "kics:592ad21d-ad9b-46c6-8d2d-fad09d62a942",
            "kics:6b896afb-ca07-467a-b256-1a0077a1c08e",
            "kube-linter:wildcard-in-rules",
            "trivy:KSV-0046",
            "trivy:KSV-0112",
        ],
        examples: &[
            Example::new(
                "Everything there is",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"*\"]\n  resources: [«\"*\"»]\n  verbs: [get]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get]\n",
            ),
            Example::new(
                "A verb that nobody knows allows nothing",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [apps]\n  resources: [«\"*\"»]\n  verbs: [delete]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [apps]\n  resources: [\"*\"]\n  verbs: [destroy]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for (role, grant) in cx.model.grants().filter(|(_, grant)| !grant.is_everything()) {
        let (Some(any), Some(verb)) = (grant.any_resource(), grant.any_verb().or(grant.known_verb())) else { continue };
        let may = match verb.scalar() {
            Some("*") | None => "do anything with".to_owned(),
            Some(verb) => format!("`{verb}`"),
        };
        let message = format!("`{}` may {may} every resource of its groups", role.name());
        out.report(any.span(), message).decline("which resources are needed is not written down anywhere");
    }
}
