//! `ironhull rules`: the catalogue.

use crate::{
    cli::{Outcome, Terminal},
    emit,
    rules::RULES,
};
use clap::{Args, ValueEnum};

/// What `rules` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// How to print the list.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Terminal,
    /// For programs; `version` says which shape.
    Json,
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    match options.format {
        Format::Terminal => terminal.print(|out| emit::rules(RULES, out))?,
        Format::Json => Terminal::print_plain(|out| emit::rules_json(RULES, out))?,
    }
    Ok(Outcome::Clean)
}
