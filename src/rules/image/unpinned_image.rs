//! A tag can be pushed again; only a digest names one image.

use crate::{
    model::{
        compose::ComposeModel,
        kubernetes::{Delivered, KubernetesModel},
        reference,
    },
    rewrite::manifest::{pin, pin_service},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};
use std::cell::OnceCell;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unpinned-image",
        title: "Container of an image without a digest",
        why: "Whoever can push to the repository can put another image under the same tag, and the next container that starts runs it.",
        remedy: "Write the digest of the multi-platform index behind the tag (`nginx:1.29@sha256:…`), and let an updater such as Renovate move both.",
        group: Group::Image,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(Safety::Safe, "Writes the digest that `ironhull.lock` has behind the tag."),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.5.1"),
            Reference::new(Scheme::Nist800190, "4.1.5"),
            Reference::new(Scheme::NsaCisa, "Building secure container images"),
            Reference::new(Scheme::Cwe, "1357"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/containers/images/"),
        ],
        equivalents: &["checkov:CKV_K8S_43", "kics:7c81d34c-8e5a-402b-9798-9f442630e678"],
        examples: &[
            Example::new(
                "Services; what the file builds is not pulled",
                "-- compose.yaml --\nservices:\n  web:\n    «image: nginx:1.29» # proxy\n  api:\n    build: .\n    image: shop/api:3\n  worker:\n    image: shop/api:3\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"nginx:1.29\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d # proxy\n  api:\n    build: .\n    image: shop/api:3\n  worker:\n    image: shop/api:3\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"nginx:1.29\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
            Example::new(
                "A tag",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    «image: nginx:1.29»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\n",
            ),
            Example::new(
                "The lock has the digest",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, «image: nginx:1.29»}]\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"nginx:1.29\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: nginx:1.29@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d}]\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"nginx:1.29\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for image in cx.model.pulled_images() {
        // Without a tag, or with `latest`, the missing version is the worse news.
        let has_version = image.reference.tag().is_some_and(|tag| tag != "latest");
        if image.reference.digest().is_none() && has_version {
            out.report(image.place(), said(&image.reference)).repair(cx, || pin_service(cx, editor, &image));
        }
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let delivered = OnceCell::new();
    for container in cx.model.containers() {
        let (Some(image), Some(entry)) = (container.image(), container.node.entry("image")) else { continue };
        let is_built = || delivered.get_or_init(|| Delivered::around(&cx.context)).builds(&image);
        if image.digest().is_none() && !is_built() {
            out.report(entry.span(), said(&image)).repair(cx, || pin(cx, editor, entry.value, &image));
        }
    }
}

fn said(image: &reference::Reference<'_>) -> String {
    match image.tag() {
        None => format!("`{}` names no image for good: it has neither tag nor digest", image.text()),
        Some(_) => format!("the tag of `{}` can be moved to another image", image.text()),
    }
}
