//! What can be asked of a node.

use super::{Form, Kind, NONE, NodeData, Style, Yaml};
use crate::text::Span;

/// A node of a [`Yaml`]; a cheap copy.
#[derive(Clone, Copy, Debug)]
pub struct Node<'y> {
    pub(super) yaml: &'y Yaml<'y>,
    pub(super) id: u32,
}

/// A key with its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'y> {
    /// The key.
    pub key: Node<'y>,
    /// The value; an empty scalar where nothing is written.
    pub value: Node<'y>,
}

impl Entry<'_> {
    /// From the key to the end of the value.
    pub fn span(&self) -> Span {
        self.key.span().to(self.value.span())
    }
}

/// So many mappings are looked into for one merged key: references to references multiply.
const MOST_MERGED: usize = 64;

impl<'y> Node<'y> {
    pub(super) fn data(self) -> &'y NodeData {
        &self.yaml.nodes[self.id as usize]
    }

    fn at(self, id: u32) -> Option<Node<'y>> {
        (id != NONE).then_some(Node { yaml: self.yaml, id })
    }

    /// The tree that it belongs to.
    pub fn tree(self) -> &'y Yaml<'y> {
        self.yaml
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.data().kind
    }

    /// Its bytes: a block scalar from its `|`, without anchor and tag; empty where nothing is written.
    pub fn span(self) -> Span {
        self.data().span
    }

    /// Where its `-` or its `:` stands; its own start if it has none.
    pub fn lead(self) -> u32 {
        self.data().lead
    }

    /// Whether an anchor makes it known to aliases.
    pub fn is_anchored(self) -> bool {
        self.data().is_anchored
    }

    /// Whether a tag says what it is.
    pub fn is_tagged(self) -> bool {
        self.data().is_tagged
    }

    /// Whether it is a scalar or alias that a template touches, so that only whoever renders it knows it; or a template
    /// stands where its value would be.
    pub fn is_template(self) -> bool {
        match self.kind() {
            Kind::Scalar(_) | Kind::Alias => self.data().is_open || self.yaml.touches_template(self.span()),
            Kind::Sequence(_) | Kind::Mapping(_) => false,
        }
    }

    /// Whether a template stands between its children, and may add others.
    pub fn is_open(self) -> bool {
        self.data().is_open
    }

    /// The node that an alias names, else itself; an alias of nothing is itself.
    pub fn resolved(self) -> Node<'y> {
        match self.kind() {
            Kind::Alias => self.at(self.data().first).unwrap_or(self),
            Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_) => self,
        }
    }

    /// The text of a scalar, as it reads: unescaped, unfolded.
    pub fn scalar(self) -> Option<&'y str> {
        let node = self.resolved();
        let data = node.data();
        let Kind::Scalar(_) = data.kind else { return None };
        Some(match (data.decoded, self.yaml.utf8) {
            ((NONE, _), Some(text)) => text.get(data.span.range()).unwrap_or_default(),
            ((NONE, _), None) => std::str::from_utf8(data.span.of(self.yaml.text)).unwrap_or_default(),
            ((start, length), _) => &self.yaml.decoded[start as usize..(start + length) as usize],
        })
    }

    /// Whether it is a scalar that reads `text`. Costs less than [`Node::scalar`], and most keys are not the wanted one.
    pub fn reads(self, text: &str) -> bool {
        let data = self.resolved().data();
        let Kind::Scalar(_) = data.kind else { return false };
        match data.decoded {
            (NONE, _) => data.span.of(self.yaml.text) == text.as_bytes(),
            (start, length) => &self.yaml.decoded[start as usize..(start + length) as usize] == text,
        }
    }

    /// Whether it is nothing: not written, `~` or `null`.
    pub fn is_null(self) -> bool {
        let is_plain = self.resolved().kind() == Kind::Scalar(Style::Plain);
        is_plain && matches!(self.scalar(), Some("" | "~" | "null" | "Null" | "NULL"))
    }

    /// The truth value that it is, with the words of YAML 1.1; quoted words are none.
    pub fn boolean(self) -> Option<bool> {
        let is_plain = self.resolved().kind() == Kind::Scalar(Style::Plain);
        let text = self.scalar().filter(|text| is_plain && text.len() <= 5)?;
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Some(true),
            "false" | "no" | "off" | "n" => Some(false),
            _ => None,
        }
    }

    /// Whether it is a mapping, or an alias of one.
    pub fn is_mapping(self) -> bool {
        matches!(self.resolved().kind(), Kind::Mapping(_))
    }

    /// Whether it is a sequence, or an alias of one.
    pub fn is_sequence(self) -> bool {
        matches!(self.resolved().kind(), Kind::Sequence(_))
    }

    /// How a collection is written.
    pub fn form(self) -> Option<Form> {
        match self.kind() {
            Kind::Sequence(form) | Kind::Mapping(form) => Some(form),
            Kind::Scalar(_) | Kind::Alias => None,
        }
    }

    /// What comes behind it in the same collection: of a key its value.
    pub fn following(self) -> Option<Node<'y>> {
        self.at(self.data().next)
    }

    /// Everything directly in it: items, or keys and values in turn.
    pub fn children(self) -> impl Iterator<Item = Node<'y>> {
        let first = match self.kind() {
            Kind::Sequence(_) | Kind::Mapping(_) => self.at(self.data().first),
            Kind::Scalar(_) | Kind::Alias => None,
        };
        std::iter::successors(first, |node| node.at(node.data().next))
    }

    /// The items of a sequence, or of the one that an alias names.
    pub fn items(self) -> impl Iterator<Item = Node<'y>> {
        let node = self.resolved();
        let items = matches!(node.kind(), Kind::Sequence(_)).then(|| node.children());
        items.into_iter().flatten()
    }

    /// The entries that are written in a mapping, or in the one that an alias names; what is merged in is not there.
    pub fn entries(self) -> impl Iterator<Item = Entry<'y>> {
        let node = self.resolved();
        let mut children = matches!(node.kind(), Kind::Mapping(_)).then(|| node.children());
        std::iter::from_fn(move || {
            let children = children.as_mut()?;
            Some(Entry { key: children.next()?, value: children.next()? })
        })
    }

    /// The entry of `key` that is written in a mapping; of several the last, as loaders that take them do.
    pub fn entry(self, key: &str) -> Option<Entry<'y>> {
        self.entries().filter(|entry| entry.key.reads(key)).last()
    }

    /// The value of `key` in a mapping: its own, or one that is merged in.
    pub fn get(self, key: &str) -> Option<Node<'y>> {
        if let Some(entry) = self.entry(key) {
            return Some(entry.value);
        }
        let mut open: Vec<Node<'y>> = self.merged().collect();
        open.reverse();
        for _ in 0..MOST_MERGED {
            let mapping = open.pop()?;
            if let Some(entry) = mapping.entry(key) {
                return Some(entry.value);
            }
            let mut deeper: Vec<Node<'y>> = mapping.merged().take(MOST_MERGED).collect();
            deeper.reverse();
            open.extend(deeper);
        }
        None
    }

    /// The mappings that are merged into it with `<<`, first those that win.
    pub fn merged(self) -> impl Iterator<Item = Node<'y>> {
        let is_merge = |entry: &Entry<'y>| entry.key.kind() == Kind::Scalar(Style::Plain) && entry.key.reads("<<");
        let entries = self.yaml.may_merge.then(|| self.entries());
        entries.into_iter().flatten().filter(is_merge).flat_map(|entry| {
            let own = entry.value.is_mapping().then_some(entry.value);
            own.into_iter().chain(entry.value.items())
        })
    }

    /// Whether a key of a mapping is written more than once.
    pub fn repeats_a_key(self) -> bool {
        let mut keys: Vec<&str> = self.entries().filter_map(|entry| entry.key.scalar()).collect();
        keys.sort_unstable();
        keys.windows(2).any(|pair| pair[0] == pair[1])
    }
}
