//! Programs that scripts start in the containers of an image: `docker compose exec web sh`, `docker run acme/web sh`,
//! `kubectl exec deploy/web -- sh`.

use super::{Callers, Lines, Place, System, evidence, repository};
use crate::{
    context::BuildContext,
    model::{
        engine_call::{EngineCall, EngineVerb, PodCall},
        script_file::ScriptFile,
    },
};

/// A program that a script starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its words.
    pub words: Vec<String>,
    /// Whether they are arguments of the entry point of the image, if it has one.
    pub are_arguments: bool,
    /// Where that is written.
    pub place: Place,
}

/// What scripts around start in containers of `callers`, as far as they name these.
pub fn executed(context: BuildContext<'_>, callers: &Callers) -> Vec<Executed> {
    if callers.services.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (file, kind) in evidence::builders(context) {
        let names_engine = ["docker", "podman", "nerdctl", "kubectl", "oc exec"];
        if !names_engine.iter().any(|name| memchr::memmem::find(&file.text, name.as_bytes()).is_some()) {
            continue;
        }
        let Some(script) = ScriptFile::of(kind, &file.text) else { continue };
        let lines = Lines::of(&file.path, &file.text);
        found.extend(script.engine_calls().filter_map(|call| executed_by(&call, callers, &lines)));
        found.extend(script.pod_calls().filter_map(|call| executed_in_pod(&call, callers, &lines)));
    }
    found
}

fn executed_in_pod(call: &PodCall<'_>, callers: &Callers, lines: &Lines) -> Option<Executed> {
    let object = call.object?;
    // A pod is called as the object that makes it, and then by what tells it from the others.
    let is_of = |name: &str| object.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let is_theirs = callers.services.iter().filter(|caller| caller.system == System::Kubernetes).any(|caller| {
        let is_container = call.container.as_deref().is_none_or(|name| name == caller.name);
        is_container && (is_of(&caller.name) || caller.container.as_deref().is_some_and(is_of))
    });
    let words = call.words.iter().map(|word| word.text().into_owned()).collect();
    is_theirs.then(|| Executed { words, are_arguments: false, place: lines.place(call.command.span()) })
}

fn executed_by(call: &EngineCall<'_>, callers: &Callers, lines: &Lines) -> Option<Executed> {
    let subject = call.subject?;
    let name = subject.literal()?;
    let names = |service: &str| {
        name == service || name.ends_with(&format!("-{service}-1")) || name.ends_with(&format!("_{service}_1"))
    };
    let is_theirs = callers.services.iter().any(|caller| {
        let image = caller.image.as_ref().and_then(|image| repository(image.value.as_deref()?));
        let is_image = call.verb == EngineVerb::Run && image.is_some_and(|image| Some(image) == repository(name));
        is_image || names(&caller.name) || caller.container.as_deref() == Some(name)
    });
    let after = call.command.command.words().filter(|word| word.span().start > subject.span().start);
    let words: Vec<String> = after.map(|word| word.text().into_owned()).collect();
    let are_arguments = call.verb == EngineVerb::Run;
    (is_theirs && !words.is_empty()).then(|| Executed { words, are_arguments, place: lines.place(call.command.span()) })
}
