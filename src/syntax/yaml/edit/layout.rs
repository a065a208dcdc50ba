//! How a file is written: line endings, indentation.

use crate::syntax::yaml::{Form, Kind, Node, Yaml};

/// How new lines of a file are to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// How lines end.
    pub(super) ending: &'static str,
    /// How much further the keys of an inner mapping are indented.
    pub(super) step: usize,
    /// How much further items are indented than the key that they belong to.
    pub(super) list: usize,
}

impl Layout {
    /// As the first lines do it that show it; two blanks where none does.
    pub(super) fn of(tree: &Yaml<'_>) -> Self {
        let text = tree.text();
        let is_crlf = memchr::memchr(b'\n', text).is_some_and(|at| at > 0 && text[at - 1] == b'\r');
        let step = first_indent(tree, Kind::Mapping(Form::Block)).filter(|&step| step > 0).unwrap_or(2);
        let list = first_indent(tree, Kind::Sequence(Form::Block)).unwrap_or(step);
        Self { ending: if is_crlf { "\r\n" } else { "\n" }, step, list }
    }
}

/// How much further than its key the first value of that kind is indented.
fn first_indent(tree: &Yaml<'_>, kind: Kind) -> Option<usize> {
    let column = |node: Node<'_>| {
        let before = &tree.text()[..node.span().start as usize];
        let line = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        before[line..].iter().all(|&byte| matches!(byte, b' ' | b'-')).then_some(before.len() - line)
    };
    let entries = tree.nodes().filter(|node| node.kind() == Kind::Mapping(Form::Block)).flat_map(Node::entries);
    let mut values = entries.filter(|entry| entry.value.kind() == kind);
    let indents = values.find_map(|entry| column(entry.value)?.checked_sub(column(entry.key)?));
    indents.filter(|&indent| indent <= 8)
}
