//! Quote removal.

use crate::{syntax::shell::Quoting, text::Span};

/// Where `quote` stands in `text` without a backslash before it.
pub(super) fn unescaped(text: &[u8], quote: u8) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(quote, b'\\', text.get(from..)?) {
        if text[from + at] == quote {
            return Some(from + at);
        }
        from += at + 2;
    }
    None
}

/// Appends the value of text under these quotes.
pub(super) fn decode(raw: &[u8], quoting: Quoting, out: &mut Vec<u8>) {
    decode_traced(raw, quoting, out, |_, _| {});
}

/// [`decode`], which also tells `trace` which bytes of `out` were made of which bytes of `raw`, in order.
pub(in crate::syntax::shell) fn decode_traced(
    raw: &[u8],
    quoting: Quoting,
    out: &mut Vec<u8>,
    mut trace: impl FnMut(Span, Span),
) {
    let mut from = 0;
    while from < raw.len() {
        let start = out.len();
        let rest = &raw[from..];
        let plain = match quoting {
            Quoting::Single => rest.len(),
            Quoting::Bare | Quoting::Double | Quoting::Ansi => memchr::memchr(b'\\', rest).unwrap_or(rest.len()),
        };
        let read = if plain > 0 {
            out.extend_from_slice(&rest[..plain]);
            plain
        } else {
            decode_escape(rest, quoting, out)
        };
        trace(Span::new(start, out.len()), Span::new(from, from + read));
        from += read;
    }
}

/// Appends what the backslash at the start of `text` and the bytes behind it stand for; answers how many they are.
fn decode_escape(text: &[u8], quoting: Quoting, out: &mut Vec<u8>) -> usize {
    match (quoting, &text[1..]) {
        (_, []) => {
            out.push(b'\\');
            1
        }
        (Quoting::Ansi, behind) => text.len() - decode_ansi(behind, out).len(),
        (Quoting::Bare | Quoting::Double, [b'\n', ..]) => 2,
        (Quoting::Bare | Quoting::Double, [b'\r', b'\n', ..]) => 3,
        (Quoting::Double, [byte, ..]) if !matches!(byte, b'$' | b'`' | b'"' | b'\\') => {
            out.push(b'\\');
            1
        }
        (Quoting::Bare | Quoting::Single | Quoting::Double, [byte, ..]) => {
            out.push(*byte);
            2
        }
    }
}

/// One escape of `$'…'`, the backslash already read.
fn decode_ansi<'a>(text: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some((&byte, rest)) = text.split_first() else { return text };
    let simple = match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'b' => 8,
        b'e' | b'E' => 27,
        b'f' => 12,
        b'v' => 11,
        b'\\' | b'\'' | b'"' | b'?' => byte,
        b'x' => return decode_number(rest, 16, 2, false, out),
        b'u' => return decode_number(rest, 16, 4, true, out),
        b'U' => return decode_number(rest, 16, 8, true, out),
        b'0'..=b'7' => return decode_number(text, 8, 3, false, out),
        _ => {
            out.extend_from_slice(&[b'\\', byte]);
            return rest;
        }
    };
    out.push(simple);
    rest
}

/// A number of at most `most` digits, as a byte or as a character.
fn decode_number<'a>(text: &'a [u8], radix: u32, most: usize, is_character: bool, out: &mut Vec<u8>) -> &'a [u8] {
    let digits = text.iter().take(most).take_while(|&&byte| char::from(byte).is_digit(radix)).count();
    let value = text[..digits].iter().filter_map(|&byte| char::from(byte).to_digit(radix));
    let value = value.fold(0_u32, |value, digit| value.wrapping_mul(radix).wrapping_add(digit));
    if is_character {
        let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.push(value as u8);
    }
    &text[digits..]
}
