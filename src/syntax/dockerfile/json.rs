//! The JSON form of arguments: `["a", "b"]`, as Go's `encoding/json` reads it.

use std::ops::Range;

/// What a text is, taken as an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An array of strings and of nothing else.
    Strings,
    /// An array that holds something else as well, which BuildKit refuses.
    Others,
    /// No array in JSON: BuildKit then reads the text as shell form.
    NotJson,
}

/// BuildKit's JSON reader gives up beyond so many brackets.
const DEEPEST: usize = 10_000;

/// What `text` is; `element` is told of every string directly in the array, quotes included.
pub(super) fn form(text: &[u8], mut element: impl FnMut(Range<usize>)) -> Form {
    if text.first() != Some(&b'[') {
        return Form::NotJson;
    }
    scan(text, &mut element).unwrap_or(Form::NotJson)
}

/// The strings of an array that holds nothing else, decoded, each with its range, quotes included.
pub(super) fn strings(text: &[u8]) -> Option<Vec<(Range<usize>, Vec<u8>)>> {
    let mut ranges = Vec::new();
    (form(text, |range| ranges.push(range)) == Form::Strings).then(|| {
        ranges.into_iter().map(|range| (range.clone(), decode(&text[range.start + 1..range.end - 1]))).collect()
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Array,
    Object,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A value or the end of an array that has none yet.
    FirstValue,
    Key,
    /// A key or the end of an object that has none yet.
    FirstKey,
    /// A comma, or what closes.
    Separator,
}

/// One pass with a stack of open brackets; `None` at the first byte that is not JSON.
fn scan(text: &[u8], element: &mut impl FnMut(Range<usize>)) -> Option<Form> {
    let mut open = vec![Open::Array];
    let mut expect = Expect::FirstValue;
    let mut form = Form::Strings;
    let mut at = 1;
    while let Some(&innermost) = open.last() {
        at += blanks(&text[at..]);
        let byte = *text.get(at)?;
        match (expect, byte) {
            (Expect::FirstValue, b']') | (Expect::FirstKey, b'}') => {
                open.pop();
                expect = Expect::Separator;
                at += 1;
            }
            (Expect::Separator, _) => {
                expect = match (innermost, byte) {
                    (Open::Array, b',') => Expect::Value,
                    (Open::Object, b',') => Expect::Key,
                    (Open::Array, b']') | (Open::Object, b'}') => {
                        open.pop();
                        Expect::Separator
                    }
                    (Open::Array | Open::Object, _) => return None,
                };
                at += 1;
            }
            (Expect::Key | Expect::FirstKey, _) => {
                at = string_end(text, at)?;
                at += blanks(&text[at..]);
                (*text.get(at)? == b':').then_some(())?;
                at += 1;
                expect = Expect::Value;
            }
            (Expect::Value | Expect::FirstValue, b'"') => {
                let end = string_end(text, at)?;
                if open.len() == 1 {
                    element(at..end);
                }
                at = end;
                expect = Expect::Separator;
            }
            (Expect::Value | Expect::FirstValue, b'[' | b'{') => {
                form = Form::Others;
                let is_array = byte == b'[';
                open.push(if is_array { Open::Array } else { Open::Object });
                if open.len() > DEEPEST {
                    return None;
                }
                expect = if is_array { Expect::FirstValue } else { Expect::FirstKey };
                at += 1;
            }
            (Expect::Value | Expect::FirstValue, _) => {
                form = Form::Others;
                at = scalar_end(text, at)?;
                expect = Expect::Separator;
            }
        }
    }
    (at + blanks(&text[at..]) == text.len()).then_some(form)
}

fn string_end(text: &[u8], start: usize) -> Option<usize> {
    (*text.get(start)? == b'"').then_some(())?;
    let mut at = start + 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match text.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if text.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            },
            0x00..=0x1f => return None,
            _ => at += 1,
        }
    }
}

