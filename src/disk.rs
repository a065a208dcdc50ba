//! The only place that reads files: bounded, regular files only, every refusal with its reason.

#![allow(clippy::disallowed_methods, reason = "this is the module that reads files")]

use crate::context::Files;
use std::{
    collections::HashMap,
    fs::{self, File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
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

/// The absolute path of the directory that relative paths start in.
///
/// # Errors
/// If it was removed or may not be seen.
pub fn working_directory() -> io::Result<PathBuf> {
    std::env::current_dir()
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

/// The files around the checked ones, as evidence: regular files inside the checked tree, small ones, each read once.
#[derive(Debug, Default)]
pub struct Surroundings {
    roots: Vec<PathBuf>,
    read: Mutex<HashMap<String, Option<Arc<[u8]>>>>,
}

/// A file of evidence above this size is passed over.
const LARGEST_EVIDENCE: u64 = 1024 * 1024;

/// After so many different files the rest count as missing.
const MOST_EVIDENCE: usize = 50_000;

impl Surroundings {
    /// What lies in the repositories of `paths`; outside of one, in the directories that were named.
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut roots: Vec<PathBuf> = paths.into_iter().filter_map(tree_of).collect();
        roots.sort();
        roots.dedup();
        Self { roots, read: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Option<Arc<[u8]>>>> {
        self.read.lock().expect("no reader panics")
    }

    fn read_evidence(&self, path: &str) -> Option<Arc<[u8]>> {
        let metadata = fs::symlink_metadata(path).ok()?;
        let target = fs::canonicalize(path).ok()?;
        let metadata = if metadata.is_symlink() { fs::metadata(&target).ok()? } else { metadata };
        let is_evidence = metadata.is_file() && metadata.len() <= LARGEST_EVIDENCE;
        let is_inside = self.roots.iter().any(|root| target.starts_with(root));
        if is_evidence && is_inside { read(&target).ok().map(Arc::from) } else { None }
    }
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
}

/// The repository that `path` lies in; without one the directory that was named or holds the named file.
fn tree_of(path: &Path) -> Option<PathBuf> {
    let path = fs::canonicalize(path).ok()?;
    let directory = if path.is_dir() { path.as_path() } else { path.parent()? };
    let repository = directory.ancestors().find(|directory| is_repository_root(directory));
    Some(repository.unwrap_or(directory).to_owned())
}
