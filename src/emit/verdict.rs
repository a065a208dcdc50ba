//! What a proof by building came to, for people and as JSON.

use crate::{
    emit::visible::visible,
    verify::{Difference, Failure, Measures, Side, Standing, Verdict},
};
use anstyle::{AnsiColor, Style};
use serde_json::{Value as Json, json};
use std::io::{self, Write};

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();

/// Values are cut here: they may be commands of any length.
const LONGEST_VALUE: usize = 120;

/// So many differences that are allowed are shown.
const ALLOWED: usize = 12;

/// Prints `verdict` for people.
///
/// # Errors
/// If `out` does not take it.
pub fn verdict_page(verdict: &Verdict, is_strict: bool, out: &mut dyn Write) -> io::Result<()> {
    table(verdict, out)?;
    for sentence in &verdict.same {
        writeln!(out, "  {GOOD}same{GOOD:#}     {}", shown(sentence))?;
    }
    for difference in verdict.with(Standing::Broken) {
        difference_lines(difference, BAD, out)?;
    }
    for difference in verdict.with(Standing::Noted) {
        difference_lines(difference, DOUBTFUL, out)?;
    }
    for difference in verdict.with(Standing::Allowed).take(ALLOWED) {
        difference_lines(difference, FAINT, out)?;
    }
    let hidden = verdict.with(Standing::Allowed).count().saturating_sub(ALLOWED);
    if hidden > 0 {
        writeln!(out, "  {FAINT}allowed{FAINT:#}  and {hidden} more; `--format json` lists them")?;
    }
    for sentence in &verdict.not_compared {
        writeln!(out, "  {DOUBTFUL}unproved{DOUBTFUL:#} {}", shown(sentence))?;
    }
    confinement(verdict, out)?;
    let holds = if is_strict { verdict.holds_strictly() } else { verdict.holds() };
    let broken = verdict.with(Standing::Broken).count();
    match (holds, broken) {
        (true, _) => writeln!(out, "\n{GOOD}AFTER does what BEFORE did.{GOOD:#}"),
        (false, 0) => writeln!(out, "\n{BAD}AFTER does what BEFORE did, and `--strict` wants more.{BAD:#}"),
        (false, 1) => writeln!(out, "\n{BAD}AFTER does not do what BEFORE did: 1 thing is broken.{BAD:#}"),
        (false, _) => writeln!(out, "\n{BAD}AFTER does not do what BEFORE did: {broken} things are broken.{BAD:#}"),
    }
}

/// A proof on one line: with what, and what became of what was measured.
pub(super) fn proof_line(verdict: &Verdict) -> String {
    let row = |(name, measure): &(&str, Measure)| {
        let (before, after) = (measure(&verdict.before)?, measure(verdict.after.as_ref()?)?);
        Some(format!("{name} {} → {}", shown(&before), shown(&after)))
    };
    let rows: Vec<String> = ROWS.iter().filter_map(row).collect();
    format!("by building with {}: {}", verdict.engine, rows.join(", "))
}

/// A failure with what the engine says and what to do next.
pub fn failure_page(failure: &Failure) -> String {
    let mut page = failure.to_string();
    for line in failure.said().lines() {
        page.push_str("\n  ");
        page.push_str(&visible(line));
    }
    page.push_str("\nnext: ");
    page.push_str(&failure.next());
    page
}

