//! The scripts and commands that a step runs, with the way back to the file.
//!
//! A `RUN` in shell form is one script, with the scripts behind `sh -c` in it; the body of a heredoc is a script, be it
//! run by the shell in force or fed to a shell that a command starts. The JSON form is read as a script of one command.

use super::{
    evaluate::text_of, healthcheck::is_exec, marks::Marks, packages::PackageCommand, programs::Programs, step::Step,
};
use crate::{
    syntax::{
        dockerfile::{Arg, Arguments, Joined, Keyword},
        shell::{
            self, Command, CompoundKind, Dialect, EveryCommand, Invocation, Operator, PieceKind, Quoting, Script, Word,
            dialect_of, dialect_of_shebang,
        },
    },
    text::Span,
};
use std::{borrow::Cow, collections::HashSet, sync::OnceLock};

/// A script that a step runs.
#[derive(Debug)]
pub struct StepScript {
    /// What it says. Its spans are offsets into its own text: [`StepScript::file_span`] leads back to the file.
    pub script: Script,
    /// How it is run.
    pub form: ScriptForm,
    map: Map,
    /// The programs that its commands name, those of inline scripts too.
    programs: Programs,
    marks: Marks,
    /// How many commands it has, those of inline scripts too.
    length: usize,
    /// The names that its commands set, found when they are asked for.
    assigned: OnceLock<HashSet<String>>,
    /// Which of its commands call a package manager, by number, likewise: many rules ask, and most commands do not.
    managers: OnceLock<Vec<u32>>,
    /// Whether one of them verifies what was downloaded.
    verifies: OnceLock<bool>,
}

/// How a script is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScriptForm {
    /// By the shell in force.
    Shell,
    /// As the body of a heredoc, by the shell in force or by what its first line names.
    Heredoc,
    /// Without a shell: one command in JSON form. Nothing in it is expanded.
    Exec,
    /// As the body of a heredoc, by a shell that a command of the script before it starts.
    Fed,
}

/// How offsets of a script lead to the file.
#[derive(Debug)]
enum Map {
    Joined(Joined),
    /// Words of the JSON form: where each starts in the script, and where it is in the file.
    Words(Vec<(u32, Span)>),
}

impl StepScript {
    /// Where `span` of the script lies in the file; a whole word where the file writes it in another way.
    pub fn file_span(&self, span: Span) -> Span {
        match &self.map {
            Map::Joined(joined) => joined.file_span(span.start..span.end),
            Map::Words(words) => {
                let first = words.partition_point(|&(start, _)| start <= span.start).saturating_sub(1);
                let last = words.partition_point(|&(start, _)| start < span.end.max(span.start + 1)).saturating_sub(1);
                match (words.get(first), words.get(last)) {
                    (Some(&(_, first)), Some(&(_, last))) => first.to(last),
                    _ => Span::default(),
                }
            }
        }
    }

    /// Whether the bytes of the script are those of the file, so that a part of it can be edited on its own.
    pub fn is_verbatim(&self) -> bool {
        match self.map {
            Map::Joined(_) => true,
            Map::Words(_) => false,
        }
    }

    /// Whether a command of it may set `name`: an assignment, `read`, `for`, `export`.
    pub(super) fn assigns(&self, name: &str) -> bool {
        self.assigned.get_or_init(|| assigned_in(self)).contains(name)
    }

    fn new(script: Script, form: ScriptForm, map: Map) -> Self {
        let mut programs = Programs::default();
        let mut length = 0;
        for command in script.every_command() {
            length += 1;
            let Some(run) = command.invocation() else { continue };
            programs = run.name().into_iter().fold(programs, Programs::with);
            if !run.is_direct() {
                programs = command.name().into_iter().fold(programs, Programs::with);
            }
            if run.name() == Some("find") {
                programs = command.invocations().filter_map(Invocation::name).fold(programs, Programs::with);
            }
        }
        let marks = Marks::of(&script);
        let (assigned, managers, verifies) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { script, form, map, programs, marks, length, assigned, managers, verifies }
    }

