//! Arguments of an instruction, split as BuildKit splits them.

use super::Instruction;
use crate::text::Span;
use std::borrow::Cow;

/// The arguments of one instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments<'a> {
    /// The JSON form: `["a", "b"]`, strings decoded.
    Json(Vec<Arg<'a>>),
    /// Words between blanks (`FROM`, `ADD`, `COPY`, `EXPOSE`, `VOLUME`), quotes kept as written.
    Words(Vec<Arg<'a>>),
    /// `NAME=value` lists (`ENV`, `LABEL`, `ARG`), quotes kept as written.
    Assignments(Vec<Assignment<'a>>),
    /// Everything as one string (`RUN`, `CMD`, `ENTRYPOINT`, `HEALTHCHECK CMD`, … in shell form; `USER`, `WORKDIR`, …).
    Text(Arg<'a>),
    /// No arguments, or none that could be read.
    None,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg<'a> {
    /// Its text: decoded in the JSON form, else as written with lines joined.
    pub text: Cow<'a, [u8]>,
    /// Where it lies in the file.
    pub span: Span,
}

/// One `NAME=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// The name as written.
    pub name: Arg<'a>,
    /// The value as written; `None` for an `ARG` without a default.
    pub value: Option<Arg<'a>>,
    /// Whether it is the old form `ENV name value`, whose value is the rest of the line.
    pub legacy: bool,
}

pub(super) fn arguments<'a>(_instruction: &'a Instruction, _source: &'a [u8]) -> Arguments<'a> {
    Arguments::None
}
