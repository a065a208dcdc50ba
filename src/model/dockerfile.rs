//! Stages, steps, and the state in force at each of them.
//!
//! [`DockerfileModel`] owns flat tables; [`Stage`] and [`Step`] are cheap copies that point into it.

use super::{
    evaluate,
    expand::{Budget, Cause, Dependency, ExpandError, Expander, Scope, Value},
    path,
    platform::Platform,
    reference::{Reference, ReferenceError},
    scope::{Globals, ScopeAt, Time, Timeline, Variable},
    script::StepScript,
    user::{EffectiveUser, User},
};
use crate::{
    knowledge::{ImageFacts, Knowledge},
    source::SourceFile,
    syntax::dockerfile::{Arg, Arguments, Dockerfile, Instruction, Keyword},
    text::Span,
};
use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    ops::Range,
    sync::{Arc, OnceLock},
};

/// What a Dockerfile means to BuildKit.
pub struct DockerfileModel<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// Its tree.
    pub syntax: &'a Dockerfile,
    /// The platform that was looked at; other platforms may differ where a value depends on [`Cause::Platform`].
    pub platform: Platform,
    pub(super) globals: Globals<'a>,
    pub(super) timeline: Timeline<'a>,
    pub(super) stages: Vec<StageData<'a>>,
    pub(super) steps: Vec<StepData<'a>>,
    pub(super) users: Vec<EffectiveUser<'a>>,
    pub(super) shells: Vec<Shell<'a>>,
    pub(super) workdirs: Vec<Workdir<'a>>,
    pub(super) stage_names: HashMap<String, u32>,
    pub(super) target: Option<u32>,
}

/// How a build is started.
#[derive(Clone, Debug, Default)]
pub struct Build<'b> {
    /// `--build-arg` names and values; a name without a value is given one that nobody knows.
    pub arguments: &'b [(String, Option<String>)],
    /// `--platform`.
    pub platform: Platform,
    /// `--target`; the last stage without it.
    pub target: Option<&'b str>,
}

#[derive(Debug)]
pub(super) struct StageData<'a> {
    pub(super) instruction: &'a Instruction,
    pub(super) name: Option<(String, Span)>,
    pub(super) base_word: Option<Arg<'a>>,
    pub(super) base_value: Value<'a>,
    pub(super) base: Base<'a>,
    pub(super) platform: Option<Value<'a>>,
    pub(super) steps: Range<u32>,
    /// The first stage of the chain of `FROM <stage>` that leads here.
    pub(super) root: u32,
    pub(super) last: State,
    pub(super) end: Time,
    pub(super) is_built: bool,
}

#[derive(Debug)]
pub(super) struct StepData<'a> {
    pub(super) instruction: &'a Instruction,
    pub(super) arguments: Arguments<'a>,
    pub(super) stage: u32,
    pub(super) is_trigger: bool,
    pub(super) time: Time,
    pub(super) state: State,
    pub(super) assigned: Range<u32>,
    /// Read when they are asked for.
    pub(super) scripts: OnceLock<Vec<StepScript>>,
}

/// Indices into the tables of users, shells and working directories.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    pub(super) user: u32,
    pub(super) shell: u32,
    pub(super) workdir: u32,
}

/// What a stage starts from.
#[derive(Clone, Debug)]
pub enum Base<'a> {
    /// An earlier stage, by index.
    Stage(usize),
    /// Nothing: `FROM scratch`.
    Scratch,
    /// An image; [`Stage::base_value`] tells whether an `ARG` default decides which one.
    Image(Image<'a>),
    /// Nobody can tell from the file, or nobody can build it.
    Unknown(UnknownBase),
}

/// An image that a stage starts from.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// Its name.
    pub reference: Reference<'a>,
    /// What is known of it.
    pub facts: Option<Arc<ImageFacts>>,
}

