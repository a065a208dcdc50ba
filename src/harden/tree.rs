//! The build context as the image gets it: every file of it that a `COPY` or `ADD` brings in, and where it lies there.

use super::{
    Subject,
    ignored::{Ignored, is_match},
};
use crate::{
    context,
    model::{Step, join_path},
    syntax::dockerfile::Keyword,
    text::Span,
};
use std::borrow::Cow;

/// Files of the build context that are in the image.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The files, sorted by their place in the context.
    pub files: Vec<File>,
    /// Directories of the context that are copied whole, with their places in the image and what copies them.
    pub directories: Vec<(String, String, Span)>,
    /// Whether these are all of them.
    pub is_complete: bool,
}

/// A file of the build context that is in the image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// The path below the context.
    pub path: String,
    /// The absolute path in the image.
    pub at: String,
    /// The path as the checked file's path is written.
    pub found_at: String,
}

impl File {
    /// Its name, without directories.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What is behind the last dot of its name.
    pub fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// So many files are looked at, and so deep.
const MOST_FILES: usize = 4_000;
const DEEPEST: usize = 12;

/// A larger file is no program text that somebody wrote.
const LARGEST: usize = 512 * 1024;

/// Directories to which single files are copied without a slash behind the name.
const KNOWN_DIRECTORIES: [&str; 9] =
    ["/", "/bin", "/usr/bin", "/usr/local/bin", "/etc", "/opt", "/tmp", "/srv", "/usr/local/etc"];

impl Tree {
    /// The files that the steps of `subject` copy out of its build context; `None` where the context is not seen.
    pub fn of(subject: &Subject<'_>) -> Option<Self> {
        let root = subject.root.as_deref()?;
        let reader = Reader { subject, root, ignored: Ignored::of(subject, root) };
        let mut tree = Self { is_complete: true, ..Self::default() };
        for step in subject.steps() {
            let copies = matches!(step.keyword(), Keyword::Copy | Keyword::Add) && step.copy_source().is_none();
            if copies {
                reader.copied(step, &mut tree);
            }
        }
        // What is copied twice is what the second one makes of it.
        tree.files.sort();
        tree.files.dedup();
        Some(tree)
    }

    /// The files whose place in the image is `at`.
    pub fn at<'t>(&'t self, at: &'t str) -> impl Iterator<Item = &'t File> {
        self.files.iter().filter(move |file| file.at == at)
    }

    /// The file of that path below the context.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether any file lies below the directory `at` of the image.
    pub fn has_below(&self, at: &str) -> bool {
        self.files.iter().any(|file| below(&file.at, at).is_some_and(|rest| !rest.is_empty()))
    }

    /// Where the directory `path` of the context lies in the image.
    pub fn place_of(&self, path: &str) -> Option<String> {
        let places = self.directories.iter().filter_map(|(from, to, _)| {
            let rest = if from.is_empty() { Some(path) } else { below(path, from) };
            Some((from.len(), join_path(to, rest?)))
        });
        places.max_by_key(|(length, _)| *length).map(|(_, place)| place)
    }
}

impl Subject<'_> {
    /// The text of a file of the context; nothing for what is too large to have been written by hand.
    pub fn text_of(&self, file: &File) -> Option<String> {
        let found = self.cx.context.at(&file.found_at)?;
        (found.text.len() <= LARGEST).then(|| String::from_utf8_lossy(&found.text).into_owned())
    }
}

struct Reader<'s, 'a> {
    subject: &'s Subject<'a>,
    root: &'s str,
    ignored: Ignored,
}

impl Reader<'_, '_> {
    fn copied(&self, step: Step<'_>, tree: &mut Tree) {
        let is_odd = ["parents", "exclude"].iter().any(|flag| step.instruction().flag(flag).is_some());
        let Some(to) = step.destination().and_then(|word| step.absolute_arg(word)) else {
            tree.is_complete = false;
            return;
        };
        tree.is_complete &= !is_odd;
        let sources = step.sources();
        let is_into = sources.len() > 1 || is_directory(step, &to);
        for source in &sources {
            if is_elsewhere(&source.text) {
                continue;
            }
            let Some(paths) = self.expanded(&source.text) else {
                tree.is_complete = false;
                continue;
            };
            let is_into = is_into || paths.len() > 1 || source.text.contains(['*', '?', '[']);
            for path in paths {
                self.add(step, &path, &to, is_into, tree);
            }
        }
    }

