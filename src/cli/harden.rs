//! `ironhull harden`: structural rewriting.

use crate::{
    cli::{
        self, Outcome, Terminal, check,
        inputs::{self, Given, Inputs},
        progress::Progress,
        proof::{self, ProofOptions, engine_parser},
        settings::Settings,
    },
    context::{Files, NoFiles},
    discover::{Candidate, Named, Obstacle, Request},
    disk::{self, Replacement, Surroundings},
    emit::{self, HardenedFile, Hardening},
    harden::{Dependent, Rung, Wishes},
    project::{Decided, Deployed, Project},
    report::Unread,
    source::{FileKind, SourceFile},
    text::FileId,
    verify::EngineKind,
};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// What `harden` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    settings: Settings,
    /// Climb no higher than this rung of the ladder, 1 to 5.
    #[arg(long, value_name = "RUNG", value_parser = clap::value_parser!(u8).range(1..=5), default_value_t = 5)]
    highest: u8,
    /// Answer a question of the report: `runtime=full|slim|distroless`, `user=UID[:GID]`.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<String>,
    /// Where the image keeps a shell, take the package manager, network tools and set-uid bits out of it.
    #[arg(long)]
    strip: bool,
    /// Print a patch that `git apply` takes, and write nothing.
    #[arg(long)]
    diff: bool,
    /// Build and start what is rewritten, with ENGINE or the first one that answers, and go down a rung where it does
    /// not do what it did.
    #[arg(long, value_name = "ENGINE", num_args = 0..=1, require_equals = true, value_parser = engine_parser())]
    #[expect(clippy::option_option, reason = "not asked for, asked for, asked for with an engine of that name")]
    verify: Option<Option<EngineKind>>,
    #[command(flatten)]
    proof: ProofOptions,
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
    /// For a pull request.
    Markdown,
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let given = options.inputs.given(".")?;
    let named = given.named();
    let Some(policy) = options.settings.policy(&named, terminal)? else { return Ok(Outcome::Refused) };
    let project = Project::new(policy, options.settings.lock(&named)?).on(cli::today());
    match given {
        Given::Text { ref name, ref text } => run_text(options, &project, name, text, terminal),
        Given::Paths(ref paths) => run_paths(options, &project, paths, terminal),
    }
}

impl Options {
    fn wishes(&self) -> Wishes {
        let highest = Rung::ALL[usize::from(self.highest)];
        let mut wishes = Wishes { highest, strips: self.strip, ..Wishes::default() };
        for setting in &self.set {
            wishes.set(setting).expect("the command line was checked");
        }
        wishes
    }
}

/// A `KEY=VALUE` that there is.
fn setting(text: &str) -> Result<String, String> {
    Wishes::default().set(text).map(|()| text.to_owned())
}

/// A text on standard input comes out rewritten on standard output, unless something else is asked for.
fn run_text(
    options: &Options,
    project: &Project,
    name: &str,
    text: &[u8],
    terminal: Terminal,
) -> anyhow::Result<Outcome> {
    anyhow::ensure!(options.verify.is_none(), "`--verify` needs a file with its build context around it");
    let file = SourceFile::new(FileId(0), name, options.inputs.kind_of_text(name), text.to_vec());
    let rewritten = match harden(project, file, &NoFiles, options) {
        Ok(rewritten) => rewritten,
        Err(message) => {
            terminal.remark(|out| writeln!(out, "ironhull: {}: {message}", name.escape_debug()))?;
            Terminal::print_plain(|out| out.write_all(text))?;
            return Ok(Outcome::Failing);
        }
    };
    let after = rewritten.file.result.text.clone();
    let hardening = Hardening { files: vec![rewritten.file], ..Hardening::default() };
    match (options.format, options.diff) {
        (Format::Json, _) => Terminal::print_plain(|out| emit::hardening_json(&hardening, out))?,
        (Format::Markdown, _) => Terminal::print_plain(|out| emit::hardening_markdown(&hardening, out))?,
        (Format::Terminal, true) => Terminal::print_plain(|out| emit::patch(&hardening.changes(), out))?,
        (Format::Terminal, false) => Terminal::print_plain(|out| out.write_all(&after))?,
    }
    Ok(outcome(options, &hardening))
}

fn run_paths(options: &Options, project: &Project, paths: &[Named], terminal: Terminal) -> anyhow::Result<Outcome> {
    let excluded = |path: &str, is_directory: bool| project.policy().excludes(path, is_directory);
    let request = Request { kind: options.inputs.kind, wanted: &check::CHECKED, excluded: &excluded };
    let discovered = inputs::discover(paths, &request)?;
    let surroundings = Surroundings::of(discovered.directories);
    let mut obstacles = discovered.obstacles;
    let (mut rewritten, mut decided) = (Vec::new(), Decided::new(&surroundings));
    for answer in harden_files(project, &discovered.files, &surroundings, options) {
        match answer {
            Ok(file) => {
                let file = beside(project, file, &decided, options)?;
                let file = proved(project, file, &decided.files(), options)?;
                decided.add(&file.file.result);
                rewritten.push(file);
            }
            Err(obstacle) => obstacles.push(obstacle),
        }
    }
    let mut is_whole = !obstacles.iter().any(|obstacle| obstacle.named);
    let mut dependents = deployed(project, &mut rewritten, &surroundings, options);
    if !options.diff
        && let Err(obstacle) = write(&rewritten, &dependents)
    {
        is_whole = false;
        obstacles.push(obstacle);
        rewritten.clear();
        dependents.clear();
    }
    let mut errors: Vec<Unread> =
        obstacles.into_iter().map(|each| Unread { path: each.name, message: each.message }).collect();
    errors.sort();
    let hardening = Hardening { files: rewritten.into_iter().map(|each| each.file).collect(), dependents, errors };
    match (options.format, options.diff) {
        (Format::Json, _) => Terminal::print_plain(|out| emit::hardening_json(&hardening, out))?,
        (Format::Markdown, _) => Terminal::print_plain(|out| emit::hardening_markdown(&hardening, out))?,
        (Format::Terminal, true) => {
            for error in &hardening.errors {
                terminal.remark(|out| writeln!(out, "ironhull: {}: {}", error.path.escape_debug(), error.message))?;
            }
            cli::remark_generated(&hardening.changes(), terminal)?;
            Terminal::print_plain(|out| emit::patch(&hardening.changes(), out))?;
        }
        (Format::Terminal, false) => terminal.print(|out| emit::hardening(&hardening, out))?,
    }
    Ok(if is_whole { outcome(options, &hardening) } else { Outcome::Failing })
}

