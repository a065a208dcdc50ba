//! Which ports the host answers on for a service.

use super::{Service, Text, Variables, assignments};
use crate::{
    model::{
        capability,
        port::{START_FOR_ALL, StartForAll},
    },
    syntax::yaml::Node,
};

/// Ports below this one a host keeps for root, unless its kernel is told otherwise.
const FIRST_FOR_ALL: u16 = 1024;

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
    /// Whether no variable hides a part of it.
    is_known: bool,
}

impl ServicePort<'_> {
    /// The lowest port of the host that it takes, if that is one that hosts keep for root.
    pub fn low_on_host(&self) -> Option<u16> {
        let published = self.published.as_deref()?;
        // The long form may hold an address in `published`.
        lowest(published.rsplit_once(':').map_or(published, |(_, port)| port)).filter(|port| *port < FIRST_FOR_ALL)
    }

    /// The lowest port in the container, if that is one that hosts keep for root.
    pub fn low_in_container(&self) -> Option<u16> {
        lowest(self.target.as_deref()?).filter(|port| *port < FIRST_FOR_ALL)
    }

    /// Whether it is certain that every address of the host answers.
    pub fn is_open_to_all(&self) -> bool {
        let is_any = |address: &str| matches!(address, "0.0.0.0" | "::" | "[::]" | "*" | "");
        // The long form may hold an address in `published`.
        let published = self.published.as_deref().unwrap_or_default();
        let within = published.rsplit_once(':').map(|(address, _)| address);
        let address = self.address.as_deref().or(within);
        self.target.is_some()
            && self.is_known
            && (!self.has_address || self.address.is_some())
            && address.is_none_or(is_any)
    }
}

impl Service<'_> {
    /// Whether it is on the network of the host: its ports are those of the host.
    pub fn is_on_host_network(&self) -> bool {
        self.text("network_mode").is_some_and(|mode| mode.known() == Some("host"))
    }

    /// Whether the capability may be taken away that low ports ask for.
    pub fn may_lack_low_ports(&self) -> bool {
        self.list("cap_drop").iter().any(|text| {
            let name = text.known().map(capability::canonical);
            name.is_none_or(|name| name == "NET_BIND_SERVICE" || name == "ALL")
        })
    }

    /// From which port on everybody may listen in it.
    pub fn start_for_all(&self) -> StartForAll {
        let mut set = self.values("sysctls").flat_map(|(node, layer)| assignments(node, &layer.variables));
        let Some((_, value)) = set.find(|(name, _)| name == START_FOR_ALL) else { return StartForAll::Unsaid };
        StartForAll::read(value.as_ref().and_then(Text::known))
    }
}

/// The first port of a port or a range; none is no port but the wish for any.
fn lowest(ports: &str) -> Option<u16> {
    ports.split('-').next()?.trim().parse().ok().filter(|port| *port > 0)
}

/// The items of `ports`.
pub(super) fn ports<'y>(node: Node<'y>, variables: &Variables) -> Vec<ServicePort<'y>> {
    node.items().filter_map(|item| port(item, variables)).collect()
}

fn port<'y>(node: Node<'y>, variables: &Variables) -> Option<ServicePort<'y>> {
    let known = |text: Option<Text<'y>>| text.and_then(|text| text.known().map(str::to_owned));
    if node.is_mapping() {
        let text = |key| node.get(key).and_then(|node| Text::of(node, variables));
        let parts = [text("host_ip"), text("published"), text("target")];
        return Some(ServicePort {
            node,
            is_known: !node.is_open() && parts.iter().flatten().all(|text| text.known().is_some()),
            has_address: node.get("host_ip").is_some(),
            address: known(text("host_ip")),
            published: known(text("published")),
            target: known(text("target")),
        });
    }
    let text = Text::of(node, variables)?;
    let (whole, _) = text.split_at_sign('/');
    let is_known = text.known().is_some();
    // An address of version 6 stands in brackets and has colons of its own.
    let bracketed = whole.known().and_then(|text| text.strip_prefix('[')?.split_once("]:"));
    if let Some((address, rest)) = bracketed {
        let (published, target) = rest.split_once(':').unwrap_or(("", rest));
        return Some(ServicePort {
            node,
            is_known,
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
        is_known,
        has_address: parts.len() > 2,
        address: known(at(3)),
        published: known(at(2)).filter(|port| !port.is_empty()),
        target: known(at(1)),
    })
}