/// Why a base is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownBase {
    /// It depends on variables whose values only the build knows: [`Value::missing`] of [`Stage::base_value`].
    Missing,
    /// It is blank, with every variable known.
    Blank,
    /// Its word cannot be expanded.
    Unreadable(ExpandError),
    /// It names no image; often the mark of a template.
    Invalid(ReferenceError),
}

/// The shell that runs commands in shell form.
#[derive(Clone, Debug)]
pub struct Shell<'a> {
    /// Its words, such as `/bin/sh` and `-c`.
    pub words: Vec<Cow<'a, str>>,
    /// The `SHELL` instruction that says so; `None` for the default.
    pub span: Option<Span>,
}

/// A working directory.
#[derive(Clone, Debug)]
pub struct Workdir<'a> {
    /// The absolute path.
    pub path: Value<'a>,
    /// The `WORKDIR` argument that says so last; `None` where no instruction does.
    pub span: Option<Span>,
}

/// Where `COPY --from` and `RUN --mount=from=` take files from.
#[derive(Clone, Debug)]
pub enum CopySource<'a> {
    /// A stage, by index.
    Stage(usize),
    /// An image.
    Image(Reference<'a>),
    /// Nothing: `scratch`.
    Scratch,
    /// A number without a stage, a variable, or no image name: the build fails.
    Invalid,
}

impl<'a> DockerfileModel<'a> {
    /// What `file` means to a build without options, as far as the file and `knowledge` tell.
    pub fn new(file: &'a SourceFile, syntax: &'a Dockerfile, knowledge: &Knowledge) -> Self {
        Self::of_build(file, syntax, knowledge, &Build::default())
    }

    /// What `file` means to `build`.
    pub fn of_build(file: &'a SourceFile, syntax: &'a Dockerfile, knowledge: &Knowledge, build: &Build<'_>) -> Self {
        evaluate::evaluate(file, syntax, knowledge, build)
    }

    /// The stages, in file order.
    pub fn stages(&self) -> impl DoubleEndedIterator<Item = Stage<'_>> + ExactSizeIterator {
        (0..self.stages.len()).map(|index| Stage { model: self, index: index as u32 })
    }

    /// The stage of that index.
    pub fn stage(&self, index: usize) -> Option<Stage<'_>> {
        (index < self.stages.len()).then_some(Stage { model: self, index: index as u32 })
    }

    /// The stage of that name, in any case; the last one if several have it.
    pub fn stage_named(&self, name: &str) -> Option<Stage<'_>> {
        let index = match self.stage_names.get(name) {
            Some(&index) => index,
            None => *self.stage_names.get(&name.to_lowercase())?,
        };
        Some(Stage { model: self, index })
    }

    /// The stage that the build answers: the last one, or the `--target`. `None` if there is none.
    pub fn target(&self) -> Option<Stage<'_>> {
        self.target.map(|index| Stage { model: self, index })
    }

    /// The steps of all stages, in file order; what a stage runs for `ONBUILD` of its parent comes before its own.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = Step<'_>> + ExactSizeIterator {
        (0..self.steps.len()).map(|index| Step { model: self, index: index as u32 })
    }

    /// The step of that index.
    pub fn step(&self, index: usize) -> Option<Step<'_>> {
        (index < self.steps.len()).then_some(Step { model: self, index: index as u32 })
    }

    /// The arguments declared before the first `FROM`, in file order.
    pub fn global_arguments(&self) -> &[Variable<'a>] {
        &self.globals.arguments
    }

    /// Expands `word` where only global arguments are visible, as in `FROM`.
    ///
    /// # Errors
    /// If the word cannot be expanded.
    pub fn expand_global<'w>(&self, word: &'w str) -> Result<Value<'w>, ExpandError> {
        Expander::new(&self.globals, self.syntax.escape, &Budget::default()).word(word)
    }

    /// What `COPY --from=name` means: a stage by name or number, else an image.
    pub fn copy_source<'n>(&self, name: &'n str) -> CopySource<'n> {
        if name.parse::<i64>().is_ok() {
            let index = name.parse().ok().filter(|&index| index < self.stages.len());
            return index.map_or(CopySource::Invalid, CopySource::Stage);
        }
        if self.expand_nothing(name).as_deref() != Some(name) {
            return CopySource::Invalid;
        }
        self.mount_source(name)
    }

    /// What `RUN --mount=from=name` means: a stage by name, else an image.
    pub fn mount_source<'n>(&self, name: &'n str) -> CopySource<'n> {
        if let Some(stage) = self.stage_named(name) {
            return CopySource::Stage(stage.index());
        }
        if name == "scratch" {
            return CopySource::Scratch;
        }
        Reference::parse(name).map_or(CopySource::Invalid, CopySource::Image)
    }

    /// The word with all of its variables empty, as BuildKit looks for variables where it takes none.
    fn expand_nothing(&self, word: &str) -> Option<String> {
        let expanded = Expander::new(&Globals::default(), self.syntax.escape, &Budget::default()).word(word);
        expanded.ok().map(|value| value.text.into_owned())
    }
}

