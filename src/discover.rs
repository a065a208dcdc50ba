//! Which files there are to judge, and what each of them is: by name here, by content only for a file that was named.
//!
//! A walk honours ignore files, visits hidden directories but not those of version control, and answers every real file
//! once, whatever links lead to it. Nothing here reads a file's content except to recognise a named one.

#![allow(clippy::disallowed_methods, reason = "this module looks into directories")]

use crate::{
    disk::{self, Identity},
    source::FileKind,
};
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::{
    collections::{HashMap, HashSet},
    ffi::OsStr,
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// What to look for.
pub struct Request<'a> {
    /// Named files are this, whatever their names say; walks answer only this kind.
    pub kind: Option<FileKind>,
    /// The kinds that somebody will read.
    pub wanted: &'a [FileKind],
    /// Whether walks and lists leave out this path; asked with whether it is a directory.
    pub excluded: &'a (dyn Fn(&str, bool) -> bool + Sync),
}

/// A path that somebody named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// On the command line: it is read, or it is said why not.
    Argument(PathBuf),
    /// In a list of files: what is no file for us is passed over.
    Listed(PathBuf),
}

/// A file to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called in output: `/` between parts, no `./` in front.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Whether it was named on the command line.
    pub named: bool,
}

/// Something that looks like a file to be judged, and why it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// What it is called in output.
    pub name: String,
    /// One sentence, present tense, no full stop.
    pub message: String,
    /// Whether it was named on the command line.
    pub named: bool,
}

/// What there is to judge.
#[derive(Debug, Default)]
pub struct Discovered {
    /// Sorted by name; each real file once.
    pub files: Vec<Candidate>,
    /// Sorted by name.
    pub obstacles: Vec<Obstacle>,
    /// The directories that were named, and those of the files that were; each once, in no order.
    pub directories: Vec<PathBuf>,
}

/// The kind of a file of this name, as far as a name can say.
///
/// A template of a Dockerfile (`Dockerfile.j2`) is not one, and neither is what merely talks about it (`Dockerfile.md`).
pub fn kind_of_name(path: &str) -> Option<FileKind> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if is_dockerfile_name(&name, extension) {
        return Some(FileKind::Dockerfile);
    }
    match extension {
        "yml" | "yaml" if name.starts_with("docker-compose") || name.starts_with("compose") => Some(FileKind::Compose),
        "yml" | "yaml" if name.ends_with(".gitlab-ci.yml") || name == ".gitlab-ci.yaml" => Some(FileKind::GitlabCi),
        "yml" | "yaml" if directory.ends_with(".github/workflows") => Some(FileKind::Workflow),
        "hcl" | "json" if name.starts_with("docker-bake.") => Some(FileKind::Bake),
        "json" if name == "devcontainer.json" || name == ".devcontainer.json" => Some(FileKind::Devcontainer),
        "json" if name.contains("seccomp") => Some(FileKind::Seccomp),
        "sh" | "bash" => Some(FileKind::Script),
        "mk" => Some(FileKind::Makefile),
        _ if matches!(name.as_str(), "makefile" | "gnumakefile") => Some(FileKind::Makefile),
        _ => None,
    }
}

/// Endings of files that are named after a Dockerfile and are none: templates, ignore files, notes, backups.
const NO_DOCKERFILE: [&str; 37] = [
    "dockerignore",
    "containerignore",
    "j2",
    "jinja",
    "jinja2",
    "tmpl",
    "tpl",
    "template",
    "tt",
    "erb",
    "ejs",
    "hbs",
    "mustache",
    "gotmpl",
    "liquid",
    "m4",
    "in",
    "mako",
    "md",
    "rst",
    "adoc",
    "txt",
    "html",
    "yml",
    "yaml",
    "json",
    "toml",
    "sh",
    "py",
    "js",
    "ts",
    "go",
    "rb",
    "orig",
    "rej",
    "patch",
    "diff",
];

fn is_dockerfile_name(name: &str, extension: &str) -> bool {
    if matches!(extension, "dockerfile" | "containerfile") {
        return true;
    }
    let Some(rest) = name.strip_prefix("dockerfile").or_else(|| name.strip_prefix("containerfile")) else {
        return false;
    };
    rest.is_empty()
        || (rest.starts_with(['.', '-', '_']) && !rest.ends_with('~') && !NO_DOCKERFILE.contains(&extension))
}

