//! Why nothing could be proved: each state with its own sentence and what to do next.

use super::engine::EngineKind;
use std::{fmt, time::Duration};

/// Which of the two Dockerfiles something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The one that holds.
    Before,
    /// The one that is to do the same.
    After,
}

impl Side {
    /// How it is called, in capitals as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Side::Before => "BEFORE",
            Side::After => "AFTER",
        }
    }

    /// The tag of its image.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Side::Before => "before",
            Side::After => "after",
        }
    }
}

/// Why the comparison did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No engine is installed, or not the one that was asked for.
    NoEngine(Option<EngineKind>),
    /// An engine is installed and does not answer.
    EngineSilent {
        /// The engine.
        engine: EngineKind,
        /// What it says.
        said: String,
    },
    /// The engine may not be used.
    EngineNotPermitted {
        /// The engine.
        engine: EngineKind,
        /// What it says.
        said: String,
    },
    /// A base image is neither here nor to be had.
    BaseImageMissing {
        /// Whose.
        side: Side,
        /// The engine.
        engine: EngineKind,
        /// Which, if the engine says so.
        image: Option<String>,
        /// What the engine says.
        said: String,
    },
    /// The build wants something from a network that is not there.
    NoNetwork {
        /// Whose.
        side: Side,
        /// What the engine says.
        said: String,
    },
    /// The original does not build, so there is nothing to compare with.
    BeforeFails {
        /// The end of what the build says.
        said: String,
    },
    /// The original builds and cannot be started.
    BeforeDoesNotStart {
        /// What the engine says.
        said: String,
    },
    /// The original runs and never becomes ready.
    BeforeNeverReady {
        /// How long it was waited for.
        waited: Duration,
        /// The end of what it says.
        said: String,
    },
    /// The user's own check fails with the original already.
    SmokeFailsBefore {
        /// The end of what it says.
        said: String,
    },
    /// There is no room.
    DiskFull {
        /// The engine.
        engine: EngineKind,
        /// What it says.
        said: String,
    },
    /// Something took longer than it may.
    TimedOut {
        /// What.
        doing: String,
        /// How long it had.
        limit: Duration,
    },
    /// Somebody ended the run.
    Interrupted,
    /// The engine refuses something that it should do.
    EngineFails {
        /// What it should do.
        doing: String,
        /// What it says.
        said: String,
    },
    /// A Dockerfile could not be laid ready for the engine.
    Workspace(String),
}

