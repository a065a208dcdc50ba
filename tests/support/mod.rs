//! The one place where tests reach into the program: an API change touches this file and no test.

#![allow(dead_code, reason = "each test uses its own part of it")]

use ironhull::{
    context::Files,
    engine,
    knowledge::Knowledge,
    rule::{Builtin, Finding},
    source::{FileKind, SourceSet},
    text::Span,
};
use std::sync::Arc;

/// What `rule` says about the files of `text`, in file order.
pub(crate) fn findings_of(rule: &'static Builtin, text: &[u8]) -> Vec<Finding> {
    let mut sources = SourceSet::new();
    for (path, text) in files_of(text) {
        let kind = kind_of(&path);
        sources.add(path, kind, text);
    }
    let knowledge = Knowledge::builtin();
    let read = sources.files().iter().filter(|file| rule.meta.kinds.contains(&file.kind));
    let mut found: Vec<Finding> =
        read.flat_map(|file| engine::findings(file, &[rule], &knowledge, &Tree(&sources))).flatten().collect();
    found.sort_by_key(|finding| (finding.primary.file, finding.primary.span));
    found
}

/// The files of an example, as evidence around the one that is checked.
struct Tree<'a>(&'a SourceSet);

impl Files for Tree<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        let file = self.0.files().iter().find(|file| file.path == path)?;
        Some(Arc::from(file.text.as_slice()))
    }
}

fn kind_of(path: &str) -> FileKind {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.contains("Dockerfile") {
        FileKind::Dockerfile
    } else if name.contains("compose") {
        FileKind::Compose
    } else {
        FileKind::Script
    }
}

/// The files of an example: cut at `-- name --` lines, or one Dockerfile.
pub(crate) fn files_of(text: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match (header(line), files.last_mut()) {
            (Some(name), _) => files.push((name, Vec::new())),
            (None, Some((_, text))) => text.extend_from_slice(line),
            (None, None) => files.push(("Dockerfile".to_owned(), line.to_vec())),
        }
    }
    files
}

fn header(line: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(line).ok()?.trim_end().strip_prefix("-- ")?.strip_suffix(" --")?;
    (!name.contains(' ')).then(|| name.to_owned())
}

/// A text without its `«…»` marks, and where they were, as spans of the text without them.
pub(crate) fn unmarked(marked: &str) -> (String, Vec<Span>) {
    let mut text = String::new();
    let mut open = Vec::new();
    let mut spans = Vec::new();
    for character in marked.chars() {
        match character {
            '«' => open.push(text.len()),
            '»' => spans.push(Span::new(open.pop().expect("a mark that closes was opened"), text.len())),
            other => text.push(other),
        }
    }
    assert!(open.is_empty(), "a mark is never closed in:\n{marked}");
    spans.sort();
    (text, spans)
}
