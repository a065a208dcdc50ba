//! Which networks services are on.

use super::{ComposeModel, Service, top};
use crate::syntax::yaml::Node;

/// The network of services that name none.
const DEFAULT: &str = "default";

impl<'y> Service<'y> {
    /// The network that it is on, if that is one, and no more is hidden.
    pub fn only_network(&self) -> Option<&'y str> {
        if self.value("network_mode").is_some() {
            return None;
        }
        let Some(list) = self.value("networks") else { return Some(DEFAULT) };
        let mut names = list.entries().map(|entry| entry.key).chain(list.items());
        let name = names.next()?.scalar().filter(|name| !name.contains('$'))?;
        names.next().is_none().then_some(name)
    }
}

impl ComposeModel<'_> {
    /// Whether the network of that name has no way out, or comes from elsewhere.
    pub fn is_internal(&self, name: &str) -> bool {
        let network = top(self.tree, "networks").find(|entry| entry.key.scalar() == Some(name));
        let says = |key: &str| {
            network.and_then(|entry| entry.value.get(key)).is_some_and(|node| Node::boolean(node) != Some(false))
        };
        says("internal") || says("external")
    }
}
