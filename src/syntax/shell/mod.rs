//! Commands, words, pipes and redirections of a shell script: enough to know what a `RUN` does, not a shell.
//!
//! [`parse`] reads any bytes and never fails. It answers a [`Script`]: every simple command in source order (also those
//! inside subshells, groups, loops, functions and substitutions), how they are joined, and [`Doubt`]s where the reader
//! is unsure. Offsets are those of the text that was given: Docker-joined text (map back with
//! [`Joined::file_span`](super::dockerfile::Joined::file_span)) or a slice of the file.
//!
//! Nothing is expanded and nothing is guessed: a word whose value depends on a variable, a substitution, a glob, a tilde
//! or a brace list has no [`Word::literal`].

mod dialect;
mod head;
mod heredoc;
mod invocation;
mod list;
mod reader;
mod text;
mod tree;

pub use dialect::{Dialect, dialect_of, dialect_of_shebang};
pub use invocation::{Invocation, Wrapper};
pub use tree::{
    Assignment, Command, Compound, CompoundKind, Connector, Doubt, Element, Heredoc, Operator, Owner, Piece, PieceKind,
    Place, Quoting, Reason, Redirect, RedirectOperator, Script, Section, Slot, Value, Word,
};

/// Reads a script. Never fails: what could not be read is in [`Script::doubts`].
///
/// Bash syntax is read in POSIX scripts too, since `/bin/sh` often is bash. A dialect that is no Bourne shell has no
/// commands, and one doubt that says so.
pub fn parse(script: &[u8], dialect: Dialect) -> Script {
    reader::read(script, dialect)
}

#[cfg(test)]
mod tests;
