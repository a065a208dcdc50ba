//! Hands a build secret to a `RUN`.

use super::carrier::Reader;
use crate::{
    model::{Allowed, Builder, Feature, Mount, MountKind, ScriptForm, Step, User},
    source::SourceFile,
    syntax::{
        dockerfile::Editor,
        shell::{Connector, Element, Script},
    },
    text::{Edit, Span},
};

/// How a `RUN` is given a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As a variable: `env=`.
    Variable,
    /// As a file, which the script reads into the variable.
    File,
}

/// The form that whoever builds the file takes.
///
/// # Errors
/// Why it takes none.
pub(super) fn form(builder: &Builder) -> Result<Form, String> {
    if matches!(builder.allows(Feature::SecretEnv), Allowed::Yes(_)) {
        return Ok(Form::Variable);
    }
    match builder.allows(Feature::RunMount) {
        Allowed::Yes(_) => Ok(Form::File),
        Allowed::Raise(image) => Err(format!("a mount needs `# syntax={image}`")),
        Allowed::No(why) => Err(why.into_owned()),
    }
}

/// The secret `id` for `step` under the names that it reads.
///
/// # Errors
/// Why the step cannot be given it: one clause.
pub(super) fn mount(
    file: &SourceFile,
    step: Step<'_>,
    id: &str,
    reader: &Reader,
    form: Form,
) -> Result<Vec<Edit>, String> {
    check(file, step, id)?;
    let line = file.locate(step.instruction().span.start).line;
    let editor = Editor::new(file, step.model().syntax);
    // What stands in a condition did without the value so far.
    let required = if reader.always { ",required=true" } else { "" };
    let flags = match form {
        Form::Variable => {
            let flag = |name: &String| format!("--mount=type=secret,id={id},env={name}{required}");
            reader.names.iter().map(flag).collect::<Vec<_>>().join(" ")
        }
        Form::File => format!("--mount=type=secret,id={id}{required}{}", owner(step)),
    };
    let mut edits = vec![editor.add_flag(step.instruction(), &flags)];
    if form == Form::File {
        let quiet = if reader.always { "" } else { " 2>/dev/null" };
        let read = reader.names.iter().map(|name| format!("export {name}=\"$(cat /run/secrets/{id}{quiet})\""));
        let read = read.collect::<Vec<_>>().join(" && ");
        let prefix =
            prefix(file, step, &read).ok_or(format!("the script in line {line} cannot be given a variable"))?;
        edits.push(prefix);
    }
    Ok(edits)
}

/// Whether `step` may be given a secret of that name.
///
/// # Errors
/// Why not: one clause.
pub(super) fn check(file: &SourceFile, step: Step<'_>, id: &str) -> Result<(), String> {
    let line = file.locate(step.instruction().span.start).line;
    let is_foreign = step.model().syntax.has_foreign_frontend(&file.text);
    if step.stage().is_windows() || is_foreign || !step.dialect().is_bourne() {
        return Err(format!("the `RUN` in line {line} is read by no Bourne shell"));
    }
    let is_taken =
        |mount: &Mount<'_>| mount.kind == MountKind::Secret && mount.id.as_ref().is_none_or(|given| given.text == id);
    if step.mounts().iter().any(is_taken) {
        return Err(format!("the `RUN` in line {line} has a secret of that name already"));
    }
    Ok(())
}

/// Who may read the file of a secret: it belongs to root unless said otherwise.
pub(super) fn owner(step: Step<'_>) -> String {
    match &step.user().user {
        User::Root => String::new(),
        user @ (User::Numeric { .. } | User::Named { .. }) => match step.stage().ids_of(user) {
            Some(ids) if ids.gid.is_some() => format!(",uid={},gid={}", ids.uid, ids.gid.unwrap_or_default()),
            Some(ids) => format!(",uid={}", ids.uid),
            None => ",mode=0444".to_owned(),
        },
        User::Unknown(_) => ",mode=0444".to_owned(),
    }
}

/// `command` in front of everything that the script of `step` does.
fn prefix(file: &SourceFile, step: Step<'_>, command: &str) -> Option<Edit> {
    let script = step.script()?;
    if !script.is_verbatim() || script.script.doubts().len() > 0 {
        return None;
    }
    let first = first_element(&script.script)?;
    let start = script.file_span(Span::at(first.start as usize)).start;
    let separator = match script.form {
        ScriptForm::Shell => " && ".to_owned(),
        ScriptForm::Heredoc => {
            let line = file.text[..start as usize].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let indent = std::str::from_utf8(&file.text[line..start as usize]).ok()?;
            let is_blank = indent.bytes().all(|byte| matches!(byte, b' ' | b'\t'));
            is_blank.then(|| format!("{}{indent}", Editor::new(file, step.model().syntax).line_ending()))?
        }
        ScriptForm::Exec | ScriptForm::Fed => return None,
    };
    Some(Edit::insert(file.id, start as usize, format!("{command}{separator}")))
}

/// The first thing that the script runs, unless it runs something beside the rest, which would not see a variable.
fn first_element(script: &Script) -> Option<Span> {
    let commands = script.commands().map(|command| Element::Command(command.index()));
    let compounds = script.compounds().map(|compound| Element::Compound(compound.index()));
    let mut top: Vec<Element> =
        commands.chain(compounds).filter(|&each| script.place_of(each).block.is_none()).collect();
    top.retain(|&each| !matches!(each, Element::Compound(index) if script.compound(index).owner().is_some()));
    let is_beside = |&each: &Element| script.place_of(each).after == Connector::Background;
    if top.iter().any(is_beside) {
        return None;
    }
    top.into_iter().map(|each| script.span_of(each)).min_by_key(|span| span.start)
}
