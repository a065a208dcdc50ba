//! Comments that silence findings: `# ironhull: allow(rule) because reason`, and those of other tools.
//!
//! A comment speaks about the instruction directly below it or, inside an instruction, about the next line of it.
//! Comments of other tools count for the rules that name theirs among their equivalents; they are never reported, since
//! the other tool may need what this one does not. Heredocs are data, and nothing in them is read as such a comment.

mod comment;
mod date;
mod lines;
mod yaml;

pub use date::Date;

use crate::{
    rule::{Builtin, Finding, Findings, Fix, Safety, Silenced},
    source::SourceFile,
    syntax::{
        dockerfile::{Dockerfile, Token, TokenKind},
        yaml::Yaml,
    },
    text::{Edit, FileId, Span},
};
use comment::{Allow, Foreign};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The comments of one file that silence findings.
#[derive(Debug, Default)]
pub struct Suppressions {
    file: Option<FileId>,
    own: Vec<Own>,
    /// What is silenced, by rule.
    silent: BTreeMap<&'static str, Silent>,
}

/// An `allow` of this program.
#[derive(Debug)]
struct Own {
    allow: Allow,
    /// Whether an instruction, or a line of one, stands directly below.
    is_attached: bool,
    /// The lines that go when the comment goes; none if that could change what a line below means.
    lines: Option<Span>,
    /// Of each name, whether it silenced something.
    is_used: Vec<bool>,
    is_expired: bool,
}

/// Where findings of one rule are silenced. Spans of a kind are disjoint, each under its start.
#[derive(Debug, Default)]
struct Silent {
    everywhere: Option<Source>,
    instructions: BTreeMap<u32, (Span, Source)>,
    lines: BTreeMap<u32, (Span, Source)>,
}

/// What silences.
#[derive(Clone, Debug)]
enum Source {
    /// A name of an `allow` of this program, by their positions.
    Own(usize, usize),
    /// A comment of another tool, as it is shown.
    Foreign(String),
}

/// What a comment speaks about.
#[derive(Clone, Copy, Debug)]
enum Scope {
    File,
    Instruction(Span),
    Line(Span),
    Nothing,
}

impl Suppressions {
    /// Reads the comments of `file`; `today` decides which ones have expired.
    pub fn read(file: &SourceFile, tree: &Dockerfile, rules: &[&'static Builtin], today: Option<Date>) -> Self {
        let mut all = Self { file: Some(file.id), ..Self::default() };
        if !comment::is_among(&file.text) {
            return all;
        }
        let mut others = Vec::new();
        let last_directive = last_directive_among_comments(file, tree);
        for (comment, below) in comments(file, tree) {
            let text = comment.span.of(&file.text);
            let scope = match comment.kind {
                TokenKind::Directive => Scope::File,
                _ => scope(tree, comment.span, below),
            };
            if let Some(allow) = comment::allow(text, comment.span.start) {
                // Without the line, a comment below it could come to stand where directives stand.
                let is_guard = last_directive.is_some_and(|last| comment.span.start < last);
                let lines = (!is_guard).then(|| line_of(comment.span, &file.text));
                all.own.push(Own::new(allow, scope, lines));
                all.scope_own(scope, rules, today);
            } else {
                others.extend(comment::foreign(text).into_iter().map(|other| (other, scope)));
            }
        }
        all.scope_others(&others, rules, today);
        all
    }

    /// Reads the comments of `file`, which is YAML: one that has a line of its own speaks about the key or item that
    /// begins on the next line, with everything below it.
    pub fn read_yaml(file: &SourceFile, tree: &Yaml<'_>, rules: &[&'static Builtin], today: Option<Date>) -> Self {
        let mut all = Self { file: Some(file.id), ..Self::default() };
        let mut others = Vec::new();
        for (comment, scope) in yaml::comments(tree) {
            let text = comment.of(&file.text);
            if let Some(allow) = comment::allow(text, comment.start) {
                all.own.push(Own::new(allow, scope, Some(line_of(comment, &file.text))));
                all.scope_own(scope, rules, today);
            } else {
                others.extend(comment::foreign(text).into_iter().map(|other| (other, scope)));
            }
        }
        all.scope_others(&others, rules, today);
        all
    }

