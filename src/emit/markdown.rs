//! A summary for the page of a job or a comment: what was found, in a table.

use crate::{
    emit::{
        place::{path, region},
        terminal::{counted, left_out},
        visible::visible,
    },
    report::{Ranked, Report},
    rule::Level,
};
use std::{
    cmp::Reverse,
    fmt::Write as _,
    io::{self, Write},
};

/// So many findings have a row: the page of a job holds 1 MiB.
const ROWS: usize = 500;

/// Longer messages are cut: they may quote a word of any length.
const LONGEST: usize = 300;

/// Prints `report` as Markdown of GitHub and GitLab.
///
/// # Errors
/// If `out` does not take it.
pub fn markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let files = counted(report.files.len(), "file");
    writeln!(out, "### ironhull\n")?;
    if report.findings.is_empty() {
        writeln!(out, "Nothing found in {files}{}.", left_out(report))?;
    } else {
        let findings = counted(report.findings.len(), "finding");
        writeln!(out, "{findings} in {files}{}.\n", left_out(report))?;
        table(report, out)?;
    }
    if !report.errors.is_empty() {
        writeln!(out, "\nNot checked:\n")?;
        for error in report.errors.iter().take(ROWS) {
            writeln!(out, "- {}: {}", code(&error.path), plain(&error.message))?;
        }
    }
    Ok(())
}

fn table(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| level | rule | place | finding |\n|---|---|---|---|")?;
    let mut worst_first: Vec<&Ranked> = report.findings.iter().collect();
    worst_first.sort_by_key(|ranked| (Reverse(ranked.level), Reverse(ranked.finding.severity)));
    for ranked in worst_first.iter().take(ROWS) {
        let finding = &ranked.finding;
        let file = report.sources.get(finding.primary.file);
        let place = format!("{}:{}", path(file), region(file, finding.primary.span).start.line);
        let (level, rule) = (level(ranked.level), finding.rule);
        writeln!(out, "| {level} | {rule} | {} | {} |", code(&place), message(&finding.message))?;
    }
    match worst_first.len().saturating_sub(ROWS) {
        0 => Ok(()),
        rest => writeln!(out, "\n… and {rest} more."),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Note | Level::Off => "note",
    }
}

/// A message, what stands between backticks as code.
fn message(text: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    let parts: Vec<&str> = text.split('`').collect();
    // Without its closing mark the last part is text.
    let is_closed = parts.len() % 2 == 1;
    let last = parts.len() - 1;
    let part = |(at, part): (usize, &&str)| {
        if at % 2 == 1 && (is_closed || at < last) { code(part) } else { plain(part) }
    };
    parts.iter().enumerate().map(part).collect()
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", plain(text))
}

/// `text` in which nothing is markup, a link or a mention.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in visible(text).chars() {
        if character.is_alphanumeric() || " ,./()".contains(character) || !character.is_ascii() {
            escaped.push(character);
        } else {
            write!(escaped, "&#{};", u32::from(character)).expect("a string takes what is written to it");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_is_markup() {
        assert_eq!(message("`a|b` is *not* <b>"), "<code>a&#124;b</code> is &#42;not&#42; &#60;b&#62;");
        assert_eq!(message("one ` only"), "one  only");
        assert_eq!(plain("@all https://x\n| a"), "&#64;all https&#58;//x&#92;n&#124; a");
    }
}
