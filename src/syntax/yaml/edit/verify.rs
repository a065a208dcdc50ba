//! Whether an edit changes what it means to change, and nothing else: the events of both texts are compared.

use crate::{
    syntax::yaml::{Kind, Node, Yaml, parse},
    text::Span,
};
use std::{borrow::Cow, ops::Range};

/// One event of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event<'t> {
    Document,
    List,
    Map,
    End,
    Text(&'t str),
    /// As it is written.
    Alias(Cow<'t, str>),
    /// The next one has a tag or an anchor.
    Marked(bool, bool),
}

impl<'t> Event<'t> {
    pub(super) fn text(text: &'t str) -> Self {
        Event::Text(text)
    }
}

/// What an edit means to change.
pub(super) enum Change<'y, 'v> {
    /// Something else where a node was.
    Replace(Node<'y>, Vec<Event<'v>>),
    /// Something more at the end of a collection.
    Insert(Node<'y>, Vec<Event<'v>>),
    /// Everything from one node to another, both included.
    Remove(Node<'y>, Node<'y>),
    /// One document more.
    Append(Vec<Event<'v>>),
}

/// The events of a text, and where those of each node are among them.
#[derive(Debug)]
pub(super) struct Events<'t> {
    all: Vec<Event<'t>>,
    /// By node, the first of its events and the one behind its last.
    places: Vec<(usize, usize)>,
}

impl<'t> Events<'t> {
    pub(super) fn of(tree: &'t Yaml<'t>) -> Self {
        let mut events = Self { all: Vec::new(), places: Vec::with_capacity(tree.nodes.len()) };
        for document in tree.documents() {
            events.all.push(Event::Document);
            events.add(document);
        }
        events
    }

    /// Collections lie no deeper in each other than the parser allows.
    fn add(&mut self, node: Node<'t>) {
        let start = self.all.len();
        self.places.push((start, start));
        if node.is_tagged() || node.is_anchored() {
            self.all.push(Event::Marked(node.is_tagged(), node.is_anchored()));
        }
        match node.kind() {
            Kind::Scalar(_) => self.all.push(Event::text(node.scalar().unwrap_or_default())),
            Kind::Alias => {
                self.all.push(Event::Alias(String::from_utf8_lossy(node.span().of(node.yaml.text))));
            }
            Kind::Sequence(_) | Kind::Mapping(_) => {
                self.all.push(if node.is_mapping() { Event::Map } else { Event::List });
                for child in node.children() {
                    self.add(child);
                }
                self.all.push(Event::End);
            }
        }
        self.places[node.id as usize].1 = self.all.len();
    }

    /// Whether `after`, in place of `part`, is a text with the events of that part, `change` apart.
    pub(super) fn differ_only_by(&self, change: &Change<'t, '_>, part: &Part, after: Vec<u8>) -> bool {
        let nothing = Vec::new();
        let (from, until, new) = match change {
            Change::Replace(node, new) => (self.places[node.id as usize].0, self.places[node.id as usize].1, new),
            Change::Insert(collection, new) => {
                let end = self.places[collection.id as usize].1 - 1;
                (end, end, new)
            }
            Change::Remove(first, last) => {
                (self.places[first.id as usize].0, self.places[last.id as usize].1, &nothing)
            }
            Change::Append(new) => (self.all.len(), self.all.len(), new),
        };
        let first = match change {
            Change::Append(_) => Some(&Event::Document),
            Change::Replace(..) | Change::Insert(..) | Change::Remove(..) => None,
        };
        let own = self.range(part);
        let expected = self.all[own.start..from].iter().chain(first).chain(new).chain(&self.all[until..own.end]);
        part.reads_as(after, expected)
    }

    /// Whether the lines of `part` mean on their own what they mean in `text`.
    pub(super) fn are_those_of(&self, part: &Part, text: &[u8]) -> bool {
        part.reads_as(part.span.of(text).to_vec(), self.all[self.range(part)].iter())
    }

    fn range(&self, part: &Part) -> Range<usize> {
        match part.nodes {
            Some((first, last)) => self.places[first as usize].0..self.places[last as usize].1,
            None => 0..self.all.len(),
        }
    }
}

/// Lines of a text that are read on their own.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) span: Span,
    /// The key and the value, or the item twice, that it holds; none if it is the whole text.
    pub(super) nodes: Option<(u32, u32)>,
    /// How far its first line is indented.
    pub(super) column: usize,
}

impl Part {
    pub(super) fn whole(text: &[u8]) -> Self {
        Self { span: Span::new(0, text.len()), nodes: None, column: 0 }
    }

    /// Whether `text` has these events.
    fn reads_as<'e>(&self, mut text: Vec<u8>, mut expected: impl Iterator<Item = &'e Event<'e>>) -> bool {
        // Something stands behind it, as in the file, that it must not take for its own.
        let (first, following): (_, &[Event<'_>]) = match self.nodes {
            None => (None, &[]),
            Some((first, last)) if first == last => (Some(Event::List), &[Event::Text("0"), Event::End]),
            Some(_) => (Some(Event::Map), &[Event::Text("zz"), Event::Text("0"), Event::End]),
        };
        if let Some(first) = &first {
            if !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            text.resize(text.len() + self.column, b' ');
            text.extend_from_slice(if *first == Event::List { b"- 0\n" } else { b"zz: 0\n" });
        }
        let parsed = parse(&text);
        if !parsed.errors.is_empty() || parsed.tree.is_masked {
            return false;
        }
        let found = Events::of(&parsed.tree);
        let Some(inner) = found.all.strip_suffix(following) else { return false };
        let inner = match (first, inner) {
            (None, all) => all,
            (Some(first), [Event::Document, start, inner @ ..]) if *start == first => inner,
            (Some(_), _) => return false,
        };
        let mut inner = inner.iter();
        expected.all(|event| inner.next() == Some(event)) && inner.next().is_none()
    }
}
