//! Which files a `COPY` puts into a directory that others fill too: `COPY start.sh /usr/bin/` makes `/usr/bin/start.sh`.

use super::Places;
use crate::{
    context,
    harden::Subject,
    model::{file_name, join_path},
};

/// Directories of every system: who takes one over whole takes over the system.
const OF_THE_SYSTEM: [&str; 17] = [
    "/",
    "/bin",
    "/etc",
    "/lib",
    "/opt",
    "/sbin",
    "/srv",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/sbin",
    "/usr/share",
    "/var",
];

/// Whether a directory belongs to the system, and not to one program.
pub fn is_of_the_system(path: &str) -> bool {
    OF_THE_SYSTEM.contains(&path)
}

/// Names in `to` the files that `sources` become, where it is a directory of the system and each is certainly a file.
pub(super) fn name_files(subject: &Subject<'_>, sources: &[String], to: &mut Places) {
    let [directory] = to.known.as_slice() else { return };
    if to.is_hidden || !is_of_the_system(directory) {
        return;
    }
    let files: Option<Vec<String>> =
        sources.iter().map(|source| Some(join_path(directory, name_of(subject, source)?))).collect();
    if let Some(files) = files {
        to.known = files;
    }
}

/// The name of the one file that a source is; `None` for directories, patterns, and where nobody can tell.
fn name_of<'s>(subject: &Subject<'_>, source: &'s str) -> Option<&'s str> {
    if source.contains(['*', '?', '[', '$', '<']) || source.ends_with('/') {
        return None;
    }
    let name = file_name(source);
    if source.contains("://") {
        return (!name.is_empty() && !source.ends_with(".git")).then_some(name);
    }
    match is_file(subject, source) {
        Some(is_file) => is_file.then_some(name),
        None => has_ending_of_file(name).then_some(name),
    }
}

/// Whether the build context has a file of that name; `None` where it is not seen.
fn is_file(subject: &Subject<'_>, source: &str) -> Option<bool> {
    let root = subject.root.as_deref()?;
    let source = source.trim_start_matches("./").trim_start_matches('/');
    let (directory, name) = source.rsplit_once('/').unwrap_or(("", source));
    let directory = if directory.is_empty() { root.to_owned() } else { context::join(root, directory) };
    let entries = subject.cx.context.list(&directory);
    let entry = entries.iter().find(|entry| entry.name == name)?;
    Some(!entry.is_directory)
}

/// Whether a name ends as only names of files do.
fn has_ending_of_file(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(
        ending,
        "sh" | "py"
            | "rb"
            | "pl"
            | "js"
            | "conf"
            | "cnf"
            | "cfg"
            | "ini"
            | "json"
            | "yml"
            | "yaml"
            | "toml"
            | "xml"
            | "crt"
            | "pem"
            | "txt"
            | "repo"
            | "list"
    )
}
