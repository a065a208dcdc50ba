//! The words that name instructions.

use super::Keyword;

/// The instructions of the Dockerfile reference, by name.
const NAMES: [(&str, Keyword); 18] = [
    ("ADD", Keyword::Add),
    ("ARG", Keyword::Arg),
    ("CMD", Keyword::Cmd),
    ("COPY", Keyword::Copy),
    ("ENTRYPOINT", Keyword::Entrypoint),
    ("ENV", Keyword::Env),
    ("EXPOSE", Keyword::Expose),
    ("FROM", Keyword::From),
    ("HEALTHCHECK", Keyword::Healthcheck),
    ("LABEL", Keyword::Label),
    ("MAINTAINER", Keyword::Maintainer),
    ("ONBUILD", Keyword::Onbuild),
    ("RUN", Keyword::Run),
    ("SHELL", Keyword::Shell),
    ("STOPSIGNAL", Keyword::Stopsignal),
    ("USER", Keyword::User),
    ("VOLUME", Keyword::Volume),
    ("WORKDIR", Keyword::Workdir),
];

/// The longest name has so many letters.
const LONGEST: usize = 11;

impl Keyword {
    /// The keyword that a word is, in any case.
    pub fn of(word: &[u8]) -> Keyword {
        let found = NAMES.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word));
        found.map_or(Keyword::Unknown, |&(_, keyword)| keyword)
    }

    /// Its name in capitals; empty for [`Keyword::Unknown`].
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, keyword)| *keyword == self).map_or("", |(name, _)| name)
    }

    /// The keyword that a word which is none was probably meant to be: one slip away, or two in a long name.
    pub fn nearest(word: &[u8]) -> Option<Keyword> {
        if word.len() > LONGEST + 2 {
            return None;
        }
        let word = word.to_ascii_uppercase();
        let slips = |name: &str| slips(&word, name.as_bytes());
        let near = NAMES.iter().filter(|(name, _)| {
            let most = if name.len() > 4 { 2 } else { 1 };
            name.len().abs_diff(word.len()) <= most && slips(name) <= most
        });
        near.min_by_key(|(name, _)| slips(name)).map(|&(_, keyword)| keyword)
    }
}

/// How many letters were left out, put in, replaced or swapped with their neighbour.
fn slips(left: &[u8], right: &[u8]) -> usize {
    let mut before = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, &letter) in left.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, &other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut fewest = replaced.min(last[column + 1] + 1).min(this[column] + 1);
            let are_swapped = row > 0 && column > 0 && letter == right[column - 1] && other == left[row - 1];
            if are_swapped {
                fewest = fewest.min(before[column - 1] + 1);
            }
            this.push(fewest);
        }
        before = std::mem::replace(&mut last, this);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_have_names_in_any_case() {
        for (name, keyword) in NAMES {
            assert_eq!(Keyword::of(name.to_lowercase().as_bytes()), keyword);
            assert_eq!(keyword.name(), name);
        }
        assert_eq!(Keyword::of(b""), Keyword::Unknown);
        assert_eq!(Keyword::Unknown.name(), "");
    }

    #[test]
    fn a_slip_is_seen_through() {
        for (word, meant) in [
            ("RUNN", Keyword::Run),
            ("cpoy", Keyword::Copy),
            ("FORM", Keyword::From),
            ("HELTHCHEK", Keyword::Healthcheck),
            ("ENTRY_POINT", Keyword::Entrypoint),
        ] {
            assert_eq!(Keyword::nearest(word.as_bytes()), Some(meant), "{word}");
        }
        for word in ["", "FOO", "apt-get", "&&", "INCLUDE", "HEALTHCHECKHEALTHCHECK"] {
            assert_eq!(Keyword::nearest(word.as_bytes()), None, "{word}");
        }
    }
}
