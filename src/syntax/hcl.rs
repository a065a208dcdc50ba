//! HCL as bake files use it, and the JSON form of it: pieces with their places, and pairs of a key and a value.
//!
//! Nothing is computed here: a call or a variable is a value that nobody knows. Comments are no pieces.

use crate::text::Span;
use std::ops::Range;

/// A piece of HCL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    /// A name, a number, a truth value.
    Word(&'t str),
    /// What stands between quotes, as it is written.
    Text(&'t str),
    /// Anything else, and the ends of lines.
    Sign(u8),
}

/// A piece and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'t> {
    /// The piece.
    pub token: Token<'t>,
    /// Its bytes, quotes included.
    pub span: Span,
}

/// A key with its value: `key = value` of a block or an object, `"key": value` of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'t> {
    /// The key, without quotes.
    pub key: &'t str,
    /// The pieces of the value, by their numbers.
    pub value: Range<usize>,
    /// All of it.
    pub span: Span,
}

/// What stands between braces behind a name: `target "web" { … }`, or the same in JSON, below the key `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'t> {
    /// The name.
    pub label: &'t str,
    /// The first piece behind the brace.
    pub body: usize,
    /// Its keyword; in JSON, its name.
    pub head: Span,
    /// From its first byte to the brace that closes it.
    pub span: Span,
}

/// The pieces of a text; nothing is one that is no UTF-8.
pub fn pieces(text: &[u8]) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    while at < text.len() {
        let rest = &text[at..];
        let (token, length) = match rest[0] {
            b'#' => (None, memchr::memchr(b'\n', rest).unwrap_or(rest.len())),
            b'/' if rest.starts_with(b"//") => (None, memchr::memchr(b'\n', rest).unwrap_or(rest.len())),
            b'/' if rest.starts_with(b"/*") => {
                (None, memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2))
            }
            b'"' => {
                let length = length_of_text(rest);
                let inside = rest[1..length].strip_suffix(b"\"").unwrap_or(&rest[1..length]);
                (Some(Token::Text(std::str::from_utf8(inside).unwrap_or_default())), length)
            }
            byte if is_of_word(&byte) => {
                let length = rest.iter().take_while(|byte| is_of_word(byte)).count();
                (Some(Token::Word(std::str::from_utf8(&rest[..length]).unwrap_or_default())), length)
            }
            b' ' | b'\t' | b'\r' => (None, 1),
            sign => (Some(Token::Sign(sign)), 1),
        };
        found.extend(token.map(|token| Piece { token, span: Span::new(at, at + length) }));
        at += length;
    }
    found
}

/// How long the text in quotes is that begins here; `${…}` in it may hold quotes of its own.
fn length_of_text(text: &[u8]) -> usize {
    let mut at = 1;
    let mut open = 0;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'{' if text[at - 1] == b'$' => open += 1,
            b'}' if open > 0 => open -= 1,
            b'"' if open == 0 => return at + 1,
            b'\n' => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Where the value ends that begins at piece `at`: at the end of its line or at a comma, outside of brackets.
pub fn end_of_value(pieces: &[Piece<'_>], mut at: usize) -> usize {
    let mut open = 0_usize;
    while at < pieces.len() {
        match pieces[at].token {
            Token::Sign(b'{' | b'[' | b'(') => open += 1,
            Token::Sign(b'}' | b']' | b')' | b'\n' | b',') if open == 0 => return at,
            Token::Sign(b'}' | b']' | b')') => open -= 1,
            Token::Word(_) | Token::Text(_) | Token::Sign(_) => {}
        }
        at += 1;
    }
    at
}

/// The pairs between a brace that opens, just before piece `at`, and the one that closes it; blocks in between are passed
/// over.
pub fn pairs<'t>(pieces: &[Piece<'t>], mut at: usize) -> Vec<Pair<'t>> {
    let mut found = Vec::new();
    while at < pieces.len() {
        match (pieces[at].token, pieces.get(at + 1).map(|piece| piece.token)) {
            (Token::Sign(b'}'), _) => break,
            (Token::Word(key) | Token::Text(key), Some(Token::Sign(b'=' | b':'))) => {
                let value = at + 2..end_of_value(pieces, at + 2);
                let last = pieces[value.end - 1].span;
                found.push(Pair { key, span: pieces[at].span.to(last), value: value.clone() });
                at = value.end;
            }
            (Token::Sign(b'{'), _) => at = end_of_value(pieces, at),
            _ => at += 1,
        }
    }
    found
}

