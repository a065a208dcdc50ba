//! What `fix` did, for people.

use crate::{
    emit::{terminal::left_out, visible::visible},
    report::Repairs,
    rule::{Level, Safety},
};
use anstyle::{AnsiColor, Style};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// So many lines of what was not done are shown.
const MOST_DECLINED: usize = 10;

/// Prints `repairs` for people; `allowed` is the safety that was asked for.
///
/// # Errors
/// If `out` does not take it.
pub fn repairs(repairs: &Repairs, allowed: Safety, out: &mut dyn Write) -> io::Result<()> {
    applied(repairs, out)?;
    for change in &repairs.changes {
        if let Some(generation) = change.generation() {
            writeln!(out, "{STRONG}note{STRONG:#} {}: {}", visible(&change.path), visible(&generation.to_string()))?;
        }
    }
    for each in &repairs.quarantined {
        let path = &repairs.left.sources.get(each.file).path;
        let advice = "this is a bug of ironhull: please report it with the file";
        writeln!(out, "{BAD}taken back{BAD:#} {}: {} ({}); {advice}", visible(path), each.rule, each.why)?;
    }
    for error in &repairs.left.errors {
        writeln!(out, "{BAD}error{BAD:#} {}: {}", visible(&error.path), visible(&error.message))?;
    }
    declined(repairs, out)?;
    if repairs.is_unfinished {
        writeln!(out, "{STRONG}unfinished{STRONG:#} more can be done than one run does: run it again")?;
    }
    summary(repairs, allowed, out)
}

/// A line for each file and thing that was done, equal ones counted.
fn applied(repairs: &Repairs, out: &mut dyn Write) -> io::Result<()> {
    let mut by_file: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
    for each in &repairs.applied {
        *by_file.entry(each.file).or_default().entry((&*each.title, each.rule, &each.with)).or_default() += 1;
    }
    for (file, done) in by_file {
        writeln!(out, "{STRONG}{}{STRONG:#}", visible(&repairs.left.sources.get(file).path))?;
        for ((title, rule, with), count) in done {
            let times = if count > 1 { format!(" ×{count}") } else { String::new() };
            writeln!(out, "  {GOOD}fixed{GOOD:#} {}{times} {FAINT}{rule}{FAINT:#}", visible(title))?;
            for path in with {
                writeln!(out, "        and with it {}", visible(path))?;
            }
        }
    }
    Ok(())
}

fn declined(repairs: &Repairs, out: &mut dyn Write) -> io::Result<()> {
    let sources = &repairs.left.sources;
    let all: Vec<_> = repairs.undone().collect();
    for (rule, place, reason) in all.iter().take(MOST_DECLINED) {
        let file = sources.get(place.file);
        let line = file.locate(place.span.start).line;
        writeln!(out, "{STRONG}left{STRONG:#} {}:{line} {rule}: {}", visible(&file.path), visible(reason))?;
    }
    if all.len() > MOST_DECLINED {
        writeln!(out, "{FAINT}and {} more that were left with a reason{FAINT:#}", all.len() - MOST_DECLINED)?;
    }
    Ok(())
}

fn summary(repairs: &Repairs, allowed: Safety, out: &mut dyn Write) -> io::Result<()> {
    let done = repairs.applied.len();
    let files = repairs.changes.len();
    let left = repairs.left.findings.iter().filter(|ranked| ranked.level > Level::Off).count();
    let risky = if allowed > Safety::Risky { repairs.left_with(Safety::Risky) } else { 0 };
    let more = if risky > 0 { format!(", {risky} of them with `--risky`") } else { String::new() };
    writeln!(
        out,
        "{done} fixed in {files} {}, {left} left{more}{}",
        if files == 1 { "file" } else { "files" },
        left_out(&repairs.left)
    )
}
