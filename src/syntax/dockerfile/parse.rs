//! The parser: lines to instructions, one pass, no recursion.
//!
//! Facts of the format: `frontend/dockerfile/parser` of BuildKit and the Dockerfile reference.

use super::{
    Directive, Dockerfile, Heredoc, Instruction, Joined, Keyword, Token, TokenKind, flags, heredoc,
    refusal::{self, Stages},
    space,
};
use crate::text::{Parsed, Span, SyntaxError};
use memchr::memchr;
use std::ops::Range;

/// Reads a Dockerfile. Never fails: what BuildKit would refuse is in `errors`, and the tree holds all the rest.
pub fn parse(source: &[u8]) -> Parsed<Dockerfile> {
    let mut parser = Parser::new(source);
    parser.directives();
    while let Some(line) = parser.next_line() {
        parser.statement(line);
    }
    parser.finish()
}

/// BuildKit refuses lines of more bytes, whatever is on them.
const LONGEST_LINE: usize = 65_535;

struct Parser<'s> {
    source: &'s [u8],
    /// Offset of the next line.
    at: usize,
    /// How many lines were read.
    lines: u32,
    /// Where the last of them ends, its ending left out.
    end: usize,
    tree: Dockerfile,
    errors: Vec<SyntaxError>,
    stages: Stages,
    /// The instruction being read, kept to reuse its room.
    draft: Draft,
}

/// The lines of one instruction, before it is known what is on them.
#[derive(Default)]
struct Draft {
    /// What they are made of; the parts that Docker joins are still [`TokenKind::Text`].
    pieces: Vec<Token>,
    /// The parts that Docker joins.
    segments: Vec<Span>,
    /// Where the parts of the joined text end, in order.
    marks: Vec<(TokenKind, usize)>,
}

/// One physical line.
#[derive(Clone, Copy)]
struct Line {
    /// First byte.
    start: usize,
    /// Past its last byte, without `\r` and `\n`.
    end: usize,
    /// Past its line ending.
    next: usize,
}

impl<'s> Parser<'s> {
    fn new(source: &'s [u8]) -> Self {
        let tree = Dockerfile {
            bom: source.starts_with(b"\xef\xbb\xbf"),
            escape: b'\\',
            directives: Vec::new(),
            // What files have on average, so that most need no second room.
            instructions: Vec::with_capacity(source.len() / 128 + 8),
            tokens: Vec::with_capacity(source.len() / 12 + 8),
        };
        Self {
            source,
            at: 0,
            lines: 0,
            end: 0,
            tree,
            errors: Vec::new(),
            stages: Stages::default(),
            draft: Draft::default(),
        }
    }

    fn finish(mut self) -> Parsed<Dockerfile> {
        self.stages.finish(&self.tree, &mut self.errors);
        // A heredoc, for example, is found open after what stands in it.
        self.errors.sort_by_key(|error| error.span.start);
        Parsed { tree: self.tree, errors: self.errors }
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(SyntaxError { span, message: message.into() });
    }

    /// Gives `start..end` a token, unless there is nothing.
    fn token(&mut self, kind: TokenKind, start: usize, end: usize) {
        if start < end {
            self.tree.tokens.push(Token { kind, span: Span::new(start, end) });
        }
    }

    /// The line at `at`, a byte order mark at the start of the file left out.
    fn line(&self) -> Option<Line> {
        let start = self.at;
        let rest = self.source.get(start..).filter(|rest| !rest.is_empty())?;
        let next = memchr(b'\n', rest).map_or(self.source.len(), |at| start + at + 1);
        let start = if start == 0 && self.tree.bom { 3 } else { start };
        let endings = self.source[start..next].iter().rev().take_while(|&&byte| matches!(byte, b'\n' | b'\r')).count();
        Some(Line { start, end: next - endings, next })
    }

    /// The next line, which is read then.
    fn next_line(&mut self) -> Option<Line> {
        let line = self.line()?;
        self.token(TokenKind::Bom, self.at, if self.at == 0 { line.start } else { 0 });
        let ending = usize::from(self.source[line.next - 1] == b'\n');
        if line.next - ending - self.at > LONGEST_LINE {
            self.error(Span::at(line.start), format!("the line is longer than {LONGEST_LINE} bytes"));
        }
        self.at = line.next;
        self.lines += 1;
        self.end = line.end;
        Some(line)
    }

