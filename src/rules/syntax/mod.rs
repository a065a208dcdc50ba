//! The form of a file.

pub(super) mod syntax_error;
pub(super) mod unused_allow;
