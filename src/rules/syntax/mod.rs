//! The form of a file.

pub(super) mod syntax_error;
