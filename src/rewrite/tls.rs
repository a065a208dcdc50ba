//! Edits that have a program check again who answers.

use super::shell::ShellEditor;
use crate::{
    knowledge::Family,
    model::{
        Stage, Step, StepCommand, StepPackages, Unverified,
        packages::{Action, Manager},
    },
    rule::{Fix, Safety},
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::Word,
    },
    text::Edit,
};

/// Why an edit is not made.
pub type Refusal = String;

/// So many calls of package managers are looked at for one command.
const MOST_CALLS: usize = 500;

const REASON: &str = "where a server has its certificate from a CA of its own, the image needs that CA first \
                      (`COPY ca.crt /usr/local/share/ca-certificates/`, `RUN update-ca-certificates`)";

/// Takes out what keeps a program from checking.
///
/// # Errors
/// Why that would be wrong, or cannot be told.
pub fn verify(step: Step<'_>, off: &Unverified) -> Result<Fix, Refusal> {
    let title = "Check who answers";
    match step.keyword() {
        Keyword::Env | Keyword::Arg => {
            let edit = without_variable(step).ok_or("take the variable out by hand: others are set beside it")?;
            Ok(Fix::new(title, Safety::Risky, REASON, vec![edit]))
        }
        Keyword::Run => {
            let command = step.commands().filter(|command| command.span().covers(off.span)).last();
            let command = command.ok_or("the script is not written as the shell reads it")?;
            if let Some(host) = private_host(command) {
                return Err(format!("nobody outside vouches for `{host}`: give the image the CA of that server first"));
            }
            if off.program == "pip" && command.command.words().any(|word| word.text().contains("http://")) {
                return Err("pip takes packages over plain HTTP only from a host that it is told to trust".to_owned());
            }
            if step.stage().is_of_ended_distribution() {
                return Err(
                    "the distribution has ended, and the authorities that it trusts may be too old for the server"
                        .to_owned(),
                );
            }
            if lacks_authorities(command) {
                return Err("`ca-certificates` is installed by nothing that can be seen: install it first".to_owned());
            }
            let edit = without_switch(command, off).ok_or("the script is not written as the shell reads it")?;
            let mut edits = vec![edit];
            edits.extend(missing_authorities(command));
            let reason = match edits.len() {
                1 => REASON.to_owned(),
                _ => format!("`ca-certificates`, which nothing installs, comes along; {REASON}"),
            };
            Ok(Fix::new(title, Safety::Risky, reason, edits))
        }
        _ => Err("what the container connects to when it runs is not known here".to_owned()),
    }
}

/// The edit that takes an `ENV` or `ARG` of one variable out.
fn without_variable(step: Step<'_>) -> Option<Edit> {
    let model = step.model();
    let is_alone = step.assigned().len() == 1 && !step.is_trigger();
    is_alone.then(|| Editor::new(model.file, model.syntax).remove(step.instruction())).flatten()
}

fn without_switch(command: StepCommand<'_>, off: &Unverified) -> Option<Edit> {
    let editor = ShellEditor::of(command)?;
    let script = command.script;
    if let Some(assignment) = command.command.assignments().find(|each| script.file_span(each.span()) == off.span) {
        let is_own = command.command.word_count() == 0;
        let behind = command.command.words().next().filter(|_| command.command.assignments().len() == 1);
        return match behind {
            _ if is_own => editor.remove_command(command.command),
            Some(word) => editor.remove_between(assignment.span(), word.span()),
            None => editor.remove_span(assignment.span()),
        };
    }
    let words: Vec<Word<'_>> = command.command.words().collect();
    let at = words.iter().position(|word| command.word_span(*word) == off.span)?;
    let word = words[at];
    let text = word.literal()?;
    let before = at.checked_sub(1).map(|at| words[at]);
    if let Some(option) = before.filter(|_| !text.starts_with('-')).filter(|option| takes_settings(option.bytes())) {
        return editor.remove(option, word);
    }
    if matches!(text, "--trusted-host" | "--allow-insecure-host" | "--insecure-host" | "--strict-ssl") {
        return editor.remove(word, *words.get(at + 1)?);
    }
    if text.starts_with("--") || text == "-k" || text.starts_with("-o") {
        return editor.remove(word, word);
    }
    if let Some(cluster) = text.strip_prefix('-') {
        return editor.replace(word, format!("-{}", cluster.replacen('k', "", 1)));
    }
    let is_all = command.step.commands().count() == 1;
    let model = command.step.model();
    match editor.remove_command(command.command) {
        None if is_all => Editor::new(model.file, model.syntax).remove(command.step.instruction()),
        edit => edit,
    }
}

