//! Objects that make pods, and what is said of the pod as a whole.

use super::{Container, Object, Role, Setting, Volume, written_name};
use crate::{
    syntax::yaml::{Entry, Node},
    text::Span,
};

/// An object that makes pods.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'y> {
    /// The object.
    pub object: Object<'y>,
    /// The metadata of its pods, if there is one.
    pub metadata: Option<Node<'y>>,
    /// The `spec` of its pods.
    pub pod: Node<'y>,
}

impl<'y> Workload<'y> {
    /// Its containers, those that run before the others included.
    pub fn containers(self) -> impl Iterator<Item = Container<'y>> {
        let lists =
            [("containers", Role::Main), ("initContainers", Role::Init), ("ephemeralContainers", Role::Ephemeral)];
        lists.into_iter().flat_map(move |(key, role)| {
            let items = self.pod.get(key).into_iter().flat_map(Node::items);
            items.filter(|item| item.is_mapping()).map(move |node| Container { node, workload: self, role })
        })
    }

    /// Its name; what stands for it where it has none.
    pub fn name(self) -> &'y str {
        let name = self.object.at(&["metadata", "name"]).and_then(written_name);
        name.filter(|name| !name.is_empty()).unwrap_or("the pod")
    }

    /// What is said at `path` below the `spec` of its pods.
    pub fn setting(self, path: &[&str]) -> Setting<'y> {
        Setting::below(self.pod, path)
    }

    /// What is said at `path` below the `securityContext` of its pods.
    pub fn security(self, path: &[&str]) -> Setting<'y> {
        match self.setting(&["securityContext"]) {
            Setting::Written(context) => Setting::below(context, path),
            silent @ (Setting::Absent | Setting::Hidden(_)) => silent,
        }
    }

    /// Its volumes.
    pub fn volumes(self) -> impl Iterator<Item = Volume<'y>> {
        self.pod.get("volumes").into_iter().flat_map(Node::items).map(|node| Volume { node })
    }

    /// The account of its pods, if it names one.
    pub fn service_account(self) -> Option<&'y str> {
        let named = self.setting(&["serviceAccountName"]).or_else(|| self.setting(&["serviceAccount"]));
        named.text().filter(|name| !name.is_empty())
    }

    /// What is noted on its pods.
    pub fn annotations(self) -> impl Iterator<Item = Entry<'y>> {
        let annotations = self.metadata.and_then(|metadata| metadata.get("annotations"));
        annotations.into_iter().flat_map(Node::entries)
    }

    /// The annotation `key` of its pods.
    pub fn annotation(self, key: &str) -> Option<&'y str> {
        self.annotations().find(|entry| entry.key.scalar() == Some(key))?.value.scalar()
    }

    /// Whether it says what it runs, and no template adds to its pods.
    pub fn is_whole(self) -> bool {
        !self.pod.resolved().is_open() && self.containers().any(|container| container.node.get("image").is_some())
    }

    /// Whether its pods end when they are done: a task, no service.
    pub fn is_task(self) -> bool {
        let is_task = matches!(self.object.kind, "Job" | "CronJob" | "ScheduledJob");
        is_task || matches!(self.setting(&["restartPolicy"]).text(), Some("Never" | "OnFailure"))
    }

    /// Whether its pods run on Windows, which has none of what confines a program on Linux.
    pub fn is_on_windows(self) -> bool {
        let is_windows = |path: &[&str]| self.setting(path).text() == Some("windows");
        is_windows(&["os", "name"])
            || is_windows(&["nodeSelector", "kubernetes.io/os"])
            || is_windows(&["nodeSelector", "beta.kubernetes.io/os"])
    }

    /// Whether its pods have users of their own: root in them is nobody on the node.
    pub fn has_own_users(self) -> bool {
        self.setting(&["hostUsers"]).boolean() == Some(false)
    }

    /// Where its pods are described: the key of their containers, or their first.
    pub fn place(self) -> Span {
        let entry = self.pod.entry("containers").or_else(|| self.pod.entries().next());
        entry.map_or(self.pod.span(), |entry| entry.key.span())
    }

    /// Where `path` below the `spec` of its pods is written, or as much of it as is; else where its pods are described.
    pub fn place_of(self, path: &[&str]) -> Span {
        place_below(self.pod, path).unwrap_or_else(|| self.place())
    }
}

/// Where `path` below `node` is written, or as much of it as is: the whole entry of a scalar, the key of a collection.
pub(super) fn place_below(node: Node<'_>, path: &[&str]) -> Option<Span> {
    let mut node = node;
    let mut place = None;
    for key in path {
        let Some(entry) = node.entry(key) else { break };
        let is_short = entry.value.form().is_none() && !entry.value.is_null();
        place = Some(if is_short { entry.span() } else { entry.key.span() });
        if entry.value.form().is_none() {
            break;
        }
        node = entry.value;
    }
    place
}
