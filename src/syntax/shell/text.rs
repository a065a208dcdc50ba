//! Words and what is in them: quotes, variables, substitutions, arithmetic.

use super::reader::{Arithmetic, Frame, List, Opener, Reader, Role, State, WordFrame};
use super::tree::{
    CompoundData, CompoundKind, Connector, Element, Features, Operator, Owner, Piece, PieceKind, Place, Quoting,
    Reason, Run, Section, Slot, WordData, is_name_byte,
};
use crate::text::Span;

/// What a byte means in a bare word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    /// Ends a word.
    End,
    /// `'`, `"`, `$`, a backquote, a backslash.
    Special,
    /// `*`, `?`
    Glob,
    /// `[`
    Bracket,
    /// `{`
    Brace,
    /// `\r`, which ends a word before a line end.
    Return,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => Class::End,
            b'\'' | b'"' | b'$' | b'`' | b'\\' => Class::Special,
            b'*' | b'?' => Class::Glob,
            b'[' => Class::Bracket,
            b'{' => Class::Brace,
            b'\r' => Class::Return,
            _ => Class::Plain,
        };
        byte += 1;
    }
    classes
};

/// Whether `byte`, right before a `(`, makes an extended glob of it.
pub(super) fn is_extended_glob(byte: u8) -> bool {
    matches!(byte, b'?' | b'*' | b'+' | b'@' | b'!')
}

