//! `ironhull inspect`: the image configuration that a Dockerfile makes, without building it.

use crate::{
    cli::{
        Outcome, Terminal,
        inputs::{Inputs, Text},
    },
    emit,
    knowledge::Knowledge,
};
use clap::{Args, ValueEnum};

/// What `inspect` is told.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    inputs: Inputs,
    /// Stop at this stage, instead of the last one.
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Set a build argument; without `=VALUE` it stays unknown.
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_args: Vec<String>,
    /// Build for this platform.
    #[arg(long, value_name = "OS/ARCH", default_value = "linux/amd64")]
    platform: String,
    /// Take base images as empty, instead of what is known about them.
    #[arg(long)]
    empty_base: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Terminal,
    /// One line of JSON for each file.
    Jsonl,
}

pub(super) fn run(options: &Options, terminal: Terminal) -> anyhow::Result<Outcome> {
    let texts = options.inputs.dockerfiles(options.inputs.given(".")?)?;
    let knowledge = Knowledge::builtin();
    let question = emit::Question {
        target: options.target.as_deref(),
        build_args: &options.build_args,
        platform: &options.platform,
        empty_base: options.empty_base,
        knowledge: &knowledge,
    };
    texts.print_each(terminal, |Text { name, text }| match options.format {
        Format::Terminal => emit::image_page(name, text, &question),
        Format::Jsonl => emit::image_line(name, text, &question),
    })
}
