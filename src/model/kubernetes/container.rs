//! Containers of pods.

use super::{PodMount, Setting, Workload, pod::place_below, written_name};
use crate::{model::capability, syntax::yaml::Node, text::Span};

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Container<'y> {
    /// The mapping that it is.
    pub node: Node<'y>,
    /// What makes its pod.
    pub workload: Workload<'y>,
    /// When it runs.
    pub role: Role,
}

/// When a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// As long as the pod.
    Main,
    /// Before, or beside, the others.
    Init,
    /// When somebody looks into the pod.
    Ephemeral,
}

/// Which of the capabilities that engines give a container it is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// None.
    Nothing,
    /// Some.
    Some {
        /// Whether the one that lets it forge packets is among them.
        net_raw: bool,
    },
    /// All of them.
    All,
    /// Only whoever renders the file knows.
    Hidden,
}

impl<'y> Container<'y> {
    /// The text at `key`, unless a template hides it.
    pub fn text(self, key: &str) -> Option<&'y str> {
        self.node.get(key).filter(|node| !node.resolved().is_template())?.scalar()
    }

    /// Its name, as it is written where a template makes it; else the one that Knative Serving gives it, or its image.
    pub fn name(self) -> &'y str {
        let written = |key| self.node.get(key).and_then(written_name);
        let by_default = || self.workload.object.is_of("serving").then_some("user-container");
        written("name").or_else(by_default).or_else(|| written("image")).unwrap_or("without a name")
    }

    /// Whether it says what it runs, and no template adds to it.
    pub fn is_whole(self) -> bool {
        let security = self.node.get("securityContext");
        let is_seen = |node: Node<'_>| !node.is_open() && !node.is_template();
        self.node.get("image").is_some() && is_seen(self.node) && security.is_none_or(is_seen)
    }

    /// Where it is said what it is: its name, or its first key.
    pub fn place(self) -> Span {
        let entry = self.node.entry("name").or_else(|| self.node.entries().next());
        entry.map_or(self.node.span(), |entry| entry.span())
    }

    /// Where `path` is written, or as much of it as is; else where it is said what it is.
    pub fn place_of(self, path: &[&str]) -> Span {
        place_below(self.node, path).unwrap_or_else(|| self.place())
    }

    /// Where the setting at `path` below a `securityContext` is written that counts for it, or would be.
    pub fn place_of_security(self, path: &[&str]) -> Span {
        let below_context: Vec<&str> = std::iter::once("securityContext").chain(path.iter().copied()).collect();
        let is_own = !self.own_security(path).is_absent();
        if !is_own && self.workload.security(path).node().is_some() {
            return self.workload.place_of(&below_context);
        }
        self.place_of(&below_context)
    }

    /// What is said at `path`.
    pub fn setting(self, path: &[&str]) -> Setting<'y> {
        Setting::below(self.node, path)
    }

    /// What is said at `path` below its own `securityContext`.
    pub fn own_security(self, path: &[&str]) -> Setting<'y> {
        match self.setting(&["securityContext"]) {
            Setting::Written(context) => Setting::below(context, path),
            silent @ (Setting::Absent | Setting::Hidden(_)) => silent,
        }
    }

    /// What is said at `path` below its `securityContext`, or below that of its pod where its own is silent.
    pub fn security(self, path: &[&str]) -> Setting<'y> {
        self.own_security(path).or_else(|| self.workload.security(path))
    }

    /// Whether it has every privilege of its node: then whatever else confines a container is off.
    pub fn is_privileged(self) -> bool {
        self.own_security(&["privileged"]).boolean() == Some(true)
    }

    /// Who runs it, if not the user of the image: a number.
    pub fn user(self) -> Setting<'y> {
        self.security(&["runAsUser"])
    }

    /// Which of the usual capabilities it is denied.
    pub fn dropped(self) -> Dropped {
        let Some(items) = self.own_security(&["capabilities", "drop"]).items() else { return Dropped::Hidden };
        let names: Vec<_> = items.into_iter().filter_map(Node::scalar).map(capability::canonical).collect();
        if names.is_empty() {
            Dropped::Nothing
        } else if names.iter().any(|name| name == "ALL") {
            Dropped::All
        } else {
            Dropped::Some { net_raw: names.iter().any(|name| name == "NET_RAW") }
        }
    }

    /// Whether neither it nor its pod says how much of `what` it has as `which`: `limits` or `requests`.
    pub fn lacks_resource(self, which: &str, what: &str) -> bool {
        let path = ["resources", which, what];
        let is_odd = self.setting(&["resources"]).node().is_some_and(|resources| !resources.is_mapping())
            || self.setting(&path[..2]).node().is_some_and(|resources| !resources.is_mapping());
        // The cluster refuses resources of ephemeral containers.
        !is_odd
            && self.role != Role::Ephemeral
            && self.setting(&path).is_absent()
            && self.workload.setting(&path).is_absent()
    }

    /// Where its `limits` or `requests` are written; else where it is said what it is.
    pub fn place_of_resources(self, which: &str) -> Span {
        let path = ["resources", which];
        if self.setting(&path).is_absent() { self.place() } else { self.place_of(&path) }
    }

    /// Whether it answers for as long as its pod runs, and so can be asked how it is.
    pub fn is_service(self) -> bool {
        self.role == Role::Main && !self.workload.is_task() && !self.only_waits()
    }

    /// Whether its port is asked without its manifest saying so: Knative Serving gives a probe to the container that
    /// serves, which is the only one or the one with a port.
    pub fn is_asked_by_default(self) -> bool {
        let is_only = || self.workload.containers().filter(|container| container.role == Role::Main).count() == 1;
        self.role == Role::Main
            && self.workload.object.is_of("serving")
            && (!self.setting(&["ports"]).is_absent() || is_only())
    }

    /// Where volumes are mounted in it.
    pub fn mounts(self) -> impl Iterator<Item = PodMount<'y>> {
        let items = self.node.get("volumeMounts").into_iter().flat_map(Node::items);
        items.map(move |node| PodMount::new(node, self.workload))
    }
}
