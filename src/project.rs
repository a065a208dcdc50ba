//! The one door: policy, knowledge and rules together, asked about files.

use crate::{
    context::Files,
    engine::{self, Unjudged},
    knowledge::Knowledge,
    policy::Policy,
    report::Ranked,
    rule::{Builtin, Level},
    rules::RULES,
    source::SourceFile,
};

/// How one project wants its files judged. Immutable, and shared by all threads of a run.
#[derive(Debug)]
pub struct Project {
    policy: Policy,
    knowledge: Knowledge,
    rules: Vec<&'static Builtin>,
}

impl Project {
    /// A project with the built-in knowledge and every rule that `policy` does not turn off everywhere.
    pub fn new(policy: Policy) -> Self {
        let rules = RULES.iter().copied().filter(|rule| policy.uses(&rule.meta)).collect();
        Self { policy, knowledge: Knowledge::builtin(), rules }
    }

    /// How findings are judged.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is to be said about `file`, sorted by place and rule; `around` answers for the files beside it.
    ///
    /// # Errors
    /// If the file is not of its kind.
    pub fn check(&self, file: &SourceFile, around: &dyn Files) -> Result<Vec<Ranked>, Unjudged> {
        let found = engine::findings(file, &self.rules, &self.knowledge, around)?;
        let rank = |finding: crate::rule::Finding| {
            let rule = self.rules.iter().find(|rule| rule.meta.id == finding.rule)?;
            let level = self.policy.level(&rule.meta, &file.path);
            (level > Level::Off).then_some(Ranked { finding, rule: &rule.meta, level })
        };
        Ok(found.into_iter().filter_map(rank).collect())
    }
}
