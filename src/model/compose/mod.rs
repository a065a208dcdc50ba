//! What a compose file says of its services.
//!
//! A [`Service`] is read through its layers: what is written in it, what it extends, what the file beside it adds. Keys
//! that YAML merges in (`<<: *common`) count as written. A [`Text`] knows whether a variable hides it; defaults and the
//! `.env` beside the file count, and it says so.

mod build;
mod image;
mod mount;
mod network;
mod port;
mod resource;
mod text;

pub use build::{Build, Secret};
pub use image::PulledImage;
pub use mount::{ServiceMount, ServiceMountKind};
pub use port::ServicePort;
pub use resource::Resource;
pub use text::{Text, Variables};

use crate::{
    context::{self, BuildContext},
    model::{platform::Platform, reference::Reference},
    syntax::yaml::{Editor, Entry, Kind, Node, Yaml},
    text::{FileId, Span},
};
use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

/// A compose file.
#[derive(Debug)]
pub struct ComposeModel<'y> {
    /// What it was made of.
    pub tree: &'y Yaml<'y>,
    /// Its services, in order.
    pub services: Vec<Service<'y>>,
    editor: OnceCell<Editor<'y>>,
    /// The first service of each name.
    names: HashMap<&'y str, usize>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service<'y> {
    /// Its name, where it is written.
    pub key: Node<'y>,
    /// What says something of it, what wins first.
    layers: Vec<Layer<'y>>,
    /// Whether another file, which this one is read on top of, says the rest.
    is_partial: bool,
}

/// One place that says something of a service.
#[derive(Clone, Debug)]
pub(super) struct Layer<'y> {
    pub(super) node: Node<'y>,
    /// The directory that its paths start in.
    pub(super) directory: String,
    pub(super) variables: Variables,
}

/// So many services may extend each other in a row.
const DEEPEST: usize = 8;

impl<'y> ComposeModel<'y> {
    /// The model of the file that `context` is about and `tree` was made of, with the variables beside it.
    pub fn of(tree: &'y Yaml<'y>, context: &BuildContext<'_>) -> Self {
        Self::new(tree, &context::resolve("", context.directory()), &Variables::beside(context))
    }

    /// The model of the file in `directory` that `tree` was made of; `variables` are those of the `.env` beside it.
    pub fn new(tree: &'y Yaml<'y>, directory: &str, variables: &Variables) -> Self {
        let services: Vec<Service<'y>> = top(tree, "services")
            .filter(|entry| entry.value.is_mapping() || entry.value.is_null())
            .map(|entry| {
                let layer = Layer { node: entry.value, directory: directory.to_owned(), variables: variables.clone() };
                Service { key: entry.key, layers: vec![layer], is_partial: false }
            })
            .collect();
        let mut names = HashMap::with_capacity(services.len());
        for (at, service) in services.iter().enumerate() {
            names.entry(service.name()).or_insert(at);
        }
        let mut model = Self { tree, services, names, editor: OnceCell::new() };
        for at in 0..model.services.len() {
            model.extend(at);
        }
        model
    }

    /// The same file as one that is read on top of another one: what its services do not say, that one may.
    #[must_use]
    pub fn on_top(mut self) -> Self {
        self.services.iter_mut().for_each(|service| service.is_partial = true);
        self
    }

