//! Other modes in place of those that let everybody write, or callers act as the owner.

mod writers;

use super::shell::ShellEditor;
use crate::{
    context::BuildContext,
    knowledge::{Role, StepDown},
    model::{Marks, ModeChange, Stage, Step, StepCommand, User, root_reason_of_script},
    rule::{Fix, Safety},
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::Word,
    },
    text::{Edit, Span, holds},
};

/// Why an edit is not made.
pub type Refusal = &'static str;

const UNSURE: Refusal = "the mode is not written as the shell reads it";

const NOT_PLAIN: Refusal = "what the mode gives to others is not plain";

/// Takes the right to write from everybody but the owner, and gives what is written to the user that runs the image.
///
/// # Errors
/// Why that would be wrong, or cannot be told.
pub fn close_to_others(context: &BuildContext<'_>, step: Step<'_>, change: &ModeChange) -> Result<Fix, Refusal> {
    if matches!(step.keyword(), Keyword::Cmd | Keyword::Entrypoint) {
        return Err("what the container finds at its start, in volumes too, is not known here");
    }
    if step.is_trigger() || step.keyword() == Keyword::Onbuild {
        return Err("the stages that start from this one decide");
    }
    if change.text.starts_with("umask") {
        let edit = in_place(step, change, "umask 000", "022")?;
        let reason = "what the step makes from here on belongs to who makes it: check that nobody else writes there";
        return Ok(Fix::new("Set `umask 022`", Safety::Risky, reason, vec![edit]));
    }
    let made: Vec<String> = touched(step);
    if change.targets.iter().any(|target| made.contains(target)) {
        return Err("the step makes the file only for others to write: give it to the user that does");
    }
    let closed = without_world_write(&change.text).ok_or(NOT_PLAIN)?;
    let mut edits = vec![in_place(step, change, &change.text, &closed)?];
    let title = format!("Use mode `{closed}`");
    if change.targets.iter().all(|target| is_program(target)) && !change.targets.is_empty() && !change.is_recursive {
        let reason = "programs are run, and nobody writes them";
        return Ok(Fix::new(title, Safety::Safe, reason, edits));
    }
    let again = set_again(step, change);
    for again in &again {
        let closed = without_world_write(&again.text).ok_or(NOT_PLAIN)?;
        edits.push(in_place(step, again, &again.text, &closed)?);
    }
    let owner = owner(context, step, change)?;
    let first = again.first().filter(|again| again.span.start < change.span.start).unwrap_or(change);
    if let Some(refusal) = writers::who_needs(step, first, owner.uid()) {
        return Err(refusal);
    }
    match owner {
        Owner::Maker => {
            let reason = "who makes the files still writes them: check that nobody else has to";
            Ok(Fix::new(title, Safety::Risky, reason, edits))
        }
        Owner::Given(_) if step.keyword() != Keyword::Run && step.instruction().flag("chown").is_some() => {
            let reason = "the files have an owner: check that nobody else writes them";
            Ok(Fix::new(title, Safety::Risky, reason, edits))
        }
        Owner::Given(user) => {
            let last = again.iter().chain([change]).max_by_key(|change| change.span.start).unwrap_or(change);
            edits.push(give_to(step, last, &user)?);
            let reason = format!("`{user}` owns the files: check that nobody else writes them");
            Ok(Fix::new(format!("{title}, owned by `{user}`"), Safety::Risky, reason, edits))
        }
    }
}

/// The other modes of the step that let everybody write the same files: one alone would be of no use, or be undone.
fn set_again(step: Step<'_>, change: &ModeChange) -> Vec<ModeChange> {
    if change.targets.is_empty() {
        return Vec::new();
    }
    let mut changes = step.mode_changes();
    changes.retain(|other| {
        other.span != change.span
            && other.mode.is_world_writable()
            && !other.mode.is_sticky()
            && !other.text.starts_with("umask")
            && other.targets == change.targets
    });
    changes
}

/// The files that `touch` makes in a step.
fn touched(step: Step<'_>) -> Vec<String> {
    let touches = step.commands().filter(|command| command.name() == Some("touch"));
    touches
        .flat_map(|command| command.command.arguments().map(|word| word.text().into_owned()).collect::<Vec<_>>())
        .collect()
}

