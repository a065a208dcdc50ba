//! What an image runs in the end: the start command followed through shells, scripts, package managers and wrappers.
//!
//! Each hop is told with the line that proves it. What a run decides (a variable, a glob, an argument of the caller) is
//! never guessed: the word says how it is written, and the answer says what a shell is needed for.
//!
//! Facts: Dockerfile reference, "Understand how CMD and ENTRYPOINT interact"; npm-run-script(1), npm-start(1),
//! npm-scripts(7) "pre & post scripts"; `yarn run`, `pnpm run`; uv, poetry and pipenv on `run`; sh(1).

mod hop;
mod node;
pub(super) mod script;
pub(super) mod word;

use super::{Evidence, evaluate::text_of, path::file_name, script::ScriptForm, stage::Stage, step::Step};
use crate::{
    context::BuildContext,
    syntax::dockerfile::{Arguments, Keyword},
};
use hop::Resolver;

/// How an image starts, as far as its files tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Startup {
    /// The process that runs in the end; `None` where nobody can tell, for which [`Startup::unknown`] says why.
    pub process: Option<Process>,
    /// What runs before it, or beside it, in the order in which it is written: migrations, checks.
    pub before: Vec<Process>,
    /// What only a shell can do on the way. Empty: the words could be handed to the kernel as they are.
    pub shell: Vec<ShellNeed>,
    /// The programs that lead to the process and are not needed without them: `npm`, `sh`, `uv`, `tini`.
    pub launchers: Vec<String>,
    /// What stands in front of the start command in the base image, if the file does not replace it.
    pub inherited: Vec<String>,
    /// The way from the start command to the process.
    pub hops: Vec<Evidence>,
    /// What may be different without the launchers, or is not read: each with its place.
    pub doubts: Vec<Evidence>,
    /// Why there is no process.
    pub unknown: Option<Evidence>,
}

/// A process that a start command makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The program and its arguments.
    pub words: Vec<StartWord>,
    /// Variables that are set for it alone.
    pub environment: Vec<(String, StartWord)>,
    /// The absolute directory that it starts in, if that is known.
    pub directory: Option<String>,
    /// Whether a condition decides if it runs.
    pub is_conditional: bool,
    /// The line that says so.
    pub evidence: Evidence,
}

/// One word of a start command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartWord {
    /// What the kernel is given.
    Known(String),
    /// A shell puts values of variables into it.
    Variable {
        /// As written.
        written: String,
        /// What that gives if nobody sets other values than the image does.
        usual: Option<String>,
        /// Whether it stands without quotes, so that it may become several words, or none.
        is_split: bool,
    },
    /// A shell finds files by a pattern.
    Pattern(String),
    /// The output of a command, or something else that only the run knows; as written.
    Unknown(String),
}

/// What a shell is needed for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShellNeed {
    /// What it does.
    pub kind: ShellUse,
    /// Where, and what is written there.
    pub evidence: Evidence,
}

/// What a shell does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShellUse {
    /// It puts the value of a variable into a word.
    Variable,
    /// It finds files by a pattern.
    Pattern,
    /// It puts the output of a command into a word.
    Substitution,
    /// It sets variables for one command.
    Assignment,
    /// It runs commands one after the other.
    List,
    /// It joins commands by pipes, or runs them side by side.
    Pipe,
    /// It opens files for a command.
    Redirection,
    /// It does something itself: `cd`, `export`, `source`.
    Builtin,
    /// It decides or repeats: `if`, `case`, `while`.
    Compound,
    /// It reads a file of commands.
    Script,
}

impl StartWord {
    /// The word, if it is certain.
    pub fn known(&self) -> Option<&str> {
        match self {
            StartWord::Known(text) => Some(text),
            StartWord::Variable { .. } | StartWord::Pattern(_) | StartWord::Unknown(_) => None,
        }
    }

