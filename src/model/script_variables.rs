//! Variables that a file of scripts sets itself, once and for all of it.
//!
//! Who calls make or a script may set another value: what is read here is what runs where nobody does.

use crate::syntax::{
    shell::{Assignment, Command, Script},
    yaml::{Kind, Node, Yaml},
};
use std::{borrow::Cow, collections::BTreeMap};

/// Variables of a file by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ScriptVariables(BTreeMap<String, String>);

/// Values longer than this are no names or paths.
const LONGEST: usize = 512;

/// Variables are made of others so often.
const DEEPEST: usize = 4;

/// So many variables of a file are read.
const MOST: usize = 256;

/// Keys of CI files below which variables stand: of GitHub, of GitLab.
const KEYS: [&str; 2] = ["env", "variables"];

impl ScriptVariables {
    /// Those of a shell script.
    pub(super) fn of_script(script: &Script) -> Self {
        let alone = script.commands().filter(|command| command.word_count() == 0);
        let exported = script.commands().filter(|command| matches!(command.name(), Some("export" | "readonly")));
        let of_words = exported.flat_map(Command::arguments).filter_map(|word| {
            let name = word.assigned_name()?.to_owned();
            let source = String::from_utf8_lossy(word.source()).into_owned();
            let value = source.split_once('=')?.1.to_owned();
            Some((name, unquoted(&value)))
        });
        let assignments = alone.flat_map(Command::assignments).map(|assignment| of_assignment(assignment, script));
        Self::of(assignments.chain(of_words))
    }

    /// Those of a Makefile.
    pub(super) fn of_makefile(text: &[u8]) -> Self {
        let lines = text.split(|&byte| byte == b'\n').filter(|line| line.contains(&b'=') && !line.starts_with(b"\t"));
        Self::of(lines.filter_map(|line| of_line(&String::from_utf8_lossy(line))))
    }

    /// Those of a CI file, of all its jobs.
    pub(super) fn of_steps(tree: &Yaml<'_>) -> Self {
        let mappings = tree.nodes().filter(|node| matches!(node.kind(), Kind::Mapping(_)));
        let below = mappings
            .flat_map(Node::entries)
            .filter(|entry| entry.key.scalar().is_some_and(|key| KEYS.contains(&key)) && entry.value.is_mapping());
        Self::of(below.flat_map(|entry| entry.value.entries()).filter_map(|entry| {
            let value = entry.value.get("value").unwrap_or(entry.value).scalar().map(str::to_owned);
            Some((entry.key.scalar()?.to_owned(), value))
        }))
    }

    /// Variables as they are set; of one that is set twice, or to what cannot be read, nothing is known.
    fn of(set: impl Iterator<Item = (String, Option<String>)>) -> Self {
        let mut values: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (name, value) in set.take(MOST) {
            let value = value.filter(|value| value.len() <= LONGEST);
            let known = values.entry(name).or_insert_with(|| value.clone());
            if *known != value {
                *known = None;
            }
        }
        let known = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut variables = Self(known.collect());
        for _ in 0..DEEPEST {
            let next =
                Self(variables.0.iter().map(|(name, value)| (name.clone(), variables.others(name, value))).collect());
            if next == variables {
                break;
            }
            variables = next;
        }
        variables
    }

    /// `value` of the variable `name` with the values of others in it.
    fn others(&self, name: &str, value: &str) -> String {
        let filled = filled(value, |other| if other == name { None } else { self.0.get(other) });
        if filled.len() <= LONGEST { filled.into_owned() } else { value.to_owned() }
    }

    /// `text` with the values in the place of the variables that are known.
    pub(super) fn fill<'t>(&self, text: &'t str) -> Cow<'t, str> {
        filled(text, |name| self.0.get(name))
    }
}

/// `text` with what `value_of` answers in the place of its variables.
fn filled<'t, 'v>(text: &'t str, value_of: impl Fn(&str) -> Option<&'v String>) -> Cow<'t, str> {
    if !text.contains('$') {
        return Cow::Borrowed(text);
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        filled.push_str(before);
        let Some((name, default, after)) = reference(behind) else {
            filled.push('$');
            rest = behind;
            continue;
        };
        match (value_of(name), default) {
            (Some(value), _) => filled.push_str(value),
            (None, Some(default)) => filled.push_str(default),
            (None, None) => filled.extend(["$", &behind[..behind.len() - after.len()]]),
        }
        rest = after;
    }
    filled.push_str(rest);
    Cow::Owned(filled)
}

