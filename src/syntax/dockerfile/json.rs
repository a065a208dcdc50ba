//! The JSON form of arguments: `["a", "b"]`.

use std::ops::Range;

/// The strings of a JSON array that holds nothing else, with the range of each, quotes included.
///
/// `None` where `text` is not exactly one such array: Docker then reads it as shell form.
pub(super) fn strings(text: &[u8]) -> Option<Vec<(Range<usize>, String)>> {
    if text.first() != Some(&b'[') {
        return None;
    }
    let mut strings = Vec::new();
    let mut at = 1 + blanks(&text[1..]);
    if text.get(at) == Some(&b']') {
        return (at + 1 + blanks(&text[at + 1..]) == text.len()).then_some(strings);
    }
    loop {
        at += blanks(&text[at..]);
        let end = string_end(text, at)?;
        strings.push((at..end, serde_json::from_slice(&text[at..end]).ok()?));
        at = end + blanks(&text[end..]);
        match text.get(at)? {
            b',' => at += 1,
            b']' => return (at + 1 + blanks(&text[at + 1..]) == text.len()).then_some(strings),
            _ => return None,
        }
    }
}

fn string_end(text: &[u8], start: usize) -> Option<usize> {
    if text.get(start) != Some(&b'"') {
        return None;
    }
    let mut at = start + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}
