//! Gives a command a stand-in for a credential that only has to be there, whatever it is.
//!
//! Frameworks read their whole configuration for tasks that sign and encrypt nothing. Facts: Django, "How to deploy
//! static files" and `django-admin` (`collectstatic`, `compilemessages` load the settings); Rails guides, "Configuring
//! Rails Applications" (`assets:precompile` needs a `secret_key_base` of any value); Symfony, "Deployment".

use super::carrier::runs_own_code;
use crate::{
    model::{Step, StepCommand},
    source::SourceFile,
    syntax::shell::{Invocation, Word},
    text::Edit,
};
use std::collections::BTreeSet;

/// A value that says of itself that it is none.
const STAND_IN: &str = "not-a-secret";

/// Sets the variables `names` to a stand-in for every command of `step` that needs them to be set and nothing more.
///
/// `None` where another command may need the value, or there is no place to write it.
pub(super) fn stand_in(
    file: &SourceFile,
    step: Step<'_>,
    names: &BTreeSet<String>,
    written: Option<&str>,
) -> Option<Vec<Edit>> {
    // A wrong key to credentials that are encrypted is worse than none.
    if names.is_empty() || names.iter().any(|name| name.contains("MASTER_KEY")) || !step.dialect().is_bourne() {
        return None;
    }
    let script = step.script().filter(|script| script.is_verbatim())?;
    let mut edits = Vec::new();
    for command in step.commands().filter(|command| runs_own_code(*command)) {
        let is_direct = command.invocation().is_some_and(Invocation::is_direct);
        if !configures_only(command) || !is_direct || command.command.script().is_inline() {
            return None;
        }
        let start = script.file_span(command.command.span()).start;
        let value = written.and_then(address_of).unwrap_or_else(|| STAND_IN.to_owned());
        let values: Vec<String> = names.iter().map(|name| format!("{name}={value} ")).collect();
        edits.push(Edit::insert(file.id, start as usize, values.concat()));
    }
    (!edits.is_empty()).then_some(edits)
}

/// An address without those who log in to it, where that is a plain word: what reads it may take it apart.
fn address_of(written: &str) -> Option<String> {
    let (scheme, rest) = written.split_once("://")?;
    let (_, rest) = rest.split_once('@')?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/._-+".contains(&byte);
    let address = format!("{scheme}://{rest}");
    address.bytes().all(is_plain).then_some(address)
}

/// Whether a command runs a task of a framework that reads the configuration and has no use for its secrets.
fn configures_only(command: StepCommand<'_>) -> bool {
    const TASKS: [(&str, &[&str]); 4] = [
        ("manage.py", &["collectstatic", "compilemessages", "compress", "makemessages", "check"]),
        ("rails", &["assets:precompile", "tailwindcss:build", "webpacker:compile"]),
        ("rake", &["assets:precompile", "tailwindcss:build", "webpacker:compile"]),
        ("console", &["cache:clear", "cache:warmup", "assets:install", "importmap:install", "asset-map:compile"]),
    ];
    let words: Vec<_> = command.command.words().map(Word::text).collect();
    words.windows(2).any(|pair| {
        let program = pair[0].rsplit('/').next().unwrap_or_default();
        TASKS.iter().any(|(name, tasks)| program == *name && tasks.contains(&&*pair[1]))
    })
}
