//! What Kustomize makes of the files around it.

use crate::{
    context::{BuildContext, join, resolve},
    syntax::yaml::{self, Node},
};

/// Names of its files, in the order that it looks for them.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// So many directories, from that of a file upwards, are looked into for who patches with it.
const HEIGHT: usize = 3;

/// A larger one lists no files that people wrote.
const LARGEST: usize = 256 * 1024;

/// Whether a kustomization uses the checked file as a patch, so that other files say what it does not.
pub fn is_patch(context: &BuildContext<'_>) -> bool {
    let own = resolve("", context.path());
    context.directories().take(HEIGHT).any(|directory| {
        read(context, directory, |kustomization| patches(kustomization).any(|path| resolve(directory, path) == own))
    })
}

/// What `claim` says of the kustomization in `directory`, if there is one.
fn read(context: &BuildContext<'_>, directory: &str, claim: impl Fn(Node<'_>) -> bool) -> bool {
    let listed = context.list(directory);
    let Some(name) = NAMES.iter().find(|name| listed.iter().any(|entry| entry.name == **name)) else { return false };
    let Some(found) = context.at(&join(directory, name)).filter(|found| found.text.len() <= LARGEST) else {
        return false;
    };
    yaml::parse(&found.text).tree.documents().any(claim)
}

/// The paths of files that are patches.
fn patches(kustomization: Node<'_>) -> impl Iterator<Item = &str> {
    let with_path = ["patches", "patchesJson6902"].into_iter().flat_map(move |key| {
        kustomization.get(key).into_iter().flat_map(Node::items).filter_map(|patch| patch.get("path"))
    });
    let plain = kustomization.get("patchesStrategicMerge").into_iter().flat_map(Node::items);
    with_path.chain(plain).filter_map(Node::scalar)
}