    /// What its commands run, and what it holds.
    pub(super) fn signs(&self) -> (Programs, Marks) {
        (self.programs, self.marks)
    }

    /// Whether it has one of `marks`.
    pub fn has_marks(&self, marks: Marks) -> bool {
        self.marks.meets(marks)
    }

    /// Whether a command of it verifies what was downloaded; `is_verification` says of one whether it does.
    pub(super) fn verifies(&self, is_verification: impl Fn(Command<'_>) -> bool) -> bool {
        *self.verifies.get_or_init(|| self.commands().any(is_verification))
    }

    /// Whether a command of it may run one of `programs`.
    pub fn may_run(&self, programs: Programs) -> bool {
        self.programs.meets(programs)
    }

    /// The commands that call a package manager, with the calls.
    pub(super) fn package_calls(&self) -> impl Iterator<Item = (Command<'_>, PackageCommand<'_>)> {
        let numbered = || self.commands().zip(0_u32..);
        let managers = self.managers.get_or_init(|| {
            if !self.may_run(PackageCommand::PROGRAMS) {
                return Vec::new();
            }
            numbered().filter(|(command, _)| package_call(*command).is_some()).map(|(_, number)| number).collect()
        });
        let commands = (!managers.is_empty()).then(numbered).into_iter().flatten();
        commands
            .filter(|(_, number)| managers.binary_search(number).is_ok())
            .filter_map(|(command, _)| package_call(command))
    }

    /// Its commands in source order, each followed by those of a script that it hands to a shell.
    pub fn commands(&self) -> impl Iterator<Item = Command<'_>> {
        self.script.every_command()
    }
}

fn package_call(command: Command<'_>) -> Option<(Command<'_>, PackageCommand<'_>)> {
    Some((command, PackageCommand::read(command.invocation()?)?))
}

/// A command that a step runs.
#[derive(Clone, Copy, Debug)]
pub struct StepCommand<'m> {
    /// The step.
    pub step: Step<'m>,
    /// The script that holds it.
    pub script: &'m StepScript,
    /// The command.
    pub command: Command<'m>,
}

impl<'m> StepCommand<'m> {
    /// Whether it only runs under a condition of its script (`if`, `case`), which a variable may decide.
    pub fn is_conditional(self) -> bool {
        self.command.blocks().any(|block| matches!(block.kind(), CompoundKind::If | CompoundKind::Case))
    }

    /// Where it lies in the file.
    pub fn span(self) -> Span {
        self.script.file_span(self.command.span())
    }

    /// Where a word of it lies in the file.
    pub fn word_span(self, word: Word<'_>) -> Span {
        self.script.file_span(word.span())
    }

    /// What a word is at run time, as far as that is certain: literal text, and variables that `ARG` and `ENV` decide.
    pub fn value(self, word: Word<'m>) -> Option<Cow<'m, str>> {
        if let Some(text) = word.literal() {
            return Some(Cow::Borrowed(text));
        }
        let is_inline = self.command.script().is_inline();
        if is_inline
            || self.script.form == ScriptForm::Exec
            || word.has_substitution()
            || word.has_glob()
            || word.has_tilde()
        {
            return None;
        }
        let mut value = String::new();
        for piece in word.pieces().filter(|piece| !piece.nested) {
            let text = std::str::from_utf8(self.script.script.bytes(piece.span)).ok()?;
            match piece.kind {
                PieceKind::Text(Quoting::Single) => value.push_str(text),
                PieceKind::Text(Quoting::Bare | Quoting::Double) if !text.contains('\\') => value.push_str(text),
                PieceKind::Variable { name, operator: Operator::None, .. } => value.push_str(self.variable(name)?),
                PieceKind::Text(_)
                | PieceKind::Variable { .. }
                | PieceKind::Substitution(_)
                | PieceKind::Process(_)
                | PieceKind::Arithmetic => return None,
            }
        }
        Some(Cow::Owned(value))
    }

    /// Whether a command of its script may set the variable `name`, so that its value is not that of the environment.
    pub fn assigns(self, name: &str) -> bool {
        self.script.assigns(name)
    }

    /// A variable of the environment that the script does not set itself.
    fn variable(self, name: Span) -> Option<&'m str> {
        let name = std::str::from_utf8(self.script.script.bytes(name)).ok()?;
        if self.script.assigns(name) {
            return None;
        }
        self.step.variable(name)?.value.as_ref()?.known()
    }

