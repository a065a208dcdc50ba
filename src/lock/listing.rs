//! Digests that somebody else wrote down: `SHA256SUMS` files, and lists of images with their digests.
//!
//! coreutils, `sha256sum --check`: 64 hexadecimal digits, a blank, a blank or `*`, the name of the file; with `--tag`,
//! `SHA256 (name) = digits`.

use super::{BadLock, Wanted, is_digest, is_sha256, key};
use crate::model::Reference;
use std::collections::{BTreeMap, BTreeSet};

/// What lists say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Digests by the full names of images.
    pub(super) images: BTreeMap<String, Told>,
    /// Checksums by address.
    pub(super) urls: BTreeMap<String, Told>,
    /// Checksums by the last part of a file's name; several where lists disagree.
    files: BTreeMap<String, BTreeSet<String>>,
}

/// A digest, and which line of which list says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) digest: String,
    place: String,
}

impl Listing {
    /// Reads one list, which is called `name`.
    ///
    /// # Errors
    /// Which line is no entry, or says something else than an earlier one.
    pub fn read(&mut self, name: &str, text: &str) -> Result<(), BadLock> {
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{name}:{number}");
            self.read_line(line, &place).map_err(|why| BadLock(format!("{place}: {why}")))?;
        }
        Ok(())
    }

    fn read_line(&mut self, line: &str, place: &str) -> Result<(), String> {
        if let Some((sha256, file)) = checksum_line(line) {
            if !is_sha256(&sha256) {
                return Err(format!("`{sha256}` is not 64 hexadecimal digits"));
            }
            if file.contains("://") {
                return tell(&mut self.urls, file.to_owned(), sha256, place);
            }
            self.files.entry(base_name(file).to_owned()).or_default().insert(sha256);
            return Ok(());
        }
        let (image, digest) = match line.split_once(char::is_whitespace) {
            Some((image, digest)) => (image, digest.trim_start()),
            None => line.split_once('@').unwrap_or((line, "")),
        };
        if !digest.contains(':') {
            return Err("it is neither `checksum  file` nor `image digest`".to_owned());
        }
        // `name:tag@digest digest` says the same twice.
        let image = image.split_once('@').map_or(image, |(name, _)| name);
        if !is_digest(digest) {
            return Err(format!("`{digest}` is not `sha256:` and 64 hexadecimal digits"));
        }
        let reference = Reference::parse(image).map_err(|why| format!("`{image}`: {why}"))?;
        tell(&mut self.images, key(&reference), digest.to_owned(), place)
    }

    /// Gives the addresses in `wanted` the checksums of files that are called as they are, where there is no doubt
    /// which file is meant.
    pub fn find_files(&mut self, wanted: &Wanted) {
        let mut by_name: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for url in wanted.urls.keys() {
            by_name.entry(base_name(url)).or_default().push(url);
        }
        for (name, urls) in by_name {
            let ([url], Some(sums)) = (urls.as_slice(), self.files.get(name)) else { continue };
            if let (Some(sum), 1, false) = (sums.first(), sums.len(), self.urls.contains_key(*url)) {
                self.urls.insert((*url).clone(), Told { digest: sum.clone(), place: String::new() });
            }
        }
    }
}

fn tell(all: &mut BTreeMap<String, Told>, name: String, digest: String, place: &str) -> Result<(), String> {
    if let Some(earlier) = all.get(&name).filter(|earlier| earlier.digest != digest) {
        return Err(format!("{} says another digest of `{name}`", earlier.place));
    }
    all.entry(name).or_insert_with(|| Told { digest, place: place.to_owned() });
    Ok(())
}

/// The checksum in lower case and the file of a line, if it has the form of one.
fn checksum_line(line: &str) -> Option<(String, &str)> {
    if let Some(rest) = line.strip_prefix("SHA256 (") {
        let (file, sum) = rest.rsplit_once(") = ")?;
        return Some((sum.to_ascii_lowercase(), file));
    }
    let (sum, file) = line.split_once([' ', '\t'])?;
    let is_hexadecimal = sum.bytes().all(|byte| byte.is_ascii_hexdigit()) && sum.len() >= 32;
    let file = file.trim_start();
    is_hexadecimal.then(|| (sum.to_ascii_lowercase(), file.strip_prefix('*').unwrap_or(file)))
}

/// The last part of an address or path, without what an address asks of its server.
fn base_name(path: &str) -> &str {
    let path = if path.contains("://") { path.split(['?', '#']).next().unwrap_or(path) } else { path };
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(text: &str) -> Result<Listing, String> {
        let mut listing = Listing::default();
        listing.read("SUMS", text).map_err(|why| why.0)?;
        Ok(listing)
    }

    fn wanted(urls: &[&str]) -> Wanted {
        let urls = urls.iter().map(|&url| (url.to_owned(), String::new())).collect();
        Wanted { urls, ..Wanted::default() }
    }

    #[test]
    fn a_file_is_an_address_that_ends_in_its_name_if_only_one_does() {
        let lines = [
            format!("{SUM}  tool.tgz\n"),
            format!("{SUM} *./dist/tool.tgz\r\n"),
            format!("SHA256 (tool.tgz) = {}\n", SUM.to_uppercase()),
        ];
        for line in lines {
            let mut listing = read(&line).unwrap();
            listing.find_files(&wanted(&["https://example.com/1/tool.tgz?raw=1", "https://example.com/x"]));
            assert_eq!(listing.urls.len(), 1, "{line}");
            assert_eq!(listing.urls["https://example.com/1/tool.tgz?raw=1"].digest, SUM);
        }
        let mut listing = read(&format!("{SUM}  tool.tgz\n")).unwrap();
        listing.find_files(&wanted(&["https://example.com/1/tool.tgz", "https://example.com/2/tool.tgz"]));
        assert!(listing.urls.is_empty(), "nobody can tell which one is meant");
        let mut listing = read(&format!("{SUM}  a/tool.tgz\n{}  b/tool.tgz\n", SUM.replace('e', "f"))).unwrap();
        listing.find_files(&wanted(&["https://example.com/1/tool.tgz"]));
        assert!(listing.urls.is_empty(), "two files have that name");
    }

    #[test]
    fn images_are_listed_with_a_blank_or_an_at() {
        let listing = read(&format!("# images\n\nnode:22 sha256:{SUM}\nalpine:3.22@sha256:{SUM}\n")).unwrap();
        let names: Vec<&String> = listing.images.keys().collect();
        assert_eq!(names, ["docker.io/library/alpine:3.22", "docker.io/library/node:22"]);
    }

    #[test]
    fn what_is_no_entry_is_refused_with_its_line() {
        let other = SUM.replace('e', "f");
        for (text, expected) in [
            ("\nhello world\n".to_owned(), "SUMS:2: it is neither `checksum  file` nor `image digest`"),
            ("node:22 sha256:12\n".to_owned(), "SUMS:1: `sha256:12` is not `sha256:` and 64 hexadecimal digits"),
            (
                format!("node:22 sha256:{SUM}\nnode:22 sha256:{other}\n"),
                "SUMS:2: SUMS:1 says another digest of `docker.io/library/node:22`",
            ),
        ] {
            assert_eq!(read(&text).unwrap_err(), expected);
        }
        let md5 = "d41d8cd98f00b204e9800998ecf8427e  a\n";
        assert!(read(md5).unwrap_err().contains("is not 64 hexadecimal digits"));
    }
}
