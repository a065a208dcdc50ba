//! A template with the chart's own values in the place of the actions that pass them on.
//!
//! What such an action writes is known: the value that the chart ships with. It stands there on one line, in brackets,
//! and every place in it is the place of its action. A change of it is a change of `values.yaml`, made by the editor of
//! that file and never by copying text.

use super::passed::{Passed, passed};
use crate::{
    context::{BuildContext, Found, join},
    syntax::yaml::{self, Editor, Node, Value, Yaml},
    text::{Edit, FileId, Span},
};
use std::cell::Cell;

/// A template and the values in it.
#[derive(Debug)]
pub struct Rendered {
    /// The template with its values.
    pub text: Vec<u8>,
    /// In order.
    parts: Vec<Part>,
    values: Found,
    /// How many bytes of values were read to change them.
    read: Cell<usize>,
}

/// A value in the place of an action.
#[derive(Clone, Debug)]
struct Part {
    /// Where it stands in the rendered text.
    span: Span,
    /// What it stands for in the template.
    action: Span,
    /// The keys that lead to it, where it is the whole of what it stands in.
    path: Option<Vec<String>>,
}

/// Collections of values lie no deeper in each other; the parser has a limit of its own.
const DEEPEST: usize = 32;

/// Larger files of values are not looked into.
const LARGEST: usize = 256 * 1024;

/// So many actions of a template are looked at, and so many bytes of values written in their places; the rest stays
/// what only whoever renders it knows.
const MOST_ACTIONS: usize = 1024;
const MOST_WRITTEN: usize = 1024 * 1024;

/// Changes are looked for as long as that takes no more than reading so many bytes of values; the next round of repairs
/// looks for those that are left.
const MOST_READ: usize = 256 * 1024;

impl Rendered {
    /// The template `text` with the values of the chart that it belongs to; none where it passes none of them on.
    pub fn of(text: &[u8], context: &BuildContext<'_>) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        memchr::memmem::find(text.as_bytes(), b".Values.")?;
        let root = root(context)?;
        let chart = context.at(&join(root, "Chart.yaml")).filter(|found| found.text.len() <= LARGEST)?;
        let values = context.at(&join(root, "values.yaml")).filter(|found| found.text.len() <= LARGEST)?;
        let parsed = yaml::parse(&values.text);
        let chart = yaml::parse(&chart.text);
        let version = chart.tree.documents().next().and_then(|top| top.get("appVersion")?.scalar());
        let top = parsed.tree.documents().next().filter(|_| parsed.errors.is_empty())?;
        let mut rendered = Writing { text, top, version, out: String::with_capacity(text.len()), parts: Vec::new() };
        rendered.write(&yaml::parse(text.as_bytes()).tree);
        let Writing { out, parts, .. } = rendered;
        (!parts.is_empty()).then(|| Self { text: out.into_bytes(), parts, values, read: Cell::new(0) })
    }

    /// The file that the values come from.
    pub fn values(&self) -> &Found {
        &self.values
    }

    /// Where values stand that may be changed.
    pub fn open(&self) -> impl Iterator<Item = Span> {
        self.parts.iter().filter(|part| part.path.is_some()).map(|part| part.span)
    }

    /// The place in the template of `span` in the rendered text.
    pub fn place(&self, span: Span) -> Span {
        let start = self.offset(span.start, |part| part.action.start);
        let end = if span.is_empty() { start } else { self.offset(span.end, |part| part.action.end) };
        Span { start, end: end.max(start) }
    }

    /// The place of `at`; in a value, what `within` says of its part.
    fn offset(&self, at: u32, within: impl Fn(&Part) -> u32) -> u32 {
        let before = self.parts.partition_point(|part| part.span.start <= at);
        match before.checked_sub(1).map(|index| &self.parts[index]) {
            Some(part) if at < part.span.end => within(part),
            Some(part) => part.action.end + (at - part.span.end),
            None => at,
        }
    }

