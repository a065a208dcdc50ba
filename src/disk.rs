//! The only place that reads and writes files: bounded, regular files only, every refusal with its reason.

#![allow(clippy::disallowed_methods, reason = "this is the module that reads and writes files")]

mod git;

pub use git::{Changes, changes_since};

use crate::context::{Entry, Files};
use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    time::{SystemTime, UNIX_EPOCH},
};

/// Files above this size are refused: no build file comes near it, and spans count in 32 bits.
pub const LARGEST: u64 = 64 * 1024 * 1024;

/// The bytes of the regular file at `path`.
///
/// # Errors
/// Why it cannot be read: one sentence, present tense, no full stop.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut file = File::open(path).map_err(|error| why_not(path, &error))?;
    let metadata = file.metadata().map_err(|error| why_not(path, &error))?;
    if let Some(message) = refusal(&metadata) {
        return Err(message);
    }
    let mut text = Vec::with_capacity(metadata.len() as usize + 1);
    bounded(&mut file, &mut text).map_err(|error| why_not(path, &error))?;
    Ok(text)
}

/// Everything on standard input.
///
/// # Errors
/// Why it cannot be read: one sentence, present tense, no full stop.
pub fn read_standard_input() -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    match bounded(&mut io::stdin().lock(), &mut text) {
        Ok(()) => Ok(text),
        Err(error) => Err(why_not(Path::new("-"), &error)),
    }
}

fn bounded(from: &mut impl Read, text: &mut Vec<u8>) -> io::Result<()> {
    from.take(LARGEST + 1).read_to_end(text)?;
    if text.len() as u64 > LARGEST { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(()) }
}

/// The first bytes of a file, at most `length`.
pub fn head(path: &Path, length: u64) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(length).read_to_end(&mut text).ok()?;
    Some(text)
}

/// Why a file is not read, from what it is.
pub fn refusal(metadata: &Metadata) -> Option<String> {
    if !metadata.is_file() {
        return Some("it is no regular file".to_owned());
    }
    (metadata.len() > LARGEST).then(too_large)
}

/// Why a file could not be read, from what went wrong.
pub fn why_not(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound if fs::symlink_metadata(path).is_ok() => "the link leads nowhere".to_owned(),
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        io::ErrorKind::FileTooLarge => too_large(),
        _ => format!("reading fails: {error}"),
    }
}

fn too_large() -> String {
    format!("it is larger than {} MiB", LARGEST / 1024 / 1024)
}

/// Writes `text` to a file that there is not yet.
///
/// # Errors
/// Why it cannot be written; a file of that name is one reason.
pub fn create(path: &Path, text: &[u8]) -> Result<(), String> {
    let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
    match file.and_then(|mut file| file.write_all(text)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err("it exists already, and is not overwritten".to_owned())
        }
        Err(error) => Err(format!("writing fails: {error}")),
    }
}

/// Writes `text` to the file at `path`, whether there is one or not: all of it, or nothing.
///
/// # Errors
/// Why it cannot be written.
pub fn write(path: &Path, text: &[u8]) -> Result<(), String> {
    match read(path) {
        Ok(before) => replace_all(&[Replacement { path, before: &before, after: text }]).map_err(|error| error.why),
        Err(_) => create(path, text),
    }
}

/// A file that is to be replaced.
#[derive(Clone, Debug)]
pub struct Replacement<'t> {
    /// Where it is; a link is followed and stays.
    pub path: &'t Path,
    /// The bytes that were read there.
    pub before: &'t [u8],
    /// The bytes that are to be there.
    pub after: &'t [u8],
}

/// A file that could not be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReplaced {
    /// The file.
    pub path: PathBuf,
    /// Why: one sentence, present tense, no full stop.
    pub why: String,
}

