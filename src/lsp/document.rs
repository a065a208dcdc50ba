//! A document that is open in the editor.

use super::{
    position::{Encoding, Lines},
    uri,
};
use crate::{
    discover,
    report::Ranked,
    source::{FileKind, SourceFile},
    text::FileId,
};
use gen_lsp_types::{LanguageKind, TextDocumentContentChangeEvent, TextDocumentItem, Uri};

/// A text as the editor has it, which the disk may not have yet.
pub(super) struct Document {
    /// As the editor writes it.
    pub(super) uri: Uri,
    /// Its path, if it has one.
    pub(super) path: Option<String>,
    /// What it is; `None` for what is evidence or configuration and is not judged.
    pub(super) kind: Option<FileKind>,
    /// Whether it is YAML whose name does not say what it is.
    may_be_manifest: bool,
    /// The editor's count of changes.
    pub(super) version: i32,
    /// The text.
    pub(super) text: String,
    /// Its lines.
    pub(super) lines: Lines,
    /// What there is to say about this text, or why nothing; `None` before anybody asked.
    pub(super) judged: Option<Judged>,
    /// Whether the editor was told.
    pub(super) is_told: bool,
}

/// What is wrong with a document, or why that cannot be said.
pub(super) type Judged = Result<Vec<Ranked>, String>;

impl Document {
    /// What the editor opened.
    pub(super) fn new(item: TextDocumentItem, encoding: Encoding) -> Self {
        let TextDocumentItem { uri, language_id, version, text } = item;
        let path = uri::path(&uri);
        let name = path.as_deref().unwrap_or(uri::last_part(&uri));
        let kind = discover::kind_of_name(name).or_else(|| kind_of_language(&language_id));
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml") || language_id == LanguageKind::YAML;
        let may_be_manifest = kind.is_none() && is_yaml;
        let kind = kind.filter(|kind| is_judged(*kind));
        let lines = Lines::new(&text, encoding);
        let mut document =
            Self { uri, path, kind, may_be_manifest, version, text, lines, judged: None, is_told: false };
        document.look_for_manifest();
        document
    }

    /// What it is if that shows in its text; once it is a manifest, it stays one while it is written.
    fn look_for_manifest(&mut self) {
        if self.may_be_manifest && self.kind.is_none() {
            self.kind = discover::kind_of_yaml(self.text.as_bytes());
        }
    }

    /// Whether other documents may be judged by it.
    pub(super) fn is_evidence(&self) -> bool {
        self.kind != Some(FileKind::Dockerfile)
    }

    /// Takes over what was typed.
    pub(super) fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        for change in changes {
            match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    let bytes = self.lines.bytes(&self.text, part.range);
                    self.text.replace_range(bytes, &part.text);
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => self.text = whole.text,
            }
            self.lines = Lines::new(&self.text, encoding);
        }
        self.version = version;
        self.look_for_manifest();
        self.forget_judgement();
    }

    /// Says that what was said about it may no longer hold.
    pub(super) fn forget_judgement(&mut self) {
        self.judged = None;
        self.is_told = false;
    }

    /// As the rest of the program takes it.
    pub(super) fn source(&self, kind: FileKind) -> SourceFile {
        let name = self.path.as_deref().unwrap_or(uri::last_part(&self.uri));
        SourceFile::new(FileId(0), name, kind, self.text.clone().into_bytes())
    }

    /// What was found; nothing if it was not or cannot be judged.
    pub(super) fn findings(&self) -> &[Ranked] {
        match &self.judged {
            Some(Ok(findings)) => findings,
            Some(Err(_)) | None => &[],
        }
    }
}

/// Whether there are findings in files of that kind.
fn is_judged(kind: FileKind) -> bool {
    match kind {
        FileKind::Dockerfile
        | FileKind::Compose
        | FileKind::Kubernetes
        | FileKind::Workflow
        | FileKind::GitlabCi
        | FileKind::Script
        | FileKind::Makefile
        | FileKind::Seccomp => true,
        FileKind::Bake | FileKind::Devcontainer => false,
    }
}

fn kind_of_language(language: &LanguageKind) -> Option<FileKind> {
    match language {
        LanguageKind::Dockerfile => Some(FileKind::Dockerfile),
        LanguageKind::Custom(name) => {
            let is_dockerfile = ["dockerfile", "containerfile"].iter().any(|known| name.eq_ignore_ascii_case(known));
            let is_compose = name.eq_ignore_ascii_case("dockercompose");
            is_dockerfile.then_some(FileKind::Dockerfile).or(is_compose.then_some(FileKind::Compose))
        }
        _ => None,
    }
}
