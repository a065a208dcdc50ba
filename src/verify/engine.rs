//! The command lines of docker, podman and buildah, as far as they agree.
//!
//! Knows words and order, starts nothing by itself except through `process`, and knows no machine: what one needs is
//! given by options.

#![allow(clippy::disallowed_methods, reason = "the engine is a program that `verify` starts")]

use super::{
    archive::{self, Contents},
    failure::{self, Failure, Side, last_lines},
    image::{self, Image},
    interrupt::Interrupt,
    process::{self, Ended, Unfinished},
};
use serde_json::Value;
use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

/// A program that builds and runs images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineKind {
    /// Docker, with buildx where it is installed.
    Docker,
    /// Podman.
    Podman,
    /// Buildah, which builds; what it built is started by podman, which shares its images.
    Buildah,
}

impl EngineKind {
    /// In the order in which they are tried.
    pub const ALL: [EngineKind; 3] = [EngineKind::Docker, EngineKind::Podman, EngineKind::Buildah];

    /// The name of its program.
    pub fn program(self) -> &'static str {
        match self {
            EngineKind::Docker => "docker",
            EngineKind::Podman => "podman",
            EngineKind::Buildah => "buildah",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.program() == name)
    }

    /// The program that starts what this one builds.
    fn runner(self) -> EngineKind {
        match self {
            EngineKind::Docker => EngineKind::Docker,
            EngineKind::Podman | EngineKind::Buildah => EngineKind::Podman,
        }
    }
}

/// Which engine, and the words that this machine needs on its command lines.
#[derive(Clone, Debug, Default)]
pub struct EngineSettings {
    /// The engine; the first that answers if none is chosen.
    pub kind: Option<EngineKind>,
    /// Words before the subcommand, always.
    pub global: Vec<String>,
    /// Words for builds.
    pub build: Vec<String>,
    /// Words for starts.
    pub run: Vec<String>,
}

/// A short command of an engine has so long.
const SHORT: Duration = Duration::from_mins(2);

/// What removes things has so long, even when the run was interrupted.
const CLEANING: Duration = Duration::from_mins(1);

/// An engine that answers.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) kind: EngineKind,
    settings: EngineSettings,
    docker: DockerBuild,
    can_start: bool,
    interrupt: Interrupt,
}

/// How docker builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DockerBuild {
    /// By the plugin.
    Buildx,
    /// By BuildKit, which clients before 23 have to be asked for.
    BuildKit,
    /// By the old builder, which later clients without the plugin still have. It leaves layers without a name behind.
    Old,
}

/// What a build is told.
pub(super) struct BuildOrder<'b> {
    pub(super) side: Side,
    pub(super) dockerfile: &'b Path,
    pub(super) context: &'b Path,
    pub(super) target: Option<&'b str>,
    pub(super) arguments: &'b [String],
    pub(super) name: &'b str,
    pub(super) limit: Duration,
}

/// How a container is started.
pub(super) struct StartOrder<'s> {
    pub(super) image: &'s str,
    pub(super) name: &'s str,
    pub(super) published: &'s [u16],
    pub(super) is_confined: bool,
    pub(super) has_health_check: bool,
}

/// What a container is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) is_running: bool,
    pub(super) exit_code: i32,
    pub(super) process: Option<u32>,
    pub(super) health: Option<Health>,
}

/// What a health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    Healthy,
    Unhealthy,
    Unknown,
}

impl Engine {
    /// The chosen engine, or the first one that answers.
    pub(super) fn find(settings: &EngineSettings) -> Result<Self, Failure> {
        let interrupt = Interrupt::listen();
        let mut engine = Self {
            kind: EngineKind::Docker,
            settings: settings.clone(),
            docker: DockerBuild::Old,
            can_start: true,
            interrupt,
        };
        let mut reason = Failure::NoEngine(settings.kind);
        for kind in EngineKind::ALL {
            if settings.kind.is_some_and(|chosen| chosen != kind) {
                continue;
            }
            engine.kind = kind;
            match engine.greet() {
                Ok(()) => return Ok(engine),
                Err(Failure::NoEngine(_)) => {}
                Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                // The first one that is installed is the one that people expect to be used.
                Err(why) if matches!(reason, Failure::NoEngine(_)) => reason = why,
                Err(_) => {}
            }
        }
        Err(reason)
    }

