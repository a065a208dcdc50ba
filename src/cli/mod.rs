//! The command line: arguments, and one file per command.

mod change_sets;
mod check;
mod completions;
mod explain;
mod fix;
mod graph;
mod harden;
mod init;
mod inputs;
mod inspect;
mod lock;
mod lsp;
mod progress;
mod proof;
mod rules;
mod scope;
mod settings;
mod syntax;
mod verify;

use crate::{disk, report::Change, suppress::Date};
use anstream::{AutoStream, ColorChoice};
use clap::{Parser, Subcommand, ValueEnum};
use std::{
    io::{self, BufWriter, IsTerminal, Write},
    process::ExitCode,
};

/// What the whole program is told.
#[derive(Debug, Parser)]
#[command(
    name = "ironhull",
    version,
    about = "Finds what makes a container build or its image insecure, and rewrites it",
    after_help = "Exit: 0 nothing at or above the failing level, 1 something is or a named file could not be judged, \
                  2 the run did not happen.",
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Colour in the output.
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    color: Colour,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is insecure in Dockerfiles.
    Check(check::Options),
    /// Repair what is insecure, in place, where it is proved that nothing breaks.
    Fix(fix::Options),
    /// Rewrite Dockerfiles to multi-stage builds of images without root, build tools and, where proved, a shell.
    Harden(Box<harden::Options>),
    /// Write down digests of images and checksums of downloads, so that repairs can pin them without a network.
    Lock(lock::Options),
    /// Build two Dockerfiles with a real engine, start both, and say whether they do the same.
    Verify(Box<verify::Options>),
    /// Show the image configuration that a Dockerfile makes, without building it.
    Inspect(inspect::Options),
    /// Draw who builds what and who runs it as whom, over all files of a repository.
    Graph(graph::Options),
    /// List the rules.
    Rules(rules::Options),
    /// Say what a rule looks for, why, and what to do.
    Explain(explain::Options),
    /// Print how a Dockerfile is read: instructions, flags, heredocs, stages.
    Syntax(syntax::Options),
    /// Serve an editor: diagnostics, quick fixes and repair on save, by the language server protocol.
    Lsp(lsp::Options),
    /// Write an `ironhull.toml` to start from.
    Init(init::Options),
    /// Print a completion script for a shell.
    Completions(completions::Options),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// In a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing at or above the failing level is left.
    Clean,
    /// Something is.
    Failing,
    /// The run did not happen, and standard error says why.
    Refused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Clean => ExitCode::SUCCESS,
            Outcome::Failing => ExitCode::from(1),
            Outcome::Refused => ExitCode::from(2),
        }
    }
}

/// Runs the program on the arguments of this process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help that nobody reads to its end is no failure.
            let _ = error.print();
            return if error.use_stderr() { Outcome::Refused.into() } else { ExitCode::SUCCESS };
        }
    };
    match run(&arguments) {
        Ok(outcome) => outcome.into(),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ironhull: {error:#}");
            Outcome::Refused.into()
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Outcome> {
    let terminal = Terminal { colour: arguments.color };
    match &arguments.command {
        Command::Check(options) => check::run(options, terminal),
        Command::Fix(options) => fix::run(options, terminal),
        Command::Harden(options) => harden::run(options, terminal),
        Command::Lock(options) => lock::run(options, terminal),
        Command::Verify(options) => verify::run(options, terminal),
        Command::Inspect(options) => inspect::run(options, terminal),
        Command::Graph(options) => graph::run(options, terminal),
        Command::Rules(options) => rules::run(options, terminal),
        Command::Explain(options) => explain::run(options, terminal),
        Command::Syntax(options) => syntax::run(options, terminal),
        Command::Lsp(options) => lsp::run(options),
        Command::Init(options) => init::run(options, terminal),
        Command::Completions(options) => completions::run(options),
    }
}

/// Makes the thread that asks for many files one of those that read them: it has nothing else to do, and a thread more
/// costs as much as some ten files. A second call changes nothing.
fn work_along() {
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
}

/// Says of files that change which of them say that they are generated.
fn remark_generated(changes: &[Change], terminal: Terminal) -> anyhow::Result<()> {
    for change in changes {
        if let Some(generation) = change.generation() {
            terminal.remark(|out| writeln!(out, "ironhull: {}: {generation}", change.path.escape_debug()))?;
        }
    }
    Ok(())
}

/// The day it is: comments that silence findings may have ended.
fn today() -> Date {
    Date::of_days_since_1970(disk::days_since_1970())
}

/// A reader that has seen enough closes its pipe; that is its right.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let of_io = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let of_json = error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    of_io.or(of_json) == Some(io::ErrorKind::BrokenPipe)
}

/// Where output goes, and how it may look.
#[derive(Clone, Copy, Debug)]
struct Terminal {
    colour: Colour,
}

impl Terminal {
    /// Hands standard output to `write`, buffered.
    fn print_plain(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
        write(&mut out)?;
        Ok(out.flush()?)
    }

    /// The same for people: colour is taken out where it is not wanted.
    fn print(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let choice = match self.colour {
            Colour::Auto => AutoStream::choice(&io::stdout()),
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        let mut out = BufWriter::with_capacity(64 * 1024, AutoStream::new(io::stdout().lock(), choice));
        write(&mut out)?;
        Ok(out.flush()?)
    }

    /// The same on standard error, for what is not the answer.
    fn remark(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let choice = match self.colour {
            Colour::Auto => AutoStream::choice(&io::stderr()),
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        Ok(write(&mut AutoStream::new(io::stderr().lock(), choice))?)
    }

    /// Columns of the terminal, if standard output is one.
    fn width() -> Option<usize> {
        io::stdout().is_terminal().then(terminal_size::terminal_size)?.map(|(width, _)| usize::from(width.0))
    }
}
