//! The one place where tests reach into the program: an API change touches this file and no test.

#![allow(dead_code, unused_imports, reason = "each test uses its own part of it")]

mod tree;

pub(crate) use tree::Tree;

use ironhull::{
    context::{self, Entry, Files, NoFiles},
    engine::{self, Evidence},
    fix::{self, Beside},
    knowledge::{AllowedImages, Knowledge},
    lock::{self, Lock},
    policy::ConfigFile,
    rule::{Builtin, Detail, Finding, Safety},
    source::{FileKind, SourceFile, SourceSet},
    text::{FileId, Span},
};
use std::sync::Arc;

/// What `rule` says about the files of `text`, in file order.
pub(crate) fn findings_of(rule: &'static Builtin, text: &[u8]) -> Vec<Finding> {
    let sources = sources_of(text);
    let (knowledge, lock) = (knowledge_of(&sources), lock_of(&sources));
    let examples = Examples(&sources);
    let evidence = evidence(&knowledge, &lock, &examples);
    let read = sources.files().iter().filter(|file| rule.meta.kinds.contains(&file.kind));
    let judged = read.filter_map(|file| engine::judge(file, &[rule], evidence).ok());
    let mut found: Vec<Finding> = judged.flat_map(|judgement| judgement.findings).collect();
    found.sort_by_key(|finding| (finding.primary.file, finding.primary.span));
    found
}