    /// The one that makes edits of the file, which has that id.
    pub fn editor(&self, file: FileId) -> &Editor<'y> {
        self.editor.get_or_init(|| Editor::new(file, self.tree))
    }

    /// What volumes of the file are made of, where it is a path: `device` among their options.
    pub fn volume_devices(&self) -> impl Iterator<Item = Entry<'y>> {
        let options = top(self.tree, "volumes").filter_map(|entry| entry.value.get("driver_opts"));
        options.flat_map(|options| ["device", "mountpoint"].into_iter().filter_map(move |key| options.entry(key)))
    }

    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service<'y>> {
        Some(&self.services[*self.names.get(name)?])
    }

    /// Its services that do not run on Windows, where nothing of what confines a program on Linux is.
    pub fn linux_services(&self) -> impl Iterator<Item = &Service<'y>> {
        self.services.iter().filter(|service| !service.is_on_windows())
    }

    /// The paths of files that are part of this one.
    pub fn includes(&self) -> Vec<Text<'y>> {
        let included = self.tree.documents().filter_map(|document| document.get("include")).flat_map(Node::items);
        included.flat_map(|item| paths_of(item, "path")).collect()
    }

    /// Adds what a service of the same file says that the service at `at` extends.
    fn extend(&mut self, at: usize) {
        for _ in 0..DEEPEST {
            let Some(last) = self.services[at].layers.last() else { return };
            let Some((None, name)) = extended(last) else { return };
            let Some(&other) = self.names.get(name.as_str()) else { return };
            if other == at {
                return;
            }
            let layer = self.services[other].layers[0].clone();
            if self.services[at].layers.iter().any(|known| known.node.span() == layer.node.span()) {
                return;
            }
            self.services[at].layers.push(layer);
        }
    }
}

/// The file, if it is another one, and the name of the service that a layer extends.
fn extended(layer: &Layer<'_>) -> Option<(Option<String>, String)> {
    let extends = layer.node.get("extends")?;
    if let Some(name) = extends.scalar() {
        return Some((None, name.to_owned()));
    }
    let text = |key| extends.get(key).and_then(|node| Text::of(node, &layer.variables));
    let file = match text("file") {
        Some(file) => Some(file.known()?.to_owned()),
        None => None,
    };
    Some((file, text("service")?.known()?.to_owned()))
}

fn paths_of<'y>(item: Node<'y>, key: &str) -> Vec<Text<'y>> {
    let variables = Variables::default();
    let node = if item.is_mapping() { item.get(key) } else { Some(item) };
    let nodes = node.map_or(Vec::new(), |node| if node.is_sequence() { node.items().collect() } else { vec![node] });
    nodes.into_iter().filter_map(|node| Text::of(node, &variables)).collect()
}

/// The entries below a key of the first document.
fn top<'y>(tree: &'y Yaml<'y>, key: &str) -> impl Iterator<Item = Entry<'y>> {
    let node = tree.documents().next().and_then(|document| document.get(key));
    node.into_iter().flat_map(Node::entries)
}

