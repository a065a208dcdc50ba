//! `ironhull completions`: scripts for shells.

use crate::cli::{Arguments, Outcome, Terminal};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// What `completions` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(options: &Options) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "ironhull", &mut script);
    Terminal::print_plain(|out| out.write_all(&script))?;
    Ok(Outcome::Clean)
}
