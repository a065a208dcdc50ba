//! Annotations of GitHub Actions: workflow commands on standard output.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use crate::{
    emit::visible::is_plain,
    report::{Ranked, Report},
    rule::Level,
    source::SourceSet,
};
use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// Prints `report` as one workflow command a finding.
///
/// # Errors
/// If `out` does not take it.
pub fn github(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for ranked in &report.findings {
        annotation(ranked, &report.sources, out)?;
    }
    for error in &report.errors {
        writeln!(out, "::warning file={}::not read: {}", property(&error.path), data(&error.message))?;
    }
    Ok(())
}

fn annotation(ranked: &Ranked, sources: &SourceSet, out: &mut dyn Write) -> io::Result<()> {
    let finding = &ranked.finding;
    let file = sources.get(finding.primary.file);
    let (start, end) = (file.locate(finding.primary.span.start), file.locate(finding.primary.span.end));
    write!(out, "::{} file={},line={}", command(ranked.level), property(&file.path), start.line)?;
    // Columns are only allowed where a finding begins and ends on one line.
    if start.line == end.line {
        write!(out, ",col={},endColumn={}", start.column, end.column)?;
    } else {
        write!(out, ",endLine={}", end.line)?;
    }
    let title = format!("{}: {}", finding.rule, ranked.rule.title);
    writeln!(out, ",title={}::{}", property(&title), data(&format!("{}\n{}", finding.message, ranked.rule.remedy)))
}

fn command(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Note | Level::Off => "notice",
    }
}

/// The text of a command, as far as its end of line goes.
fn data(text: &str) -> Cow<'_, str> {
    escape(text, &['%', '\r', '\n'])
}

/// The value of a property, which also ends at `:` and `,`.
fn property(text: &str) -> Cow<'_, str> {
    escape(text, &['%', '\r', '\n', ':', ','])
}

fn escape<'t>(text: &'t str, special: &[char]) -> Cow<'t, str> {
    if text.chars().all(|character| is_plain(character) && !special.contains(&character)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if special.contains(&character) {
            let _ = write!(escaped, "%{:02X}", u32::from(character));
        } else if is_plain(character) {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_default());
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_property_or_start_a_command() {
        assert_eq!(property("a,b:c\n::error::x%"), "a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax%25");
        assert_eq!(data("a: b\r\n%"), "a: b%0D%0A%25");
        assert_eq!(data("\u{1b}[2J\u{202e}"), "\\u{1b}[2J\\u{202e}");
    }
}
