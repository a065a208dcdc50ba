//! How fast Dockerfiles are read, on one core.
//!
//! `IRONHULL_SHARED` names the directory of the corpus; without it the samples are read over and over.

#![allow(clippy::disallowed_methods, reason = "the bench reads the files that it measures with")]

use divan::{Bencher, counter::BytesCount};
use ironhull::syntax::dockerfile::{self, Arguments};
use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

fn main() {
    divan::main();
}

/// Every Dockerfile of the corpus, or the samples.
static TEXTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(texts);

fn texts() -> Vec<Vec<u8>> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let Some(shared) = env::var_os("IRONHULL_SHARED").map(PathBuf::from) else {
        let texts = dockerfiles_below(&samples);
        return texts.iter().cycle().take(texts.len() * 500).cloned().collect();
    };
    dockerfiles_below(&shared.join("corpus/files"))
}

fn dockerfiles_below(top: &Path) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("an entry can be read").path();
            let is_dockerfile = path.file_name().is_some_and(|name| name.to_string_lossy().contains("ockerfile"));
            if path.is_dir() {
                folders.push(path);
            } else if is_dockerfile {
                texts.push(fs::read(path).expect("a file can be read"));
            }
        }
    }
    texts
}

#[divan::bench]
fn instructions(bencher: Bencher<'_, '_>) {
    let bytes = BytesCount::new(TEXTS.iter().map(Vec::len).sum::<usize>());
    bencher.counter(bytes).bench(|| {
        TEXTS.iter().map(|text| dockerfile::parse(divan::black_box(text)).tree.instructions.len()).sum::<usize>()
    });
}

#[divan::bench]
fn instructions_and_arguments(bencher: Bencher<'_, '_>) {
    let bytes = BytesCount::new(TEXTS.iter().map(Vec::len).sum::<usize>());
    bencher.counter(bytes).bench(|| {
        let count = |text: &Vec<u8>| {
            let tree = dockerfile::parse(divan::black_box(text)).tree;
            let arguments = tree.instructions.iter().map(|instruction| instruction.arguments(text));
            arguments.filter(|arguments| *arguments != Arguments::None).count()
        };
        TEXTS.iter().map(count).sum::<usize>()
    });
}
