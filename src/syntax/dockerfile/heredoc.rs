//! `<<EOF` on an instruction's line.

use super::{Heredoc, Joined, parse::is_blank};
use crate::text::Span;

/// The heredocs that `body` opens, in order, their bodies still empty.
///
/// A heredoc opens in a word of its own: `3<<-"EOF"`, `<<EOF`; blanks may stand between `<<` and its word.
pub(super) fn openings(body: &Joined, source: &[u8], escape: u8) -> Vec<Heredoc> {
    let text = body.text(source);
    if memchr::memmem::find(text, b"<<").is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if is_blank(text[at]) {
            at += 1;
            continue;
        }
        let end = word_end(text, at, escape);
        if let Some(heredoc) = opening(&text[at..end], |from, to| body.file_span((at + from) as u32..(at + to) as u32))
        {
            found.push(heredoc);
        }
        at = end;
    }
    found
}

fn opening(word: &[u8], place: impl Fn(usize, usize) -> Span) -> Option<Heredoc> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = word[digits..].strip_prefix(b"<<")?;
    let chomp = rest.first() == Some(&b'-');
    let quoted = if chomp { &rest[1..] } else { rest };
    if quoted.is_empty() || quoted.contains(&b'<') {
        return None;
    }
    let mut name = Vec::new();
    let mut expand = true;
    let mut quote = None;
    let mut bytes = quoted.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (None, b'"' | b'\'') => (quote, expand) = (Some(byte), false),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(b'"'), b'\\') => {
                expand = false;
                name.extend(bytes.next());
            }
            (None | Some(_), _) => name.push(byte),
        }
    }
    if name.is_empty() || quote.is_some() {
        return None;
    }
    Some(Heredoc {
        marker: place(0, word.len()),
        name: String::from_utf8_lossy(&name).into_owned(),
        expand,
        chomp,
        descriptor: std::str::from_utf8(&word[..digits]).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0),
        body: Span::default(),
        end: None,
    })
}

fn word_end(text: &[u8], at: usize, escape: u8) -> usize {
    let mut quote = None;
    let mut at = at;
    while at < text.len() {
        let byte = text[at];
        match quote {
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None if is_blank(byte) => return at,
            None | Some(b'"') if byte == escape => at += 1,
            Some(open) if open == byte => quote = None,
            None | Some(_) => {}
        }
        at += 1;
    }
    text.len()
}
