//! Comments of YAML files that silence findings, and what each speaks about.

use super::{Scope, comment};
use crate::{
    syntax::yaml::{Kind, Node, Yaml},
    text::Span,
};

/// Comments on lines of their own that could silence something, each with what it speaks about. In order.
pub(super) fn comments(tree: &Yaml<'_>) -> Vec<(Span, Scope)> {
    let text = tree.text();
    if !comment::is_among(text) {
        return Vec::new();
    }
    let mut found: Vec<(Span, Scope)> = Vec::new();
    // Comments that wait for the line that they stand above.
    let mut waiting = 0;
    let mut nodes = tree.nodes().peekable();
    let mut end_of_scalar = 0;
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let (at, end) = (start, start + line.len());
        start = end;
        let said = line.trim_ascii();
        let from = at + line.len() - line.trim_ascii_start().len();
        // Lines of a text look like comments and are none.
        if said.starts_with(b"#") && from >= end_of_scalar {
            if comment::may_silence(said) {
                found.push((Span::new(from, from + said.len()), Scope::Nothing));
                waiting += 1;
            }
            continue;
        }
        let mut scope = Scope::Nothing;
        while let Some(node) = nodes.next_if(|node| (node.span().start as usize) < end) {
            if matches!(node.kind(), Kind::Scalar(_)) {
                end_of_scalar = end_of_scalar.max(node.span().end as usize);
            }
            if matches!(scope, Scope::Nothing) && node.span().start as usize >= at {
                scope = scope_of(node, at);
            }
        }
        let first = found.len() - waiting;
        found[first..].iter_mut().for_each(|(_, of)| *of = scope);
        waiting = 0;
    }
    found
}

/// What a comment above the line at `line` speaks about, if the first thing on it is `node`.
fn scope_of(node: Node<'_>, line: usize) -> Scope {
    let text = node.tree().text();
    let lead = node.lead() as usize;
    let is_item = lead >= line && text[lead..].starts_with(b"-") && lead < node.span().start as usize;
    if is_item {
        return Scope::Instruction(Span::new(lead, node.span().end as usize));
    }
    match node.kind() {
        // Its first key begins where it begins, and a comment speaks of that one.
        Kind::Mapping(_) => node.entries().next().map_or(Scope::Nothing, |entry| Scope::Instruction(entry.span())),
        // The first item, which begins with the sequence.
        Kind::Sequence(_) => node.items().next().map_or(Scope::Nothing, |item| {
            Scope::Instruction(Span::new(item.lead() as usize, item.span().end.max(item.lead() + 1) as usize))
        }),
        Kind::Scalar(_) | Kind::Alias => Scope::Instruction(entry_of(node)),
    }
}

/// From a key to the end of its value.
fn entry_of(key: Node<'_>) -> Span {
    key.following().map_or(key.span(), |value| key.span().to(value.span()))
}
