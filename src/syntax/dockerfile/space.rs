//! White space as BuildKit sees it, which is not the same everywhere.

use std::ops::Range;

/// What separates words where BuildKit splits at `[\t\v\f\r ]+`.
pub(super) fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | b'\r')
}

/// What is white space where BuildKit takes bytes one by one, each for a character of its own.
pub(super) fn is_space_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0x85 | 0xa0)
}

/// The length of the white space character that stands at `at`, in Unicode's sense; 0 if there is none.
pub(super) fn width_at(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(b' ' | b'\t'..=b'\r') => 1,
        None | Some(0x00..=0x7f) => 0,
        // Every white space character beyond ASCII takes two or three bytes.
        Some(_) => (2..=3).find(|&length| is_space(text.get(at..at + length))).unwrap_or(0),
    }
}

/// How many bytes of white space, in Unicode's sense, stand at the start.
pub(super) fn leading(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match width_at(text, at) {
            0 => return at,
            width => at += width,
        }
    }
}

/// Where the white space at the end starts, in Unicode's sense.
pub(super) fn trailing(text: &[u8]) -> usize {
    let mut end = text.len();
    loop {
        match text[..end].last() {
            Some(b' ' | b'\t'..=b'\r') => end -= 1,
            None | Some(0x00..=0x7f) => return end,
            Some(_) => match (2..=3).find(|&length| end >= length && is_space(text.get(end - length..end))) {
                Some(length) => end -= length,
                None => return end,
            },
        }
    }
}

/// What remains of `text` without the white space around it, in Unicode's sense.
pub(super) fn trim(text: &[u8]) -> Range<usize> {
    let end = trailing(text);
    leading(&text[..end])..end
}

/// Whether these bytes are one white space character.
fn is_space(bytes: Option<&[u8]>) -> bool {
    let mut chars = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default().chars();
    chars.next().is_some_and(char::is_whitespace) && chars.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_beyond_ascii_is_trimmed() {
        let text = "\u{a0}\u{3000} a\u{a0}b \u{85}\u{2003}".as_bytes();
        assert_eq!(&text[trim(text)], "a\u{a0}b".as_bytes());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_no_white_space() {
        assert_eq!(trim(b" \xa0a\x85 "), 1..4);
        assert_eq!(trim(b"\xc2"), 0..1);
        assert_eq!(trim(b" \t "), 0..0);
    }
}
