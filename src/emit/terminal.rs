//! Findings for people: what matters first, on one screen.
//!
//! Every rule that found something has its line. As far as there is room, rules are shown in full, the worst first;
//! what is left out is counted, with the command that shows it.

use crate::{
    emit::{snippet::snippet, visible::visible},
    report::{Ranked, Report},
    rule::{FixNote, Level},
    source::SourceSet,
};
use anstyle::{AnsiColor, Style};
use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

/// How much is shown, and in how much room.
#[derive(Clone, Debug)]
pub struct Look {
    /// Columns of the terminal, if it is one.
    pub width: Option<usize>,
    /// Every finding, however many there are.
    pub verbose: bool,
    /// The command that was run, so that a hint can say how to see more of the same.
    pub command: String,
}

/// Lines for findings; with the summary a run fits a screen of 24.
const ROOM: usize = 20;

/// Messages are cut here where no terminal's width cuts them: they may quote a word of any length.
pub(super) const LONGEST_MESSAGE: usize = 300;

/// So many findings of a rule are shown in full.
const IN_FULL: usize = 3;

/// So many files that could not be read are named.
const UNREAD: usize = 3;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();

/// Prints `report` for people.
///
/// # Errors
/// If `out` does not take it.
pub fn terminal(report: &Report, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let width = look.width.unwrap_or(100).clamp(40, 200);
    let page = Page { sources: &report.sources, width, is_cut: look.width.is_some(), command: visible(&look.command) };
    unread(report, look, out)?;
    let groups = groups(&report.findings);
    let room = ROOM - report.errors.len().min(UNREAD + 1);
    let plans = if look.verbose { everything(&groups) } else { page.fitting(&groups, room) };
    for plan in &plans {
        page.group(plan, out)?;
    }
    page.left_out(&groups[plans.len()..], out)?;
    if plans.last().is_some_and(|plan| plan.in_full.is_empty()) {
        writeln!(out)?;
    }
    summary(report, &groups, out)
}

/// All findings of one rule at one level.
#[derive(Debug)]
struct Group<'a> {
    level: Level,
    findings: Vec<&'a Ranked>,
}

impl Group<'_> {
    fn rule(&self) -> &'static str {
        self.findings[0].finding.rule
    }
}

/// Findings by rule: the highest level first, then the worst rule, then the most frequent.
fn groups(findings: &[Ranked]) -> Vec<Group<'_>> {
    let mut by_rule: BTreeMap<(Reverse<Level>, &str), Vec<&Ranked>> = BTreeMap::new();
    for ranked in findings {
        by_rule.entry((Reverse(ranked.level), ranked.finding.rule)).or_default().push(ranked);
    }
    let mut groups: Vec<Group<'_>> =
        by_rule.into_iter().map(|((Reverse(level), _), findings)| Group { level, findings }).collect();
    groups.sort_by_key(|group| {
        let worst = group.findings.iter().map(|ranked| ranked.finding.severity).max();
        (Reverse(group.level), Reverse(worst), Reverse(group.findings.len()))
    });
    for group in &mut groups {
        // What is worse or surer here than elsewhere is the example to show.
        group.findings.sort_by_key(|ranked| (Reverse(ranked.finding.severity), Reverse(ranked.finding.confidence)));
    }
    groups
}

/// How much of a group is shown: the first ones in full, the next ones on a line each.
struct Plan<'g> {
    group: &'g Group<'g>,
    in_full: Vec<String>,
    on_a_line: usize,
}

impl Plan<'_> {
    fn shown(&self) -> usize {
        self.in_full.len() + self.on_a_line
    }

    fn hidden(&self) -> usize {
        self.group.findings.len() - self.shown()
    }

    /// A count of its own stands under what is shown; a single line carries it itself.
    fn has_count_line(&self) -> bool {
        self.hidden() > 0 && (self.shown() > 1 || !self.in_full.is_empty())
    }

    fn lines(&self) -> usize {
        let full: usize = self.in_full.iter().map(|text| text.lines().count()).sum();
        let blank = usize::from(!self.in_full.is_empty());
        full + self.on_a_line + usize::from(self.has_count_line()) + blank
    }
}

