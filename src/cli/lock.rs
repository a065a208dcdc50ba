//! `ironhull lock`: writes down digests and checksums.

use crate::{
    cli::{
        Outcome, Terminal,
        inputs::{self, Given, Inputs},
        settings,
    },
    context::{BuildContext, Files, NoFiles},
    discover::{self, Candidate, Obstacle, Request},
    disk::{self, Replacement, Surroundings},
    knowledge::Knowledge,
    lock::{self, Listing, Lock, Skipped, Update, Wanted},
    model::{
        DockerfileModel,
        compose::ComposeModel,
        kubernetes::{Delivered, KubernetesModel},
    },
    source::{FileKind, SourceFile},
    syntax::{dockerfile, yaml},
    text::{FileId, Span},
};
use anyhow::Context;
use clap::Args;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What `lock` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    inputs: Inputs,
    /// Take digests from FILE, a `SHA256SUMS` file or a list of images with their digests; may be repeated.
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,
    /// Write this file, instead of the nearest `ironhull.lock` up to the root of the repository.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// The day to write beside what is new, `YYYY-MM-DD`; today without it.
    #[arg(long, value_name = "DAY", value_parser = day)]
    date: Option<String>,
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        !options.from.is_empty(),
        "asking registries and servers is not there yet: give what you know with `--from FILE`, offline"
    );
    let given = options.inputs.given(".")?;
    let path = place(options, &given)?;
    let old = read(&path)?;
    let wanted = wanted(&options.inputs, given, terminal)?;
    let mut listing = Listing::default();
    for from in &options.from {
        let name = discover::display_name(from);
        let text = disk::read(from).map_err(|why| anyhow::anyhow!("reading {name}: {why}"))?;
        listing.read(&name, &String::from_utf8_lossy(&text))?;
    }
    listing.find_files(&wanted);
    let day = options.date.clone().unwrap_or_else(today);
    let text = old.as_deref().unwrap_or_default();
    let update = lock::update(text, &listing, &day).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    write(&path, old.as_deref(), &update)?;
    let known = Lock::parse(&update.text).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    terminal.print(|out| tell(&path, &update, &wanted, &known, out))?;
    Ok(Outcome::Clean)
}

/// The text of the lock file, if there is one yet.
fn read(path: &Path) -> anyhow::Result<Option<String>> {
    if !disk::exists(path) {
        return Ok(None);
    }
    let text = disk::read(path).map_err(|why| anyhow::anyhow!("reading {}: {why}", path.display()))?;
    let text = String::from_utf8(text).with_context(|| format!("reading {}", path.display()))?;
    Ok(Some(text))
}

/// Where the lock file is, or is to be: beside what it is for.
fn place(options: &Options, given: &Given) -> anyhow::Result<PathBuf> {
    if let Some(path) = &options.lock {
        return Ok(path.clone());
    }
    let (directory, nearest) = settings::nearest_lock(&given.named())?;
    Ok(nearest.unwrap_or_else(|| directory.join(lock::FILE_NAME)))
}

/// What the files take from elsewhere that fixes pin.
fn wanted(inputs: &Inputs, given: Given, terminal: Terminal) -> anyhow::Result<Wanted> {
    const PINNED: [FileKind; 3] = [FileKind::Dockerfile, FileKind::Compose, FileKind::Kubernetes];
    let knowledge = Knowledge::builtin();
    let mut wanted = Wanted::default();
    let paths = match given {
        Given::Text { name, text } => {
            let file = SourceFile::new(FileId(0), name.as_str(), inputs.kind_of_text(&name), text);
            add(&mut wanted, &file, &NoFiles, &knowledge);
            return Ok(wanted);
        }
        Given::Paths(paths) => paths,
    };
    let request = Request { kind: inputs.kind, wanted: &PINNED, excluded: &|_, _| false };
    let mut discovered = inputs::discover(&paths, &request)?;
    let around = Surroundings::of(discovered.directories);
    for Candidate { path, name, kind, named } in discovered.files {
        match disk::read(&path) {
            Ok(text) => add(&mut wanted, &SourceFile::new(FileId(0), name, kind, text), &around, &knowledge),
            Err(message) => discovered.obstacles.push(Obstacle { name, message, named }),
        }
    }
    for Obstacle { name, message, .. } in &discovered.obstacles {
        terminal.remark(|out| writeln!(out, "ironhull: {}: {message}", name.escape_debug()))?;
    }
    Ok(wanted)
}

