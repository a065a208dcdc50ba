//! Bake files: an entry of `args` becomes one of `secret`, in HCL and in the JSON form of it.
//!
//! Facts: Bake file reference, "target.args", "target.secret" (a list of what `build --secret` takes) and "variable" (its
//! value is that of the environment, else its default); a list of secrets may win over the one that is inherited. What a
//! function makes, or another target has a say in, is not edited.

use super::{Instead, Obstacle, Work, compose::is_name};
use crate::{
    context::{BuildContext, Found},
    model::graph::{self, Giver},
    source::FileKind,
    syntax::hcl::{self, Pair, Piece, Token},
    text::{Edit, FileId, LineIndex, Span},
};

const FORM: &str = "it is written in a form that is not edited";

pub(super) fn hand_over(work: &mut Work<'_>, found: &Found, around: BuildContext<'_>) -> Result<(), Obstacle> {
    let pieces = hcl::pieces(&found.text);
    if hcl::has_heredoc(&pieces) {
        // Who gives it is known by its line, and nothing is edited.
        work.by_all = false;
        return Ok(());
    }
    let baked = graph::baked(found, work.name, &work.dockerfile, around);
    work.by_all &= !baked.is_built_without;
    let lines = LineIndex::new(&found.text);
    let mut edits = Vec::new();
    let mut edited: Vec<&str> = Vec::new();
    for giver in &baked.givers {
        let is_another = |path: &Option<String>| path.as_ref().is_some_and(|path| *path != work.dockerfile);
        if !giver.builds.is_empty() && giver.builds.iter().all(is_another) {
            work.settle(found, &lines, giver.span);
            continue;
        }
        let target = Target { text: &found.text, pieces: &pieces, is_json: hcl::is_json(&pieces) };
        let line = lines.line(target.place(giver, work.name).unwrap_or(giver.span).start);
        let made = may_change(giver, &work.dockerfile).and_then(|()| target.edits(giver, work.name, work.instead));
        edits.extend(made.map_err(|why| Obstacle::new(&found.path, line, why.to_owned()))?);
        edited.push(&giver.name);
        work.settle(found, &lines, giver.span);
        work.note(&found.path, line);
    }
    work.apply(found, FileKind::Bake, edits)?;
    let Some(draft) = work.drafts.get(&found.path).map(|(_, draft)| draft) else { return Ok(()) };
    if rest(&draft.original, &edited) == rest(&draft.text, &edited) {
        return Ok(());
    }
    Err(Obstacle::new(&found.path, 1, "the change would have changed more than is meant".to_owned()))
}

/// Whether what the target gives is of the Dockerfile alone, and nobody else decides on it.
fn may_change(giver: &Giver, dockerfile: &str) -> Result<(), &'static str> {
    if giver.builds.is_empty() || giver.builds.iter().any(Option::is_none) {
        return Err("nobody can tell here what it builds");
    }
    if giver.builds.iter().flatten().any(|path| path != dockerfile) {
        return Err("it is of builds of other Dockerfiles as well");
    }
    if giver.is_shared { Err("other targets have a say in it") } else { Ok(()) }
}

/// What every target says, but for the arguments and secrets of those that are `edited`: the same before and after.
fn rest(text: &[u8], edited: &[&str]) -> Vec<(String, String, Vec<u8>)> {
    let pieces = hcl::pieces(text);
    let mut found = Vec::new();
    for kind in ["target", "variable", "group", "function"] {
        for block in hcl::blocks(&pieces, kind) {
            let is_meant = kind == "target" && edited.contains(&block.label);
            let pairs = hcl::pairs(&pieces, block.body).into_iter();
            let kept = pairs.filter(|pair| !is_meant || !matches!(pair.key, "args" | "secret"));
            found.extend(kept.map(|pair| {
                let value = Span::new(pair.span.start as usize, pair.span.end as usize).of(text).to_vec();
                (block.label.to_owned(), pair.key.to_owned(), value)
            }));
        }
    }
    found
}

/// A bake file, read for edits of its targets.
struct Target<'t> {
    text: &'t [u8],
    pieces: &'t [Piece<'t>],
    is_json: bool,
}

