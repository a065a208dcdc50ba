//! `ironhull check`: findings.

use crate::{
    baseline::{Baseline, Scope},
    cli::{
        self, Outcome, Terminal, fix,
        inputs::{self, Given, Inputs},
        progress::Progress,
        scope::{Newness, place_beside},
        settings::Settings,
    },
    context::{Files, NoFiles},
    discover::{Candidate, Named, Obstacle, Request},
    disk::{self, Surroundings},
    emit::{self, Look},
    project::Project,
    report::{Judged, Ranked, Report, Unread, Verdict},
    rule::{Detail, Level},
    source::{FileKind, SourceFile, SourceSet},
    text::FileId,
};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// What `check` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    newness: Newness,
    /// Write all findings into FILE as a baseline, and report none of them.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "since", "format"])]
    write_baseline: Option<PathBuf>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Show every finding, however many there are.
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Terminal,
    /// For programs; `version` says which shape.
    Json,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, fixes included.
    Sarif,
    /// A code quality report of GitLab.
    Gitlab,
    /// Diagnostics of reviewdog.
    Rdjson,
    /// A test report.
    Junit,
    /// A report of Checkstyle.
    Checkstyle,
    /// A summary for a job or a comment.
    Markdown,
    /// The patch that `ironhull fix` would make.
    Diff,
}

impl Format {
    /// Repairs are looked for where they are shown.
    fn detail(self) -> Detail {
        match self {
            Format::Json | Format::Sarif | Format::Rdjson => Detail::Repairs,
            Format::Terminal
            | Format::Github
            | Format::Gitlab
            | Format::Junit
            | Format::Checkstyle
            | Format::Markdown
            | Format::Diff => Detail::Findings,
        }
    }
}

/// The kinds of file that have rules.
pub(super) const CHECKED: [FileKind; 8] = [
    FileKind::Dockerfile,
    FileKind::Compose,
    FileKind::Kubernetes,
    FileKind::Script,
    FileKind::Makefile,
    FileKind::Workflow,
    FileKind::GitlabCi,
    FileKind::Seccomp,
];

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let given = options.inputs.given(".")?;
    let named = given.named();
    let Some(policy) = options.settings.policy(&named, terminal)? else { return Ok(Outcome::Refused) };
    let project = Project::new(policy, options.settings.lock(&named)?).on(cli::today());
    let scope = if options.write_baseline.is_some() {
        Scope::default()
    } else {
        options.newness.scope(project.policy(), &named)?
    };
    let has_baseline = scope.baseline.is_some();
    let project = project.within(scope).in_detail(options.format.detail());
    let (mut report, is_whole) = match &given {
        Given::Text { name, text } => {
            check_text(&project, options.inputs.kind_of_text(name), name.clone(), text.clone())
        }
        Given::Paths(paths) => check_paths(&project, paths, options.inputs.kind)?,
    };
    report.has_baseline = has_baseline;
    if let Some(path) = &options.write_baseline {
        return write_baseline(&report, path, is_whole, terminal);
    }
    match options.format {
        Format::Terminal => {
            let verbose = options.verbose || options.settings.selects();
            let look = Look { width: Terminal::width(), verbose, command: own_command() };
            terminal.print(|out| emit::terminal(&report, &look, out))?;
        }
        Format::Json => Terminal::print_plain(|out| emit::json(&report, out))?,
        Format::Github => Terminal::print_plain(|out| emit::github(&report, out))?,
        Format::Sarif => Terminal::print_plain(|out| emit::sarif(&report, out))?,
        Format::Gitlab => Terminal::print_plain(|out| emit::gitlab(&report, out))?,
        Format::Rdjson => Terminal::print_plain(|out| emit::rdjson(&report, out))?,
        Format::Junit => Terminal::print_plain(|out| emit::junit(&report, out))?,
        Format::Checkstyle => Terminal::print_plain(|out| emit::checkstyle(&report, out))?,
        Format::Markdown => Terminal::print_plain(|out| emit::markdown(&report, out))?,
        Format::Diff => {
            let changes = fix::safe_changes(&project, &given, &options.inputs)?;
            Terminal::print_plain(|out| emit::patch(&changes, out))?;
        }
    }
    let fail_at = project.policy().fail_at();
    let fails = fail_at > Level::Off && report.highest_level() >= fail_at;
    // The process ends here, and its memory is gone sooner than each piece of it could be given back.
    std::mem::forget((report, project));
    Ok(if fails || !is_whole { Outcome::Failing } else { Outcome::Clean })
}

/// Writes the findings of `report` as a baseline to `path`.
fn write_baseline(report: &Report, path: &Path, is_whole: bool, terminal: Terminal) -> anyhow::Result<Outcome> {
    let baseline = baseline_of(report, path)?;
    let name = path.display().to_string();
    disk::write(path, baseline.text().as_bytes()).map_err(|why| anyhow::anyhow!("writing {name}: {why}"))?;
    for error in &report.errors {
        let (path, message) = (error.path.escape_debug(), &error.message);
        terminal.remark(|out| writeln!(out, "ironhull: {path}: {message}"))?;
    }
    terminal.remark(|out| writeln!(out, "Written: {} ({} findings)", name.escape_debug(), baseline.len()))?;
    Ok(if is_whole { Outcome::Clean } else { Outcome::Failing })
}

