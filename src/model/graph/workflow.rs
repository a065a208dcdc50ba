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

/// A step of a workflow whose action builds an image.
#[derive(Clone, Copy, Debug)]
pub struct BuildStep<'y> {
    /// The step.
    pub node: Node<'y>,
    /// What the action is given.
    pub inputs: Option<Node<'y>>,
    /// Which version of the action it is, as it is written.
    pub version: &'y str,
}

/// The steps of a workflow that build images.
pub fn build_steps<'y>(tree: &'y Yaml<'y>) -> impl Iterator<Item = BuildStep<'y>> {
    let jobs = tree.documents().filter_map(|document| document.get("jobs")).flat_map(Node::entries);
    let steps = jobs.flat_map(|job| job.value.get("steps").into_iter().flat_map(Node::items));
    steps.filter_map(BuildStep::read)
}

impl<'y> BuildStep<'y> {
    fn read(node: Node<'y>) -> Option<Self> {
        let uses = node.get("uses")?.scalar()?;
        let (action, version) = uses.split_once('@').unwrap_or((uses, ""));
        BUILD_ACTIONS.contains(&action).then(|| Self { node, inputs: node.get("with"), version })
    }

    fn text(self, key: &str) -> Option<&'y str> {
        self.inputs?.get(key)?.scalar()
    }

    /// The Dockerfile that it builds, if that can be told; `around` is what is around the workflow.
    pub fn dockerfile(self, around: BuildContext<'_>) -> Option<String> {
        match self.order(around) {
            Order::File(path) => Some(path),
            Order::Nothing | Order::Inline(_) | Order::Hidden => None,
        }
    }

    fn order(self, around: BuildContext<'_>) -> Order {
        let context = self.text("context").unwrap_or(".");
        match self.text("file") {
            _ if !is_plain_path(context) => Order::Hidden,
            Some(file) => order(file, System::Workflow, around),
            None => order(&context::join(context, "Dockerfile"), System::Workflow, around),
        }
    }
}

/// A step that builds an image.
fn of_step(step: Node<'_>, job: &str, lines: &Lines, around: BuildContext<'_>) -> Option<Actor> {
    let build = BuildStep::read(step)?;
    let node = |key| build.inputs.and_then(|inputs| inputs.get(key));
    let listed = |key| build.text(key).unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty());
    let builds = build.order(around);
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
