//! Findings as the protocol has them.

use super::{
    client::Client,
    document::Document,
    home::Trouble,
    position::{Encoding, Lines},
};
use crate::{
    report::Ranked,
    rule::{Label, Level},
    text::Span,
};
use gen_lsp_types::{
    Code, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, Message, Position, Range,
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Whose diagnostics these are.
const SOURCE: &str = "ironhull";

/// What there is to say about a document that was judged.
pub(super) fn of_document(document: &Document, client: Client) -> Vec<Diagnostic> {
    match &document.judged {
        None => Vec::new(),
        Some(Ok(findings)) => findings.iter().map(|ranked| of_finding(ranked, document, client)).collect(),
        Some(Err(why)) => vec![remark(document, why)],
    }
}

/// One finding.
pub(super) fn of_finding(ranked: &Ranked, document: &Document, client: Client) -> Diagnostic {
    let finding = &ranked.finding;
    let related = finding.related.iter().map(|label| related(label, document));
    let related = client.shows_related.then(|| related.collect::<Vec<_>>()).filter(|related| !related.is_empty());
    Diagnostic {
        range: range(document, finding.primary.span),
        severity: Some(severity(ranked.level)),
        code: Some(Code::String(finding.rule.to_owned())),
        source: Some(SOURCE.to_owned()),
        message: Message::String(finding.message.clone()),
        related_information: related,
        // The pages of the rules have no address yet that everybody can open.
        code_description: None,
        tags: None,
        data: None,
    }
}

/// What is wrong with a configuration file or a lock.
pub(super) fn of_trouble(trouble: &Trouble, encoding: Encoding) -> Diagnostic {
    let range = Lines::new(&trouble.text, encoding).range(&trouble.text, trouble.span);
    plain(range, DiagnosticSeverity::Error, &trouble.message)
}

/// Where `span` is.
pub(super) fn range(document: &Document, span: Span) -> Range {
    document.lines.range(&document.text, span)
}

/// A short name of `diagnostics`, the same for the same ones.
pub(super) fn fingerprint(diagnostics: &[Diagnostic]) -> String {
    let mut hasher = DefaultHasher::new();
    diagnostics.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Why the document is not judged.
fn remark(document: &Document, why: &str) -> Diagnostic {
    let start = Position { line: 0, character: 0 };
    let end = document.lines.position(&document.text, first_line_end(&document.text) as u32);
    plain(Range { start, end }, DiagnosticSeverity::Information, &format!("this file is not judged: {why}"))
}

fn first_line_end(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}

fn plain(range: Range, severity: DiagnosticSeverity, message: &str) -> Diagnostic {
    Diagnostic {
        range,
        severity: Some(severity),
        code: None,
        source: Some(SOURCE.to_owned()),
        message: Message::String(message.to_owned()),
        related_information: None,
        code_description: None,
        tags: None,
        data: None,
    }
}

fn related(label: &Label, document: &Document) -> DiagnosticRelatedInformation {
    let location = Location { uri: document.uri.clone(), range: range(document, label.span) };
    DiagnosticRelatedInformation { location, message: label.message.clone() }
}

fn severity(level: Level) -> DiagnosticSeverity {
    match level {
        Level::Error => DiagnosticSeverity::Error,
        Level::Warn => DiagnosticSeverity::Warning,
        Level::Note | Level::Off => DiagnosticSeverity::Information,
    }
}
