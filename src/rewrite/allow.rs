//! The comment that allows what a rule finds.

use crate::{
    source::SourceFile,
    syntax::dockerfile::{self, Editor},
    text::{Edit, Span},
};

/// A comment in front of the instruction that holds `span`, that allows what `rule` finds in it. The reason is left to
/// whoever asks for it.
pub fn above_instruction(file: &SourceFile, span: Span, rule: &str) -> Option<Edit> {
    let tree = dockerfile::parse(&file.text).tree;
    let behind = tree.instructions.partition_point(|instruction| instruction.span.start <= span.start);
    let instruction = tree.instructions.get(behind.checked_sub(1)?)?;
    let comment = format!("# ironhull: allow({rule}) because …");
    Some(Editor::new(file, &tree).insert_before(instruction, &[comment]))
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
}
