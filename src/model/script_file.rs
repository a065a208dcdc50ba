//! Commands of shell scripts, Makefiles and the steps of CI files, with the way back to the file.
//!
//! Everything is read in place: what is no shell (`$(CC)` of make, `${{ … }}` of GitHub) is masked at equal length as
//! a variable, whose value nobody knows here.

use super::script_variables::ScriptVariables;
use crate::{
    source::FileKind,
    syntax::{
        shell::{self, Command, Dialect, Invocation, Script, Word, dialect_of_shebang},
        yaml::{self, Kind, Node, Style, Yaml},
    },
    text::Span,
};
use std::borrow::Cow;

/// The scripts of a file.
#[derive(Debug)]
pub struct ScriptFile {
    parts: Vec<Part>,
    variables: ScriptVariables,
}

/// A script of a file.
#[derive(Debug)]
struct Part {
    script: Script,
    /// Where it begins in the file.
    start: u32,
}

/// A command of a script.
#[derive(Clone, Copy, Debug)]
pub struct FileCommand<'m> {
    /// The command; its spans are offsets into its script.
    pub command: Command<'m>,
    start: u32,
    file: &'m ScriptFile,
}

/// Keys of CI files whose values are scripts: of GitHub, of GitLab.
const STEPS: [&str; 4] = ["run", "script", "before_script", "after_script"];

impl ScriptFile {
    /// The scripts of a file of that kind; `None` if such files hold none.
    pub fn of(kind: FileKind, text: &[u8]) -> Option<Self> {
        match kind {
            FileKind::Script => Some(Self::of_script(text)),
            FileKind::Makefile => Some(Self::of_makefile(text)),
            FileKind::Workflow | FileKind::GitlabCi => Some(Self::of_steps(&yaml::parse(text).tree)),
            FileKind::Dockerfile
            | FileKind::Compose
            | FileKind::Kubernetes
            | FileKind::Bake
            | FileKind::Devcontainer
            | FileKind::Seccomp => None,
        }
    }

    /// A shell script; what its first line names may be no shell, and then it has no commands.
    pub fn of_script(text: &[u8]) -> Self {
        let dialect = dialect_of_shebang(text).unwrap_or(Dialect::Bash);
        let script = shell::parse(text, dialect);
        let variables = ScriptVariables::of_script(&script);
        Self { parts: vec![Part { script, start: 0 }], variables }
    }

    /// The recipes of a Makefile.
    pub fn of_makefile(text: &[u8]) -> Self {
        let mut parts = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = end_of_recipe_line(text, at);
            if text[at] == b'\t' {
                let recipe = masked_recipe(&text[at..end]);
                parts.push(Part { script: shell::parse(&recipe, Dialect::Posix), start: at as u32 });
            }
            at = end;
        }
        Self { parts, variables: ScriptVariables::of_makefile(text) }
    }

    /// The steps of a CI file.
    pub fn of_steps(tree: &Yaml<'_>) -> Self {
        let mut parts = Vec::new();
        // What an alias stands for is read where it is written.
        for node in tree.nodes().filter(|node| matches!(node.kind(), Kind::Mapping(_))) {
            for entry in node.entries() {
                if !entry.key.scalar().is_some_and(|key| STEPS.contains(&key)) {
                    continue;
                }
                parts.extend(part_of_scalar(tree.text(), entry.value));
                if let Kind::Sequence(_) = entry.value.kind() {
                    parts.extend(entry.value.children().filter_map(|step| part_of_scalar(tree.text(), step)));
                }
            }
        }
        Self { parts, variables: ScriptVariables::of_steps(tree) }
    }

    /// Every command, those of a script that one hands to a shell included.
    pub fn commands(&self) -> impl Iterator<Item = FileCommand<'_>> {
        self.parts.iter().flat_map(move |part| {
            part.script.every_command().map(move |command| FileCommand { command, start: part.start, file: self })
        })
    }
}

impl<'m> FileCommand<'m> {
    /// What it runs in the end.
    pub fn invocation(self) -> Option<Invocation<'m>> {
        self.command.invocation()
    }

    /// `text` of it with the values of the variables that its file sets.
    pub fn filled(self, text: &str) -> Cow<'_, str> {
        self.file.variables.fill(text)
    }

    /// Where it lies in the file.
    pub fn span(self) -> Span {
        self.placed(self.command.span())
    }

    /// Where a word of it lies in the file.
    pub fn word_span(self, word: Word<'_>) -> Span {
        self.placed(word.span())
    }

    /// Where `span` of its script lies in the file.
    pub fn placed(self, span: Span) -> Span {
        Span { start: span.start + self.start, end: span.end + self.start }
    }
}

