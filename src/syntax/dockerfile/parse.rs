//! The parser: lines to instructions, one pass, no recursion.
//!
//! Facts of the format: `frontend/dockerfile/parser` of BuildKit and the Dockerfile reference.

use super::{Directive, Dockerfile, Heredoc, Instruction, Joined, Keyword, Token, TokenKind, flags, heredoc};
use crate::text::{Parsed, Span, SyntaxError};
use memchr::memchr;

/// Reads a Dockerfile. Never fails: what BuildKit would refuse is in `errors`, and the tree holds all the rest.
pub fn parse(source: &[u8]) -> Parsed<Dockerfile> {
    let mut parser = Parser::new(source);
    parser.directives();
    while parser.at < source.len() {
        parser.statement();
    }
    Parsed { tree: parser.tree, errors: parser.errors }
}

struct Parser<'s> {
    source: &'s [u8],
    /// Offset of the next byte that has no token yet.
    at: usize,
    /// Line of `at`, from 1.
    line: u32,
    tree: Dockerfile,
    errors: Vec<SyntaxError>,
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
        let bom = source.starts_with(b"\xef\xbb\xbf");
        let tree =
            Dockerfile { bom, escape: b'\\', directives: Vec::new(), instructions: Vec::new(), tokens: Vec::new() };
        let mut parser = Self { source, at: 0, line: 1, tree, errors: Vec::new() };
        if bom {
            parser.token(TokenKind::Bom, 3);
        }
        parser
    }

    /// Gives the bytes up to `end` a token, unless there are none.
    fn token(&mut self, kind: TokenKind, end: usize) {
        if end > self.at {
            self.tree.tokens.push(Token { kind, span: Span::new(self.at, end) });
            self.at = end;
        }
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(SyntaxError { span, message: message.into() });
    }

    fn peek(&self) -> Line {
        let start = self.at;
        let next = memchr(b'\n', &self.source[start..]).map_or(self.source.len(), |at| start + at + 1);
        let mut end = next;
        while end > start && matches!(self.source[end - 1], b'\n' | b'\r') {
            end -= 1;
        }
        Line { start, end, next }
    }

    fn end_line(&mut self, line: Line) {
        self.token(TokenKind::LineEnd, line.next);
        self.line += 1;
    }

    fn directives(&mut self) {
        while self.at < self.source.len() {
            let line = self.peek();
            let Some(directive) = directive(self.source, line) else { return };
            let name = directive.name.of(self.source).to_ascii_lowercase();
            if !matches!(&name[..], b"syntax" | b"escape" | b"check") {
                return;
            }
            self.token(TokenKind::Directive, line.end);
            self.end_line(line);
            if self.tree.directives.iter().any(|seen| seen.name.of(self.source).eq_ignore_ascii_case(&name)) {
                let name = String::from_utf8_lossy(&name).into_owned();
                self.error(directive.span, format!("only one `{name}` parser directive can be used"));
            }
            if name == b"escape" {
                match directive.value.of(self.source) {
                    [byte @ (b'\\' | b'`')] => self.tree.escape = *byte,
                    _ => self.error(directive.value, "the escape character is neither `\\` nor a backquote"),
                }
            }
            self.tree.directives.push(directive);
        }
    }

    /// A blank line, a comment, or an instruction with all its lines.
    fn statement(&mut self) {
        let line = self.peek();
        let text = trim_start(self.source, line.start, line.end);
        self.token(TokenKind::Blank, text);
        if text == line.end {
            return self.end_line(line);
        }
        if self.source[text] == b'#' {
            self.token(TokenKind::Comment, line.end);
            return self.end_line(line);
        }
        self.instruction(line, text);
    }

    fn instruction(&mut self, first: Line, start: usize) {
        let first_line = self.line;
        let mut keyword_end = start;
        let mut segments: Vec<Span> = Vec::with_capacity(1);
        let mut line = first;
        let mut from = start;
        let (last, last_line) = loop {
            let is_comment = line.start != first.start && {
                let text = trim_start(self.source, line.start, line.end);
                if text == line.end {
                    self.token(TokenKind::Blank, line.end);
                    true
                } else if self.source[text] == b'#' {
                    self.token(TokenKind::Blank, text);
                    self.token(TokenKind::Comment, line.end);
                    true
                } else {
                    false
                }
            };
            let mut ends = false;
            if !is_comment {
                let escape = continuation(&self.source[from..line.end], self.tree.escape).map(|at| from + at);
                let end = escape.unwrap_or(line.end);
                segments.push(Span::new(from, end));
                if line.start == first.start {
                    keyword_end =
                        self.source[start..end].iter().position(|&byte| is_blank(byte)).map_or(end, |at| start + at);
                    self.token(TokenKind::Keyword, keyword_end);
                    let blank = self.source[keyword_end..end].iter().take_while(|&&byte| is_blank(byte)).count();
                    self.token(TokenKind::Blank, keyword_end + blank);
                }
                self.token(TokenKind::Text, end);
                self.token(TokenKind::Continuation, line.end);
                ends = escape.is_none();
            }
            let this_line = self.line;
            self.end_line(line);
            if ends || self.at >= self.source.len() {
                break (line, this_line);
            }
            line = self.peek();
            from = line.start;
        };
        let joined = Joined::new(self.source, segments);
        let mut instruction = self.read(&joined, first_line, last_line);
        instruction.span = Span::new(start, last.end.max(keyword_end));
        self.heredocs(&mut instruction);
        self.tree.instructions.push(instruction);
    }

    /// The parts of an instruction whose lines are joined in `joined`, keyword included.
    fn read(&mut self, joined: &Joined, first: u32, last: u32) -> Instruction {
        let text = joined.text(self.source);
        let keyword_start = text.iter().take_while(|&&byte| is_blank(byte)).count();
        let keyword_length =
            text[keyword_start..].iter().position(|&byte| is_blank(byte)).unwrap_or(text.len() - keyword_start);
        let keyword_end = keyword_start + keyword_length;
        let body_start = keyword_end + text[keyword_end..].iter().take_while(|&&byte| is_blank(byte)).count();
        let body = joined.part(self.source, body_start as u32..text.len() as u32);
        let keyword = keyword(&text[keyword_start..keyword_end]);
        let keyword_span = joined.file_span(keyword_start as u32..keyword_end as u32);
        let (flags, args_start) = flags::flags(&body, self.source);
        let args = flags::trim(body.text(self.source), args_start);
        let mut instruction = Instruction {
            keyword,
            keyword_span,
            span: joined.file_span(0..text.len() as u32),
            lines: (first, last),
            body,
            flags,
            args,
            heredocs: Vec::new(),
            trigger: None,
        };
        if keyword == Keyword::Unknown {
            let name = String::from_utf8_lossy(&text[keyword_start..keyword_end]).into_owned();
            self.error(keyword_span, format!("unknown instruction `{name}`"));
        }
        if keyword == Keyword::Onbuild && !instruction.args.is_empty() {
            let rest = instruction.body.part(self.source, instruction.args.clone());
            let is_nested =
                self::keyword(rest.text(self.source).split(|&byte| is_blank(byte)).next().unwrap_or_default())
                    == Keyword::Onbuild;
            if !is_nested {
                instruction.trigger = Some(Box::new(self.read(&rest, first, last)));
            }
        }
        instruction
    }

    fn heredocs(&mut self, instruction: &mut Instruction) {
        let holder = instruction.trigger.as_deref().unwrap_or(instruction);
        if !matches!(holder.keyword, Keyword::Add | Keyword::Copy | Keyword::Run) {
            return;
        }
        let openings = heredoc::openings(&holder.body, self.source, self.tree.escape);
        let mut heredocs = Vec::new();
        for opening in openings {
            let start = self.at;
            let mut body_end = start;
            let mut end = None;
            while self.at < self.source.len() {
                let line = self.peek();
                let mut text = line.start;
                while opening.chomp && text < line.end && self.source[text] == b'\t' {
                    text += 1;
                }
                if &self.source[text..line.end] == opening.name.as_bytes() {
                    self.token(TokenKind::HeredocEnd, line.end);
                    end = Some(Span::new(line.start, line.end));
                    instruction.span.end = line.end as u32;
                    instruction.lines.1 = self.line;
                    self.end_line(line);
                    break;
                }
                body_end = line.next;
                instruction.span.end = line.end as u32;
                instruction.lines.1 = self.line;
                self.token(TokenKind::HeredocBody, line.next);
                self.line += 1;
            }
            if end.is_none() {
                self.error(opening.marker, format!("the heredoc `{}` is not ended", opening.name));
            }
            heredocs.push(Heredoc { body: Span::new(start, body_end), end, ..opening });
        }
        if let Some(trigger) = &mut instruction.trigger {
            trigger.heredocs.clone_from(&heredocs);
            trigger.span.end = instruction.span.end;
            trigger.lines.1 = instruction.lines.1;
        }
        instruction.heredocs = heredocs;
    }
}

