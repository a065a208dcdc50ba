//! Credentials that can be told by their form alone, from `rulesets/secrets/tokens.toml`.

use crate::text::distinct_bytes;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::Deserialize;
use std::{ops::Range, sync::OnceLock};

const RULESET: &str = include_str!("../../rulesets/secrets/tokens.toml");

/// All known shapes, ready to search.
#[derive(Debug)]
pub struct Tokens {
    shapes: Vec<Shape>,
    /// The prefixes of all shapes; `owner[pattern]` is the shape that a prefix belongs to.
    prefixes: AhoCorasick,
    owner: Vec<usize>,
}

/// The form of one kind of credential.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// A short name.
    pub id: String,
    /// What it is, as a message names it.
    pub title: String,
    prefixes: Vec<String>,
    alphabet: Alphabet,
    length: [usize; 2],
    /// The rule of the source that describes it.
    pub rule: String,
    /// The line of the source that describes it.
    pub line: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Alphabet {
    Letters,
    Hex,
    Alphanumeric,
    Base32,
    Word,
    Base64url,
    Dotted,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Alphabet::Letters => byte.is_ascii_alphabetic(),
            Alphabet::Hex => byte.is_ascii_hexdigit(),
            Alphabet::Alphanumeric => byte.is_ascii_alphanumeric(),
            Alphabet::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Alphabet::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Alphabet::Base64url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Alphabet::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'='),
        }
    }
}

/// A credential in a text.
#[derive(Debug)]
pub struct Token<'t> {
    /// Where it lies.
    pub range: Range<usize>,
    /// What it is.
    pub shape: &'t Shape,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "the ruleset says where it comes from; the program has no use for it")]
    source: String,
    #[expect(dead_code, reason = "the ruleset says how old it is; the program has no use for it")]
    checked: toml::value::Datetime,
    token: Vec<Shape>,
}

impl Tokens {
    /// The shapes that ship with the program, read at the first call.
    pub fn builtin() -> &'static Tokens {
        static BUILTIN: OnceLock<Tokens> = OnceLock::new();
        BUILTIN.get_or_init(|| {
            let file: File = toml::from_str(RULESET).expect("rulesets/secrets/tokens.toml is read by a test");
            Tokens::new(file.token)
        })
    }

    fn new(shapes: Vec<Shape>) -> Self {
        let owner = shapes.iter().enumerate().flat_map(|(at, shape)| shape.prefixes.iter().map(move |_| at)).collect();
        // This kind of match is searched for with vector instructions, so that the automaton has little to do: one that is
        // built fast serves best. Which kind it is makes no difference while no prefix is part of another.
        let prefixes = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(shapes.iter().flat_map(|shape| &shape.prefixes))
            .expect("a few short prefixes");
        Self { shapes, prefixes, owner }
    }

    /// The credentials in `text`, in order; what is plainly made up (one character over and over, `EXAMPLE` at the end) is not one.
    pub fn find<'t, 'a>(&'t self, text: &'a [u8]) -> impl Iterator<Item = Token<'t>> + use<'t, 'a> {
        self.prefixes.find_iter(text).filter_map(move |found| {
            let shape = &self.shapes[self.owner[found.pattern().as_usize()]];
            let joined_to_a_word = found.start() > 0 && text[found.start() - 1].is_ascii_alphanumeric();
            let body = &text[found.end()..];
            let [shortest, longest] = shape.length;
            let length = body.iter().take(longest + 1).take_while(|&&byte| shape.alphabet.has(byte)).count();
            let body = &body[..length];
            let real = !joined_to_a_word && (shortest..=longest).contains(&length) && !is_made_up(body);
            real.then(|| Token { range: found.start()..found.end() + length, shape })
        })
    }
}

/// Whether a body has too few different characters to be random, or says that it is an example.
fn is_made_up(body: &[u8]) -> bool {
    distinct_bytes(body) < 6 || body.ends_with(b"EXAMPLE")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&'static str> {
        let tokens = Tokens::builtin().find(text.as_bytes());
        tokens
            .map(|token| Tokens::builtin().shapes.iter().find(|s| s.id == token.shape.id).unwrap().id.as_str())
            .collect()
    }

    #[test]
    fn every_shape_finds_a_body_of_its_own_form() {
        for shape in &Tokens::builtin().shapes {
            assert!(shape.length[0] <= shape.length[1] && shape.length[0] > 0, "{}", shape.id);
            let alphabet: Vec<u8> =
                (b'!'..b'~').filter(|&byte| shape.alphabet.has(byte) && byte.is_ascii_alphanumeric()).collect();
            let body: Vec<u8> = alphabet.iter().cycle().take(shape.length[0]).copied().collect();
            for prefix in &shape.prefixes {
                let text = [b"x=", prefix.as_bytes(), &body, b"\n"].concat();
                let hits: Vec<_> =
                    Tokens::builtin().find(&text).map(|token| (token.shape.id.clone(), token.range)).collect();
                assert_eq!(hits, [(shape.id.clone(), 2..text.len() - 1)]);
            }
        }
    }

    #[test]
    fn no_prefix_is_part_of_another() {
        let prefixes: Vec<_> = Tokens::builtin().shapes.iter().flat_map(|shape| &shape.prefixes).collect();
        for (at, prefix) in prefixes.iter().enumerate() {
            let others = prefixes.iter().enumerate().filter(|(other, _)| *other != at);
            assert!(others.map(|(_, other)| other).all(|other| !prefix.contains(other.as_str())), "{prefix}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_passed_over() {
        assert_eq!(found("ENV T=ghp_abcdefghijklmnopqrstuvwxyz0123456789"), ["github-pat"]);
        assert!(found("ENV T=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").is_empty(), "one character over and over");
        assert!(found("ENV T=AKIAIOSFODNN7EXAMPLE").is_empty(), "the key of the documentation");
        assert!(found("ENV T=ghp_abc").is_empty(), "too short");
        assert!(found("RUN echo fooghp_abcdefghijklmnopqrstuvwxyz0123456789").is_empty(), "part of a word");
        assert!(found("RUN npm_config_cache=/tmp npm ci").is_empty());
    }
}
