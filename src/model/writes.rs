//! What the program of an image writes while it runs: directories that its user must own, each with what says so.
//!
//! Evidence is `VOLUME`, what steps make writable or give away, the text of programs and configuration in the build
//! context, and what frameworks are known to write (Rails: `log`, `tmp`; Laravel: `storage`; …). It is a list of what
//! was found, never a proof that there is nothing else.

use super::{
    Evidence,
    add::{Source, SourceKind},
    dockerfile::CopySource,
    path,
    program_text::{self, PathText},
    stage::Stage,
    step::Step,
};
use crate::{
    context::{self, BuildContext, Found},
    syntax::dockerfile::{Arguments, Keyword},
};
use std::collections::BTreeMap;

/// What is known of the writes of an image.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// Directories that are written, sorted; none lies below another.
    pub places: Vec<Written>,
    /// How many files of the build context were read for it.
    pub files: usize,
    /// What says that it needs a directory for temporary files: `/tmp`.
    pub temporary: Option<Evidence>,
    /// What says that it needs a home.
    pub home: Option<Evidence>,
}

/// A directory that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The absolute path in the image.
    pub path: String,
    /// Whether only the directory itself is written, and not what is shipped below it: a database beside the code.
    pub is_shallow: bool,
    /// The file that says so, written as the checked file's path is.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
}

/// So many files of a context are read, and so deep.
const MOST_FILES: usize = 2_000;
const DEEPEST: usize = 8;

/// Larger files are generated.
const LARGEST: usize = 512 * 1024;

/// Directories of a context that hold no program of the image.
const PASSED_OVER: [&str; 18] = [
    "node_modules",
    "vendor",
    "target",
    "dist",
    "build",
    "test",
    "tests",
    "spec",
    "__tests__",
    "docs",
    "doc",
    "examples",
    "venv",
    "env",
    "site-packages",
    "coverage",
    "fixtures",
    "testdata",
];

/// Files whose text is a program.
const PROGRAMS: [&str; 28] = [
    "py", "js", "mjs", "cjs", "ts", "mts", "jsx", "tsx", "rb", "php", "go", "rs", "java", "kt", "scala", "cs", "c",
    "cc", "cpp", "h", "hpp", "ex", "exs", "r", "lua", "pl", "clj", "dart",
];

/// Files whose text configures one.
const CONFIGURATIONS: [&str; 8] = ["properties", "ini", "cfg", "conf", "env", "toml", "yml", "yaml"];

/// Paths of images that are read at run time, or that everybody may write, or that programs never keep things in.
const NEVER: [&str; 14] = [
    "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/proc", "/sys", "/dev", "/tmp", "/root", "/run",
    "/var/tmp",
];

/// Directories in which programs keep things, whatever these are called.
const STATE: [&str; 6] = ["/var/lib", "/var/log", "/var/cache", "/var/spool", "/data", "/mnt"];

impl<'m> Stage<'m> {
    /// What the program of the image made of this stage writes, as far as the file and `context` tell.
    pub fn writes(self, context: &BuildContext<'_>) -> Writes {
        let mut search = Search {
            stage: self,
            context,
            shipped: self.shipped(),
            found: BTreeMap::new(),
            files: 0,
            temporary: None,
            home: None,
        };
        search.instructions();
        search.context_files();
        let mut places: Vec<Written> = Vec::new();
        for written in search.found.into_values() {
            let is_below = places.last().is_some_and(|last| !last.is_shallow && is_in(&written.path, &last.path));
            if !is_below {
                places.push(written);
            }
        }
        Writes { places, files: search.files, temporary: search.temporary, home: search.home }
    }

