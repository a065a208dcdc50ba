//! Takes single assignments out of an `ENV` or `ARG`.

use crate::{
    source::SourceFile,
    syntax::dockerfile::{Arguments, Assignment, Dockerfile, Editor, Instruction, TokenKind},
    text::{Edit, Span},
};

/// Takes out the assignments of `instruction` whose names are written at `names`, and the whole instruction if nothing
/// is left of it. None where the text around them cannot be told apart.
pub(super) fn remove(
    file: &SourceFile,
    tree: &Dockerfile,
    instruction: &Instruction,
    names: &[Span],
) -> Option<Vec<Edit>> {
    let Arguments::Assignments(all) = instruction.arguments(&file.text) else { return None };
    let goes = |assignment: &Assignment<'_>| names.contains(&assignment.name.span);
    if all.iter().all(goes) {
        let mut edit = Editor::new(file, tree).remove(instruction)?;
        edit.span.end += blank_line_at(&file.text, edit.span) as u32;
        return Some(vec![edit]);
    }
    let first_kept = all.iter().position(|assignment| !goes(assignment))?;
    let mut gaps = Vec::new();
    for (at, assignment) in all.iter().enumerate().filter(|(_, assignment)| goes(assignment)) {
        // In front of everything that stays, it goes up to the next; else from the end of the one before.
        let gap = match at.checked_sub(1).filter(|_| at > first_kept) {
            None => Span { start: assignment.name.span.start, end: all.get(at + 1)?.name.span.start },
            Some(before) => Span { start: end(&all[before]), end: end(assignment) },
        };
        if gap.start >= gap.end || holds_comment(tree, gap) {
            return None;
        }
        gaps.push(Edit::delete(file.id, gap));
    }
    Some(gaps)
}

/// How many bytes the blank line behind `span` has, if one stands before it too: one of them is enough.
fn blank_line_at(text: &[u8], span: Span) -> usize {
    let (before, behind) = (&text[..span.start as usize], &text[span.end as usize..]);
    let is_below_blank = before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n");
    match behind {
        [b'\r', b'\n', ..] if is_below_blank => 2,
        [b'\n', ..] if is_below_blank => 1,
        _ => 0,
    }
}

fn end(assignment: &Assignment<'_>) -> u32 {
    assignment.value.as_ref().map_or(assignment.name.span.end, |value| value.span.end.max(assignment.name.span.end))
}

fn holds_comment(tree: &Dockerfile, span: Span) -> bool {
    let first = tree.tokens.partition_point(|token| token.span.end <= span.start);
    let inside = tree.tokens[first..].iter().take_while(|token| token.span.start < span.end);
    inside.into_iter().any(|token| token.kind == TokenKind::Comment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        source::FileKind,
        syntax::dockerfile::{Keyword, parse},
        text::FileId,
    };

    fn without(text: &str, names: &[&str]) -> Option<String> {
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.as_bytes().to_vec());
        let tree = parse(&file.text).tree;
        let instruction = tree.instructions.iter().find(|each| each.keyword != Keyword::From)?;
        let Arguments::Assignments(all) = instruction.arguments(&file.text) else { return None };
        let spans = all.iter().filter(|each| names.iter().any(|name| name.as_bytes() == &*each.name.text));
        let spans: Vec<Span> = spans.map(|each| each.name.span).collect();
        let edits = remove(&file, &tree, instruction, &spans)?;
        let mut bytes = file.text.clone();
        for edit in edits.into_iter().rev() {
            bytes.splice(edit.span.range(), edit.text.into_bytes());
        }
        String::from_utf8(bytes).ok()
    }

    #[test]
    fn an_assignment_goes_with_the_blank_or_the_line_end_beside_it() {
        assert_eq!(without("FROM a\nENV A=1 B=2 C=3\n", &["B"]).unwrap(), "FROM a\nENV A=1 C=3\n");
        assert_eq!(without("FROM a\nENV A=1 B=2 C=3\n", &["A"]).unwrap(), "FROM a\nENV B=2 C=3\n");
        assert_eq!(without("FROM a\nENV A=1 B=2 C=3\n", &["A", "B"]).unwrap(), "FROM a\nENV C=3\n");
        assert_eq!(without("FROM a\nENV A=1 B=2 C=3\n", &["A", "C"]).unwrap(), "FROM a\nENV B=2\n");
        assert_eq!(
            without("FROM a\nENV A=1 \\\n    B=\"2 3\" \\\n    C=3\n", &["B"]).unwrap(),
            "FROM a\nENV A=1 \\\n    C=3\n"
        );
        assert_eq!(without("FROM a\r\nENV A=1 \\\r\n    B=2\r\n", &["B"]).unwrap(), "FROM a\r\nENV A=1\r\n");
        assert_eq!(without("FROM a\nENV \\\n A=1 \\\n B=2\n", &["A"]).unwrap(), "FROM a\nENV \\\n B=2\n");
        assert_eq!(without("FROM a\nARG A B=2\n", &["A"]).unwrap(), "FROM a\nARG B=2\n");
    }

    #[test]
    fn nothing_is_left_of_an_instruction_that_held_nothing_else() {
        assert_eq!(without("FROM a\nENV A 1 2\nCMD b\n", &["A"]).unwrap(), "FROM a\nCMD b\n");
        assert_eq!(without("FROM a\nENV A=1 \\\n B=2\nCMD b\n", &["A", "B"]).unwrap(), "FROM a\nCMD b\n");
        assert_eq!(without("FROM a\n\nENV A=1\n\nCMD b\n", &["A"]).unwrap(), "FROM a\n\nCMD b\n");
    }

    #[test]
    fn a_comment_between_assignments_is_not_lost() {
        assert_eq!(without("FROM a\nENV A=1 \\\n # why\n B=2\n", &["B"]), None);
    }
}
