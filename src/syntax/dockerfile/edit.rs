//! Edits of a Dockerfile that leave everything else as it is: an instruction more or less, a flag more or less.
//!
//! New text has the line ending of the file. What cannot be edited with certainty (an instruction that the end of the
//! file cuts off) answers no edit.

use super::{Dockerfile, Flag, Instruction, TokenKind};
use crate::{
    source::SourceFile,
    text::{Edit, Span},
};

/// Makes edits of one Dockerfile.
#[derive(Clone, Copy, Debug)]
pub struct Editor<'a> {
    file: &'a SourceFile,
    tree: &'a Dockerfile,
}

impl<'a> Editor<'a> {
    /// An editor of `file`, of which `tree` was made.
    pub fn new(file: &'a SourceFile, tree: &'a Dockerfile) -> Self {
        Self { file, tree }
    }

    fn text(&self) -> &'a [u8] {
        &self.file.text
    }

    /// How lines of the file end: as the first one does.
    pub fn line_ending(&self) -> &'static str {
        match memchr::memchr(b'\n', self.text()) {
            Some(at) if at > 0 && self.text()[at - 1] == b'\r' => "\r\n",
            Some(_) | None => "\n",
        }
    }

    /// New lines in front of the line that `instruction` starts on, indented as it is. `lines` may hold several
    /// instructions; one that goes over several lines has the escape character at the end of each but the last.
    pub fn insert_before(&self, instruction: &Instruction, lines: &[impl AsRef<str>]) -> Edit {
        let at = self.line_start(instruction.span.start as usize);
        let indent = self.indent(instruction);
        let text = joined(lines, &["", &indent], self.line_ending());
        Edit::insert(self.file.id, at, text)
    }

    /// The same, above the comments that stand directly over `instruction`: they speak about it and stay with it.
    pub fn insert_before_comments(&self, instruction: &Instruction, lines: &[impl AsRef<str>]) -> Edit {
        let at = self.start_of_comments(instruction);
        let indent = self.indent(instruction);
        Edit::insert(self.file.id, at, joined(lines, &["", &indent], self.line_ending()))
    }

    /// New lines behind the last line of `instruction`; none if the end of the file cuts the instruction off.
    pub fn insert_after(&self, instruction: &Instruction, lines: &[impl AsRef<str>]) -> Option<Edit> {
        let end = self.end_of_lines(instruction)?;
        let indent = self.indent(instruction);
        let ending = self.line_ending();
        if end == self.text().len() && !self.text().ends_with(b"\n") {
            let text = joined(lines, &[ending, &indent], "");
            return Some(Edit::insert(self.file.id, end, text));
        }
        let text = joined(lines, &["", &indent], ending);
        Some(Edit::insert(self.file.id, end, text))
    }

    /// Takes `instruction` out with its lines; none if the end of the file cuts it off.
    ///
    /// Comments before it stay, those between its lines go with it.
    pub fn remove(&self, instruction: &Instruction) -> Option<Edit> {
        let end = self.end_of_lines(instruction)?;
        let start = self.line_start(instruction.span.start as usize);
        // Without a line ending of its own it takes that of the line before.
        let is_last = end == self.text().len() && !self.text().ends_with(b"\n");
        let start = if is_last { start - ending_before(self.text(), start) } else { start };
        Some(Edit::delete(self.file.id, Span::new(start, end)))
    }

    /// A flag more, `--name=value`, in front of those that are there.
    pub fn add_flag(&self, instruction: &Instruction, flag: &str) -> Edit {
        Edit::insert(self.file.id, instruction.keyword_span.end as usize, format!(" {flag}"))
    }

    /// Another value for a flag.
    pub fn set_flag(&self, flag: &Flag, value: &str) -> Edit {
        Edit::replace(self.file.id, flag.span, format!("--{}={value}", flag.name))
    }

    /// Takes a flag out, with the blank before it.
    pub fn remove_flag(&self, flag: &Flag) -> Edit {
        let start = flag.span.start as usize;
        let blanks = self.text()[..start].iter().rev().take_while(|&&byte| byte == b' ' || byte == b'\t').count();
        Edit::delete(self.file.id, Span::new(start - blanks, flag.span.end as usize))
    }

    /// Replaces the bytes of `span`.
    pub fn replace(&self, span: Span, text: impl Into<String>) -> Edit {
        Edit::replace(self.file.id, span, text)
    }

    /// Inserts in front of the byte at `offset`.
    pub fn insert(&self, offset: usize, text: impl Into<String>) -> Edit {
        Edit::insert(self.file.id, offset, text)
    }

    /// Where the lines of `instruction` end, the last line ending included; none if it has no end of its own.
    fn end_of_lines(&self, instruction: &Instruction) -> Option<usize> {
        let end = instruction.span.end as usize;
        let heredocs = instruction.trigger.as_deref().map_or(&instruction.heredocs, |trigger| &trigger.heredocs);
        if heredocs.iter().chain(&instruction.heredocs).any(|heredoc| heredoc.end.is_none()) || self.is_open(end) {
            return None;
        }
        let rest = &self.text()[end..];
        Some(memchr::memchr(b'\n', rest).map_or(self.text().len(), |at| end + at + 1))
    }

    /// Whether the last token before `end` continues the line: nothing follows it.
    fn is_open(&self, end: usize) -> bool {
        let last = self.tree.tokens.partition_point(|token| (token.span.start as usize) < end);
        let tokens = self.tree.tokens[..last].iter().rev();
        tokens.take_while(|token| token.span.end as usize >= end).any(|token| token.kind == TokenKind::Continuation)
    }

    /// The lines of `instruction` and of the comments directly above it; none if the end of the file cuts it off.
    pub fn lines_with_comments(&self, instruction: &Instruction) -> Option<Span> {
        let end = self.end_of_lines(instruction)?;
        Some(Span::new(self.start_of_comments(instruction), end))
    }

    fn line_start(&self, offset: usize) -> usize {
        let start = memchr::memrchr(b'\n', &self.text()[..offset]).map_or(0, |at| at + 1);
        if start == 0 && self.tree.bom { 3.min(offset) } else { start }
    }

    /// Where the first of the comment lines directly above `instruction` starts, or its own line.
    fn start_of_comments(&self, instruction: &Instruction) -> usize {
        let mut start = self.line_start(instruction.span.start as usize);
        let before = self.tree.tokens.partition_point(|token| (token.span.start as usize) < start);
        let mut line_has_comment = false;
        for token in self.tree.tokens[..before].iter().rev() {
            match token.kind {
                TokenKind::Comment => line_has_comment = true,
                TokenKind::Blank | TokenKind::Bom => {}
                TokenKind::LineEnd if token.span.end as usize == start => {}
                TokenKind::LineEnd if line_has_comment => {
                    (start, line_has_comment) = (token.span.end as usize, false);
                }
                TokenKind::Directive
                | TokenKind::LineEnd
                | TokenKind::Keyword
                | TokenKind::Flag
                | TokenKind::Text
                | TokenKind::Continuation
                | TokenKind::HeredocBody
                | TokenKind::HeredocEnd => return start,
            }
        }
        // The file starts with them.
        match (line_has_comment, self.tree.bom) {
            (true, true) => 3,
            (true, false) => 0,
            (false, _) => start,
        }
    }

    fn indent(&self, instruction: &Instruction) -> String {
        let start = instruction.span.start as usize;
        String::from_utf8_lossy(&self.text()[self.line_start(start)..start]).into_owned()
    }
}

