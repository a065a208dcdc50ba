//! Findings as a test report: a file is a suite, a finding is a test that failed, a clean file is one that passed.

use crate::{
    emit::{
        place::{by_file, plain_path, region},
        xml::{HEADER, xml},
    },
    report::{Ranked, Report},
    source::SourceFile,
};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Prints `report` as a `JUnit` document.
///
/// # Errors
/// If `out` does not take it.
pub fn junit(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let findings = by_file(report);
    let with_findings: BTreeMap<&str, _> =
        findings.iter().map(|(id, findings)| (report.sources.get(*id).path.as_str(), (*id, findings))).collect();
    let clean = report.files.iter().filter(|file| !with_findings.contains_key(file.path.as_str())).count();
    let (failures, errors) = (report.findings.len(), report.errors.len());
    let tests = failures + errors + clean;
    writeln!(out, "{HEADER}")?;
    writeln!(out, "<testsuites name=\"ironhull\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">")?;
    for judged in &report.files {
        let name = xml(plain_path(&judged.path));
        let Some((id, findings)) = with_findings.get(judged.path.as_str()) else {
            writeln!(out, "  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"0\">")?;
            writeln!(out, "    <testcase name=\"nothing found\" classname=\"{name}\"/>\n  </testsuite>")?;
            continue;
        };
        let count = findings.len();
        writeln!(out, "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{count}\" errors=\"0\">")?;
        for ranked in *findings {
            failure(ranked, report.sources.get(*id), &name, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    for error in &report.errors {
        let (name, message) = (xml(plain_path(&error.path)), xml(&error.message));
        writeln!(out, "  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"1\">")?;
        writeln!(out, "    <testcase name=\"read\" classname=\"{name}\"><error message=\"{message}\"/></testcase>")?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn failure(ranked: &Ranked, file: &SourceFile, name: &str, out: &mut dyn Write) -> io::Result<()> {
    let at = region(file, ranked.finding.primary.span).start;
    let (rule, message, remedy) = (ranked.finding.rule, xml(&ranked.finding.message), xml(ranked.rule.remedy));
    let (line, column, level) = (at.line, at.column, ranked.level.name());
    writeln!(out, "    <testcase name=\"{rule} at {line}:{column}\" classname=\"{name}\">")?;
    writeln!(out, "      <failure type=\"{level}\" message=\"{message}\">{name}:{line}:{column}: {remedy}</failure>")?;
    writeln!(out, "    </testcase>")
}
