//! Without a label a namespace takes every pod.

use crate::{
    model::kubernetes::KubernetesModel,
    rewrite,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node, Value},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "namespace-without-standard",
        title: "Namespace that holds pods to no standard",
        why: "Admission lets any pod in, a privileged one on the network of its node too, unless the namespace says otherwise.",
        remedy: "Label it with `pod-security.kubernetes.io/enforce: restricted`, or `baseline` where that is too much.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Enforces `baseline`; which standard the pods meet is for their authors to say.",
        ),
        references: &[
            Reference::new(Scheme::NsaCisa, "Namespaces"),
            Reference::new(Scheme::CisKubernetes, "5.2.1"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/pod-security-admission/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "No label",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Namespace\nmetadata:\n  «name: shop»\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n    pod-security.kubernetes.io/enforce: baseline\n",
            ),
            Example::new(
                "The standard that is none",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n    «pod-security.kubernetes.io/enforce: privileged»\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

const LABEL: &str = "pod-security.kubernetes.io/enforce";

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for namespace in cx.model.objects.iter().filter(|object| object.kind == "Namespace") {
        let Some(metadata) = namespace.at(&["metadata"]).filter(|metadata| !metadata.is_open()) else { continue };
        let labels = metadata.get("labels");
        let label = labels.and_then(|labels| labels.entry(LABEL));
        let is_held = label.is_some_and(|entry| entry.value.scalar() != Some("privileged"));
        // Namespaces of the system run what no standard allows.
        let is_of_system = namespace.name().is_none_or(|name| name.starts_with("kube-"));
        if is_held || is_of_system || labels.is_some_and(Node::is_open) {
            continue;
        }
        let place = label.or_else(|| metadata.entry("name")).map_or(metadata.span(), |entry| entry.span());
        let finding = out.report(place, "the namespace holds its pods to no standard");
        finding.repair(cx, || enforced(editor, metadata));
    }
}

fn enforced<'y>(editor: &Editor<'y>, metadata: Node<'y>) -> Result<Fix, String> {
    let edit = rewrite::manifest::set_below(editor, metadata, &["labels", LABEL], Value::text("baseline"));
    let reason = "pods that do not meet the standard are refused: set `warn` first, and see which";
    Ok(Fix::new("Enforce a standard", Safety::Manual, reason, vec![edit?]))
}
