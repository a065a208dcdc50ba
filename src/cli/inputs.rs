//! Which files a command reads: paths, a list of paths, or standard input.

use crate::{
    cli::{Outcome, Terminal},
    discover::{self, Candidate, Discovered, Named, Obstacle, Request},
    disk,
    source::FileKind,
};
use clap::Args;
use rayon::prelude::*;
use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// The options of every command that reads files.
#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// Files and directories; directories are walked, ignore files honoured. `-` is standard input.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Also read the paths in FILE, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// Treat the given files as this kind, whatever their names say.
    #[arg(long, value_name = "KIND", value_parser = kind_parser())]
    pub(crate) kind: Option<FileKind>,
    /// The name of the file that comes on standard input.
    #[arg(long, value_name = "NAME")]
    stdin_filename: Option<String>,
}

/// Accepts the names of [`FileKind::name`] and lists them in help.
fn kind_parser() -> impl clap::builder::TypedValueParser<Value = FileKind> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(FileKind::ALL.map(FileKind::name))
        .map(|name| FileKind::from_name(&name).expect("only names of kinds are accepted"))
}

/// What there is to read.
pub(crate) enum Given {
    /// One text on standard input.
    Text {
        /// What it is called in output.
        name: String,
        /// Its bytes.
        text: Vec<u8>,
    },
    /// Files on disk.
    Paths(Vec<Named>),
}

impl Given {
    /// What was named; a text by the name that it is given.
    pub(crate) fn named(&self) -> Cow<'_, [Named]> {
        match self {
            Given::Text { name, .. } => Cow::Owned(vec![Named::Argument(name.into())]),
            Given::Paths(paths) => Cow::Borrowed(paths),
        }
    }
}

impl Inputs {
    /// Reads the list of files and standard input, where asked for. Without any path it is `default`.
    pub(crate) fn given(&self, default: &str) -> anyhow::Result<Given> {
        if self.paths.iter().any(|path| path.as_os_str() == "-") {
            anyhow::ensure!(
                self.paths.len() == 1 && self.files_from.is_none(),
                "`-` is standard input and cannot be combined with other paths"
            );
            let name = self.stdin_filename.clone().unwrap_or_else(|| "-".to_owned());
            let text = disk::read_standard_input().map_err(|why| anyhow::anyhow!("reading standard input: {why}"))?;
            return Ok(Given::Text { name, text });
        }
        anyhow::ensure!(self.stdin_filename.is_none(), "`--stdin-filename` needs `-` as the path");
        let mut named: Vec<Named> = self.paths.iter().cloned().map(Named::Argument).collect();
        if let Some(list) = &self.files_from {
            named.extend(listed(list)?.into_iter().map(Named::Listed));
        } else if named.is_empty() {
            named.push(Named::Argument(PathBuf::from(default)));
        }
        Ok(Given::Paths(named))
    }

    /// The kind of a text on standard input of that name.
    pub(crate) fn kind_of_text(&self, name: &str) -> FileKind {
        self.kind.or_else(|| discover::kind_of_name(name)).unwrap_or(FileKind::Dockerfile)
    }
}

/// The paths in the file `list`, one a line.
fn listed(list: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_standard_input = list.as_os_str() == "-";
    let text = if is_standard_input { disk::read_standard_input() } else { disk::read(list) };
    let text = text.map_err(|why| anyhow::anyhow!("reading the list of files {}: {why}", list.display()))?;
    let lines = text.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(lines.filter(|line| !line.is_empty()).map(path_of_bytes).collect())
}

#[cfg(unix)]
fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Finds the files at `paths`.
///
/// # Errors
/// Names the paths that do not exist.
pub(crate) fn discover(paths: &[Named], request: &Request<'_>) -> anyhow::Result<Discovered> {
    discover::discover(paths, request).map_err(|missing| {
        let mut message = String::new();
        for (at, path) in missing.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let _ = write!(message, "{comma}{}", path.display().to_string().escape_debug());
        }
        anyhow::anyhow!("there is no such file or directory: {message}")
    })
}

/// A Dockerfile and what it is called in output.
pub(crate) struct Text<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a [u8],
}

/// Dockerfiles that a command prints something about, one after another.
pub(crate) enum Dockerfiles {
    One { name: String, text: Vec<u8> },
    Many(Discovered),
}

/// So many files are read and answered at a time: enough for all cores, little enough for memory.
const BATCH: usize = 512;

impl Inputs {
    /// The Dockerfiles among what is given; everything in a list is one, whatever it is called.
    pub(crate) fn dockerfiles(&self, given: Given) -> anyhow::Result<Dockerfiles> {
        match given {
            Given::Text { name, text } => Ok(Dockerfiles::One { name, text }),
            Given::Paths(paths) => {
                let kind = self.kind.or(self.files_from.as_ref().map(|_| FileKind::Dockerfile));
                let request = Request { kind, wanted: &[FileKind::Dockerfile], excluded: &|_, _| false };
                Ok(Dockerfiles::Many(discover(&paths, &request)?))
            }
        }
    }
}

impl Dockerfiles {
    /// Prints what `answer` makes of each, in order of their names; what cannot be read is told on standard error.
    pub(crate) fn print_each(
        &self,
        terminal: Terminal,
        answer: impl Fn(Text<'_>) -> Vec<u8> + Sync,
    ) -> anyhow::Result<Outcome> {
        let discovered = match self {
            Dockerfiles::One { name, text } => {
                Terminal::print_plain(|out| out.write_all(&answer(Text { name, text })))?;
                return Ok(Outcome::Clean);
            }
            Dockerfiles::Many(discovered) => discovered,
        };
        let mut outcome = Outcome::Clean;
        for Obstacle { name, message, named } in &discovered.obstacles {
            terminal.remark(|out| writeln!(out, "ironhull: {}: {message}", name.escape_debug()))?;
            outcome = if *named { Outcome::Failing } else { outcome };
        }
        let read = |file: &Candidate| match disk::read(&file.path) {
            Ok(text) => Ok(answer(Text { name: &file.name, text: &text })),
            Err(why) => Err(format!("ironhull: {}: {why}\n", file.name.escape_debug())),
        };
        Terminal::print_plain(|out| {
            for batch in discovered.files.chunks(BATCH) {
                let answers: Vec<_> = batch.par_iter().map(read).collect();
                for answer in answers {
                    match answer {
                        Ok(text) => out.write_all(&text)?,
                        Err(why) => io::stderr().write_all(why.as_bytes())?,
                    }
                }
            }
            Ok(())
        })?;
        Ok(outcome)
    }
}