/// Adds what one file takes.
fn add(wanted: &mut Wanted, file: &SourceFile, around: &dyn Files, knowledge: &Knowledge) {
    let place = |span: Span| format!("{}:{}", file.path, file.locate(span.start).line);
    let context = BuildContext::new(around, &file.path);
    match file.kind {
        FileKind::Dockerfile => {
            let parsed = dockerfile::parse(&file.text);
            wanted.add(&DockerfileModel::new(file, &parsed.tree, knowledge));
        }
        FileKind::Compose => {
            let parsed = yaml::parse(&file.text);
            wanted.add_services(&ComposeModel::of(&parsed.tree, &context), &place);
        }
        FileKind::Kubernetes => {
            let parsed = yaml::parse(&file.text);
            wanted.add_containers(&KubernetesModel::new(&parsed.tree), &Delivered::around(&context), &place);
        }
        // No fix pins what is named there.
        FileKind::Workflow
        | FileKind::GitlabCi
        | FileKind::Bake
        | FileKind::Devcontainer
        | FileKind::Script
        | FileKind::Makefile
        | FileKind::Seccomp => {}
    }
}

fn write(path: &Path, old: Option<&str>, update: &Update) -> anyhow::Result<()> {
    let after = update.text.as_bytes();
    let written = match old {
        Some(old) if old == update.text => Ok(()),
        Some(old) => {
            disk::replace_all(&[Replacement { path, before: old.as_bytes(), after }]).map_err(|error| error.why)
        }
        None if update.added.is_empty() => Ok(()),
        None => disk::create(path, after),
    };
    written.map_err(|why| anyhow::anyhow!("writing {}: {why}", path.display()))
}

/// Says what was written down, and what is still missing.
fn tell(path: &Path, update: &Update, wanted: &Wanted, known: &Lock, out: &mut dyn Write) -> io::Result<()> {
    for (verb, names) in [("added", &update.added), ("changed", &update.changed)] {
        for name in names {
            writeln!(out, "{verb} {}", name.escape_debug())?;
        }
    }
    let missing: Vec<_> = wanted.missing_in(known).collect();
    for (name, place) in &missing {
        writeln!(out, "missing {} ({})", name.escape_debug(), place.escape_debug())?;
    }
    for Skipped { place, why } in &wanted.skipped {
        writeln!(out, "skipped the image of {}: {why}", place.escape_debug())?;
    }
    let counts = (update.added.len(), update.changed.len(), missing.len());
    let path = discover::display_name(path);
    writeln!(out, "{}: {} added, {} changed, {} missing", path.escape_debug(), counts.0, counts.1, counts.2)
}

/// A day as TOML writes it.
fn day(text: &str) -> Result<String, String> {
    let is_digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let is_day = year.is_some_and(|year| is_digits(year, 4))
        && month.is_some_and(|month| is_digits(month, 2) && ("01"..="12").contains(&month))
        && day.is_some_and(|day| is_digits(day, 2) && ("01"..="31").contains(&day))
        && parts.next().is_none();
    if is_day { Ok(text.to_owned()) } else { Err("it is no day of the form YYYY-MM-DD".to_owned()) }
}

/// Today, in universal time.
#[allow(clippy::disallowed_methods, reason = "the day is written into the lock file beside what was found on it")]
fn today() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs() / (24 * 60 * 60))
}

/// The day that many days after 1970-01-01, counted in years that start in March so that a leap day comes last.
fn date(days: u64) -> String {
    const ERA: u64 = 146_097;
    let days = days + 719_468;
    let of_era = days % ERA;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = days / ERA * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_by_the_calendar() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (20_778, "2026-11-21"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), expected);
        }
        assert!(day("2026-11-21").is_ok() && day("2026-13-01").is_err() && day("today").is_err());
    }
}