    /// Where files of the build context lie in the image: a source, and its path there.
    fn shipped(self) -> Vec<(String, String)> {
        let mut shipped = Vec::new();
        let copies =
            |stage: Stage<'m>| stage.steps().filter(|step| matches!(step.keyword(), Keyword::Copy | Keyword::Add));
        let mut chain: Vec<Stage<'m>> = self.chain().take(64).collect();
        chain.reverse();
        for step in chain.into_iter().flat_map(copies) {
            let Some(destination) = step.destination().and_then(|word| step.absolute_arg(word)) else { continue };
            match step.copy_source() {
                None => {
                    for source in step.sources().into_iter().filter(is_of_context) {
                        shipped.push((plain(&source.text), target(&destination, &source.text, step)));
                    }
                }
                Some(CopySource::Stage(index)) => {
                    let Some(builder) = self.model().stage(index).filter(|builder| builder.index() != self.index())
                    else {
                        continue;
                    };
                    for step_in in builder.chain().take(64).flat_map(copies).filter(|step| step.copy_source().is_none())
                    {
                        let Some(place) = step_in.destination().and_then(|word| step_in.absolute_arg(word)) else {
                            continue;
                        };
                        for (source, taken) in step_in.sources().iter().flat_map(|source| {
                            step.sources().into_iter().map(move |taken| (source.text.clone(), taken.text))
                        }) {
                            let at = target(&place, &source, step_in);
                            if let Some(rest) = below(&at, &path::join("/", &taken)) {
                                shipped.push((plain(&source), path::join(&destination, rest)));
                            }
                        }
                    }
                }
                Some(CopySource::Image(_) | CopySource::Scratch | CopySource::Invalid) => {}
            }
        }
        shipped
    }
}

/// Whether a source lies in the build context.
fn is_of_context(source: &Source<'_>) -> bool {
    match source.kind {
        SourceKind::Local | SourceKind::Archive | SourceKind::Unknown => true,
        SourceKind::Url | SourceKind::Git | SourceKind::Heredoc => false,
    }
}

/// The path in the image of what is copied to `destination`: a directory's contents go there, a file below a slash.
fn target(destination: &str, source: &str, step: Step<'_>) -> String {
    let is_directory = step
        .destination()
        .is_some_and(|word| word.text.ends_with(b"/") || &*word.text == b"." || word.text.ends_with(b"/."));
    let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
    // A name with an extension is a file.
    if is_directory && name.trim_start_matches('.').contains('.') {
        path::join(destination, name)
    } else {
        destination.to_owned()
    }
}

/// A source without `./`, `/` and a trailing slash; the context itself is empty.
fn plain(source: &str) -> String {
    let source = source.trim_start_matches("./").trim_matches('/');
    if source == "." { String::new() } else { source.to_owned() }
}

/// What of `path` lies below `directory`, itself included.
fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    if directory == "/" || directory.is_empty() {
        return Some(path.trim_start_matches('/'));
    }
    let rest = path.strip_prefix(directory)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

fn is_in(path: &str, directory: &str) -> bool {
    below(path, directory).is_some()
}

struct Search<'s, 'm> {
    stage: Stage<'m>,
    context: &'s BuildContext<'s>,
    shipped: Vec<(String, String)>,
    found: BTreeMap<String, Written>,
    files: usize,
    temporary: Option<Evidence>,
    home: Option<Evidence>,
}

impl Search<'_, '_> {
    /// What the Dockerfile itself says.
    fn instructions(&mut self) {
        let file = self.stage.model().file;
        for step in self.stage.chain_steps() {
            let line = step.instruction().lines.0;
            match step.keyword() {
                Keyword::Volume => {
                    let (Arguments::Json(words) | Arguments::Words(words)) = step.arguments() else { continue };
                    for path in words.iter().filter_map(|word| step.absolute_arg(word)) {
                        self.add(&path, false, &file.path, line);
                    }
                }
                Keyword::Run => {
                    for (path, span) in step.given_away() {
                        let line = file.locate(span.start).line;
                        self.add_if_specific(&path, &file.path, line);
                    }
                }
                _ => {}
            }
        }
    }

