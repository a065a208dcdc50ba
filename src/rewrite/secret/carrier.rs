//! The variables that carry one credential through a file, and who reads them.

use crate::{
    model::{DockerfileModel, Stage, Step, StepCommand, VariableKind, address, credential},
    syntax::{
        dockerfile::{Arguments, Assignment, Instruction, Keyword},
        shell::CompoundKind,
    },
    text::Span,
};
use std::collections::{BTreeMap, BTreeSet};

/// A credential on its way through a file: the variable that brings it, and those that only repeat that one.
pub(super) struct Carrier<'m> {
    model: &'m DockerfileModel<'m>,
    /// The variable that brings it.
    pub(super) name: String,
    /// Every name that it goes by.
    names: BTreeSet<String>,
    /// The instructions that assign it, and where each writes the names.
    pub(super) assigned: Vec<(&'m Instruction, Vec<Span>)>,
    /// All names in `assigned`, to look one up.
    held: BTreeSet<Span>,
    /// Whether its value is written in the file.
    pub(super) is_literal: bool,
    /// What is written there, as it is known.
    pub(super) written: Option<String>,
    /// Whether a build is given it.
    pub(super) is_argument: bool,
    /// Whether it is in the environment of an image.
    pub(super) is_kept: bool,
    /// The `RUN`s that read it, by number.
    pub(super) readers: BTreeMap<usize, Reader>,
    /// Where the project's own code runs with it in its environment.
    pub(super) suspects: Vec<Step<'m>>,
}

/// How a `RUN` reads a credential.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    /// By which names.
    pub(super) names: BTreeSet<String>,
    /// Whether it does so in every build: no condition stands around it.
    pub(super) always: bool,
    /// Whether it may write it into the image.
    pub(super) keeps: bool,
}

/// How often a variable may be repeated under another name.
const MOST_NAMES: usize = 8;

impl<'m> Carrier<'m> {
    /// Follows the variable `name` through the file.
    ///
    /// # Errors
    /// What keeps it from being taken out: one clause.
    pub(super) fn follow(model: &'m DockerfileModel<'m>, name: &str) -> Result<Self, String> {
        let mut carrier = Self {
            model,
            name: name.to_owned(),
            names: BTreeSet::from([name.to_owned()]),
            assigned: Vec::new(),
            held: BTreeSet::new(),
            is_literal: false,
            written: None,
            is_argument: false,
            is_kept: false,
            readers: BTreeMap::new(),
            suspects: Vec::new(),
        };
        carrier.find_names();
        carrier.find_assignments()?;
        carrier.find_readers()?;
        Ok(carrier)
    }

    /// The lines of the file that an instruction starts on.
    pub(super) fn line(&self, span: Span) -> u32 {
        self.model.file.locate(span.start).line
    }

    fn instructions(&self) -> impl Iterator<Item = &'m Instruction> + use<'m> {
        let model = self.model;
        let sets = |instruction: &&Instruction| matches!(instruction.keyword, Keyword::Arg | Keyword::Env);
        model.syntax.instructions.iter().filter(sets)
    }

    fn assignments(&self, instruction: &'m Instruction) -> Vec<Assignment<'m>> {
        match instruction.arguments(&self.model.file.text) {
            Arguments::Assignments(all) => all,
            Arguments::Json(_) | Arguments::Words(_) | Arguments::Text(_) | Arguments::None => Vec::new(),
        }
    }

    /// The names of variables that are set to nothing but another name of it.
    fn find_names(&mut self) {
        for _ in 0..MOST_NAMES {
            let known = self.names.len();
            let assignments = self.instructions().flat_map(|instruction| self.assignments(instruction));
            let repeats = |assignment: &Assignment<'_>| {
                let of = assignment.value.as_ref().and_then(|value| only_variable(&value.text));
                of.is_some_and(|of| self.names.contains(of))
            };
            let name = |assignment: Assignment<'_>| String::from_utf8(assignment.name.text.into_owned()).ok();
            let found: Vec<String> = assignments.filter(repeats).filter_map(name).collect();
            self.names.extend(found);
            if self.names.len() == known {
                return;
            }
        }
    }

    fn find_assignments(&mut self) -> Result<(), String> {
        for instruction in self.instructions() {
            let mut spans = Vec::new();
            for assignment in self.assignments(instruction) {
                let Ok(name) = std::str::from_utf8(&assignment.name.text) else { continue };
                if !self.names.contains(name) {
                    continue;
                }
                let value: &[u8] = assignment.value.as_ref().map_or(b"", |value| &value.text);
                match self.value_of(name, instruction, value) {
                    Brought::Given | Brought::Repeated => {}
                    Brought::Literal => {
                        self.is_literal = true;
                        self.written = std::str::from_utf8(unquoted(value)).ok().map(str::to_owned);
                    }
                    Brought::Other => continue,
                    Brought::Made => {
                        let line = self.line(assignment.name.span);
                        return Err(format!("line {line} makes `{name}` of more than one value"));
                    }
                }
                self.is_argument |= instruction.keyword == Keyword::Arg;
                self.is_kept |= instruction.keyword == Keyword::Env && self.is_exported(instruction);
                spans.push(assignment.name.span);
            }
            if !spans.is_empty() {
                if self.stage_of(instruction).is_some_and(Stage::is_windows) {
                    return Err("the stage is one of Windows, where this is left to its author".to_owned());
                }
                self.held.extend(&spans);
                self.assigned.push((instruction, spans));
            }
        }
        Ok(())
    }

