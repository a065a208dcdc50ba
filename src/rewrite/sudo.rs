//! Steps without `sudo`.

use super::shell::ShellEditor;
use crate::{
    model::{Step, StepCommand, User},
    rule::{Fix, Safety},
    syntax::dockerfile::{Editor, Keyword},
    text::Edit,
};

/// Why an edit is not made.
pub type Refusal = &'static str;

/// Takes `sudo` out of a step: as it is where root runs the step, else between `USER root` and the user again.
///
/// # Errors
/// Why that would be wrong, or cannot be told.
pub fn without_sudo(command: StepCommand<'_>) -> Result<Fix, Refusal> {
    let step = command.step;
    if step.keyword() != Keyword::Run {
        return Err("what starts the container is run by the user of the image: decide who that is");
    }
    if step.is_trigger() {
        return Err("the stages that start from this one decide who runs it");
    }
    match &step.user().user {
        User::Root => as_root(command),
        User::Numeric { .. } | User::Named { .. } => between_users(step),
        User::Unknown(_) => Err("who runs the step is not known: without root it needs `sudo`"),
    }
}

fn as_root(command: StepCommand<'_>) -> Result<Fix, Refusal> {
    let own = plain_edit(command).ok_or("its options or its place in the script do more than becoming root")?;
    let others = command
        .step
        .commands()
        .filter(|other| other.command.name() == Some("sudo") && other.span().start > command.span().start);
    let mut edits = vec![own];
    edits.extend(others.filter_map(plain_edit));
    let keeps_environment = !keeps_plain(command);
    let (safety, reason) = if keeps_environment {
        (Safety::Risky, "root runs the step already; check what the options of `sudo` change for the command")
    } else {
        (Safety::Safe, "root runs the step already")
    };
    Ok(Fix::new("Take `sudo` out", safety, reason, edits))
}

/// Everything in the step is called with `sudo`: it may as well be a step of root.
fn between_users(step: Step<'_>) -> Result<Fix, Refusal> {
    let model = step.model();
    let all: Vec<_> = step.commands().collect();
    let edits: Option<Vec<Edit>> = all.iter().map(|command| plain_edit(*command)).collect();
    let has_blocks = step.scripts().iter().any(|script| script.script.compounds().len() > 0);
    let value = step.user().value.known().filter(|value| !value.is_empty());
    let (Some(mut edits), Some(user)) = (edits.filter(|_| !has_blocks && !all.is_empty()), value) else {
        return Err("not everything in the step is for root: split it, with `USER root` before the part that is");
    };
    let editor = Editor::new(model.file, model.syntax);
    let back = editor.insert_after(step.instruction(), &[format!("USER {user}")]);
    edits.push(editor.insert_before_comments(step.instruction(), &["USER root"]));
    edits.push(back.ok_or("the end of the file cuts the step off")?);
    let reason = "the step is root's as before, with the home and the environment of the build";
    Ok(Fix::new("Run the step as root, without `sudo`", Safety::Risky, reason, edits))
}

/// The edit that takes `sudo` and options that mean nothing to root away from a command.
fn plain_edit(command: StepCommand<'_>) -> Option<Edit> {
    let own = command.command;
    if own.name() != Some("sudo") || !own.is_verbatim() {
        return None;
    }
    let mut words = own.words().skip(1);
    let program = words.find(|word| !matches!(word.bytes(), b"-E" | b"-H" | b"-n" | b"-EH" | b"-HE"))?;
    if program.bytes().starts_with(b"-") {
        return None;
    }
    ShellEditor::of(command)?.remove_between(own.word(0)?.span(), program.span())
}

/// Whether no option stands behind `sudo`.
fn keeps_plain(command: StepCommand<'_>) -> bool {
    command.command.word(1).is_some_and(|word| !word.bytes().starts_with(b"-"))
}
