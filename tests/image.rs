//! Compares the image configuration of every Dockerfile of the corpus with the one that BuildKit makes.
//!
//! `IRONHULL_SHARED` names the directory of the corpus; without it there is nothing to compare. What differs is listed
//! in `image_differences.tsv` with its reason.

#![allow(clippy::disallowed_methods, reason = "the test reads the corpus, and gzip unpacks its answers")]

use ironhull::{
    emit::{Question, image_line},
    knowledge::Knowledge,
};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

/// The parts of a configuration that BuildKit and this program both write.
const FIELDS: [&str; 12] = [
    "User",
    "Env",
    "WorkingDir",
    "Entrypoint",
    "Cmd",
    "ExposedPorts",
    "Volumes",
    "Labels",
    "StopSignal",
    "Shell",
    "Healthcheck",
    "OnBuild",
];

#[test]
fn images_are_those_that_buildkit_makes() {
    let Some(shared) = std::env::var_os("IRONHULL_SHARED").map(PathBuf::from) else {
        println!("skipped: IRONHULL_SHARED names no corpus");
        return;
    };
    let answers = Command::new("gzip").arg("-dc").arg(shared.join("corpus/image.jsonl.gz")).output();
    let answers = String::from_utf8(answers.expect("gzip runs").stdout).expect("the answers are UTF-8");
    let known = known_differences();
    let knowledge = Knowledge::builtin();
    let mut different = BTreeMap::new();
    let mut compared = 0;
    for line in answers.lines() {
        let wanted: Value = serde_json::from_str(line).expect("each line is JSON");
        let path = wanted["path"].as_str().expect("each answer has a path");
        let text = fs::read(shared.join("corpus/files").join(path)).expect("each answer has a file");
        if let Some(what) = difference(&wanted, &answer(path, &text, &knowledge)) {
            different.insert(path.to_owned(), what);
        }
        compared += 1;
    }
    assert!(compared > 8_000, "the corpus is whole, {compared} files are not");
    let new: Vec<_> = different.iter().filter(|(path, _)| !known.contains_key(*path)).collect();
    assert!(new.is_empty(), "{} of {compared} images differ without a reason: {new:#?}", new.len());
    let settled: Vec<_> = known.keys().filter(|path| !different.contains_key(*path)).collect();
    assert!(settled.is_empty(), "these no longer differ, take them out of the list: {settled:#?}");
}

fn answer(path: &str, text: &[u8], knowledge: &Knowledge) -> Value {
    let question = Question { target: None, build_args: &[], platform: "linux/amd64", empty_base: true, knowledge };
    serde_json::from_slice(&image_line(path, text, &question)).expect("the line is JSON")
}

/// What differs first, if anything does.
fn difference(wanted: &Value, found: &Value) -> Option<String> {
    if wanted["ok"] != found["ok"] {
        return Some(format!("ok: {} is {}", wanted["ok"], found["ok"]));
    }
    if wanted["ok"] == false {
        return None;
    }
    if sorted(&wanted["refs"]) != sorted(&found["refs"]) {
        return Some(format!("refs: {} is {}", wanted["refs"], found["refs"]));
    }
    let (wanted, found) = (&wanted["config"], &found["config"]);
    let field = FIELDS.into_iter().find(|field| !is_same(&wanted[field], &found[field]))?;
    Some(format!("{field}: {} is {}", wanted[field], found[field]))
}

fn sorted(list: &Value) -> Vec<&str> {
    let mut items: Vec<_> = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    items.sort_unstable();
    items
}

/// Equal, or both empty.
fn is_same(wanted: &Value, found: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    wanted == found || (is_empty(wanted) && is_empty(found))
}

/// Path and reason of what is known to differ.
fn known_differences() -> BTreeMap<String, String> {
    let list = include_str!("image_differences.tsv").lines().filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let (path, reason) = line.split_once('\t').expect("a row is a path, a tab and a reason");
        (path.to_owned(), reason.to_owned())
    };
    list.filter(|line| !line.is_empty()).map(row).collect()
}
