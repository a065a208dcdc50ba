//! Stages, steps, and the state in force at each of them.
//!
//! [`DockerfileModel`] owns flat tables; [`Stage`] and [`Step`] are cheap copies that point into it.

pub(super) use super::{stage::Stage, step::Step};

use super::{
    evaluate,
    expand::{Budget, Cause, Dependency, ExpandError, Expander, Value},
    marks::Marks,
    platform::Platform,
    programs::Programs,
    reference::{Reference, ReferenceError},
    scope::{Globals, Time, Timeline, Variable},
    script::StepScript,
    user::{EffectiveUser, User},
};
use crate::{
    knowledge::{ImageFacts, Knowledge},
    source::SourceFile,
    syntax::dockerfile::{Arg, Arguments, Dockerfile, Instruction},
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
    /// What the scripts of all steps run and hold, found when it is asked for.
    pub(super) signs: OnceLock<(Programs, Marks)>,
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
    /// Whether base images count as setting no variables, whatever is known of them.
    pub bases_are_empty: bool,
}

#[derive(Debug)]
pub(super) struct StageData<'a> {
    pub(super) instruction: &'a Instruction,
    pub(super) name: Option<(String, Span)>,
    pub(super) base_word: Option<Arg<'a>>,
    pub(super) base_value: Value<'a>,
    pub(super) repository: Option<Image<'a>>,
    pub(super) base: Base<'a>,
    pub(super) platform: Option<Value<'a>>,
    pub(super) steps: Range<u32>,
    /// The first stage of the chain of `FROM <stage>` that leads here.
    pub(super) root: u32,
    pub(super) last: State,
    pub(super) end: Time,
    pub(super) is_built: bool,
    pub(super) is_exported: bool,
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
        (0..self.stages.len()).map(|index| Stage::new(self, index as u32))
    }

    /// The stage of that index.
    pub fn stage(&self, index: usize) -> Option<Stage<'_>> {
        (index < self.stages.len()).then_some(Stage::new(self, index as u32))
    }

    /// The stage of that name, in any case; the last one if several have it.
    pub fn stage_named(&self, name: &str) -> Option<Stage<'_>> {
        let index = match self.stage_names.get(name) {
            Some(&index) => index,
            None => *self.stage_names.get(&name.to_lowercase())?,
        };
        Some(Stage::new(self, index))
    }

    /// The stage that the build answers: the last one, or the `--target`. `None` if there is none.
    pub fn target(&self) -> Option<Stage<'_>> {
        self.target.map(|index| Stage::new(self, index))
    }

    /// The steps of all stages, in file order; what a stage runs for `ONBUILD` of its parent comes before its own.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = Step<'_>> + ExactSizeIterator {
        (0..self.steps.len()).map(|index| Step::new(self, index as u32))
    }

    /// The steps that a plain build runs, each once: those of the stages that the answer needs, without what `ONBUILD`
    /// repeats. A stage that nothing leads to may be built by name, but the file does not say so.
    pub fn built_steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.steps().filter(|step| step.stage().is_built() && !step.is_trigger())
    }

    /// Whether a command of any step may run one of `programs`. Where none does, whoever looks for one is done.
    pub fn may_run(&self, programs: Programs) -> bool {
        self.signs().0.meets(programs)
    }

    /// Whether a script of any step has one of `marks`.
    pub fn has_marks(&self, marks: Marks) -> bool {
        self.signs().1.meets(marks)
    }

    fn signs(&self) -> (Programs, Marks) {
        *self.signs.get_or_init(|| {
            let signs = self.steps().flat_map(Step::scripts).map(StepScript::signs);
            signs.fold(Default::default(), |(programs, marks), other| (other.0.and(programs), other.1.and(marks)))
        })
    }

    /// The step of that index.
    pub fn step(&self, index: usize) -> Option<Step<'_>> {
        (index < self.steps.len()).then_some(Step::new(self, index as u32))
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