fn everything<'g>(groups: &'g [Group<'g>]) -> Vec<Plan<'g>> {
    groups.iter().map(|group| Plan { group, in_full: Vec::new(), on_a_line: group.findings.len() }).collect()
}

struct Page<'a> {
    sources: &'a SourceSet,
    width: usize,
    /// Whether lines end at the width: in a terminal, but not in a file.
    is_cut: bool,
    command: Cow<'a, str>,
}

impl Page<'_> {
    /// The plans of as many groups as have a line in `room`, each as large as fits.
    fn fitting<'g>(&self, groups: &'g [Group<'g>], room: usize) -> Vec<Plan<'g>> {
        let mut plans: Vec<Plan<'g>> =
            groups.iter().take(room).map(|group| Plan { group, in_full: Vec::new(), on_a_line: 1 }).collect();
        let mut free = room - plans.len();
        for turn in 0..IN_FULL {
            for plan in &mut plans {
                self.show_in_full(plan, turn, &mut free);
            }
            for plan in &mut plans {
                show_on_a_line(plan, turn + 1, &mut free);
            }
        }
        plans
    }

    /// Shows the `turn`th finding in full, if the ones before it are and there is room.
    fn show_in_full(&self, plan: &mut Plan<'_>, turn: usize, free: &mut usize) {
        let Some(ranked) = plan.group.findings.get(turn) else { return };
        // The smallest snippet has five lines, one of which is there already.
        if plan.in_full.len() != turn || *free < 4 {
            return;
        }
        let before = plan.lines();
        let lines_before = plan.on_a_line;
        plan.in_full.push(snippet(ranked, self.sources, self.width));
        plan.on_a_line = lines_before.saturating_sub(1);
        if let Some(rest) = (*free + before).checked_sub(plan.lines()) {
            *free = rest;
        } else {
            plan.in_full.pop();
            plan.on_a_line = lines_before;
        }
    }

    fn group(&self, plan: &Plan<'_>, out: &mut dyn Write) -> io::Result<()> {
        for text in &plan.in_full {
            writeln!(out, "{text}")?;
        }
        let hidden = plan.hidden();
        let suffix = if hidden > 0 && !plan.has_count_line() { format!(" (+{hidden} more)") } else { String::new() };
        for ranked in &plan.group.findings[plan.in_full.len()..plan.shown()] {
            self.line(ranked, &suffix, out)?;
        }
        if plan.has_count_line() {
            let rule = plan.group.rule();
            writeln!(out, "{FAINT}… and {hidden} more of this rule: {} --select {rule}{FAINT:#}", self.command)?;
        }
        if plan.in_full.is_empty() { Ok(()) } else { writeln!(out) }
    }

    fn left_out(&self, groups: &[Group<'_>], out: &mut dyn Write) -> io::Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let findings: usize = groups.iter().map(|group| group.findings.len()).sum();
        let (rules, findings) = (counted(groups.len(), "rule"), counted(findings, "finding"));
        writeln!(out, "{FAINT}… and {rules} more with {findings}: {} --verbose{FAINT:#}", self.command)
    }

    fn line(&self, ranked: &Ranked, suffix: &str, out: &mut dyn Write) -> io::Result<()> {
        let finding = &ranked.finding;
        let file = self.sources.get(finding.primary.file);
        let at = file.locate(finding.primary.span.start);
        let (word, style) = level_word(ranked.level);
        let rule = finding.rule;
        let place = format!("{}:{}:{}", visible(&file.path), at.line, at.column);
        let message = visible(&finding.message);
        let taken = word.len() + rule.len() + 2 + 1 + place.chars().count() + 2 + suffix.len();
        let room = if self.is_cut { self.width.saturating_sub(taken) } else { LONGEST_MESSAGE };
        let message = shortened(&message, room.max(16));
        writeln!(out, "{style}{word}[{rule}]{style:#} {STRONG}{place}{STRONG:#}: {message}{FAINT}{suffix}{FAINT:#}")
    }
}

/// Shows the `count`th finding at least on a line, if there is room.
fn show_on_a_line(plan: &mut Plan<'_>, count: usize, free: &mut usize) {
    if plan.shown() >= plan.group.findings.len().min(count) {
        return;
    }
    let before = plan.lines();
    plan.on_a_line += 1;
    match (*free + before).checked_sub(plan.lines()) {
        Some(rest) => *free = rest,
        None => plan.on_a_line -= 1,
    }
}

/// `text` in at most `room` characters.
pub(super) fn shortened(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        None => text.to_owned(),
        Some(_) => text.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn level_word(level: Level) -> (&'static str, Style) {
    match level {
        Level::Error => ("error", AnsiColor::BrightRed.on_default().bold()),
        Level::Warn => ("warning", AnsiColor::Yellow.on_default().bold()),
        Level::Note | Level::Off => ("note", AnsiColor::BrightGreen.on_default().bold()),
    }
}

/// Files that could not be read are said first: nobody should take them for clean.
fn unread(report: &Report, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    let most = if look.verbose { usize::MAX } else { UNREAD };
    let (word, style) = level_word(Level::Warn);
    for error in report.errors.iter().take(most) {
        let (path, message) = (visible(&error.path), visible(&error.message));
        writeln!(out, "{style}{word}{style:#}: {STRONG}{path}{STRONG:#} is not checked: {message}")?;
    }
    match report.errors.len().saturating_sub(most) {
        0 => Ok(()),
        rest => writeln!(
            out,
            "{FAINT}… and {rest} more that are not checked: {} --verbose{FAINT:#}",
            visible(&look.command)
        ),
    }
}

fn summary(report: &Report, groups: &[Group<'_>], out: &mut dyn Write) -> io::Result<()> {
    let files = counted(report.files.len(), "file");
    let Some(first) = groups.first() else {
        return match (report.files.len(), report.errors.len()) {
            (0, 0) => {
                writeln!(out, "No Dockerfile here: `ironhull check --kind dockerfile FILE` reads any file as one")
            }
            (0, errors) => writeln!(out, "Nothing could be checked: {} not read", counted(errors, "file")),
            (_, _) => writeln!(out, "{GOOD}Nothing found{GOOD:#} in {files}{}", left_out(report)),
        };
    };
    let hit: BTreeSet<_> = report.findings.iter().map(|ranked| ranked.finding.primary.file).collect();
    let levels = [Level::Error, Level::Warn, Level::Note].into_iter().filter_map(|level| {
        let count = report.findings.iter().filter(|ranked| ranked.level == level).count();
        let (word, style) = level_word(level);
        (count > 0).then(|| format!("{style}{}{style:#}", counted(count, word)))
    });
    let levels = levels.collect::<Vec<_>>().join(", ");
    let findings = counted(report.findings.len(), "finding");
    writeln!(out, "{STRONG}{findings}{STRONG:#} in {} of {files}: {levels}{}", hit.len(), left_out(report))?;
    let is_repaired = report.findings.iter().any(|ranked| ranked.rule.fix != FixNote::Never);
    let fix =
        if is_repaired { format!("{STRONG}ironhull fix --diff{STRONG:#} shows repairs, ") } else { String::new() };
    writeln!(out, "Next: {fix}{STRONG}ironhull explain {}{STRONG:#} says why, and what to do", first.rule())
}

/// How much is not reported, and why: nobody should take silence for absence.
pub(super) fn left_out(report: &Report) -> String {
    let [comment, baseline, unchanged] = report.left_out_counts();
    let parts =
        [(comment, "allowed in comments"), (baseline, "in the baseline"), (unchanged, "on lines that did not change")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let parts = parts.collect::<Vec<_>>().join(", ");
    if parts.is_empty() { parts } else { format!("; not counted: {parts}") }
}

pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
