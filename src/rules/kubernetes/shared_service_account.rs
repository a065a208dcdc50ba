//! Two programs with one account have the rights of both.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
    text::Span,
};
use std::collections::BTreeMap;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "shared-service-account",
        title: "Account of several programs",
        why: "What one of the programs needs, the other may do as well, and the cluster's records do not tell which of them did it.",
        remedy: "Make an account for each.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.1.5"),
            Reference::new(Scheme::Nist800190, "4.3.2"),
            Reference::new(Scheme::NsaCisa, "Role-based access control"),
            Reference::new(Scheme::Cwe, "266"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/service-accounts/"),
        ],
        equivalents: &["kics:c1032cf7-3628-44e2-bd53-38c17cf31b6b"],
        examples: &[
            Example::new(
                "Two pods",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «serviceAccountName: shop»\n  containers: [{name: web, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  «serviceAccountName: shop»\n  containers: [{name: api, image: 'nginx:1.29'}]\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers: [{name: web, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  serviceAccountName: api\n  containers: [{name: api, image: 'nginx:1.29'}]\n",
            ),
            Example::new(
                "Two of three",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  «serviceAccountName: shop»\n  containers: [{name: web, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  «serviceAccountName: shop»\n  containers: [{name: api, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec:\n  serviceAccountName: db\n  containers: [{name: db, image: 'nginx:1.29'}]\n",
                "-- pods.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: web\n  containers: [{name: web, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec:\n  serviceAccountName: api\n  containers: [{name: api, image: 'nginx:1.29'}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: db}\nspec:\n  serviceAccountName: db\n  containers: [{name: db, image: 'nginx:1.29'}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let mut users: BTreeMap<(Option<&str>, &str), Vec<Span>> = BTreeMap::new();
    for workload in cx.model.workloads() {
        let Some(name) = workload.service_account().filter(|name| *name != "default") else { continue };
        let namespace = workload.object.at(&["metadata", "namespace"]).and_then(Node::scalar);
        let place = workload.place_of(&["serviceAccountName"]);
        users.entry((namespace, name)).or_default().push(place);
    }
    for ((_, name), places) in users.into_iter().filter(|(_, places)| places.len() > 1) {
        for place in &places {
            out.report(*place, format!("{} workloads of this file have the account `{name}`", places.len()));
        }
    }
}
