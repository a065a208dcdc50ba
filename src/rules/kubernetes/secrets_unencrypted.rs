//! The first provider is the one that writes.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secrets-unencrypted",
        title: "Secrets kept without encryption",
        why: "The server writes with the first provider, and `identity` writes as it is: whoever reads the disk or a backup of etcd has every secret.",
        remedy: "Put a provider that encrypts first, `kms` where there is one, and `identity` last until everything is written anew.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "1.2.27"),
            Reference::new(Scheme::NsaCisa, "Secrets"),
            Reference::new(Scheme::Cwe, "312"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Nothing encrypts",
                "-- object.k8s.yaml --\napiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - «identity: {}»\n",
                "-- object.k8s.yaml --\napiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - kms: {apiVersion: v2, name: vault, endpoint: unix:///run/kms.sock}\n  - identity: {}\n",
            ),
            Example::new(
                "What encrypts comes too late",
                "-- object.k8s.yaml --\napiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - «identity: {}»\n  - secretbox: {keys: []}\n",
                "-- object.k8s.yaml --\napiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - secretbox: {keys: []}\n  - identity: {}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let is_encryption = |kind: &str| matches!(kind, "EncryptionConfiguration" | "EncryptionConfig");
    for object in cx.model.objects.iter().filter(|object| is_encryption(object.kind)) {
        let resources = object.node.get("resources").into_iter().flat_map(Node::items);
        let firsts = resources.filter_map(|resource| resource.get("providers")?.items().next());
        for first in firsts.filter(|first| first.entry("identity").is_some()) {
            let finding = out.report(first.span(), "`identity` comes first and writes secrets as they are");
            finding.decline("the server needs a key, and what is kept has to be written anew");
        }
    }
}
