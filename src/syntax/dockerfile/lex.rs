//! Words as BuildKit's own shell lexer splits them when it looks for heredocs: no variable is known, so all stay.
//!
//! Facts: `frontend/dockerfile/shell/lex.go` of BuildKit. The escape character is always the backslash here.

use std::{borrow::Cow, ops::Range};

/// What stays in the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keep {
    /// The quotes.
    pub(super) quotes: bool,
    /// The backslashes that protect.
    pub(super) escapes: bool,
}

/// One word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// Its text; what is not UTF-8 became U+FFFD.
    pub(super) text: String,
    /// Where it was in the text.
    pub(super) range: Range<usize>,
}

/// The text cannot be split: a quote or brace stays open, or a `${…}` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The words of `text`.
pub(super) fn words(text: &[u8], keep: Keep) -> Result<Vec<Word>, Unreadable> {
    let text = one_for_each_byte(text);
    let lexer = Lexer {
        text: &text.text,
        at: 0,
        step: 0,
        quotes: keep.quotes,
        escapes: keep.escapes,
        open: Vec::new(),
        word: Word::default(),
        words: Vec::new(),
    };
    let mut words = lexer.run()?;
    if let Some(shifts) = text.shifts {
        for word in &mut words {
            word.range = shifts.back(word.range.start)..shifts.back(word.range.end);
        }
    }
    Ok(words)
}

/// A text in UTF-8, and the way back where it was not.
struct Readable<'t> {
    text: Cow<'t, str>,
    shifts: Option<Shifts>,
}

/// Where a byte that is not UTF-8 became three: offsets behind each, in the longer text.
struct Shifts(Vec<usize>);

impl Shifts {
    /// The offset before the change.
    fn back(&self, at: usize) -> usize {
        at - 2 * self.0.partition_point(|&behind| behind <= at)
    }
}

/// Each byte that is not UTF-8 becomes U+FFFD, as in Go.
fn one_for_each_byte(text: &[u8]) -> Readable<'_> {
    if let Ok(text) = std::str::from_utf8(text) {
        return Readable { text: Cow::Borrowed(text), shifts: None };
    }
    let mut out = String::with_capacity(text.len());
    let mut shifts = Vec::new();
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        for _ in chunk.invalid() {
            out.push(char::REPLACEMENT_CHARACTER);
            shifts.push(out.len());
        }
    }
    Readable { text: Cow::Owned(out), shifts: Some(Shifts(shifts)) }
}

/// What is open around a character.
#[derive(Clone, Copy)]
enum Open {
    /// `"`.
    Quote,
    /// `${name-`: up to `}`. Whether backslashes stayed before it.
    Brace { escapes: bool },
    /// `${name/`: up to the second `/`.
    Pattern { escapes: bool },
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Where what is being read starts.
    step: usize,
    quotes: bool,
    /// Whether backslashes stay here; `${…}` decides for itself.
    escapes: bool,
    /// A stack instead of recursion: braces nest as deep as the text is long.
    open: Vec<Open>,
    word: Word,
    words: Vec<Word>,
}

