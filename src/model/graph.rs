//! Who builds a Dockerfile, and how what comes of it is run: compose files and Kubernetes manifests around it.
//!
//! [`Callers::of`] looks from the directory of the Dockerfile upwards, as far as files are seen, and answers each service
//! that builds it or runs the image that another one builds. What is not found may still exist: nobody says that an image
//! is run only from where it is built.

mod evidence;

use super::{
    compose::{ComposeModel, Service, ServiceMountKind, Text, Variables},
    kubernetes::{Container, KubernetesModel, Role},
    reference::Reference,
};
use crate::{
    context::{self, BuildContext, Found},
    syntax::yaml::{self, Node, Yaml},
    text::Span,
};
use evidence::{compose_files, manifests};
use std::sync::Arc;

/// Who builds one Dockerfile, and how what comes of it is run.
#[derive(Clone, Debug, Default)]
pub struct Callers {
    /// Services and containers, sorted by place.
    pub services: Vec<Caller>,
    /// Whether a compose file around builds something that nobody here can name: a variable or another file hides it.
    pub may_be_more: bool,
}

/// A service that builds the Dockerfile or runs what comes of it, or a container that runs it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What it is called.
    pub name: String,
    /// Where it is written.
    pub place: Place,
    /// What kind of file it is written in.
    pub system: System,
    /// How it builds the Dockerfile; none if it only runs the image.
    pub build: Option<CallerBuild>,
    /// The image that it names.
    pub image: Option<Fact<String>>,
    /// Who runs it, if not the user of the image; in Kubernetes a number.
    pub user: Option<Fact<String>>,
    /// What stands in the place of `ENTRYPOINT`.
    pub entrypoint: Option<Fact<Vec<String>>>,
    /// What stands in the place of `CMD`.
    pub command: Option<Fact<Vec<String>>>,
    /// What is mounted into it.
    pub mounts: Vec<CallerMount>,
    /// Ports in the container that the host answers for, or that the pod declares; those that are known.
    pub ports: Vec<Fact<String>>,
    /// Variables of its environment, with their values where these are written.
    pub environment: Vec<(String, Option<String>)>,
    /// What tells whether it is well, in the place of `HEALTHCHECK`; no words where that is turned off.
    pub healthcheck: Option<Fact<Vec<String>>>,
    /// Whether it may write nowhere but to what is mounted.
    pub read_only: Option<Fact<bool>>,
    /// Capabilities that it is denied.
    pub dropped: Vec<Fact<String>>,
    /// Whether it says more in a file that nobody here sees.
    pub is_open: bool,
}

/// How a service builds the Dockerfile.
#[derive(Clone, Debug)]
pub struct CallerBuild {
    /// Where it says so.
    pub place: Place,
    /// The stage that it builds; the last one if it names none.
    pub target: Option<Fact<String>>,
    /// Build arguments, with their values where these are written.
    pub arguments: Vec<(String, Option<String>)>,
    /// The ids of secrets that steps may read; a variable may hide some.
    pub secrets: Vec<String>,
}

/// A mount of a service or container.
#[derive(Clone, Debug)]
pub struct CallerMount {
    /// Where it is written.
    pub place: Place,
    /// What is mounted.
    pub kind: ServiceMountKind,
    /// The path of the host or the name of the volume, if it is known.
    pub source: Option<String>,
    /// The path in the container, if it is known.
    pub target: Option<String>,
    /// Whether it may only be read.
    pub is_read_only: bool,
}

/// What starts containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// Docker Compose.
    Compose,
    /// Kubernetes.
    Kubernetes,
}

/// Something that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    /// What it says; none where a variable or template hides it.
    pub value: Option<T>,
    /// Whether it is so only as long as nobody sets a variable.
    pub is_defaulted: bool,
    /// Where it is written.
    pub place: Place,
}

/// Bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, written as the checked file's path is.
    pub path: Arc<str>,
    /// Where in it.
    pub span: Span,
    /// The line of its first byte, from 1.
    pub line: u32,
}

