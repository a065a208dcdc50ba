//! `ironhull explain`: one rule.

use crate::{
    cli::{Outcome, Terminal, settings::no_such_rule},
    emit,
    rule::Builtin,
    rules::RULES,
};
use clap::Args;

/// What `explain` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The rule: its id, or that of the same rule in another tool, as in `hadolint:DL3020` or `DL3020`.
    #[arg(value_name = "RULE")]
    rule: String,
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let meant: Vec<_> = RULES.iter().filter(|rule| is_meant(rule, &options.rule)).collect();
    anyhow::ensure!(!meant.is_empty(), "{}", no_such_rule(&options.rule));
    let width = Terminal::width().unwrap_or(WIDEST).min(WIDEST);
    terminal.print(|out| {
        for (at, rule) in meant.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            emit::explain(&rule.meta, width, out)?;
        }
        Ok(())
    })?;
    Ok(Outcome::Clean)
}

/// Longer lines are hard to read, however wide a terminal is.
const WIDEST: usize = 100;

fn is_meant(rule: &Builtin, name: &str) -> bool {
    let id_elsewhere = |equivalent: &str| equivalent.split_once(':').is_some_and(|(_, id)| id == name);
    rule.meta.id == name || rule.meta.equivalents.iter().any(|other| *other == name || id_elsewhere(other))
}
