//! Paths inside an image: absolute, with `/` between parts, as a build cleans them.

pub use crate::syntax::shell::file_name;

/// Whether `path` is `directory`, or lies in it.
pub fn is_in(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where commands are found by their names in every image.
const PROGRAM_DIRECTORIES: [&str; 6] = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Whether the programs of that directory are found by their names when a command is called.
pub fn is_program_directory(path: &str) -> bool {
    PROGRAM_DIRECTORIES.contains(&path)
}

/// Whether `path` is such a directory, or lies in one.
pub fn is_program_place(path: &str) -> bool {
    PROGRAM_DIRECTORIES.iter().any(|directory| is_in(path, directory))
}

/// `path` below `directory` unless it is absolute, without `.`, `..`, repeated and trailing slashes.
pub fn join(directory: &str, path: &str) -> String {
    if path.starts_with('/') { clean(path) } else { below_each_other(&[directory, path]) }
}

/// An absolute path without `.`, `..`, repeated and trailing slashes.
fn clean(path: &str) -> String {
    below_each_other(&[path])
}

/// The absolute path of `pieces`, one below the other, without `.`, `..`, repeated and trailing slashes.
fn below_each_other(pieces: &[&str]) -> String {
    let length: usize = pieces.iter().map(|piece| piece.len() + 1).sum();
    let mut path = String::with_capacity(length.max(1));
    for part in pieces.iter().flat_map(|piece| piece.split('/')) {
        match part {
            "" | "." => {}
            ".." => path.truncate(path.rfind('/').unwrap_or(0)),
            part => {
                path.push('/');
                path.push_str(part);
            }
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_join_as_in_a_build() {
        for (directory, path, joined) in [
            ("/", "app", "/app"),
            ("/a", "b/../c/", "/a/c"),
            ("/a", "/b//c/.", "/b/c"),
            ("/a", "..", "/"),
            ("/a", "../../..", "/"),
            ("", "", "/"),
            ("/a", "C:\\x", "/a/C:\\x"),
        ] {
            assert_eq!(join(directory, path), joined, "{directory} {path}");
        }
    }
}
