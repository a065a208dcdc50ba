//! Volumes of pods, and where containers have them.

use super::Workload;
use crate::{model::host_path, syntax::yaml::Node, text::Span};

/// So many volumes of a pod are looked through for a name; no node mounts more.
const MOST: usize = 256;

/// A volume of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Volume<'y> {
    /// The mapping that it is.
    pub node: Node<'y>,
}

impl<'y> Volume<'y> {
    /// Its name.
    pub fn name(self) -> Option<&'y str> {
        self.node.get("name")?.scalar()
    }

    /// The path of the node that it is, if it is one and the path is known.
    pub fn host_path(self) -> Option<&'y str> {
        self.node.get("hostPath")?.get("path").filter(|path| !path.resolved().is_template())?.scalar()
    }

    /// Whether what the node has there is a device or a socket, by its type or its path, and so no files.
    pub fn is_device_or_socket(self) -> bool {
        let kind = self.node.get("hostPath").and_then(|path| path.get("type")).and_then(Node::scalar);
        matches!(kind, Some("CharDevice" | "BlockDevice" | "Socket"))
            || self.host_path().is_some_and(host_path::is_device_or_socket)
    }

    /// Where it is said what it is made of; where the volume is if it is nothing of the node.
    pub fn place_of_source(self) -> Span {
        self.node.entry("hostPath").map_or(self.node.span(), |entry| entry.span())
    }

    /// Where the path of the node is written; where the volume is if it has none.
    pub fn place_of_path(self) -> Span {
        let entry = self.node.get("hostPath").and_then(|path| path.entry("path"));
        entry.map_or(self.node.span(), |entry| entry.span())
    }

    /// Whether it only shows what the cluster holds: configuration, secrets, the pod itself.
    pub fn is_shown_only(self) -> bool {
        let shown = ["configMap", "secret", "downwardAPI", "projected"];
        shown.iter().any(|key| self.node.get(key).is_some())
    }
}

/// A volume in a container.
#[derive(Clone, Copy, Debug)]
pub struct PodMount<'y> {
    /// Where it is written: the item.
    pub node: Node<'y>,
    /// The volume of the pod that it names.
    pub volume: Option<Volume<'y>>,
    /// The path in the container, if it is known.
    pub target: Option<&'y str>,
    /// Whether the container may only read it.
    pub is_read_only: bool,
}

impl<'y> PodMount<'y> {
    /// The mount that `node` is, of a volume of `workload`.
    pub fn new(node: Node<'y>, workload: Workload<'y>) -> Self {
        let text = |key| node.get(key).filter(|node| !node.resolved().is_template()).and_then(Node::scalar);
        let name = text("name");
        let volume = name.and_then(|name| workload.volumes().take(MOST).find(|volume| volume.name() == Some(name)));
        let is_read_only = node.get("readOnly").and_then(Node::boolean) == Some(true);
        PodMount { node, volume, target: text("mountPath"), is_read_only }
    }

    /// Whether what is mounted only shows what the cluster holds: configuration, secrets, the pod itself.
    pub fn is_shown_only(&self) -> bool {
        self.volume.is_some_and(Volume::is_shown_only)
    }

    /// Whether what is written there is still there when the pod is gone.
    pub fn outlives_the_pod(&self) -> bool {
        let passing = ["emptyDir", "ephemeral", "image"];
        let is_passing = |volume: Volume<'_>| passing.iter().any(|key| volume.node.get(key).is_some());
        self.volume.is_some_and(|volume| !volume.is_shown_only() && !is_passing(volume))
    }

    /// Where it is mounted, or else which volume.
    pub fn place(&self) -> Span {
        let entry = self.node.entry("mountPath").or_else(|| self.node.entry("name"));
        entry.map_or(self.node.span(), |entry| entry.span())
    }
}
