//! The loop: choose, apply, judge again, until nothing is left to do; and the guards that keep a bad fix out.

use super::{
    apply::{Moves, apply},
    plan::{Choice, plan},
};
use crate::{
    rule::{Evidence, Finding, Judgement, Safety},
    source::{FileKind, SourceFile, SourceSet},
    text::{FileId, Span},
};
use std::{
    borrow::Cow,
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// After so many rounds the loop ends, whatever is left.
const ROUNDS: usize = 32;

/// What became of a connected set of files.
#[derive(Debug)]
pub struct Outcome {
    /// The files as they would be.
    pub sources: SourceSet,
    /// Files beside these that change with them, in the order of their paths.
    pub beside: Vec<Beside>,
    /// What was done, in order.
    pub applied: Vec<Applied>,
    /// Fixes that did harm and were taken back: bugs of this program.
    pub quarantined: Vec<Quarantined>,
    /// Whether there is more to do, for which there were too many rounds already: for another run.
    pub is_unfinished: bool,
}

/// A file beside those that are repaired, which changes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Its path.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// Its bytes as they are without what is done.
    pub before: Vec<u8>,
    /// Its bytes as they would be.
    pub after: Vec<u8>,
}

/// A fix that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The rule that it repairs a finding of.
    pub rule: &'static str,
    /// The file of the finding.
    pub file: FileId,
    /// What it does.
    pub title: Cow<'static, str>,
    /// What it may do to the image.
    pub safety: Safety,
    /// Why it has this safety.
    pub reason: Cow<'static, str>,
    /// The files beside this one that changed with it.
    pub with: Vec<String>,
    /// The places in other files that prove it, as they were read.
    pub evidence: Vec<Evidence>,
    /// The round it was done in, from 1.
    pub round: usize,
}

/// A fix that is not tried again in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its rule.
    pub rule: &'static str,
    /// The file.
    pub file: FileId,
    /// What went wrong.
    pub why: &'static str,
}

/// Does every default fix at or above `allowed` that holds together, until nothing is chosen any more.
///
/// After each round the files are judged again. A fix that adds an error of form, or whose finding is still there, is
/// taken back and not tried again; a round that leads to a state seen before is not done. Answers what became of the
/// files, and what `judge` says of them at the end. Files that a fix changes beside them come behind them in the set
/// that `judge` is asked about.
///
/// # Errors
/// What `judge` says of the files as they are given.
pub fn repair<E>(
    sources: SourceSet,
    allowed: Safety,
    judge: &dyn Fn(&SourceSet) -> Result<Judgement, E>,
) -> Result<(Outcome, Judgement), E> {
    let mut judgement = judge(&sources)?;
    let own = sources.files().len();
    let mut outcome =
        Outcome { sources, beside: Vec::new(), applied: Vec::new(), quarantined: Vec::new(), is_unfinished: false };
    let mut seen = BTreeSet::from([fingerprint(&outcome.sources)]);
    let mut round = 1;
    loop {
        let is_barred = |finding: &Finding| is_quarantined(&outcome.quarantined, finding);
        let chosen = plan(&judgement.findings, &mut outcome.sources, allowed, &is_barred);
        for file in outcome.sources.files().iter().skip(own + outcome.beside.len()) {
            outcome.beside.push(Beside::unchanged(file));
        }
        outcome.is_unfinished = !chosen.is_empty() && round > ROUNDS;
        if chosen.is_empty() || outcome.is_unfinished {
            break;
        }
        let trial = Trial { sources: &outcome.sources, before: &judgement, judge };
        let (next, after) = match trial.of(&chosen) {
            Ok(done) => done,
            Err(harm) => {
                outcome.quarantined.extend(trial.culprits(&chosen, harm));
                continue;
            }
        };
        if !seen.insert(fingerprint(&next)) {
            let rules = chosen.iter().map(|choice| quarantine(choice, "it leads back to where it started"));
            outcome.quarantined.extend(rules);
            continue;
        }
        outcome.applied.extend(chosen.iter().map(|choice| Applied {
            rule: choice.finding.rule,
            file: choice.finding.primary.file,
            title: choice.fix.title.clone(),
            safety: choice.fix.safety,
            reason: choice.fix.reason.clone(),
            with: companions(choice.finding),
            evidence: choice.fix.evidence.clone(),
            round,
        }));
        outcome.sources = next;
        judgement = after;
        round += 1;
    }
    outcome.part(own);
    Ok((outcome, judgement))
}

impl Beside {
    /// The file as it would be, for whoever judges what is beside it.
    pub fn repaired(&self) -> SourceFile {
        SourceFile::new(FileId::BESIDE, self.path.clone(), self.kind, self.after.clone())
    }

