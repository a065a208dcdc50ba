//! Which files around a Dockerfile may start what it makes.

use crate::{
    context::{self, BuildContext, Found},
    model::compose::{ComposeModel, Variables},
    source::FileKind,
    syntax::yaml,
};

/// So many files are read, and so many bytes of them.
const MOST_FILES: usize = 64;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Directories below those above the Dockerfile that compose files lie in.
const COMPOSE_DIRECTORIES: [&str; 6] = ["compose", "deploy", "deployment", "docker", ".docker", ".devcontainer"];

/// Directories below those above the Dockerfile that manifests lie in.
const MANIFEST_DIRECTORIES: [&str; 10] = [
    "deploy",
    "deployment",
    "deployments",
    "k8s",
    ".k8s",
    "kube",
    "kubernetes",
    "kubernetes-manifests",
    "manifests",
    "ops",
];

/// The compose files around, with the files that these name.
pub fn compose_files(context: BuildContext<'_>) -> Vec<Found> {
    let mut files = found(context, "compose files", &COMPOSE_DIRECTORIES, is_compose);
    let mut at = 0;
    while at < files.len() && files.len() < MOST_FILES {
        for path in named(&files[at]) {
            if files.len() < MOST_FILES && !files.iter().any(|file| file.path == path) {
                files.extend(context.at(&path));
            }
        }
        at += 1;
    }
    files
}

/// The manifests around.
pub(super) fn manifests(context: BuildContext<'_>) -> Vec<Found> {
    let is_manifest = |name: &str| is_yaml(name) && !is_compose(name);
    let mut files = found(context, "manifests", &MANIFEST_DIRECTORIES, is_manifest);
    files.retain(|file| {
        ["apiVersion", "kind", "containers"]
            .iter()
            .all(|key| memchr::memmem::find(&file.text, key.as_bytes()).is_some())
    });
    files
}

/// Files with such a name in the directories above the Dockerfile, and in `below` of them; `what` they are says who asks.
fn found(context: BuildContext<'_>, what: &str, below: &[&str], is_wanted: impl Fn(&str) -> bool) -> Vec<Found> {
    let mut files: Vec<Found> = Vec::new();
    let mut bytes = 0;
    for root in context.directories() {
        // Directories may be large, and many Dockerfiles lie below the same one.
        let key = [what, " of ", root].concat();
        for path in context.remembered(key, || paths_in(context, root, below, &is_wanted)).iter() {
            if files.len() >= MOST_FILES || bytes > MOST_BYTES {
                return files;
            }
            if files.iter().any(|file| file.path == *path) {
                continue;
            }
            let Some(file) = context.at(path) else { continue };
            bytes += file.text.len();
            files.push(file);
        }
    }
    files
}

/// The paths of such files in the directory at `root`, and in `below` of it.
fn paths_in(context: BuildContext<'_>, root: &str, below: &[&str], is_wanted: &impl Fn(&str) -> bool) -> Vec<String> {
    let entries = context.list(root);
    let inner = entries.iter().filter(|entry| entry.is_directory && below.contains(&entry.name.as_str()));
    let directories = std::iter::once(root.to_owned()).chain(inner.map(|entry| context::join(root, &entry.name)));
    let in_directory = |directory: String| {
        let entries = context.list(&directory);
        let wanted = entries.iter().filter(|entry| !entry.is_directory && is_wanted(&entry.name));
        wanted.map(|entry| context::join(&directory, &entry.name)).take(MOST_FILES).collect::<Vec<_>>()
    };
    directories.flat_map(in_directory).collect()
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yml") || name.ends_with(".yaml")
}

fn is_compose(name: &str) -> bool {
    is_yaml(name) && name.to_ascii_lowercase().contains("compose")
}

/// The paths of the files that a compose file includes or extends.
pub(super) fn named(file: &Found) -> Vec<String> {
    let says = |word: &str| memchr::memmem::find(&file.text, word.as_bytes()).is_some();
    if !says("include") && !says("extends") {
        return Vec::new();
    }
    let tree = yaml::parse(&file.text).tree;
    let directory = context::directory(&file.path);
    let model = ComposeModel::new(&tree, directory, &Variables::default());
    let included = model.includes();
    let included = included.iter().filter_map(|text| Some(context::resolve(directory, text.known()?)));
    let extended = model.services.iter().filter_map(|service| Some(service.extends_elsewhere()?.0));
    included.chain(extended).collect()
}

/// Names of the file that compose reads, and what the one begins with that it reads on top.
const NAMES: [&str; 4] = ["compose", "docker-compose", "compose.override", "docker-compose.override"];

/// The files that compose may read before the one at `path`; none if that is such a file.
pub(super) fn base_of(path: &str) -> Vec<String> {
    let directory = context::directory(path);
    let bases = NAMES[..2].iter().flat_map(|name| with_endings(directory, name));
    let bases: Vec<String> = bases.collect();
    if bases.iter().any(|base| base == path) { Vec::new() } else { bases }
}

/// The files that compose reads on top of the one at `path`; none if it is read on top itself.
pub(super) fn override_of(path: &str) -> Vec<String> {
    let directory = context::directory(path);
    if !NAMES[..2].iter().flat_map(|name| with_endings(directory, name)).any(|base| base == path) {
        return Vec::new();
    }
    NAMES[2..].iter().flat_map(|name| with_endings(directory, name)).collect()
}

/// Whether compose reads the file at `path` on top of another one by itself.
pub fn is_override(path: &str) -> bool {
    let directory = context::directory(path);
    NAMES[2..].iter().flat_map(|name| with_endings(directory, name)).any(|name| name == path)
}

fn with_endings(directory: &str, name: &str) -> [String; 2] {
    [".yaml", ".yml"].map(|ending| context::join(directory, &format!("{name}{ending}")))
}

/// The files around, other than compose files, that may build an image, with their kinds.
pub fn builders(context: BuildContext<'_>) -> Vec<(Found, FileKind)> {
    let mut files: Vec<(Found, FileKind)> = Vec::new();
    let mut bytes = 0;
    for root in context.directories() {
        for below in ["", "scripts", "bin", "hack", ".github/workflows"] {
            let directory = if below.is_empty() { root.to_owned() } else { context::join(root, below) };
            for entry in context.list(&directory).iter().filter(|entry| !entry.is_directory) {
                let Some(kind) = builder_kind(below, &entry.name) else { continue };
                let path = context::join(&directory, &entry.name);
                if files.len() >= MOST_FILES || bytes > MOST_BYTES {
                    return files;
                }
                if files.iter().any(|(file, _)| file.path == path) {
                    continue;
                }
                let Some(file) = context.at(&path) else { continue };
                bytes += file.text.len();
                files.push((file, kind));
            }
        }
    }
    files
}

fn builder_kind(directory: &str, name: &str) -> Option<FileKind> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        _ if directory == ".github/workflows" => is_yaml(&lower).then_some(FileKind::Workflow),
        "makefile" | "gnumakefile" => Some(FileKind::Makefile),
        ".gitlab-ci.yml" => Some(FileKind::GitlabCi),
        "docker-bake.hcl" | "docker-bake.json" => Some(FileKind::Bake),
        _ if lower.ends_with(".sh") => Some(FileKind::Script),
        _ => None,
    }
}
