//! Settings of manifests, with the mappings that they lie in.

use crate::{
    syntax::yaml::{Editor, Node, Refusal, Value},
    text::Edit,
};

/// Gives the setting at `path` below `mapping` that value; mappings on the way are made where there are none.
///
/// # Errors
/// Why it is not edited.
pub fn set_below<'y>(editor: &Editor<'y>, mapping: Node<'y>, path: &[&str], value: Value) -> Result<Edit, Refusal> {
    let Some((&key, deeper)) = path.split_first() else { return Err(Refusal::Form) };
    let inner = mapping.entry(key).map(|entry| entry.value);
    match inner {
        Some(inner) if !deeper.is_empty() && inner.form().is_some() => set_below(editor, inner, deeper, value),
        Some(_) | None => editor.set(mapping, key, &nested(deeper, value)),
    }
}

/// `value` in mappings, one for each key of `path`.
fn nested(path: &[&str], value: Value) -> Value {
    path.iter().rev().fold(value, |value, key| Value::map([(*key, value)]))
}
