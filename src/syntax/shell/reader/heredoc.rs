//! Redirections and here-documents.

use super::{Frame, Reader, Role, decode::decode};
use crate::{
    syntax::shell::{
        Dialect, Quoting, Reason, RedirectOperator,
        tree::{Features, HeredocData, RedirectData, Run, WordData},
    },
    text::Span,
};

/// Here-documents that may be read one in another.
const DEEPEST_HEREDOC: u32 = 16;

impl Reader<'_> {
    /// A redirection whose operator is here; `start` is where its descriptor began.
    pub(super) fn redirect(&mut self, start: usize, descriptor: Option<Span>) {
        let (operator, length) = operator(self.rest());
        self.begin_command(start);
        if matches!(operator, RedirectOperator::WriteAll | RedirectOperator::AppendAll)
            && self.out.dialect == Dialect::Posix
        {
            self.doubt(self.at, self.at + length, Reason::BashOnly);
        }
        self.at += length;
        self.skip_blanks();
        let is_substitution = matches!(self.peek(), Some(b'<' | b'>')) && self.byte(1) == Some(b'(');
        match self.peek() {
            Some(b'\n' | b';' | b'&' | b'|' | b'(' | b')') | None => {
                self.doubt(start, self.at, Reason::Unexpected);
                self.extend_element(self.at as u32);
            }
            Some(b'<' | b'>') if !is_substitution => {
                self.doubt(start, self.at, Reason::Unexpected);
                self.extend_element(self.at as u32);
            }
            Some(_) if operator == RedirectOperator::Heredoc => {
                self.open_heredoc(start, descriptor, length == 3);
            }
            Some(_) => self.start_word(Role::Target { start, operator, descriptor }),
        }
    }

    /// A here-document whose delimiter is here. Its lines come behind the next line end.
    fn open_heredoc(&mut self, start: usize, descriptor: Option<Span>, strips_tabs: bool) {
        let target = self.delimiter();
        let index = self.out.heredocs.len() as u32;
        let expands = !target.features.any(Features::QUOTES);
        let pieces = Run::default();
        let heredoc = HeredocData { delimiter: target, expands, strips_tabs, body: None, end: None, pieces };
        self.out.heredocs.push(heredoc);
        self.pending.push_back(index);
        let span = Span { start: start as u32, end: target.span.end };
        let operator = RedirectOperator::Heredoc;
        self.redirects.push(RedirectData { span, operator, descriptor, target, heredoc: Some(index) });
        self.extend_element(target.span.end);
    }

    /// The word that ends a here-document: quotes are removed, nothing is expanded.
    fn delimiter(&mut self) -> WordData {
        let start = self.at;
        let decoded = self.out.decoded.len();
        let mut features = Features::default();
        while let Some(byte) = self.peek() {
            let rest = self.rest();
            let (quoting, opening, length) = match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => break,
                b'\'' | b'"' => {
                    let quoting = if byte == b'\'' { Quoting::Single } else { Quoting::Double };
                    (quoting, 1, memchr::memchr(byte, &rest[1..]))
                }
                b'\\' => (Quoting::Bare, 0, Some(rest.len().min(2))),
                _ => {
                    self.out.decoded.push(byte);
                    self.at += 1;
                    continue;
                }
            };
            features.add(Features::QUOTES);
            let inside = &rest[opening..];
            if length.is_none() {
                self.doubt(self.at, self.end, Reason::UnterminatedQuote);
            }
            let length = length.unwrap_or(inside.len());
            decode(&inside[..length], quoting, &mut self.out.decoded);
            self.at = (self.at + length + 2 * opening).min(self.end);
        }
        let text = Span::new(decoded, self.out.decoded.len());
        WordData { span: Span::new(start, self.at), text, is_decoded: true, features, pieces: Run::default() }
    }

    /// Reads the here-documents that wait, one after the other; stops at one with something to expand in it.
    pub(super) fn next_heredoc(&mut self) {
        while let Some(index) = self.pending.pop_front() {
            let HeredocData { delimiter, expands, strips_tabs, .. } = self.out.heredocs[index as usize];
            let start = self.at;
            let name = delimiter.text.of(&self.out.decoded);
            let (length, end) = find_end(&self.text[start..self.end], name, strips_tabs);
            let body = Span::new(start, start + length);
            let after = match end {
                Some(line) => (start + length + line + 1).min(self.end),
                None => self.end,
            };
            if end.is_none() {
                self.doubt(delimiter.span.start as usize, self.end, Reason::UnterminatedHeredoc);
            }
            let heredoc = &mut self.out.heredocs[index as usize];
            heredoc.body = Some(body);
            heredoc.end = end.map(|line| Span::new(start + length, start + length + line));
            if expands && memchr::memchr2(b'$', b'`', body.of(self.text)).is_some() {
                if self.heredocs == DEEPEST_HEREDOC {
                    return self.abandon();
                }
                self.heredocs += 1;
                let (pieces, outer_end) = (self.pieces.len(), self.end);
                self.end = body.end as usize;
                let waiting = std::mem::take(&mut self.pending);
                return self.push(Frame::Heredoc { heredoc: index, pieces, outer_end, resume: after, waiting });
            }
            self.at = after;
        }
    }

    pub(super) fn heredoc_step(&mut self) {
        let Some(&Frame::Heredoc { heredoc, pieces, outer_end, resume, .. }) = self.frames.last() else { return };
        while let Some(byte) = self.peek() {
            match byte {
                b'\\' => self.at = (self.at + 2).min(self.end),
                b'$' if self.is_expansion(true) => return self.dollar(true),
                b'`' => return self.backquote(true),
                _ => {
                    let rest = &self.rest()[1..];
                    self.at += 1 + memchr::memchr3(b'\\', b'$', b'`', rest).unwrap_or(rest.len());
                }
            }
        }
        self.out.heredocs[heredoc as usize].pieces = self.take_pieces(pieces);
        if let Some(Frame::Heredoc { waiting, .. }) = self.frames.pop() {
            self.pending = waiting;
        }
        self.heredocs -= 1;
        self.leave_region(outer_end, resume);
        if !self.is_abandoned {
            self.next_heredoc();
        }
    }
}

