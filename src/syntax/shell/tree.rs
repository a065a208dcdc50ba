//! What a script holds: flat tables, and the doubts of the reader.

use super::{
    Command, Compound, Dialect, Element, EveryCommand, Heredoc, Inline, Owner, Piece, Place, RedirectOperator, Words,
    inline::Origin,
};
use crate::text::Span;
use std::{ops::Deref, sync::Arc};

/// A script that was read.
///
/// It owns its text, so it can be kept anywhere. Views ([`Command`], [`Word`](super::Word), …) are cheap copies that
/// borrow it. All spans that they answer are offsets into [`Script::text`].
#[derive(Clone, Debug)]
pub struct Script {
    /// What was read. Spans in the tables refer to it.
    pub(super) own: Text,
    /// The script around all others. Spans that leave this module refer to it.
    pub(super) text: Text,
    /// Where `own` lies in `text`, unless they are the same.
    pub(super) origin: Option<Origin>,
    pub(super) dialect: Dialect,
    pub(super) commands: Vec<CommandData>,
    pub(super) compounds: Vec<CompoundData>,
    pub(super) words: Vec<WordData>,
    pub(super) pieces: Vec<Piece>,
    pub(super) assignments: Vec<AssignmentData>,
    pub(super) redirects: Vec<RedirectData>,
    pub(super) heredocs: Vec<HeredocData>,
    pub(super) decoded: Vec<u8>,
    pub(super) comments: Vec<Span>,
    /// By start.
    pub(super) doubts: Vec<Doubt>,
    /// The largest end of the doubts up to each: what lets [`Script::doubts_in`] skip those before its span.
    pub(super) doubt_ends: Vec<u32>,
    /// By command.
    pub(super) inlines: Vec<Inline>,
}

/// The text of a script. Whether it is UTF-8 is found out once, since every question for a word would ask it again.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Utf8(Arc<str>),
    Bytes(Arc<[u8]>),
}

impl Text {
    pub(super) fn new(bytes: &[u8]) -> Self {
        std::str::from_utf8(bytes).map_or_else(|_| Text::Bytes(bytes.into()), |text| Text::Utf8(text.into()))
    }

    /// The text of `span`, if it is UTF-8.
    pub(super) fn part(&self, span: Span) -> Option<&str> {
        match self {
            Text::Utf8(text) => text.get(span.range()),
            Text::Bytes(bytes) => std::str::from_utf8(span.of(bytes)).ok(),
        }
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Text::Utf8(text) => text.as_bytes(),
            Text::Bytes(bytes) => bytes,
        }
    }
}

/// Where the reader is unsure, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// The text in doubt; what follows an unterminated construct is in doubt too, and covered.
    pub span: Span,
    /// Why.
    pub reason: Reason,
}

/// Why the reader is unsure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A quote is not closed.
    UnterminatedQuote,
    /// `${`, `$((`, `((` or an array is not closed.
    UnterminatedExpansion,
    /// `$(`, a backquote or `<(` is not closed.
    UnterminatedSubstitution,
    /// `if`, a loop, `case`, `{`, `(` or `[[` is not closed, or closed by the wrong word.
    UnterminatedBlock,
    /// The line that ends a here-document is missing.
    UnterminatedHeredoc,
    /// Something stands where the grammar has no place for it.
    Unexpected,
    /// An operator has no command on one of its sides.
    MissingCommand,
    /// A `${…}` of no known form.
    BadExpansion,
    /// Backquotes with backslashes inside, which the shell reads twice.
    EscapedBackquotes,
    /// `eval`: what runs is known at run time only.
    Eval,
    /// `&>` in a POSIX script, which is `&` and `>` to shells that are not bash.
    BashOnly,
    /// Nested deeper than the reader goes; nothing after this is read.
    TooDeep,
    /// Too many scripts inside this one; those that follow are not read.
    TooMany,
    /// Not a script for a Bourne shell; nothing of it is read.
    NotShell,
}

impl Reason {
    /// The reason in words: what is said of the text in doubt.
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::UnterminatedQuote => "a quote is not closed",
            Reason::UnterminatedExpansion => "an expansion is not closed",
            Reason::UnterminatedSubstitution => "a substitution is not closed",
            Reason::UnterminatedBlock => "a block is not closed",
            Reason::UnterminatedHeredoc => "the end of a here-document is missing",
            Reason::Unexpected => "this has no place here",
            Reason::MissingCommand => "a command is missing",
            Reason::BadExpansion => "this expansion has no known form",
            Reason::EscapedBackquotes => "backslashes in backquotes are read twice",
            Reason::Eval => "what `eval` runs is known at run time only",
            Reason::BashOnly => "shells other than bash read this in another way",
            Reason::TooDeep => "this is nested too deep to be read",
            Reason::TooMany => "too many scripts stand inside this one",
            Reason::NotShell => "this is no script for a Bourne shell",
        }
    }
}

