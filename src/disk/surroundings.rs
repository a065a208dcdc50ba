//! The files around the checked ones, as evidence: regular files inside the checked tree, small ones, each read once.
//!
//! Rules ask for many files that are not there. A directory is listed once, and answers for all of them.

use super::{is_executable, is_repository_root, read_at_most};
use crate::context::{Entry, Files, Memory};
use foldhash::fast::RandomState;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs::{self, DirEntry},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

/// The files around the checked ones.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The directories that were named, and how the paths of checked files begin that lie in them.
    named: Vec<PathBuf>,
    written: BTreeSet<String>,
    /// The same without links: what a link leads to is known by that.
    real: OnceLock<HashSet<PathBuf>>,
    directories: Mutex<HashMap<Box<str>, Arc<Directory>, RandomState>>,
    read: Mutex<Texts>,
    memory: Memory,
}

/// What was read, and what could not be, by path.
type Texts = HashMap<String, Option<Arc<[u8]>>, RandomState>;

/// A directory.
#[derive(Debug)]
struct Directory {
    path: Box<str>,
    /// Whether evidence may come from it.
    is_held: bool,
    listing: OnceLock<Listing>,
}

/// What is seen of a directory.
#[derive(Debug, Default)]
struct Listing {
    /// Sorted by name.
    entries: Arc<[Entry]>,
    /// Which of them are certainly regular files.
    regular: Vec<bool>,
    /// Whether that is all that is in it.
    is_whole: bool,
}

/// What a name in a directory is.
enum Kind {
    Nothing,
    Directory,
    File,
    /// A link, or something that was not listed.
    Other,
}

/// A file of evidence above this size is passed over.
const LARGEST_EVIDENCE: u64 = 1024 * 1024;

/// Of a directory so many names are seen.
const MOST_ENTRIES: usize = 10_000;

/// After so many answers the rest count as missing.
const MOST_EVIDENCE: usize = 1_000_000;

/// Directories in so many others are not remembered: whoever names them means no good.
const DEEPEST: usize = 64;

impl Surroundings {
    /// What lies in the repositories of `directories`; outside of one, in the directories themselves.
    pub fn of(directories: Vec<PathBuf>) -> Self {
        let written = directories.iter().filter_map(|path| written(path)).collect();
        Self { named: directories, written, ..Self::default() }
    }

    /// The directory at `path`, if there is one and evidence may come from it.
    fn held(&self, path: &str) -> Option<Arc<Directory>> {
        self.directory(path).filter(|directory| directory.is_held)
    }

    /// The directory at `path`, if there is one. What is not there is not remembered, since there is no end of it.
    fn directory(&self, path: &str) -> Option<Arc<Directory>> {
        if let Some(known) = self.known(path) {
            return Some(known);
        }
        if let Some(above) = above(path).filter(|_| !is_no_name(name(path))).and_then(|above| self.known(above)) {
            return self.look(path, Some(&above));
        }
        if !is_plain(path) {
            return Some(Arc::new(Directory::new(path, self.leads_into_held(path)?)));
        }
        // From the top, since below something that is not there nothing is.
        let first = (!path.starts_with('/')).then_some("");
        let prefixes = path.match_indices('/').map(|(at, _)| &path[..at.max(1)]).chain([path]);
        let mut directory = None;
        for prefix in first.into_iter().chain(prefixes) {
            let known = self.known(prefix);
            directory = Some(known.map_or_else(|| self.look(prefix, directory.as_deref()), Some)?);
        }
        directory
    }

    fn known(&self, path: &str) -> Option<Arc<Directory>> {
        self.directories.lock().expect("no reader panics").get(path).cloned()
    }

    /// The directory at `path`, which lies in `above` if that is no link.
    fn look(&self, path: &str, above: Option<&Directory>) -> Option<Arc<Directory>> {
        let is_held = self.written.contains(path) || self.is_held_below(path, above)?;
        let mut known = self.directories.lock().expect("no reader panics");
        let found = known.entry(path.into()).or_insert_with(|| Arc::new(Directory::new(path, is_held)));
        Some(found.clone())
    }

    /// Whether evidence may come from the directory at `path` in `above`; `None` if there is no such directory.
    fn is_held_below(&self, path: &str, above: Option<&Directory>) -> Option<bool> {
        let Some(above) = above else { return self.is_top_held(path) };
        if name(path) == ".." {
            return self.leads_into_held(path);
        }
        if !above.is_held && !self.leads_to_named(path) {
            return None;
        }
        match if above.is_held { above.kind_of(name(path)) } else { Kind::Other } {
            Kind::Nothing | Kind::File => None,
            Kind::Directory => Some(true),
            Kind::Other => {
                let kind = fs::symlink_metadata(path).ok()?.file_type();
                if kind.is_symlink() {
                    return self.leads_into_held(path);
                }
                kind.is_dir().then(|| above.is_held || self.is_repository_of_named(Path::new(path)))
            }
        }
    }

