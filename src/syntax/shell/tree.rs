//! What a script holds, as flat tables, and the views that read them.

use super::Dialect;
use crate::text::Span;
use std::borrow::Cow;

/// A script that was read.
///
/// It owns its text, so it can be kept anywhere. Views ([`Command`], [`Word`], …) are cheap copies that borrow it.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) text: Box<[u8]>,
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
    pub(super) doubts: Vec<Doubt>,
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
    /// Nested deeper than the reader goes; nothing after this is read.
    TooDeep,
    /// Not a script for a Bourne shell; nothing of it is read.
    NotShell,
}

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
    pub after_span: Span,
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

/// What a part of a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What.
    pub kind: PieceKind,
    /// All of it; for text in quotes, without the quotes.
    pub span: Span,
    /// Whether it stands in quotes, so that its value is neither split nor globbed.
    pub quoted: bool,
    /// Whether it is part of another piece (`${a:-$b}`); such pieces follow the one they are part of.
    pub nested: bool,
}

/// Kinds of piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// Text, under this kind of quotes.
    Text(Quoting),
    /// `$name`, `${name}`, `${name:-operand}`.
    Variable {
        /// The name without `$` and braces: an identifier, a number or a special character.
        name: Span,
        /// What is done with its value.
        operator: Operator,
        /// What stands behind the operator, up to the closing brace.
        operand: Span,
    },
    /// `$( … )` or backquotes: the compound command of that index.
    Substitution(u32),
    /// `<( … )` or `>( … )`: the compound command of that index.
    Process(u32),
    /// `$(( … ))` or `$[ … ]`.
    Arithmetic,
}

/// Kinds of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quoting {
    /// None; a backslash protects the next byte.
    Bare,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `$'…'`
    Ansi,
}

/// What `${…}` does with the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// Nothing.
    None,
    /// `-`, `:-`: the operand if it is unset (or empty).
    Default,
    /// `=`, `:=`: likewise, and assigns it.
    Assign,
    /// `?`, `:?`: fails with the operand as message if it is unset (or empty).
    Require,
    /// `+`, `:+`: the operand if it is set (and not empty).
    Alternative,
    /// `#`, `##`, `%`, `%%`: without a prefix or suffix.
    Trim,
    /// `/`, `//`: with a pattern replaced.
    Replace,
    /// `:`: a part of it.
    Slice,
    /// `^`, `,`, `@`: in another case or form.
    Transform,
    /// `#` before the name: its length.
    Length,
    /// `!` before the name: the variable that it names.
    Indirect,
    /// `[…]`: an element of an array, whatever follows.
    Element,
}

/// What a redirection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RedirectOperator {
    /// `<`
    Read,
    /// `>`, `>|`
    Write,
    /// `>>`
    Append,
    /// `<>`
    ReadWrite,
    /// `<&`
    DuplicateInput,
    /// `>&`
    DuplicateOutput,
    /// `&>`
    WriteAll,
    /// `&>>`
    AppendAll,
    /// `<<`, `<<-`
    Heredoc,
    /// `<<<`
    HereString,
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

    fn len(self) -> usize {
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
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CompoundData {
    pub(super) kind: CompoundKind,
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
pub(super) struct Features(pub(super) u16);

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

    pub(super) fn add(&mut self, other: Features) {
        self.0 |= other.0;
    }

    pub(super) fn any(self, of: Features) -> bool {
        self.0 & of.0 != 0
    }

    pub(super) fn remove(&mut self, other: Features) {
        self.0 &= !other.0;
    }

    fn is_literal(self) -> bool {
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
    /// The text that was read.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The bytes of `span`.
    pub fn bytes(&self, span: Span) -> &[u8] {
        span.of(&self.text)
    }

    /// The dialect it was read as.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Every simple command in source order; one inside a substitution comes behind the one it is part of.
    pub fn commands(&self) -> impl DoubleEndedIterator<Item = Command<'_>> + ExactSizeIterator {
        (0..self.commands.len() as u32).map(|index| self.command(index))
    }

    /// The simple command of that index.
    pub fn command(&self, index: u32) -> Command<'_> {
        Command { script: self, index }
    }

    /// Every compound command in source order, substitutions included.
    pub fn compounds(&self) -> impl DoubleEndedIterator<Item = Compound<'_>> + ExactSizeIterator {
        (0..self.compounds.len() as u32).map(|index| self.compound(index))
    }

    /// The compound command of that index.
    pub fn compound(&self, index: u32) -> Compound<'_> {
        Compound { script: self, index }
    }

    /// Comments, without line ends.
    pub fn comments(&self) -> &[Span] {
        &self.comments
    }

    /// Where the reader is unsure, by start.
    pub fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    /// Whether a doubt touches `span`. A fix must not edit text in doubt.
    pub fn doubts_in(&self, span: Span) -> impl Iterator<Item = Doubt> + '_ {
        self.doubts.iter().copied().filter(move |doubt| doubt.span.start < span.end && span.start <= doubt.span.end)
    }

    /// Here-documents in order.
    pub fn heredocs(&self) -> impl ExactSizeIterator<Item = Heredoc<'_>> {
        (0..self.heredocs.len() as u32).map(|index| Heredoc { script: self, index })
    }

    /// The span of an element.
    pub fn span_of(&self, element: Element) -> Span {
        match element {
            Element::Command(index) => self.commands[index as usize].span,
            Element::Compound(index) => self.compounds[index as usize].span,
        }
    }

    /// The place of an element.
    pub fn place_of(&self, element: Element) -> &Place {
        match element {
            Element::Command(index) => &self.commands[index as usize].place,
            Element::Compound(index) => &self.compounds[index as usize].place,
        }
    }

    pub(super) fn place_mut(&mut self, element: Element) -> &mut Place {
        match element {
            Element::Command(index) => &mut self.commands[index as usize].place,
            Element::Compound(index) => &mut self.compounds[index as usize].place,
        }
    }

    fn words_of(&self, run: Run) -> Words<'_> {
        Words { script: self, words: run.of(&self.words).iter() }
    }
}

