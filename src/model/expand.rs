//! Variables in Dockerfile words, expanded as BuildKit expands them, with what the answer depends on.
//!
//! The text of an answer is what a build without build arguments makes of the word. What may change it (an `ARG`, the
//! environment of the base image, the platform) is told with it, so that nobody takes a guess for a fact.
//! Knows words and scopes only; which scope is in force where is `model::dockerfile`'s business.

pub use super::value::{Cause, Dependency, LONGEST, Value};

use super::{pattern::Pattern, value::depend};
use std::{borrow::Cow, cell::Cell, fmt};

/// `${a:-${b:-…}}` deeper than this is [`ExpandError::TooDeep`].
const DEEPEST: u32 = 64;

/// What a scope says of a name.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'s> {
    /// It has this value.
    Set(&'s Value<'s>),
    /// It has none, as far as the file tells.
    Unset(Cause),
}

/// Names and their values at one place of a file.
pub trait Scope {
    /// What `name` stands for.
    fn lookup(&self, name: &str) -> Lookup<'_>;
}

/// Why a word has no expansion. All but the last two fail a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpandError {
    /// `${` without `}`.
    MissingBrace,
    /// `${name/pattern` without a second `/`.
    MissingSlash,
    /// `${}` and the like.
    BadSubstitution,
    /// `'` or `"` without a second one.
    Unterminated(char),
    /// `${name:x…}` with an operator that does not exist.
    UnsupportedModifier(String),
    /// `${name:?message}` of a name without a value.
    Required {
        /// The name.
        name: String,
        /// What the file says about it.
        message: String,
    },
    /// A pattern with an escape that does not exist.
    InvalidPattern(String),
    /// More than is worked with: see [`LONGEST`].
    TooLong,
    /// Deeper than anybody writes.
    TooDeep,
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpandError::MissingBrace => f.write_str("a substitution lacks its `}`"),
            ExpandError::MissingSlash => f.write_str("a substitution lacks its second `/`"),
            ExpandError::BadSubstitution => f.write_str("a substitution names no variable"),
            ExpandError::Unterminated(quote) => write!(f, "a quote `{quote}` is not closed"),
            ExpandError::UnsupportedModifier(modifier) => {
                write!(f, "`{modifier}` is not a modifier of a substitution")
            }
            ExpandError::Required { name, message } => write!(f, "`{name}`: {message}"),
            ExpandError::InvalidPattern(pattern) => write!(f, "`{pattern}` is not a pattern"),
            ExpandError::TooLong => f.write_str("the expanded text is too long"),
            ExpandError::TooDeep => f.write_str("substitutions are nested too deeply"),
        }
    }
}

/// How much work expansions may still do together: bytes written and characters compared.
#[derive(Debug)]
pub struct Budget(Cell<usize>);

impl Budget {
    /// Allows `work` bytes and comparisons.
    pub fn new(work: usize) -> Self {
        Self(Cell::new(work))
    }

    /// Takes `work` off, or refuses.
    pub(super) fn spend(&self, work: usize) -> Result<(), ExpandError> {
        let left = self.0.get().checked_sub(work).ok_or(ExpandError::TooLong);
        self.0.set(left.clone().unwrap_or(0));
        left.map(|_| ())
    }
}

impl Default for Budget {
    /// Enough for one word.
    fn default() -> Self {
        Self::new(4 * LONGEST)
    }
}

/// Expands words in one scope.
#[derive(Clone, Copy)]
pub struct Expander<'s> {
    scope: &'s dyn Scope,
    escape: u8,
    budget: &'s Budget,
    quotes: Quotes,
}

/// What quotes in a word mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    /// They quote, and go away.
    Quote,
    /// They are letters, as in a heredoc.
    Letters,
}

impl<'s> Expander<'s> {
    /// Expands in `scope`, where `escape` is the escape character of the file.
    pub fn new(scope: &'s dyn Scope, escape: u8, budget: &'s Budget) -> Self {
        Self { scope, escape, budget, quotes: Quotes::Quote }
    }

    /// Expands the lines of a heredoc, in which quotes are letters.
    pub fn of_heredoc(scope: &'s dyn Scope, budget: &'s Budget) -> Self {
        Self { scope, escape: b'\\', budget, quotes: Quotes::Letters }
    }

