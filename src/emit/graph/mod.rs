//! The build graph of a repository: as a tree for people, for Mermaid, Graphviz and programs.

mod dot;
mod drawing;
mod json;
mod mermaid;
mod svg;
mod tree;

pub use dot::graph_dot;
pub use json::graph_json;
pub use mermaid::graph_mermaid;
pub use svg::graph_svg;
pub use tree::graph_text;

use crate::{
    emit::visible::visible,
    model::{
        User,
        graph::{BuildGraph, BuiltImage, CrossingKind, Place, PulledImage, Run, RunImage, Says, Who},
    },
};
use std::collections::BTreeMap;

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

/// The short name of an image as people write it, its digest cut.
fn shown_image(name: &str) -> String {
    let short = name.strip_prefix("docker.io/library/").or_else(|| name.strip_prefix("docker.io/")).unwrap_or(name);
    match short.split_once("@sha256:") {
        Some((name, digest)) => format!("{}@sha256:{}…", shown(name), shown(digest.get(..12).unwrap_or(digest))),
        None => shown(short),
    }
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
            Some(builder) => format!("image of {}", builder.system.titled(&shown(&builder.name))),
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
    run.caller.system.titled(&shown(&run.caller.name))
}

/// What there is, and what crosses a trust boundary.
fn summary(graph: &BuildGraph) -> String {
    let count = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let there_is = [
        count(graph.recipes.len(), "Dockerfile", "Dockerfiles"),
        count(graph.images.len(), "image", "images"),
        count(graph.runs.len(), "run", "runs"),
    ];
    let mut kinds: BTreeMap<CrossingKind, usize> = BTreeMap::new();
    graph.crossings().for_each(|crossing| *kinds.entry(crossing.kind).or_default() += 1);
    if kinds.is_empty() {
        return there_is.join(", ");
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{} {count}", kind.plural())).collect();
    format!("{}; across a trust boundary: {}", there_is.join(", "), kinds.join(", "))
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
