//! Whether an edit changes what it means to change, and nothing else: the events of both texts are compared.

use crate::syntax::yaml::{Kind, Node, Yaml, parse};
use std::borrow::Cow;

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

    /// Whether `after` is a text with these events, `change` apart.
    pub(super) fn differ_only_by(&self, change: &Change<'t, '_>, after: &[u8]) -> bool {
        let parsed = parse(after);
        if !parsed.errors.is_empty() || parsed.tree.is_masked {
            return false;
        }
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
        };
        let expected = self.all[..from].iter().chain(new).chain(&self.all[until..]);
        let found = Events::of(&parsed.tree);
        expected.eq(found.all.iter())
    }
}
