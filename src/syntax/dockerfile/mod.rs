//! Dockerfiles, read as BuildKit reads them, without losing a byte.
//!
//! [`parse()`] answers a [`Dockerfile`] for any input: tokens that concatenate to the file, instructions with the spans
//! of their parts, and errors where BuildKit would refuse the file. Meaning (variables, stages, users) is `model`'s.

mod arguments;
mod duration;
mod edit;
mod flags;
mod heredoc;
mod joined;
mod json;
mod keyword;
mod lex;
mod parse;
mod refusal;
mod space;
mod words;

pub use arguments::{Arg, Arguments, Assignment};
pub use duration::nanoseconds;
pub use edit::Editor;
pub use joined::Joined;
pub use parse::parse;

use crate::text::Span;
use json::Form;
use std::ops::Range;

/// A Dockerfile in order of its text.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// Whether it starts with a UTF-8 byte order mark.
    pub bom: bool,
    /// The escape character in force: `\` or `` ` ``.
    pub escape: u8,
    /// Parser directives (`# syntax=`, `# escape=`, `# check=`), the first of each name.
    pub directives: Vec<Directive>,
    /// Every instruction, unknown ones included.
    pub instructions: Vec<Instruction>,
    /// Tokens; their texts concatenate to the file, byte for byte.
    pub tokens: Vec<Token>,
}

/// `# name=value` at the top of a file.
#[derive(Clone, Debug)]
pub struct Directive {
    /// From `#` to the end of the line, its line ending left out.
    pub span: Span,
    /// The name as written; compare without case.
    pub name: Span,
    /// The value, blanks around it left out.
    pub value: Span,
}

/// One token; spans follow each other without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

/// Kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// The byte order mark.
    Bom,
    /// A parser directive from `#` to the end of its line.
    Directive,
    /// A comment from `#` to the end of its line, also inside a continued instruction.
    Comment,
    /// Blanks that separate.
    Blank,
    /// `\n`, or `\r\n`; every `\r` before the `\n` or the end of the file belongs to it.
    LineEnd,
    /// The word that names an instruction.
    Keyword,
    /// `--name=value` in front of the arguments.
    Flag,
    /// Arguments, as far as they reach on one line.
    Text,
    /// The escape character that continues a line, and blanks behind it.
    Continuation,
    /// Lines of a heredoc.
    HeredocBody,
    /// The line that ends a heredoc, without its line ending.
    HeredocEnd,
}

/// The keyword of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the instruction of its name")]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
    /// A word that BuildKit does not know.
    Unknown,
}

/// One instruction.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// Which one.
    pub keyword: Keyword,
    /// The keyword as written.
    pub keyword_span: Span,
    /// From the keyword to the last byte of its last line, heredocs included, final line ending not.
    pub span: Span,
    /// First and last line, from 1, as BuildKit counts them (comment and blank lines before it are not part of it).
    pub lines: (u32, u32),
    /// What follows the keyword, as one line: flags and arguments. `flags` and `args` are ranges of this text.
    pub body: Joined,
    /// Flags in order.
    pub flags: Vec<Flag>,
    /// The arguments in `body`: what follows the flags, blanks trimmed as BuildKit trims them.
    pub args: Range<u32>,
    /// Heredocs that it opens, in order.
    pub heredocs: Vec<Heredoc>,
    /// The instruction that `ONBUILD` keeps for later; it has the heredocs too. Never an `ONBUILD` itself.
    pub trigger: Option<Box<Instruction>>,
    /// The escape character in force.
    pub escape: u8,
}

/// `--name` or `--name=value`.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The whole flag, in the file.
    pub span: Span,
    /// The whole flag, in the instruction's `body`.
    pub range: Range<u32>,
    /// The name, without the dashes, in lower or upper case as written; BuildKit knows lower case only.
    pub name: String,
    /// The value, if there is a `=`; quotes and protecting backslashes are taken off.
    pub value: Option<String>,
    /// Where the value lies in the file.
    pub value_span: Span,
}

/// A here-document.
#[derive(Clone, Debug)]
pub struct Heredoc {
    /// The opening `<<EOF` in the file.
    pub marker: Span,
    /// The word that ends it, quotes off.
    pub name: String,
    /// Whether variables in it are expanded: no part of the word was quoted.
    pub expand: bool,
    /// Whether leading tabs are taken off (`<<-`).
    pub chomp: bool,
    /// The file descriptor in front of `<<`; 0 where none is written.
    pub descriptor: u32,
    /// Its lines, in the file, the last line ending included.
    pub body: Span,
    /// The line that ends it, without its line ending; `None` where the file ends first.
    pub end: Option<Span>,
}

impl Dockerfile {
    /// The image that `# syntax=` names: it reads the file in place of what is built into BuildKit.
    pub fn frontend<'a>(&self, source: &'a [u8]) -> Option<&'a [u8]> {
        let mut directives = self.directives.iter();
        let syntax = directives.find(|directive| directive.name.of(source).eq_ignore_ascii_case(b"syntax"))?;
        syntax.value.of(source).split(|&byte| byte == b' ').next()
    }

    /// Whether a frontend reads the file that is none of Docker's, or a mirror of one: nobody else knows what it takes.
    pub fn has_foreign_frontend(&self, source: &[u8]) -> bool {
        let Some(image) = self.frontend(source) else { return false };
        let path = image.split(|&byte| byte == b'@').next().unwrap_or_default();
        let last = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let name = last.split(|&byte| byte == b':').next().unwrap_or_default();
        !matches!(name, b"dockerfile" | b"dockerfile-upstream")
    }
}

impl Instruction {
    /// The arguments as text, lines joined: what follows the flags.
    pub fn args_text<'a>(&'a self, source: &'a [u8]) -> &'a [u8] {
        &self.body.text(source)[self.args.start as usize..self.args.end as usize]
    }

    /// The flag of that name, in any case.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name.eq_ignore_ascii_case(name))
    }

    /// The flags of that name, in order.
    pub fn flags_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Flag> {
        self.flags.iter().filter(move |flag| flag.name.eq_ignore_ascii_case(name))
    }

    /// Whether the arguments are in JSON form; the command behind `HEALTHCHECK CMD` counts.
    pub fn is_json(&self, source: &[u8]) -> bool {
        self.json_form(source) == Form::Strings
    }

    fn json_form(&self, source: &[u8]) -> Form {
        let args = self.args_text(source);
        match self.keyword {
            Keyword::Add
            | Keyword::Cmd
            | Keyword::Copy
            | Keyword::Entrypoint
            | Keyword::Run
            | Keyword::Shell
            | Keyword::Volume => json::form(args, |_| {}),
            Keyword::Healthcheck => json::form(&args[arguments::health_check(args).1..], |_| {}),
            Keyword::Arg
            | Keyword::Env
            | Keyword::Expose
            | Keyword::From
            | Keyword::Label
            | Keyword::Maintainer
            | Keyword::Onbuild
            | Keyword::Stopsignal
            | Keyword::Unknown
            | Keyword::User
            | Keyword::Workdir => Form::NotJson,
        }
    }

    /// The arguments as BuildKit splits them for this instruction.
    pub fn arguments<'a>(&'a self, source: &'a [u8]) -> Arguments<'a> {
        arguments::arguments(self, source)
    }
}
