//! An image without a tag, or with `latest`, is another image after the next start.

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
        id: "unversioned-image",
        title: "Container of an image without a version",
        why: "`latest` is whatever was pushed last: two containers of one service run different programs, a restart is an update, and there is no version to go back to.",
        remedy: "Name a version, and pin it by digest.",
        group: Group::Image,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Writes the digest that `ironhull.lock` has of the image as it was; which version it should be is a decision.",
        ),
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.5.1"),
            Reference::new(Scheme::Nist800190, "4.1.5"),
            Reference::new(Scheme::NsaCisa, "Building secure container images"),
            Reference::new(Scheme::Cwe, "1357"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/containers/images/"),
        ],
        equivalents: &[
            "checkov:CKV_K8S_14",
            "kics:583053b7-e632-46f0-b989-f81ff8045385",
            "kube-linter:latest-tag",
            "trivy:KSV-0013",
        ],
        examples: &[
            Example::new(
                "A service; the default of a variable counts",
                "-- compose.yaml --\nservices:\n  web:\n    «image: nginx»\n  db:\n    «image: postgres:${TAG:-latest}»\n  cache:\n    image: redis:${REDIS}\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n  db:\n    image: postgres:${TAG:-18}\n  cache:\n    image: redis:${REDIS}\n",
            ),
            Example::new(
                "No tag",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    «image: nginx»\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "The tag `latest`",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers:\n  - name: init\n    «image: ghcr.io/example/init:latest»\n  containers:\n  - name: web\n    image: nginx:1.29\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers:\n  - name: init\n    image: ghcr.io/example/init:2.1\n  containers:\n  - name: web\n    image: nginx:1.29\n",
            ),
            Example::new(
                "The lock has the digest",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    «image: \"nginx\"»\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"nginx:latest\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: \"nginx:latest@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\n-- ironhull.lock --\nversion = 1\n[[image]]\nreference = \"nginx:latest\"\ndigest = \"sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
            Example::new(
                "Skaffold and Kustomize write the version of what they know",
                "-- k8s/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: shop/web\n  - name: api\n    image: shop/api:latest\n  - name: log\n    «image: shop/log»\n-- k8s/kustomization.yaml --\nimages:\n- {name: shop/api, newTag: v3}\n- {name: shop/log, newTag: latest}\n-- skaffold.yaml --\nbuild:\n  artifacts:\n  - image: shop/web\n",
                "-- k8s/pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: shop/web\n  - name: api\n    image: shop/api:latest\n  - name: log\n    image: shop/log:v7\n-- k8s/kustomization.yaml --\nimages:\n- {name: shop/api, newTag: v3}\n- {name: shop/log, newTag: latest}\n-- skaffold.yaml --\nbuild:\n  artifacts:\n  - image: shop/web\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Containers { compose, kubernetes },
};

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for image in cx.model.pulled_images() {
        if image.reference.digest().is_some() || image.reference.effective_tag() != Some("latest") {
            continue;
        }
        let finding = out.report(image.place(), said(&image.reference));
        // An unknown name without a registry is often an image that the project builds itself.
        let is_unknown = image.reference.is_official() && cx.knowledge.image(&image.reference.name(), None).is_none();
        if is_unknown || image.text.is_defaulted {
            finding.confidence(Confidence::Medium);
        }
        finding.repair(cx, || pin_service(cx, editor, &image));
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let delivered = OnceCell::new();
    for container in cx.model.containers() {
        let (Some(image), Some(entry)) = (container.image(), container.node.entry("image")) else { continue };
        if image.digest().is_some() || image.effective_tag() != Some("latest") {
            continue;
        }
        if delivered.get_or_init(|| Delivered::around(&cx.context)).gives_version(&image) {
            continue;
        }
        out.report(entry.span(), said(&image)).repair(cx, || pin(cx, editor, entry.value, &image));
    }
}

fn said(image: &reference::Reference<'_>) -> String {
    match image.tag() {
        None => format!("`{}` has no tag, which means `latest`", image.text()),
        Some(_) => format!("`{}` is whatever was pushed last", image.text()),
    }
}
