//! The hops from a start command to its process: wrappers, shells, scripts, runners of environments.

use super::{Process, ShellNeed, ShellUse, StartWord, Startup, script::Lines};
use crate::{
    context::{BuildContext, Found},
    model::{Evidence, path::file_name, shipped::extension, stage::Stage, step::Step},
    syntax::shell::{self, Dialect, Wrapper, dialect_of_shebang},
    text::Span,
};
use std::borrow::Cow;

/// So many scripts, wrappers and package managers are followed.
const MOST_HOPS: usize = 24;

/// A process on its way to be found.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) words: Vec<StartWord>,
    pub(super) environment: Vec<(String, StartWord)>,
    pub(super) directory: Option<String>,
    pub(super) is_conditional: bool,
    /// Whether a package manager runs it, which finds the programs of packages by name.
    pub(super) is_of_package: bool,
    pub(super) place: Evidence,
}

/// Where a call leads.
pub(super) enum Hop {
    /// On to another call.
    To(Call),
    /// It is the process.
    End(Call),
    /// The startup was told already.
    Told,
}

pub(super) struct Resolver<'s, 'm> {
    pub(super) stage: Stage<'m>,
    pub(super) context: &'s BuildContext<'s>,
    pub(super) startup: Startup,
    hops: usize,
}

impl<'s, 'm> Resolver<'s, 'm> {
    pub(super) fn new(stage: Stage<'m>, context: &'s BuildContext<'s>) -> Self {
        Self { stage, context, startup: Startup::default(), hops: 0 }
    }

    /// The line of a step.
    pub(super) fn place(&self, step: Step<'_>) -> Evidence {
        let path = self.stage.model().file.path.clone();
        Evidence { path, line: step.instruction().lines.0, shows: format!("`{}`", shortened(&self.text_of(step))) }
    }

    fn text_of(&self, step: Step<'_>) -> String {
        let text = step.instruction().span.of(&self.stage.model().file.text);
        String::from_utf8_lossy(text).split_whitespace().filter(|word| *word != "\\").collect::<Vec<_>>().join(" ")
    }

    fn directory(&self) -> Option<String> {
        self.stage.workdir().path.known().map(str::to_owned)
    }

    pub(super) fn words(&mut self, words: Vec<StartWord>, place: Evidence) {
        self.startup.hops.push(place.clone());
        let directory = self.directory();
        let (environment, is_conditional, is_of_package) = (Vec::new(), false, false);
        self.follow(Call { words, environment, directory, is_conditional, is_of_package, place });
    }

    /// A start command in shell form.
    pub(super) fn step_script(&mut self, step: Step<'m>) {
        let Some(script) = step.script() else { return };
        let place = self.place(step);
        self.startup.hops.push(place.clone());
        if !script.script.dialect().is_bourne() {
            self.startup.unknown = Some(Evidence { shows: "a shell that is not read runs it".to_owned(), ..place });
            return;
        }
        let file = self.stage.model().file;
        let line = |span| file.locate(script.file_span(span).start).line;
        let lines = Lines { path: &file.path, line: &line };
        let (environment, is_conditional, is_of_package) = (Vec::new(), false, false);
        let directory = self.directory();
        let call = Call { words: Vec::new(), environment, directory, is_conditional, is_of_package, place };
        self.script(&script.script, &lines, &call);
    }

    /// Follows a call to its process.
    pub(super) fn follow(&mut self, mut call: Call) {
        loop {
            self.hops += 1;
            if self.hops > MOST_HOPS {
                self.startup.unknown = Some(Evidence { shows: "too many hops".to_owned(), ..call.place });
                return;
            }
            match self.hop(call) {
                Hop::To(next) => call = next,
                Hop::End(call) => {
                    self.startup.process = Some(call.process());
                    return;
                }
                Hop::Told => return,
            }
        }
    }

    /// One step towards the process.
    fn hop(&mut self, call: Call) -> Hop {
        let call = self.unwrapped(call);
        let Some(program) = call.words.first().and_then(StartWord::known).map(str::to_owned) else {
            return Hop::End(call);
        };
        let name = file_name(&program);
        if Dialect::of_program(name).is_some_and(Dialect::is_bourne) {
            return self.shell(call);
        }
        if let Some(hop) = self.node(name, &call) {
            return hop;
        }
        if let Some(next) = self.environment_runner(name, &call) {
            return Hop::To(next);
        }
        let directory = call.directory.clone().unwrap_or_else(|| "/".to_owned());
        match self.stage.context_program(self.context, &program, &directory) {
            Some(file) => self.file(&file, call),
            None => Hop::End(call),
        }
    }

