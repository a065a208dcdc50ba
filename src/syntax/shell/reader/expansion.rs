//! What `$` and backquotes begin: variables, substitutions, arithmetic.

use super::{Arithmetic, Frame, List, Opener, Reader, Role, State, decode::unescaped};
use crate::{
    syntax::shell::{
        CompoundKind, Connector, Dialect, Element, Operator, Owner, PieceKind, Place, Quoting, Reason, Section, Slot,
        tree::{CompoundData, Features, Run},
        word::is_name_byte,
    },
    text::Span,
};

impl Reader<'_> {
    /// Whether the `$` here begins more than a dollar sign.
    pub(super) fn is_expansion(&self, quoted: bool) -> bool {
        match self.byte(1) {
            Some(b'(' | b'{' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => true,
            Some(b'\'' | b'"') => !quoted,
            Some(b'[') => self.out.dialect == Dialect::Bash,
            Some(byte) => is_name_byte(byte),
            None => false,
        }
    }

    /// What a `$` begins, where [`Reader::is_expansion`] holds.
    pub(super) fn dollar(&mut self, quoted: bool) {
        let at = self.at;
        match self.byte(1) {
            Some(b'(') if self.byte(2) == Some(b'(') && self.is_arithmetic(at + 3) => self.arithmetic(3, quoted),
            Some(b'(') => {
                self.at += 2;
                self.open_substitution(CompoundKind::Substitution, at, Opener::Parenthesis, quoted);
            }
            Some(b'{') => self.parameter(quoted),
            Some(b'[') => self.arithmetic(2, quoted),
            Some(b'\'') => self.single_quotes(Quoting::Ansi, 2),
            Some(b'"') => {
                self.at += 1;
                self.double_quotes();
            }
            Some(byte) => {
                let name = if byte.is_ascii_digit() || !is_name_byte(byte) {
                    1
                } else {
                    self.rest()[1..].iter().take_while(|&&byte| is_name_byte(byte)).count()
                };
                self.at += 1 + name;
                self.variable(at, Span::new(at + 1, self.at), Operator::None, quoted);
            }
            None => self.at += 1,
        }
    }

    fn variable(&mut self, start: usize, name: Span, operator: Operator, quoted: bool) -> usize {
        self.feature(Features::VARIABLE);
        let operand = Span::at(self.at);
        self.piece(PieceKind::Variable { name, operator, operand }, start, self.at, quoted)
    }

    /// `${ … }`
    fn parameter(&mut self, quoted: bool) {
        let start = self.at;
        self.at += 2;
        let prefix = match (self.peek(), self.byte(1)) {
            (Some(b'#'), Some(byte)) if is_name_byte(byte) || matches!(byte, b'@' | b'*') => Operator::Length,
            (Some(b'!'), Some(byte)) if is_name_byte(byte) => Operator::Indirect,
            _ => Operator::None,
        };
        self.at += usize::from(prefix != Operator::None);
        let length = match self.peek() {
            Some(byte) if is_name_byte(byte) => self.rest().iter().take_while(|&&byte| is_name_byte(byte)).count(),
            Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => 1,
            Some(_) | None => 0,
        };
        let name = Span::new(self.at, self.at + length);
        self.at += length;
        if length == 0 {
            self.doubt(start, self.at, Reason::BadExpansion);
        }
        let (operator, operator_length) = self.parameter_operator();
        self.at += operator_length;
        let operator = if prefix == Operator::None { operator } else { prefix };
        let quotes_count = !quoted || matches!(operator, Operator::Trim | Operator::Replace | Operator::Transform);
        let operand = self.at;
        let piece = self.variable(start, name, operator, quoted);
        self.nesting += 1;
        self.push(Frame::Parameter { piece, operand, quoted, quotes_count });
    }

    /// What stands behind the name in `${name…}`, and the length of the operator.
    fn parameter_operator(&mut self) -> (Operator, usize) {
        let twice = |reader: &Self, byte| 1 + usize::from(reader.byte(1) == Some(byte));
        match (self.peek(), self.byte(1)) {
            (Some(b'}') | None, _) => (Operator::None, 0),
            // `${!prefix*}`: the names that begin so.
            (Some(b'*' | b'@'), Some(b'}')) => (Operator::Indirect, 1),
            (Some(b':'), Some(b'-')) => (Operator::Default, 2),
            (Some(b':'), Some(b'=')) => (Operator::Assign, 2),
            (Some(b':'), Some(b'?')) => (Operator::Require, 2),
            (Some(b':'), Some(b'+')) => (Operator::Alternative, 2),
            (Some(b':'), _) => (Operator::Slice, 1),
            (Some(b'-'), _) => (Operator::Default, 1),
            (Some(b'='), _) => (Operator::Assign, 1),
            (Some(b'?'), _) => (Operator::Require, 1),
            (Some(b'+'), _) => (Operator::Alternative, 1),
            (Some(byte @ (b'#' | b'%')), _) => (Operator::Trim, twice(self, byte)),
            (Some(byte @ b'/'), _) => (Operator::Replace, twice(self, byte)),
            (Some(byte @ (b'^' | b',')), _) => (Operator::Transform, twice(self, byte)),
            (Some(b'@'), _) => (Operator::Transform, 1),
            (Some(b'['), _) => (Operator::Element, 1),
            (Some(_), _) => {
                self.doubt(self.at, self.at + 1, Reason::BadExpansion);
                (Operator::None, 0)
            }
        }
    }

    pub(super) fn parameter_step(&mut self) {
        let Some(&Frame::Parameter { piece, operand, quoted, quotes_count }) = self.frames.last() else { return };
        loop {
            match self.peek() {
                Some(b'\\') => _ = self.skip_escape(),
                Some(b'}') | None => break,
                Some(b'"') => return self.double_quotes(),
                Some(b'\'') if quotes_count => return self.single_quotes(Quoting::Single, 1),
                Some(b'$') if self.is_expansion(quoted) => return self.dollar(quoted),
                Some(b'`') => return self.backquote(quoted),
                Some(_) => self.at += 1,
            }
        }
        let end = self.at;
        if self.peek().is_none() {
            self.doubt(self.pieces[piece].span.start as usize, self.end, Reason::UnterminatedExpansion);
        }
        self.at = (end + 1).min(self.end);
        let piece = &mut self.pieces[piece];
        piece.span.end = self.at as u32;
        if let PieceKind::Variable { operand: span, .. } = &mut piece.kind {
            *span = Span::new(operand, end);
        }
        self.nesting -= 1;
        self.frames.pop();
    }

    /// Whether `((` closes with `))`, `at` being behind it; else it is a subshell in a substitution or subshell.
    pub(super) fn is_arithmetic(&mut self, at: usize) -> bool {
        let text = &self.text[..self.end];
        let mut open = 0_u32;
        let mut at = at;
        while let Some(&byte) = text.get(at) {
            if self.lookahead == 0 {
                return true;
            }
            self.lookahead -= 1;
            match byte {
                b'\\' => at += 1,
                b'\'' | b'"' => {
                    let length = memchr::memchr(byte, &text[at + 1..]).unwrap_or(text.len() - at - 1);
                    self.lookahead = self.lookahead.saturating_sub(length);
                    at += 1 + length;
                }
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' => return text.get(at + 1) == Some(&b')'),
                _ => {}
            }
            at += 1;
        }
        true
    }

    /// `$((` or `$[`
    fn arithmetic(&mut self, length: usize, quoted: bool) {
        let start = self.at;
        self.feature(Features::ARITHMETIC);
        self.at += length;
        let piece = self.piece(PieceKind::Arithmetic, start, self.at, quoted);
        self.nesting += 1;
        let kind = if length == 3 { Arithmetic::Expansion(piece) } else { Arithmetic::Bracket(piece) };
        self.push_arithmetic(start, kind);
    }

    pub(super) fn push_arithmetic(&mut self, start: usize, kind: Arithmetic) {
        let pieces = self.pieces.len();
        self.push(Frame::Arithmetic { start, open: 0, kind, pieces });
    }

    pub(super) fn arithmetic_step(&mut self) {
        let Some(&Frame::Arithmetic { start, open, kind, pieces }) = self.frames.last() else { return };
        let mut depth = open;
        loop {
            match self.peek() {
                Some(b'\\') => _ = self.skip_escape(),
                Some(b'(') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b')') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b')') if !matches!(kind, Arithmetic::Bracket(_)) => break,
                Some(b']') if matches!(kind, Arithmetic::Bracket(_)) => break,
                Some(b'"' | b'`' | b'\'') | None => break,
                Some(b'$') if self.is_expansion(true) => break,
                Some(_) => self.at += 1,
            }
        }
        if let Some(Frame::Arithmetic { open, .. }) = self.frames.last_mut() {
            *open = depth;
        }
        match self.peek() {
            Some(b'"') => return self.double_quotes(),
            Some(b'\'') => return self.single_quotes(Quoting::Single, 1),
            Some(b'`') => return self.backquote(true),
            Some(b'$') => return self.dollar(true),
            Some(b']') => self.at += 1,
            Some(_) if self.byte(1) == Some(b')') => self.at += 2,
            Some(_) => {
                self.doubt(start, self.at + 1, Reason::UnterminatedExpansion);
                self.at += 1;
            }
            None => self.doubt(start, self.end, Reason::UnterminatedExpansion),
        }
        self.frames.pop();
        let end = self.at as u32;
        match kind {
            Arithmetic::Expansion(piece) | Arithmetic::Bracket(piece) => {
                self.pieces[piece].span.end = end;
                self.nesting -= 1;
            }
            // What is expanded in an arithmetic command is part of no word.
            Arithmetic::Command(compound) => {
                self.out.compounds[compound as usize].span.end = end;
                self.pieces.truncate(pieces);
            }
            Arithmetic::Loop => {
                self.pieces.truncate(pieces);
                self.skip_separator();
            }
        }
    }

    pub(super) fn process_substitution(&mut self) {
        let start = self.at;
        self.at += 2;
        self.open_substitution(CompoundKind::ProcessSubstitution, start, Opener::Parenthesis, false);
    }

    /// A backquote: the text up to the next one is a list of its own.
    pub(super) fn backquote(&mut self, quoted: bool) {
        let start = self.at;
        self.at += 1;
        let outer_end = self.end;
        let inside = self.rest();
        let length = unescaped(inside, b'`');
        let end = self.at + length.unwrap_or(inside.len());
        if length.is_none() {
            self.doubt(start, self.end, Reason::UnterminatedSubstitution);
        }
        let inside = &self.text[self.at..end];
        if memchr::memchr_iter(b'\\', inside).any(|at| is_read_twice(inside.get(at + 1).copied(), quoted)) {
            self.doubt(start, end, Reason::EscapedBackquotes);
        }
        self.end = end;
        self.open_substitution(CompoundKind::Substitution, start, Opener::Backquote { outer_end }, quoted);
    }

    /// Commands inside a word, which begin here; `start` is where their opening began.
    fn open_substitution(&mut self, kind: CompoundKind, start: usize, opener: Opener, quoted: bool) {
        self.feature(Features::SUBSTITUTION);
        let index = self.out.compounds.len() as u32;
        let owner = self.owner();
        let &mut List { compound, section, .. } = self.list();
        let place = Place {
            block: compound,
            section,
            previous: None,
            next: None,
            before: Connector::None,
            after: Connector::None,
            after_span: Span::default(),
            pipeline: self.pipelines,
            position: 0,
            negated: false,
        };
        self.pipelines += 1;
        let span = Span::new(start, self.at);
        let (words, redirects) = (Run::default(), Run::default());
        self.out.compounds.push(CompoundData { kind, span, words, redirects, place, owner });
        let kind = match kind {
            CompoundKind::ProcessSubstitution => PieceKind::Process(index),
            _ => PieceKind::Substitution(index),
        };
        let piece = self.piece(kind, start, self.at, quoted);
        self.push_list(opener, Section::Body, Some(index), Some(piece));
    }

    /// Whose word is being read.
    fn owner(&self) -> Option<Owner> {
        let list = self.lists.last()?;
        let element = match list.state {
            State::Start => return None,
            State::Command(index) => Element::Command(index),
            State::After(index) => Element::Compound(index),
        };
        let mut slot = Slot::Head;
        for frame in self.frames.iter().rev() {
            match frame {
                Frame::List => break,
                Frame::Heredoc { .. } => return None,
                Frame::Array { .. } => slot = Slot::Assignment((self.assignments.len() - list.assignments) as u32),
                Frame::Word(word) => {
                    slot = match word.role {
                        Role::Argument => Slot::Word((self.words.len() - list.words) as u32),
                        Role::Assignment(_) => Slot::Assignment((self.assignments.len() - list.assignments) as u32),
                        Role::Target { .. } => Slot::Redirect((self.redirects.len() - list.redirects) as u32),
                        Role::Plain => Slot::Head,
                    }
                }
                Frame::Double { .. }
                | Frame::Parameter { .. }
                | Frame::Arithmetic { .. }
                | Frame::Case { .. }
                | Frame::For { .. }
                | Frame::Test { .. } => {}
            }
        }
        Some(Owner { element, slot })
    }
}

/// Whether a backslash before `byte` means one thing for backquotes and another for the shell inside.
fn is_read_twice(byte: Option<u8>, quoted: bool) -> bool {
    match byte {
        Some(b'`' | b'\\' | b'$') => true,
        Some(b'"') => quoted,
        Some(_) | None => false,
    }
}