/// Words of a command, in order.
#[derive(Clone, Debug)]
pub struct Words<'s> {
    script: &'s Script,
    words: std::slice::Iter<'s, WordData>,
}

impl<'s> Iterator for Words<'s> {
    type Item = Word<'s>;

    fn next(&mut self) -> Option<Word<'s>> {
        self.words.next().map(|data| Word { script: self.script, data })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.words.size_hint()
    }
}

impl DoubleEndedIterator for Words<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.words.next_back().map(|data| Word { script: self.script, data })
    }
}

impl ExactSizeIterator for Words<'_> {}

/// A simple command: assignments, words, redirections.
#[derive(Clone, Copy, Debug)]
pub struct Command<'s> {
    pub(super) script: &'s Script,
    pub(super) index: u32,
}

impl<'s> Command<'s> {
    fn data(self) -> &'s CommandData {
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
        self.data().span
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
        self.script.doubts_in(self.span()).next().is_some()
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
        self.data().span
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

    /// For substitutions: whose word it is part of. `None` for other kinds.
    pub fn owner(self) -> Option<Owner> {
        self.data().owner
    }
}

/// A word.
#[derive(Clone, Copy, Debug)]
pub struct Word<'s> {
    script: &'s Script,
    data: &'s WordData,
}

impl<'s> Word<'s> {
    /// All of it, quotes included.
    pub fn span(self) -> Span {
        self.data.span
    }

