//! What the start of an image needs of the capabilities that engines give, as far as its files tell.
//!
//! Facts: capabilities(7): a program with marks of its own (`setcap`) is not started where one of them is denied, whoever
//! starts it; `sudo` and `su` become root, and lose what root is denied; kill(2) reaches a process of another user with
//! `KILL` only, which is how an init that root started hands signals on.

use super::{Stage, StartScript, Step, StepCommand, capability, path::file_name};
use crate::{
    context::BuildContext,
    knowledge::{ImageFacts, Start},
    syntax::{
        dockerfile::Keyword,
        shell::{self, Command, CompoundKind, Dialect, Word, Wrapper},
    },
};

/// What an image needs of the capabilities that engines give, once all were taken from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPower {
    /// Where root starts it; or what is not known.
    pub root: Result<RootPower, String>,
    /// Where another user starts it; or what is not known.
    pub user: Result<Vec<String>, String>,
    /// What in it gains privileges that whoever started it did not have, if that is not root.
    pub gains: Option<String>,
}

/// What the start of an image needs where root starts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootPower {
    /// The capabilities, sorted.
    pub names: Vec<String>,
    /// The program that this is known of; none where it holds whatever the start script is handed.
    pub program: Option<String>,
}

/// What a start script needs that gives files away, and its own rights after that.
const TO_STEP_DOWN: [&str; 5] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

/// Programs that are known to ask for what engines give to forge and read packets.
const OF_PACKETS: [&str; 8] = ["ping", "ping6", "arping", "traceroute", "mtr", "tcpdump", "tshark", "nmap"];

/// What a script may start as root beside [`TO_STEP_DOWN`] without any capability more.
const HARMLESS: [&str; 42] = [
    "awk", "basename", "cat", "chgrp", "chmod", "chown", "cp", "curl", "cut", "date", "dirname", "env", "envsubst",
    "find", "getent", "grep", "groupmod", "gosu", "head", "hostname", "id", "install", "ln", "ls", "mkdir", "mv", "nc",
    "rm", "sed", "seq", "sleep", "sort", "stat", "su-exec", "tail", "touch", "tr", "uname", "usermod", "wc", "wget",
    "xargs",
];

/// What every shell does itself.
const BUILTINS: [&str; 32] = [
    ".", ":", "[", "[[", "break", "cd", "command", "continue", "declare", "echo", "eval", "exec", "exit", "export",
    "false", "hash", "let", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift", "source", "test",
    "trap", "true", "type", "umask", "unset",
];