/// The directive that a line holds, known or not.
fn directive(source: &[u8], line: Line) -> Option<Directive> {
    let start = trim_start(source, line.start, line.end);
    let text = &source[start..line.end];
    let rest = text.strip_prefix(b"#")?;
    let name_start = start + 1 + rest.iter().take_while(|&&byte| is_blank(byte)).count();
    let name_length = source[name_start..line.end].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = Span::new(name_start, name_start + name_length);
    let after = &source[name.end as usize..line.end];
    let equals = after.iter().take_while(|&&byte| is_blank(byte)).count();
    if name.is_empty() || !name.of(source)[0].is_ascii_alphabetic() || after.get(equals) != Some(&b'=') {
        return None;
    }
    let value_start = trim_start(source, name.end as usize + equals + 1, line.end);
    let value = source[value_start..line.end].trim_ascii_end();
    if value.is_empty() {
        return None;
    }
    Some(Directive {
        span: Span::new(line.start, line.end),
        name,
        value: Span::new(value_start, value_start + value.len()),
    })
}

/// Where the escape character stands that continues `line`, if one does.
///
/// Two of them in a row at the end continue nothing.
fn continuation(line: &[u8], escape: u8) -> Option<usize> {
    let end = line.len() - line.iter().rev().take_while(|&&byte| matches!(byte, b' ' | b'\t')).count();
    let before = line[..end].strip_suffix(&[escape])?;
    (before.last() != Some(&escape)).then_some(before.len())
}