    /// What `edits` of the rendered text are in `values.yaml`, in order.
    ///
    /// # Errors
    /// Why they are none.
    pub fn edits_of_values(&self, edits: &[Edit]) -> Result<Vec<Edit>, String> {
        const ELSEWHERE: &str = "the template says this itself, and only `values.yaml` of a chart is edited";
        self.read.set(self.read.get() + self.values.text.len());
        if self.read.get() > MOST_READ {
            return Err("the values are too large to verify another change".to_owned());
        }
        let parsed = yaml::parse(&self.values.text);
        let editor = Editor::new(FileId::BESIDE, &parsed.tree);
        let top = parsed.tree.documents().next().ok_or(ELSEWHERE)?;
        let mut found: Vec<Edit> = Vec::new();
        let mut inside = 0;
        let first = edits.iter().map(|edit| edit.span.start).min().unwrap_or_default();
        let last = edits.iter().map(|edit| edit.span.end).max().unwrap_or_default();
        let from = self.parts.partition_point(|part| part.span.end < first);
        for part in self.parts[from..].iter().take_while(|part| part.span.start <= last) {
            let Some(path) = &part.path else { continue };
            let own: Vec<&Edit> = edits.iter().filter(|edit| part.span.covers(edit.span)).collect();
            if own.is_empty() {
                continue;
            }
            inside += own.len();
            let mut text = part.span.of(&self.text).to_vec();
            for edit in own.iter().rev() {
                let (start, end) = (edit.span.start - part.span.start, edit.span.end - part.span.start);
                text.splice(start as usize..end as usize, edit.text.bytes());
            }
            let after = yaml::parse(&text);
            let new = after.tree.documents().next().filter(|_| after.errors.is_empty()).ok_or(ELSEWHERE)?;
            let old = path.iter().try_fold(top, |node, key| node.get(key)).ok_or(ELSEWHERE)?;
            found.extend(changes(&editor, old, new, 0)?);
        }
        if inside < edits.len() { Err(ELSEWHERE.to_owned()) } else { in_order(found) }
    }
}

/// The directory of the chart that the checked file is a template of.
fn root<'a>(context: &BuildContext<'a>) -> Option<&'a str> {
    let is_templates = |at: &&str| *at == "templates" || at.ends_with("/templates");
    let templates = context.directories().find(is_templates)?;
    Some(templates.strip_suffix("templates")?.trim_end_matches('/'))
}

/// A rendered text in the making.
struct Writing<'t, 'v> {
    text: &'t str,
    /// The chart's values.
    top: Node<'v>,
    /// What `.Chart.AppVersion` is.
    version: Option<&'v str>,
    out: String,
    parts: Vec<Part>,
}

/// What an action stands for on its line.
enum Place {
    /// The whole value of a key, so many blanks too far to the left.
    Whole(usize),
    /// All that is in a pair of quotes behind a key.
    Quoted,
    /// A part of a scalar.
    Within,
}

impl Writing<'_, '_> {
    fn write(&mut self, tree: &Yaml<'_>) {
        let branches = tree.branches();
        let mut from = 0;
        let passing = tree.actions().iter().filter_map(|&span| Some((span, passed(self.text, span, &branches)?)));
        for (action, passed) in passing.take(MOST_ACTIONS).collect::<Vec<_>>() {
            if self.out.len() > from + MOST_WRITTEN {
                break;
            }
            let place = self.place(action);
            let Some((written, is_own)) = self.written(&passed, &place) else { continue };
            let action = match place {
                Place::Quoted => Span { start: action.start - 1, end: action.end + 1 },
                Place::Whole(_) | Place::Within => action,
            };
            self.out.push_str(&self.text[from..action.start as usize]);
            if let Place::Whole(missing) = place {
                self.out.extend(std::iter::repeat_n(' ', missing));
            }
            let start = self.out.len();
            self.out.push_str(&written);
            let is_whole = !matches!(place, Place::Within);
            let path = (is_own && is_whole).then(|| passed.path.iter().map(|key| (*key).to_owned()).collect());
            self.parts.push(Part { span: Span::new(start, self.out.len()), action, path });
            from = action.end as usize;
        }
        self.out.push_str(&self.text[from..]);
    }

    /// How `passed` is written in that place, and whether that is the value itself, and no default.
    fn written(&self, passed: &Passed<'_>, place: &Place) -> Option<(String, bool)> {
        let value = passed.path.iter().try_fold(self.top, |node, key| node.get(key))?;
        let is_null = value.is_null();
        if passed.is_yaml && matches!(place, Place::Whole(_)) {
            // Nothing is as good as an empty mapping where an object would be.
            let value = if is_null { Value::map([]) } else { Value::of(value)? };
            return Some((value.flow(), true));
        }
        let text = value.scalar().filter(|text| !is_null && !text.is_empty());
        let (text, is_own) = match (text, passed.default) {
            (Some("0" | "false"), Some(_)) | (None, None) => return None,
            (Some(text), _) => (text, true),
            (None, Some(".Chart.AppVersion")) => (self.version?, false),
            (None, Some(default)) => (default.strip_prefix('"')?.strip_suffix('"')?, false),
        };
        let is_plain = !text.is_empty() && text.bytes().all(is_ordinary) && !text.ends_with(':');
        match place {
            Place::Within | Place::Quoted if passed.is_quoted || passed.is_yaml => None,
            Place::Within => is_plain.then(|| (text.to_owned(), is_own)),
            Place::Quoted => Some((format!("\"{}\"", Some(text).filter(|_| is_plain)?), is_own)),
            Place::Whole(_) if passed.is_quoted || !is_plain => Some((Value::text(text).flow(), is_own)),
            Place::Whole(_) => Some((text.to_owned(), is_own)),
        }
    }