fn table(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{STRONG}{:<16}{:>16}{:>16}{STRONG:#}", verdict.engine, Side::Before.name(), Side::After.name())?;
    for (name, measure) in ROWS {
        let before = measure(&verdict.before).unwrap_or_else(|| "?".to_owned());
        let after = verdict.after.as_ref().and_then(measure).unwrap_or_else(|| "?".to_owned());
        writeln!(out, "{name:<16}{:>16}{:>16}", shown(&before), shown(&after))?;
    }
    writeln!(out)
}

type Measure = fn(&Measures) -> Option<String>;

/// What is measured, and how it is written.
const ROWS: [(&str, Measure); 5] = [
    ("user", |measures| Some(user(measures))),
    ("size", |measures| size(measures).map(|size| format!("{}.{} MB", size / 1_000_000, size / 100_000 % 10))),
    ("files", |measures| Some(thousands(measures.contents.as_ref()?.files))),
    ("shells", |measures| Some(measures.contents.as_ref()?.shells.len().to_string())),
    ("set-uid files", |measures| Some(measures.contents.as_ref()?.set_uid.len().to_string())),
];

/// The number that was seen, or what the image says.
fn user(measures: &Measures) -> String {
    let said = match measures.image.user.as_str() {
        "" | "root" => "0",
        user => user,
    };
    measures.user_id.map_or_else(|| said.to_owned(), |id| id.to_string())
}

fn size(measures: &Measures) -> Option<u64> {
    measures.image.size.or(measures.contents.as_ref().map(|contents| contents.bytes))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn difference_lines(difference: &Difference, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let (before, after) = (shown(&difference.before), shown(&difference.after));
    let values = match (before.is_empty(), after.is_empty()) {
        (false, false) => format!("{before} → {after}"),
        (true, _) => format!("+ {after}"),
        (false, true) => format!("- {before}"),
    };
    let standing = difference.standing.name();
    writeln!(out, "  {style}{standing:<8}{style:#} {}: {values}", difference.subject.name())?;
    for line in difference.why.lines() {
        writeln!(out, "           {FAINT}{}{FAINT:#}", visible(line))?;
    }
    Ok(())
}

fn confinement(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let Some(confinement) = &verdict.confinement else { return Ok(()) };
    let how = "Locked in (read-only, without capabilities and new privileges, with a /tmp)";
    if confinement.broke.is_empty() {
        writeln!(out, "\n{how} it does the same.")?;
    } else {
        writeln!(out, "\n{how} not everything works:")?;
    }
    for sentence in &confinement.broke {
        writeln!(out, "  {DOUBTFUL}breaks{DOUBTFUL:#}   {}", shown(sentence))?;
    }
    for path in &confinement.writes {
        writeln!(out, "  {FAINT}writes{FAINT:#}   {}, which needs a volume where the root is read-only", shown(path))?;
    }
    Ok(())
}

/// A value on one line, cut.
fn shown(value: &str) -> String {
    let value = visible(value.trim());
    match value.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.into_owned(),
    }
}

/// `verdict` as a document of its own.
pub fn verdict_json(verdict: &Verdict, is_strict: bool) -> String {
    format!("{:#}\n", verdict_value(verdict, is_strict))
}

/// `verdict` as a part of a document.
pub fn verdict_value(verdict: &Verdict, is_strict: bool) -> Json {
    let difference = |difference: &Difference| {
        json!({
            "subject": difference.subject.name(),
            "standing": difference.standing.name(),
            "before": difference.before,
            "after": difference.after,
            "why": difference.why,
        })
    };
    let confinement = verdict.confinement.as_ref();
    json!({
        "version": 1,
        "holds": if is_strict { verdict.holds_strictly() } else { verdict.holds() },
        "engine": verdict.engine,
        "before": measures_json(&verdict.before),
        "after": verdict.after.as_ref().map(measures_json),
        "differences": verdict.differences.iter().map(difference).collect::<Vec<_>>(),
        "same": verdict.same,
        "not_compared": verdict.not_compared,
        "locked_in": confinement.map(|confinement| json!({
            "broke": confinement.broke,
            "writes": confinement.writes,
        })),
    })
}

/// `failure` as JSON.
pub fn failure_json(failure: &Failure) -> String {
    let error = json!({
        "name": failure.name(),
        "message": failure.to_string(),
        "said": failure.said(),
        "next": failure.next(),
    });
    format!("{:#}\n", json!({"version": 1, "holds": null, "error": error}))
}

fn measures_json(measures: &Measures) -> Json {
    let image = &measures.image;
    let contents = measures.contents.as_ref();
    json!({
        "user": user(measures),
        "size": size(measures),
        "files": contents.map(|contents| contents.files),
        "shells": contents.map(|contents| &contents.shells),
        "set_uid": contents.map(|contents| &contents.set_uid),
        "config": {
            "user": image.user,
            "entrypoint": image.entrypoint,
            "cmd": image.command,
            "env": image.environment,
            "workdir": image.working_directory,
            "ports": image.ports,
            "volumes": image.volumes,
            "labels": image.labels,
            "healthcheck": image.health_check,
            "stop_signal": image.stop_signal,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!([7, 999, 1000, 11535, 1_234_567].map(thousands), ["7", "999", "1,000", "11,535", "1,234,567"]);
    }
}
