//! What the commands of a shell script write: the directories that they make, the files that they write into.

use super::{
    path,
    stage::Stage,
    startup::word::{Assigned, beginning, remember},
};
use crate::syntax::shell::{Command, RedirectOperator, Script, Word};

/// A directory that a command writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScriptWrite {
    /// The absolute path in the image.
    pub(super) path: String,
    /// The line of the script, from 1.
    pub(super) line: u32,
    /// Whether a file is put into it, and what else lies there is not written.
    pub(super) is_shallow: bool,
}

/// The directories that `script` writes when it runs in the image of `stage`, in order of the text. What a variable
/// without a known value begins is not told, what it ends only up to there.
pub(super) fn script_writes(stage: Stage<'_>, script: &Script) -> Vec<ScriptWrite> {
    let mut assigned = Assigned::new();
    let mut directory = stage.workdir().path.known().map(str::to_owned);
    let mut found = Vec::new();
    let mut ends = LineEnds { text: script.text(), at: 0, line: 1 };
    for command in script.commands() {
        remember(stage, command, &mut assigned);
        if matches!(command.name(), Some("cd" | "pushd")) {
            directory = None;
        }
        let line = ends.line_of(command.span().start as usize);
        let mut add = |word: Word<'_>, is_made: bool| {
            let Some((path, is_shallow)) = place(stage, &assigned, directory.as_deref(), word, is_made) else { return };
            found.push(ScriptWrite { path, line, is_shallow });
        };
        for (word, is_made) in targets(command) {
            add(word, is_made);
        }
    }
    found
}

/// The words of `command` that name what it writes, and whether each is a directory that it makes.
fn targets(command: Command<'_>) -> Vec<(Word<'_>, bool)> {
    use RedirectOperator::{Append, AppendAll, ReadWrite, Write, WriteAll};
    let writes = command
        .redirects()
        .filter(|redirect| matches!(redirect.operator(), Write | Append | ReadWrite | WriteAll | AppendAll));
    let mut targets: Vec<(Word<'_>, bool)> = writes.map(|redirect| (redirect.target(), false)).collect();
    let Some(invocation) = command.invocation() else { return targets };
    let named = || invocation.arguments().filter(|word| !word.source().starts_with(b"-"));
    match invocation.name() {
        Some("mkdir") => {
            // The value of `-m` is no name.
            let is_mode = |word: &Word<'_>| word.bytes().iter().all(u8::is_ascii_digit);
            targets.extend(named().filter(|word| !is_mode(word)).map(|word| (word, true)));
        }
        Some("touch" | "tee") => targets.extend(named().map(|word| (word, false))),
        // A file that is changed in place is made anew beside the old one.
        Some("sed") if invocation.arguments().any(|word| word.source().starts_with(b"-i")) => {
            targets.extend(named().skip(1).map(|word| (word, false)));
        }
        Some("cp" | "mv" | "rsync") => targets.extend(named().next_back().map(|word| (word, false))),
        _ => {}
    }
    targets
}

/// The directory that a command writes with `word`, and whether it puts a file there.
fn place(
    stage: Stage<'_>,
    assigned: &Assigned,
    directory: Option<&str>,
    word: Word<'_>,
    is_made: bool,
) -> Option<(String, bool)> {
    if word.has_glob() || word.has_braces() || word.has_tilde() {
        return None;
    }
    let (text, is_whole) = beginning(stage, assigned, word);
    if text.is_empty() || text.starts_with("/dev/") || !text.starts_with('/') && directory.is_none() {
        return None;
    }
    // What a variable ends is in the directory before it.
    let is_directory = is_whole && (is_made || text.ends_with('/'));
    let named = if is_directory { text.as_str() } else { text.rsplit_once('/').map_or(".", |(parent, _)| parent) };
    let absolute = path::join(directory.unwrap_or("/"), if named.is_empty() { "/" } else { named });
    Some((absolute, !is_directory))
}

/// Lines of a text, asked for in its order.
struct LineEnds<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
}

impl LineEnds<'_> {
    fn line_of(&mut self, offset: usize) -> u32 {
        let offset = offset.min(self.text.len());
        if offset > self.at {
            self.line += memchr::memchr_iter(b'\n', &self.text[self.at..offset]).count() as u32;
            self.at = offset;
        }
        self.line
    }
}