    /// Its bytes after quote removal; variables, substitutions, globs, tildes and braces stay as written.
    pub fn bytes(self) -> &'s [u8] {
        self.data.text.of(if self.data.is_decoded { &self.script.decoded } else { &self.script.text })
    }

    /// [`Word::bytes`] as text; bytes that are not UTF-8 become replacement characters.
    pub fn text(self) -> Cow<'s, str> {
        String::from_utf8_lossy(self.bytes())
    }

    /// Its value, if that is certain: nothing in it is expanded, and it is UTF-8.
    pub fn literal(self) -> Option<&'s str> {
        if !self.data.features.is_literal() {
            return None;
        }
        std::str::from_utf8(self.bytes()).ok()
    }

    /// Its bytes as written.
    pub fn source(self) -> &'s [u8] {
        self.script.bytes(self.span())
    }

    /// Whether any part of it is quoted or protected by a backslash.
    pub fn is_quoted(self) -> bool {
        self.data.features.any(Features::QUOTES)
    }

    /// Whether variables, substitutions or arithmetic decide its value.
    pub fn is_dynamic(self) -> bool {
        let dynamic = Features(Features::VARIABLE.0 | Features::SUBSTITUTION.0 | Features::ARITHMETIC.0);
        self.data.features.any(dynamic)
    }

    /// Whether it holds a variable.
    pub fn has_variable(self) -> bool {
        self.data.features.any(Features::VARIABLE)
    }

    /// Whether it holds a command or process substitution.
    pub fn has_substitution(self) -> bool {
        self.data.features.any(Features::SUBSTITUTION)
    }

    /// Whether it holds `*`, `?` or `[…]` outside quotes.
    pub fn has_glob(self) -> bool {
        self.data.features.any(Features::GLOB)
    }

    /// Whether it holds `{a,b}` or `{1..3}` outside quotes, which bash expands and `dash` does not.
    pub fn has_braces(self) -> bool {
        self.data.features.any(Features::BRACES)
    }

    /// Whether it starts with a `~` that the shell expands.
    pub fn has_tilde(self) -> bool {
        self.data.features.any(Features::TILDE)
    }

    /// Its pieces, nested ones included. Quotes themselves are in no piece.
    pub fn pieces(self) -> impl Iterator<Item = Piece> + Clone + 's {
        let pieces = self.data.pieces.of(&self.script.pieces);
        let bare = Piece { kind: PieceKind::Text(Quoting::Bare), span: self.data.span, quoted: false, nested: false };
        let whole = (pieces.is_empty() && !self.data.span.is_empty()).then_some(bare);
        whole.into_iter().chain(pieces.iter().copied())
    }

    /// Names of the variables in it, with their spans; not those inside command substitutions.
    pub fn variables(self) -> impl Iterator<Item = (&'s [u8], Span)> + Clone + 's {
        self.pieces().filter_map(move |piece| match piece.kind {
            PieceKind::Variable { name, .. } => Some((self.script.bytes(name), piece.span)),
            PieceKind::Text(_) | PieceKind::Substitution(_) | PieceKind::Process(_) | PieceKind::Arithmetic => None,
        })
    }

    /// Its name and the offset of its value if it has the form `NAME=value`, as `export` and `env` take it.
    pub fn assigned_name(self) -> Option<&'s str> {
        let source = self.source();
        let end = source.iter().position(|&byte| !is_name_byte(byte))?;
        let is_name = end > 0 && !source[0].is_ascii_digit() && source[end] == b'=';
        is_name.then(|| std::str::from_utf8(&source[..end]).ok()).flatten()
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
        self.data.span
    }

    /// The name.
    pub fn name(self) -> &'s str {
        std::str::from_utf8(self.data.name.of(&self.script.text)).unwrap_or_default()
    }

    /// The subscript of `name[…]=`, without the brackets.
    pub fn subscript(self) -> Option<Span> {
        self.data.index
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

/// A redirection.
#[derive(Clone, Copy, Debug)]
pub struct Redirect<'s> {
    script: &'s Script,
    data: &'s RedirectData,
}

impl<'s> Redirect<'s> {
    /// From the descriptor or operator to the end of the target.
    pub fn span(self) -> Span {
        self.data.span
    }

    /// What it does.
    pub fn operator(self) -> RedirectOperator {
        self.data.operator
    }

    /// The descriptor as written before the operator: a number, or `{name}`.
    pub fn descriptor(self) -> Option<&'s [u8]> {
        self.data.descriptor.map(|span| self.script.bytes(span))
    }

    /// The file, descriptor, here-string or the word that ends a here-document.
    pub fn target(self) -> Word<'s> {
        Word { script: self.script, data: &self.data.target }
    }

    /// The here-document that it opens.
    pub fn heredoc(self) -> Option<Heredoc<'s>> {
        self.data.heredoc.map(|index| Heredoc { script: self.script, index })
    }
}

/// A here-document.
#[derive(Clone, Copy, Debug)]
pub struct Heredoc<'s> {
    script: &'s Script,
    index: u32,
}

impl<'s> Heredoc<'s> {
    fn data(self) -> &'s HeredocData {
        &self.script.heredocs[self.index as usize]
    }

    /// Its index among the here-documents of the script.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Whether variables and substitutions in it are expanded: no part of its word was quoted.
    pub fn expands(self) -> bool {
        self.data().expands
    }

    /// Whether leading tabs are taken off (`<<-`).
    pub fn strips_tabs(self) -> bool {
        self.data().strips_tabs
    }

    /// Its lines; `None` if the text ends on the line that opens it, as Docker's own here-documents do.
    pub fn body(self) -> Option<Span> {
        self.data().body
    }

    /// The line that ends it.
    pub fn end(self) -> Option<Span> {
        self.data().end
    }

    /// Variables and substitutions in it; text is left out.
    pub fn pieces(self) -> &'s [Piece] {
        self.data().pieces.of(&self.script.pieces)
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether `byte` may be part of a variable's name.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