/// Takes the set-uid bit out of a mode.
///
/// # Errors
/// Why that would be wrong, or cannot be told.
pub fn without_set_uid(step: Step<'_>, change: &ModeChange) -> Result<Fix, Refusal> {
    const NEED_IT: [&str; 22] = [
        "sudo",
        "su",
        "doas",
        "gosu",
        "su-exec",
        "newuidmap",
        "newgidmap",
        "fusermount",
        "fusermount3",
        "chrome-sandbox",
        "chrome_sandbox",
        "mount",
        "passwd",
        "crontab",
        "ping",
        "ping6",
        "fping",
        "fping6",
        "tcpdump",
        "dumpcap",
        "traceroute",
        "pppd",
    ];
    if step.keyword() != Keyword::Run {
        return Err("what the container finds at its start, in volumes too, is not known here");
    }
    let name = |target: &String| target.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    if change.targets.iter().any(|target| NEED_IT.contains(&name(target).as_str())) {
        return Err("the program does nothing for an unprivileged user without the bit: leave the program out instead");
    }
    if change.targets.iter().any(|target| name(target).contains("suid") || name(target).contains("setuid")) {
        return Err("by its name the program is there to be set-uid");
    }
    let starts = step.model().target().map(Stage::start_steps).unwrap_or_default();
    let is_started = starts
        .iter()
        .flat_map(|step| step.commands())
        .filter_map(StepCommand::name)
        .any(|program| change.targets.iter().any(|target| name(target) == program));
    if is_started {
        return Err("it is the program that the image starts: what it needs the rights for is not in the files");
    }
    let runs_as_root = step.model().target().is_some_and(|target| target.user().user.is_root());
    if !runs_as_root {
        return Err(
            "the image runs as another user, for whom the bit may be there: give the program the one capability that it needs",
        );
    }
    let plain = without_set_uid_bit(&change.text).ok_or("what else the mode sets is not plain")?;
    let edit = in_place(step, change, &change.text, &plain)?;
    let reason = "callers that are not root lose the rights of the owner: check what the program needs them for";
    Ok(Fix::new(format!("Use mode `{plain}`"), Safety::Risky, reason, vec![edit]))
}

/// `new` in place of `old` where the mode is written: a word of a command, the end of one, a flag of `COPY`.
fn in_place(step: Step<'_>, change: &ModeChange, old: &str, new: &str) -> Result<Edit, Refusal> {
    let model = step.model();
    if step.is_trigger() {
        return Err("the stages that start from this one decide");
    }
    if matches!(step.keyword(), Keyword::Copy | Keyword::Add) {
        let flag = step.instruction().flag("chmod").ok_or(UNSURE)?;
        return Ok(Editor::new(model.file, model.syntax).set_flag(flag, new));
    }
    ShellEditor::of(command_of(step, change).ok_or(UNSURE)?).ok_or(UNSURE)?;
    let written = change.span.of(&model.file.text);
    let digits = old.strip_prefix("umask ").map_or(old, |_| change.text.trim_start_matches("umask "));
    if !written.ends_with(digits.as_bytes()) || written.contains(&b'\n') {
        return Err(UNSURE);
    }
    let start = change.span.end as usize - digits.len();
    Ok(Edit::replace(model.file.id, Span::new(start, change.span.end as usize), new))
}

fn command_of<'m>(step: Step<'m>, change: &ModeChange) -> Option<StepCommand<'m>> {
    step.commands().filter(|command| command.span().covers(change.span)).last()
}

/// Who has to own what only its owner may write.
enum Owner {
    /// Who makes it: root, in an image that runs as root, or the user itself.
    Maker,
    /// Somebody else.
    Given(String),
}

impl Owner {
    /// Its number, if it is not who makes it, and is told by number.
    fn uid(&self) -> Option<u32> {
        match self {
            Owner::Maker => None,
            Owner::Given(user) => user.parse().ok(),
        }
    }
}

