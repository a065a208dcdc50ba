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
        let mut options = DiffOptions::new();
        let (before, after) = (name("a", &change.path), name("b", &change.path));
        options.set_original_filename(before.clone()).set_modified_filename(after.clone());
        let patch = options.create_patch_bytes(&change.before, &change.after);
        writeln!(out, "diff --git {before} {after}")?;
        PatchFormatter::new().write_patch_into(&patch, &mut *out)?;
    }
    Ok(())
}

/// The path in a header, quoted as git quotes what it could misread.
fn name(side: &str, path: &str) -> Cow<'static, str> {
    let path = path.trim_start_matches("./").trim_start_matches('/');
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