    /// The word with its variables replaced and its quotes taken off, as one text.
    ///
    /// # Errors
    /// If the word cannot be expanded, or only with more work than the budget allows.
    pub fn word<'a>(&self, word: &'a str) -> Result<Value<'a>, ExpandError> {
        if self.is_plain(word) {
            return Ok(Value::literal(word));
        }
        let mut lexer = Lexer::new(self, word);
        let text = lexer.until(None, None)?;
        Ok(Value { text: Cow::Owned(text), depends: lexer.depends })
    }

    /// The word with its variables replaced, split at blanks outside of quotes; all answers share the dependencies.
    ///
    /// # Errors
    /// If the word cannot be expanded, or only with more work than the budget allows.
    pub fn words<'a>(&self, word: &'a str) -> Result<Vec<Value<'a>>, ExpandError> {
        if self.is_plain(word) && !word.contains(char::is_whitespace) {
            return Ok(if word.is_empty() { Vec::new() } else { vec![Value::literal(word)] });
        }
        let mut lexer = Lexer::new(self, word);
        let mut words = Words::default();
        lexer.until(None, Some(&mut words))?;
        let depends = lexer.depends;
        let value = |text| Value { text: Cow::Owned(text), depends: depends.clone() };
        Ok(words.finish().into_iter().map(value).collect())
    }

    /// The same as [`Expander::word`] for a text that may be owned.
    ///
    /// # Errors
    /// If the word cannot be expanded, or only with more work than the budget allows.
    pub fn text<'a>(&self, word: Cow<'a, str>) -> Result<Value<'a>, ExpandError> {
        match word {
            Cow::Borrowed(word) => self.word(word),
            Cow::Owned(word) => self.word(&word).map(Value::into_owned),
        }
    }

    /// The same as [`Expander::word`], an error turned into a text that nobody knows.
    pub fn word_or_unreadable<'a>(&self, word: &'a str) -> Value<'a> {
        self.word(word).unwrap_or_else(|_| Value::unreadable(word))
    }

    /// The same as [`Expander::text`], an error turned into a text that nobody knows.
    pub fn text_or_unreadable<'a>(&self, word: Cow<'a, str>) -> Value<'a> {
        match word {
            Cow::Borrowed(word) => self.word_or_unreadable(word),
            Cow::Owned(word) => self.word_or_unreadable(&word).into_owned(),
        }
    }

    /// Whether expansion changes nothing.
    fn is_plain(&self, word: &str) -> bool {
        let special = |byte: u8| {
            byte == b'$' || byte == self.escape || (self.quotes == Quotes::Quote && matches!(byte, b'"' | b'\''))
        };
        word.len() <= LONGEST && !word.bytes().any(special)
    }
}

/// Reads one word once, from left to right.
struct Lexer<'e> {
    with: &'e Expander<'e>,
    word: &'e str,
    at: usize,
    /// Whether an escape character stays in the text, as it must in patterns.
    keep_escapes: bool,
    depth: u32,
    depends: Vec<Dependency>,
}

