//! What the files mean: facts only, no messages, no edits.

pub mod credential;

use crate::{source::SourceFile, syntax::dockerfile::Dockerfile};

/// What a Dockerfile means.
#[derive(Debug)]
pub struct DockerfileModel<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// Its tree.
    pub syntax: &'a Dockerfile,
}