/// Behind the line at `at`, those included that a backslash joins to it.
fn end_of_recipe_line(text: &[u8], at: usize) -> usize {
    let mut from = at;
    loop {
        let Some(line) = memchr::memchr(b'\n', &text[from..]) else { return text.len() };
        let end = from + line;
        let is_joined = text[from..end].strip_suffix(b"\r").unwrap_or(&text[from..end]).ends_with(b"\\");
        from = end + 1;
        if !is_joined || from >= text.len() {
            return from;
        }
    }
}

/// A recipe as a shell may read it: marks of make blank, its variables written as those of a shell, `$$` one sign.
fn masked_recipe(recipe: &[u8]) -> Vec<u8> {
    let mut masked = recipe.to_vec();
    let marks = masked.iter().take_while(|byte| matches!(byte, b'\t' | b' ' | b'@' | b'-' | b'+')).count();
    masked[..marks].fill(b' ');
    let mut at = marks;
    while let Some(found) = memchr::memchr(b'$', &masked[at..]) {
        let sign = at + found;
        at = match masked.get(sign + 1) {
            // The sign in front makes the word one that nobody knows, which a word with `$` is anyway.
            Some(b'$') => {
                masked[sign] = b'_';
                sign + 2
            }
            Some(b'(') => {
                let end = end_of_reference(&masked, sign + 2);
                mask(&mut masked, sign, end);
                end
            }
            Some(_) | None => sign + 1,
        };
    }
    masked
}

/// Behind the `)` that ends what begins at `at`, or the end of the text.
fn end_of_reference(text: &[u8], at: usize) -> usize {
    let mut depth = 1;
    for (offset, byte) in text[at..].iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + offset + 1;
        }
    }
    text.len()
}

/// Writes a variable of the same length over the bytes from `start` to `end`.
fn mask(text: &mut [u8], start: usize, end: usize) {
    if end - start < 4 {
        text[start..end].fill(b'_');
        return;
    }
    // The name of a variable of make stays.
    let is_name = text[start + 2..end - 1].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if !is_name {
        text[start..end].fill(b'_');
    }
    text[start] = b'$';
    text[start + 1] = b'{';
    text[end - 1] = b'}';
}

/// The script that a scalar is, if its bytes are what it reads as but for indentation.
fn part_of_scalar(text: &[u8], node: Node<'_>) -> Option<Part> {
    let Kind::Scalar(style) = node.kind() else { return None };
    let span = node.span();
    let bytes = span.of(text);
    let skipped = match style {
        Style::Plain => 0,
        // The line of the `|` holds no script.
        Style::Literal => memchr::memchr(b'\n', bytes)?,
        Style::SingleQuoted | Style::DoubleQuoted | Style::Folded => return None,
    };
    let mut script = bytes[skipped..].to_vec();
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&script[at..], b"${{") {
        let start = at + found;
        let end = memchr::memmem::find(&script[start..], b"}}").map_or(script.len(), |end| start + end + 2);
        mask(&mut script, start, end);
        at = end;
    }
    let start = span.start + skipped as u32;
    Some(Part { script: shell::parse(&script, Dialect::Bash), start })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(file: &ScriptFile, text: &str) -> Vec<String> {
        let commands = file.commands().filter(|command| command.invocation().is_some());
        commands
            .map(|command| command.span().of(text.as_bytes()))
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    #[test]
    fn recipes_of_a_makefile_are_scripts() {
        let text = "A = $(shell id)\nall: x\n\t@docker run $(OPTS) \\\n\t  img\n\t-rm -f $$HOME/a\n";
        assert_eq!(
            named(&ScriptFile::of_makefile(text.as_bytes()), text),
            ["docker run $(OPTS) \\\n\t  img", "rm -f $$HOME/a"]
        );
    }

    #[test]
    fn steps_of_ci_files_are_scripts() {
        let text = "jobs:\n  a:\n    steps:\n    - run: make ${{ inputs.what }} all\n    - run: |\n        docker pull a\n        id\nb:\n  script: [\"id\", ls]\n";
        let parsed = yaml::parse(text.as_bytes());
        let file = ScriptFile::of_steps(&parsed.tree);
        assert_eq!(named(&file, text), ["make ${{ inputs.what }} all", "docker pull a", "id", "ls"]);
    }
}
