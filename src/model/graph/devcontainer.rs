//! What a `devcontainer.json` builds and runs.

use super::{
    Caller, CallerBuild, Fact, Lines, System,
    actor::{Actor, ImageName, Order, is_plain_path},
    crossing::{Crossing, CrossingKind},
};
use crate::{
    context,
    syntax::yaml::{self, Node},
};

/// The container of a `devcontainer.json`; none where it only names a compose file.
pub(super) fn actors(text: &[u8], lines: &Lines) -> Vec<Actor> {
    // JSON without its comments is YAML.
    let plain = without_comments(text);
    let tree = yaml::parse(&plain).tree;
    let Some(root) = tree.documents().next() else { return Vec::new() };
    of_root(root, lines).into_iter().collect()
}

fn of_root(root: Node<'_>, lines: &Lines) -> Option<Actor> {
    let place = |node: Node<'_>| lines.place(node.span());
    let text = |key| root.get(key).and_then(Node::scalar);
    let fact = |node: Node<'_>| Fact {
        value: node.scalar().filter(|text| !text.contains("${")).map(str::to_owned),
        is_defaulted: false,
        place: place(node),
    };
    let build = root.get("build");
    let of_build = |key: &str| build.and_then(|build| build.get(key)).and_then(Node::scalar);
    let file = of_build("dockerfile").or_else(|| of_build("dockerFile")).or_else(|| text("dockerFile"));
    let directory = context::directory(&lines.path);
    let builds = match file {
        Some(file) if is_plain_path(file) => Order::File(context::resolve(directory, file)),
        Some(_) => Order::Hidden,
        None => Order::Nothing,
    };
    let image = root.get("image").filter(|_| file.is_none());
    if image.is_none() && builds == Order::Nothing {
        return None;
    }
    let at = root.get("name").or(image).or(build).unwrap_or(root);
    let arguments = build
        .and_then(|build| build.get("args"))
        .into_iter()
        .flat_map(Node::entries)
        .filter_map(|entry| Some((entry.key.scalar()?.to_owned(), fact(entry.value).value)));
    let build = (builds != Order::Nothing).then(|| CallerBuild {
        place: place(build.unwrap_or(root)),
        target: build.and_then(|build| build.get("target")).map(fact),
        arguments: arguments.collect(),
        secrets: Vec::new(),
    });
    let user = root.get("containerUser").map(fact);
    let name = text("name").unwrap_or("devcontainer").to_owned();
    let caller = Caller { build, user, ..Caller::new(name, place(at), System::Devcontainer) };
    let is_privileged = root.get("privileged").filter(|node| node.boolean() == Some(true));
    let crossings =
        is_privileged.map(|node| Crossing { kind: CrossingKind::Privileged, what: String::new(), place: place(node) });
    Some(Actor {
        caller,
        builds,
        names: image.and_then(Node::scalar).map(ImageName::with_variables).into_iter().collect(),
        is_run: true,
        refuses_root: false,
        crossings: crossings.into_iter().collect(),
        labels: Vec::new(),
    })
}

/// The text with its comments as blanks of equal length.
fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut plain = text.to_vec();
    let mut at = 0;
    while at < plain.len() {
        let end = match (plain[at], plain.get(at + 1)) {
            (b'"', _) => {
                at = end_of_text(&plain, at + 1);
                continue;
            }
            (b'/', Some(b'/')) => memchr::memchr(b'\n', &plain[at..]).map_or(plain.len(), |end| at + end),
            (b'/', Some(b'*')) => {
                memchr::memmem::find(&plain[at + 2..], b"*/").map_or(plain.len(), |end| at + 2 + end + 2)
            }
            _ => {
                at += 1;
                continue;
            }
        };
        plain[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    // A tab may stand between the parts of JSON, and not between those of YAML.
    plain.iter_mut().filter(|byte| **byte == b'\t').for_each(|byte| *byte = b' ');
    plain
}

/// Behind the quote that ends the text that begins at `at`.
fn end_of_text(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' | b'\n' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_tabs_are_blank() {
        let text = "{\n\t// \"image\": \"a\"\n\t\"name\": \"x // y\", /* z */\n\t\"image\": \"debian:13\", \"privileged\": true,\n}\n";
        let actors = actors(text.as_bytes(), &Lines::of(".devcontainer/devcontainer.json", text.as_bytes()));
        assert_eq!(actors.len(), 1);
        assert_eq!(actors[0].caller.name, "x // y");
        assert_eq!(actors[0].names, [ImageName::known("debian:13")]);
        assert_eq!(actors[0].crossings.len(), 1);
    }
}
