//! Places as the protocol counts them: lines from 0, columns in bytes or in UTF-16 units.
//!
//! A line ends at `\n`, `\r\n` or `\r`, other than in [`crate::text::LineIndex`], where a carriage return is a character.

use crate::text::Span;
use gen_lsp_types::{Position, PositionEncodingKind, Range};
use std::ops;

/// How columns are counted; client and server agree on it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// In bytes.
    Utf8,
    /// In UTF-16 units, as every client can.
    Utf16,
}

impl Encoding {
    /// The name in the protocol.
    pub(super) fn name(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn units(self, text: &str) -> usize {
        match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 if text.is_ascii() => text.len(),
            Encoding::Utf16 => text.chars().map(char::len_utf16).sum(),
        }
    }
}

/// Where the lines of one text start.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    encoding: Encoding,
    /// Offset of the first byte of every line.
    starts: Vec<u32>,
    /// Places inside long lines, so that no column costs more than [`STRIDE`] bytes to count.
    marks: Vec<Mark>,
}

/// A place inside a long line.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: u32,
    /// Units between the start of the line and here.
    units: u32,
}

/// Lines longer than this have marks.
const STRIDE: usize = 4096;

impl Lines {
    /// Reads `text` once.
    pub(super) fn new(text: &str, encoding: Encoding) -> Self {
        let mut lines = Self { encoding, starts: vec![0], marks: Vec::new() };
        for at in memchr::memchr2_iter(b'\n', b'\r', text.as_bytes()) {
            let is_inside_crlf = text.as_bytes()[at] == b'\r' && text.as_bytes().get(at + 1) == Some(&b'\n');
            if !is_inside_crlf {
                lines.mark_line(text, at);
                lines.starts.push(at as u32 + 1);
            }
        }
        lines.mark_line(text, text.len());
        lines
    }

    /// Sets marks in the last line, which ends at `end`.
    fn mark_line(&mut self, text: &str, end: usize) {
        let mut at = self.starts.last().map_or(0, |&start| start as usize);
        let mut units = 0;
        while end - at > STRIDE {
            let next = text.floor_char_boundary(at + STRIDE);
            units += self.encoding.units(&text[at..next]) as u32;
            self.marks.push(Mark { offset: next as u32, units });
            at = next;
        }
    }

    /// Where the byte at `offset` of `text` is, the text that these lines were made of.
    pub(super) fn position(&self, text: &str, offset: u32) -> Position {
        let line = self.starts.partition_point(|&start| start <= offset) - 1;
        let start = self.starts[line];
        let before = self.marks.partition_point(|mark| mark.offset <= offset);
        let mark = before.checked_sub(1).map(|at| self.marks[at]).filter(|mark| mark.offset > start);
        let mark = mark.unwrap_or(Mark { offset: start, units: 0 });
        let end = text.floor_char_boundary(offset as usize).max(mark.offset as usize);
        let units = self.encoding.units(&text[mark.offset as usize..end]);
        Position { line: line as u32, character: mark.units + units as u32 }
    }

    /// Where `span` of `text` is.
    pub(super) fn range(&self, text: &str, span: Span) -> Range {
        Range { start: self.position(text, span.start), end: self.position(text, span.end) }
    }

    /// The offset of `position` in `text`: at the end of the text for a line behind it, at the end of the line for a
    /// column behind that, at the start of a character for a place inside of it.
    pub(super) fn offset(&self, text: &str, position: Position) -> usize {
        let Some(&start) = self.starts.get(position.line as usize) else { return text.len() };
        let start = start as usize;
        let end = self.starts.get(position.line as usize + 1).map_or(text.len(), |&next| next as usize);
        let line = text[start..end].trim_end_matches(['\n', '\r']);
        start + self.column(line, position.character as usize)
    }

    fn column(&self, line: &str, column: usize) -> usize {
        match self.encoding {
            Encoding::Utf8 => line.floor_char_boundary(column),
            Encoding::Utf16 => {
                let mut units = 0;
                let is_past = |&(_, character): &(usize, char)| {
                    units += character.len_utf16();
                    units > column
                };
                line.char_indices().find(is_past).map_or(line.len(), |(at, _)| at)
            }
        }
    }

    /// The bytes of `range` in `text`; the ends may come in either order.
    pub(super) fn bytes(&self, text: &str, range: Range) -> ops::Range<usize> {
        let [one, other] = [range.start, range.end].map(|position| self.offset(text, position));
        one.min(other)..one.max(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each width, and each way to end a line.
    const TEXT: &str = "aö€𝓤\r\nb\rc\n\n𝓤𝓤x";

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_are_bytes_or_utf16_units() {
        let [utf8, utf16] = [Encoding::Utf8, Encoding::Utf16].map(|encoding| Lines::new(TEXT, encoding));
        let end = TEXT.find('\r').unwrap() as u32;
        assert_eq!(utf8.position(TEXT, end), at(0, 10));
        assert_eq!(utf16.position(TEXT, end), at(0, 5));
        let x = TEXT.find('x').unwrap() as u32;
        assert_eq!(utf8.position(TEXT, x), at(4, 8));
        assert_eq!(utf16.position(TEXT, x), at(4, 4));
        assert_eq!(utf16.position(TEXT, TEXT.find('c').unwrap() as u32), at(2, 0));
    }

    #[test]
    fn every_place_leads_back_to_its_offset() {
        let long = format!("{}\n{}", "a𝓤é".repeat(5000), "x".repeat(9000));
        for text in [TEXT, &long, ""] {
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let lines = Lines::new(text, encoding);
                for (offset, _) in text.char_indices().step_by(if text.len() > 100 { 97 } else { 1 }) {
                    // The place between `\r` and `\n` is no place of its own.
                    if text[..offset].ends_with('\r') && text[offset..].starts_with('\n') {
                        continue;
                    }
                    let position = lines.position(text, offset as u32);
                    assert_eq!(lines.offset(text, position), offset, "{encoding:?} {position:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_place_is_the_nearest_one_before() {
        let lines = Lines::new(TEXT, Encoding::Utf16);
        assert_eq!(lines.offset(TEXT, at(0, 4)), TEXT.find('𝓤').unwrap(), "inside of a pair");
        assert_eq!(lines.offset(TEXT, at(0, 99)), TEXT.find('\r').unwrap(), "behind the line");
        assert_eq!(lines.offset(TEXT, at(99, 0)), TEXT.len(), "behind the text");
        assert_eq!(lines.bytes(TEXT, Range { start: at(1, 0), end: at(0, 0) }), 0..12, "ends the wrong way round");
    }
}
