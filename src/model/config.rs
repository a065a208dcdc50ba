//! The configuration of the image that a build makes, as BuildKit writes it.

use super::{
    dockerfile::{Base, CopySource, DockerfileModel, UnknownBase},
    evaluate::text_of,
    expand::{ExpandError, Value},
    healthcheck::{Healthcheck, HealthcheckError, healthcheck},
    mount,
    platform::Platform,
    port::{NoPort, Ports, Protocol},
    reference::{Reference, ReferenceError},
    signal::is_signal,
    stage::Stage,
    step::Step,
    user::UserOrigin,
};
use crate::{
    syntax::dockerfile::{Arg, Arguments, Keyword},
    text::Span,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

/// Bytes of labels and volumes; registries refuse configurations of a few megabytes.
const MOST_TEXT: usize = 32 << 20;

/// An OCI image configuration, as far as a Dockerfile decides it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// Who runs it; empty is root.
    pub user: String,
    /// Names and values, in order of their first assignment.
    pub environment: Vec<(String, String)>,
    /// Where it starts; empty if nobody says.
    pub working_directory: String,
    /// What is run.
    pub entrypoint: Vec<String>,
    /// What is run, or the arguments of `entrypoint`.
    pub command: Vec<String>,
    /// `80/tcp` and the like.
    pub exposed_ports: BTreeSet<String>,
    /// Paths.
    pub volumes: BTreeSet<String>,
    /// Names and values.
    pub labels: BTreeMap<String, String>,
    /// The signal that stops it; empty for the default.
    pub stop_signal: String,
    /// What runs commands in shell form; empty for the default.
    pub shell: Vec<String>,
    /// How it says that it is well.
    pub healthcheck: Option<Healthcheck>,
    /// What images made from it run first.
    pub triggers: Vec<String>,
}

/// What is taken for known of base images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseImages {
    /// Each has nothing but a `PATH`.
    Empty,
    /// What the image facts say.
    Known,
}

/// Why a build without build arguments fails, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// Where.
    pub span: Span,
    /// Why.
    pub cause: BuildFailure,
}

/// Why a build fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildFailure {
    /// There is no stage, or none of the name of the target.
    NoTarget,
    /// A base is blank, with the word that names it.
    BlankBase(String),
    /// A word has no expansion.
    Expand(ExpandError),
    /// A base or a source of files names no image.
    Reference(ReferenceError),
    /// `COPY --from` names no stage before its own.
    Source(String),
    /// `--platform` is none.
    Platform(String),
    /// `EXPOSE` names no port.
    Port(NoPort),
    /// `STOPSIGNAL` names no signal.
    Signal(String),
    /// `VOLUME` names no path.
    EmptyVolume,
    /// `HEALTHCHECK` is wrong.
    Healthcheck(HealthcheckError),
    /// `RUN --mount` with a key or value that no mount takes.
    Mount(String),
    /// The configuration is larger than any builder takes.
    TooLarge,
}

impl fmt::Display for BuildFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildFailure::NoTarget => f.write_str("there is no such stage"),
            BuildFailure::BlankBase(word) => write!(f, "the base image `{word}` is blank without build arguments"),
            BuildFailure::Expand(error) => error.fmt(f),
            BuildFailure::Reference(error) => error.fmt(f),
            BuildFailure::Source(name) => write!(f, "`{name}` names no stage before this one"),
            BuildFailure::Platform(text) => write!(f, "`{text}` is not a platform"),
            BuildFailure::Port(error) => error.fmt(f),
            BuildFailure::Signal(text) => write!(f, "`{text}` is not a signal"),
            BuildFailure::EmptyVolume => f.write_str("a volume has no path"),
            BuildFailure::Healthcheck(error) => error.fmt(f),
            BuildFailure::Mount(text) => write!(f, "`--mount` does not take `{text}`"),
            BuildFailure::TooLarge => f.write_str("the image configuration is too large"),
        }
    }
}

