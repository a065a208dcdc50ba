//! `rulesets/packages/` is well formed, every package has its source, and the facts answer for what people install.

#![allow(clippy::disallowed_methods, reason = "the test reads the rulesets and the corpus")]

use ironhull::knowledge::{Code, Fact, Family, Knowledge, Runtime, builtin_packages, check_packages};
use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(Knowledge::builtin);

fn bookworm(package: &str) -> Runtime {
    KNOWLEDGE.runtime_of(Family::Debian, Some("12"), package)
}

#[test]
fn every_file_is_well_formed_and_each_package_has_a_source() {
    let defects: Vec<String> = builtin_packages()
        .filter_map(|(file, text)| Some(format!("{file}.toml: {}", check_packages(text).err()?)))
        .collect();
    assert!(defects.is_empty(), "{}", defects.join("\n"));
}

#[test]
fn every_file_of_the_folder_is_shipped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rulesets/packages");
    let names = |path: &Path| Some(path.file_name()?.to_str()?.strip_suffix(".toml")?.to_owned());
    let there: BTreeSet<String> =
        fs::read_dir(folder).unwrap().filter_map(|entry| names(&entry.unwrap().path())).collect();
    let shipped: BTreeSet<String> = builtin_packages().map(|(file, _)| file.to_owned()).collect();
    assert_eq!(there, shipped, "the folder on the left, the list in src/knowledge/builtin.rs on the right");
}

#[test]
fn a_development_package_leaves_its_libraries() {
    assert_eq!(bookworm("libpq-dev"), Runtime::Libraries(vec!["libpq5"]));
    assert_eq!(bookworm("libzip-dev"), Runtime::Libraries(vec!["libzip4"]));
    assert_eq!(KNOWLEDGE.runtime_of(Family::Debian, Some("bookworm"), "libzip-dev"), bookworm("libzip-dev"));
    assert_eq!(KNOWLEDGE.runtime_of(Family::Debian, None, "libpq-dev"), bookworm("libpq-dev"));
    assert_eq!(bookworm("libunheard-of-dev"), Runtime::Unknown);
}

#[test]
fn other_packages_are_needed_or_not() {
    assert_eq!(bookworm("build-essential"), Runtime::BuildOnly);
    assert_eq!(bookworm("vim"), Runtime::Comfort);
    assert_eq!(bookworm("tar"), Runtime::Present);
    assert_eq!(bookworm("libpq5"), Runtime::Needed);
    let Runtime::Tool { programs } = bookworm("ffmpeg") else { panic!("ffmpeg is a tool") };
    assert!(programs.contains(&"ffmpeg") && programs.contains(&"ffprobe"), "{programs:?}");
}

#[test]
fn a_package_of_a_language_says_what_it_loads() {
    let Fact::Known(psycopg2) = KNOWLEDGE.python_distribution("Psycopg2") else { panic!("psycopg2 is known") };
    assert_eq!(psycopg2.code, Code::Built);
    assert_eq!(KNOWLEDGE.loaded_by(&psycopg2, Family::Debian, Some("bookworm")), Fact::Known(vec!["libpq5"]));
    let Fact::Known(flask) = KNOWLEDGE.python_distribution("flask") else { panic!("flask is known") };
    assert_eq!(flask.code, Code::Plain);
    assert_eq!(KNOWLEDGE.loaded_by(&flask, Family::Debian, None), Fact::Known(vec![]));
}