    fn value_of(&self, name: &str, instruction: &Instruction, written: &[u8]) -> Brought {
        let value = unquoted(written);
        if value.is_empty() {
            // An empty `ENV` takes a value away.
            return if instruction.keyword == Keyword::Arg { Brought::Given } else { Brought::Other };
        }
        if only_variable(written).is_some_and(|of| self.names.contains(of)) {
            return Brought::Repeated;
        }
        if value.contains(&b'$') {
            return Brought::Made;
        }
        let is_secret = credential::judge(name, value).is_some()
            || address::credentials(value).next().is_some()
            || std::str::from_utf8(value).is_ok_and(|value| credential::is_written(name, value));
        if is_secret { Brought::Literal } else { Brought::Other }
    }

    fn stage_of(&self, instruction: &Instruction) -> Option<Stage<'m>> {
        let model = self.model;
        model.stages().rev().find(|stage| stage.instruction().span.start < instruction.span.start)
    }

    fn is_exported(&self, instruction: &Instruction) -> bool {
        self.stage_of(instruction).is_none_or(|stage| stage.is_exported() || !stage.is_built())
    }

    fn holds(&self, span: Span) -> bool {
        self.held.contains(&span)
    }

    /// Whether `step` sees under `name` what the file assigns to it.
    fn is_seen_by(&self, step: Step<'m>, name: &str) -> bool {
        self.names.contains(name) && step.variable(name).is_some_and(|variable| self.holds(variable.name_span))
    }

    fn find_readers(&mut self) -> Result<(), String> {
        self.check_outside_of_stages()?;
        for step in self.model.steps().filter(|step| !step.is_trigger()) {
            self.read_mentions(step)?;
            if step.keyword() == Keyword::Run {
                self.read_commands(step);
            }
        }
        Ok(())
    }

    fn read_mentions(&mut self, step: Step<'m>) -> Result<(), String> {
        for mention in step.mentions() {
            let is_template = step.keyword() == Keyword::Onbuild && self.names.contains(&mention.name);
            if !is_template && !self.is_seen_by(step, &mention.name) {
                continue;
            }
            let in_flag = step.instruction().flags.iter().any(|flag| flag.span.covers(mention.span));
            match step.keyword() {
                Keyword::Run if !in_flag => {
                    let needs_it = !is_conditional(step, mention.span) && !self.may_be_nothing(mention.span);
                    let reader = self.readers.entry(step.index()).or_default();
                    reader.always |= needs_it;
                    reader.keeps |= may_keep(step, mention.span);
                    reader.names.insert(mention.name);
                }
                Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck => {}
                Keyword::Env | Keyword::Arg if self.is_repeated_at(step.instruction(), mention.span) => {}
                _ => {
                    let (line, verb) = (self.line(mention.span), step.instruction().keyword_span);
                    let verb = String::from_utf8_lossy(self.model.file.bytes(verb)).to_ascii_uppercase();
                    return Err(format!("the `{verb}` in line {line} needs the value of `{}`", mention.name));
                }
            }
        }
        Ok(())
    }

    /// Whether the variable is a word of its own without quotes and without a default: the command may do without it.
    fn may_be_nothing(&self, mention: Span) -> bool {
        let text = &self.model.file.text;
        let is_blank = |at: Option<usize>| at.and_then(|at| text.get(at)).is_none_or(u8::is_ascii_whitespace);
        let (start, end) = (mention.start as usize, mention.end as usize);
        self.is_argument && !self.is_literal && is_blank(start.checked_sub(1)) && is_blank(Some(end))
    }

    /// Whether `mention` is the value of one of the assignments that go.
    fn is_repeated_at(&self, instruction: &'m Instruction, mention: Span) -> bool {
        self.assignments(instruction).iter().any(|assignment| {
            self.holds(assignment.name.span)
                && assignment.value.as_ref().is_some_and(|value| value.span.covers(mention))
        })
    }

    fn read_commands(&mut self, step: Step<'m>) {
        let mut is_suspect = false;
        for command in step.commands() {
            let Some(program) = command.name() else { continue };
            for name in credential::read_by(program) {
                if self.is_seen_by(step, name) {
                    let reader = self.readers.entry(step.index()).or_default();
                    reader.always |= !command.is_conditional();
                    reader.names.insert((*name).to_owned());
                }
            }
            is_suspect |= runs_own_code(command);
        }
        let in_sight = is_suspect && self.names.iter().any(|name| self.is_seen_by(step, name));
        if in_sight && !self.readers.contains_key(&step.index()) {
            self.suspects.push(step);
        }
    }

    /// Names that are seen by a step in its environment, without being written there.
    pub(super) fn names_seen_by(&self, step: Step<'m>) -> BTreeSet<String> {
        let is_environment = |name: &&String| {
            step.variable(name).is_some_and(|variable| matches!(variable.kind, VariableKind::Env | VariableKind::Arg))
        };
        self.names.iter().filter(|name| self.is_seen_by(step, name)).filter(is_environment).cloned().collect()
    }

    /// `FROM` and what stands before the first one.
    fn check_outside_of_stages(&self) -> Result<(), String> {
        let first = self.model.stages().next().map_or(u32::MAX, |stage| stage.instruction().span.start);
        for instruction in &self.model.syntax.instructions {
            if instruction.span.start >= first && instruction.keyword != Keyword::From {
                continue;
            }
            let text = instruction.args_text(&self.model.file.text);
            let is_own = self.assigned.iter().any(|(own, _)| std::ptr::eq(*own, instruction));
            if !is_own && self.names.iter().any(|name| mentions(text, name)) {
                let line = self.line(instruction.span);
                return Err(format!("line {line} needs the value of `{}`", self.name));
            }
        }
        Ok(())
    }
}