impl DockerfileModel<'_> {
    /// The names of the images that a build of the target asks for, complete, sorted, without repetition.
    ///
    /// # Errors
    /// If the build fails because of what a stage starts from or copies from.
    pub fn images(&self) -> Result<BTreeSet<String>, BuildError> {
        for argument in self.global_arguments() {
            let Some(span) = argument.value_span else { continue };
            let written = String::from_utf8_lossy(self.file.bytes(span));
            if let (Some(false), Err(error)) =
                (argument.value.as_ref().map(Value::is_known), self.expand_global(&written))
            {
                return Err(BuildError { span, cause: BuildFailure::Expand(error) });
            }
        }
        let mut names = BTreeSet::new();
        for stage in self.stages() {
            let base = base_of(stage)?;
            let mut sources = sources_of(stage)?;
            if stage.is_built() {
                sources.extend(base);
                names.extend(sources.iter().map(Reference::normalized));
            }
        }
        if self.target().is_none() {
            return Err(BuildError { span: Span::default(), cause: BuildFailure::NoTarget });
        }
        Ok(names)
    }

    /// The configuration of the image that the target makes.
    ///
    /// # Errors
    /// If the build fails.
    pub fn image_config(&self, bases: BaseImages) -> Result<ImageConfig, BuildError> {
        self.images()?;
        let span = Span::default();
        let target = self.target().ok_or(BuildError { span, cause: BuildFailure::NoTarget })?;
        let chain: Vec<Stage<'_>> = target.chain().collect();
        let in_chain: HashSet<usize> = chain.iter().map(|stage| stage.index()).collect();
        for stage in self.stages().filter(|stage| stage.is_built() && !in_chain.contains(&stage.index())) {
            let mut builder = Builder::default();
            for step in stage.steps() {
                builder.run(step)?;
            }
        }
        let mut builder = Builder::default();
        for stage in chain.into_iter().rev() {
            builder.enter(stage, bases);
            for step in stage.steps() {
                builder.run(step)?;
            }
        }
        builder.config.exposed_ports = builder.ports.written();
        Ok(builder.config)
    }
}