/// A range of indices into one of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Run {
    pub(super) fn of<T>(self, table: &[T]) -> &[T] {
        &table[self.start as usize..self.end as usize]
    }

    pub(super) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CommandData {
    pub(super) span: Span,
    pub(super) words: Run,
    pub(super) assignments: Run,
    pub(super) redirects: Run,
    pub(super) place: Place,
    /// Found once the whole script is read.
    pub(super) program: Option<Program>,
}

/// What a command runs in the end: the word that names it, behind the wrappers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub(super) word: u32,
    /// Where the name of the program begins in its text, behind its directory; `None` if it is not literal.
    pub(super) name: Option<u32>,
    /// One bit for each [`Wrapper`](super::Wrapper).
    pub(super) wrappers: u16,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CompoundData {
    pub(super) kind: super::CompoundKind,
    pub(super) span: Span,
    pub(super) words: Run,
    pub(super) redirects: Run,
    pub(super) place: Place,
    pub(super) owner: Option<Owner>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct WordData {
    pub(super) span: Span,
    /// The text after quote removal: in the script, or in `decoded`.
    pub(super) text: Span,
    pub(super) is_decoded: bool,
    pub(super) features: Features,
    /// Empty if the word is one piece of bare text without backslashes.
    pub(super) pieces: Run,
}

/// What a word contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features(u16);

impl Features {
    pub(super) const QUOTES: Features = Features(1);
    pub(super) const VARIABLE: Features = Features(2);
    pub(super) const SUBSTITUTION: Features = Features(4);
    pub(super) const ARITHMETIC: Features = Features(8);
    pub(super) const GLOB: Features = Features(16);
    pub(super) const BRACES: Features = Features(32);
    pub(super) const TILDE: Features = Features(64);
    /// Parentheses: an extended glob, or the array of `declare a=(…)`.
    pub(super) const GROUP: Features = Features(128);
    /// A `[`, which is a glob if a `]` follows; only while the word is read.
    pub(super) const BRACKET: Features = Features(256);
    /// Text that a script around this one has put together.
    pub(super) const OPAQUE: Features = Features(512);
    /// Everything whose value is known at run time only.
    pub(super) const DYNAMIC: Features =
        Features(Self::VARIABLE.0 | Self::SUBSTITUTION.0 | Self::ARITHMETIC.0 | Self::OPAQUE.0);

    pub(super) fn add(&mut self, other: Features) {
        self.0 |= other.0;
    }

    pub(super) fn remove(&mut self, other: Features) {
        self.0 &= !other.0;
    }

    pub(super) fn any(self, of: Features) -> bool {
        self.0 & of.0 != 0
    }

    pub(super) fn is_literal(self) -> bool {
        self.0 & !Self::QUOTES.0 == 0
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct AssignmentData {
    pub(super) span: Span,
    pub(super) name: Span,
    pub(super) index: Option<Span>,
    pub(super) appends: bool,
    pub(super) value: ValueData,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ValueData {
    Word(WordData),
    Array(Run),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct RedirectData {
    pub(super) span: Span,
    pub(super) operator: RedirectOperator,
    pub(super) descriptor: Option<Span>,
    pub(super) target: WordData,
    pub(super) heredoc: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct HeredocData {
    pub(super) delimiter: WordData,
    pub(super) expands: bool,
    pub(super) strips_tabs: bool,
    pub(super) body: Option<Span>,
    pub(super) end: Option<Span>,
    pub(super) pieces: Run,
}

impl Script {
    pub(super) fn empty(own: Text, dialect: Dialect) -> Self {
        // About what real scripts have; the tables grow where that is not enough.
        let length = own.len().min(32_768);
        Self {
            text: own.clone(),
            own,
            origin: None,
            dialect,
            commands: Vec::with_capacity(length / 48 + 1),
            compounds: Vec::new(),
            words: Vec::with_capacity(length / 8 + 2),
            pieces: Vec::new(),
            assignments: Vec::new(),
            redirects: Vec::new(),
            heredocs: Vec::new(),
            decoded: Vec::new(),
            comments: Vec::new(),
            doubts: Vec::new(),
            doubt_ends: Vec::new(),
            inlines: Vec::new(),
        }
    }

    /// The text that spans refer to: what was given to [`parse`](super::parse), for inline scripts too.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The bytes of `span`, as written.
    pub fn bytes(&self, span: Span) -> &[u8] {
        span.of(&self.text)
    }

    /// The dialect it was read as.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Every simple command in source order; one inside a substitution comes behind the one it is part of. Those of
    /// inline scripts (`sh -c '…'`) are left out: [`Script::every_command`] has them.
    pub fn commands(&self) -> impl DoubleEndedIterator<Item = Command<'_>> + ExactSizeIterator + Clone {
        (0..self.commands.len() as u32).map(|index| self.command(index))
    }

    /// Every simple command, each followed by those of the script that it hands to a shell.
    pub fn every_command(&self) -> EveryCommand<'_> {
        EveryCommand::new(self)
    }

    /// Hands out its text as it is written, and the texts of those of its words that have quotes inside, in a row.
    pub fn each_text(&self, take: &mut impl FnMut(&[u8])) {
        take(&self.text);
        self.each_decoded(take);
    }

    fn each_decoded(&self, take: &mut impl FnMut(&[u8])) {
        if !self.decoded.is_empty() {
            take(&self.decoded);
        }
        self.inlines.iter().for_each(|inline| inline.script.each_decoded(take));
    }

    /// Whether a command, of inline scripts too, assigns a variable in front of its name.
    pub fn has_assignments(&self) -> bool {
        !self.assignments.is_empty() || self.inlines.iter().any(|inline| inline.script.has_assignments())
    }

    /// The simple command of that index.
    pub fn command(&self, index: u32) -> Command<'_> {
        Command { script: self, index }
    }

    /// Every compound command in source order, substitutions included.
    pub fn compounds(&self) -> impl DoubleEndedIterator<Item = Compound<'_>> + ExactSizeIterator + Clone {
        (0..self.compounds.len() as u32).map(|index| self.compound(index))
    }

    /// The compound command of that index.
    pub fn compound(&self, index: u32) -> Compound<'_> {
        Compound { script: self, index }
    }

    /// Comments, without line ends.
    pub fn comments(&self) -> impl ExactSizeIterator<Item = Span> {
        self.comments.iter().map(|&comment| self.placed(comment))
    }

    /// Where the reader is unsure, by start; doubts about inline scripts are theirs.
    pub fn doubts(&self) -> impl ExactSizeIterator<Item = Doubt> {
        self.doubts.iter().map(|doubt| Doubt { span: self.placed(doubt.span), reason: doubt.reason })
    }

    /// Doubts that touch `span`. A fix must not edit text in doubt.
    pub fn doubts_in(&self, span: Span) -> impl Iterator<Item = Doubt> {
        self.doubts().filter(move |doubt| doubt.span.start < span.end && span.start <= doubt.span.end)
    }

    /// Whether a doubt touches `own` text. Takes no longer where there are many doubts.
    pub(super) fn is_doubtful(&self, own: Span) -> bool {
        let first = self.doubt_ends.partition_point(|&end| end < own.start);
        self.doubts.get(first).is_some_and(|doubt| doubt.span.start < own.end)
    }

    pub(super) fn sort_doubts(&mut self) {
        self.doubts.sort_unstable();
        let ends = self.doubts.iter().scan(0, |last, doubt| {
            *last = doubt.span.end.max(*last);
            Some(*last)
        });
        self.doubt_ends = ends.collect();
    }

    /// Here-documents in order.
    pub fn heredocs(&self) -> impl ExactSizeIterator<Item = Heredoc<'_>> {
        (0..self.heredocs.len() as u32).map(|index| Heredoc { script: self, index })
    }

    /// Scripts that commands hand to a shell, in order of the commands.
    pub fn inlines(&self) -> impl ExactSizeIterator<Item = (Command<'_>, &Script)> {
        self.inlines.iter().map(|inline| (self.command(inline.command), &inline.script))
    }

    /// Whether it is a script inside another one. Its text then may stand under quotes, so that text put into it has
    /// to be quoted once more.
    pub fn is_inline(&self) -> bool {
        self.origin.is_some()
    }

    /// The span of an element.
    pub fn span_of(&self, element: Element) -> Span {
        self.placed(self.own_span_of(element))
    }

    /// The place of an element.
    pub fn place_of(&self, element: Element) -> &Place {
        match element {
            Element::Command(index) => &self.commands[index as usize].place,
            Element::Compound(index) => &self.compounds[index as usize].place,
        }
    }

    pub(super) fn own_span_of(&self, element: Element) -> Span {
        match element {
            Element::Command(index) => self.commands[index as usize].span,
            Element::Compound(index) => self.compounds[index as usize].span,
        }
    }

    pub(super) fn place_mut(&mut self, element: Element) -> &mut Place {
        match element {
            Element::Command(index) => &mut self.commands[index as usize].place,
            Element::Compound(index) => &mut self.compounds[index as usize].place,
        }
    }

    /// Where `own` text lies in [`Script::text`].
    pub(super) fn placed(&self, own: Span) -> Span {
        match &self.origin {
            None => own,
            Some(origin) => origin.place(own),
        }
    }

    pub(super) fn words_of(&self, run: Run) -> Words<'_> {
        Words::new(self, run.of(&self.words))
    }
}
