//! `ironhull init`: a configuration to start from.

use crate::{
    baseline,
    cli::{self, Outcome, Terminal, check, settings::profile_parser},
    discover::Named,
    disk,
    lock::Lock,
    policy::{Layer, Place, Policy, Profile},
    project::Project,
};
use clap::Args;
use std::path::{Path, PathBuf};

/// What `init` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The directory to write into.
    #[arg(value_name = "DIRECTORY", default_value = ".")]
    directory: PathBuf,
    /// The rules to start from.
    #[arg(long, value_name = "NAME", value_parser = profile_parser(), default_value = Profile::Recommended.name())]
    profile: Profile,
    /// Also write a baseline of what is found today, so that only what is new is reported.
    #[arg(long)]
    baseline: bool,
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let configuration = options.directory.join("ironhull.toml");
    create(&configuration, &text(options.profile, options.baseline))?;
    let configuration_name = configuration.display().to_string();
    terminal.remark(|out| writeln!(out, "Written: {}", configuration_name.escape_debug()))?;
    if options.baseline {
        let path = options.directory.join(baseline::FILE_NAME);
        let layer = Layer { profile: Some(options.profile), ..Layer::default() };
        let project = Project::new(Policy::new(layer, Place::default()), Lock::default()).on(cli::today());
        let (report, _) = check::check_paths(&project, &[Named::Argument(options.directory.clone())], None)?;
        let found = check::baseline_of(&report, &path)?;
        create(&path, &found.text())?;
        let count = found.len();
        terminal
            .remark(|out| writeln!(out, "Written: {} ({count} findings)", path.display().to_string().escape_debug()))?;
    }
    Ok(Outcome::Clean)
}

fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    disk::create(path, text.as_bytes()).map_err(|why| anyhow::anyhow!("writing {}: {why}", path.display()))
}

fn text(profile: Profile, has_baseline: bool) -> String {
    let baseline = if has_baseline {
        format!(
            "\n# Findings that were there at the start; `ironhull check --write-baseline` writes it anew.\nbaseline = \"{}\"\n",
            baseline::FILE_NAME
        )
    } else {
        String::new()
    };
    format!(
        "# What ironhull makes of this project. `ironhull rules` lists the rules, `ironhull explain RULE` says more of one.\n\
         \n\
         # The rules to start from: `recommended` (few and certain), `strict` (what a hardened image is held to), `all`, or a standard.\n\
         profile = \"{profile}\"\n\
         \n\
         # The lowest level that makes a run fail: `note`, `warn`, `error`; `off` never does.\n\
         fail-at = \"warn\"\n\
         {baseline}\n\
         # What a walk leaves out, in the language of `.gitignore`.\n\
         exclude = []\n\
         \n\
         # What is done about findings of a rule: `off`, `note`, `warn`, `error`.\n\
         [rules]\n\
         # unpinned-base = \"warn\"\n\
         \n\
         # The same, below some paths only.\n\
         # [[override]]\n\
         # paths = [\"examples/\"]\n\
         # rules = {{ root-user = \"note\" }}\n"
    )
}
