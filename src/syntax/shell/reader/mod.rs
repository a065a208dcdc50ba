//! The machine: one pass, an explicit stack, no recursion.
//!
//! [`Frame`]s are what is being read, innermost last. Each step looks at the innermost frame, reads some text, and may
//! push or pop frames. [`List`]s have a stack of their own, since whatever is nested in a word asks for the innermost
//! one. Words, pieces, assignments and redirections wait on stacks until their owner is complete; then they move to
//! the tables of the [`Script`], so that those of one owner lie side by side.

mod block;
mod decode;
mod expansion;
mod head;
mod heredoc;
mod list;
mod word;

pub(super) use decode::decode_traced;

use crate::{
    syntax::shell::{
        Connector, Dialect, Doubt, Element, Piece, PieceKind, Quoting, Reason, RedirectOperator, Script, Section,
        inline,
        tree::{AssignmentData, Features, RedirectData, Run, Text, ValueData, WordData},
    },
    text::Span,
};
use std::collections::VecDeque;

/// Frames that may be open at once. Real scripts stay below twenty.
const DEEPEST: usize = 200;

/// Commands that are asked for a script inside them. Real scripts have a handful.
const MOST_INLINE: usize = 1000;

/// What is being read.
#[derive(Debug)]
pub(super) enum Frame {
    /// The innermost of `lists`.
    List,
    /// A word.
    Word(WordFrame),
    /// `"…"`, from the quote.
    Double { start: usize },
    /// `${…}` behind its operator.
    Parameter { piece: usize, operand: usize, quoted: bool, quotes_count: bool },
    /// `$((`, `((`, `$[`.
    Arithmetic { start: usize, open: u32, kind: Arithmetic, pieces: usize },
    /// `name=( … )`.
    Array { start: usize, words: usize, head: AssignmentHead },
    /// The head and the patterns of a `case`.
    Case { compound: u32, words: usize, state: CaseState },
    /// The head of a `for` or `select`.
    For { compound: u32, words: usize, state: ForState },
    /// `[[ … ]]`.
    Test { compound: u32, words: usize, pattern_next: bool },
    /// The lines of a here-document; `waiting` come behind it.
    Heredoc { heredoc: u32, pieces: usize, outer_end: usize, resume: usize, waiting: VecDeque<u32> },
}

#[derive(Debug)]
pub(super) struct WordFrame {
    pub(super) start: usize,
    pub(super) pieces: usize,
    pub(super) features: Features,
    pub(super) role: Role,
    /// Whether `(` and `|` are part of it: the right side of `=~` and `==`.
    pub(super) is_pattern: bool,
    /// Parentheses that are open in it: an extended glob, a regular expression, the array of `declare a=(…)`.
    pub(super) parentheses: u32,
}

/// What a word is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// Name or argument of the command being read.
    Argument,
    /// Value of an assignment.
    Assignment(AssignmentHead),
    /// Target of a redirection.
    Target { start: usize, operator: RedirectOperator, descriptor: Option<Span> },
    /// Word of an array or of the head of a compound command.
    Plain,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct AssignmentHead {
    pub(super) start: usize,
    pub(super) name: Span,
    pub(super) index: Option<Span>,
    pub(super) appends: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    /// `$((`; the piece of that index.
    Expansion(usize),
    /// `$[`
    Bracket(usize),
    /// `((`; the compound of that index.
    Command(u32),
    /// `for ((`
    Loop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CaseState {
    Subject,
    In,
    Pattern,
    Alternatives,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ForState {
    Name,
    In,
    Words,
}

/// What opened a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    Root,
    /// `(`, `$(`, `<(`: closed by `)`.
    Parenthesis,
    /// A backquote; the text ends where its partner stands, `outer_end` is where the text around it ends.
    Backquote {
        outer_end: usize,
    },
    Brace,
    If,
    Loop,
    Branch,
    Function,
}

/// Commands one behind the other.
#[derive(Debug)]
pub(super) struct List {
    pub(super) opener: Opener,
    pub(super) section: Section,
    pub(super) compound: Option<u32>,
    /// The piece that it is the inside of, for substitutions.
    pub(super) piece: Option<usize>,
    pub(super) state: State,
    pub(super) last: Option<Element>,
    pub(super) joint: Connector,
    pub(super) joint_span: Span,
    pub(super) negated: bool,
    /// Whether the current command has an option that ends in `c`.
    pub(super) has_script: bool,
    /// Where on the waiting stacks its current element starts.
    pub(super) words: usize,
    pub(super) assignments: usize,
    pub(super) redirects: usize,
    /// How deep in other pieces the text around it is.
    pub(super) outer_nesting: u32,
}

/// What a list waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// An element.
    Start,
    /// More of this simple command.
    Command(u32),
    /// Redirections of this compound command, or a connector.
    After(u32),
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    /// Where the text being read ends: all of it, a here-document, or what stands in backquotes.
    pub(super) end: usize,
    pub(super) frames: Vec<Frame>,
    pub(super) lists: Vec<List>,
    pub(super) words: Vec<WordData>,
    pub(super) pieces: Vec<Piece>,
    pub(super) assignments: Vec<AssignmentData>,
    pub(super) redirects: Vec<RedirectData>,
    /// Here-documents whose lines are still to come.
    pub(super) pending: VecDeque<u32>,
    /// Here-documents that are being read, one in another.
    pub(super) heredocs: u32,
    /// How many pieces of the current word are open.
    pub(super) nesting: u32,
    pub(super) pipelines: u32,
    /// Bytes that may still be looked at ahead of time; keeps the whole linear.
    pub(super) lookahead: usize,
    /// Too deep: everything is being closed, nothing more is read.
    pub(super) is_abandoned: bool,
    /// Commands that may hand a script to a shell.
    pub(super) shells: Vec<u32>,
    pub(super) out: Script,
}

