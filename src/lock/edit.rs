//! Writing digests into the text of a lock file, which keeps its entries, their order and every comment.

use super::{BadLock, Listing, Lock, WireLock, key};
use crate::model::Reference;
use std::{fmt::Write as _, ops::Range};

/// A lock file with more in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The new text.
    pub text: String,
    /// Names of images and addresses that were not in it.
    pub added: Vec<String>,
    /// Names of those that had another digest.
    pub changed: Vec<String>,
}

/// The text of a lock file with what `listing` tells; `day` is when, `YYYY-MM-DD`. An empty text is a new file.
///
/// # Errors
/// If `text` is no lock file.
pub fn update(text: &str, listing: &Listing, day: &str) -> Result<Update, BadLock> {
    let is_new = text.trim().is_empty();
    let wire = if is_new { WireLock::default() } else { WireLock::read(text)? };
    let known = if is_new { Lock::default() } else { Lock::parse(text)? };
    let mut edits = Edits::default();
    for entry in &wire.image {
        let Some(told) =
            Reference::parse(entry.reference.as_str()).ok().and_then(|name| listing.images.get(&key(&name)))
        else {
            continue;
        };
        if *entry.digest.get_ref() != told.digest {
            edits.replace(entry.digest.span(), format!("\"{}\"", told.digest));
            edits.replace(entry.resolved.span(), day.to_owned());
            edits.changed.push(entry.reference.clone());
        }
    }
    for entry in &wire.url {
        let Some(told) = listing.urls.get(&entry.url) else { continue };
        if *entry.sha256.get_ref() != told.digest {
            edits.replace(entry.sha256.span(), format!("\"{}\"", told.digest));
            edits.replace(entry.resolved.span(), day.to_owned());
            edits.changed.push(entry.url.clone());
        }
    }
    let mut more = String::new();
    let mut added = Vec::new();
    for (name, told) in listing.images.iter().filter(|(name, _)| !known.images.contains_key(*name)) {
        append(&mut more, "image", [("reference", name), ("digest", &told.digest)], day);
        added.push(name.clone());
    }
    for (url, told) in listing.urls.iter().filter(|(url, _)| !known.urls.contains_key(*url)) {
        append(&mut more, "url", [("url", url), ("sha256", &told.digest)], day);
        added.push(url.clone());
    }
    let mut changed = std::mem::take(&mut edits.changed);
    changed.sort();
    let start = if is_new { "version = 1\n" } else { "" };
    let mut new = format!("{start}{}", edits.applied(text));
    if !more.is_empty() {
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        if !new.ends_with('\n') {
            new.push_str(ending);
        }
        new.push_str(&more.replace('\n', ending));
    }
    // Entries in another form of TOML cannot be added to.
    Lock::parse(&new).map_err(|why| BadLock(format!("its entries are no `[[image]]` and `[[url]]` tables: {why}")))?;
    Ok(Update { text: new, added, changed })
}

/// One more entry, behind an empty line.
fn append(text: &mut String, table: &str, fields: [(&str, &String); 2], day: &str) {
    let [(name, value), (digest_name, digest)] = fields;
    let entry = format!("\n[[{table}]]\n{name} = {}\n{digest_name} = \"{digest}\"\nresolved = {day}\n", quoted(value));
    text.push_str(&entry);
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            char if char.is_control() => {
                write!(quoted, "\\U{:08X}", u32::from(char)).expect("a string takes what is written to it");
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[derive(Default)]
struct Edits {
    replaced: Vec<(Range<usize>, String)>,
    changed: Vec<String>,
}

impl Edits {
    fn replace(&mut self, span: Range<usize>, text: String) {
        self.replaced.push((span, text));
    }

    fn applied(mut self, text: &str) -> String {
        self.replaced.sort_by_key(|(span, _)| span.start);
        let mut new = text.to_owned();
        for (span, with) in self.replaced.into_iter().rev() {
            new.replace_range(span, &with);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const B: &str = "24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d";

    fn listing(text: &str) -> Listing {
        let mut listing = Listing::default();
        listing.read("list", text).unwrap();
        listing
    }

    #[test]
    fn a_new_file_holds_the_version_and_the_entries() {
        let list = listing(&format!("node:22 sha256:{A}\n{B}  https://example.com/\\x\n"));
        let update = update("", &list, "2026-11-20").unwrap();
        let expected = format!(
            "version = 1\n\n[[image]]\nreference = \"docker.io/library/node:22\"\ndigest = \"sha256:{A}\"\n\
             resolved = 2026-11-20\n\n[[url]]\nurl = \"https://example.com/\\\\x\"\nsha256 = \"{B}\"\nresolved = 2026-11-20\n"
        );
        assert_eq!(update.text, expected);
        assert_eq!(update.added, ["docker.io/library/node:22", "https://example.com/\\x"]);
    }

    #[test]
    fn a_changed_digest_is_replaced_where_it_stands_and_the_rest_stays() {
        let old = format!(
            "# ours\r\nversion = 1\r\n[[image]]\r\ndigest = 'sha256:{A}' # why\r\nreference = \"node:22\"\r\nresolved = 2020-01-01"
        );
        let list = listing(&format!("docker.io/library/node:22 sha256:{B}\nalpine:3.22 sha256:{A}\n"));
        let new = update(&old, &list, "2026-11-20").unwrap();
        let expected = format!(
            "# ours\r\nversion = 1\r\n[[image]]\r\ndigest = \"sha256:{B}\" # why\r\nreference = \"node:22\"\r\n\
             resolved = 2026-11-20\r\n\r\n[[image]]\r\nreference = \"docker.io/library/alpine:3.22\"\r\n\
             digest = \"sha256:{A}\"\r\nresolved = 2026-11-20\r\n"
        );
        assert_eq!(new.text, expected);
        assert_eq!(new.changed, ["node:22"]);
        let again = update(&new.text, &list, "2027-01-01").unwrap();
        assert_eq!((again.text, again.added, again.changed), (new.text, vec![], vec![]));
    }

    #[test]
    fn what_is_no_lock_file_or_cannot_be_added_to_is_refused() {
        let list = listing(&format!("node:22 sha256:{A}\n"));
        assert!(update("version = 2\n", &list, "2026-11-20").is_err());
        assert!(update("version = 1\nimage = []\n", &list, "2026-11-20").is_err());
    }
}
