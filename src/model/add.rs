//! What `ADD` and `COPY` take: local files, archives, addresses, repositories.
//!
//! Facts: Dockerfile reference, `ADD`: a local tar archive is unpacked, a remote file is not, and a Git repository is
//! cloned. BuildKit looks at the content of a local file, so a name only tells what is likely; see [`SourceKind`].

use super::{evaluate::text_of, path::file_name, step::Step};
use crate::syntax::dockerfile::{Arg, Arguments, Keyword};

/// One source of an `ADD` or `COPY`.
#[derive(Clone, Debug)]
pub struct Source<'m> {
    /// The word as written.
    pub arg: &'m Arg<'m>,
    /// The word, variables replaced by what the file gives them.
    pub text: String,
    /// What it is.
    pub kind: SourceKind,
}

/// What a source is, told by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// A file or directory whose name is not that of an archive.
    Local,
    /// A local file named like a tar archive, plain or compressed.
    Archive,
    /// A file behind `http://`, `https://` or `ftp://`.
    Url,
    /// A Git repository.
    Git,
    /// The text of a heredoc.
    Heredoc,
    /// A variable, a pattern or a name hides which of these it is.
    Unknown,
}

impl SourceKind {
    /// Whether it lies in the build context.
    pub fn is_of_context(self) -> bool {
        match self {
            SourceKind::Local | SourceKind::Archive | SourceKind::Unknown => true,
            SourceKind::Url | SourceKind::Git | SourceKind::Heredoc => false,
        }
    }
}

impl<'m> Step<'m> {
    /// The sources of an `ADD` or `COPY`, in order; none for other instructions.
    pub fn sources(self) -> Vec<Source<'m>> {
        self.source_words().iter().map(|arg| source(self, arg)).collect()
    }

    /// The destination of an `ADD` or `COPY`, as written.
    pub fn destination(self) -> Option<&'m Arg<'m>> {
        match self.arguments() {
            Arguments::Json(words) | Arguments::Words(words) if is_copying(self) => words.last(),
            Arguments::Json(_)
            | Arguments::Words(_)
            | Arguments::Assignments(_)
            | Arguments::Text(_)
            | Arguments::None => None,
        }
    }

    fn source_words(self) -> &'m [Arg<'m>] {
        match self.arguments() {
            Arguments::Json(words) | Arguments::Words(words) if is_copying(self) => {
                words.split_last().map_or(&[], |(_, sources)| sources)
            }
            Arguments::Json(_)
            | Arguments::Words(_)
            | Arguments::Assignments(_)
            | Arguments::Text(_)
            | Arguments::None => &[],
        }
    }
}

fn is_copying(step: Step<'_>) -> bool {
    matches!(step.keyword(), Keyword::Add | Keyword::Copy)
}

fn source<'m>(step: Step<'m>, arg: &'m Arg<'m>) -> Source<'m> {
    let value = step.expand_arg(arg).ok();
    let text = value.as_ref().map_or_else(|| text_of(arg).into_owned(), |value| value.text.clone().into_owned());
    let is_heredoc = step.instruction().heredocs.iter().any(|heredoc| heredoc.marker == arg.span);
    let kind = match value {
        _ if is_heredoc => SourceKind::Heredoc,
        Some(value) if value.is_known() => kind(&text),
        // What stands before the first unknown variable is enough for an address.
        Some(_) if is_url(&text) && !text_of(arg).starts_with('$') => kind(&text),
        Some(_) | None => SourceKind::Unknown,
    };
    Source { arg, text, kind }
}

fn kind(text: &str) -> SourceKind {
    if text.starts_with("git@") || text.starts_with("ssh://") || text.starts_with("git://") {
        return SourceKind::Git;
    }
    if is_url(text) {
        let path = text.split(['#', '?']).next().unwrap_or(text);
        return if path.ends_with(".git") || path.starts_with("https://github.com/") && path.matches('/').count() == 4 {
            SourceKind::Git
        } else {
            SourceKind::Url
        };
    }
    if text.is_empty() || text.ends_with(['*', '?', ']']) && !has_plain_extension(text) {
        return SourceKind::Unknown;
    }
    if is_archive(text) {
        return SourceKind::Archive;
    }
    // Compressed, but of what? BuildKit unpacks it if it is a tar archive.
    if [".gz", ".bz2", ".xz", ".zst", ".lzma", ".Z"].iter().any(|end| text.ends_with(end)) {
        return SourceKind::Unknown;
    }
    SourceKind::Local
}

