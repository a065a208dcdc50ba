//! Takes from containers what the program of their image does not need, where that is known of the image.

mod capabilities;
mod read_only;
mod secret_file;

pub use capabilities::{drop_all, drop_all_of_service};
pub use read_only::{read_only_container, read_only_service};
pub use secret_file::secret_file;

use crate::{
    knowledge::{ImageFacts, Knowledge, Start},
    model::{
        compose::{Service, Text},
        kubernetes::{Container, Runner},
    },
    text::Edit,
};
use std::sync::Arc;

/// What runs in a container.
struct Program {
    /// What is known of its image; none where that is hidden, built here, or unknown.
    facts: Option<Arc<ImageFacts>>,
    /// Who starts it, if that is known.
    start: Option<Start>,
    /// Whether it is the program that the image starts.
    is_own: bool,
}

impl Program {
    fn of_service(knowledge: &Knowledge, service: &Service<'_>) -> Self {
        let facts = service.pulled_image().and_then(|image| image.facts(knowledge));
        let start = match &facts {
            Some(facts) => service.start(facts),
            None => named_start(service.user()),
        };
        let command = service.words("command").and_then(|words| first_word(&words));
        let is_own = |facts: &Arc<ImageFacts>| command.is_none_or(|command| facts.runs_own_program(&command));
        let is_own = service.value("entrypoint").is_none() && facts.as_ref().is_some_and(is_own);
        Self { facts, start, is_own }
    }

    fn of_container(knowledge: &Knowledge, container: Container<'_>) -> Self {
        let facts = container.image().and_then(|image| image.facts(knowledge));
        let somebody = |number: Option<u32>| Some(Start::User(number));
        let start = match container.runner(knowledge) {
            Runner::Number(0) => Some(Start::Root),
            Runner::Number(number) => somebody(number.try_into().ok()),
            Runner::ImageNumber(number) => somebody(Some(number)),
            Runner::ImageName => somebody(None),
            // The cluster does not start it as root.
            Runner::ImageRoot | Runner::Image | Runner::Hidden if container.is_kept_from_root() == Some(true) => {
                somebody(None)
            }
            Runner::ImageRoot => Some(Start::Root),
            Runner::Image | Runner::Hidden => None,
        };
        let arguments = container.setting(&["args"]).items();
        let is_own = |facts: &Arc<ImageFacts>| match arguments.as_deref() {
            None => false,
            Some([]) => true,
            Some([first, ..]) => first.scalar().is_some_and(|first| facts.runs_own_program(first)),
        };
        let is_own = container.setting(&["command"]).is_absent() && facts.as_ref().is_some_and(is_own);
        Self { facts, start, is_own }
    }

    /// What is known of the image that starts it.
    fn known(&self) -> Result<&ImageFacts, String> {
        let facts = self.facts.as_deref().ok_or("nothing is known of what its image needs")?;
        if self.is_own { Ok(facts) } else { Err("it runs another program than its image starts".to_owned()) }
    }
}

/// Who starts a program, as far as `user` says so.
fn named_start(user: Option<Text<'_>>) -> Option<Start> {
    let user = user?;
    match user.known()?.split(':').next()? {
        "root" | "0" => Some(Start::Root),
        number => Some(Start::User(Some(number.parse().ok()?))),
    }
}

fn first_word(words: &[Text<'_>]) -> Option<String> {
    let first = words.first()?.seen().split_ascii_whitespace().next();
    Some(first.unwrap_or_default().to_owned())
}

/// Edits of one file in order, those at one place as one; of two at one place the first is the one further in.
fn together(mut edits: Vec<Edit>) -> Result<Vec<Edit>, String> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut apart: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match apart.last_mut() {
            Some(last) if last.span == edit.span && edit.span.is_empty() => last.text += &edit.text,
            Some(last) if edit.span.start < last.span.end => {
                return Err("the changes of the file would touch each other".to_owned());
            }
            Some(_) | None => apart.push(edit),
        }
    }
    Ok(apart)
}
