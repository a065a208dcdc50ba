//! Tiller does for everybody what its account may.

use crate::{
    model::{self, kubernetes::KubernetesModel},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "tiller",
        title: "Tiller in the cluster",
        why: "The server of Helm 2 listens without asking who speaks, and its account is usually `cluster-admin`: every pod that reaches its port owns the cluster.",
        remedy: "Take it out: Helm 3 needs no server.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::Cwe, "306"),
            Reference::new(Scheme::Url, "https://helm.sh/docs/faq/changes_since_helm2/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "By its image",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: helm}\nspec:\n  containers:\n  - name: helm\n    «image: ghcr.io/helm/tiller:v2.17.0»\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: helm}\nspec:\n  containers:\n  - name: helm\n    image: alpine/helm:3\n",
            ),
            Example::new(
                "In the list of start commands",
                "-- object.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: helm}\nspec:\n  template:\n    spec:\n      initContainers: [{name: a, «image: tiller»}]\n",
                "-- object.k8s.yaml --\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: helm}\nspec:\n  template:\n    spec:\n      initContainers: [{name: a, image: till}]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        let Some(entry) = container.node.entry("image").filter(|entry| !entry.value.is_template()) else { continue };
        let image = entry.value.scalar().and_then(|text| model::Reference::parse(text).ok());
        if image.is_some_and(|image| image.basename() == "tiller") {
            let finding = out.report(entry.span(), "the server of Helm 2 does for everybody what its account may");
            finding.decline("what was installed with it has to be moved to Helm 3 first");
        }
    }
}