fn trim_start(source: &[u8], start: usize, end: usize) -> usize {
    start + source[start..end].iter().take_while(|&&byte| is_blank(byte) || byte == b'\n').count()
}

/// Blanks between words: BuildKit's `[\t\v\f\r ]`.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | b'\r')
}

fn keyword(word: &[u8]) -> Keyword {
    const KEYWORDS: [(&[u8], Keyword); 18] = [
        (b"add", Keyword::Add),
        (b"arg", Keyword::Arg),
        (b"cmd", Keyword::Cmd),
        (b"copy", Keyword::Copy),
        (b"entrypoint", Keyword::Entrypoint),
        (b"env", Keyword::Env),
        (b"expose", Keyword::Expose),
        (b"from", Keyword::From),
        (b"healthcheck", Keyword::Healthcheck),
        (b"label", Keyword::Label),
        (b"maintainer", Keyword::Maintainer),
        (b"onbuild", Keyword::Onbuild),
        (b"run", Keyword::Run),
        (b"shell", Keyword::Shell),
        (b"stopsignal", Keyword::Stopsignal),
        (b"user", Keyword::User),
        (b"volume", Keyword::Volume),
        (b"workdir", Keyword::Workdir),
    ];
    KEYWORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map_or(Keyword::Unknown, |&(_, keyword)| keyword)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Vec<(Keyword, (u32, u32))> {
        parse(text.as_bytes()).tree.instructions.iter().map(|i| (i.keyword, i.lines)).collect()
    }

    #[test]
    fn lines() {
        let text = "# syntax=docker/dockerfile:1\nFROM a\n\nRUN b \\\n  # c\n\n  && d\nCMD [\"e\"]";
        assert_eq!(shape(text), [(Keyword::From, (2, 2)), (Keyword::Run, (4, 7)), (Keyword::Cmd, (8, 8))]);
        assert_eq!(shape("RUN a \\\\\nUSER b\n"), [(Keyword::Run, (1, 1)), (Keyword::User, (2, 2))]);
        assert_eq!(shape("# escape=`\nRUN a `\n b\nUSER c\n"), [(Keyword::Run, (2, 3)), (Keyword::User, (4, 4))]);
        assert_eq!(shape("RUN <<A <<-B\na\nA\nb\n\tB\nUSER c"), [(Keyword::Run, (1, 5)), (Keyword::User, (6, 6))]);
    }

    #[test]
    fn tokens_concatenate_to_the_file() {
        for text in [
            "",
            "F",
            "\u{feff}FROM a\r\n",
            "RUN a \\ \n",
            "RUN <<E\nx",
            "\r\n \t# c\n RUN \\\n\\\n#\n",
            "ONBUILD RUN <<E\nx\nE\n",
            "RUN\\\nx",
        ] {
            let tree = parse(text.as_bytes()).tree;
            let joined: Vec<u8> =
                tree.tokens.iter().flat_map(|token| token.span.of(text.as_bytes()).to_vec()).collect();
            assert_eq!(joined, text.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn flags_and_arguments() {
        let text = b"COPY --from=build --chown=\"1:1\" a \\\n b /c/\n";
        let tree = parse(text).tree;
        let copy = &tree.instructions[0];
        assert_eq!(
            copy.flags.iter().map(|f| (f.name.as_str(), f.value.as_deref())).collect::<Vec<_>>(),
            [("from", Some("build")), ("chown", Some("1:1"))]
        );
        assert_eq!(copy.args_text(text), b"a  b /c/");
    }
}