impl Reader<'_> {
    /// Where the bare text ahead ends, what it contains, and whether the word ends there too.
    pub(super) fn scan_word(&self) -> (usize, Features, bool) {
        let mut features = Features::default();
        if self.peek() == Some(b'~') {
            features.add(Features::TILDE);
        }
        let stop = self.scan_bare(self.at, &mut features);
        let is_complete = match self.text[..self.end].get(stop) {
            None => true,
            Some(b'(') => {
                let before = if stop > self.at { self.text[stop - 1] } else { 0 };
                let is_negation = before == b'!' && stop == self.at + 1;
                !(is_extended_glob(before) && !is_negation || before == b'=')
            }
            Some(b'<' | b'>') => self.text[..self.end].get(stop + 1) != Some(&b'('),
            Some(&byte) => CLASSES[byte as usize] != Class::Special,
        };
        (stop, features, is_complete)
    }

    /// The end of the bare text at `at`.
    fn scan_bare(&self, mut at: usize, features: &mut Features) -> usize {
        let text = &self.text[..self.end];
        while let Some(&byte) = text.get(at) {
            match CLASSES[byte as usize] {
                Class::End | Class::Special => return at,
                Class::Glob => features.add(Features::GLOB),
                Class::Bracket => features.add(Features::BRACKET),
                Class::Brace => features.add(Features::BRACES),
                Class::Return if matches!(text.get(at + 1), None | Some(b'\n')) => return at,
                Class::Plain | Class::Return => {}
            }
            at += 1;
        }
        at
    }

    /// The word from here to `stop`, which is bare text.
    pub(super) fn plain_word(&self, stop: usize, features: Features) -> WordData {
        let span = Span::new(self.at, stop);
        let features = certain_features(features, span.of(self.text));
        WordData { span, text: span, is_decoded: false, features, pieces: Run::default() }
    }

    /// Reads a word; what cannot be read at once is left to a frame.
    pub(super) fn start_word(&mut self, role: Role) {
        let (stop, features, is_complete) = self.scan_word();
        if is_complete {
            let word = self.plain_word(stop, features);
            self.at = stop;
            return self.deliver(word, role);
        }
        self.push_word(role, false);
    }

    pub(super) fn push_word(&mut self, role: Role, is_pattern: bool) {
        let mut features = Features::default();
        if self.peek() == Some(b'~') {
            features.add(Features::TILDE);
        }
        let (start, pieces) = (self.at, self.pieces.len());
        self.push(Frame::Word(WordFrame { start, pieces, features, role, is_pattern, parentheses: 0 }));
    }

    pub(super) fn word_step(&mut self) {
        let mut features = Features::default();
        let segment = self.at;
        loop {
            self.at = self.scan_bare(self.at, &mut features);
            match self.peek() {
                Some(b'\\') => {
                    if !self.skip_escape() {
                        features.add(Features::QUOTES);
                    }
                }
                Some(b'$') if !self.is_expansion(false) => self.at += 1,
                Some(byte) if self.takes(byte, segment) => self.at += 1,
                _ => break,
            }
        }
        self.feature(features);
        if self.at > segment {
            self.text_piece(segment, self.at, Quoting::Bare);
        }
        match self.peek() {
            Some(b'\'') => self.single_quotes(Quoting::Single, 1),
            Some(b'"') => self.double_quotes(),
            Some(b'$') => self.dollar(false),
            Some(b'`') => self.backquote(false),
            Some(b'<' | b'>') if self.byte(1) == Some(b'(') => self.process_substitution(),
            _ => self.finish_word(),
        }
    }

    /// A backslash and what it protects. True if that is a line end, which vanishes.
    fn skip_escape(&mut self) -> bool {
        let hides_line_end = match (self.byte(1), self.byte(2)) {
            (Some(b'\n'), _) => true,
            (Some(b'\r'), Some(b'\n')) => {
                self.at += 1;
                true
            }
            _ => false,
        };
        self.at = (self.at + 2).min(self.end);
        hides_line_end
    }

    /// Whether an operator byte is part of the word being read after all. Counts its parentheses.
    fn takes(&mut self, byte: u8, segment: usize) -> bool {
        let at = self.at;
        let text = self.text;
        let next = self.byte(1);
        let Some(Frame::Word(word)) = self.frames.last_mut() else { return false };
        let before = if at > segment.min(word.start) && at > word.start { text[at - 1] } else { 0 };
        match byte {
            b'(' if word.parentheses > 0
                || word.is_pattern
                || is_extended_glob(before)
                || before == b'=' && is_assignment_start(&text[word.start..at]) =>
            {
                word.parentheses += 1;
                word.features.add(Features::GROUP);
                true
            }
            b')' if word.parentheses > 0 => {
                word.parentheses -= 1;
                true
            }
            b'|' if word.is_pattern => next != Some(b'|') || word.parentheses > 0,
            b'<' | b'>' if next == Some(b'(') => false,
            b' ' | b'\t' | b'\n' | b'\r' | b'|' | b'&' | b';' | b'<' | b'>' => word.parentheses > 0,
            _ => false,
        }
    }

    fn finish_word(&mut self) {
        let Some(Frame::Word(frame)) = self.frames.pop() else { return };
        let WordFrame { start, pieces, features, role, parentheses, .. } = frame;
        let span = Span::new(start, self.at);
        if parentheses > 0 {
            self.doubt(start, self.at, Reason::UnterminatedExpansion);
        }
        let features = certain_features(features, span.of(self.text));
        let pieces = self.take_pieces(pieces);
        let (text, is_decoded) = self.value(span, pieces);
        self.deliver(WordData { span, text, is_decoded, features, pieces }, role);
    }

    /// The text of a word after quote removal: a slice of the script, or decoded.
    pub(super) fn value(&mut self, span: Span, pieces: Run) -> (Span, bool) {
        let text = self.text;
        let out = &mut self.out;
        let pieces = pieces.of(&out.pieces);
        match pieces {
            [] => return (Span::at(span.start as usize), false),
            [Piece { kind: PieceKind::Text(quoting), span, .. }]
                if *quoting == Quoting::Single || memchr::memchr(b'\\', span.of(text)).is_none() =>
            {
                return (*span, false);
            }
            _ => {}
        }
        let start = out.decoded.len();
        let mut end = 0;
        for piece in pieces.iter().filter(|piece| !piece.nested) {
            let raw = piece.span.of(text);
            match piece.kind {
                PieceKind::Text(quoting) => decode(raw, quoting, &mut out.decoded),
                PieceKind::Variable { .. }
                | PieceKind::Substitution(_)
                | PieceKind::Process(_)
                | PieceKind::Arithmetic => out.decoded.extend_from_slice(raw),
            }
            end = piece.span.end;
        }
        debug_assert!(end <= span.end, "a piece lies outside its word");
        (Span::new(start, out.decoded.len()), true)
    }

    /// Text up to the next `'`; `opening` bytes precede it. With [`Quoting::Ansi`] a backslash protects a quote.
    fn single_quotes(&mut self, quoting: Quoting, opening: usize) {
        self.feature(Features::QUOTES);
        let start = self.at + opening;
        let inside = &self.text[start.min(self.end)..self.end];
        let length = match quoting {
            Quoting::Ansi => unescaped(inside, b'\''),
            Quoting::Bare | Quoting::Single | Quoting::Double => memchr::memchr(b'\'', inside),
        };
        let end = start + length.unwrap_or(inside.len());
        self.text_piece(start, end, quoting);
        if length.is_none() {
            self.doubt(self.at, self.end, Reason::UnterminatedQuote);
        }
        self.at = (end + 1).min(self.end);
    }

    fn double_quotes(&mut self) {
        self.feature(Features::QUOTES);
        let start = self.at;
        self.at += 1;
        self.push(Frame::Double { start });
    }

    pub(super) fn double_step(&mut self) {
        let Some(&Frame::Double { start }) = self.frames.last() else { return };
        let segment = self.at;
        loop {
            match self.peek() {
                Some(b'\\') => _ = self.skip_escape(),
                Some(b'$') if self.is_expansion(true) => break,
                Some(b'"' | b'`') | None => break,
                Some(_) => self.at += 1,
            }
        }
        if self.at > segment || segment == start + 1 && self.peek() == Some(b'"') {
            self.text_piece(segment, self.at, Quoting::Double);
        }
        match self.peek() {
            Some(b'$') => self.dollar(true),
            Some(b'`') => self.backquote(true),
            Some(_) => {
                self.at += 1;
                self.frames.pop();
            }
            None => {
                self.doubt(start, self.end, Reason::UnterminatedQuote);
                self.frames.pop();
            }
        }
    }

    /// Whether the `$` here begins more than a dollar sign.
    pub(super) fn is_expansion(&self, quoted: bool) -> bool {
        match self.byte(1) {
            Some(b'(' | b'{' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => true,
            Some(b'\'' | b'"') => !quoted,
            Some(b'[') => self.out.dialect == super::Dialect::Bash,
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
        self.push(Frame::Arithmetic { start, open: 0, kind });
    }

    pub(super) fn arithmetic_step(&mut self) {
        let Some(&Frame::Arithmetic { start, open, kind }) = self.frames.last() else { return };
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
            Arithmetic::Command(compound) => self.out.compounds[compound as usize].span.end = end,
            Arithmetic::Loop => self.skip_separator(),
        }
    }

    fn process_substitution(&mut self) {
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

/// `name=`, as before the array of `declare name=(…)`.
fn is_assignment_start(text: &[u8]) -> bool {
    let name = text.strip_suffix(b"=").unwrap_or_default();
    let name = name.strip_suffix(b"+").unwrap_or(name);
    !name.is_empty() && name.iter().all(|&byte| is_name_byte(byte))
}

/// Leaves out what turns out to be plain text: a `[` without `]`, braces without a list.
fn certain_features(mut features: Features, source: &[u8]) -> Features {
    if features.any(Features::BRACKET) {
        features.remove(Features::BRACKET);
        let bracket = memchr::memchr(b'[', source).unwrap_or(0);
        if memchr::memchr(b']', &source[bracket..]).is_some() {
            features.add(Features::GLOB);
        }
    }
    if features.any(Features::BRACES) {
        let brace = memchr::memchr(b'{', source).unwrap_or(0);
        let inside = &source[brace..];
        let is_list = memchr::memchr(b',', inside).is_some() || memchr::memmem::find(inside, b"..").is_some();
        if !is_list || memchr::memchr(b'}', inside).is_none() {
            features.remove(Features::BRACES);
        }
    }
    features
}

/// Where `quote` stands in `text` without a backslash before it.
fn unescaped(text: &[u8], quote: u8) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(quote, b'\\', text.get(from..)?) {
        if text[from + at] == quote {
            return Some(from + at);
        }
        from += at + 2;
    }
    None
}

/// Whether a backslash before `byte` means one thing for backquotes and another for the shell inside.
fn is_read_twice(byte: Option<u8>, quoted: bool) -> bool {
    match byte {
        Some(b'`' | b'\\' | b'$') => true,
        Some(b'"') => quoted,
        Some(_) | None => false,
    }
}

/// Appends the value of text under these quotes.
pub(super) fn decode(raw: &[u8], quoting: Quoting, out: &mut Vec<u8>) {
    if quoting == Quoting::Single {
        return out.extend_from_slice(raw);
    }
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        rest = match (quoting, rest) {
            (_, []) => {
                out.push(b'\\');
                rest
            }
            (Quoting::Ansi, _) => decode_ansi(rest, out),
            (Quoting::Bare | Quoting::Double, [b'\n', after @ ..] | [b'\r', b'\n', after @ ..]) => after,
            (Quoting::Double, [byte, ..]) if !matches!(byte, b'$' | b'`' | b'"' | b'\\') => {
                out.push(b'\\');
                rest
            }
            (Quoting::Bare | Quoting::Single | Quoting::Double, [byte, after @ ..]) => {
                out.push(*byte);
                after
            }
        };
    }
    out.extend_from_slice(rest);
}

