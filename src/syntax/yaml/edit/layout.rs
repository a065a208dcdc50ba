//! How a file is written: line endings, indentation.

use crate::syntax::yaml::{Entry, Form, Kind, Node, Yaml};

/// How new lines at one place are to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// How lines end.
    pub(super) ending: &'static str,
    /// How much further the keys of an inner mapping are indented.
    pub(super) step: usize,
    /// How much further items are indented than the key that they belong to.
    pub(super) list: usize,
}

/// How the lines of a file are written.
#[derive(Clone, Debug)]
pub(super) struct Layouts {
    /// How lines end.
    pub(super) ending: &'static str,
    steps: Indents,
    lists: Indents,
}

impl Layouts {
    pub(super) fn of(tree: &Yaml<'_>) -> Self {
        let text = tree.text();
        let is_crlf = memchr::memchr(b'\n', text).is_some_and(|at| at > 0 && text[at - 1] == b'\r');
        let (mut steps, mut lists) = (Indents::default(), Indents::default());
        for entry in tree.nodes().filter(|node| node.kind() == Kind::Mapping(Form::Block)).flat_map(Node::entries) {
            match entry.value.kind() {
                Kind::Mapping(Form::Block) => steps.note(tree, entry),
                Kind::Sequence(Form::Block) => lists.note(tree, entry),
                Kind::Mapping(Form::Flow) | Kind::Sequence(Form::Flow) | Kind::Scalar(_) | Kind::Alias => {}
            }
        }
        steps.0.retain(|&(_, indent)| indent > 0);
        steps.0.sort_unstable();
        lists.0.sort_unstable();
        Self { ending: if is_crlf { "\r\n" } else { "\n" }, steps, lists }
    }

    /// How what is added to `collection` is written: as its own values are, else as those that stand before its end, else
    /// as the first ones of the file; two blanks where none shows it.
    pub(super) fn inside(&self, collection: Node<'_>) -> Layout {
        let own = |kind: Kind| collection.entries().filter(|entry| entry.value.kind() == kind).last();
        let end = collection.span().end;
        let at = |kind: Kind| own(kind).map_or(end, |entry| entry.value.span().start);
        let step = self.steps.before(at(Kind::Mapping(Form::Block))).unwrap_or(2);
        let list = self.lists.before(at(Kind::Sequence(Form::Block))).unwrap_or(step);
        Layout { ending: self.ending, step, list }
    }

    /// How what stands behind everything else is written.
    pub(super) fn at_end(&self) -> Layout {
        let step = self.steps.before(u32::MAX).unwrap_or(2);
        Layout { ending: self.ending, step, list: self.lists.before(u32::MAX).unwrap_or(step) }
    }
}

/// Where values of one kind start, in order, and how much further than their keys they are indented.
#[derive(Clone, Debug, Default)]
struct Indents(Vec<(u32, usize)>);

impl Indents {
    fn note(&mut self, tree: &Yaml<'_>, entry: Entry<'_>) {
        let column = |node: Node<'_>| {
            let before = &tree.text()[..node.span().start as usize];
            let line = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            before[line..].iter().all(|&byte| matches!(byte, b' ' | b'-')).then_some(before.len() - line)
        };
        let indent = || column(entry.value)?.checked_sub(column(entry.key)?);
        self.0.extend(indent().filter(|&indent| indent <= 8).map(|indent| (entry.value.span().start, indent)));
    }

    /// The indentation of the last one that starts at `offset` or before it; of the first of all where none does.
    fn before(&self, offset: u32) -> Option<usize> {
        let behind = self.0.partition_point(|&(start, _)| start <= offset);
        self.0.get(behind.saturating_sub(1)).map(|&(_, indent)| indent)
    }
}