/// The findings of `report` as the baseline that is to lie at `path`.
pub(super) fn baseline_of(report: &Report, path: &Path) -> anyhow::Result<Baseline> {
    let place = place_beside(path)?;
    let path_of = |ranked: &Ranked| report.sources.get(ranked.finding.primary.file).path.as_str();
    Ok(Baseline::of(report.findings.iter().map(|ranked| (path_of(ranked), ranked)), &place))
}

/// The command of this run, if a shell reads it as it is written here; otherwise only its beginning.
fn own_command() -> String {
    const LONGEST: usize = 60;
    let is_plain = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./,=:+@".contains(c));
    let mut command = "ironhull".to_owned();
    for word in std::env::args_os().skip(1) {
        let word = word.to_string_lossy();
        if command.len() + 1 + word.len() > LONGEST || !is_plain(&word) {
            return "ironhull check".to_owned();
        }
        command.push(' ');
        command.push_str(&word);
    }
    command
}

fn check_text(project: &Project, kind: FileKind, name: String, text: Vec<u8>) -> (Report, bool) {
    let file = SourceFile::new(FileId(0), name, kind, text);
    let name = file.path.clone();
    match judge(project, file, &NoFiles) {
        Ok(checked) => (report(vec![checked], Vec::new()), true),
        Err(message) => (report(Vec::new(), vec![Obstacle { name, message, named: true }]), false),
    }
}

/// The report, and whether every file that was named could be judged.
pub(super) fn check_paths(
    project: &Project,
    paths: &[Named],
    kind: Option<FileKind>,
) -> anyhow::Result<(Report, bool)> {
    let excluded = |path: &str, is_directory: bool| project.policy().excludes(path, is_directory);
    let request = Request { kind, wanted: &CHECKED, excluded: &excluded };
    let discovered = inputs::discover(paths, &request)?;
    let surroundings = Surroundings::of(discovered.directories);
    let answers = check_files(project, &discovered.files, &surroundings);
    // See the end of `run`.
    std::mem::forget(surroundings);
    let mut checked = Vec::with_capacity(answers.len());
    let mut obstacles = discovered.obstacles;
    for answer in answers {
        match answer {
            Ok(file) => checked.push(file),
            Err(obstacle) => obstacles.push(obstacle),
        }
    }
    let is_whole = obstacles.iter().all(|obstacle| !obstacle.named);
    Ok((report(checked, obstacles), is_whole))
}

/// So many files a thread takes at once, at most: none is left alone with many at the end.
const PART: usize = 32;

/// A file that was judged. Its text is kept only for the sake of its findings.
struct Checked {
    file: SourceFile,
    verdict: Verdict,
}

fn check_files(project: &Project, files: &[Candidate], around: &dyn Files) -> Vec<Result<Checked, Obstacle>> {
    let check = |(at, candidate): (usize, &Candidate)| check_file(project, FileId(at as u32), candidate, around);
    // Threads cost more than one file does.
    if files.len() < 2 {
        return files.iter().enumerate().map(check).collect();
    }
    cli::work_along();
    let progress = Progress::over(files.len());
    files.par_iter().with_max_len(PART).enumerate().map(check).inspect(|_| progress.step()).collect()
}

fn check_file(project: &Project, id: FileId, candidate: &Candidate, around: &dyn Files) -> Result<Checked, Obstacle> {
    let Candidate { path, name, kind, named } = candidate;
    let hinder = |message| Obstacle { name: name.clone(), message, named: *named };
    let text = disk::read(path).map_err(hinder)?;
    let mut checked = judge(project, SourceFile::new(id, name.as_str(), *kind, text), around).map_err(hinder)?;
    if checked.verdict.findings.is_empty() && checked.verdict.left_out.is_empty() {
        checked.file.text = Vec::new();
    }
    Ok(checked)
}

fn judge(project: &Project, file: SourceFile, around: &dyn Files) -> Result<Checked, String> {
    match project.check(&file, around) {
        Ok(verdict) => Ok(Checked { file, verdict }),
        Err(reason) => Err(reason.to_string()),
    }
}

fn report(checked: Vec<Checked>, obstacles: Vec<Obstacle>) -> Report {
    let mut report = Report::default();
    let mut sources = Vec::with_capacity(checked.len());
    for Checked { file, verdict } in checked {
        report.files.push(Judged { path: file.path.clone(), kind: file.kind });
        report.findings.extend(verdict.findings);
        report.left_out.extend(verdict.left_out);
        sources.push(file);
    }
    report.sources = SourceSet::of(sources);
    report.errors = obstacles.into_iter().map(|o| Unread { path: o.name, message: o.message }).collect();
    report.errors.sort();
    report
}
