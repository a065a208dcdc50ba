//! Patches laid over a manifest, as far as they add to it or replace a scalar of it.

use super::Patch;
use crate::{
    syntax::yaml::{self, Editor, Node, Value},
    text::{Edit, FileId},
};

/// Patches follow a manifest no deeper.
const DEEPEST: usize = 32;

/// The manifest `text` with `patches` on top; none where none of them is for it. What a patch takes away, and what it
/// says in a form that is not read, is left as it is.
pub fn merged(text: &[u8], patches: &[Patch]) -> Option<Vec<u8>> {
    let mut text = text.to_vec();
    let mut is_patched = false;
    for patch in patches {
        let parsed = yaml::parse(&patch.text);
        if !parsed.errors.is_empty() {
            continue;
        }
        for document in parsed.tree.documents() {
            if let Some(next) = laid_over(&text, document, patch) {
                text = next;
                is_patched = true;
            }
        }
    }
    is_patched.then_some(text)
}

/// `text` with `document` of `patch` on top.
fn laid_over(text: &[u8], document: Node<'_>, patch: &Patch) -> Option<Vec<u8>> {
    let parsed = yaml::parse(text);
    let editor = Editor::new(FileId::BESIDE, &parsed.tree);
    let named = |node: Node<'_>, path: &[&str]| {
        path.iter().try_fold(node, |node, key| node.get(key))?.scalar().map(str::to_owned)
    };
    let own = |path: &[&str]| if document.is_mapping() { named(document, path) } else { None };
    let kind = patch.kind.clone().or_else(|| own(&["kind"]));
    let name = patch.name.clone().or_else(|| own(&["metadata", "name"]));
    if kind.is_none() && name.is_none() {
        return None;
    }
    let is_meant = |node: &Node<'_>| {
        let fits = |wanted: &Option<String>, path: &[&str]| wanted.is_none() || *wanted == named(*node, path);
        fits(&kind, &["kind"]) && fits(&name, &["metadata", "name"])
    };
    let mut laying = Laying { editor: &editor, edits: Vec::new() };
    for target in parsed.tree.documents().filter(is_meant) {
        if document.is_sequence() {
            document.items().for_each(|operation| laying.operate(target, operation));
        } else {
            laying.mapping(target, document, 0);
        }
    }
    let mut edits = laying.edits;
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for edit in edits.iter().filter(|edit| !edit.text.is_empty()) {
        if (edit.span.start as usize) < from {
            continue;
        }
        out.extend_from_slice(&text[from..edit.span.start as usize]);
        out.extend_from_slice(edit.text.as_bytes());
        from = edit.span.end as usize;
    }
    out.extend_from_slice(&text[from..]);
    (!edits.is_empty() && yaml::parse(&out).errors.is_empty()).then_some(out)
}

/// Edits of a manifest in the making.
struct Laying<'e, 'y> {
    editor: &'e Editor<'y>,
    edits: Vec<Edit>,
}

impl<'y> Laying<'_, 'y> {
    /// A mapping over a mapping: what it has more, and what it has otherwise.
    fn mapping(&mut self, base: Node<'y>, patch: Node<'_>, depth: usize) {
        if depth > DEEPEST || patch.get("$patch").is_some() {
            return;
        }
        let mut added = Vec::new();
        for entry in patch.entries() {
            let Some(key) = entry.key.scalar() else { continue };
            match base.get(key) {
                Some(value) => self.value(value, entry.value, depth),
                None if entry.value.is_null() => {}
                None => added.extend(Value::of(entry.value).map(|value| (key, value))),
            }
        }
        if !added.is_empty() {
            self.edits.extend(self.editor.insert_all(base, added));
        }
    }

    fn value(&mut self, base: Node<'y>, patch: Node<'_>, depth: usize) {
        if base.is_mapping() && patch.is_mapping() {
            self.mapping(base, patch, depth + 1);
        } else if base.is_sequence() && patch.is_sequence() {
            self.list(base, patch, depth + 1);
        } else if base.scalar() != patch.scalar() && patch.scalar().is_some() && !patch.is_null() {
            self.edits.extend(Value::of(patch).and_then(|value| self.editor.replace(base, &value).ok()));
        }
    }

    /// Items of the same name are one; a list of texts replaces the other, and is read where it only adds to it.
    fn list(&mut self, base: Node<'y>, patch: Node<'_>, depth: usize) {
        let name =
            |item: Node<'_>| ["name", "mountPath"].iter().find_map(|key| item.get(key)?.scalar().map(str::to_owned));
        let mut added = Vec::new();
        for item in patch.items() {
            let same = base.items().find(|own| match (name(item), item.scalar()) {
                (Some(wanted), _) => name(*own) == Some(wanted),
                (None, Some(text)) => own.scalar() == Some(text),
                (None, None) => false,
            });
            match same {
                Some(own) if item.is_mapping() => self.mapping(own, item, depth),
                Some(_) => {}
                None => added.extend(Value::of(item)),
            }
        }
        if !added.is_empty() {
            self.edits.extend(self.editor.append_all(base, added));
        }
    }

    /// One operation of a JSON patch: `add` or `replace` at a path.
    fn operate(&mut self, target: Node<'y>, operation: Node<'_>) {
        let text = |key: &str| operation.get(key).and_then(Node::scalar);
        let (Some("add" | "replace"), Some(path), Some(value)) = (text("op"), text("path"), operation.get("value"))
        else {
            return;
        };
        let keys: Vec<String> = path.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
        let Some((last, above)) = keys.split_last() else { return };
        let down = |node: Node<'y>, key: &str| {
            if node.is_sequence() { node.items().nth(key.parse().ok()?) } else { node.get(key) }
        };
        let Some(place) = above.iter().take(DEEPEST).try_fold(target, |node, key| down(node, key)) else { return };
        match (down(place, last), Value::of(value)) {
            (Some(own), _) => self.value(own, value, 0),
            (None, Some(value)) if place.is_mapping() => self.edits.extend(self.editor.insert(place, last, &value)),
            (None, Some(value)) if place.is_sequence() && last == "-" => {
                self.edits.extend(self.editor.append(place, &value));
            }
            (None, _) => {}
        }
    }
}
