//! A text that is edited in steps, and the edits that all of them come to.

use crate::text::{Edit, FileId, Span};
use std::sync::Arc;

/// A file beside the judged one while it is edited: each step sees what the steps before it made.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The bytes that it was read with.
    pub(super) original: Arc<[u8]>,
    /// The bytes as they are now.
    pub(super) text: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Where a part of the text comes from.
#[derive(Clone, Copy, Debug)]
enum Piece {
    /// From there in the original.
    Kept(Span),
    /// From an edit, so many bytes.
    New(u32),
}

impl Piece {
    fn length(self) -> u32 {
        match self {
            Piece::Kept(span) => span.end - span.start,
            Piece::New(length) => length,
        }
    }

    /// What is left of it behind its first `count` bytes, and these.
    fn split(self, count: u32) -> (Piece, Piece) {
        match self {
            Piece::Kept(Span { start, end }) => {
                let middle = start + count;
                (Piece::Kept(Span { start, end: middle }), Piece::Kept(Span { start: middle, end }))
            }
            Piece::New(length) => (Piece::New(count), Piece::New(length - count)),
        }
    }
}

impl Draft {
    /// A text that nothing was done to.
    pub(super) fn new(original: Arc<[u8]>) -> Self {
        let text = original.to_vec();
        let pieces = vec![Piece::Kept(Span::new(0, text.len()))];
        Self { original, text, pieces }
    }

    /// Does `edit`, whose place is one of the text as it is now.
    pub(super) fn edit(&mut self, edit: &Edit) {
        self.text.splice(edit.span.range(), edit.text.bytes());
        let first = self.cut(edit.span.start);
        let last = self.cut(edit.span.end);
        self.pieces.splice(first..last, [Piece::New(edit.text.len() as u32)]);
    }

    /// The number of the piece that begins at `at`, once one does.
    fn cut(&mut self, at: u32) -> usize {
        let mut start = 0;
        for index in 0..self.pieces.len() {
            let piece = self.pieces[index];
            if at <= start {
                return index;
            }
            if at < start + piece.length() {
                let (before, behind) = piece.split(at - start);
                self.pieces.splice(index..=index, [before, behind]);
                return index + 1;
            }
            start += piece.length();
        }
        self.pieces.len()
    }

    /// The edits of the original that make the text of it, disjoint and in order.
    pub(super) fn edits(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let (mut old, mut new, mut written) = (0, 0, 0);
        let end = Span::new(self.original.len(), self.original.len());
        for piece in self.pieces.iter().copied().chain([Piece::Kept(end)]) {
            let Piece::Kept(span) = piece else {
                new += piece.length();
                continue;
            };
            if span.start > old || new > written {
                let text = String::from_utf8_lossy(&self.text[written as usize..new as usize]).into_owned();
                edits.push(Edit::replace(FileId::BESIDE, Span { start: old, end: span.start }, text));
            }
            new += piece.length();
            (old, written) = (span.end, new);
        }
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_to_edits_of_the_original() {
        let mut draft = Draft::new(Arc::from(b"abcdef".as_slice()));
        let edit = |start, end, text: &str| Edit::replace(FileId::BESIDE, Span::new(start, end), text);
        draft.edit(&edit(1, 2, "XYZ"));
        draft.edit(&edit(3, 5, ""));
        draft.edit(&edit(5, 5, "--"));
        draft.edit(&edit(0, 0, "<"));
        assert_eq!(draft.text, b"<aXYde--f");
        let edits = draft.edits();
        assert_eq!(edits, [edit(0, 0, "<"), edit(1, 3, "XY"), edit(5, 5, "--")]);
        assert_eq!(Draft::new(Arc::from(b"abc".as_slice())).edits(), []);
    }
}