impl Stage<'_> {
    /// What the image made of the stage needs.
    pub fn start_power(self, context: &BuildContext<'_>) -> StartPower {
        let scripts = self.start_scripts(context);
        let marks = self.marks();
        let gains = self.gains(&scripts);
        let user = match (&marks, &gains) {
            (_, Some(gains)) => Err(gains.clone()),
            (Err(reason), None) => Err(reason.clone()),
            (Ok(marks), None) => Ok(self.with_facts(marks, Start::User(None))),
        };
        let root = marks.and_then(|marks| self.root_power(&scripts, &marks));
        StartPower { root, user, gains: gains.or_else(|| self.marked()) }
    }

    /// `marks`, with what is known of its base.
    fn with_facts(self, marks: &[String], start: Start) -> Vec<String> {
        let of_base = self.image_facts().and_then(|facts| facts.needed_capabilities(start)).unwrap_or_default();
        sorted(marks.iter().chain(of_base).cloned())
    }

    fn root_power(self, scripts: &[StartScript], marks: &[String]) -> Result<RootPower, String> {
        let start = self.start_steps();
        let has_entrypoint = start.iter().any(|step| step.keyword() == Keyword::Entrypoint);
        if let Some(facts) = self.image_facts()
            && let Some(program) = program_of_base(facts, &start)
            && facts.needed_capabilities(Start::Root).is_some()
        {
            return Ok(RootPower { names: self.with_facts(marks, Start::Root), program: Some(program) });
        }
        if let [script] = scripts
            && has_entrypoint
            && steps_down(script)
        {
            // Whatever reads the process table as root and lets go of nobody.
            let has_init = start.iter().flat_map(|step| step.commands()).any(is_init);
            let kill = has_init.then_some("KILL");
            let names = TO_STEP_DOWN.into_iter().chain(kill).map(str::to_owned).chain(marks.iter().cloned());
            return Ok(RootPower { names: sorted(names), program: None });
        }
        let path = &self.model().file.path;
        let program = start.iter().flat_map(|step| step.commands()).find_map(StepCommand::name);
        let program = program.map_or_else(|| "its start command".to_owned(), |name| format!("`{}`", file_name(name)));
        Err(format!("`{path}` lets root start it, and which capabilities {program} needs then is not known"))
    }

    /// The capabilities that its Dockerfile writes on files, sorted.
    ///
    /// # Errors
    /// A command that cannot be read, or marks a file with what forges packets.
    fn marks(self) -> Result<Vec<String>, String> {
        let model = self.model();
        let steps = model.stages().flat_map(Stage::steps).filter(|step| step.keyword() == Keyword::Run);
        let mut names = Vec::new();
        for command in steps.flat_map(Step::commands).filter(|command| command.name() == Some("setcap")) {
            let line = model.file.locate(command.span().start).line;
            let marked = marks_of(command.command);
            let marked = marked
                .ok_or_else(|| format!("what `setcap` gives in line {line} of `{}` cannot be read", model.file.path))?;
            if let Some(name) = marked.iter().find(|name| *name == "NET_RAW") {
                return Err(format!("line {line} of `{}` gives a program `{name}`", model.file.path));
            }
            // What no engine gives unasked is given by whoever needs it.
            names.extend(marked.into_iter().filter(|name| capability::is_usual(name)));
        }
        Ok(sorted(names.into_iter()))
    }

    /// The first command that gives a program capabilities of its own, beside that for low ports, which engines let
    /// everybody open.
    fn marked(self) -> Option<String> {
        let model = self.model();
        let steps = model.stages().flat_map(Stage::steps).filter(|step| step.keyword() == Keyword::Run);
        let mut commands = steps.flat_map(Step::commands).filter(|command| command.name() == Some("setcap"));
        let is_for_ports = |names: &Vec<String>| names.iter().all(|name| name == "NET_BIND_SERVICE");
        let command = commands.find(|command| !marks_of(command.command).as_ref().is_some_and(is_for_ports))?;
        let line = model.file.locate(command.span().start).line;
        Some(format!("line {line} of `{}` gives a program capabilities of its own", model.file.path))
    }

    /// What is called at its start that becomes root, or reads the network.
    fn gains(self, scripts: &[StartScript]) -> Option<String> {
        let model = self.model();
        let is_check = |step: &Step<'_>| step.keyword() == Keyword::Healthcheck && !step.is_trigger();
        let check = self.chain().find_map(|stage| stage.steps().rev().find(is_check));
        let steps = self.start_steps().into_iter().chain(check);
        let of_steps = steps.flat_map(Step::commands).find_map(|command| {
            let line = model.file.locate(command.span().start).line;
            gain(command.command).map(|what| (what, line, model.file.path.as_str()))
        });
        let gains = of_steps.or_else(|| {
            scripts.iter().find_map(|script| {
                let command = script.script.every_command().find(|command| gain(*command).is_some())?;
                let line = if command.script().is_inline() { 1 } else { line_in(script, command) };
                Some((gain(command)?, line, script.file.path.as_str()))
            })
        });
        let (what, line, path) = gains?;
        Some(format!("line {line} of `{path}` calls `{what}`, which may need what is taken away"))
    }
}