    fn unchanged(file: &SourceFile) -> Self {
        Self { path: file.path.clone(), kind: file.kind, before: file.text.clone(), after: Vec::new() }
    }
}

impl Outcome {
    /// Takes the files behind the first `own` ones out of the set, and keeps those that change.
    fn part(&mut self, own: usize) {
        let mut files = std::mem::take(&mut self.sources).into_files();
        for (beside, file) in self.beside.iter_mut().zip(files.drain(own..)) {
            beside.after = file.text;
        }
        self.sources = SourceSet::of(files);
        self.beside.retain(|beside| beside.before != beside.after);
        self.beside.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

fn is_quarantined(list: &[Quarantined], finding: &Finding) -> bool {
    list.iter().any(|entry| entry.rule == finding.rule && entry.file == finding.primary.file)
}

fn quarantine(choice: &Choice<'_>, why: &'static str) -> Quarantined {
    Quarantined { rule: choice.finding.rule, file: choice.finding.primary.file, why }
}

fn fingerprint(sources: &SourceSet) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in sources.files() {
        (file.id, &file.text).hash(&mut hasher);
    }
    hasher.finish()
}

/// The files that change with the default fix of `finding`.
fn companions(finding: &Finding) -> Vec<String> {
    finding.fixes.first().into_iter().flat_map(|fix| &fix.companions).map(|other| other.path.clone()).collect()
}

/// What a round did wrong.
enum Harm {
    /// The files have errors of form that they did not have, or are no longer of their kind.
    Form,
    /// These rules still say what they said.
    Stays(Vec<Quarantined>),
}

/// A round on trial.
struct Trial<'t, E> {
    sources: &'t SourceSet,
    before: &'t Judgement,
    judge: &'t dyn Fn(&SourceSet) -> Result<Judgement, E>,
}

impl<E> Trial<'_, E> {
    /// The files with `chosen` done, and what is said of them, unless that does harm.
    fn of(&self, chosen: &[Choice<'_>]) -> Result<(SourceSet, Judgement), Harm> {
        let edits = || chosen.iter().flat_map(|choice| &choice.fix.edits);
        let next = apply(self.sources, edits());
        let Ok(after) = (self.judge)(&next) else { return Err(Harm::Form) };
        if after.errors > self.before.errors {
            return Err(Harm::Form);
        }
        let moves = Moves::of(edits());
        let left: BTreeSet<_> = after
            .findings
            .iter()
            .map(|found| (found.rule, found.primary.file, &found.message, found.primary.span))
            .collect();
        let stays = |choice: &&Choice<'_>| {
            let Finding { rule, message, primary, .. } = choice.finding;
            let place = moves.map(primary.file, primary.span);
            let from = (*rule, primary.file, message, Span { start: place.start, end: 0 });
            let first = left.range(from..).next();
            first.is_some_and(|found| {
                (found.0, found.1, found.2) == (*rule, primary.file, message) && found.3.start <= place.end
            })
        };
        let staying: Vec<Quarantined> = chosen
            .iter()
            .filter(stays)
            .map(|choice| quarantine(choice, "its finding is still there afterwards"))
            .collect();
        if staying.is_empty() { Ok((next, after)) } else { Err(Harm::Stays(staying)) }
    }

    /// Which of `chosen`, which together do harm, are to blame.
    fn culprits(&self, chosen: &[Choice<'_>], harm: Harm) -> Vec<Quarantined> {
        match harm {
            Harm::Stays(rules) => rules,
            Harm::Form => self.damaging(chosen),
        }
    }

    /// Finds by halving which of `chosen`, which together damage the files, do so; at least one.
    fn damaging(&self, chosen: &[Choice<'_>]) -> Vec<Quarantined> {
        const WHY: &str = "it damages the form of the file";
        let mut open = vec![chosen];
        let mut culprits = Vec::new();
        while let Some(part) = open.pop() {
            if part.is_empty() || !self.damages(part) {
                continue;
            }
            if let [only] = part {
                culprits.push(quarantine(only, WHY));
                continue;
            }
            let (first, second) = part.split_at(part.len() / 2);
            open.extend([first, second]);
        }
        // Each is harmless on its own: one of them has to go.
        if culprits.is_empty() {
            culprits.extend(chosen.last().map(|choice| quarantine(choice, WHY)));
        }
        culprits
    }

    fn damages(&self, chosen: &[Choice<'_>]) -> bool {
        matches!(self.of(chosen), Err(Harm::Form))
    }
}
