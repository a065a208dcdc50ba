//! What the actions of GitHub workflows build, and the images that their jobs run in.

use super::{
    Caller, CallerBuild, Fact, Lines, System,
    actor::{Actor, ImageName, Order, id_of, is_plain_path, order},
};
use crate::{
    context::{self, BuildContext},
    syntax::yaml::{Node, Yaml},
};

/// Actions that build an image, with inputs named alike.
const BUILD_ACTIONS: [&str; 3] =
    ["docker/build-push-action", "depot/build-push-action", "useblacksmith/build-push-action"];

/// What the jobs of a workflow build and run.
pub(super) fn actors(tree: &Yaml<'_>, lines: &Lines, around: BuildContext<'_>) -> Vec<Actor> {
    let jobs = tree.documents().filter_map(|document| document.get("jobs")).flat_map(Node::entries);
    let mut found = Vec::new();
    for job in jobs {
        let name = job.key.scalar().unwrap_or_default();
        for step in job.value.get("steps").into_iter().flat_map(Node::items) {
            found.extend(of_step(step, name, lines, around));
        }
        found.extend(job.value.get("container").and_then(|container| of_container(container, name, lines)));
        for service in job.value.get("services").into_iter().flat_map(Node::entries) {
            found.extend(of_container(service.value, service.key.scalar().unwrap_or_default(), lines));
        }
    }
    found
}

/// A step that builds an image.
fn of_step(step: Node<'_>, job: &str, lines: &Lines, around: BuildContext<'_>) -> Option<Actor> {
    let uses = step.get("uses")?.scalar()?;
    let action = uses.split('@').next().unwrap_or(uses);
    if !BUILD_ACTIONS.contains(&action) {
        return None;
    }
    let inputs = step.get("with");
    let node = |key| inputs.and_then(|inputs| inputs.get(key));
    let text = |key| node(key).and_then(Node::scalar);
    let listed = |key| text(key).unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty());
    let context = text("context").unwrap_or(".");
    let builds = match text("file") {
        _ if !is_plain_path(context) => Order::Hidden,
        Some(file) => order(file, System::Workflow, around),
        None => order(&context::join(context, "Dockerfile"), System::Workflow, around),
    };
    let arguments = listed("build-args").map(|line| {
        let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
        (name.to_owned(), value.filter(|value| !value.contains("${{")).map(str::to_owned))
    });
    let secrets = listed("secrets").map(|line| id_of(line).unwrap_or_else(|| line.split('=').next().unwrap_or(line)));
    let tags = listed("tags").flat_map(|line| line.split(',')).map(|tag| ImageName::with_variables(tag.trim()));
    let target = node("target").map(|target| Fact {
        value: target.scalar().filter(|text| !text.contains("${{")).map(str::to_owned),
        is_defaulted: false,
        place: lines.place(target.span()),
    });
    let place = lines.place(step.entry("uses").map_or(step.span(), |entry| entry.span()));
    let build = CallerBuild {
        place: place.clone(),
        target,
        arguments: arguments.collect(),
        secrets: secrets.map(str::to_owned).collect(),
    };
    let caller = Caller { build: Some(build), ..Caller::new(job.to_owned(), place, System::Workflow) };
    Some(Actor {
        caller,
        builds,
        names: tags.collect(),
        is_run: false,
        refuses_root: false,
        crossings: Vec::new(),
        labels: Vec::new(),
    })
}

/// The container that a job runs in, or a service beside it.
fn of_container(node: Node<'_>, name: &str, lines: &Lines) -> Option<Actor> {
    let image = node.get("image").unwrap_or(node);
    let written = image.scalar()?;
    let caller = Caller::new(name.to_owned(), lines.place(image.span()), System::Workflow);
    Some(Actor {
        caller,
        builds: Order::Nothing,
        names: vec![ImageName::with_variables(written)],
        is_run: true,
        refuses_root: false,
        crossings: Vec::new(),
        labels: Vec::new(),
    })
}
