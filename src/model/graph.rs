//! Who builds a Dockerfile, and how what comes of it is run.
//!
//! [`BuildGraph::of`] draws that for all files of a repository.
//! [`Callers::of`] looks, for one Dockerfile and where it is judged, from its directory upwards, as far as files are seen, and answers each service
//! that builds it or runs the image that another one builds. What is not found may still exist: nobody says that an image
//! is run only from where it is built.

mod actor;
mod bake;
mod crossing;
mod devcontainer;
mod evidence;
mod executed;
mod made;
mod pods;
mod powered;
mod recipe;
mod repository;
mod services;
mod skaffold;
mod workflow;

pub use actor::{built_by, is_baked};
pub use bake::{Baked, Giver, baked};
pub use crossing::{Crossing, CrossingKind};
pub use evidence::{builders, compose_files, is_override as is_on_top};
pub use executed::{Executed, executed};
pub use made::{Made, MadeImage, is_shell, may_hold_shell};
pub use powered::powered_run;
pub use recipe::{Input, InputSource, Recipe, RecipeStage, Says, Who};
pub use repository::{BuildGraph, Builder, BuiltImage, PulledImage, Run, RunImage};
pub use workflow::{BuildStep, build_steps};

use super::{
    compose::{Service, ServiceMountKind},
    kubernetes::{Container, KubernetesModel, Role},
    reference::Reference,
};
use crate::{
    context::{self, BuildContext, Found},
    source::FileKind,
    syntax::yaml,
    text::{LineIndex, Span},
};
use evidence::manifests;
use services::{Paths, Source, Sources};
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
    /// Where it says that it has the network of the host, in which ports below 1024 are root's.
    pub host_network: Option<Place>,
    /// What it is given that only root can use: capabilities, devices, everything.
    pub powers: Vec<Fact<String>>,
    /// Programs that the cluster starts in it: probes, and what runs behind its start and before its end.
    pub probes: Vec<Fact<Vec<String>>>,
    /// The name of its container, if it is given one; in a cluster that of the object that makes its pod.
    pub container: Option<String>,
    /// Whether it may write nowhere but to what is mounted.
    pub read_only: Option<Fact<bool>>,
    /// Capabilities that it is denied.
    pub dropped: Vec<Fact<String>>,
    /// Whether it says more in a file that nobody here sees.
    pub is_open: bool,
}

impl Caller {
    /// Whether it starts something else than the image does, or asks for its health in its own way.
    pub fn starts_otherwise(&self) -> bool {
        self.entrypoint.is_some() || self.command.is_some() || self.healthcheck.is_some()
    }
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

/// What builds images or starts containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// Docker Compose.
    Compose,
    /// Kubernetes.
    Kubernetes,
    /// A shell script.
    Script,
    /// A Makefile.
    Makefile,
    /// A GitHub workflow.
    Workflow,
    /// A GitLab pipeline.
    GitlabCi,
    /// A bake file of buildx.
    Bake,
    /// A `devcontainer.json`.
    Devcontainer,
    /// A `skaffold.yaml`.
    Skaffold,
}

impl System {
    /// What a file of that kind tells; `None` for one that calls nobody.
    pub fn of(kind: FileKind) -> Option<Self> {
        match kind {
            FileKind::Compose => Some(Self::Compose),
            FileKind::Kubernetes => Some(Self::Kubernetes),
            FileKind::Script => Some(Self::Script),
            FileKind::Makefile => Some(Self::Makefile),
            FileKind::Workflow => Some(Self::Workflow),
            FileKind::GitlabCi => Some(Self::GitlabCi),
            FileKind::Bake => Some(Self::Bake),
            FileKind::Devcontainer => Some(Self::Devcontainer),
            FileKind::Dockerfile | FileKind::Seccomp => None,
        }
    }

    /// What an entry of such a file is called, with its name; a command is its own name.
    pub fn titled(self, name: &str) -> String {
        let is_command = name.contains(' ');
        match self {
            System::Script | System::Makefile | System::Workflow | System::GitlabCi if is_command => name.to_owned(),
            System::Compose
            | System::Kubernetes
            | System::Script
            | System::Makefile
            | System::Workflow
            | System::GitlabCi
            | System::Bake
            | System::Devcontainer
            | System::Skaffold => [self.entry(), " ", name].concat(),
        }
    }

