//! Shell patterns of `?` and `*`, as `${name#pattern}` and `${name/pattern/text}` have them.

use super::expand::ExpandError;

/// A shell pattern of `?` and `*`, as `${name#pattern}` has it.
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Char(char),
    /// `?`: any character but a line end.
    One,
    /// `*`: any number of characters but line ends.
    Many,
}

impl Part {
    fn matches(self, char: char) -> bool {
        match self {
            Part::Char(wanted) => wanted == char,
            Part::One | Part::Many => char != '\n',
        }
    }
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, ExpandError> {
        let mut parts = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            parts.push(match char {
                '*' => Part::Many,
                '?' => Part::One,
                '\\' if matches!(chars.peek(), Some('}' | '/')) => continue,
                '\\' => match chars.next() {
                    Some(escaped @ ('*' | '?' | '\\')) => Part::Char(escaped),
                    _ => return Err(ExpandError::InvalidPattern(text.to_owned())),
                },
                other => Part::Char(other),
            });
        }
        Ok(Self { parts })
    }

    /// Comparisons that one match of `value` may need.
    pub(super) fn cost(&self, value: &str) -> usize {
        (self.parts.len() + 1).saturating_mul(value.len() + 1)
    }

    /// Comparisons that looking for matches everywhere in `value` may need.
    pub(super) fn cost_anywhere(&self, value: &str) -> usize {
        let tries = if self.parts.contains(&Part::Many) { value.len() / 8 + 1 } else { 1 };
        self.cost(value).saturating_mul(tries)
    }

    pub(super) fn without_prefix(&self, value: &str, longest: bool) -> String {
        let end = prefix(&self.parts, value.chars(), longest).map_or(0, |count| offset(value, count));
        value[end..].to_owned()
    }

    pub(super) fn without_suffix(&self, value: &str, longest: bool) -> String {
        let parts: Vec<Part> = self.parts.iter().rev().copied().collect();
        let count = prefix(&parts, value.chars().rev(), longest).unwrap_or(0);
        value.chars().take(value.chars().count() - count).collect()
    }

    /// What lies between the matches (the first, or all), each match as long as possible.
    pub(super) fn split<'v>(&self, value: &'v str, all: bool) -> Vec<&'v str> {
        let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
        let mut last_end = None;
        while at <= value.len() && (all || parts.is_empty()) {
            let matched = prefix(&self.parts, value[at..].chars(), true);
            let matched = matched.map(|count| at + offset(&value[at..], count));
            let step = value[at..].chars().next().map_or(1, char::len_utf8);
            match matched {
                // An empty match right behind another one does not count.
                Some(end) if end > at || last_end != Some(at) => {
                    parts.push(&value[start..at]);
                    (start, last_end) = (end, Some(end));
                    at = if end > at { end } else { at + step };
                }
                _ => at += step,
            }
        }
        parts.push(&value[start..]);
        parts
    }
}

/// Byte offset behind the first `count` characters.
fn offset(value: &str, count: usize) -> usize {
    value.char_indices().nth(count).map_or(value.len(), |(at, _)| at)
}

/// How many characters from the start of `chars` match the whole pattern: the fewest or the most.
fn prefix(parts: &[Part], chars: impl Iterator<Item = char>, longest: bool) -> Option<usize> {
    let mut alive = vec![false; parts.len() + 1];
    alive[0] = true;
    skip_many(parts, &mut alive);
    let mut best = alive[parts.len()].then_some(0);
    for (count, char) in chars.enumerate() {
        if best.is_some() && !longest {
            return best;
        }
        let mut next = vec![false; parts.len() + 1];
        for (at, &part) in parts.iter().enumerate().filter(|&(at, _)| alive[at]) {
            if part.matches(char) {
                next[if part == Part::Many { at } else { at + 1 }] = true;
            }
        }
        skip_many(parts, &mut next);
        if !next.contains(&true) {
            break;
        }
        if next[parts.len()] {
            best = Some(count + 1);
        }
        alive = next;
    }
    best
}

/// A `*` also matches nothing.
fn skip_many(parts: &[Part], alive: &mut [bool]) {
    for (at, &part) in parts.iter().enumerate() {
        alive[at + 1] |= alive[at] && part == Part::Many;
    }
}