    /// `sh -c script`, `bash start.sh`.
    fn shell(&mut self, call: Call) -> Hop {
        let name = call.words[0].known().map(file_name).unwrap_or_default().to_owned();
        let dialect = Dialect::of_program(&name).unwrap_or(Dialect::Posix);
        let mut at = 1;
        let mut is_inline = false;
        while let Some(option) =
            call.words.get(at).and_then(StartWord::known).filter(|word| word.starts_with(['-', '+']))
        {
            is_inline |= option.starts_with('-') && !option.starts_with("--") && option.contains('c');
            at += if matches!(option, "-o" | "+o" | "-eo" | "-euo" | "-exo" | "-euxo" | "--rcfile") { 2 } else { 1 };
        }
        let Some(word) = call.words.get(at).cloned() else { return Hop::End(call) };
        let Some(text) = word.known() else { return Hop::End(call) };
        self.launched_by(&name);
        if is_inline {
            let rest: Vec<StartWord> = call.words.iter().skip(at + 2).cloned().collect();
            let script = shell::parse(text.as_bytes(), dialect);
            let line = call.place.line;
            let path = call.place.path.clone();
            let lines = Lines { path: &path, line: &|_| line };
            self.script(&script, &lines, &Call { words: rest, ..call });
            return Hop::Told;
        }
        let directory = call.directory.clone().unwrap_or_else(|| "/".to_owned());
        let path = if text.contains('/') { text.to_owned() } else { format!("./{text}") };
        let Some(file) = self.stage.context_program(self.context, &path, &directory) else {
            let shows = format!("the script `{text}` could not be read");
            self.startup.unknown = Some(Evidence { shows, ..call.place.clone() });
            let evidence = Evidence { shows: format!("`{text}`"), ..call.place };
            self.startup.shell.push(ShellNeed { kind: ShellUse::Script, evidence });
            return Hop::Told;
        };
        let arguments = call.words.iter().skip(at + 1).cloned().collect();
        self.script_file(&file, dialect_of_shebang(&file.text).unwrap_or(dialect), Call { words: arguments, ..call });
        Hop::Told
    }

    /// A program of the build context: a script for a shell, one for something else, or the end.
    fn file(&mut self, file: &Found, call: Call) -> Hop {
        let first = file.text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let first = String::from_utf8_lossy(&first[..first.len().min(256)]).trim_end().to_owned();
        let dialect = dialect_of_shebang(&file.text);
        let is_shell =
            dialect.is_some_and(Dialect::is_bourne) || !first.starts_with("#!") && is_named_like_script(file);
        if is_shell {
            self.launched_by(dialect.map_or("sh", |_| interpreter(&first).unwrap_or("sh")));
            let arguments = call.words.iter().skip(1).cloned().collect();
            self.script_file(file, dialect.unwrap_or(Dialect::Posix), Call { words: arguments, ..call });
            return Hop::Told;
        }
        let Some(interpreter) = interpreter(&first) else { return Hop::End(call) };
        let shows = format!("`{first}`: `{interpreter}` runs it");
        self.startup.hops.push(Evidence { path: file.path.clone(), line: 1, shows });
        let mut words = vec![StartWord::Known(interpreter.to_owned())];
        words.extend(call.words);
        Hop::End(Call { words, ..call })
    }

    fn script_file(&mut self, file: &Found, dialect: Dialect, call: Call) {
        let evidence = Evidence { path: file.path.clone(), line: 1, shows: "a script starts it".to_owned() };
        self.startup.hops.push(evidence.clone());
        self.startup.shell.push(ShellNeed { kind: ShellUse::Script, evidence: evidence.clone() });
        let script = shell::parse(&file.text, dialect);
        let text = file.text.clone();
        let line = move |span: Span| {
            1 + memchr::memchr_iter(b'\n', &text[..(span.start as usize).min(text.len())]).count() as u32
        };
        let lines = Lines { path: &file.path, line: &line };
        self.script(&script, &lines, &Call { place: evidence, ..call });
    }

