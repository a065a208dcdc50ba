//! Edits into text.

use crate::{
    source::{SourceFile, SourceSet},
    text::{Edit, FileId, Span},
};
use std::collections::BTreeSet;

/// The files with `edits` done, which must be disjoint; equal edits are one.
pub fn apply<'e>(sources: &SourceSet, edits: impl IntoIterator<Item = &'e Edit>) -> SourceSet {
    let edits: BTreeSet<&Edit> = edits.into_iter().collect();
    let files = sources.files().iter().map(|file| {
        let own = edits.iter().copied().filter(|edit| edit.file == file.id);
        SourceFile::new(file.id, file.path.clone(), file.kind, splice(&file.text, own))
    });
    SourceSet::of(files.collect())
}

/// `text` with `edits` done, which must be disjoint and in order of their places.
pub fn splice<'e>(text: &[u8], edits: impl IntoIterator<Item = &'e Edit>) -> Vec<u8> {
    let mut spliced = Vec::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in edits {
        let range = edit.span.range();
        debug_assert!(at <= range.start, "edits are disjoint and sorted");
        spliced.extend_from_slice(&text[at..range.start]);
        spliced.extend_from_slice(edit.text.as_bytes());
        at = range.end;
    }
    spliced.extend_from_slice(&text[at..]);
    spliced
}

/// Where places of a file went when edits were done to it.
#[derive(Debug, Default)]
pub(super) struct Moves(Vec<Move>);

/// One edit, and where the text behind it went.
#[derive(Debug)]
struct Move {
    file: FileId,
    old: Span,
    /// Where the end of `old` is in the new text.
    new_end: u32,
    /// Where the start of `old` is in the new text.
    new_start: u32,
}

impl Moves {
    pub(super) fn of<'e>(edits: impl IntoIterator<Item = &'e Edit>) -> Self {
        let edits: BTreeSet<&Edit> = edits.into_iter().collect();
        let mut moves: Vec<Move> = Vec::with_capacity(edits.len());
        for edit in edits {
            let before = moves.last().filter(|before| before.file == edit.file);
            let (old, new) = before.map_or((0, 0), |before| (before.old.end, before.new_end));
            let new_start = new + (edit.span.start - old);
            let new_end = new_start + edit.text.len() as u32;
            moves.push(Move { file: edit.file, old: edit.span, new_end, new_start });
        }
        Self(moves)
    }

    /// The new place of `span`, as wide as what edits in it and at its edges made of it.
    pub(super) fn map(&self, file: FileId, span: Span) -> Span {
        // The first edit that ends behind the start, and the first one that starts behind the end.
        let first = self.0.partition_point(|each| (each.file, each.old.end) <= (file, span.start));
        let past = self.0.partition_point(|each| (each.file, each.old.start) <= (file, span.end));
        let before = first.checked_sub(1).map(|at| &self.0[at]).filter(|each| each.file == file);
        let start = match self.0.get(first).filter(|each| each.file == file && each.old.start < span.start) {
            Some(astride) => astride.new_start,
            None => before.map_or(span.start, |each| each.new_end + (span.start - each.old.end)),
        };
        let last = past.checked_sub(1).map(|at| &self.0[at]).filter(|each| each.file == file);
        let end = last.map_or(span.end, |each| each.new_end + span.end.saturating_sub(each.old.end));
        Span { start, end: end.max(start) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId(0);

    #[test]
    fn edits_are_spliced_in_order_and_equal_ones_once() {
        let mut sources = SourceSet::new();
        sources.add("Dockerfile", crate::source::FileKind::Dockerfile, b"abcdef".to_vec());
        let edits = [
            Edit::replace(FILE, Span::new(4, 5), "EE"),
            Edit::insert(FILE, 1, "-"),
            Edit::insert(FILE, 1, "-"),
            Edit::delete(FILE, Span::new(2, 4)),
        ];
        assert_eq!(apply(&sources, &edits).files()[0].text, b"a-bEEf");
    }

    #[test]
    fn places_move_with_what_is_before_them() {
        let edits = [Edit::insert(FILE, 1, "--"), Edit::delete(FILE, Span::new(4, 6))];
        let moves = Moves::of(&edits);
        assert_eq!(moves.map(FILE, Span::new(0, 1)).start, 0);
        assert_eq!(moves.map(FILE, Span::new(2, 3)), Span::new(4, 5));
        assert_eq!(moves.map(FILE, Span::new(3, 7)), Span::new(5, 7));
        assert_eq!(moves.map(FILE, Span::new(8, 9)), Span::new(8, 9));
    }
}
