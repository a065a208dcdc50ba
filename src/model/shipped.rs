//! Which files of the build context are in an image, and where; those too that earlier stages hand on, or build from.

use super::{
    Evidence,
    dockerfile::CopySource,
    path::{self, file_name},
    stage::Stage,
    step::Step,
};
use crate::{
    context::{self, BuildContext, Found},
    syntax::dockerfile::Keyword,
};
use std::cell::OnceCell;

/// Stages are followed through so many others that they start or copy from.
const MOST_STAGES: usize = 64;

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

/// Something of the build context: what a copy names, and where that lies in an image. The context itself is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shipped {
    pub(super) source: String,
    pub(super) place: String,
}

/// The text of a file of the build context.
#[derive(Clone, Debug)]
pub(super) struct ContextText {
    /// The file, written as the checked file's path is.
    pub(super) path: String,
    pub(super) text: String,
}

impl ContextText {
    pub(super) fn evidence(&self, line: u32, shows: impl Into<String>) -> Evidence {
        Evidence { path: self.path.clone(), line, shows: shows.into() }
    }
}

/// The files of the build context that are in one image. What was copied where is found once, when it is asked for.
pub(super) struct ShippedFiles<'a, 'm> {
    stage: Stage<'m>,
    context: BuildContext<'a>,
    shipped: OnceCell<Vec<Shipped>>,
    root: OnceCell<Option<String>>,
}

impl ShippedFiles<'_, '_> {
    fn shipped(&self) -> &[Shipped] {
        self.shipped.get_or_init(|| self.stage.shipped())
    }

    /// The likeliest directory of the build context.
    fn root(&self) -> Option<&str> {
        let find = || {
            let origins = self.stage.origins();
            let root = |shipped: &[Shipped]| {
                let sources: Vec<&str> = shipped.iter().map(|shipped| shipped.source.as_str()).collect();
                self.context.root(&sources)
            };
            if let [_] = origins.as_slice() {
                return root(self.shipped());
            }
            let all: Vec<Shipped> = origins.into_iter().flat_map(of_context).collect();
            root(&all).or_else(|| root(self.shipped()))
        };
        self.root.get_or_init(find).as_deref()
    }

    /// The file that lies at the absolute `path` of the image.
    pub(super) fn at(&self, path: &str) -> Option<Found> {
        let at = |name: &str| match self.root() {
            Some(root) => self.context.at(&context::join(root, name)),
            None => self.context.nearest(name),
        };
        self.shipped().iter().rev().find_map(|Shipped { source, place }| {
            let rest = below(path, place)?;
            let inside =
                [source.as_str(), rest].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
            let found = (!inside.is_empty()).then(|| at(&inside)).flatten();
            // A file goes into a directory, alone or as one of those that a pattern names.
            let of_pattern = || {
                let directory = source.rsplit_once('/').map_or("", |(directory, _)| directory);
                let name = if directory.is_empty() { rest.to_owned() } else { format!("{directory}/{rest}") };
                (source.contains('*') && !rest.is_empty()).then(|| at(&name)).flatten()
            };
            found.or_else(|| (file_name(source) == rest).then(|| at(source)).flatten()).or_else(of_pattern)
        })
    }

    /// The file behind a program that the image runs by this word in `directory`: a path, or a name that is looked for
    /// where programs lie.
    pub(super) fn program(&self, word: &str, directory: &str) -> Option<Found> {
        if self.shipped().is_empty() {
            return None;
        }
        if word.contains('/') {
            return self.at(&path::join(directory, word));
        }
        let search = self.stage.variable("PATH").and_then(|path| path.value.as_ref());
        let search = search.map_or("", |path| &*path.text);
        let usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
        let directories = search.split(':').filter(|directory| directory.starts_with('/')).chain(usual);
        directories.take(32).find_map(|directory| self.at(&path::join(directory, word)))
    }
}

impl<'m> Stage<'m> {
    /// The likeliest directory of the build context: one that holds all that is copied out of it into this stage, and
    /// into those that it is made of.
    pub fn context_root(self, context: &BuildContext<'_>) -> Option<String> {
        self.shipped_files(context).root().map(str::to_owned)
    }

    /// The file of the build context that lies at the absolute `path` of the image.
    pub fn context_file(self, context: &BuildContext<'_>, path: &str) -> Option<Found> {
        self.shipped_files(context).at(path)
    }

    /// The file of the build context behind a program that the image runs by this word in `directory`: a path, or a
    /// name that is looked for where programs lie.
    pub fn context_program(self, context: &BuildContext<'_>, word: &str, directory: &str) -> Option<Found> {
        self.shipped_files(context).program(word, directory)
    }

    /// Whether the absolute `path` of the image is, or lies in, what is copied there from the build context.
    pub fn ships(self, path: &str) -> bool {
        self.shipped().iter().any(|shipped| below(path, &shipped.place).is_some())
    }

