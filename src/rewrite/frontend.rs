//! `# syntax=`: which frontend reads the file.

use crate::{
    source::SourceFile,
    syntax::dockerfile::{Dockerfile, Editor},
    text::{Edit, Span},
};

/// Makes `image` the frontend of `file`, of which `tree` was made: in its `# syntax=`, or in a new first line.
///
/// For [`crate::model::Allowed::Raise`], as a part of the fix that needs the newer frontend.
pub fn raise_frontend(file: &SourceFile, tree: &Dockerfile, image: &str) -> Edit {
    if let Some(named) = tree.frontend(&file.text) {
        let is_syntax = |name: Span| name.of(&file.text).eq_ignore_ascii_case(b"syntax");
        let directive = tree.directives.iter().find(|directive| is_syntax(directive.name));
        let start = directive.expect("the frontend is named in a directive").value.start as usize;
        return Edit::replace(file.id, Span::new(start, start + named.len()), image);
    }
    let start = if tree.bom { "\u{feff}".len() } else { 0 };
    Edit::insert(file.id, start, format!("# syntax={image}{}", Editor::new(file, tree).line_ending()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::FileKind, syntax::dockerfile::parse, text::FileId};

    fn raised(text: &str) -> String {
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
        let edit = raise_frontend(&file, &parse(&file.text).tree, "docker/dockerfile:1.6");
        let mut bytes = file.text.clone();
        bytes.splice(edit.span.range(), edit.text.into_bytes());
        String::from_utf8(bytes).expect("the texts are UTF-8")
    }

    #[test]
    fn the_directive_is_changed_or_becomes_the_first_line() {
        assert_eq!(raised("FROM a\n"), "# syntax=docker/dockerfile:1.6\nFROM a\n");
        assert_eq!(raised("\u{feff}# a\r\nFROM a"), "\u{feff}# syntax=docker/dockerfile:1.6\r\n# a\r\nFROM a");
        assert_eq!(raised("# escape=`\nFROM a"), "# syntax=docker/dockerfile:1.6\n# escape=`\nFROM a");
        let text = "#  Syntax = docker/dockerfile:1.4 \nFROM a\n";
        assert_eq!(raised(text), "#  Syntax = docker/dockerfile:1.6 \nFROM a\n");
    }
}
