//! Edits of a YAML file that leave everything else as it is: a key or an item more, less or other.
//!
//! Comments, quotes, indentation, line endings and the form of collections stay. Each edit is read once more before it
//! is answered: the documents differ at the intended place and nowhere else, or there is no edit. What an alias, a merge
//! key, a repeated key or a template has a say in is not edited.

mod layout;
mod value;
mod verify;

pub use value::Value;

use super::{Entry, Form, Kind, NONE, Node, Style, Yaml};
use crate::text::{Edit, FileId, Span};
use layout::{Layout, Layouts};
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeMap,
    fmt,
};
use verify::{Change, Events, Part};

/// Makes edits of one YAML file.
#[derive(Debug)]
pub struct Editor<'y> {
    file: FileId,
    tree: &'y Yaml<'y>,
    /// What is to be known for an edit, found at the first one.
    known: OnceCell<Known<'y>>,
    /// How many bytes were read to verify edits.
    verified: Cell<usize>,
    /// By their starts, whether parts of the file mean on their own what they mean in it.
    parts: RefCell<BTreeMap<u32, bool>>,
}

#[derive(Debug)]
struct Known<'y> {
    layouts: Layouts,
    family: Family,
    /// Whether what a node holds has a say elsewhere, or elsewhere has a say in it.
    entangled: Vec<Option<Refusal>>,
    events: Events<'y>,
}

/// By node, what it lies in, and the key that it is the value of.
#[derive(Debug)]
struct Family {
    parents: Vec<u32>,
    keys: Vec<u32>,
}

/// Why something is not edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An alias leads there, or takes it elsewhere.
    Alias,
    /// Keys are merged into it.
    Merged,
    /// A key is written twice.
    Repeated,
    /// A template has a say in it.
    Template,
    /// It is written in a form that this does not edit.
    Form,
    /// Something else would have changed.
    Elsewhere,
    /// The file is too large to verify one edit more.
    TooLarge,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Refusal::Alias => "an alias takes this text to other places",
            Refusal::Merged => "keys are merged in here, and a change may be overruled",
            Refusal::Repeated => "a key is written twice here, and programs disagree about which counts",
            Refusal::Template => "a template has a say here",
            Refusal::Form => "it is written in a form that is not edited",
            Refusal::Elsewhere => "the change would have changed more than is meant",
            Refusal::TooLarge => "the file is too large to verify another change",
        })
    }
}

/// Edits are verified as long as that takes no more than reading so many bytes.
const MOST_VERIFIED: usize = 16 * 1024 * 1024;

impl<'y> Editor<'y> {
    /// An editor of the file that `tree` was made of.
    pub fn new(file: FileId, tree: &'y Yaml<'y>) -> Self {
        Self { file, tree, known: OnceCell::new(), verified: Cell::new(0), parts: RefCell::default() }
    }

