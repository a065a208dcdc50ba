//! Scripts that start an image, made executable.

use crate::{
    context::BuildContext,
    model::{Allowed, Builder, Feature, Stage, Step, add::SourceKind, join_path},
    rule::{Fix, Safety},
    syntax::dockerfile::{Editor, Keyword},
    text::Span,
};

/// Why an edit is not made.
pub type Refusal = &'static str;

/// A script that starts the image, comes from the build context, and may not be executed there.
#[derive(Debug)]
pub struct EntryScript<'m> {
    /// Its path in the image.
    pub path: String,
    /// The `COPY` or `ADD` that brings it.
    pub copy: Step<'m>,
    /// Where it is started.
    pub started: Span,
    /// Whether the instruction brings nothing else.
    is_alone: bool,
}

impl<'m> EntryScript<'m> {
    /// Those of a stage, as far as the files around the Dockerfile tell.
    pub fn all(target: Stage<'m>, context: BuildContext<'_>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for step in target.start_steps() {
            let Some(command) = step.commands().next() else { continue };
            let Some(word) = command.command.word(0) else { continue };
            let Some(path) = word.literal().filter(|path| path.contains('/')).and_then(|path| step.absolute(path))
            else {
                continue;
            };
            let script = copied(target, &path, context).map(|(copy, is_alone)| Self {
                path,
                copy,
                started: command.word_span(word),
                is_alone,
            });
            found.extend(script);
            // What is behind an `ENTRYPOINT` is arguments.
            if step.keyword() == Keyword::Entrypoint {
                break;
            }
        }
        found
    }
}

/// The step that brings the file at `path` last, if that is a script that nobody may execute.
fn copied<'m>(target: Stage<'m>, path: &str, context: BuildContext<'_>) -> Option<(Step<'m>, bool)> {
    for step in target.chain().flat_map(|stage| stage.steps().rev()) {
        match step.keyword() {
            Keyword::Run if may_set_mode(step, path) => return None,
            Keyword::Copy | Keyword::Add => match brings(step, path) {
                Brings::No => {}
                Brings::Perhaps => return None,
                Brings::File { source, is_alone } => {
                    return is_plain_script(&source, context).then_some((step, is_alone));
                }
            },
            _ => {}
        }
    }
    None
}

/// What a `COPY` has to do with a path.
enum Brings {
    No,
    /// Nobody can tell from the file, or it sets a mode.
    Perhaps,
    File {
        /// The file in the build context.
        source: String,
        is_alone: bool,
    },
}

fn brings(step: Step<'_>, path: &str) -> Brings {
    let sources = step.sources();
    let destination = step.destination().and_then(|word| Some((word, step.absolute_arg(word)?)));
    let Some((word, destination)) = destination else { return Brings::Perhaps };
    let is_directory = word.text.ends_with(b"/") || word.text.as_ref() == b"." || sources.len() > 1;
    let from_elsewhere = step.instruction().flag("from").is_some() || step.instruction().flag("chmod").is_some();
    let is_below = path == destination || path.starts_with(&format!("{}/", destination.trim_end_matches('/')));
    if !is_below {
        return Brings::No;
    }
    if from_elsewhere || step.is_trigger() {
        return Brings::Perhaps;
    }
    for source in &sources {
        if source.kind != SourceKind::Local || source.text.contains(['*', '?', '[']) {
            return Brings::Perhaps;
        }
        let name = source.text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let is_alone = sources.len() == 1;
        if path == destination && !is_directory || path == join_path(&destination, name) && is_file_name(name) {
            return Brings::File { source: source.text.clone(), is_alone };
        }
        let rest = path.strip_prefix(destination.trim_end_matches('/')).map(|rest| rest.trim_start_matches('/'));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty() && sources.len() == 1) {
            let below = source.text.trim_start_matches("./").trim_matches('/');
            let source = if below.is_empty() || below == "." { rest.to_owned() } else { format!("{below}/{rest}") };
            return Brings::File { source, is_alone: false };
        }
    }
    Brings::No
}

fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
}

/// Whether a file of the context is a script without the executable bit.
fn is_plain_script(source: &str, context: BuildContext<'_>) -> bool {
    let is_script = || context.nearest(source).is_some_and(|found| found.text.starts_with(b"#!"));
    context.holds_unexecutable_file(source) && is_script()
}

/// Whether a command may give the file another mode, or put another file in its place.
fn may_set_mode(step: Step<'_>, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let source = step.instruction().span.of(&step.model().file.text);
    let mentions = memchr::memmem::find(source, name.as_bytes()).is_some();
    let sets = ["chmod", "install", "dos2unix", "find"]
        .iter()
        .any(|word| memchr::memmem::find(source, word.as_bytes()).is_some());
    mentions || sets
}

/// Lets everybody read and execute a script.
///
/// # Errors
/// Why that would be wrong, or cannot be told.
pub fn make_executable(script: &EntryScript<'_>, builder: &Builder) -> Result<Fix, Refusal> {
    let step = script.copy;
    let model = step.model();
    let editor = Editor::new(model.file, model.syntax);
    let title = "Make it executable";
    let reason = "the engine refuses to start a file that nobody may execute";
    let allowed = matches!(builder.allows(Feature::CopyChmod), Allowed::Yes(_));
    if script.is_alone && allowed {
        let edit = editor.add_flag(step.instruction(), "--chmod=0755");
        return Ok(Fix::new(title, Safety::Safe, reason, vec![edit]));
    }
    if !step.runs_as_root() {
        return Err("the step of the file is not root's: mark it in the repository");
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if !script.path.bytes().all(is_plain) || !model_has_shell(step) {
        return Err("no step can set the mode: mark the file in the repository");
    }
    let edit = editor.insert_after(step.instruction(), &[format!("RUN chmod 0755 {}", script.path)]);
    let edit = edit.ok_or("the end of the file cuts the step off")?;
    Ok(Fix::new(title, Safety::Safe, reason, vec![edit]))
}

/// Whether a `RUN` in shell form can run where a step stands.
fn model_has_shell(step: Step<'_>) -> bool {
    let facts = step.stage().image_facts();
    facts.is_some_and(|facts| facts.shell.known().is_some_and(|shells| !shells.is_empty()))
        || step.stage().steps().any(|other| other.keyword() == Keyword::Run)
}
