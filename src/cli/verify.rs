//! `ironhull verify`: two Dockerfiles, built, started and compared.

use crate::{
    cli::{
        Outcome, Terminal,
        progress::Steps,
        proof::{ProofOptions, engine_parser},
    },
    disk, emit,
    verify::{self, EngineKind, Promise, Recipe, Subject},
};
use clap::{Args, ValueEnum};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// What `verify` is told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ironhull verify Dockerfile Dockerfile.hardened
  ironhull verify old/Dockerfile new/Dockerfile --path /health --path /login
  ironhull verify Dockerfile Dockerfile.hardened --port 80:8080 --allow env:DEBUG
  ironhull verify Dockerfile Dockerfile.hardened --smoke 'curl -fsS $IRONHULL_URL/health'

Both are started without a network where that can be entered from outside (Linux, as root, engine on this machine);
elsewhere their ports are published on the loopback of this machine, and the answer says so.

Exit: 0 AFTER does what BEFORE did, 1 it does not, or does not build or start, 2 nothing could be proved.")]
pub(super) struct Options {
    /// The Dockerfile that holds.
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The Dockerfile that is to do the same.
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Build both in DIR, instead of each in its own directory.
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// Build up to this stage, instead of the last one.
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Set a build argument (repeatable).
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_args: Vec<String>,
    /// The engine; the first one that answers if none is named.
    #[arg(long, value_name = "ENGINE", value_parser = engine_parser())]
    engine: Option<EngineKind>,
    /// BEFORE listens on this port without saying so; with `:AFTER` the port moves (repeatable).
    #[arg(long = "port", value_name = "BEFORE[:AFTER]")]
    ports: Vec<Port>,
    /// Allow WHAT to change (repeatable): a subject such as `workdir`, or `env:NAME` that goes.
    #[arg(long, value_name = "WHAT")]
    allow: Vec<Allowance>,
    /// Allow the variable NAME to go (repeatable).
    #[arg(long, value_name = "NAME")]
    allow_removed_env: Vec<String>,
    /// Also fail where something is noted, could not be compared, or needs more than a locked-in container has.
    #[arg(long)]
    strict: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    proof: ProofOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Terminal,
    /// For programs.
    Json,
}

/// A port before, and where it went.
#[derive(Clone, Copy, Debug)]
struct Port {
    before: u16,
    after: u16,
}

impl std::str::FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (before, after) = text.split_once(':').unwrap_or((text, text));
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no port"));
        Ok(Self { before: number(before)?, after: number(after)? })
    }
}

/// What may change.
#[derive(Clone, Debug)]
enum Allowance {
    Subject(Subject),
    RemovedEnv(String),
}

impl std::str::FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("env:") {
            return Ok(Allowance::RemovedEnv(name.to_owned()));
        }
        let names = || Subject::ALL.map(Subject::name).join("`, `");
        let subject = Subject::from_name(text);
        subject.map(Allowance::Subject).ok_or_else(|| format!("it is one of `{}`, or `env:NAME`", names()))
    }
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let before = Given::read(&options.before, options.context.as_deref())?;
    let after = Given::read(&options.after, options.context.as_deref())?;
    let mut settings = options.proof.settings(options.engine);
    settings.ports = options.ports.iter().map(|port| port.before).collect();
    let steps = Steps::new();
    let verdict =
        verify::verify(&before.recipe(options), &after.recipe(options), &promise(options), &settings, &|step| {
            steps.show(step);
        });
    drop(steps);
    let verdict = match verdict {
        Ok(verdict) => verdict,
        Err(failure) => {
            if options.format == Format::Json {
                Terminal::print_plain(|out| out.write_all(emit::failure_json(&failure).as_bytes()))?;
            }
            anyhow::bail!(emit::failure_page(&failure));
        }
    };
    match options.format {
        Format::Terminal => terminal.print(|out| emit::verdict_page(&verdict, options.strict, out))?,
        Format::Json => {
            Terminal::print_plain(|out| out.write_all(emit::verdict_json(&verdict, options.strict).as_bytes()))?;
        }
    }
    let holds = if options.strict { verdict.holds_strictly() } else { verdict.holds() };
    Ok(if holds { Outcome::Clean } else { Outcome::Failing })
}

fn promise(options: &Options) -> Promise {
    let mut promise = Promise {
        removed_env: options.allow_removed_env.iter().cloned().collect(),
        moved_ports: options.ports.iter().map(|port| (port.before, port.after)).collect(),
        may_change: BTreeSet::new(),
    };
    for allowance in &options.allow {
        match allowance {
            Allowance::Subject(subject) => promise.may_change.insert(*subject),
            Allowance::RemovedEnv(name) => promise.removed_env.insert(name.clone()),
        };
    }
    promise
}

/// A Dockerfile that was read.
struct Given {
    text: Vec<u8>,
    ignore: Option<Vec<u8>>,
    context: PathBuf,
}

impl Given {
    fn read(path: &Path, context: Option<&Path>) -> anyhow::Result<Self> {
        let text = disk::read(path).map_err(|why| anyhow::anyhow!("reading {}: {why}", path.display()))?;
        let ignore = disk::read(&verify::beside(path)).ok();
        let own = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self { text, ignore, context: context.unwrap_or(own).to_owned() })
    }

    fn recipe<'r>(&'r self, options: &'r Options) -> Recipe<'r> {
        Recipe {
            text: &self.text,
            ignore: self.ignore.as_deref(),
            context: &self.context,
            target: options.target.as_deref(),
            build_args: &options.build_args,
        }
    }
}