    /// The files of the build context that are in the image, for whoever asks for more than one.
    pub(super) fn shipped_files<'a>(self, context: &BuildContext<'a>) -> ShippedFiles<'a, 'm> {
        ShippedFiles { stage: self, context: *context, shipped: OnceCell::new(), root: OnceCell::new() }
    }

    /// Where files of the build context lie in the image, in the order in which they come there.
    pub(super) fn shipped(self) -> Vec<Shipped> {
        let mut shipped = Vec::new();
        for step in self.oldest_first() {
            match step.copy_source() {
                None => shipped.extend(of_step(step)),
                Some(CopySource::Stage(index)) => {
                    let Some(builder) = self.model().stage(index).filter(|builder| builder.index() != self.index())
                    else {
                        continue;
                    };
                    shipped.extend(handed_on(step, builder));
                }
                Some(CopySource::Image(_) | CopySource::Scratch | CopySource::Invalid) => {}
            }
        }
        shipped
    }

    /// Where files of the build context lie in the stages that this one copies from: what its programs are built of.
    pub(super) fn built_from(self) -> Vec<Shipped> {
        self.origins().into_iter().skip(1).flat_map(of_context).collect()
    }

    /// This stage, and those that it starts or copies from, directly or not.
    fn origins(self) -> Vec<Stage<'m>> {
        let mut found: Vec<Stage<'m>> = vec![self];
        let mut at = 0;
        while let Some(&stage) = found.get(at).filter(|_| at < MOST_STAGES) {
            at += 1;
            let copied = stage.steps().filter_map(|step| match step.copy_source() {
                Some(CopySource::Stage(index)) => stage.model().stage(index),
                Some(CopySource::Image(_) | CopySource::Scratch | CopySource::Invalid) | None => None,
            });
            for next in stage.parent().into_iter().chain(copied) {
                if !found.contains(&next) {
                    found.push(next);
                }
            }
        }
        found
    }

    /// Its copies and those of the stages that it starts from, in the order in which they are made.
    fn oldest_first(self) -> Vec<Step<'m>> {
        let mut chain: Vec<Stage<'m>> = self.chain().take(MOST_STAGES).collect();
        chain.reverse();
        chain.into_iter().flat_map(copies).collect()
    }

    /// The programs and configurations of the build context that are in the image, or that what is in it is built of;
    /// and the directory that they lie in.
    pub(super) fn context_texts(self, context: &BuildContext<'_>) -> Option<(String, Vec<ContextText>)> {
        let root = self.context_root(context)?;
        let mut open = vec![(root.clone(), 0)];
        let mut files = Vec::new();
        while let Some((directory, depth)) = open.pop() {
            for entry in context.list(&directory).iter() {
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
        let read = files.iter().filter(|path| is_read(path)).filter_map(|path| context.at(path));
        let texts = read.filter(|file| file.text.len() <= LARGEST).map(|file| {
            let text = String::from_utf8_lossy(&file.text).into_owned();
            ContextText { path: file.path, text }
        });
        Some((root, texts.collect()))
    }
}

fn copies(stage: Stage<'_>) -> impl Iterator<Item = Step<'_>> {
    stage.steps().filter(|step| matches!(step.keyword(), Keyword::Copy | Keyword::Add))
}

/// What the copies of a stage take out of the build context.
fn of_context(stage: Stage<'_>) -> Vec<Shipped> {
    copies(stage).filter(|step| step.copy_source().is_none()).flat_map(of_step).collect()
}

fn of_step(step: Step<'_>) -> Vec<Shipped> {
    let Some(destination) = step.destination().and_then(|word| step.absolute_arg(word)) else { return Vec::new() };
    let sources = step.sources().into_iter().filter(|source| source.kind.is_of_context());
    sources
        .map(|source| Shipped { source: plain(&source.text), place: target(&destination, &source.text, step) })
        .collect()
}

/// What of the build context `step` takes out of `builder`.
fn handed_on(step: Step<'_>, builder: Stage<'_>) -> Vec<Shipped> {
    let Some(destination) = step.destination().and_then(|word| step.absolute_arg(word)) else { return Vec::new() };
    let taken: Vec<String> = step.sources().into_iter().map(|taken| path::join("/", &taken.text)).collect();
    let mut shipped = Vec::new();
    for Shipped { source, place } in builder.chain().take(MOST_STAGES).flat_map(of_context) {
        for taken in &taken {
            if let Some(rest) = below(&place, taken) {
                shipped.push(Shipped { source: source.clone(), place: path::join(&destination, rest) });
            } else if let Some(rest) = below(taken, &place) {
                let source = if source.is_empty() { rest.to_owned() } else { format!("{source}/{rest}") };
                shipped.push(Shipped { source, place: target(&destination, taken, step) });
            }
        }
    }
    shipped
}

/// The path in the image of what is copied to `destination`: a directory's contents go there, a file below a slash.
fn target(destination: &str, source: &str, step: Step<'_>) -> String {
    let is_directory = step
        .destination()
        .is_some_and(|word| word.text.ends_with(b"/") || &*word.text == b"." || word.text.ends_with(b"/."));
    let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
    // A name with an extension is a file.
    if is_directory && name.trim_start_matches('.').contains('.') && !name.contains('*') {
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
pub(super) fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    if directory == "/" || directory.is_empty() {
        return Some(path.trim_start_matches('/'));
    }
    let rest = path.strip_prefix(directory)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Files whose text is a program.
const PROGRAMS: [&str; 42] = [
    "py", "js", "mjs", "cjs", "ts", "mts", "jsx", "tsx", "rb", "php", "go", "rs", "java", "kt", "scala", "cs", "c",
    "cc", "cpp", "cxx", "h", "hpp", "ex", "exs", "erl", "r", "lua", "pl", "pm", "psgi", "cgi", "clj", "dart", "hs",
    "lhs", "swift", "fs", "groovy", "jl", "ml", "nim", "zig",
];

/// Files whose text configures one.
const CONFIGURATIONS: [&str; 8] = ["properties", "ini", "cfg", "conf", "env", "toml", "yml", "yaml"];

/// What stands behind the last dot of a file's name.
pub(super) fn extension(path: &str) -> &str {
    file_name(path).rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Whether the text of a file is a program, as its name tells.
pub(super) fn is_program(path: &str) -> bool {
    PROGRAMS.iter().any(|known| known.eq_ignore_ascii_case(extension(path)))
}

fn is_read(path: &str) -> bool {
    let name = file_name(path);
    is_program(path)
        || CONFIGURATIONS.contains(&extension(path)) && !name.contains("compose")
        || matches!(name, "Gemfile" | "composer.json" | "package.json")
}
