//! Pinning images: the digest of the lock behind the tag, where exactly one image takes it.

use crate::{
    model::{DockerfileModel, ImageUse, Stage, UsedBy},
    rule::{Cx, Fix, Safety},
    text::{Edit, Span},
};
use std::{borrow::Cow, cell::OnceCell, collections::HashMap};

/// Pins the images of one file.
pub struct Pins<'a, 'm> {
    cx: &'a Cx<'a, DockerfileModel<'m>>,
    /// How often each name stands in the instructions of the file; counted when the first argument is met.
    names: OnceCell<HashMap<&'a [u8], u32>>,
}

/// Where a digest goes.
struct Place {
    /// In front of this byte.
    at: usize,
    /// What else had to be read to be sure.
    relies_on: Span,
    safety: Safety,
    /// What is to be said beside that the lock has the digest.
    remark: Cow<'static, str>,
}

/// Why an image has no place for a digest.
type Reason = Cow<'static, str>;

impl<'a, 'm> Pins<'a, 'm> {
    /// Pins of the file that `cx` is about.
    pub fn new(cx: &'a Cx<'a, DockerfileModel<'m>>) -> Self {
        Self { cx, names: OnceCell::new() }
    }

    /// The fix that pins `image`; manual where the lock does not know it.
    ///
    /// # Errors
    /// If no digest can be written that holds for this image and no other: why.
    pub fn fix(&self, image: &ImageUse<'_>) -> Result<Fix, Reason> {
        const TITLE: &str = "Pin the image by digest";
        let name = image.reference.text();
        let place = self.place(image)?;
        let Some(locked) = self.cx.lock.image(&image.reference) else {
            let reason = format!("`ironhull.lock` has no digest of `{name}`; `ironhull lock` writes it down");
            return Ok(Fix::new(TITLE, Safety::Manual, reason, Vec::new()));
        };
        let tag = if image.reference.tag().is_none() { ":latest" } else { "" };
        let edit = Edit::insert(self.cx.file.id, place.at, format!("{tag}@{}", locked.digest));
        let reason = format!("`ironhull.lock` has the digest, resolved on {}{}", locked.resolved, place.remark);
        Ok(Fix::new(TITLE, place.safety, reason, vec![edit]).claiming(self.cx.file.id, place.relies_on))
    }

    fn place(&self, image: &ImageUse<'_>) -> Result<Place, Reason> {
        let text = image.reference.text();
        let at = |at: usize| Place { at, relies_on: image.span, safety: Safety::Safe, remark: "".into() };
        let written = self.cx.bytes(image.span);
        match image.by {
            UsedBy::From(stage) if !image.is_written_out() => self.place_in_argument(stage),
            UsedBy::From(_) | UsedBy::Step(_) if written == text.as_bytes() => Ok(at(image.span.end as usize)),
            UsedBy::From(_) => Err("the name is not written in one piece".into()),
            UsedBy::Step(_) => {
                let end = end_of_option(written, text).ok_or("the name is not written in one piece")?;
                Ok(at(image.span.start as usize + end))
            }
        }
    }

    /// The default of the one argument that ends the name, if nothing else reads it.
    fn place_in_argument(&self, stage: Stage<'_>) -> Result<Place, Reason> {
        let depends = &stage.base_value().depends;
        if stage.base_value().is_of_platform() {
            return Err("the name depends on the platform, and so would the digest".into());
        }
        let [dependency] = depends.as_slice() else {
            return Err("several arguments make up the name, and a digest holds for one of all combinations".into());
        };
        let name = &*dependency.name;
        let word = self.cx.text(stage.base_span());
        let before = [format!("${name}"), format!("${{{name}}}")]
            .iter()
            .find_map(|variable| word.strip_suffix(variable.as_str()).map(str::to_owned))
            .filter(|before| !before.contains('$'));
        let Some(before) = before else {
            return Err(format!("a digest behind `{word}` would win over whatever `{name}` is given").into());
        };
        let declared: Vec<_> = self.cx.model.global_arguments().iter().filter(|each| each.name == name).collect();
        let ([declared], 2) = (declared.as_slice(), self.count(name)) else {
            return Err(format!("`{name}` is read elsewhere too, where a digest would be wrong").into());
        };
        let (Some(value), Some(span)) = (&declared.value, declared.value_span) else {
            return Err(format!("`{name}` has no default to write a digest to").into());
        };
        let at = end_of_value(self.cx.bytes(span), &value.text)
            .map(|end| span.start as usize + end)
            .ok_or_else(|| format!("the default of `{name}` is made of others"))?;
        let (safety, remark) = if before.is_empty() {
            (Safety::Safe, format!("; nothing but this `FROM` reads `{name}`").into())
        } else {
            let remark = format!("; whoever reads `{name}` from outside of the file must expect a digest in it");
            (Safety::Risky, remark.into())
        };
        Ok(Place { at, relies_on: span, safety, remark })
    }

    /// How often `name` stands in the instructions of the file.
    fn count(&self, name: &str) -> u32 {
        let names = self.names.get_or_init(|| {
            let mut names = HashMap::new();
            for instruction in &self.cx.model.syntax.instructions {
                let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                for name in self.cx.file.bytes(instruction.span).split(|byte| !is_of_name(byte)) {
                    *names.entry(name).or_default() += 1;
                }
            }
            names
        });
        names.get(name.as_bytes()).copied().unwrap_or_default()
    }
}

/// Where `text` ends in `written`, which is it or it in quotes.
fn end_of_value(written: &[u8], text: &str) -> Option<usize> {
    if written == text.as_bytes() {
        return Some(written.len());
    }
    let ([b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\'']) = written else { return None };
    (inner == text.as_bytes()).then_some(written.len() - 1)
}

/// Where `text` ends in the value of a `--mount` that has it as `from=text`.
fn end_of_option(written: &[u8], text: &str) -> Option<usize> {
    let option = format!("from={text}");
    let mut start = 0;
    for part in written.split(|&byte| byte == b',') {
        if part == option.as_bytes() {
            return Some(start + part.len());
        }
        start += part.len() + 1;
    }
    None
}
