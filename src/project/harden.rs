//! How a file is hardened: what fixes can do by themselves, then the split into build and runtime, then the user of the
//! new image, then what fixes can still do; and an honest look at what came out.

use super::{Project, beside};
use crate::{
    context::{BuildContext, Files, Overlaid},
    engine::{self, Unjudged},
    fix,
    harden::{
        Change, Declined, Hardened, Kind, Proposal, Rebase, Rung, Runtime, Subject, Wishes, installer, note, recipe,
        release, rung, secret, split, strip, trim,
    },
    model::{DockerfileModel, Reference},
    rewrite::{self, user},
    rule::{Builtin, Companion, Cx, Detail, Finding, Fix, Group, Safety},
    rules::RULES,
    source::{Generation, SourceFile, SourceSet},
    syntax::dockerfile,
    text::{Edit, FileId},
};

/// The rule whose fix gives an image a user: the split comes first.
const USER_RULE: &str = "root-user";

/// The rule whose fix takes away what shows which directories are written: the user must have them first.
const MODE_RULE: &str = "world-writable";

/// Fixing a file that a fix made may open the way for another; a file never needs many turns.
const TURNS: usize = 4;

/// A text on its way up, and what was done to it.
#[derive(Clone, Default)]
struct Ascent {
    text: Vec<u8>,
    stack: Option<String>,
    is_split: bool,
    changes: Vec<Change>,
    declined: Vec<Declined>,
    manual: Vec<String>,
    /// The files that change with it, as they would be.
    beside: Vec<SourceFile>,
}

impl Ascent {
    /// What is left to do for its user once something is done.
    fn note(&mut self, title: &str, reason: &str) {
        let note = format!("{title}: {reason}");
        if !self.manual.contains(&note) {
            self.manual.push(note);
        }
    }
}

/// Where a text stands.
struct View {
    rung: Rung,
    missing: Vec<Declined>,
    errors: usize,
}

impl Project {
    /// `file` as high on the ladder as its files prove; `around` answers for the files beside it.
    ///
    /// # Errors
    /// If the file is not of its kind.
    pub fn harden(&self, file: &SourceFile, around: &dyn Files, wishes: &Wishes) -> Result<Hardened, Unjudged> {
        let climber = Climber { project: self, file, around, wishes };
        let mut ascent = climber.start();
        let before = climber.view(&ascent)?;
        for _ in 0..TURNS {
            let start = ascent.text.clone();
            climber.turn(&mut ascent)?;
            if ascent.text == start {
                break;
            }
        }
        if wishes.strips {
            climber.strip(&mut ascent);
        }
        let after = climber.view(&ascent)?;
        ascent.declined.extend(after.missing);
        ascent.declined.retain(|declined| declined.rung > after.rung);
        ascent.declined.sort();
        ascent.declined.dedup();
        if ascent.text != file.text {
            ascent.manual.extend(climber.ask(&ascent, |cx| note::of_unprivileged(cx.model)));
            ascent.manual.extend(Generation::of(&file.text).map(|generation| generation.to_string()));
            ascent.manual.extend(climber.kept_open(&ascent)?);
        }
        let Ascent { text, stack, changes, declined, manual, beside, .. } = ascent;
        Ok(Hardened { stack, before: before.rung, after: after.rung, changes, declined, manual, text, beside })
    }
}

struct Climber<'c> {
    project: &'c Project,
    file: &'c SourceFile,
    around: &'c dyn Files,
    wishes: &'c Wishes,
}

