//! What Kubernetes manifests say of pods and their containers.
//!
//! Every object that holds the template of a pod is a [`Workload`]: Pods, Deployments, `CronJobs`, … and the items of a
//! `List`. Nothing is defaulted here: a field that is not written is not there.

pub mod rbac;

use crate::{
    syntax::yaml::{Node, Yaml},
    text::Span,
};

/// The objects of a file.
#[derive(Debug)]
pub struct KubernetesModel<'y> {
    /// What it was made of.
    pub tree: &'y Yaml<'y>,
    /// Objects that have a kind, in order.
    pub objects: Vec<Object<'y>>,
}

/// An object.
#[derive(Clone, Copy, Debug)]
pub struct Object<'y> {
    /// The mapping that it is.
    pub node: Node<'y>,
    /// Its kind, as it is written.
    pub kind: &'y str,
}

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

/// A container of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Container<'y> {
    /// The mapping that it is.
    pub node: Node<'y>,
    /// The `spec` of its pod.
    pub pod: Node<'y>,
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

/// So deep may lists lie in each other.
const DEEPEST: usize = 4;

impl<'y> KubernetesModel<'y> {
    /// The model of the file that `tree` was made of.
    pub fn new(tree: &'y Yaml<'y>) -> Self {
        let mut objects = Vec::new();
        for document in tree.documents() {
            add(document, &mut objects, 0);
        }
        Self { tree, objects }
    }

    /// Objects that make pods.
    pub fn workloads(&self) -> impl Iterator<Item = Workload<'y>> {
        self.objects.iter().filter_map(|object| object.workload())
    }

    /// The containers of all workloads.
    pub fn containers(&self) -> impl Iterator<Item = Container<'y>> {
        self.workloads().flat_map(Workload::containers)
    }
}

fn add<'y>(node: Node<'y>, objects: &mut Vec<Object<'y>>, depth: usize) {
    let Some(kind) = node.get("kind").and_then(Node::scalar).filter(|_| node.get("apiVersion").is_some()) else {
        return;
    };
    objects.push(Object { node, kind });
    if depth < DEEPEST && kind.ends_with("List") {
        for item in node.get("items").into_iter().flat_map(Node::items) {
            add(item, objects, depth + 1);
        }
    }
}

impl<'y> Object<'y> {
    /// The value at `path`, keys one below the other.
    pub fn at(self, path: &[&str]) -> Option<Node<'y>> {
        below(self.node, path)
    }

    /// Its name.
    pub fn name(self) -> Option<&'y str> {
        self.at(&["metadata", "name"])?.scalar()
    }

    /// Whether its group of the API is that one: `rbac.authorization.k8s.io` is of `authorization`.
    pub fn is_of(self, group: &str) -> bool {
        let version = self.node.get("apiVersion").and_then(Node::scalar).unwrap_or_default();
        version.split_once('/').is_some_and(|(name, _)| name.split('.').any(|part| part == group))
    }

    /// What it says of the pods that it makes, if it makes any.
    pub fn workload(self) -> Option<Workload<'y>> {
        let above: &[&str] = match self.kind {
            "Pod" => &[],
            // Knative has objects of the last two kinds with a template; the cluster's own `Service` has none.
            "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "ReplicaSet"
            | "ReplicationController"
            | "Job"
            | "Rollout"
            | "DeploymentConfig"
            | "Service"
            | "Configuration" => &["spec", "template"],
            "CronJob" | "ScheduledJob" => &["spec", "jobTemplate", "spec", "template"],
            "PodTemplate" => &["template"],
            _ => return None,
        };
        let template = below(self.node, above)?;
        let pod = template.get("spec").filter(|pod| pod.is_mapping())?;
        Some(Workload { object: self, metadata: template.get("metadata"), pod })
    }
}

impl<'y> Workload<'y> {
    /// Its containers, those that run before the others included.
    pub fn containers(self) -> impl Iterator<Item = Container<'y>> {
        let lists =
            [("containers", Role::Main), ("initContainers", Role::Init), ("ephemeralContainers", Role::Ephemeral)];
        lists.into_iter().flat_map(move |(key, role)| {
            let items = self.pod.get(key).into_iter().flat_map(Node::items);
            items.filter(|item| item.is_mapping()).map(move |node| Container { node, pod: self.pod, role })
        })
    }

    /// The value at `path` below the `securityContext` of the pod.
    pub fn security(self, path: &[&str]) -> Option<Node<'y>> {
        below(self.pod.get("securityContext")?, path)
    }

    /// Its volumes.
    pub fn volumes(self) -> impl Iterator<Item = Node<'y>> {
        self.pod.get("volumes").into_iter().flat_map(Node::items)
    }
}

