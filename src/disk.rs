//! The only place that reads and writes files: bounded, regular files only, every refusal with its reason.

#![allow(clippy::disallowed_methods, reason = "this is the module that reads and writes files")]

mod git;
mod surroundings;

pub use git::{Changes, changes_since};
pub use surroundings::Surroundings;

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Files above this size are refused: no build file comes near it, and spans count in 32 bits.
pub const LARGEST: u64 = 64 * 1024 * 1024;

/// The bytes of the regular file at `path`.
///
/// # Errors
/// Why it cannot be read: one sentence, present tense, no full stop.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    read_at_most(LARGEST, path)
}

fn read_at_most(largest: u64, path: &Path) -> Result<Vec<u8>, String> {
    let mut file = File::open(path).map_err(|error| why_not(path, &error))?;
    let metadata = file.metadata().map_err(|error| why_not(path, &error))?;
    if let Some(message) = refusal(&metadata) {
        return Err(message);
    }
    if metadata.len() > largest {
        return Err(too_large());
    }
    whole(&mut file, metadata.len() as usize).map_err(|error| why_not(path, &error))
}

/// The bytes of a file of that length. What is written behind them while they are read is not asked for.
fn whole(file: &mut File, length: usize) -> io::Result<Vec<u8>> {
    // Some files of the kernel only seem to be empty.
    if length == 0 {
        let mut text = Vec::new();
        return bounded(file, &mut text).map(|()| text);
    }
    let mut text = vec![0; length];
    let mut end = 0;
    while end < length {
        match file.read(&mut text[end..]) {
            Ok(0) => break,
            Ok(read) => end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(end);
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
    let mut mark = directory.join(".git");
    [".git", ".hg", ".jj", ".svn"].iter().any(|name| {
        mark.set_file_name(name);
        fs::symlink_metadata(&mark).is_ok()
    })
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
    /// The number of the file on its device, where it has one.
    pub fn number(&self) -> Option<u64> {
        match self {
            #[cfg(unix)]
            Identity::Inode(_, number) => Some(*number),
            #[cfg(not(unix))]
            Identity::Path(_) => None,
        }
    }

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

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &Metadata) -> bool {
    false
}