/// Replaces all of `replacements`, or none: each file is written beside the old one first, with its mode and owner.
///
/// # Errors
/// The file that could not be replaced: it is no longer the one that was read, or it or its directory may not be
/// written. Files that were replaced before it are put back.
pub fn replace_all(replacements: &[Replacement<'_>]) -> Result<(), NotReplaced> {
    let refuse = |replacement: &Replacement<'_>, why| NotReplaced { path: replacement.path.to_owned(), why };
    let mut staged = Vec::with_capacity(replacements.len());
    for replacement in replacements {
        staged.push(Staged::new(replacement).map_err(|why| refuse(replacement, why))?);
    }
    for at in 0..staged.len() {
        let Err(mut why) = staged[at].put(replacements[at].before) else { continue };
        for (done, replacement) in staged[..at].iter().zip(replacements) {
            let back = Replacement { path: &done.path, before: replacement.after, after: replacement.before };
            if let Err(also) = Staged::new(&back).and_then(|mut staged| staged.put(replacement.after)) {
                why = format!("{why}; and {} could not be put back: {also}", done.path.display());
            }
        }
        return Err(refuse(&replacements[at], why));
    }
    Ok(())
}

/// Whether anything lies at `path`, be it a link that leads nowhere.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// A file that lies ready beside the one that it replaces.
struct Staged {
    path: PathBuf,
    ready: Option<tempfile::NamedTempFile>,
}

impl Staged {
    fn new(replacement: &Replacement<'_>) -> Result<Self, String> {
        let path = real(replacement.path);
        let metadata = fs::metadata(&path).map_err(|error| why_not(&path, &error))?;
        if let Some(message) = refusal(&metadata) {
            return Err(message);
        }
        // Whoever may not write to the file shall not get around that by replacing it.
        if let Err(error) = OpenOptions::new().write(true).open(&path) {
            return Err(match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "it is read-only".to_owned(),
                _ => format!("it cannot be written: {error}"),
            });
        }
        let directory = path.parent().unwrap_or(Path::new("."));
        let write = || -> io::Result<tempfile::NamedTempFile> {
            let mut ready = tempfile::Builder::new().prefix(".ironhull-").tempfile_in(directory)?;
            ready.write_all(replacement.after)?;
            keep_owner(ready.as_file(), &metadata)?;
            ready.as_file().set_permissions(metadata.permissions())?;
            ready.as_file().sync_all()?;
            Ok(ready)
        };
        let ready = write().map_err(|error| format!("writing beside it fails: {error}"))?;
        Ok(Self { path, ready: Some(ready) })
    }

    /// Takes the place of the file, if that is still `before`.
    fn put(&mut self, before: &[u8]) -> Result<(), String> {
        if read(&self.path)? != before {
            return Err("it was changed since it was read; nothing was written".to_owned());
        }
        let ready = self.ready.take().expect("a file takes its place once");
        ready.persist(&self.path).map_err(|error| format!("replacing it fails: {error}"))?;
        Ok(())
    }
}

/// Gives `file` the owner and group that `metadata` names, where they are others.
#[cfg(unix)]
fn keep_owner(file: &File, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata()?;
    if (own.uid(), own.gid()) == (metadata.uid(), metadata.gid()) {
        return Ok(());
    }
    fchown(file, Some(metadata.uid()), Some(metadata.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_file: &File, _metadata: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The absolute path of the directory that relative paths start in.
///
/// # Errors
/// If it was removed or may not be seen.
pub fn working_directory() -> io::Result<PathBuf> {
    std::env::current_dir()
}

/// The day it is, in UTC: so many days after 1970-01-01. The core has no clock and is told.
pub fn days_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / (24 * 60 * 60)
}

/// `path` without links, or as it is where it cannot be followed.
pub fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The nearest file `name` from directory `start` upwards, not above the root of the repository that `start` lies in.
pub fn nearest_above(start: &Path, name: &str) -> Option<PathBuf> {
    for directory in start.ancestors() {
        let path = directory.join(name);
        if fs::metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            return Some(path);
        }
        if is_repository_root(directory) {
            return None;
        }
    }
    None
}

fn is_repository_root(directory: &Path) -> bool {
    [".git", ".hg", ".jj", ".svn"].iter().any(|name| fs::symlink_metadata(directory.join(name)).is_ok())
}

/// Tells files and directories apart whatever path leads to them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The device, and the number on it.
    #[cfg(unix)]
    Inode(u64, u64),
    /// The path without links, where files have no number.
    #[cfg(not(unix))]
    Path(PathBuf),
}

impl Identity {
    /// That of the file at `path`, which `metadata` was read of.
    #[cfg(unix)]
    pub fn of(_path: &Path, metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Identity::Inode(metadata.dev(), metadata.ino())
    }

