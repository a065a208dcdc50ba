//! Whoever approves certificates makes users.

use crate::{
    model::kubernetes::{KubernetesModel, rbac::Access},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "rbac-certificate-approval",
        title: "Role that approves certificates",
        why: "A certificate that the cluster signs is a user of any name in any group, `system:masters` included, and cannot be taken back.",
        remedy: "Leave the approval to the controllers of the cluster.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.11"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "269"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"),
        ],
        equivalents: &["checkov:CKV_K8S_156"],
        examples: &[
            Example::new(
                "Both rights that an approval takes",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [certificates.k8s.io]\n  resources: [«certificatesigningrequests/approval»]\n  verbs: [update]\n- apiGroups: [certificates.k8s.io]\n  resources: [signers]\n  verbs: [approve]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [certificates.k8s.io]\n  resources: [certificatesigningrequests]\n  verbs: [get]\n- apiGroups: [certificates.k8s.io]\n  resources: [signers]\n  verbs: [approve]\n",
            ),
            Example::new(
                "One rule for both",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [certificates.k8s.io]\n  resources: [«\"*\"»]\n  verbs: [\"*\"]\n",
                "-- role.k8s.yaml --\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ops}\nrules:\n- apiGroups: [certificates.k8s.io]\n  resources: [\"*\"]\n  verbs: [get]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

const UPDATE: Access = Access {
    groups: &["certificates.k8s.io"],
    resources: &["certificatesigningrequests/approval"],
    verbs: &["update", "patch"],
};

const APPROVE: Access = Access { groups: &["certificates.k8s.io"], resources: &["signers"], verbs: &["approve"] };

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for role in cx.model.roles() {
        // The server asks for both.
        let (Some(update), Some(approve)) = (role.allows(&UPDATE), role.allows(&APPROVE)) else { continue };
        let finding = out.report(update.place(), format!("`{}` may approve certificates", role.name()));
        if approve.place() != update.place() {
            finding.relate(approve.place(), "for these signers");
        }
        finding.decline("which of the two rights is needed for something else is not known");
    }
}
