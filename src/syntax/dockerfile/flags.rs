//! `--name=value` words in front of the arguments.

use super::{Flag, Joined, parse::is_blank};
use std::ops::Range;

/// The flags at the start of `body`, and where the arguments begin.
///
/// A flag ends at a blank outside quotes; `--` alone ends the flags; a backslash protects the next byte.
pub(super) fn flags(body: &Joined, source: &[u8]) -> (Vec<Flag>, usize) {
    let text = body.text(source);
    let mut flags = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].iter().take_while(|&&byte| is_blank(byte)).count();
        if !text[at..].starts_with(b"--") {
            return (flags, at);
        }
        let end = word_end(text, at);
        if end == at + 2 {
            return (flags, end);
        }
        flags.push(flag(body, source, at..end));
        at = end;
    }
}

fn flag(body: &Joined, source: &[u8], range: Range<usize>) -> Flag {
    let text = &body.text(source)[range.clone()];
    let equals = memchr::memchr(b'=', text);
    let name_end = equals.unwrap_or(text.len());
    let value_start = equals.map_or(text.len(), |at| at + 1);
    let range = range.start as u32..range.end as u32;
    Flag {
        span: body.file_span(range.clone()),
        name: String::from_utf8_lossy(&text[2..name_end]).into_owned(),
        value: equals.map(|_| unquote(&text[value_start..])),
        value_span: body.file_span(range.start + value_start as u32..range.end),
        range,
    }
}

/// A flag's value as BuildKit takes it: quotes and protecting backslashes taken off.
fn unquote(value: &[u8]) -> String {
    let mut out = Vec::with_capacity(value.len());
    let mut quote = None;
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (_, b'\\') => out.extend(bytes.next()),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(_), _) => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The end of the word that starts at `at`: the next blank outside quotes.
fn word_end(text: &[u8], at: usize) -> usize {
    let mut quote = None;
    let mut at = at;
    while at < text.len() {
        match (quote, text[at]) {
            (_, b'\\') => at += 1,
            (None, b'"' | b'\'') => quote = Some(text[at]),
            (Some(open), byte) if open == byte => quote = None,
            (None, byte) if is_blank(byte) => return at,
            (None | Some(_), _) => {}
        }
        at += 1;
    }
    text.len()
}

/// The range of `text` from `start` on, blanks at both ends left out.
pub(super) fn trim(text: &[u8], start: usize) -> Range<u32> {
    let rest = &text[start.min(text.len())..];
    let lead = rest.len() - rest.trim_ascii_start().len();
    let kept = rest.trim_ascii().len();
    let start = start.min(text.len()) + lead;
    start as u32..(start + kept) as u32
}
