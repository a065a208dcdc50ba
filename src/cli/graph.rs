//! `ironhull graph`: who builds what, and who runs it as whom, over all files of a repository.

use super::{
    Outcome, Terminal,
    inputs::{Given, Inputs, discover},
    settings::Settings,
};
use crate::{
    discover::{Candidate, Obstacle, Request},
    disk::{self, Surroundings},
    emit,
    knowledge::Knowledge,
    model::graph::BuildGraph,
    source::{FileKind, SourceFile},
    text::FileId,
};
use clap::{Args, ValueEnum};
use rayon::prelude::*;

/// What `graph` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    inputs: Inputs,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree, for people.
    Text,
    /// A flowchart for Markdown.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// A picture.
    Svg,
    /// For programs.
    Json,
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let given = options.inputs.given(".")?;
    let (files, surroundings, obstacles) = match given {
        Given::Text { name, text } => {
            let kind = options.inputs.kind_of_text(&name);
            (vec![SourceFile::new(FileId(0), name, kind, text)], Surroundings::default(), Vec::new())
        }
        Given::Paths(paths) => {
            let Some(policy) = Settings::default().policy(&paths, terminal)? else { return Ok(Outcome::Refused) };
            let excluded = |path: &str, is_directory: bool| policy.excludes(path, is_directory);
            let request = Request { kind: options.inputs.kind, wanted: &FileKind::ALL, excluded: &excluded };
            let discovered = discover(&paths, &request)?;
            let (files, mut obstacles) = read(&discovered.files);
            obstacles.extend(discovered.obstacles);
            (files, Surroundings::of(discovered.directories), obstacles)
        }
    };
    let mut outcome = Outcome::Clean;
    for Obstacle { name, message, named } in &obstacles {
        terminal.remark(|out| writeln!(out, "ironhull: {}: {message}", name.escape_debug()))?;
        outcome = if *named { Outcome::Failing } else { outcome };
    }
    let graph = BuildGraph::of(&files, &surroundings, &Knowledge::builtin());
    match options.format {
        Format::Text => terminal.print(|out| emit::graph_text(&graph, out))?,
        Format::Mermaid => Terminal::print_plain(|out| emit::graph_mermaid(&graph, out))?,
        Format::Dot => Terminal::print_plain(|out| emit::graph_dot(&graph, out))?,
        Format::Svg => Terminal::print_plain(|out| emit::graph_svg(&graph, out))?,
        Format::Json => Terminal::print_plain(|out| emit::graph_json(&graph, out))?,
    }
    Ok(outcome)
}

/// Reads each file, or says why not.
fn read(candidates: &[Candidate]) -> (Vec<SourceFile>, Vec<Obstacle>) {
    let read: Vec<Result<SourceFile, Obstacle>> = candidates
        .par_iter()
        .enumerate()
        .map(|(at, Candidate { path, name, kind, named })| match disk::read(path) {
            Ok(text) => Ok(SourceFile::new(FileId(at as u32), name.clone(), *kind, text)),
            Err(message) => Err(Obstacle { name: name.clone(), message, named: *named }),
        })
        .collect();
    let mut files = Vec::new();
    let mut obstacles = Vec::new();
    for result in read {
        match result {
            Ok(file) => files.push(file),
            Err(obstacle) => obstacles.push(obstacle),
        }
    }
    (files, obstacles)
}