fn owner(context: &BuildContext<'_>, step: Step<'_>, change: &ModeChange) -> Result<Owner, Refusal> {
    const UNKNOWN: Refusal = "who runs the image is not known: that user has to own the files";
    let is_elevated = command_of(step, change).is_some_and(|command| command.command.name() == Some("sudo"));
    if is_elevated && !step.runs_as_root() {
        return Err("root owns the files, and another user runs the step: give them to that user");
    }
    let stage = step.stage();
    if !stage.is_exported() {
        return Ok(Owner::Maker);
    }
    let Some(target) = step.model().target() else { return Ok(Owner::Maker) };
    let user = target.user();
    if user.user.is_root() && target.root_reason().is_some() {
        return Err("what starts as root becomes another user, who may write there");
    }
    let starts_script = || {
        let commands = target.start_steps().into_iter().filter_map(|step| step.commands().next());
        commands.filter_map(StepCommand::name).any(|name| name.ends_with(".sh") || name.contains("entrypoint"))
    };
    let is_read = || {
        let scripts = target.start_scripts(context);
        !scripts.is_empty() && scripts.iter().all(|start| root_reason_of_script(&start.script).is_none())
    };
    if user.user.is_root() && starts_script() && !is_read() {
        return Err("the start script may become another user, who may write there");
    }
    if user.user.is_root() && change.targets.iter().any(|target| is_written_by_servers(target)) {
        return Err("a server that gives root up may write there: its user has to own the files");
    }
    // A program of the base image that nobody here knows may start as root and work as somebody else.
    let is_base_started = target.start_steps().is_empty();
    let is_program = target
        .image_facts()
        .is_none_or(|facts| matches!(facts.role.known(), Some(Role::Server | Role::Database | Role::Application)));
    if user.user.is_root() && is_base_started && is_program && !has_known_step_down(target) {
        return Err("the program of the base image may become another user, who may write there");
    }
    if user.user == step.user().user {
        let drops = target.image_facts().and_then(|facts| facts.step_down.known());
        return match drops {
            Some(StepDown::Workers) if user.user.is_root() => workers(step),
            Some(StepDown::None) | None if !starts_servers(target) => Ok(Owner::Maker),
            Some(_) | None if !user.user.is_root() => Ok(Owner::Maker),
            Some(_) | None => Err("a server gives root up, and may write there as another user"),
        };
    }
    if stage.steps().flat_map(Step::commands).any(|command| command.name() == Some("chgrp")) {
        return Err("a group shares files of the image: whoever is in it may write there");
    }
    let takes_number = |step: Step<'_>| {
        step.account_changes().iter().any(|change| change.command.command.words().any(Word::has_variable))
    };
    if stage.chain().flat_map(Stage::steps).any(takes_number) {
        return Err("whoever builds may give the user another number");
    }
    if !step.runs_as_root() {
        return Err("another user than the one that runs the image makes the files");
    }
    match &user.user {
        User::Root => Ok(Owner::Maker),
        User::Unknown(_) => Err(UNKNOWN),
        User::Numeric { .. } | User::Named { .. } => {
            let ids = target.user_ids().map(|ids| ids.uid.to_string());
            ids.map(Owner::Given).ok_or("the number of the user that runs the image is not known")
        }
    }
}

/// Whether it is known how the program of the base image becomes another user, or that it does not.
fn has_known_step_down(target: Stage<'_>) -> bool {
    target.image_facts().is_some_and(|facts| facts.step_down.is_known())
}

/// The identity that the workers of a server have.
fn workers(step: Step<'_>) -> Result<Owner, Refusal> {
    let facts = step.model().target().and_then(Stage::image_facts);
    let identity = facts.and_then(|facts| facts.identity.known()).and_then(Option::as_ref);
    let name = identity.map(|identity| identity.name.clone());
    name.map(Owner::Given).ok_or("the workers of the server may write there as another user")
}

/// Whether the image installs a server that starts as root and works as somebody else.
fn starts_servers(stage: Stage<'_>) -> bool {
    const SERVERS: [&str; 12] = [
        "apache2",
        "httpd",
        "nginx",
        "php",
        "mysql",
        "mariadb",
        "postgresql",
        "redis",
        "supervisor",
        "cron",
        "gosu",
        "su-exec",
    ];
    let may_install = |step: &Step<'_>| step.has_marks(Marks::SERVER) || step.scripts_hold("php");
    stage.chain().flat_map(Stage::steps).filter(may_install).any(|step| {
        step.package_commands().any(|packages| {
            packages
                .call
                .packages()
                .any(|package| SERVERS.iter().any(|server| holds(package.name.as_bytes(), server.as_bytes())))
        })
    })
}

/// The edit that gives the files of `change` to `user`.
fn give_to(step: Step<'_>, change: &ModeChange, user: &str) -> Result<Edit, Refusal> {
    let model = step.model();
    if matches!(step.keyword(), Keyword::Copy | Keyword::Add) {
        return Ok(Editor::new(model.file, model.syntax).add_flag(step.instruction(), &format!("--chown={user}")));
    }
    let command = command_of(step, change).filter(|_| !change.targets.is_empty()).ok_or(UNSURE)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte);
    if !change.targets.iter().all(|target| target.bytes().all(is_plain)) {
        return Err("which files the user that runs the image has to own is not written out");
    }
    let recursive = if change.is_recursive { "-R " } else { "" };
    let chown = format!("chown {recursive}{user} {}", change.targets.join(" "));
    let editor = ShellEditor::of(command).ok_or(UNSURE)?;
    editor.append_to(command.command, &chown).ok_or("the command that sets the mode decides what is run next")
}

/// Whether a path is one where web servers and their applications write.
fn is_written_by_servers(path: &str) -> bool {
    const DIRECTORIES: [&str; 9] =
        ["uploads", "upload", "storage", "cache", "wp-content", "sessions", "session", "media", "www"];
    path.split('/').any(|part| DIRECTORIES.contains(&part))
}

