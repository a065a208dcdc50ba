//! The build context as evidence: entry scripts, manifests, `action.yml`, asked for by path.
//!
//! Nothing here touches a disk: whoever runs the rules hands in [`Files`]. Which directory a build takes as its context
//! is not written in a Dockerfile, so a `COPY` source is looked for in the Dockerfile's directory and then in each
//! directory above it that the run may read; the answer says where it was found.

use crate::source::SourceFile;
use foldhash::fast::RandomState;
use std::{
    any::Any,
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

/// Read access to the files around a checked file.
///
/// An implementation answers only regular files inside the checked tree, bounded in size and number, and gives the
/// same answer for the same path all through one run.
pub trait Files: Sync {
    /// The bytes of the file at `path`, written as [`crate::source::SourceFile::path`] is.
    fn read(&self, path: &str) -> Option<Arc<[u8]>>;

    /// What lies in the directory at `path`, sorted by name; nothing for what is no directory of the checked tree. The
    /// empty path is the directory that relative paths start in.
    fn list(&self, path: &str) -> Arc<[Entry]>;

    /// The bytes of the file at `path` as it is, where another text stands in front of it.
    fn original(&self, path: &str) -> Option<Arc<[u8]>> {
        self.read(path)
    }

    /// Whether somebody may execute the regular file at `path`; not so where the system has no such mark.
    fn is_executable(&self, _path: &str) -> bool {
        false
    }

    /// Whether files that are not found are not there; otherwise nobody looked.
    fn are_seen(&self) -> bool {
        true
    }

    /// Where what was worked out of files is kept for whoever asks next; nothing is kept without it.
    fn memory(&self) -> Option<&Memory> {
        None
    }
}

/// What was worked out of files around, once for all checked files that ask: one compose file may stand above a thousand
/// Dockerfiles.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<String, Remembered, RandomState>>);

type Remembered = Arc<dyn Any + Send + Sync>;

/// So many things are remembered.
const MOST_REMEMBERED: usize = 65_536;

impl Memory {
    fn seen(&self) -> MutexGuard<'_, HashMap<String, Remembered, RandomState>> {
        self.0.lock().expect("nobody panics who holds it")
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// Whether it is a directory; a link is neither followed nor one.
    pub is_directory: bool,
}

/// No files at all: a text on standard input, an editor without a folder.
#[derive(Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str) -> Option<Arc<[u8]>> {
        None
    }

    fn list(&self, _path: &str) -> Arc<[Entry]> {
        Arc::default()
    }

    fn are_seen(&self) -> bool {
        false
    }
}

/// The files of another set, with other texts in the place of some.
pub struct Overlaid<'a> {
    files: &'a dyn Files,
    texts: &'a [SourceFile],
}

impl<'a> Overlaid<'a> {
    /// `files`, with `texts` in front.
    pub fn new(files: &'a dyn Files, texts: &'a [SourceFile]) -> Self {
        Self { files, texts }
    }
}

impl Files for Overlaid<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        match self.texts.iter().find(|file| file.path == path) {
            Some(file) => Some(Arc::from(file.text.as_slice())),
            None => self.files.read(path),
        }
    }

    fn original(&self, path: &str) -> Option<Arc<[u8]>> {
        self.files.original(path)
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        self.files.list(path)
    }

    fn is_executable(&self, path: &str) -> bool {
        self.files.is_executable(path)
    }

    fn are_seen(&self) -> bool {
        self.files.are_seen()
    }
}

/// The files of another set, which takes note of those among some that are read.
pub struct Watched<'a> {
    files: &'a dyn Files,
    /// What is watched for, as [`resolve`] writes it.
    wanted: &'a BTreeSet<String>,
    seen: Mutex<BTreeSet<String>>,
}

impl<'a> Watched<'a> {
    /// `files`, of which `wanted` are watched for.
    pub fn new(files: &'a dyn Files, wanted: &'a BTreeSet<String>) -> Self {
        Self { files, wanted, seen: Mutex::default() }
    }