impl Climber<'_> {
    /// Everything once.
    fn turn(&self, ascent: &mut Ascent) -> Result<(), Unjudged> {
        let wishes = self.wishes;
        self.install(ascent);
        self.name_release(ascent);
        self.fix(ascent, &is_before_split)?;
        self.secrets(ascent);
        let proposal = self.ask(ascent, |cx| Subject::new(cx).and_then(|subject| recipe::propose(&subject)));
        let Some(Proposal { stack, mut runtimes, declined, mut rebase }) = proposal else {
            return self.finish(ascent);
        };
        if let Some(kind) = wishes.runtime {
            runtimes.retain(|runtime| self.is_of(kind, &runtime.base, ascent));
            rebase = rebase.filter(|rebase| self.is_of(kind, &rebase.base, ascent));
        }
        if !stack.is_empty() {
            ascent.stack = Some(stack);
        }
        ascent.declined.extend(declined);
        // What comes out where nothing is taken apart.
        let mut plain = ascent.clone();
        let rebased = rebase.map(|rebase| self.rebased(&plain, rebase)).transpose()?.flatten();
        let refused = rebased.as_ref().and_then(|(_, rebased)| self.refused_by_callers(rebased));
        let is_fine = refused.is_none();
        plain.declined.extend(refused);
        match rebased.filter(|(rung, _)| is_fine && *rung <= wishes.highest) {
            Some((_, rebased)) => plain = rebased,
            None => self.finish(&mut plain)?,
        }
        let needs_floor = runtimes.iter().any(|runtime| runtime.only_higher);
        let floor = if needs_floor { Some(self.view(&plain)?.rung) } else { None };
        let mut best: Option<(Rung, Ascent)> = None;
        let mut hindered = None;
        for runtime in &runtimes {
            let mut trial = ascent.clone();
            match self.split(&mut trial, runtime) {
                Ok(()) => {}
                Err(obstacle) => {
                    ascent.declined.push(Declined { rung: Rung::Clean, reason: obstacle });
                    continue;
                }
            }
            self.finish(&mut trial)?;
            if let Some(declined) = self.refused_by_callers(&trial) {
                ascent.declined.push(declined);
                continue;
            }
            let view = self.view(&trial)?;
            let is_won = floor.filter(|_| runtime.only_higher).is_none_or(|floor| view.rung > floor);
            if let Some(missing) = view.missing.iter().find(|_| best.is_none()) {
                hindered.get_or_insert_with(|| trial.declined.first().unwrap_or(missing).reason.clone());
            }
            let is_better = is_won && best.as_ref().is_none_or(|(rung, _)| view.rung > *rung);
            if is_better && view.errors == 0 && view.rung <= wishes.highest {
                best = Some((view.rung, trial));
            }
        }
        // Why the first and best one is not taken, where a lower one is.
        if let Some(reason) = hindered.filter(|_| best.as_ref().is_some_and(|(rung, _)| *rung < Rung::NoShell)) {
            ascent.declined.push(Declined { rung: Rung::NoShell, reason });
        }
        if let Some((_, better)) = best {
            *ascent = Ascent { declined: [better.declined.clone(), ascent.declined.clone()].concat(), ..better };
        } else {
            let declined = std::mem::take(&mut ascent.declined);
            // What keeps an image from being taken apart keeps it from a smaller base as well.
            let higher = declined.iter().filter(|declined| declined.rung == Rung::Clean).cloned();
            let higher: Vec<Declined> = higher.map(|each| Declined { rung: Rung::RuntimeOnly, ..each }).collect();
            *ascent = plain;
            ascent.declined.extend(declined);
            ascent.declined.extend(higher);
        }
        Ok(())
    }

    /// Why the image that is made would not do for those that run it: they call what is not in it, or need root.
    fn refused_by_callers(&self, ascent: &Ascent) -> Option<Declined> {
        let is_root = |ascent: &Ascent| self.ask(ascent, |cx| cx.model.target().is_some_and(|it| it.user().is_root()));
        let is_new_user = is_root(&self.start()) && !is_root(ascent);
        self.ask(ascent, |cx| {
            let target = cx.model.target()?;
            let needs_root = || user::needed_by_callers(cx, target);
            if let Some(reason) = is_new_user.then(needs_root).flatten() {
                return Some(Declined { rung: Rung::NonRoot, reason });
            }
            let called = (!rung::has_shell(target)).then(|| rung::called(cx, target)).flatten()?;
            Some(Declined { rung: Rung::NoShell, reason: called.into() })
        })
    }

    /// What everybody may still write in the finished image, and why that stays.
    fn kept_open(&self, ascent: &Ascent) -> Result<Vec<String>, Unjudged> {
        let rules: Vec<&'static Builtin> = RULES.iter().copied().filter(|rule| rule.meta.id == MODE_RULE).collect();
        let file = self.with(&ascent.text);
        let around = Overlaid::new(self.around, &ascent.beside);
        let judgement = engine::judge(&file, &rules, self.project.evidence(&around, Detail::Repairs))?;
        let sentence = |finding: &Finding| {
            let line = file.locate(finding.primary.span.start).line;
            let reason = finding.declined.as_deref()?;
            let mut message = finding.message.chars();
            let first: String = message.next().into_iter().flat_map(char::to_uppercase).collect();
            Some(format!("{first}{} in line {line}, and stays: {reason}", message.as_str()))
        };
        Ok(judgement.findings.iter().filter_map(sentence).collect())
    }

    /// The user of the image, and what fixes can do.
    fn finish(&self, ascent: &mut Ascent) -> Result<(), Unjudged> {
        self.trim(ascent);
        self.user(ascent);
        // Who was asked for is nobody else.
        self.fix(ascent, &|rule| self.wishes.user.is_none() || rule.meta.id != USER_RULE)
    }

    /// Whether a base is of the kind that is wanted.
    fn is_of(&self, kind: Kind, base: &str, ascent: &Ascent) -> bool {
        let facts = Reference::parse(base).ok().and_then(|base| base.facts(&self.project.knowledge));
        let has_shell = !facts.is_some_and(|facts| facts.has_no_shell());
        let is_own = self.ask(ascent, |cx| {
            let target = cx.model.target();
            target.is_some_and(|target| cx.text(target.root().base_span()) == base)
        });
        match kind {
            Kind::Full => is_own,
            Kind::Slim => has_shell,
            Kind::Distroless => !has_shell,
        }
    }

    /// Nothing stays in an image with a shell that only its build needed.
    fn strip(&self, ascent: &mut Ascent) {
        let found = self.ask(ascent, |cx| Subject::new(cx).map(|subject| strip::stripped(&subject)));
        match found {
            Some(Ok((edit, change))) => {
                ascent.text = fix::splice(&ascent.text, &[edit]);
                ascent.changes.push(change);
            }
            Some(Err(Some(reason))) => ascent.declined.push(Declined { rung: Rung::NoShell, reason: reason.into() }),
            Some(Err(None)) | None => {}
        }
    }

    /// A user for the image, who owns what it writes.
    fn user(&self, ascent: &mut Ascent) {
        match self.user_fix(ascent) {
            Some((_, Ok(fix))) if fix.edits.is_empty() => {}
            Some((is_root, Ok(fix))) => {
                let mut trial = ascent.clone();
                Self::apply(&mut trial, fix);
                // What somebody who is not root is given a second time is not given by such lines.
                let settles = || !matches!(self.user_fix(&trial), Some((_, Ok(again))) if !again.edits.is_empty());
                if is_root || settles() {
                    *ascent = trial;
                }
            }
            Some((_, Err(reason))) => {
                let reason = if self.would_be_asked(ascent) {
                    format!("{reason}; `--set user=10001:10001` runs it as that user all the same").into()
                } else {
                    reason
                };
                ascent.declined.push(Declined { rung: Rung::NonRoot, reason });
            }
            None => {}
        }
    }

    /// Whether it is only not proved that somebody else may run it: a question for whoever knows it.
    fn would_be_asked(&self, ascent: &Ascent) -> bool {
        self.wishes.user.is_none()
            && self.ask(ascent, |cx| {
                let target = cx.model.target();
                target.is_some_and(|target| {
                    user::why_root(cx, target).is_none() && user::asked(cx, target, (10_001, 10_001)).is_ok()
                })
            })
    }

    /// What gives the image its user, and whether it runs as root without it.
    fn user_fix(&self, ascent: &Ascent) -> Option<(bool, Result<Fix, user::Obstacle>)> {
        self.ask(ascent, |cx| {
            let target = cx.model.target()?;
            let is_root = target.user().is_root();
            if let Some(reason) = user::why_root(cx, target).filter(|_| is_root) {
                return Some((is_root, Err(reason.into())));
            }
            // The stage that the image was split off may name a user.
            let old = target.index().checked_sub(1).filter(|_| ascent.is_split).and_then(|index| cx.model.stage(index));
            if let Some(ids) = self.wishes.user {
                return Some((is_root, user::asked(cx, target, ids)));
            }
            let fix = match old.filter(|old| is_root && old.user().user.is_unprivileged()) {
                Some(old) => user::restated(cx, target, old),
                None => user::unprivileged(cx, target),
            };
            Some((is_root, fix))
        })
    }

    /// Nothing stays under the name of a credential.
    fn secrets(&self, ascent: &mut Ascent) {
        for name in self.ask(ascent, |cx| secret::variables(cx.model)) {
            let fixes = self.ask(ascent, |cx| rewrite::take_out_variable(cx, &name)).unwrap_or_default();
            let Some(fix) = fixes.into_iter().next() else { continue };
            if let Some(path) = self.project.excluded(fix.companions.iter()) {
                let reason = format!("`{path}` would have to change with it, and is excluded here");
                ascent.note(&fix.title, &reason);
                continue;
            }
            ascent.note(&fix.title, &fix.reason);
            if fix.safety > Safety::Manual {
                Self::apply(ascent, fix);
            }
        }
    }

    /// A package or an image in the place of what a page sends.
    fn install(&self, ascent: &mut Ascent) {
        let fix = self.ask(ascent, |cx| Subject::new(cx).and_then(|subject| installer::replaced(&subject)));
        if let Some((mut edits, change)) = fix {
            edits.sort();
            ascent.text = fix::splice(&ascent.text, &edits);
            ascent.changes.push(change);
        }
    }

    /// The release of the distribution in a tag that does not tell it.
    fn name_release(&self, ascent: &mut Ascent) {
        let found = self.ask(ascent, |cx| Subject::new(cx).and_then(|subject| release::named(&subject)));
        let Some((edit, change)) = found else { return };
        ascent.text = fix::splice(&ascent.text, &[edit]);
        ascent.changes.push(change);
    }

    /// Packages that nothing calls go.
    fn trim(&self, ascent: &mut Ascent) {
        let found = self.ask(ascent, |cx| Subject::new(cx).and_then(|subject| trim::unneeded(&subject)));
        let Some((mut edits, change)) = found else { return };
        edits.sort();
        ascent.text = fix::splice(&ascent.text, &edits);
        ascent.changes.push(change);
    }

    /// What comes out on another base than the author's, and where it stands.
    fn rebased(&self, ascent: &Ascent, rebase: Rebase) -> Result<Option<(Rung, Ascent)>, Unjudged> {
        let span = self.ask(ascent, |cx| cx.model.target().map(|target| target.root().base_span()));
        let Some(span) = span else { return Ok(None) };
        let mut edits = rebase.edits;
        edits.push(Edit::replace(self.file.id, span, rebase.base));
        edits.sort();
        let mut rebased = ascent.clone();
        rebased.text = fix::splice(&ascent.text, &edits);
        rebased.changes.push(rebase.change);
        self.finish(&mut rebased)?;
        let rung = self.view(&rebased)?.rung;
        Ok(Some((rung, rebased)))
    }

    fn split(&self, ascent: &mut Ascent, runtime: &Runtime) -> Result<(), split::Obstacle> {
        let edits = self.ask(ascent, |cx| Subject::new(cx).map(|subject| split::split(&subject, runtime)));
        let edits = match edits {
            Some(Ok(edits)) => edits,
            Some(Err(obstacle)) => return Err(obstacle),
            None => return Err("there is no stage".into()),
        };
        ascent.text = fix::splice(&ascent.text, &edits);
        ascent.is_split = true;
        ascent.changes.extend(runtime.changes.iter().cloned());
        ascent.manual.extend(runtime.manual.iter().cloned());
        Ok(())
    }

    /// Does `fix`, with what other files have to change for it.
    fn apply(ascent: &mut Ascent, fix: Fix) {
        let mut edits = fix.edits;
        edits.sort();
        ascent.text = fix::splice(&ascent.text, &edits);
        for Companion { path, kind, text, edits } in fix.companions {
            let text = fix::splice(&text, &edits);
            beside::put(&mut ascent.beside, SourceFile::new(FileId::BESIDE, path, kind, text));
        }
        let Fix { title, safety, reason, evidence, .. } = fix;
        ascent.changes.push(Change { title, safety, reason, evidence });
    }

    /// Every fix of the rules that are wanted.
    fn fix(&self, ascent: &mut Ascent, wanted: &dyn Fn(&Builtin) -> bool) -> Result<(), Unjudged> {
        let rules: Vec<&'static Builtin> = RULES.iter().copied().filter(|rule| wanted(rule)).collect();
        let around = Overlaid::new(self.around, &ascent.beside);
        let judge = |sources: &SourceSet| {
            let mut judgement = engine::judge_first(sources, &rules, self.project.evidence(&around, Detail::Repairs))?;
            judgement.findings.iter_mut().for_each(|finding| self.project.withdraw_from_excluded(finding));
            Ok(judgement)
        };
        let (outcome, _) = fix::repair(SourceSet::of(vec![self.with(&ascent.text)]), Safety::Risky, &judge)?;
        for applied in outcome.applied {
            let fix::Applied { title, safety, reason, evidence, .. } = applied;
            let change = Change { title, safety, reason, evidence };
            let is_of_secret =
                rules.iter().any(|rule| rule.meta.id == applied.rule && rule.meta.group == Group::Secret);
            if is_of_secret {
                ascent.note(&change.title, &change.reason);
            }
            if !ascent.changes.contains(&change) {
                ascent.changes.push(change);
            }
        }
        for file in &outcome.beside {
            beside::put(&mut ascent.beside, file.repaired());
        }
        ascent.text = outcome.sources.into_files().remove(0).text;
        Ok(())
    }

    /// Where it stands, by every rule, whatever the policy makes of it.
    fn view(&self, ascent: &Ascent) -> Result<View, Unjudged> {
        let file = self.with(&ascent.text);
        let around = Overlaid::new(self.around, &ascent.beside);
        let judgement = engine::judge(&file, RULES, self.project.evidence(&around, Detail::Findings))?;
        let standing =
            self.ask(ascent, |cx| cx.model.target().map(|target| rung::standing(cx, target, &judgement.findings)));
        let (rung, missing) = standing.map_or((Rung::Root, Vec::new()), |standing| (standing.rung, standing.missing));
        Ok(View { rung, missing, errors: judgement.errors })
    }

    /// Asks about the file, as it is now, as rules do.
    fn ask<T>(&self, ascent: &Ascent, question: impl FnOnce(&Cx<'_, DockerfileModel<'_>>) -> T) -> T {
        let file = self.with(&ascent.text);
        let around = Overlaid::new(self.around, &ascent.beside);
        let parsed = dockerfile::parse(&file.text);
        let model = DockerfileModel::new(&file, &parsed.tree, &self.project.knowledge);
        let cx = Cx {
            file: &file,
            model: &model,
            knowledge: &self.project.knowledge,
            context: BuildContext::new(&around, &file.path),
            lock: &self.project.lock,
            detail: Detail::Repairs,
        };
        question(&cx)
    }

    /// The file as it is, before anything is done.
    fn start(&self) -> Ascent {
        Ascent { text: self.file.text.clone(), ..Ascent::default() }
    }

    fn with(&self, text: &[u8]) -> SourceFile {
        SourceFile::new(self.file.id, self.file.path.clone(), self.file.kind, text.to_vec())
    }
}

/// What is repaired before a stage is split. Packages come last: what a build installs is not the image's any more.
fn is_before_split(rule: &Builtin) -> bool {
    ![USER_RULE, MODE_RULE].contains(&rule.meta.id) && rule.meta.group != Group::Package
}
