//! What edits write.

use super::{Layout, verify::Event};
use crate::syntax::yaml::{Kind, Node, Style};

/// Values that are taken from a file lie no deeper in each other.
const DEEPEST: usize = 32;

/// A value that an edit writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text; in quotes where it would read as something else.
    Text(String),
    /// A truth value or the like, as it is written.
    Word(&'static str),
    /// A number, which [`Value::number`] writes.
    Number(String),
    /// Items.
    List(Vec<Value>),
    /// Keys with values.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// What `node` is; none where an alias, an anchor, a tag or a template has a say in it.
    pub fn of(node: Node<'_>) -> Option<Self> {
        Self::at_depth(node, 0)
    }

    fn at_depth(node: Node<'_>, depth: usize) -> Option<Self> {
        if depth > DEEPEST || node.is_anchored() || node.is_tagged() || node.is_template() {
            return None;
        }
        let is_word = |text: &str| text.bytes().all(is_ordinary) && !text.ends_with(':');
        Some(match node.kind() {
            Kind::Alias => return None,
            Kind::Scalar(_) if node.is_null() => Value::Word("null"),
            // As it is written: a number or a truth value stays one.
            Kind::Scalar(Style::Plain) if node.scalar().is_some_and(is_word) => {
                Value::Number(node.scalar()?.to_owned())
            }
            Kind::Scalar(_) => Value::text(node.scalar()?),
            Kind::Sequence(_) => {
                Value::List(node.items().map(|item| Self::at_depth(item, depth + 1)).collect::<Option<_>>()?)
            }
            Kind::Mapping(_) => {
                let entries = node.entries().map(|entry| {
                    let key = entry.key.scalar().filter(|key| *key != "<<" && entry.key.kind() != Kind::Alias)?;
                    Some((key.to_owned(), Self::at_depth(entry.value, depth + 1)?))
                });
                Value::Map(entries.collect::<Option<_>>()?)
            }
        })
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    /// A number.
    pub fn number(number: u32) -> Self {
        Value::Number(number.to_string())
    }

    /// Texts.
    pub fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Value::List(texts.into_iter().map(Value::text).collect())
    }

    /// Keys with values.
    pub fn map<'t>(entries: impl IntoIterator<Item = (&'t str, Value)>) -> Self {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    pub(super) fn is_scalar(&self) -> bool {
        matches!(self, Value::Text(_) | Value::Word(_) | Value::Number(_))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Value::List(_))
    }

    /// A scalar, quoted as the one was that it replaces.
    pub(super) fn in_style(&self, style: Style) -> String {
        match (self, style) {
            (Value::Text(text), Style::SingleQuoted) if !text.contains(char::is_control) => {
                format!("'{}'", text.replace('\'', "''"))
            }
            (Value::Text(text), Style::DoubleQuoted) => quoted(text),
            _ => self.flow(),
        }
    }

    /// On one line, in brackets.
    pub fn flow(&self) -> String {
        match self {
            Value::Text(text) => scalar(text),
            Value::Word(word) => (*word).to_owned(),
            Value::Number(number) => number.clone(),
            Value::List(_) => format!("[{}]", self.flow_inside()),
            Value::Map(_) => format!("{{{}}}", self.flow_inside()),
        }
    }

    /// What lies in the brackets.
    pub(super) fn flow_inside(&self) -> String {
        let parts: Vec<String> = match self {
            Value::Text(_) | Value::Word(_) | Value::Number(_) => vec![self.flow()],
            Value::List(items) => items.iter().map(Value::flow).collect(),
            Value::Map(entries) => {
                entries.iter().map(|(key, value)| format!("{}: {}", scalar(key), value.flow())).collect()
            }
        };
        parts.join(", ")
    }

    /// As lines that are indented by `column`.
    pub(super) fn block(&self, column: usize, layout: &Layout) -> Vec<String> {
        let indent = " ".repeat(column);
        match self {
            Value::Text(_) | Value::Word(_) | Value::Number(_) => vec![indent + &self.flow()],
            Value::List(items) => items.iter().flat_map(|item| item.as_item(column, layout)).collect(),
            Value::Map(entries) => entries
                .iter()
                .flat_map(|(key, value)| {
                    let head = format!("{indent}{}:", scalar(key));
                    let inner = column + if value.is_list() { layout.list } else { layout.step };
                    if value.is_scalar() || value.is_empty() {
                        vec![format!("{head} {}", value.flow())]
                    } else {
                        std::iter::once(head).chain(value.block(inner, layout)).collect()
                    }
                })
                .collect(),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Value::Text(_) | Value::Word(_) | Value::Number(_) => false,
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.is_empty(),
        }
    }

    fn as_item(&self, column: usize, layout: &Layout) -> Vec<String> {
        let mut lines = self.block(column + 2, layout);
        if let Some(first) = lines.first_mut() {
            first.replace_range(column..=column, "-");
        }
        lines
    }

    pub(super) fn events(&self) -> Vec<Event<'_>> {
        let mut events = Vec::new();
        self.write_events(&mut events);
        events
    }

    /// Without the start and the end of the collection itself.
    pub(super) fn events_inside(&self) -> Vec<Event<'_>> {
        let mut events = self.events();
        if !self.is_scalar() {
            events.pop();
            events.remove(0);
        }
        events
    }

    fn write_events<'v>(&'v self, events: &mut Vec<Event<'v>>) {
        match self {
            Value::Text(text) | Value::Number(text) => events.push(Event::text(text)),
            Value::Word(word) => events.push(Event::text(word)),
            Value::List(items) => {
                events.push(Event::List);
                for item in items {
                    item.write_events(events);
                }
                events.push(Event::End);
            }
            Value::Map(entries) => {
                events.push(Event::Map);
                for (key, value) in entries {
                    events.push(Event::text(key));
                    value.write_events(events);
                }
                events.push(Event::End);
            }
        }
    }
}

/// Bytes that a plain scalar may have anywhere in it, but for a `:` at its end.
fn is_ordinary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:@+".contains(&byte)
}

/// `text` as a scalar that reads as that text and nothing else, in brackets too.
fn scalar(text: &str) -> String {
    let is_ordinary = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@+=".contains(&byte);
    let is_word = text.bytes().all(is_ordinary)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_/".contains(&byte))
        && !text.ends_with(':');
    let reads_otherwise = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text));
    if is_word && !reads_otherwise { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            character => out.push(character),
        }
    }
    out.push('"');
    out
}
