//! What a script runs in the end, and what it does before.

use super::{
    Evidence, MOST_PROCESSES, Process, ShellNeed, ShellUse, StartWord,
    hop::{Call, Resolver, shortened},
    word::{Assigned, remember, start_word},
};
use crate::{
    model::path::{self, file_name},
    syntax::shell::{Command, Compound, CompoundKind, Connector, Element, Script, Word, Wrapper},
    text::Span,
};

/// How the places of a script lead to lines of a file.
pub(super) struct Lines<'l> {
    pub(super) path: &'l str,
    pub(super) line: &'l dyn Fn(Span) -> u32,
}

impl Lines<'_> {
    fn evidence(&self, span: Span, shows: String) -> Evidence {
        Evidence { path: self.path.to_owned(), line: (self.line)(span), shows }
    }
}

/// Commands that are part of every shell, or do nothing that a start depends on.
const BUILTINS: [&str; 36] = [
    ".", ":", "[", "alias", "bg", "break", "cd", "continue", "declare", "echo", "eval", "exit", "export", "false",
    "fg", "hash", "jobs", "let", "local", "popd", "printf", "pushd", "pwd", "read", "readonly", "return", "set",
    "shift", "source", "test", "times", "trap", "true", "type", "ulimit", "unset",
];

/// Programs that start another one as somebody else, or as their child.
const HANDING_OVER: [&str; 9] = ["gosu", "su-exec", "setpriv", "runuser", "chpst", "sudo", "doas", "tini", "dumb-init"];

impl Resolver<'_, '_> {
    /// Follows a script; the words of `call` are its arguments.
    pub(super) fn script(&mut self, script: &Script, lines: &Lines<'_>, call: &Call) {
        let Some(last) = last_command(script) else {
            let what = script.compounds().next();
            let shows = match what {
                Some(_) => "decides by a choice or in a loop what is started".to_owned(),
                None => "starts nothing in the place of the shell".to_owned(),
            };
            let span = what.map_or(Span::default(), Compound::span);
            self.startup.unknown = Some(lines.evidence(span, shows));
            self.tell_compounds(script, lines);
            return;
        };
        self.tell_shell(script, last, lines);
        let mut assigned = Assigned::new();
        let mut directory = call.directory.clone();
        let mut arguments = call.words.clone();
        for command in script.commands() {
            if command.index() == last.index() {
                continue;
            }
            remember(self.stage, command, &mut assigned);
            let is_top = command.place().block.is_none();
            match command.name() {
                Some("cd") if is_top => directory = changed(directory.as_deref(), command),
                Some("shift") if is_top && !arguments.is_empty() => {
                    arguments.remove(0);
                }
                Some("set") if command.words().any(|word| word.bytes() == b"--") => {
                    let shows = format!("`{}` may change the arguments", shortened(&text(command)));
                    self.startup.doubts.push(lines.evidence(command.span(), shows));
                }
                Some("eval" | "." | "source") => {
                    let shows = format!("`{}` is not followed", shortened(&text(command)));
                    self.startup.doubts.push(lines.evidence(command.span(), shows));
                }
                _ => {}
            }
            self.tell_before(command, lines, &assigned, call);
        }
        let words = self.words_of(last, lines, &assigned, &arguments, call);
        let mut environment = call.environment.clone();
        for assignment in last.assignments() {
            let name = assignment.name().to_owned();
            let value = match assignment.literal() {
                Some(text) => StartWord::Known(text.to_owned()),
                None => StartWord::Unknown(text(last)),
            };
            environment.push((name, value));
            self.need(ShellUse::Assignment, lines, assignment.span(), last.script());
        }
        environment.extend(exported(script, last));
        if words.is_empty() {
            let shows = "who starts the image says what runs".to_owned();
            self.startup.unknown = Some(lines.evidence(last.span(), shows));
            return;
        }
        let place = lines.evidence(last.span(), format!("`{}`", shortened(&text(last))));
        if place.path != call.place.path || place.line != call.place.line {
            self.startup.hops.push(place.clone());
        }
        self.follow(Call { words, environment, directory, place, ..call.clone() });
    }

