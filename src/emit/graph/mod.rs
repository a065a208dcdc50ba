//! The build graph of a repository: as a tree for people, for Mermaid, Graphviz and programs.

mod dot;
mod drawing;
mod json;
mod mermaid;
mod tree;

pub use dot::graph_dot;
pub use json::graph_json;
pub use mermaid::graph_mermaid;
pub use tree::graph_text;

use crate::{
    emit::visible::visible,
    model::{
        User,
        graph::{BuildGraph, BuiltImage, Place, PulledImage, Run, RunImage, Says, Who},
    },
};

/// What is known of a user, for a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Root,
    Other,
    Unknown,
}

impl Tone {
    fn of(who: &Who) -> Self {
        match &who.user {
            User::Unknown(_) => Tone::Unknown,
            user if user.is_root() => Tone::Root,
            User::Root | User::Numeric { .. } | User::Named { .. } => Tone::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Tone::Root => "root",
            Tone::Other => "other",
            Tone::Unknown => "unknown",
        }
    }
}

/// The longest text of a file that is shown in one piece.
const LONGEST: usize = 120;

/// A text of a file, made safe to show and not too long.
fn shown(text: &str) -> String {
    let text = visible(text);
    if text.chars().count() <= LONGEST {
        return text.into_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// Who it is: `root`, `10001:10001`, `unknown`.
fn user(who: &Who) -> String {
    match &who.user {
        User::Root => "root".to_owned(),
        User::Numeric { .. } | User::Named { .. } => shown(&who.written),
        User::Unknown(_) => "unknown".to_owned(),
    }
}

/// Who it is, and who says so.
fn user_with_source(who: &Who) -> String {
    let user = user(who);
    match (&who.says, Tone::of(who)) {
        (Says::Place(place), _) => format!("{user} ({})", at(place)),
        (Says::Base, Tone::Unknown) => user,
        (Says::Base, Tone::Root | Tone::Other) => format!("{user} (as the base image says)"),
        (Says::Nobody, _) => format!("{user} (nobody says otherwise)"),
    }
}

fn at(place: &Place) -> String {
    format!("{}:{}", shown(&place.path), place.line)
}

/// What an image that is built is called.
fn image_name(graph: &BuildGraph, image: &BuiltImage) -> String {
    match image.names.first() {
        Some(name) => shown(name),
        None => match image.builders.first() {
            Some(builder) => format!("image of {} {}", builder.system.entry(), shown(&builder.name)),
            None => format!("image of {}", shown(&graph.recipes[image.recipe].name)),
        },
    }
}

/// Number and name of a stage.
fn stage_name(number: usize, name: Option<&str>) -> String {
    name.map_or_else(|| format!("stage {number}"), |name| format!("{number} {}", shown(name)))
}

fn registry_note(image: &PulledImage) -> String {
    let pinned = if image.is_pinned { "by digest" } else { "no digest" };
    format!("{}, {pinned}", shown(&image.registry))
}

fn run_title(run: &Run) -> String {
    format!("{} {}", run.caller.system.entry(), shown(&run.caller.name))
}

/// The runs of each built and each pulled image, and those of nobody knows what.
struct Runs<'g> {
    built: Vec<Vec<&'g Run>>,
    pulled: Vec<Vec<&'g Run>>,
    unknown: Vec<&'g Run>,
}

impl<'g> Runs<'g> {
    fn of(graph: &'g BuildGraph) -> Self {
        let mut runs = Self {
            built: vec![Vec::new(); graph.images.len()],
            pulled: vec![Vec::new(); graph.pulled.len()],
            unknown: Vec::new(),
        };
        for run in &graph.runs {
            match run.image {
                RunImage::Built(image) => runs.built[image].push(run),
                RunImage::Pulled(image) => runs.pulled[image].push(run),
                RunImage::Unknown(_) => runs.unknown.push(run),
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests;
