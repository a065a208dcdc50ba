//! The one door: policy, knowledge and rules together, asked about files.

mod beside;
mod deploy;
mod harden;

pub use beside::Decided;
pub use deploy::Deployed;

use crate::{
    baseline::{Decisions, Scope},
    context::{Files, Overlaid},
    engine::{self, Evidence, Unjudged},
    fix,
    knowledge::{AllowedImages, Knowledge},
    lock::Lock,
    policy::Policy,
    report::{LeftOut, Ranked, Verdict, Why},
    rule::{Builtin, Detail, Finding, Judgement, Level, Safety, Silenced},
    rules::RULES,
    source::{SourceFile, SourceSet},
    suppress::Date,
};

/// How one project wants its files judged. Immutable, and shared by all threads of a run.
#[derive(Debug)]
pub struct Project {
    policy: Policy,
    knowledge: Knowledge,
    lock: Lock,
    rules: Vec<&'static Builtin>,
    today: Option<Date>,
    scope: Scope,
    detail: Detail,
}

/// What became of a file that was repaired.
#[derive(Debug)]
pub struct Repaired {
    /// The file as it would be, and what was done to it.
    pub outcome: fix::Outcome,
    /// What is to be said about the file as it would be.
    pub verdict: Verdict,
}

impl Project {
    /// A project with the built-in knowledge, the digests of `lock`, and every rule that `policy` does not turn off
    /// everywhere.
    pub fn new(policy: Policy, lock: Lock) -> Self {
        let rules = RULES.iter().copied().filter(|rule| policy.uses(&rule.meta)).collect();
        let knowledge = match policy.images() {
            Some(images) => Knowledge::builtin().allowing(AllowedImages::new(images.iter().map(String::as_str))),
            None => Knowledge::builtin(),
        };
        Self { policy, knowledge, lock, rules, today: None, scope: Scope::default(), detail: Detail::Repairs }
    }

    /// The same project, which leaves out what `scope` says.
    #[must_use]
    pub fn within(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The same project on that day: comments that silence findings may have ended.
    #[must_use]
    pub fn on(self, today: Date) -> Self {
        Self { today: Some(today), ..self }
    }

    /// The same project, whose checks go into that detail; repairs are wanted where nothing else is said.
    #[must_use]
    pub fn in_detail(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// How findings are judged.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is to be said about `file`; `around` answers for the files beside it.
    ///
    /// # Errors
    /// If the file is not of its kind.
    pub fn check(&self, file: &SourceFile, around: &dyn Files) -> Result<Verdict, Unjudged> {
        let judgement = self.judge(file, around, self.detail)?;
        let decisions = self.scope.decide(&judgement.findings, file);
        Ok(self.verdict(judgement, file, &decisions))
    }

    /// The file with every fix at or above `allowed` that holds together, and what is left to say about it.
    ///
    /// # Errors
    /// If the file is not of its kind.
    pub fn fix(&self, file: &SourceFile, around: &dyn Files, allowed: Safety) -> Result<Repaired, Unjudged> {
        let decisions = self.scope.decide(&self.judge_if_narrowed(file, around)?, file);
        let judge = |sources: &SourceSet| {
            let file = &sources.files()[0];
            let mut judgement = engine::judge_first(sources, &self.rules, self.evidence(around, Detail::Repairs))?;
            judgement.findings.iter_mut().for_each(|finding| self.withdraw_from_excluded(finding));
            let is_wanted = |finding: &Finding| decisions.why_left_out(finding, file).is_none();
            judgement.findings.retain(|finding| self.level(finding, file) > Level::Off && is_wanted(finding));
            Ok(judgement)
        };
        let own = SourceFile::new(file.id, file.path.clone(), file.kind, file.text.clone());
        let (outcome, judgement) = fix::repair(SourceSet::of(vec![own]), allowed, &judge)?;
        let repaired = &outcome.sources.files()[0];
        // What the loop never saw is still to be counted.
        let judgement = if self.scope.is_everything() {
            judgement
        } else {
            let beside: Vec<SourceFile> = outcome.beside.iter().map(fix::Beside::repaired).collect();
            self.judge(repaired, &Overlaid::new(around, &beside), Detail::Repairs)?
        };
        let verdict = self.verdict(judgement, repaired, &decisions);
        Ok(Repaired { outcome, verdict })
    }

    fn judge(&self, file: &SourceFile, around: &dyn Files, detail: Detail) -> Result<Judgement, Unjudged> {
        let mut judgement = engine::judge(file, &self.rules, self.evidence(around, detail))?;
        judgement.findings.iter_mut().for_each(|finding| self.withdraw_from_excluded(finding));
        Ok(judgement)
    }

    fn evidence<'a>(&'a self, around: &'a dyn Files, detail: Detail) -> Evidence<'a> {
        Evidence { knowledge: &self.knowledge, around, lock: &self.lock, today: self.today, detail }
    }

    /// Takes from `finding` the fixes that would change a file which nobody here is to look at.
    fn withdraw_from_excluded(&self, finding: &mut Finding) {
        let companions = finding.fixes.iter().flat_map(|fix| &fix.companions);
        if let Some(path) = self.excluded(companions).map(str::to_owned) {
            finding.fixes.retain(|fix| fix.companions.is_empty());
            finding.decline(format!("`{path}` would have to change with it, and is excluded here"));
        }
    }

    /// What is to be said about `file`, if what is left out has to be decided by it.
    fn judge_if_narrowed(&self, file: &SourceFile, around: &dyn Files) -> Result<Vec<Finding>, Unjudged> {
        if self.scope.is_everything() {
            Ok(Vec::new())
        } else {
            Ok(self.judge(file, around, Detail::Findings)?.findings)
        }
    }

    fn verdict(&self, judgement: Judgement, file: &SourceFile, decisions: &Decisions) -> Verdict {
        let rank = |finding: Finding| {
            let level = self.level(&finding, file);
            let rule = self.rules.iter().find(|rule| rule.meta.id == finding.rule)?;
            (level > Level::Off).then_some(Ranked { finding, rule: &rule.meta, level })
        };
        let Judgement { findings, declined, silenced, .. } = judgement;
        let mut verdict = Verdict { declined, ..Verdict::default() };
        for Silenced { finding, reason } in silenced {
            verdict.left_out.extend(rank(finding).map(|ranked| LeftOut { ranked, why: Why::Comment(reason) }));
        }
        for finding in findings {
            let why = decisions.why_left_out(&finding, file);
            match (rank(finding), why) {
                (Some(ranked), None) => verdict.findings.push(ranked),
                (Some(ranked), Some(why)) => verdict.left_out.push(LeftOut { ranked, why }),
                (None, _) => {}
            }
        }
        verdict
    }

    fn level(&self, finding: &Finding, file: &SourceFile) -> Level {
        let rule = self.rules.iter().find(|rule| rule.meta.id == finding.rule);
        rule.map_or(Level::Off, |rule| self.policy.level(&rule.meta, &file.path))
    }
}