impl fmt::Debug for DockerfileModel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DockerfileModel").field("file", &self.file.path).field("stages", &self.stages).finish()
    }
}

/// One stage of a model.
#[derive(Clone, Copy)]
pub struct Stage<'m> {
    model: &'m DockerfileModel<'m>,
    index: u32,
}

impl<'m> Stage<'m> {
    fn data(self) -> &'m StageData<'m> {
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

    /// The value of `--platform`.
    pub fn platform(self) -> Option<&'m Value<'m>> {
        self.data().platform.as_ref()
    }

    /// Its steps in order, `FROM` left out; what it runs for `ONBUILD` of its parent comes first.
    pub fn steps(self) -> impl DoubleEndedIterator<Item = Step<'m>> + ExactSizeIterator {
        let model = self.model;
        let Range { start, end } = self.data().steps;
        (start as usize..end as usize).map(move |index| Step { model, index: index as u32 })
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
        self.model().target().is_some_and(|target| target.chain().any(|stage| stage == self))
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

/// One instruction as one stage runs it.
#[derive(Clone, Copy)]
pub struct Step<'m> {
    model: &'m DockerfileModel<'m>,
    index: u32,
}

impl<'m> Step<'m> {
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
        Stage { model: self.model, index: self.data().stage }
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

impl Stage<'_> {
    /// What it means in this stage that a name is set nowhere.
    pub(super) fn unset(self) -> Cause {
        match self.root_base() {
            Base::Scratch => Cause::Undefined,
            Base::Stage(_) | Base::Image(_) | Base::Unknown(_) => Cause::BaseEnvironment,
        }
    }
}

impl Workdir<'_> {
    /// The variable part of a working directory that the base image decides.
    pub(super) const BASE: &'static str = "WORKDIR";

    /// The working directory of a base image that nothing is known of.
    pub(super) fn of_unknown_image() -> Self {
        let depends = vec![Dependency { name: Self::BASE.into(), cause: Cause::BaseEnvironment }];
        Self { path: Value { text: Cow::Borrowed("/"), depends }, span: None }
    }
}

impl Shell<'_> {
    /// The shell of an image that names none.
    pub(super) fn default_of(os: &str) -> Self {
        let words: &[&str] = if os == "windows" { &["cmd", "/S", "/C"] } else { &["/bin/sh", "-c"] };
        Self { words: words.iter().map(|&word| Cow::Borrowed(word)).collect(), span: None }
    }
}

impl EffectiveUser<'_> {
    /// Whether it is certainly root.
    pub fn is_root(&self) -> bool {
        self.user.is_root()
    }

    /// Whether nobody can tell who it is.
    pub fn is_unknown(&self) -> bool {
        matches!(self.user, User::Unknown(_))
    }
}