/// One escape of `$'…'`, the backslash already read.
fn decode_ansi<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((&byte, rest)) = text.split_first() else { return text };
    let simple = match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'e' | b'E' => 27,
        b'f' => 12,
        b'v' => 11,
        b'\\' | b'\'' | b'"' | b'?' => byte,
        b'x' => return decode_number(rest, 16, 2, false, out),
        b'u' => return decode_number(rest, 16, 4, true, out),
        b'U' => return decode_number(rest, 16, 8, true, out),
        b'0'..=b'7' => return decode_number(text, 8, 3, false, out),
        _ => {
            out.extend_from_slice(&[b'\\', byte]);
            return rest;
        }
    };
    out.push(simple);
    rest
}

/// A number of at most `most` digits, as a byte or as a character.
fn decode_number<'a>(text: &'a [u8], radix: u32, most: usize, is_character: bool, out: &mut Vec<u8>) -> &'a [u8] {
    let digits = text.iter().take(most).take_while(|&&byte| char::from(byte).is_digit(radix)).count();
    let value = text[..digits].iter().filter_map(|&byte| char::from(byte).to_digit(radix));
    let value = value.fold(0_u32, |value, digit| value.wrapping_mul(radix).wrapping_add(digit));
    if is_character {
        let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.push(value as u8);
    }
    &text[digits..]
}
