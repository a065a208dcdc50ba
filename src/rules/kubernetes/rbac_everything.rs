//! A role that allows everything is `cluster-admin` by another name.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "rbac-everything",
        title: "Role that allows everything",
        why: "Every verb on every resource is the right to read all secrets, to act as anybody and to run anything: whoever has the role owns the namespace, or the cluster.",
        remedy: "Write down the verbs and the resources that are needed.",
        group: Group::Kubernetes,
        severity: Severity::High,
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
            "checkov:CKV2_K8S_1",
            "checkov:CKV2_K8S_2",
            "checkov:CKV2_K8S_3",
            "checkov:CKV2_K8S_4",
            "checkov:CKV2_K8S_5",
            "checkov:CKV_K8S_155",
            "checkov:CKV_K8S_156",
            "checkov:CKV_K8S_157",
            "checkov:CKV_K8S_158",
            "checkov:CKV_K8S_49",
            "checkov:WildcardEntities",
            "kics:056ac60e-fe07-4acc-9b34-8e1d51716ab9",
            "kics:592ad21d-ad9b-46c6-8d2d-fad09d62a942",
            "kics:6b896afb-ca07-467a-b256-1a0077a1c08e",
            "kics:8320826e-7a9c-4b0b-9535-578333193432",
            "kics:9f85c3f6-26fd-4007-938a-2e0cb0100980",
            "kube-linter:wildcard-in-rules",
            "semgrep:legacy-api-clusterrole-excessive-permissions",
            "trivy:KSV-0044",
            "trivy:KSV-0046",
            "trivy:KSV-0112",
        ],
        examples: &[
            Example::new(
                "Every verb on every resource",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- «apiGroups: [\"*\"]\n  resources: [\"*\"]\n  verbs: [\"*\"]»\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [get]\n",
            ),
            Example::new(
                "Everything of the first group",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- «apiGroups: [\"\"]\n  resources: [\"*\"]\n  verbs: [\"*\"]»\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ops}\nrules:\n- apiGroups: [\"\"]\n  resources: [services]\n  verbs: [get, list]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for (role, grant) in cx.model.grants().filter(|(_, grant)| grant.is_everything()) {
        let message = format!("`{}` may do everything", role.name());
        out.report(grant.node.span(), message).decline("what of it is needed is not written down anywhere");
    }
}