    /// What an entry of such a file is called.
    fn entry(self) -> &'static str {
        match self {
            System::Compose => "service",
            System::Kubernetes => "container",
            System::Script => "script",
            System::Makefile => "recipe",
            System::Workflow | System::GitlabCi => "job",
            System::Bake => "target",
            System::Devcontainer => "devcontainer",
            System::Skaffold => "artifact",
        }
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            System::Compose => "compose",
            System::Kubernetes => "kubernetes",
            System::Script => "script",
            System::Makefile => "makefile",
            System::Workflow => "github-workflow",
            System::GitlabCi => "gitlab-ci",
            System::Bake => "bake",
            System::Devcontainer => "devcontainer",
            System::Skaffold => "skaffold",
        }
    }
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
        let dockerfile = context::resolve("", context.path());
        let mut images = skaffold::images_of(context, &dockerfile);
        // Where nothing is built, nobody builds the file: most files need no closer look.
        let builds = |file: &Found| memchr::memmem::find(&file.text, b"build").is_some();
        if images.is_empty() && !files.iter().any(builds) {
            return Self::default();
        }
        let services = context.remembered(about("services", &files), || Composed::of(&files, context));
        let mut callers = Self::default();
        for service in services.iter().filter(|service| service.caller.build.is_some()) {
            callers.may_be_more |= service.may_build_more;
            if service.dockerfile.as_deref() == Some(&dockerfile) {
                images.extend(service.repository.clone());
                callers.services.push(service.caller.clone());
            }
        }
        for service in services.iter().filter(|service| service.caller.build.is_none()) {
            if service.repository.as_ref().is_some_and(|repository| images.contains(repository)) {
                callers.services.push(service.caller.clone());
            }
        }
        if !images.is_empty() {
            callers.services.extend(manifests(context).iter().flat_map(|file| running(file, &images)));
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

/// What names that which is asked of all of `files`, to remember the answer by.
fn about(question: &str, files: &[Found]) -> String {
    let paths = files.iter().map(|file| file.path.as_str());
    std::iter::once(question).chain(paths).collect::<Vec<_>>().join("\0")
}

/// A service of the compose files around.
struct Composed {
    caller: Caller,
    /// The Dockerfile that it builds, if it can be named.
    dockerfile: Option<String>,
    /// Whether it may build something that nobody here can name.
    may_build_more: bool,
    /// The image that it builds or runs, whatever its tag.
    repository: Option<String>,
}

impl Composed {
    fn of(files: &[Found], context: BuildContext<'_>) -> Vec<Self> {
        services::read(files, context, |sources| {
            let paths = Paths::of(sources);
            let by_path = Sources::of(sources);
            let services = sources.iter().flat_map(|source| source.services(&by_path));
            services.map(|service| Self::one(&service, &paths)).collect()
        })
    }

    fn one(service: &Service<'_>, paths: &Paths) -> Self {
        let build = service.build();
        let is_hidden = build.as_ref().is_some_and(|build| build.inline.is_none() && build.dockerfile.is_none());
        Self {
            may_build_more: is_hidden || service.is_open(),
            dockerfile: build.and_then(|build| build.dockerfile),
            repository: service.image().and_then(|image| repository(image.known()?)),
            caller: Source::caller(service, paths),
        }
    }
}

/// What `ask` answers of the service `name` of the compose file at `path`, with what it extends and what compose reads on
/// top of that file; nothing if it is not there.
pub fn with_service<T>(
    context: BuildContext<'_>,
    path: &str,
    name: &str,
    ask: impl FnOnce(&Service<'_>) -> T,
) -> Option<T> {
    services::read(&compose_files(context), context, |sources| {
        let by_path = Sources::of(sources);
        let services = by_path.at(path)?.services(&by_path);
        services.iter().find(|service| service.name() == name).map(ask)
    })
}

/// The lines of a file.
struct Lines {
    path: Arc<str>,
    index: LineIndex,
}

impl Lines {
    fn of(path: &str, text: &[u8]) -> Self {
        Self { path: path.into(), index: LineIndex::new(text) }
    }

    fn place(&self, span: Span) -> Place {
        Place { path: self.path.clone(), span, line: self.index.line(span.start) }
    }
}

/// The registry and repository that an image name means, whatever its tag.
fn repository(name: &str) -> Option<String> {
    Some(Reference::parse(name).ok()?.name())
}

/// The containers of a manifest that run one of `images`.
fn running(file: &Found, images: &[String]) -> Vec<Caller> {
    let tree = yaml::parse(&file.text).tree;
    let lines = Lines::of(&file.path, &file.text);
    let model = KubernetesModel::new(&tree);
    let runs = |container: &Container<'_>| {
        container.text("image").and_then(repository).is_some_and(|repository| images.contains(&repository))
    };
    let wanted = model.containers().filter(|container| container.role != Role::Ephemeral && runs(container));
    wanted.map(|container| pods::caller(container, &lines)).collect()
}

#[cfg(test)]
mod tests;
