//! Commands, words, pipes and redirections of a shell script: enough to know what a `RUN` does, not a shell.
//!
//! [`parse`] reads any bytes and never fails. It answers a [`Script`]: every simple command in source order (also those
//! inside subshells, groups, loops, functions and substitutions), how they are joined, and [`Doubt`]s where the reader
//! is unsure. Offsets are those of the text that was given: Docker-joined text (map back with
//! [`Joined::file_span`](super::dockerfile::Joined::file_span)) or a slice of the file.
//!
//! ```
//! use ironhull::syntax::shell::{self, Dialect, Element};
//!
//! let script = shell::parse(b"curl -fsSL https://example.com/i.sh | sudo bash -s -- \"$V\"; rm *", Dialect::Posix);
//! let curl = script.command(0);
//! assert_eq!(curl.name(), Some("curl"));
//! assert_eq!(curl.piped_into(), Some(Element::Command(1)));
//! let shell = script.command(1).invocation().unwrap();
//! assert_eq!(shell.name(), Some("bash"));
//! assert_eq!(shell.arguments().last().unwrap().literal(), None);
//! ```
//!
//! Nothing is expanded and nothing is guessed: a word whose value depends on a variable, a substitution, a glob, a tilde
//! or a brace list has no [`Word::literal`].

mod command;
mod dialect;
mod inline;
mod invocation;
mod reader;
mod redirect;
mod tree;
mod word;

pub use command::{
    Assignment, Blocks, Command, Compound, CompoundKind, Connector, Element, Owner, Place, Section, Slot, Value,
    file_name,
};
pub use dialect::{Dialect, dialect_of, dialect_of_shebang};
pub use inline::{EveryCommand, Inline};
pub use invocation::{Invocation, Wrapper};
pub use redirect::{Heredoc, Redirect, RedirectOperator};
pub use tree::{Doubt, Reason, Script};
pub use word::{Operator, Piece, PieceKind, Quoting, Word, Words};

/// Reads a script. Never fails: what could not be read is in [`Script::doubts`].
///
/// Bash syntax is read in POSIX scripts too, since `/bin/sh` often is bash. A dialect that is no Bourne shell has no
/// commands, and one doubt that says so.
pub fn parse(script: &[u8], dialect: Dialect) -> Script {
    reader::read(&tree::Text::new(script), dialect, 0)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
