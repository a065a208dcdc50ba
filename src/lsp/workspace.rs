//! Open documents, the folders that they lie in, and the judgement of the one by what holds in the other.

use super::{document::Document, home::Home};
use crate::{
    context::{Entry, Files, NoFiles},
    disk::{self, Surroundings},
    project::Project,
    rule::Safety,
    source::SourceFile,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Everything the editor has open.
#[derive(Default)]
pub(super) struct Workspace {
    /// The folders that the editor shows, as paths.
    pub(super) folders: Vec<String>,
    /// By address, as the editor writes it.
    pub(super) documents: BTreeMap<String, Document>,
    /// What holds, by directory.
    homes: BTreeMap<String, Home>,
}

impl Workspace {
    /// Judges the document at `uri`, unless that was done since it last changed. Answers nothing for what is not open.
    pub(super) fn judge(&mut self, uri: &str) -> Option<&Document> {
        if self.documents.get(uri)?.judged.is_none() {
            self.judge_anew(uri);
        }
        self.documents.get(uri)
    }

    fn judge_anew(&mut self, uri: &str) {
        let Some(directory) = self.documents.get(uri).map(|document| self.directory(document)) else { return };
        self.refresh(&directory);
        let judged = self.ask(uri, |project, file, around| {
            if project.policy().excludes(&file.path, false) {
                return Ok(Vec::new());
            }
            project.check(file, around).map(|verdict| verdict.findings).map_err(|why| why.to_string())
        });
        if let Some(document) = self.documents.get_mut(uri) {
            document.judged = Some(judged.unwrap_or(Ok(Vec::new())));
        }
    }

    /// The document at `uri`, which was judged, and its text with everything repaired that is proved to be safe.
    pub(super) fn repaired(&self, uri: &str) -> Option<Vec<u8>> {
        let repaired = self.ask(uri, |project, file, around| project.fix(file, around, Safety::Safe).ok())??;
        // What would change other documents as well is no matter of saving one.
        let is_alone = repaired.outcome.beside.is_empty();
        repaired.outcome.sources.into_files().pop().map(|file| file.text).filter(|_| is_alone)
    }

    /// Asks the project of the document at `uri`; nothing if it is of no kind that is judged.
    fn ask<T>(&self, uri: &str, question: impl FnOnce(&Project, &SourceFile, &dyn Files) -> T) -> Option<T> {
        let document = self.documents.get(uri)?;
        let file = document.source(document.kind?);
        let home = self.homes.get(&self.directory(document))?;
        let Some(path) = &document.path else { return Some(question(&home.project, &file, &NoFiles)) };
        // Files may change between two judgements, so nothing that was read for one is kept for the next.
        let folder = self.folder_of(path).map(PathBuf::from);
        let own = Path::new(path).parent().map(Path::to_owned);
        let disk = Surroundings::of(folder.into_iter().chain(own).collect());
        Some(question(&home.project, &file, &Shadowed { documents: &self.documents, disk }))
    }

    /// Reads the configuration of every directory that a document is open in, and forgets the others.
    pub(super) fn refresh_homes(&mut self) {
        let directories: Vec<String> = self.documents.values().map(|document| self.directory(document)).collect();
        self.homes.retain(|directory, _| directories.contains(directory));
        for directory in &directories {
            self.refresh(directory);
        }
    }

    fn refresh(&mut self, directory: &str) {
        let home = self.homes.entry(directory.to_owned()).or_insert_with(Home::empty);
        if directory.is_empty() {
            return;
        }
        home.refresh(directory, &|path| {
            if let Some(document) = open_at(&self.documents, path) {
                return Ok(document.text.clone());
            }
            String::from_utf8(disk::read(Path::new(path))?).map_err(|_| "it is not UTF-8".to_owned())
        });
    }

    /// What holds in the directories that documents are open in.
    pub(super) fn homes(&self) -> impl Iterator<Item = &Home> {
        self.homes.values()
    }

    /// The document at `path`, if it is open.
    pub(super) fn at(&self, path: &str) -> Option<&Document> {
        open_at(&self.documents, path)
    }

    /// Forgets what was said of every document.
    pub(super) fn forget_judgements(&mut self) {
        self.documents.values_mut().for_each(Document::forget_judgement);
    }

    /// Where the search for configuration begins: the folder that the document lies in, as for a run in that folder;
    /// outside of all folders its own directory; empty where nothing can be searched.
    fn directory(&self, document: &Document) -> String {
        let Some(path) = &document.path else { return self.folders.first().cloned().unwrap_or_default() };
        let own = || path.rsplit_once('/').map_or("", |(directory, _)| directory);
        self.folder_of(path).unwrap_or_else(own).to_owned()
    }

    /// The innermost folder that `path` lies in.
    fn folder_of(&self, path: &str) -> Option<&str> {
        let holds = |folder: &&str| path.strip_prefix(*folder).is_some_and(|rest| rest.starts_with('/'));
        self.folders.iter().map(String::as_str).filter(holds).max_by_key(|folder| folder.len())
    }
}

fn open_at<'d>(documents: &'d BTreeMap<String, Document>, path: &str) -> Option<&'d Document> {
    documents.values().find(|document| document.path.as_deref() == Some(path))
}

/// The files on disk, with what is open in the editor in front of them.
struct Shadowed<'a> {
    documents: &'a BTreeMap<String, Document>,
    disk: Surroundings,
}

impl Files for Shadowed<'_> {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        match open_at(self.documents, path) {
            Some(document) => Some(Arc::from(document.text.as_bytes())),
            None => self.disk.read(path),
        }
    }

    /// What was never saved is in no directory: a build would not find it there either.
    fn list(&self, path: &str) -> Arc<[Entry]> {
        self.disk.list(path)
    }

    fn is_executable(&self, path: &str) -> bool {
        self.disk.is_executable(path)
    }
}
