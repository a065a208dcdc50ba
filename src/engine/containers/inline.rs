//! A Dockerfile that is written in a compose file: `dockerfile_inline`.

use crate::{
    engine::{Evidence, judge_dockerfile, withdraw_fixes},
    rule::{Builtin, Finding, Judgement, Label},
    source::{FileKind, SourceFile},
    syntax::yaml::{Kind, Node, Style},
    text::Span,
};

/// Why it is not edited.
const WITHIN: &str = "the Dockerfile is written in a compose file, and is not edited there";

/// Adds what `rules` say about the Dockerfile that `node` is, where `file` has it line by line.
pub(super) fn judge(
    file: &SourceFile,
    node: Node<'_>,
    rules: &[&'static Builtin],
    evidence: Evidence<'_>,
    judgement: &mut Judgement,
) {
    let (Kind::Scalar(Style::Literal), Some(text)) = (node.kind(), node.scalar()) else { return };
    // A variable of compose is replaced before a builder reads the text.
    if text.contains('$') {
        return;
    }
    let Some(lines) = Lines::of(&file.text, node.span(), text) else { return };
    let dockerfile = SourceFile::new(file.id, file.path.clone(), FileKind::Dockerfile, text.as_bytes().to_vec());
    let Ok(mut found) = judge_dockerfile(&dockerfile, rules, evidence) else { return };
    withdraw_fixes(&mut found.findings, WITHIN);
    for finding in &mut found.findings {
        lines.place(finding);
    }
    judgement.findings.append(&mut found.findings);
    judgement.findings.sort_by(|a, b| (a.primary.span, a.rule).cmp(&(b.primary.span, b.rule)));
}

/// Where each line of the text lies in the file.
struct Lines(Vec<(u32, u32)>);

impl Lines {
    /// The lines of `text`, which is what the block at `span` reads as; nothing if it reads as something else.
    fn of(file: &[u8], span: Span, text: &str) -> Option<Self> {
        let mut lines = Vec::new();
        let mut at = span.start as usize + memchr::memchr(b'\n', &file[span.start as usize..])? + 1;
        let mut start = 0;
        for line in text.lines() {
            let end = memchr::memchr(b'\n', &file[at..]).map_or(file.len(), |line| at + line);
            let written = file[at..end].strip_suffix(b"\r").unwrap_or(&file[at..end]);
            let indent = written.len().checked_sub(line.len()).filter(|_| written.ends_with(line.as_bytes()))?;
            lines.push((start, (at + indent) as u32));
            start += line.len() as u32 + 1;
            at = (end + 1).min(file.len());
        }
        Some(Self(lines))
    }

    fn place(&self, finding: &mut Finding) {
        let own: &mut Label = &mut finding.primary;
        own.span = self.span(own.span);
        for label in finding.related.iter_mut().filter(|label| label.file == own.file) {
            label.span = self.span(label.span);
        }
    }

    fn span(&self, span: Span) -> Span {
        Span { start: self.offset(span.start), end: self.offset(span.end) }
    }

    fn offset(&self, at: u32) -> u32 {
        let line = self.0.partition_point(|&(start, _)| start <= at).saturating_sub(1);
        self.0.get(line).map_or(0, |&(start, place)| place + at - start)
    }
}
