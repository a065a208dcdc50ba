//! Findings for people.

use crate::report::Report;
use std::io::{self, Write};

/// How much is shown, and in how much room.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Columns of the terminal, if it is one.
    pub width: Option<usize>,
    /// Every finding with its place in the file.
    pub verbose: bool,
}

/// Prints `report` for people.
///
/// # Errors
/// If `out` does not take it.
pub fn terminal(report: &Report, _look: &Look, out: &mut dyn Write) -> io::Result<()> {
    for ranked in &report.findings {
        let file = report.sources.get(ranked.finding.primary.file);
        let line = file.locate(ranked.finding.primary.span.start).line;
        writeln!(
            out,
            "{}[{}] {}:{line}: {}",
            ranked.level.name(),
            ranked.finding.rule,
            file.path,
            ranked.finding.message
        )?;
    }
    writeln!(out, "{} findings in {} files", report.findings.len(), report.files.len())
}
