//! Objects that make pods, and what is said of the pod as a whole.

use super::{Container, Object, Role, Setting, Volume, written_name};
use crate::{
    model::port::{START_FOR_ALL, StartForAll},
    syntax::yaml::{Entry, Node},
    text::Span,
};

/// Labels of nodes that name their system.
const OS_LABELS: [&str; 2] = ["kubernetes.io/os", "beta.kubernetes.io/os"];

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
        let options = |node: Node<'y>| Setting::below(node, &["securityContext", "windowsOptions"]).node();
        // What is turned off there is said of pods on Linux too.
        let says_so = |node: Node<'y>| {
            let said = options(node).into_iter().flat_map(Node::entries);
            said.into_iter().any(|entry| entry.value.boolean() != Some(false))
        };
        is_windows(&["os", "name"])
            || OS_LABELS.iter().any(|label| is_windows(&["nodeSelector", label]))
            || self.requires_windows()
            || says_so(self.pod)
            || self.containers().any(|container| says_so(container.node))
    }

    /// Whether all of the alternatives of which a node has to fit one say that it runs Windows.
    fn requires_windows(self) -> bool {
        let path = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];
        let Some(terms) = self.setting(&path).items().filter(|terms| !terms.is_empty()) else { return false };
        terms.into_iter().all(|term| {
            let mut expressions = term.get("matchExpressions").into_iter().flat_map(Node::items);
            expressions.any(|expression| {
                let text = |key| expression.get(key).and_then(Node::scalar).unwrap_or_default();
                let mut values = expression.get("values").into_iter().flat_map(Node::items).peekable();
                OS_LABELS.contains(&text("key"))
                    && text("operator") == "In"
                    && values.peek().is_some()
                    && values.all(|value| value.scalar() == Some("windows"))
            })
        })
    }

    /// Whether its pods run in a virtual machine of their own, which bounds what they take of the node.
    pub fn has_own_machine(self) -> bool {
        self.setting(&["runtimeClassName"]).text().is_some_and(|class| class.starts_with("kata"))
    }

    /// From which port on everybody may listen in its pods.
    pub fn start_for_all(self) -> StartForAll {
        let sysctls = match self.security(&["sysctls"]) {
            Setting::Absent => return StartForAll::Unsaid,
            Setting::Hidden(_) => return StartForAll::Hidden,
            Setting::Written(list) => list,
        };
        let is_start = |item: &Node<'y>| {
            let name = item.get("name").and_then(Node::scalar).unwrap_or_default();
            name.replace('/', ".") == START_FOR_ALL
        };
        let Some(start) = sysctls.items().find(is_start) else { return StartForAll::Unsaid };
        StartForAll::read(Setting::below(start, &["value"]).text())
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