    /// The words of a command, each with what a shell is needed for in it.
    fn words_of(
        &mut self,
        command: Command<'_>,
        lines: &Lines<'_>,
        assigned: &Assigned,
        arguments: &[StartWord],
        call: &Call,
    ) -> Vec<StartWord> {
        let mut words = Vec::new();
        for word in command.words() {
            if matches!(word.source(), b"\"$@\"" | b"$@" | b"\"${@}\"" | b"$*" | b"${@}") {
                words.extend(arguments.iter().cloned());
                continue;
            }
            let (word_of_start, need) = start_word(self.stage, assigned, word);
            if let Some(kind) = need {
                self.need(kind, lines, word.span(), command.script());
            }
            words.push(word_of_start);
        }
        // npm hands the arguments of `npm start -- …` to the end of the script.
        if call.is_of_package {
            words.extend(arguments.iter().cloned());
        }
        words
    }

    fn need(&mut self, kind: ShellUse, lines: &Lines<'_>, span: Span, script: &Script) {
        let shows = format!("`{}`", shortened(String::from_utf8_lossy(script.bytes(span)).trim()));
        let need = ShellNeed { kind, evidence: lines.evidence(span, shows) };
        if self.startup.shell.len() < MOST_PROCESSES && !self.startup.shell.contains(&need) {
            self.startup.shell.push(need);
        }
    }

    /// What the shell does around the last command.
    fn tell_shell(&mut self, script: &Script, last: Command<'_>, lines: &Lines<'_>) {
        for command in script.commands() {
            if let Some(redirect) = command.redirects().next() {
                self.need(ShellUse::Redirection, lines, redirect.span(), script);
            }
            let kind = match command.place().after {
                Connector::None | Connector::Newline => None,
                Connector::And | Connector::Or | Connector::Semicolon => Some(ShellUse::List),
                Connector::Background | Connector::Pipe | Connector::PipeAll => Some(ShellUse::Pipe),
            };
            if let Some(kind) =
                kind.filter(|_| command.place().next.is_some() || command.place().after == Connector::Background)
            {
                self.need(kind, lines, command.span(), script);
            } else if command.index() != last.index() && command.place().block.is_none() {
                self.need(ShellUse::List, lines, command.span(), script);
            }
            if command.name().is_some_and(|name| BUILTINS.contains(&name)) && command.place().block.is_none() {
                self.need(ShellUse::Builtin, lines, command.span(), script);
            }
        }
        self.tell_compounds(script, lines);
    }

    fn tell_compounds(&mut self, script: &Script, lines: &Lines<'_>) {
        for compound in script.compounds() {
            let kind = match compound.kind() {
                CompoundKind::Substitution | CompoundKind::ProcessSubstitution => ShellUse::Substitution,
                CompoundKind::Subshell
                | CompoundKind::Group
                | CompoundKind::If
                | CompoundKind::While
                | CompoundKind::Until
                | CompoundKind::For
                | CompoundKind::Select
                | CompoundKind::Case
                | CompoundKind::Function
                | CompoundKind::Test
                | CompoundKind::Arithmetic => ShellUse::Compound,
            };
            self.need(kind, lines, Span { start: compound.span().start, end: compound.span().start }, script);
        }
        for command in script.commands().filter(|command| command.place().block.is_some()) {
            if self.startup.process.is_none() && self.startup.unknown.is_some() {
                let call = Call {
                    words: Vec::new(),
                    environment: Vec::new(),
                    directory: None,
                    is_conditional: true,
                    is_of_package: false,
                    place: lines.evidence(command.span(), String::new()),
                };
                self.tell_before(command, lines, &Assigned::new(), &call);
            }
        }
    }