/// Whether a text names something on the network that BuildKit downloads as a file.
pub fn is_url(text: &str) -> bool {
    ["http://", "https://", "ftp://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Whether a file of that name is a tar archive, plain or compressed.
pub fn is_archive(name: &str) -> bool {
    const ENDS: [&str; 14] = [
        ".tar",
        ".tar.gz",
        ".tgz",
        ".tar.bz2",
        ".tbz",
        ".tbz2",
        ".tar.xz",
        ".txz",
        ".tar.zst",
        ".tzst",
        ".tar.lzma",
        ".tlz",
        ".tar.z",
        ".tar.*",
    ];
    let name = name.as_bytes();
    ENDS.iter()
        .any(|end| name.len() >= end.len() && name[name.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes()))
}

/// Whether a builder may unpack a local file of that content: it starts as a tar archive or a compressed file does.
///
/// BuildKit unpacks what it can decompress and read as tar; a compressed file that holds something else stays as it is.
pub fn may_be_unpacked(content: &[u8]) -> bool {
    const COMPRESSED: [&[u8]; 6] =
        [b"\x1f\x8b", b"\x1f\x9d", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x5d\x00\x00"];
    let is_tar = content.get(257..262).is_some_and(|magic| magic == b"ustar");
    is_tar || COMPRESSED.iter().any(|magic| content.starts_with(magic))
}

/// Whether a pattern ends in an extension that no archive has: `*.jar`, `conf.d/*.conf`.
fn has_plain_extension(text: &str) -> bool {
    let file = file_name(text);
    file.rsplit_once('.')
        .is_some_and(|(_, extension)| !extension.is_empty() && extension.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// Whether a Git address names one commit by its full hash, which nobody can move.
pub fn is_pinned_git(text: &str) -> bool {
    let reference = text.split_once('#').map_or("", |(_, fragment)| fragment.split(':').next().unwrap_or(fragment));
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_name() {
        for (text, expected) in [
            ("src", SourceKind::Local),
            (".", SourceKind::Local),
            ("app.jar", SourceKind::Local),
            ("*.jar", SourceKind::Local),
            ("package*.json", SourceKind::Local),
            ("conf/*", SourceKind::Unknown),
            ("rootfs.tar.gz", SourceKind::Archive),
            ("dist/app-*.tgz", SourceKind::Archive),
            ("data.gz", SourceKind::Unknown),
            ("https://example.com/x.tar.gz", SourceKind::Url),
            ("HTTP://example.com/x", SourceKind::Url),
            ("https://github.com/moby/buildkit.git#v0.14.0", SourceKind::Git),
            ("https://github.com/moby/buildkit/archive/x.zip", SourceKind::Url),
            ("git@github.com:moby/buildkit.git", SourceKind::Git),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_unpacked_by_its_content() {
        let tar = [&[b'a'; 257][..], b"ustar\x0000"].concat();
        for content in [&tar[..], b"\x1f\x8b\x08\0", b"BZh91AY", b"\xfd7zXZ\0\0"] {
            assert!(may_be_unpacked(content), "{content:?}");
        }
        for content in [&b""[..], b"PK\x03\x04", b"#!/bin/sh\n", b"ustar"] {
            assert!(!may_be_unpacked(content), "{content:?}");
        }
    }

    #[test]
    fn a_full_hash_pins() {
        assert!(is_pinned_git("https://github.com/a/b.git#0123456789012345678901234567890123456789:dir"));
        assert!(!is_pinned_git("https://github.com/a/b.git#v1.0"));
        assert!(!is_pinned_git("https://github.com/a/b.git"));
    }
}