impl Callers {
    /// The callers of the file that `context` is about.
    pub fn of(context: BuildContext<'_>) -> Self {
        let files = compose_files(context);
        // Where nothing is built, nobody builds the file: most files need no closer look.
        let builds = |file: &Found| memchr::memmem::find(&file.text, b"build").is_some();
        if !files.iter().any(builds) {
            return Self::default();
        }
        let dockerfile = context::resolve("", context.path());
        let trees: Vec<Yaml<'_>> = files.iter().map(|file| yaml::parse(&file.text).tree).collect();
        let sources: Vec<Source<'_>> =
            trees.iter().zip(&files).map(|(tree, file)| Source::new(tree, file, context)).collect();
        let mut callers = Self::default();
        let mut images: Vec<String> = Vec::new();
        let paths = Paths::of(&sources);
        let services: Vec<Service<'_>> = sources.iter().flat_map(|source| source.services(&sources)).collect();
        for service in &services {
            let Some(build) = service.build() else { continue };
            callers.may_be_more |= build.inline.is_none() && build.dockerfile.is_none() || service.is_open();
            if build.dockerfile.as_deref() == Some(&dockerfile) {
                images.extend(service.image().and_then(|image| repository(image.known()?)));
                callers.services.push(Source::caller(service, &paths));
            }
        }
        for service in services.iter().filter(|service| service.build().is_none()) {
            let repository = service.image().and_then(|image| repository(image.known()?));
            if repository.is_some_and(|repository| images.contains(&repository)) {
                callers.services.push(Source::caller(service, &paths));
            }
        }
        if !images.is_empty() {
            callers.services.extend(manifests(context).iter().flat_map(|file| pods(file, &images)));
        }
        callers.services.sort_by(|a, b| a.place.cmp(&b.place));
        callers
    }

    /// Those that run the image that comes of the stage called `name`, or of the last stage if it has none.
    pub fn of_target<'c>(&'c self, name: Option<&'c str>) -> impl Iterator<Item = &'c Caller> {
        self.services.iter().filter(move |caller| {
            let Some(build) = &caller.build else { return true };
            match &build.target {
                Some(target) => target.value.is_none() || target.value.as_deref() == name,
                None => true,
            }
        })
    }
}

/// A compose file that is read.
struct Source<'f> {
    file: &'f Found,
    model: ComposeModel<'f>,
}

impl<'f> Source<'f> {
    fn new(tree: &'f Yaml<'f>, file: &'f Found, context: BuildContext<'_>) -> Self {
        let directory = evidence::directory(&file.path);
        let variables = context.at(&context::join(directory, ".env"));
        let variables = variables.map(|found| Variables::of_text(&String::from_utf8_lossy(&found.text)));
        let model = ComposeModel::new(tree, directory, &variables.unwrap_or_default());
        Self { file, model }
    }

