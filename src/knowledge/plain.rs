//! Reads the plain part of TOML that the shipped rulesets are written in: tables, and fields whose values are strings
//! without escapes, whole numbers, days, switches, lists and inline tables.
//!
//! A run asks for a few facts only, and a reader of all of TOML would be most of its cost. Tests read every ruleset
//! with both.

use super::Date;
use serde::de::{Deserialize, IntoDeserializer, value::Error};

/// A line, or as many as a value takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'t> {
    /// `[name]` or `[[name]]`: what follows is part of it. The brackets are part of the name here.
    Table(&'t str),
    /// `key = value`
    Field(&'t str, Value<'t>),
}

/// The value of a field.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value<'t> {
    Text(&'t str),
    Number(u32),
    Switch(bool),
    Day(Date),
    List(Vec<Value<'t>>),
    Table(Vec<(&'t str, Value<'t>)>),
}

impl<'t> Value<'t> {
    pub(super) fn text(&self) -> Option<&'t str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn owned(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn number<N: TryFrom<u32>>(&self) -> Option<N> {
        match self {
            Value::Number(number) => N::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(super) fn switch(&self) -> Option<bool> {
        match self {
            Value::Switch(switch) => Some(*switch),
            _ => None,
        }
    }

    pub(super) fn day(&self) -> Option<Date> {
        match self {
            Value::Day(day) => Some(*day),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Value<'t>]> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn texts(&self) -> Option<Vec<String>> {
        self.list()?.iter().map(Value::owned).collect()
    }

    pub(super) fn table(&self) -> Option<&[(&'t str, Value<'t>)]> {
        match self {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// One of a few words that a type knows.
    pub(super) fn word<W: Deserialize<'t>>(&self) -> Option<W> {
        W::deserialize(IntoDeserializer::<Error>::into_deserializer(self.text()?)).ok()
    }
}

/// The lines of a text in order; `None` ends them where one is not plain.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Option<Line<'_>>> {
    let mut reader = Reader { rest: text };
    let mut is_broken = false;
    std::iter::from_fn(move || {
        reader.skip_blank();
        if reader.rest.is_empty() || is_broken {
            return None;
        }
        let line = reader.line();
        is_broken = line.is_none();
        Some(line)
    })
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn line(&mut self) -> Option<Line<'t>> {
        if self.rest.starts_with('[') {
            return Some(Line::Table(self.until(|byte| byte == b'\n')));
        }
        let (key, value) = self.field()?;
        Some(Line::Field(key, value))
    }

    fn field(&mut self) -> Option<(&'t str, Value<'t>)> {
        let key = if self.rest.starts_with('"') {
            self.value(0)?.text()?
        } else {
            self.until(|byte| matches!(byte, b' ' | b'=' | b'\n'))
        };
        self.skip_blank();
        self.take("=")?;
        self.skip_blank();
        Some((key, self.value(0)?))
    }

    fn value(&mut self, depth: usize) -> Option<Value<'t>> {
        const DEEPEST: usize = 8;
        if depth > DEEPEST {
            return None;
        }
        match self.rest.as_bytes().first()? {
            b'"' => self.quoted("\"").filter(|text| !text.contains('\\')).map(Value::Text),
            b'\'' => self.quoted("'").map(Value::Text),
            b'[' => self.list(depth),
            b'{' => self.inline_table(),
            _ => bare(self.until(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'#'))),
        }
    }

    fn quoted(&mut self, quote: &str) -> Option<&'t str> {
        let rest = &self.rest[1..];
        let end = memchr::memchr(quote.as_bytes()[0], rest.as_bytes())?;
        let text = &rest[..end];
        self.rest = &rest[end + 1..];
        // A text of several lines begins with three quotes.
        let is_of_lines = text.contains('\n') || text.is_empty() && self.rest.starts_with(quote);
        (!is_of_lines).then_some(text)
    }

    fn list(&mut self, depth: usize) -> Option<Value<'t>> {
        self.take("[")?;
        let mut list = Vec::new();
        loop {
            self.skip_blank();
            if self.take("]").is_some() {
                return Some(Value::List(list));
            }
            list.push(self.value(depth + 1)?);
            self.skip_blank();
            if self.take(",").is_none() && !self.rest.starts_with(']') {
                return None;
            }
        }
    }

    fn inline_table(&mut self) -> Option<Value<'t>> {
        self.take("{")?;
        let mut table = Vec::new();
        loop {
            self.skip_blank();
            if self.take("}").is_some() {
                return Some(Value::Table(table));
            }
            let key = self.until(|byte| matches!(byte, b' ' | b'=' | b'\n'));
            self.skip_blank();
            self.take("=")?;
            self.skip_blank();
            let value = if self.rest.starts_with('{') { None } else { self.value(1) }?;
            table.push((key, value));
            self.skip_blank();
            if self.take(",").is_none() && !self.rest.starts_with('}') {
                return None;
            }
        }
    }

    /// Blanks, line ends and comments.
    fn skip_blank(&mut self) {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if !self.rest.starts_with('#') {
                return;
            }
            self.until(|byte| byte == b'\n');
        }
    }

    fn take(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn until(&mut self, ends: impl Fn(u8) -> bool) -> &'t str {
        let end = self.rest.bytes().position(ends).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }
}

/// A value without quotes.
fn bare(text: &str) -> Option<Value<'_>> {
    match text {
        "true" => return Some(Value::Switch(true)),
        "false" => return Some(Value::Switch(false)),
        _ => {}
    }
    if let Ok(number) = text.parse() {
        return Some(Value::Number(number));
    }
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    Some(Value::Day(Date { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<Line<'_>>> {
        lines(text).collect()
    }

    #[test]
    fn lines_are_tables_and_fields() {
        let text = "# a note\n[[a.b]]\nx = \"y\" # why\n\"1.0\" = 2026-01-31\nl = [\n  1,\n  'z', # more\n]\nt = { on = true, n = 8 }\n";
        let expected = vec![
            Line::Table("[[a.b]]"),
            Line::Field("x", Value::Text("y")),
            Line::Field("1.0", Value::Day(Date { year: 2026, month: 1, day: 31 })),
            Line::Field("l", Value::List(vec![Value::Number(1), Value::Text("z")])),
            Line::Field("t", Value::Table(vec![("on", Value::Switch(true)), ("n", Value::Number(8))])),
        ];
        assert_eq!(read(text), Some(expected));
    }

    #[test]
    fn what_is_not_plain_is_not_read() {
        for text in [
            "x",
            "x =",
            "x = \"a\\n\"",
            "x = \"\"\"a\"\"\"",
            "x = [1 2]",
            "x = 1.5",
            "x = { y = { z = 1 } }",
            "x = [",
            "x = \"",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&format!("x = {}", "[".repeat(100_000))), None);
    }
}
