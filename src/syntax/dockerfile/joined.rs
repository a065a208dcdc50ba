//! Several lines as one text, with the way back to the file.

use crate::text::Span;
use std::ops::Range;

/// Text that Docker reads as one line although it lies on several: slices of the file, one behind the other.
///
/// Offsets into the joined text are called *logical*; offsets into the file are called file offsets.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    /// The slices, in order; their texts concatenate to `text`.
    segments: Segments,
}

#[derive(Clone, Debug)]
enum Segments {
    One(Span),
    Many { spans: Vec<Span>, starts: Vec<u32>, text: Box<[u8]> },
}

impl Default for Segments {
    fn default() -> Self {
        Segments::One(Span::default())
    }
}

impl Joined {
    /// The text of `spans` of `source`, one behind the other. Empty spans are allowed.
    pub fn new(source: &[u8], spans: Vec<Span>) -> Self {
        if let [span] = spans[..] {
            return Self::slice(span);
        }
        let mut text = Vec::with_capacity(spans.iter().map(|span| span.len()).sum());
        let mut starts = Vec::with_capacity(spans.len());
        for span in &spans {
            starts.push(text.len() as u32);
            text.extend_from_slice(span.of(source));
        }
        Self { segments: Segments::Many { spans, starts, text: text.into() } }
    }

    /// One slice of the file.
    pub fn slice(span: Span) -> Self {
        Self { segments: Segments::One(span) }
    }

    /// The joined text; `source` is the file it was made of.
    pub fn text<'a>(&'a self, source: &'a [u8]) -> &'a [u8] {
        match &self.segments {
            Segments::One(span) => span.of(source),
            Segments::Many { text, .. } => text,
        }
    }

    /// Length of the joined text in bytes.
    pub fn len(&self) -> usize {
        match &self.segments {
            Segments::One(span) => span.len(),
            Segments::Many { text, .. } => text.len(),
        }
    }

    /// Whether the joined text is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slices of the file that it is made of.
    pub fn spans(&self) -> &[Span] {
        match &self.segments {
            Segments::One(span) => std::slice::from_ref(span),
            Segments::Many { spans, .. } => spans,
        }
    }

    /// The file offset of the byte at `logical`; the end of the text answers the end of the last slice.
    pub fn file_offset(&self, logical: u32) -> u32 {
        match &self.segments {
            Segments::One(span) => (span.start + logical).min(span.end),
            Segments::Many { spans, starts, .. } => {
                let index = starts.partition_point(|&start| start <= logical).saturating_sub(1);
                match (spans.get(index), starts.get(index)) {
                    (Some(span), Some(start)) => (span.start + (logical - start)).min(span.end),
                    _ => 0,
                }
            }
        }
    }

    /// The smallest file span that holds the bytes of `range`; continuations between them are covered too.
    pub fn file_span(&self, range: Range<u32>) -> Span {
        let start = self.file_offset(range.start);
        if range.is_empty() {
            return Span::at(start as usize);
        }
        Span { start, end: self.file_offset(range.end - 1) + 1 }
    }

    /// The text of `range` as a joined text of its own.
    pub fn part(&self, source: &[u8], range: Range<u32>) -> Joined {
        match &self.segments {
            Segments::One(span) => {
                let start = (span.start + range.start).min(span.end);
                Self::slice(Span { start, end: (span.start + range.end).clamp(start, span.end) })
            }
            Segments::Many { spans, starts, .. } => {
                let first = starts.partition_point(|&start| start <= range.start).saturating_sub(1);
                let parts = spans.iter().zip(starts).skip(first).take_while(|&(_, &start)| start < range.end.max(1));
                let parts = parts.filter_map(|(span, &start)| {
                    let from = range.start.saturating_sub(start).min(span.end - span.start);
                    let to = range.end.saturating_sub(start).min(span.end - span.start);
                    (from <= to).then(|| Span { start: span.start + from, end: span.start + to })
                });
                let parts: Vec<Span> = parts.collect();
                if parts.is_empty() {
                    Self::slice(self.file_span(range.start..range.start))
                } else {
                    Self::new(source, parts)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_logical_offsets_back_to_the_file() {
        let source = b"RUN a \\\n  b \\\n c\n";
        let joined = Joined::new(source, vec![Span::new(4, 6), Span::new(8, 12), Span::new(14, 16)]);
        assert_eq!(joined.text(source), b"a   b  c");
        assert_eq!(joined.file_offset(0), 4);
        assert_eq!(joined.file_offset(4), 10);
        assert_eq!(joined.file_span(4..8), Span::new(10, 16));
        assert_eq!(joined.file_offset(8), 16);
        let part = joined.part(source, 4..8);
        assert_eq!(part.text(source), b"b  c");
        assert_eq!(part.file_offset(0), 10);
    }
}