    fn add(&self, step: Step<'_>, path: &str, to: &str, is_into: bool, tree: &mut Tree) {
        if self.is_directory(path) {
            tree.directories.push((path.to_owned(), to.to_owned(), step.instruction().span));
            self.walk(path, to, tree);
            return;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let at = if is_into { join_path(to, name) } else { to.to_owned() };
        tree.files.push(File { path: path.to_owned(), at, found_at: context::join(self.root, path) });
    }

    /// All files below the directory `path` of the context.
    fn walk(&self, path: &str, to: &str, tree: &mut Tree) {
        let mut open = vec![(path.to_owned(), to.to_owned(), 0)];
        while let Some((directory, at, depth)) = open.pop() {
            for entry in self.list(&directory).iter() {
                let path = below_path(&directory, &entry.name);
                let at = join_path(&at, &entry.name);
                if self.ignored.holds_all_of(&path) || entry.name == ".git" {
                    continue;
                }
                if entry.is_directory {
                    if depth == DEEPEST {
                        tree.is_complete = false;
                    } else {
                        open.push((path, at, depth + 1));
                    }
                } else if !self.ignored.holds(&path) {
                    let found_at = context::join(self.root, &path);
                    tree.files.push(File { path, at, found_at });
                }
            }
            if tree.files.len() > MOST_FILES {
                tree.is_complete = false;
                return;
            }
        }
    }

    /// The paths below the context that a source means; `None` where that cannot be told.
    fn expanded(&self, source: &str) -> Option<Vec<String>> {
        let source = source.trim_start_matches('/');
        if source.contains('$') || source.split('/').any(|part| part == "..") {
            return None;
        }
        let mut paths = vec![String::new()];
        for part in source.split('/').filter(|part| !part.is_empty() && *part != ".") {
            let is_pattern = part.contains(['*', '?', '[']);
            let next = |path: &String| -> Vec<String> {
                if !is_pattern {
                    return vec![below_path(path, part)];
                }
                let entries = self.list(path);
                let names = entries.iter().map(|entry| entry.name.as_str()).filter(|name| is_match(part, name));
                names.map(|name| below_path(path, name)).collect()
            };
            paths = paths.iter().flat_map(next).take(MOST_FILES).collect();
        }
        Some(paths.into_iter().filter(|path| self.exists(path) && !self.ignored.holds_all_of(path)).collect())
    }

    fn list(&self, path: &str) -> std::sync::Arc<[context::Entry]> {
        self.subject.cx.context.list(&self.full(path))
    }

    fn full(&self, path: &str) -> Cow<'_, str> {
        if path.is_empty() { Cow::Borrowed(self.root) } else { Cow::Owned(context::join(self.root, path)) }
    }

    fn entry(&self, path: &str) -> Option<context::Entry> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.list(directory).iter().find(|entry| entry.name == name).cloned()
    }

    fn exists(&self, path: &str) -> bool {
        path.is_empty() || self.entry(path).is_some()
    }

    fn is_directory(&self, path: &str) -> bool {
        path.is_empty() || self.entry(path).is_some_and(|entry| entry.is_directory)
    }
}

/// Whether the destination of a step is certainly a directory, so that a file goes into it.
fn is_directory(step: Step<'_>, to: &str) -> bool {
    let written = step.destination().map(|word| &*word.text).unwrap_or_default();
    let is_written = written.ends_with(b"/") || written == b"." || written.ends_with(b"/.");
    is_written || step.workdir().path.known() == Some(to) || KNOWN_DIRECTORIES.contains(&to)
}

/// Whether a source is an address or the text of a heredoc, and no file of the context.
fn is_elsewhere(source: &str) -> bool {
    source.contains("://") || source.starts_with("<<") || source.starts_with("git@")
}

fn below_path(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// What of `path` lies below `directory`, itself included.
pub fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    let directory = directory.trim_end_matches('/');
    let rest = path.strip_prefix(directory)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}
