//! `ironhull lsp`: the language server on standard input and output.

use crate::{cli::Outcome, lsp};
use clap::Args;
use std::io::{self, BufReader};

/// What `lsp` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Speak on standard input and output, as it does anyway; many editors say so.
    #[arg(long)]
    stdio: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Outcome> {
    let Options { stdio: _ } = options;
    let is_orderly = lsp::serve(BufReader::new(io::stdin()), &mut io::stdout().lock())?;
    Ok(if is_orderly { Outcome::Clean } else { Outcome::Failing })
}