impl<'e> Lexer<'e> {
    fn new(with: &'e Expander<'e>, word: &'e str) -> Self {
        Self { with, word, at: 0, keep_escapes: false, depth: 0, depends: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.word.as_bytes().get(self.at).copied()
    }

    fn peek_char(&self) -> Option<char> {
        self.word[self.at..].chars().next()
    }

    fn next_char(&mut self) -> Option<char> {
        let next = self.peek_char()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Text up to `stop`, or up to the end of the word.
    fn until(&mut self, stop: Option<u8>, mut words: Option<&mut Words>) -> Result<String, ExpandError> {
        let mut text = String::new();
        while let Some(next) = self.peek() {
            if Some(next) == stop {
                self.at += 1;
                return Ok(text);
            }
            match next {
                b'$' => {
                    let part = self.variable()?;
                    self.add(&mut text, &part)?;
                    if let Some(words) = &mut words {
                        words.add(&part);
                    }
                }
                b'\'' | b'"' if self.with.quotes == Quotes::Quote => {
                    let part = if next == b'"' { self.double_quoted()? } else { self.single_quoted()? };
                    self.add(&mut text, part.as_ref())?;
                    if let Some(words) = &mut words {
                        words.add_quoted(&part);
                    }
                }
                _ if next == self.with.escape => {
                    self.at += 1;
                    if self.keep_escapes {
                        self.add(&mut text, &self.word[self.at - 1..self.at])?;
                    }
                    let start = self.at;
                    if self.next_char().is_none() {
                        break;
                    }
                    self.add(&mut text, &self.word[start..self.at])?;
                    if let Some(words) = &mut words {
                        words.add_quoted(&self.word[start..self.at]);
                    }
                }
                _ => {
                    let part = self.plain(stop);
                    self.add(&mut text, part)?;
                    if let Some(words) = &mut words {
                        words.add(part);
                    }
                }
            }
        }
        match stop {
            None => Ok(text),
            Some(b'/') => Err(ExpandError::MissingSlash),
            Some(_) => Err(ExpandError::MissingBrace),
        }
    }

    /// Characters up to the next one that means something.
    fn plain(&mut self, stop: Option<u8>) -> &'e str {
        let start = self.at;
        let special = |byte: u8| matches!(byte, b'$' | b'\'' | b'"') || byte == self.with.escape || Some(byte) == stop;
        let rest = &self.word.as_bytes()[start..];
        // The first byte is known to be plain, be it a quote that is a letter here.
        self.at = rest.iter().skip(1).position(|&byte| special(byte)).map_or(self.word.len(), |at| start + 1 + at);
        &self.word[start..self.at]
    }

    fn add(&self, text: &mut String, part: &str) -> Result<(), ExpandError> {
        if text.len() + part.len() > LONGEST {
            return Err(ExpandError::TooLong);
        }
        self.with.budget.spend(part.len())?;
        text.push_str(part);
        Ok(())
    }

    fn single_quoted(&mut self) -> Result<String, ExpandError> {
        let start = self.at + 1;
        let length = self.word[start..].find('\'').ok_or(ExpandError::Unterminated('\''))?;
        self.at = start + length + 1;
        Ok(self.word[start..start + length].to_owned())
    }

    fn double_quoted(&mut self) -> Result<String, ExpandError> {
        let mut text = String::new();
        self.at += 1;
        loop {
            let start = self.at;
            match self.peek().ok_or(ExpandError::Unterminated('"'))? {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'$' => {
                    let part = self.variable()?;
                    self.add(&mut text, &part)?;
                }
                next if next == self.with.escape => {
                    self.at += 1;
                    let Some(escaped) = self.peek() else { continue };
                    let is_escape = matches!(escaped, b'"' | b'$') || escaped == self.with.escape;
                    if self.keep_escapes || !is_escape {
                        self.add(&mut text, &self.word[start..self.at])?;
                    }
                    // Here BuildKit writes the escape character twice where it keeps it and nothing is escaped.
                    if self.keep_escapes && !is_escape {
                        self.add(&mut text, &self.word[start..self.at])?;
                    }
                    if is_escape {
                        self.at += 1;
                        self.add(&mut text, &self.word[self.at - 1..self.at])?;
                    }
                }
                _ => {
                    let part = self.plain(None);
                    self.add(&mut text, part)?;
                }
            }
        }
    }

    /// The value of what starts with `$`.
    fn variable(&mut self) -> Result<String, ExpandError> {
        self.at += 1;
        if self.peek() != Some(b'{') {
            let name = self.name();
            return Ok(if name.is_empty() { "$".to_owned() } else { self.value(name).0 });
        }
        self.at += 1;
        match self.peek() {
            None => return Err(ExpandError::MissingBrace),
            Some(b'{' | b'}' | b':') => return Err(ExpandError::BadSubstitution),
            Some(_) => {}
        }
        if self.depth == DEEPEST {
            return Err(ExpandError::TooDeep);
        }
        self.depth += 1;
        let name = self.name();
        let value = match self.next_char() {
            Some('}') => Ok(self.value(name).0),
            Some(':') => {
                let operator = self.next_char();
                self.operation(name, operator, true)
            }
            Some('/') => self.replacement(name),
            operator @ Some('+' | '-' | '?' | '#' | '%') => self.operation(name, operator, false),
            other => Err(ExpandError::UnsupportedModifier(other.map(String::from).unwrap_or_default())),
        };
        self.depth -= 1;
        value
    }

    /// A name: letters, digits and `_`, or digits only, or one of the shell's special characters.
    fn name(&mut self) -> &'e str {
        let start = self.at;
        let Some(first) = self.peek_char() else { return "" };
        let belongs: fn(char) -> bool = match first {
            '@' | '*' | '#' | '?' | '-' | '$' | '!' => {
                self.at += 1;
                return &self.word[start..self.at];
            }
            '0'..='9' => |char| char.is_ascii_digit(),
            _ => |char| char == '_' || char.is_alphanumeric(),
        };
        while self.peek_char().is_some_and(belongs) {
            self.next_char();
        }
        &self.word[start..self.at]
    }

