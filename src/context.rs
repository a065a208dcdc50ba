//! The build context as evidence: entry scripts, manifests, `action.yml`, asked for by path.
//!
//! Nothing here touches a disk: whoever runs the rules hands in [`Files`]. Which directory a build takes as its context
//! is not written in a Dockerfile, so a `COPY` source is looked for in the Dockerfile's directory and then in each
//! directory above it that the run may read; the answer says where it was found.

use std::sync::Arc;

/// Read access to the files around a checked file.
///
/// An implementation answers only regular files inside the checked tree, bounded in size and number, and gives the
/// same answer for the same path all through one run.
pub trait Files: Sync {
    /// The bytes of the file at `path`, written as [`crate::source::SourceFile::path`] is.
    fn read(&self, path: &str) -> Option<Arc<[u8]>>;
}

/// No files at all: a text on standard input, an editor without a folder.
#[derive(Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str) -> Option<Arc<[u8]>> {
        None
    }
}

/// The surroundings of one checked file.
#[derive(Clone, Copy)]
pub struct BuildContext<'a> {
    files: &'a dyn Files,
    path: &'a str,
}

/// A file of the context.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its path, written as the checked file's path is.
    pub path: String,
    /// Its bytes.
    pub text: Arc<[u8]>,
}

/// How many directories above the Dockerfile's own are looked into.
const HEIGHT: usize = 6;

impl<'a> BuildContext<'a> {
    /// The surroundings of the file at `path`.
    pub fn new(files: &'a dyn Files, path: &'a str) -> Self {
        Self { files, path }
    }

    /// The file `name` in the directory of the checked file.
    pub fn beside(&self, name: &str) -> Option<Found> {
        self.in_directory(directory(self.path), name)
    }

    /// The file `name` in the directory of the checked file or the nearest one above it.
    ///
    /// For a `COPY` source the answer is the likeliest file, not a proof: the context may be another directory.
    pub fn nearest(&self, name: &str) -> Option<Found> {
        let name = plain(name)?;
        let mut at = directory(self.path);
        for _ in 0..=HEIGHT {
            if let Some(found) = self.in_directory(at, name) {
                return Some(found);
            }
            // What lies above `..` has no name here.
            if at.is_empty() || at == ".." || at.ends_with("/..") {
                return None;
            }
            at = directory(at);
        }
        None
    }

    fn in_directory(&self, directory: &str, name: &str) -> Option<Found> {
        let path = match directory {
            "" => name.to_owned(),
            "/" => format!("/{name}"),
            directory => format!("{directory}/{name}"),
        };
        self.files.read(&path).map(|text| Found { path, text })
    }
}

/// The part of `path` before its last `/`.
fn directory(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) if path != "/" => "/",
        Some((directory, _)) => directory,
        None => "",
    }
}

/// A source path without its leading `./` or `/`; `None` for what leaves the context, is a pattern or holds a variable.
fn plain(name: &str) -> Option<&str> {
    let name = name.trim_start_matches("./").trim_start_matches('/');
    let odd = name.is_empty() || name.contains(['*', '?', '[', '$', '\0']) || name.split('/').any(|part| part == "..");
    (!odd).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(&'static [&'static str]);

    impl Files for Tree {
        fn read(&self, path: &str) -> Option<Arc<[u8]>> {
            self.0.contains(&path).then(|| Arc::from(path.as_bytes()))
        }
    }

    fn nearest(tree: &'static [&'static str], dockerfile: &str, name: &str) -> Option<String> {
        BuildContext::new(&Tree(tree), dockerfile).nearest(name).map(|found| found.path)
    }

    #[test]
    fn the_nearest_directory_wins() {
        assert_eq!(nearest(&["run.sh", "a/run.sh"], "a/b/Dockerfile", "run.sh").as_deref(), Some("a/run.sh"));
        assert_eq!(nearest(&["run.sh"], "Dockerfile", "./run.sh").as_deref(), Some("run.sh"));
        assert_eq!(nearest(&["/run.sh"], "/Dockerfile", "/run.sh").as_deref(), Some("/run.sh"));
        assert_eq!(nearest(&["/x/run.sh"], "/x/y/Dockerfile", "run.sh").as_deref(), Some("/x/run.sh"));
        assert_eq!(nearest(&["../run.sh"], "../x/Dockerfile", "run.sh").as_deref(), Some("../run.sh"));
        assert_eq!(nearest(&["run.sh"], "../x/Dockerfile", "run.sh"), None);
    }

    #[test]
    fn what_leaves_the_context_or_is_a_pattern_is_not_looked_for() {
        for name in ["../run.sh", "a/../../run.sh", "*.sh", "$X/run.sh", ".", ""] {
            assert_eq!(nearest(&["run.sh", "a/run.sh"], "a/Dockerfile", name), None, "{name}");
        }
    }
}