    /// A program that runs before the last one.
    fn tell_before(&mut self, command: Command<'_>, lines: &Lines<'_>, assigned: &Assigned, call: &Call) {
        let Some(invocation) = command.invocation() else { return };
        let name = invocation.name();
        // `gosu` in a branch is called as one at the end is.
        let wrappers = command.words().take_while(|word| word.span().start < invocation.name_word().span().start);
        for wrapper in wrappers.filter_map(Word::literal).map(file_name).filter(|name| HANDING_OVER.contains(name)) {
            self.launched_by(wrapper);
        }
        if name.is_some_and(|name| BUILTINS.contains(&name) || name == "wait" || name == "exec")
            || self.startup.before.len() >= MOST_PROCESSES
        {
            return;
        }
        let is_of_script = name.is_some_and(|name| {
            command.script().compounds().any(|compound| {
                compound.kind() == CompoundKind::Function
                    && compound.words().next().is_some_and(|word| word.bytes() == name.as_bytes())
            })
        });
        if is_of_script {
            return;
        }
        let words = std::iter::once(invocation.name_word()).chain(invocation.arguments());
        let words = words.map(|word| start_word(self.stage, assigned, word).0).collect();
        let is_conditional = command.place().block.is_some()
            || matches!(command.place().before, Connector::And | Connector::Or)
            || call.is_conditional;
        let evidence = lines.evidence(command.span(), format!("`{}`", shortened(&text(command))));
        let (environment, directory) = (Vec::new(), None);
        self.startup.before.push(Process { words, environment, directory, is_conditional, evidence });
    }
}

/// The command that a script ends in: one that takes the place of the shell, else the last at its top.
fn last_command(script: &Script) -> Option<Command<'_>> {
    let is_exec = |command: &Command<'_>| {
        let takes_place = command.invocation().is_some_and(|invocation| invocation.is_wrapped_by(Wrapper::Exec));
        takes_place && command.word_count() > 1
    };
    let top = || script.commands().filter(|command| command.place().block.is_none());
    if let Some(command) = top().find(|command| is_exec(command) && command.place().before != Connector::Or) {
        return Some(command);
    }
    let is_program = |command: &Command<'_>| {
        command.word_count() > 0
            && !command.name().is_some_and(|name| BUILTINS.contains(&name) || matches!(name, "wait" | "exec"))
    };
    let last = top().rfind(is_program)?;
    // A loop or a condition behind it is what the shell is busy with then.
    let ends = script.compounds().filter(|compound| compound.place().block.is_none() && compound.owner().is_none());
    let is_last = ends
        .filter(|compound| !matches!(compound.kind(), CompoundKind::Function | CompoundKind::Test))
        .all(|compound| compound.span().start < last.span().end);
    let is_stage_of_pipe = matches!(last.place().previous, Some(Element::Compound(_))) && last.place().before.is_pipe();
    (is_last && !is_stage_of_pipe).then_some(last)
}

/// What `export NAME=value` at the top of a script sets for the last command.
fn exported(script: &Script, last: Command<'_>) -> Vec<(String, StartWord)> {
    let before = script.commands().take_while(|command| command.index() != last.index());
    let exports = before.filter(|command| command.name() == Some("export") && command.place().block.is_none());
    let words = exports.flat_map(Command::arguments);
    let set = words.filter_map(|word| {
        let name = word.assigned_name()?.to_owned();
        let value = match word.literal().and_then(|text| text.split_once('=')) {
            Some((_, value)) => StartWord::Known(value.to_owned()),
            None => StartWord::Unknown(String::from_utf8_lossy(word.source()).into_owned()),
        };
        Some((name, value))
    });
    set.collect()
}

/// The directory behind a `cd`.
pub(in crate::model) fn changed(directory: Option<&str>, command: Command<'_>) -> Option<String> {
    let to = command.arguments().find(|word| !word.bytes().starts_with(b"-"))?.literal()?;
    if to.starts_with('/') { Some(path::join("/", to)) } else { directory.map(|directory| path::join(directory, to)) }
}

fn text(command: Command<'_>) -> String {
    String::from_utf8_lossy(command.script().bytes(command.span())).split_whitespace().collect::<Vec<_>>().join(" ")
}
