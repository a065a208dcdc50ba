//! Comments of scripts that silence findings, and what each speaks about.

use super::{Scope, comment};
use crate::text::Span;

/// Comments on lines of their own that could silence something, each with the command below it. In order.
pub(super) fn comments(text: &[u8]) -> Vec<(Span, Scope)> {
    let mut found: Vec<(Span, Scope)> = Vec::new();
    if !comment::is_among(text) {
        return found;
    }
    // Comments that wait for the line that they stand above.
    let mut waiting = 0;
    let mut command: Option<usize> = None;
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let (at, end) = (start, start + line.len());
        start = end;
        let said = line.trim_ascii();
        let from = at + line.len() - line.trim_ascii_start().len();
        if command.is_none() && said.starts_with(b"#") {
            if comment::may_silence(said) {
                found.push((Span::new(from, from + said.len()), Scope::Nothing));
                waiting += 1;
            }
            continue;
        }
        let begin = command.unwrap_or(from);
        if said.ends_with(b"\\") {
            command = Some(begin);
            continue;
        }
        command = None;
        let first = found.len() - waiting;
        if !said.is_empty() {
            let scope = Scope::Instruction(Span::new(begin, end));
            found[first..].iter_mut().for_each(|(_, of)| *of = scope);
        }
        waiting = 0;
    }
    found
}