    /// Whether a named directory lies in the one at `path`, as they are written.
    fn leads_to_named(&self, path: &str) -> bool {
        let start = if path.ends_with('/') { path.to_owned() } else { [path, "/"].concat() };
        self.written.range(start.clone()..).next().is_some_and(|named| named.starts_with(&start))
    }

    /// The same for the directory that absolute or relative paths start in.
    fn is_top_held(&self, path: &str) -> Option<bool> {
        let real = real_directory(Path::new(path))?;
        // The others lie below it.
        let mut outside = self.named.iter().filter(|named| path.is_empty() && leads_out(named));
        let is_named = outside.any(|named| real_directory(named).is_some_and(|named| real.starts_with(named)));
        Some(is_named || real.ancestors().any(|above| self.is_repository_of_named(above)))
    }

    /// Whether `path`, links followed, is or lies in a directory that was named or in the repository of one.
    fn leads_into_held(&self, path: &str) -> Option<bool> {
        let real = real_directory(Path::new(path))?;
        Some(self.holds(&real))
    }

    /// The same of a path without links.
    fn holds(&self, real: &Path) -> bool {
        let named = self.real.get_or_init(|| self.named.iter().filter_map(|path| real_directory(path)).collect());
        real.ancestors().any(|above| named.contains(above))
            || real.ancestors().any(|above| self.is_repository_of_named(above))
    }

    /// Whether `directory` is the root of the repository that a named directory lies in.
    fn is_repository_of_named(&self, directory: &Path) -> bool {
        if !is_repository_root(directory) {
            return false;
        }
        let Some(root) = real_directory(directory) else { return false };
        let is_nearest = |named: &PathBuf| {
            let mut between = named.ancestors().take_while(|&above| above != root);
            named.starts_with(&root) && !between.any(is_repository_root)
        };
        self.named.iter().filter_map(|path| real_directory(path)).any(|named| is_nearest(&named))
    }

    fn seen(&self) -> MutexGuard<'_, Texts> {
        self.read.lock().expect("no reader panics")
    }

    fn read_link(&self, path: &str) -> Option<Arc<[u8]>> {
        let target = fs::canonicalize(path).ok()?;
        if self.holds(&target) { read_evidence(&target) } else { None }
    }
}

fn read_evidence(path: &Path) -> Option<Arc<[u8]>> {
    read_at_most(LARGEST_EVIDENCE, path).ok().map(Arc::from)
}

impl Directory {
    fn new(path: &str, is_held: bool) -> Self {
        Self { path: path.into(), is_held, listing: OnceLock::new() }
    }

    fn listing(&self) -> &Listing {
        self.listing.get_or_init(|| Listing::of(or_here(Path::new(&*self.path))))
    }

    fn kind_of(&self, name: &str) -> Kind {
        let Listing { entries, regular, is_whole } = self.listing();
        match entries.binary_search_by(|entry| entry.name.as_str().cmp(name)) {
            Ok(at) if entries[at].is_directory => Kind::Directory,
            Ok(at) if regular[at] => Kind::File,
            Err(_) if *is_whole => Kind::Nothing,
            Ok(_) | Err(_) => Kind::Other,
        }
    }
}

impl Listing {
    fn of(directory: &Path) -> Self {
        let Ok(all) = fs::read_dir(directory) else { return Self::default() };
        let mut found = Vec::new();
        let mut is_whole = true;
        for entry in all.take(MOST_ENTRIES + 1) {
            match entry {
                Ok(entry) if found.len() < MOST_ENTRIES => found.extend(entry_of(&entry)),
                Ok(_) | Err(_) => is_whole = false,
            }
        }
        found.sort();
        let (entries, regular): (Vec<Entry>, Vec<bool>) = found.into_iter().unzip();
        Self { entries: entries.into(), regular, is_whole }
    }
}

/// What is told of an entry, and whether it is a regular file.
fn entry_of(entry: &DirEntry) -> Option<(Entry, bool)> {
    let kind = entry.file_type().ok()?;
    Some((Entry { name: entry.file_name().into_string().ok()?, is_directory: kind.is_dir() }, kind.is_file()))
}

/// Whether a path may lead to where relative paths start, or above.
fn leads_out(path: &Path) -> bool {
    path.is_absolute() || path.components().any(|part| part == Component::ParentDir)
}

/// A named directory as the paths of checked files that lie in it begin.
fn written(directory: &Path) -> Option<String> {
    let mut written = String::new();
    for part in directory.components().filter(|part| *part != Component::CurDir) {
        let is_below = !written.is_empty() && !written.ends_with('/');
        written.push_str(if is_below { "/" } else { "" });
        written.push_str(if part == Component::RootDir { "/" } else { part.as_os_str().to_str()? });
    }
    Some(written)
}

/// The path of the directory that the one at `path` seems to lie in; the empty path is the working directory.
fn above(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        Some(("", "")) => None,
        Some(("", _)) => Some("/"),
        Some((above, _)) => Some(above),
        None => (!path.is_empty()).then_some(""),
    }
}

/// What stands behind the last slash.
fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether `path` leads upwards first, if at all, and then down by names, and not without end.
fn is_plain(path: &str) -> bool {
    let mut below = path.strip_prefix('/').unwrap_or(path).split('/').skip_while(|name| *name == "..");
    path.split('/').count() <= DEEPEST && (path.is_empty() || path == "/" || !below.any(is_no_name))
}