impl<'y> Container<'y> {
    /// The text at `key`, unless a template hides it.
    pub fn text(self, key: &str) -> Option<&'y str> {
        self.node.get(key).filter(|node| !node.resolved().is_template())?.scalar()
    }

    /// Its name; empty if it has none.
    pub fn name(self) -> &'y str {
        self.text("name").unwrap_or_default()
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

    /// The value at `path` below its own `securityContext`.
    pub fn own_security(self, path: &[&str]) -> Option<Node<'y>> {
        below(self.node.get("securityContext")?, path)
    }

    /// The value at `path` below its `securityContext`, or that of its pod where its own is silent.
    pub fn security(self, path: &[&str]) -> Option<Node<'y>> {
        self.own_security(path).or_else(|| below(self.pod.get("securityContext")?, path))
    }

    /// Who runs it, if not the user of the image: a number.
    pub fn user(self) -> Option<Node<'y>> {
        self.security(&["runAsUser"])
    }

    /// Where volumes are mounted in it: the name of the volume, the path, whether it may only be read.
    pub fn mounts(self) -> impl Iterator<Item = PodMount<'y>> {
        let items = self.node.get("volumeMounts").into_iter().flat_map(Node::items);
        items.map(move |node| {
            let text = |key| node.get(key).filter(|node| !node.resolved().is_template()).and_then(Node::scalar);
            let name = text("name");
            let named = |volume: &Node<'y>| volume.get("name").and_then(Node::scalar) == name;
            let volume = self.pod.get("volumes").into_iter().flat_map(Node::items).find(named);
            let is_read_only = node.get("readOnly").and_then(Node::boolean) == Some(true);
            PodMount { node, volume: volume.filter(|_| name.is_some()), target: text("mountPath"), is_read_only }
        })
    }
}

/// A volume in a container.
#[derive(Clone, Copy, Debug)]
pub struct PodMount<'y> {
    /// Where it is written: the item.
    pub node: Node<'y>,
    /// The volume of the pod that it names.
    pub volume: Option<Node<'y>>,
    /// The path in the container, if it is known.
    pub target: Option<&'y str>,
    /// Whether the container may only read it.
    pub is_read_only: bool,
}

impl PodMount<'_> {
    /// Whether what is mounted only shows what the cluster holds: configuration, secrets, the pod itself.
    pub fn is_shown_only(&self) -> bool {
        let shown = ["configMap", "secret", "downwardAPI", "projected"];
        self.volume.is_some_and(|volume| shown.iter().any(|key| volume.get(key).is_some()))
    }
}

fn below<'y>(node: Node<'y>, path: &[&str]) -> Option<Node<'y>> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    #[test]
    fn every_object_with_pods_shows_its_containers() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: batch/v1\n  kind: CronJob\n  spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a}]}}}}}\n- apiVersion: v1\n  kind: Pod\n  spec: {initContainers: [{name: b}], containers: [{name: c}]}\n---\napiVersion: v1\nkind: Service\nspec: {ports: []}\n---\napiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{name: d}]}}}\n";
        let parsed = parse(text.as_bytes());
        let model = KubernetesModel::new(&parsed.tree);
        let names: Vec<&str> = model
            .workloads()
            .flat_map(|workload| workload.containers().map(Container::name).collect::<Vec<_>>())
            .collect();
        assert_eq!(names, ["a", "c", "b", "d"]);
        assert_eq!(model.objects.len(), 5);
    }

    #[test]
    fn a_container_says_more_than_its_pod() {
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsUser: 1, fsGroup: 2}\n  volumes: [{name: v, emptyDir: {}}, {name: c, configMap: {}}]\n  containers:\n  - securityContext: {runAsUser: 3}\n    volumeMounts: [{name: v, mountPath: /v}, {name: c, mountPath: /c, readOnly: true}]\n  - name: x\n";
        let parsed = parse(text.as_bytes());
        let model = KubernetesModel::new(&parsed.tree);
        let containers: Vec<Container<'_>> = model.workloads().flat_map(Workload::containers).collect();
        let users: Vec<_> = containers.iter().map(|container| container.user().and_then(Node::scalar)).collect();
        assert_eq!(users, [Some("3"), Some("1")]);
        let mounts: Vec<_> =
            containers[0].mounts().map(|mount| (mount.target, mount.is_shown_only(), mount.is_read_only)).collect();
        assert_eq!(mounts, [(Some("/v"), false, false), (Some("/c"), true, true)]);
    }
}