/// Whether the word behind an option is a setting.
fn takes_settings(option: &[u8]) -> bool {
    matches!(option, b"-c" | b"-o" | b"--option" | b"--setopt" | b"--config")
}

/// A host that the command talks to and that no public authority certifies: an address, a name within a network.
fn private_host(command: StepCommand<'_>) -> Option<String> {
    const SUFFIXES: [&str; 8] = [".local", ".internal", ".corp", ".lan", ".intranet", ".home", ".test", ".localdomain"];
    command.command.arguments().find_map(|word| {
        let text = word.text().into_owned();
        let rest = text.split_once("://").map(|(_, rest)| rest)?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit('@').next()?.split(':').next()?;
        let is_address = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_private = is_address || SUFFIXES.iter().any(|suffix| host.ends_with(suffix)) || !host.contains('.');
        let is_written = !host.is_empty() && !host.contains(['$', '{', '(']);
        (is_written && is_private || authority.starts_with('[')).then(|| host.to_owned())
    })
}

/// Whether a program trusts the authorities that the system has in a package of its own.
fn reads_authorities_of_system(command: StepCommand<'_>) -> bool {
    matches!(command.name(), Some("curl" | "wget" | "git" | "aria2c"))
}

/// Whether a stage below installs the program without what it recommends, so that nothing brings the authorities.
fn lacks_authorities(command: StepCommand<'_>) -> bool {
    let reads_system = reads_authorities_of_system(command);
    let stage = command.step.stage();
    if !reads_system || stage.names_package(Manager::Apt, "ca-certificates") {
        return false;
    }
    let mut below = stage.chain().skip(1).flat_map(Stage::steps).flat_map(Step::package_commands).take(MOST_CALLS);
    below.any(|packages| {
        packages.call.manager == Manager::Apt
            && packages.call.action == Action::Install
            && packages.call.has_option(&["--no-install-recommends"])
            && packages.call.packages().any(|package| Some(package.name) == command.name())
    })
}

/// The edit that installs `ca-certificates` with the packages that are installed before, where a slim system has none, or
/// where it is not known to have them and the program is installed without what it recommends.
fn missing_authorities(command: StepCommand<'_>) -> Option<Edit> {
    let reads_system = reads_authorities_of_system(command);
    let stage = command.step.stage();
    if !reads_system || stage.names_package(Manager::Apt, "ca-certificates") {
        return None;
    }
    let family = stage.image_facts().and_then(|facts| facts.family.known().copied());
    let installs = |packages: &StepPackages<'_>| {
        packages.call.manager == Manager::Apt
            && packages.call.action == Action::Install
            && packages.at.span().start < command.span().start
    };
    let brings_program =
        |packages: &&StepPackages<'_>| packages.call.packages().any(|package| Some(package.name) == command.name());
    let calls: Vec<_> = stage.steps().flat_map(Step::package_commands).take(MOST_CALLS).filter(installs).collect();
    let of_program = calls.iter().rfind(brings_program);
    let install = match family {
        Some(Family::Debian | Family::Ubuntu) => of_program.or(calls.last())?,
        Some(_) => return None,
        // A base without the program is not known to have the authorities that come with it.
        None => of_program?,
    };
    if !install.call.has_option(&["--no-install-recommends"]) {
        return None;
    }
    let edits = ShellEditor::of(install.at)?.add_to_list(&install.call.operands, &["ca-certificates"]);
    edits.into_iter().next()
}
