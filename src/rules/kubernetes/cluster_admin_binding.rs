//! `cluster-admin` is every right there is.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "cluster-admin-binding",
        title: "Binding to `cluster-admin`",
        why: "The role allows everything on everything, in a binding of the whole cluster that of all namespaces and nodes: a stolen token is the cluster.",
        remedy: "Bind a role that names what is needed, or `cluster-admin` for the time of a repair only.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.1"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &[
            "kics:249328b8-5f0f-409f-b1dd-029f07882e11",
            "kube-linter:cluster-admin-role-binding",
            "trivy:KSV-0111",
        ],
        examples: &[
            Example::new(
                "An account that may do everything",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- {kind: ServiceAccount, name: build, namespace: ci}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  «name: cluster-admin»\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: ServiceAccount\n  name: build\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: view\n",
            ),
            Example::new(
                "In one namespace",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  «name: cluster-admin»\n",
                "-- binding.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: ops}\nsubjects:\n- kind: User\n  name: jane\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: admin\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for binding in cx.model.bindings().filter(|binding| binding.role_name() == Some("cluster-admin")) {
        // Those who hold it anyway.
        let is_theirs = |name: &str| name == "system:masters";
        if binding.subjects().next().is_some() && binding.subjects().all(|subject| is_theirs(subject.name)) {
            continue;
        }
        let (area, severity) = if binding.is_cluster_wide() {
            ("the cluster", Severity::High)
        } else {
            ("its namespace", Severity::Medium)
        };
        let message = format!("the binding gives every right in {area} away");
        let finding = out.report(binding.role_place(), message);
        finding.severity(severity).decline("what the subjects need is not written down anywhere");
    }
}
