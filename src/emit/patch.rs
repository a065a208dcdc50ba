//! Changes as a patch that `git apply` takes, byte for byte, whatever the bytes are.

use crate::report::Change;
use diffy::{DiffOptions, PatchFormatter};
use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// Prints `changes` as one patch; paths are those of the run.
///
/// # Errors
/// If `out` does not take it.
pub fn patch(changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
    for change in changes {
        let path = plain(&change.path);
        let (before, after) = (name("a", &path), name("b", &path));
        write!(out, "diff --git {before} {after}\n--- {before}\n+++ {after}\n")?;
        out.write_all(&hunks(&change.before, &change.after)?)?;
    }
    Ok(())
}

/// The changes themselves. The headers of diffy are left out: it quotes names in another way than git.
fn hunks(before: &[u8], after: &[u8]) -> io::Result<Vec<u8>> {
    let mut options = DiffOptions::new();
    options.set_original_filename("a").set_modified_filename("b");
    let mut patch = Vec::new();
    PatchFormatter::new().write_patch_into(&options.create_patch_bytes(before, after), &mut patch)?;
    let hunks = patch.strip_prefix(b"--- a\n+++ b\n").expect("a patch starts with the names that it was given");
    Ok(hunks.to_vec())
}

/// A path without `.`, `x/..` and the `/` that it may start with: git takes no such names.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The path in a header, quoted as git quotes what it could misread.
fn name(side: &str, path: &str) -> Cow<'static, str> {
    if path.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\') {
        return Cow::Owned(format!("{side}/{path}"));
    }
    let mut quoted = format!("\"{side}/");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            0x20..0x7f => quoted.push(char::from(byte)),
            _ => write!(quoted, "\\{byte:03o}").expect("a string takes what is written to it"),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}