impl<'t> Target<'t> {
    fn attributes(&self, giver: &Giver) -> Option<Vec<Pair<'t>>> {
        let block = hcl::blocks(self.pieces, "target").into_iter().find(|block| block.span == giver.span)?;
        Some(hcl::pairs(self.pieces, block.body))
    }

    /// The only one of `pairs` with that key.
    fn only<'p>(pairs: &'p [Pair<'t>], key: &str) -> Option<&'p Pair<'t>> {
        let mut of_key = pairs.iter().filter(|pair| pair.key == key);
        of_key.next().filter(|_| of_key.next().is_none())
    }

    /// Where the target gives the argument.
    fn place(&self, giver: &Giver, name: &str) -> Option<Span> {
        let attributes = self.attributes(giver)?;
        let arguments = hcl::pairs(self.pieces, Self::only(&attributes, "args")?.value.start + 1);
        arguments.iter().find(|pair| pair.key == name).map(|pair| pair.span)
    }

    fn edits(&self, giver: &Giver, name: &str, instead: Instead<'_>) -> Result<Vec<Edit>, &'static str> {
        let attributes = self.attributes(giver).ok_or(FORM)?;
        let list = Self::only(&attributes, "args").filter(|list| self.is_between(list, b'{', b'}')).ok_or(FORM)?;
        let arguments = hcl::pairs(self.pieces, list.value.start + 1);
        let argument = Self::only(&arguments, name).ok_or(FORM)?;
        let is_alone = arguments.len() == 1 && !self.has_comment(list);
        let Instead::Secret(id) = instead else {
            return if is_alone { self.removal(list) } else { self.removal(argument) };
        };
        if attributes.iter().any(|pair| pair.key == "matrix") {
            return Err("a matrix has a say in it");
        }
        let variable = self.variable(argument)?;
        let secret = format!("\"id={id},env={variable}\"");
        let known = attributes.iter().find(|pair| pair.key == "secret");
        let attribute = if self.is_json { format!("\"secret\": [{secret}]") } else { format!("secret = [{secret}]") };
        match known {
            None if is_alone => Ok(vec![Edit::replace(FileId::BESIDE, list.span, attribute)]),
            None => {
                let mut edits = self.removal(argument)?;
                edits.push(self.insertion(list, &attribute)?);
                Ok(edits)
            }
            Some(known) => {
                let mut edits = if is_alone { self.removal(list)? } else { self.removal(argument)? };
                edits.push(self.addition(known, id, &secret)?);
                Ok(edits)
            }
        }
    }

    /// The variable of the environment that the value of `argument` is, if it is nothing but one.
    fn variable(&self, argument: &Pair<'t>) -> Result<&'t str, &'static str> {
        const NONE: &str = "its value is no variable of the environment that can be named";
        let [piece] = &self.pieces[argument.value.clone()] else { return Err(NONE) };
        let variable = match piece.token {
            Token::Word(word) => word,
            Token::Text(text) => text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).ok_or(NONE)?,
            Token::Sign(_) => return Err(NONE),
        };
        let declared = hcl::blocks(self.pieces, "variable");
        let mut declared = declared.iter().filter(|block| block.label == variable);
        let (Some(block), None, true) = (declared.next(), declared.next(), is_name(variable)) else { return Err(NONE) };
        let is_assigned = hcl::pairs(self.pieces, 0).iter().any(|pair| pair.key == variable);
        let empty = [Token::Text(""), Token::Word("null")];
        let settings = hcl::pairs(self.pieces, block.body);
        let mut defaults = settings.iter().filter(|pair| pair.key == "default");
        let is_empty =
            |pair: &Pair<'_>| matches!(&self.pieces[pair.value.clone()], [piece] if empty.contains(&piece.token));
        if is_assigned || !defaults.all(is_empty) {
            return Err("its variable has a value of its own in the file");
        }
        Ok(variable)
    }

    fn is_between(&self, pair: &Pair<'_>, open: u8, close: u8) -> bool {
        let value = &self.pieces[pair.value.clone()];
        let sign = |piece: Option<&Piece<'_>>, sign| piece.is_some_and(|piece| piece.token == Token::Sign(sign));
        value.len() > 1 && sign(value.first(), open) && sign(value.last(), close)
    }

    /// Whether something stands between the pieces of `pair`.
    fn has_comment(&self, pair: &Pair<'_>) -> bool {
        let pieces = &self.pieces[pair.value.clone()];
        let between = |pair: &[Piece<'_>]| Span { start: pair[0].span.end, end: pair[1].span.start };
        pieces.windows(2).any(|pair| !between(pair).of(self.text).trim_ascii().is_empty())
    }

    /// Takes `pair` out, with its line where it has one of its own.
    fn removal(&self, pair: &Pair<'_>) -> Result<Vec<Edit>, &'static str> {
        let is_comma = |piece: &&Piece<'_>| piece.token == Token::Sign(b',');
        let is_shown = |piece: &&Piece<'_>| piece.token != Token::Sign(b'\n');
        let key = self.pieces.partition_point(|piece| piece.span.start < pair.span.start);
        let before = self.pieces[..key].iter().rfind(is_shown).filter(is_comma);
        let behind = self.pieces[pair.value.end..].iter().find(is_shown).filter(is_comma);
        let end = behind.map_or(pair.span.end, |comma| comma.span.end) as usize;
        let line_start = memchr::memrchr(b'\n', &self.text[..pair.span.start as usize]).map_or(0, |at| at + 1);
        let line_end = memchr::memchr(b'\n', &self.text[end..]).map_or(self.text.len(), |at| end + at + 1);
        let begins = self.text[line_start..pair.span.start as usize].trim_ascii().is_empty();
        let ends = self.text[end..line_end].trim_ascii().is_empty();
        // The comma in front separated it from what is gone.
        let comma = before.filter(|_| behind.is_none()).map(|comma| Edit::delete(FileId::BESIDE, comma.span));
        if begins && ends {
            let whole = Edit::delete(FileId::BESIDE, Span::new(line_start, line_end));
            return Ok(comma.into_iter().chain([whole]).collect());
        }
        if begins && behind.is_none() {
            return Err("something else stands in its line");
        }
        let gone = match (behind, before) {
            (Some(_), _) => {
                let blank = self.text[end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                Span::new(pair.span.start as usize, end + blank)
            }
            (None, Some(comma)) => comma.span.to(pair.span),
            (None, None) => return Err(FORM),
        };
        Ok(vec![Edit::delete(FileId::BESIDE, gone)])
    }

    /// `attribute` in front of `pair`.
    fn insertion(&self, pair: &Pair<'_>, attribute: &str) -> Result<Edit, &'static str> {
        let start = pair.span.start as usize;
        let line_start = memchr::memrchr(b'\n', &self.text[..start]).map_or(0, |at| at + 1);
        let indent = std::str::from_utf8(&self.text[line_start..start]).map_err(|_| FORM)?;
        let ending = if self.text.contains(&b'\r') { "\r\n" } else { "\n" };
        let text = match (indent.trim().is_empty(), self.is_json) {
            (true, true) => format!("{attribute},{ending}{indent}"),
            (true, false) => format!("{attribute}{ending}{indent}"),
            (false, true) => format!("{attribute}, "),
            (false, false) => return Err("something else stands in its line"),
        };
        Ok(Edit::insert(FileId::BESIDE, start, text))
    }

    /// `new` behind the others of `secrets`.
    fn addition(&self, secrets: &Pair<'_>, id: &str, new: &str) -> Result<Edit, &'static str> {
        if !self.is_between(secrets, b'[', b']') || self.has_comment(secrets) {
            return Err(FORM);
        }
        let items = &self.pieces[secrets.value.start + 1..secrets.value.end - 1];
        let are_plain = items.iter().all(|item| matches!(item.token, Token::Text(_) | Token::Sign(b',' | b'\n')));
        let texts = items.iter().filter_map(|item| if let Token::Text(text) = item.token { Some(text) } else { None });
        let is_it = |text: &str| text.split(',').any(|part| part.trim().strip_prefix("id=") == Some(id));
        if !are_plain || texts.clone().any(|text| text.contains("${")) {
            return Err(FORM);
        }
        if texts.clone().any(is_it) {
            return Err("it has a secret of that name already");
        }
        let Some(last) = items.iter().rposition(|item| matches!(item.token, Token::Text(_))) else {
            let open = self.pieces[secrets.value.start].span.end;
            return Ok(Edit::insert(FileId::BESIDE, open as usize, new));
        };
        let comma = items[last + 1..].iter().find(|item| item.token == Token::Sign(b','));
        let start = items[last].span.start as usize;
        let line_start = memchr::memrchr(b'\n', &self.text[..start]).map_or(0, |at| at + 1);
        let indent = std::str::from_utf8(&self.text[line_start..start]).map_err(|_| FORM)?;
        let ending = if self.text.contains(&b'\r') { "\r\n" } else { "\n" };
        let gap = if indent.trim().is_empty() { format!("{ending}{indent}") } else { " ".to_owned() };
        let (at, text) = match comma {
            Some(comma) => (comma.span.end, format!("{gap}{new},")),
            None => (items[last].span.end, format!(",{gap}{new}")),
        };
        Ok(Edit::insert(FileId::BESIDE, at as usize, text))
    }
}
