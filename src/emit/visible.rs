//! Text from files, made safe to show: what would move the cursor, change colours or reorder a line is spelled out.

use std::borrow::Cow;

/// `text` on one line, with control, direction and other invisible characters as `\u{…}`.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::with_capacity(text.len() + 8), |mut shown, character| {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
        shown
    }))
}

/// Whether a terminal shows `character` as itself and leaves its neighbours alone.
pub(super) fn is_plain(character: char) -> bool {
    !character.is_control() && !is_format(character)
}

/// Characters that reorder, join, hide or break text: bidirectional controls, separators, zero-width and tag characters.
fn is_format(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_or_reorders_gets_through() {
        assert_eq!(visible("café 𝓤"), "café 𝓤");
        assert_eq!(visible("a\x1b[31mb\r\n"), "a\\u{1b}[31mb\\r\\n");
        assert_eq!(visible("x\u{202e}y\u{2028}"), "x\\u{202e}y\\u{2028}");
    }
}
