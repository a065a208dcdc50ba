//! Words of an instruction's arguments, without decoding them.

use super::space;
use std::ops::Range;

/// The words between separators; quotes have no meaning.
pub(super) fn plain(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].iter().take_while(|&&byte| space::is_separator(byte)).count();
        let start = at;
        at += text[at..].iter().take_while(|&&byte| !space::is_separator(byte)).count();
        (start < at).then_some(start..at)
    })
}

/// The words of `ENV`, `LABEL` and `ARG`: quotes and the escape character protect white space, and stay.
pub(super) fn quoted(text: &[u8], escape: u8) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += space::leading(&text[at..]);
            if at == text.len() {
                return None;
            }
            let word = quoted_word(text, at, escape);
            at = word.next;
            // A lone escape character at the end is no word.
            if word.start < word.end {
                return Some(word.start..word.end);
            }
        }
    })
}

struct Word {
    start: usize,
    end: usize,
    /// Where the next word may start.
    next: usize,
}

fn quoted_word(text: &[u8], start: usize, escape: u8) -> Word {
    let mut quote = None;
    let mut at = start;
    while at < text.len() {
        at += match quote {
            None => text[at..].iter().take_while(|&&byte| is_plain(byte, escape)).count(),
            Some(open) => memchr::memchr2(open, escape, &text[at..]).unwrap_or(text.len() - at),
        };
        let Some(&byte) = text.get(at) else { break };
        if byte == escape && quote != Some(b'\'') {
            if at + 1 == text.len() {
                return Word { start, end: at, next: text.len() };
            }
            at += 2;
            continue;
        }
        match quote {
            Some(open) if byte == open => quote = None,
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            None if space::width_at(text, at) > 0 => return Word { start, end: at, next: at },
            None | Some(_) => {}
        }
        at += 1;
    }
    Word { start, end: text.len(), next: text.len() }
}

/// Whether a byte outside quotes is certainly nothing but itself.
fn is_plain(byte: u8, escape: u8) -> bool {
    byte.is_ascii_graphic() && byte != escape && !matches!(byte, b'"' | b'\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted_words(text: &str) -> Vec<&str> {
        quoted(text.as_bytes(), b'\\').map(|range| &text[range]).collect()
    }

    #[test]
    fn quotes_and_escapes_protect_white_space() {
        assert_eq!(quoted_words(r#"a="b c" d='e\' f=g\ h"#), [r#"a="b c""#, r"d='e\'", r"f=g\ h"]);
        assert_eq!(quoted_words("a=\"open to the end "), ["a=\"open to the end "]);
        assert_eq!(quoted_words("a=\u{a0}b"), ["a=", "b"]);
    }

    #[test]
    fn an_escape_character_at_the_end_is_dropped() {
        assert_eq!(quoted_words(r"a=b\"), ["a=b"]);
        assert_eq!(quoted_words(r"a=b \"), ["a=b"]);
        assert_eq!(quoted_words("a=\"b\\"), ["a=\"b"]);
    }

    #[test]
    fn plain_words_know_no_quotes() {
        assert_eq!(plain(b"a  'b\tc' ").collect::<Vec<_>>(), [0..1, 3..5, 6..8]);
    }
}