    /// What it runs in the end, wrappers such as `sudo` looked through.
    pub fn invocation(self) -> Option<Invocation<'m>> {
        self.command.invocation()
    }

    /// The name of what it runs in the end, if that is literal.
    pub fn name(self) -> Option<&'m str> {
        self.command.invocation()?.name()
    }
}

impl<'m> Step<'m> {
    /// The scripts that a `RUN`, `CMD`, `ENTRYPOINT` or `HEALTHCHECK` runs, each behind the one that runs it.
    pub fn scripts(self) -> &'m [StepScript] {
        self.script_cell().get_or_init(|| scripts_of(self))
    }

    /// The script of the step itself, be it in shell form, a heredoc or the JSON form.
    pub fn script(self) -> Option<&'m StepScript> {
        self.scripts().first()
    }

    /// Whether a script of the step holds `text`: a quick way to see that no command needs a closer look.
    pub fn scripts_hold(self, text: &str) -> bool {
        self.scripts().iter().any(|script| memchr::memmem::find(script.script.text(), text.as_bytes()).is_some())
    }

    /// Whether a script of the step has one of `marks`.
    pub fn has_marks(self, marks: Marks) -> bool {
        self.scripts().iter().any(|script| script.has_marks(marks))
    }

    /// Whether one of its commands may run one of `programs`.
    pub fn may_run(self, programs: Programs) -> bool {
        self.scripts().iter().any(|script| script.may_run(programs))
    }

    /// The commands of those of its scripts that may run one of `programs`, in order; most of them run something else.
    pub fn commands_beside(self, programs: Programs) -> impl Iterator<Item = StepCommand<'m>> {
        let scripts = self.scripts().iter().filter(move |script| script.may_run(programs));
        scripts
            .flat_map(move |script| script.commands().map(move |command| StepCommand { step: self, script, command }))
    }

    /// How many commands it has.
    pub(super) fn command_count(self) -> usize {
        self.scripts().iter().map(|script| script.length).sum()
    }

    /// Every command of every script of the step.
    pub fn commands(self) -> impl Iterator<Item = StepCommand<'m>> {
        StepCommands { step: self, open: None, rest: self.scripts().iter() }
    }

    /// The language of the shell in force.
    pub fn dialect(self) -> Dialect {
        dialect_of(&self.shell().words)
    }
}

/// The commands of the scripts of a step. Every rule walks them for every step, so this is no chain of adapters.
struct StepCommands<'m> {
    step: Step<'m>,
    /// The script being walked, and its commands.
    open: Option<(&'m StepScript, EveryCommand<'m>)>,
    rest: std::slice::Iter<'m, StepScript>,
}

impl<'m> Iterator for StepCommands<'m> {
    type Item = StepCommand<'m>;

    fn next(&mut self) -> Option<StepCommand<'m>> {
        loop {
            if let Some((script, commands)) = &mut self.open
                && let Some(command) = commands.next()
            {
                return Some(StepCommand { step: self.step, script, command });
            }
            let script = self.rest.next()?;
            self.open = Some((script, script.script.every_command()));
        }
    }
}

/// The names that the commands of a script may set.
fn assigned_in(script: &StepScript) -> HashSet<String> {
    let mut names = HashSet::new();
    for command in script.commands() {
        names.extend(command.assignments().map(|assignment| assignment.name().to_owned()));
        if matches!(command.name(), Some("read" | "export" | "declare" | "local" | "typeset" | "unset" | "readonly")) {
            let name = |word: Word<'_>| word.assigned_name().map_or_else(|| word.text().into_owned(), str::to_owned);
            names.extend(command.arguments().map(name));
        }
    }
    names.extend(
        script.script.compounds().filter_map(|compound| compound.words().next()).map(|word| word.text().into_owned()),
    );
    names
}

