//! What changed since a revision, as git says: a process with fixed arguments, no shell, and nothing that the
//! configuration of a repository could run.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What is new since a revision.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The directory that all paths start in.
    pub root: PathBuf,
    /// A patch without context lines.
    pub patch: Vec<u8>,
    /// Names of files that git does not know yet, each of which ends with a zero byte.
    pub new_files: Vec<u8>,
}

/// What is new, in the repository of `directory`, since its current branch left `revision`.
///
/// # Errors
/// Why nobody knows: there is no git, no repository, or no such revision.
pub fn changes_since(directory: &Path, revision: &str) -> Result<Changes, String> {
    if revision.is_empty() || revision.starts_with('-') {
        return Err(format!("`{}` is no revision", revision.escape_debug()));
    }
    let root = line(&git(directory, &["rev-parse", "--show-toplevel"])?);
    let root = PathBuf::from(root);
    let commit = format!("{revision}^{{commit}}");
    let commit = git(&root, &["rev-parse", "--verify", "--quiet", &commit])
        .map_err(|_| format!("there is no revision `{}` here", revision.escape_debug()))?;
    let commit = line(&commit);
    // A shallow clone may not have the place where the branches part.
    let start = git(&root, &["merge-base", &commit, "HEAD"]).map_or(commit, |output| line(&output));
    let patch = git(
        &root,
        &[
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--no-renames",
            "--ignore-submodules",
            "--unified=0",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            &start,
            "--",
        ],
    )?;
    let new_files = git(&root, &["ls-files", "--others", "--exclude-standard", "-z"])?;
    Ok(Changes { root, patch, new_files })
}

fn line(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim_end_matches(['\n', '\r']).to_owned()
}

/// What git prints, run in `directory`.
fn git(directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let mut command = Command::new("git");
    command
        .current_dir(if directory.as_os_str().is_empty() { Path::new(".") } else { directory })
        .args(["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(["-c", "diff.external=", "-c", "core.quotePath=true", "-c", "safe.bareRepository=explicit"])
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .env_remove("GIT_EXTERNAL_DIFF")
        .stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("git cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it does not say why");
    Err(format!("git says: {}", said.trim_start_matches("fatal: ").escape_debug()))
}
