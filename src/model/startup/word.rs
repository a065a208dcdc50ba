//! Words of a script as a start command has them.

use super::{ShellUse, StartWord};
use crate::{
    model::stage::Stage,
    syntax::shell::{Operator, PieceKind, Quoting, Script, Word},
};
use std::collections::BTreeMap;

/// Variables that a script has set so far, where it says to what.
pub(super) type Assigned = BTreeMap<String, Option<String>>;

/// A word of `script`, and what a shell is needed for in it.
pub(super) fn start_word(stage: Stage<'_>, assigned: &Assigned, word: Word<'_>) -> (StartWord, Option<ShellUse>) {
    if let Some(text) = word.literal() {
        return (StartWord::Known(text.to_owned()), None);
    }
    let written = String::from_utf8_lossy(word.source()).into_owned();
    if word.has_substitution() {
        return (StartWord::Unknown(written), Some(ShellUse::Substitution));
    }
    if word.has_glob() || word.has_tilde() || word.has_braces() {
        let kind = ShellUse::Pattern;
        return (StartWord::Pattern(written), Some(kind));
    }
    let is_split = word.pieces().any(|piece| matches!(piece.kind, PieceKind::Variable { .. }) && !piece.quoted);
    (StartWord::Variable { written, usual: usual(stage, assigned, word), is_split }, Some(ShellUse::Variable))
}

/// What a word is with the values that the image gives to its variables.
fn usual(stage: Stage<'_>, assigned: &Assigned, word: Word<'_>) -> Option<String> {
    let script: &Script = word.script();
    let text = |span| std::str::from_utf8(script.bytes(span)).ok();
    let value = |name: &str| match assigned.get(name) {
        Some(value) => value.clone(),
        None => stage.variable(name)?.value.as_ref()?.known().map(str::to_owned),
    };
    let mut whole = String::new();
    for piece in word.pieces().filter(|piece| !piece.nested) {
        match piece.kind {
            PieceKind::Text(Quoting::Single) => whole.push_str(text(piece.span)?),
            PieceKind::Text(Quoting::Bare | Quoting::Double) => {
                whole.push_str(text(piece.span).filter(|text| !text.contains('\\'))?);
            }
            PieceKind::Variable { name, operator: Operator::None, .. } => whole.push_str(&value(text(name)?)?),
            PieceKind::Variable { name, operator: Operator::Default | Operator::Assign, operand } => {
                let default = text(operand).filter(|text| !text.contains(['$', '`', '\\', '"', '\'']));
                let default = default.map(|text| text.trim_start_matches([':', '-', '=']).to_owned());
                let own = value(text(name)?).filter(|value| !value.is_empty());
                whole.push_str(&own.or(default)?);
            }
            PieceKind::Text(Quoting::Ansi)
            | PieceKind::Variable { .. }
            | PieceKind::Substitution(_)
            | PieceKind::Process(_)
            | PieceKind::Arithmetic => return None,
        }
    }
    Some(whole)
}