/// Finds what there is to judge at `paths`.
///
/// # Errors
/// The named paths that do not exist.
pub fn discover<'a>(paths: &'a [Named], request: &'a Request<'a>) -> Result<Discovered, Vec<PathBuf>> {
    let mut search = Search::new(request);
    for path in paths {
        search.named(path);
    }
    if !search.missing.is_empty() {
        return Err(search.missing);
    }
    search.obstacles.sort_by(|a, b| a.name.cmp(&b.name));
    search.obstacles.dedup();
    let Search { found, obstacles, directories, .. } = search;
    let directories = directories.into_iter().map(PathBuf::from).collect();
    Ok(Discovered { files: each_once(found), obstacles, directories })
}

/// A candidate with what decides whether it is the same file as another.
struct Found {
    candidate: Candidate,
    is_link: bool,
    identity: Known,
}

/// What is known of which file it is.
enum Known {
    Whole(Identity),
    /// Its number on some device: two files of one number may be one, and two of two numbers never are.
    Number(u64),
}

/// Sorted by name; of several names of one file the first stays, names that are links last.
fn each_once(mut found: Vec<Found>) -> Vec<Candidate> {
    found.sort_by(|a, b| rank(a).cmp(&rank(b)));
    tell_apart(&mut found);
    let mut seen = HashSet::with_capacity(found.len());
    found.retain(|file| match &file.identity {
        Known::Whole(identity) => seen.insert(identity.clone()),
        Known::Number(_) => true,
    });
    let mut files: Vec<Candidate> = found.into_iter().map(|file| file.candidate).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

/// Asks the disk about files that may be the same as another. To ask about each would cost as much as to read it.
fn tell_apart(found: &mut [Found]) {
    let number = |file: &Found| match &file.identity {
        Known::Whole(identity) => identity.number(),
        Known::Number(number) => Some(*number),
    };
    let mut numbers: HashMap<Option<u64>, usize> = HashMap::with_capacity(found.len());
    for file in &*found {
        *numbers.entry(number(file)).or_default() += 1;
    }
    for file in found.iter_mut().filter(|file| matches!(file.identity, Known::Number(_))) {
        let path = &file.candidate.path;
        if numbers[&number(file)] > 1
            && let Ok(metadata) = fs::metadata(path)
        {
            file.identity = Known::Whole(Identity::of(path, &metadata));
        }
    }
}

/// Real files before links; of the same name what was named on the command line first.
fn rank(file: &Found) -> (bool, &str, bool) {
    (file.is_link, &file.candidate.name, !file.candidate.named)
}

struct Search<'a> {
    request: &'a Request<'a>,
    found: Vec<Found>,
    obstacles: Vec<Obstacle>,
    missing: Vec<PathBuf>,
    directories: HashSet<&'a OsStr>,
}

impl<'a> Search<'a> {
    fn new(request: &'a Request<'a>) -> Self {
        let (found, obstacles, missing) = (Vec::new(), Vec::new(), Vec::new());
        Self { request, found, obstacles, missing, directories: HashSet::new() }
    }

    fn named(&mut self, named: &'a Named) {
        let (path, is_argument) = match named {
            Named::Argument(path) => (path, true),
            Named::Listed(path) => (path, false),
        };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                self.directories.insert(path.as_os_str());
                self.walk(path, is_argument);
            }
            Ok(metadata) => {
                self.directories.insert(path.parent().unwrap_or(path).as_os_str());
                self.file(path, &metadata, is_argument);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => {
                self.missing.push(path.clone());
            }
            Err(error) => self.obstacles.push(obstacle(path, disk::why_not(path, &error), is_argument)),
        }
    }

    fn file(&mut self, path: &Path, metadata: &Metadata, is_argument: bool) {
        if let Some(message) = disk::refusal(metadata) {
            self.obstacles.push(obstacle(path, message, is_argument));
            return;
        }
        let name = display_name(path);
        let kind = self.request.kind.or_else(|| kind_of_name(&name));
        let kind = kind.or_else(|| if is_argument { kind_of_content(path) } else { None });
        let kind = kind.or_else(|| self.request.manifest_at(path, &name));
        match kind {
            Some(_) if !is_argument && (self.request.excluded)(&name, false) => {}
            Some(kind) if self.request.wanted.contains(&kind) => {
                let candidate = Candidate { path: path.to_owned(), name, kind, named: is_argument };
                let identity = Known::Whole(Identity::of(path, metadata));
                self.found.push(Found { identity, is_link: false, candidate });
            }
            Some(kind) if is_argument => {
                let message = format!("files of kind `{}` are not read by this command", kind.name());
                self.obstacles.push(obstacle(path, message, true));
            }
            None if is_argument => {
                let message = "neither name nor content says what this file is; `--kind` can say it".to_owned();
                self.obstacles.push(obstacle(path, message, true));
            }
            Some(_) | None => {}
        }
    }

    fn walk(&mut self, root: &Path, is_argument: bool) {
        let walked = Mutex::new((Vec::new(), Vec::new()));
        let request = self.request;
        let inside = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        walker(root).build_parallel().run(|| {
            Box::new(|entry| {
                let met = match entry {
                    Ok(entry) => meet(&entry, &inside, request),
                    Err(error) => Met::Obstacle(walk_obstacle(&error, is_argument)),
                };
                match met {
                    Met::Nothing => {}
                    Met::Excluded => return WalkState::Skip,
                    Met::File(file) => walked.lock().expect("no walker panics").0.push(file),
                    Met::Obstacle(obstacle) => walked.lock().expect("no walker panics").1.push(obstacle),
                }
                WalkState::Continue
            })
        });
        let (files, obstacles) = walked.into_inner().expect("no walker panics");
        self.found.extend(files);
        self.obstacles.extend(obstacles);
    }
}

