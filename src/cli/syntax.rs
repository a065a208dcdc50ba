//! `ironhull syntax`: how a Dockerfile is read.

use crate::{
    cli::{
        Outcome, Terminal,
        inputs::{Inputs, Text},
    },
    emit,
};
use clap::{Args, ValueEnum};

/// What `syntax` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    inputs: Inputs,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One line of JSON for each file.
    Jsonl,
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let texts = options.inputs.dockerfiles(options.inputs.given(".")?)?;
    let lines = texts.print_each(terminal, |Text { name, text }| match options.format {
        Format::Jsonl => emit::syntax_line(name, text),
    })?;
    Ok(lines)
}