/// Reads a script that stands inside `depth` others.
pub(super) fn read(script: &Text, dialect: Dialect, depth: u32) -> Script {
    let out = Script::empty(script.clone(), dialect);
    let mut reader = Reader {
        text: script,
        at: 0,
        end: script.len(),
        frames: Vec::with_capacity(8),
        lists: Vec::with_capacity(4),
        words: Vec::with_capacity(16),
        pieces: Vec::new(),
        assignments: Vec::new(),
        redirects: Vec::new(),
        pending: VecDeque::new(),
        heredocs: 0,
        nesting: 0,
        pipelines: 0,
        lookahead: 4 * script.len() + 4096,
        is_abandoned: false,
        shells: Vec::new(),
        out,
    };
    if !dialect.is_bourne() {
        reader.doubt(0, script.len(), Reason::NotShell);
        reader.out.sort_doubts();
        return reader.out;
    }
    reader.push_list(Opener::Root, Section::Body, None, None);
    reader.run();
    let Reader { mut out, mut shells, .. } = reader;
    shells.sort_unstable();
    if let Some(&index) = shells.get(MOST_INLINE) {
        let span = Span { start: out.commands[index as usize].span.start, end: script.len() as u32 };
        out.doubts.push(Doubt { span, reason: Reason::TooMany });
        shells.truncate(MOST_INLINE);
    }
    out.sort_doubts();
    for index in 0..out.commands.len() {
        out.commands[index].program = out.command(index as u32).program();
    }
    out.inlines = shells.into_iter().filter_map(|index| inline::read(out.command(index), depth)).collect();
    out
}

impl<'a> Reader<'a> {
    fn run(&mut self) {
        while let Some(frame) = self.frames.last() {
            match frame {
                Frame::List => self.list_step(),
                Frame::Word(_) => self.word_step(),
                Frame::Double { .. } => self.double_step(),
                Frame::Parameter { .. } => self.parameter_step(),
                Frame::Arithmetic { .. } => self.arithmetic_step(),
                Frame::Array { .. } => self.array_step(),
                Frame::Case { .. } => self.case_step(),
                Frame::For { .. } => self.for_step(),
                Frame::Test { .. } => self.test_step(),
                Frame::Heredoc { .. } => self.heredoc_step(),
            }
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.byte(0)
    }

    /// The byte `ahead` of the current one.
    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        if at < self.end { Some(self.text[at]) } else { None }
    }

