//! Template actions (`{{ … }}`), and a text of equal length in which a parser of YAML does not stumble over them.

use super::{Form, Kind, NONE, Yaml};
use crate::text::Span;

/// The actions of `text`, in order. One that never ends is none.
pub(super) fn actions(text: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = memchr::memmem::find(&text[at..], b"{{").map(|start| at + start) {
        let Some(end) = end_of_action(text, start + 2) else { break };
        found.push(Span::new(start, end));
        at = end;
    }
    found
}

/// Just past the `}}` that ends an action whose text begins at `at`.
fn end_of_action(text: &[u8], mut at: usize) -> Option<usize> {
    let body = text[at..].strip_prefix(b"-").unwrap_or(&text[at..]).trim_ascii_start();
    if body.starts_with(b"/*") {
        let close = at + memchr::memmem::find(&text[at..], b"*/")?;
        return Some(close + memchr::memmem::find(&text[close..], b"}}")? + 2);
    }
    // A text in quotes may hold braces; one that does not end on its line is an apostrophe.
    while at < text.len() {
        match text[at] {
            b'}' if text[at..].starts_with(b"}}") => return Some(at + 2),
            quote @ (b'"' | b'`') => at = end_of_quoted(text, at, quote).unwrap_or(at + 1),
            _ => at += 1,
        }
    }
    None
}

