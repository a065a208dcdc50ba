//! Words and what is in them: quotes, variables, substitutions, arithmetic.

use super::{
    Frame, Reader, Role, WordFrame,
    decode::{decode, unescaped},
};
use crate::{
    syntax::shell::{
        Dialect, Piece, PieceKind, Quoting, Reason,
        tree::{Features, Run, WordData},
        word::is_name_byte,
    },
    text::Span,
};

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
fn is_extended_glob(byte: u8) -> bool {
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
        loop {
            // Nearly all bytes are plain.
            at += text[at..].iter().take_while(|&&byte| CLASSES[byte as usize] == Class::Plain).count();
            let Some(&byte) = text.get(at) else { return at };
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
    pub(super) fn skip_escape(&mut self) -> bool {
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
    fn value(&mut self, span: Span, pieces: Run) -> (Span, bool) {
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
    pub(super) fn single_quotes(&mut self, quoting: Quoting, opening: usize) {
        self.feature(Features::QUOTES);
        if quoting == Quoting::Ansi && self.out.dialect == Dialect::Posix {
            // Shells that are not bash may see a `$` and plain quotes.
            self.feature(Features::OPAQUE);
        }
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

    pub(super) fn double_quotes(&mut self) {
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
