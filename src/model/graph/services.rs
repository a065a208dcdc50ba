//! Compose services as callers: a file with what it extends, and with what compose reads on top of it.

use super::{Caller, CallerBuild, CallerMount, Fact, Lines, Place, System, evidence};
use crate::{
    context::{BuildContext, Found},
    model::compose::{ComposeModel, Service, Text, Variables},
    syntax::yaml::{self, Node, Yaml},
};
use std::{collections::HashMap, sync::Arc};

/// What `ask` answers of the compose files `files`, read together.
pub(super) fn read<T>(files: &[Found], context: BuildContext<'_>, ask: impl FnOnce(&[Source<'_>]) -> T) -> T {
    let trees: Vec<Yaml<'_>> = files.iter().map(|file| yaml::parse(&file.text).tree).collect();
    let sources: Vec<Source<'_>> =
        trees.iter().zip(files).map(|(tree, file)| Source::new(tree, file, context)).collect();
    ask(&sources)
}

/// A compose file that is read.
pub(super) struct Source<'f> {
    pub(super) file: &'f Found,
    pub(super) model: ComposeModel<'f>,
}

impl<'f> Source<'f> {
    pub(super) fn new(tree: &'f Yaml<'f>, file: &'f Found, context: BuildContext<'_>) -> Self {
        let own = context.of(&file.path);
        Self { file, model: ComposeModel::new(tree, own.directory(), &Variables::beside(&own)) }
    }

    /// Its services with what they extend and what the file adds that compose reads with it.
    pub(super) fn services(&self, all: &Sources<'_, 'f>) -> Vec<Service<'f>> {
        let base = all.first_at(&evidence::base_of(&self.file.path));
        let added = all.first_at(&evidence::override_of(&self.file.path));
        let complete = |service: &Service<'f>| {
            let service = match added.and_then(|added| added.model.service(service.name())) {
                Some(above) => service.under(above),
                None => service.clone(),
            };
            let stands_alone = service.value("image").is_some() || service.build().is_some();
            let below = base.filter(|_| !stands_alone).and_then(|base| base.model.service(service.name()));
            let service = below.map_or_else(|| service.clone(), |below| service.over(below));
            let other = service.extends_elsewhere().and_then(|(path, name)| all.at(&path)?.model.service(&name));
            other.map_or_else(|| service.clone(), |other| service.over(other))
        };
        self.model.services.iter().map(complete).collect()
    }

    pub(super) fn caller(service: &Service<'f>, paths: &Paths) -> Caller {
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
        let mount = |mount: crate::model::compose::ServiceMount<'f>| CallerMount {
            place: place(mount.node),
            kind: mount.kind,
            source: mount.source,
            target: mount.target,
            is_read_only: mount.is_read_only,
        };
        let port = |port: crate::model::compose::ServicePort<'f>| Fact {
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
            host_network: service
                .text("network_mode")
                .filter(|mode| mode.known() == Some("host"))
                .map(|mode| place(mode.node)),
            powers: powers(service).into_iter().map(fact).collect(),
            probes: Vec::new(),
            container: service.text("container_name").and_then(|text| text.known().map(str::to_owned)),
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

/// What a service is given that only root can use.
fn powers<'f>(service: &Service<'f>) -> Vec<Text<'f>> {
    let is_privileged = service.switch("privileged").is_some_and(|(value, _)| value != Some(false));
    let privileged = service.text("privileged").filter(|_| is_privileged);
    let given = ["cap_add", "devices"].into_iter().flat_map(|key| service.list(key));
    let given = given.filter(|text| text.known().is_none_or(|name| !name.ends_with("NET_BIND_SERVICE")));
    privileged.into_iter().chain(given).collect()
}

/// Compose files, found by their paths.
pub(super) struct Sources<'s, 'f> {
    all: &'s [Source<'f>],
    by_path: HashMap<&'f str, usize>,
}

impl<'s, 'f> Sources<'s, 'f> {
    pub(super) fn of(all: &'s [Source<'f>]) -> Self {
        let by_path = all.iter().enumerate().map(|(at, source)| (source.file.path.as_str(), at)).collect();
        Self { all, by_path }
    }

    /// The one at `path`.
    pub(super) fn at(&self, path: &str) -> Option<&'s Source<'f>> {
        Some(&self.all[*self.by_path.get(path)?])
    }

    /// The first of `paths` that is there.
    pub(super) fn first_at(&self, paths: &[String]) -> Option<&'s Source<'f>> {
        paths.iter().find_map(|path| self.at(path))
    }
}

/// The files that nodes come from: a service may have layers of several ones.
pub(super) struct Paths(HashMap<*const u8, Lines>);

impl Paths {
    pub(super) fn of(sources: &[Source<'_>]) -> Self {
        let lines = |source: &Source<'_>| (source.file.text.as_ptr(), Lines::of(&source.file.path, &source.file.text));
        Self(sources.iter().map(lines).collect())
    }

    pub(super) fn place(&self, node: Node<'_>) -> Place {
        let lines = self.0.get(&node.tree().text().as_ptr());
        lines.map_or_else(
            || Place { path: Arc::default(), span: node.span(), line: 1 },
            |lines| lines.place(node.span()),
        )
    }
}
