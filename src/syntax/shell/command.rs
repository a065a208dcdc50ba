//! Commands, simple and compound, and where they stand.

use super::{
    Redirect, Script, Word, Words,
    tree::{AssignmentData, CommandData, CompoundData, ValueData},
};
use crate::text::Span;

/// How one element of a list is joined to its neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Connector {
    /// Nothing: first or last of its list.
    None,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `;`
    Semicolon,
    /// `&`
    Background,
    /// A line end.
    Newline,
    /// `|`
    Pipe,
    /// `|&`
    PipeAll,
}

impl Connector {
    /// Whether the left side's output is the right side's input.
    pub fn is_pipe(self) -> bool {
        matches!(self, Connector::Pipe | Connector::PipeAll)
    }
}

/// One element of a list: a simple command or a compound one, by its index in the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Element {
    /// [`Script::command`] of that index.
    Command(u32),
    /// [`Script::compound`] of that index.
    Compound(u32),
}

/// Which part of a compound command a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// What is run.
    Body,
    /// Between `if`, `elif`, `while`, `until` and its `then` or `do`.
    Condition,
    /// Behind `then` of an `if` or `elif`.
    Then,
    /// Behind `else`.
    Else,
    /// Behind a pattern of a `case`.
    Branch,
    /// Between `for` and `do`; holds no commands in a sound script.
    Header,
}

/// Where an element stands among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The compound command it stands in; `None` at the top.
    pub block: Option<u32>,
    /// Which part of that.
    pub section: Section,
    /// The element before it in the same list.
    pub previous: Option<Element>,
    /// The element behind it in the same list.
    pub next: Option<Element>,
    /// How it is joined to `previous`.
    pub before: Connector,
    /// How it is joined to `next`; also a trailing `;` or `&`.
    pub after: Connector,
    /// The operator of `after`; empty for [`Connector::None`].
    pub(super) after_span: Span,
    /// Number of its pipeline: elements of one pipeline share it, no others.
    pub pipeline: u32,
    /// Its position in the pipeline, from 0.
    pub position: u32,
    /// Whether its pipeline is negated by `!`.
    pub negated: bool,
}

/// Kinds of compound command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CompoundKind {
    /// `( … )`
    Subshell,
    /// `{ …; }`
    Group,
    /// `if`
    If,
    /// `while`
    While,
    /// `until`
    Until,
    /// `for`; the words are the variable and the list.
    For,
    /// `select`, like `for`.
    Select,
    /// `case`; the words are the subject and the patterns.
    Case,
    /// A function definition; the word is its name, the body is an element in it.
    Function,
    /// `[[ … ]]`; the words are the operands and operators.
    Test,
    /// `(( … ))`
    Arithmetic,
    /// `$( … )` or backquotes, part of a word.
    Substitution,
    /// `<( … )` or `>( … )`, part of a word.
    ProcessSubstitution,
}

/// Whose word a substitution is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The command or compound command with that word.
    pub element: Element,
    /// Which word.
    pub slot: Slot,
}

/// Where in a command a word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// Word of that index; 0 is the name of a command.
    Word(u32),
    /// Value of the assignment of that index.
    Assignment(u32),
    /// Target of the redirection of that index.
    Redirect(u32),
    /// Elsewhere: the head of a compound command.
    Head,
}

/// A simple command: assignments, words, redirections.
#[derive(Clone, Copy, Debug)]
pub struct Command<'s> {
    pub(super) script: &'s Script,
    pub(super) index: u32,
}

impl<'s> Command<'s> {
    pub(super) fn data(self) -> &'s CommandData {
        &self.script.commands[self.index as usize]
    }

    /// The script it is part of.
    pub fn script(self) -> &'s Script {
        self.script
    }

    /// Its index among the commands of the script.
    pub fn index(self) -> u32 {
        self.index
    }

    /// From its first assignment, word or redirection to its last; blanks and operators around it left out.
    pub fn span(self) -> Span {
        self.script.placed(self.data().span)
    }

    /// Name and arguments as written; empty if it only assigns or redirects.
    pub fn words(self) -> Words<'s> {
        self.script.words_of(self.data().words)
    }

    /// How many words it has, the name included.
    pub fn word_count(self) -> usize {
        self.data().words.len()
    }

    /// The word of that index; 0 is the name.
    pub fn word(self, index: usize) -> Option<Word<'s>> {
        let data = self.data().words.of(&self.script.words).get(index)?;
        Some(Word { script: self.script, data })
    }

    /// The words from `start` up to `end`.
    pub(super) fn words_between(self, start: usize, end: usize) -> Words<'s> {
        let words = self.data().words.of(&self.script.words);
        Words::new(self.script, words.get(start..end).unwrap_or_default())
    }

    /// The name as written, its directory included, if it is literal.
    pub fn path(self) -> Option<&'s str> {
        self.word(0)?.literal()
    }

    /// The name without its directory, if it is literal. Wrappers such as `sudo` are not looked through:
    /// [`Command::invocation`] does.
    pub fn name(self) -> Option<&'s str> {
        self.path().map(file_name)
    }

    /// The words behind the name.
    pub fn arguments(self) -> Words<'s> {
        let mut words = self.words();
        words.next();
        words
    }

    /// Assignments before the name; without a name they change the shell's own variables.
    pub fn assignments(self) -> impl ExactSizeIterator<Item = Assignment<'s>> + Clone {
        let script = self.script;
        self.data().assignments.of(&script.assignments).iter().map(move |data| Assignment { script, data })
    }

    /// Redirections in order.
    pub fn redirects(self) -> impl ExactSizeIterator<Item = Redirect<'s>> + Clone {
        let script = self.script;
        self.data().redirects.of(&script.redirects).iter().map(move |data| Redirect { script, data })
    }

    /// Where it stands.
    pub fn place(self) -> &'s Place {
        &self.data().place
    }

    /// The operator behind it, where [`Place::after`] is one.
    pub fn operator_span(self) -> Span {
        self.script.placed(self.data().place.after_span)
    }

    /// The script that it hands to a shell as a word (`sh -c '…'`). Its spans are offsets into the same text.
    pub fn inline(self) -> Option<&'s Script> {
        let inlines = &self.script.inlines;
        let index = inlines.binary_search_by_key(&self.index, |inline| inline.command).ok()?;
        Some(&inlines[index].script)
    }

    /// The compound commands it stands in, innermost first; substitutions lead on to what their command stands in.
    pub fn blocks(self) -> Blocks<'s> {
        Blocks { script: self.script, next: self.place().block }
    }

    /// What reads its output through a pipe.
    pub fn piped_into(self) -> Option<Element> {
        self.place().next.filter(|_| self.place().after.is_pipe())
    }

    /// What writes its input through a pipe.
    pub fn piped_from(self) -> Option<Element> {
        self.place().previous.filter(|_| self.place().before.is_pipe())
    }

    /// Whether a doubt touches it.
    pub fn is_doubtful(self) -> bool {
        self.script.is_doubtful(self.data().span)
    }

    /// Whether its bytes are those that the shell reads: no quotes around it change them, no variable.
    pub fn is_verbatim(self) -> bool {
        self.script.bytes(self.span()) == self.data().span.of(&self.script.own)
    }
}

