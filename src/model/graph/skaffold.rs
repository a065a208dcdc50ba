//! What Skaffold builds: the artifacts of a `skaffold.yaml`.

use super::{
    Caller, CallerBuild, Fact, Lines, System, about,
    actor::{Actor, ImageName, Order, is_plain_path},
    repository,
};
use crate::{
    context::{self, BuildContext, Found},
    syntax::yaml::{self, Node, Yaml},
};

const NAMES: [&str; 2] = ["skaffold.yaml", "skaffold.yml"];

/// Keys of artifacts that are built without a Dockerfile.
const OTHER_BUILDERS: [&str; 5] = ["bazel", "buildpacks", "custom", "jib", "ko"];

/// The artifacts among the objects of a file that are built from a Dockerfile.
pub(super) fn actors(tree: &Yaml<'_>, lines: &Lines) -> Vec<Actor> {
    artifacts(tree).map(|artifact| actor(artifact, lines)).collect()
}

/// Registry and repository of the images that a `skaffold.yaml` around builds from the Dockerfile at `dockerfile`.
pub(super) fn images_of(context: BuildContext<'_>, dockerfile: &str) -> Vec<String> {
    // Hardly any Dockerfile has one above it, and to list a directory costs less than to ask for two files.
    let holds_one = |at: &str| {
        let entries = context.list(at);
        NAMES.iter().any(|name| entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).is_ok())
    };
    if !context.directories().any(holds_one) {
        return Vec::new();
    }
    let found = NAMES.iter().filter_map(|name| context.nearest(name));
    let names = found.flat_map(|found| {
        let images = context.remembered(about("images", std::slice::from_ref(&found)), || images(&found));
        let own = images.iter().filter(|image| image.dockerfile == dockerfile);
        own.map(|image| image.repository.clone()).collect::<Vec<_>>()
    });
    names.collect()
}

/// What an artifact is called, and the Dockerfile that it is built from.
struct Image {
    dockerfile: String,
    repository: String,
}

fn images(file: &Found) -> Vec<Image> {
    let tree = yaml::parse(&file.text).tree;
    let actors = actors(&tree, &Lines::of(&file.path, &file.text));
    let images = actors.into_iter().filter_map(|actor| {
        let Order::File(dockerfile) = actor.builds else { return None };
        let repositories = actor.names.into_iter().filter_map(|name| repository(&name.whole?));
        Some(repositories.map(|repository| Image { dockerfile: dockerfile.clone(), repository }).collect::<Vec<_>>())
    });
    images.flatten().collect()
}

fn artifacts<'y>(tree: &'y Yaml<'y>) -> impl Iterator<Item = Node<'y>> {
    let is_skaffold =
        |document: &Node<'_>| text(*document, "apiVersion").is_some_and(|version| version.starts_with("skaffold/"));
    let builds = tree.documents().filter(is_skaffold).filter_map(|document| document.get("build")?.get("artifacts"));
    builds.flat_map(Node::items).filter(|artifact| OTHER_BUILDERS.iter().all(|key| artifact.get(key).is_none()))
}

fn actor(artifact: Node<'_>, lines: &Lines) -> Actor {
    let builder = ["docker", "kaniko"].iter().find_map(|key| artifact.get(key));
    let said = |key: &str| builder.and_then(|builder| builder.get(key));
    let context = text(artifact, "context").unwrap_or(".");
    let file = builder.and_then(|builder| text(builder, "dockerfile")).unwrap_or("Dockerfile");
    let builds = if is_plain_path(context) && is_plain_path(file) {
        let home = context::resolve(context::directory(&lines.path), context);
        Order::File(context::resolve(&home, file))
    } else {
        Order::Hidden
    };
    let place = lines.place(artifact.span());
    let arguments = said("buildArgs").into_iter().flat_map(Node::entries).filter_map(|entry| {
        let value = entry.value.scalar().filter(|value| !value.contains("{{") && !value.contains('$'));
        Some((entry.key.scalar()?.to_owned(), value.map(str::to_owned)))
    });
    // One or several, by version.
    let secrets = ["secret", "secrets"].into_iter().filter_map(said);
    let secrets =
        secrets.flat_map(|node| node.get("id").into_iter().chain(node.items().filter_map(|item| item.get("id"))));
    let build = CallerBuild {
        place: place.clone(),
        target: said("target").map(|node| Fact {
            value: node.scalar().filter(|_| !node.is_template()).map(str::to_owned),
            is_defaulted: false,
            place: lines.place(node.span()),
        }),
        arguments: arguments.collect(),
        secrets: secrets.filter_map(|id| id.scalar().map(str::to_owned)).collect(),
    };
    let name = text(artifact, "image").unwrap_or_default();
    let caller = Caller { build: Some(build), ..Caller::new(name.to_owned(), place, System::Skaffold) };
    let names = vec![ImageName::with_variables(name)];
    Actor { caller, builds, names, is_run: false, refuses_root: false, crossings: Vec::new(), labels: Vec::new() }
}

fn text<'y>(node: Node<'y>, key: &str) -> Option<&'y str> {
    node.get(key)?.scalar()
}