    /// As it is written, or the word itself.
    pub fn written(&self) -> &str {
        match self {
            StartWord::Known(text) | StartWord::Pattern(text) | StartWord::Unknown(text) => text,
            StartWord::Variable { written, .. } => written,
        }
    }
}

impl Process {
    /// All words, if each is certain.
    pub fn known_words(&self) -> Option<Vec<&str>> {
        self.words.iter().map(StartWord::known).collect()
    }

    /// The name of the program without its directory, if it is certain.
    pub fn program(&self) -> Option<&str> {
        self.words.first()?.known().map(file_name)
    }
}

impl Startup {
    /// The names of all programs that are called on the way, each once, in order: launchers, what runs before, the
    /// process itself.
    pub fn programs(&self) -> Vec<&str> {
        let launchers = self.launchers.iter().map(String::as_str);
        let processes = self.before.iter().chain(&self.process).filter_map(Process::program);
        let mut names: Vec<&str> = Vec::new();
        for name in launchers.chain(processes) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// So many processes are told of one start.
const MOST_PROCESSES: usize = 64;

impl Stage<'_> {
    /// What the image made of the stage runs in the end.
    pub fn startup(self, context: &BuildContext<'_>) -> Startup {
        let mut resolver = Resolver::new(self, context);
        let steps = self.start_steps();
        let entrypoint = steps.iter().copied().find(|step| step.keyword() == Keyword::Entrypoint);
        let command = steps.iter().copied().find(|step| step.keyword() == Keyword::Cmd);
        if entrypoint.is_none() {
            let inherited = self.image_facts().and_then(|facts| facts.entrypoint.known());
            resolver.startup.inherited = inherited.cloned().unwrap_or_default();
        }
        match (entrypoint, command) {
            (Some(entrypoint), command) => match words_of(entrypoint) {
                Some(mut words) => {
                    let place = resolver.place(entrypoint);
                    if let Some(command) = command {
                        words.extend(words_of(command).unwrap_or_else(|| handed_shell(command)));
                    }
                    resolver.words(words, place);
                }
                None => resolver.step_script(entrypoint),
            },
            (None, Some(command)) => match words_of(command) {
                Some(words) => {
                    let place = resolver.place(command);
                    resolver.words(words, place);
                }
                None => resolver.step_script(command),
            },
            (None, None) => {}
        }
        resolver.startup
    }

    /// What the health check in force runs; `None` where there is none.
    pub fn health_check(self, context: &BuildContext<'_>) -> Option<Startup> {
        let is_check = |step: &Step<'_>| step.keyword() == Keyword::Healthcheck && !step.is_trigger();
        let step = self.chain().find_map(|stage| stage.steps().rev().find(is_check))?;
        let script = step.script()?;
        let mut resolver = Resolver::new(self, context);
        match (script.form, step.arguments()) {
            (ScriptForm::Exec, Arguments::Words(words)) => {
                let words = words.iter().skip(1).map(|word| StartWord::Known(text_of(word).into_owned())).collect();
                let place = resolver.place(step);
                resolver.words(words, place);
            }
            _ => resolver.step_script(step),
        }
        Some(resolver.startup)
    }
}

/// The words of a step in JSON form.
fn words_of(step: Step<'_>) -> Option<Vec<StartWord>> {
    match step.arguments() {
        Arguments::Json(words) => Some(words.iter().map(|word| StartWord::Known(text_of(word).into_owned())).collect()),
        Arguments::Words(_) | Arguments::Assignments(_) | Arguments::Text(_) | Arguments::None => None,
    }
}

/// What an entry point is handed of a `CMD` in shell form.
fn handed_shell(step: Step<'_>) -> Vec<StartWord> {
    let Arguments::Text(text) = step.arguments() else { return Vec::new() };
    let shell = step.shell().words.iter().map(|word| StartWord::Known(word.to_string()));
    shell.chain([StartWord::Known(text_of(text).into_owned())]).collect()
}

#[cfg(test)]
mod tests;