    /// What is left of the text being read.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..self.end]
    }

    pub(super) fn doubt(&mut self, start: usize, end: usize, reason: Reason) {
        if !self.is_abandoned {
            self.out.doubts.push(Doubt { span: Span::new(start, end), reason });
        }
    }

    /// Opens a frame, or gives up if there are too many.
    pub(super) fn push(&mut self, frame: Frame) {
        self.frames.push(frame);
        if self.frames.len() > DEEPEST {
            self.abandon();
        }
    }

    /// Reads no further.
    pub(super) fn abandon(&mut self) {
        self.doubt(self.at, self.text.len(), Reason::TooDeep);
        self.is_abandoned = true;
        self.end = self.at;
    }

    pub(super) fn push_list(&mut self, opener: Opener, section: Section, compound: Option<u32>, piece: Option<usize>) {
        self.lists.push(List {
            opener,
            section,
            compound,
            piece,
            state: State::Start,
            last: None,
            joint: Connector::None,
            joint_span: Span::default(),
            negated: false,
            has_script: false,
            words: self.words.len(),
            assignments: self.assignments.len(),
            redirects: self.redirects.len(),
            outer_nesting: self.nesting,
        });
        self.nesting = 0;
        self.push(Frame::List);
    }

    /// The innermost list.
    pub(super) fn list(&mut self) -> &mut List {
        self.lists.last_mut().expect("the root list stays until the end")
    }

    /// Back to a text that ends at `outer_end`, `resume` being where it goes on.
    pub(super) fn leave_region(&mut self, outer_end: usize, resume: usize) {
        if !self.is_abandoned {
            self.end = outer_end;
            self.at = resume.min(outer_end);
        }
    }

    /// Blanks, and line ends that a backslash hides.
    pub(super) fn skip_blanks(&mut self) {
        while self.at < self.end {
            match self.text[self.at] {
                b' ' | b'\t' => self.at += 1,
                b'\\' if self.byte(1) == Some(b'\n') => self.at += 2,
                b'\\' if self.byte(1) == Some(b'\r') && self.byte(2) == Some(b'\n') => self.at += 3,
                b'\r' if matches!(self.byte(1), Some(b'\n') | None) => self.at += 1,
                _ => return,
            }
        }
    }

    /// A comment up to its line end.
    pub(super) fn comment(&mut self) {
        let rest = self.rest();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.out.comments.push(Span::new(self.at, self.at + length));
        self.at += length;
    }

    /// A line end: here-documents that were opened on the line come now.
    pub(super) fn line_end(&mut self) {
        self.at += 1;
        if !self.pending.is_empty() {
            self.next_heredoc();
        }
    }

    /// Moves the waiting words from `base` on to the table.
    pub(super) fn take_words(&mut self, base: usize) -> Run {
        drain(&mut self.words, base, &mut self.out.words)
    }

    pub(super) fn take_pieces(&mut self, base: usize) -> Run {
        drain(&mut self.pieces, base, &mut self.out.pieces)
    }

    pub(super) fn take_assignments(&mut self, base: usize) -> Run {
        drain(&mut self.assignments, base, &mut self.out.assignments)
    }

    pub(super) fn take_redirects(&mut self, base: usize) -> Run {
        drain(&mut self.redirects, base, &mut self.out.redirects)
    }

    /// A complete word goes where its role says.
    pub(super) fn deliver(&mut self, word: WordData, role: Role) {
        match role {
            Role::Argument => {
                self.words.push(word);
                self.note_script(word.span);
                self.extend_element(word.span.end);
            }
            Role::Plain => self.words.push(word),
            Role::Assignment(head) => self.deliver_assignment(head, ValueData::Word(word), word.span.end),
            Role::Target { start, operator, descriptor } => {
                let span = Span { start: start as u32, end: word.span.end };
                self.redirects.push(RedirectData { span, operator, descriptor, target: word, heredoc: None });
                self.extend_element(word.span.end);
            }
        }
    }

    /// An option that ends in `c` may hand a script to a shell.
    pub(super) fn note_script(&mut self, argument: Span) {
        if let [b'-', .., b'c'] = argument.of(self.text) {
            self.list().has_script = true;
        }
    }

    pub(super) fn deliver_assignment(&mut self, head: AssignmentHead, value: ValueData, end: u32) {
        let AssignmentHead { start, name, index, appends } = head;
        let span = Span { start: start as u32, end };
        self.assignments.push(AssignmentData { span, name, index, appends, value });
        self.extend_element(end);
    }

    /// The element being read reaches to `end` at least.
    pub(super) fn extend_element(&mut self, end: u32) {
        let span = match self.list().state {
            State::Start => return,
            State::Command(index) => &mut self.out.commands[index as usize].span,
            State::After(index) => &mut self.out.compounds[index as usize].span,
        };
        span.end = span.end.max(end);
    }

    /// A piece of the word being read.
    pub(super) fn piece(&mut self, kind: PieceKind, start: usize, end: usize, quoted: bool) -> usize {
        let nested = self.nesting > 0;
        self.pieces.push(Piece { kind, span: Span::new(start, end), quoted, nested });
        self.pieces.len() - 1
    }

    /// Text of the word being read; text inside other pieces is theirs.
    pub(super) fn text_piece(&mut self, start: usize, end: usize, quoting: Quoting) {
        if self.nesting == 0 {
            self.piece(PieceKind::Text(quoting), start, end, quoting != Quoting::Bare);
        }
    }

    /// The innermost word takes note of what it contains.
    pub(super) fn feature(&mut self, features: Features) {
        for frame in self.frames.iter_mut().rev() {
            match frame {
                Frame::Word(word) => return word.features.add(features),
                Frame::List | Frame::Heredoc { .. } => return,
                Frame::Double { .. }
                | Frame::Parameter { .. }
                | Frame::Arithmetic { .. }
                | Frame::Array { .. }
                | Frame::Case { .. }
                | Frame::For { .. }
                | Frame::Test { .. } => {}
            }
        }
    }
}

fn drain<T>(from: &mut Vec<T>, base: usize, to: &mut Vec<T>) -> Run {
    let start = to.len() as u32;
    if from.len() == base {
        return Run { start, end: start };
    }
    to.extend(from.drain(base..));
    Run { start, end: to.len() as u32 }
}