    fn known(&self) -> &Known<'y> {
        self.known.get_or_init(|| {
            let family = Family::of(self.tree);
            Known {
                layouts: Layouts::of(self.tree),
                entangled: entangled(self.tree, &family.parents),
                family,
                events: Events::of(self.tree),
            }
        })
    }

    fn layout(&self, collection: Node<'y>) -> Layout {
        self.known().layouts.inside(collection)
    }

    /// Gives `key` of `mapping` that value, whether it is there or not.
    ///
    /// # Errors
    /// Why it is not edited; a value is replaced only if it is a scalar, by a scalar.
    pub fn set(&self, mapping: Node<'y>, key: &str, value: &Value) -> Result<Edit, Refusal> {
        match mapping.entry(key) {
            Some(entry) => {
                self.check_tangles(mapping)?;
                self.replace(entry.value, value)
            }
            None => self.insert(mapping, key, value),
        }
    }

    /// Writes `value` where the scalar `node` stands, in quotes if it was; or where nothing stands.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn replace(&self, node: Node<'y>, value: &Value) -> Result<Edit, Refusal> {
        self.check(node)?;
        let Kind::Scalar(style) = node.kind() else { return Err(Refusal::Form) };
        if node.is_tagged() || node.is_template() {
            return Err(if node.is_tagged() { Refusal::Form } else { Refusal::Template });
        }
        let edit = match (node.span().is_empty(), value.is_scalar()) {
            (false, true) => Edit::replace(self.file, node.span(), value.in_style(style)),
            (true, true) => Edit::insert(self.file, node.span().end as usize, format!(" {}", value.flow())),
            (true, false) => self.fill(node, value)?,
            (false, false) => return Err(Refusal::Form),
        };
        self.verified(edit, &Change::Replace(node, value.events()))
    }

    /// Writes `value` in the place of `node`, which is the value of a key and holds nothing: `{}`, `[]`, `null`, or not
    /// even that. A collection gets lines of its own; a comment stays where it is.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn fill_empty(&self, node: Node<'y>, value: &Value) -> Result<Edit, Refusal> {
        let is_nothing = node.is_null() || node.form().is_some() && node.children().next().is_none();
        if !is_nothing || node.is_tagged() || node.is_template() {
            return Err(Refusal::Form);
        }
        if node.span().is_empty() {
            return self.replace(node, value);
        }
        self.check(node)?;
        let text = self.tree.text;
        let end = node.span().end as usize;
        let rest = &text[end..end_of_line(text, end)];
        let shown = rest.trim_ascii_start();
        let ends_line = shown.is_empty() || shown.starts_with(b"#");
        let is_in_block = self.parent(node).is_some_and(|parent| parent.kind() == Kind::Mapping(Form::Block));
        let edit = if value.is_scalar() || !ends_line || !is_in_block {
            Edit::replace(self.file, node.span(), value.flow())
        } else {
            let lines = self.fill(node, value)?;
            // The blanks in front of it would be left at the end of the line.
            let before = text[..node.span().start as usize].trim_ascii_end().len();
            let rest = String::from_utf8_lossy(if shown.is_empty() { shown } else { rest });
            Edit::replace(self.file, Span::new(before, end_of_line(text, end)), rest.into_owned() + &lines.text)
        };
        self.verified(edit, &Change::Replace(node, value.events()))
    }

    /// Adds `key` to `mapping`, behind the others.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn insert(&self, mapping: Node<'y>, key: &str, value: &Value) -> Result<Edit, Refusal> {
        self.insert_all(mapping, [(key, value.clone())])
    }

    /// Adds several keys to `mapping`, behind the others.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn insert_all<'t>(
        &self,
        mapping: Node<'y>,
        entries: impl IntoIterator<Item = (&'t str, Value)>,
    ) -> Result<Edit, Refusal> {
        self.check(mapping)?;
        let Kind::Mapping(form) = mapping.kind() else { return Err(Refusal::Form) };
        let entry = Value::map(entries);
        let Value::Map(added) = &entry else { return Err(Refusal::Form) };
        if added.iter().any(|(key, _)| mapping.entry(key).is_some()) {
            return Err(Refusal::Repeated);
        }
        let last = mapping.entries().last();
        let edit = match form {
            Form::Block => {
                let Some(last) = last else { return Err(Refusal::Form) };
                let column = self.column(mapping.span().start)?;
                self.behind(last.span().end, &entry.block(column, &self.layout(mapping)))
            }
            Form::Flow => self.within_brackets(mapping, last.map(|entry| entry.span()), &entry.flow_inside())?,
        };
        self.verified(edit, &Change::Insert(mapping, entry.events_inside()))
    }

    /// Adds an item to `sequence`, behind the others.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn append(&self, sequence: Node<'y>, value: &Value) -> Result<Edit, Refusal> {
        self.append_all(sequence, vec![value.clone()])
    }

    /// Adds several items to `sequence`, behind the others.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn append_all(&self, sequence: Node<'y>, values: Vec<Value>) -> Result<Edit, Refusal> {
        self.check(sequence)?;
        let Kind::Sequence(form) = sequence.kind() else { return Err(Refusal::Form) };
        let last = sequence.items().last();
        let item = Value::List(values);
        let edit = match form {
            Form::Block => {
                let Some(last) = last else { return Err(Refusal::Form) };
                let column = self.column(sequence.span().start)?;
                self.behind(last.span().end.max(last.lead() + 1), &item.block(column, &self.layout(sequence)))
            }
            Form::Flow => self.within_brackets(sequence, last.map(Node::span), &item.flow_inside())?,
        };
        self.verified(edit, &Change::Insert(sequence, item.events_inside()))
    }

    /// Adds a document behind the others.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn append_document(&self, value: &Value) -> Result<Edit, Refusal> {
        if self.tree.is_masked {
            return Err(Refusal::Template);
        }
        let text = self.tree.text;
        let layout = &self.known().layouts.at_end();
        let begin = if text.ends_with(b"\n") { "" } else { layout.ending };
        let lines: String = value.block(0, layout).into_iter().map(|line| line + layout.ending).collect();
        let edit = Edit::insert(self.file, text.len(), format!("{begin}---{}{lines}", layout.ending));
        self.verified(edit, &Change::Append(value.events()))
    }

    /// Takes `key` out of `mapping`, and the mapping with it if that holds nothing else.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn remove_key(&self, mapping: Node<'y>, key: &str) -> Result<Edit, Refusal> {
        self.check(mapping)?;
        let Some(entry) = mapping.entry(key) else { return Err(Refusal::Form) };
        if self.is_entangled_below(entry.value) {
            return Err(Refusal::Alias);
        }
        let count = mapping.entries().take(2).count();
        if count == 1 {
            return self.remove_whole(mapping);
        }
        let edit = match mapping.form() {
            Some(Form::Block) => self.without_lines(mapping, entry)?,
            Some(Form::Flow) => {
                let places: Vec<Span> = mapping.entries().map(|entry| entry.span()).collect();
                self.without_flow(&places, entry.span())
            }
            None => return Err(Refusal::Form),
        };
        self.verified(edit, &Change::Remove(entry.key, entry.value))
    }

    /// Takes `item` out of the sequence that holds it, and the sequence with it if that holds nothing else.
    ///
    /// # Errors
    /// Why it is not edited.
    pub fn remove_item(&self, item: Node<'y>) -> Result<Edit, Refusal> {
        let Some(sequence) = self.parent(item) else { return Err(Refusal::Form) };
        self.check(sequence)?;
        if self.is_entangled_below(item) {
            return Err(Refusal::Alias);
        }
        if sequence.items().take(2).count() == 1 {
            return self.remove_whole(sequence);
        }
        let edit = match sequence.kind() {
            Kind::Sequence(Form::Block) => {
                let end = item.span().end.max(item.lead() + 1);
                self.lines(item.lead(), end)?
            }
            Kind::Sequence(Form::Flow) => {
                let places: Vec<Span> = sequence.items().map(Node::span).collect();
                self.without_flow(&places, item.span())
            }
            Kind::Mapping(_) | Kind::Scalar(_) | Kind::Alias => return Err(Refusal::Form),
        };
        self.verified(edit, &Change::Remove(item, item))
    }

    /// Takes the key out that has `collection` as its value.
    fn remove_whole(&self, collection: Node<'y>) -> Result<Edit, Refusal> {
        let parent = self.parent(collection).filter(|parent| parent.is_mapping()).ok_or(Refusal::Form)?;
        let entry = parent.entries().find(|entry| entry.value.id == collection.id).ok_or(Refusal::Form)?;
        self.remove_key(parent, entry.key.scalar().ok_or(Refusal::Form)?)
    }

    fn parent(&self, node: Node<'y>) -> Option<Node<'y>> {
        let id = self.known().family.parents[node.id as usize];
        (id != NONE).then_some(Node { yaml: self.tree, id })
    }

    fn check(&self, node: Node<'y>) -> Result<(), Refusal> {
        if self.verified.get() > MOST_VERIFIED {
            return Err(Refusal::TooLarge);
        }
        if !self.tree.is_open_to_edits(node.span()) {
            return Err(Refusal::Template);
        }
        self.check_tangles(node)
    }

    /// Whether nothing elsewhere has a say in `node`, and the other way round.
    fn check_tangles(&self, node: Node<'y>) -> Result<(), Refusal> {
        if node.kind() == Kind::Alias {
            return Err(Refusal::Alias);
        }
        self.known().entangled[node.id as usize].map_or(Ok(()), Err)
    }

    /// Whether aliases elsewhere may need what lies in `node`.
    fn is_entangled_below(&self, node: Node<'y>) -> bool {
        let below = &self.tree.nodes[node.id as usize..];
        below.iter().take_while(|other| other.span.end <= node.span().end).any(|other| other.is_anchored)
    }

    /// Writes a collection behind the `:` or `-` of `node`, which is nothing yet.
    fn fill(&self, node: Node<'y>, value: &Value) -> Result<Edit, Refusal> {
        let parent = self.parent(node).ok_or(Refusal::Form)?;
        let Kind::Mapping(Form::Block) = parent.kind() else { return Err(Refusal::Form) };
        let column = self.column(parent.span().start)?;
        let layout = self.layout(parent);
        let inner = column + if value.is_list() { layout.list } else { layout.step };
        Ok(self.behind(node.span().end, &value.block(inner, &layout)))
    }

    /// New lines behind the line that `end` is on.
    fn behind(&self, end: u32, lines: &[String]) -> Edit {
        let text = self.tree.text;
        let at = end_of_line(text, end as usize);
        let ending = self.known().layouts.ending;
        Edit::insert(self.file, at, lines.iter().fold(String::new(), |text, line| text + ending + line))
    }

    /// `inside` behind the last of what a collection in brackets holds.
    fn within_brackets(&self, collection: Node<'y>, last: Option<Span>, inside: &str) -> Result<Edit, Refusal> {
        let text = self.tree.text;
        let Some(last) = last else {
            let open = collection.span().start as usize + 1;
            let is_empty = text[open..].trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'}' | b']'));
            return if is_empty { Ok(Edit::insert(self.file, open, inside)) } else { Err(Refusal::Form) };
        };
        let line = start_of_line(text, last.start as usize);
        let indent = &text[line..last.start as usize];
        let has_own_line = line > 0 && indent.iter().all(|&byte| byte == b' ');
        if !has_own_line {
            return Ok(Edit::insert(self.file, last.end as usize, format!(", {inside}")));
        }
        // A comment behind the last entry would move to the new one.
        let rest = &text[last.end as usize..end_of_line(text, last.end as usize)];
        if rest.contains(&b'#') {
            return Err(Refusal::Form);
        }
        let text = format!(",{}{}{inside}", self.known().layouts.ending, " ".repeat(indent.len()));
        Ok(Edit::insert(self.file, last.end as usize, text))
    }

    fn without_flow(&self, places: &[Span], place: Span) -> Edit {
        let at = places.iter().position(|other| *other == place).unwrap_or_default();
        let span = match (places.get(at + 1), at.checked_sub(1).map(|before| places[before])) {
            (Some(next), _) => Span { start: place.start, end: next.start },
            (None, Some(before)) => Span { start: before.end, end: place.end },
            (None, None) => place,
        };
        Edit::delete(self.file, span)
    }

    /// Takes out the lines of an entry; one that stands behind a `-` leaves its place to the next.
    fn without_lines(&self, mapping: Node<'y>, entry: Entry<'y>) -> Result<Edit, Refusal> {
        let start = entry.key.span().start;
        if self.begins_its_line(start as usize) {
            return self.lines(start, entry.span().end.max(entry.value.lead() + 1));
        }
        let next = mapping.entries().find(|other| other.key.span().start > start).ok_or(Refusal::Form)?;
        let end = next.key.span().start;
        let between = &self.tree.text[entry.span().end as usize..end as usize];
        if between.contains(&b'#') {
            return Err(Refusal::Form);
        }
        Ok(Edit::delete(self.file, Span { start, end }))
    }

    /// Takes out the lines from `start`, the first that shows on its line, to `end`.
    fn lines(&self, start: u32, end: u32) -> Result<Edit, Refusal> {
        let text = self.tree.text;
        if !self.begins_its_line(start as usize) {
            return Err(Refusal::Form);
        }
        let from = start_of_line(text, start as usize);
        let until = end_of_line(text, end as usize);
        let after = match &text[until..] {
            [b'\r', b'\n', ..] => until + 2,
            [b'\n', ..] => until + 1,
            _ => {
                // The last line has no ending of its own and takes that of the line before.
                let before = text[..from].strip_suffix(b"\n").unwrap_or(&text[..from]);
                let before = before.strip_suffix(b"\r").unwrap_or(before);
                return Ok(Edit::delete(self.file, Span::new(before.len(), until)));
            }
        };
        Ok(Edit::delete(self.file, Span::new(from, after)))
    }

    fn begins_its_line(&self, at: usize) -> bool {
        let line = start_of_line(self.tree.text, at);
        let before = self.tree.text[line..at].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.tree.text[line..at]);
        before.iter().all(|&byte| byte == b' ')
    }

    /// How far the first child of a block collection is from the start of its line.
    fn column(&self, at: u32) -> Result<usize, Refusal> {
        let text = self.tree.text;
        let line = start_of_line(text, at as usize);
        let before = text[line..at as usize].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text[line..at as usize]);
        // A document may begin on the line of its `---`.
        let is_plain = before.iter().all(|&byte| matches!(byte, b' ' | b'-')) && !before.starts_with(b"---");
        if is_plain { Ok(before.len()) } else { Err(Refusal::Form) }
    }

    fn verified(&self, edit: Edit, change: &Change<'y, '_>) -> Result<Edit, Refusal> {
        let part = self.part_around(change).filter(|part| part.span.covers(edit.span) && self.stands_alone(part));
        let part = part.unwrap_or_else(|| Part::whole(self.tree.text));
        self.charge(part.span)?;
        let start = part.span.start as usize;
        let mut after = part.span.of(self.tree.text).to_vec();
        after.splice(edit.span.start as usize - start..edit.span.end as usize - start, edit.text.bytes());
        if self.known().events.differ_only_by(change, &part, after) { Ok(edit) } else { Err(Refusal::Elsewhere) }
    }

    /// Counts what is read to verify edits.
    fn charge(&self, span: Span) -> Result<(), Refusal> {
        self.verified.set(self.verified.get() + span.len());
        if self.verified.get() > MOST_VERIFIED { Err(Refusal::TooLarge) } else { Ok(()) }
    }

    /// Whether `part` means on its own what it means in the file.
    fn stands_alone(&self, part: &Part) -> bool {
        if let Some(known) = self.parts.borrow().get(&part.span.start) {
            return *known;
        }
        let is_read = self.charge(part.span).is_ok() && self.known().events.are_those_of(part, self.tree.text);
        self.parts.borrow_mut().insert(part.span.start, is_read);
        is_read
    }

    /// The lines of the nearest key or item that all of `change` lies in, if it has lines of its own.
    ///
    /// What a block collection holds means the same wherever it stands, aliases apart, so that an edit of a large file
    /// need not read all of it again.
    fn part_around(&self, change: &Change<'y, '_>) -> Option<Part> {
        let family = &self.known().family;
        let mut id = match change {
            Change::Replace(node, _) | Change::Insert(node, _) => node.id,
            Change::Remove(first, _) => family.parents[first.id as usize],
            Change::Append(_) => NONE,
        };
        while id != NONE && family.parents[id as usize] != NONE {
            let parent = family.parents[id as usize];
            let data = |id: u32| &self.tree.nodes[id as usize];
            let (first, start) = match data(parent).kind {
                Kind::Mapping(Form::Block) if family.keys[id as usize] != NONE => {
                    let key = family.keys[id as usize];
                    (key, data(key).span.start)
                }
                Kind::Sequence(Form::Block) => (id, data(id).lead),
                Kind::Mapping(_) | Kind::Sequence(Form::Flow) | Kind::Scalar(_) | Kind::Alias => (NONE, 0),
            };
            if first != NONE && self.begins_its_line(start as usize) {
                let from = start_of_line(self.tree.text, start as usize);
                let span = Span::new(from, self.end_of_part(id));
                return Some(Part { span, nodes: Some((first, id)), column: start as usize - from });
            }
            id = parent;
        }
        None
    }

    /// Where the line begins of what follows the node `id` in its document, or where the document ends.
    fn end_of_part(&self, mut id: u32) -> usize {
        let family = &self.known().family;
        let last = self.tree.nodes[id as usize].span.end as usize;
        while id != NONE {
            let data = |id: u32| &self.tree.nodes[id as usize];
            let next = data(id).next;
            if next != NONE {
                let is_item = matches!(data(family.parents[id as usize]).kind, Kind::Sequence(_));
                let start = if is_item { data(next).lead } else { data(next).span.start };
                return start_of_line(self.tree.text, start as usize).max(last);
            }
            id = family.parents[id as usize];
        }
        let ends = [b"\n---".as_slice(), b"\n..."];
        let rest = &self.tree.text[last..];
        let end = ends.iter().filter_map(|mark| memchr::memmem::find(rest, mark)).min();
        end.map_or(self.tree.text.len(), |end| last + end + 1)
    }
}