fn scripts_of(step: Step<'_>) -> Vec<StepScript> {
    if !matches!(step.keyword(), Keyword::Run | Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck) {
        return Vec::new();
    }
    // A script is large, and hardly any step has a second one.
    let mut scripts = Vec::with_capacity(1);
    match step.arguments() {
        Arguments::Json(words) => scripts.extend(exec(words)),
        Arguments::Text(text) => own(step, text, &mut scripts),
        Arguments::Words(words) if step.keyword() == Keyword::Healthcheck => match words.as_slice() {
            [_, command @ ..] if is_exec(command) => scripts.extend(exec(command)),
            [_, text] => own(step, text, &mut scripts),
            [..] => {}
        },
        Arguments::Words(_) | Arguments::Assignments(_) | Arguments::None => {}
    }
    let fed: Vec<_> = scripts.iter().flat_map(|script| fed(step, script)).collect();
    scripts.extend(fed);
    scripts
}

/// The script in shell form, or the heredoc that stands for it.
fn own(step: Step<'_>, text: &Arg<'_>, scripts: &mut Vec<StepScript>) {
    let source = step.model().file.text.as_slice();
    let instruction = step.instruction();
    if let [heredoc] = instruction.heredocs.as_slice()
        && text.span == heredoc.marker
    {
        let body = heredoc.body.of(source);
        let dialect = dialect_of_shebang(body).unwrap_or_else(|| step.dialect());
        let map = Map::Joined(Joined::slice(heredoc.body));
        scripts.push(StepScript::new(shell::parse(body, dialect), ScriptForm::Heredoc, map));
        return;
    }
    let all = instruction.body.text(source);
    // The text of the arguments is a tail of the body, also behind `HEALTHCHECK CMD`.
    let end = instruction.args.end;
    let start = end.saturating_sub(text.text.len() as u32);
    let range =
        if all.get(start as usize..end as usize) == Some(&*text.text) { start..end } else { instruction.args.clone() };
    let joined = instruction.body.part(source, range);
    let script = shell::parse(joined.text(source), step.dialect());
    scripts.push(StepScript::new(script, ScriptForm::Shell, Map::Joined(joined)));
}

/// A script of one command with these words, each quoted.
fn exec(words: &[Arg<'_>]) -> Option<StepScript> {
    let first = words.first()?;
    let mut text = String::new();
    let mut places = Vec::with_capacity(words.len());
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        places.push((text.len() as u32, word.span));
        let word = text_of(word);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'.' | b':');
        if !word.is_empty() && word.bytes().all(is_plain) {
            text.push_str(&word);
            continue;
        }
        text.push('\'');
        text.push_str(&word.replace('\'', "'\\''"));
        text.push('\'');
    }
    debug_assert!(!first.span.is_empty(), "a word of the JSON form has quotes");
    Some(StepScript::new(shell::parse(text.as_bytes(), Dialect::Posix), ScriptForm::Exec, Map::Words(places)))
}

/// The heredocs of the instruction that commands of `script` feed to shells.
fn fed(step: Step<'_>, script: &StepScript) -> Vec<StepScript> {
    let heredocs = &step.instruction().heredocs;
    if heredocs.is_empty() || script.form != ScriptForm::Shell {
        return Vec::new();
    }
    let source = step.model().file.text.as_slice();
    let mut scripts = Vec::new();
    for command in script.script.commands() {
        let Some(dialect) = command.invocation().and_then(|run| Dialect::of_program(run.name()?)) else { continue };
        let Some(redirect) = command.redirects().filter(|redirect| redirect.heredoc().is_some()).last() else {
            continue;
        };
        let marker = script.file_span(redirect.span());
        let Some(heredoc) = heredocs.iter().find(|heredoc| marker.covers(heredoc.marker)) else { continue };
        let map = Map::Joined(Joined::slice(heredoc.body));
        scripts.push(StepScript::new(shell::parse(heredoc.body.of(source), dialect), ScriptForm::Fed, map));
    }
    scripts
}
