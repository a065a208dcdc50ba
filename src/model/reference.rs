//! Names of images, read as every container tool reads them: registry, repository, tag, digest.
//!
//! The one engine for image references: nothing else in this project splits them. Knows nothing of files; who needs
//! the place of a part in a file adds the offset of the word.

use std::{borrow::Cow, fmt, ops::Range};

/// The registry of names that do not say one.
pub const DOCKER_HUB: &str = "docker.io";

/// The name of Docker Hub in old references.
const OLD_DOCKER_HUB: &str = "index.docker.io";

/// Longest repository that a registry takes.
const LONGEST_REPOSITORY: usize = 255;

/// The name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// As written.
    text: Cow<'a, str>,
    /// Where the registry is written, if it is.
    registry: Option<Range<u32>>,
    /// Where the repository is written.
    repository: Range<u32>,
    tag: Option<Range<u32>>,
    digest: Option<Range<u32>>,
}

/// Why a text does not name an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// It is empty.
    Empty,
    /// It breaks the form `registry/repository:tag@digest`.
    Format,
    /// The repository, which must be in lower case, is not.
    Uppercase(String),
    /// 64 hexadecimal digits name an image by its id, which a build cannot use.
    Identifier,
    /// The repository is longer than 255 bytes.
    TooLong,
    /// The digest has an unknown algorithm or a wrong length.
    Digest(String),
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReferenceError::Empty => f.write_str("an image name is empty"),
            ReferenceError::Format => f.write_str("an image name has the form `registry/repository:tag@digest`"),
            ReferenceError::Uppercase(name) => write!(f, "the repository `{name}` must be in lower case"),
            ReferenceError::Identifier => f.write_str("64 hexadecimal digits are an image id, not a name"),
            ReferenceError::TooLong => f.write_str("the repository is longer than 255 bytes"),
            ReferenceError::Digest(digest) => write!(f, "`{digest}` is not a digest"),
        }
    }
}

impl<'a> Reference<'a> {
    /// Reads `text`, variables already replaced.
    ///
    /// # Errors
    /// If it does not name an image, with the reason.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, ReferenceError> {
        let text = text.into();
        let parts = Parts::split(&text)?;
        Ok(Self { registry: parts.registry, repository: parts.repository, tag: parts.tag, digest: parts.digest, text })
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The registry with its port: `docker.io` where none is written.
    pub fn registry(&self) -> &str {
        match self.written_registry() {
            None | Some(OLD_DOCKER_HUB) => DOCKER_HUB,
            Some(registry) => registry,
        }
    }

    /// The registry as written, if it is.
    pub fn written_registry(&self) -> Option<&str> {
        self.registry.clone().map(|range| self.slice(range))
    }

