//! The options of every command that proves by building.

use crate::verify::{EngineKind, EngineSettings, Settings};
use clap::Args;
use std::time::Duration;

/// How a proof is made.
#[derive(Debug, Args)]
#[command(next_help_heading = "Proof")]
pub(super) struct ProofOptions {
    /// Give the engine WORD before its subcommand (repeatable), such as `--engine-arg=--runtime=runc`.
    #[arg(long = "engine-arg", value_name = "WORD", allow_hyphen_values = true)]
    engine_args: Vec<String>,
    /// Give builds WORD (repeatable), such as `--build-option=--network=host`.
    #[arg(long = "build-option", value_name = "WORD", allow_hyphen_values = true)]
    build_options: Vec<String>,
    /// Give starts WORD (repeatable), such as `--run-option=--env=NAME=VALUE`.
    #[arg(long = "run-option", value_name = "WORD", allow_hyphen_values = true)]
    run_options: Vec<String>,
    /// A build may take so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    timeout: u64,
    /// A container may take so many seconds until it is ready.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    ready: u64,
    /// Ask for PATH (repeatable) wherever HTTP is spoken.
    #[arg(long = "path", value_name = "PATH", default_value = "/")]
    paths: Vec<String>,
    /// Run COMMAND on this machine once for each container; `$IRONHULL_URL`, `$IRONHULL_HOST`, `$IRONHULL_PORT`,
    /// `$IRONHULL_CONTAINER` and `$IRONHULL_ENGINE` say where it is.
    #[arg(long, value_name = "COMMAND")]
    smoke: Option<String>,
}

impl ProofOptions {
    /// The settings for a proof with `kind`, or with the first engine that answers.
    pub(super) fn settings(&self, kind: Option<EngineKind>) -> Settings {
        Settings {
            engine: EngineSettings {
                kind,
                global: self.engine_args.clone(),
                build: self.build_options.clone(),
                run: self.run_options.clone(),
            },
            timeout: Duration::from_secs(self.timeout),
            ready: Duration::from_secs(self.ready),
            paths: self.paths.clone(),
            smoke: self.smoke.clone(),
            ..Settings::default()
        }
    }
}

/// Accepts the names of engines and lists them in help.
pub(super) fn engine_parser() -> impl clap::builder::TypedValueParser<Value = EngineKind> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(EngineKind::ALL.map(EngineKind::program))
        .map(|name| EngineKind::from_name(&name).expect("only names of engines are accepted"))
}