    fn directives(&mut self) {
        while let Some(line) = self.line()
            && let Some(directive) = directive(self.source, line)
        {
            self.next_line();
            let start = directive.span.start as usize;
            self.token(TokenKind::Blank, line.start, start);
            self.token(TokenKind::Directive, start, line.end);
            self.token(TokenKind::LineEnd, line.end, line.next);
            self.heed(directive);
        }
    }

    /// Keeps a directive; the name of a second one says nothing new.
    fn heed(&mut self, directive: Directive) {
        let name = directive.name.of(self.source);
        let is_repeated = self.tree.directives.iter().any(|seen| seen.name.of(self.source).eq_ignore_ascii_case(name));
        if is_repeated {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            return self.error(directive.span, format!("the directive `{name}` is given twice"));
        }
        if name.eq_ignore_ascii_case(b"escape") {
            match directive.value.of(self.source) {
                [escape @ (b'\\' | b'`')] => self.tree.escape = *escape,
                _ => self.error(directive.value, "the escape character is neither a backslash nor a backquote"),
            }
        }
        self.tree.directives.push(directive);
    }

    /// A blank line, a comment, or an instruction with all its lines.
    fn statement(&mut self, line: Line) {
        let text = line.start + space::leading(&self.source[line.start..line.end]);
        self.token(TokenKind::Blank, line.start, text);
        if text == line.end || self.source[text] == b'#' {
            self.token(TokenKind::Comment, text, line.end);
            self.token(TokenKind::LineEnd, line.end, line.next);
            return;
        }
        self.instruction(line, text);
    }

    fn instruction(&mut self, first: Line, start: usize) {
        let first_line = self.lines;
        let mut draft = std::mem::take(&mut self.draft);
        self.gather(&mut draft, first, start);
        let (head, mut instruction) = self.read(&draft, first_line);
        instruction.span = Span::new(start, self.end);
        draft.mark(&head, &instruction);
        draft.write(&mut self.tree.tokens);
        self.draft = draft;
        self.heredocs(&mut instruction);
        refusal::refuse(&instruction, self.source, &mut self.errors);
        self.stages.see(&instruction, &mut self.errors);
        self.tree.instructions.push(instruction);
    }

    /// Collects the lines of an instruction.
    fn gather(&mut self, draft: &mut Draft, first: Line, start: usize) {
        draft.clear();
        let mut is_open = self.gather_line(draft, first, start);
        while is_open && let Some(line) = self.next_line() {
            let text = line.start + space::leading(&self.source[line.start..line.end]);
            if text == line.end || self.source[text] == b'#' {
                draft.piece(TokenKind::Blank, line.start, text);
                draft.piece(TokenKind::Comment, text, line.end);
                draft.piece(TokenKind::LineEnd, line.end, line.next);
                continue;
            }
            is_open = self.gather_line(draft, line, line.start);
        }
    }

    /// Collects one line that says something, and answers whether it is continued.
    fn gather_line(&self, draft: &mut Draft, line: Line, start: usize) -> bool {
        let continuation = continuation(&self.source[start..line.end], self.tree.escape);
        let end = continuation.map_or(line.end, |at| start + at);
        draft.segments.push(Span::new(start, end));
        draft.piece(TokenKind::Text, start, end);
        draft.piece(TokenKind::Continuation, end, line.end);
        draft.piece(TokenKind::LineEnd, line.end, line.next);
        continuation.is_some()
    }

    /// The instruction on the lines of `draft`; its span and heredocs are still open.
    fn read(&self, draft: &Draft, first_line: u32) -> (Head, Instruction) {
        let lines = (first_line, self.lines);
        let first = draft.segments[0];
        let text = first.of(self.source);
        let head = Head::of(text);
        let word = &text[head.keyword.clone()];
        let is_separated = text.get(head.keyword.end).copied().is_some_and(space::is_separator) && word.is_ascii();
        if draft.segments.len() > 1 && !is_separated {
            let whole = Joined::new(self.source, draft.segments.clone());
            return self.read_joined(&whole, lines);
        }
        let keyword_span = Joined::slice(first).file_span(head.keyword.start as u32..head.keyword.end as u32);
        let rest = Span::new(first.start as usize + head.body, first.end as usize);
        let body = match &draft.segments[1..] {
            [] => Joined::slice(rest),
            more => {
                let mut segments = Vec::with_capacity(draft.segments.len());
                segments.push(rest);
                segments.extend_from_slice(more);
                Joined::new(self.source, segments)
            }
        };
        let instruction = self.complete(Keyword::of(word), keyword_span, body, lines);
        (head, instruction)
    }