    /// A path that a step makes writable; the whole working directory is more than a program can need.
    fn add_if_specific(&mut self, path: &str, file: &str, line: u32) {
        let workdir = self.stage.workdir().path.known().unwrap_or("/").to_owned();
        if is_in(&workdir, path)
            || path.matches('/').count() < 2 && !program_text::is_kept(path)
            || path.rsplit('/').next().is_some_and(|name| name.contains('.'))
        {
            return;
        }
        self.add(path, false, file, line);
    }

    fn context_files(&mut self) {
        let sources: Vec<&str> = self.shipped.iter().map(|(source, _)| source.as_str()).collect();
        let Some(root) = self.context.root(&sources) else { return };
        let mut open = vec![(root.clone(), 0)];
        let mut files = Vec::new();
        while let Some((directory, depth)) = open.pop() {
            for entry in self.context.list(&directory).iter() {
                let path = context::join(&directory, &entry.name);
                if !entry.is_directory {
                    files.push(path);
                } else if depth < DEEPEST && !entry.name.starts_with('.') && !PASSED_OVER.contains(&entry.name.as_str())
                {
                    open.push((path, depth + 1));
                }
            }
            if files.len() > MOST_FILES {
                break;
            }
        }
        files.truncate(MOST_FILES);
        files.sort();
        let read: Vec<Found> =
            files.iter().filter(|path| is_read(path)).filter_map(|path| self.context.at(path)).collect();
        let texts: Vec<(&str, String)> = read
            .iter()
            .filter(|file| file.text.len() <= LARGEST)
            .map(|file| (file.path.as_str(), String::from_utf8_lossy(&file.text).into_owned()))
            .collect();
        self.files = texts.len();
        let writes = texts.iter().any(|(path, text)| is_program(path) && program_text::writes(text));
        for (path, text) in &texts {
            self.frameworks(&root, path, text);
            if is_program(path) {
                self.needs(path, text);
            }
            let named = if is_program(path) { program_text::paths(text) } else { program_text::configured(text) };
            if writes || named.iter().any(|path| path.is_written) {
                for each in named {
                    self.named(&root, path, &each);
                }
            }
        }
    }

    /// What a program needs that most images have.
    fn needs(&mut self, path: &str, text: &str) {
        let evidence = |line: u32, shows: &str| Evidence { path: path.to_owned(), line, shows: shows.to_owned() };
        if self.temporary.is_none() {
            self.temporary = program_text::temporary(text).map(|line| evidence(line, "makes temporary files"));
        }
        if self.home.is_none() {
            self.home = program_text::home(text).map(|line| evidence(line, "asks for the home of its user"));
        }
    }

    /// A path that a file of the context names.
    fn named(&mut self, root: &str, file: &str, named: &PathText) {
        let workdir = self.stage.workdir().path.known().map(str::to_owned);
        let inside = below_root(file, root);
        let beside = || self.in_image(inside.rsplit_once('/').map_or("", |(directory, _)| directory));
        let base = if named.is_beside { beside().or_else(|| workdir.clone()) } else { workdir.clone() };
        let relative = if named.is_beside { named.path.trim_start_matches('/') } else { &named.path };
        let path = match (relative.starts_with('/'), base) {
            (true, _) => path::join("/", relative),
            (false, Some(base)) => path::join(&base, relative),
            (false, None) => return,
        };
        // A name with an extension is a file: what is written is its directory.
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_file = name.trim_start_matches('.').contains('.');
        let directory = if is_file { path.rsplit_once('/').map_or("/", |(directory, _)| directory) } else { &path };
        let Some(workdir) = workdir.as_deref().filter(|workdir| *workdir != "/") else {
            if STATE.iter().any(|state| is_in(directory, state)) && named.path.starts_with('/') {
                self.add(directory, false, file, named.line);
            }
            return;
        };
        let is_of_app = is_in(directory, workdir) && directory != workdir;
        let is_state = STATE.iter().any(|state| is_in(directory, state));
        if is_state {
            return self.add(directory, false, file, named.line);
        }
        if directory == workdir {
            // A file beside the code: the directory is written, what is shipped in it is not.
            if named.is_written && is_file {
                self.add(directory, true, file, named.line);
            }
            return;
        }
        let is_kept = program_text::is_kept(directory.strip_prefix(workdir).unwrap_or(directory));
        let is_new = || !self.is_shipped(root, directory);
        let is_configured = !is_program(file) && named.path.starts_with('/');
        let counts = if is_of_app {
            is_kept || (named.is_written || is_configured) && is_new()
        } else {
            is_kept && ["/srv", "/opt", "/home", "/app"].iter().any(|place| is_in(directory, place))
        };
        if counts {
            self.add(directory, false, file, named.line);
        }
    }