impl StartPower {
    /// What may be called in a container in the place of its start command, and needs more than nobody's rights.
    pub fn gained_by(words: &[&str]) -> Option<String> {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
        // A text for a shell is one word, and may be the only one.
        let of_shell =
            words.iter().filter(|word| words.len() == 1 || word.contains(' ')).map(|word| (*word).to_owned());
        let mut texts = of_shell.chain([quoted.join(" ")]);
        texts.find_map(|text| {
            let script = shell::parse(text.as_bytes(), Dialect::Posix);
            script.every_command().find_map(gain).map(str::to_owned)
        })
    }
}

/// The program of the base that the image still starts.
fn program_of_base(facts: &ImageFacts, start: &[Step<'_>]) -> Option<String> {
    let own = facts.command.known()?.first()?;
    let [] = start else {
        let [command] = start else { return None };
        let first = command.commands().next()?.command.words().next()?;
        let is_same = command.keyword() == Keyword::Cmd && first.literal().is_some_and(|first| first == own);
        return is_same.then(|| own.clone());
    };
    Some(own.clone())
}

fn is_init(command: StepCommand<'_>) -> bool {
    command.invocation().is_some_and(|invocation| invocation.is_wrapped_by(Wrapper::Init))
}

/// Whether a script hands over to another user, and does nothing else as root but to prepare files.
fn steps_down(script: &StartScript) -> bool {
    let all = || script.script.every_command();
    let hands_over = |command: &Command<'_>| {
        command.invocation().is_some_and(|invocation| {
            invocation.is_wrapped_by(Wrapper::StepDown) && invocation.is_wrapped_by(Wrapper::Exec)
        })
    };
    let is_function = |name: &str| {
        let mut functions = script.script.compounds().filter(|compound| compound.kind() == CompoundKind::Function);
        functions.any(|function| function.words().next().is_some_and(|word| word.bytes() == name.as_bytes()))
    };
    let is_harmless = |command: Command<'_>| {
        if hands_over(&command) {
            return true;
        }
        let Some(invocation) = command.invocation() else { return command.words().next().is_none() };
        match invocation.name() {
            Some(name) => HARMLESS.contains(&name) || BUILTINS.contains(&name) || is_function(name),
            // What it is handed: `exec "$@"` behind the hand-over, which then is not root's.
            None => is_handed(invocation.name_word()),
        }
    };
    all().any(|command| hands_over(&command)) && all().all(is_harmless)
}

fn is_handed(word: Word<'_>) -> bool {
    matches!(word.source(), b"\"$@\"" | b"$@" | b"\"${@}\"")
}

/// The program that a command calls that becomes root, or reads the network.
fn gain(command: Command<'_>) -> Option<&str> {
    let invocation = command.invocation()?;
    if invocation.is_wrapped_by(Wrapper::Elevate) {
        return command.words().next().and_then(Word::literal).map(file_name).or(Some("sudo"));
    }
    let name = invocation.name()?;
    (matches!(name, "su" | "sudo" | "doas" | "newgrp" | "pkexec") || OF_PACKETS.contains(&name)).then_some(name)
}

/// The capabilities that `setcap` writes on a file; none are written by one that takes marks away.
fn marks_of(command: Command<'_>) -> Option<Vec<String>> {
    let invocation = command.invocation()?;
    let mut words = invocation.arguments().map(Word::literal);
    let first = loop {
        match words.next()?? {
            "-r" => return Some(Vec::new()),
            option if option.starts_with('-') => {}
            first => break first,
        }
    };
    let (names, _) = first.split_once(['=', '+', '-'])?;
    let names = names.split(',').map(|name| capability::canonical(name).into_owned());
    let names: Vec<String> = names.collect();
    let are_names = names.iter().all(|name| {
        !name.is_empty() && name != "ALL" && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    });
    are_names.then_some(names)
}

fn line_in(script: &StartScript, command: Command<'_>) -> u32 {
    let before = &script.file.text[..(command.span().start as usize).min(script.file.text.len())];
    1 + memchr::memchr_iter(b'\n', before).count() as u32
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}
