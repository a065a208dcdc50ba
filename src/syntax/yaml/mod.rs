//! YAML with the bytes that each node came from.
//!
//! [`parse()`] answers a [`Yaml`] for any input. A crate reads the events; the tree, duplicate and merge keys, templates
//! and recovery are ours. What a document means (services, pods) is `model`'s.
//!
//! Where a template (`{{ … }}`) stands, only whoever renders it knows the text: [`Node::is_template`] says so of a node
//! that touches one, and [`Node::is_open`] of a collection that one may add to.

mod branch;
mod edit;
mod mask;
mod node;
mod parse;

pub use branch::{Branch, Branches};
pub use edit::{Editor, Refusal, Value};
pub use node::{Entry, Node};
pub use parse::parse;

use crate::text::Span;

/// The documents of one file.
#[derive(Clone, Debug)]
pub struct Yaml<'t> {
    text: &'t [u8],
    /// The same, if all of it is UTF-8.
    utf8: Option<&'t str>,
    /// Whether a key may merge other mappings into its own.
    may_merge: bool,
    nodes: Vec<NodeData>,
    /// The nodes that are the documents.
    roots: Vec<u32>,
    /// Scalars that are not written as they read: escapes, folded lines.
    decoded: String,
    /// Template actions, in order.
    templates: Vec<Span>,
    /// Whether the text was read with its templates masked.
    is_masked: bool,
    /// Text that somebody has rendered, in order, and that may be edited although the rest is a template.
    rendered: Vec<Span>,
}

impl<'t> Yaml<'t> {
    /// The file that it was made of.
    pub fn text(&self) -> &'t [u8] {
        self.text
    }

    /// The documents, in order; one that holds nothing is an empty scalar.
    pub fn documents(&self) -> impl Iterator<Item = Node<'_>> {
        self.roots.iter().map(|&id| Node { yaml: self, id })
    }

    /// Every node, each before what it holds.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len() as u32).map(|id| Node { yaml: self, id })
    }

    /// Whether templates stand where YAML would be: a chart, and no manifest yet.
    pub fn is_rendered_elsewhere(&self) -> bool {
        self.is_masked
    }

    /// The same file as one that another one is merged with: every collection is open.
    #[must_use]
    pub fn merged_elsewhere(mut self) -> Self {
        let is_collection = |node: &&mut NodeData| matches!(node.kind, Kind::Mapping(_) | Kind::Sequence(_));
        self.nodes.iter_mut().filter(is_collection).for_each(|node| node.is_open = true);
        self
    }

    /// The same file, which has text at `places`, in order, that is rendered already and may be edited.
    #[must_use]
    pub fn rendered_at(mut self, places: impl IntoIterator<Item = Span>) -> Self {
        self.rendered = places.into_iter().collect();
        self
    }

    /// Whether `span` may be edited, as far as templates have a say.
    fn is_open_to_edits(&self, span: Span) -> bool {
        let before = self.rendered.partition_point(|place| place.start <= span.start);
        !self.is_masked || before.checked_sub(1).is_some_and(|index| self.rendered[index].covers(span))
    }

    /// Its template actions, in order.
    pub fn actions(&self) -> &[Span] {
        &self.templates
    }

    /// Whether a template touches `span`.
    pub fn touches_template(&self, span: Span) -> bool {
        let before = self.templates.partition_point(|template| template.end <= span.start);
        self.templates.get(before).is_some_and(|template| template.start < span.end)
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text, number, truth value or nothing.
    Scalar(Style),
    /// Items.
    Sequence(Form),
    /// Keys with values.
    Mapping(Form),
    /// `*name`.
    Alias,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes; also nothing at all.
    Plain,
    /// `'…'`.
    SingleQuoted,
    /// `"…"`.
    DoubleQuoted,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
}

/// How a collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// By indentation.
    Block,
    /// In brackets.
    Flow,
}

/// No node, no text.
const NONE: u32 = u32::MAX;

/// One node of the arena; children come after their parent, in order of the text.
#[derive(Clone, Copy, Debug)]
struct NodeData {
    kind: Kind,
    /// Whether `&name` stands in front of it.
    is_anchored: bool,
    /// Whether `!tag` stands in front of it.
    is_tagged: bool,
    /// Whether templates may add to it.
    is_open: bool,
    /// From the first byte (of a block scalar its `|`) to the last one that shows.
    span: Span,
    /// Where its `-` or `:` stands; its own start if it has none.
    lead: u32,
    /// Of a collection the first child, of an alias its target.
    first: u32,
    /// The next child of the same parent; the keys and values of a mapping alternate.
    next: u32,
    /// Its text among the decoded ones, start and length.
    decoded: (u32, u32),
}

#[cfg(test)]
mod tests;
