//! Patches laid over a manifest: what they add to it, replace in it and take out of it.
//!
//! Facts: RFC 6902 for lists of operations; Kubernetes' strategic merge patches, where `null` and `$patch: delete` take
//! something away.

use super::Patch;
use crate::{
    syntax::yaml::{self, Editor, Node, Value},
    text::{Edit, FileId},
};

/// Patches follow a manifest no deeper.
const DEEPEST: usize = 32;

/// So many operations of one patch are done.
const MOST_OPERATIONS: usize = 128;

/// A patch says something in a form that is not read.
struct Unread;

/// The manifest `text` with `patches` on top; none where none of them is for it, or what one of them does cannot be read.
pub fn merged(text: &[u8], patches: &[Patch]) -> Option<Vec<u8>> {
    let mut text = text.to_vec();
    let mut is_patched = false;
    for patch in patches {
        let parsed = yaml::parse(&patch.text);
        if !parsed.errors.is_empty() {
            continue;
        }
        for document in parsed.tree.documents() {
            // Each operation of a list sees what those before it did.
            let parts: Vec<Node<'_>> = if document.is_sequence() { document.items().collect() } else { vec![document] };
            if parts.len() > MOST_OPERATIONS {
                return None;
            }
            for part in parts {
                if let Some(next) = laid_over(&text, part, document.is_sequence(), patch).ok()? {
                    text = next;
                    is_patched = true;
                }
            }
        }
    }
    is_patched.then_some(text)
}

/// `text` with `part` of `patch` on top, a document of it or one of its operations; none where that is for others.
fn laid_over(text: &[u8], part: Node<'_>, is_operation: bool, patch: &Patch) -> Result<Option<Vec<u8>>, Unread> {
    let parsed = yaml::parse(text);
    let editor = Editor::new(FileId::BESIDE, &parsed.tree);
    let named = |node: Node<'_>, path: &[&str]| {
        path.iter().try_fold(node, |node, key| node.get(key))?.scalar().map(str::to_owned)
    };
    let (kind, name) = match &patch.target {
        Some(target) => (target.kind.clone(), target.name.clone()),
        None if is_operation => return Ok(None),
        None => match (named(part, &["kind"]), named(part, &["metadata", "name"])) {
            (None, None) => return Ok(None),
            own => own,
        },
    };
    let is_meant = |node: &Node<'_>| {
        let fits = |wanted: &Option<String>, path: &[&str]| wanted.is_none() || *wanted == named(*node, path);
        fits(&kind, &["kind"]) && fits(&name, &["metadata", "name"])
    };
    let mut laying = Laying { editor: &editor, edits: Vec::new() };
    for target in parsed.tree.documents().filter(is_meant) {
        if is_operation {
            laying.operate(target, part)?;
        } else {
            laying.object(target, part, patch.target.is_some())?;
        }
    }
    let mut edits = laying.edits;
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for edit in &edits {
        if (edit.span.start as usize) < from {
            return Err(Unread);
        }
        out.extend_from_slice(&text[from..edit.span.start as usize]);
        out.extend_from_slice(edit.text.as_bytes());
        from = edit.span.end as usize;
    }
    out.extend_from_slice(&text[from..]);
    Ok((!edits.is_empty() && yaml::parse(&out).errors.is_empty()).then_some(out))
}

/// Edits of a manifest in the making.
struct Laying<'e, 'y> {
    editor: &'e Editor<'y>,
    edits: Vec<Edit>,
}

