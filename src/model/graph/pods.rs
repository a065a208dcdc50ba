//! Containers of pods as callers.

use super::{Caller, CallerMount, Fact, Lines, System};
use crate::{
    model::{
        compose::ServiceMountKind,
        kubernetes::{Container, PodMount},
    },
    syntax::yaml::Node,
};

/// What a container is given that only root can use.
fn powers(container: Container<'_>) -> impl Iterator<Item = Node<'_>> {
    let privileged = container.own_security(&["privileged"]).seen().filter(|node| node.boolean() != Some(false));
    let added = container.own_security(&["capabilities", "add"]).seen().into_iter().flat_map(Node::items);
    let added = added.filter(|item| item.scalar().is_none_or(|name| !name.ends_with("NET_BIND_SERVICE")));
    privileged.into_iter().chain(added)
}

/// Where the programs are named that the cluster starts in a container.
const PROBES: [&[&str]; 5] = [
    &["livenessProbe", "exec", "command"],
    &["readinessProbe", "exec", "command"],
    &["startupProbe", "exec", "command"],
    &["lifecycle", "postStart", "exec", "command"],
    &["lifecycle", "preStop", "exec", "command"],
];

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
        host_network: container
            .workload
            .setting(&["hostNetwork"])
            .node()
            .filter(|node| node.boolean() == Some(true))
            .map(place),
        powers: powers(container).map(fact).collect(),
        probes: PROBES.iter().filter_map(|path| container.setting(path).seen()).map(words).collect(),
        container: container.workload.object.name().map(str::to_owned),
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