    /// Whether it can start what it builds.
    pub(super) fn can_start(&self) -> bool {
        self.can_start
    }

    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Asks whether it is there and answers.
    fn greet(&mut self) -> Result<(), Failure> {
        let question: &[&str] = match self.kind {
            EngineKind::Docker => &["version", "--format", "{{.Server.Version}}"],
            EngineKind::Podman | EngineKind::Buildah => &["info"],
        };
        let answer = match self.run(self.kind, question, SHORT) {
            Ok(answer) => answer,
            Err(Unfinished::NotStarted(_)) => return Err(Failure::NoEngine(self.settings.kind)),
            Err(Unfinished::Interrupted) => return Err(Failure::Interrupted),
            Err(Unfinished::TimedOut) => {
                let said = format!("`{} {}` does not end", self.kind.program(), question.join(" "));
                return Err(Failure::EngineSilent { engine: self.kind, said });
            }
        };
        if !answer.is_success() {
            return Err(failure::of_engine(self.kind, &answer.complaint()));
        }
        match self.kind {
            EngineKind::Docker => self.docker = self.docker_build(),
            EngineKind::Podman => {}
            EngineKind::Buildah => self.can_start = self.answer(EngineKind::Podman, &["--version"]).is_some(),
        }
        Ok(())
    }

    fn docker_build(&self) -> DockerBuild {
        if self.answer(EngineKind::Docker, &["buildx", "version"]).is_some() {
            return DockerBuild::Buildx;
        }
        let version = self.answer(EngineKind::Docker, &["version", "--format", "{{.Client.Version}}"]);
        let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        if major.is_some_and(|major| (18..23).contains(&major)) { DockerBuild::BuildKit } else { DockerBuild::Old }
    }

    /// What an engine answers, if it answers.
    fn answer(&self, kind: EngineKind, words: &[&str]) -> Option<String> {
        self.run(kind, words, SHORT).ok().filter(Ended::is_success).map(|ended| ended.text())
    }

    /// Builds an image. The outer failure is the machine's, the inner one the Dockerfile's: the end of what it says.
    pub(super) fn build(&self, order: &BuildOrder<'_>) -> Result<Result<(), String>, Failure> {
        let mut words: Vec<&str> = match self.kind {
            EngineKind::Docker => match self.docker {
                DockerBuild::Buildx => vec!["buildx", "build", "--load", "--progress", "plain"],
                DockerBuild::BuildKit => vec!["build", "--progress", "plain"],
                DockerBuild::Old => vec!["build", "--force-rm"],
            },
            // Without `--format docker` they drop HEALTHCHECK and SHELL; layers that are kept are left behind.
            EngineKind::Podman => vec!["build", "--force-rm", "--layers=false", "--format", "docker"],
            EngineKind::Buildah => vec!["bud", "--force-rm", "--layers=false", "--format", "docker"],
        };
        let (dockerfile, context) = (order.dockerfile.to_string_lossy(), order.context.to_string_lossy());
        words.extend(["--file", &*dockerfile, "--tag", order.name]);
        if let Some(target) = order.target {
            words.extend(["--target", target]);
        }
        for argument in order.arguments {
            words.extend(["--build-arg", argument]);
        }
        words.extend(self.settings.build.iter().map(String::as_str));
        words.push(&context);
        let doing = format!("building {}", order.side.name());
        let mut command = self.command(self.kind, &words);
        if self.docker == DockerBuild::BuildKit {
            command.env("DOCKER_BUILDKIT", "1");
        }
        let ended = process::run(command, order.limit, Some(&self.interrupt));
        let ended = self.finished(ended, &doing, order.limit)?;
        if ended.is_success() {
            return Ok(Ok(()));
        }
        let said = format!("{}\n{}", ended.text(), ended.complaint());
        match failure::of_build(order.side, self.kind, &said) {
            Some(why) => Err(why),
            None => Ok(Err(last_lines(&said, 12))),
        }
    }