    /// The same from lines that are joined already: a keyword over several lines, or the trigger of `ONBUILD`.
    fn read_joined(&self, whole: &Joined, lines: (u32, u32)) -> (Head, Instruction) {
        let text = whole.text(self.source);
        let head = Head::of(text);
        let keyword = Keyword::of(&text[head.keyword.clone()]);
        let keyword_span = whole.file_span(head.keyword.start as u32..head.keyword.end as u32);
        let body = whole.part(self.source, head.body as u32..text.len() as u32);
        let instruction = self.complete(keyword, keyword_span, body, lines);
        (head, instruction)
    }

    fn complete(&self, keyword: Keyword, keyword_span: Span, body: Joined, lines: (u32, u32)) -> Instruction {
        let text = body.text(self.source);
        let text = &text[..space::trailing(text)];
        let (flags, start) = flags::flags(&body, text);
        let start = start + space::leading(&text[start..]);
        let args = start as u32..text.len() as u32;
        let trigger = (keyword == Keyword::Onbuild && !args.is_empty())
            .then(|| self.trigger(&body.part(self.source, args.clone()), lines))
            .flatten();
        let end = body.file_span(0..text.len() as u32).end.max(keyword_span.end);
        let span = Span { start: keyword_span.start, end };
        let escape = self.tree.escape;
        Instruction { keyword, keyword_span, span, lines, body, flags, args, heredocs: Vec::new(), trigger, escape }
    }

    /// What `ONBUILD` keeps. BuildKit refuses one in another, so that there is never a second level.
    fn trigger(&self, whole: &Joined, lines: (u32, u32)) -> Option<Box<Instruction>> {
        let text = whole.text(self.source);
        let is_nested = Keyword::of(&text[Head::of(text).keyword]) == Keyword::Onbuild;
        (!is_nested).then(|| Box::new(self.read_joined(whole, lines).1))
    }

    /// Reads the heredocs that the lines of `instruction` open.
    fn heredocs(&mut self, instruction: &mut Instruction) {
        let holder = instruction.trigger.as_deref().unwrap_or(instruction);
        if !holder.may_open_heredocs(self.source) {
            return;
        }
        let heredocs = match heredoc::openings(&instruction.body, self.source) {
            Ok(openings) => openings.into_iter().map(|opening| self.heredoc(opening)).collect::<Vec<_>>(),
            Err(word) => return self.error(word, "the name of the heredoc cannot be read"),
        };
        if heredocs.is_empty() {
            return;
        }
        instruction.span.end = self.end as u32;
        instruction.lines.1 = self.lines;
        if let Some(trigger) = &mut instruction.trigger {
            trigger.span.end = instruction.span.end;
            trigger.lines.1 = self.lines;
            trigger.heredocs.clone_from(&heredocs);
        }
        instruction.heredocs = heredocs;
    }

    /// Reads the lines of one heredoc.
    fn heredoc(&mut self, opening: Heredoc) -> Heredoc {
        let start = self.at;
        while let Some(line) = self.next_line() {
            let text = &self.source[line.start..line.end];
            let tabs = if opening.chomp { text.iter().take_while(|&&byte| byte == b'\t').count() } else { 0 };
            if &text[tabs..] == opening.name.as_bytes() {
                self.token(TokenKind::HeredocBody, start, line.start);
                self.token(TokenKind::HeredocEnd, line.start, line.end);
                self.token(TokenKind::LineEnd, line.end, line.next);
                let end = Some(Span::new(line.start, line.end));
                return Heredoc { body: Span::new(start, line.start), end, ..opening };
            }
        }
        self.token(TokenKind::HeredocBody, start, self.at);
        self.error(opening.marker, format!("no line ends the heredoc `{}`", refusal::excerpt(opening.name.as_bytes())));
        Heredoc { body: Span::new(start, self.at), end: None, ..opening }
    }
}

impl Instruction {
    fn may_open_heredocs(&self, source: &[u8]) -> bool {
        matches!(self.keyword, Keyword::Add | Keyword::Copy | Keyword::Run) && !self.is_json(source)
    }
}

