//! `build`: which Dockerfile a service is made of, and with what.

use super::{Layer, Text, assignments};
use crate::{context, syntax::yaml::Node};
use std::collections::HashSet;

/// How a service is built.
#[derive(Clone, Debug)]
pub struct Build<'y> {
    /// Where it is written.
    pub node: Node<'y>,
    /// The Dockerfile, written as paths of checked files are; none where it is in the compose file, behind an address,
    /// or hidden by a variable.
    pub dockerfile: Option<String>,
    /// The text of a Dockerfile that is written in the compose file.
    pub inline: Option<Text<'y>>,
    /// The stage that is built, if it is named.
    pub target: Option<Text<'y>>,
    /// Build arguments, with their values where these are written.
    pub arguments: Vec<(String, Option<Text<'y>>)>,
    /// Secrets that the build may read.
    pub secrets: Vec<Secret<'y>>,
}

/// A secret that a build may read.
#[derive(Clone, Debug)]
pub struct Secret<'y> {
    /// Its name among the secrets of the file.
    pub source: Text<'y>,
    /// The id that the Dockerfile calls it by, if that is another one.
    pub id: Option<Text<'y>>,
}

impl<'y> Build<'y> {
    /// What the layers of a service say, what wins first.
    pub(super) fn of(layers: &[(Node<'y>, &Layer<'y>)]) -> Option<Self> {
        let &(first, _) = layers.first()?;
        let find = |key: &str| {
            layers
                .iter()
                .find_map(|(node, layer)| Text::of(node.get(key)?, &layer.variables).map(|text| (text, *layer)))
        };
        let context = layers.iter().find_map(|(node, layer)| {
            let context = if node.is_mapping() { node.get("context")? } else { *node };
            Text::of(context, &layer.variables).map(|text| (text, *layer))
        });
        let inline = find("dockerfile_inline").map(|(text, _)| text);
        let name = find("dockerfile").map(|(text, _)| text);
        let mut arguments: Vec<(String, Option<Text<'y>>)> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        for (node, layer) in layers {
            for (name, value) in node.get("args").into_iter().flat_map(|args| assignments(args, &layer.variables)) {
                if seen.insert(name.clone()) {
                    arguments.push((name, value));
                }
            }
        }
        let secrets = layers.iter().flat_map(|(node, layer)| {
            let items = node.get("secrets").into_iter().flat_map(Node::items);
            items.filter_map(|item| Secret::of(item, layer)).collect::<Vec<_>>()
        });
        let directory = layers.last().map_or("", |(_, layer)| &layer.directory);
        let dockerfile = if inline.is_some() { None } else { dockerfile(context.as_ref(), name.as_ref(), directory) };
        Some(Self {
            node: first,
            dockerfile,
            inline,
            target: find("target").map(|(text, _)| text),
            arguments,
            secrets: secrets.collect(),
        })
    }
}

impl<'y> Secret<'y> {
    fn of(item: Node<'y>, layer: &Layer<'y>) -> Option<Self> {
        if !item.is_mapping() {
            return Some(Self { source: Text::of(item, &layer.variables)?, id: None });
        }
        let text = |key| item.get(key).and_then(|node| Text::of(node, &layer.variables));
        Some(Self { source: text("source")?, id: text("target") })
    }
}

fn dockerfile(context: Option<&(Text<'_>, &Layer<'_>)>, name: Option<&Text<'_>>, directory: &str) -> Option<String> {
    let (context, directory) = match context {
        Some((text, layer)) => (text.known()?, layer.directory.as_str()),
        None => (".", directory),
    };
    if context.contains("://") || context.starts_with("git@") || context.starts_with("github.com/") {
        return None;
    }
    let name = match name {
        Some(name) => name.known()?,
        None => "Dockerfile",
    };
    let directory = context::resolve(directory, context);
    Some(context::resolve(&directory, name))
}
