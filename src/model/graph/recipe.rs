//! What a Dockerfile has to do with the rest of a repository: its stages, what they take from where, and who runs them.

use super::{Crossing, Lines, Place, crossing};
use crate::{
    knowledge::{ImageFacts, Knowledge},
    model::{
        Base, Build, CopySource, DockerfileModel, Stage, Step, UnknownBase, User,
        user::{EffectiveUser, UserOrigin},
    },
    source::SourceFile,
    syntax::dockerfile::{self, Dockerfile},
};
use std::collections::HashSet;

/// A Dockerfile.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Where it is: the file, or the compose file and service that hold it.
    pub name: String,
    /// Whether it was read; its stages are not known otherwise.
    pub is_read: bool,
    /// Its stages, in order.
    pub stages: Vec<RecipeStage>,
}

/// A stage of a Dockerfile.
#[derive(Clone, Debug)]
pub struct RecipeStage {
    /// The name behind `AS`.
    pub name: Option<String>,
    /// Where it begins.
    pub place: Place,
    /// What it starts from, then what it copies from, each once.
    pub inputs: Vec<Input>,
    /// Who runs what is made of it.
    pub user: Who,
    /// What its steps let in.
    pub crossings: Vec<Crossing>,
}

/// Something that a stage takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Whether it starts from it; else it copies or mounts files of it.
    pub is_base: bool,
    /// What it is.
    pub source: InputSource,
}

/// What a stage takes something from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InputSource {
    /// Another stage, by number.
    Stage(usize),
    /// An image, with registry and tag: `docker.io/library/node:22`.
    Image(String),
    /// Nothing.
    Scratch,
    /// Nobody can tell; as it is written.
    Unknown(String),
}

/// Who runs something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The user.
    pub user: User,
    /// As it is written; empty where nobody writes one.
    pub written: String,
    /// Who says so.
    pub says: Says,
}

/// Who says who runs something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// This place.
    Place(Place),
    /// The image that everything starts from, as far as it is known.
    Base,
    /// Nobody: it is root.
    Nobody,
}

impl Who {
    /// Whom the facts about an image name.
    pub(super) fn of_image(facts: Option<&ImageFacts>) -> Self {
        let user = facts.and_then(|facts| facts.user.known());
        let unknown = User::Unknown(crate::model::UnknownUser::BaseImage);
        Self {
            user: user.map_or(unknown, |user| User::parse(&user.written)),
            written: user.map(|user| user.written.clone()).unwrap_or_default(),
            says: Says::Base,
        }
    }

    fn of_stage(user: &EffectiveUser<'_>, lines: &Lines) -> Self {
        let says = match user.origin {
            UserOrigin::Instruction { span, .. } => Says::Place(lines.place(span)),
            UserOrigin::BaseImage { .. } => Says::Base,
            UserOrigin::Nobody => Says::Nobody,
        };
        Self { user: user.user.clone(), written: user.value.text.to_string(), says }
    }
}

/// What somebody asks a Dockerfile for: a stage, and arguments. The same question has one answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    /// The stage; the last one if none is named.
    pub(super) target: Option<String>,
    /// Build arguments; without a value nobody knows it.
    pub(super) arguments: Vec<(String, Option<String>)>,
}

/// What a Dockerfile answers.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The stage that is built, if there is such a one.
    pub(super) stage: Option<usize>,
    /// Who runs what comes of it.
    pub(super) user: Who,
}

/// So many questions with arguments are answered about one Dockerfile; about more nothing is known.
const MOST_ANSWERS: usize = 32;

/// The Dockerfile `file`, with an answer to each question.
pub(super) fn read(file: &SourceFile, knowledge: &Knowledge, questions: &[&Question]) -> (Recipe, Vec<Answer>) {
    let lines = Lines::of(&file.path, &file.text);
    let parsed = dockerfile::parse(&file.text);
    let model = DockerfileModel::new(file, &parsed.tree, knowledge);
    let stages = model.stages().map(|stage| of_stage(stage, &lines)).collect();
    let recipe = Recipe { name: file.path.clone(), is_read: true, stages };
    let mut left = MOST_ANSWERS;
    let answers = questions.iter().map(|question| {
        if question.arguments.is_empty() {
            return answer(&model, question, &lines);
        }
        left = left.saturating_sub(1);
        if left == 0 {
            Answer::unknown()
        } else {
            answer_with_arguments(file, &parsed.tree, knowledge, question, &lines)
        }
    });
    let answers = answers.collect();
    (recipe, answers)
}

impl Answer {
    /// What is known of a Dockerfile that nobody read.
    pub(super) fn unknown() -> Self {
        let user = User::Unknown(crate::model::UnknownUser::Base);
        Self { stage: None, user: Who { user, written: String::new(), says: Says::Base } }
    }
}

fn answer_with_arguments(
    file: &SourceFile,
    syntax: &Dockerfile,
    knowledge: &Knowledge,
    question: &Question,
    lines: &Lines,
) -> Answer {
    let build = Build { arguments: &question.arguments, ..Build::default() };
    answer(&DockerfileModel::of_build(file, syntax, knowledge, &build), question, lines)
}

fn answer(model: &DockerfileModel<'_>, question: &Question, lines: &Lines) -> Answer {
    let stage = match &question.target {
        None => model.target(),
        Some(name) => {
            let numbered = || model.stage(name.parse().ok()?);
            model.stage_named(name).or_else(numbered)
        }
    };
    stage.map_or_else(Answer::unknown, |stage| Answer {
        stage: Some(stage.index()),
        user: Who::of_stage(stage.user(), lines),
    })
}

fn of_stage(stage: Stage<'_>, lines: &Lines) -> RecipeStage {
    let base = match stage.base() {
        Base::Stage(index) => InputSource::Stage(*index),
        Base::Scratch => InputSource::Scratch,
        Base::Image(image) => InputSource::Image(image.reference.normalized()),
        Base::Unknown(
            UnknownBase::Missing | UnknownBase::Blank | UnknownBase::Unreadable(_) | UnknownBase::Invalid(_),
        ) => InputSource::Unknown(written_base(stage)),
    };
    let mut seen: HashSet<InputSource> = HashSet::new();
    let mut inputs = vec![Input { is_base: true, source: base }];
    for source in stage.steps().flat_map(sources) {
        let source = match source {
            CopySource::Stage(index) => InputSource::Stage(index),
            CopySource::Image(reference) => InputSource::Image(reference.normalized()),
            CopySource::Scratch | CopySource::Invalid => continue,
        };
        if seen.insert(source.clone()) {
            inputs.push(Input { is_base: false, source });
        }
    }
    RecipeStage {
        name: stage.name().map(str::to_owned),
        place: lines.place(stage.instruction().span),
        inputs,
        user: Who::of_stage(stage.user(), lines),
        crossings: crossing::of_stage(stage, lines),
    }
}

fn written_base(stage: Stage<'_>) -> String {
    let word = stage.base_word().map_or(&[][..], |word| stage.model().file.bytes(word.span));
    String::from_utf8_lossy(word).into_owned()
}

fn sources(step: Step<'_>) -> impl Iterator<Item = CopySource<'_>> {
    step.copy_source().into_iter().chain(step.mounts().into_iter().filter_map(|mount| mount.from))
}