/// Compound commands around something, innermost first.
#[derive(Clone, Debug)]
pub struct Blocks<'s> {
    script: &'s Script,
    next: Option<u32>,
}

impl<'s> Iterator for Blocks<'s> {
    type Item = Compound<'s>;

    fn next(&mut self) -> Option<Compound<'s>> {
        let compound = self.script.compound(self.next?);
        self.next = compound.place().block;
        Some(compound)
    }
}

/// A compound command.
#[derive(Clone, Copy, Debug)]
pub struct Compound<'s> {
    pub(super) script: &'s Script,
    pub(super) index: u32,
}

impl<'s> Compound<'s> {
    fn data(self) -> &'s CompoundData {
        &self.script.compounds[self.index as usize]
    }

    /// Its index among the compound commands of the script.
    pub fn index(self) -> u32 {
        self.index
    }

    /// What it is.
    pub fn kind(self) -> CompoundKind {
        self.data().kind
    }

    /// All of it, redirections behind it included.
    pub fn span(self) -> Span {
        self.script.placed(self.data().span)
    }

    /// The words of its head; see [`CompoundKind`].
    pub fn words(self) -> Words<'s> {
        self.script.words_of(self.data().words)
    }

    /// Redirections behind it.
    pub fn redirects(self) -> impl ExactSizeIterator<Item = Redirect<'s>> + Clone {
        let script = self.script;
        self.data().redirects.of(&script.redirects).iter().map(move |data| Redirect { script, data })
    }

    /// Where it stands. A substitution has no neighbours; its block is the one its command stands in.
    pub fn place(self) -> &'s Place {
        &self.data().place
    }

    /// The operator behind it, where [`Place::after`] is one.
    pub fn operator_span(self) -> Span {
        self.script.placed(self.data().place.after_span)
    }

    /// For substitutions: whose word it is part of. `None` for other kinds.
    pub fn owner(self) -> Option<Owner> {
        self.data().owner
    }
}

/// `NAME=value` before a command.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'s> {
    script: &'s Script,
    data: &'s AssignmentData,
}

/// What is assigned.
#[derive(Clone, Debug)]
pub enum Value<'s> {
    /// One word, possibly empty.
    Word(Word<'s>),
    /// `( … )`
    Array(Words<'s>),
}

impl<'s> Assignment<'s> {
    /// All of it.
    pub fn span(self) -> Span {
        self.script.placed(self.data.span)
    }

    /// The name.
    pub fn name(self) -> &'s str {
        self.script.own.part(self.data.name).unwrap_or_default()
    }

    /// The subscript of `name[…]=`, without the brackets.
    pub fn subscript(self) -> Option<Span> {
        self.data.index.map(|index| self.script.placed(index))
    }

    /// Whether it is `+=`.
    pub fn appends(self) -> bool {
        self.data.appends
    }

    /// The value.
    pub fn value(self) -> Value<'s> {
        match &self.data.value {
            ValueData::Word(data) => Value::Word(Word { script: self.script, data }),
            ValueData::Array(run) => Value::Array(self.script.words_of(*run)),
        }
    }

    /// The value if it is one literal word and replaces the old one.
    pub fn literal(self) -> Option<&'s str> {
        match self.value() {
            Value::Word(word) if !self.data.appends && self.data.index.is_none() => word.literal(),
            Value::Word(_) | Value::Array(_) => None,
        }
    }
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    memchr::memrchr(b'/', path.as_bytes()).map_or(path, |slash| &path[slash + 1..])
}
