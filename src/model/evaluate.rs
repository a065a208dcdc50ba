//! Makes the model of a Dockerfile: one walk over the stages along `FROM <stage>`, linear in the file.

use super::{
    dockerfile::{
        Base, Build, CopySource, DockerfileModel, Image, Shell, StageData, State, StepData, UnknownBase, Workdir,
    },
    expand::{Budget, Cause, Expander, Value},
    path,
    reference::Reference,
    scope::{Globals, Hidden, ScopeAt, Time, Timeline, Variable, VariableKind},
    user::{EffectiveUser, Group, UnknownUser, User, UserOrigin},
};
use crate::{
    knowledge::{self, Family, ImageFacts, Knowledge, Tag},
    source::SourceFile,
    syntax::dockerfile::{Arg, Arguments, Assignment, Dockerfile, Instruction, Keyword},
    text::Span,
};
use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

/// The `PATH` of a build whose base image says none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// More instructions than this are not run for `ONBUILD`: nobody writes them, and they multiply.
const MOST_TRIGGERS: usize = 10_000;

/// Bytes that the variables of a file may grow to, beside a multiple of its own length.
const VARIABLE_BYTES: usize = 4 << 20;

pub(super) fn evaluate<'a>(
    file: &'a SourceFile,
    syntax: &'a Dockerfile,
    knowledge: &Knowledge,
    build: &Build<'_>,
) -> DockerfileModel<'a> {
    let budget = Budget::new(VARIABLE_BYTES + 8 * file.text.len());
    let mut model = DockerfileModel {
        file,
        syntax,
        platform: build.platform.clone(),
        globals: Globals::default(),
        timeline: Timeline::default(),
        stages: Vec::new(),
        steps: Vec::with_capacity(syntax.instructions.len()),
        users: Vec::new(),
        shells: vec![Shell::default_of(&build.platform.os), Shell::default_of("windows")],
        workdirs: vec![Workdir { path: Value::literal("/"), span: None }, Workdir::of_unknown_image()],
        stage_names: HashMap::new(),
        target: None,
        signs: OnceLock::new(),
    };
    let first = syntax.instructions.iter().position(|instruction| instruction.keyword == Keyword::From);
    let (globals, rest) = syntax.instructions.split_at(first.unwrap_or(syntax.instructions.len()));
    let target = build.target.map(str::to_lowercase).or_else(|| last_stage_name(rest, &file.text));
    model.globals = Globals::new(build.platform.clone(), target.unwrap_or_else(|| "default".to_owned()));
    let mut evaluator = Evaluator { model, knowledge, budget, build, time: 0, hidden: Vec::new(), triggers: 0 };
    evaluator.declare_globals(globals);
    evaluator.find_stages(rest);
    evaluator.walk();
    evaluator.find_target();
    evaluator.model
}

/// The text of an argument; bytes that are not UTF-8 become U+FFFD, as in BuildKit.
pub(super) fn text_of<'a>(arg: &Arg<'a>) -> Cow<'a, str> {
    match &arg.text {
        Cow::Borrowed(text) => String::from_utf8_lossy(text),
        Cow::Owned(text) => Cow::Owned(String::from_utf8_lossy(text).into_owned()),
    }
}

fn last_stage_name(instructions: &[Instruction], source: &[u8]) -> Option<String> {
    let last = instructions.iter().rfind(|instruction| instruction.keyword == Keyword::From)?;
    stage_name(&last.arguments(source)).map(|(name, _)| name)
}

/// The name behind `AS`, in lower case.
fn stage_name(arguments: &Arguments<'_>) -> Option<(String, Span)> {
    let Arguments::Words(words) = arguments else { return None };
    let [_, keyword, name] = words.as_slice() else { return None };
    keyword.text.eq_ignore_ascii_case(b"as").then(|| (text_of(name).to_lowercase(), name.span))
}

struct Evaluator<'a, 'b> {
    model: DockerfileModel<'a>,
    knowledge: &'b Knowledge,
    budget: Budget,
    build: &'b Build<'b>,
    time: Time,
    hidden: Vec<Hidden>,
    triggers: usize,
}

