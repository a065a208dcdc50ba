//! `ironhull fix`: repairs.

use crate::{
    cli::{
        self, Outcome, Terminal,
        change_sets::{self, ChangeSet, Fixed},
        check,
        inputs::{self, Given, Inputs},
        progress::Progress,
        scope::Newness,
        settings::Settings,
    },
    context::{self, Files, NoFiles, Watched},
    discover::{Candidate, Named, Obstacle, Request},
    disk::{self, Surroundings},
    emit,
    fix::Beside,
    project::{Project, Repaired},
    report::{Change, Judged, Repairs, Unread},
    rule::{Level, Safety},
    source::{FileKind, SourceFile, SourceSet},
    text::FileId,
};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use std::{collections::BTreeSet, path::PathBuf};

/// What `fix` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    newness: Newness,
    /// Also do what a hardener would do although a build or a start may break; read the patch, build and start.
    #[arg(long)]
    risky: bool,
    /// Print a patch that `git apply` takes, and write nothing.
    #[arg(long)]
    diff: bool,
    /// How to say what was done.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Terminal,
    /// For programs; `version` says which shape.
    Json,
}

impl Options {
    fn allowed(&self) -> Safety {
        if self.risky { Safety::Risky } else { Safety::Safe }
    }
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let given = options.inputs.given(".")?;
    let named = given.named();
    let Some(policy) = options.settings.policy(&named, terminal)? else { return Ok(Outcome::Refused) };
    let project = Project::new(policy, options.settings.lock(&named)?).on(cli::today());
    let scope = options.newness.scope(project.policy(), &named)?;
    let project = project.within(scope);
    match given {
        Given::Text { ref name, ref text } => run_text(options, &project, name, text, terminal),
        Given::Paths(ref paths) => run_paths(options, &project, paths, terminal),
    }
}

/// What `fix` would change where nothing breaks; what cannot be read or judged is left to `check` to tell.
pub(super) fn safe_changes(project: &Project, given: &Given, inputs: &Inputs) -> anyhow::Result<Vec<Change>> {
    let sets = match given {
        Given::Text { name, text } => {
            let file = SourceFile::new(FileId(0), name, inputs.kind_of_text(name), text.clone());
            let fixed = repair(project, file, &NoFiles, Safety::Safe).into_iter().collect();
            change_sets(project, fixed, &NoFiles, Safety::Safe)
        }
        Given::Paths(paths) => {
            let excluded = |path: &str, is_directory: bool| project.policy().excludes(path, is_directory);
            let request = Request { kind: inputs.kind, wanted: &check::CHECKED, excluded: &excluded };
            let discovered = inputs::discover(paths, &request)?;
            let surroundings = Surroundings::of(discovered.directories);
            let answers = repair_files(project, &discovered.files, &surroundings, Safety::Safe);
            let fixed = answers.into_iter().filter_map(Result::ok).collect();
            change_sets(project, fixed, &surroundings, Safety::Safe)
        }
    };
    Ok(collect(sets, Vec::new()).changes)
}

/// A text on standard input comes out repaired on standard output, unless something else is asked for.
fn run_text(
    options: &Options,
    project: &Project,
    name: &str,
    text: &[u8],
    terminal: Terminal,
) -> anyhow::Result<Outcome> {
    let kind = options.inputs.kind_of_text(name);
    let fixed =
        match repair(project, SourceFile::new(FileId(0), name, kind, text.to_vec()), &NoFiles, options.allowed()) {
            Ok(fixed) => fixed,
            Err(message) => {
                terminal.remark(|out| writeln!(out, "ironhull: {}: {message}", name.escape_debug()))?;
                Terminal::print_plain(|out| out.write_all(text))?;
                return Ok(Outcome::Failing);
            }
        };
    let after = fixed.repaired.outcome.sources.files()[0].text.clone();
    let repairs = collect(vec![ChangeSet { files: vec![fixed], beside: Vec::new() }], Vec::new());
    match (options.diff, options.format) {
        (_, Format::Json) => Terminal::print_plain(|out| emit::repairs_json(&repairs, out))?,
        (true, Format::Terminal) => {
            cli::remark_generated(&repairs.changes, terminal)?;
            Terminal::print_plain(|out| emit::patch(&repairs.changes, out))?;
        }
        (false, Format::Terminal) => {
            cli::remark_generated(&repairs.changes, terminal)?;
            Terminal::print_plain(|out| out.write_all(&after))?;
        }
    }
    Ok(outcome(options, project, &repairs))
}

