//! What an image starts, as far as its file says it in words.

use super::{Evidence, Subject};
use crate::{
    model::{ScriptForm, Step},
    syntax::{dockerfile::Keyword, shell::Wrapper},
};

/// How an image starts.
#[derive(Clone, Debug)]
pub enum Started {
    /// As these words, of which the first is the program; nothing in them is expanded.
    Words {
        /// `ENTRYPOINT`, in words.
        entrypoint: Option<Vec<String>>,
        /// `CMD`, in words.
        command: Option<Vec<String>>,
        /// Whether both are in JSON form.
        is_exec: bool,
        /// The place of what names the program.
        place: Evidence,
    },
    /// Through a shell or another program that comes first: what that is, and where.
    Through(String, Evidence),
    /// As its base image does.
    Inherited,
}

impl Started {
    /// How the image of `subject` starts.
    pub fn of(subject: &Subject<'_>) -> Self {
        let steps = subject.target.start_steps();
        let find = |keyword| steps.iter().copied().find(|step| step.keyword() == keyword);
        let (entrypoint, command) = (find(Keyword::Entrypoint), find(Keyword::Cmd));
        let Some(first) = entrypoint.or(command) else { return Self::Inherited };
        let place = subject.evidence(first.instruction().span, "starts the image");
        let shell = || Self::Through("a shell".to_owned(), place.clone());
        let Some(words) = words(first) else { return shell() };
        let name = words.first().map(|word| word.rsplit('/').next().unwrap_or(word).to_owned());
        match name.as_deref() {
            None => return Self::Inherited,
            Some("sh" | "bash" | "ash" | "dash" | "zsh") => return shell(),
            Some(
                name @ ("tini" | "dumb-init" | "gosu" | "su-exec" | "env" | "supervisord" | "catatonit" | "s6-svscan"),
            ) => {
                return Self::Through(format!("`{name}`"), place);
            }
            Some(name) if name.ends_with(".sh") => return Self::Through(format!("the script `{name}`"), place),
            Some(_) => {}
        }
        let is_exec = |step: Option<Step<'_>>| {
            step.is_none_or(|step| step.script().is_some_and(|script| script.form == ScriptForm::Exec))
        };
        let all_exec = is_exec(entrypoint) && is_exec(command);
        match (entrypoint, command) {
            (Some(entrypoint), command) if is_exec(Some(entrypoint)) => {
                let arguments = match command.map(|step| (is_exec(Some(step)), self::words(step))) {
                    None => None,
                    Some((true, Some(words))) => Some(words),
                    // `CMD` in shell form hands a shell to the entry point.
                    Some(_) => return shell(),
                };
                Self::Words { entrypoint: Some(words), command: arguments, is_exec: all_exec, place }
            }
            (Some(_), _) => Self::Words { entrypoint: Some(words), command: None, is_exec: false, place },
            (None, _) => Self::Words { entrypoint: None, command: Some(words), is_exec: all_exec, place },
        }
    }

    /// The words in front of everything else: the program and its own arguments.
    pub fn first_words(&self) -> Option<&[String]> {
        match self {
            Self::Words { entrypoint: Some(words), .. } | Self::Words { command: Some(words), .. } => Some(words),
            Self::Words { .. } | Self::Through(..) | Self::Inherited => None,
        }
    }
}

/// The words of one command that a shell would only split.
fn words(step: Step<'_>) -> Option<Vec<String>> {
    let script = step.script()?;
    let is_exec = script.form == ScriptForm::Exec;
    let mut commands = script.script.commands();
    let command = commands.next()?;
    let is_plain = commands.next().is_none()
        && script.script.compounds().len() == 0
        && script.script.doubts().len() == 0
        && command.assignments().len() == 0
        && command.redirects().len() == 0;
    let is_alone = is_exec || is_plain && step.dialect().is_bourne();
    let invocation = command.invocation();
    let skipped = usize::from(invocation.is_some_and(|invocation| invocation.is_wrapped_by(Wrapper::Exec)));
    let words: Option<Vec<String>> =
        command.words().skip(skipped).map(|word| word.literal().map(str::to_owned)).collect();
    words.filter(|_| is_alone)
}