fn end_of_quoted(text: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            b'\\' if quote == b'"' => at += 2,
            b'\n' if quote == b'"' => return None,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Of each action whether nothing but actions stands on its lines.
pub(super) fn alone(text: &[u8], actions: &[Span]) -> Vec<bool> {
    let is_blank = |range: &[u8]| range.iter().all(u8::is_ascii_whitespace);
    let gap = |index: usize| {
        let before = index.checked_sub(1).map_or(0, |before| actions[before].end as usize);
        &text[before..actions.get(index).map_or(text.len(), |action| action.start as usize)]
    };
    let mut alone = Vec::with_capacity(actions.len());
    while alone.len() < actions.len() {
        let first = alone.len();
        let before = gap(first);
        let line = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        // The first action of a line that another one began is part of that one's group.
        let mut is_alone = is_blank(&before[line..]);
        let mut last = first;
        loop {
            let after = gap(last + 1);
            let line = memchr::memchr(b'\n', after);
            is_alone &= is_blank(&after[..line.unwrap_or(after.len())]);
            if line.is_some() || last + 1 == actions.len() {
                break;
            }
            last += 1;
        }
        alone.resize(last + 1, is_alone);
    }
    alone
}

/// `text` with each action replaced by as many bytes: blanks where it stands for whole lines, a word elsewhere. Line
/// endings stay where they are.
pub(super) fn masked(text: &[u8], actions: &[Span]) -> Vec<u8> {
    let mut out = text.to_vec();
    for (action, is_alone) in actions.iter().zip(alone(text, actions)) {
        let is_blank = is_alone || begins_lines(text, *action);
        let mut filling = if is_blank { b' ' } else { b'x' };
        for byte in &mut out[action.range()] {
            if matches!(byte, b'\n' | b'\r') {
                filling = b' ';
            } else {
                *byte = filling;
            }
        }
    }
    out
}

/// Whether an action behind a `:` answers lines of its own: `labels: {{- include "labels" . | nindent 4 }}`.
fn begins_lines(text: &[u8], action: Span) -> bool {
    let is_value = text[..action.start as usize].trim_ascii_end().ends_with(b":");
    is_value && memchr::memmem::find(action.of(text), b"nindent").is_some()
}

/// Marks the collections that an action between their children may add to, and the empty values that one stands for.
pub(super) fn mark_open(tree: &mut Yaml<'_>) {
    let parents = parents(tree);
    for index in 0..tree.templates.len() {
        let action = tree.templates[index];
        let column = match output(action.of(tree.text)) {
            Output::Nothing => continue,
            Output::Indented(column) => Some(column),
            Output::Anything => None,
        };
        let Some(nearest) = tree.nodes.partition_point(|node| node.span.start <= action.start).checked_sub(1) else {
            continue;
        };
        let mut id = nearest as u32;
        while id != NONE {
            let node = tree.nodes[id as usize];
            let is_over = node.span.end <= action.start;
            let is_met = match node.kind {
                Kind::Scalar(_) | Kind::Alias => node.span.is_empty(),
                Kind::Sequence(Form::Block) | Kind::Mapping(Form::Block) => {
                    column.is_none_or(|column| column == column_of(tree.text, node.span.start))
                }
                Kind::Sequence(Form::Flow) | Kind::Mapping(Form::Flow) => !is_over,
            };
            tree.nodes[id as usize].is_open |= is_met;
            if !is_over {
                break;
            }
            id = parents[id as usize];
        }
    }
}

fn parents(tree: &Yaml<'_>) -> Vec<u32> {
    let mut parents = vec![NONE; tree.nodes.len()];
    for (id, node) in tree.nodes.iter().enumerate() {
        let mut child = if matches!(node.kind, Kind::Alias) { NONE } else { node.first };
        while child != NONE {
            parents[child as usize] = id as u32;
            child = tree.nodes[child as usize].next;
        }
    }
    parents
}

/// Words of actions that write nothing themselves.
const CONTROL: [&[u8]; 9] = [b"if", b"else", b"end", b"with", b"range", b"define", b"block", b"break", b"continue"];

/// What an action writes in its place.
enum Output {
    Nothing,
    /// Lines with so many blanks in front.
    Indented(usize),
    Anything,
}

fn output(action: &[u8]) -> Output {
    let body = action.strip_prefix(b"{{").unwrap_or(action);
    let body = body.strip_prefix(b"-").unwrap_or(body).trim_ascii_start();
    let word = body.split(|byte| byte.is_ascii_whitespace() || *byte == b'}').next().unwrap_or_default();
    let assigns = word.starts_with(b"$") && memchr::memchr(b'=', body).is_some();
    if CONTROL.contains(&word) || body.starts_with(b"/*") || assigns {
        return Output::Nothing;
    }
    let indent = memchr::memmem::find(body, b"indent ").map(|at| body[at + 7..].trim_ascii_start());
    let digits = indent.map(|rest| rest.split(|byte| !byte.is_ascii_digit()).next().unwrap_or_default());
    let column = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    column.map_or(Output::Anything, Output::Indented)
}

/// How far a line is indented is looked for no further than this.
const WIDEST: usize = 1024;

fn column_of(text: &[u8], at: u32) -> usize {
    let at = at as usize;
    let window = &text[at.saturating_sub(WIDEST)..at];
    memchr::memrchr(b'\n', window).map_or(window.len(), |line| window.len() - line - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(text: &str) -> String {
        let actions = actions(text.as_bytes());
        String::from_utf8(masked(text.as_bytes(), &actions)).expect("the mask is ASCII")
    }

    #[test]
    fn a_line_of_its_own_becomes_blank_and_a_value_a_word() {
        assert_eq!(mask("{{- if .a }}\nb: {{ .c }}\n{{ end }}\n"), "            \nb: xxxxxxxx\n         \n");
        assert_eq!(mask("a: \"{{ .b }}-c\"\n"), "a: \"xxxxxxxx-c\"\n");
        assert_eq!(mask("a: {{- x | nindent 2 }}\n  b: c\n"), "a:                     \n  b: c\n");
    }

    #[test]
    fn braces_in_texts_and_comments_end_nothing() {
        assert_eq!(mask("a: {{ \"}}\" }}b\n"), "a: xxxxxxxxxxb\n");
        assert_eq!(mask("{{/* it's \"\n */}}\na: b\n"), "           \n     \na: b\n");
        assert_eq!(mask("a: {{ b\n"), "a: {{ b\n");
    }
}
