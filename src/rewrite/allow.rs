//! The comment that allows what a rule finds.

use crate::{
    source::SourceFile,
    syntax::{
        dockerfile::{self, Editor},
        yaml::{self, Node},
    },
    text::{Edit, Span},
};

/// A comment in front of the instruction that holds `span`, that allows what `rule` finds in it. The reason is left to
/// whoever asks for it.
pub fn above_instruction(file: &SourceFile, span: Span, rule: &str) -> Option<Edit> {
    let tree = dockerfile::parse(&file.text).tree;
    let behind = tree.instructions.partition_point(|instruction| instruction.span.start <= span.start);
    let instruction = tree.instructions.get(behind.checked_sub(1)?)?;
    Some(Editor::new(file, &tree).insert_before(instruction, &[comment(rule)]))
}

/// The same above the key or item of YAML that begins on the line of `span`; nothing where the line is part of a text.
pub fn above_key(file: &SourceFile, span: Span, rule: &str) -> Option<Edit> {
    let edit = above_line(file, start_of_line(&file.text, span.start as usize), rule);
    let mut after = file.text.clone();
    after.splice(edit.span.range(), edit.text.bytes());
    let (before, after) = (yaml::parse(&file.text), yaml::parse(&after));
    let is_read = before.errors.is_empty() && after.errors.is_empty();
    let kinds = |node: Node<'_>| (node.kind(), node.scalar().map(str::to_owned));
    (is_read && before.tree.nodes().map(kinds).eq(after.tree.nodes().map(kinds))).then_some(edit)
}

/// The same above the command of a script that holds `span`, whose lines backslashes may join.
pub fn above_command(file: &SourceFile, span: Span, rule: &str) -> Edit {
    let mut start = start_of_line(&file.text, span.start as usize);
    while let Some(before) = file.text[..start].strip_suffix(b"\n") {
        if !before.strip_suffix(b"\r").unwrap_or(before).ends_with(b"\\") {
            break;
        }
        start = start_of_line(&file.text, before.len());
    }
    above_line(file, start, rule)
}

fn comment(rule: &str) -> String {
    format!("# ironhull: allow({rule}) because …")
}

/// The comment, indented as the line is that begins at `start`.
fn above_line(file: &SourceFile, start: usize, rule: &str) -> Edit {
    let line = &file.text[start..];
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let indent = String::from_utf8_lossy(&line[..blanks]);
    let end = memchr::memchr(b'\n', &file.text).filter(|&end| end > 0 && file.text[end - 1] == b'\r');
    let ending = if end.is_some() { "\r\n" } else { "\n" };
    Edit::insert(file.id, start, format!("{indent}{}{ending}", comment(rule)))
}

fn start_of_line(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::FileKind, text::FileId};

    #[test]
    fn the_comment_stands_above_the_whole_instruction() {
        let text = "# escape=`\r\nFROM alpine\r\n  RUN a `\r\n    && sudo b\r\n";
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.into());
        let at = text.find("sudo").unwrap();
        let edit = above_instruction(&file, Span::new(at, at + 4), "sudo").unwrap();
        let start = text.find("  RUN").unwrap();
        assert_eq!(edit, Edit::insert(file.id, start, "  # ironhull: allow(sudo) because …\r\n"));
        assert_eq!(above_instruction(&file, Span::new(0, 1), "sudo"), None, "a directive has to stay the first line");
    }

    #[test]
    fn the_comment_stands_above_a_key_and_in_no_text() {
        let text = "a:\n  - b: c\n  - d: |\n      e\n";
        let file = SourceFile::new(FileId(0), "compose.yaml", FileKind::Compose, text.into());
        let place = |what: &str| Span::at(text.find(what).unwrap());
        let expected = Edit::insert(file.id, 3, "  # ironhull: allow(x) because …\n");
        assert_eq!(above_key(&file, place("b:"), "x"), Some(expected));
        assert_eq!(above_key(&file, place("e\n"), "x"), None);
    }

    #[test]
    fn the_comment_stands_above_all_lines_of_a_command() {
        let text = "id\n\tdocker run \\\n\t  --privileged \\\n\t  a\n";
        let file = SourceFile::new(FileId(0), "Makefile", FileKind::Makefile, text.into());
        let edit = above_command(&file, Span::at(text.find("--").unwrap()), "x");
        assert_eq!(edit, Edit::insert(file.id, 3, "\t# ironhull: allow(x) because …\n"));
    }
}
