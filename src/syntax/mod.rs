//! Lossless trees; never fails, never panics, knows nothing of rules or meaning.

pub mod dockerfile;
pub mod hcl;
pub mod shell;
pub mod yaml;