/// Ignore files are honoured with and without a repository around them, and those of the user's home are not:
/// a laptop and a build server agree.
fn walker(root: &Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(root);
    builder.hidden(false).require_git(false).git_global(false);
    builder.filter_entry(|entry| {
        let of_version_control = [".git", ".hg", ".svn", ".jj"].iter().any(|name| entry.file_name() == *name);
        entry.depth() == 0 || !of_version_control
    });
    builder
}

/// What one entry of a walk is to us.
enum Met {
    Nothing,
    Excluded,
    File(Found),
    Obstacle(Obstacle),
}

fn meet(entry: &DirEntry, inside: &Path, request: &Request<'_>) -> Met {
    let Some(file_type) = entry.file_type() else { return Met::Nothing };
    if file_type.is_dir() {
        let is_excluded = entry.depth() > 0 && (request.excluded)(&display_name(entry.path()), true);
        return if is_excluded { Met::Excluded } else { Met::Nothing };
    }
    // The name comes before everything that asks the disk: nearly all files of a tree are none of ours.
    let name = display_name(entry.path());
    let Some(kind) = kind_of_name(&name).or_else(|| request.manifest_at(entry.path(), &name)) else {
        return Met::Nothing;
    };
    let is_wanted = request.wanted.contains(&kind) && request.kind.is_none_or(|only| only == kind);
    if !is_wanted || (request.excluded)(&name, false) {
        return Met::Nothing;
    }
    let path = entry.path();
    let is_link = file_type.is_symlink();
    if let Some(number) = number_of(entry).filter(|_| file_type.is_file()) {
        let candidate = Candidate { path: path.to_owned(), name, kind, named: false };
        return Met::File(Found { candidate, is_link, identity: Known::Number(number) });
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return Met::Obstacle(obstacle(path, disk::why_not(path, &error), false)),
    };
    // A directory of such a name was met through a link: what is in it is met where it lies.
    if metadata.is_dir() {
        return Met::Nothing;
    }
    if let Some(message) = disk::refusal(&metadata) {
        return Met::Obstacle(obstacle(path, message, false));
    }
    if is_link && !fs::canonicalize(path).is_ok_and(|target| target.starts_with(inside)) {
        let message = "the link leads out of the checked directory; name the file to have it read".to_owned();
        return Met::Obstacle(obstacle(path, message, false));
    }
    let identity = Known::Whole(Identity::of(path, &metadata));
    Met::File(Found { candidate: Candidate { path: path.to_owned(), name, kind, named: false }, is_link, identity })
}

/// The number of the file that a walk came to, where files have one.
#[cfg(unix)]
fn number_of(entry: &DirEntry) -> Option<u64> {
    entry.ino()
}

#[cfg(not(unix))]
fn number_of(_entry: &DirEntry) -> Option<u64> {
    None
}

/// What stopped a walk at one place; `is_argument`: whether the root of the walk was named on the command line.
fn walk_obstacle(error: &ignore::Error, is_argument: bool) -> Obstacle {
    match error {
        ignore::Error::WithPath { path, err } => {
            let message = err.io_error().map_or_else(|| err.to_string(), |error| disk::why_not(path, error));
            obstacle(path, message, is_argument)
        }
        ignore::Error::WithDepth { err, depth } => walk_obstacle(err, is_argument && *depth == 0),
        error => Obstacle { name: String::new(), message: error.to_string(), named: is_argument },
    }
}

