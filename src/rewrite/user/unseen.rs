//! What starts an image and is not seen: a script or a configuration of a build context that is not there, a program that
//! an installer put somewhere.
//!
//! Whoever starts as root for years may do there what only root may: change `/etc`, own volumes, start services, keep
//! its state beside itself. Reading it would tell.

use super::{Obstacle, obstacle};
use crate::{
    context::BuildContext,
    model::{Process, ShellUse, Stage, StartWord, Startup, Step, StepCommand, file_name, join_path},
    syntax::{dockerfile::Keyword, shell::Invocation},
};

/// Why nobody can tell what the start of an image writes.
pub(super) fn unseen_obstacle(context: &BuildContext<'_>, target: Stage<'_>) -> Result<(), Obstacle> {
    let startup = target.startup(context);
    if let Some(script) = unseen_script(context, target, &startup) {
        return Err(format!(
            "{script}: it starts the image, and may write where only root may, or become another user"
        )
        .into());
    }
    let processes = || startup.before.iter().chain(&startup.process);
    if let Some(file) = processes().find_map(|process| unseen_configuration(context, target, process)) {
        return Err(format!("`{file}` could not be read, which may tell its program where to write").into());
    }
    match installed(target) {
        Some(line) => {
            Err(format!("what the installer in line {line} installs may keep its state beside itself").into())
        }
        None => Ok(()),
    }
}

/// Why the start of the image of `target` may need whatever is in it, unless something else starts it: a sentence.
pub fn needs_all(context: &BuildContext<'_>, target: Stage<'_>) -> Option<String> {
    if let Some(tool) = obstacle::built_at_start(target) {
        return Some(format!("`{tool}` builds when the container starts, with what the image holds"));
    }
    let script = unseen_script(context, target, &target.startup(context))?;
    Some(format!("{script}: it starts the image, and may need whatever that holds"))
}

fn unseen_script(context: &BuildContext<'_>, target: Stage<'_>, startup: &Startup) -> Option<String> {
    let runs_script = startup.shell.iter().any(|need| need.kind == ShellUse::Script);
    if let Some(unknown) = startup.unknown.as_ref().filter(|_| runs_script) {
        return Some(unknown.shows.clone());
    }
    let mut processes = startup.before.iter().chain(&startup.process);
    let script = processes.find_map(|process| script_of(context, target, process))?;
    Some(format!("the script `{script}` could not be read"))
}

/// The program of `process`, where it is a script that is not in the build context.
fn script_of(context: &BuildContext<'_>, target: Stage<'_>, process: &Process) -> Option<String> {
    let program = process.words.first().and_then(StartWord::known)?;
    let is_of_base = || {
        let facts = target.image_facts();
        let entrypoint = facts.and_then(|facts| facts.entrypoint.known());
        let is_own = entrypoint.is_some_and(|words| words.iter().any(|word| file_name(word) == file_name(program)));
        // A base that is made for another user than root brings scripts that do without root.
        let user = facts.and_then(|facts| facts.user.known());
        is_own || !program.contains('/') && user.is_some_and(|user| user.uid.is_some_and(|uid| uid != 0))
    };
    let directory = process.directory.as_deref().unwrap_or("/");
    let is_seen = || target.context_program(context, program, directory).is_some();
    (is_named_like_script(program) && !KNOWN.contains(&file_name(program)) && !is_of_base() && !is_seen())
        .then(|| program.to_owned())
}

/// Scripts that are known: those of Tomcat, and those that wait for a port.
const KNOWN: [&str; 6] = ["catalina.sh", "startup.sh", "wait-for-it.sh", "wait-for.sh", "wait-for-it", "wait-for"];

/// Whether a program is certainly or likely a script for a shell, as its name tells.
fn is_named_like_script(program: &str) -> bool {
    let name = file_name(program);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_of_shell = matches!(extension, "sh" | "bash" | "ash" | "ksh");
    let parts = || stem.split(['-', '_', '.']);
    let is_of_start = || parts().any(|part| STARTS.contains(&part));
    is_of_shell || extension.is_empty() && (stem.contains("entrypoint") || program.contains('/') && is_of_start())
}

/// What scripts that start something are called.
const STARTS: [&str; 13] = [
    "start",
    "startup",
    "run",
    "runner",
    "init",
    "launch",
    "launcher",
    "boot",
    "bootstrap",
    "cmd",
    "setup",
    "entry",
    "wrapper",
];

/// A configuration that `process` is told to read, from a build context that is not seen.
fn unseen_configuration(context: &BuildContext<'_>, target: Stage<'_>, process: &Process) -> Option<String> {
    let directory = process.directory.as_deref().unwrap_or("/");
    let words = process.words.iter().skip(1).filter_map(StartWord::known);
    let named = words.map(|word| word.split_once('=').map_or(word, |(_, value)| value));
    let mut unseen = named.filter(|word| {
        let extension = word.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_configuration = matches!(extension, "conf" | "cfg" | "cnf" | "ini" | "properties" | "xml");
        is_configuration
            && target.ships(&join_path(directory, word))
            && target.context_program(context, word, directory).is_none()
    });
    unseen.next().map(str::to_owned)
}

/// The line of an installer that brings a program with files of its own, which nobody here knows.
fn installed(target: Stage<'_>) -> Option<u32> {
    let is_installer = |command: &StepCommand<'_>| {
        let mut words = command.command.words().map(|word| word.text().to_ascii_lowercase());
        let is_java =
            command.name() == Some("java") && words.any(|word| word.contains("install") && word.ends_with(".jar"));
        let path = command.invocation().and_then(Invocation::path);
        is_java || path.is_some_and(|path| path.contains('/') && path.ends_with(".run"))
    };
    let steps = target.chain_steps().filter(|step| step.keyword() == Keyword::Run);
    let command = steps.flat_map(Step::commands).find(is_installer)?;
    Some(target.model().file.locate(command.span().start).line)
}
