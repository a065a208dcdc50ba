//! What differs from one start to the next without meaning anything: dates, times and ids become marks.

/// What happens to plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// They stay: in an answer they mean something.
    Kept,
    /// They go too: logs are full of process ids and durations.
    Masked,
}

/// How dates are written: `d` is a digit, `w` a letter, `_` a digit or a space. Longer ones first.
const DATES: [&str; 12] = [
    "www www _d dd:dd:dd www dddd",
    "www, dd www dddd dd:dd:dd",
    "www www _d dd:dd:dd dddd",
    "dd/www/dddd:dd:dd:dd",
    "dddd-dd-ddTdd:dd:dd",
    "dddd-dd-dd dd:dd:dd",
    "dddd/dd/dd dd:dd:dd",
    "www _d dd:dd:dd",
    "dddd-dd-dd",
    "dddd/dd/dd",
    "dd:dd:dd",
    "dd www dddd",
];

/// Zones and fractions of a second behind a date.
const TAILS: [&str; 6] = [" +dddd", " -dddd", "+dd:dd", "-dd:dd", " GMT", " UTC"];

/// Eight, four, four, four and twelve hexadecimal digits.
const UUID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/// Hexadecimal words from this length on are names that a program gave: a container, a request, a digest.
const SHORTEST_ID: usize = 12;

/// `text` with marks in the place of dates and ids.
pub(super) fn masked(text: &str, numbers: Numbers) -> String {
    let bytes = text.as_bytes();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let starts_word = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        if starts_word && bytes[at].is_ascii_alphanumeric() {
            let (length, mark) = word(&bytes[at..], numbers);
            match mark {
                Some(mark) => result.push_str(mark),
                None => result.push_str(&text[at..at + length]),
            }
            at += length;
            continue;
        }
        let length = text[at..].chars().next().map_or(1, char::len_utf8);
        result.push_str(&text[at..at + length]);
        at += length;
    }
    result
}

/// How long the word is that `text` starts with, and the mark that it becomes.
fn word(text: &[u8], numbers: Numbers) -> (usize, Option<&'static str>) {
    if let Some(length) = date(text) {
        return (length, Some("<date>"));
    }
    if fits(text, UUID) {
        return (UUID.len(), Some("<id>"));
    }
    let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = &text[..length];
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_hexadecimal = word.iter().all(u8::is_ascii_hexdigit);
    let has_digit = word.iter().any(u8::is_ascii_digit);
    if digits == length && matches!(length, 10 | 13 | 16) && word[0] == b'1' {
        return (length, Some("<date>"));
    }
    if is_hexadecimal && has_digit && length >= SHORTEST_ID {
        return (length, Some("<id>"));
    }
    if numbers == Numbers::Masked && digits > 0 {
        return (digits, Some("<n>"));
    }
    (length, None)
}

/// The length of the date that `text` starts with.
fn date(text: &[u8]) -> Option<usize> {
    let mut length = DATES.into_iter().find(|shape| fits(text, shape))?.len();
    if matches!(text.get(length), Some(b'.' | b',')) && text.get(length + 1).is_some_and(u8::is_ascii_digit) {
        length += 1 + text[length + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    if text.get(length) == Some(&b'Z') {
        length += 1;
    }
    let tail = TAILS.into_iter().find(|shape| fits(&text[length..], shape));
    Some(length + tail.map_or(0, str::len))
}

/// Whether `text` starts with `shape` and no digit goes on behind it.
fn fits(text: &[u8], shape: &str) -> bool {
    let fits = |(byte, shape): (&u8, u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'w' => byte.is_ascii_alphabetic(),
        b'x' => byte.is_ascii_hexdigit(),
        b'_' => byte.is_ascii_digit() || *byte == b' ',
        literal => *byte == literal,
    };
    text.len() >= shape.len()
        && text.iter().zip(shape.bytes()).all(fits)
        && !text.get(shape.len()).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_masked_however_they_are_written() {
        for date in [
            "2026-11-21T15:13:09Z",
            "2026-11-21 15:13:09,123",
            "2026-11-21T15:13:09.123456+01:00",
            "21/Nov/2026:15:13:09 +0000",
            "Sat, 21 Nov 2026 15:13:09 GMT",
            "Sat Nov 21 15:13:09 2026",
            "Sat Nov 21 15:13:09 UTC 2026",
            "1795274000",
            "15:13:09",
        ] {
            assert_eq!(masked(&format!("at {date} ok"), Numbers::Kept), "at <date> ok", "{date}");
        }
    }

    #[test]
    fn ids_are_masked_and_words_are_not() {
        let text = "275353e3a505 550e8400-e29b-41d4-a716-446655440000 deadbeef v1.2.3 effaced 42";
        assert_eq!(masked(text, Numbers::Kept), "<id> <id> deadbeef v1.2.3 effaced 42");
    }

    #[test]
    fn numbers_in_logs_say_nothing() {
        assert_eq!(masked("[7] worker 12 took 3.5ms für é", Numbers::Masked), "[<n>] worker <n> took <n>.<n>ms für é");
    }
}
