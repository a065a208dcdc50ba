//! Heads of compound commands: `case`, `for`, `[[`, arrays.

use super::{CaseState, ForState, Frame, Opener, Reader, Role};
use crate::syntax::shell::{Reason, Section, tree::ValueData};

impl Reader<'_> {
    /// Blanks, comments and line ends. False if a here-document begins, which is to be read first.
    fn skip_lines(&mut self) -> bool {
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'#') => self.comment(),
                Some(b'\n') => {
                    let frames = self.frames.len();
                    self.line_end();
                    if self.frames.len() != frames {
                        return false;
                    }
                }
                Some(_) | None => return true,
            }
        }
    }

    pub(super) fn case_step(&mut self) {
        let Some(&Frame::Case { compound, words, state }) = self.frames.last() else { return };
        if !self.skip_lines() {
            return;
        }
        let Some(byte) = self.peek() else { return self.unfinished_case(compound, words) };
        match (state, byte) {
            (CaseState::Subject, _) => {
                self.set_case(CaseState::In);
                self.head_word();
            }
            (CaseState::In, _) => match self.scan_word() {
                (stop, _, true) if &self.text[self.at..stop] == b"in" => {
                    self.at = stop;
                    self.set_case(CaseState::Pattern);
                }
                _ => self.unfinished_case(compound, words),
            },
            (CaseState::Pattern, b'(') => {
                self.at += 1;
                self.set_case(CaseState::Alternatives);
            }
            (CaseState::Pattern, _) => match self.scan_word() {
                (stop, _, true) if &self.text[self.at..stop] == b"esac" => {
                    self.at = stop;
                    self.close_case(compound, words);
                }
                _ => {
                    self.set_case(CaseState::Alternatives);
                    self.case_step();
                }
            },
            (CaseState::Alternatives, b'|') => self.at += 1,
            (CaseState::Alternatives, b')') => {
                self.at += 1;
                self.set_case(CaseState::Pattern);
                self.push_list(Opener::Branch, Section::Branch, Some(compound), None);
            }
            (CaseState::Alternatives, _) => self.head_word(),
        }
    }

    fn set_case(&mut self, to: CaseState) {
        if let Some(Frame::Case { state, .. }) = self.frames.last_mut() {
            *state = to;
        }
    }

    fn unfinished_case(&mut self, compound: u32, words: usize) {
        let start = self.out.compounds[compound as usize].span.start as usize;
        self.doubt(start, self.at, Reason::UnterminatedBlock);
        self.close_case(compound, words);
    }

    /// A word in a head. An operator has no place there: it is left out.
    fn head_word(&mut self) {
        let before = self.at;
        let frames = self.frames.len();
        self.start_word(Role::Plain);
        if self.at == before && self.frames.len() == frames {
            self.doubt(before, before + 1, Reason::Unexpected);
            self.words.pop();
            self.at += 1;
        }
    }

    pub(super) fn for_step(&mut self) {
        let Some(&Frame::For { compound, words, state }) = self.frames.last() else { return };
        self.skip_blanks();
        match (state, self.peek()) {
            (ForState::Name, Some(byte)) if !is_separator(byte) => {
                self.set_for(ForState::In);
                self.head_word();
            }
            (ForState::In, _) => {
                if !self.skip_lines() {
                    return;
                }
                match self.scan_word() {
                    (stop, _, true) if &self.text[self.at..stop] == b"in" => {
                        self.at = stop;
                        self.set_for(ForState::Words);
                    }
                    _ => self.end_for(compound, words),
                }
            }
            (ForState::Words, Some(byte)) if !is_separator(byte) => self.head_word(),
            (ForState::Name | ForState::Words, _) => self.end_for(compound, words),
        }
    }

    fn set_for(&mut self, to: ForState) {
        if let Some(Frame::For { state, .. }) = self.frames.last_mut() {
            *state = to;
        }
    }

    fn end_for(&mut self, compound: u32, words: usize) {
        self.frames.pop();
        self.out.compounds[compound as usize].words = self.take_words(words);
        self.skip_separator();
    }

    /// The `;` between the head of a `for` and its `do`.
    pub(super) fn skip_separator(&mut self) {
        self.skip_blanks();
        if self.peek() == Some(b';') && self.byte(1) != Some(b';') {
            self.at += 1;
        }
    }

    pub(super) fn test_step(&mut self) {
        let Some(&Frame::Test { compound, words, pattern_next }) = self.frames.last() else { return };
        if !self.skip_lines_of_test() {
            return;
        }
        let Some(byte) = self.peek() else { return self.end_test(compound, words, false) };
        match (byte, self.byte(1)) {
            (b'&', Some(b'&')) | (b'|', Some(b'|')) => self.at += 2,
            (b'(', _) if pattern_next => self.test_word(true),
            (b'<' | b'>', Some(b'(')) => self.test_word(false),
            (b'(' | b')' | b'<' | b'>', _) => self.at += 1,
            (b'&' | b'|' | b';', _) => self.end_test(compound, words, false),
            _ => {
                let (stop, _, is_plain) = self.scan_word();
                match &self.text[self.at..stop] {
                    b"]]" if is_plain => {
                        self.at = stop;
                        self.end_test(compound, words, true);
                    }
                    b"=~" | b"==" | b"=" | b"!=" if is_plain => {
                        self.test_word(false);
                        self.expect_pattern(true);
                    }
                    _ => self.test_word(pattern_next),
                }
            }
        }
    }

    fn skip_lines_of_test(&mut self) -> bool {
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'\n') {
                return true;
            }
            let frames = self.frames.len();
            self.line_end();
            if self.frames.len() != frames {
                return false;
            }
        }
    }

    fn test_word(&mut self, is_pattern: bool) {
        self.expect_pattern(false);
        if is_pattern { self.push_word(Role::Plain, true) } else { self.head_word() }
    }

    fn expect_pattern(&mut self, expected: bool) {
        if let Some(Frame::Test { pattern_next, .. }) = self.frames.last_mut() {
            *pattern_next = expected;
        }
    }

    fn end_test(&mut self, compound: u32, words: usize, is_closed: bool) {
        self.frames.pop();
        let words = self.take_words(words);
        let test = &mut self.out.compounds[compound as usize];
        test.words = words;
        test.span.end = self.at as u32;
        let start = test.span.start as usize;
        if !is_closed {
            self.doubt(start, self.at, Reason::UnterminatedBlock);
        }
    }

    pub(super) fn array_step(&mut self) {
        let Some(&Frame::Array { start, words, head }) = self.frames.last() else { return };
        if !self.skip_lines() {
            return;
        }
        match self.peek() {
            Some(b')') => self.at += 1,
            Some(_) => return self.head_word(),
            None => self.doubt(start, self.at, Reason::UnterminatedExpansion),
        }
        self.frames.pop();
        let words = self.take_words(words);
        self.deliver_assignment(head, ValueData::Array(words), self.at as u32);
    }
}

/// Whether `byte` ends the head of a `for`.
fn is_separator(byte: u8) -> bool {
    matches!(byte, b';' | b'\n' | b'&' | b'|' | b')' | b'(')
}
