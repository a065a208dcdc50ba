//! Words of a script as a start command has them.

use super::{ShellUse, StartWord};
use crate::{
    model::stage::Stage,
    syntax::shell::{Command, Connector, Operator, Piece, PieceKind, Quoting, Script, Value, Word},
};
use std::collections::BTreeMap;

/// Variables that a script has set so far, where it says to what.
pub(in crate::model) type Assigned = BTreeMap<String, Option<String>>;

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
    let (text, is_whole) = beginning(stage, assigned, word);
    is_whole.then_some(text)
}

/// How a word begins with the values that the image gives to its variables, and whether that is all of it.
pub(in crate::model) fn beginning(stage: Stage<'_>, assigned: &Assigned, word: Word<'_>) -> (String, bool) {
    let script: &Script = word.script();
    let text = |span| std::str::from_utf8(script.bytes(span)).ok();
    let value = |name: &str| match assigned.get(name) {
        Some(value) => value.clone(),
        None => stage.variable(name)?.value.as_ref()?.known().map(str::to_owned),
    };
    let text_of = |piece: Piece| match piece.kind {
        PieceKind::Text(Quoting::Single) => text(piece.span).map(str::to_owned),
        PieceKind::Text(Quoting::Bare | Quoting::Double) => {
            text(piece.span).filter(|text| !text.contains('\\')).map(str::to_owned)
        }
        PieceKind::Variable { name, operator: Operator::None, .. } => value(text(name)?),
        PieceKind::Variable { name, operator: Operator::Default | Operator::Assign, operand } => {
            let default = text(operand).filter(|text| !text.contains(['$', '`', '\\', '"', '\'']));
            let default = default.map(|text| text.trim_start_matches([':', '-', '=']).to_owned());
            value(text(name)?).filter(|value| !value.is_empty()).or(default)
        }
        PieceKind::Text(Quoting::Ansi)
        | PieceKind::Variable { .. }
        | PieceKind::Substitution(_)
        | PieceKind::Process(_)
        | PieceKind::Arithmetic => None,
    };
    let mut whole = String::new();
    for piece in word.pieces().filter(|piece| !piece.nested) {
        match text_of(piece) {
            Some(text) => whole.push_str(&text),
            None => return (whole, false),
        }
    }
    (whole, true)
}

/// Remembers what a command sets.
pub(in crate::model) fn remember(stage: Stage<'_>, command: Command<'_>, assigned: &mut Assigned) {
    let is_certain = command.place().block.is_none() && !matches!(command.place().before, Connector::Or);
    if command.word_count() == 0 || command.name() == Some("export") {
        for assignment in command.assignments() {
            let value = match assignment.value() {
                Value::Word(word) if !assignment.appends() && assignment.subscript().is_none() => {
                    usual(stage, assigned, word)
                }
                Value::Word(_) | Value::Array(_) => None,
            };
            assigned.insert(assignment.name().to_owned(), value.filter(|_| is_certain));
        }
    }
    if matches!(command.name(), Some("export" | "declare" | "local" | "readonly" | "read")) {
        for word in command.arguments() {
            if let Some(name) = word.assigned_name() {
                let value = usual(stage, assigned, word);
                let value = value.as_deref().and_then(|text| text.split_once('=')).map(|(_, value)| value.to_owned());
                assigned.insert(name.to_owned(), value.filter(|_| is_certain));
            } else if command.name() == Some("read") {
                assigned.insert(word.text().into_owned(), None);
            }
        }
    }
}
