//! What is written in a script, in so few bits that whoever looks for something else passes it over at once.

use crate::syntax::shell::Script;
use aho_corasick::packed::Searcher;
use std::sync::OnceLock;

/// Parts of words that a script holds, found in one pass over it: as it is written, and with quotes taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u16);

impl Marks {
    /// `sudo`
    pub const SUDO: Self = Self(1);
    /// The end of the path of a socket.
    pub const SOCKET: Self = Self(1 << 1);
    /// The address of an engine.
    pub const TCP: Self = Self(1 << 2);
    /// What turns the verification of certificates off, in options of package managers.
    pub const UNVERIFIED: Self = Self(1 << 3);
    /// What leaves the signatures of packages unchecked.
    pub const UNSIGNED: Self = Self(1 << 4);
    /// `pass`, as in options that take a password.
    pub const PASSWORD: Self = Self(1 << 5);
    /// A verb that fetches the lists of packages.
    pub const UPDATE: Self = Self(1 << 6);
    /// The package of a server other than PHP, or of a program that steps down from root.
    pub const SERVER: Self = Self(1 << 7);
    const ALL: Self = Self(u16::MAX);

    /// What to look for. None begins as another one does: [`Searcher`] tells of one of the two only; and none is shorter
    /// than four bytes, or the search finds too much that it has to look at twice.
    const PARTS: [(Self, &str); 31] = [
        (Self::SUDO, "sudo"),
        (Self::SOCKET, ".sock"),
        (Self::TCP, "tcp://"),
        (Self::UNVERIFIED, "-host"),
        (Self::UNVERIFIED, "Verify-"),
        (Self::UNVERIFIED, "sslverify"),
        (Self::UNSIGNED, "llow"),
        (Self::UNSIGNED, "nogpg"),
        (Self::UNSIGNED, "no-gpg"),
        (Self::UNSIGNED, "gpgcheck"),
        (Self::UNSIGNED, "force-yes"),
        (Self::UNSIGNED, "debsig"),
        (Self::UNSIGNED, "nosignature"),
        (Self::UNSIGNED, "noverify"),
        (Self::UNSIGNED, "digest"),
        (Self::UNSIGNED, "nocrypto"),
        (Self::PASSWORD, "pass"),
        (Self::UPDATE, "update"),
        (Self::UPDATE, "makecache"),
        (Self::UPDATE, "refresh"),
        (Self::SERVER, "apache2"),
        (Self::SERVER, "httpd"),
        (Self::SERVER, "nginx"),
        (Self::SERVER, "mysql"),
        (Self::SERVER, "mariadb"),
        (Self::SERVER, "postgresql"),
        (Self::SERVER, "redis"),
        (Self::SERVER, "supervisor"),
        (Self::SERVER, "cron"),
        (Self::SERVER, "gosu"),
        (Self::SERVER, "su-exec"),
    ];

    /// The marks of a script.
    pub(super) fn of(script: &Script) -> Self {
        static SEARCHER: OnceLock<Option<Searcher>> = OnceLock::new();
        // Where the processor has no instructions for it, nothing is passed over.
        let searcher = SEARCHER.get_or_init(|| Searcher::new(Self::PARTS.map(|(_, part)| part)));
        let Some(searcher) = searcher else { return Self::ALL };
        let mut found = Self::default();
        script.each_text(&mut |text| found = found.and(Self::in_text(searcher, text)));
        found
    }

    fn in_text(searcher: &Searcher, text: &[u8]) -> Self {
        let mut found = Self::default();
        let mut at = 0;
        // Parts may overlap each other.
        while let Some(part) = searcher.find_in(text, (at..text.len()).into()) {
            found = found.and(Self::PARTS[part.pattern().as_usize()].0);
            at = part.start() + 1;
        }
        found
    }

    /// The marks of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have one in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::shell::{Dialect, parse};

    fn marks(text: &str) -> Marks {
        Marks::of(&parse(text.as_bytes(), Dialect::Posix))
    }

    #[test]
    fn every_part_is_found_alone_inside_a_word_and_beside_others() {
        for (mark, part) in Marks::PARTS {
            for text in [part.to_owned(), format!("echo x{part}y"), format!("su{part}"), format!("sudo {part}")] {
                assert!(marks(&text).meets(mark), "{text}");
            }
        }
        assert_eq!(marks("make -j4 all && cp a /usr/bin/a"), Marks::default());
    }

    #[test]
    fn quotes_inside_a_word_hide_nothing() {
        assert!(marks("apt-get --allow-\"unauth\"enticated install su''do").meets(Marks::SUDO));
        assert!(marks("sh -c 'apt-get install \"su\"do'").meets(Marks::SUDO));
    }

    #[test]
    fn no_part_begins_as_another_does() {
        for (at, (_, part)) in Marks::PARTS.iter().enumerate() {
            let others = Marks::PARTS.iter().enumerate().filter(|(other, _)| *other != at);
            assert!(others.map(|(_, (_, other))| other).all(|other| !part.starts_with(other)), "{part}");
        }
    }
}