/// The files of `text` with what `rules` repair at or above `allowed`, in the shape of `text`.
///
/// # Panics
/// If a fix does harm, or a second run changes something: both are bugs.
pub(crate) fn repaired(rules: &[&'static Builtin], text: &[u8], allowed: Safety) -> Vec<u8> {
    let once = repaired_once(rules, text, allowed);
    let twice = repaired_once(rules, &once, allowed);
    assert!(
        once == twice,
        "a second run changes\n{}to\n{}",
        String::from_utf8_lossy(&once),
        String::from_utf8_lossy(&twice)
    );
    once
}

/// The Dockerfile `text`, alone in the world, with what `rules` repair at or above `allowed`.
///
/// # Errors
/// What went wrong: a fix was taken back, or a second run changes something.
pub(crate) fn repaired_in_place(rules: &[&'static Builtin], text: &[u8], allowed: Safety) -> Result<Vec<u8>, String> {
    repaired_as(FileKind::Dockerfile, rules, text, allowed)
}

/// The file `text` of that kind, alone in the world, with what `rules` repair at or above `allowed`.
///
/// # Errors
/// What went wrong: a fix was taken back, or a second run changes something.
pub(crate) fn repaired_as(
    kind: FileKind,
    rules: &[&'static Builtin],
    text: &[u8],
    allowed: Safety,
) -> Result<Vec<u8>, String> {
    let (knowledge, lock) = (Knowledge::builtin(), Lock::default());
    let evidence = evidence(&knowledge, &lock, &NoFiles);
    let once = |text: &[u8]| -> Result<Vec<u8>, String> {
        let mut sources = SourceSet::new();
        sources.add(name_of(kind), kind, text.to_vec());
        let judge = |sources: &SourceSet| engine::judge(&sources.files()[0], rules, evidence);
        let Ok((outcome, _)) = fix::repair(sources, allowed, &judge) else { return Ok(text.to_vec()) };
        if !outcome.quarantined.is_empty() {
            return Err(format!("taken back: {:?}", outcome.quarantined));
        }
        Ok(outcome.sources.into_files().remove(0).text)
    };
    let fixed = once(text)?;
    if once(&fixed)? == fixed { Ok(fixed) } else { Err("a second run changes something".to_owned()) }
}

/// What `rules` say about the file `text` of that kind, alone in the world.
pub(crate) fn findings_as(kind: FileKind, rules: &[&'static Builtin], text: &[u8]) -> Vec<Finding> {
    let (knowledge, lock) = (Knowledge::builtin(), Lock::default());
    let evidence = evidence(&knowledge, &lock, &NoFiles);
    let file = SourceFile::new(FileId(0), name_of(kind), kind, text.to_vec());
    engine::judge(&file, rules, evidence).map(|judgement| judgement.findings).unwrap_or_default()
}

/// All that a file of an example is judged by, as deep as repairs need it.
fn evidence<'a>(knowledge: &'a Knowledge, lock: &'a Lock, around: &'a dyn Files) -> Evidence<'a> {
    Evidence { knowledge, around, lock, today: None, detail: Detail::Repairs }
}

/// What a file of that kind is called.
fn name_of(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Dockerfile => "Dockerfile",
        FileKind::Compose => "compose.yaml",
        FileKind::Kubernetes => "pod.yaml",
        FileKind::Workflow => ".github/workflows/ci.yaml",
        FileKind::GitlabCi => ".gitlab-ci.yml",
        FileKind::Bake => "docker-bake.hcl",
        FileKind::Devcontainer => "devcontainer.json",
        FileKind::Script => "run.sh",
        FileKind::Makefile => "Makefile",
        FileKind::Seccomp => "seccomp.json",
    }
}

fn repaired_once(rules: &[&'static Builtin], text: &[u8], allowed: Safety) -> Vec<u8> {
    let sources = sources_of(text);
    let (knowledge, lock) = (knowledge_of(&sources), lock_of(&sources));
    let examples = Examples(&sources);
    let evidence = evidence(&knowledge, &lock, &examples);
    let mut shape = Vec::new();
    // What changes with another file is decided once that one is repaired.
    let mut beside: Vec<Beside> = Vec::new();
    let has_headers = header(text.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default()).is_some();
    for file in sources.files() {
        if has_headers {
            shape.extend_from_slice(format!("-- {} --\n", file.path).as_bytes());
        }
        let decided = beside.iter().find(|other| other.path == file.path).map(|other| &other.after);
        let text = decided.unwrap_or(&file.text);
        let own = SourceFile::new(file.id, file.path.clone(), file.kind, text.clone());
        let judge = |changed: &SourceSet| engine::judge_first(changed, rules, evidence);
        let Ok((outcome, _)) = fix::repair(SourceSet::of(vec![own]), allowed, &judge) else {
            shape.extend_from_slice(text);
            continue;
        };
        assert!(
            outcome.quarantined.is_empty(),
            "{:?} on\n{}",
            outcome.quarantined,
            String::from_utf8_lossy(&file.text)
        );
        shape.extend_from_slice(&outcome.sources.files()[0].text);
        for other in &outcome.beside {
            let at = sources.files().iter().position(|known| known.path == other.path);
            assert!(at > sources.files().iter().position(|known| known.id == file.id), "`{}` comes first", other.path);
        }
        beside.extend(outcome.beside);
    }
    shape
}

fn sources_of(text: &[u8]) -> SourceSet {
    let mut sources = SourceSet::new();
    for (path, text) in files_of(text) {
        let kind = kind_of(&path);
        sources.add(path, kind, text);
    }
    sources
}

/// What is known where an example has an `ironhull.toml`, which may say what images are let in.
fn knowledge_of(sources: &SourceSet) -> Knowledge {
    let file = sources.files().iter().find(|file| file.path == "ironhull.toml");
    let text = file.and_then(|file| std::str::from_utf8(&file.text).ok());
    let layer = text.and_then(|text| ConfigFile::read(text, &[]).ok()).map(ConfigFile::into_layer);
    match layer.and_then(|layer| layer.images) {
        Some(images) => Knowledge::builtin().allowing(AllowedImages::new(images.iter().map(String::as_str))),
        None => Knowledge::builtin(),
    }
}

/// The lock file of an example, if it has one; a damaged one is none, as the program refuses it.
fn lock_of(sources: &SourceSet) -> Lock {
    let file = sources.files().iter().find(|file| file.path == lock::FILE_NAME);
    let text = file.and_then(|file| std::str::from_utf8(&file.text).ok());
    text.and_then(|text| Lock::parse(text).ok()).unwrap_or_default()
}

/// The files of an example, as evidence around the one that is checked.
struct Examples<'a>(&'a SourceSet);

impl Files for Examples<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        let file = self.0.files().iter().find(|file| file.path == path)?;
        Some(Arc::from(file.text.as_slice()))
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        context::entries(self.0.files().iter().map(|file| file.path.as_str()), path)
    }
}

fn kind_of(path: &str) -> FileKind {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.contains("Dockerfile") {
        FileKind::Dockerfile
    } else if name.contains("compose") {
        FileKind::Compose
    } else if name.starts_with("seccomp") {
        FileKind::Seccomp
    } else if name.ends_with(".k8s.yaml") {
        FileKind::Kubernetes
    } else if path.contains(".github/workflows/") {
        FileKind::Workflow
    } else if name == ".gitlab-ci.yml" {
        FileKind::GitlabCi
    } else if name == "Makefile" {
        FileKind::Makefile
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
