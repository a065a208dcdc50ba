//! Blocks: what opens and closes them.

use super::{Arithmetic, CaseState, ForState, Frame, List, Opener, Reader, State};
use crate::syntax::shell::{CompoundKind, Connector, Reason, Section, tree::Run};

/// How many blocks may be left open for one closing word to reach the block it belongs to.
const MISSING_CLOSERS: usize = 16;

impl Reader<'_> {
    /// How many lists are inside the innermost one for which `is_wanted` holds; none beyond parentheses.
    fn lists_inside(&self, is_wanted: impl Fn(&List) -> bool) -> Option<usize> {
        for (inside, list) in self.lists.iter().rev().enumerate().take(MISSING_CLOSERS) {
            if is_wanted(list) {
                return Some(inside);
            }
            match list.opener {
                Opener::Root | Opener::Parenthesis | Opener::Backquote { .. } => return None,
                Opener::Brace | Opener::If | Opener::Loop | Opener::Branch | Opener::Function => {}
            }
        }
        None
    }

    /// Closes what was left open inside the innermost list for which `is_wanted` holds. `length` bytes of the text are
    /// the word that wants it; they are skipped if there is no such list.
    fn reach(&mut self, length: usize, is_wanted: impl Fn(&List) -> bool) -> bool {
        self.settle_function();
        let Some(inside) = self.lists_inside(is_wanted) else {
            self.doubt(self.at, self.at + length, Reason::Unexpected);
            self.at += length;
            return false;
        };
        let depth = self.lists.len() - inside;
        while self.lists.len() > depth || !matches!(self.frames.last(), Some(Frame::List)) {
            let compound = if let Some(&Frame::Case { compound, words, .. }) = self.frames.last() {
                self.close_case(compound, words);
                compound
            } else {
                let compound = self.list().compound;
                self.close_list();
                compound.unwrap_or_default()
            };
            let start = self.out.compounds[compound as usize].span.start as usize;
            self.doubt(start, self.at, Reason::UnterminatedBlock);
        }
        true
    }

    pub(super) fn close_parenthesis(&mut self) {
        if self.reach(1, |list| list.opener == Opener::Parenthesis) {
            self.end_chain();
            self.at += 1;
            self.close_list();
        }
    }

    /// A reserved word that closes a block.
    fn close_block(&mut self, opener: Opener, length: usize) {
        if self.reach(length, |list| list.opener == opener) {
            if matches!(self.list().section, Section::Condition | Section::Header) {
                self.doubt(self.at, self.at + length, Reason::Unexpected);
            }
            self.end_chain();
            self.at += length;
            self.close_list();
        }
    }

    /// `then`, `elif`, `else`, `do`.
    fn next_section(&mut self, opener: Opener, from: &[Section], to: Section, length: usize) {
        if self.reach(length, |list| list.opener == opener && from.contains(&list.section)) {
            self.enter_section(to);
            self.at += length;
        }
    }

    /// `;;`, `;&`, `;;&`
    pub(super) fn end_branch(&mut self) {
        let length = if self.rest().starts_with(b";;&") { 3 } else { 2 };
        if self.reach(length, |list| list.opener == Opener::Branch) {
            self.close_list();
            self.at += length;
        }
    }

    /// `(`: a subshell, arithmetic, or a function definition.
    pub(super) fn parenthesis(&mut self) {
        let &mut List { state, words, assignments, redirects, .. } = self.list();
        if let State::Command(index) = state {
            let is_name_only = self.words.len() == words + 1
                && self.assignments.len() == assignments
                && self.redirects.len() == redirects
                && self.words[words].pieces == Run::default();
            if let Some(length) = empty_parentheses(self.rest()).filter(|_| is_name_only) {
                let start = self.out.commands[index as usize].span.start as usize;
                self.out.commands.pop();
                self.list().state = State::Start;
                return self.open_function(start, length);
            }
            self.doubt(self.at, self.at + 1, Reason::Unexpected);
            self.connect(Connector::None, self.at, self.at);
        }
        if self.byte(1) == Some(b'(') && self.is_arithmetic(self.at + 2) {
            let start = self.at;
            let compound = self.begin_compound(CompoundKind::Arithmetic, start);
            self.at += 2;
            return self.push_arithmetic(start, Arithmetic::Command(compound));
        }
        self.open(CompoundKind::Subshell, Opener::Parenthesis, Section::Body, 1);
    }

    /// A function whose name waits as the only word; the body is what follows `length` bytes.
    fn open_function(&mut self, start: usize, length: usize) {
        let words = self.list().words;
        let name = self.take_words(words);
        let function = self.begin_compound(CompoundKind::Function, start);
        self.out.compounds[function as usize].words = name;
        self.at += length;
        self.push_list(Opener::Function, Section::Body, Some(function), None);
    }

    /// `function name`, `function name ()`.
    fn function_keyword(&mut self, length: usize) {
        let start = self.at;
        self.at += length;
        self.skip_blanks();
        let (stop, features, is_plain) = self.scan_word();
        if !is_plain || stop == self.at {
            self.at = start;
            return self.ordinary_word();
        }
        self.list().words = self.words.len();
        let name = self.plain_word(stop, features);
        self.words.push(name);
        self.at = stop;
        self.skip_blanks();
        let parentheses = empty_parentheses(self.rest()).unwrap_or(0);
        self.open_function(start, parentheses);
    }

    /// Acts on a reserved word of `length` bytes, if it is one here.
    pub(super) fn reserved_word(&mut self, length: usize) -> bool {
        let word = &self.rest()[..length];
        let may_start = self.list().state == State::Start;
        match word {
            b"then" => self.next_section(Opener::If, &[Section::Condition], Section::Then, length),
            b"elif" => self.next_section(Opener::If, &[Section::Then], Section::Condition, length),
            b"else" => self.next_section(Opener::If, &[Section::Then], Section::Else, length),
            b"fi" => self.close_block(Opener::If, length),
            b"do" => self.next_section(Opener::Loop, &[Section::Condition, Section::Header], Section::Body, length),
            b"done" => self.close_block(Opener::Loop, length),
            b"}" => self.close_block(Opener::Brace, length),
            b"esac" => self.close_case_word(length),
            b"!" if may_start => {
                self.list().negated ^= true;
                self.at += length;
            }
            b"{" if may_start => {
                self.open(CompoundKind::Group, Opener::Brace, Section::Body, length);
            }
            b"if" if may_start => {
                self.open(CompoundKind::If, Opener::If, Section::Condition, length);
            }
            b"while" if may_start => {
                self.open(CompoundKind::While, Opener::Loop, Section::Condition, length);
            }
            b"until" if may_start => {
                self.open(CompoundKind::Until, Opener::Loop, Section::Condition, length);
            }
            b"for" if may_start => self.open_for(CompoundKind::For, length),
            b"select" if may_start => self.open_for(CompoundKind::Select, length),
            b"case" if may_start => {
                let compound = self.begin_compound(CompoundKind::Case, self.at);
                self.at += length;
                self.push(Frame::Case { compound, words: self.words.len(), state: CaseState::Subject });
            }
            b"[[" if may_start => {
                let compound = self.begin_compound(CompoundKind::Test, self.at);
                self.at += length;
                self.push(Frame::Test { compound, words: self.words.len(), pattern_next: false });
            }
            b"function" if may_start => self.function_keyword(length),
            b"time" | b"coproc" if may_start && self.precedes_compound(length) => self.at += length,
            _ => return false,
        }
        true
    }

    /// Whether a compound command or `!` follows the word of `length` bytes: `time` and `coproc` then are no names.
    fn precedes_compound(&self, length: usize) -> bool {
        let rest = &self.rest()[length..];
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let rest = &rest[blanks..];
        let starts = |word: &[u8]| {
            rest.starts_with(word)
                && rest.get(word.len()).is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b'(')
        };
        rest.first() == Some(&b'(')
            || [&b"{"[..], b"!", b"if", b"for", b"while", b"until", b"case", b"[["].into_iter().any(starts)
    }

    fn open_for(&mut self, kind: CompoundKind, length: usize) {
        let compound = self.open(kind, Opener::Loop, Section::Header, length);
        self.skip_blanks();
        if self.rest().starts_with(b"((") {
            let start = self.at;
            self.at += 2;
            return self.push_arithmetic(start, Arithmetic::Loop);
        }
        self.push(Frame::For { compound, words: self.words.len(), state: ForState::Name });
    }

    /// `esac` where a command may stand: the last branch had no `;;`.
    fn close_case_word(&mut self, length: usize) {
        if self.reach(length, |list| list.opener == Opener::Branch) {
            self.close_list();
            self.at += length;
            if let Some(&Frame::Case { compound, words, .. }) = self.frames.last() {
                self.close_case(compound, words);
            }
        }
    }

    /// The innermost frame is a `case` that ends here.
    pub(super) fn close_case(&mut self, compound: u32, words: usize) {
        self.frames.pop();
        let words = self.take_words(words);
        let case = &mut self.out.compounds[compound as usize];
        case.words = words;
        case.span.end = self.at as u32;
    }
}

/// Length of `()` with blanks in it, at the start of `text`.
fn empty_parentheses(text: &[u8]) -> Option<usize> {
    let inside = text.strip_prefix(b"(")?;
    let blanks = inside.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    (inside.get(blanks) == Some(&b')')).then_some(blanks + 2)
}