    /// What frameworks write, told by the files that they cannot be without.
    fn frameworks(&mut self, root: &str, file: &str, text: &str) {
        let inside = below_root(file, root);
        let (directory, name) = inside.rsplit_once('/').map_or(("", inside), |(directory, name)| (directory, name));
        let writes: &[&str] = match name {
            // Rails guides, "Getting started": the directory structure of an application.
            "Gemfile" if text.contains("rails") || text.contains("railties") => &["log", "tmp", "storage"],
            // Laravel documentation, "Directory structure" and "Directory permissions".
            "composer.json" if text.contains("laravel/framework") => &["storage", "bootstrap/cache"],
            // Symfony documentation, "Best practices": cache and logs lie in var.
            "composer.json" if text.contains("symfony/framework-bundle") => &["var"],
            // Next.js documentation, "Caching": pages that are made again lie in .next/cache.
            "package.json" if text.contains("\"next\"") => &[".next/cache"],
            _ => &[],
        };
        if writes.is_empty() {
            return;
        }
        let line = 1 + text
            .lines()
            .take_while(|line| {
                !["rails", "railties", "laravel/framework", "symfony/framework-bundle", "\"next\""]
                    .iter()
                    .any(|word| line.contains(word))
            })
            .count();
        let Some(base) = self.in_image(directory).or_else(|| self.stage.workdir().path.known().map(str::to_owned))
        else {
            return;
        };
        for path in writes {
            self.add(&path::join(&base, path), false, file, line as u32);
        }
    }

    /// Where a directory of the context lies in the image.
    fn in_image(&self, directory: &str) -> Option<String> {
        let places = self
            .shipped
            .iter()
            .filter_map(|(source, place)| Some((source.len(), path::join(place, below(directory, source)?))));
        places.max_by_key(|(length, _)| *length).map(|(_, place)| place)
    }

    /// Whether a directory of the image comes from the context as it is.
    fn is_shipped(&self, root: &str, directory: &str) -> bool {
        self.shipped.iter().any(|(source, place)| {
            below(directory, place).is_some_and(|rest| {
                let path = [source.as_str(), rest]
                    .iter()
                    .filter(|part| !part.is_empty())
                    .fold(root.to_owned(), |path, part| context::join(&path, part));
                !self.context.list(&path).is_empty()
            })
        })
    }

    fn add(&mut self, path: &str, is_shallow: bool, file: &str, line: u32) {
        let is_never = path == "/" || NEVER.iter().any(|never| is_in(path, never));
        if is_never {
            return;
        }
        let written = Written { path: path.to_owned(), is_shallow, file: file.to_owned(), line };
        let known = self.found.entry(path.to_owned()).or_insert(written);
        known.is_shallow &= is_shallow;
    }
}

fn below_root<'p>(file: &'p str, root: &str) -> &'p str {
    if root.is_empty() { file } else { file.strip_prefix(root).unwrap_or(file).trim_start_matches('/') }
}

fn extension(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path).rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn is_program(path: &str) -> bool {
    PROGRAMS.iter().any(|known| known.eq_ignore_ascii_case(extension(path)))
}

fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    is_program(path)
        || CONFIGURATIONS.contains(&extension(path)) && !name.contains("compose")
        || matches!(name, "Gemfile" | "composer.json" | "package.json")
}