    /// The configuration of an image.
    pub(super) fn image(&self, name: &str) -> Result<Image, Failure> {
        let inspector = if self.can_start { self.runner() } else { self.kind };
        let words = match inspector {
            EngineKind::Docker | EngineKind::Podman => ["image", "inspect", name].to_vec(),
            EngineKind::Buildah => ["inspect", "--type", "image", name].to_vec(),
        };
        let ended = self.successful(inspector, &words, "reading the image's configuration")?;
        image::parse(&ended.out).ok_or_else(|| Failure::EngineFails {
            doing: "reading the image's configuration".to_owned(),
            said: "it is not the JSON that is expected".to_owned(),
        })
    }

    /// Makes a container and does not start it; the inner failure is what the engine says.
    pub(super) fn create(&self, order: &StartOrder<'_>) -> Result<Result<(), String>, Failure> {
        let ports: Vec<String> = order.published.iter().map(|port| format!("127.0.0.1::{port}/tcp")).collect();
        let mut words = vec!["create", "--name", order.name];
        if ports.is_empty() {
            words.extend(["--network", "none"]);
        }
        for port in &ports {
            words.extend(["--publish", port]);
        }
        if order.has_health_check && self.kind == EngineKind::Docker {
            words.extend(["--health-interval", "1s"]);
        }
        if order.is_confined {
            words.extend(["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]);
            words.extend(["--security-opt", "no-new-privileges"]);
        }
        words.extend(self.settings.run.iter().map(String::as_str));
        words.push(order.image);
        self.attempt(&words, "making a container")
    }

    /// Starts a container; the inner failure is what the engine says.
    pub(super) fn start(&self, name: &str) -> Result<Result<(), String>, Failure> {
        self.attempt(&["start", name], "starting a container")
    }

    /// What a container is doing.
    pub(super) fn state(&self, name: &str) -> Result<State, Failure> {
        let words = ["container", "inspect", "--format", "{{json .State}}", name];
        let ended = self.successful(self.runner(), &words, "looking at a container")?;
        let json: Value = serde_json::from_slice(&ended.out).unwrap_or_default();
        let number = |field: &str| json[field].as_i64().unwrap_or_default();
        let health = match json["Health"]["Status"].as_str() {
            Some("healthy") => Some(Health::Healthy),
            Some("unhealthy") => Some(Health::Unhealthy),
            Some("starting") => Some(Health::Unknown),
            Some(_) | None => None,
        };
        Ok(State {
            is_running: json["Running"].as_bool().unwrap_or_default(),
            exit_code: i32::try_from(number("ExitCode")).unwrap_or(-1),
            process: u32::try_from(number("Pid")).ok().filter(|process| *process > 0),
            health,
        })
    }

    /// The host name that a container has for itself.
    pub(super) fn host_name(&self, name: &str) -> Result<String, Failure> {
        let words = ["container", "inspect", "--format", "{{.Config.Hostname}}", name];
        Ok(self.successful(self.runner(), &words, "looking at a container")?.text())
    }

    /// What the health check says now. Podman runs it when it is asked, docker by itself.
    pub(super) fn health(&self, name: &str, state: &State) -> Result<Health, Failure> {
        if self.runner() == EngineKind::Docker {
            return Ok(state.health.unwrap_or(Health::Unknown));
        }
        let ended = self.short(EngineKind::Podman, &["healthcheck", "run", name], "running the health check")?;
        Ok(match ended.code {
            Some(0) => Health::Healthy,
            Some(1) => Health::Unhealthy,
            Some(_) | None => Health::Unknown,
        })
    }

    /// Where a published port of a container is to be found.
    pub(super) fn published(&self, name: &str, port: u16) -> Result<Option<SocketAddr>, Failure> {
        let ended = self.short(self.runner(), &["port", name, &format!("{port}/tcp")], "asking for a port")?;
        Ok(ended.text().lines().find_map(|line| line.trim().parse().ok()))
    }

    /// What a container has said: standard output and standard error.
    pub(super) fn logs(&self, name: &str) -> Result<(String, String), Failure> {
        let ended = self.short(self.runner(), &["logs", name], "reading what a container says")?;
        Ok((ended.text(), ended.complaint()))
    }

    /// Paths that a container has made or changed.
    pub(super) fn changed(&self, name: &str) -> Result<Vec<String>, Failure> {
        let ended = self.short(self.runner(), &["diff", name], "asking what a container wrote")?;
        let path = |line: &str| line.split_once(' ').map(|(_, path)| path.trim().to_owned());
        Ok(ended.text().lines().filter_map(path).collect())
    }

    /// Counts what lies in a container's file system; none if the engine does not say.
    pub(super) fn contents(&self, name: &str, limit: Duration) -> Result<Option<Contents>, Failure> {
        let command = self.command(self.runner(), &["export", name]);
        let ended = process::run_reading(command, limit, Some(&self.interrupt), archive::contents);
        Ok(self.finished(ended, "reading the image's files", limit)?.out)
    }

    /// Asks a container to end, and ends it after `grace`.
    pub(super) fn stop(&self, name: &str, grace: Duration) -> Result<(), Failure> {
        let grace = grace.as_secs().to_string();
        self.short(self.runner(), &["stop", "-t", &grace, name], "stopping a container").map(drop)
    }

    /// Removes a container with its volumes, running or not. Goes on when the run was interrupted.
    pub(super) fn remove_container(&self, name: &str) {
        let words: &[&str] = match self.runner() {
            EngineKind::Docker => &["rm", "--force", "--volumes", name],
            EngineKind::Podman | EngineKind::Buildah => &["rm", "--force", "--volumes", "-t", "0", name],
        };
        // What cannot be removed is not there, or nothing can be done about it.
        let _ = process::run(self.command(self.runner(), words), CLEANING, None);
    }

    /// Removes an image of this run. Goes on when the run was interrupted.
    pub(super) fn remove_image(&self, name: &str) {
        let words: &[&str] = match self.kind {
            EngineKind::Docker | EngineKind::Podman => &["image", "rm", "--force", name],
            EngineKind::Buildah => &["rmi", "--force", name],
        };
        let _ = process::run(self.command(self.kind, words), CLEANING, None);
    }

    /// The program that starts containers.
    pub(super) fn runner(&self) -> EngineKind {
        self.kind.runner()
    }

    fn command(&self, kind: EngineKind, words: &[&str]) -> Command {
        let mut command = Command::new(kind.program());
        // Complaints are told apart by their words.
        command.env("LC_ALL", "C").args(&self.settings.global).args(words);
        command
    }

    fn run(&self, kind: EngineKind, words: &[&str], limit: Duration) -> Result<Ended, Unfinished> {
        process::run(self.command(kind, words), limit, Some(&self.interrupt))
    }

    fn short(&self, kind: EngineKind, words: &[&str], doing: &str) -> Result<Ended, Failure> {
        self.finished(self.run(kind, words, SHORT), doing, SHORT)
    }

    fn successful(&self, kind: EngineKind, words: &[&str], doing: &str) -> Result<Ended, Failure> {
        let ended = self.short(kind, words, doing)?;
        if ended.is_success() {
            return Ok(ended);
        }
        let said = ended.complaint();
        Err(Failure::EngineFails { doing: doing.to_owned(), said: last_lines(&said, 3) })
    }

    /// What may fail because of the image.
    fn attempt(&self, words: &[&str], doing: &str) -> Result<Result<(), String>, Failure> {
        let ended = self.short(self.runner(), words, doing)?;
        if ended.is_success() {
            return Ok(Ok(()));
        }
        let said = ended.complaint();
        match failure::of_build(Side::After, self.runner(), &said) {
            Some(
                why @ (Failure::DiskFull { .. } | Failure::EngineNotPermitted { .. } | Failure::EngineSilent { .. }),
            ) => Err(why),
            Some(_) | None => Ok(Err(last_lines(&said, 3))),
        }
    }

    fn finished<T>(
        &self,
        ended: Result<Ended<T>, Unfinished>,
        doing: &str,
        limit: Duration,
    ) -> Result<Ended<T>, Failure> {
        ended.map_err(|why| match why {
            Unfinished::NotStarted(error) => {
                Failure::EngineFails { doing: doing.to_owned(), said: format!("{}: {error}", self.kind.program()) }
            }
            Unfinished::TimedOut => Failure::TimedOut { doing: doing.to_owned(), limit },
            Unfinished::Interrupted => Failure::Interrupted,
        })
    }
}
