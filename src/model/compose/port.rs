//! Which ports the host answers on for a service.

use super::{Text, Variables};
use crate::syntax::yaml::Node;

/// A port of a service.
#[derive(Clone, Debug)]
pub struct ServicePort<'y> {
    /// Where it is written: the item.
    pub node: Node<'y>,
    /// The address of the host, if one is written and known.
    pub address: Option<String>,
    /// Whether an address is written.
    pub has_address: bool,
    /// The port or ports of the host; none where the engine chooses one, or a variable hides it.
    pub published: Option<String>,
    /// The port or ports in the container, without the protocol.
    pub target: Option<String>,
}

/// The items of `ports`.
pub(super) fn ports<'y>(node: Node<'y>, variables: &Variables) -> Vec<ServicePort<'y>> {
    node.items().filter_map(|item| port(item, variables)).collect()
}

fn port<'y>(node: Node<'y>, variables: &Variables) -> Option<ServicePort<'y>> {
    let known = |text: Option<Text<'y>>| text.and_then(|text| text.known().map(str::to_owned));
    if node.is_mapping() {
        let text = |key| node.get(key).and_then(|node| Text::of(node, variables));
        return Some(ServicePort {
            node,
            has_address: node.get("host_ip").is_some(),
            address: known(text("host_ip")),
            published: known(text("published")),
            target: known(text("target")),
        });
    }
    let text = Text::of(node, variables)?;
    let (whole, _) = text.split_at_sign('/');
    // An address of version 6 stands in brackets and has colons of its own.
    let bracketed = whole.known().and_then(|text| text.strip_prefix('[')?.split_once("]:"));
    if let Some((address, rest)) = bracketed {
        let (published, target) = rest.split_once(':').unwrap_or(("", rest));
        return Some(ServicePort {
            node,
            has_address: true,
            address: Some(address.to_owned()),
            published: Some(published.to_owned()).filter(|port| !port.is_empty()),
            target: Some(target.to_owned()),
        });
    }
    let parts = whole.parts();
    let at = |from_end: usize| parts.len().checked_sub(from_end).and_then(|at| parts.get(at)).cloned();
    Some(ServicePort {
        node,
        has_address: parts.len() > 2,
        address: known(at(3)),
        published: known(at(2)).filter(|port| !port.is_empty()),
        target: known(at(1)),
    })
}
