//! What a file says at a path, or that nobody here can know.

use crate::{
    syntax::yaml::{Entry, Node},
    text::Span,
};

/// What a file says of a setting.
#[derive(Clone, Copy, Debug)]
pub enum Setting<'y> {
    /// Nothing; the cluster takes its default.
    Absent,
    /// Only whoever renders this knows.
    Hidden(Node<'y>),
    /// This.
    Written(Node<'y>),
}

impl<'y> Setting<'y> {
    /// What stands at `path` below `node`.
    pub fn below(node: Node<'y>, path: &[&str]) -> Self {
        let mut node = node;
        for key in path {
            if node.resolved().is_template() {
                return Setting::Hidden(node);
            }
            node = match node.get(key) {
                // What stands in several branches of a template, one of which is rendered, is known if it is the same.
                Some(value) if is_said_otherwise(node, key, value) => return Setting::Hidden(value),
                Some(value) => value,
                None if node.resolved().is_open() => return Setting::Hidden(node),
                None => return Setting::Absent,
            };
        }
        if node.resolved().is_template() {
            Setting::Hidden(node)
        } else if node.is_null() {
            Setting::Absent
        } else {
            Setting::Written(node)
        }
    }

    /// Where it is silent, what `other` says.
    #[must_use]
    pub fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Setting::Absent => other(),
            Setting::Hidden(_) | Setting::Written(_) => self,
        }
    }

    /// What is written, if anything is and it is known.
    pub fn node(self) -> Option<Node<'y>> {
        match self {
            Setting::Written(node) => Some(node),
            Setting::Absent | Setting::Hidden(_) => None,
        }
    }

    /// What says it, or hides it.
    pub fn seen(self) -> Option<Node<'y>> {
        match self {
            Setting::Written(node) | Setting::Hidden(node) => Some(node),
            Setting::Absent => None,
        }
    }

    /// The text that is written.
    pub fn text(self) -> Option<&'y str> {
        self.node()?.scalar()
    }

    /// The truth value that is written.
    pub fn boolean(self) -> Option<bool> {
        self.node()?.boolean()
    }

    /// The number that is written.
    pub fn number(self) -> Option<u64> {
        self.text()?.parse().ok()
    }

    /// The items of the list that is written; none where a template may add to it.
    pub fn items(self) -> Option<Vec<Node<'y>>> {
        let items: Vec<Node<'y>> = match self {
            Setting::Absent => Vec::new(),
            Setting::Hidden(_) => return None,
            Setting::Written(list) if list.resolved().is_open() => return None,
            Setting::Written(list) => list.items().collect(),
        };
        items.iter().all(|item| !item.resolved().is_template()).then_some(items)
    }

    /// Whether nothing is written.
    pub fn is_absent(self) -> bool {
        matches!(self, Setting::Absent)
    }

    /// Whether nobody here can know it.
    pub fn is_hidden(self) -> bool {
        matches!(self, Setting::Hidden(_))
    }
}

/// Whether `mapping` has `key` in another branch of a template too, with another value than `value`, its last.
fn is_said_otherwise(mapping: Node<'_>, key: &str, value: Node<'_>) -> bool {
    let tree = mapping.tree();
    let is_other = |entry: Entry<'_>| {
        let between = Span { start: entry.value.span().end, end: value.span().start };
        entry.key.scalar() == Some(key)
            && between.start < between.end
            && tree.touches_template(between)
            && (value.scalar().is_none() || value.scalar() != entry.value.scalar())
    };
    tree.is_rendered_elsewhere() && mapping.entries().any(is_other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    fn said(text: &str) -> Option<String> {
        let parsed = parse(text.as_bytes());
        let root = parsed.tree.documents().next().expect("there is one");
        Setting::below(root, &["a"]).text().map(str::to_owned)
    }

    #[test]
    fn what_branches_of_a_template_say_differently_is_not_known() {
        assert_eq!(said("{{ if .x }}\na: b\n{{ else }}\na: c\n{{ end }}\n"), None);
        assert_eq!(said("{{ if .x }}\na: b\n{{ else }}\na: b\n{{ end }}\n").as_deref(), Some("b"));
        assert_eq!(said("{{ if .x }}\nb: b\n{{ else }}\na: c\n{{ end }}\n").as_deref(), Some("c"));
        assert_eq!(said("a: b\na: c\n").as_deref(), Some("c"));
    }
}