impl Draft {
    fn clear(&mut self) {
        self.pieces.clear();
        self.segments.clear();
        self.marks.clear();
    }

    fn piece(&mut self, kind: TokenKind, start: usize, end: usize) {
        if start < end {
            self.pieces.push(Token { kind, span: Span::new(start, end) });
        }
    }

    /// Notes where the parts of `instruction` end in the joined text.
    fn mark(&mut self, head: &Head, instruction: &Instruction) {
        let in_body = |at: u32| head.body + at as usize;
        self.marks.push((TokenKind::Blank, head.keyword.start));
        self.marks.push((TokenKind::Keyword, head.keyword.end));
        for flag in &instruction.flags {
            self.marks.push((TokenKind::Blank, in_body(flag.range.start)));
            self.marks.push((TokenKind::Flag, in_body(flag.range.end)));
        }
        self.marks.push((TokenKind::Blank, in_body(instruction.args.start)));
        self.marks.push((TokenKind::Text, in_body(instruction.args.end)));
        self.marks.push((TokenKind::Blank, usize::MAX));
    }

    /// Writes the tokens of the instruction: its texts are cut at the marks.
    fn write(&self, tokens: &mut Vec<Token>) {
        let mut marks = self.marks.iter().copied();
        let mut mark = (TokenKind::Blank, 0);
        let mut logical = 0;
        for piece in &self.pieces {
            if piece.kind != TokenKind::Text {
                tokens.push(*piece);
                continue;
            }
            let mut span = piece.span;
            while !span.is_empty() {
                while mark.1 <= logical {
                    mark = marks.next().unwrap_or((TokenKind::Blank, usize::MAX));
                }
                let length = span.len().min(mark.1 - logical);
                let end = span.start + length as u32;
                tokens.push(Token { kind: mark.0, span: Span { start: span.start, end } });
                span.start = end;
                logical += length;
            }
        }
    }
}

/// Where the keyword stands in the joined lines, and where what follows it starts.
struct Head {
    keyword: Range<usize>,
    body: usize,
}

impl Head {
    fn of(text: &[u8]) -> Self {
        let Range { start, end } = space::trim(text);
        let length = text[start..end].iter().take_while(|&&byte| !space::is_separator(byte)).count();
        let keyword = start..start + length;
        let blanks = text[keyword.end..].iter().take_while(|&&byte| space::is_separator(byte)).count();
        Head { body: keyword.end + blanks, keyword }
    }
}

/// The directive on a line, if it is one that BuildKit knows.
fn directive(source: &[u8], line: Line) -> Option<Directive> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0x0c | b'\r');
    let blanks = |at: usize| source[at..line.end].iter().take_while(|byte| is_blank(byte)).count();
    let start = line.start + space::leading(&source[line.start..line.end]);
    if source[start..line.end].first() != Some(&b'#') {
        return None;
    }
    let name_start = start + 1 + space::leading(&source[start + 1..line.end]);
    let length = source[name_start..line.end].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = Span::new(name_start, name_start + length);
    let is_known =
        [&b"syntax"[..], b"escape", b"check"].iter().any(|known| name.of(source).eq_ignore_ascii_case(known));
    let equals = name_start + length + blanks(name_start + length);
    if !is_known || source[equals..line.end].first() != Some(&b'=') {
        return None;
    }
    let value_start = equals + 1 + blanks(equals + 1);
    let value_end = line.end - source[value_start..line.end].iter().rev().take_while(|byte| is_blank(byte)).count();
    let value = match (value_start < value_end, equals + 1 < value_start) {
        (true, _) => Span::new(value_start, value_end),
        // Where there are only blanks the last of them is the value.
        (false, true) => Span::new(value_start - 1, value_start),
        (false, false) => return None,
    };
    Some(Directive { span: Span::new(start, line.end), name, value })
}

/// Where the escape character stands that continues `line`, if one does.
///
/// Two of them in a row at the end continue nothing, and neither do three: BuildKit looks at one byte only.
fn continuation(line: &[u8], escape: u8) -> Option<usize> {
    let blanks = line.iter().rev().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count();
    let before = line[..line.len() - blanks].strip_suffix(&[escape])?;
    (before.last() != Some(&escape)).then_some(before.len())
}
