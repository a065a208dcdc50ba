//! Tag patterns: `*` for anything, `{version}` and the like for a part that has a meaning and a name.

use super::{distribution, image::Family};

/// The longest tag that the distribution specification allows.
const LONGEST_TAG: usize = 128;

/// The names that a pattern can bind.
pub(super) const PLACEHOLDERS: [&str; 6] = ["version", "release", "major", "codename", "debian", "ubuntu"];

/// What the placeholders of a pattern stand for in one tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bindings<'a> {
    bound: Vec<(&'a str, &'a str)>,
}

impl<'a> Bindings<'a> {
    /// `template` with each `{name}` replaced; `None` where a name is not bound.
    pub(super) fn fill(&self, template: &str, tag: Option<&str>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, name, after)) = next_placeholder(rest) {
            filled.push_str(before);
            filled.push_str(match name {
                "tag" => tag?,
                _ => self.get(name)?,
            });
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.bound.iter().find(|(bound, _)| *bound == name).map(|(_, text)| *text);
        match name {
            "major" => found.or_else(|| self.get("version")?.split('.').next()),
            _ => found,
        }
    }
}

/// The names in braces that `template` uses.
pub(super) fn placeholders(template: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some((_, name, after)) = next_placeholder(rest) {
        names.push(name);
        rest = after;
    }
    names
}

/// Compares the whole of `tag` with `pattern`. What a star stands for is as short as it can be.
pub(super) fn matches<'a>(pattern: &'a str, tag: &'a str) -> Option<Bindings<'a>> {
    if tag.len() > LONGEST_TAG {
        return None;
    }
    let mut bindings = Bindings::default();
    let Some(first) = memchr::memchr2(b'*', b'{', pattern.as_bytes()) else {
        return (pattern == tag).then_some(bindings);
    };
    // Most patterns fail at what they begin or end with.
    let last = memchr::memrchr2(b'*', b'}', pattern.as_bytes()).map_or(0, |last| last + 1);
    if !tag.starts_with(&pattern[..first]) || !tag.ends_with(&pattern[last..]) {
        return None;
    }
    let mut parts = pattern.split('*');
    let mut rest = match_part(parts.next()?, tag, &mut bindings)?;
    let Some(last) = parts.next_back() else { return rest.is_empty().then_some(bindings) };
    for part in parts {
        rest = starts(rest, part).find_map(|rest| match_part(part, rest, &mut bindings))?;
    }
    let bound = bindings.bound.len();
    let ends = starts(rest, last).any(|rest| {
        bindings.bound.truncate(bound);
        match_part(last, rest, &mut bindings) == Some("")
    });
    ends.then_some(bindings)
}

/// Whether `tag` begins with the parts of `version`: `16` is in `16`, `16.2` and `16-slim`, not in `160` or `1`.
pub(super) fn begins_with_version(tag: &str, version: &str) -> bool {
    tag.strip_prefix(version)
        .is_some_and(|rest| is_update_of_java(rest) || !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

/// Java counts the updates of a version with a `u`: `8u342` is of `8`.
fn is_update_of_java(rest: &str) -> bool {
    rest.strip_prefix('u').is_some_and(|number| number.starts_with(|next: char| next.is_ascii_digit()))
}

/// Whether the version that `tag` begins with satisfies `condition`: `16`, `<8`, `<=8`, `>=20.1` or `>20`.
pub(super) fn satisfies(tag: &str, condition: &str) -> bool {
    let (operator, bound) = condition.split_at(condition.len() - condition.trim_start_matches(['<', '>', '=']).len());
    if operator.is_empty() {
        return begins_with_version(tag, bound);
    }
    let (version, _) = tag.split_at(version_len(tag));
    if version.is_empty() {
        return false;
    }
    let order = compare_prefix(version, bound);
    match operator {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => false,
    }
}

/// Compares as many parts as `bound` has: `8.4` is equal to `8`.
fn compare_prefix(version: &str, bound: &str) -> std::cmp::Ordering {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
    let mut parts = version.split('.');
    for wanted in bound.split('.') {
        let order = number(parts.next()).cmp(&number(Some(wanted)));
        if order.is_ne() {
            return order;
        }
    }
    std::cmp::Ordering::Equal
}

/// The ends of `text` that begin as `part` does, the longest first.
fn starts<'a>(text: &'a str, part: &str) -> impl Iterator<Item = &'a str> {
    let literal = part.split('{').next().unwrap_or(part).as_bytes();
    (0..=text.len()).filter(move |&at| text.as_bytes()[at..].starts_with(literal)).filter_map(|at| text.get(at..))
}

