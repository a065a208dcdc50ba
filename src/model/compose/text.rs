//! Texts of compose files, with their variables replaced as compose does it.

use crate::{context::BuildContext, syntax::yaml::Node};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// Stands where only whoever starts the services knows the text; no text of YAML holds it unless escaped.
const HIDDEN: char = '\0';

/// Variables that are written down: those of a `.env`.
#[derive(Clone, Debug, Default)]
pub struct Variables(Arc<BTreeMap<String, String>>);

impl Variables {
    /// Those of the `.env` beside the compose file that `context` is about.
    pub fn beside(context: &BuildContext<'_>) -> Self {
        let found = context.beside(".env");
        found.map(|found| Self::of_text(&String::from_utf8_lossy(&found.text))).unwrap_or_default()
    }

    /// Those of the text of a `.env`.
    pub fn of_text(text: &str) -> Self {
        let assignments = text.lines().filter_map(|line| {
            let line = line.trim();
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
            Some((name.trim().to_owned(), unquoted(value.trim()).to_owned()))
        });
        Self(Arc::new(assignments.collect()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn unquoted(value: &str) -> &str {
    let inside = |quote: char| value.strip_prefix(quote)?.split_once(quote).map(|(inside, _)| inside);
    let plain = value.split_once(" #").map_or(value, |(value, _)| value.trim_end());
    inside('"').or_else(|| inside('\'')).unwrap_or(plain)
}

/// A text of a compose file.
#[derive(Clone, Debug)]
pub struct Text<'y> {
    /// Where it is written.
    pub node: Node<'y>,
    /// Whether it is so only as long as nobody sets a variable that it names.
    pub is_defaulted: bool,
    replaced: Cow<'y, str>,
}

impl<'y> Text<'y> {
    /// The text of a scalar.
    pub fn of(node: Node<'y>, variables: &Variables) -> Option<Self> {
        let text = node.scalar()?;
        if node.resolved().is_template() {
            return Some(Self { node, is_defaulted: false, replaced: HIDDEN.to_string().into() });
        }
        if !text.contains('$') {
            return Some(Self { node, is_defaulted: false, replaced: Cow::Borrowed(text) });
        }
        let mut replaced = Replaced { text: String::with_capacity(text.len()), is_defaulted: false };
        replaced.add(text, variables, 0);
        Some(Self { node, is_defaulted: replaced.is_defaulted, replaced: replaced.text.into() })
    }

    /// The text, if nothing of it is hidden.
    pub fn known(&self) -> Option<&str> {
        (!self.replaced.contains(HIDDEN)).then_some(&*self.replaced)
    }

    /// The text up to what is hidden of it; all of it where nothing is.
    pub fn seen(&self) -> &str {
        self.replaced.split(HIDDEN).next().unwrap_or_default()
    }

    /// What is before the first `sign`, and what is behind it.
    pub(super) fn split_at_sign(&self, sign: char) -> (Text<'y>, Option<Text<'y>>) {
        match self.replaced.split_once(sign) {
            Some((before, after)) => (self.part(before), Some(self.part(after))),
            None => (self.clone(), None),
        }
    }

    /// The parts between colons; a drive (`C:\`) belongs to its path.
    pub(super) fn parts(&self) -> Vec<Text<'y>> {
        let mut parts: Vec<String> = Vec::new();
        let mut is_drive = false;
        for part in self.replaced.split(':') {
            match parts.last_mut() {
                Some(last) if is_drive && part.starts_with('\\') => {
                    last.push(':');
                    last.push_str(part);
                }
                _ => parts.push(part.to_owned()),
            }
            is_drive = part.len() == 1 && part.chars().all(|letter| letter.is_ascii_alphabetic());
        }
        parts.iter().map(|part| self.part(part)).collect()
    }

    pub(super) fn part(&self, text: &str) -> Text<'y> {
        Self { node: self.node, is_defaulted: self.is_defaulted, replaced: Cow::Owned(text.to_owned()) }
    }
}

/// So many defaults may lie in each other.
const DEEPEST: usize = 8;

struct Replaced {
    text: String,
    is_defaulted: bool,
}

impl Replaced {
    fn add(&mut self, text: &str, variables: &Variables, depth: usize) {
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            self.text.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                self.text.push('$');
                rest = after;
            } else if let Some(inside) = rest.strip_prefix('{') {
                let Some(end) = end_of_braces(inside) else {
                    self.text.push(HIDDEN);
                    return;
                };
                self.expression(&inside[..end], variables, depth);
                rest = &inside[end + 1..];
            } else {
                let end = end_of_name(rest);
                if end == 0 {
                    self.text.push('$');
                } else {
                    self.variable(&rest[..end], variables);
                }
                rest = &rest[end..];
            }
        }
        self.text.push_str(rest);
    }

    fn variable(&mut self, name: &str, variables: &Variables) {
        match variables.get(name) {
            Some(value) => {
                self.is_defaulted = true;
                self.text.push_str(value);
            }
            None => self.text.push(HIDDEN),
        }
    }

    /// What is between `${` and `}`.
    fn expression(&mut self, inside: &str, variables: &Variables, depth: usize) {
        let end = end_of_name(inside);
        let (name, operator) = inside.split_at(end);
        let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
        match default {
            Some(default) if depth < DEEPEST => {
                self.is_defaulted = true;
                let value = variables.get(name).filter(|value| !value.is_empty() || !operator.starts_with(':'));
                match value {
                    Some(value) => self.text.push_str(value),
                    None => self.add(default, variables, depth + 1),
                }
            }
            // `:+` writes another text where the variable is set, and `:?` refuses to go on where it is not.
            None if operator.is_empty() || operator.starts_with(['?', ':']) && !operator.starts_with(":+") => {
                self.variable(name, variables);
            }
            Some(_) | None => self.text.push(HIDDEN),
        }
    }
}

fn end_of_name(text: &str) -> usize {
    text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len())
}

/// Where the `}` stands that ends what begins at the start of `text`.
fn end_of_braces(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}
