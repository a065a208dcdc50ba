//! `--name=value` words in front of the arguments.

use super::{Flag, Joined, space};
use crate::text::Span;
use std::{borrow::Cow, ops::Range};

/// The flags at the start of `text`, which is `body` without white space at its end, and where the arguments begin.
///
/// A flag ends at white space outside quotes; `--` alone ends the flags; a backslash protects the next byte, whatever
/// the escape character of the file is.
pub(super) fn flags(body: &Joined, text: &[u8]) -> (Vec<Flag>, usize) {
    let mut flags = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].iter().take_while(|&&byte| space::is_space_byte(byte)).count();
        if !text[at..].starts_with(b"--") {
            return (flags, at);
        }
        let word = Word::read(text, at);
        at = word.range.end;
        if *word.decoded == *b"--" {
            return (flags, at);
        }
        flags.push(word.flag(body));
    }
}

struct Word<'a> {
    /// As written.
    range: Range<usize>,
    /// Without quotes and the backslashes that protect.
    decoded: Cow<'a, [u8]>,
    /// Where the first `=` is written, and where it is when decoded.
    equals: Option<(usize, usize)>,
}

impl<'a> Word<'a> {
    fn read(text: &'a [u8], start: usize) -> Self {
        let plain = text[start..].iter().take_while(|&&byte| !is_special(byte)).count();
        let end = start + plain;
        if text.get(end).is_none_or(|&byte| space::is_space_byte(byte)) {
            let decoded = &text[start..end];
            let equals = memchr::memchr(b'=', decoded).map(|at| (start + at, at));
            return Word { range: start..end, decoded: Cow::Borrowed(decoded), equals };
        }
        Self::decode(text, start)
    }

    fn decode(text: &[u8], start: usize) -> Word<'static> {
        let mut decoded = Vec::new();
        let mut equals = None;
        let mut quote = None;
        let mut at = start;
        while at < text.len() {
            match (quote, text[at]) {
                (_, b'\\') => {
                    at += 1;
                    decoded.extend(text.get(at));
                }
                (None, open @ (b'"' | b'\'')) => quote = Some(open),
                (Some(open), byte) if open == byte => quote = None,
                (None, byte) if space::is_space_byte(byte) => break,
                (None | Some(_), byte) => {
                    if byte == b'=' {
                        equals.get_or_insert((at, decoded.len()));
                    }
                    decoded.push(byte);
                }
            }
            at += 1;
        }
        Word { range: start..at.min(text.len()), decoded: Cow::Owned(decoded), equals }
    }

    fn flag(self, body: &Joined) -> Flag {
        let range = self.range.start as u32..self.range.end as u32;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (name, value) = match self.equals {
            Some((_, at)) => (text(&self.decoded[2..at]), Some(text(&self.decoded[at + 1..]))),
            None => (text(&self.decoded[2..]), None),
        };
        let span = body.file_span(range.clone());
        let value_start = self.equals.map_or(range.end, |(written, _)| written as u32 + 1);
        // Nothing at the end of a line is not at the start of the next one.
        let is_empty = value_start == range.end;
        let value_span = if is_empty { Span::at(span.end as usize) } else { body.file_span(value_start..range.end) };
        Flag { span, range, name, value, value_span }
    }
}

fn is_special(byte: u8) -> bool {
    space::is_space_byte(byte) || matches!(byte, b'"' | b'\'' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, Option<String>)>, usize) {
        let (flags, args) = flags(&Joined::slice(Span::new(0, text.len())), text.as_bytes());
        (flags.into_iter().map(|flag| (flag.name, flag.value)).collect(), args)
    }

    fn flag(name: &str, value: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn quotes_and_backslashes_are_taken_off() {
        let (flags, _) = read(r#"--chown="a b":c --from='x\' y --mount=a\ b"#);
        assert_eq!(flags, [flag("chown", "a b:c"), flag("from", "x' y --mount=a b")]);
        let (flags, _) = read(r#"--"a=b c" d"#);
        assert_eq!(flags, [flag("a", "b c")]);
    }

    #[test]
    fn two_dashes_end_the_flags() {
        assert_eq!(read("-- --a b"), (vec![], 2));
        assert_eq!(read("--a=1 -- --b"), (vec![flag("a", "1")], 8));
        assert_eq!(read("--"), (vec![], 2));
    }

    #[test]
    fn the_value_lies_where_it_is_written() {
        let text = br#"--a="b" c"#;
        let (flags, args) = flags(&Joined::slice(Span::new(0, text.len())), text);
        assert_eq!(flags[0].value_span.of(text), br#""b""#);
        assert_eq!(flags[0].span.of(text), br#"--a="b""#);
        assert_eq!(args, 8);
    }

    #[test]
    fn a_backslash_at_the_end_is_dropped() {
        assert_eq!(read("--a=b\\").0, [flag("a", "b")]);
        assert_eq!(read("--a='b\\").0, [flag("a", "b")]);
    }
}
