//! A limit below one processor stops a program in the middle of its work.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "fractional-cpu-limit",
        title: "Processor limit below one core",
        why: "The limit is counted in slices of a tenth of a second: a program that may use half a core stands still for half of each, however idle the node is.",
        remedy: "Give it a request for what it needs and a limit of at least one core, or none.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.12"),
            Reference::new(Scheme::Cwe, "400"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
            ),
        ],
        equivalents: &["semgrep:no-fractional-cpu-limits"],
        examples: &[
            Example::new(
                "In thousandths",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      limits:\n        «cpu: 500m»\n        memory: 64Mi\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources:\n      limits:\n        cpu: 1000m\n        memory: 64Mi\n",
            ),
            Example::new(
                "As a fraction",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources: {limits: {«cpu: 0.5»}}\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    resources: {limits: {cpu: 1}}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        let path = ["resources", "limits", "cpu"];
        let Some(limit) =
            container.setting(&path).text().filter(|limit| thousandths(limit).is_some_and(|part| part < 1000.0))
        else {
            continue;
        };
        let message =
            format!("the container `{}` stands still whenever it has used {limit} of a core", container.name());
        out.report(container.place_of(&path), message);
    }
}

/// A quantity of processors, in thousandths of one.
fn thousandths(quantity: &str) -> Option<f64> {
    match quantity.strip_suffix('m') {
        Some(thousandths) => thousandths.parse().ok(),
        None => quantity.parse::<f64>().ok().map(|cores| cores * 1000.0),
    }
}
