//! Where things are, as more than one format says it.

use crate::{
    report::{Ranked, Report},
    source::{SourceFile, SourceSet},
    text::{FileId, LineColumn, Span},
};
use std::{collections::BTreeMap, fmt::Write as _};

/// A place as people count it; the end is exclusive.
pub(super) struct Region {
    pub(super) start: LineColumn,
    pub(super) end: LineColumn,
}

pub(super) fn region(file: &SourceFile, span: Span) -> Region {
    Region { start: file.locate(span.start), end: file.locate(span.end) }
}

/// The path of a file without `./`, as reports name files.
pub(super) fn path(file: &SourceFile) -> &str {
    plain_path(&file.path)
}

pub(super) fn plain_path(path: &str) -> &str {
    let stripped = path.trim_start_matches("./");
    if stripped.is_empty() { path } else { stripped }
}

/// `path` as a relative reference, or as a `file:` address if it is absolute (RFC 3986, RFC 8089).
pub(super) fn uri(path: &str) -> String {
    let path = plain_path(path);
    let mut uri = String::with_capacity(path.len() + 8);
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => write!(uri, "%{byte:02X}").expect("a string takes what is written to it"),
        }
    }
    uri
}

/// The findings of each file, in order.
pub(super) fn by_file(report: &Report) -> BTreeMap<FileId, Vec<&Ranked>> {
    let mut files: BTreeMap<FileId, Vec<&Ranked>> = BTreeMap::new();
    for ranked in &report.findings {
        files.entry(ranked.finding.primary.file).or_default().push(ranked);
    }
    files
}

/// What tells a finding from all others, wherever its lines have moved.
pub(super) fn identity(ranked: &Ranked, sources: &SourceSet) -> String {
    let file = sources.get(ranked.finding.primary.file);
    ranked.finding.identity(&file.path).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_reference_whatever_is_in_it() {
        assert_eq!(uri("./a b/Dockerfile"), "a%20b/Dockerfile");
        assert_eq!(uri("a:b%\n#?é"), "a%3Ab%25%0A%23%3F%C3%A9");
        assert_eq!(uri("/srv/x"), "file:///srv/x");
    }
}
