//! Which conditions of a template decide whether a place is written at all.

use super::Yaml;
use crate::text::Span;

/// The branches of the conditions and loops of a template.
#[derive(Clone, Debug, Default)]
pub struct Branches {
    /// In order of where they begin; each lies in its parent or beside it.
    branches: Vec<Branch>,
}

/// What is written if a condition holds, or if those before it do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The action that it begins with: `{{ if … }}`, `{{ else }}`.
    pub condition: Span,
    /// What lies between that action and the next one of the same condition.
    pub span: Span,
    /// The branch before it, of the same condition.
    previous: Option<usize>,
    parent: Option<usize>,
}

/// So many conditions around a place are looked at.
const DEEPEST: usize = 64;

impl Yaml<'_> {
    /// The branches of its templates.
    pub fn branches(&self) -> Branches {
        let mut branches: Vec<Branch> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for &action in &self.templates {
            let (previous, parent) = match first_word(action.of(self.text)) {
                b"if" | b"with" | b"range" | b"define" | b"block" => (None, open.last().copied()),
                b"else" => match open.pop() {
                    Some(before) => (Some(before), branches[before].parent),
                    None => continue,
                },
                b"end" => {
                    if let Some(last) = open.pop() {
                        branches[last].span.end = action.start;
                    }
                    continue;
                }
                _ => continue,
            };
            if let Some(before) = previous {
                branches[before].span.end = action.start;
            }
            open.push(branches.len());
            let span = Span { start: action.end, end: self.text.len() as u32 };
            branches.push(Branch { condition: action, span, previous, parent });
        }
        Branches { branches }
    }
}

impl Branches {
    /// The branches that the place `at` lies in, the innermost first.
    pub fn around(&self, at: u32) -> impl Iterator<Item = Branch> {
        let last = self.branches.partition_point(|branch| branch.span.start <= at).checked_sub(1);
        let upwards = std::iter::successors(last, |&index| self.branches[index].parent);
        upwards.take(DEEPEST).map(|index| self.branches[index]).filter(move |branch| at < branch.span.end)
    }

    /// The branches of the same condition that come before `branch`, the nearest first.
    pub fn before(&self, branch: Branch) -> impl Iterator<Item = Branch> {
        let backwards = std::iter::successors(branch.previous, |&index| self.branches[index].previous);
        backwards.take(DEEPEST).map(|index| self.branches[index])
    }
}

fn first_word(action: &[u8]) -> &[u8] {
    let body = action.strip_prefix(b"{{").unwrap_or(action);
    let body = body.strip_prefix(b"-").unwrap_or(body).trim_ascii_start();
    body.split(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::syntax::yaml::parse;

    #[test]
    fn a_place_lies_in_the_branches_around_it() {
        let text = "{{ if .a }}\nx: 1\n{{ else if .b }}\ny: 1\n{{- with .c }}\nz: 1\n{{ end }}\n{{ end }}\nw: 1\n";
        let parsed = parse(text.as_bytes());
        let branches = parsed.tree.branches();
        let around = |key: &str| {
            let at = text.find(key).unwrap() as u32;
            let conditions = branches.around(at).map(|branch| &text[branch.condition.range()]);
            conditions.collect::<Vec<_>>()
        };
        assert_eq!(around("x: 1"), ["{{ if .a }}"]);
        assert_eq!(around("y: 1"), ["{{ else if .b }}"]);
        assert_eq!(around("z: 1"), ["{{- with .c }}", "{{ else if .b }}"]);
        assert!(around("w: 1").is_empty());
        let second = branches.around(text.find("y: 1").unwrap() as u32).next().unwrap();
        let before: Vec<_> = branches.before(second).map(|branch| text[branch.span.range()].trim()).collect();
        assert_eq!(before, ["x: 1"]);
    }

    #[test]
    fn what_is_not_balanced_ends_with_the_file() {
        let text = "{{ end }}{{ else }}\n{{ if .a }}\nx: 1\n";
        let parsed = parse(text.as_bytes());
        let branches = parsed.tree.branches();
        assert_eq!(branches.around(text.find('x').unwrap() as u32).count(), 1);
        assert_eq!(branches.around(0).count(), 0);
    }
}
