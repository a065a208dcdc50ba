//! Files that are repaired together: a Dockerfile with those that build it, in one change set, all or none.
//!
//! Each file is repaired on its own first. Where two repairs change the same file, the later one, by the order of the
//! files, is made once more on what the earlier one leaves, so that the outcome depends on the files and on nothing else.
//! What runs the image of a Dockerfile is repaired as that will be: again, if it was judged by what it was before.

use crate::{
    context::{Files, Overlaid, resolve},
    discover::Obstacle,
    disk::{self, Replacement},
    fix::Beside,
    project::Repaired,
    report::Verdict,
    source::{FileKind, SourceFile, SourceSet},
    text::FileId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// A file that was repaired in memory.
pub(super) struct Fixed {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its bytes as they were read.
    pub(super) before: Vec<u8>,
    /// What became of it.
    pub(super) repaired: Repaired,
    /// Whether it was named on the command line.
    pub(super) named: bool,
    /// The Dockerfiles that it was judged by, as they were asked for.
    pub(super) judged_by: BTreeSet<String>,
}

impl Fixed {
    /// Its bytes as they would be.
    pub(super) fn after(&self) -> &[u8] {
        &self.file().text
    }

    fn file(&self) -> &SourceFile {
        &self.repaired.outcome.sources.files()[0]
    }

    fn changed(&self) -> Option<Replacement<'_>> {
        let replacement = Replacement { path: &self.path, before: &self.before, after: self.after() };
        (replacement.before != replacement.after).then_some(replacement)
    }
}

/// Files that are written together or not at all.
#[derive(Default)]
pub(super) struct ChangeSet {
    /// Those that were judged.
    pub(super) files: Vec<Fixed>,
    /// Those that change with them.
    pub(super) beside: Vec<Beside>,
}

/// Makes change sets of `fixed`. `again` repairs a file once more, with other texts around it; `around` is what is there.
pub(super) fn of(
    mut fixed: Vec<Fixed>,
    around: &dyn Files,
    again: &dyn Fn(SourceFile, &dyn Files) -> Option<Repaired>,
) -> Vec<ChangeSet> {
    // What is decided of files beside the repaired ones, and what each was before.
    let mut decided: Vec<SourceFile> = Vec::new();
    let mut before: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut links: Vec<BTreeSet<String>> = vec![BTreeSet::new(); fixed.len()];
    let relied = follow(&mut fixed, &mut links, around, again);
    for (file, links) in fixed.iter_mut().zip(&mut links) {
        let is_decided = |beside: &Beside| decided.iter().any(|other| other.path == beside.path);
        if file.repaired.outcome.beside.iter().any(is_decided) {
            let own = unrepaired(file, file.before.clone());
            file.repaired = again(own, &Overlaid::new(around, &decided)).expect("what was judged once is judged again");
        }
        for beside in std::mem::take(&mut file.repaired.outcome.beside) {
            links.insert(beside.path.clone());
            decided.retain(|other| other.path != beside.path);
            decided.push(beside.repaired());
            before.entry(beside.path).or_insert(beside.before);
        }
    }
    for (file, links) in fixed.iter_mut().zip(&mut links) {
        let path = &file.file().path;
        let Some(at) = decided.iter().position(|other| other.path == *path) else { continue };
        links.insert(path.clone());
        before.remove(path);
        let text = std::mem::take(&mut decided[at].text);
        decided.remove(at);
        // Whatever becomes of its own repairs, it holds what the others need.
        file.repaired.outcome.sources = SourceSet::of(vec![unrepaired(file, text.clone())]);
        file.repaired.verdict = Verdict::default();
        let own = unrepaired(file, text);
        let judged_by = file.judged_by.iter().filter_map(|path| relied.get(path));
        let texts: Vec<SourceFile> = decided.iter().chain(judged_by).cloned().collect();
        if let Some(repaired) = again(own, &Overlaid::new(around, &texts)).filter(is_alone) {
            file.repaired = repaired;
        }
    }
    let beside = decided.into_iter().map(|file| Beside {
        before: before.remove(&file.path).unwrap_or_default(),
        path: file.path,
        kind: file.kind,
        after: file.text,
    });
    joined(fixed, links, beside.collect())
}

/// Repairs again what was judged by Dockerfiles that change, and links it to these; answers those, by the path that they
/// were asked for by.
fn follow(
    fixed: &mut [Fixed],
    links: &mut [BTreeSet<String>],
    around: &dyn Files,
    again: &dyn Fn(SourceFile, &dyn Files) -> Option<Repaired>,
) -> BTreeMap<String, SourceFile> {
    let changed = fixed
        .iter()
        .enumerate()
        .filter(|(_, file)| file.file().kind == FileKind::Dockerfile && file.changed().is_some());
    let changed: BTreeMap<String, usize> = changed.map(|(at, file)| (resolve("", &file.file().path), at)).collect();
    let mut relied = BTreeMap::new();
    for at in 0..fixed.len() {
        let judged_by = fixed[at].judged_by.iter().filter_map(|path| Some((path, *changed.get(&resolve("", path))?)));
        let judged_by: Vec<(String, usize)> = judged_by.map(|(path, dockerfile)| (path.clone(), dockerfile)).collect();
        let texts: Vec<SourceFile> = judged_by
            .iter()
            .map(|(path, dockerfile)| {
                SourceFile::new(FileId::BESIDE, path.clone(), FileKind::Dockerfile, fixed[*dockerfile].after().to_vec())
            })
            .collect();
        if texts.is_empty() {
            continue;
        }
        let own = unrepaired(&fixed[at], fixed[at].before.clone());
        let Some(repaired) = again(own, &Overlaid::new(around, &texts)) else { continue };
        fixed[at].repaired = repaired;
        if fixed[at].changed().is_some() {
            for (_, dockerfile) in &judged_by {
                let path = fixed[*dockerfile].file().path.clone();
                links[*dockerfile].insert(path.clone());
                links[at].insert(path);
            }
        }
        relied.extend(judged_by.into_iter().map(|(path, _)| path).zip(texts));
    }
    relied
}

