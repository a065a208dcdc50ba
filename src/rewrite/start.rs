//! Start commands in which no shell stands between the engine and the program.
//!
//! Dockerfile reference, "Shell and exec form": an `ENTRYPOINT` in shell form is given no arguments, neither those of
//! `CMD` nor those of the caller; a `CMD` in shell form hands `/bin/sh -c` to an `ENTRYPOINT` in JSON form.

use super::shell::ShellEditor;
use crate::{
    knowledge::Family,
    model::{CopySource, ScriptForm, Stage, Step, StepCommand, file_name, is_in_directory, join_path},
    rule::{Fix, Safety},
    syntax::{
        dockerfile::Keyword,
        shell::{Command, Compound, CompoundKind, Connector, Script, Word, Wrapper},
    },
    text::{Edit, Span, holds},
};

/// Why an edit is not made.
pub type Refusal = &'static str;

/// A start command that a shell runs, and stays process 1.
#[derive(Clone, Copy, Debug)]
pub struct ShellForm<'m> {
    step: Step<'m>,
    last: StepCommand<'m>,
}

impl<'m> ShellForm<'m> {
    /// `None` where the JSON form or `exec` leaves no shell behind, or the language of the shell is not read.
    pub fn of(step: Step<'m>) -> Option<Self> {
        let script = step.script().filter(|script| script.form == ScriptForm::Shell)?;
        let last = script.script.commands().rfind(|command| command.place().block.is_none())?;
        let last = StepCommand { step, script, command: last };
        let is_replaced = last.command.name() == Some("exec")
            || last.invocation().is_some_and(|invocation| invocation.is_wrapped_by(Wrapper::Exec));
        let is_replaced = is_replaced || is_bash(step) && is_alone(last.command);
        (script.script.dialect().is_bourne() && !is_replaced && !step.is_trigger()).then_some(Self { step, last })
    }

    /// All that the shell is given.
    pub fn span(&self) -> Span {
        let script = self.last.script;
        let first = script.script.commands().next().map_or(self.last.command.span(), Command::span);
        let compounds = script.script.compounds().map(Compound::span);
        let whole = compounds.fold(first.to(self.last.command.span()), Span::to);
        script.file_span(whole)
    }