    /// Reads the comments of `file`, whose lines are commands: one that has a line of its own speaks about the command
    /// that begins on the next line.
    pub fn read_lines(file: &SourceFile, rules: &[&'static Builtin], today: Option<Date>) -> Self {
        let mut all = Self { file: Some(file.id), ..Self::default() };
        for (comment, scope) in lines::comments(&file.text) {
            if let Some(allow) = comment::allow(comment.of(&file.text), comment.start) {
                all.own.push(Own::new(allow, scope, Some(line_of(comment, &file.text))));
                all.scope_own(scope, rules, today);
            }
        }
        all
    }

    /// Whether a rule of that id is named by an `allow` of this program.
    pub fn names(&self, id: &str) -> bool {
        self.own.iter().any(|own| own.allow.names.iter().any(|name| name.id == id))
    }

    /// Enters the last `allow` for the rules that it names. The first one that speaks of a place is the one that counts.
    fn scope_own(&mut self, scope: Scope, rules: &[&'static Builtin], today: Option<Date>) {
        let at = self.own.len() - 1;
        let Some(own) = self.own.last_mut() else { return };
        own.is_expired = own.allow.until.is_some_and(|until| today.is_some_and(|today| until < today));
        if own.is_expired || own.allow.mistake.is_some() {
            return;
        }
        for (name, named) in own.allow.names.iter().enumerate() {
            if let Some(rule) = rules.iter().find(|rule| rule.meta.id == named.id) {
                self.silent.entry(rule.meta.id).or_default().enter(scope, Source::Own(at, name));
            }
        }
    }

    fn scope_others(&mut self, others: &[(Foreign, Scope)], rules: &[&'static Builtin], today: Option<Date>) {
        if others.is_empty() {
            return;
        }
        let mut by_equivalent: HashMap<&str, Vec<&'static str>> = HashMap::new();
        let mut by_tool: HashMap<&str, BTreeSet<&'static str>> = HashMap::new();
        for rule in rules {
            for equivalent in rule.meta.equivalents {
                by_equivalent.entry(equivalent).or_default().push(rule.meta.id);
                by_tool.entry(equivalent.split(':').next().unwrap_or_default()).or_default().insert(rule.meta.id);
            }
        }
        for (other, scope) in others {
            if other.until.is_some_and(|until| today.is_some_and(|today| until < today)) {
                continue;
            }
            let scope = if other.is_global { Scope::File } else { *scope };
            let source = || Source::Foreign(other.shown.clone());
            if other.id == "all" {
                for id in by_tool.get(other.tool).into_iter().flatten() {
                    self.silent.entry(id).or_default().enter(scope, source());
                }
            }
            for id in by_equivalent.get(&*format!("{}:{}", other.tool, other.id)).into_iter().flatten() {
                self.silent.entry(id).or_default().enter(scope, source());
            }
        }
    }

    /// Splits `findings` into those that stay and those that a comment silences.
    pub fn silence(&mut self, findings: Vec<Finding>) -> (Vec<Finding>, Vec<Silenced>) {
        if self.silent.is_empty() {
            return (findings, Vec::new());
        }
        let mut left = Vec::with_capacity(findings.len());
        let mut silenced = Vec::new();
        for finding in findings {
            let Some(source) = self.silent.get(finding.rule).and_then(|silent| silent.source(finding.primary.span))
            else {
                left.push(finding);
                continue;
            };
            let reason = match source {
                Source::Foreign(shown) => shown.clone(),
                Source::Own(at, name) => {
                    let own = &mut self.own[*at];
                    own.is_used[*name] = true;
                    own.allow.reason.clone()
                }
            };
            silenced.push(Silenced { finding, reason });
        }
        (left, silenced)
    }

    /// Reports every `allow` of this program that silences nothing. `is_certain` says that whatever the rules found is
    /// all there is.
    pub fn report(&self, rules: &[&'static Builtin], is_certain: bool, out: &mut Findings) {
        let Some(file) = self.file else { return };
        for own in &self.own {
            if let Some(mistake) = &own.allow.mistake {
                out.report(mistake.span, mistake.message).decline("only its author knows what it is to say");
                continue;
            }
            let is_rule = |id: &str| rules.iter().any(|rule| rule.meta.id == id);
            let is_all = !own.is_used.contains(&true) && own.allow.names.iter().all(|named| is_rule(&named.id));
            for (at, named) in own.allow.names.iter().enumerate() {
                if !is_rule(&named.id) {
                    let message = format!("there is no rule `{}`, so this silences nothing", named.id);
                    out.report(named.span, message).decline("a slip is for its author to mend");
                } else if let (true, Some(until)) = (own.is_expired, own.allow.until) {
                    let message = format!("this ended on {until}, and `{}` is reported again", named.id);
                    out.report(named.span, message).decline("whether there is still a reason is a decision");
                } else if !own.is_attached {
                    let message = "no instruction stands directly below, so this silences nothing";
                    out.report(named.span, message).decline("it may belong to an instruction nearby");
                } else if is_certain && !own.is_used[at] {
                    let message = format!("`{}` finds nothing here that this could silence", named.id);
                    let finding = out.report(named.span, message);
                    match own.removal(at, is_all, file) {
                        Some(fix) => finding.fix(fix),
                        None => finding.decline("without this line, one below it could become a parser directive"),
                    };
                }
            }
        }
    }
}

impl Own {
    fn new(allow: Allow, scope: Scope, lines: Option<Span>) -> Self {
        let is_attached = !matches!(scope, Scope::Nothing);
        let is_used = vec![false; allow.names.len()];
        Self { allow, is_attached, lines, is_used, is_expired: false }
    }

    /// Takes the name at `at` out; the whole line if `is_all`, that is, if none of its names does anything.
    fn removal(&self, at: usize, is_all: bool, file: FileId) -> Option<Fix> {
        let names = &self.allow.names;
        let span = match (names.as_slice(), at) {
            _ if is_all => self.lines?,
            ([first, second, ..], 0) => between(first.span.start, second.span.start),
            (_, _) => between(names[at.checked_sub(1)?].span.end, names[at].span.end),
        };
        let reason = "no rule of that name finds anything here, and no builder reads comments";
        Some(Fix::new("Remove the `allow` that silences nothing", Safety::Safe, reason, vec![Edit::delete(file, span)]))
    }
}

impl Silent {
    fn enter(&mut self, scope: Scope, source: Source) {
        match scope {
            Scope::File => drop(self.everywhere.get_or_insert(source)),
            Scope::Instruction(span) => drop(self.instructions.entry(span.start).or_insert((span, source))),
            Scope::Line(span) => drop(self.lines.entry(span.start).or_insert((span, source))),
            Scope::Nothing => {}
        }
    }

    /// What silences a finding at `place`: a line that it touches, the instruction that it starts in, or the file.
    fn source(&self, place: Span) -> Option<&Source> {
        let of_line = self.lines.range(..=place.end).next_back().filter(|(_, (span, _))| span.end > place.start);
        let of_instruction = || {
            let last = self.instructions.range(..=place.start).next_back();
            last.filter(|(_, (span, _))| place.start <= span.end)
        };
        of_line.or_else(of_instruction).map(|(_, (_, source))| source).or(self.everywhere.as_ref())
    }
}

fn between(start: u32, end: u32) -> Span {
    Span { start, end }
}

/// The comments and directives of a file that could silence something, each with the line below that says something;
/// none if a blank line comes first. In order.
fn comments(file: &SourceFile, tree: &Dockerfile) -> Vec<(Token, Option<Span>)> {
    let mut found = Vec::new();
    let mut below = None;
    let mut line: Option<Span> = None;
    let mut is_blank = true;
    // From the end, so that each comment of a long block knows at once what stands below the block.
    for token in tree.tokens.iter().rev() {
        match token.kind {
            TokenKind::LineEnd => {
                below = if line.is_some() || is_blank { line } else { below };
                (line, is_blank) = (None, true);
            }
            TokenKind::Comment | TokenKind::Directive => {
                is_blank = false;
                if comment::may_silence(token.span.of(&file.text)) {
                    found.push((*token, below));
                }
            }
            TokenKind::Bom | TokenKind::Blank => {}
            TokenKind::Keyword
            | TokenKind::Flag
            | TokenKind::Text
            | TokenKind::Continuation
            | TokenKind::HeredocBody
            | TokenKind::HeredocEnd => line = Some(line.map_or(token.span, |line| line.to(token.span))),
        }
    }
    found.reverse();
    found
}

/// What the comment at `place` speaks about; `below` is the line below it.
fn scope(tree: &Dockerfile, place: Span, below: Option<Span>) -> Scope {
    let at = tree.instructions.partition_point(|instruction| instruction.span.end <= place.start);
    let (Some(next), Some(below)) = (tree.instructions.get(at), below) else { return Scope::Nothing };
    if next.span.start < place.start {
        Scope::Line(below)
    } else if below.start <= next.span.start && next.span.start <= below.end {
        Scope::Instruction(next.span)
    } else {
        Scope::Nothing
    }
}

/// Where the last comment above the first instruction starts that BuildKit would take for a directive further up.
fn last_directive_among_comments(file: &SourceFile, tree: &Dockerfile) -> Option<u32> {
    let end = tree.instructions.first().map_or(u32::MAX, |first| first.span.start);
    let above = tree.tokens.iter().take_while(|token| token.span.start < end);
    let like_a_directive =
        |token: &&Token| token.kind == TokenKind::Comment && comment::looks_like_a_directive(token.span.of(&file.text));
    above.filter(like_a_directive).map(|token| token.span.start).last()
}

/// The whole line of `span`, its line ending included; at the end of the file that of the line before.
fn line_of(span: Span, text: &[u8]) -> Span {
    let start = memchr::memrchr(b'\n', &text[..span.start as usize]).map_or(0, |at| at + 1);
    let start = if start == 0 && text.starts_with(b"\xef\xbb\xbf") { 3.min(span.start as usize) } else { start };
    match memchr::memchr(b'\n', &text[span.end as usize..]) {
        Some(at) => Span::new(start, span.end as usize + at + 1),
        None => Span::new(start, text.len()),
    }
}
