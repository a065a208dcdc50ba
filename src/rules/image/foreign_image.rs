//! An image that the project did not agree on.

use crate::{
    knowledge::Knowledge,
    model::{DockerfileModel, compose::ComposeModel, kubernetes::KubernetesModel, reference},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "foreign-image",
        title: "Image from outside of the allowed ones",
        why: "Everybody can publish an image. A project that names the registries and repositories it trusts wants to hear of every other one before it runs.",
        remedy: "Take the image from an allowed place, or add its repository to `images` in `ironhull.toml`. Without that list every image is allowed.",
        group: Group::Image,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile, FileKind::Compose, FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "4.2"),
            Reference::new(Scheme::CisKubernetes, "5.5.1"),
            Reference::new(Scheme::Nist800190, "4.1.5"),
            Reference::new(Scheme::NsaCisa, "Building secure container images"),
            Reference::new(Scheme::Cwe, "829"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Only official images",
                "-- Dockerfile --\nFROM golang:1.25 AS build\nFROM «ghcr.io/somebody/runtime:3»\nCOPY --from=build /x /x\n-- ironhull.toml --\nimages = [\"docker.io/library/\"]\n",
                "-- Dockerfile --\nFROM golang:1.25 AS build\nFROM debian:13-slim\nCOPY --from=build /x /x\n-- ironhull.toml --\nimages = [\"docker.io/library/\"]\n",
            ),
            Example::new(
                "A service, and what the file builds itself",
                "-- compose.yaml --\nservices:\n  api:\n    build: .\n    image: shop/api:3\n  db:\n    «image: quay.io/somebody/postgres:18»\n-- ironhull.toml --\nimages = [\"postgres\", \"registry.shop.example/*\"]\n",
                "-- compose.yaml --\nservices:\n  api:\n    build: .\n    image: shop/api:3\n  db:\n    image: postgres:18\n-- ironhull.toml --\nimages = [\"postgres\", \"registry.shop.example/*\"]\n",
            ),
            Example::new(
                "A pod",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    «image: nginx:1.29»\n-- ironhull.toml --\nimages = [\"registry.shop.example/\"]\n",
                "-- pod.k8s.yaml --\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n    image: registry.shop.example/nginx:1.29\n-- ironhull.toml --\nimages = [\"registry.shop.example/\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Images { dockerfile, compose, kubernetes },
};

/// What is said of `image`, if the project does not let it in.
fn complaint(knowledge: &Knowledge, image: &reference::Reference<'_>) -> Option<String> {
    let name = image.name();
    (!knowledge.allows(&name)).then(|| format!("`{name}` is none of the images that this project allows"))
}

fn dockerfile(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for image in cx.model.image_uses() {
        if let Some(message) = complaint(cx.knowledge, &image.reference) {
            out.report(image.span, message);
        }
    }
}

fn compose(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    for image in cx.model.pulled_images() {
        if let Some(message) = complaint(cx.knowledge, &image.reference) {
            out.report(image.place(), message);
        }
    }
}

fn kubernetes(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for container in cx.model.containers() {
        let (Some(image), Some(entry)) = (container.image(), container.node.entry("image")) else { continue };
        if let Some(message) = complaint(cx.knowledge, &image) {
            out.report(entry.span(), message);
        }
    }
}
