//! What a run leaves out: findings of a baseline, lines that did not change.

use crate::{
    baseline::{Baseline, ChangedLines, Scope},
    cli::settings::common_directory,
    discover::{self, Named},
    disk,
    policy::{Place, Policy},
};
use anyhow::Context;
use clap::Args;
use std::path::{Path, PathBuf};

/// The options that say what is new.
#[derive(Debug, Args)]
pub(crate) struct Newness {
    /// Leave out the findings in FILE, which `check --write-baseline` wrote.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Leave out findings on lines that did not change since the current branch left the git revision REV.
    #[arg(long, value_name = "REV")]
    since: Option<String>,
}

impl Newness {
    /// The scope of a run over `paths`.
    pub(crate) fn scope(&self, policy: &Policy, paths: &[Named]) -> anyhow::Result<Scope> {
        let mut scope = Scope::default();
        let of_policy = || policy.baseline().map(PathBuf::from);
        if let Some(path) = self.baseline.clone().or_else(of_policy) {
            let text = disk::read(&path).map_err(|why| anyhow::anyhow!("reading {}: {why}", path.display()))?;
            let text = String::from_utf8(text).with_context(|| format!("reading {}", path.display()))?;
            let baseline =
                Baseline::parse(&text).map_err(|why| anyhow::anyhow!("reading {}: {why}", path.display()))?;
            scope.baseline = Some((baseline, place_beside(&path)?));
        }
        if let Some(revision) = &self.since {
            let working = working_directory()?;
            let changes = disk::changes_since(&common_directory(paths, &working), revision)
                .map_err(|why| anyhow::anyhow!("finding what changed since {}: {why}", revision.escape_debug()))?;
            let place = place_in(&working, &changes.root);
            scope.changes = Some((ChangedLines::read(&changes.patch, &changes.new_files), place));
        }
        Ok(scope)
    }
}

/// Where paths start that are written in the file at `path`: in its directory.
pub(crate) fn place_beside(path: &Path) -> anyhow::Result<Place> {
    let working = working_directory()?;
    let whole = working.join(path);
    Ok(place_in(&working, &disk::real(whole.parent().unwrap_or(&working))))
}

fn place_in(working: &Path, root: &Path) -> Place {
    Place { working: discover::display_name(working), root: discover::display_name(root) }
}

fn working_directory() -> anyhow::Result<PathBuf> {
    disk::working_directory().context("finding the working directory")
}