/// The operator at the start of `text`, and its length.
fn operator(text: &[u8]) -> (RedirectOperator, usize) {
    match text {
        [b'<', b'<', b'<', ..] => (RedirectOperator::HereString, 3),
        [b'<', b'<', b'-', ..] => (RedirectOperator::Heredoc, 3),
        [b'<', b'<', ..] => (RedirectOperator::Heredoc, 2),
        [b'<', b'&', ..] => (RedirectOperator::DuplicateInput, 2),
        [b'<', b'>', ..] => (RedirectOperator::ReadWrite, 2),
        [b'<', ..] => (RedirectOperator::Read, 1),
        [b'>', b'>', ..] => (RedirectOperator::Append, 2),
        [b'>', b'&', ..] => (RedirectOperator::DuplicateOutput, 2),
        [b'>', b'|', ..] => (RedirectOperator::Write, 2),
        [b'&', b'>', b'>', ..] => (RedirectOperator::AppendAll, 3),
        [b'&', ..] => (RedirectOperator::WriteAll, 2),
        _ => (RedirectOperator::Write, 1),
    }
}

/// Length of the lines before the one that is `name`, and the length of that one.
fn find_end(text: &[u8], name: &[u8], strips_tabs: bool) -> (usize, Option<usize>) {
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..length];
        let tabs = if strips_tabs { line.iter().take_while(|&&byte| byte == b'\t').count() } else { 0 };
        let word = &line[tabs..];
        if word.strip_suffix(b"\r").unwrap_or(word) == name {
            return (start, Some(length));
        }
        start += length + 1;
    }
    (text.len(), None)
}
