//! The server refuses a label that is none.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::yaml::Node,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "invalid-label",
        title: "Label that the server refuses",
        why: "The object is not made, or not changed, and the old one stays with what was to be mended.",
        remedy: "Write at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit first and last.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[Reference::new(
            Scheme::Url,
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/",
        )],
        equivalents: &["kics:1123031a-f921-4c5b-bd86-ef354ecfd37a"],
        examples: &[
            Example::new(
                "A blank",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    «app: my shop»\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    app: my-shop\n",
            ),
            Example::new(
                "A sign at the end",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  labels: {«tier: web-»}\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata:\n  labels: {tier: \"\", stage: \"1.2_b\"}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for object in &cx.model.objects {
        let labels = object.at(&["metadata", "labels"]).into_iter().flat_map(Node::entries);
        for entry in labels.filter(|entry| !entry.value.is_template()) {
            let Some(value) = entry.value.scalar().filter(|value| !is_label(value)) else { continue };
            let finding = out.report(entry.span(), format!("`{}` is no value of a label", value.escape_debug()));
            finding.decline("what is meant, and who looks for it, is not known");
        }
    }
}

fn is_label(value: &str) -> bool {
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    // What Kustomize or a script will put there is no value yet.
    let is_stand_in = value.contains(['$', '{', '<', '%']);
    let is_form = value.len() <= 63
        && value.bytes().all(is_inner)
        && is_end(value.bytes().next())
        && is_end(value.bytes().last());
    value.is_empty() || is_stand_in || is_form
}
