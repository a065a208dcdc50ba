//! Findings for programs. A field is never removed within a version.

use crate::{
    report::{Ranked, Report},
    rule::{Fix, Label, Reference},
    source::{SourceFile, SourceSet},
};
use serde::Serialize;
use std::io::{self, Write};

/// Prints `report` as one JSON document.
///
/// # Errors
/// If `out` does not take it.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: 1,
        tool: Tool { name: "ironhull", version: env!("CARGO_PKG_VERSION") },
        files: report.files.iter().map(|file| WireFile { path: &file.path, kind: file.kind.name() }).collect(),
        findings: report.findings.iter().map(|ranked| finding(ranked, &report.sources)).collect(),
        errors: report.errors.iter().map(|error| WireError { path: &error.path, message: &error.message }).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    files: Vec<WireFile<'a>>,
    findings: Vec<WireFinding<'a>>,
    errors: Vec<WireError<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct WireFile<'a> {
    path: &'a str,
    kind: &'static str,
}

#[derive(Serialize)]
struct WireError<'a> {
    path: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct WireFinding<'a> {
    rule: &'static str,
    severity: &'static str,
    confidence: &'static str,
    level: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: WirePlace<'a>,
    related: Vec<WireLabel<'a>>,
    references: Vec<WireReference>,
    fixes: Vec<WireFix<'a>>,
}

/// `end` is exclusive.
#[derive(Serialize)]
struct WirePlace<'a> {
    path: &'a str,
    start: WirePosition,
    end: WirePosition,
}

/// Lines and columns count from 1, columns in Unicode scalar values; offsets are bytes.
#[derive(Serialize)]
struct WirePosition {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct WireLabel<'a> {
    #[serde(flatten)]
    place: WirePlace<'a>,
    message: &'a str,
}

#[derive(Serialize)]
pub(super) struct WireReference {
    scheme: &'static str,
    id: &'static str,
}

#[derive(Serialize)]
struct WireFix<'a> {
    title: &'a str,
    safety: &'static str,
    reason: &'a str,
    edits: Vec<WireEdit<'a>>,
}

#[derive(Serialize)]
struct WireEdit<'a> {
    path: &'a str,
    start: u32,
    end: u32,
    text: &'a str,
}

fn finding<'a>(ranked: &'a Ranked, sources: &'a SourceSet) -> WireFinding<'a> {
    let finding = &ranked.finding;
    WireFinding {
        rule: finding.rule,
        severity: finding.severity.name(),
        confidence: finding.confidence.name(),
        level: ranked.level.name(),
        message: &finding.message,
        place: place(&finding.primary, sources),
        related: finding.related.iter().map(|label| related(label, sources)).collect(),
        references: references(ranked.rule.references),
        fixes: finding.fixes.iter().map(|each| fix(each, sources)).collect(),
    }
}

fn related<'a>(label: &'a Label, sources: &'a SourceSet) -> WireLabel<'a> {
    WireLabel { place: place(label, sources), message: &label.message }
}

fn place<'a>(label: &Label, sources: &'a SourceSet) -> WirePlace<'a> {
    let file = sources.get(label.file);
    WirePlace { path: &file.path, start: position(file, label.span.start), end: position(file, label.span.end) }
}

fn position(file: &SourceFile, offset: u32) -> WirePosition {
    let at = file.locate(offset);
    WirePosition { line: at.line, column: at.column, offset }
}

/// `list` in the shape of the wire.
pub(super) fn references(list: &[Reference]) -> Vec<WireReference> {
    list.iter().map(|reference| WireReference { scheme: reference.scheme.name(), id: reference.id }).collect()
}

fn fix<'a>(fix: &'a Fix, sources: &'a SourceSet) -> WireFix<'a> {
    let edits = fix.edits.iter().map(|edit| WireEdit {
        path: &sources.get(edit.file).path,
        start: edit.span.start,
        end: edit.span.end,
        text: &edit.text,
    });
    WireFix { title: &fix.title, safety: fix.safety.name(), reason: &fix.reason, edits: edits.collect() }
}
