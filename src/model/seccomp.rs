//! What a seccomp profile says: the JSON that engines and clusters take, which is YAML too.

use crate::syntax::yaml::{Entry, Node, Yaml};

/// A seccomp profile.
#[derive(Debug)]
pub struct SeccompModel<'y> {
    /// What it was made of.
    pub tree: &'y Yaml<'y>,
}

/// A group of calls that a profile says something of.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'y> {
    node: Node<'y>,
}

impl<'y> SeccompModel<'y> {
    /// The model of the file that `tree` was made of.
    pub fn new(tree: &'y Yaml<'y>) -> Self {
        Self { tree }
    }

    /// What is done about calls that it does not name.
    pub fn default_action(&self) -> Option<Entry<'y>> {
        self.profile()?.entry("defaultAction")
    }

    /// The calls that it names.
    pub fn calls(&self) -> impl Iterator<Item = Calls<'y>> {
        let groups = self.profile().and_then(|profile| profile.get("syscalls"));
        groups.into_iter().flat_map(Node::items).map(|node| Calls { node })
    }

    fn profile(&self) -> Option<Node<'y>> {
        self.tree.documents().next().filter(|profile| profile.is_mapping())
    }
}

impl<'y> Calls<'y> {
    /// The entry that names a single call, as profiles did before they could name several, where nothing names others.
    pub fn single(self) -> Option<Entry<'y>> {
        self.node.entry("name").filter(|entry| self.node.get("names").is_none() && entry.value.scalar().is_some())
    }
}

/// Whether `action` lets a call through.
pub fn lets_through(action: &str) -> bool {
    matches!(action, "SCMP_ACT_ALLOW" | "SCMP_ACT_LOG")
}
