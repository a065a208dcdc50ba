//! Findings as a code quality report of GitLab.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use crate::{
    emit::{
        json,
        place::{identity, path, region},
    },
    report::{Ranked, Report},
    rule::Severity,
};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Prints `report` as a list of GitLab's issues.
///
/// # Errors
/// If `out` does not take it.
pub fn gitlab(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let issues: Vec<Value> = report.findings.iter().map(|ranked| issue(ranked, report)).collect();
    json::write(&issues, out)
}

fn issue(ranked: &Ranked, report: &Report) -> Value {
    let file = report.sources.get(ranked.finding.primary.file);
    let region = region(file, ranked.finding.primary.span);
    json!({
        "description": ranked.finding.message,
        "check_name": ranked.finding.rule,
        "fingerprint": identity(ranked, &report.sources),
        "severity": severity(ranked.finding.severity),
        "location": { "path": path(file), "lines": { "begin": region.start.line, "end": region.end.line } },
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "minor",
        Severity::Medium => "major",
        Severity::High => "critical",
        Severity::Critical => "blocker",
    }
}