    /// The program in the place of the shell; `start` is what starts the image.
    ///
    /// # Errors
    /// Why that would be wrong, or cannot be told.
    pub fn without_shell(&self, start: &[Step<'_>]) -> Result<Fix, Refusal> {
        let other = start.iter().find(|step| step.keyword() != self.step.keyword());
        let with_exec = || self.with_exec();
        match (self.step.keyword(), other) {
            (Keyword::Entrypoint, Some(_)) => with_exec(),
            (Keyword::Entrypoint, None) => self.as_words(Entry::Own).or_else(|_| with_exec()),
            (_, Some(entrypoint)) if entrypoint.script().is_some_and(|script| script.form != ScriptForm::Exec) => {
                Err("the `ENTRYPOINT` in shell form ignores it")
            }
            (_, Some(entrypoint)) => match entrypoint.commands().next().and_then(StepCommand::name) {
                Some("tini" | "dumb-init" | "catatonit") => self.as_words(Entry::None).or_else(|_| with_exec()),
                Some("sh" | "bash" | "ash" | "dash") | None => Err("the `ENTRYPOINT` is handed the shell as arguments"),
                Some(_) => self.as_words(Entry::Other).or_else(|_| with_exec()),
            },
            (_, None) => self.as_words(self.inherited_entry()).or_else(|_| with_exec()),
        }
    }

    fn inherited_entry(&self) -> Entry {
        let facts = self.step.model().target().and_then(Stage::image_facts);
        match facts.and_then(|facts| facts.entrypoint.known()) {
            Some(words) if words.is_empty() => Entry::None,
            Some(_) | None => Entry::Other,
        }
    }

    /// The JSON form, where the shell only splits words.
    fn as_words(&self, entry: Entry) -> Result<Fix, Refusal> {
        let command = self.last.command;
        let script = &self.last.script.script;
        let is_plain = script.commands().len() == 1
            && script.compounds().len() == 0
            && script.comments().len() == 0
            && script.doubts().len() == 0
            && command.assignments().len() == 0
            && command.redirects().len() == 0
            && command.place().after == Connector::None
            && !command.place().negated
            && is_program(command)
            && is_plain_shell(self.step);
        let words: Option<Vec<&str>> = command.words().map(Word::literal).collect();
        let words = words.filter(|_| is_plain).ok_or("the shell does more than split words")?;
        ShellEditor::of(self.last).ok_or("the words are not written as the shell reads them")?;
        let model = self.step.model();
        let place = self.last.span();
        let has_comment = place.of(&model.file.text).split(|&byte| byte == b'\n').skip(1).any(is_comment);
        let quoted: Option<Vec<String>> = words.into_iter().map(quoted).collect();
        let quoted = quoted.filter(|_| !has_comment).ok_or("the words do not fit into JSON on one line")?;
        let edit = Edit::replace(model.file.id, place, format!("[{}]", quoted.join(", ")));
        let (safety, reason) = match entry {
            Entry::None if self.may_start_script(command) => (
                Safety::Risky,
                "a script whose first line is no `#!` does not start without a shell: check that it has one",
            ),
            Entry::None if is_file_of_image(command) => (
                Safety::Risky,
                "what is installed, built or unpacked needs no shell; what that is, the file does not say",
            ),
            Entry::None => (Safety::Safe, "the shell only splits these words, and nothing else is in front of them"),
            Entry::Own => {
                (Safety::Risky, "arguments of the caller, which the shell form ignores, reach the program then")
            }
            Entry::Other => (
                Safety::Risky,
                "the entry point is given these words in place of a shell: check what it does with them",
            ),
        };
        Ok(Fix::new("Use the JSON form", safety, reason, vec![edit]))
    }

    /// Whether the program may be a script that somebody wrote: the shell also runs one without `#!`, the kernel does not.
    fn may_start_script(&self, command: Command<'_>) -> bool {
        let Some(path) = command.path().filter(|path| path.contains(['/', '.']) && !is_of_system(path)) else {
            return false;
        };
        let stage = self.step.stage();
        let path = join_path(stage.workdir().path.known().unwrap_or("/"), path);
        file_name(&path).contains('.') || stage.chain_steps().any(|step| may_write(step, &path))
    }

    /// `exec` before the last command.
    fn with_exec(&self) -> Result<Fix, Refusal> {
        let command = self.last.command;
        let script = &self.last.script.script;
        let place = command.place();
        let follows =
            matches!(place.before, Connector::None | Connector::And | Connector::Semicolon | Connector::Newline);
        let is_last = place.next.is_none() && matches!(place.after, Connector::None | Connector::Semicolon);
        let ends = script.compounds().all(|compound| compound.span().start < command.span().end);
        if !follows || !is_last || !ends || place.negated || command.assignments().len() > 0 || !is_program(command) {
            return Err("the shell has something to do after the program, or while it runs");
        }
        if script.commands().any(stays) {
            return Err("the shell has something to do after the program, or while it runs");
        }
        // Only what prepares may come before, or what has to succeed first: a program that works for long would still
        // have the shell around it.
        let is_first = |other: &Command<'_>| {
            other.place().block.is_none() && other.index() != command.index() && other.place().after != Connector::And
        };
        let before = script.commands().filter(is_first);
        if before.filter_map(Command::name).any(|name| !PREPARES.contains(&name)) {
            return Err("other programs run before the last one, and the shell has to be around them");
        }
        let editor = ShellEditor::of(self.last).ok_or("the words are not written as the shell reads them")?;
        let edit = editor.insert_before(command, "exec").ok_or("the words are not written as the shell reads them")?;
        let is_alone = script.commands().filter(|other| other.place().block.is_none()).count() == 1;
        let (safety, reason) = if is_alone {
            (Safety::Safe, "the shell has nothing to do after the program")
        } else {
            (Safety::Risky, "what the commands before it leave running has no shell then")
        };
        Ok(Fix::new("Put the program in the place of the shell", safety, reason, vec![edit]))
    }
}

/// Commands that are done at once.
const PREPARES: [&str; 17] = [
    ".", "source", "cd", "export", "set", "echo", "printf", "mkdir", "rm", "cp", "ln", "touch", "chmod", "sleep",
    "cat", "umask", "ulimit",
];

/// What is in front of the words of a start command.
#[derive(Clone, Copy)]
enum Entry {
    /// Nothing, or an init that runs them as they are.
    None,
    /// They are the entry point, and callers may give arguments.
    Own,
    /// An entry point that may look at them.
    Other,
}