    /// The paths of those that were read, as they were asked for.
    pub fn seen(self) -> BTreeSet<String> {
        self.seen.into_inner().expect("nobody panics who holds it")
    }
}

impl Files for Watched<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        if self.wanted.contains(&resolve("", path)) {
            self.seen.lock().expect("nobody panics who holds it").insert(path.to_owned());
        }
        self.files.read(path)
    }

    fn original(&self, path: &str) -> Option<Arc<[u8]>> {
        self.files.original(path)
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        self.files.list(path)
    }

    fn is_executable(&self, path: &str) -> bool {
        self.files.is_executable(path)
    }

    fn are_seen(&self) -> bool {
        self.files.are_seen()
    }

    fn memory(&self) -> Option<&Memory> {
        self.files.memory()
    }
}

/// The surroundings of one checked file.
#[derive(Clone, Copy)]
pub struct BuildContext<'a> {
    files: &'a dyn Files,
    path: &'a str,
}

/// A file of the context.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its path, written as the checked file's path is.
    pub path: String,
    /// Its bytes.
    pub text: Arc<[u8]>,
}

/// How many directories above the Dockerfile's own are looked into.
const HEIGHT: usize = 6;

impl<'a> BuildContext<'a> {
    /// The surroundings of the file at `path`.
    pub fn new(files: &'a dyn Files, path: &'a str) -> Self {
        Self { files, path }
    }

    /// The surroundings of another file of the same tree.
    pub fn of<'b>(&self, path: &'b str) -> BuildContext<'b>
    where
        'a: 'b,
    {
        BuildContext { files: self.files, path }
    }

    /// The bytes of the file at `path` as it is, where another text stands in front of it.
    pub fn original(&self, path: &str) -> Option<Arc<[u8]>> {
        self.files.original(path)
    }

    /// The file `name` in the directory of the checked file.
    pub fn beside(&self, name: &str) -> Option<Found> {
        self.in_directory(directory(self.path), name)
    }

    /// The file `name` in the directory of the checked file or the nearest one above it.
    ///
    /// For a `COPY` source the answer is the likeliest file, not a proof: the context may be another directory.
    pub fn nearest(&self, name: &str) -> Option<Found> {
        let name = plain(name)?;
        self.directories().find_map(|at| self.in_directory(at, name))
    }

    /// Whether a file `name`, readable or not, lies in the directory of the checked file or one above it.
    pub fn holds_file(&self, name: &str) -> bool {
        let Some(name) = plain(name) else { return false };
        let (below, last) = name.rsplit_once('/').unwrap_or(("", name));
        self.directories().any(|at| {
            let directory = if below.is_empty() { at.to_owned() } else { join(at, below) };
            self.files.list(&directory).iter().any(|entry| entry.name == last && !entry.is_directory)
        })
    }

    /// The file or directory `name`, where [`BuildContext::nearest`] looks for it.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        self.find(name).map(|(_, entry)| entry)
    }

    /// Whether the entry `name` is a file that nobody may execute.
    pub fn holds_unexecutable_file(&self, name: &str) -> bool {
        self.find(name).is_some_and(|(path, entry)| !entry.is_directory && !self.files.is_executable(&path))
    }

    fn find(&self, name: &str) -> Option<(String, Entry)> {
        let name = plain(name)?;
        let (below, last) = name.rsplit_once('/').unwrap_or(("", name));
        self.directories().find_map(|at| {
            let directory = if below.is_empty() { at.to_owned() } else { join(at, below) };
            let entry = self.files.list(&directory).iter().find(|entry| entry.name == last).cloned()?;
            Some((join(&directory, last), entry))
        })
    }

    /// The directory of the checked file, the one above it, …: as far up as is looked.
    pub fn directories(&self) -> impl Iterator<Item = &'a str> {
        // What lies above `..` has no name here.
        let above = |at: &&'a str| (!at.is_empty() && *at != ".." && !at.ends_with("/..")).then(|| directory(at));
        std::iter::successors(Some(directory(self.path)), above).take(HEIGHT + 1)
    }

    /// The file at `path`, written as the checked file's path is.
    pub fn at(&self, path: &str) -> Option<Found> {
        self.files.read(path).map(|text| Found { path: path.to_owned(), text })
    }

    /// What lies in the directory at `path`, written as the checked file's path is; sorted by name.
    pub fn list(&self, path: &str) -> Arc<[Entry]> {
        self.files.list(path)
    }

    /// What `work` makes of files around, which `key` names together with what is asked of them: all that it looks at.
    pub fn remembered<T: Send + Sync + 'static>(&self, key: String, work: impl FnOnce() -> T) -> Arc<T> {
        let Some(memory) = self.files.memory() else { return Arc::new(work()) };
        let known = memory.seen().get(&key).cloned();
        if let Some(known) = known.and_then(|known| known.downcast().ok()) {
            return known;
        }
        // Without the lock: who works may ask for other things, and two who work at once find the same.
        let made = Arc::new(work());
        let mut seen = memory.seen();
        if seen.len() < MOST_REMEMBERED {
            seen.insert(key, made.clone());
        }
        made
    }

    /// The checked file.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The directory of the checked file.
    pub fn directory(&self) -> &'a str {
        directory(self.path)
    }

    /// The likeliest build context: the nearest directory, from the checked file's own upwards, that holds everything
    /// in `sources`, names of `COPY` sources. Patterns and what leaves the context do not count.
    ///
    /// `None` where no directory does, or where no file but the Dockerfile itself can be seen.
    pub fn root(&self, sources: &[&str]) -> Option<String> {
        let names: Vec<&str> = sources.iter().filter_map(|name| plain(name)).filter(|&name| name != ".").collect();
        let mut below = self.path;
        let mut at = directory(self.path);
        for _ in 0..=HEIGHT {
            let entries = self.files.list(at);
            let seen = below.rsplit('/').next().unwrap_or(below);
            let has_more = entries.iter().any(|entry| entry.name != seen && !is_about_building(&entry.name));
            if has_more && names.iter().all(|name| self.has(at, name)) {
                return Some(at.to_owned());
            }
            if at.is_empty() || at == ".." || at.ends_with("/..") {
                return None;
            }
            below = at;
            at = directory(at);
        }
        None
    }

    /// Whether the directory at `at` holds `name`, a path below it.
    fn has(&self, at: &str, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let (directory, last) = match name.rsplit_once('/') {
            Some((above, last)) => (join(at, above), last),
            None => (at.to_owned(), name),
        };
        self.files.list(&directory).iter().any(|entry| entry.name == last)
    }

    fn in_directory(&self, directory: &str, name: &str) -> Option<Found> {
        self.at(&join(directory, name))
    }
}

