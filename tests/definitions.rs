//! Files that change with Dockerfiles: compose files and manifests that run their images, and whatever hands their builds
//! a secret.
//!
//! A case of `tests/harden/definitions` is one text: `-- NAME --` begins a file, `-- becomes …` what comes out: the files
//! that change, the places that hand a secret in, then what is declined and what is left to do.

#![allow(clippy::disallowed_methods, reason = "the test reads its cases")]

mod support;

use ironhull::{
    harden::{Dependent, Hardened, Rung, Wishes},
    lock::Lock,
    policy::{Layer, Place, Policy},
    project::{Decided, Deployed, Project},
    source::{FileKind, SourceFile},
    text::FileId,
};
use std::{env, fs, path::PathBuf};
use support::Tree;

fn project() -> Project {
    Project::new(Policy::new(Layer::default(), Place::default()), Lock::default())
}

/// The tree as `harden` would leave it, and what it says of its first Dockerfile.
fn hardened(tree: &Tree, highest: Rung) -> (Tree, Hardened) {
    let project = project();
    let wishes = Wishes { highest, ..Wishes::default() };
    let paths: Vec<&String> = tree.0.keys().filter(|path| path.ends_with("Dockerfile")).collect();
    let mut decided = Decided::new(tree);
    let mut results: Vec<(String, Hardened)> = Vec::new();
    for path in paths {
        let text = tree.0[path].as_bytes().to_vec();
        let file = SourceFile::new(FileId(0), path.as_str(), FileKind::Dockerfile, text);
        let alone = project.harden(&file, tree, &wishes).expect("it is a Dockerfile");
        let result = project.harden_beside(&file, alone, &decided, &wishes).expect("it is a Dockerfile");
        decided.add(&result);
        results.push((path.clone(), result));
    }
    let mut files: Vec<Deployed<'_>> = results
        .iter_mut()
        .map(|(path, result)| Deployed { path, before: tree.0[path.as_str()].as_bytes(), result })
        .collect();
    let dependents = project.deploy(&mut files, tree, &wishes);
    let mut after = tree.clone();
    for (path, result) in &results {
        after.0.insert(path.clone(), String::from_utf8(result.text.clone()).expect("it is text"));
    }
    for Dependent { path, before, after: text, .. } in dependents {
        assert_eq!(before, tree.0[&path].as_bytes(), "{path}");
        assert_ne!(before, text, "{path} is said to change");
        after.0.insert(path, String::from_utf8(text).expect("it is text"));
    }
    (after, results.remove(0).1)
}

/// What comes out of a case, as it is written down.
fn outcome(before: &Tree, after: &Tree, result: &Hardened) -> String {
    let head = format!("-- becomes, rung {} -> {} --\n", result.before, result.after);
    let changed = after.0.iter().filter(|(path, text)| before.0.get(*path) != Some(*text));
    let changed = changed.map(|(path, text)| format!("-- {path} becomes --\n{text}"));
    let places = result.changes.iter().flat_map(|change| &change.evidence);
    let handed = places.filter(|place| place.shows.starts_with("hands "));
    let handed = handed.map(|place| format!("-- {}:{} {}\n", place.path, place.line, place.shows));
    let declined = result.declined.iter().filter(|declined| declined.rung >= Rung::NoShell);
    let declined = declined.map(|declined| format!("-- not rung {}: {}\n", declined.rung, declined.reason));
    let notes = result.manual.iter().map(|note| format!("-- to do: {note}\n"));
    std::iter::once(head).chain(changed).chain(handed).chain(declined).chain(notes).collect()
}

