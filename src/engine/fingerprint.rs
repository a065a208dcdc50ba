//! What tells a finding from the others of its file when lines above it come and go.

use crate::{
    rule::Finding,
    syntax::dockerfile::{Dockerfile, Instruction},
    text::{Fingerprint, Span},
};
use std::collections::{BTreeMap, HashMap};

/// Sets the fingerprint of each of `findings`, which are in order of their places.
pub(super) fn mark(findings: &mut [Finding], tree: &Dockerfile, text: &[u8]) {
    let mut last: Option<(u32, Fingerprint)> = None;
    let mut turns: BTreeMap<Fingerprint, u32> = BTreeMap::new();
    for finding in findings {
        let place = finding.primary.span;
        let instruction = instruction_at(tree, place);
        let start = instruction.map_or_else(|| line_start(text, place), |instruction| instruction.span.start);
        let said = match (last, instruction) {
            (Some((place, said)), _) if place == start => said,
            (_, Some(instruction)) => normalised(instruction, text),
            (_, None) => words(Fingerprint::default(), line_at(text, start)),
        };
        last = Some((start, said));
        let equal = Fingerprint::default().with(finding.rule.as_bytes()).with(&said.digits());
        let turn = turns.entry(equal).or_default();
        finding.fingerprint = equal.with(turn.to_string().as_bytes());
        *turn += 1;
    }
}

/// The same for files without instructions: a finding is told by its line, which is read once for all of its findings.
pub(super) fn mark_lines(findings: &mut [Finding], text: &[u8]) {
    let mut turns: HashMap<Fingerprint, u32> = HashMap::new();
    let mut last: Option<(Span, Fingerprint)> = None;
    for finding in findings {
        let place = finding.primary.span;
        let known = last.filter(|(line, _)| (line.start..=line.end).contains(&place.start));
        let (line, said) = known.unwrap_or_else(|| {
            let start = line_start(text, place);
            let line = line_at(text, start);
            (Span { start, end: start + line.len() as u32 }, words(Fingerprint::default(), line))
        });
        last = Some((line, said));
        let equal = Fingerprint::default().with(finding.rule.as_bytes()).with(said.to_string().as_bytes());
        let turn = turns.entry(equal).or_default();
        finding.fingerprint = equal.with(turn.to_string().as_bytes());
        *turn += 1;
    }
}

fn instruction_at(tree: &Dockerfile, place: Span) -> Option<&Instruction> {
    let past = tree.instructions.partition_point(|instruction| instruction.span.start <= place.start);
    tree.instructions[..past].last().filter(|instruction| place.start <= instruction.span.end)
}

/// The words of an instruction: its case of keyword, blanks, comments and line breaks do not count.
fn normalised(instruction: &Instruction, text: &[u8]) -> Fingerprint {
    let keyword = instruction.keyword_span.of(text).to_ascii_uppercase();
    let said = words(Fingerprint::default().with(&keyword), instruction.body.text(text));
    let holder = instruction.trigger.as_deref().unwrap_or(instruction);
    holder.heredocs.iter().fold(said, |said, heredoc| words(said, heredoc.body.of(text)))
}

fn words(start: Fingerprint, text: &[u8]) -> Fingerprint {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.fold(start, Fingerprint::with)
}

fn line_start(text: &[u8], place: Span) -> u32 {
    memchr::memrchr(b'\n', &text[..place.start as usize]).map_or(0, |at| at as u32 + 1)
}

fn line_at(text: &[u8], start: u32) -> &[u8] {
    let rest = &text[start as usize..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}
