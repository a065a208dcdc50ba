//! Findings as Checkstyle reports them, which many viewers read.

use crate::{
    emit::{
        place::{by_file, path, plain_path, region},
        xml::{HEADER, xml},
    },
    report::Report,
    rule::Level,
};
use std::io::{self, Write};

/// Prints `report` as a Checkstyle document.
///
/// # Errors
/// If `out` does not take it.
pub fn checkstyle(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEADER}\n<checkstyle version=\"4.3\">")?;
    for (id, findings) in by_file(report) {
        let file = report.sources.get(id);
        writeln!(out, "  <file name=\"{}\">", xml(path(file)))?;
        for ranked in findings {
            let at = region(file, ranked.finding.primary.span).start;
            let (severity, message) = (severity(ranked.level), xml(&ranked.finding.message));
            write!(out, "    <error line=\"{}\" column=\"{}\" severity=\"{severity}\"", at.line, at.column)?;
            writeln!(out, " message=\"{message}\" source=\"ironhull.{}\"/>", ranked.finding.rule)?;
        }
        writeln!(out, "  </file>")?;
    }
    for error in &report.errors {
        writeln!(out, "  <file name=\"{}\">", xml(plain_path(&error.path)))?;
        let message = xml(&error.message);
        writeln!(
            out,
            "    <error line=\"1\" severity=\"warning\" message=\"not checked: {message}\" source=\"ironhull\"/>"
        )?;
        writeln!(out, "  </file>")?;
    }
    writeln!(out, "</checkstyle>")
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Note | Level::Off => "info",
    }
}
