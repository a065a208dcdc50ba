//! One instruction as one stage runs it.

use super::{
    dockerfile::{CopySource, DockerfileModel, Shell, StepData, Workdir},
    evaluate,
    expand::{Budget, ExpandError, Expander, Scope, Value},
    path,
    scope::{ScopeAt, Variable},
    script::StepScript,
    stage::Stage,
    user::EffectiveUser,
};
use crate::syntax::dockerfile::{Arg, Arguments, Instruction, Keyword};
use std::{fmt, sync::OnceLock};

/// One instruction as one stage runs it.
#[derive(Clone, Copy)]
pub struct Step<'m> {
    model: &'m DockerfileModel<'m>,
    index: u32,
}

impl<'m> Step<'m> {
    /// The step of that index, which must exist.
    pub(super) fn new(model: &'m DockerfileModel<'m>, index: u32) -> Self {
        Self { model, index }
    }

    fn data(self) -> &'m StepData<'m> {
        &self.model.steps[self.index as usize]
    }

    pub(super) fn script_cell(self) -> &'m OnceLock<Vec<StepScript>> {
        &self.data().scripts
    }

    /// The model that it is part of.
    pub fn model(self) -> &'m DockerfileModel<'m> {
        self.model
    }

    /// Its number among the steps of the model, from 0.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The stage that runs it.
    pub fn stage(self) -> Stage<'m> {
        Stage::new(self.model, self.data().stage)
    }

    /// The instruction; of an `ONBUILD` that a child stage runs, the one behind that word.
    pub fn instruction(self) -> &'m Instruction {
        self.data().instruction
    }

    /// Which instruction it is.
    pub fn keyword(self) -> Keyword {
        self.instruction().keyword
    }

    /// Its arguments, as written.
    pub fn arguments(self) -> &'m Arguments<'m> {
        &self.data().arguments
    }

    /// Whether the stage runs it because its parent says `ONBUILD`; it is written in the parent.
    pub fn is_trigger(self) -> bool {
        self.data().is_trigger
    }

    /// The user that runs it.
    pub fn user(self) -> &'m EffectiveUser<'m> {
        &self.model.users[self.data().state.user as usize]
    }

    /// Whether the user that runs it is certainly root.
    pub fn runs_as_root(self) -> bool {
        self.user().user.is_root()
    }

    /// The user in force behind it.
    pub fn user_behind(self) -> &'m EffectiveUser<'m> {
        match self.next() {
            Some(next) => next.user(),
            None => self.stage().user(),
        }
    }

    /// The shell in force.
    pub fn shell(self) -> &'m Shell<'m> {
        &self.model.shells[self.data().state.shell as usize]
    }

    /// The working directory in force.
    pub fn workdir(self) -> &'m Workdir<'m> {
        &self.model.workdirs[self.data().state.workdir as usize]
    }

    /// The next step of the same stage.
    pub fn next(self) -> Option<Step<'m>> {
        let index = self.index + 1;
        (index < self.stage().data().steps.end).then_some(Step { model: self.model, index })
    }

    /// The steps behind it in the same stage, in order.
    pub fn later(self) -> impl Iterator<Item = Step<'m>> {
        std::iter::successors(self.next(), |step| step.next())
    }

    /// The step before it in the same stage.
    pub fn previous(self) -> Option<Step<'m>> {
        (self.index > self.stage().data().steps.start).then(|| Step { model: self.model, index: self.index - 1 })
    }

    /// The variable of that name that it sees.
    pub fn variable(self, name: &str) -> Option<&'m Variable<'m>> {
        self.model.timeline.at(name, self.data().time)
    }

    /// The variables that it sets: of `ENV` and `ARG`, in order, names and values expanded.
    pub fn assigned(self) -> &'m [Variable<'m>] {
        self.model.timeline.slice(self.data().assigned.clone())
    }

    /// The variables that it sees, to expand words with.
    pub fn scope(self) -> impl Scope + 'm {
        let unset = self.stage().unset();
        ScopeAt { timeline: &self.model.timeline, time: self.data().time, unset }
    }

    /// Expands a word as BuildKit does in `ADD`, `COPY`, `ENV`, `LABEL`, `STOPSIGNAL`, `USER`, `VOLUME`, `WORKDIR`.
    ///
    /// # Errors
    /// If the word cannot be expanded: the build fails.
    pub fn expand(self, word: &str) -> Result<Value<'_>, ExpandError> {
        Expander::new(&self.scope(), self.model.syntax.escape, &Budget::default()).word(word)
    }

    /// Expands an argument of the step.
    ///
    /// # Errors
    /// If it cannot be expanded: the build fails.
    pub fn expand_arg(self, arg: &Arg<'m>) -> Result<Value<'m>, ExpandError> {
        Expander::new(&self.scope(), self.model.syntax.escape, &Budget::default()).text(evaluate::text_of(arg))
    }

    /// Expands a word and splits it at blanks, as BuildKit does in `EXPOSE`.
    ///
    /// # Errors
    /// If the word cannot be expanded: the build fails.
    pub fn expand_words(self, word: &str) -> Result<Vec<Value<'_>>, ExpandError> {
        Expander::new(&self.scope(), self.model.syntax.escape, &Budget::default()).words(word)
    }

    /// The absolute path that `path`, relative to the working directory, means; `None` if a variable hides it.
    pub fn absolute(self, path: &str) -> Option<String> {
        let path = self.expand(path).ok()?;
        let path = path.known()?;
        if path.starts_with('/') {
            return Some(path::join("/", path));
        }
        Some(path::join(self.workdir().path.known()?, path))
    }

    /// The same as [`Step::absolute`] for an argument of the step.
    pub fn absolute_arg(self, arg: &Arg<'m>) -> Option<String> {
        self.absolute(&evaluate::text_of(arg))
    }

    /// Where `COPY --from` takes its files from; `None` for the build context.
    pub fn copy_source(self) -> Option<CopySource<'m>> {
        if self.keyword() != Keyword::Copy {
            return None;
        }
        let from = self.instruction().flag("from")?.value.as_deref().filter(|value| !value.is_empty())?;
        Some(self.model.copy_source(from))
    }
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step({} {:?})", self.index, self.keyword())
    }
}

impl PartialEq for Step<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && std::ptr::eq(self.model, other.model)
    }
}
