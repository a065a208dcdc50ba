//! Files in memory, beside which a file is judged.

use super::files_of;
use ironhull::context::{self, Entry, Files};
use std::{collections::BTreeMap, sync::Arc};

/// Files by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) BTreeMap<String, String>);

impl Tree {
    /// The files of a case: each begins with its `-- name --`.
    pub(crate) fn of_case(text: &str) -> Self {
        let text_of = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a case is text");
        Self(files_of(text.as_bytes()).into_iter().map(|(path, bytes)| (path, text_of(bytes))).collect())
    }

    /// Those files, each a path and a text.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
}

impl Files for Tree {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        self.0.get(path).map(|text| Arc::from(text.as_bytes()))
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        context::entries(self.0.keys().map(String::as_str), path)
    }
}
