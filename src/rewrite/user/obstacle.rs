//! What keeps another user out of an image.

use super::Obstacle;
use crate::{
    context::BuildContext,
    knowledge::Role,
    model::{Base, InRootHome, Stage, Step, script_needs_root},
    syntax::{
        dockerfile::Keyword,
        shell::{self, Dialect, Invocation},
    },
};

/// What in the file itself keeps another user out.
pub(super) fn obstacle(target: Stage<'_>) -> Option<Obstacle> {
    let steps = || target.chain().take(64).flat_map(Stage::steps);
    if let Some(step) = steps().find(|step| step.keyword() == Keyword::Onbuild) {
        let line = step.instruction().lines.0;
        return Some(
            format!("`ONBUILD` in line {line} runs in the builds of others, as the user of this image").into(),
        );
    }
    if let Base::Unknown(_) = target.root_base() {
        return Some("a variable decides what it is built on, and so which users it has".into());
    }
    let starts = !target.start_steps().is_empty();
    let base_starts = target.image_facts().is_some_and(|facts| {
        let is_server = matches!(facts.role.known(), Some(Role::Server | Role::Application | Role::Database));
        is_server || facts.entrypoint.known().is_some_and(|words| !words.is_empty())
    });
    if !starts && !base_starts {
        return Some("nothing says how it starts: it may be made for others to build on, whose steps need root".into());
    }
    if let Some(InRootHome { span, what }) = target.in_root_home() {
        let line = target.model().file.locate(span.start).line;
        return Some(format!("it needs {what} (line {line}), in the home of root, which nobody else may enter").into());
    }
    let need = target.start_needs().into_iter().next()?;
    let line = target.model().file.locate(need.span.start).line;
    Some(format!("the start command in line {line} does what only root may").into())
}

/// What a script of the build context that starts the image does as root.
pub(super) fn entry_script_obstacle(context: &BuildContext<'_>, target: Stage<'_>) -> Result<(), Obstacle> {
    for step in target.start_steps() {
        for command in step.commands() {
            let Some(path) = command.invocation().and_then(Invocation::path) else { continue };
            let name = path.rsplit('/').next().unwrap_or(path);
            let Some(source) = copied_as(target, name) else { continue };
            let Some(file) = context.nearest(&source) else { continue };
            let dialect = shell::dialect_of_shebang(&file.text).unwrap_or(Dialect::Bash);
            if let Some((line, program)) = script_needs_root(&shell::parse(&file.text, dialect)) {
                return Err(format!("`{program}` in {}:{line}, which starts it, needs root", file.path).into());
            }
        }
    }
    Ok(())
}

/// The source that `COPY` brings into the image under that file name.
fn copied_as(target: Stage<'_>, name: &str) -> Option<String> {
    let sources = target.chain().take(64).flat_map(Stage::steps).flat_map(Step::sources);
    let texts: Vec<String> = sources.map(|source| source.text).collect();
    let exact = texts.iter().find(|text| text.rsplit('/').next() == Some(name)).cloned();
    exact.or_else(|| texts.iter().any(|text| text == "." || text == "./").then(|| name.to_owned()))
}
