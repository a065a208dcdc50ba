//! What `harden` did: for people, for a pull request, for programs.

use super::{
    json,
    verdict::{proof_line, verdict_value},
    visible::visible,
};
use crate::{
    harden::{self, Declined, Dependent, Hardened, Rung},
    report::{Change, Unread},
    rule::Safety,
    verify::Verdict,
};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::{self, Write};

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Everything that a run of `harden` says.
#[derive(Debug, Default)]
pub struct Hardening {
    /// The files, sorted by path.
    pub files: Vec<HardenedFile>,
    /// The files that change with them, since they build them or run what they make, sorted by path.
    pub dependents: Vec<Dependent>,
    /// What could not be read or written, sorted by path.
    pub errors: Vec<Unread>,
}

/// One file, as it was and as it would be.
#[derive(Debug)]
pub struct HardenedFile {
    /// As the user named it or as the walk found it, `/` between parts.
    pub path: String,
    /// Its bytes as they were.
    pub before: Vec<u8>,
    /// What became of it.
    pub result: Hardened,
    /// That its image does what it did, if that was asked for and could be proved.
    pub proof: Option<Verdict>,
}

impl Hardening {
    /// Everything that changes: the Dockerfiles, then the files that change with them.
    pub fn changes(&self) -> Vec<Change> {
        let dependents = self.dependents.iter().map(|Dependent { path, before, after, .. }| Change {
            path: path.clone(),
            before: before.clone(),
            after: after.clone(),
        });
        self.files.iter().filter_map(HardenedFile::change).chain(dependents).collect()
    }
}

impl HardenedFile {
    /// What changes in it, if anything does.
    pub fn change(&self) -> Option<Change> {
        (self.before != self.result.text).then(|| Change {
            path: self.path.clone(),
            before: self.before.clone(),
            after: self.result.text.clone(),
        })
    }
}

/// What a rung asks for, in the words of people.
fn claim(rung: Rung) -> &'static str {
    match rung {
        Rung::Root => "runs as root, or nobody can tell",
        Rung::NonRoot => "runs as a user with a number that owns what it writes",
        Rung::Clean => "holds no build tools, secrets or unverified downloads",
        Rung::RuntimeOnly => "on a base that is made to run it",
        Rung::NoShell => "on a base without a shell",
        Rung::Deployed => "and the files that run it say so",
    }
}

/// Prints `hardening` for people.
///
/// # Errors
/// If `out` does not take it.
pub fn hardening(hardening: &Hardening, out: &mut dyn Write) -> io::Result<()> {
    for file in &hardening.files {
        let Hardened { stack, before, after, changes, declined, manual, .. } = &file.result;
        let stack = stack.as_ref().map_or(String::new(), |stack| format!(" ({stack})"));
        let path = visible(&file.path);
        writeln!(out, "{STRONG}{path}{STRONG:#}{stack}: rung {before} → {after}, {}", claim(*after))?;
        for change in changes {
            let risky = if change.safety == Safety::Safe { "" } else { " (risky)" };
            let (title, reason) = (visible(&change.title), visible(&change.reason));
            writeln!(out, "  {GOOD}done{GOOD:#}{risky} {title}: {FAINT}{reason}{FAINT:#}")?;
            for place in &change.evidence {
                writeln!(
                    out,
                    "       {FAINT}{}:{} {}{FAINT:#}",
                    visible(&place.path),
                    place.line,
                    visible(&place.shows)
                )?;
            }
        }
        for Declined { rung, reason } in declined {
            writeln!(out, "  {STRONG}not rung {rung}{STRONG:#}: {}", visible(reason))?;
        }
        if let Some(proof) = &file.proof {
            writeln!(out, "  {GOOD}proved{GOOD:#} {}", proof_line(proof))?;
        }
        for each in manual {
            writeln!(out, "  {BAD}to do{BAD:#} {}", visible(each))?;
        }
    }
    for error in &hardening.errors {
        writeln!(out, "{BAD}error{BAD:#} {}: {}", visible(&error.path), visible(&error.message))?;
    }
    let changed = hardening.files.iter().filter(|file| file.change().is_some()).count();
    write!(out, "{changed} of {} files changed", hardening.files.len())?;
    let dependents: Vec<_> = hardening.dependents.iter().map(|each| visible(&each.path)).collect();
    if !dependents.is_empty() {
        write!(out, ", and with them {}", dependents.join(", "))?;
    }
    writeln!(out)
}