/// Whether the text at `span` is in the condition or a branch of an `if` or `case`.
fn is_conditional(step: Step<'_>, span: Span) -> bool {
    step.scripts().iter().any(|script| {
        let mut branches = script
            .script
            .compounds()
            .filter(|compound| matches!(compound.kind(), CompoundKind::If | CompoundKind::Case));
        branches.any(|branch| script.file_span(branch.span()).covers(span))
    })
}

/// Whether the command at `span` writes files of the image with what it is given.
fn may_keep(step: Step<'_>, span: Span) -> bool {
    const WRITERS: &[&str] = &[
        "sed", "tee", "envsubst", "chpasswd", "git", "npm", "yarn", "pnpm", "composer", "pip", "pip3", "poetry",
        "bundle", "nuget", "dotnet", "gem", "htpasswd",
    ];
    step.commands().filter(|command| command.span().covers(span)).any(|command| {
        let configures = || {
            let words = ["config", "clone", "source", "sources", "remote", "add-source"];
            command.command.arguments().any(|word| words.contains(&&*word.text()))
        };
        let name = command.name().unwrap_or_default();
        let writes = match name {
            "sed" | "tee" | "envsubst" | "chpasswd" | "htpasswd" => true,
            name => WRITERS.contains(&name) && configures(),
        };
        writes || command.command.redirects().any(|redirect| redirect.target().bytes() != b"/dev/null")
    })
}

/// What an assignment brings.
enum Brought {
    /// What the build is given.
    Given,
    /// The value of another name of the credential.
    Repeated,
    /// A credential that is written out.
    Literal,
    /// Something else, which stays.
    Other,
    /// A text with a variable in it.
    Made,
}

/// The variable that a value is nothing but: `$NAME`, `"${NAME}"`, `${NAME:-}`.
fn only_variable(written: &[u8]) -> Option<&str> {
    let rest = std::str::from_utf8(unquoted(written)).ok()?.strip_prefix('$')?;
    let name = match rest.strip_prefix('{') {
        Some(inner) => {
            let inner = inner.strip_suffix('}')?;
            inner.strip_suffix(":-").or(inner.strip_suffix('-')).unwrap_or(inner)
        }
        None => rest,
    };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(name)
}

fn unquoted(written: &[u8]) -> &[u8] {
    match written {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => written,
    }
}

fn mentions(text: &[u8], name: &str) -> bool {
    memchr::memmem::find_iter(text, name.as_bytes()).any(|at| {
        let before = &text[..at];
        let is_variable = before.ends_with(b"$") || before.ends_with(b"${");
        let behind = text.get(at + name.len());
        is_variable && !behind.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    })
}

/// Whether a command runs code of the project, which may read any variable.
pub(super) fn runs_own_code(command: StepCommand<'_>) -> bool {
    let Some(invocation) = command.invocation() else { return false };
    let first = invocation.arguments().next().map(|word| word.text().into_owned()).unwrap_or_default();
    match invocation.name() {
        Some("npm" | "pnpm" | "bun") => matches!(first.as_str(), "run" | "run-script" | "build" | "test" | "exec"),
        Some("yarn") => !matches!(first.as_str(), "" | "install" | "add" | "global" | "config" | "cache" | "set"),
        Some(
            "npx" | "node" | "rails" | "rake" | "ng" | "next" | "vite" | "webpack" | "gulp" | "grunt" | "make" | "mvn"
            | "mvnw" | "gradle" | "gradlew" | "mix",
        ) => true,
        Some("python" | "python3" | "php" | "ruby") => !first.starts_with('-'),
        Some("bundle") => first == "exec",
        Some(name) => name.ends_with(".sh"),
        None => false,
    }
}
