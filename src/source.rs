//! Files in memory: kind, path, bytes. Nothing here reads a disk.

mod generated;

pub use generated::Generation;

use crate::text::{FileId, LineColumn, LineIndex, Span};
use std::sync::OnceLock;

/// What a file is, as far as this project cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A Dockerfile or Containerfile.
    Dockerfile,
    /// A compose file.
    Compose,
    /// A Kubernetes manifest.
    Kubernetes,
    /// A GitHub Actions workflow.
    Workflow,
    /// A GitLab CI configuration.
    GitlabCi,
    /// A buildx bake file.
    Bake,
    /// A `devcontainer.json`.
    Devcontainer,
    /// A shell script.
    Script,
    /// A Makefile.
    Makefile,
    /// A seccomp profile.
    Seccomp,
}

impl FileKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [FileKind; 10] = [
        FileKind::Dockerfile,
        FileKind::Compose,
        FileKind::Kubernetes,
        FileKind::Workflow,
        FileKind::GitlabCi,
        FileKind::Bake,
        FileKind::Devcontainer,
        FileKind::Script,
        FileKind::Makefile,
        FileKind::Seccomp,
    ];

    /// The name used by `--kind` and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Dockerfile => "dockerfile",
            FileKind::Compose => "compose",
            FileKind::Kubernetes => "k8s",
            FileKind::Workflow => "gha-workflow",
            FileKind::GitlabCi => "gitlab-ci",
            FileKind::Bake => "bake",
            FileKind::Devcontainer => "devcontainer",
            FileKind::Script => "script",
            FileKind::Makefile => "makefile",
            FileKind::Seccomp => "seccomp",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One file: where it was read, what it is, and its bytes as they are on disk.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its place in the [`SourceSet`].
    pub id: FileId,
    /// As the user named it or as the walk found it, `/` between parts.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// Every byte, BOM and line endings included.
    pub text: Vec<u8>,
    lines: OnceLock<LineIndex>,
}

impl SourceFile {
    /// A file with its bytes.
    pub fn new(id: FileId, path: impl Into<String>, kind: FileKind, text: Vec<u8>) -> Self {
        Self { id, path: path.into(), kind, text, lines: OnceLock::new() }
    }

    /// The bytes of `span`.
    pub fn bytes(&self, span: Span) -> &[u8] {
        span.of(&self.text)
    }

    /// Its line starts, found at the first call.
    pub fn line_index(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }

    /// Line and column of `offset`.
    pub fn locate(&self, offset: u32) -> LineColumn {
        self.line_index().locate(&self.text, offset)
    }
}

/// The files of one run: an immutable snapshot that all findings refer to.
#[derive(Debug, Default)]
pub struct SourceSet {
    files: Vec<SourceFile>,
}

impl SourceSet {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and answers its id.
    pub fn add(&mut self, path: impl Into<String>, kind: FileKind, text: Vec<u8>) -> FileId {
        let id = FileId(self.files.last().map_or(0, |file| file.id.0 + 1));
        self.files.push(SourceFile::new(id, path, kind, text));
        id
    }

    /// The set of `files`, whose ids ascend; ids may be left out.
    pub fn of(files: Vec<SourceFile>) -> Self {
        debug_assert!(files.is_sorted_by(|a, b| a.id < b.id), "ids ascend");
        Self { files }
    }

    /// The file at `path`.
    pub fn at(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The file of that id.
    pub fn get(&self, id: FileId) -> &SourceFile {
        let at = self.files.binary_search_by_key(&id, |file| file.id);
        &self.files[at.expect("an id is asked of the set that it was made in")]
    }

    /// The files themselves, in the order they were added.
    pub fn into_files(self) -> Vec<SourceFile> {
        self.files
    }

    /// All files, in the order they were added.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }
}