fn obstacle(path: &Path, message: String, named: bool) -> Obstacle {
    Obstacle { name: display_name(path), message, named }
}

/// How a path is written in output.
pub fn display_name(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace('\\', "/").into() };
    let plain = text.trim_start_matches("./").trim_start_matches('/');
    if text.starts_with("./") && !plain.is_empty() { plain.to_owned() } else { text.into_owned() }
}

/// What its beginning says: a file that begins with `FROM` or `ARG` is a Dockerfile, JSON with actions of seccomp is a
/// profile.
fn kind_of_content(path: &Path) -> Option<FileKind> {
    let head = disk::head(path, 4096)?;
    if head.trim_ascii_start().starts_with(b"{") {
        return memchr::memmem::find(&head, b"SCMP_ACT_").map(|_| FileKind::Seccomp);
    }
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"))?;
    let word = first.split(u8::is_ascii_whitespace).next()?;
    let begins_a_build = word.eq_ignore_ascii_case(b"FROM") || word.eq_ignore_ascii_case(b"ARG");
    begins_a_build.then_some(FileKind::Dockerfile)
}

/// So much of a file is looked at to tell a manifest: what stands above its `kind` is comments and templates.
const HEAD_OF_MANIFEST: u64 = 16 * 1024;

impl Request<'_> {
    /// Whether a file that is YAML by its name is a manifest: its content is looked at only if somebody wants those.
    fn manifest_at(&self, path: &Path, name: &str) -> Option<FileKind> {
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        if !is_yaml || !self.wanted.contains(&FileKind::Kubernetes) {
            return None;
        }
        let head = disk::head(path, HEAD_OF_MANIFEST)?;
        is_manifest(&head).then_some(FileKind::Kubernetes)
    }
}

/// What an open text is that its name does not tell: a manifest, if it is YAML.
pub fn kind_of_yaml(text: &[u8]) -> Option<FileKind> {
    is_manifest(&text[..text.len().min(HEAD_OF_MANIFEST as usize)]).then_some(FileKind::Kubernetes)
}

/// Whether lines at the margin say which object of a cluster this is.
fn is_manifest(head: &[u8]) -> bool {
    let says = |key: &[u8]| head.split(|&byte| byte == b'\n').any(|line| line.starts_with(key));
    says(b"apiVersion:") && says(b"kind:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is() {
        for name in [
            "Dockerfile",
            "dockerfile",
            "a/Dockerfile.prod",
            "Dockerfile-alpine",
            "Dockerfile_debug",
            "web.Dockerfile",
            "web.dockerfile",
            "Containerfile",
            "Containerfile.debug-ubi",
            ".devcontainer/Dockerfile",
            "Dockerfile.3.12",
        ] {
            assert_eq!(kind_of_name(name), Some(FileKind::Dockerfile), "{name}");
        }
        assert_eq!(kind_of_name("docker-compose.prod.yml"), Some(FileKind::Compose));
        assert_eq!(kind_of_name("compose.yaml"), Some(FileKind::Compose));
        assert_eq!(kind_of_name("a/.github/workflows/ci.yml"), Some(FileKind::Workflow));
        assert_eq!(kind_of_name(".gitlab-ci.yml"), Some(FileKind::GitlabCi));
        assert_eq!(kind_of_name("docker-bake.hcl"), Some(FileKind::Bake));
        assert_eq!(kind_of_name(".devcontainer/devcontainer.json"), Some(FileKind::Devcontainer));
        assert_eq!(kind_of_name("run.sh"), Some(FileKind::Script));
        assert_eq!(kind_of_name("Makefile"), Some(FileKind::Makefile));
    }

    #[test]
    fn a_manifest_says_what_object_it_is() {
        assert!(is_manifest(b"# x\n---\napiVersion: v1\nkind: Pod\n"));
        assert!(!is_manifest(b"a:\n  apiVersion: v1\n  kind: Pod\n"));
        assert!(!is_manifest(b"kind: x\n"));
    }

    #[test]
    fn a_template_or_a_note_is_no_dockerfile() {
        for name in [
            "Dockerfile.j2",
            "Dockerfile.tmpl",
            "Dockerfile-alpine.template",
            "Dockerfile.md",
            "Dockerfile.dockerignore",
            "dockerfiles",
            "Dockerfile~",
            "dockerfile.go",
            "DockerfileParser.java",
        ] {
            assert_ne!(kind_of_name(name), Some(FileKind::Dockerfile), "{name}");
        }
    }
}
