//! Fixing real files does no harm: over the whole corpus the result is as well formed as before, comments stay, and a
//! second run changes nothing.

#![allow(clippy::disallowed_methods, reason = "the test reads the shared data")]

mod support;

use ironhull::{
    rule::{Builtin, Safety},
    rules::RULES,
    syntax::dockerfile::{self, TokenKind},
};
use rayon::prelude::*;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Every Dockerfile of the corpus that lies in the folder `shared`.
fn corpus(shared: &Path) -> Vec<PathBuf> {
    let root = shared.join("corpus");
    let index = fs::read_to_string(root.join("INDEX.tsv")).expect("the corpus has an index");
    let rows = index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| row[0] == "dockerfile").map(|row| root.join("files").join(row[2])).collect()
}

fn harm(text: &[u8], allowed: Safety) -> Result<(), String> {
    let rules: &[&'static Builtin] = RULES;
    let fixed = support::repaired_in_place(rules, text, allowed)?;
    let (before, after) = (dockerfile::parse(text), dockerfile::parse(&fixed));
    if after.errors.len() > before.errors.len() {
        return Err(format!("errors of form: {:?}", after.errors));
    }
    let comments = |parsed: &dockerfile::Dockerfile, text: &[u8]| -> Vec<Vec<u8>> {
        let tokens = parsed.tokens.iter().filter(|token| token.kind == TokenKind::Comment);
        tokens.map(|token| token.span.of(text).to_vec()).collect()
    };
    let kept = comments(&after.tree, &fixed);
    if let Some(lost) = comments(&before.tree, text).into_iter().find(|comment| !kept.contains(comment)) {
        return Err(format!("a comment is lost: {}", String::from_utf8_lossy(&lost)));
    }
    Ok(())
}

#[test]
fn fixing_the_corpus_does_no_harm() {
    let Some(shared) = env::var_os("IRONHULL_SHARED") else {
        eprintln!("skipped: IRONHULL_SHARED is not set, so there is no corpus");
        return;
    };
    let complaints: Vec<String> = corpus(Path::new(&shared))
        .par_iter()
        .filter_map(|path| {
            let text = fs::read(path).expect("a file of the corpus can be read");
            let harm = [Safety::Safe, Safety::Risky].into_iter().find_map(|allowed| harm(&text, allowed).err())?;
            Some(format!("{}: {harm}", path.display()))
        })
        .collect();
    assert!(complaints.is_empty(), "{} files:\n{}", complaints.len(), complaints.join("\n"));
}
