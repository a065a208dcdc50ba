//! Findings for programs. A field is never removed within a version.

use crate::{
    emit::visible::is_plain,
    fix::Applied,
    report::{Change, Ranked, Repairs, Report},
    rule::{Fix, Label, Reference},
    source::{Generation, SourceFile, SourceSet},
    text::Edit,
};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// Prints `report` as one JSON document.
///
/// # Errors
/// If `out` does not take it.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: 1,
        tool: TOOL,
        files: report.files.iter().map(|file| WireFile { path: &file.path, kind: file.kind.name() }).collect(),
        findings: report.findings.iter().map(|ranked| finding(ranked, &report.sources)).collect(),
        errors: errors(report),
        left_out: left_out(report),
    };
    write(&document, out)
}

/// Prints what `fix` did as one JSON document.
///
/// # Errors
/// If `out` does not take it.
pub fn repairs_json(repairs: &Repairs, out: &mut dyn Write) -> io::Result<()> {
    let sources = &repairs.left.sources;
    let document = Repaired {
        version: 1,
        tool: TOOL,
        applied: repairs.applied.iter().map(|each| applied(each, sources)).collect(),
        generated: repairs.changes.iter().filter_map(generated).collect(),
        declined: declined(repairs),
        findings: repairs.left.findings.iter().map(|ranked| finding(ranked, sources)).collect(),
        errors: errors(&repairs.left),
        left_out: left_out(&repairs.left),
    };
    write(&document, out)
}

/// Prints `document` as JSON; characters that a terminal would obey are written as `\u` escapes.
pub(super) fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    document.serialize(&mut Serializer::with_formatter(&mut *out, Plain(PrettyFormatter::new())))?;
    out.write_all(b"\n")
}

/// The usual layout, with nothing in strings that is not plain text.
struct Plain(PrettyFormatter<'static>);

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, character) in fragment.char_indices().filter(|(_, character)| !is_plain(*character)) {
            out.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            plain = at + character.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[plain..])
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

const TOOL: Tool = Tool { name: "ironhull", version: env!("CARGO_PKG_VERSION") };

#[derive(Serialize)]
struct Repaired<'a> {
    version: u32,
    tool: Tool,
    applied: Vec<WireApplied<'a>>,
    /// Files that change although they say that they are generated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    generated: Vec<WireGenerated<'a>>,
    declined: Vec<WireDeclined<'a>>,
    findings: Vec<WireFinding<'a>>,
    errors: Vec<WireError<'a>>,
    left_out: WireLeftOut,
}

#[derive(Serialize)]
struct WireApplied<'a> {
    rule: &'static str,
    path: &'a str,
    /// Other files that changed with it.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    with: &'a [String],
    title: &'a str,
    safety: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
struct WireGenerated<'a> {
    path: &'a str,
    line: usize,
    /// Scripts and templates that the file names.
    made_of: Vec<String>,
}

fn generated(change: &Change) -> Option<WireGenerated<'_>> {
    let Generation { line, made_of } = change.generation()?;
    Some(WireGenerated { path: &change.path, line, made_of })
}

#[derive(Serialize)]
struct WireDeclined<'a> {
    rule: &'static str,
    path: &'a str,
    line: u32,
    reason: &'a str,
}

fn applied<'a>(applied: &'a Applied, sources: &'a SourceSet) -> WireApplied<'a> {
    WireApplied {
        rule: applied.rule,
        path: &sources.get(applied.file).path,
        with: &applied.with,
        title: &applied.title,
        safety: applied.safety.name(),
        reason: &applied.reason,
    }
}

/// What was not done because it would be wrong, is for a person to decide, or did harm.
fn declined(repairs: &Repairs) -> Vec<WireDeclined<'_>> {
    let sources = &repairs.left.sources;
    let undone = repairs.undone().map(|(rule, label, reason)| {
        let file = sources.get(label.file);
        WireDeclined { rule, path: &file.path, line: file.locate(label.span.start).line, reason }
    });
    let harmful = repairs.quarantined.iter().map(|each| WireDeclined {
        rule: each.rule,
        path: &sources.get(each.file).path,
        line: 1,
        reason: each.why,
    });
    undone.chain(harmful).collect()
}

fn errors(report: &Report) -> Vec<WireError<'_>> {
    report.errors.iter().map(|error| WireError { path: &error.path, message: &error.message }).collect()
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    files: Vec<WireFile<'a>>,
    findings: Vec<WireFinding<'a>>,
    errors: Vec<WireError<'a>>,
    left_out: WireLeftOut,
}

/// How many findings are not reported, by reason.
#[derive(Serialize)]
struct WireLeftOut {
    comment: usize,
    baseline: usize,
    unchanged: usize,
}

fn left_out(report: &Report) -> WireLeftOut {
    let [comment, baseline, unchanged] = report.left_out_counts();
    WireLeftOut { comment, baseline, unchanged }
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
    #[serde(skip_serializing_if = "Option::is_none")]
    declined: Option<&'a str>,
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
        declined: finding.declined.as_deref(),
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
    let wire = |path, edit: &'a Edit| WireEdit { path, start: edit.span.start, end: edit.span.end, text: &edit.text };
    let own = fix.edits.iter().map(|edit| wire(&sources.get(edit.file).path, edit));
    let edits =
        own.chain(fix.companions.iter().flat_map(|other| other.edits.iter().map(|edit| wire(&other.path, edit))));
    WireFix { title: &fix.title, safety: fix.safety.name(), reason: &fix.reason, edits: edits.collect() }
}
