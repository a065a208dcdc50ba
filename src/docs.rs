//! Documentation made from the rules themselves: a page for each, an index, a schema of the configuration.
//!
//! Text in, text out; `tests/generated.rs` keeps the files in `docs/` equal to what is made here.

use crate::{
    policy::{Layer, Place, Policy, Profile},
    rule::{Builtin, Example, FixNote, Level, Reference, RuleMeta, Scheme},
};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The page of one rule, in Markdown.
pub fn rule_page(meta: &RuleMeta) -> String {
    let mut page = format!("# `{}`\n\n{}.\n\n", meta.id, meta.title);
    page.push_str(&facts(meta));
    section(&mut page, "Why", meta.why);
    section(&mut page, "What to do", meta.remedy);
    section(&mut page, "Examples", "The marked places are what this rule finds.");
    for example in meta.examples {
        page.push_str(&example_text(example));
    }
    page.push_str(&references(meta));
    page.push_str(&equivalents(meta));
    page.push_str("\nMade from the rule's source by `UPDATE=1 cargo test --test generated`.\n");
    page
}

/// What one rule is about, in short: for who meets a finding of it in an editor.
pub fn rule_summary(meta: &RuleMeta) -> String {
    let fix = match meta.fix {
        FixNote::Never => "none: it takes a decision".to_owned(),
        fix @ (FixNote::Sometimes(..) | FixNote::Always(..)) => fix_note(fix),
    };
    let (title, why, remedy) = (meta.title, meta.why, meta.remedy);
    let (severity, confidence) = (meta.severity.name(), meta.confidence.name());
    let mut page = format!("{title}. Severity {severity}, confidence {confidence}.\n");
    section(&mut page, "Why", why);
    section(&mut page, "What to do", remedy);
    section(&mut page, "Fix", &fix);
    page.push_str(&references(meta));
    page.push_str(&equivalents(meta));
    page
}

/// The list of all rules by group, in Markdown, with links to their pages.
pub fn rule_index(rules: &[&Builtin]) -> String {
    let mut page = String::from("# Rules\n\n");
    page.push_str(
        "`recommended` and `strict` are profiles; `all` has every rule at the level of its severity, and a standard (`cis-docker-5`, `nist-800-190`, `nsa-cisa`, `pss-baseline`, `pss-restricted`) those that refer to it.\n\n",
    );
    let mut groups: Vec<_> = rules.iter().map(|rule| rule.meta.group).collect();
    groups.sort_by_key(|group| group.name());
    groups.dedup();
    for group in groups {
        line(&mut page, format_args!("## {}\n", group.name()));
        page.push_str("| rule | what it finds | severity | recommended | strict |\n|---|---|---|---|---|\n");
        for meta in rules.iter().map(|rule| &rule.meta).filter(|meta| meta.group == group) {
            let (id, severity) = (meta.id, meta.severity.name());
            let [recommended, strict] = [Profile::Recommended, Profile::Strict].map(|profile| level_in(profile, meta));
            let title = cell(meta.title);
            line(&mut page, format_args!("| [`{id}`]({id}.md) | {title} | {severity} | {recommended} | {strict} |"));
        }
        page.push('\n');
    }
    page.push_str("Made from the rules' source by `UPDATE=1 cargo test --test generated`.\n");
    page
}

/// A JSON Schema of `ironhull.toml`, for editors.
pub fn config_schema(rules: &[&Builtin]) -> String {
    let levels = Level::ALL.map(Level::name);
    let rule = |meta: &RuleMeta| {
        let level = json!({ "$ref": "#/$defs/rule", "description": meta.title });
        (meta.id.to_owned(), level)
    };
    let rules: Map<String, Value> = rules.iter().map(|builtin| rule(&builtin.meta)).collect();
    let patterns = json!({ "type": "array", "items": { "type": "string" } });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ironhull.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "profile": {
                "anyOf": [
                    { "enum": Profile::ALL.map(Profile::name) },
                    { "type": "string", "pattern": "^pss-(baseline|restricted)-1\\.[0-9]+$" }
                ],
                "description": "The rules to start from."
            },
            "fail-at": { "enum": levels, "description": "The lowest level that makes a run fail." },
            "exclude": { "$ref": "#/$defs/patterns", "description": "What a walk leaves out." },
            "baseline": { "type": "string", "description": "The file of findings that are left out." },
            "images": {
                "type": "array",
                "items": { "type": "string" },
                "description": "The images that the project lets in; all of them without this list."
            },
            "rules": { "$ref": "#/$defs/rules" },
            "override": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["paths"],
                    "properties": { "paths": { "$ref": "#/$defs/patterns" }, "rules": { "$ref": "#/$defs/rules" } }
                }
            }
        },
        "$defs": {
            "level": { "enum": levels },
            "patterns": patterns,
            "rule": { "anyOf": [
                { "$ref": "#/$defs/level" },
                {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": { "level": { "$ref": "#/$defs/level" } }
                }
            ] },
            "rules": { "type": "object", "additionalProperties": false, "properties": rules }
        }
    });
    format!("{schema:#}\n")
}

