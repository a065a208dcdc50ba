//! Findings as SARIF 2.1.0, with their fixes.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use crate::{
    emit::{
        json,
        place::{identity, region, uri},
    },
    report::{Ranked, Report, Unread},
    rule::{Confidence, Fix, Label, Level, Reference, RuleMeta, Scheme, Severity},
    source::{SourceFile, SourceSet},
    text::{Edit, FileId, Span},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Prints `report` as one SARIF log with one run.
///
/// # Errors
/// If `out` does not take it.
pub fn sarif(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: BTreeMap<&str, &RuleMeta> = BTreeMap::new();
    for ranked in &report.findings {
        rules.insert(ranked.finding.rule, ranked.rule);
    }
    let ids: Vec<&str> = rules.keys().copied().collect();
    let [comment, baseline, unchanged] = report.left_out_counts();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ironhull",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|meta| rule(meta)).collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": "ironhull/" },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": report.errors.iter().map(notification).collect::<Vec<_>>(),
            }],
            "results": report.findings.iter().map(|ranked| result(ranked, &ids, report)).collect::<Vec<_>>(),
            "properties": { "leftOut": { "comment": comment, "baseline": baseline, "unchanged": unchanged } },
        }],
    });
    json::write(&log, out)
}

fn rule(meta: &RuleMeta) -> Value {
    let mut tags = vec!["security".to_owned(), meta.group.name().to_owned()];
    tags.extend(meta.references.iter().filter_map(tag));
    let markdown = format!("{}\n\n**What to do:** {}", meta.why, meta.remedy);
    let mut rule = json!({
        "id": meta.id,
        "shortDescription": { "text": meta.title },
        "fullDescription": { "text": meta.why },
        "help": { "text": format!("{}\n\n{}", meta.why, meta.remedy), "markdown": markdown },
        "defaultConfiguration": { "level": level_of(meta.severity) },
        "properties": {
            "tags": tags,
            "precision": precision(meta.confidence),
            "security-severity": score(meta.severity),
        },
    });
    if let Some(page) = meta.references.iter().find(|reference| reference.scheme == Scheme::Url) {
        rule["helpUri"] = json!(page.id);
    }
    rule
}

fn tag(reference: &Reference) -> Option<String> {
    match reference.scheme {
        Scheme::Cwe => Some(format!("external/cwe/cwe-{}", reference.id)),
        Scheme::CisDocker => Some(format!("CIS-Docker-{}", reference.id)),
        Scheme::CisKubernetes => Some(format!("CIS-Kubernetes-{}", reference.id)),
        Scheme::Nist800190 => Some(format!("NIST-800-190-{}", reference.id)),
        Scheme::PodSecurity => Some(format!("PSS-{}", reference.id.replace(' ', "-"))),
        Scheme::NsaCisa => Some(format!("NSA-CISA-{}", reference.id.replace(' ', "-"))),
        Scheme::Url => None,
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
    }
}

/// As code scanning of GitHub sorts: above 9.0 is critical, from 7.0 high, from 4.0 medium.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "1.0",
    }
}

fn level_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Note | Level::Off => "note",
    }
}

fn notification(error: &Unread) -> Value {
    json!({
        "level": "warning",
        "message": { "text": format!("not checked: {}", error.message) },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&error.path) } } }],
    })
}

fn result(ranked: &Ranked, ids: &[&str], report: &Report) -> Value {
    let (finding, sources) = (&ranked.finding, &report.sources);
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": ids.binary_search(&finding.rule).ok(),
        "level": level(ranked.level),
        "message": { "text": finding.message },
        "locations": [{ "physicalLocation": physical(&finding.primary, sources) }],
        "partialFingerprints": { "ironhull/v1": identity(ranked, sources) },
        "properties": { "severity": finding.severity.name(), "confidence": finding.confidence.name() },
    });
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|label| json!({ "physicalLocation": physical(label, sources), "message": { "text": label.message } }))
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    let does_something = |each: &&Fix| !each.edits.is_empty() || !each.companions.is_empty();
    let fixes: Vec<Value> = finding.fixes.iter().filter(does_something).map(|each| fix(each, sources)).collect();
    if !fixes.is_empty() {
        result["fixes"] = Value::Array(fixes);
    }
    if report.has_baseline {
        result["baselineState"] = json!("new");
    }
    result
}

fn physical(label: &Label, sources: &SourceSet) -> Value {
    let file = sources.get(label.file);
    json!({ "artifactLocation": { "uri": uri(&file.path) }, "region": place(file, label.span) })
}

/// A place in lines and columns, and in bytes.
fn place(file: &SourceFile, span: Span) -> Value {
    let region = region(file, span);
    json!({
        "startLine": region.start.line,
        "startColumn": region.start.column,
        "endLine": region.end.line,
        "endColumn": region.end.column,
        "byteOffset": span.start,
        "byteLength": span.len(),
    })
}

fn change(file: &SourceFile, edits: Vec<&Edit>) -> Value {
    let replacement =
        |edit: &Edit| json!({ "deletedRegion": place(file, edit.span), "insertedContent": { "text": edit.text } });
    let replacements: Vec<Value> = edits.into_iter().map(replacement).collect();
    json!({ "artifactLocation": { "uri": uri(&file.path) }, "replacements": replacements })
}

fn fix(fix: &Fix, sources: &SourceSet) -> Value {
    let mut by_file: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
    for edit in &fix.edits {
        by_file.entry(edit.file).or_default().push(edit);
    }
    let own = by_file.into_iter().map(|(id, edits)| change(sources.get(id), edits));
    let changes = own.chain(fix.companions.iter().map(|other| {
        let file = SourceFile::new(FileId::BESIDE, other.path.as_str(), other.kind, other.text.to_vec());
        change(&file, other.edits.iter().collect())
    }));
    json!({
        "description": { "text": fix.title },
        "artifactChanges": changes.collect::<Vec<_>>(),
        "properties": { "safety": fix.safety.name(), "reason": fix.reason },
    })
}
