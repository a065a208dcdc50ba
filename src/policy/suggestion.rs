//! "Did you mean …?"

/// The candidate that `name` is probably a slip of, if one is near enough.
pub fn closest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let name = name.to_ascii_lowercase();
    let near = |candidate: &&str| {
        let longer = name.chars().count().max(candidate.chars().count());
        strsim::damerau_levenshtein(&name, candidate) <= longer / 3
    };
    candidates.into_iter().filter(near).min_by_key(|candidate| strsim::damerau_levenshtein(&name, candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let ids = ["root-user", "sudo", "pipe-to-shell"];
        assert_eq!(closest("rootuser", ids), Some("root-user"));
        assert_eq!(closest("Root-Usre", ids), Some("root-user"));
        assert_eq!(closest("privileged", ids), None);
        assert_eq!(closest("", ids), None);
    }
}