/// Prints `hardening` for the text of a pull request.
///
/// # Errors
/// If `out` does not take it.
pub fn hardening_markdown(hardening: &Hardening, out: &mut dyn Write) -> io::Result<()> {
    for file in &hardening.files {
        let Hardened { before, after, changes, declined, manual, .. } = &file.result;
        writeln!(out, "### `{}`: rung {before} → {after}\n\nThe image {}.\n", visible(&file.path), claim(*after))?;
        for change in changes {
            writeln!(out, "- **{}**: {}{}", visible(&change.title), visible(&change.reason), remark(change))?;
        }
        if let Some(proof) = &file.proof {
            writeln!(out, "- **Proved** {}", proof_line(proof))?;
        }
        if !manual.is_empty() {
            writeln!(out, "\nLeft to do:\n")?;
        }
        for each in manual {
            writeln!(out, "- [ ] {}", visible(each))?;
        }
        if !declined.is_empty() {
            writeln!(out, "\nNot done:\n")?;
        }
        for Declined { rung, reason } in declined {
            writeln!(out, "- rung {rung}: {}", visible(reason))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// What a change may break, and the places that prove it, as people write it behind a sentence.
fn remark(change: &harden::Change) -> String {
    let risky = (change.safety < Safety::Safe).then(|| "risky".to_owned());
    let mut places: Vec<String> =
        change.evidence.iter().map(|place| format!("`{}:{}`", visible(&place.path), place.line)).collect();
    places.dedup();
    let places = (!places.is_empty()).then(|| places.join(", "));
    let remarks: Vec<String> = risky.into_iter().chain(places).collect();
    if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join("; ")) }
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    files: Vec<JsonFile<'a>>,
    errors: Vec<JsonError<'a>>,
}

#[derive(Serialize)]
struct JsonFile<'a> {
    path: &'a str,
    stack: Option<&'a str>,
    rung_before: u8,
    rung_after: u8,
    changes: Vec<JsonChange<'a>>,
    declined: Vec<JsonDeclined<'a>>,
    manual: &'a [String],
    edits: Vec<JsonEdit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct JsonChange<'a> {
    title: &'a str,
    safety: &'static str,
    reason: &'a str,
    evidence: Vec<JsonEvidence<'a>>,
}

#[derive(Serialize)]
struct JsonEvidence<'a> {
    path: &'a str,
    line: u32,
    shows: &'a str,
}

#[derive(Serialize)]
struct JsonDeclined<'a> {
    rung: u8,
    reason: &'a str,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    path: &'a str,
    start: usize,
    end: usize,
    text: String,
}

#[derive(Serialize)]
struct JsonError<'a> {
    path: &'a str,
    message: &'a str,
}

/// Prints `hardening` for programs.
///
/// # Errors
/// If `out` does not take it.
pub fn hardening_json(hardening: &Hardening, out: &mut dyn Write) -> io::Result<()> {
    let errors = hardening.errors.iter().map(|error| JsonError { path: &error.path, message: &error.message });
    let document = Document { version: 1, files: json_files(hardening).collect(), errors: errors.collect() };
    json::write(&document, out)
}

/// Each Dockerfile, with the edits of the files that change for it and for none before it.
fn json_files(hardening: &Hardening) -> impl Iterator<Item = JsonFile<'_>> {
    hardening.files.iter().enumerate().map(|(at, file)| {
        let own = edit(&file.path, &file.before, &file.result.text);
        let dependents = hardening.dependents.iter().filter(|each| each.first == at);
        let others = dependents.filter_map(|each| edit(&each.path, &each.before, &each.after));
        json_file(file, own.into_iter().chain(others).collect())
    })
}

fn json_file<'a>(file: &'a HardenedFile, edits: Vec<JsonEdit<'a>>) -> JsonFile<'a> {
    let Hardened { stack, before, after, changes, declined, manual, .. } = &file.result;
    JsonFile {
        path: &file.path,
        stack: stack.as_deref(),
        rung_before: before.number(),
        rung_after: after.number(),
        changes: changes
            .iter()
            .map(|change| JsonChange {
                title: &change.title,
                safety: change.safety.name(),
                reason: &change.reason,
                evidence: change
                    .evidence
                    .iter()
                    .map(|place| JsonEvidence { path: &place.path, line: place.line, shows: &place.shows })
                    .collect(),
            })
            .collect(),
        declined: declined.iter().map(|each| JsonDeclined { rung: each.rung.number(), reason: &each.reason }).collect(),
        manual,
        edits,
        proof: file.proof.as_ref().map(|proof| verdict_value(proof, false)),
    }
}

/// What differs between the first and the last byte that do: one edit.
fn edit<'a>(path: &'a str, before: &[u8], after: &[u8]) -> Option<JsonEdit<'a>> {
    if before == after {
        return None;
    }
    let is_start = |at: usize, text: &[u8]| text.get(at).is_none_or(|byte| byte & 0xC0 != 0x80);
    let mut start = before.iter().zip(after).take_while(|(old, new)| old == new).count();
    while !is_start(start, before) || !is_start(start, after) {
        start -= 1;
    }
    let most = before.len().min(after.len()) - start;
    let mut same = before.iter().rev().zip(after.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
    while !is_start(before.len() - same, before) || !is_start(after.len() - same, after) {
        same -= 1;
    }
    let text = String::from_utf8_lossy(&after[start..after.len() - same]).into_owned();
    Some(JsonEdit { path, start, end: before.len() - same, text })
}