fn run_paths(options: &Options, project: &Project, paths: &[Named], terminal: Terminal) -> anyhow::Result<Outcome> {
    let excluded = |path: &str, is_directory: bool| project.policy().excludes(path, is_directory);
    let request = Request { kind: options.inputs.kind, wanted: &check::CHECKED, excluded: &excluded };
    let discovered = inputs::discover(paths, &request)?;
    let surroundings = Surroundings::of(discovered.directories);
    let mut obstacles = discovered.obstacles;
    let mut fixed = Vec::new();
    for answer in repair_files(project, &discovered.files, &surroundings, options.allowed()) {
        match answer {
            Ok(file) => fixed.push(file),
            Err(obstacle) => obstacles.push(obstacle),
        }
    }
    let is_named = |obstacle: &Obstacle| obstacle.named;
    let mut is_whole = !obstacles.iter().any(is_named);
    let mut sets = change_sets(project, fixed, &surroundings, options.allowed());
    if !options.diff {
        let (written, refused) = change_sets::write(sets);
        is_whole &= refused.is_empty();
        sets = written;
        obstacles.extend(refused);
    }
    let repairs = collect(sets, obstacles);
    match (options.diff, options.format) {
        (_, Format::Json) => Terminal::print_plain(|out| emit::repairs_json(&repairs, out))?,
        (true, Format::Terminal) => {
            for error in &repairs.left.errors {
                let (path, message) = (error.path.escape_debug(), &error.message);
                terminal.remark(|out| writeln!(out, "ironhull: {path}: {message}"))?;
            }
            cli::remark_generated(&repairs.changes, terminal)?;
            Terminal::print_plain(|out| emit::patch(&repairs.changes, out))?;
        }
        (false, Format::Terminal) => terminal.print(|out| emit::repairs(&repairs, options.allowed(), out))?,
    }
    Ok(if is_whole { outcome(options, project, &repairs) } else { Outcome::Failing })
}

fn outcome(options: &Options, project: &Project, repairs: &Repairs) -> Outcome {
    let fail_at = project.policy().fail_at();
    let is_left = fail_at > Level::Off && repairs.left.highest_level() >= fail_at;
    let fails = if options.diff { !repairs.changes.is_empty() } else { is_left };
    if fails { Outcome::Failing } else { Outcome::Clean }
}

fn repair_files(
    project: &Project,
    files: &[Candidate],
    around: &dyn Files,
    allowed: Safety,
) -> Vec<Result<Fixed, Obstacle>> {
    let dockerfiles = files.iter().filter(|file| file.kind == FileKind::Dockerfile);
    let dockerfiles: BTreeSet<String> = dockerfiles.map(|file| context::resolve("", &file.name)).collect();
    let repair = |(at, candidate): (usize, &Candidate)| {
        let Candidate { path, name, kind, named } = candidate;
        let hinder = |message| Obstacle { name: name.clone(), message, named: *named };
        let text = disk::read(path).map_err(hinder)?;
        let file = SourceFile::new(FileId(at as u32), name.as_str(), *kind, text);
        if *kind == FileKind::Dockerfile {
            let fixed = repair(project, file, around, allowed).map_err(hinder)?;
            return Ok(Fixed { path: path.clone(), named: *named, ..fixed });
        }
        let watched = Watched::new(around, &dockerfiles);
        let fixed = repair(project, file, &watched, allowed).map_err(hinder)?;
        Ok(Fixed { path: path.clone(), named: *named, judged_by: watched.seen(), ..fixed })
    };
    // Threads cost more than one file does.
    if files.len() < 2 {
        return files.iter().enumerate().map(repair).collect();
    }
    cli::work_along();
    let progress = Progress::over(files.len());
    files.par_iter().enumerate().map(repair).inspect(|_| progress.step()).collect()
}

fn repair(project: &Project, file: SourceFile, around: &dyn Files, allowed: Safety) -> Result<Fixed, String> {
    let repaired = project.fix(&file, around, allowed).map_err(|reason| reason.to_string())?;
    Ok(Fixed { path: PathBuf::from(&file.path), before: file.text, repaired, named: false, judged_by: BTreeSet::new() })
}

/// Puts together what has to be written together.
fn change_sets(project: &Project, fixed: Vec<Fixed>, around: &dyn Files, allowed: Safety) -> Vec<ChangeSet> {
    let again = |file: SourceFile, around: &dyn Files| project.fix(&file, around, allowed).ok();
    change_sets::of(fixed, around, &again)
}

fn collect(sets: Vec<ChangeSet>, obstacles: Vec<Obstacle>) -> Repairs {
    let mut repairs = Repairs::default();
    let mut fixed = Vec::new();
    for ChangeSet { files, beside } in sets {
        fixed.extend(files);
        let change = |Beside { path, before, after, .. }| Change { path, before, after };
        repairs.changes.extend(beside.into_iter().map(change));
    }
    fixed.sort_by_key(|file| file.repaired.outcome.sources.files()[0].id);
    let mut sources = Vec::with_capacity(fixed.len());
    for Fixed { before, repaired: Repaired { outcome, verdict }, .. } in fixed {
        for file in outcome.sources.into_files() {
            repairs.left.files.push(Judged { path: file.path.clone(), kind: file.kind });
            if file.text != before {
                repairs.changes.push(Change {
                    path: file.path.clone(),
                    before: before.clone(),
                    after: file.text.clone(),
                });
            }
            sources.push(file);
        }
        repairs.applied.extend(outcome.applied);
        repairs.quarantined.extend(outcome.quarantined);
        repairs.is_unfinished |= outcome.is_unfinished;
        repairs.left.findings.extend(verdict.findings);
        repairs.left.left_out.extend(verdict.left_out);
        repairs.declined.extend(verdict.declined);
    }
    repairs.changes.sort_by(|a, b| a.path.cmp(&b.path));
    repairs.left.sources = SourceSet::of(sources);
    repairs.left.errors = obstacles.into_iter().map(|o| Unread { path: o.name, message: o.message }).collect();
    repairs.left.errors.sort();
    repairs
}
