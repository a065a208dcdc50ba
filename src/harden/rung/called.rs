//! What the files that run an image call in it, which an image without a shell may not have.

use crate::{
    model::{
        Stage,
        graph::{Caller, Callers, Fact, Place, executed, is_shell},
    },
    rule::Cx,
    syntax::{
        dockerfile::Keyword,
        shell::{self, Dialect, file_name},
    },
};
use std::borrow::Cow;

/// What the files around call in the image of `target` beside what it starts itself, if anything: a sentence.
///
/// What the image starts itself is known to be in it; of other programs only an image with a distribution can tell.
pub fn called<M>(cx: &Cx<'_, M>, target: Stage<'_>) -> Option<String> {
    let callers = Callers::of(cx.context);
    let image = Image::of(target);
    let needed = callers.of_target(target.name()).find_map(|caller| image.missing_for(caller));
    needed.or_else(|| {
        let executed = executed(cx.context, &callers);
        executed.iter().find_map(|each| {
            let is_fine = if each.are_arguments { image.takes(&each.words) } else { image.has(&each.words) };
            (!is_fine).then(|| calls(&each.place, &each.words, "in it"))
        })
    })
}

/// The names of the programs that the files around call in the image of `target`, without folder; none where one of them
/// cannot be read.
pub fn programs<M>(cx: &Cx<'_, M>, target: Stage<'_>) -> Option<Vec<String>> {
    let callers = Callers::of(cx.context);
    let mut names = Vec::new();
    for caller in callers.of_target(target.name()) {
        let starts = [&caller.entrypoint, &caller.command];
        let checks = caller.healthcheck.iter().chain(&caller.probes).chain(starts.into_iter().flatten());
        for fact in checks {
            let words = fact.value.as_deref()?;
            let words = match words.split_first() {
                Some((first, rest)) if first == "CMD" || first == "CMD-SHELL" => rest,
                Some(_) | None => words,
            };
            names.extend(programs_of(words));
        }
    }
    names.extend(executed(cx.context, &callers).iter().flat_map(|each| programs_of(&each.words)));
    Some(names)
}

/// The programs that words start: the first of them, and those of a text among them that a shell reads.
fn programs_of(words: &[String]) -> Vec<String> {
    let names_of = |text: &String| {
        let script = shell::parse(text.as_bytes(), Dialect::Posix);
        script
            .every_command()
            .filter_map(|command| command.name().map(file_name).map(str::to_owned))
            .collect::<Vec<_>>()
    };
    words.first().into_iter().chain(words.iter().skip(1).filter(|word| word.contains(' '))).flat_map(names_of).collect()
}

/// What is known to be in an image.
struct Image {
    /// The program that it starts.
    program: Option<String>,
    /// Whether words in the place of `CMD` are arguments of it.
    has_entrypoint: bool,
}

impl Image {
    fn of(target: Stage<'_>) -> Self {
        let start = target.start_steps();
        let first = start.first().and_then(|step| step.commands().next());
        let program = first.and_then(|command| command.value(command.command.words().next()?).map(Cow::into_owned));
        let has_entrypoint = start.iter().any(|step| step.keyword() == Keyword::Entrypoint);
        Self { program, has_entrypoint }
    }

    /// What `caller` calls that the image may not have.
    fn missing_for(&self, caller: &Caller) -> Option<String> {
        if let Some(entrypoint) = &caller.entrypoint
            && let Some(reason) = self.missing(entrypoint, "to start it")
        {
            return Some(reason);
        }
        if let Some(command) = &caller.command {
            let words = command.value.as_deref();
            let is_fine = words.is_some_and(|words| caller.entrypoint.is_some() || self.takes(words));
            if !is_fine {
                return Some(calls(&command.place, words.unwrap_or_default(), "to start it"));
            }
        }
        let check = caller.healthcheck.as_ref().and_then(|check| self.unchecked(check));
        check.or_else(|| caller.probes.iter().find_map(|probe| self.missing(probe, "to see how it is")))
    }

    /// Whether words in the place of `CMD` start what is there.
    fn takes(&self, words: &[String]) -> bool {
        let are_options = words.first().is_none_or(|word| word.starts_with('-'));
        self.has(words) || self.has_entrypoint && are_options
    }

    fn has(&self, words: &[String]) -> bool {
        let program = words.first().and_then(|words| words.split_ascii_whitespace().next());
        program.is_some_and(|program| program.starts_with('/') && self.program.as_deref() == Some(program))
    }

    fn missing(&self, words: &Fact<Vec<String>>, why: &str) -> Option<String> {
        match words.value.as_deref() {
            // An empty list takes back what the image says.
            Some([]) => None,
            Some(known) if self.has(known) => None,
            known => Some(calls(&words.place, known.unwrap_or_default(), why)),
        }
    }

    /// The same for a health check of compose: `CMD` comes before words, anything else is a text for a shell.
    fn unchecked(&self, check: &Fact<Vec<String>>) -> Option<String> {
        let words = check.value.as_deref().unwrap_or_default();
        match words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            None if check.value.is_some() => None,
            Some(("NONE", _)) => None,
            Some(("CMD", words)) if self.has(words) => None,
            Some(("CMD", words)) => Some(calls(&check.place, words, "to see how it is")),
            None | Some(_) => Some(format!("{}:{} has a shell to see how it is", check.place.path, check.place.line)),
        }
    }
}

fn calls(place: &Place, words: &[String], why: &str) -> String {
    let Place { path, line, .. } = place;
    match words.first().and_then(|words| words.split_ascii_whitespace().next()) {
        Some(program) if is_shell(program) => format!("{path}:{line} calls the shell `{program}` {why}"),
        Some(program) => {
            format!("{path}:{line} calls `{program}` {why}, which is not known to be in an image without a shell")
        }
        None => format!("what {path}:{line} calls {why} cannot be read"),
    }
}
