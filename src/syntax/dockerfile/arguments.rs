//! Arguments of an instruction, split as BuildKit splits them.

use super::{Instruction, Keyword, json, parse::is_blank};
use crate::text::Span;
use std::{borrow::Cow, ops::Range};

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
        Keyword::Arg => reader.declarations(),
        Keyword::Healthcheck => reader.health_check(),
        Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir | Keyword::Onbuild => {
            reader.whole()
        }
        Keyword::Unknown => Arguments::None,
    }
}

struct Reader<'a> {
    instruction: &'a Instruction,
    text: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The bytes from `start` to `end` of the arguments as they are.
    fn arg(&self, range: Range<usize>) -> Arg<'a> {
        let start = self.instruction.args.start;
        let span = self.instruction.body.file_span(start + range.start as u32..start + range.end as u32);
        Arg { text: Cow::Borrowed(&self.text[range]), span }
    }

    fn whole(&self) -> Arguments<'a> {
        Arguments::Text(self.arg(0..self.text.len()))
    }

    fn json(&self) -> Option<Arguments<'a>> {
        let strings = json::strings(self.text)?;
        let args =
            strings.into_iter().map(|(range, text)| Arg { text: Cow::Owned(text.into_bytes()), ..self.arg(range) });
        Some(Arguments::Json(args.collect()))
    }

    fn words(&self) -> Arguments<'a> {
        Arguments::Words(self.ranges().into_iter().map(|range| self.arg(range)).collect())
    }

    /// Words between blanks, quotes without meaning.
    fn ranges(&self) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        let mut at = 0;
        while at < self.text.len() {
            let end =
                self.text[at..].iter().position(|&byte| is_blank(byte)).map_or(self.text.len(), |length| at + length);
            if end > at {
                ranges.push(at..end);
            }
            at = end + 1;
        }
        ranges
    }

    /// Words between blanks that no quote or escape protects.
    fn quoted_words(&self) -> Vec<Range<usize>> {
        let escape = b'\\';
        let mut words = Vec::new();
        let mut at = 0;
        while at < self.text.len() {
            if is_blank(self.text[at]) {
                at += 1;
                continue;
            }
            let start = at;
            let mut quote = None;
            while at < self.text.len() {
                let byte = self.text[at];
                match quote {
                    None if is_blank(byte) => break,
                    None if byte == b'"' || byte == b'\'' => quote = Some(byte),
                    Some(open) if open == byte => quote = None,
                    None | Some(b'"') if byte == escape => at += 1,
                    None | Some(_) => {}
                }
                at += 1;
            }
            at = at.min(self.text.len());
            words.push(start..at);
        }
        words
    }

    fn pairs(&self) -> Arguments<'a> {
        let words = self.quoted_words();
        let is_legacy = words.first().is_some_and(|first| !self.text[first.clone()].contains(&b'='));
        if is_legacy {
            let first = words[0].clone();
            let value_start = first.end + self.text[first.end..].iter().take_while(|&&byte| is_blank(byte)).count();
            let value = (value_start < self.text.len()).then(|| self.arg(value_start..self.text.len()));
            return Arguments::Assignments(vec![Assignment { name: self.arg(first), value, legacy: true }]);
        }
        Arguments::Assignments(words.into_iter().map(|word| self.assignment(word)).collect())
    }

    fn declarations(&self) -> Arguments<'a> {
        Arguments::Assignments(self.quoted_words().into_iter().map(|word| self.assignment(word)).collect())
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

    /// `NONE`, or `CMD` with what follows as the JSON form or one string.
    fn health_check(&self) -> Arguments<'a> {
        let word = self.ranges().into_iter().next().unwrap_or_default();
        let rest = word.end + self.text[word.end..].iter().take_while(|&&byte| is_blank(byte)).count();
        let mut args = vec![self.arg(word)];
        match json::strings(&self.text[rest..]) {
            Some(strings) => args.extend(strings.into_iter().map(|(range, text)| Arg {
                text: Cow::Owned(text.into_bytes()),
                ..self.arg(rest + range.start..rest + range.end)
            })),
            None if rest < self.text.len() => args.push(self.arg(rest..self.text.len())),
            None => {}
        }
        Arguments::Words(args)
    }
}