/// Whether nothing beside the file changes with it.
fn is_alone(repaired: &Repaired) -> bool {
    repaired.outcome.beside.is_empty()
}

fn unrepaired(file: &Fixed, text: Vec<u8>) -> SourceFile {
    let SourceFile { id, path, kind, .. } = file.file();
    SourceFile::new(*id, path.clone(), *kind, text)
}

/// Puts files together that change one file.
fn joined(fixed: Vec<Fixed>, links: Vec<BTreeSet<String>>, beside: Vec<Beside>) -> Vec<ChangeSet> {
    let mut sets: Vec<(BTreeSet<String>, ChangeSet)> = Vec::with_capacity(fixed.len());
    for (file, links) in fixed.into_iter().zip(links) {
        let mut own = (links, ChangeSet { files: vec![file], beside: Vec::new() });
        if !own.0.is_empty() {
            let (together, apart) = sets.into_iter().partition(|(other, _)| !other.is_disjoint(&own.0));
            sets = apart;
            let together: Vec<(BTreeSet<String>, ChangeSet)> = together;
            for (links, set) in together.into_iter().rev() {
                own.0.extend(links);
                own.1.files.splice(0..0, set.files);
            }
        }
        sets.push(own);
    }
    for other in beside {
        if let Some((_, set)) = sets.iter_mut().find(|(links, _)| links.contains(&other.path)) {
            set.beside.push(other);
        }
    }
    sets.into_iter().map(|(_, set)| set).collect()
}

/// Writes what changed, each set whole or not at all; what could not be written is said, and counts as not repaired.
pub(super) fn write(sets: Vec<ChangeSet>) -> (Vec<ChangeSet>, Vec<Obstacle>) {
    let mut refused = Vec::new();
    let mut written = Vec::with_capacity(sets.len());
    for set in sets {
        let beside = set.beside.iter().map(|beside| Replacement {
            path: Path::new(&beside.path),
            before: &beside.before,
            after: &beside.after,
        });
        let replacements: Vec<Replacement<'_>> = set.files.iter().filter_map(Fixed::changed).chain(beside).collect();
        let Err(disk::NotReplaced { path, why }) = disk::replace_all(&replacements) else {
            written.push(set);
            continue;
        };
        let is_alone = replacements.len() == 1;
        for file in set.files.iter().filter(|file| file.changed().is_some()) {
            let message = if is_alone || path == file.path {
                format!("not repaired: {why}")
            } else {
                format!("not repaired, since `{}` has to change with it: {why}", path.display())
            };
            refused.push(Obstacle { name: file.file().path.clone(), message, named: file.named });
        }
    }
    (written, refused)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "the test makes the files that it reads")]
mod tests {
    use super::*;
    use crate::fix::Outcome;
    use std::fs;

    #[test]
    fn a_set_is_written_whole_or_not_at_all() {
        let root = std::env::temp_dir().join(format!("ironhull-change-set-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let path = |name: &str| root.join(name);
        let text = |name: &str| fs::read_to_string(path(name)).unwrap();
        for name in ["a", "b", "c"] {
            fs::write(path(name), "old").unwrap();
        }
        let fixed = |name: &str| {
            let name = path(name).to_str().unwrap().to_owned();
            let file = SourceFile::new(FileId(0), name.as_str(), FileKind::Dockerfile, b"new".to_vec());
            let outcome = Outcome {
                sources: SourceSet::of(vec![file]),
                beside: Vec::new(),
                applied: Vec::new(),
                quarantined: Vec::new(),
                is_unfinished: false,
            };
            let repaired = Repaired { outcome, verdict: Verdict::default() };
            Fixed {
                path: PathBuf::from(name),
                before: b"old".to_vec(),
                repaired,
                named: false,
                judged_by: BTreeSet::new(),
            }
        };
        // Somebody else wrote the file meanwhile.
        let beside = Beside {
            path: path("c").to_str().unwrap().to_owned(),
            kind: FileKind::Compose,
            before: b"older".to_vec(),
            after: b"new".to_vec(),
        };
        let together = ChangeSet { files: vec![fixed("a")], beside: vec![beside] };
        let alone = ChangeSet { files: vec![fixed("b")], beside: Vec::new() };
        let (written, refused) = write(vec![together, alone]);
        assert_eq!((text("a"), text("b"), text("c")), ("old".to_owned(), "new".to_owned(), "old".to_owned()));
        assert_eq!((written.len(), refused.len()), (1, 1));
        assert!(refused[0].message.contains("has to change with it"), "{}", refused[0].message);
        fs::remove_dir_all(&root).unwrap();
    }
}
