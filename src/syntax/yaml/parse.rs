//! From events to the tree: where things stand, what they are called, what is damaged.

use super::{Form, Kind, NONE, NodeData, Style, Yaml, mask};
use crate::text::{Parsed, Span, SyntaxError};
use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle};
use std::{borrow::Cow, collections::HashMap};

/// Of a damaged file so many damages are told.
const MOST_ERRORS: usize = 20;

/// The tree of `text`. Never fails: a damaged document ends where it is damaged, and the next one is read.
pub fn parse(text: &[u8]) -> Parsed<Yaml<'_>> {
    if memchr::memmem::find(text, b"{{").is_none() {
        return Reading::of(text, text, Vec::new()).finished();
    }
    let templates = mask::actions(text);
    let plain = Reading::of(text, text, templates.clone());
    if templates.is_empty() || plain.errors.is_empty() && !plain.has_braced_template() {
        return plain.finished();
    }
    let masked = Reading::of(text, &mask::masked(text, &templates), templates);
    if masked.errors.len() > plain.errors.len() {
        return plain.finished();
    }
    let mut parsed = masked.finished();
    mask::mark_open(&mut parsed.tree);
    parsed
}

/// A tree in the making.
struct Reading<'t> {
    tree: Yaml<'t>,
    errors: Vec<SyntaxError>,
    open: Vec<Open>,
    /// The node of each anchor, by the number that the parser gives it.
    anchors: HashMap<usize, u32>,
    /// Everything before it is read.
    cursor: usize,
}

/// A collection whose end is not read yet.
struct Open {
    id: u32,
    last: u32,
    children: usize,
}

impl<'t> Reading<'t> {
    /// Reads `text`, of which `shown` is what a parser can make something of; both are equally long.
    fn of(text: &'t [u8], shown: &[u8], templates: Vec<Span>) -> Self {
        let is_masked = !std::ptr::eq(text, shown);
        let nodes = Vec::with_capacity(text.len() / 16);
        let tree = Yaml {
            text,
            utf8: std::str::from_utf8(text).ok(),
            may_merge: memchr::memmem::find(text, b"<<").is_some(),
            nodes,
            roots: Vec::new(),
            decoded: String::new(),
            templates,
            is_masked,
            rendered: Vec::new(),
        };
        let mut reading = Self { tree, errors: Vec::new(), open: Vec::new(), anchors: HashMap::new(), cursor: 0 };
        let readable = reading.readable(shown);
        reading.events(&readable);
        reading
    }