/// One move of the walk over the stages.
enum Walk {
    Enter(u32),
    /// With the number of hidden assignments before the stage.
    Leave(usize),
}

impl<'a> Evaluator<'a, '_> {
    fn declare_globals(&mut self, instructions: &'a [Instruction]) {
        for instruction in instructions.iter().filter(|instruction| instruction.keyword == Keyword::Arg) {
            let Arguments::Assignments(assignments) = instruction.arguments(&self.model.file.text) else { continue };
            for assignment in assignments {
                let expander = Expander::new(&self.model.globals, self.model.syntax.escape, &self.budget);
                let variable = argument(&assignment, self.build, &expander, |_| None);
                self.model.globals.declare(variable);
            }
        }
    }

    /// Reads every `FROM`, and lists the steps of each stage.
    fn find_stages(&mut self, instructions: &'a [Instruction]) {
        let mut rest = instructions;
        while let Some((from, behind)) = rest.split_first() {
            let length = behind.iter().position(|instruction| instruction.keyword == Keyword::From);
            let (own, next) = behind.split_at(length.unwrap_or(behind.len()));
            self.add_stage(from, own);
            rest = next;
        }
    }

    fn add_stage(&mut self, from: &'a Instruction, own: &'a [Instruction]) {
        let index = self.model.stages.len() as u32;
        let arguments = from.arguments(&self.model.file.text);
        let name = stage_name(&arguments);
        let base_word = match arguments {
            Arguments::Words(words) => words.into_iter().next(),
            Arguments::Text(word) => Some(word),
            Arguments::Json(_) | Arguments::Assignments(_) | Arguments::None => None,
        };
        let (base_value, base) = self.base(base_word.as_ref());
        let repository = match base {
            Base::Unknown(UnknownBase::Missing) => base_word.as_ref().and_then(|word| self.repository(word)),
            Base::Stage(_) | Base::Scratch | Base::Image(_) | Base::Unknown(_) => None,
        };
        let platform = from.flag("platform").and_then(|flag| flag.value.as_deref()).map(|platform| {
            Expander::new(&self.model.globals, self.model.syntax.escape, &self.budget).word_or_unreadable(platform)
        });
        let start = self.model.steps.len() as u32;
        let mut root = index;
        if let Base::Stage(parent) = base {
            root = self.model.stages[parent].root;
            self.add_triggers(parent, index);
        }
        let source = &self.model.file.text;
        self.model.steps.extend(own.iter().map(|instruction| step(instruction, source, index, false)));
        if let Some((name, _)) = &name {
            self.model.stage_names.insert(name.clone(), index);
        }
        let steps = start..self.model.steps.len() as u32;
        let last = State::default();
        self.model.stages.push(StageData {
            instruction: from,
            name,
            base_word,
            base_value,
            repository,
            base,
            platform,
            steps,
            root,
            last,
            end: 0,
            is_built: false,
            is_exported: false,
        });
    }

    /// What a child stage runs first: the instructions that its parent kept for it.
    fn add_triggers(&mut self, parent: usize, child: u32) {
        let source = &self.model.file.text;
        let steps = self.model.stages[parent].steps.clone();
        let kept = self.model.steps[steps.start as usize..steps.end as usize].iter();
        let kept = kept.filter(|step| step.instruction.keyword == Keyword::Onbuild);
        let room = MOST_TRIGGERS.saturating_sub(self.triggers);
        let triggers = kept.filter_map(|step| step.instruction.trigger.as_deref()).take(room);
        let triggers: Vec<_> = triggers.map(|instruction| step(instruction, source, child, true)).collect();
        self.triggers += triggers.len();
        self.model.steps.extend(triggers);
    }

    /// What a stage starts from, seen from its `FROM`: only earlier stages are stages.
    fn base(&self, word: Option<&Arg<'a>>) -> (Value<'a>, Base<'a>) {
        let Some(word) = word else { return (Value::default(), Base::Unknown(UnknownBase::Blank)) };
        let expander = Expander::new(&self.model.globals, self.model.syntax.escape, &self.budget);
        let value = match expander.text(text_of(word)) {
            Ok(value) => value,
            Err(error) => {
                return (Value::unreadable(&text_of(word)), Base::Unknown(UnknownBase::Unreadable(error)));
            }
        };
        let base = if !value.is_known() {
            Base::Unknown(UnknownBase::Missing)
        } else if value.text.is_empty() {
            Base::Unknown(UnknownBase::Blank)
        } else if let Some(&stage) = self.model.stage_names.get(&*value.text) {
            Base::Stage(stage as usize)
        } else if value.text == "scratch" {
            Base::Scratch
        } else {
            match Reference::parse(value.text.clone()) {
                Ok(reference) => Base::Image(self.image(reference)),
                Err(error) => Base::Unknown(UnknownBase::Invalid(error)),
            }
        };
        (value, base)
    }

    fn image(&self, reference: Reference<'a>) -> Image<'a> {
        let facts = self.knowledge.image_of(&reference.name(), reference.effective_tag().map_or(Tag::Any, Tag::Named));
        Image { reference, facts }
    }

    /// The image of a base whose variables stand in its tag or digest only; known is what holds for all of its tags.
    fn repository(&self, word: &Arg<'a>) -> Option<Image<'a>> {
        let text = text_of(word);
        let (certain, _) = text.split_once('$')?;
        let name_end = certain.rfind(['@', ':']).filter(|&end| !certain[end..].contains('/'))?;
        let reference = Reference::parse(certain[..name_end].to_owned()).ok()?;
        let facts = self.knowledge.image_of(&reference.name(), Tag::Any);
        Some(Image { reference, facts })
    }

    /// Evaluates every stage behind its parent, without recursion.
    fn walk(&mut self) {
        let count = self.model.stages.len();
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); count];
        let mut moves = Vec::new();
        for (index, stage) in self.model.stages.iter().enumerate().rev() {
            match stage.base {
                Base::Stage(parent) => children[parent].push(index as u32),
                Base::Scratch | Base::Image(_) | Base::Unknown(_) => moves.push(Walk::Enter(index as u32)),
            }
        }
        while let Some(next) = moves.pop() {
            match next {
                Walk::Enter(stage) => {
                    moves.push(Walk::Leave(self.hidden.len()));
                    moves.extend(children[stage as usize].drain(..).map(Walk::Enter));
                    self.enter(stage);
                }
                Walk::Leave(_) if moves.is_empty() => {}
                Walk::Leave(before) => {
                    self.model.timeline.restore(self.time, self.hidden.drain(before..));
                    self.time += 1;
                }
            }
        }
    }

    fn enter(&mut self, index: u32) {
        let mut current = match self.model.stages[index as usize].base {
            Base::Stage(parent) => self.model.stages[parent].last,
            Base::Scratch | Base::Image(_) | Base::Unknown(_) => self.start(index),
        };
        for step in self.model.stages[index as usize].steps.clone() {
            self.run(step as usize, &mut current);
        }
        let stage = &mut self.model.stages[index as usize];
        stage.last = current;
        stage.end = self.time;
    }

    /// The state that a base image or `scratch` gives.
    fn start(&mut self, index: u32) -> State {
        let base = &self.model.stages[index as usize].base;
        let is_scratch = matches!(base, Base::Scratch);
        let user = match base {
            Base::Scratch => EffectiveUser { user: User::Root, value: Value::default(), origin: UserOrigin::Nobody },
            Base::Image(image) => {
                let user = image.facts.as_deref().and_then(|facts| facts.user.known());
                user.map_or_else(|| unknown_user(index, UnknownUser::BaseImage), |user| user_of_image(user, index))
            }
            Base::Stage(_) | Base::Unknown(_) => {
                let repository = self.model.stages[index as usize].repository.as_ref();
                let facts = repository.and_then(|image| image.facts.as_deref());
                // Where tags differ in how they start, root is not the whole answer.
                let user = facts.filter(|facts| facts.step_down.is_known()).and_then(|facts| facts.user.known());
                user.map_or_else(|| unknown_user(index, UnknownUser::Base), |user| user_of_image(user, index))
            }
        };
        self.model.users.push(user);
        let shell = u32::from(is_windows(base));
        let mut path = Value::literal(DEFAULT_PATH);
        if !is_scratch {
            path = path.depending("PATH", Cause::BaseEnvironment);
        }
        let facts = self.facts(index);
        let app_uid = facts.and_then(|_| app_uid(base)).map(|uid| of_base("APP_UID", Value::literal(uid.to_string())));
        let known = facts.and_then(|facts| facts.environment.known()).into_iter().flatten();
        let known = known.map(|(name, value)| of_base(name.clone(), Value::literal(value.clone())));
        let variables: Vec<_> = [of_base("PATH", path)].into_iter().chain(app_uid).chain(known).collect();
        let workdir = match facts.and_then(|facts| facts.workdir.known()) {
            Some(workdir) => {
                self.model.workdirs.push(Workdir { path: Value::literal(workdir.clone()), span: None });
                self.model.workdirs.len() as u32 - 1
            }
            None => u32::from(!is_scratch),
        };
        for variable in variables {
            self.assign(variable);
        }
        self.time += 1;
        let user = self.model.users.len() as u32 - 1;
        State { user, shell, workdir }
    }

    /// What is known of the image that a stage starts from, where its tag may be unknown; nothing where bases count as
    /// empty.
    fn facts(&self, index: u32) -> Option<&ImageFacts> {
        let stage = &self.model.stages[index as usize];
        let image = match &stage.base {
            Base::Image(image) => Some(image),
            Base::Unknown(_) => stage.repository.as_ref(),
            Base::Stage(_) | Base::Scratch => None,
        };
        image.filter(|_| !self.build.bases_are_empty)?.facts.as_deref()
    }

    fn run(&mut self, index: usize, state: &mut State) {
        let assigned = self.model.timeline.len();
        let step = &mut self.model.steps[index];
        (step.time, step.state) = (self.time, *state);
        match step.instruction.keyword {
            Keyword::Env => self.env(index),
            Keyword::Arg => self.arg(index),
            Keyword::User => self.user(index, state),
            Keyword::Workdir => self.workdir(index, state),
            Keyword::Shell => self.shell(index, state),
            Keyword::Add
            | Keyword::Cmd
            | Keyword::Copy
            | Keyword::Entrypoint
            | Keyword::Expose
            | Keyword::From
            | Keyword::Healthcheck
            | Keyword::Label
            | Keyword::Maintainer
            | Keyword::Onbuild
            | Keyword::Run
            | Keyword::Stopsignal
            | Keyword::Volume
            | Keyword::Unknown => {}
        }
        self.time += 1;
        self.model.steps[index].assigned = assigned..self.model.timeline.len();
    }

    /// All names and values of one `ENV` are expanded before any of them is set.
    fn env(&mut self, index: usize) {
        let Arguments::Assignments(assignments) = &self.model.steps[index].arguments else { return };
        let scope = self.scope(index, self.time);
        let expander = Expander::new(&scope, self.model.syntax.escape, &self.budget);
        let variable = |assignment: &Assignment<'a>| Variable {
            name: expander.text_or_unreadable(text_of(&assignment.name)).text,
            value: assignment.value.as_ref().map(|value| expander.text_or_unreadable(text_of(value))),
            kind: VariableKind::Env,
            name_span: assignment.name.span,
            value_span: assignment.value.as_ref().map(|value| value.span),
        };
        let variables: Vec<_> = assignments.iter().map(variable).collect();
        for variable in variables {
            self.assign(variable);
        }
    }

    /// Each argument of one `ARG` sees those before it.
    fn arg(&mut self, index: usize) {
        let Arguments::Assignments(assignments) = &self.model.steps[index].arguments else { return };
        for assignment in assignments.clone() {
            let scope = self.scope(index, self.time + 1);
            let expander = Expander::new(&scope, self.model.syntax.escape, &self.budget);
            let inherited = |name: &str| {
                let global = self.model.globals.get(name).and_then(|global| global.value.as_ref());
                let earlier =
                    || self.model.timeline.at(name, self.time + 1).and_then(|variable| variable.value.as_ref());
                let value = global.or_else(earlier)?;
                let fits = self.budget.spend(value.text.len()).is_ok();
                Some(if fits { value.clone().depending(name, Cause::Default) } else { Value::unreadable(name) })
            };
            let variable = argument(&assignment, self.build, &expander, inherited);
            self.assign(variable);
        }
    }

    fn user(&mut self, index: usize, state: &mut State) {
        let Some((value, span)) = self.single(index) else { return };
        let user = if value.is_known() { User::parse(&value.text) } else { User::Unknown(UnknownUser::Variable) };
        let origin = UserOrigin::Instruction { stage: self.written_in(index), span };
        self.model.users.push(EffectiveUser { user, value, origin });
        state.user = self.model.users.len() as u32 - 1;
    }

    fn workdir(&mut self, index: usize, state: &mut State) {
        let Some((mut value, span)) = self.single(index) else { return };
        let current = &self.model.workdirs[state.workdir as usize];
        if !value.text.starts_with('/') {
            for dependency in &current.path.depends {
                value = value.depending(&dependency.name, dependency.cause);
            }
        }
        // An absolute path stays as it is written, a trailing slash included.
        let path = if value.text.starts_with('/') {
            value
        } else {
            let is_blank = value.text.is_empty();
            let current = &current.path.text;
            let joined = if is_blank { current.to_string() } else { path::join(current, &value.text) };
            match self.budget.spend(joined.len()) {
                Ok(()) => Value { text: Cow::Owned(joined), depends: value.depends },
                Err(_) => Value::unreadable("WORKDIR"),
            }
        };
        self.model.workdirs.push(Workdir { path, span: Some(span) });
        state.workdir = self.model.workdirs.len() as u32 - 1;
    }

    fn shell(&mut self, index: usize, state: &mut State) {
        let step = &self.model.steps[index];
        let Arguments::Json(words) = &step.arguments else { return };
        let shell = Shell { words: words.iter().map(text_of).collect(), span: Some(step.instruction.span) };
        self.model.shells.push(shell);
        state.shell = self.model.shells.len() as u32 - 1;
    }

    /// The only argument of a step, expanded.
    fn single(&self, index: usize) -> Option<(Value<'a>, Span)> {
        let word = match &self.model.steps[index].arguments {
            Arguments::Text(word) => word,
            Arguments::Words(words) | Arguments::Json(words) => words.first()?,
            Arguments::Assignments(_) | Arguments::None => return None,
        };
        let scope = self.scope(index, self.time);
        let expander = Expander::new(&scope, self.model.syntax.escape, &self.budget);
        Some((expander.text_or_unreadable(text_of(word)), word.span))
    }

    fn scope(&self, index: usize, time: Time) -> ScopeAt<'_> {
        let root = self.model.stages[self.model.steps[index].stage as usize].root;
        let unset = match self.model.stages[root as usize].base {
            Base::Scratch => Cause::Undefined,
            Base::Stage(_) | Base::Image(_) | Base::Unknown(_) => Cause::BaseEnvironment,
        };
        ScopeAt { timeline: &self.model.timeline, time, unset }
    }

    /// The stage whose text holds a step: the parent for what it keeps with `ONBUILD`.
    fn written_in(&self, index: usize) -> u32 {
        let step = &self.model.steps[index];
        match self.model.stages[step.stage as usize].base {
            Base::Stage(parent) if step.is_trigger => parent as u32,
            Base::Stage(_) | Base::Scratch | Base::Image(_) | Base::Unknown(_) => step.stage,
        }
    }

    fn assign(&mut self, variable: Variable<'a>) {
        let hidden = self.model.timeline.assign(self.time, variable);
        self.hidden.push(hidden);
    }

    /// Finds the target and marks what it needs.
    fn find_target(&mut self) {
        self.model.target = match self.build.target {
            None => self.model.stages.len().checked_sub(1).map(|last| last as u32),
            Some(name) => self
                .model
                .stage_named(name)
                .map(|stage| stage.index() as u32)
                .or_else(|| name.parse().ok().filter(|&index: &u32| (index as usize) < self.model.stages.len())),
        };
        let mut exported = self.model.target;
        while let Some(index) = exported {
            let stage = &mut self.model.stages[index as usize];
            stage.is_exported = true;
            exported = match stage.base {
                Base::Stage(parent) => Some(parent as u32),
                Base::Scratch | Base::Image(_) | Base::Unknown(_) => None,
            };
        }
        let mut needed: Vec<u32> = self.model.target.into_iter().collect();
        while let Some(index) = needed.pop() {
            let stage = &mut self.model.stages[index as usize];
            if std::mem::replace(&mut stage.is_built, true) {
                continue;
            }
            if let Base::Stage(parent) = stage.base {
                needed.push(parent as u32);
            }
            let stage = self.model.stage(index as usize).expect("it was found above");
            for step in stage.steps() {
                let mounts = step.mounts().into_iter().filter_map(|mount| mount.from);
                for source in step.copy_source().into_iter().chain(mounts) {
                    if let CopySource::Stage(source) = source {
                        needed.push(source as u32);
                    }
                }
            }
        }
    }
}