impl<'y> Laying<'_, 'y> {
    /// A patch over an object; one that is told what it is for does not rename that.
    fn object(&mut self, base: Node<'y>, patch: Node<'_>, is_told: bool) -> Result<(), Unread> {
        if !is_told {
            return self.mapping(base, patch, 0);
        }
        let named = |key: &str| ["apiVersion", "kind", "metadata"].contains(&key);
        self.parts(base, patch, 0, &|key| !named(key))?;
        match (base.get("metadata"), patch.get("metadata")) {
            (Some(base), Some(patch)) => self.parts(base, patch, 1, &|key| key != "name"),
            (None, _) | (_, None) => Ok(()),
        }
    }

    /// A mapping over a mapping: what it has more, what it has otherwise, and what it takes away.
    fn mapping(&mut self, base: Node<'y>, patch: Node<'_>, depth: usize) -> Result<(), Unread> {
        self.parts(base, patch, depth, &|_| true)
    }

    /// The same for those of its keys that are `wanted`.
    fn parts(
        &mut self,
        base: Node<'y>,
        patch: Node<'_>,
        depth: usize,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<(), Unread> {
        if depth > DEEPEST || patch.entries().any(|entry| entry.key.scalar().is_some_and(|key| key.starts_with('$'))) {
            return Err(Unread);
        }
        let mut added = Vec::new();
        for entry in patch.entries() {
            let Some(key) = entry.key.scalar().filter(|key| wanted(key)) else { continue };
            match base.get(key) {
                Some(_) if entry.value.is_null() || is_deletion(entry.value) => {
                    self.edits.push(self.editor.remove_key(base, key).map_err(|_| Unread)?);
                }
                Some(value) => self.value(value, entry.value, depth)?,
                None if entry.value.is_null() || is_deletion(entry.value) => {}
                None => added.extend(Value::of(entry.value).map(|value| (key, value))),
            }
        }
        if !added.is_empty() {
            self.edits.extend(self.editor.insert_all(base, added));
        }
        Ok(())
    }

    fn value(&mut self, base: Node<'y>, patch: Node<'_>, depth: usize) -> Result<(), Unread> {
        if base.is_mapping() && patch.is_mapping() {
            return self.mapping(base, patch, depth + 1);
        }
        if base.is_sequence() && patch.is_sequence() {
            return self.list(base, patch, depth + 1);
        }
        if base.scalar() != patch.scalar() && patch.scalar().is_some() && !patch.is_null() {
            self.edits.extend(Value::of(patch).and_then(|value| self.editor.replace(base, &value).ok()));
        }
        Ok(())
    }

    /// Items of the same name are one; a list of texts replaces the other, and is read where it only adds to it.
    fn list(&mut self, base: Node<'y>, patch: Node<'_>, depth: usize) -> Result<(), Unread> {
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
                Some(own) if is_deletion(item) => {
                    self.edits.push(self.editor.remove_item(own).map_err(|_| Unread)?);
                }
                Some(own) if item.is_mapping() => self.mapping(own, item, depth)?,
                Some(_) => {}
                None if is_deletion(item) => {}
                None => added.extend(Value::of(item)),
            }
        }
        if !added.is_empty() {
            self.edits.extend(self.editor.append_all(base, added));
        }
        Ok(())
    }

    /// One operation of a JSON patch.
    fn operate(&mut self, target: Node<'y>, operation: Node<'_>) -> Result<(), Unread> {
        let text = |key: &str| operation.get(key).and_then(Node::scalar);
        let (Some(kind), Some(path)) = (text("op"), text("path")) else { return Err(Unread) };
        let keys: Vec<String> = path.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
        let down = |node: Node<'y>, key: &str| {
            if node.is_sequence() { node.items().nth(key.parse().ok()?) } else { node.get(key) }
        };
        let Some((last, above)) = keys.split_last().filter(|_| keys.len() <= DEEPEST) else { return Err(Unread) };
        let place = above.iter().try_fold(target, |node, key| down(node, key));
        match (kind, place, operation.get("value")) {
            ("remove", Some(place), _) => {
                let own = down(place, last).ok_or(Unread)?;
                let edit = if place.is_sequence() {
                    self.editor.remove_item(own)
                } else {
                    self.editor.remove_key(place, last)
                };
                self.edits.push(edit.map_err(|_| Unread)?);
                Ok(())
            }
            ("add" | "replace", Some(place), Some(value)) => self.put(place, last, down(place, last), value),
            // What it adds to is not there: it gives nothing.
            ("test", _, _) | ("add" | "replace", None, _) => Ok(()),
            _ => Err(Unread),
        }
    }

    /// `value` at `key` of `place`, where `own` stands.
    fn put(&mut self, place: Node<'y>, key: &str, own: Option<Node<'y>>, value: Node<'_>) -> Result<(), Unread> {
        match (own, Value::of(value)) {
            (Some(own), _) => self.value(own, value, 0)?,
            (None, Some(value)) if place.is_mapping() => self.edits.extend(self.editor.insert(place, key, &value)),
            (None, Some(value)) if place.is_sequence() && key == "-" => {
                self.edits.extend(self.editor.append(place, &value));
            }
            (None, _) => {}
        }
        Ok(())
    }
}

/// Whether a patch takes away what it stands for.
fn is_deletion(patch: Node<'_>) -> bool {
    patch.get("$patch").and_then(Node::scalar) == Some("delete")
}