    /// `shown` as text; what is no UTF-8 becomes as many question marks.
    fn readable<'s>(&mut self, shown: &'s [u8]) -> Cow<'s, str> {
        if let Ok(text) = std::str::from_utf8(shown) {
            return Cow::Borrowed(text);
        }
        let mut text = String::with_capacity(shown.len());
        for chunk in shown.utf8_chunks() {
            text.push_str(chunk.valid());
            let damaged = chunk.invalid().len();
            if damaged > 0 {
                self.error(Span::new(text.len(), text.len() + damaged), "these bytes are no UTF-8".to_owned());
                text.extend(std::iter::repeat_n('?', damaged));
            }
        }
        Cow::Owned(text)
    }

    fn error(&mut self, span: Span, message: String) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(SyntaxError { span, message });
        }
    }

    fn events(&mut self, text: &str) {
        let mut options = Options::default();
        options.emit_unresolved_aliases = true;
        let mut parser = Parser::new_from_str_with_options(text, options);
        loop {
            match parser.next_event() {
                None => break,
                Some(Ok((event, place))) => {
                    let range = place.byte_range().unwrap_or_default();
                    let start = range.start.min(text.len());
                    self.event(event, Span::new(start, range.end.clamp(start, text.len())), text.as_bytes());
                }
                Some(Err(error)) => {
                    let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                    self.error(Span::at(at), format!("from here on it is no YAML: {}", error.kind()));
                    self.close_all();
                    let can_go_on = self.errors.len() < MOST_ERRORS;
                    if !can_go_on || !matches!(parser.proceed_next_document(), Ok(true)) {
                        break;
                    }
                }
            }
        }
        self.close_all();
    }

    fn event(&mut self, event: Event<'_>, span: Span, text: &[u8]) {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let style = style_of(style);
                let (id, lead) = self.place(text, span);
                let value =
                    if is_cut_off(style, span, text) { value.strip_suffix('\n').unwrap_or(&value) } else { &value };
                let span = match style {
                    Style::Literal | Style::Folded => self.with_header(text, span),
                    Style::Plain if span.is_empty() => Span::at(self.cursor),
                    Style::Plain | Style::SingleQuoted | Style::DoubleQuoted => span,
                };
                let decoded = self.decoded(value, span, text);
                let node = NodeData::new(Kind::Scalar(style), span, lead);
                self.tree.nodes[id as usize] =
                    NodeData { is_anchored: anchor > 0, is_tagged: tag.is_some(), decoded, ..node };
                self.anchors.extend((anchor > 0).then_some((anchor, id)));
                self.cursor = self.cursor.max(span.end as usize);
            }
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied().unwrap_or(NONE);
                self.alias(span, target, text);
            }
            Event::UnresolvedAlias(name) => {
                self.error(span, format!("no anchor is called `{name}`"));
                self.alias(span, NONE, text);
            }
            Event::SequenceStart(form, anchor, tag) => {
                self.begin(NodeData::new(Kind::Sequence(form_of(form)), span, 0), anchor, tag.is_some(), text);
            }
            Event::MappingStart(form, anchor, tag) => {
                self.begin(NodeData::new(Kind::Mapping(form_of(form)), span, 0), anchor, tag.is_some(), text);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::DocumentStart(..) => {
                self.anchors.clear();
                self.cursor = self.cursor.max(span.end as usize);
            }
            Event::DocumentEnd => self.cursor = self.cursor.max(span.end as usize),
            // Comments and names of anchors are not asked for; the crate may add what is no node.
            _ => {}
        }
    }

    fn alias(&mut self, span: Span, target: u32, text: &[u8]) {
        let (id, lead) = self.place(text, span);
        self.tree.nodes[id as usize] = NodeData { first: target, ..NodeData::new(Kind::Alias, span, lead) };
        self.cursor = self.cursor.max(span.end as usize);
    }

    fn begin(&mut self, node: NodeData, anchor: usize, is_tagged: bool, text: &[u8]) {
        let (id, lead) = self.place(text, node.span);
        // The parser sees a sequence that is not indented begin at its first item.
        let dash = match node.kind {
            Kind::Sequence(Form::Block) => skip(text, self.cursor, |byte| byte == b'-'),
            Kind::Sequence(Form::Flow) | Kind::Mapping(_) | Kind::Scalar(_) | Kind::Alias => None,
        };
        let start = dash.map_or(node.span.start, |at| at as u32);
        let span = Span { start, end: node.span.end.max(start) };
        self.tree.nodes[id as usize] = NodeData { span, lead, is_anchored: anchor > 0, is_tagged, ..node };
        self.anchors.extend((anchor > 0).then_some((anchor, id)));
        self.open.push(Open { id, last: NONE, children: 0 });
        if !node.span.is_empty() {
            self.cursor = self.cursor.max(span.end as usize);
        }
    }

    fn close(&mut self, end: Span) {
        let Some(open) = self.open.pop() else { return };
        let node = self.tree.nodes[open.id as usize];
        let mut until = node.span.end;
        if open.last != NONE {
            until = until.max(self.tree.nodes[open.last as usize].span.end);
        }
        if !end.is_empty() && matches!(node.kind, Kind::Sequence(Form::Flow) | Kind::Mapping(Form::Flow)) {
            until = until.max(end.end);
            self.cursor = self.cursor.max(end.end as usize);
        }
        self.tree.nodes[open.id as usize].span.end = until;
    }

    /// Ends what a damaged document leaves open; a key without a value gets one that is empty.
    fn close_all(&mut self) {
        while let Some(open) = self.open.last() {
            let is_mapping = matches!(self.tree.nodes[open.id as usize].kind, Kind::Mapping(_));
            if is_mapping && open.children % 2 == 1 {
                let at = Span::at(self.tree.nodes[open.last as usize].span.end as usize);
                let value = self.push();
                self.tree.nodes[value as usize] = NodeData::new(Kind::Scalar(Style::Plain), at, at.start);
            }
            self.close(Span::default());
        }
    }

    /// A new last child of what is open, and where its `-` or `:` stands.
    fn place(&mut self, text: &[u8], span: Span) -> (u32, u32) {
        let sign = self.open.last().and_then(|open| match self.tree.nodes[open.id as usize].kind {
            Kind::Sequence(Form::Block) => Some(b'-'),
            Kind::Mapping(_) if open.children % 2 == 1 => Some(b':'),
            Kind::Sequence(Form::Flow) | Kind::Mapping(_) | Kind::Scalar(_) | Kind::Alias => None,
        });
        let lead = sign.and_then(|sign| skip(text, self.cursor, |byte| byte == sign));
        if let Some(lead) = lead {
            self.cursor = lead + 1;
        }
        (self.push(), lead.map_or(span.start, |lead| lead as u32))
    }

    fn push(&mut self) -> u32 {
        let id = self.tree.nodes.len() as u32;
        self.tree.nodes.push(NodeData::new(Kind::Alias, Span::default(), 0));
        let Some(open) = self.open.last_mut() else {
            self.tree.roots.push(id);
            return id;
        };
        match open.last {
            NONE => self.tree.nodes[open.id as usize].first = id,
            last => self.tree.nodes[last as usize].next = id,
        }
        open.last = id;
        open.children += 1;
        id
    }

    /// The span of a block scalar from its `|` or `>` to its last byte that shows.
    fn with_header(&self, text: &[u8], span: Span) -> Span {
        let header = skip(text, self.cursor, |byte| matches!(byte, b'|' | b'>'));
        let start = header.filter(|&at| at <= span.start as usize).unwrap_or(span.start as usize);
        let end = start + text[start..span.end as usize].trim_ascii_end().len();
        Span::new(start, end)
    }

    /// Where the text of a scalar is kept, if it is not what `span` holds.
    fn decoded(&mut self, value: &str, span: Span, text: &[u8]) -> (u32, u32) {
        if span.of(text) == value.as_bytes() || span.is_empty() {
            return (NONE, 0);
        }
        let start = self.tree.decoded.len() as u32;
        self.tree.decoded.push_str(value);
        (start, value.len() as u32)
    }

    /// Whether a template was read as a mapping in a mapping.
    fn has_braced_template(&self) -> bool {
        let is_braced =
            |node: &NodeData| node.kind == Kind::Mapping(Form::Flow) && node.span.of(self.tree.text).starts_with(b"{{");
        self.tree.nodes.iter().any(is_braced)
    }

    fn finished(self) -> Parsed<Yaml<'t>> {
        Parsed { tree: self.tree, errors: self.errors }
    }
}

