//! The files that change with a Dockerfile because they build it: each is a text in front of the one on disk.

use super::Project;
use crate::{
    context::{Files, Overlaid},
    engine::Unjudged,
    harden::{Hardened, Wishes},
    rule::Companion,
    source::SourceFile,
};

/// The files around Dockerfiles with what hardened ones need of them, so that each sees what those before it made of them.
pub struct Decided<'f> {
    around: &'f dyn Files,
    changed: Vec<SourceFile>,
}

impl<'f> Decided<'f> {
    /// `around`, as it is.
    pub fn new(around: &'f dyn Files) -> Self {
        Self { around, changed: Vec::new() }
    }

    /// The files as they would be.
    pub fn files(&self) -> Overlaid<'_> {
        Overlaid::new(self.around, &self.changed)
    }

    /// Adds what `result` needs.
    pub fn add(&mut self, result: &Hardened) {
        for file in &result.beside {
            put(&mut self.changed, file.clone());
        }
    }

    fn has_any_of(&self, result: &Hardened) -> bool {
        result.beside.iter().any(|file| self.changed.iter().any(|other| other.path == file.path))
    }
}

impl Project {
    /// What became of `file`, once more where it changes files that others changed before it.
    ///
    /// # Errors
    /// If the file is not of its kind.
    pub fn harden_beside(
        &self,
        file: &SourceFile,
        alone: Hardened,
        decided: &Decided<'_>,
        wishes: &Wishes,
    ) -> Result<Hardened, Unjudged> {
        if decided.has_any_of(&alone) { self.harden(file, &decided.files(), wishes) } else { Ok(alone) }
    }

    /// The first of `companions` that nobody here is to look at.
    pub(super) fn excluded<'c>(&self, companions: impl Iterator<Item = &'c Companion>) -> Option<&'c str> {
        companions.map(|other| other.path.as_str()).find(|path| self.policy.excludes(path, false))
    }
}

/// Puts `file` among `files`, in the place of the one of its path.
pub(super) fn put(files: &mut Vec<SourceFile>, file: SourceFile) {
    match files.iter_mut().find(|other| other.path == file.path) {
        Some(other) => *other = file,
        None => files.push(file),
    }
}