impl Lexer<'_> {
    fn run(mut self) -> Result<Vec<Word>, Unreadable> {
        while let Some(next) = self.peek() {
            if self.open.is_empty() {
                self.step = self.at;
            }
            match self.open.last() {
                Some(Open::Quote) => self.quoted(next)?,
                Some(Open::Brace { escapes }) if next == '}' => {
                    self.escapes = *escapes;
                    self.close('}');
                }
                Some(Open::Pattern { escapes }) if next == '/' => {
                    let escapes = *escapes;
                    self.close('/');
                    self.open.push(Open::Brace { escapes });
                }
                Some(Open::Brace { .. } | Open::Pattern { .. }) | None => self.unquoted(next)?,
            }
        }
        if !self.open.is_empty() {
            return Err(Unreadable);
        }
        self.end_word();
        Ok(self.words)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn close(&mut self, closing: char) {
        self.at += 1;
        self.emit_split(closing);
        self.open.pop();
    }

    fn unquoted(&mut self, next: char) -> Result<(), Unreadable> {
        self.next();
        match next {
            '$' => return self.dollar(),
            '\'' => return self.single_quoted(),
            '"' => {
                // The word starts with the quote, even where the quote itself is dropped.
                self.open.push(Open::Quote);
                self.emit_quote('"');
            }
            '<' if self.peek() == Some('<') => {
                self.next();
                self.emit_whole('<');
                self.emit_whole('<');
                // White space may stand between `<<` and its word.
                while let Some(space @ (' ' | '\t' | '\n' | '\r')) = self.peek() {
                    self.next();
                    self.emit_whole(space);
                }
            }
            '\\' => {
                if self.escapes {
                    self.emit_whole('\\');
                }
                if let Some(protected) = self.next() {
                    self.emit_whole(protected);
                }
            }
            other => self.emit_split(other),
        }
        Ok(())
    }

    fn quoted(&mut self, next: char) -> Result<(), Unreadable> {
        self.next();
        match next {
            '"' => {
                self.emit_quote('"');
                self.open.pop();
            }
            '$' => return self.dollar(),
            '\\' => {
                if self.escapes {
                    self.emit_whole('\\');
                }
                match self.peek() {
                    None => {}
                    Some(protected @ ('"' | '$' | '\\')) => {
                        self.next();
                        self.emit_whole(protected);
                    }
                    // One that protects nothing stays, besides the one that is kept.
                    Some(_) => self.emit_whole('\\'),
                }
            }
            other => self.emit_whole(other),
        }
        Ok(())
    }

    fn single_quoted(&mut self) -> Result<(), Unreadable> {
        let inside = self.text[self.at..].split_once('\'').ok_or(Unreadable)?.0;
        let end = self.at + inside.len();
        self.emit_quote('\'');
        while self.at < end {
            let next = self.next().unwrap_or_default();
            self.emit_whole(next);
        }
        self.next();
        self.emit_quote('\'');
        Ok(())
    }

    /// What follows a `$`.
    fn dollar(&mut self) -> Result<(), Unreadable> {
        if self.peek() != Some('{') {
            self.emit_split('$');
            self.name();
            return Ok(());
        }
        self.next();
        if matches!(self.peek(), None | Some('{' | '}' | ':')) {
            return Err(Unreadable);
        }
        self.emit_split('$');
        self.emit_split('{');
        self.name();
        let mut operator = self.next().ok_or(Unreadable)?;
        if operator == '/' {
            if self.peek() == Some('/') {
                self.next();
            }
            self.emit_split('/');
            self.open.push(Open::Pattern { escapes: self.escapes });
            self.escapes = true;
            return Ok(());
        }
        match operator {
            '}' => {
                self.emit_split('}');
                return Ok(());
            }
            ':' => {
                self.emit_split(':');
                operator = self.next().ok_or(Unreadable)?;
            }
            '+' | '-' | '?' | '#' | '%' => {}
            _ => return Err(Unreadable),
        }
        self.emit_split(operator);
        self.open.push(Open::Brace { escapes: self.escapes });
        self.escapes = matches!(operator, '#' | '%');
        Ok(())
    }

    /// A variable's name: digits, one sign, or letters, digits and `_`.
    fn name(&mut self) {
        let start = self.at;
        while let Some(next) = self.peek() {
            let is_first = self.at == start;
            let is_number = !is_first && self.text[start..].starts_with(char::is_numeric);
            let belongs = if is_number { next.is_numeric() } else { next.is_alphanumeric() || next == '_' };
            let is_sign = is_first && matches!(next, '@' | '*' | '#' | '?' | '-' | '$' | '!');
            if !belongs && !is_sign {
                return;
            }
            self.next();
            self.emit_split(next);
            if is_sign {
                return;
            }
        }
    }

    fn emit_quote(&mut self, quote: char) {
        if self.quotes {
            self.emit_whole(quote);
        }
    }

    /// A character that belongs to its word, even if it is white space; within a variable it does not.
    fn emit_whole(&mut self, next: char) {
        match self.open.first() {
            None | Some(Open::Quote) => self.push(next),
            Some(Open::Brace { .. } | Open::Pattern { .. }) => self.split_or_push(next),
        }
    }

    /// A character that ends its word if it is white space; within quotes it does not.
    fn emit_split(&mut self, next: char) {
        match self.open.first() {
            Some(Open::Quote) => self.push(next),
            None | Some(Open::Brace { .. } | Open::Pattern { .. }) => self.split_or_push(next),
        }
    }

    fn split_or_push(&mut self, next: char) {
        if next.is_whitespace() {
            self.end_word();
        } else {
            self.push(next);
        }
    }

    fn push(&mut self, next: char) {
        if self.word.text.is_empty() {
            self.word.range.start = self.step;
        }
        self.word.text.push(next);
        self.word.range.end = self.at;
    }

    fn end_word(&mut self) {
        if !self.word.text.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Keep = Keep { quotes: true, escapes: true };
    const NOTHING: Keep = Keep { quotes: false, escapes: false };

    fn split(text: &str, keep: Keep) -> Result<Vec<String>, Unreadable> {
        Ok(words(text.as_bytes(), keep)?.into_iter().map(|word| word.text).collect())
    }

    #[test]
    fn quotes_keep_words_whole() {
        assert_eq!(
            split(r#"a 'b  c' "d e"f \ g"#, ALL).as_deref(),
            Ok(&["a", "'b  c'", r#""d e"f"#, r"\ g"].map(String::from)[..])
        );
        assert_eq!(split(r#"'b  c'"d\"e""#, NOTHING).as_deref(), Ok(&["b  cd\"e".to_owned()][..]));
    }

    #[test]
    fn variables_stay_and_split() {
        assert_eq!(
            split("$a ${b} ${c:-d e} ${f/g/h}i", ALL).as_deref(),
            Ok(&["$a", "${b}", "${c:-d", "e}", "${f/g/h}i"].map(String::from)[..])
        );
        assert_eq!(split("\"${c:-d e}\"", ALL).as_deref(), Ok(&["\"${c:-d e}\"".to_owned()][..]));
    }

    #[test]
    fn what_stays_open_cannot_be_split() {
        for text in ["'a", "\"a", "${a", "${a:-b", "${", "${}", "${:-a}", "${a^}", "\"${a:-\"}", "${a/b}"] {
            assert_eq!(split(text, ALL), Err(Unreadable), "{text}");
        }
    }

    #[test]
    fn white_space_behind_two_angle_brackets_belongs_to_the_word() {
        assert_eq!(split("a <<  b <c", ALL).as_deref(), Ok(&["a", "<<  b", "<c"].map(String::from)[..]));
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let text = "${a:-".repeat(300_000);
        assert_eq!(split(&text, ALL), Err(Unreadable));
        let whole = format!("{text}{}", "}".repeat(300_000));
        assert_eq!(split(&whole, ALL).map(|words| words.len()), Ok(1));
    }

    #[test]
    fn ranges_count_the_bytes_of_the_text() {
        let found = words(b"a\xff <<\xc3\xa9\xff b", ALL).expect("words");
        let ranges: Vec<_> = found.into_iter().map(|word| word.range).collect();
        assert_eq!(ranges, [0..2, 3..8, 9..10]);
    }
}