/// `name` in `directory`, written as paths of checked files are.
pub fn join(directory: &str, name: &str) -> String {
    match directory {
        "" => name.to_owned(),
        "/" => format!("/{name}"),
        directory => [directory, "/", name].concat(),
    }
}

/// `path` as it is seen from `directory`, without `.`, and without `..` behind a name; written as paths of checked files
/// are.
pub fn resolve(directory: &str, path: &str) -> String {
    let joined = if path.starts_with('/') { path.to_owned() } else { join(directory, path) };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." if joined.starts_with('/') || parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let relative = parts.join("/");
    if joined.starts_with('/') { format!("/{relative}") } else { relative }
}

/// Whether a file tells how things are built, and is not what is built.
fn is_about_building(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.contains("dockerfile")
        || lower.contains("containerfile")
        || lower.starts_with('.')
        || lower.contains("compose")
}

/// The part of `path` before its last `/`.
pub fn directory(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) if path != "/" => "/",
        Some((directory, _)) => directory,
        None => "",
    }
}

/// A source path without its leading `./` or `/`; `None` for what leaves the context, is a pattern or holds a variable.
fn plain(name: &str) -> Option<&str> {
    let name = name.trim_start_matches("./").trim_start_matches('/');
    let odd = name.is_empty() || name.contains(['*', '?', '[', '$', '\0']) || name.split('/').any(|part| part == "..");
    (!odd).then_some(name)
}

