//! How fast YAML is read, on one core.
//!
//! `IRONHULL_SHARED` names the directory of the corpus; without it one small file is read over and over.

#![allow(clippy::disallowed_methods, reason = "the bench reads the files that it measures with")]

use divan::{Bencher, counter::BytesCount};
use ironhull::syntax::yaml;
use std::{env, fs, path::PathBuf, sync::LazyLock};

fn main() {
    divan::main();
}

/// Every compose file and manifest of the corpus.
static TEXTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(texts);

const SMALL: &str = "services:\n  web:\n    build: .\n    ports:\n      - \"127.0.0.1:8080:80\" # for the proxy\n";

fn texts() -> Vec<Vec<u8>> {
    let Some(shared) = env::var_os("IRONHULL_SHARED").map(PathBuf::from) else {
        return vec![SMALL.as_bytes().to_vec(); 10_000];
    };
    let index = fs::read_to_string(shared.join("corpus/INDEX.tsv")).expect("the corpus has an index");
    let rows = index.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let wanted = rows.filter(|row| matches!(row[0], "compose" | "k8s" | "k8s-other" | "gha-workflow"));
    wanted.filter_map(|row| fs::read(shared.join("corpus/files").join(row[2])).ok()).collect()
}

#[divan::bench]
fn trees(bencher: Bencher<'_, '_>) {
    let bytes = BytesCount::new(TEXTS.iter().map(Vec::len).sum::<usize>());
    bencher
        .counter(bytes)
        .bench(|| TEXTS.iter().map(|text| yaml::parse(divan::black_box(text)).tree.nodes().count()).sum::<usize>());
}