fn step<'a>(instruction: &'a Instruction, source: &'a [u8], stage: u32, is_trigger: bool) -> StepData<'a> {
    let arguments = instruction.arguments(source);
    StepData {
        instruction,
        arguments,
        stage,
        is_trigger,
        time: 0,
        state: State::default(),
        assigned: 0..0,
        scripts: OnceLock::new(),
    }
}

/// A variable that a base image sets.
fn of_base(name: impl Into<Cow<'static, str>>, value: Value<'static>) -> Variable<'static> {
    Variable {
        name: name.into(),
        value: Some(value),
        kind: VariableKind::Base,
        name_span: Span::default(),
        value_span: None,
    }
}

/// The number of the user that an image of .NET ships, which its variable `APP_UID` holds: <https://aka.ms/dotnet/docker/nonroot>.
fn app_uid(base: &Base<'_>) -> Option<u32> {
    let Base::Image(image) = base else { return None };
    let is_dotnet = image.reference.registry() == "mcr.microsoft.com"
        && image.reference.written_repository().starts_with("dotnet/");
    image.facts.as_deref().filter(|_| is_dotnet)?.identity.known()?.as_ref()?.uid
}

/// Whether a base is certainly a Windows image.
fn is_windows(base: &Base<'_>) -> bool {
    let Base::Image(image) = base else { return false };
    let family = image.facts.as_deref().and_then(|facts| facts.family.known());
    let of_microsoft = image.reference.registry() == "mcr.microsoft.com";
    family == Some(&Family::Windows) || (of_microsoft && image.reference.written_repository().starts_with("windows/"))
}