/// What a directory holds of the files at `paths`, which exist only in memory.
pub fn entries<'p>(paths: impl Iterator<Item = &'p str>, directory: &str) -> Arc<[Entry]> {
    let below = |path: &'p str| match directory {
        "" => Some(path).filter(|path| !path.starts_with('/')),
        "/" => path.strip_prefix('/'),
        directory => path.strip_prefix(directory)?.strip_prefix('/'),
    };
    let found: BTreeSet<Entry> = paths
        .filter_map(below)
        .map(|rest| match rest.split_once('/') {
            Some((name, _)) => Entry { name: name.to_owned(), is_directory: true },
            None => Entry { name: rest.to_owned(), is_directory: false },
        })
        .collect();
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(&'static [&'static str]);

    impl Files for Tree {
        fn read(&self, path: &str) -> Option<Arc<[u8]>> {
            self.0.contains(&path).then(|| Arc::from(path.as_bytes()))
        }

        fn list(&self, path: &str) -> Arc<[Entry]> {
            entries(self.0.iter().copied(), path)
        }
    }

    fn nearest(tree: &'static [&'static str], dockerfile: &str, name: &str) -> Option<String> {
        BuildContext::new(&Tree(tree), dockerfile).nearest(name).map(|found| found.path)
    }

    #[test]
    fn the_nearest_directory_wins() {
        assert_eq!(nearest(&["run.sh", "a/run.sh"], "a/b/Dockerfile", "run.sh").as_deref(), Some("a/run.sh"));
        assert_eq!(nearest(&["run.sh"], "Dockerfile", "./run.sh").as_deref(), Some("run.sh"));
        assert_eq!(nearest(&["/run.sh"], "/Dockerfile", "/run.sh").as_deref(), Some("/run.sh"));
        assert_eq!(nearest(&["/x/run.sh"], "/x/y/Dockerfile", "run.sh").as_deref(), Some("/x/run.sh"));
        assert_eq!(nearest(&["../run.sh"], "../x/Dockerfile", "run.sh").as_deref(), Some("../run.sh"));
        assert_eq!(nearest(&["run.sh"], "../x/Dockerfile", "run.sh"), None);
    }

    #[test]
    fn the_context_is_the_nearest_directory_that_holds_what_is_copied() {
        let root = |tree: &'static [&'static str], dockerfile: &str, sources: &[&str]| {
            BuildContext::new(&Tree(tree), dockerfile).root(sources)
        };
        let tree: &[&str] = &["docker/Dockerfile", "docker/run.sh", "src/app.py", "setup.cfg"];
        assert_eq!(root(tree, "docker/Dockerfile", &["run.sh"]).as_deref(), Some("docker"));
        assert_eq!(root(tree, "docker/Dockerfile", &["docker/run.sh", "src/"]).as_deref(), Some(""));
        assert_eq!(root(tree, "docker/Dockerfile", &["gone.txt"]), None);
        assert_eq!(root(&["a/Dockerfile", "a/.env"], "a/Dockerfile", &["."]), None);
        assert_eq!(root(&["Dockerfile", "app.py"], "Dockerfile", &["."]).as_deref(), Some(""));
    }

    #[test]
    fn a_path_is_seen_from_a_directory() {
        for (directory, path, resolved) in [
            ("", "./web", "web"),
            ("a/b", "../c/./d", "a/c/d"),
            ("a", "../..", ".."),
            ("../x", "..", ".."),
            ("/a", "../../b", "/b"),
            ("a", "/b//c", "/b/c"),
            ("a", ".", "a"),
            ("", ".", ""),
        ] {
            assert_eq!(resolve(directory, path), resolved, "{directory} {path}");
        }
    }

    #[test]
    fn what_leaves_the_context_or_is_a_pattern_is_not_looked_for() {
        for name in ["../run.sh", "a/../../run.sh", "*.sh", "$X/run.sh", ".", ""] {
            assert_eq!(nearest(&["run.sh", "a/run.sh"], "a/Dockerfile", name), None, "{name}");
        }
    }
}
