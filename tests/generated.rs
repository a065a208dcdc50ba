//! Everything in the repository that is made from something else is fresh.
//!
//! `UPDATE=1 cargo test --test generated` writes what is stale.

#![allow(clippy::disallowed_methods, reason = "the test reads, and on request writes, the repository")]

use ironhull::{docs, policy::ConfigFile, rules::RULES};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

#[test]
fn rule_pages_say_what_the_rules_say() {
    let folder = root().join("docs/rules");
    let mut pages: BTreeMap<PathBuf, String> = BTreeMap::new();
    pages.insert(folder.join("README.md"), docs::rule_index(RULES));
    for rule in RULES {
        pages.insert(folder.join(format!("{}.md", rule.meta.id)), docs::rule_page(&rule.meta));
    }
    let mut stale: Vec<String> =
        pages.iter().filter(|(path, text)| !is_fresh(path, text)).map(|(path, _)| shown(path)).collect();
    for path in files_in(&folder) {
        if !pages.contains_key(&path) && !is_removed(&path) {
            stale.push(format!("{} (no rule has that id)", shown(&path)));
        }
    }
    assert_none_stale(&stale);
}

#[test]
fn the_schema_knows_every_rule() {
    let path = root().join("docs/ironhull.schema.json");
    let stale = if is_fresh(&path, &docs::config_schema(RULES)) { Vec::new() } else { vec![shown(&path)] };
    assert_none_stale(&stale);
}

#[test]
fn every_configuration_in_the_documentation_is_one() {
    let page = fs::read_to_string(root().join("docs/configuration.md")).expect("the page is part of the repository");
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.meta.id).collect();
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "the page shows configurations");
    for block in blocks {
        ConfigFile::read(block, &ids).unwrap_or_else(|wrong| panic!("{wrong:#?} in\n{block}"));
    }
}

/// Blocks of the README under a comment show a file (`<!-- file PATH -->`) or what the program prints
/// (`<!-- run ARGUMENTS -->`).
#[test]
fn the_readme_shows_files_as_they_are_and_what_the_program_prints() {
    let path = root().join("README.md");
    let page = fs::read_to_string(&path).expect("the page is part of the repository");
    let mut fresh = String::new();
    let mut lines = page.split_inclusive('\n');
    let mut blocks = 0;
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        let Some(shown) = shown_by(line) else { continue };
        blocks += 1;
        fresh.push_str(lines.next().expect("a block follows the comment"));
        fresh.push_str(&shown);
        fresh.extend(lines.by_ref().find(|line| line.starts_with("```")));
    }
    assert!(blocks > 0, "the README shows nothing");
    let stale = if is_fresh(&path, &fresh) { Vec::new() } else { vec![shown(&path)] };
    assert_none_stale(&stale);
}

#[test]
fn the_picture_of_the_shop_is_what_the_program_draws() {
    let path = root().join("docs/shop.svg");
    let stale =
        if is_fresh(&path, &printed_by("graph --format svg samples/shop")) { Vec::new() } else { vec![shown(&path)] };
    assert_none_stale(&stale);
}

/// What belongs under `line`, if it is a comment that says so.
fn shown_by(line: &str) -> Option<String> {
    let (what, argument) = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?.split_once(' ')?;
    match what {
        "file" => Some(fs::read_to_string(root().join(argument)).expect("the README shows files that exist")),
        "run" => Some(printed_by(argument)),
        _ => None,
    }
}

fn printed_by(arguments: &str) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ironhull"));
    let output = program.args(arguments.split(' ')).current_dir(root()).output().expect("the program starts");
    assert!(output.stderr.is_empty(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("output is UTF-8");
    let lines = text.trim_end().lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

fn assert_none_stale(stale: &[String]) {
    assert!(stale.is_empty(), "stale, run `UPDATE=1 cargo test --test generated`:\n{}", stale.join("\n"));
}

/// Whether the file at `path` holds `text`; on request it is made to.
fn is_fresh(path: &Path, text: &str) -> bool {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return true;
    }
    if !may_write() {
        return false;
    }
    fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the repository can be written");
    fs::write(path, text).expect("the repository can be written");
    true
}

fn is_removed(path: &Path) -> bool {
    may_write() && fs::remove_file(path).is_ok()
}

fn may_write() -> bool {
    env::var_os("UPDATE").is_some()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.expect("a folder of the repository can be listed").path()).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
