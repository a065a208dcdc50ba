//! What a file says at a path, or that nobody here can know.

use crate::syntax::yaml::Node;

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
