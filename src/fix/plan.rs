//! Which fixes go together.

use crate::{
    rule::{Finding, Fix, Safety},
    source::SourceSet,
    text::{Edit, FileId, Span},
};
use std::{borrow::Cow, collections::BTreeMap};

/// A fix that is to be applied, and the finding that it is for.
#[derive(Clone, Debug)]
pub struct Choice<'f> {
    /// What it repairs.
    pub finding: &'f Finding,
    /// What it does, with all its edits in files of one set.
    pub fix: Cow<'f, Fix>,
}

/// The default fixes at or above `allowed` that are compatible with each other, in order of their first edits.
///
/// Of two that are not, the one that starts first is taken, and the other waits for the next round. `is_barred` leaves
/// out what did harm before. Files that a fix changes beside those of `sources` are added there.
pub fn plan<'f>(
    findings: &'f [Finding],
    sources: &mut SourceSet,
    allowed: Safety,
    is_barred: &dyn Fn(&Finding) -> bool,
) -> Vec<Choice<'f>> {
    let default = |finding: &'f Finding| {
        let fix = finding.fixes.first()?;
        let does_something = !fix.edits.is_empty() || !fix.companions.is_empty();
        let is_wanted = fix.safety >= allowed && does_something && !is_barred(finding);
        let fix = if is_wanted { joined(fix, sources)? } else { return None };
        Some(Choice { finding, fix })
    };
    let mut candidates: Vec<Choice<'f>> = findings.iter().filter_map(default).collect();
    candidates
        .sort_by_key(|choice| (choice.fix.edits.iter().map(|edit| (edit.file, edit.span)).min(), choice.finding.rule));
    let mut taken = Taken::default();
    let are_taken: Vec<bool> = candidates.iter().map(|choice| taken.take(&choice.fix)).collect();
    let mut are_taken = are_taken.into_iter();
    candidates.retain(|_| are_taken.next() == Some(true));
    candidates
}

/// `fix` with what it changes in other files among its edits, and those files in `sources`; `None` where one of them is
/// no longer what the fix was made for.
fn joined<'f>(fix: &'f Fix, sources: &mut SourceSet) -> Option<Cow<'f, Fix>> {
    if fix.companions.is_empty() {
        return Some(Cow::Borrowed(fix));
    }
    // What changes one file beside and nothing else is a fix of that file: others may change it elsewhere.
    let is_of_one = fix.edits.is_empty() && fix.companions.len() == 1;
    let mut joined = fix.clone();
    for companion in joined.companions.drain(..) {
        let known = sources.at(&companion.path).map(|file| (file.id, file.text == *companion.text));
        let (file, is_same) =
            known.unwrap_or_else(|| (sources.add(companion.path, companion.kind, companion.text.to_vec()), true));
        if !is_same {
            return None;
        }
        joined.edits.extend(companion.edits.into_iter().map(|edit| Edit { file, ..edit }));
        if !is_of_one {
            joined.claims.push((file, Span::new(0, companion.text.len())));
        }
    }
    Some(Cow::Owned(joined))
}

/// Text that accepted fixes change or rely on.
#[derive(Default)]
struct Taken<'f> {
    edits: BTreeMap<(FileId, u32), &'f Edit>,
    claims: Claims,
}

/// Claimed text as disjoint spans, by start.
#[derive(Default)]
struct Claims(BTreeMap<(FileId, u32), u32>);

impl<'f> Taken<'f> {
    /// Accepts `fix` if it is compatible with everything accepted so far.
    fn take(&mut self, fix: &'f Fix) -> bool {
        let fits = fix.edits.iter().all(|edit| self.has_room_for(edit))
            && fix.claims.iter().all(|&(file, span)| self.leaves_alone(file, span, fix));
        if fits {
            self.edits.extend(fix.edits.iter().map(|edit| ((edit.file, edit.span.start), edit)));
            for &(file, span) in &fix.claims {
                self.claims.add(file, span);
            }
        }
        fits
    }

    fn has_room_for(&self, edit: &Edit) -> bool {
        if self.edits.get(&(edit.file, edit.span.start)).is_some_and(|taken| *taken == edit) {
            return true;
        }
        let is_free = self.near(edit.file, edit.span).all(|taken| !touches(taken.span, edit.span));
        is_free && !self.claims.reach_into(edit.file, edit.span)
    }

    /// Whether nobody else edits the claimed `span`.
    fn leaves_alone(&self, file: FileId, span: Span, fix: &Fix) -> bool {
        self.near(file, span).all(|taken| !overlaps(taken.span, span) || fix.edits.contains(taken))
    }

    /// The accepted edits that start in `span` or at its end, and the last one before it.
    fn near(&self, file: FileId, span: Span) -> impl Iterator<Item = &'f Edit> {
        let before = self.edits.range((file, 0)..(file, span.start)).next_back();
        let inside = self.edits.range((file, span.start)..=(file, span.end));
        before.into_iter().chain(inside).map(|(_, edit)| *edit)
    }
}