/// The end of `true`, `false`, `null` or a number.
fn scalar_end(text: &[u8], start: usize) -> Option<usize> {
    let rest = &text[start..];
    for word in [&b"true"[..], b"false", b"null"] {
        if rest.starts_with(word) {
            return Some(start + word.len());
        }
    }
    let digits = |at: usize| rest[at.min(rest.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(rest.first() == Some(&b'-'));
    at += match (rest.get(at)?, digits(at)) {
        (b'0', _) => 1,
        (_, 0) => return None,
        (_, count) => count,
    };
    if rest.get(at) == Some(&b'.') {
        at += 1 + Some(digits(at + 1)).filter(|&count| count > 0)?;
    }
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(rest.get(at), Some(b'+' | b'-')));
        at += Some(digits(at)).filter(|&count| count > 0)?;
    }
    // A number that no float holds is an error of its own, which BuildKit takes for shell form.
    let number: f64 = std::str::from_utf8(&rest[..at]).ok()?.parse().ok()?;
    number.is_finite().then_some(start + at)
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// The inside of a string that [`string_end`] found whole.
fn decode(inside: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let escape = rest.get(at + 1).copied().unwrap_or(b'\\');
        rest = rest.get(at + 2..).unwrap_or_default();
        match escape {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (character, length) = unicode_escape(rest);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = rest.get(length..).unwrap_or_default();
            }
            other => out.push(other),
        }
    }
    out.extend_from_slice(rest);
    out
}

/// The character behind `\u`, and how long its digits are; half a surrogate pair is U+FFFD.
fn unicode_escape(rest: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = rest.get(at..at + 4).and_then(|digits| std::str::from_utf8(digits).ok())?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(0) else { return (char::REPLACEMENT_CHARACTER, rest.len().min(4)) };
    let second = (rest.get(4..6) == Some(b"\\u")).then(|| unit(6)).flatten();
    let mut pair = char::decode_utf16([first].into_iter().chain(second));
    match pair.next() {
        Some(Ok(character)) => (character, if character.len_utf16() == 2 { 10 } else { 4 }),
        Some(Err(_)) | None => (char::REPLACEMENT_CHARACTER, 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form_of(text: &str) -> Form {
        form(text.as_bytes(), |_| {})
    }

    fn decoded(text: &str) -> Vec<String> {
        let strings = strings(text.as_bytes()).expect("an array of strings");
        strings.into_iter().map(|(_, text)| String::from_utf8(text).expect("UTF-8")).collect()
    }

    #[test]
    fn arrays_of_strings() {
        assert_eq!(decoded(r#"[ "a" , "\"\u00e9\ud83d\ude00\ud83d\n\/" ] "#), ["a", "\"é😀\u{fffd}\n/"]);
        assert_eq!(decoded("[]"), Vec::<String>::new());
        assert_eq!(strings(br#"["a", "b"]"#).map(|strings| strings[1].0.clone()), Some(6..9));
    }

    #[test]
    fn what_go_takes_for_json_but_not_for_strings() {
        for text in ["[1]", "[-0.5e+3]", "[null, \"a\"]", "[[\"a\"]]", "[{\"a\": [true, {}]}]", "[\"a\", false]"] {
            assert_eq!(form_of(text), Form::Others, "{text}");
        }
    }

    #[test]
    fn what_is_no_json() {
        for text in [
            "",
            "a",
            "[",
            "[\"a\"",
            "[\"a\",]",
            "['a']",
            "[\"a\"] x",
            "[\"\\x\"]",
            "[\"\t\"]",
            "[01]",
            "[1.]",
            "[1e]",
            "[-]",
            "[{\"a\"}]",
            "[{,}]",
            "[\"a\" \"b\"]",
            "[,]",
            "[1e999]",
            "[\"\\u12g4\"]",
            "[}",
            "[{]}",
            "[tru]",
        ] {
            assert_eq!(form_of(text), Form::NotJson, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(form_of(&nested(DEEPEST)), Form::Others);
        assert_eq!(form_of(&nested(DEEPEST + 1)), Form::NotJson);
        assert_eq!(form_of(&"[".repeat(1_000_000)), Form::NotJson);
    }
}
