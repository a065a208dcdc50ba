//! A place in a file that proves something.

/// A place in a file that proves something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// The file, written as the checked file's path is.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// What it shows, a few words.
    pub shows: String,
}
