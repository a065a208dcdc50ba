//! Whether a variable that a file of scripts names is one of the environment, where a build finds it too.

use crate::source::FileKind;

/// Whether what the file runs has the variable `name` in its environment, if the file itself has it.
///
/// # Errors
/// Why nobody can tell, or why not.
pub(super) fn holds(text: &str, kind: FileKind, name: &str) -> Result<(), String> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let all = |line: &str| {
        matches!(line, "set -a" | "set -o allexport" | "export") || line.starts_with(".EXPORT_ALL_VARIABLES")
    };
    if lines().any(all) || lines().any(|line| exports(line, name)) {
        return Ok(());
    }
    if lines().any(|line| assigns(line, name, kind)) {
        return Err(format!("the file sets `{name}` itself and does not export it"));
    }
    if lines().any(|line| reads_another(line, kind)) {
        return Err(format!("a file that it reads may set `{name}` and not export it"));
    }
    Ok(())
}

/// What stands before and behind each mention of `name` as a word that is no use of its value.
fn mentions<'t>(line: &'t str, name: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let is_part = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    line.match_indices(name).map(move |(at, _)| (&line[..at], &line[at + name.len()..])).filter(
        move |(before, behind)| {
            let is_use = ["$", "${", "$("].iter().any(|sign| before.ends_with(sign));
            let is_word = !is_part(before.bytes().next_back()) && !is_part(behind.bytes().next());
            is_word && !is_use && !is_of_build(before)
        },
    )
}

/// Whether the text ends where the value of `--build-arg` begins.
fn is_of_build(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '\'']);
    before.strip_suffix(['=', ' ']).is_some_and(|before| before.trim_end().ends_with("--build-arg"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| letter.is_whitespace() || matches!(letter, ';' | '&' | '|' | '(' | '"'))
}

fn exports(line: &str, name: &str) -> bool {
    mentions(line, name).any(|(before, _)| {
        let last = before.rsplit([';', '&', '|']).next().unwrap_or_default();
        words(last).any(|word| matches!(word, "export" | "-x" | "-gx"))
    })
}

fn assigns(line: &str, name: &str, kind: FileKind) -> bool {
    const SETTERS: [&str; 9] =
        ["read", "for", "local", "declare", "typeset", "readonly", "mapfile", "readarray", "unset"];
    mentions(line, name).any(|(before, behind)| {
        let behind = if kind == FileKind::Makefile { behind.trim_start() } else { behind };
        let operators = ["=", "+=", ":=", "::=", "?=", "!="];
        let is_set = operators.iter().any(|operator| behind.starts_with(operator)) && !behind.starts_with("==");
        is_set || words(before).any(|word| SETTERS.contains(&word)) || before.trim_end().ends_with("printf -v")
    })
}

fn reads_another(line: &str, kind: FileKind) -> bool {
    match kind {
        FileKind::Makefile => {
            let first = line.split_whitespace().next().unwrap_or_default();
            matches!(first, "include" | "-include" | "sinclude") || sources(line)
        }
        _ => sources(line),
    }
}

fn sources(line: &str) -> bool {
    line.split([';', '&', '|']).any(|part| {
        let mut words = part.split_whitespace().skip_while(|word| matches!(*word, "-" | "then" | "do" | "{" | "run:"));
        matches!(words.next(), Some("source" | ".")) && words.next().is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_of_the_environment_unless_the_file_sets_it() {
        let holds = |text: &str, kind| holds(text, kind, "TOKEN").is_ok();
        let call = "docker build --build-arg TOKEN=$TOKEN --build-arg \"TOKEN=${TOKEN}\" .\n";
        assert!(holds(call, FileKind::Script));
        assert!(holds(&format!("[ -n \"$TOKEN\" ] || exit 1\n{call}"), FileKind::Script));
        assert!(holds(&format!("export TOKEN=$(cat f)\n{call}"), FileKind::Script));
        assert!(holds(&format!("TOKEN=$(cat f)\nexport OTHER TOKEN\n{call}"), FileKind::Script));
        assert!(holds(&format!("set -a\n. ./.env\n{call}"), FileKind::Script));
        assert!(holds(&format!("variables:\n  TOKEN: a\nscript:\n  - {call}"), FileKind::GitlabCi));
        for before in
            ["TOKEN=$(cat f)", "read -r TOKEN", "local TOKEN", ". ./.env", "x && source env.sh", "for TOKEN in a"]
        {
            assert!(!holds(&format!("{before}\n{call}"), FileKind::Script), "{before}");
        }
        let make = "build:\n\tdocker build --build-arg TOKEN=$(TOKEN) .\n";
        assert!(holds(make, FileKind::Makefile));
        assert!(holds(&format!("export TOKEN ?= a\n{make}"), FileKind::Makefile));
        for before in ["TOKEN ?= a", "TOKEN := $(shell cat f)", "-include .env", "include env.mk"] {
            assert!(!holds(&format!("{before}\n{make}"), FileKind::Makefile), "{before}");
        }
    }
}
