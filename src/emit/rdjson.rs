//! Findings as diagnostics of reviewdog, with the safe fixes as suggestions.
//!
//! <https://github.com/reviewdog/reviewdog/tree/master/proto/rdf>

use crate::{
    emit::{json, place::path},
    report::{Ranked, Report},
    rule::{Fix, Level, Safety, Scheme},
    source::SourceFile,
    text::Span,
};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Prints `report` as one diagnostic result.
///
/// # Errors
/// If `out` does not take it.
pub fn rdjson(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let diagnostics: Vec<Value> = report.findings.iter().map(|ranked| diagnostic(ranked, report)).collect();
    json::write(&json!({ "source": { "name": "ironhull" }, "diagnostics": diagnostics }), out)
}

fn diagnostic(ranked: &Ranked, report: &Report) -> Value {
    let finding = &ranked.finding;
    let file = report.sources.get(finding.primary.file);
    let page = ranked.rule.references.iter().find(|reference| reference.scheme == Scheme::Url);
    let code = match page {
        Some(page) => json!({ "value": finding.rule, "url": page.id }),
        None => json!({ "value": finding.rule }),
    };
    json!({
        "message": finding.message,
        "location": { "path": path(file), "range": range(file, finding.primary.span) },
        "severity": severity(ranked.level),
        "code": code,
        "suggestions": suggestion(finding.fixes.first(), file).into_iter().collect::<Vec<_>>(),
    })
}

/// The default fix, if it is safe and one edit of this file: suggestions are taken one by one.
fn suggestion(fix: Option<&Fix>, file: &SourceFile) -> Option<Value> {
    let fix = fix.filter(|fix| fix.safety == Safety::Safe && fix.companions.is_empty())?;
    let [edit] = fix.edits.as_slice() else { return None };
    (edit.file == file.id).then(|| json!({ "range": range(file, edit.span), "text": edit.text }))
}

/// Lines and columns count from 1, columns in bytes; the end is exclusive.
fn range(file: &SourceFile, span: Span) -> Value {
    let position = |offset: u32| {
        let line = file.line_index().line(offset);
        json!({ "line": line, "column": offset - file.line_index().line_start(line) + 1 })
    };
    json!({ "start": position(span.start), "end": position(span.end) })
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARNING",
        Level::Note | Level::Off => "INFO",
    }
}