fn is_no_name(part: &str) -> bool {
    matches!(part, "" | "." | "..")
}

/// The path without links of the directory at `path`.
fn real_directory(path: &Path) -> Option<PathBuf> {
    fs::canonicalize(or_here(path)).ok()
}

/// The empty path is the working directory.
fn or_here(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() { Path::new(".") } else { directory }
}

impl Files for Surroundings {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        let kind = self.held(above(path)?)?.kind_of(name(path));
        if let Kind::Nothing | Kind::Directory = kind {
            return None;
        }
        if let Some(known) = self.seen().get(path) {
            return known.clone();
        }
        let answer = match kind {
            Kind::File => read_evidence(Path::new(path)),
            Kind::Nothing | Kind::Directory | Kind::Other => self.read_link(path),
        };
        let mut seen = self.seen();
        if seen.len() >= MOST_EVIDENCE {
            return None;
        }
        seen.entry(path.to_owned()).or_insert(answer).clone()
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        self.held(path).map(|directory| directory.listing().entries.clone()).unwrap_or_default()
    }

    fn memory(&self) -> Option<&Memory> {
        Some(&self.memory)
    }

    fn is_executable(&self, path: &str) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && is_executable(&metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with a file in each of its directories.
    fn tree(directories: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for directory in directories {
            let directory = root.path().join(directory);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("file"), "text").unwrap();
        }
        root
    }

    fn around(root: &tempfile::TempDir, named: &[&str]) -> Surroundings {
        Surroundings::of(named.iter().map(|directory| root.path().join(directory)).collect())
    }

    fn reads(surroundings: &Surroundings, root: &tempfile::TempDir, path: &str) -> bool {
        surroundings.read(root.path().join(path).to_str().unwrap()).is_some()
    }

    #[test]
    fn what_lies_in_a_named_directory_is_evidence_and_what_lies_beside_it_is_not() {
        let root = tree(&["", "a", "a/b", "a/b/c", "a/b-c", "a/bb", "d"]);
        let surroundings = around(&root, &["a/b"]);
        assert!(reads(&surroundings, &root, "a/b/file") && reads(&surroundings, &root, "a/b/c/file"));
        assert!(!reads(&surroundings, &root, "a/b/none") && !reads(&surroundings, &root, "a/b/none/file"));
        for path in ["a/file", "a/b-c/file", "a/bb/file", "d/file", "file"] {
            assert!(!reads(&surroundings, &root, path), "{path}");
        }
        assert_eq!(surroundings.list(root.path().join("a").to_str().unwrap()).len(), 0);
        assert_eq!(surroundings.list(root.path().join("a/b").to_str().unwrap()).len(), 2);
    }

    #[test]
    fn the_nearest_repository_of_a_named_directory_is_evidence() {
        let root =
            tree(&["outer/.git", "outer/inner/.git", "outer/inner/a", "outer/inner/a/b", "outer/inner/c", "outer/d"]);
        let surroundings = around(&root, &["outer/inner/a/b"]);
        assert!(reads(&surroundings, &root, "outer/inner/c/file") && reads(&surroundings, &root, "outer/inner/a/file"));
        assert!(!reads(&surroundings, &root, "outer/d/file"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_inside_and_never_out() {
        let root = tree(&["a/b", "secret"]);
        let link = |target: &str, name: &str| {
            std::os::unix::fs::symlink(root.path().join(target), root.path().join(name)).unwrap();
        };
        link("secret", "a/out");
        link("secret/file", "a/out-file");
        link("a/b", "a/in");
        link("a/b/file", "a/in-file");
        let surroundings = around(&root, &["a"]);
        assert!(reads(&surroundings, &root, "a/in/file") && reads(&surroundings, &root, "a/in-file"));
        assert!(!reads(&surroundings, &root, "a/out/file") && !reads(&surroundings, &root, "a/out-file"));
        assert!(!reads(&surroundings, &root, "a/b/../../secret/file"));
        assert!(reads(&surroundings, &root, "a/b/../b/file"));
    }

    #[test]
    fn a_path_says_where_it_seems_to_lie() {
        for (path, expected) in
            [("", None), ("/", None), ("a", Some("")), ("/a", Some("/")), ("a/b", Some("a")), ("a/", Some("a"))]
        {
            assert_eq!(above(path), expected, "{path}");
        }
    }

    #[test]
    fn a_named_directory_is_written_as_the_paths_of_its_files_begin() {
        for (path, expected) in
            [(".", ""), ("", ""), ("/", "/"), ("./a/", "a"), ("/a/./b", "/a/b"), ("..", ".."), ("../a", "../a")]
        {
            assert_eq!(written(Path::new(path)).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_plain_path_goes_down_by_names() {
        for path in ["", "/", "a", "/a/b", "../../a", ".."] {
            assert!(is_plain(path), "{path}");
        }
        for path in ["a/../b", "a/.", "./a", "a//b", "a/", &"a/".repeat(100)] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