impl Claims {
    fn add(&mut self, file: FileId, span: Span) {
        let Span { mut start, mut end } = span;
        let before = self.0.range((file, 0)..=(file, start)).next_back().map(|(key, &end)| (key.1, end));
        if let Some((earlier, its_end)) = before.filter(|&(_, its_end)| its_end >= start) {
            start = earlier;
            end = end.max(its_end);
        }
        while let Some((key, its_end)) =
            self.0.range((file, start)..=(file, end)).next_back().map(|(&key, &end)| (key, end))
        {
            self.0.remove(&key);
            end = end.max(its_end);
        }
        self.0.insert((file, start), end);
    }

    /// Whether an edit of `span` changes what was claimed.
    fn reach_into(&self, file: FileId, span: Span) -> bool {
        let Some((&(_, start), &end)) = self.0.range((file, 0)..(file, span.end.max(span.start + 1))).next_back()
        else {
            return false;
        };
        overlaps(Span { start, end }, span)
    }
}

/// Whether two edits cannot both be done: they share bytes, or an insertion lies at the edge of the other.
fn touches(a: Span, b: Span) -> bool {
    if a.is_empty() || b.is_empty() { a.start <= b.end && b.start <= a.end } else { a.start < b.end && b.start < a.end }
}

/// Whether they share bytes; an insertion does if it lies inside.
fn overlaps(a: Span, b: Span) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Confidence, Label, Severity};

    const FILE: FileId = FileId(0);

    fn finding(rule: &'static str, safety: Safety, edits: Vec<Edit>, claims: &[(usize, usize)]) -> Finding {
        let mut fix = Fix::new("do it", safety, "a test", edits);
        for &(start, end) in claims {
            fix = fix.claiming(FILE, Span::new(start, end));
        }
        Finding {
            rule,
            severity: Severity::Low,
            confidence: Confidence::High,
            message: String::new(),
            primary: Label { file: FILE, span: Span::at(0), message: String::new() },
            related: Vec::new(),
            fixes: vec![fix],
            declined: None,
            fingerprint: crate::text::Fingerprint::default(),
        }
    }

    fn replace(start: usize, end: usize) -> Edit {
        Edit::replace(FILE, Span::new(start, end), "x")
    }

    fn chosen(findings: &[Finding], allowed: Safety) -> Vec<&'static str> {
        plan(findings, &mut SourceSet::new(), allowed, &|_| false).iter().map(|choice| choice.finding.rule).collect()
    }

    #[test]
    fn overlapping_edits_wait_and_neighbours_do_not() {
        let findings = [
            finding("a", Safety::Safe, vec![replace(0, 4)], &[]),
            finding("b", Safety::Safe, vec![replace(3, 6)], &[]),
            finding("c", Safety::Safe, vec![replace(4, 8)], &[]),
        ];
        assert_eq!(chosen(&findings, Safety::Safe), ["a", "c"]);
    }

    #[test]
    fn an_insertion_waits_where_it_touches_another_edit() {
        let findings = [
            finding("a", Safety::Safe, vec![replace(0, 4)], &[]),
            finding("b", Safety::Safe, vec![Edit::insert(FILE, 4, "y")], &[]),
            finding("c", Safety::Safe, vec![Edit::insert(FILE, 5, "y")], &[]),
            finding("d", Safety::Safe, vec![Edit::insert(FILE, 5, "y")], &[]),
            finding("e", Safety::Safe, vec![Edit::insert(FILE, 5, "z")], &[]),
        ];
        assert_eq!(chosen(&findings, Safety::Safe), ["a", "c", "d"]);
    }

    #[test]
    fn nobody_edits_what_another_fix_relies_on() {
        let findings = [
            finding("a", Safety::Safe, vec![replace(2, 3)], &[(0, 10)]),
            finding("b", Safety::Safe, vec![replace(8, 9)], &[]),
            finding("c", Safety::Safe, vec![replace(10, 11)], &[]),
            finding("d", Safety::Safe, vec![replace(20, 21)], &[(9, 12)]),
        ];
        assert_eq!(chosen(&findings, Safety::Safe), ["a", "c"]);
    }

    #[test]
    fn what_is_less_safe_than_allowed_stays_out() {
        let findings = [
            finding("a", Safety::Risky, vec![replace(0, 1)], &[]),
            finding("b", Safety::Safe, vec![replace(2, 3)], &[]),
            finding("c", Safety::Manual, vec![replace(4, 5)], &[]),
        ];
        assert_eq!(chosen(&findings, Safety::Safe), ["b"]);
        assert_eq!(chosen(&findings, Safety::Risky), ["a", "b"]);
    }
}