    /// Its services with what they extend and what the file adds that compose reads with it.
    fn services(&self, all: &[Source<'f>]) -> Vec<Service<'f>> {
        let base = evidence::base_of(&self.file.path);
        let base = base.iter().find_map(|path| all.iter().find(|source| source.file.path == *path));
        let added = evidence::override_of(&self.file.path);
        let added = added.iter().find_map(|path| all.iter().find(|source| source.file.path == *path));
        let complete = |service: &Service<'f>| {
            let service = match added.and_then(|added| added.model.service(service.name())) {
                Some(above) => service.under(above),
                None => service.clone(),
            };
            let stands_alone = service.value("image").is_some() || service.build().is_some();
            let below = base.filter(|_| !stands_alone).and_then(|base| base.model.service(service.name()));
            let service = below.map_or_else(|| service.clone(), |below| service.over(below));
            let other = service
                .extends_elsewhere()
                .and_then(|(path, name)| all.iter().find(|source| source.file.path == path)?.model.service(&name));
            other.map_or_else(|| service.clone(), |other| service.over(other))
        };
        self.model.services.iter().map(complete).collect()
    }

    fn caller(service: &Service<'f>, paths: &Paths<'f>) -> Caller {
        let place = |node: Node<'_>| paths.place(node);
        let fact = |text: Text<'f>| Fact {
            value: text.known().map(str::to_owned),
            is_defaulted: text.is_defaulted,
            place: place(text.node),
        };
        let words = |texts: Vec<Text<'f>>, node: Node<'f>| Fact {
            value: texts.iter().map(|text| text.known().map(str::to_owned)).collect::<Option<Vec<_>>>(),
            is_defaulted: texts.iter().any(|text| text.is_defaulted),
            place: place(node),
        };
        let command = |key| Some(words(service.words(key)?, service.value(key)?));
        let values = |pairs: Vec<(String, Option<Text<'f>>)>| {
            let known = |text: Option<Text<'f>>| text.and_then(|text| text.known().map(str::to_owned));
            pairs.into_iter().map(|(name, value)| (name, known(value))).collect::<Vec<_>>()
        };
        let build = service.build().map(|build| CallerBuild {
            place: place(build.node),
            target: build.target.map(fact),
            arguments: values(build.arguments),
            secrets: build
                .secrets
                .iter()
                .filter_map(|secret| secret.id.as_ref().unwrap_or(&secret.source).known().map(str::to_owned))
                .collect(),
        });
        let mount = |mount: super::compose::ServiceMount<'f>| CallerMount {
            place: place(mount.node),
            kind: mount.kind,
            source: mount.source,
            target: mount.target,
            is_read_only: mount.is_read_only,
        };
        let port = |port: super::compose::ServicePort<'f>| Fact {
            value: port.target,
            is_defaulted: false,
            place: place(port.node),
        };
        Caller {
            name: service.name().to_owned(),
            place: place(service.key),
            system: System::Compose,
            build,
            image: service.image().map(fact),
            user: service.user().map(fact),
            entrypoint: command("entrypoint"),
            command: command("command"),
            mounts: service.mounts().into_iter().map(mount).collect(),
            ports: service.ports().into_iter().map(port).collect(),
            environment: values(service.environment()),
            healthcheck: service
                .healthcheck()
                .zip(service.value("healthcheck"))
                .map(|(texts, node)| words(texts, node)),
            read_only: service.switch("read_only").map(|(value, node)| Fact {
                value,
                is_defaulted: false,
                place: place(node),
            }),
            dropped: service.list("cap_drop").into_iter().map(fact).collect(),
            is_open: service.is_open(),
        }
    }
}

/// The paths of the files that nodes come from.
struct Paths<'f>(Vec<(&'f [u8], Arc<str>)>);

impl<'f> Paths<'f> {
    fn of(sources: &[Source<'f>]) -> Self {
        Self(sources.iter().map(|source| (&*source.file.text, source.file.path.as_str().into())).collect())
    }

    /// A service may have layers of several files.
    fn place(&self, node: Node<'_>) -> Place {
        let text = node.tree().text();
        let path = self.0.iter().find(|(other, _)| std::ptr::eq(*other, text)).map(|(_, path)| path.clone());
        Place { path: path.unwrap_or_default(), span: node.span(), line: line(text, node.span()) }
    }
}

fn line(text: &[u8], span: Span) -> u32 {
    memchr::memchr_iter(b'\n', &text[..span.start as usize]).count() as u32 + 1
}

/// The registry and repository that an image name means, whatever its tag.
fn repository(name: &str) -> Option<String> {
    Some(Reference::parse(name).ok()?.name())
}

/// The containers of a manifest that run one of `images`.
fn pods(file: &Found, images: &[String]) -> Vec<Caller> {
    let tree = yaml::parse(&file.text).tree;
    let path: Arc<str> = file.path.as_str().into();
    let model = KubernetesModel::new(&tree);
    let runs = |container: &Container<'_>| {
        container.text("image").and_then(repository).is_some_and(|repository| images.contains(&repository))
    };
    let wanted = model.containers().filter(|container| container.role != Role::Ephemeral && runs(container));
    wanted.map(|container| pod_caller(container, &path)).collect()
}

fn pod_caller(container: Container<'_>, path: &Arc<str>) -> Caller {
    let place = |node: Node<'_>| {
        let text = node.tree().text();
        Place { path: path.clone(), span: node.span(), line: line(text, node.span()) }
    };
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
    let mount = |mount: super::kubernetes::PodMount<'_>| CallerMount {
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

#[cfg(test)]
mod tests;
