//! Hardening: the applications of `samples/apps`, the stacks of `tests/harden/stacks` and the cases of `tests/harden/cases`
//! become what `tests/harden` says, and hardening the corpus does no harm.
//!
//! A case is one text: `-- NAME --` begins a file of its build context, `-- wishes --` what `harden` is told,
//! `-- becomes …` what the Dockerfile becomes.

#![allow(clippy::disallowed_methods, reason = "the test reads the samples and the shared data")]

mod support;

use ironhull::{
    context::{Files, NoFiles},
    disk::Surroundings,
    harden::Wishes,
    lock::Lock,
    policy::{Layer, Place, Policy},
    project::Project,
    source::{FileKind, SourceFile},
    syntax::dockerfile::{self, TokenKind},
    text::FileId,
};
use rayon::prelude::*;
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use support::Tree;

fn project() -> Project {
    Project::new(Policy::new(Layer::default(), Place::default()), Lock::default())
}

/// `text` hardened, with what `harden` says of the rungs before and after; `None` for what is no Dockerfile.
fn hardened(project: &Project, path: &str, text: &[u8], around: &dyn Files) -> Option<(Vec<u8>, u8, u8)> {
    hardened_as_wished(project, path, text, around, &Wishes::default())
}

fn hardened_as_wished(
    project: &Project,
    path: &str,
    text: &[u8],
    around: &dyn Files,
    wishes: &Wishes,
) -> Option<(Vec<u8>, u8, u8)> {
    let file = SourceFile::new(FileId(0), path, FileKind::Dockerfile, text.to_vec());
    let result = project.harden(&file, around, wishes).ok()?;
    Some((result.text, result.before.number(), result.after.number()))
}

#[test]
fn the_applications_become_what_is_written_down() {
    let update = env::var_os("UPDATE").is_some();
    let (project, mut complaints) = (project(), Vec::new());
    let mut folders: Vec<PathBuf> = ["samples/apps", "tests/harden/stacks"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).expect("the samples are there"))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    assert!(folders.len() >= 14, "{} applications", folders.len());
    for folder in folders {
        let path = folder.join("Dockerfile");
        let text = fs::read(&path).expect("an application has a Dockerfile");
        let surroundings = Surroundings::of(vec![folder.clone()]);
        let name = path.to_string_lossy().into_owned();
        let (after, from, to) = hardened(&project, &name, &text, &surroundings).expect("it is a Dockerfile");
        let again = hardened(&project, &name, &after, &surroundings).expect("it is a Dockerfile").0;
        if again != after {
            complaints.push(format!("{name}: a second run changes it again"));
        }
        let head = format!("# {}: rung {from} -> {to}\n", folder.file_name().expect("a name").to_string_lossy());
        let actual = [head.as_bytes(), &after].concat();
        let golden = Path::new("tests/harden").join(folder.file_name().expect("a name")).with_extension("Dockerfile");
        if update {
            fs::write(&golden, &actual).expect("the golden file is written");
        } else if fs::read(&golden).ok().as_deref() != Some(&actual[..]) {
            let actual = String::from_utf8_lossy(&actual);
            complaints.push(format!("{} is not what comes out (UPDATE=1 writes it):\n{actual}", golden.display()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What the file `wishes` of a case says: `strip`, or a `KEY=VALUE` for `--set`, each on a line.
fn wishes_of(case: &Tree) -> Wishes {
    let mut wishes = Wishes::default();
    for line in case.0.get("wishes").into_iter().flat_map(|text| text.lines()) {
        match line {
            "strip" => wishes.strips = true,
            setting => wishes.set(setting).expect("there is such a setting"),
        }
    }
    wishes
}

#[test]
fn the_cases_become_what_is_written_down() {
    let update = env::var_os("UPDATE").is_some();
    let (project, mut complaints) = (project(), Vec::new());
    let entries = fs::read_dir("tests/harden/cases").expect("the cases are there");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    cases.sort();
    for path in cases {
        let written = fs::read_to_string(&path).expect("a case is text");
        let given = written.split_once("-- becomes").map_or(&*written, |(given, _)| given);
        let case = Tree::of_case(given);
        let text = case.read("Dockerfile").expect("a case has a Dockerfile");
        let wishes = wishes_of(&case);
        let harden = |text: &[u8]| hardened_as_wished(&project, "Dockerfile", text, &case, &wishes);
        let (after, from, to) = harden(&text).expect("it is a Dockerfile");
        let again = harden(&after).expect("it is a Dockerfile").0;
        if again != after {
            complaints.push(format!("{}: a second run changes it again", path.display()));
        }
        let after = String::from_utf8_lossy(&after);
        let actual = format!("{given}-- becomes, rung {from} -> {to} --\n{after}");
        if update {
            fs::write(&path, &actual).expect("the case is written");
        } else if actual != written {
            complaints.push(format!("{} is not what comes out (UPDATE=1 writes it):\n{actual}", path.display()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What is wrong with what became of `text`.
fn harm(project: &Project, path: &str, text: &[u8]) -> Option<String> {
    let (after, ..) = hardened(project, path, text, &NoFiles)?;
    let (old, new) = (dockerfile::parse(text), dockerfile::parse(&after));
    if new.errors.len() > old.errors.len() {
        return Some(format!("errors of form: {:?}", new.errors));
    }
    let comments = |parsed: &dockerfile::Dockerfile, text: &[u8]| -> Vec<Vec<u8>> {
        let tokens = parsed.tokens.iter().filter(|token| token.kind == TokenKind::Comment);
        tokens.map(|token| token.span.of(text).to_vec()).collect()
    };
    let kept = comments(&new.tree, &after);
    if let Some(lost) = comments(&old.tree, text).into_iter().find(|comment| !kept.contains(comment)) {
        return Some(format!("a comment is lost: {}", String::from_utf8_lossy(&lost)));
    }
    let again = hardened(project, path, &after, &NoFiles)?.0;
    (again != after).then(|| "a second run changes it again".to_owned())
}

#[test]
fn hardening_the_corpus_does_no_harm() {
    let Some(shared) = env::var_os("IRONHULL_SHARED") else {
        eprintln!("skipped: IRONHULL_SHARED is not set, so there is no corpus");
        return;
    };
    let root = Path::new(&shared).join("corpus");
    let index = fs::read_to_string(root.join("INDEX.tsv")).expect("the corpus has an index");
    let rows = index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let paths: Vec<PathBuf> =
        rows.filter(|row| row[0] == "dockerfile").map(|row| root.join("files").join(row[2])).collect();
    let project = project();
    let complaints: Vec<String> = paths
        .par_iter()
        .filter_map(|path| {
            let text = fs::read(path).expect("a file of the corpus can be read");
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            Some(format!("{}: {}", path.display(), harm(&project, &name, &text)?))
        })
        .collect();
    let shown = complaints.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(complaints.is_empty(), "{} of {} files:\n{shown}", complaints.len(), paths.len());
}
