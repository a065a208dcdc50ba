//! Where a step speaks of variables: `$NAME`, `${NAME`, `$env:NAME`.

use super::step::Step;
use crate::{syntax::dockerfile::Joined, text::Span};

/// A variable that the text of a step speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The name.
    pub name: String,
    /// Where, from the `$` to the end of the name.
    pub span: Span,
}

impl Step<'_> {
    /// The variables that its arguments and heredocs speak of, in order of the text.
    ///
    /// Quotes do not count: what `npm config set …:_authToken '${TOKEN}'` keeps from the shell is expanded by `npm`.
    pub fn mentions(self) -> Vec<Mention> {
        let source = self.model().file.text.as_slice();
        let instruction = self.instruction();
        let bodies = instruction.heredocs.iter().map(|heredoc| Joined::slice(heredoc.body));
        let mut mentions = mentions_in(&instruction.body, source);
        mentions.extend(bodies.flat_map(|body| mentions_in(&body, source)));
        mentions
    }
}

fn mentions_in(text: &Joined, source: &[u8]) -> Vec<Mention> {
    let bytes = text.text(source);
    let dollars = memchr::memchr_iter(b'$', bytes).filter(|&at| at == 0 || bytes[at - 1] != b'\\');
    let mentions = dollars.filter_map(|at| {
        let rest = &bytes[at + 1..];
        let opened = rest.strip_prefix(b"{").unwrap_or(rest);
        let is_power_shell = opened.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"env:"));
        let name = if is_power_shell { &opened[4..] } else { opened };
        let length = name.iter().take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b'_').count();
        let start = bytes.len() - name.len();
        let name = std::str::from_utf8(&name[..length]).ok().filter(|name| !name.is_empty())?;
        let span = text.file_span(at as u32..(start + length) as u32);
        Some(Mention { name: name.to_owned(), span })
    });
    mentions.collect()
}
