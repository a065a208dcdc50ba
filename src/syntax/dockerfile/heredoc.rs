//! `<<EOF` on an instruction's line.

use super::{
    Heredoc, Joined,
    lex::{self, Keep, Unreadable},
};
use crate::text::Span;

/// The heredocs that `body` opens, in order, their bodies still empty.
///
/// # Errors
/// A word that opens a heredoc cannot be read.
pub(super) fn openings(body: &Joined, source: &[u8]) -> Result<Vec<Heredoc>, Span> {
    let text = body.text(source);
    if memchr::memmem::find(text, b"<<").is_none() {
        return Ok(Vec::new());
    }
    // A line that cannot be split into words opens nothing.
    let words = lex::words(text, Keep { quotes: true, escapes: true }).unwrap_or_default();
    let mut found = Vec::new();
    for word in words {
        let place = body.file_span(word.range.start as u32..word.range.end as u32);
        match opening(&word.text) {
            Ok(Some(opening)) => found.push(opening.at(place)),
            Ok(None) => {}
            Err(Unreadable) => return Err(place),
        }
    }
    Ok(found)
}

/// Whether a word opens a heredoc.
pub(super) fn is_opening(word: &[u8]) -> bool {
    word.contains(&b'<') && std::str::from_utf8(word).is_ok_and(|word| matches!(opening(word), Ok(Some(_))))
}

struct Opening {
    descriptor: u32,
    chomp: bool,
    expand: bool,
    name: String,
}

impl Opening {
    fn at(self, marker: Span) -> Heredoc {
        let Opening { descriptor, chomp, expand, name } = self;
        Heredoc { marker, name, expand, chomp, descriptor, body: Span::default(), end: None }
    }
}

/// Digits, `<<`, perhaps `-`, perhaps blanks, and one word without `<`.
fn opening(word: &str) -> Result<Option<Opening>, Unreadable> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let Some(rest) = word[digits..].strip_prefix("<<") else { return Ok(None) };
    let chomp = rest.starts_with('-');
    let rest = rest[usize::from(chomp)..].trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']);
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let plain = lex::words(rest.as_bytes(), Keep { quotes: false, escapes: false })?;
    let [name] = plain.as_slice() else { return Ok(None) };
    let raw = lex::words(rest.as_bytes(), Keep { quotes: true, escapes: false })?;
    let [raw] = raw.as_slice() else { return Err(Unreadable) };
    let quotes = |text: &str| text.bytes().filter(|byte| matches!(byte, b'"' | b'\'')).count();
    Ok(Some(Opening {
        descriptor: word[..digits].parse().unwrap_or(if digits == 0 { 0 } else { u32::MAX }),
        chomp,
        expand: quotes(&name.text) == quotes(&raw.text),
        name: name.text.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, u32, bool, bool)> {
        let found = openings(&Joined::slice(Span::new(0, text.len())), text.as_bytes()).expect("readable");
        found.into_iter().map(|heredoc| (heredoc.name, heredoc.descriptor, heredoc.chomp, heredoc.expand)).collect()
    }

    fn heredoc(name: &str, descriptor: u32, chomp: bool, expand: bool) -> (String, u32, bool, bool) {
        (name.to_owned(), descriptor, chomp, expand)
    }

    #[test]
    fn all_forms() {
        assert_eq!(names("<<EOF"), [heredoc("EOF", 0, false, true)]);
        assert_eq!(names("3<<-EOF cat"), [heredoc("EOF", 3, true, true)]);
        assert_eq!(
            names("<<'EOF' <<\"A B\" <<E\"O\"F"),
            [heredoc("EOF", 0, false, false), heredoc("A B", 0, false, false), heredoc("EOF", 0, false, false)]
        );
        assert_eq!(names("cat << EOF"), [heredoc("EOF", 0, false, true)]);
        assert_eq!(names("<< -EOF"), [heredoc("-EOF", 0, false, true)]);
        assert_eq!(names("<<$EOF"), [heredoc("$EOF", 0, false, true)]);
    }

    #[test]
    fn what_is_no_heredoc() {
        for text in ["", "<<", "<<-", "<<- EOF", "<<<EOF", "<EOF", "cat<<EOF", "'<<EOF'", "\"<<EOF\"", "<<EOF 'open"] {
            assert_eq!(names(text), [], "{text}");
        }
    }

    #[test]
    fn arithmetic_looks_like_a_heredoc_to_buildkit() {
        assert_eq!(names("echo $((1 << 3))"), [heredoc("3))", 0, false, true)]);
    }
}
