//! What a service mounts, and where.

use super::{Layer, Text};
use crate::syntax::yaml::Node;

/// Something that is mounted into a service.
#[derive(Clone, Debug)]
pub struct ServiceMount<'y> {
    /// Where it is written: the item.
    pub node: Node<'y>,
    /// What it is.
    pub kind: ServiceMountKind,
    /// The path on the host or the name of the volume, if it is known.
    pub source: Option<String>,
    /// The path in the container, if it is known.
    pub target: Option<String>,
    /// Whether the service may only read it.
    pub is_read_only: bool,
    /// How mounts below it propagate, if that is written and known.
    pub propagation: Option<String>,
    /// Whether its files are labelled anew for the service, where the kernel looks at labels.
    pub is_relabelled: bool,
}

/// Ways in which mounts propagate.
const PROPAGATIONS: [&str; 6] = ["shared", "rshared", "slave", "rslave", "private", "rprivate"];

/// What is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceMountKind {
    /// A path of the host.
    Bind,
    /// A volume with a name.
    Volume,
    /// A volume without one.
    Anonymous,
    /// Memory.
    Memory,
    /// Something else, or a variable hides it.
    Unknown,
}

impl<'y> ServiceMount<'y> {
    /// A `tmpfs`, written `path` or `path:options`.
    pub(super) fn of_memory(text: &Text<'y>) -> Self {
        let (target, _) = text.split_at_sign(':');
        Self {
            node: text.node,
            kind: ServiceMountKind::Memory,
            source: None,
            target: target.known().map(str::to_owned),
            is_read_only: false,
            propagation: None,
            is_relabelled: false,
        }
    }

    /// `source:target:options`, `source:target` or `target`.
    fn of_text(text: &Text<'y>) -> Self {
        let parts = text.parts();
        let known = |at: usize| parts.get(at).and_then(Text::known).map(str::to_owned);
        let (source, target, options) = match parts.len() {
            1 => (None, known(0), None),
            _ => (known(0), known(1), known(2)),
        };
        let kind = match &source {
            None if parts.len() == 1 => ServiceMountKind::Anonymous,
            None => ServiceMountKind::Unknown,
            Some(source) => kind_of(source),
        };
        let find = |is_one: &dyn Fn(&str) -> bool| {
            options.as_ref().and_then(|options| options.split(',').find(|option| is_one(option))).map(str::to_owned)
        };
        let is_read_only = find(&|option| option == "ro").is_some();
        let propagation = find(&|option| PROPAGATIONS.contains(&option));
        let is_relabelled = find(&|option| option.eq_ignore_ascii_case("z")).is_some();
        Self { node: text.node, kind, source, target, is_read_only, propagation, is_relabelled }
    }

    fn of_mapping(node: Node<'y>, layer: &Layer<'y>) -> Self {
        let text = |key| {
            let text = node.get(key).and_then(|node| Text::of(node, &layer.variables));
            text.and_then(|text| text.known().map(str::to_owned))
        };
        let source = text("source").or_else(|| text("src"));
        let kind = match text("type").as_deref() {
            Some("bind") => ServiceMountKind::Bind,
            Some("volume") if node.get("source").is_none() && node.get("src").is_none() => ServiceMountKind::Anonymous,
            Some("volume") => ServiceMountKind::Volume,
            Some("tmpfs") => ServiceMountKind::Memory,
            Some(_) | None => ServiceMountKind::Unknown,
        };
        let target = text("target").or_else(|| text("destination")).or_else(|| text("dst"));
        let is_read_only = node.get("read_only").or_else(|| node.get("readonly")).and_then(Node::boolean) == Some(true);
        let propagation = node.get("bind").and_then(|bind| Text::of(bind.get("propagation")?, &layer.variables));
        let propagation = propagation.and_then(|text| text.known().map(str::to_owned));
        let is_relabelled = node.get("bind").is_some_and(|bind| bind.get("selinux").is_some());
        Self { node, kind, source, target, is_read_only, propagation, is_relabelled }
    }
}

fn kind_of(source: &str) -> ServiceMountKind {
    let is_path = source.starts_with(['.', '/', '~', '\\']) || source.get(1..2) == Some(":");
    if is_path { ServiceMountKind::Bind } else { ServiceMountKind::Volume }
}

/// The items of `volumes`.
pub(super) fn volumes<'y>(node: Node<'y>, layer: &Layer<'y>) -> Vec<ServiceMount<'y>> {
    let of_item = |item: Node<'y>| {
        if item.is_mapping() {
            Some(ServiceMount::of_mapping(item, layer))
        } else {
            Some(ServiceMount::of_text(&Text::of(item, &layer.variables)?))
        }
    };
    node.items().filter_map(of_item).collect()
}
