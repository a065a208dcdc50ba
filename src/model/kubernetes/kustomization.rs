//! What Kustomize makes of the files around it.

mod merge;

pub use merge::merged;

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

/// What is laid over a manifest.
#[derive(Clone, Debug)]
pub struct Patch {
    /// Its text.
    text: Vec<u8>,
    /// What it is for, where the kustomization says so; else it says so itself.
    target: Option<Target>,
}

/// What a patch is for: everything, unless it names a kind or a name.
#[derive(Clone, Debug, Default)]
struct Target {
    kind: Option<String>,
    name: Option<String>,
}

impl Target {
    /// What the target of a patch says; none if what it says chooses in a way that is not read.
    fn of(target: Node<'_>) -> Option<Self> {
        let text = |key: &str| target.get(key)?.scalar().map(str::to_owned);
        if ["labelSelector", "annotationSelector", "namespace"].iter().any(|key| target.get(key).is_some()) {
            return None;
        }
        // Kinds and names are patterns; one that fits everything is none.
        let chosen = |key: &str| text(key).filter(|text| text != ".*");
        let (kind, name) = (chosen("kind"), chosen("name"));
        let is_plain = |text: &Option<String>| {
            text.as_ref()
                .is_none_or(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)))
        };
        (is_plain(&kind) && is_plain(&name)).then_some(Self { kind, name })
    }
}

/// So many patches are laid over a manifest, in one way of building it.
const MOST_PATCHES: usize = 64;

/// So many directories are looked into for kustomizations that build on another one.
const MOST_OVERLAYS: usize = 48;

/// So many kustomizations build on each other, and so many components include another.
const MOST_LAYERS: usize = 4;

/// The ways in which kustomizations build the checked file, each with the patches that it gets; in order, those of what
/// is built upon first. None where no kustomization has it among its resources.
pub fn builds(context: &BuildContext<'_>) -> Vec<Vec<Patch>> {
    let own = resolve("", context.path());
    let mut builds = Vec::new();
    for directory in context.directories().take(HEIGHT) {
        let patches = with(context, directory, |kustomization| {
            let is_resource = resources(kustomization).any(|path| resolve(directory, path) == own);
            is_resource.then(|| patches_of(context, directory, kustomization, MOST_LAYERS))
        });
        let Some(patches) = patches else { continue };
        let around = around(context, directory);
        let mut ways = Vec::new();
        follow(&around, &resolve("", directory), &patches, MOST_LAYERS, &mut ways);
        builds.extend(ways);
    }
    builds
}

/// A kustomization that builds on others.
struct Overlay {
    /// The directory that it lies in.
    home: String,
    /// The directories that it builds on.
    bases: Vec<String>,
    /// The patches that it gives.
    patches: Vec<Patch>,
}

/// Adds to `ways` the patches that what is built in `home` gets: `patches`, and those of who builds on it, and on that.
fn follow(around: &[Overlay], home: &str, patches: &[Patch], layers: usize, ways: &mut Vec<Vec<Patch>>) {
    let mut overlays = around.iter().filter(|overlay| overlay.bases.iter().any(|base| base == home)).peekable();
    if ways.len() >= MOST_OVERLAYS {
        return;
    }
    if layers == 0 || overlays.peek().is_none() {
        ways.push(patches.to_vec());
        return;
    }
    for overlay in overlays {
        let over = overlay.patches.iter();
        let both: Vec<Patch> = patches.iter().chain(over).take(MOST_PATCHES).cloned().collect();
        follow(around, &overlay.home, &both, layers - 1, ways);
    }
}

/// The kustomizations around the one in `base` that build on others.
fn around(context: &BuildContext<'_>, base: &str) -> Vec<Overlay> {
    let mut looked: Vec<String> = Vec::new();
    for above in context.directories().skip_while(|at| *at != base).skip(1).take(HEIGHT) {
        for at in below(context, above) {
            looked.extend(below(context, &at));
            looked.push(at);
        }
        if looked.len() > MOST_OVERLAYS {
            break;
        }
    }
    looked.sort();
    looked.dedup();
    looked.truncate(MOST_OVERLAYS);
    let found = looked.iter().filter_map(|directory| {
        with(context, directory, |kustomization| {
            let bases = resources(kustomization).chain(components(kustomization));
            let bases: Vec<String> = bases.map(|path| resolve(directory, path)).collect();
            let patches = || patches_of(context, directory, kustomization, MOST_LAYERS);
            (!bases.is_empty()).then(|| Overlay { home: resolve("", directory), bases, patches: patches() })
        })
    });
    found.collect()
}

