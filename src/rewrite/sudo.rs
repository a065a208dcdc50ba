//! Steps without `sudo`.

use super::shell::ShellEditor;
use crate::{
    model::{Step, StepCommand, User, UserOrigin},
    rule::{Fix, Safety},
    syntax::dockerfile::{Arguments, Editor, Keyword},
    text::{Edit, Span},
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
    let (Some(mut edits), Some(user)) = (edits.filter(|_| !has_blocks && !all.is_empty()), written_user(step)) else {
        return Err("not everything in the step is for root: split it, with `USER root` before the part that is");
    };
    let editor = Editor::new(model.file, model.syntax);
    let idle = idle_user(step);
    edits.push(match idle {
        Some(idle) if idle.runs_as_root() => editor.remove(idle.instruction()).ok_or(CUT_OFF)?,
        Some(idle) => editor.replace(argument_of(idle).ok_or(CUT_OFF)?, "root"),
        None => editor.insert_before_comments(step.instruction(), &["USER root"]),
    });
    let next = beside(step, Step::next);
    if next.is_none_or(|next| next.keyword() != Keyword::User) {
        edits.push(editor.insert_after(step.instruction(), &[format!("USER {user}")]).ok_or(CUT_OFF)?);
    }
    let reason = "the step is root's as before, with the home and the environment of the build";
    let fix = Fix::new("Run the step as root, without `sudo`", Safety::Risky, reason, edits);
    // Of two such steps in a row the second finds the `USER` that the first leaves between them.
    let neighbours = [beside(step, Step::previous), next].into_iter().flatten();
    Ok(neighbours.fold(fix, |fix, neighbour| fix.claiming(model.file.id, neighbour.instruction().span)))
}

const CUT_OFF: Refusal = "the end of the file cuts the step off";

/// The user that runs a step as `USER` names it: with its variable, where that still says the same.
fn written_user(step: Step<'_>) -> Option<String> {
    let user = step.user();
    let value = user.value.known().filter(|value| !value.is_empty())?;
    let UserOrigin::Instruction { stage, span } = user.origin else { return Some(value.to_owned()) };
    let written = std::str::from_utf8(span.of(&step.model().file.text)).ok()?;
    let is_same = stage as usize == step.stage().index()
        && step.expand(written).is_ok_and(|expanded| expanded.known() == Some(value));
    Some(if is_same { written.to_owned() } else { value.to_owned() })
}

/// The `USER` before a step under which nothing else is run, and which no comment speaks of.
fn idle_user(step: Step<'_>) -> Option<Step<'_>> {
    let user = beside(step, Step::previous).filter(|before| before.keyword() == Keyword::User)?;
    let model = step.model();
    let lines = Editor::new(model.file, model.syntax).lines_with_comments(user.instruction())?;
    let above = Span { end: user.instruction().span.start, ..lines };
    above.of(&model.file.text).trim_ascii().is_empty().then_some(user)
}

/// The next step in that direction that runs something or says who does.
fn beside<'m>(step: Step<'m>, towards: impl Fn(Step<'m>) -> Option<Step<'m>>) -> Option<Step<'m>> {
    let only_says = |step: &Step<'m>| {
        matches!(step.keyword(), Keyword::Env | Keyword::Arg | Keyword::Label | Keyword::Expose | Keyword::Maintainer)
    };
    let found = std::iter::successors(towards(step), |&step| towards(step)).find(|step| !only_says(step))?;
    (!found.is_trigger()).then_some(found)
}

fn argument_of(user: Step<'_>) -> Option<Span> {
    match user.arguments() {
        Arguments::Text(argument) => Some(argument.span),
        Arguments::Json(_) | Arguments::Words(_) | Arguments::Assignments(_) | Arguments::None => None,
    }
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