/// Whether a path is that of a program: a script, or something in a directory of programs.
fn is_program(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let directory = parts.next().unwrap_or_default();
    let is_plain = !name.is_empty() && !path.contains(['*', '$']);
    is_plain && (name.ends_with(".sh") || matches!(directory, "bin" | "sbin"))
}

/// The mode with nobody but the owner writing.
fn without_world_write(text: &str) -> Option<String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let bits = u32::from_str_radix(text, 8).ok()?;
        return Some(format!("{:0width$o}", bits & !0o022, width = text.len()));
    }
    let clauses = text.split(',').map(closed_clause).collect::<Option<Vec<_>>>()?;
    let left: Vec<String> = clauses.into_iter().filter(|clause| !clause.is_empty()).collect();
    Some(if left.is_empty() { "u+w".to_owned() } else { left.join(",") })
}

/// One clause of a symbolic mode with nobody but the owner writing; empty where nothing is left of it.
fn closed_clause(clause: &str) -> Option<String> {
    let at = clause.find(['+', '=', '-'])?;
    let (who, operator, letters) = (&clause[..at], &clause[at..=at], &clause[at + 1..]);
    if letters.contains(['+', '=', '-']) {
        return None;
    }
    if operator == "-" || !letters.contains('w') || !who.contains(['o', 'a']) {
        return Some(clause.to_owned());
    }
    let rest = letters.replace('w', "");
    let others: String = if who.contains('a') { "go".into() } else { who.replace('u', "") };
    let owner = who.contains(['u', 'a']).then(|| format!("u{operator}{letters}"));
    let others = (!rest.is_empty() || operator == "=").then(|| format!("{others}{operator}{rest}"));
    match (owner, others) {
        (None, None) => Some(String::new()),
        (Some(only), None) | (None, Some(only)) => Some(only),
        (Some(owner), Some(others)) => Some(format!("{owner},{others}")),
    }
}

/// The mode without the set-uid bit.
fn without_set_uid_bit(text: &str) -> Option<String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let bits = u32::from_str_radix(text, 8).ok()? & !0o4000;
        return Some(format!("{bits:0width$o}", width = text.len().saturating_sub(1)));
    }
    let clauses = text.split(',').map(|clause| {
        let at = clause.find(['+', '=', '-'])?;
        let (who, operator, letters) = (&clause[..at], &clause[at..=at], &clause[at + 1..]);
        if operator == "-" || !letters.contains('s') {
            return Some(clause.to_owned());
        }
        let is_plain = matches!(who, "" | "u" | "a") && !letters.contains(['+', '=', '-']);
        let rest = letters.replace('s', "");
        let plain =
            if rest.is_empty() && operator == "+" { format!("{who}-s") } else { format!("{who}{operator}{rest}") };
        is_plain.then_some(plain)
    });
    clauses.collect::<Option<Vec<_>>>().map(|clauses| clauses.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_writes() {
        for (mode, closed) in [
            ("777", Some("755")),
            ("0777", Some("0755")),
            ("2777", Some("2755")),
            ("666", Some("644")),
            ("007", Some("005")),
            ("a+rw", Some("u+rw,go+r")),
            ("a+rwX", Some("u+rwX,go+rX")),
            ("ugo+rwx", Some("u+rwx,go+rx")),
            ("o+w", Some("u+w")),
            ("go+rw", Some("go+r")),
            ("a+w", Some("u+w")),
            ("g+w,o+w", Some("g+w")),
            ("a=rwx", Some("u=rwx,go=rx")),
            ("u+x,o=w", Some("u+x,o=")),
            ("a+r-w+w", None),
        ] {
            assert_eq!(without_world_write(mode).as_deref(), closed, "{mode}");
        }
    }

    #[test]
    fn callers_stay_who_they_are() {
        for (mode, plain) in [
            ("4755", Some("755")),
            ("04755", Some("0755")),
            ("6755", Some("2755")),
            ("u+s", Some("u-s")),
            ("+s", Some("-s")),
            ("u+xs", Some("u+x")),
            ("u=rwxs,go=rx", Some("u=rwx,go=rx")),
            ("ug+s", None),
        ] {
            assert_eq!(without_set_uid_bit(mode).as_deref(), plain, "{mode}");
        }
    }

    #[test]
    fn programs_are_told_by_their_place() {
        for path in ["/entrypoint.sh", "/usr/local/bin/app", "run.sh"] {
            assert!(is_program(path), "{path}");
        }
        for path in ["/app", "/data/", "bin", "*.sh", "$DIR/x"] {
            assert!(!is_program(path), "{path}");
        }
    }
}
