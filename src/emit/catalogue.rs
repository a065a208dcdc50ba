//! The rules themselves: as a list, as JSON, and one in full.

use crate::{
    emit::json::{WireReference, references},
    rule::{Builtin, Example, FixNote, Reference, RuleMeta, Safety, Scheme},
};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, Write};

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();

/// Lists `rules` for people, one a line.
///
/// # Errors
/// If `out` does not take it.
pub fn rules(rules: &[&Builtin], out: &mut dyn Write) -> io::Result<()> {
    let width = rules.iter().map(|rule| rule.meta.id.len()).max().unwrap_or(0);
    for rule in rules {
        let RuleMeta { id, severity, title, .. } = rule.meta;
        let severity = severity.name();
        writeln!(out, "{STRONG}{id:width$}{STRONG:#}  {FAINT}{severity:8}{FAINT:#}  {title}")?;
    }
    writeln!(out, "\n{} rules; `ironhull explain RULE` says more of one", rules.len())
}

#[derive(Serialize)]
struct Document {
    version: u32,
    rules: Vec<WireRule>,
}

#[derive(Serialize)]
struct WireRule {
    id: &'static str,
    title: &'static str,
    group: &'static str,
    severity: &'static str,
    kinds: Vec<&'static str>,
    fix: WireFix,
    references: Vec<WireReference>,
    equivalents: &'static [&'static str],
    since: &'static str,
}

#[derive(Serialize)]
struct WireFix {
    availability: &'static str,
    safety: Option<&'static str>,
}

/// Prints `rules` as one JSON document.
///
/// # Errors
/// If `out` does not take it.
pub fn rules_json(rules: &[&'static Builtin], out: &mut dyn Write) -> io::Result<()> {
    let document = Document { version: 1, rules: rules.iter().map(|rule| wire(&rule.meta)).collect() };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn wire(rule: &'static RuleMeta) -> WireRule {
    WireRule {
        id: rule.id,
        title: rule.title,
        group: rule.group.name(),
        severity: rule.severity.name(),
        kinds: rule.kinds.iter().map(|kind| kind.name()).collect(),
        fix: wire_fix(rule.fix),
        references: references(rule.references),
        equivalents: rule.equivalents,
        since: rule.since,
    }
}

fn wire_fix(fix: FixNote) -> WireFix {
    let (availability, safety) = match fix {
        FixNote::Never => ("never", None),
        FixNote::Sometimes(safety, _) => ("sometimes", Some(safety)),
        FixNote::Always(safety, _) => ("always", Some(safety)),
    };
    WireFix { availability, safety: safety.map(Safety::name) }
}

/// Prints everything that is known about `rule`, sentences broken at `width` columns.
///
/// # Errors
/// If `out` does not take it.
pub fn explain(rule: &RuleMeta, width: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{STRONG}{}{STRONG:#}: {}", rule.id, rule.title)?;
    let (group, severity, since) = (rule.group.name(), rule.severity.name(), rule.since);
    writeln!(out, "{FAINT}group {group}, severity {severity}, since {since}{FAINT:#}\n")?;
    paragraph(rule.why, width, out)?;
    writeln!(out, "\n{STRONG}What to do{STRONG:#}")?;
    paragraph(rule.remedy, width, out)?;
    writeln!(out, "\n{STRONG}Fix{STRONG:#}")?;
    paragraph(&fix_sentence(rule.fix), width, out)?;
    for each in rule.examples {
        example(each, out)?;
    }
    if !rule.references.is_empty() {
        writeln!(out, "\n{STRONG}References{STRONG:#}")?;
        rule.references.iter().try_for_each(|reference| writeln!(out, "- {}", reference_line(*reference)))?;
    }
    if !rule.equivalents.is_empty() {
        writeln!(out, "\n{STRONG}In other tools{STRONG:#}")?;
        paragraph(&rule.equivalents.join(", "), width, out)?;
    }
    Ok(())
}

/// Prints `text` with line breaks between words, so that no line is longer than `width` unless a word is.
fn paragraph(text: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            writeln!(out)?;
            column = 0;
        }
        let blank = if column > 0 { " " } else { "" };
        write!(out, "{blank}{word}")?;
        column += blank.len() + length;
    }
    writeln!(out)
}

fn fix_sentence(fix: FixNote) -> String {
    let (when, safety, note) = match fix {
        FixNote::Never => return "None: it takes a decision.".to_owned(),
        FixNote::Sometimes(safety, note) => ("Sometimes", safety, note),
        FixNote::Always(safety, note) => ("Always", safety, note),
    };
    format!("{when}, {}. {note}", safety.name())
}

fn example(example: &Example, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{STRONG}{}{STRONG:#}", example.title)?;
    for line in example.bad.lines() {
        let line = line.replace('«', &BAD.render().to_string()).replace('»', &BAD.render_reset().to_string());
        writeln!(out, "  {BAD}-{BAD:#} {line}")?;
    }
    example.good.lines().try_for_each(|line| writeln!(out, "  {GOOD}+{GOOD:#} {line}"))
}

fn reference_line(reference: Reference) -> String {
    let id = reference.id;
    match reference.scheme {
        Scheme::CisDocker => format!("CIS Docker Benchmark v1.6, section {id}"),
        Scheme::CisKubernetes => format!("CIS Kubernetes Benchmark v1.9, section {id}"),
        Scheme::Nist800190 => format!("NIST SP 800-190, section {id}"),
        Scheme::PodSecurity => format!("Pod Security Standard {id}"),
        Scheme::NsaCisa => format!("NSA/CISA Kubernetes Hardening Guide v1.2, {id}"),
        Scheme::Cwe => format!("CWE-{id}: https://cwe.mitre.org/data/definitions/{id}.html"),
        Scheme::Url => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_breaks_between_words_only() {
        let mut out = Vec::new();
        paragraph("aa bb cc ddddddddd e", 5, &mut out).expect("memory takes it");
        assert_eq!(String::from_utf8_lossy(&out), "aa bb\ncc\nddddddddd\ne\n");
    }
}
