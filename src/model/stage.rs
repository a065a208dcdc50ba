//! One stage of a Dockerfile.

use super::{
    dockerfile::{Base, DockerfileModel, Image, Shell, StageData, Workdir},
    expand::{Cause, Value},
    scope::Variable,
    step::Step,
    user::EffectiveUser,
};
use crate::{
    syntax::dockerfile::{Arg, Instruction},
    text::Span,
};
use std::{fmt, ops::Range};

/// So many stages that start from each other are looked through where every step of them counts.
const LONGEST_CHAIN: usize = 64;

/// One stage of a model.
#[derive(Clone, Copy)]
pub struct Stage<'m> {
    model: &'m DockerfileModel<'m>,
    index: u32,
}

impl<'m> Stage<'m> {
    /// The stage of that index, which must exist.
    pub(super) fn new(model: &'m DockerfileModel<'m>, index: u32) -> Self {
        Self { model, index }
    }

    pub(super) fn data(self) -> &'m StageData<'m> {
        &self.model.stages[self.index as usize]
    }

    /// The model that it is part of.
    pub fn model(self) -> &'m DockerfileModel<'m> {
        self.model
    }

    /// Its number, from 0.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The name behind `AS`, in lower case.
    pub fn name(self) -> Option<&'m str> {
        self.data().name.as_ref().map(|(name, _)| name.as_str())
    }

    /// Where its name is written.
    pub fn name_span(self) -> Option<Span> {
        self.data().name.as_ref().map(|&(_, span)| span)
    }

    /// Its `FROM`.
    pub fn instruction(self) -> &'m Instruction {
        self.data().instruction
    }

    /// The word that names its base, as written; `None` if `FROM` has no argument.
    pub fn base_word(self) -> Option<&'m Arg<'m>> {
        self.data().base_word.as_ref()
    }

    /// Where its base is named, or the keyword `FROM`.
    pub fn base_span(self) -> Span {
        self.base_word().map_or(self.instruction().keyword_span, |word| word.span)
    }

    /// The word that names its base, variables replaced; tells which `ARG`s decide.
    pub fn base_value(self) -> &'m Value<'m> {
        &self.data().base_value
    }

    /// What it starts from.
    pub fn base(self) -> &'m Base<'m> {
        &self.data().base
    }

    /// The image of an unknown base of which a variable hides only the tag or digest: `node` of `node:$VERSION`.
    ///
    /// Its reference has no tag, and its facts are those that hold for every tag.
    pub fn repository(self) -> Option<&'m Image<'m>> {
        self.data().repository.as_ref()
    }

    /// The image that the whole chain of stages starts from, be its tag known or not.
    pub fn named_image(self) -> Option<&'m Image<'m>> {
        self.image().or_else(|| self.root().repository())
    }

    /// Whether the image that it is built on runs steps of its own in builds like this one, as its tag says.
    pub fn has_triggers(self) -> bool {
        self.named_image().is_some_and(|image| image.reference.tag().is_some_and(|tag| tag.contains("onbuild")))
    }

    /// The stage it starts from, if it starts from one.
    pub fn parent(self) -> Option<Stage<'m>> {
        match self.data().base {
            Base::Stage(index) => Some(Stage { model: self.model, index: index as u32 }),
            Base::Scratch | Base::Image(_) | Base::Unknown(_) => None,
        }
    }

    /// The first stage of the chain of `FROM <stage>` that leads here; itself if it starts from no stage.
    pub fn root(self) -> Stage<'m> {
        Stage { model: self.model, index: self.data().root }
    }

    /// What the whole chain of stages starts from: never [`Base::Stage`].
    pub fn root_base(self) -> &'m Base<'m> {
        self.root().base()
    }

    /// The image that the whole chain of stages starts from, if it is known.
    pub fn image(self) -> Option<&'m Image<'m>> {
        match self.root_base() {
            Base::Image(image) => Some(image),
            Base::Stage(_) | Base::Scratch | Base::Unknown(_) => None,
        }
    }

    /// This stage, its parent, the parent of that, …
    pub fn chain(self) -> impl Iterator<Item = Stage<'m>> {
        std::iter::successors(Some(self), |stage| stage.parent())
    }

    /// The steps of this stage, then those of its parent, the parent of that, …; so far as anybody builds chains.
    pub fn chain_steps(self) -> impl Iterator<Item = Step<'m>> {
        self.chain().take(LONGEST_CHAIN).flat_map(Stage::steps)
    }

    /// The value of `--platform`.
    pub fn platform(self) -> Option<&'m Value<'m>> {
        self.data().platform.as_ref()
    }

    /// Its steps in order, `FROM` left out; what it runs for `ONBUILD` of its parent comes first.
    pub fn steps(self) -> impl DoubleEndedIterator<Item = Step<'m>> + ExactSizeIterator {
        let model = self.model;
        let Range { start, end } = self.data().steps;
        (start as usize..end as usize).map(move |index| Step::new(model, index as u32))
    }

    /// Whether it is the stage that the build answers.
    pub fn is_target(self) -> bool {
        self.model.target == Some(self.index)
    }

    /// Whether the build needs it: it is the target, or something needed starts or copies from it.
    pub fn is_built(self) -> bool {
        self.data().is_built
    }

    /// Whether its layers are part of the image that the build answers: it is the target, or the target starts from it.
    pub fn is_exported(self) -> bool {
        self.data().is_exported
    }

    /// The user behind its last step: who runs the image made of it.
    pub fn user(self) -> &'m EffectiveUser<'m> {
        &self.model.users[self.data().last.user as usize]
    }

    /// The shell behind its last step.
    pub fn shell(self) -> &'m Shell<'m> {
        &self.model.shells[self.data().last.shell as usize]
    }

    /// The working directory behind its last step.
    pub fn workdir(self) -> &'m Workdir<'m> {
        &self.model.workdirs[self.data().last.workdir as usize]
    }

    /// The variable of that name behind its last step.
    pub fn variable(self, name: &str) -> Option<&'m Variable<'m>> {
        self.model.timeline.at(name, self.data().end)
    }
}

impl fmt::Debug for Stage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stage({})", self.index)
    }
}

impl PartialEq for Stage<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && std::ptr::eq(self.model, other.model)
    }
}

impl Stage<'_> {
    /// What it means in this stage that a name is set nowhere.
    pub(super) fn unset(self) -> Cause {
        match self.root_base() {
            Base::Scratch => Cause::Undefined,
            Base::Stage(_) | Base::Image(_) | Base::Unknown(_) => Cause::BaseEnvironment,
        }
    }
}