impl<'y> Service<'y> {
    /// Its name.
    pub fn name(&self) -> &'y str {
        self.key.scalar().unwrap_or_default()
    }

    /// What is written in it, without what it extends.
    pub fn own(&self) -> Node<'y> {
        self.layers[0].node
    }

    /// Whether it extends a service that nobody here sees.
    pub fn is_open(&self) -> bool {
        let last = self.layers.last().expect("a service has what is written in it");
        last.node.get("extends").is_some() || self.own().is_open()
    }

    /// The path of the file, and the service in it, that this one extends.
    pub fn extends_elsewhere(&self) -> Option<(String, String)> {
        let last = self.layers.last().expect("a service has what is written in it");
        let (file, name) = extended(last)?;
        Some((context::resolve(&last.directory, &file?), name))
    }

    /// The same service with what `other`, a service of another file, says where this one is silent.
    #[must_use]
    pub fn over(&self, other: &Service<'y>) -> Service<'y> {
        let layers = self.layers.iter().chain(&other.layers).cloned().collect();
        Service { key: self.key, layers, is_partial: self.is_partial }
    }

    /// The same service with what `other`, a service of another file, says instead.
    #[must_use]
    pub fn under(&self, other: &Service<'y>) -> Service<'y> {
        Service { key: self.key, ..other.over(self) }
    }

    /// What is written at `key`, of several layers what wins; nothing where it is taken back or empty.
    pub fn value(&self, key: &str) -> Option<Node<'y>> {
        let (node, _) = self.values(key).next()?;
        Some(node)
    }

    /// What each layer says at `key`, what wins first.
    fn values<'s>(&'s self, key: &'s str) -> impl Iterator<Item = (Node<'y>, &'s Layer<'y>)> {
        let mut is_last = false;
        self.layers
            .iter()
            .filter_map(move |layer| Some((layer.node.get(key)?, layer)))
            // `!reset` and `!override` end what the layers below say.
            .take_while(move |(node, _)| !std::mem::replace(&mut is_last, node.is_tagged()))
            .filter(|(node, _)| !node.is_null())
    }

    /// The text at `path` below `key`, of several layers what wins.
    pub fn below(&self, key: &str, path: &[&str]) -> Option<Text<'y>> {
        self.values(key).find_map(|(node, layer)| {
            let node = path.iter().try_fold(node, |node, key| node.get(key))?;
            Text::of(node, &layer.variables)
        })
    }

    /// Whether a template may add to what lies on the way from `key` along `path`.
    fn hides(&self, key: &str, path: &[&str]) -> bool {
        self.values(key).any(|(node, _)| {
            let mut way = path.iter().scan(Some(node), |at, key| {
                let node = (*at)?;
                *at = node.get(key);
                Some(node)
            });
            way.any(|node| node.is_open() || node.is_template())
        })
    }

    /// The last key on the way from `key` along `path` that is written in the service itself; else its name.
    pub fn place_below(&self, key: &str, path: &[&str]) -> Span {
        let Some(mut entry) = self.own_entry(key) else { return self.key.span() };
        let mut place = entry.key.span();
        for key in path {
            let Some(deeper) = entry.value.entry(key) else { continue };
            place = if deeper.value.is_mapping() { deeper.key.span() } else { deeper.span() };
            entry = deeper;
        }
        place
    }

    /// Where `key` is said: its entry if it is written in the service itself, else the name of the service.
    pub fn place_of(&self, key: &str) -> Span {
        self.own_entry(key).map_or_else(|| self.key.span(), |entry| entry.span())
    }

    /// Where `item`, part of the value of `key`, is written, if that is in the service itself; else the name of the
    /// service.
    pub fn place_of_item(&self, item: Node<'y>) -> Span {
        let own = self.own();
        if own.span().covers(item.span()) { item.span() } else { self.key.span() }
    }

    /// The entry of `key` that is written in the service itself.
    pub fn own_entry(&self, key: &str) -> Option<Entry<'y>> {
        let own = self.own();
        matches!(own.kind(), Kind::Mapping(_)).then(|| own.entry(key)).flatten()
    }

    /// Whether it says what it runs, and everything that it says is seen.
    pub fn is_whole(&self) -> bool {
        !self.is_open() && !self.is_partial && (self.value("image").is_some() || self.value("build").is_some())
    }

    /// The text at `key`.
    pub fn text(&self, key: &str) -> Option<Text<'y>> {
        let (node, layer) = self.values(key).next()?;
        Text::of(node, &layer.variables)
    }

    /// The truth value at `key`, if it is known, with where it stands.
    pub fn switch(&self, key: &str) -> Option<(Option<bool>, Node<'y>)> {
        let text = self.text(key)?;
        let value = match text.known().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "y" | "on" | "1") => Some(true),
            Some("false" | "no" | "n" | "off" | "0") => Some(false),
            Some(_) | None => None,
        };
        Some((value, text.node))
    }

    /// The texts of the list at `key`, of all layers; a single text is a list too.
    pub fn list(&self, key: &str) -> Vec<Text<'y>> {
        let of_layer = |(node, layer): (Node<'y>, &Layer<'y>)| {
            let nodes: Vec<Node<'y>> = if node.is_sequence() { node.items().collect() } else { vec![node] };
            nodes.into_iter().filter_map(|node| Text::of(node, &layer.variables)).collect::<Vec<_>>()
        };
        self.values(key).flat_map(of_layer).collect()
    }

    /// The image that it runs, or the name of what it builds.
    pub fn image(&self) -> Option<Text<'y>> {
        self.text("image")
    }

    /// Who runs it, if not the user of the image.
    pub fn user(&self) -> Option<Text<'y>> {
        self.text("user")
    }

    /// The words of `command` or `entrypoint`; a text is split as a shell would, roughly.
    pub fn words(&self, key: &str) -> Option<Vec<Text<'y>>> {
        let (node, layer) = self.values(key).next()?;
        let words = if node.is_sequence() { node.items().collect() } else { vec![node] };
        Some(words.into_iter().filter_map(|node| Text::of(node, &layer.variables)).collect())
    }

    /// Variables of its environment, with their values where these are written.
    pub fn environment(&self) -> Vec<(String, Option<Text<'y>>)> {
        let mut found: Vec<(String, Option<Text<'y>>)> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        for (node, layer) in self.values("environment") {
            for (name, value) in assignments(node, &layer.variables) {
                if seen.insert(name.clone()) {
                    found.push((name, value));
                }
            }
        }
        found
    }

    /// Whether it runs on Windows: it says so, or its image is made of one of Windows.
    pub fn is_on_windows(&self) -> bool {
        let platform = self.text("platform").and_then(|text| Platform::parse(text.known()?));
        if let Some(platform) = platform {
            return platform.os == "windows";
        }
        let image = self.image().and_then(|text| Reference::parse(text.known()?.to_owned()).ok());
        self.value("isolation").is_some() || image.is_some_and(|image| image.is_of_windows())
    }

    /// Services that start before it.
    pub fn dependencies(&self) -> Vec<&'y str> {
        let names = |(node, _): (Node<'y>, &Layer<'y>)| {
            let keys = node.entries().map(|entry| entry.key);
            keys.chain(node.items()).filter_map(Node::scalar).collect::<Vec<_>>()
        };
        self.values("depends_on").flat_map(names).collect()
    }

    /// Services whose work has to be done before it starts.
    pub fn awaits_end_of(&self) -> Vec<&'y str> {
        let is_end = |entry: &Entry<'y>| {
            entry.value.get("condition").and_then(Node::scalar) == Some("service_completed_successfully")
        };
        let entries = self.values("depends_on").flat_map(|(node, _)| node.entries());
        entries.filter(is_end).filter_map(|entry| entry.key.scalar()).collect()
    }

    /// How it is built, if it is.
    pub fn build(&self) -> Option<Build<'y>> {
        let nodes: Vec<(Node<'y>, &Layer<'y>)> = self.values("build").collect();
        Build::of(&nodes)
    }

    /// What is mounted, `tmpfs` included; of two at one place the one that wins.
    pub fn mounts(&self) -> Vec<ServiceMount<'y>> {
        let mut found: Vec<ServiceMount<'y>> = Vec::new();
        let volumes = self.values("volumes").flat_map(|(node, layer)| mount::volumes(node, layer));
        let memory = self.list("tmpfs");
        let memory = memory.iter().map(ServiceMount::of_memory);
        let mut seen: HashSet<String> = HashSet::new();
        for mount in volumes.chain(memory) {
            if mount.target.as_ref().is_none_or(|target| seen.insert(target.clone())) {
                found.push(mount);
            }
        }
        found
    }

    /// Ports that the host answers on.
    pub fn ports(&self) -> Vec<ServicePort<'y>> {
        self.values("ports").flat_map(|(node, layer)| port::ports(node, &layer.variables)).collect()
    }

    /// What tells whether it is well, if the service says it: its words; none where it turns that off.
    pub fn healthcheck(&self) -> Option<Vec<Text<'y>>> {
        let (node, layer) = self.values("healthcheck").next()?;
        let is_off = node.get("disable").and_then(Node::boolean) == Some(true);
        let test = node.get("test").filter(|_| !is_off);
        let words = test.map(|test| if test.is_sequence() { test.items().collect() } else { vec![test] });
        Some(words.unwrap_or_default().into_iter().filter_map(|node| Text::of(node, &layer.variables)).collect())
    }
}

/// Names with values, written as a mapping or as a list of `NAME=value`.
fn assignments<'y>(node: Node<'y>, variables: &Variables) -> Vec<(String, Option<Text<'y>>)> {
    let of_entry = |entry: Entry<'y>| {
        let value = (!entry.value.is_null()).then(|| Text::of(entry.value, variables)).flatten();
        Some((entry.key.scalar()?.to_owned(), value))
    };
    let of_item = |item: Node<'y>| {
        let text = Text::of(item, variables)?;
        let (name, value) = text.split_at_sign('=');
        Some((name.known()?.to_owned(), value))
    };
    if node.is_mapping() {
        node.entries().filter_map(of_entry).collect()
    } else {
        node.items().filter_map(of_item).collect()
    }
}

#[cfg(test)]
mod tests;
