//! Arithmetic on bytes: spans, edits, line numbers. Knows nothing of files or formats.

use std::{fmt, ops::Range};

/// Names one file of a [`crate::source::SourceSet`]; an index into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl FileId {
    /// A file beside those that are judged: whoever holds an edit of it says which one.
    pub const BESIDE: FileId = FileId(u32::MAX);
}

/// Half-open range of byte offsets into one file.
///
/// Invariant: `start <= end`. Text is bytes: a file need not be UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` to `end`, in bytes.
    ///
    /// # Panics
    /// If `start > end`, which is a bug of the caller.
    pub fn new(start: usize, end: usize) -> Self {
        assert!(start <= end, "a span ends before it starts: {start}..{end}");
        Self { start: start as u32, end: end as u32 }
    }

    /// An empty span at `offset`.
    pub fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// As a range that indexes a slice.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes of `text` that it covers.
    pub fn of(self, text: &[u8]) -> &[u8] {
        &text[self.range()]
    }

    /// Whether `offset` lies inside.
    pub fn contains(self, offset: u32) -> bool {
        self.start <= offset && offset < self.end
    }

    /// Whether every byte of `other` lies inside.
    pub fn covers(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// Replaces the bytes of `span` in `file` by `text`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The file that is edited.
    pub file: FileId,
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What comes in its place.
    pub text: String,
}

impl Edit {
    /// Replaces `span` by `text`.
    pub fn replace(file: FileId, span: Span, text: impl Into<String>) -> Self {
        Self { file, span, text: text.into() }
    }

    /// Inserts `text` before the byte at `offset`.
    pub fn insert(file: FileId, offset: usize, text: impl Into<String>) -> Self {
        Self::replace(file, Span::at(offset), text)
    }

    /// Removes `span`.
    pub fn delete(file: FileId, span: Span) -> Self {
        Self::replace(file, span, "")
    }
}

/// A place as people read it: both count from 1, the column in Unicode scalar values
/// (a byte that is not UTF-8 counts as one).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// Offsets of line starts, to turn offsets into lines. A line ends at `\n`.
#[derive(Clone, Debug, Default)]
pub struct LineIndex {
    /// Offset of the first byte of every line but the first.
    starts: Vec<u32>,
    /// Places inside long lines, so that no column costs more than [`STRIDE`] bytes to count.
    marks: Vec<Mark>,
}

/// A place inside a long line.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: u32,
    /// Unicode scalar values between the start of the line and here.
    scalars: u32,
}

/// Lines longer than this have marks.
const STRIDE: usize = 4096;

impl LineIndex {
    /// Reads `text` once.
    pub fn new(text: &[u8]) -> Self {
        let mut index = Self::default();
        let mut start = 0;
        for at in memchr::memchr_iter(b'\n', text) {
            index.mark_line(text, start, at);
            start = at + 1;
            index.starts.push(start as u32);
        }
        index.mark_line(text, start, text.len());
        index
    }

    fn mark_line(&mut self, text: &[u8], start: usize, end: usize) {
        let mut at = start;
        let mut scalars = 0;
        while end - at > STRIDE {
            let next = character_start(text, at + STRIDE);
            scalars += count_scalars(&text[at..next]) as u32;
            self.marks.push(Mark { offset: next as u32, scalars });
            at = next;
        }
    }

    /// The line, from 1, that holds the byte at `offset`.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32 + 1
    }

    /// Offset of the first byte of `line` (from 1); lines past the end answer the last one.
    pub fn line_start(&self, line: u32) -> u32 {
        match (line as usize).checked_sub(2) {
            None => 0,
            Some(index) => self.starts.get(index).or(self.starts.last()).copied().unwrap_or(0),
        }
    }

    /// How many lines there are; an empty text has one.
    pub fn lines(&self) -> u32 {
        self.starts.len() as u32 + 1
    }

    /// Line and column of `offset` in `text`, the text that this index was made of.
    pub fn locate(&self, text: &[u8], offset: u32) -> LineColumn {
        let line = self.line(offset);
        let start = self.line_start(line);
        let before = self.marks.partition_point(|mark| mark.offset <= offset);
        let mark = before.checked_sub(1).map(|at| self.marks[at]).filter(|mark| mark.offset >= start);
        let mark = mark.unwrap_or(Mark { offset: start, scalars: 0 });
        let from = mark.offset as usize;
        let rest = &text[from..(offset as usize).clamp(from, text.len())];
        LineColumn { line, column: mark.scalars + count_scalars(rest) as u32 + 1 }
    }
}

/// The nearest offset at or before `at` that is not inside a character.
pub fn character_start(text: &[u8], at: usize) -> usize {
    let is_continuation = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (at.saturating_sub(3)..=at).rev().find(|at| !is_continuation(at)).unwrap_or(at)
}