impl Family {
    fn of(tree: &Yaml<'_>) -> Self {
        let mut family = Self { parents: vec![NONE; tree.nodes.len()], keys: vec![NONE; tree.nodes.len()] };
        for node in tree.nodes() {
            for child in node.children() {
                family.parents[child.id as usize] = node.id;
            }
            if let Kind::Mapping(_) = node.kind() {
                for entry in node.entries() {
                    family.keys[entry.value.id as usize] = entry.key.id;
                }
            }
        }
        family
    }
}

/// Of each node why it is not edited: because of itself, or of what it lies in.
fn entangled<'y>(tree: &'y Yaml<'y>, parents: &[u32]) -> Vec<Option<Refusal>> {
    let mut named = vec![false; tree.nodes.len()];
    for node in tree.nodes().filter(|node| node.kind() == Kind::Alias) {
        named[node.resolved().id as usize] = true;
    }
    let mut entangled: Vec<Option<Refusal>> = Vec::with_capacity(tree.nodes.len());
    for node in tree.nodes() {
        let above = match parents[node.id as usize] {
            NONE => None,
            // Merging says something of the mapping only, and not of what its values hold.
            parent => entangled[parent as usize].filter(|refusal| *refusal != Refusal::Merged),
        };
        let own = || {
            let id = node.id as usize;
            if named[id] && node.kind() != Kind::Alias {
                Some(Refusal::Alias)
            } else if node.repeats_a_key() {
                Some(Refusal::Repeated)
            } else {
                let is_merge = |entry: Entry<'_>| {
                    entry.key.kind() == Kind::Scalar(Style::Plain) && entry.key.scalar() == Some("<<")
                };
                let is_own = node.kind() != Kind::Alias;
                (is_own && node.entries().any(is_merge)).then_some(Refusal::Merged)
            }
        };
        entangled.push(above.or_else(own));
    }
    entangled
}

fn start_of_line(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |line| line + 1)
}

/// Where the line of `at` ends, its line ending left out.
fn end_of_line(text: &[u8], at: usize) -> usize {
    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |line| at + line);
    if end > at && end < text.len() && text[end - 1] == b'\r' { end - 1 } else { end }
}

#[cfg(test)]
mod tests;