#[test]
fn the_definitions_become_what_is_written_down() {
    let update = env::var_os("UPDATE").is_some();
    let mut complaints = Vec::new();
    let entries = fs::read_dir("tests/harden/definitions").expect("the cases are there");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    cases.sort();
    assert!(cases.len() >= 10, "{} cases", cases.len());
    for path in cases {
        let written = fs::read_to_string(&path).expect("a case is text");
        let given = written.split_once("-- becomes").map_or(&*written, |(given, _)| given);
        let before = Tree::of_case(given);
        let (after, result) = hardened(&before, Rung::Deployed);
        let (again, second) = hardened(&after, Rung::Deployed);
        if again != after {
            complaints.push(format!("{}: a second run changes it again: {again:#?}", path.display()));
        }
        if second.after != result.after || second.before != result.after {
            complaints.push(format!("{}: the second run says {} -> {}", path.display(), second.before, second.after));
        }
        let actual = given.to_owned() + &outcome(&before, &after, &result);
        if update {
            fs::write(&path, &actual).expect("the case is written");
        } else if actual != written {
            complaints.push(format!("{} is not what comes out (UPDATE=1 writes it):\n{actual}", path.display()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn below_the_last_rung_other_files_are_left_alone() {
    let text = fs::read_to_string("tests/harden/definitions/go-service-and-pod.txt").expect("the case is there");
    let before = Tree::of_case(text.split_once("-- becomes").expect("it says what comes out").0);
    let (after, result) = hardened(&before, Rung::NoShell);
    assert_eq!(result.after, Rung::NoShell);
    let changed: Vec<&String> = after.0.keys().filter(|path| before.0[*path] != after.0[*path]).collect();
    assert_eq!(changed, ["Dockerfile"]);
}

#[test]
fn an_image_that_nothing_runs_stays_where_it_is() {
    let text = fs::read_to_string("tests/harden/definitions/go-service-and-pod.txt").expect("the case is there");
    let mut before = Tree::of_case(text.split_once("-- becomes").expect("it says what comes out").0);
    before.0.retain(|path, _| !path.ends_with(".yaml"));
    let (_, result) = hardened(&before, Rung::Deployed);
    assert_eq!(result.after, Rung::NoShell);
    assert!(result.declined.is_empty(), "{:?}", result.declined);
}

/// Writes the files of `tree` into a folder of their own.
fn on_disk(tree: &Tree) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    for (path, text) in &tree.0 {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }
    folder
}

fn harden(folder: &tempfile::TempDir, options: &[&str]) -> (i32, String) {
    harden_as_told(folder, &[&["--no-config"], options].concat())
}

/// The same with what the folder itself says.
fn harden_as_told(folder: &tempfile::TempDir, options: &[&str]) -> (i32, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ironhull"));
    let output = command.arg("harden").args(options).current_dir(folder.path()).output();
    let output = output.expect("it starts");
    (output.status.code().expect("it ends by itself"), String::from_utf8(output.stdout).expect("it prints text"))
}

#[test]
fn everything_is_written_in_one_run_and_nothing_in_the_next() {
    let text = fs::read_to_string("tests/harden/definitions/go-service-and-pod.txt").expect("the case is there");
    let before = Tree::of_case(text.split_once("-- becomes").expect("it says what comes out").0);
    let folder = on_disk(&before);
    let (code, shown) = harden(&folder, &["--diff"]);
    assert_eq!(code, 1);
    for path in ["Dockerfile", "compose.yaml", "k8s/api.yaml"] {
        assert!(shown.contains(&format!("+++ b/{path}\n")), "{shown}");
        assert_eq!(fs::read_to_string(folder.path().join(path)).expect("it is there"), before.0[path]);
    }
    let (code, report) = harden(&folder, &["--format", "json"]);
    assert_eq!(code, 0);
    let report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
    assert_eq!((&report["files"][0]["rung_before"], &report["files"][0]["rung_after"]), (&0.into(), &5.into()));
    let edits = report["files"][0]["edits"].as_array().expect("there are edits");
    let mut edited = before.clone();
    for edit in edits {
        let at = |key: &str| edit[key].as_u64().expect("an offset") as usize;
        let path = edit["path"].as_str().expect("a path");
        let text = edited.0.get_mut(path).expect("it is a file of the case");
        text.replace_range(at("start")..at("end"), edit["text"].as_str().expect("a text"));
    }
    let (after, _) = hardened(&before, Rung::Deployed);
    assert_eq!(edited, after);
    for (path, text) in &after.0 {
        assert_eq!(&fs::read_to_string(folder.path().join(path)).expect("it is there"), text);
    }
    let (code, report) = harden(&folder, &["--diff"]);
    assert_eq!((code, report.as_str()), (0, ""));
}

#[test]
fn whoever_hands_a_secret_in_changes_with_the_dockerfile() {
    const CALLERS: [&str; 3] = [".github/workflows/ci.yml", "Makefile", "compose.yaml"];
    let text = fs::read_to_string("tests/harden/definitions/secret-of-a-build.txt").expect("the case is there");
    let before = Tree::of_case(text.split_once("-- becomes").expect("it says what comes out").0);
    let folder = on_disk(&before);
    let is_as_before =
        |path: &str| fs::read_to_string(folder.path().join(path)).expect("it is there") == before.0[path];
    let (code, shown) = harden(&folder, &["--diff", "--highest", "2"]);
    assert_eq!(code, 1);
    for path in CALLERS {
        assert!(shown.contains(&format!("+++ b/{path}\n")) && is_as_before(path), "{shown}");
    }
    let (_, page) = harden(&folder, &["--format", "markdown", "--diff"]);
    assert!(page.contains("(risky; `compose.yaml:6`, `Makefile:2`, `.github/workflows/ci.yml:11`)"), "{page}");
    // Where one of them is not to be changed, nobody is told to hand in what nobody takes.
    fs::write(folder.path().join("ironhull.toml"), "exclude = [\"Makefile\"]\n").expect("it can be written");
    let (_, report) = harden_as_told(&folder, &["--format", "json", "--diff"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
    let edited: Vec<&str> =
        report["files"][0]["edits"].as_array().into_iter().flatten().filter_map(|edit| edit["path"].as_str()).collect();
    assert_eq!(edited, ["Dockerfile", "compose.yaml"]);
    let told = report["files"][0]["manual"].to_string();
    assert!(told.contains("`Makefile` would have to change with it, and is excluded here"), "{told}");
    let (code, _) = harden(&folder, &[]);
    assert_eq!(code, 0);
    for path in CALLERS {
        assert!(!is_as_before(path), "{path}");
    }
    assert_eq!(harden(&folder, &["--diff"]), (0, String::new()));
}