/// Unicode scalar values in `bytes`, each byte of an invalid sequence counting as one.
fn count_scalars(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    bytes.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

/// How many different bytes there are in `bytes`: few in what a person made up, many in what a machine made.
pub fn distinct_bytes(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for &byte in bytes {
        seen[usize::from(byte)] = true;
    }
    seen.iter().filter(|&&seen| seen).count()
}

/// Whether `text`, a word or two, holds `part`: without the preparations that pay off in a long text only.
pub fn holds(text: &[u8], part: &[u8]) -> bool {
    let Some((first, rest)) = part.split_first() else { return true };
    text.iter().enumerate().any(|(at, byte)| byte == first && text[at + 1..].starts_with(rest))
}

/// Whether `text` holds `part`, which is in lower case, in any case; `rare` is the place of its least common letter.
pub fn holds_in_any_case(text: &[u8], part: &[u8], rare: usize) -> bool {
    memchr::memchr2_iter(part[rare], part[rare].to_ascii_uppercase(), text).any(|at| {
        let start = at.checked_sub(rare);
        let found = start.and_then(|start| text.get(start..start + part.len()));
        found.is_some_and(|found| found.eq_ignore_ascii_case(part))
    })
}

/// Sixteen hexadecimal digits that stand for some bytes, today and in every later version (FNV-1a, 64 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    /// The fingerprint of what was taken so far and of `bytes`, which end there.
    #[must_use]
    pub fn with(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(step(bytes.iter().fold(self.0, step), &0xff))
    }

    /// How it is written.
    pub fn digits(self) -> [u8; 16] {
        let digit = |at: usize| b"0123456789abcdef"[(self.0 >> (60 - 4 * at)) as usize & 0xf];
        std::array::from_fn(digit)
    }

    /// The fingerprint that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        let is_shaped = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_shaped.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from_utf8_lossy(&self.digits()))
    }
}

/// What is wrong with the form of a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub span: Span,
    /// One sentence, present tense, no full stop.
    pub message: String,
}

/// Parsing never fails: a damaged file still has a tree, and says where it is damaged.
#[derive(Clone, Debug)]
pub struct Parsed<T> {
    /// What could be read.
    pub tree: T,
    /// What is wrong, in file order.
    pub errors: Vec<SyntaxError>,
}

/// The number of the line of `before` that line `number` of `after` is: of those that read the same, the nearest one; its
/// own number where there is none.
pub fn line_before(after: &[u8], number: u32, before: &[u8]) -> u32 {
    let at = (number as usize).saturating_sub(1);
    let Some(written) = after.split(|&byte| byte == b'\n').nth(at) else { return number };
    let same = (1..).zip(before.split(|&byte| byte == b'\n')).filter(|(_, line)| *line == written);
    same.map(|(known, _)| known).min_by_key(|known| number.abs_diff(*known)).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_scalars() {
        let text = "a\nö€x\n".as_bytes();
        let index = LineIndex::new(text);
        assert_eq!(index.lines(), 3);
        assert_eq!(index.locate(text, 0), LineColumn { line: 1, column: 1 });
        assert_eq!(index.locate(text, 7), LineColumn { line: 2, column: 3 });
        assert_eq!(index.locate(text, 9), LineColumn { line: 3, column: 1 });
        assert_eq!(index.line_start(2), 2);
    }

    #[test]
    fn columns_of_a_long_line_are_those_of_a_plain_count() {
        let text = ["é\n".as_bytes(), "aé€𝓤".repeat(3000).as_bytes(), &[0xff; 9000], &[0x80; 9000], b"\nx"].concat();
        let index = LineIndex::new(&text);
        for offset in (3..text.len()).step_by(997).map(|at| character_start(&text, at)) {
            let column = count_scalars(&text[3..offset.max(3)]) as u32 + 1;
            let line = if offset == text.len() - 1 { 3 } else { 2 };
            assert_eq!(index.locate(&text, offset as u32), LineColumn { line, column }, "at {offset}");
        }
        assert_eq!(index.locate(&text, text.len() as u32 - 1), LineColumn { line: 3, column: 1 });
    }

    #[test]
    fn a_fingerprint_never_changes_and_knows_where_parts_end() {
        let of = |parts: &[&str]| parts.iter().fold(Fingerprint::default(), |sum, part| sum.with(part.as_bytes()));
        assert_eq!(of(&["root-user", "FROM alpine"]).to_string(), "021cf851900ef360");
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_eq!(Fingerprint::parse(&of(&["x"]).to_string()), Some(of(&["x"])));
        assert_eq!(Fingerprint::parse("+123456789012345"), None);
    }

    #[test]
    fn bytes_that_are_not_utf8_count_one_each() {
        let text = b"caf\xe9 \xff\xffx";
        let index = LineIndex::new(text);
        assert_eq!(index.locate(text, 7).column, 8);
    }

    #[test]
    fn a_line_is_known_by_what_it_says() {
        let before = b"args:\n  - A\n  - B\n  - A\n";
        let after = b"args:\n  - B\n  - A\n  - C\n";
        assert_eq!([1, 2, 3, 4, 9].map(|line| line_before(after, line, before)), [1, 3, 2, 4, 9]);
    }
}