/// The directories in the one at `path`.
fn below(context: &BuildContext<'_>, path: &str) -> Vec<String> {
    let listed = context.list(path);
    let visible = listed.iter().filter(|entry| entry.is_directory && !entry.name.starts_with('.'));
    visible.take(MOST_OVERLAYS).map(|entry| join(path, &entry.name)).collect()
}

/// What a kustomization builds: files, and directories of others.
fn resources(kustomization: Node<'_>) -> impl Iterator<Item = &str> {
    let lists = ["resources", "bases"].into_iter().filter_map(move |key| kustomization.get(key));
    lists.flat_map(Node::items).filter_map(Node::scalar)
}

/// The directories of the components of a kustomization.
fn components(kustomization: Node<'_>) -> impl Iterator<Item = &str> {
    kustomization.get("components").into_iter().flat_map(Node::items).filter_map(Node::scalar)
}

/// The patches of the kustomization in `directory` that can be read: those of its components come first.
fn patches_of(context: &BuildContext<'_>, directory: &str, kustomization: Node<'_>, layers: usize) -> Vec<Patch> {
    let file = |path: &str| Some(context.at(&resolve(directory, path))?.text.to_vec());
    let mut patches = Vec::new();
    for component in components(kustomization).filter(|_| layers > 0).take(MOST_OVERLAYS) {
        let home = resolve(directory, component);
        let given = with(context, &home, |component| Some(patches_of(context, &home, component, layers - 1)));
        patches.extend(given.unwrap_or_default());
        patches.truncate(MOST_PATCHES);
    }
    for key in ["patches", "patchesJson6902"] {
        for patch in kustomization.get(key).into_iter().flat_map(Node::items) {
            let text = |key: &str| patch.get(key).and_then(Node::scalar);
            let target = match patch.get("target") {
                Some(target) => match Target::of(target) {
                    Some(target) => Some(target),
                    None => continue,
                },
                None => None,
            };
            let text = text("path").and_then(file).or_else(|| text("patch").map(|text| text.as_bytes().to_vec()));
            patches.extend(text.filter(|text| text.len() <= LARGEST).map(|text| Patch { text, target }));
        }
    }
    let plain = kustomization.get("patchesStrategicMerge").into_iter().flat_map(Node::items).filter_map(Node::scalar);
    let texts =
        plain.filter_map(|patch| file(patch).or_else(|| patch.contains('\n').then(|| patch.as_bytes().to_vec())));
    patches.extend(texts.filter(|text| text.len() <= LARGEST).map(|text| Patch { text, target: None }));
    if let Some(name) = kustomization.get("namespace").and_then(Node::scalar) {
        let text = format!("metadata: {{namespace: {name:?}}}\n").into_bytes();
        patches.push(Patch { text, target: Some(Target::default()) });
    }
    patches.truncate(MOST_PATCHES);
    patches
}

/// What `claim` says of the kustomization in `directory`, if there is one.
fn read(context: &BuildContext<'_>, directory: &str, claim: impl Fn(Node<'_>) -> bool) -> bool {
    with(context, directory, |kustomization| claim(kustomization).then_some(())).is_some()
}

/// The first answer of `ask` about the kustomization in `directory`, if there is one.
fn with<T>(context: &BuildContext<'_>, directory: &str, ask: impl Fn(Node<'_>) -> Option<T>) -> Option<T> {
    let listed = context.list(directory);
    let name = NAMES.iter().find(|name| listed.iter().any(|entry| entry.name == **name))?;
    let found = context.at(&join(directory, name)).filter(|found| found.text.len() <= LARGEST)?;
    yaml::parse(&found.text).tree.documents().find_map(ask)
}

/// The paths of files that are patches.
fn patches(kustomization: Node<'_>) -> impl Iterator<Item = &str> {
    let with_path = ["patches", "patchesJson6902"].into_iter().flat_map(move |key| {
        kustomization.get(key).into_iter().flat_map(Node::items).filter_map(|patch| patch.get("path"))
    });
    let plain = kustomization.get("patchesStrategicMerge").into_iter().flat_map(Node::items);
    with_path.chain(plain).filter_map(Node::scalar)
}
