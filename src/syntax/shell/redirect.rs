//! Redirections and here-documents.

use super::{
    Piece, Script, Word,
    tree::{HeredocData, RedirectData},
};
use crate::text::Span;

/// What a redirection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RedirectOperator {
    /// `<`
    Read,
    /// `>`, `>|`
    Write,
    /// `>>`
    Append,
    /// `<>`
    ReadWrite,
    /// `<&`
    DuplicateInput,
    /// `>&`
    DuplicateOutput,
    /// `&>`
    WriteAll,
    /// `&>>`
    AppendAll,
    /// `<<`, `<<-`
    Heredoc,
    /// `<<<`
    HereString,
}

/// A redirection.
#[derive(Clone, Copy, Debug)]
pub struct Redirect<'s> {
    pub(super) script: &'s Script,
    pub(super) data: &'s RedirectData,
}

impl<'s> Redirect<'s> {
    /// From the descriptor or operator to the end of the target.
    pub fn span(self) -> Span {
        self.script.placed(self.data.span)
    }

    /// What it does.
    pub fn operator(self) -> RedirectOperator {
        self.data.operator
    }

    /// The descriptor as written before the operator: a number, or `{name}`.
    pub fn descriptor(self) -> Option<&'s [u8]> {
        self.data.descriptor.map(|span| span.of(&self.script.own))
    }

    /// The file, descriptor, here-string or the word that ends a here-document.
    pub fn target(self) -> Word<'s> {
        Word { script: self.script, data: &self.data.target }
    }

    /// The here-document that it opens.
    pub fn heredoc(self) -> Option<Heredoc<'s>> {
        self.data.heredoc.map(|index| Heredoc { script: self.script, index })
    }
}

/// A here-document.
#[derive(Clone, Copy, Debug)]
pub struct Heredoc<'s> {
    pub(super) script: &'s Script,
    pub(super) index: u32,
}

impl<'s> Heredoc<'s> {
    fn data(self) -> &'s HeredocData {
        &self.script.heredocs[self.index as usize]
    }

    /// Its index among the here-documents of the script.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Whether variables and substitutions in it are expanded: no part of its word was quoted.
    pub fn expands(self) -> bool {
        self.data().expands
    }

    /// Whether leading tabs are taken off (`<<-`).
    pub fn strips_tabs(self) -> bool {
        self.data().strips_tabs
    }

    /// Its lines; `None` if the text ends on the line that opens it, as Docker's own here-documents do.
    pub fn body(self) -> Option<Span> {
        self.data().body.map(|body| self.script.placed(body))
    }

    /// The line that ends it.
    pub fn end(self) -> Option<Span> {
        self.data().end.map(|end| self.script.placed(end))
    }

    /// Variables and substitutions in it; text is left out.
    pub fn pieces(self) -> impl ExactSizeIterator<Item = Piece> + 's {
        self.data().pieces.of(&self.script.pieces).iter().map(move |piece| piece.placed(self.script))
    }
}
