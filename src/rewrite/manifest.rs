//! Settings of manifests, with the mappings that they lie in.

use crate::{
    model::{compose::PulledImage, reference::Reference},
    rule::{Cx, Fix, Safety},
    syntax::yaml::{Editor, Node, Refusal, Value},
    text::Edit,
};

/// Gives the setting at `path` below `mapping` that value; mappings on the way are made where there are none.
///
/// # Errors
/// Why it is not edited.
pub fn set_below<'y>(editor: &Editor<'y>, mapping: Node<'y>, path: &[&str], value: Value) -> Result<Edit, String> {
    set(editor, mapping, path, value).map_err(|refusal| refusal.to_string())
}

/// Adds `item` to the list at `path` below `mapping`; the list, and mappings on the way, are made where there are none.
///
/// # Errors
/// Why it is not edited.
pub fn append_below<'y>(editor: &Editor<'y>, mapping: Node<'y>, path: &[&str], item: Value) -> Result<Edit, String> {
    let list = path.iter().try_fold(mapping, |node, key| node.get(key));
    match list.filter(|list| !list.is_null()) {
        Some(list) => editor.append(list, &item).map_err(|refusal| refusal.to_string()),
        None => set_below(editor, mapping, path, Value::List(vec![item])),
    }
}

fn set<'y>(editor: &Editor<'y>, mapping: Node<'y>, path: &[&str], value: Value) -> Result<Edit, Refusal> {
    let Some((&key, deeper)) = path.split_first() else { return Err(Refusal::Form) };
    let inner = mapping.entry(key).map(|entry| entry.value);
    match inner {
        Some(inner) if !deeper.is_empty() && inner.form().is_some() => set(editor, inner, deeper, value),
        Some(_) | None => editor.set(mapping, key, &nested(deeper, value)),
    }
}

/// `value` in mappings, one for each key of `path`.
fn nested(path: &[&str], value: Value) -> Value {
    path.iter().rev().fold(value, |value, key| Value::map([(*key, value)]))
}

/// Writes the digest that the lock has of `image` behind its name, which is the scalar `node`; manual where the lock
/// does not know it.
///
/// # Errors
/// Why it is not edited.
pub fn pin<'y, M>(cx: &Cx<'_, M>, editor: &Editor<'y>, node: Node<'y>, image: &Reference<'_>) -> Result<Fix, String> {
    const TITLE: &str = "Pin the image by digest";
    let name = image.text();
    let Some(locked) = cx.lock.image(image) else {
        let reason = format!("`ironhull.lock` has no digest of `{name}`; `ironhull lock` writes it down");
        return Ok(Fix::new(TITLE, Safety::Manual, reason, Vec::new()));
    };
    let tag = if image.tag().is_none() { ":latest" } else { "" };
    let pinned = Value::text(format!("{name}{tag}@{}", locked.digest));
    let edit = editor.replace(node, &pinned).map_err(|refusal| refusal.to_string())?;
    let reason = format!("`ironhull.lock` has the digest, resolved on {}", locked.resolved);
    Ok(Fix::new(TITLE, Safety::Safe, reason, vec![edit]))
}

/// The same for an image of a compose file.
///
/// # Errors
/// Why it is not edited.
pub fn pin_service<'y, M>(cx: &Cx<'_, M>, editor: &Editor<'y>, image: &PulledImage<'_, 'y>) -> Result<Fix, String> {
    if !image.is_written_out() {
        return Err("a variable or another service has a say in the name".to_owned());
    }
    pin(cx, editor, image.text.node, &image.reference)
}