    /// `uv run`, `poetry run`: what they run has the packages of the project.
    fn environment_runner(&mut self, name: &str, call: &Call) -> Option<Call> {
        if !matches!(name, "uv" | "poetry" | "pipenv" | "pdm" | "rye" | "hatch" | "pixi") {
            return None;
        }
        let words: Vec<&str> = call.words.iter().map(|word| word.known().unwrap_or_default()).collect();
        let run = words.iter().position(|word| *word == "run")?;
        let mut at = run + 1;
        while let Some(option) = words.get(at).filter(|word| word.starts_with('-')) {
            at += 1;
            if *option == "--" {
                break;
            }
            let takes_value = matches!(
                *option,
                "--with"
                    | "--extra"
                    | "--group"
                    | "--python"
                    | "-p"
                    | "--env-file"
                    | "--project"
                    | "--directory"
                    | "-e"
            );
            at += usize::from(takes_value);
        }
        let first = *words.get(at)?;
        self.launched_by(name);
        let shows = format!("`{name} run` runs `{first}` with the packages of the project");
        self.startup.hops.push(Evidence { shows, ..call.place.clone() });
        let mut next: Vec<StartWord> = call.words[at..].to_vec();
        if name == "uv" && extension(first) == "py" {
            next.insert(0, StartWord::Known("python".to_owned()));
        }
        Some(Call { words: next, ..call.clone() })
    }

    /// Without `exec`, `env`, `tini` and the like.
    fn unwrapped(&mut self, mut call: Call) -> Call {
        // The words as a script of one command, so that there is one reader of wrappers.
        // Quotes keep `env` from seeing `NAME=value`, and the first word from being one.
        let is_plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-./:=,@+".contains(&c))
        };
        let quoted = |(at, word): (usize, &StartWord)| match word.known() {
            Some(text) if at > 0 && is_plain(text) => text.to_owned(),
            Some(text) => format!("'{}'", text.replace('\'', "'\\''")),
            None => format!("\"$unknown_{at}\""),
        };
        let text: Vec<String> = call.words.iter().enumerate().map(quoted).collect();
        let script = shell::parse(text.join(" ").as_bytes(), Dialect::Bash);
        let Some(invocation) = script.commands().next().and_then(shell::Command::invocation) else { return call };
        let start = call.words.len().checked_sub(invocation.arguments().len() + 1);
        let Some(start) = start.filter(|&start| start > 0 && start < call.words.len()) else { return call };
        if invocation.is_wrapped_by(Wrapper::Env) {
            for word in &call.words[..start] {
                if let Some((name, value)) = word.known().and_then(|word| word.split_once('=')).filter(|_| true)
                    && !name.starts_with('-')
                {
                    call.environment.push((name.to_owned(), StartWord::Known(value.to_owned())));
                }
            }
        }
        for word in call.words[..start].iter().filter_map(StartWord::known) {
            let name = file_name(word);
            let is_program = !matches!(name, "exec" | "command" | "builtin") && !word.starts_with('-');
            if is_program && is_wrapper(name) {
                self.launched_by(name);
            }
        }
        call.words.drain(..start);
        call
    }

    pub(super) fn launched_by(&mut self, name: &str) {
        if !self.startup.launchers.iter().any(|known| known == name) {
            self.startup.launchers.push(name.to_owned());
        }
    }
}

impl Call {
    fn process(self) -> Process {
        let Self { words, environment, directory, is_conditional, place, .. } = self;
        Process { words, environment, directory, is_conditional, evidence: place }
    }
}

/// The program that a first line `#!…` names, without its directory.
fn interpreter(first: &str) -> Option<&str> {
    let mut words = first.strip_prefix("#!")?.split_whitespace();
    let program = file_name(words.next()?);
    if program != "env" {
        return Some(program);
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(file_name)
}

fn is_named_like_script(file: &Found) -> bool {
    let name = file_name(&file.path);
    let is_text = !file.text.iter().take(512).any(|&byte| byte == 0);
    is_text && (name.ends_with(".sh") || name.ends_with(".bash") || !name.contains('.'))
}

fn is_wrapper(name: &str) -> bool {
    matches!(
        name,
        "env"
            | "tini"
            | "dumb-init"
            | "gosu"
            | "su-exec"
            | "setpriv"
            | "runuser"
            | "chpst"
            | "sudo"
            | "doas"
            | "nohup"
            | "timeout"
            | "nice"
            | "ionice"
            | "time"
            | "stdbuf"
            | "xvfb-run"
            | "setsid"
            | "chroot"
            | "xargs"
            | "busybox"
    )
}

/// A text of one line, cut where it is long.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
        None => Cow::Borrowed(text),
    }
}