/// Compares the start of `tag` with a part of a pattern between stars, and answers what is left of the tag.
fn match_part<'a>(part: &'a str, tag: &'a str, bindings: &mut Bindings<'a>) -> Option<&'a str> {
    let bound = bindings.bound.len();
    let matched = match_words(part, tag, bindings);
    if matched.is_none() {
        bindings.bound.truncate(bound);
    }
    matched
}

fn match_words<'a>(mut part: &'a str, mut tag: &'a str, bindings: &mut Bindings<'a>) -> Option<&'a str> {
    while let Some((literal, name, after)) = next_placeholder(part) {
        let word = tag.strip_prefix(literal)?;
        let (text, rest) = word.split_at(placeholder_len(name, word).filter(|len| *len > 0)?);
        bindings.bound.push((name, text));
        (part, tag) = (after, rest);
    }
    tag.strip_prefix(part)
}

/// The length of what `name` stands for at the start of `text`.
fn placeholder_len(name: &str, text: &str) -> Option<usize> {
    Some(match name {
        "version" | "release" => version_len(text),
        "major" => text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len(),
        "codename" => distribution::codename_len(text, |_| true),
        "debian" => distribution::codename_len(text, |family| family == Family::Debian),
        "ubuntu" => distribution::codename_len(text, |family| family == Family::Ubuntu),
        _ => return None,
    })
}

/// The length of the numbers with dots between them at the start of `text`.
fn version_len(text: &str) -> usize {
    let len = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    if text.starts_with('.') { 0 } else { text[..len].trim_end_matches('.').len() }
}

fn next_placeholder(template: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pattern: &str, tag: &str, template: &str) -> Option<String> {
        matches(pattern, tag)?.fill(template, Some(tag))
    }

    #[test]
    fn a_star_stands_for_anything_and_nothing() {
        assert!(matches("*-slim*", "22-slim").is_some());
        assert!(matches("*-slim*", "22-slim-bookworm").is_some());
        assert!(matches("*slim", "22").is_none());
        assert!(matches("*", "").is_some());
    }

    #[test]
    fn placeholders_bind_and_fill() {
        assert_eq!(filled("*-alpine{release}", "22-alpine3.20", "alpine:{release}").as_deref(), Some("alpine:3.20"));
        assert_eq!(
            filled("{version}-{codename}", "3.12-bookworm", "{major}/{codename}").as_deref(),
            Some("3/bookworm")
        );
        assert_eq!(filled("{version}", "22.1.0", "node:{tag}-slim").as_deref(), Some("node:22.1.0-slim"));
        assert_eq!(filled("{version}", "22-alpine", ""), None);
        assert_eq!(filled("*", "22", "{version}"), None);
        assert_eq!(filled("*{version}", "3.1-jdk17", "{version}").as_deref(), Some("17"), "the tag ends with it");
    }

    #[test]
    fn stars_do_not_multiply_the_work() {
        let tag = "-a".repeat(64);
        for _ in 0..10_000 {
            assert_eq!(matches("*-a*-a*-b", &tag), None);
        }
    }

    #[test]
    fn a_codename_is_one_of_the_known_ones() {
        assert!(matches("*-{codename}", "3-jammy").is_some());
        assert!(matches("*-{codename}", "3-slim").is_none());
    }

    #[test]
    fn version_conditions_compare_part_by_part() {
        assert!(satisfies("16-alpine", "16"));
        assert!(!satisfies("160", "16"));
        assert!(satisfies("8u342-jdk", "8"));
        assert!(!satisfies("8ubuntu", "8"));
        assert!(satisfies("7.10", "<8"));
        assert!(!satisfies("8.4", "<8"));
        assert!(satisfies("8.4", ">=8"));
        assert!(satisfies("10.2", ">9"));
        assert!(!satisfies("latest", "<8"));
    }
}
