//! An image that the node has already is taken without asking whether the pod may have it.

use crate::{
    model::kubernetes::{KubernetesModel, Setting},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "cached-image",
        title: "Image taken from the node unasked",
        why: "Unless the policy is `Always`, a pod gets what the node has under that name: also without the credentials of the registry, and also when the tag means another image by now.",
        remedy: "Set `imagePullPolicy: Always`, or name the image by its digest.",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.5.1"),
            Reference::new(Scheme::Nist800190, "4.1.5"),
            Reference::new(Scheme::NsaCisa, "Building secure container images"),
            Reference::new(Scheme::Cwe, "862"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/containers/images/"),
        ],
        equivalents: &["checkov:ImagePullPolicy", "kics:caa3479d-885d-4882-9aac-95e5e78ef5c2"],
        examples: &[
            Example::new(
                "In so many words",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    «imagePullPolicy: IfNotPresent»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n    imagePullPolicy: Always\n",
            ),
            Example::new(
                "By default, where there is a tag",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    «image: nginx:1.29»\n  - name: log\n    image: fluent-bit\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\n  - name: log\n    image: fluent-bit\n",
            ),
            Example::new(
                "What is no name of an image is filled in by somebody, and the policy with it",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: FILLED BY THE OPERATOR\n    imagePullPolicy: IfNotPresent\n  - name: site\n    image: $SITE:1\n    «imagePullPolicy: Never»\n  - name: log\n    «image: fluent-bit:4.1»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: FILLED BY THE OPERATOR\n    imagePullPolicy: IfNotPresent\n  - name: site\n    image: $SITE:1\n    imagePullPolicy: Always\n  - name: log\n    image: fluent-bit:4.1\n    imagePullPolicy: Always\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        let named = container.image_as_written();
        let Some(image) = named.filter(|image| !image.contains('@') && !ends_in_variable(image)) else { continue };
        let policy = container.setting(&["imagePullPolicy"]);
        let is_taken = match policy {
            Setting::Hidden(_) => false,
            Setting::Written(_) => matches!(policy.text(), Some("IfNotPresent" | "Never")),
            // The cluster's default is `Always` where the name means `latest`.
            Setting::Absent => container.image().is_some_and(|image| image.effective_tag() != Some("latest")),
        };
        if is_taken {
            let place = container.place_of(&[if policy.is_absent() { "image" } else { "imagePullPolicy" }]);
            out.report(place, format!("the node takes what it has as `{image}`, without asking the registry"));
        }
    }
}

/// Whether whoever replaces variables may put a digest behind the name.
fn ends_in_variable(image: &str) -> bool {
    let last = image.rsplit(['/', ':']).next().unwrap_or(image);
    last.contains('$')
}