    /// The repository in its registry; official images of Docker Hub are in `library/`.
    pub fn repository(&self) -> Cow<'_, str> {
        let written = self.written_repository();
        if self.registry() == DOCKER_HUB && !written.contains('/') {
            return Cow::Owned(["library/", written].concat());
        }
        Cow::Borrowed(written)
    }

    /// The repository as written, without registry, tag and digest.
    pub fn written_repository(&self) -> &str {
        self.slice(self.repository.clone())
    }

    /// The last part of the repository: `node` of `docker.io/library/node`.
    pub fn basename(&self) -> &str {
        let repository = self.written_repository();
        repository.rsplit_once('/').map_or(repository, |(_, name)| name)
    }

    /// Registry and repository: `docker.io/library/node`.
    pub fn name(&self) -> String {
        [self.registry(), "/", &self.repository()].concat()
    }

    /// The tag as written, if it is.
    pub fn tag(&self) -> Option<&str> {
        self.tag.clone().map(|range| self.slice(range))
    }

    /// The tag that is pulled: `latest` where neither tag nor digest is written, none where only a digest is.
    pub fn effective_tag(&self) -> Option<&str> {
        self.tag().or(if self.digest.is_none() { Some("latest") } else { None })
    }

    /// The digest with its algorithm, if it is written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.clone().map(|range| self.slice(range))
    }

    /// Where the tag lies in [`Reference::text`], the colon left out.
    pub fn tag_range(&self) -> Option<Range<u32>> {
        self.tag.clone()
    }

    /// Where the digest lies in [`Reference::text`], the `@` left out.
    pub fn digest_range(&self) -> Option<Range<u32>> {
        self.digest.clone()
    }

    /// Where registry and repository lie in [`Reference::text`].
    pub fn name_range(&self) -> Range<u32> {
        0..self.repository.end
    }

    /// Where the registry lies in [`Reference::text`], the slash left out.
    pub fn registry_range(&self) -> Option<Range<u32>> {
        self.registry.clone()
    }

    /// Whether it is an official image of Docker Hub, such as `node` or `docker.io/library/node`.
    pub fn is_official(&self) -> bool {
        self.registry() == DOCKER_HUB
            && self.repository().matches('/').count() == 1
            && self.repository().starts_with("library/")
    }

    /// Whether its name says that it is an image of Windows: one of Microsoft's, or a tag that names one of these.
    pub fn is_of_windows(&self) -> bool {
        let of_microsoft = matches!(self.registry(), "mcr.microsoft.com" | DOCKER_HUB);
        let repository = self.written_repository();
        let is_base =
            ["windows/", "microsoft/windows", "microsoft/nanoserver"].iter().any(|name| repository.starts_with(name));
        let tag = self.tag().unwrap_or_default();
        of_microsoft && is_base || ["windowsservercore", "nanoserver"].iter().any(|name| tag.contains(name))
    }

    /// The full name: `docker.io/library/node:latest`.
    pub fn normalized(&self) -> String {
        self.with_tag_and_digest(self.name())
    }

    /// The short name that people write: `node:latest`.
    pub fn familiar(&self) -> String {
        let repository = self.repository();
        let name = if self.registry() == DOCKER_HUB {
            match repository.strip_prefix("library/") {
                Some(official) if !official.contains('/') => official.to_owned(),
                _ => repository.into_owned(),
            }
        } else {
            self.name()
        };
        self.with_tag_and_digest(name)
    }

    /// The same name with its own text.
    pub fn into_owned(self) -> Reference<'static> {
        Reference {
            text: Cow::Owned(self.text.into_owned()),
            registry: self.registry,
            repository: self.repository,
            tag: self.tag,
            digest: self.digest,
        }
    }

    fn with_tag_and_digest(&self, mut name: String) -> String {
        if let Some(tag) = self.effective_tag() {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = self.digest() {
            name.push('@');
            name.push_str(digest);
        }
        name
    }

    fn slice(&self, range: Range<u32>) -> &str {
        &self.text[range.start as usize..range.end as usize]
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where the parts of a reference lie.
struct Parts {
    registry: Option<Range<u32>>,
    repository: Range<u32>,
    tag: Option<Range<u32>>,
    digest: Option<Range<u32>>,
}

impl Parts {
    fn split(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(ReferenceError::Identifier);
        }
        let registry = registry_end(text);
        let start = registry.map_or(0, |end| end + 1);
        let rest = &text[start..];
        let named = &rest[..rest.find(':').unwrap_or(rest.len())];
        if named.chars().any(|char| char.to_lowercase().ne(std::iter::once(char))) {
            return Err(ReferenceError::Uppercase(named.to_owned()));
        }
        let (name, digest) = rest.split_once('@').map_or((rest, None), |(name, digest)| (name, Some(digest)));
        let (repository, tag) = name.split_once(':').map_or((name, None), |(name, tag)| (name, Some(tag)));
        let registry_is_valid = registry.is_none_or(|end| is_registry(&text[..end]) || is_repository(&text[..end]));
        if !registry_is_valid || !is_repository(repository) || tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Format);
        }
        if let Some(digest) = digest {
            check_digest(digest)?;
        }
        if repository.len() > LONGEST_REPOSITORY {
            return Err(ReferenceError::TooLong);
        }
        let at = |from: usize, part: &str| from as u32..(from + part.len()) as u32;
        Ok(Self {
            registry: registry.map(|end| 0..end as u32),
            repository: at(start, repository),
            tag: tag.map(|tag| at(start + repository.len() + 1, tag)),
            digest: digest.map(|digest| at(start + name.len() + 1, digest)),
        })
    }
}

/// Where the registry ends, if the text starts with one: its first part looks like a host, or cannot be anything else.
fn registry_end(text: &str) -> Option<usize> {
    let (first, _) = text.split_once('/')?;
    let is_host = first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase);
    is_host.then_some(first.len())
}

/// A host name, an IPv4 address or an IPv6 address in brackets, with or without a port.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let is_address =
                !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
            if !is_address {
                return false;
            }
            match rest.strip_prefix(':') {
                Some(port) => ("", Some(port)),
                None if rest.is_empty() => ("", None),
                None => return false,
            }
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let is_host = text.starts_with('[') || host.split('.').all(is_host_label);
    is_host && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Parts between slashes: lower-case letters and digits, separated by `.`, `_`, `__` or any number of `-`.
fn is_repository(text: &str) -> bool {
    text.split('/').all(is_repository_part)
}