fn unknown_user(stage: u32, why: UnknownUser) -> EffectiveUser<'static> {
    EffectiveUser { user: User::Unknown(why), value: Value::default(), origin: UserOrigin::BaseImage { stage } }
}

fn user_of_image(known: &knowledge::User, stage: u32) -> EffectiveUser<'static> {
    let name = known.name.as_deref().unwrap_or(&known.written);
    let user = match known.uid {
        _ if known.is_root() => User::Root,
        Some(uid) => User::Numeric { uid, group: known.gid.map(Group::Numeric) },
        None => User::Named { name: name.into(), group: known.gid.map(Group::Numeric) },
    };
    EffectiveUser { user, value: Value::literal(known.written.clone()), origin: UserOrigin::BaseImage { stage } }
}

/// The variable that one `name=default` of an `ARG` makes.
fn argument<'a>(
    assignment: &Assignment<'a>,
    build: &Build<'_>,
    expander: &Expander<'_>,
    inherited: impl Fn(&str) -> Option<Value<'a>>,
) -> Variable<'a> {
    let name = text_of(&assignment.name);
    let given = build.arguments.iter().rfind(|(given, _)| *given == name);
    let value = match (given, &assignment.value) {
        (Some((_, given)), _) => given.clone().map(Value::literal),
        (None, Some(default)) => Some(expander.text_or_unreadable(text_of(default)).depending(&name, Cause::Default)),
        (None, None) => inherited(&name),
    };
    let value_span = assignment.value.as_ref().map(|value| value.span);
    Variable { name, value, kind: VariableKind::Arg, name_span: assignment.name.span, value_span }
}