    /// The value of `name`, empty if it is not set, and whether it is; the answer depends on it.
    fn value(&mut self, name: &str) -> (String, bool) {
        match self.with.scope.lookup(name) {
            Lookup::Set(value) => {
                for dependency in &value.depends {
                    depend(&mut self.depends, &dependency.name, dependency.cause);
                }
                (value.text.to_string(), true)
            }
            Lookup::Unset(cause) => {
                depend(&mut self.depends, name, cause);
                (String::new(), false)
            }
        }
    }

    /// `${name:-word}` and its like, read up to its operator.
    fn operation(&mut self, name: &'e str, operator: Option<char>, colon: bool) -> Result<String, ExpandError> {
        let operator = operator.ok_or(ExpandError::MissingBrace)?;
        let outside = std::mem::take(&mut self.depends);
        let word = self.nested(b'}', matches!(operator, '#' | '%'))?;
        let of_word = std::mem::replace(&mut self.depends, outside);
        let uses_word = |depends: &mut Vec<Dependency>| {
            for dependency in &of_word {
                depend(depends, &dependency.name, dependency.cause);
            }
        };
        match operator {
            '-' => {
                // The file says what an argument that nobody gives means, as a default does.
                if let Lookup::Unset(Cause::Missing) = self.with.scope.lookup(name) {
                    depend(&mut self.depends, name, Cause::Default);
                    uses_word(&mut self.depends);
                    return Ok(word);
                }
                let (value, set) = self.value(name);
                if set && !(colon && value.is_empty()) {
                    return Ok(value);
                }
                uses_word(&mut self.depends);
                Ok(word)
            }
            '+' => {
                if let Lookup::Unset(Cause::Missing) = self.with.scope.lookup(name) {
                    depend(&mut self.depends, name, Cause::Default);
                    return Ok(String::new());
                }
                let (value, set) = self.value(name);
                if !set || (colon && value.is_empty()) {
                    return Ok(String::new());
                }
                uses_word(&mut self.depends);
                Ok(word)
            }
            '?' => {
                let (value, set) = self.value(name);
                if set && !(colon && value.is_empty()) {
                    return Ok(value);
                }
                let default = if set { "is not allowed to be empty" } else { "is not allowed to be unset" };
                let message = if word.is_empty() { default.to_owned() } else { word };
                Err(ExpandError::Required { name: name.to_owned(), message })
            }
            '#' | '%' => {
                uses_word(&mut self.depends);
                let (value, _) = self.value(name);
                let longest = word.starts_with(operator);
                let pattern = Pattern::parse(if longest { &word[1..] } else { &word })?;
                self.with.budget.spend(pattern.cost(&value))?;
                Ok(if operator == '#' {
                    pattern.without_prefix(&value, longest)
                } else {
                    pattern.without_suffix(&value, longest)
                })
            }
            _ => {
                Err(ExpandError::UnsupportedModifier(if colon { format!(":{operator}") } else { operator.to_string() }))
            }
        }
    }

    /// `${name/pattern/text}` and `${name//pattern/text}`, read up to the first `/`.
    fn replacement(&mut self, name: &'e str) -> Result<String, ExpandError> {
        let all = self.peek() == Some(b'/');
        if all {
            self.at += 1;
        }
        let pattern = self.nested(b'/', true)?;
        let text = self.nested(b'}', true)?;
        let (value, _) = self.value(name);
        let pattern = Pattern::parse(&pattern)?;
        self.with.budget.spend(pattern.cost_anywhere(&value))?;
        let mut result = String::new();
        let mut parts = pattern.split(&value, all);
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            self.add(&mut result, part)?;
            self.add(&mut result, &text)?;
        }
        self.add(&mut result, last)?;
        Ok(result)
    }

    /// The text of a part of `${…}`.
    fn nested(&mut self, stop: u8, keep_escapes: bool) -> Result<String, ExpandError> {
        let before = std::mem::replace(&mut self.keep_escapes, keep_escapes);
        let text = self.until(Some(stop), None);
        self.keep_escapes = before;
        text
    }
}