/// Whether a command is a program of its own, and no part of the shell.
fn is_program(command: Command<'_>) -> bool {
    const BUILTINS: [&str; 29] = [
        ".", ":", "alias", "bg", "break", "cd", "command", "continue", "eval", "exec", "exit", "export", "fg",
        "getopts", "hash", "jobs", "local", "read", "readonly", "return", "set", "shift", "source", "times", "trap",
        "type", "ulimit", "umask", "wait",
    ];
    let name = command.word(0).and_then(Word::literal);
    name.is_some_and(|name| !name.is_empty() && !BUILTINS.contains(&name) && !is_function(command.script(), name))
}

fn is_function(script: &Script, name: &str) -> bool {
    script.compounds().any(|compound| {
        compound.kind() == CompoundKind::Function
            && compound.words().next().is_some_and(|word| word.bytes() == name.as_bytes())
    })
}

/// Whether the shell stays for what a command does.
fn stays(command: Command<'_>) -> bool {
    command.place().after == Connector::Background || matches!(command.name(), Some("trap" | "wait"))
}

/// Whether the shell in force does nothing but run a command: no login, no wrapper around it.
fn is_plain_shell(step: Step<'_>) -> bool {
    let words = &step.shell().words;
    let is_shell = words.first().is_some_and(|program| {
        matches!(&**program, "/bin/sh" | "sh" | "/bin/bash" | "bash" | "/bin/ash" | "/bin/dash" | "/usr/bin/bash")
    });
    let is_switch =
        |word: &str| word.strip_prefix('-').is_some_and(|letters| letters.bytes().all(|c| b"ceuxo".contains(&c)));
    let is_plain = |word: &str| word == "pipefail" || is_switch(word);
    is_shell && words.iter().skip(1).all(|word| is_plain(word))
}

/// Whether bash runs the step: by `SHELL`, or as the `/bin/sh` of the distribution.
fn is_bash(step: Step<'_>) -> bool {
    let Some(program) = step.shell().words.first() else { return false };
    let family = step.stage().image_facts().and_then(|facts| facts.family.known());
    let has_bash_as_sh = || matches!(family, Some(Family::Rhel | Family::Amazon | Family::Suse | Family::Arch));
    match &**program {
        "/bin/bash" | "bash" | "/usr/bin/bash" => true,
        "/bin/sh" | "sh" => has_bash_as_sh(),
        _ => false,
    }
}

/// Whether a program is all that the script runs: bash puts it in its own place then, as other shells do not.
fn is_alone(command: Command<'_>) -> bool {
    let script = command.script();
    let place = command.place();
    let is_path = || command.word(0).is_some_and(|word| word.bytes().contains(&b'/') && !word.has_substitution());
    script.commands().len() == 1
        && script.compounds().len() == 0
        && script.doubts().len() == 0
        && command.redirects().len() == 0
        && place.after == Connector::None
        && !place.negated
        && (is_program(command) || is_path())
}

/// Whether the system has the program at that path, so that it is none of the project's.
fn is_of_system(path: &str) -> bool {
    const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "busybox", "env"];
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    matches!(directory, "/bin" | "/usr/bin") && SHELLS.contains(&name)
}

/// Whether a command names a file of the image that is none of the system's.
fn is_file_of_image(command: Command<'_>) -> bool {
    command.path().is_some_and(|path| path.contains(['/', '.']) && !is_of_system(path))
}

/// Whether a step may write what lies at `path` as text: a file of the build context, or what a command prints.
fn may_write(step: Step<'_>, path: &str) -> bool {
    match step.keyword() {
        Keyword::Copy | Keyword::Add => {
            let to = step.destination().and_then(|word| step.absolute_arg(word));
            let is_built = matches!(step.copy_source(), Some(CopySource::Stage(_) | CopySource::Image(_)));
            !is_built && to.is_none_or(|to| is_in_directory(path, to.trim_end_matches('/')))
        }
        Keyword::Run => {
            let prints = |command: StepCommand<'_>| {
                let text = command.span().of(&step.model().file.text);
                command.command.redirects().len() > 0 && holds(text, file_name(path).as_bytes())
            };
            step.commands().any(prints)
        }
        _ => false,
    }
}

fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

/// A word as JSON; none for what JSON has no plain way to say.
fn quoted(word: &str) -> Option<String> {
    let is_plain = word.chars().all(|c| !c.is_control());
    is_plain.then(|| format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")))
}