/// What `profile` does about findings of a rule.
fn level_in(profile: Profile, meta: &RuleMeta) -> &'static str {
    let layer = Layer { profile: Some(profile), ..Layer::default() };
    Policy::new(layer, Place::default()).level(meta, "Dockerfile").name()
}

fn facts(meta: &RuleMeta) -> String {
    let kinds: Vec<&str> = meta.kinds.iter().map(|kind| kind.name()).collect();
    let plain = Profile::ALL.into_iter().filter(|profile| profile.standard().is_none());
    let levels: Vec<String> =
        plain.map(|profile| format!("{} in `{}`", level_in(profile, meta), profile.name())).collect();
    let asks = |profile: &Profile| profile.standard().is_some_and(|standard| standard.asks_for(meta));
    let standards: Vec<String> =
        Profile::ALL.into_iter().filter(asks).map(|profile| format!("`{}`", profile.name())).collect();
    let mut table = String::from("| | |\n|---|---|\n");
    let rows = [
        ("group", meta.group.name().to_owned()),
        ("severity", meta.severity.name().to_owned()),
        ("confidence", meta.confidence.name().to_owned()),
        ("level", levels.join(", ")),
        ("also in", standards.join(", ")),
        ("reads", kinds.join(", ")),
        ("fix", fix_note(meta.fix)),
        ("since", meta.since.to_owned()),
    ];
    for (name, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        line(&mut table, format_args!("| {name} | {} |", cell(&value)));
    }
    table
}

fn fix_note(fix: FixNote) -> String {
    match fix {
        FixNote::Never => "none".to_owned(),
        FixNote::Sometimes(safety, note) => format!("for some findings, {}: {note}", safety.name()),
        FixNote::Always(safety, note) => format!("{}: {note}", safety.name()),
    }
}

fn example_text(example: &Example) -> String {
    let bad = escaped(example.bad).replace('«', "<mark>").replace('»', "</mark>");
    let good = escaped(example.good);
    let (bad, good) = (bad.trim_end(), good.trim_end());
    format!("\n### {}\n\nBefore:\n\n<pre>{bad}</pre>\n\nAfter:\n\n<pre>{good}</pre>\n", example.title)
}

fn references(meta: &RuleMeta) -> String {
    let mut text = String::from("\n## References\n\n");
    for reference in meta.references {
        line(&mut text, format_args!("- {}", reference_text(reference)));
    }
    text
}

fn reference_text(reference: &Reference) -> String {
    let id = reference.id;
    match reference.scheme {
        Scheme::CisDocker => format!("CIS Docker Benchmark v1.6, section {id}"),
        Scheme::CisKubernetes => format!("CIS Kubernetes Benchmark v1.9, section {id}"),
        Scheme::Nist800190 => format!("NIST SP 800-190, section {id}"),
        Scheme::PodSecurity => format!("Pod Security Standard {id}"),
        Scheme::NsaCisa => format!("NSA/CISA Kubernetes Hardening Guide v1.2, {id}"),
        Scheme::Cwe => format!("[CWE-{id}](https://cwe.mitre.org/data/definitions/{id}.html)"),
        Scheme::Url => format!("<{id}>"),
    }
}

fn equivalents(meta: &RuleMeta) -> String {
    if meta.equivalents.is_empty() {
        return String::new();
    }
    let ids: Vec<String> = meta.equivalents.iter().map(|id| format!("`{id}`")).collect();
    format!("\nOther tools know it as {}.\n", ids.join(", "))
}

fn section(page: &mut String, title: &str, text: &str) {
    line(page, format_args!("\n## {title}\n\n{text}"));
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(page, "{text}").expect("writing to a string cannot fail");
}

/// Text that cannot end a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Text that means itself between HTML tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
