//! `ironhull.lock`: digests of images and checksums of downloads that were resolved once, so that a fix needs no network.
//!
//! Reads text that it is given; `disk` finds the file. Without an entry a pin is a decision of the user, never a guess.

mod edit;
mod listing;
mod wanted;

pub use edit::{Update, update};
pub use listing::Listing;
pub use wanted::{Skipped, Wanted};

use crate::model::Reference;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};
use toml::Spanned;

/// The name of the file.
pub const FILE_NAME: &str = "ironhull.lock";

/// What is known of images and addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    images: BTreeMap<String, LockedImage>,
    urls: BTreeMap<String, LockedUrl>,
}

/// An image whose digest is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedImage {
    /// `sha256:` and 64 hexadecimal digits, of the multi-platform index.
    pub digest: String,
    /// The day it was resolved, `YYYY-MM-DD`.
    pub resolved: String,
}

/// A download whose checksum is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedUrl {
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// The day it was resolved, `YYYY-MM-DD`.
    pub resolved: String,
}

/// Why a lock file cannot be used: one sentence, present tense, no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLock(pub String);

impl fmt::Display for BadLock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for BadLock {}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLock {
    version: u32,
    #[serde(default)]
    image: Vec<WireImage>,
    #[serde(default)]
    url: Vec<WireUrl>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireImage {
    reference: String,
    digest: Spanned<String>,
    resolved: Spanned<toml::value::Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireUrl {
    url: String,
    sha256: Spanned<String>,
    resolved: Spanned<toml::value::Datetime>,
}

impl WireLock {
    fn read(text: &str) -> Result<Self, BadLock> {
        let wire: Self = toml::from_str(text).map_err(|error| BadLock(error.to_string().trim().to_owned()))?;
        if wire.version != 1 {
            return Err(BadLock(format!("it has version {}, and this program knows version 1", wire.version)));
        }
        Ok(wire)
    }
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// If it is no lock file of version 1, or an entry is not what it must be.
    pub fn parse(text: &str) -> Result<Self, BadLock> {
        let wire = WireLock::read(text)?;
        let bad = |at: usize, message: String| BadLock(format!("line {}: {message}", line_of(text, at)));
        let mut lock = Self::default();
        for WireImage { reference, digest, resolved } in wire.image {
            let at = digest.span().start;
            let name = Reference::parse(reference.as_str()).map_err(|why| bad(at, format!("`{reference}`: {why}")))?;
            let digest = digest.into_inner();
            if !is_digest(&digest) {
                let message = format!("`{reference}`: `{digest}` is not `sha256:` and 64 hexadecimal digits");
                return Err(bad(at, message));
            }
            lock.images.insert(key(&name), LockedImage { digest, resolved: resolved.into_inner().to_string() });
        }
        for WireUrl { url, sha256, resolved } in wire.url {
            let at = sha256.span().start;
            let sha256 = sha256.into_inner();
            if !is_sha256(&sha256) {
                return Err(bad(at, format!("`{url}`: `{sha256}` is not 64 hexadecimal digits")));
            }
            lock.urls.insert(url, LockedUrl { sha256, resolved: resolved.into_inner().to_string() });
        }
        Ok(lock)
    }

    /// What is known of the image of that name and tag; `None` too for a name that has a digest of its own.
    pub fn image(&self, reference: &Reference<'_>) -> Option<&LockedImage> {
        self.images.get(&key(reference))
    }

    /// What is known of the download at `url`.
    pub fn url(&self, url: &str) -> Option<&LockedUrl> {
        self.urls.get(url)
    }
}

/// An image's full name with the tag that is pulled: `docker.io/library/node:22`.
fn key(reference: &Reference<'_>) -> String {
    match reference.effective_tag() {
        Some(tag) => format!("{}:{tag}", reference.name()),
        None => reference.text().to_owned(),
    }
}

/// The number of the line that byte `at` lies on, from 1.
fn line_of(text: &str, at: usize) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..at.min(text.len())]).count() + 1
}

/// Whether `text` is `sha256:` and 64 hexadecimal digits.
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(is_sha256)
}

/// Whether `text` is 64 hexadecimal digits in lower case.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn an_image_is_found_however_it_is_written() {
        let text = format!(
            "version = 1\n[[image]]\nreference = \"docker.io/library/node:22\"\ndigest = \"{DIGEST}\"\nresolved = 2026-11-20\n"
        );
        let lock = Lock::parse(&text).unwrap();
        for name in ["node:22", "docker.io/node:22", "index.docker.io/library/node:22"] {
            let found = lock.image(&Reference::parse(name).unwrap());
            assert_eq!(found.map(|image| image.digest.as_str()), Some(DIGEST), "{name}");
        }
        assert_eq!(lock.image(&Reference::parse("node:20").unwrap()), None);
    }

    #[test]
    fn what_is_no_digest_is_refused_with_the_entry_that_has_it() {
        let text = "version = 1\n[[url]]\nurl = \"https://example.com/a\"\nsha256 = \"abc\"\nresolved = 2026-11-20\n";
        assert_eq!(
            Lock::parse(text).unwrap_err().0,
            "line 4: `https://example.com/a`: `abc` is not 64 hexadecimal digits"
        );
        assert!(Lock::parse("version = 2\n").unwrap_err().0.contains("version 2"));
    }
}
