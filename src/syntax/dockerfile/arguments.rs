//! Arguments of an instruction, split as BuildKit splits them.

use super::{Instruction, Keyword, json, space, words};
use crate::text::Span;
use std::{borrow::Cow, ops::Range};

/// The arguments of one instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments<'a> {
    /// The JSON form: `["a", "b"]`, strings decoded.
    Json(Vec<Arg<'a>>),
    /// Words between blanks (`FROM`, `ADD`, `COPY`, `EXPOSE`, `VOLUME`), quotes kept as written. Also `HEALTHCHECK`:
    /// its type, then its command, which is one word in shell form, and strings that own their text in JSON form.
    Words(Vec<Arg<'a>>),
    /// `NAME=value` lists (`ENV`, `LABEL`, `ARG`), quotes kept as written.
    Assignments(Vec<Assignment<'a>>),
    /// Everything as one string (`RUN`, `CMD`, `ENTRYPOINT`, … in shell form; `USER`, `WORKDIR`, …).
    Text(Arg<'a>),
    /// No arguments, or none that could be read.
    None,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg<'a> {
    /// Its text: decoded and owned in the JSON form, else as written with lines joined.
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

/// The arguments of `instruction` as BuildKit splits them.
pub(super) fn arguments<'a>(instruction: &'a Instruction, source: &'a [u8]) -> Arguments<'a> {
    let reader = Reader { instruction, text: instruction.args_text(source) };
    if reader.text.is_empty() {
        return Arguments::None;
    }
    match instruction.keyword {
        Keyword::Run | Keyword::Cmd | Keyword::Entrypoint | Keyword::Shell => {
            reader.json().unwrap_or_else(|| reader.whole())
        }
        Keyword::Add | Keyword::Copy | Keyword::Volume => reader.json().unwrap_or_else(|| reader.words()),
        Keyword::From | Keyword::Expose => reader.words(),
        Keyword::Env | Keyword::Label => reader.pairs(),
        Keyword::Arg => Arguments::Assignments(reader.assignments()),
        Keyword::Healthcheck => reader.health_check(),
        Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir | Keyword::Onbuild => {
            reader.whole()
        }
        Keyword::Unknown => Arguments::None,
    }
}

/// Where the type of a `HEALTHCHECK` ends and where its command starts, in the text of its arguments.
pub(super) fn health_check(args: &[u8]) -> (usize, usize) {
    let end = args.iter().take_while(|&&byte| !space::is_space_byte(byte)).count();
    let blanks = args[end..].iter().take_while(|&&byte| space::is_space_byte(byte)).count();
    (end, end + blanks)
}

struct Reader<'a> {
    instruction: &'a Instruction,
    text: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A part of the arguments as it is.
    fn arg(&self, range: Range<usize>) -> Arg<'a> {
        Arg { span: self.span(&range), text: Cow::Borrowed(&self.text[range]) }
    }

    fn span(&self, range: &Range<usize>) -> Span {
        let start = self.instruction.args.start;
        self.instruction.body.file_span(start + range.start as u32..start + range.end as u32)
    }

    fn whole(&self) -> Arguments<'a> {
        Arguments::Text(self.arg(0..self.text.len()))
    }

    /// The strings of the JSON array that starts at `start`.
    fn strings(&self, start: usize) -> Option<impl Iterator<Item = Arg<'a>>> {
        let strings = json::strings(&self.text[start..])?;
        Some(strings.into_iter().map(move |(range, text)| {
            let span = self.span(&(start + range.start..start + range.end));
            Arg { text: Cow::Owned(text), span }
        }))
    }

    fn json(&self) -> Option<Arguments<'a>> {
        Some(Arguments::Json(self.strings(0)?.collect()))
    }

    fn words(&self) -> Arguments<'a> {
        Arguments::Words(words::plain(self.text).map(|range| self.arg(range)).collect())
    }

    /// `ENV` and `LABEL`: the old form if the first word has no `=`.
    fn pairs(&self) -> Arguments<'a> {
        let Some(first) = words::quoted(self.text, self.instruction.escape).next() else { return Arguments::None };
        if memchr::memchr(b'=', &self.text[first]).is_some() {
            return Arguments::Assignments(self.assignments());
        }
        // The old form knows no quotes: its name ends at the first separator.
        let end = self.text.iter().take_while(|&&byte| !space::is_separator(byte)).count();
        let blanks = self.text[end..].iter().take_while(|&&byte| space::is_separator(byte)).count();
        let value = (blanks > 0).then(|| self.arg(end + blanks..self.text.len()));
        Arguments::Assignments(vec![Assignment { name: self.arg(0..end), value, legacy: true }])
    }

    fn assignments(&self) -> Vec<Assignment<'a>> {
        words::quoted(self.text, self.instruction.escape).map(|word| self.assignment(word)).collect()
    }

    fn assignment(&self, word: Range<usize>) -> Assignment<'a> {
        match memchr::memchr(b'=', &self.text[word.clone()]) {
            Some(equals) => Assignment {
                name: self.arg(word.start..word.start + equals),
                value: Some(self.arg(word.start + equals + 1..word.end)),
                legacy: false,
            },
            None => Assignment { name: self.arg(word), value: None, legacy: false },
        }
    }

    fn health_check(&self) -> Arguments<'a> {
        let (end, start) = health_check(self.text);
        if end == 0 {
            return Arguments::None;
        }
        let mut args = vec![self.arg(0..end)];
        match self.strings(start) {
            Some(strings) => args.extend(strings),
            None if start < self.text.len() => args.push(self.arg(start..self.text.len())),
            None => {}
        }
        Arguments::Words(args)
    }
}
