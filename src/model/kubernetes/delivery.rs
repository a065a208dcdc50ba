//! Images that a tool writes the version into before the cluster sees a manifest: Skaffold what it builds, Kustomize
//! what its configuration names.

use crate::{
    context::BuildContext,
    model::reference::Reference,
    syntax::yaml::{self, Node},
};

/// Images whose version another file decides.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    /// Names that Skaffold replaces with the digest of what it has built.
    built: Vec<String>,
    /// Names that Kustomize gives a tag other than `latest`, or a digest.
    versioned: Vec<String>,
}

const SKAFFOLD: [&str; 2] = ["skaffold.yaml", "skaffold.yml"];

const KUSTOMIZE: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

impl Delivered {
    /// What the files say that lie beside the checked one, or above it.
    pub fn around(context: &BuildContext<'_>) -> Self {
        Self {
            built: SKAFFOLD.iter().flat_map(|name| names_in(context, name, built)).collect(),
            versioned: KUSTOMIZE.iter().flat_map(|name| names_in(context, name, versioned)).collect(),
        }
    }

    /// Whether a tool replaces the image, written without a version, with what it has built.
    pub fn builds(&self, image: &Reference<'_>) -> bool {
        let is_open = image.digest().is_none() && image.effective_tag() == Some("latest");
        is_open && is_among(&self.built, image)
    }

    /// Whether a tool writes a version where the manifest has none.
    pub fn gives_version(&self, image: &Reference<'_>) -> bool {
        self.builds(image) || is_among(&self.versioned, image)
    }
}

/// Whether the image is one of `names`, as both are written.
fn is_among(names: &[String], image: &Reference<'_>) -> bool {
    let text = image.text();
    let written = text.split_once('@').map_or(text, |(name, _)| name);
    let written = image.tag().and_then(|tag| written.strip_suffix(tag)?.strip_suffix(':')).unwrap_or(written);
    names.iter().any(|name| name == written)
}

fn names_in(context: &BuildContext<'_>, file: &str, names: fn(Node<'_>) -> Vec<String>) -> Vec<String> {
    let Some(found) = context.nearest(file) else { return Vec::new() };
    let parsed = yaml::parse(&found.text);
    parsed.tree.documents().flat_map(names).collect()
}

fn built(document: Node<'_>) -> Vec<String> {
    let artifacts = document.get("build").and_then(|build| build.get("artifacts"));
    artifacts.into_iter().flat_map(Node::items).filter_map(|artifact| text(artifact, "image")).collect()
}

fn versioned(document: Node<'_>) -> Vec<String> {
    let images = document.get("images").into_iter().flat_map(Node::items);
    let has_version = |image: &Node<'_>| {
        text(*image, "digest").is_some() || text(*image, "newTag").is_some_and(|tag| !tag.is_empty() && tag != "latest")
    };
    images.filter(has_version).filter_map(|image| text(image, "name")).collect()
}

fn text(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key).and_then(Node::scalar).map(str::to_owned)
}