/// With `--diff`, whether there is something to change; else everything that can be done has been done.
fn outcome(options: &Options, hardening: &Hardening) -> Outcome {
    let is_left = options.diff && !hardening.changes().is_empty();
    if is_left { Outcome::Failing } else { Outcome::Clean }
}

struct Rewritten {
    path: PathBuf,
    file: HardenedFile,
}

fn harden_files(
    project: &Project,
    files: &[Candidate],
    around: &dyn Files,
    options: &Options,
) -> Vec<Result<Rewritten, Obstacle>> {
    let files: Vec<&Candidate> = files.iter().filter(|each| each.kind == FileKind::Dockerfile).collect();
    let one = |(at, candidate): (usize, &&Candidate)| {
        let Candidate { path, name, kind, named } = candidate;
        let hinder = |message| Obstacle { name: name.clone(), message, named: *named };
        let text = disk::read(path).map_err(hinder)?;
        let file = SourceFile::new(FileId(at as u32), name.as_str(), *kind, text);
        let mut rewritten = harden(project, file, around, options).map_err(hinder)?;
        rewritten.path.clone_from(path);
        Ok(rewritten)
    };
    // Threads cost more than one file does.
    if files.len() < 2 {
        return files.iter().enumerate().map(one).collect();
    }
    let progress = Progress::over(files.len());
    files.par_iter().enumerate().map(one).inspect(|_| progress.step()).collect()
}

fn harden(project: &Project, file: SourceFile, around: &dyn Files, options: &Options) -> Result<Rewritten, String> {
    let result = project.harden(&file, around, &options.wishes()).map_err(|reason| reason.to_string())?;
    let path = PathBuf::from(&file.path);
    Ok(Rewritten { path, file: HardenedFile { path: file.path, before: file.text, result, proof: None } })
}

/// The same file, where it changes others that were changed before it.
fn beside(
    project: &Project,
    Rewritten { path, file }: Rewritten,
    decided: &Decided<'_>,
    options: &Options,
) -> anyhow::Result<Rewritten> {
    let HardenedFile { path: name, before, result, proof } = file;
    let own = SourceFile::new(FileId(0), name, FileKind::Dockerfile, before);
    let result = project
        .harden_beside(&own, result, decided, &options.wishes())
        .map_err(|reason| anyhow::anyhow!("{}: {reason}", own.path))?;
    Ok(Rewritten { path, file: HardenedFile { path: own.path, before: own.text, result, proof } })
}

/// The same file, as high as building proves it, if that is asked for.
fn proved(project: &Project, rewritten: Rewritten, around: &dyn Files, options: &Options) -> anyhow::Result<Rewritten> {
    let Some(engine) = options.verify else { return Ok(rewritten) };
    let settings = options.proof.settings(engine);
    let Rewritten { path, file } = rewritten;
    let (name, before) = (file.path.clone(), file.before.clone());
    let harden_to = |highest| {
        let file = SourceFile::new(FileId(0), name.as_str(), FileKind::Dockerfile, before.clone());
        let mut wishes = options.wishes();
        wishes.highest = wishes.highest.min(highest);
        project.harden(&file, around, &wishes).map_err(|reason| reason.to_string())
    };
    let file = proof::prove(file, &path, &settings, &harden_to)?;
    Ok(Rewritten { path, file })
}

/// The files that change with `rewritten`, as they would be.
fn deployed(project: &Project, rewritten: &mut [Rewritten], around: &dyn Files, options: &Options) -> Vec<Dependent> {
    let mut files: Vec<Deployed<'_>> = rewritten
        .iter_mut()
        .map(|Rewritten { file, .. }| Deployed { path: &file.path, before: &file.before, result: &mut file.result })
        .collect();
    project.deploy(&mut files, around, &options.wishes())
}

/// Writes every file that changes, or none.
fn write(rewritten: &[Rewritten], dependents: &[Dependent]) -> Result<(), Obstacle> {
    let changed = rewritten.iter().filter(|each| each.file.change().is_some());
    let own =
        changed.map(|each| Replacement { path: &each.path, before: &each.file.before, after: &each.file.result.text });
    let others = dependents.iter().map(|each| Replacement {
        path: Path::new(&each.path),
        before: &each.before,
        after: &each.after,
    });
    let replacements: Vec<Replacement<'_>> = own.chain(others).collect();
    disk::replace_all(&replacements).map_err(|disk::NotReplaced { path, why }| Obstacle {
        name: path.to_string_lossy().into_owned(),
        message: format!("nothing was written: {why}"),
        named: true,
    })
}
