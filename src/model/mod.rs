//! What the files mean: facts only, no messages, no edits.

pub mod credential;
pub mod expand;
pub mod reference;

use crate::{source::SourceFile, syntax::dockerfile::Dockerfile};

/// What a Dockerfile means.
#[derive(Debug)]
pub struct DockerfileModel<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// Its tree.
    pub syntax: &'a Dockerfile,
}
