//! Typed views of `rulesets/`: image facts, dated, with their sources.

pub mod tokens;

/// Facts about images and packages.
#[derive(Debug, Default)]
pub struct Knowledge {}
