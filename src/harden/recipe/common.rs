//! What several recipes do alike.

use crate::{
    harden::{
        Change, Declined, Evidence, Rung, Runtime, Subject, Taken,
        effect::{self, Effect, Kind, Places},
        health::{self, Health, Probe},
    },
    model::{Step, file_name},
    rule::Safety,
    syntax::dockerfile::{Editor, Keyword},
    text::Edit,
};
use std::borrow::Cow;

/// A change that only a start can prove.
pub(super) fn change(title: &'static str, reason: impl Into<Cow<'static, str>>, evidence: Evidence) -> Change {
    Change { title: title.into(), safety: Safety::Risky, reason: reason.into(), evidence: vec![evidence] }
}

/// A place of another file.
pub(super) fn place(path: &str, line: u32, shows: &str) -> Evidence {
    Evidence { path: path.to_owned(), line, shows: shows.to_owned() }
}

/// The image without a shell if that is proved, and the one `below` it.
pub(super) fn climbing(better: Result<Runtime, String>, below: Runtime) -> (Vec<Runtime>, Vec<Declined>) {
    match better {
        Ok(better) => (vec![better, below], Vec::new()),
        Err(reason) => (vec![below], vec![Declined { rung: Rung::NoShell, reason: reason.into() }]),
    }
}

/// Lets the interpreter of `runtime` ask what the health check asks, in the words that `ask` makes of it.
///
/// # Errors
/// The health check runs something else.
pub(super) fn ask_for_health(
    subject: &Subject<'_>,
    runtime: &mut Runtime,
    (title, reason): (&'static str, &'static str),
    ask: impl FnOnce(&Probe) -> Vec<String>,
) -> Result<(), String> {
    match health::health(subject) {
        Health::None => Ok(()),
        Health::Probe(step, probe) => {
            runtime.health = Some(ask(&probe));
            let evidence = subject.evidence(step.instruction().span, "the health check");
            runtime.changes.push(change(title, reason, evidence));
            Ok(())
        }
        Health::Other(step) => Err(needs_more(step)),
    }
}

/// Why the health check of `step` keeps an image from a base that has nothing to run it with.
pub(super) fn needs_more(step: Step<'_>) -> String {
    format!("the health check in line {} needs a shell or another program", step.instruction().lines.0)
}

/// Takes over what the steps fill outside of the program's directory `home`.
///
/// # Errors
/// What may be lost, with its line.
pub(super) fn outside(
    subject: &Subject<'_>,
    effects: &[Effect<'_>],
    home: &str,
    runtime: &mut Runtime,
) -> Result<(), String> {
    if let Some(unknown) = effect::first_unknown(effects) {
        let line = subject.cx.file.locate(unknown.span.start).line;
        let what = unknown.unknown().unwrap_or_default();
        return Err(format!("what `{what}` in line {line} leaves in the image is not known"));
    }
    let programs = subject.programs();
    for filled in effect::filled_outside(effects, home) {
        let line = subject.cx.file.locate(filled.span.start).line;
        let Some(path) = filled.path else {
            return Err(format!("what line {line} puts where depends on the build, so it may be lost"));
        };
        if effect::is_of_the_system(&path) {
            return Err(format!("line {line} fills `{path}`, and with what is not told"));
        }
        let is_called =
            programs.names.iter().any(|name| path.ends_with(&format!("/{name}"))) || is_started(subject, &path);
        if is_program_place(&path) && !is_called {
            let evidence = subject.evidence(filled.span, format!("fills `{path}`"));
            let reason = "no start command and no health check names it";
            runtime.changes.push(change("Leave out a program that nothing calls", reason, evidence));
            runtime.build.extend(without(subject, effects, &path));
            continue;
        }
        let covers = |taken: &Taken| {
            path.strip_prefix(taken.to.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !runtime.taken.iter().any(covers) {
            runtime.taken.push(Taken::at(path));
        }
    }
    Ok(())
}

/// Whether a word of what is started names the program at `path`, or the script.
fn is_started(subject: &Subject<'_>, path: &str) -> bool {
    let start = subject.target.start_steps();
    let check = subject.target.chain_steps().filter(|step| step.keyword() == Keyword::Healthcheck);
    let mut commands = start.iter().copied().chain(check).flat_map(Step::commands);
    commands.any(|command| command.command.words().any(|word| file_name(&word.text()) == file_name(path)))
}

/// Takes out the steps that do nothing but fetch `path` and set its mode: what nobody uses nobody has to verify.
fn without(subject: &Subject<'_>, effects: &[Effect<'_>], path: &str) -> Vec<Edit> {
    let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
    let is_about = |places: &Places| !places.is_hidden && places.known == [path];
    let touches = |effect: &Effect<'_>| match &effect.kind {
        Kind::Copied { to, .. } => effect.step.keyword() == Keyword::Add && is_about(to),
        Kind::Modes(places) => is_about(places),
        Kind::Transient => true,
        _ => false,
    };
    let mut edits = Vec::new();
    let mut seen = None;
    for effect in effects {
        let step = effect.step;
        if seen == Some(step.index()) {
            continue;
        }
        seen = Some(step.index());
        let mut own = effects.iter().filter(|each| each.step.index() == step.index());
        let is_fetched = !matches!(effect.kind, Kind::Transient) && own.all(touches);
        if is_fetched {
            edits.extend(editor.remove(step.instruction()));
        }
    }
    edits
}

/// Where programs lie that are called by their names.
fn is_program_place(path: &str) -> bool {
    ["/usr/local/bin/", "/usr/bin/", "/bin/", "/usr/local/sbin/", "/usr/sbin/", "/sbin/"]
        .iter()
        .any(|directory| path.starts_with(directory))
}
