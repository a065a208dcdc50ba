//! Names and files of one run: nobody else's names are like these, and the files are gone when the run is.

#![allow(clippy::disallowed_methods, reason = "an engine reads a Dockerfile from a file")]

use super::failure::{Failure, Side};
use std::{
    cell::Cell,
    fs, io,
    path::{Path, PathBuf},
};

/// A directory for Dockerfiles, and the name that everything of this run starts with.
#[derive(Debug)]
pub(super) struct Workspace {
    directory: tempfile::TempDir,
    prefix: String,
    count: Cell<u32>,
}

impl Workspace {
    pub(super) fn new() -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("ironhull-verify-").rand_bytes(12).tempdir();
        let directory = directory.map_err(|error| Failure::Workspace(error.to_string()))?;
        let name = directory.path().file_name().unwrap_or_default().to_string_lossy();
        // Names of images have no capitals; the number of this process keeps them apart even so.
        let prefix = format!("{}-{}", name.to_lowercase(), std::process::id());
        Ok(Self { directory, prefix, count: Cell::new(0) })
    }

    /// A name that was not given before in this run.
    fn next(&self, side: Side) -> String {
        self.count.set(self.count.get() + 1);
        format!("{}-{}", side.tag(), self.count.get())
    }

    /// A name for an image.
    pub(super) fn image(&self, side: Side) -> String {
        format!("localhost/{}:{}", self.prefix, self.next(side))
    }

    /// A name for a container.
    pub(super) fn container(&self, side: Side) -> String {
        format!("{}-{}", self.prefix, self.next(side))
    }

    /// Lays a Dockerfile ready, outside of every build context, with the ignore file that belongs to it alone.
    pub(super) fn lay(&self, side: Side, text: &[u8], ignore: Option<&[u8]>) -> Result<PathBuf, Failure> {
        let path = self.directory.path().join(format!("{}.Dockerfile", self.next(side)));
        let write = || -> io::Result<()> {
            fs::write(&path, text)?;
            ignore.map_or(Ok(()), |ignore| fs::write(beside(&path), ignore))
        };
        write().map_err(|error| Failure::Workspace(error.to_string()))?;
        Ok(path)
    }
}

/// The ignore file that belongs to one Dockerfile alone.
pub fn beside(dockerfile: &Path) -> PathBuf {
    let mut name = dockerfile.as_os_str().to_owned();
    name.push(".dockerignore");
    name.into()
}
