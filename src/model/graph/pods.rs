//! Containers of pods as callers.

use super::{Caller, CallerMount, Fact, Lines, System};
use crate::{
    model::{
        compose::ServiceMountKind,
        kubernetes::{Container, PodMount},
    },
    syntax::yaml::Node,
};

/// A container as a caller.
pub(super) fn caller(container: Container<'_>, lines: &Lines) -> Caller {
    let place = |node: Node<'_>| lines.place(node.span());
    let known = |node: Node<'_>| {
        let node = node.resolved();
        node.scalar().filter(|_| !node.is_template()).map(str::to_owned)
    };
    let fact = |node: Node<'_>| Fact { value: known(node), is_defaulted: false, place: place(node) };
    let words = |node: Node<'_>| Fact {
        value: node.items().map(known).collect::<Option<Vec<_>>>(),
        is_defaulted: false,
        place: place(node),
    };
    let kind = |volume: Option<Node<'_>>| match volume {
        Some(volume) if volume.get("hostPath").is_some() => ServiceMountKind::Bind,
        Some(volume) if volume.get("emptyDir").is_some_and(|empty| empty.get("medium").is_some()) => {
            ServiceMountKind::Memory
        }
        Some(volume) if volume.get("emptyDir").is_some() => ServiceMountKind::Anonymous,
        Some(volume) if volume.get("persistentVolumeClaim").is_some() => ServiceMountKind::Volume,
        Some(_) | None => ServiceMountKind::Unknown,
    };
    let mount = |mount: PodMount<'_>| CallerMount {
        place: place(mount.node),
        kind: kind(mount.volume.map(|volume| volume.node)),
        source: mount.volume.and_then(|volume| volume.node.get("name")).and_then(known),
        target: mount.target.map(str::to_owned),
        is_read_only: mount.is_read_only || mount.is_shown_only(),
    };
    let ports = container.node.get("ports").into_iter().flat_map(Node::items);
    let environment = container.node.get("env").into_iter().flat_map(Node::items);
    Caller {
        name: container.name().to_owned(),
        place: place(container.node),
        system: System::Kubernetes,
        build: None,
        image: container.node.get("image").map(fact),
        user: container.user().seen().map(fact),
        entrypoint: container.node.get("command").map(words),
        command: container.node.get("args").map(words),
        mounts: container.mounts().map(mount).collect(),
        ports: ports.filter_map(|port| port.get("containerPort")).map(fact).collect(),
        environment: environment
            .filter_map(|variable| Some((known(variable.get("name")?)?, variable.get("value").and_then(known))))
            .collect(),
        // The cluster does not look at what the image says of its health; probes are its own.
        healthcheck: None,
        read_only: container.own_security(&["readOnlyRootFilesystem"]).seen().map(|node| Fact {
            value: node.boolean(),
            is_defaulted: false,
            place: place(node),
        }),
        dropped: container
            .own_security(&["capabilities", "drop"])
            .seen()
            .into_iter()
            .flat_map(Node::items)
            .map(fact)
            .collect(),
        is_open: container.node.is_open(),
    }
}
