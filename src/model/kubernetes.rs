//! What Kubernetes manifests say of pods and their containers.
//!
//! Every object that holds the template of a pod is a [`Workload`]: Pods, Deployments, `CronJobs`, … and the items of a
//! `List`. Nothing is defaulted here: a field that is not written is not there.

pub mod chart;
mod data;
mod delivery;
pub mod kustomization;
pub mod network;
pub mod rbac;

mod container;
mod pod;
mod runner;
mod setting;
mod start;
mod version;
mod volume;

pub use container::{Container, Dropped, Role};
pub use data::Datum;
pub use delivery::Delivered;
pub use pod::Workload;
pub use runner::Runner;
pub use setting::Setting;
pub use start::Fetched;
pub use version::RemovedVersion;
pub use volume::{PodMount, Volume};

use crate::{
    syntax::yaml::{Editor, Node, Yaml},
    text::FileId,
};
use std::cell::OnceCell;

/// The objects of a file.
#[derive(Debug)]
pub struct KubernetesModel<'y> {
    /// What it was made of.
    pub tree: &'y Yaml<'y>,
    /// Objects that have a kind, in order.
    pub objects: Vec<Object<'y>>,
    editor: OnceCell<Editor<'y>>,
}

/// An object.
#[derive(Clone, Copy, Debug)]
pub struct Object<'y> {
    /// The mapping that it is.
    pub node: Node<'y>,
    /// Its kind, as it is written.
    pub kind: &'y str,
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
        Self { tree, objects, editor: OnceCell::new() }
    }

    /// The one that makes edits of the file, which has that id.
    pub fn editor(&self, file: FileId) -> &Editor<'y> {
        self.editor.get_or_init(|| Editor::new(file, self.tree))
    }

    /// Objects that make pods.
    pub fn workloads(&self) -> impl Iterator<Item = Workload<'y>> {
        self.objects.iter().filter_map(|object| object.workload())
    }

    /// The containers of all workloads that do not run on Windows, where nothing of what confines a program on Linux is.
    pub fn linux_containers(&self) -> impl Iterator<Item = Container<'y>> {
        self.workloads().filter(|workload| !workload.is_on_windows()).flat_map(Workload::containers)
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

    /// Whether it is what a cluster has printed of a living object, and so says what the cluster filled in.
    pub fn is_printed(self) -> bool {
        self.at(&["metadata", "uid"]).is_some() && self.at(&["status"]).is_some()
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

/// What a name is, as it is written where a template makes it.
fn written_name(name: Node<'_>) -> Option<&str> {
    if !name.resolved().is_template() {
        return name.scalar();
    }
    let text = std::str::from_utf8(name.span().of(name.tree().text())).ok()?;
    Some(text.trim_matches(['"', '\'']))
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
        let users: Vec<_> = containers.iter().map(|container| container.user().node().and_then(Node::scalar)).collect();
        assert_eq!(users, [Some("3"), Some("1")]);
        let mounts: Vec<_> =
            containers[0].mounts().map(|mount| (mount.target, mount.is_shown_only(), mount.is_read_only)).collect();
        assert_eq!(mounts, [(Some("/v"), false, false), (Some("/c"), true, true)]);
    }
}