/// Every line between what comes `before` and `behind` each.
fn joined(lines: &[impl AsRef<str>], before: &[&str], behind: &str) -> String {
    let mut text = String::new();
    for line in lines {
        text.extend(before.iter().copied());
        text.push_str(line.as_ref());
        text.push_str(behind);
    }
    text
}

/// How many bytes the line ending just before `at` has.
fn ending_before(text: &[u8], at: usize) -> usize {
    match &text[..at] {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        source::FileKind,
        syntax::dockerfile::{Keyword, parse},
        text::FileId,
    };

    /// `text` after the edit that `make` gives for its first instruction of that keyword.
    fn edited(text: &str, keyword: Keyword, make: impl Fn(Editor<'_>, &Instruction) -> Option<Edit>) -> Option<String> {
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
        let tree = parse(&file.text).tree;
        let instruction = tree.instructions.iter().find(|each| each.keyword == keyword).expect("it is there");
        let edit = make(Editor::new(&file, &tree), instruction)?;
        let mut bytes = file.text.clone();
        bytes.splice(edit.span.range(), edit.text.into_bytes());
        Some(String::from_utf8(bytes).expect("the texts are UTF-8"))
    }

    #[test]
    fn an_instruction_is_inserted_on_lines_of_its_own() {
        let before = |text| edited(text, Keyword::Cmd, |editor, cmd| Some(editor.insert_before(cmd, &["USER 1"])));
        let after = |text| edited(text, Keyword::Cmd, |editor, cmd| editor.insert_after(cmd, &["USER 1", "LABEL a=b"]));
        assert_eq!(before("FROM a\r\n  CMD b\r\n").unwrap(), "FROM a\r\n  USER 1\r\n  CMD b\r\n");
        assert_eq!(before("\u{feff}CMD b").unwrap(), "\u{feff}USER 1\nCMD b");
        assert_eq!(after("FROM a\nCMD b\nRUN c\n").unwrap(), "FROM a\nCMD b\nUSER 1\nLABEL a=b\nRUN c\n");
        assert_eq!(after("FROM a\r\nCMD b").unwrap(), "FROM a\r\nCMD b\r\nUSER 1\r\nLABEL a=b");
        assert_eq!(after("FROM a\nCMD b \\\n  c\n# d\n").unwrap(), "FROM a\nCMD b \\\n  c\nUSER 1\nLABEL a=b\n# d\n");
    }

    #[test]
    fn what_the_end_of_the_file_cuts_off_is_left_alone() {
        let after = |text| edited(text, Keyword::Run, |editor, run| editor.insert_after(run, &["USER 1"]));
        assert_eq!(after("FROM a\nRUN b \\\n"), None);
        assert_eq!(after("FROM a\nRUN <<EOF\nid\n"), None);
        assert_eq!(after("FROM a\nRUN <<EOF\nid\nEOF").unwrap(), "FROM a\nRUN <<EOF\nid\nEOF\nUSER 1");
    }

    #[test]
    fn an_instruction_goes_with_its_lines_and_nothing_else() {
        let removed = |text| edited(text, Keyword::Env, |editor, env| editor.remove(env));
        assert_eq!(removed("FROM a\n# why\n ENV b=c \\\n  # in it\n  d=e\n# f\n").unwrap(), "FROM a\n# why\n# f\n");
        assert_eq!(removed("FROM a\r\nENV b=c").unwrap(), "FROM a");
        assert_eq!(removed("FROM a\nENV b=c\n").unwrap(), "FROM a\n");
    }

    #[test]
    fn comments_stay_with_the_instruction_below_them() {
        let above =
            |text| edited(text, Keyword::Run, |editor, run| Some(editor.insert_before_comments(run, &["USER 0"])));
        assert_eq!(above("FROM a\n# b\n\n# c\n  # d\nRUN e\n").unwrap(), "FROM a\n# b\n\nUSER 0\n# c\n  # d\nRUN e\n");
        assert_eq!(above("FROM a\nRUN e\n").unwrap(), "FROM a\nUSER 0\nRUN e\n");
        assert_eq!(
            above("FROM a\nENV b \\\n # c\n d\n# e\nRUN e\n").unwrap(),
            "FROM a\nENV b \\\n # c\n d\nUSER 0\n# e\nRUN e\n"
        );
        assert_eq!(above("# escape=`\n# c\nRUN e\n").unwrap(), "# escape=`\nUSER 0\n# c\nRUN e\n");
        assert_eq!(above("\u{feff}# c\nRUN e\n").unwrap(), "\u{feff}USER 0\n# c\nRUN e\n");
    }

    #[test]
    fn flags_come_and_go_with_their_blank() {
        let added = edited("COPY a b\n", Keyword::Copy, |editor, copy| Some(editor.add_flag(copy, "--chmod=755")));
        assert_eq!(added.unwrap(), "COPY --chmod=755 a b\n");
        let flag = |copy: &Instruction| copy.flags[1].clone();
        let text = "COPY --link  --chown=a:b c d\n";
        let removed = edited(text, Keyword::Copy, |editor, copy| Some(editor.remove_flag(&flag(copy))));
        assert_eq!(removed.unwrap(), "COPY --link c d\n");
        let set = edited(text, Keyword::Copy, |editor, copy| Some(editor.set_flag(&flag(copy), "1:1")));
        assert_eq!(set.unwrap(), "COPY --link  --chown=1:1 c d\n");
    }
}