/// The variable that begins behind a `$`: its name, what stands in its place where it is not set, and what follows.
fn reference(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let Some(inner) = text.strip_prefix('{') else {
        let end = text.find(|letter| !is_of_name(letter)).unwrap_or(text.len());
        return (end > 0).then(|| (&text[..end], None, &text[end..]));
    };
    let (inside, after) = inner.split_once('}')?;
    let end = inside.find(|letter| !is_of_name(letter)).unwrap_or(inside.len());
    let (name, operator) = inside.split_at(end);
    let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'));
    let is_plain = operator.is_empty() || default.is_some_and(|default| !default.contains(['$', '{', '`']));
    (end > 0 && is_plain).then_some((name, default, after))
}

fn of_assignment(assignment: Assignment<'_>, script: &Script) -> (String, Option<String>) {
    let written = String::from_utf8_lossy(script.bytes(assignment.span()));
    let value = written.split_once('=').filter(|(name, _)| !name.ends_with('+')).map(|(_, value)| value);
    (assignment.name().to_owned(), value.and_then(unquoted))
}

/// The text that a shell reads in `value` before it replaces variables, if quotes only stand around all of it.
fn unquoted(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let is_plain = !inner.contains(['"', '\'', '\\', ' ', '(', '\n']);
    let single = || value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    // What `$(…)` puts behind a name leaves the name known.
    let is_cut = || inner.find("$(").filter(|&at| at > 0 && !inner[..at].contains(['"', '\'', '\\', ' ']));
    match single() {
        Some(single) => (!single.contains(['\'', '$'])).then(|| single.to_owned()),
        None if is_plain => Some(inner.to_owned()),
        None => is_cut().map(|at| [&inner[..at], "$"].concat()),
    }
}

/// The variable that a line of a Makefile sets.
fn of_line(line: &str) -> Option<(String, Option<String>)> {
    let (left, value) = line.split_once('=')?;
    let left = left.trim_start().trim_start_matches("export ").trim_start_matches("override ");
    let is_added = left.ends_with(['+', '!']);
    let name = left.trim_end_matches([':', '?', '+', '!']).trim();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let value = value.split('#').next().unwrap_or_default().trim().replace("$(shell", "`").replace("$(", "${");
    let is_read = !is_added && !value.ends_with('\\');
    // Only plain variables end where they did.
    let value = value.replace(')', "}");
    let value = value.split_once('`').map_or(value.clone(), |(known, _)| [known, "$"].concat());
    Some((name.to_owned(), is_read.then_some(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{shell, yaml};

    #[test]
    fn what_a_makefile_sets_once_is_known() {
        let text = "REG ?= ghcr.io/acme  # ours\nTAG:=1.4\nexport IMAGE = $(REG)/web:$(TAG)\nX = 1\nX = 2\nY += 3\nall: A=4\nSHA := $(shell git rev-parse HEAD)\nFULL = acme/api:$(SHA)\n\tZ=5\n";
        let variables = ScriptVariables::of_makefile(text.as_bytes());
        assert_eq!(variables.fill("${IMAGE}"), "ghcr.io/acme/web:1.4");
        assert_eq!(variables.fill("a $TAG-b ${TAG}c $TAGS ${X} $Y ${Z} ${A}"), "a 1.4-b 1.4c $TAGS ${X} $Y ${Z} ${A}");
        assert_eq!(variables.fill("${FULL}"), "acme/api:$");
        assert_eq!(variables.fill("plain"), "plain");
    }

    #[test]
    fn what_a_script_sets_once_is_known() {
        let script = "REPO=acme/web\nTAG=\"${TAG:-1.2}\"\nexport FULL=\"$REPO:$TAG\"\nNOW=$(date)\nSHA=web:$(git describe)\nA=1\nif x; then A=2; fi\nQ='$x'\nA2=1 run\n";
        let script = shell::parse(script.as_bytes(), shell::Dialect::Bash);
        let variables = ScriptVariables::of_script(&script);
        assert_eq!(variables.fill("${FULL}"), "acme/web:1.2");
        assert_eq!(variables.fill("$NOW $A $Q $A2 ${OTHER:-x} ${OTHER:+x}"), "$NOW $A $Q $A2 x ${OTHER:+x}");
        assert_eq!(variables.fill("$SHA"), "web:$");
    }

    #[test]
    fn what_a_pipeline_sets_once_is_known() {
        let tree = "variables: {IMAGE: acme/web, TAG: {value: '1'}}\na: {variables: {X: 1}}\nb: {variables: {X: 2}}\n";
        let parsed = yaml::parse(tree.as_bytes());
        assert_eq!(ScriptVariables::of_steps(&parsed.tree).fill("$IMAGE:$TAG$X"), "acme/web:1$X");
    }

    #[test]
    fn nothing_grows_without_bound() {
        let text: String = ["A = $(B)$(B)$(B)", "B = $(A)$(A)$(A)", "C = $(C)c"].join("\n");
        assert!(ScriptVariables::of_makefile(text.as_bytes()).fill("${A}${C}").len() < 3 * LONGEST);
    }
}