impl Failure {
    /// A short name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Failure::NoEngine(_) => "no-engine",
            Failure::EngineSilent { .. } => "engine-silent",
            Failure::EngineNotPermitted { .. } => "engine-not-permitted",
            Failure::BaseImageMissing { .. } => "base-image-missing",
            Failure::NoNetwork { .. } => "no-network",
            Failure::BeforeFails { .. } => "before-fails",
            Failure::BeforeDoesNotStart { .. } => "before-does-not-start",
            Failure::BeforeNeverReady { .. } => "before-never-ready",
            Failure::SmokeFailsBefore { .. } => "smoke-fails-before",
            Failure::DiskFull { .. } => "disk-full",
            Failure::TimedOut { .. } => "timed-out",
            Failure::Interrupted => "interrupted",
            Failure::EngineFails { .. } => "engine-fails",
            Failure::Workspace(_) => "workspace",
        }
    }

    /// What the engine or the program says about it; empty if nothing.
    pub fn said(&self) -> &str {
        match self {
            Failure::EngineSilent { said, .. }
            | Failure::EngineNotPermitted { said, .. }
            | Failure::BaseImageMissing { said, .. }
            | Failure::NoNetwork { said, .. }
            | Failure::BeforeFails { said }
            | Failure::BeforeDoesNotStart { said }
            | Failure::BeforeNeverReady { said, .. }
            | Failure::SmokeFailsBefore { said }
            | Failure::DiskFull { said, .. }
            | Failure::EngineFails { said, .. } => said,
            Failure::NoEngine(_) | Failure::TimedOut { .. } | Failure::Interrupted | Failure::Workspace(_) => "",
        }
    }

    /// What to do next: a command where one helps.
    pub fn next(&self) -> String {
        match self {
            Failure::NoEngine(None) => "install one, such as `apt-get install podman`".to_owned(),
            Failure::NoEngine(Some(engine)) => {
                format!("install `{}`, or choose another with `--engine`", engine.program())
            }
            Failure::EngineSilent { engine: EngineKind::Docker, .. } => {
                "`systemctl start docker`, or choose another with `--engine podman`".to_owned()
            }
            Failure::EngineSilent { engine, .. } => format!("`{} info` shows what is wrong", engine.program()),
            Failure::EngineNotPermitted { engine: EngineKind::Docker, .. } => {
                "`sudo usermod -aG docker \"$USER\"` and log in again, or use rootless podman: `--engine podman`"
                    .to_owned()
            }
            Failure::EngineNotPermitted { engine, .. } => {
                format!("`{} info` shows what is missing; a rootless engine needs `/etc/subuid`", engine.program())
            }
            Failure::BaseImageMissing { engine, image, .. } => {
                let image = image.as_deref().unwrap_or("IMAGE");
                format!("`{} pull {image}`, and without a registry load it from an archive", engine.program())
            }
            Failure::NoNetwork { .. } => {
                "connect, or let builds use the host's network: `--build-option=--network=host`".to_owned()
            }
            Failure::BeforeFails { .. } => "repair the original first; nothing can be proved about it".to_owned(),
            Failure::BeforeDoesNotStart { .. } => {
                "say what it needs: `--run-option=--env=NAME=VALUE`, `--run-option=--volume=…`".to_owned()
            }
            Failure::BeforeNeverReady { .. } => {
                "say what it needs with `--run-option`, where it listens with `--port`, or wait longer with `--ready`"
                    .to_owned()
            }
            Failure::SmokeFailsBefore { .. } => "repair the command given with `--smoke`".to_owned(),
            Failure::DiskFull { engine, .. } => match engine {
                EngineKind::Docker => "`docker system df` shows what takes the room, `docker system prune` frees some",
                EngineKind::Podman => "`podman system df` shows what takes the room, `podman system prune` frees some",
                EngineKind::Buildah => "`buildah images` shows what takes the room, `buildah prune` frees some",
            }
            .to_owned(),
            Failure::TimedOut { .. } => "allow more with `--timeout`".to_owned(),
            Failure::Interrupted => "run it again; nothing was left behind".to_owned(),
            Failure::EngineFails { .. } => "the engine's own words say why".to_owned(),
            Failure::Workspace(_) => "look at the directory for temporary files (`TMPDIR`)".to_owned(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoEngine(None) => f.write_str("no build engine is installed: docker, podman or buildah"),
            Failure::NoEngine(Some(engine)) => write!(f, "`{}` is not installed", engine.program()),
            Failure::EngineSilent { engine, .. } => write!(f, "{} is installed and does not answer", engine.program()),
            Failure::EngineNotPermitted { engine, .. } => write!(f, "you may not use {} here", engine.program()),
            Failure::BaseImageMissing { side, image: Some(image), .. } => {
                write!(f, "{} starts from `{image}`, which is not here and cannot be fetched", side.name())
            }
            Failure::BaseImageMissing { side, image: None, .. } => {
                write!(f, "a base image of {} is not here and cannot be fetched", side.name())
            }
            Failure::NoNetwork { side, .. } => {
                write!(f, "the build of {} needs a network, and there is none", side.name())
            }
            Failure::BeforeFails { .. } => f.write_str("BEFORE does not build, so nothing can be compared with it"),
            Failure::BeforeDoesNotStart { .. } => {
                f.write_str("BEFORE does not start, so nothing can be compared with it")
            }
            Failure::BeforeNeverReady { waited, .. } => {
                write!(f, "BEFORE runs and is not ready after {} s", waited.as_secs())
            }
            Failure::SmokeFailsBefore { .. } => f.write_str("the smoke command fails with BEFORE already"),
            Failure::DiskFull { engine, .. } => write!(f, "there is no room left for {}", engine.program()),
            Failure::TimedOut { doing, limit } => write!(f, "{doing} took longer than {} s", limit.as_secs()),
            Failure::Interrupted => f.write_str("the run was interrupted"),
            Failure::EngineFails { doing, .. } => write!(f, "{doing} fails"),
            Failure::Workspace(why) => write!(f, "a Dockerfile cannot be laid ready: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Why a build failed, as far as it is not the Dockerfile's own doing.
pub(super) fn of_build(side: Side, engine: EngineKind, said: &str) -> Option<Failure> {
    let said = &last_lines(said, LAST);
    let lower = said.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&DISK_FULL) {
        return Some(Failure::DiskFull { engine, said: line_with(said, &DISK_FULL) });
    }
    if says(&NOT_PERMITTED) {
        return Some(Failure::EngineNotPermitted { engine, said: line_with(said, &NOT_PERMITTED) });
    }
    if says(&NO_DAEMON) {
        return Some(Failure::EngineSilent { engine, said: line_with(said, &NO_DAEMON) });
    }
    if says(&NO_IMAGE) {
        let line = line_with(said, &NO_IMAGE);
        let image = image_named_in(&line).or_else(|| image_asked_for(said));
        return Some(Failure::BaseImageMissing { side, engine, image, said: line });
    }
    if says(&NO_NETWORK) {
        return Some(Failure::NoNetwork { side, said: line_with(said, &NO_NETWORK) });
    }
    None
}

/// Why an engine does not answer.
pub(super) fn of_engine(engine: EngineKind, said: &str) -> Failure {
    let lower = said.to_lowercase();
    let said = last_lines(said, 3);
    if NOT_PERMITTED.iter().any(|word| lower.contains(word)) {
        return Failure::EngineNotPermitted { engine, said };
    }
    Failure::EngineSilent { engine, said }
}

/// A reason stands at the end; what was said long before may have been a warning.
const LAST: usize = 60;

// Words that engines and package managers use, in lower case: docker 20 to 28, BuildKit, podman and buildah.
const DISK_FULL: [&str; 3] = ["no space left on device", "enospc", "disk quota exceeded"];
const NOT_PERMITTED: [&str; 5] = [
    "permission denied while trying to connect",
    "docker.sock: connect: permission denied",
    "podman.sock: connect: permission denied",
    "cannot set up namespace using",
    "newuidmap",
];
const NO_DAEMON: [&str; 2] = ["cannot connect to the docker daemon", "is the docker daemon running"];
const NO_IMAGE: [&str; 16] = [
    "/v2/\": dial tcp",
    "failed to do request: head \"https://",
    "pull access denied",
    "failed to resolve source metadata",
    "manifest unknown",
    "manifest for ",
    "repository does not exist",
    "initializing source docker://",
    "error pulling image",
    "unable to find a name and tag match",
    "unable to copy from source docker://",
    "no such image",
    "image not known",
    "short-name",
    "policy is never",
    "error getting default registries to try",
];
const NO_NETWORK: [&str; 12] = [
    "temporary failure resolving",
    "temporary failure in name resolution",
    "could not resolve host",
    "could not resolve proxy",
    "unable to resolve host",
    "name does not resolve",
    "no such host",
    "network is unreachable",
    "getaddrinfo eai_again",
    "enotfound",
    "bad address '",
    "dial tcp: lookup ",
];

/// The first line that has one of `words`.
fn line_with(said: &str, words: &[&str]) -> String {
    let has = |line: &&str| words.iter().any(|word| line.to_lowercase().contains(word));
    said.lines().find(has).unwrap_or_default().trim().to_owned()
}

/// The image that a complaint names: behind `docker://`, or the first word that looks like one.
fn image_named_in(line: &str) -> Option<String> {
    let names = line.split_whitespace().filter_map(|word| {
        let word = word.split_once("docker://").map_or(word, |(_, name)| name);
        let name = word.trim_matches(['"', '\'', '`', ',', ';', '(', ')', ':', '.']);
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte));
        let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
        let has_tag =
            name.contains('/') || name.contains(':') && !name.starts_with(|first: char| first.is_ascii_digit());
        (is_plain && starts_well && has_tag && !name.contains("//")).then_some(name)
    });
    names.map(str::to_owned).next()
}

/// The image that the build took up last.
fn image_asked_for(said: &str) -> Option<String> {
    let behind = |line: &str| {
        ["load metadata for ", ": FROM "].iter().find_map(|lead| Some(line.split_once(lead)?.1.to_owned()))
    };
    let rest = said.lines().rev().find_map(behind)?;
    rest.split_whitespace().next().map(|name| name.trim_end_matches(':').to_owned())
}

/// The last `count` lines that say something.
pub(super) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &str) -> Failure {
        of_build(Side::After, EngineKind::Podman, said).unwrap_or(Failure::Interrupted)
    }

    #[test]
    fn a_missing_image_is_named_whatever_the_engine_calls_it() {
        for said in [
            "Error: creating build container: gcr.io/x/nope:1: image not known",
            "Error: error creating build container: initializing source docker://gcr.io/x/nope:1: pinging registry",
            "Error response from daemon: pull access denied for gcr.io/x/nope:1, repository does not exist",
            "ERROR: failed to solve: gcr.io/x/nope:1: failed to resolve source metadata for gcr.io/x/nope:1: not found",
        ] {
            let Failure::BaseImageMissing { image, .. } = of(said) else { panic!("{said}") };
            assert_eq!(image.as_deref(), Some("gcr.io/x/nope:1"), "{said}");
        }
    }

    #[test]
    fn an_image_is_named_by_the_step_where_the_complaint_does_not() {
        let said = "Step 1/2 : FROM example.org/nope:1\nGet \"https://example.org/v2/\": dial tcp: lookup example.org";
        let Failure::BaseImageMissing { image, .. } = of(said) else { panic!() };
        assert_eq!(image.as_deref(), Some("example.org/nope:1"));
        let said = "RUN go mod download: Get \"https://proxy.example.org/x\": dial tcp: lookup proxy.example.org";
        assert!(matches!(of(said), Failure::NoNetwork { .. }));
    }

    #[test]
    fn the_dockerfiles_own_mistakes_are_not_the_machines() {
        for said in ["/bin/sh: 1: make: not found", "COPY failed: no source files", "npm ERR! missing script: build"] {
            assert_eq!(of_build(Side::Before, EngineKind::Docker, said), None, "{said}");
        }
    }

    #[test]
    fn a_full_disk_comes_before_what_it_leads_to() {
        let said = "Temporary failure resolving 'deb'\nwrite /x: no space left on device\n";
        assert!(matches!(of(said), Failure::DiskFull { .. }));
    }
}