    /// That of the file at `path`.
    #[cfg(not(unix))]
    pub fn of(path: &Path, _metadata: &Metadata) -> Self {
        Identity::Path(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
    }
}

/// The files around the checked ones, as evidence: regular files inside the checked tree, small ones, each read once.
#[derive(Debug, Default)]
pub struct Surroundings {
    directories: Vec<PathBuf>,
    named: OnceLock<HashSet<Identity>>,
    real: OnceLock<Vec<PathBuf>>,
    roots: Mutex<HashMap<PathBuf, bool>>,
    read: Mutex<HashMap<String, Option<Arc<[u8]>>>>,
    listed: Mutex<HashMap<String, Arc<[Entry]>>>,
}

/// A file of evidence above this size is passed over.
const LARGEST_EVIDENCE: u64 = 1024 * 1024;

/// Of a directory so many names are seen.
const MOST_ENTRIES: usize = 10_000;

/// After so many answers the rest count as missing.
const MOST_EVIDENCE: usize = 1_000_000;

impl Surroundings {
    /// What lies in the repositories of `directories`; outside of one, in the directories themselves.
    pub fn of(directories: Vec<PathBuf>) -> Self {
        Self { directories, ..Self::default() }
    }

    /// Whether evidence may come from `target`, a path without links: it lies in a directory that was named, or in the
    /// repository of one. There may be as many such directories as files, and few are ever asked about.
    fn holds(&self, target: &Path) -> bool {
        target.ancestors().any(|above| self.is_root(above))
    }

    fn is_root(&self, directory: &Path) -> bool {
        let roots = || self.roots.lock().expect("no reader panics");
        if let Some(&known) = roots().get(directory) {
            return known;
        }
        let is_root = self.is_named(directory) || self.is_repository_of_named(directory);
        roots().insert(directory.to_owned(), is_root);
        is_root
    }

    fn is_named(&self, directory: &Path) -> bool {
        let named = self.named.get_or_init(|| self.directories.iter().filter_map(|path| identity(path)).collect());
        identity(directory).is_some_and(|identity| named.contains(&identity))
    }

    /// Whether `directory` is the root of the repository that a named directory lies in.
    fn is_repository_of_named(&self, directory: &Path) -> bool {
        let lies_in_it = |named: &&PathBuf| named.starts_with(directory);
        let is_nearest = |named: &PathBuf| {
            let mut between = named.ancestors().take_while(|&above| above != directory);
            !between.any(is_repository_root)
        };
        let real = || self.real.get_or_init(|| self.directories.iter().map(|path| real_directory(path)).collect());
        is_repository_root(directory) && real().iter().filter(lies_in_it).any(is_nearest)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Option<Arc<[u8]>>>> {
        self.read.lock().expect("no reader panics")
    }

    fn read_evidence(&self, path: &str) -> Option<Arc<[u8]>> {
        let metadata = fs::metadata(path).ok()?;
        if !metadata.is_file() || metadata.len() > LARGEST_EVIDENCE {
            return None;
        }
        let target = fs::canonicalize(path).ok()?;
        if self.holds(&target) { read(&target).ok().map(Arc::from) } else { None }
    }
}

impl Surroundings {
    fn list_evidence(&self, path: &str) -> Arc<[Entry]> {
        let directory = or_here(Path::new(path));
        let is_known = fs::canonicalize(directory).is_ok_and(|target| self.holds(&target));
        let Ok(entries) = fs::read_dir(directory) else { return Arc::default() };
        if !is_known {
            return Arc::default();
        }
        let mut found: Vec<Entry> = entries.flatten().take(MOST_ENTRIES).filter_map(|entry| entry_of(&entry)).collect();
        found.sort();
        found.into()
    }
}

fn entry_of(entry: &fs::DirEntry) -> Option<Entry> {
    Some(Entry { name: entry.file_name().into_string().ok()?, is_directory: entry.file_type().ok()?.is_dir() })
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &Metadata) -> bool {
    false
}

/// The empty path is the working directory.
fn real_directory(directory: &Path) -> PathBuf {
    real(or_here(directory))
}

fn identity(directory: &Path) -> Option<Identity> {
    let directory = or_here(directory);
    fs::metadata(directory).ok().map(|metadata| Identity::of(directory, &metadata))
}

fn or_here(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() { Path::new(".") } else { directory }
}

impl Files for Surroundings {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        if let Some(known) = self.seen().get(path) {
            return known.clone();
        }
        let answer = self.read_evidence(path);
        let mut seen = self.seen();
        if seen.len() >= MOST_EVIDENCE {
            return None;
        }
        seen.entry(path.to_owned()).or_insert(answer).clone()
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        let listed = || self.listed.lock().expect("no reader panics");
        if let Some(known) = listed().get(path) {
            return known.clone();
        }
        let answer = self.list_evidence(path);
        listed().entry(path.to_owned()).or_insert(answer).clone()
    }

    fn is_executable(&self, path: &str) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && is_executable(&metadata))
    }
}