/// Splits what it is given at blanks outside of quotes.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    word: String,
}

impl Words {
    /// Adds text whose blanks separate.
    fn add(&mut self, text: &str) {
        for char in text.chars() {
            if !char.is_whitespace() {
                self.word.push(char);
            } else if !self.word.is_empty() {
                self.done.push(std::mem::take(&mut self.word));
            }
        }
    }

    /// Adds text whose blanks are part of the word.
    fn add_quoted(&mut self, text: &str) {
        self.word.push_str(text);
    }

    fn finish(mut self) -> Vec<String> {
        if !self.word.is_empty() {
            self.done.push(self.word);
        }
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Table(BTreeMap<&'static str, Value<'static>>);

    impl Scope for Table {
        fn lookup(&self, name: &str) -> Lookup<'_> {
            match name {
                "MISSING" => Lookup::Unset(Cause::Missing),
                "HOME" => Lookup::Unset(Cause::BaseEnvironment),
                _ => self.0.get(name).map_or(Lookup::Unset(Cause::Undefined), Lookup::Set),
            }
        }
    }

    fn table() -> Table {
        let mut table = BTreeMap::new();
        table.insert("A", Value::literal("abc"));
        table.insert("EMPTY", Value::literal(""));
        table.insert("PATHS", Value::literal("usr/local/bin"));
        table.insert("TWO", Value::literal("x y"));
        table.insert("VERSION", Value::literal("1.2").depending("VERSION", Cause::Default));
        Table(table)
    }

    fn word(word: &str) -> Result<String, ExpandError> {
        let budget = Budget::default();
        Expander::new(&table(), b'\\', &budget).word(word).map(|value| value.text.into_owned())
    }