impl NodeData {
    fn new(kind: Kind, span: Span, lead: u32) -> Self {
        Self {
            kind,
            is_anchored: false,
            is_tagged: false,
            is_open: false,
            span,
            lead,
            first: NONE,
            next: NONE,
            decoded: (NONE, 0),
        }
    }
}

/// Where the sign stands that follows at `from`; only blanks, comments, anchors and tags may stand before it.
fn skip(text: &[u8], from: usize, is_sign: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = from;
    loop {
        at += text[at..].iter().position(|byte| !byte.is_ascii_whitespace())?;
        match text[at] {
            byte if is_sign(byte) => return Some(at),
            b'#' => at += memchr::memchr2(b'\n', b'\r', &text[at..])?,
            b'&' | b'!' => at += text[at..].iter().position(u8::is_ascii_whitespace)?,
            _ => return None,
        }
    }
}

/// Whether the end of the file takes the last line ending from a block scalar, which the parser gives back to it.
fn is_cut_off(style: Style, span: Span, text: &[u8]) -> bool {
    let is_block = matches!(style, Style::Literal | Style::Folded);
    let last_line = memchr::memrchr(b'\n', text).map_or(text, |line| &text[line + 1..]);
    is_block && span.end as usize == text.len() && !last_line.trim_ascii().is_empty()
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

fn form_of(style: StructureStyle) -> Form {
    match style {
        StructureStyle::Block => Form::Block,
        StructureStyle::Flow => Form::Flow,
    }
}
