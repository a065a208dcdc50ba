//! Text inside XML: nothing in it ends an attribute or an element, and every character is one that XML 1.0 has.

use super::visible::visible;

/// `text` for an attribute or an element, on one line.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => escaped.extend(character.escape_unicode()),
            plain => escaped.push(plain),
        }
    }
    escaped
}

/// How an XML document starts.
pub(super) const HEADER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_what_it_stands_in() {
        assert_eq!(xml("a\"b'<c>&]]>"), "a&quot;b&apos;&lt;c&gt;&amp;]]&gt;");
        assert_eq!(xml("\u{0}\n\u{1b}\u{ffff}"), "\\u{0}\\n\\u{1b}\\u{ffff}");
    }
}