fn is_repository_part(part: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends_well = |byte: Option<u8>| byte.is_some_and(is_letter);
    if !ends_well(part.bytes().next()) || !ends_well(part.bytes().last()) {
        return false;
    }
    let separators = part.split(|char: char| char.is_ascii() && is_letter(char as u8));
    separators
        .filter(|separator| !separator.is_empty())
        .all(|separator| matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn check_digest(digest: &str) -> Result<(), ReferenceError> {
    let (algorithm, encoded) = digest.split_once(':').ok_or(ReferenceError::Format)?;
    if encoded.len() < 32 || !encoded.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ReferenceError::Format);
    }
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(ReferenceError::Digest(digest.to_owned())),
    };
    if encoded.len() == length && encoded.bytes().all(is_lower_hex) {
        return Ok(());
    }
    Err(ReferenceError::Digest(digest.to_owned()))
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn names_are_completed_and_shortened() {
        for (written, normalized, familiar) in [
            ("node", "docker.io/library/node:latest", "node:latest"),
            ("node:20-slim", "docker.io/library/node:20-slim", "node:20-slim"),
            ("grafana/grafana", "docker.io/grafana/grafana:latest", "grafana/grafana:latest"),
            ("docker.io/node:1", "docker.io/library/node:1", "node:1"),
            ("index.docker.io/library/node:1", "docker.io/library/node:1", "node:1"),
            ("docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
            ("ghcr.io/a/b/c:1", "ghcr.io/a/b/c:1", "ghcr.io/a/b/c:1"),
            ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
            ("localhost:5000/x:1", "localhost:5000/x:1", "localhost:5000/x:1"),
            ("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"),
            ("registry:5000/a", "registry:5000/a:latest", "registry:5000/a:latest"),
            ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
            ("Host/a", "Host/a:latest", "Host/a:latest"),
            ("my_host.example/a", "my_host.example/a:latest", "my_host.example/a:latest"),
            ("0", "docker.io/library/0:latest", "0:latest"),
            ("a__b/c--d.e", "docker.io/a__b/c--d.e:latest", "a__b/c--d.e:latest"),
        ] {
            let reference = Reference::parse(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(reference.normalized(), normalized, "{written}");
            assert_eq!(reference.familiar(), familiar, "{written}");
        }
    }

    #[test]
    fn a_digest_stands_beside_a_tag_or_alone() {
        let both = format!("a/b:1@{DIGEST}");
        let reference = Reference::parse(both.as_str()).expect("it is valid");
        assert_eq!((reference.tag(), reference.digest()), (Some("1"), Some(DIGEST)));
        assert_eq!(reference.normalized(), format!("docker.io/a/b:1@{DIGEST}"));
        assert_eq!(reference.tag_range(), Some(4..5));
        assert_eq!(reference.digest_range(), Some(6..6 + DIGEST.len() as u32));
        assert_eq!(reference.name_range(), 0..3);
        let alone = format!("b@{DIGEST}");
        let reference = Reference::parse(alone.as_str()).expect("it is valid");
        assert_eq!((reference.effective_tag(), reference.tag()), (None, None));
        assert_eq!(reference.normalized(), format!("docker.io/library/b@{DIGEST}"));
        assert_eq!(reference.name(), "docker.io/library/b");
        assert!(reference.is_official());
    }

    #[test]
    fn an_image_of_windows_is_told_by_its_name() {
        let is_of_windows = |text: &str| Reference::parse(text.to_owned()).expect("it is valid").is_of_windows();
        for name in
            ["mcr.microsoft.com/windows/servercore:ltsc2022", "nats:windowsservercore", "golang:1.26-nanoserver"]
        {
            assert!(is_of_windows(name), "{name}");
        }
        for name in ["windows", "mcr.microsoft.com/dotnet/sdk:9.0", "dockurr/windows:5", "ghcr.io/windows/a:1"] {
            assert!(!is_of_windows(name), "{name}");
        }
    }

    #[test]
    fn what_names_no_image_says_why() {
        let long = "a".repeat(256);
        let identifier = "a".repeat(64);
        let short = "a@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        for (written, expected) in [
            ("", ReferenceError::Empty),
            ("Node", ReferenceError::Uppercase("Node".into())),
            ("example.com/REPLACE-ME:1", ReferenceError::Uppercase("REPLACE-ME".into())),
            ("node:", ReferenceError::Format),
            ("node@1.15", ReferenceError::Format),
            ("node:a:b", ReferenceError::Format),
            ("node: 1", ReferenceError::Format),
            ("{{base}}", ReferenceError::Format),
            ("a//b", ReferenceError::Format),
            ("/a", ReferenceError::Format),
            ("a/", ReferenceError::Format),
            ("-a", ReferenceError::Format),
            ("a-", ReferenceError::Format),
            ("a..b", ReferenceError::Format),
            ("a___b", ReferenceError::Format),
            ("a.example:x/b", ReferenceError::Format),
            ("grüße", ReferenceError::Format),
            (&long, ReferenceError::TooLong),
            (&identifier, ReferenceError::Identifier),
            (short, ReferenceError::Digest(short[2..].into())),
        ] {
            assert_eq!(Reference::parse(written), Err(expected), "{written}");
        }
    }
}