/// Whether the text is the JSON form.
pub fn is_json(pieces: &[Piece<'_>]) -> bool {
    let mut shown = pieces.iter().filter(|piece| piece.token != Token::Sign(b'\n'));
    shown.next().is_some_and(|piece| piece.token == Token::Sign(b'{'))
}

/// Whether the text may have a heredoc (`<<END`), whose lines are read as if they were HCL.
pub fn has_heredoc(pieces: &[Piece<'_>]) -> bool {
    let is_less = |piece: &Piece<'_>| piece.token == Token::Sign(b'<');
    pieces.windows(2).any(|pair| pair.iter().all(is_less) && pair[0].span.end == pair[1].span.start)
}

/// The blocks of that kind, in order.
pub fn blocks<'t>(pieces: &[Piece<'t>], kind: &str) -> Vec<Block<'t>> {
    if is_json(pieces) {
        let start = pieces.iter().take_while(|piece| piece.token != Token::Sign(b'{')).count() + 1;
        let objects = pairs(pieces, start).into_iter().filter(|pair| pair.key == kind);
        let inside =
            objects.filter(|pair| is_object(pieces, pair)).flat_map(|pair| pairs(pieces, pair.value.start + 1));
        let named = inside.filter(|pair| is_object(pieces, pair));
        return named.map(|pair| of_pair(pieces, &pair)).collect();
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let is_line_start = at == 0 || matches!(pieces[at - 1].token, Token::Sign(b'\n' | b'}'));
        let token = |ahead: usize| pieces.get(at + ahead).map(|piece| piece.token);
        let (Token::Word(word), Some(Token::Text(label) | Token::Word(label)), Some(Token::Sign(b'{')), true) =
            (pieces[at].token, token(1), token(2), is_line_start)
        else {
            at += 1;
            continue;
        };
        let end = end_of_value(pieces, at + 2);
        if word == kind {
            let head = pieces[at].span;
            found.push(Block { label, body: at + 3, head, span: head.to(pieces[end - 1].span) });
        }
        at = end;
    }
    found
}

fn of_pair<'t>(pieces: &[Piece<'t>], pair: &Pair<'t>) -> Block<'t> {
    // A key and a colon come before the brace.
    let head = pieces[pair.value.start - 2].span;
    Block { label: pair.key, body: pair.value.start + 1, head, span: pair.span }
}

fn is_object(pieces: &[Piece<'_>], pair: &Pair<'_>) -> bool {
    pieces.get(pair.value.start).is_some_and(|piece| !pair.value.is_empty() && piece.token == Token::Sign(b'{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_the_same_blocks_and_pairs() {
        let hcl = "# x\nvariable \"A\" {}\ntarget \"web\" {\n  labels { a = 1 }\n  args = { B = \"}\", \"C\" = f(1, 2) } // d\n  pull = true\n}\n";
        let json = "{\"target\": {\"web\": {\n\"args\": {\"B\": \"}\", \"C\": 1},\n\"pull\": true}}}";
        for text in [hcl, json] {
            let pieces = pieces(text.as_bytes());
            let blocks = blocks(&pieces, "target");
            assert_eq!(blocks.iter().map(|block| block.label).collect::<Vec<_>>(), ["web"]);
            let pairs_of = |at| pairs(&pieces, at).into_iter().map(|pair| pair.key).collect::<Vec<_>>();
            assert_eq!(pairs_of(blocks[0].body), ["args", "pull"]);
            let args = &pairs(&pieces, blocks[0].body)[0];
            assert_eq!(pairs_of(args.value.start + 1), ["B", "C"]);
            assert!(blocks[0].span.of(text.as_bytes()).ends_with(b"}"));
        }
    }

    #[test]
    fn damage_ends_nothing() {
        for text in
            ["target \"a\" {", "target a = {", "{\"target\":", "{\"target\": {\"a\":", "}}}}", "= = =", "a =", "{ {"]
        {
            let pieces = pieces(text.as_bytes());
            for block in blocks(&pieces, "target") {
                pairs(&pieces, block.body);
            }
            pairs(&pieces, 0);
        }
    }
}
