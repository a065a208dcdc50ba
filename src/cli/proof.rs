//! The options of every command that proves by building.

use crate::{
    cli::progress::Steps,
    disk,
    emit::{self, HardenedFile},
    harden::{Declined, Hardened, Rung},
    verify::{self, EngineKind, EngineSettings, Promise, Recipe, Settings, Standing, Subject, Trial, Verdict},
};
use clap::Args;
use std::{path::Path, time::Duration};

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
    pages: Vec<String>,
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
            paths: self.pages.clone(),
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

/// Takes a rewritten file down the ladder until its image does what it did; where no rung is proved, it stays as it was.
/// `harden_to` rewrites it again, no higher than a rung.
pub(super) fn prove(
    mut file: HardenedFile,
    path: &Path,
    settings: &Settings,
    harden_to: &dyn Fn(Rung) -> Result<Hardened, String>,
) -> anyhow::Result<HardenedFile> {
    if file.change().is_none() {
        return Ok(file);
    }
    let steps = Steps::new();
    let say = |step: &str| steps.show(&format!("{}: {step}", file.path));
    let ignore = disk::read(&verify::beside(path)).ok();
    let context = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let ignore = ignore.as_deref();
    let refuse = |failure| anyhow::anyhow!("{}: {}", path.display(), emit::failure_page(&failure));
    let before = file.before.clone();
    let trial = Trial::begin(&recipe(&before, ignore, context), settings, &say).map_err(refuse)?;
    let mut result = file.result.clone();
    let mut failed = Vec::new();
    loop {
        let verdict = trial.prove(&recipe(&result.text, ignore, context), &promise(&result)).map_err(refuse)?;
        if verdict.holds() {
            result.declined.extend(failed);
            file.result = result;
            file.proof = Some(verdict);
            return Ok(file);
        }
        let rung = result.after;
        failed.push(Declined { rung, reason: why_not(&verdict).into() });
        let lower = Rung::ALL.into_iter().rev().find(|lower| *lower < rung && *lower > Rung::Root);
        let next = lower.map(harden_to).transpose().map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
        match next {
            Some(next) if next.text != before && next.after < rung => result = next,
            Some(_) | None => break,
        }
    }
    let Hardened { before: rung, declined, .. } = result;
    failed.extend(declined);
    file.result.text.clone_from(&before);
    file.result.after = rung;
    // Nothing is done, and nothing follows from it.
    file.result.changes.clear();
    file.result.manual.clear();
    file.result.beside.clear();
    file.result.declined = failed;
    Ok(file)
}

fn recipe<'r>(text: &'r [u8], ignore: Option<&'r [u8]>, context: &'r Path) -> Recipe<'r> {
    Recipe { text, ignore, context, target: None, build_args: &[] }
}

/// Variables that the rewrite says it took away.
fn promise(result: &Hardened) -> Promise {
    let changes = result.changes.iter().flat_map(|change| [change.title.as_ref(), change.reason.as_ref()]);
    let texts = changes.chain(result.manual.iter().map(String::as_str));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = texts.flat_map(|text| text.split(move |c| !is_name(c)));
    Promise { removed_env: words.filter(|word| !word.is_empty()).map(str::to_owned).collect(), ..Promise::default() }
}

/// What a build or a start showed, in one sentence.
fn why_not(verdict: &Verdict) -> String {
    let broken: Vec<String> = verdict
        .with(Standing::Broken)
        .map(|it| {
            let last = it.why.lines().last().unwrap_or_default();
            format!("{}: {} became `{}` ({last})", it.subject.name(), it.before, it.after)
        })
        .collect();
    let reason = format!("building with {} shows that it does something else: {}", verdict.engine, broken.join("; "));
    if verdict.with(Standing::Broken).any(|it| it.subject == Subject::Build && it.why.contains("secret")) {
        return format!(
            "{reason}; builds are given a secret with `--build-option=--secret=id=ID,env=NAME`, and the argument that it \
             was with `--build-option=--build-arg=NAME`"
        );
    }
    reason
}
