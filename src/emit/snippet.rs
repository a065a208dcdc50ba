//! One finding in full: its message, the line that it is about, and what proves it.
//!
//! However long the line is, only the part around the place is read and shown.

use crate::{
    emit::{
        terminal::{LONGEST_MESSAGE, shortened},
        visible::{is_plain, visible},
    },
    report::Ranked,
    rule::{Label, Level},
    source::{SourceFile, SourceSet},
    text::{Span, character_start},
};
use annotate_snippets::{AnnotationKind, Element, Level as Kind, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use std::ops::Range;

/// Remarks beyond so many are left out: the first ones prove the finding.
const REMARKS: usize = 2;

/// The finding as it is shown in a terminal of `width` columns, without a final line ending.
pub(super) fn snippet(ranked: &Ranked, sources: &SourceSet, width: usize) -> String {
    let finding = &ranked.finding;
    let file = sources.get(finding.primary.file);
    let start = file.locate(finding.primary.span.start);
    let room = width.saturating_sub(start.line.to_string().len() + 3);
    let Excerpt { text, place, last_line } = Excerpt::new(file, finding.primary.span, room);
    let mut mark = AnnotationKind::Primary.span(place);
    if last_line > start.line {
        mark = mark.label(format!("to line {last_line}"));
    }
    let path = visible(&file.path);
    let message = shortened(&visible(&finding.message), LONGEST_MESSAGE);
    let source = Snippet::source(text).line_start(start.line as usize).fold(false).annotation(mark);
    let remarks: Vec<String> = finding.related.iter().take(REMARKS).map(|label| remark(label, sources)).collect();
    let title = kind(ranked.level).primary_title(&*message).id(finding.rule);
    let remarks = remarks.iter().map(|remark| Kind::NOTE.message(remark).into());
    let group = title.elements([Element::from(source)].into_iter().chain(remarks));
    let shown = Renderer::styled().term_width(usize::MAX / 2).render(&[group]);
    // The renderer would count columns in the excerpt, so the line that says where is written here.
    let (title, rest) = shown.split_once('\n').expect("a title is one line, and a source follows it");
    let gutter = " ".repeat(start.line.to_string().len());
    format!("{title}\n{gutter}{ARROW}-->{ARROW:#} {path}:{}:{}\n{rest}", start.line, start.column)
}

/// The colour of the renderer's own line numbers.
const ARROW: Style = AnsiColor::BrightBlue.on_default().bold();

/// How a level is called in a terminal.
fn kind(level: Level) -> Kind<'static> {
    match level {
        Level::Error => Kind::ERROR,
        Level::Warn => Kind::WARNING,
        Level::Note | Level::Off => Kind::NOTE,
    }
}

fn remark(label: &Label, sources: &SourceSet) -> String {
    let file = sources.get(label.file);
    let at = file.locate(label.span.start);
    format!("{} ({}:{}:{})", visible(&label.message), visible(&file.path), at.line, at.column)
}

/// The line in which a place begins, or the part of it that there is room for.
struct Excerpt {
    text: String,
    /// The place in `text`, as far as it is shown.
    place: Range<usize>,
    /// The line on which the place ends.
    last_line: u32,
}

/// So much of a long line is shown in front of a place.
const LEAD: usize = 24;

impl Excerpt {
    fn new(file: &SourceFile, span: Span, room: usize) -> Self {
        let text = &file.text;
        let (start, end) = (span.start as usize, span.end as usize);
        let line_start = memchr::memrchr(b'\n', &text[..start]).map_or(0, |at| at + 1);
        let line_end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at);
        let line_end = if text[start..line_end].ends_with(b"\r") { line_end - 1 } else { line_end };
        let is_long = line_end - line_start > room;
        let lead = LEAD.min(room / 3);
        let shown_from =
            if is_long { character_start(text, line_start.max(start.saturating_sub(lead))) } else { line_start };
        let mut excerpt = Shown { text: String::new(), room: room.saturating_sub(2) };
        if shown_from > line_start {
            excerpt.text.push('…');
        }
        excerpt.push(&text[shown_from..start]);
        let place_start = excerpt.text.len();
        // The end of a place may lie on another line.
        let place_end = end.min(line_end).max(start);
        let whole_place = excerpt.push(&text[start..place_end]);
        let place = place_start..excerpt.text.len();
        if !whole_place || !excerpt.push(&text[place_end..line_end.max(place_end)]) {
            excerpt.text.push('…');
        }
        // A place that ends with a line ending ends on its line.
        let last = if span.is_empty() { span.start } else { span.end - 1 };
        Self { text: excerpt.text, place, last_line: file.line_index().line(last) }
    }
}

/// Text as a terminal may see it, and the room that is left for more.
struct Shown {
    text: String,
    room: usize,
}

impl Shown {
    /// Appends `bytes`: tabs as blanks, what is not UTF-8 as U+FFFD, control characters spelled out. Answers whether
    /// there was room for all of them; no byte after the first that has none is looked at.
    fn push(&mut self, bytes: &[u8]) -> bool {
        // Four bytes at most make one character.
        let near = &bytes[..bytes.len().min(4 * self.room + 4)];
        near.utf8_chunks().all(|chunk| {
            let replacement = if chunk.invalid().is_empty() { None } else { Some(char::REPLACEMENT_CHARACTER) };
            chunk.valid().chars().chain(replacement).all(|character| self.push_character(character))
        })
    }

    fn push_character(&mut self, character: char) -> bool {
        let shown = match character {
            '\t' => "    ".to_owned(),
            plain if is_plain(plain) => plain.to_string(),
            other => other.escape_default().to_string(),
        };
        let Some(rest) = self.room.checked_sub(shown.chars().count()) else {
            self.room = 0;
            return false;
        };
        self.room = rest;
        self.text.push_str(&shown);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::FileKind, text::FileId};

    fn excerpt(text: &[u8], span: Span, room: usize) -> Excerpt {
        Excerpt::new(&SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.to_vec()), span, room)
    }

    #[test]
    fn a_short_line_is_shown_whole_and_marked_to_its_end() {
        let cut = excerpt(b"FROM a\r\nRUN\tb \\\r\n  c\r\n", Span::new(8, 20), 80);
        assert_eq!(cut.text, "RUN    b \\");
        assert_eq!(&cut.text[cut.place], "RUN    b \\");
        assert_eq!(cut.last_line, 3);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = ["é".repeat(5000), "BAD".to_owned(), "x".repeat(5000)].concat();
        let cut = excerpt(text.as_bytes(), Span::new(10_000, 10_003), 60);
        assert_eq!(&cut.text[cut.place.clone()], "BAD");
        assert!(cut.text.starts_with('…') && cut.text.ends_with('…'), "{}", cut.text);
        assert!(cut.text.chars().count() <= 62, "{}", cut.text);
    }

    #[test]
    fn no_byte_of_a_file_reaches_the_terminal_raw() {
        let cut = excerpt(b"RUN \xff\x1b[2J \xe2\x80\xae", Span::new(0, 3), 80);
        assert_eq!(cut.text, "RUN \u{fffd}\\u{1b}[2J \\u{202e}");
    }
}