    #[test]
    fn words_expand_as_in_buildkit() {
        for (written, expected) in [
            ("plain", "plain"),
            ("$A", "abc"),
            ("${A}d", "abcd"),
            ("$A_", ""),
            ("$A-x", "abc-x"),
            ("\\$A", "$A"),
            ("'$A'", "$A"),
            ("\"$A\"", "abc"),
            ("\"a\\\"b\"", "a\"b"),
            ("\"a\\b\"", "a\\b"),
            ("a\\b", "ab"),
            ("a\\", "a"),
            ("'it''s'", "its"),
            ("$", "$"),
            ("a$ b", "a$ b"),
            ("$$A", "A"),
            ("$1A", "A"),
            ("${A:-d}", "abc"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NONE-d}", "d"),
            ("${NONE:-${A}}", "abc"),
            ("${NONE:-'a}b'}", "a}b"),
            ("${NONE:-a\\}b}", "a}b"),
            ("${A:+y}", "y"),
            ("${A+y}", "y"),
            ("${EMPTY:+y}", ""),
            ("${EMPTY+y}", "y"),
            ("${NONE+y}", ""),
            ("${A:?no}", "abc"),
            ("${EMPTY?no}", ""),
            ("${PATHS#*/}", "local/bin"),
            ("${PATHS##*/}", "bin"),
            ("${PATHS%/*}", "usr/local"),
            ("${PATHS%%/*}", "usr"),
            ("${PATHS#u?r}", "/local/bin"),
            ("${PATHS#x}", "usr/local/bin"),
            ("${PATHS/l/L}", "usr/Local/bin"),
            ("${PATHS//\\//-}", "usr-local-bin"),
            ("${PATHS//l?c/X}", "usr/Xal/bin"),
            ("${PATHS/*/X}", "X"),
            ("${A//x/y}", "abc"),
            ("${EMPTY/*/x}", "x"),
            ("grüße-${A}", "grüße-abc"),
        ] {
            assert_eq!(word(written).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn errors_are_those_that_fail_a_build() {
        for (written, expected) in [
            ("${A", ExpandError::UnsupportedModifier(String::new())),
            ("${", ExpandError::MissingBrace),
            ("${}", ExpandError::BadSubstitution),
            ("${{A}}", ExpandError::BadSubstitution),
            ("${A:-x", ExpandError::MissingBrace),
            ("${A/x}", ExpandError::MissingSlash),
            ("${A/x/y", ExpandError::MissingBrace),
            ("'a", ExpandError::Unterminated('\'')),
            ("\"a", ExpandError::Unterminated('"')),
            ("${templateOption:imageVariant}", ExpandError::UnsupportedModifier(":i".into())),
            ("${A!}", ExpandError::UnsupportedModifier("!".into())),
            ("${NONE:?set it}", ExpandError::Required { name: "NONE".into(), message: "set it".into() }),
            ("${A#\\a}", ExpandError::InvalidPattern("\\a".into())),
        ] {
            assert_eq!(word(written), Err(expected), "{written}");
        }
    }

    #[test]
    fn a_backtick_escapes_where_the_file_says_so() {
        let budget = Budget::default();
        let scope = table();
        let expander = Expander::new(&scope, b'`', &budget);
        assert_eq!(expander.word("C:\\dir`$A").map(|value| value.text.into_owned()), Ok("C:\\dir$A".into()));
    }

    #[test]
    fn blanks_from_variables_split_words_and_quoted_ones_do_not() {
        let budget = Budget::default();
        let scope = table();
        let expander = Expander::new(&scope, b'\\', &budget);
        let words = |word: &'static str| -> Vec<String> {
            let words = expander.words(word).expect("it expands");
            words.into_iter().map(|value| value.text.into_owned()).collect()
        };
        assert_eq!(words("$TWO"), ["x", "y"]);
        assert_eq!(words("\"$TWO\""), ["x y"]);
        assert_eq!(words("a b"), ["a", "b"]);
        assert_eq!(words("a\\ b"), ["a b"]);
        assert_eq!(words("$EMPTY"), Vec::<String>::new());
    }

    #[test]
    fn an_answer_tells_what_it_depends_on() {
        use Cause::{BaseEnvironment, Default, Missing, Undefined};
        let budget = Budget::default();
        let scope = table();
        let expander = Expander::new(&scope, b'\\', &budget);
        let cases: &[(&str, &[(&str, Cause)])] = &[
            ("a", &[]),
            ("$A", &[]),
            ("$VERSION-$VERSION", &[("VERSION", Default)]),
            ("$MISSING", &[("MISSING", Missing)]),
            ("${MISSING:-x}", &[("MISSING", Default)]),
            ("$HOME/bin", &[("HOME", BaseEnvironment)]),
            ("${HOME:-$VERSION}", &[("HOME", BaseEnvironment), ("VERSION", Default)]),
            ("${MISSING:+x}", &[("MISSING", Default)]),
            ("${A:-$MISSING}", &[]),
            ("${A:+$MISSING}", &[("MISSING", Missing)]),
            ("$NOBODY", &[("NOBODY", Undefined)]),
        ];
        for (word, expected) in cases {
            let value = expander.word(word).expect("it expands");
            let depends: Vec<_> = value.depends.iter().map(|found| (&*found.name, found.cause)).collect();
            assert_eq!(&depends, expected, "{word}");
        }
        assert_eq!(expander.word("$MISSING").expect("it expands").known(), None);
        assert_eq!(expander.word("v$VERSION").expect("it expands").known(), Some("v1.2"));
    }

    #[test]
    fn quotes_in_a_heredoc_are_letters() {
        let budget = Budget::default();
        let scope = table();
        let text = Expander::of_heredoc(&scope, &budget).word("it's \"$A\" \\$A");
        assert_eq!(text.map(|value| value.text.into_owned()), Ok("it's \"abc\" $A".into()));
    }

    #[test]
    fn nothing_grows_without_bound() {
        let deep = "${A:-".repeat(20_000);
        assert_eq!(word(&deep), Err(ExpandError::TooDeep));
        let deep = format!("{}{}", "${NONE:-".repeat(20), "}".repeat(20));
        assert_eq!(word(&deep).as_deref(), Ok(""));
        let long = "$A".repeat(LONGEST);
        assert_eq!(word(&long), Err(ExpandError::TooLong));
        let budget = Budget::new(10);
        let scope = table();
        assert_eq!(Expander::new(&scope, b'\\', &budget).word("$A$A$A$A"), Err(ExpandError::TooLong));
    }
}
