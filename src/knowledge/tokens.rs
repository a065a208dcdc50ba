//! Credentials that can be told by their form alone, from `rulesets/secrets/tokens.toml`.

use super::plain::{self, Line, Value};
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
#[derive(Debug, Default)]
#[cfg_attr(test, derive(PartialEq, Deserialize))]
#[cfg_attr(test, serde(deny_unknown_fields))]
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Alphabet {
    #[default]
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

impl Tokens {
    /// The shapes that ship with the program, read at the first call.
    pub fn builtin() -> &'static Tokens {
        static BUILTIN: OnceLock<Tokens> = OnceLock::new();
        BUILTIN.get_or_init(|| Tokens::new(read(RULESET).expect("rulesets/secrets/tokens.toml is read by a test")))
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

/// The shapes in a ruleset, if it is plain.
fn read(ruleset: &str) -> Option<Vec<Shape>> {
    let mut shapes: Vec<Shape> = Vec::new();
    for line in plain::lines(ruleset) {
        match line? {
            Line::Table("[[token]]") => shapes.push(Shape::default()),
            Line::Table(_) => return None,
            // Where the ruleset comes from and how old it is; the program has no use for it.
            Line::Field("source" | "checked", _) if shapes.is_empty() => {}
            Line::Field(name, value) => shapes.last_mut()?.read_field(name, &value)?,
        }
    }
    Some(shapes)
}

impl Shape {
    fn read_field(&mut self, name: &str, value: &Value<'_>) -> Option<()> {
        match name {
            "id" => self.id = value.owned()?,
            "title" => self.title = value.owned()?,
            "prefixes" => self.prefixes = value.texts()?,
            "alphabet" => self.alphabet = value.word()?,
            "length" => match value.list()? {
                [shortest, longest] => {
                    self.length = [shortest.number::<u32>()? as usize, longest.number::<u32>()? as usize];
                }
                _ => return None,
            },
            "rule" => self.rule = value.owned()?,
            "line" => self.line = value.owned()?,
            _ => return None,
        }
        Some(())
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

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[expect(dead_code, reason = "only that it is there counts")]
        source: String,
        #[expect(dead_code, reason = "only that it is there counts")]
        checked: toml::value::Datetime,
        token: Vec<Shape>,
    }

    #[test]
    fn the_ruleset_is_well_formed_and_plain() {
        let file: File = toml::from_str(RULESET).expect("the ruleset is TOML");
        assert_eq!(read(RULESET), Some(file.token));
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
