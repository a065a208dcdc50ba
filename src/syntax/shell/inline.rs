//! Scripts that a command hands to a shell as a word: `sh -c '…'`.

use super::{
    Command, Dialect, Invocation, PieceKind, Script, Word,
    reader::{self, decode_traced},
    tree::{Features, Text, ValueData, WordData},
};
use crate::text::Span;

/// How many scripts are read one inside another.
const DEEPEST: u32 = 4;

/// A script inside a word.
#[derive(Clone, Debug)]
pub struct Inline {
    /// Index of the command that hands it to a shell.
    pub(super) command: u32,
    pub(super) script: Script,
}

/// Where the text of an inline script was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// In order; they cover the inline script without a gap.
    segments: Vec<Segment>,
}

/// Text of an inline script, and where it was written: in as many bytes, unless a backslash or an expansion was there.
#[derive(Clone, Copy, Debug)]
struct Segment {
    own: Span,
    written: Span,
}

impl Origin {
    /// Where `own` was written.
    pub(super) fn place(&self, own: Span) -> Span {
        if own.is_empty() {
            let at = self.segment(own.start).map_or(0, |segment| {
                let inside = (own.start - segment.own.start).min(segment.written.len() as u32);
                if own.start >= segment.own.end { segment.written.end } else { segment.written.start + inside }
            });
            return Span::at(at as usize);
        }
        let (Some(first), Some(last)) = (self.segment(own.start), self.segment(own.end - 1)) else { return own };
        let is_copy = |segment: &Segment| segment.own.len() == segment.written.len();
        let start = if is_copy(first) { own.start - first.own.start } else { 0 };
        let behind = if is_copy(last) { last.own.end.saturating_sub(own.end) } else { 0 };
        Span { start: first.written.start + start, end: last.written.end - behind }
    }

    /// A segment that was written here, with where that was written; cut where the parts of the latter meet.
    fn place_segment(&self, segment: Segment) -> impl Iterator<Item = Segment> {
        let Segment { own, written } = segment;
        let is_copy = own.len() == written.len();
        let first = self.segments.partition_point(|outer| outer.own.end <= written.start);
        let outer = self.segments[first..].iter().take_while(move |outer| is_copy && outer.own.start < written.end);
        let parts = outer.map(move |outer| {
            let part = Span { start: outer.own.start.max(written.start), end: outer.own.end.min(written.end) };
            let start = own.start + (part.start - written.start);
            Segment { own: Span { start, end: start + part.len() as u32 }, written: self.place(part) }
        });
        let whole = (!is_copy).then(|| Segment { own, written: self.place(written) });
        parts.chain(whole)
    }

    /// The segment of the byte at `own`, the last one behind the end.
    fn segment(&self, own: u32) -> Option<&Segment> {
        let index = self.segments.partition_point(|segment| segment.own.start <= own);
        self.segments.get(index.checked_sub(1)?)
    }
}

/// Reads the script that `command` hands to a shell, if it does; `depth` is how many scripts are around it.
pub(super) fn read(command: Command<'_>, depth: u32) -> Option<Inline> {
    if depth >= DEEPEST {
        return None;
    }
    let (word, dialect) = command.invocations().find_map(Invocation::inline_script)?;
    let script = read_word(word, dialect, depth);
    Some(Inline { command: command.index(), script })
}

fn read_word(word: Word<'_>, dialect: Dialect, depth: u32) -> Script {
    let outer = word.script;
    let mut text = Vec::new();
    let mut origin = Origin::default();
    let mut opaque = Vec::new();
    for piece in word.own_pieces().filter(|piece| !piece.nested) {
        let start = text.len();
        match piece.kind {
            PieceKind::Text(quoting) => {
                decode_traced(piece.span.of(&outer.own), quoting, &mut text, |own, raw| {
                    let raw = Span { start: piece.span.start + raw.start, end: piece.span.start + raw.end };
                    origin.segments.push(Segment { own, written: raw });
                });
                continue;
            }
            PieceKind::Variable { .. } => text.extend_from_slice(piece.span.of(&outer.own)),
            // What is in there has been read already; a variable of no meaning takes its place.
            PieceKind::Substitution(_) | PieceKind::Process(_) | PieceKind::Arithmetic => text.extend(b"$_"),
        }
        let own = Span::new(start, text.len());
        opaque.push(own);
        origin.segments.push(Segment { own, written: piece.span });
    }
    let mut script = reader::read(&Text::new(&text), dialect, depth + 1);
    mark_opaque(&mut script, &opaque);
    place_inside(&mut script, &origin, &outer.own);
    script.text = outer.own.clone();
    script.origin = Some(origin);
    script
}

/// Words with text that the script around has expanded are not literal, whatever quotes they stand in.
fn mark_opaque(script: &mut Script, opaque: &[Span]) {
    if opaque.is_empty() {
        return;
    }
    let mark = |word: &mut WordData| {
        let next = opaque.partition_point(|span| span.end <= word.span.start);
        if opaque.get(next).is_some_and(|span| span.start < word.span.end) {
            word.features.add(Features::OPAQUE);
        }
    };
    script.words.iter_mut().for_each(mark);
    script.redirects.iter_mut().for_each(|redirect| mark(&mut redirect.target));
    for assignment in &mut script.assignments {
        if let ValueData::Word(word) = &mut assignment.value {
            mark(word);
        }
    }
}

/// Scripts inside `script` know where they lie in it; now they know where they lie in the text that it lies in.
fn place_inside(script: &mut Script, origin: &Origin, text: &Text) {
    for Inline { script, .. } in &mut script.inlines {
        if let Some(inner) = &mut script.origin {
            inner.segments = inner.segments.iter().flat_map(|&segment| origin.place_segment(segment)).collect();
        }
        script.text = text.clone();
        place_inside(script, origin, text);
    }
}

/// Every simple command of a script and of the scripts inline in it.
#[derive(Clone, Debug)]
pub struct EveryCommand<'s> {
    /// The script being read, with the index of the next command.
    innermost: (&'s Script, u32),
    /// The scripts around it, likewise, the outermost first; most scripts stand in none.
    around: Vec<(&'s Script, u32)>,
}

impl<'s> EveryCommand<'s> {
    pub(super) fn new(script: &'s Script) -> Self {
        Self { innermost: (script, 0), around: Vec::new() }
    }
}

impl<'s> Iterator for EveryCommand<'s> {
    type Item = Command<'s>;

    fn next(&mut self) -> Option<Command<'s>> {
        loop {
            let (script, next) = self.innermost;
            if next as usize == script.commands.len() {
                self.innermost = self.around.pop()?;
                continue;
            }
            let command = script.command(next);
            self.innermost.1 += 1;
            if let Some(inline) = command.inline() {
                self.around.push(self.innermost);
                self.innermost = (inline, 0);
            }
            return Some(command);
        }
    }
}