/// The image that a stage starts from, as a build without arguments takes it.
fn base_of(stage: Stage<'_>) -> Result<Option<Reference<'_>>, BuildError> {
    let fail = |cause| Err(BuildError { span: stage.base_span(), cause });
    if let Some(platform) = stage.platform().filter(|platform| Platform::parse(&platform.text).is_none()) {
        return fail(BuildFailure::Platform(platform.text.to_string()));
    }
    let value = stage.base_value();
    match stage.base() {
        Base::Stage(_) | Base::Scratch => Ok(None),
        Base::Image(image) => Ok(Some(image.reference.clone())),
        Base::Unknown(UnknownBase::Unreadable(error)) => fail(BuildFailure::Expand(error.clone())),
        Base::Unknown(UnknownBase::Invalid(error)) => fail(BuildFailure::Reference(error.clone())),
        Base::Unknown(UnknownBase::Missing | UnknownBase::Blank) if value.text.is_empty() => {
            fail(BuildFailure::BlankBase(stage.base_word().map(text_of).unwrap_or_default().into_owned()))
        }
        Base::Unknown(UnknownBase::Missing | UnknownBase::Blank) => match Reference::parse(&*value.text) {
            Ok(reference) => Ok(Some(reference)),
            Err(error) => fail(BuildFailure::Reference(error)),
        },
    }
}

/// The images that a stage takes files from.
fn sources_of(stage: Stage<'_>) -> Result<Vec<Reference<'_>>, BuildError> {
    let mut images = Vec::new();
    for step in stage.steps() {
        let mounts = step.mounts().into_iter().filter_map(|mount| mount.from);
        for source in step.copy_source().into_iter().chain(mounts) {
            let name = || step.instruction().flag("from").and_then(|flag| flag.value.clone()).unwrap_or_default();
            match source {
                CopySource::Image(reference) => images.push(reference),
                CopySource::Stage(index) if index < stage.index() || !stage.is_built() => {}
                CopySource::Scratch => {}
                CopySource::Stage(_) | CopySource::Invalid => {
                    return Err(BuildError { span: step.instruction().span, cause: BuildFailure::Source(name()) });
                }
            }
        }
    }
    Ok(images)
}

/// Applies steps to a configuration.
#[derive(Default)]
struct Builder {
    config: ImageConfig,
    /// Whether this stage has a `CMD` already, which an `ENTRYPOINT` then leaves alone.
    has_command: bool,
    windows: bool,
    /// Where each name stands in the environment.
    places: HashMap<String, usize>,
    ports: PortSet,
    /// Bytes that variables have put into the configuration.
    written: usize,
}

/// Ports by protocol. Ranges may be many and long, so they are not kept as text.
#[derive(Default)]
struct PortSet(BTreeMap<Protocol, Vec<bool>>);

impl PortSet {
    fn add(&mut self, ports: &Ports) {
        let all = self.0.entry(ports.protocol).or_insert_with(|| vec![false; usize::from(u16::MAX) + 1]);
        all[usize::from(ports.first)..=usize::from(ports.last)].fill(true);
    }

    fn written(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (protocol, ports) in &self.0 {
            let exposed = ports.iter().enumerate().filter(|&(_, &is_exposed)| is_exposed);
            names.extend(exposed.map(|(port, _)| format!("{port}/{}", protocol.name())));
        }
        names
    }
}

impl Builder {
    fn enter(&mut self, stage: Stage<'_>, bases: BaseImages) {
        self.has_command = false;
        self.config.triggers.clear();
        self.windows = stage.model().platform.os == "windows";
        match stage.base() {
            Base::Stage(_) => return,
            Base::Scratch => "/".clone_into(&mut self.config.working_directory),
            Base::Image(_) | Base::Unknown(_) => {}
        }
        let first = stage.steps().next();
        if !self.windows {
            self.inherit("PATH", stage);
        }
        if bases == BaseImages::Known {
            self.enter_known(stage, first);
        }
    }

    /// What the image facts say of the base.
    fn enter_known(&mut self, stage: Stage<'_>, first: Option<Step<'_>>) {
        let user = first.map_or(stage.user(), Step::user);
        if let UserOrigin::BaseImage { .. } = user.origin {
            self.config.user = user.value.text.to_string();
        }
        let Some(facts) = stage.image().and_then(|image| image.facts.as_deref()) else { return };
        if let Some(entrypoint) = facts.entrypoint.known() {
            self.config.entrypoint.clone_from(entrypoint);
        }
        for name in facts.environment.known().into_iter().flat_map(BTreeMap::keys) {
            self.inherit(name, stage);
        }
        if let Some(workdir) = facts.workdir.known() {
            self.config.working_directory.clone_from(workdir);
        }
        for port in facts.ports.known().into_iter().flatten() {
            self.ports.add(&Ports::from(*port));
        }
    }

    /// Takes a variable over from the base image of `stage`, where it is known to have one.
    fn inherit(&mut self, name: &str, stage: Stage<'_>) {
        let variable = match stage.steps().next() {
            Some(first) => first.variable(name),
            None => stage.variable(name),
        };
        if let Some(value) = variable.and_then(|variable| variable.value.as_ref()) {
            self.set(name, value.text.to_string());
        }
    }

    fn run(&mut self, step: Step<'_>) -> Result<(), BuildError> {
        self.apply(step).map_err(|cause| BuildError { span: step.instruction().span, cause })
    }

    fn apply(&mut self, step: Step<'_>) -> Result<(), BuildFailure> {
        let config = &mut self.config;
        match step.keyword() {
            Keyword::Env => {
                check_words(step)?;
                for variable in step.assigned() {
                    let value = variable.value.as_ref().map(|value| value.text.to_string()).unwrap_or_default();
                    self.set(&variable.name, value);
                }
            }
            Keyword::Arg => check_words(step)?,
            Keyword::User => config.user = single(step)?,
            Keyword::Workdir => {
                single(step)?;
                let behind = step.next().map_or(step.stage().workdir(), Step::workdir);
                config.working_directory = behind.path.text.to_string();
            }
            Keyword::Shell => {
                let behind = step.next().map_or(step.stage().shell(), Step::shell);
                config.shell = behind.words.iter().map(ToString::to_string).collect();
            }
            Keyword::Cmd => {
                let command_line = self.command_line(step);
                self.config.command = command_line;
                self.has_command = true;
            }
            Keyword::Entrypoint => {
                let command_line = self.command_line(step);
                self.config.entrypoint = command_line;
                if !self.has_command {
                    self.config.command.clear();
                }
            }
            Keyword::Expose => {
                for ports in exposed(step)? {
                    self.ports.add(&ports);
                }
            }
            Keyword::Volume => {
                for volume in words(step) {
                    let volume = step.expand_arg(volume).map_err(BuildFailure::Expand)?.text.trim().to_owned();
                    self.written += volume.len();
                    if self.written > MOST_TEXT {
                        return Err(BuildFailure::TooLarge);
                    }
                    if volume.is_empty() {
                        return Err(BuildFailure::EmptyVolume);
                    }
                    config.volumes.insert(volume);
                }
            }
            Keyword::Label => {
                let Arguments::Assignments(labels) = step.arguments() else { return Ok(()) };
                for label in labels {
                    let name = step.expand_arg(&label.name).map_err(BuildFailure::Expand)?;
                    let value = label.value.as_ref().map(|value| step.expand_arg(value)).transpose();
                    let value = value.map_err(BuildFailure::Expand)?.unwrap_or_default();
                    self.written += name.text.len() + value.text.len();
                    if self.written > MOST_TEXT {
                        return Err(BuildFailure::TooLarge);
                    }
                    config.labels.insert(name.text.into_owned(), value.text.into_owned());
                }
            }
            Keyword::Stopsignal => {
                let signal = single(step)?;
                if !is_signal(&signal) {
                    return Err(BuildFailure::Signal(signal));
                }
                config.stop_signal = signal;
            }
            Keyword::Healthcheck => {
                config.healthcheck = healthcheck(step).transpose().map_err(BuildFailure::Healthcheck)?;
            }
            Keyword::Onbuild => config.triggers.push(trigger_text(step)),
            Keyword::Add | Keyword::Copy => {
                for word in words(step) {
                    step.expand_arg(word).map_err(BuildFailure::Expand)?;
                }
                for name in ["chown", "chmod", "checksum"] {
                    let Some(value) = step.instruction().flag(name).and_then(|flag| flag.value.as_deref()) else {
                        continue;
                    };
                    step.expand(value).map_err(BuildFailure::Expand)?;
                }
            }
            Keyword::Run => {
                if let Some(mount) = mount::refusal(step) {
                    return Err(BuildFailure::Mount(mount));
                }
            }
            Keyword::From | Keyword::Maintainer | Keyword::Unknown => {}
        }
        Ok(())
    }

    /// Sets a variable where it stands, or behind the others.
    fn set(&mut self, name: &str, value: String) {
        if let Some(&place) = self.places.get(name) {
            self.config.environment[place].1 = value;
        } else {
            self.places.insert(name.to_owned(), self.config.environment.len());
            self.config.environment.push((name.to_owned(), value));
        }
    }

    /// The words of a `CMD` or `ENTRYPOINT`, behind the shell unless it is in JSON form.
    fn command_line(&self, step: Step<'_>) -> Vec<String> {
        let script = match step.arguments() {
            Arguments::Json(words) => return words.iter().map(|word| text_of(word).into_owned()).collect(),
            Arguments::Text(text) => text_of(text).into_owned(),
            Arguments::Words(_) | Arguments::Assignments(_) | Arguments::None => String::new(),
        };
        let mut words = self.config.shell.clone();
        if words.is_empty() {
            let default: &[&str] = if self.windows { &["cmd", "/S", "/C"] } else { &["/bin/sh", "-c"] };
            words = default.iter().map(ToString::to_string).collect();
        }
        words.push(script);
        words
    }
}

/// The words of a step that has several.
fn words(step: Step<'_>) -> &[Arg<'_>] {
    match step.arguments() {
        Arguments::Json(words) | Arguments::Words(words) => words,
        Arguments::Text(word) => std::slice::from_ref(word),
        Arguments::Assignments(_) | Arguments::None => &[],
    }
}

/// The only word of a step, expanded.
fn single(step: Step<'_>) -> Result<String, BuildFailure> {
    let Some(word) = words(step).first() else { return Ok(String::new()) };
    step.expand_arg(word).map(|value| value.text.into_owned()).map_err(BuildFailure::Expand)
}

/// Whether all words of an `ENV` or `ARG` can be expanded.
fn check_words(step: Step<'_>) -> Result<(), BuildFailure> {
    if !step.assigned().iter().any(|variable| variable.value.as_ref().is_some_and(|value| !value.is_known())) {
        return Ok(());
    }
    let Arguments::Assignments(assignments) = step.arguments() else { return Ok(()) };
    for assignment in assignments {
        for word in std::iter::once(&assignment.name).chain(&assignment.value) {
            step.expand_arg(word).map_err(BuildFailure::Expand)?;
        }
    }
    Ok(())
}

/// The ports that an `EXPOSE` names.
fn exposed(step: Step<'_>) -> Result<Vec<Ports>, BuildFailure> {
    let mut ports = Vec::new();
    for word in words(step) {
        let text = text_of(word);
        let values: Vec<Value<'_>> = step.expand_words(&text).map_err(BuildFailure::Expand)?;
        for value in values {
            ports.push(Ports::parse(&value.text).map_err(BuildFailure::Port)?);
        }
    }
    Ok(ports)
}

/// The text that an `ONBUILD` keeps: the line behind it, then its heredocs.
fn trigger_text(step: Step<'_>) -> String {
    let source = &step.model().file.text;
    let instruction = step.instruction();
    let line = String::from_utf8_lossy(instruction.body.text(source));
    let mut text = line.trim_start().to_owned();
    for heredoc in &instruction.heredocs {
        text.push('\n');
        text.push_str(&String::from_utf8_lossy(heredoc.body.of(source)));
        text.push_str(&heredoc.name);
    }
    text
}

impl Step<'_> {
    /// The ports that an `EXPOSE` names, each with the word that names it; words that a variable hides are left out.
    pub fn exposed_ports(self) -> Vec<(Ports, Span)> {
        if self.keyword() != Keyword::Expose {
            return Vec::new();
        }
        let mut found = Vec::new();
        for word in words(self) {
            let text = text_of(word);
            let values = self.expand_words(&text).unwrap_or_default();
            let known = values.iter().filter_map(Value::known);
            found.extend(known.filter_map(|text| Ports::parse(text).ok()).map(|ports| (ports, word.span)));
        }
        found
    }

    /// What a `HEALTHCHECK` says; `None` for other instructions and for one that fails a build.
    pub fn healthcheck(self) -> Option<Healthcheck> {
        healthcheck(self)?.ok()
    }
}