    fn place(&self, action: Span) -> Place {
        let (before, after) = (&self.text[..action.start as usize], &self.text[action.end as usize..]);
        let rest = after.lines().next().unwrap_or_default().trim();
        let ends = |rest: &str| rest.is_empty() || rest.starts_with('#');
        let inside = before.strip_suffix('"').filter(|before| before.ends_with(": "));
        if inside.is_some() && rest.strip_prefix('"').is_some_and(|rest| ends(rest.trim_start())) {
            return Place::Quoted;
        }
        let head = before.trim_ascii_end();
        if !head.ends_with(':') || !ends(rest) {
            return Place::Within;
        }
        let column = |before: &str| before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        if head.len() == before.len() {
            return Place::Whole(1);
        }
        if !before[head.len()..].contains('\n') {
            return Place::Whole(0);
        }
        let line = head.rfind('\n').map_or(0, |at| at + 1);
        let key = head[line..].len() - head[line..].trim_start_matches([' ', '-']).len();
        Place::Whole((key + 1).saturating_sub(column(before)))
    }
}

/// Bytes that a plain scalar may have anywhere in it, but for the `:` at its end.
fn is_ordinary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:@+".contains(&byte)
}

/// What has to change in `old`, a value of the chart, for it to be `new`.
fn changes<'y>(editor: &Editor<'y>, old: Node<'y>, new: Node<'_>, depth: usize) -> Result<Vec<Edit>, String> {
    let refused = |refusal: yaml::Refusal| refusal.to_string();
    let written = || Value::of(new).ok_or_else(|| "the value is too deep to be written".to_owned());
    if depth > DEEPEST {
        return Err("the value is too deep to be written".to_owned());
    }
    let is_nothing = old.is_null() || old.form().is_some() && old.children().next().is_none();
    if is_nothing && new.children().next().is_some() {
        return Ok(vec![editor.fill_empty(old, &written()?).map_err(refused)?]);
    }
    if old.is_mapping() && new.is_mapping() {
        return changes_of_mapping(editor, old, new, depth);
    }
    if old.is_sequence() && new.is_sequence() {
        let (before, after): (Vec<_>, Vec<_>) = (old.items().collect(), new.items().collect());
        if after.len() < before.len() {
            return Err("it would take an item out of a list of `values.yaml`".to_owned());
        }
        let mut edits = Vec::new();
        for (old, new) in before.iter().zip(&after) {
            edits.extend(changes(editor, *old, *new, depth + 1)?);
        }
        let added = after[before.len()..].iter().map(|item| Value::of(*item));
        let added: Vec<Value> = added.collect::<Option<_>>().ok_or("the value is too deep to be written")?;
        if !added.is_empty() {
            edits.push(editor.append_all(old, added).map_err(refused)?);
        }
        return Ok(edits);
    }
    match (old.scalar(), new.scalar()) {
        (Some(before), Some(after)) if before == after => Ok(Vec::new()),
        (Some(_), Some(_)) => Ok(vec![editor.replace(old, &written()?).map_err(refused)?]),
        _ => Err("it would become something else than it is in `values.yaml`".to_owned()),
    }
}

fn changes_of_mapping<'y>(
    editor: &Editor<'y>,
    old: Node<'y>,
    new: Node<'_>,
    depth: usize,
) -> Result<Vec<Edit>, String> {
    let refused = |refusal: yaml::Refusal| refusal.to_string();
    let mut edits = Vec::new();
    for entry in old.entries() {
        let key = entry.key.scalar().ok_or("a key of `values.yaml` is no text")?;
        match new.get(key) {
            Some(value) => edits.extend(changes(editor, entry.value, value, depth + 1)?),
            None => edits.push(editor.remove_key(old, key).map_err(refused)?),
        }
    }
    let mut added = Vec::new();
    for entry in new.entries() {
        let key = entry.key.scalar().ok_or("a key would be no text")?;
        if old.get(key).is_none() {
            added.push((key, Value::of(entry.value).ok_or("the value is too deep to be written")?));
        }
    }
    if !added.is_empty() {
        edits.push(editor.insert_all(old, added).map_err(refused)?);
    }
    Ok(edits)
}

/// Edits of one file in order, equal ones once; those at one place as one, first the one further in.
fn in_order(mut edits: Vec<Edit>) -> Result<Vec<Edit>, String> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut apart: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        match apart.last_mut() {
            Some(last) if *last == edit => {}
            Some(last) if last.span == edit.span && edit.span.is_empty() => last.text += &edit.text,
            Some(last) if edit.span.start < last.span.end => {
                return Err("the changes of `values.yaml` would touch each other".to_owned());
            }
            Some(_) | None => apart.push(edit),
        }
    }
    Ok(apart)
}
