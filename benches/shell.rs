//! How fast scripts are read: `IRONHULL_SHARED=… cargo bench --bench shell`.
//!
//! With the shared data, every shell-form `RUN` of the corpus; without it, a script that is repeated. The hostile ones
//! are 8 MB each and have to take time in proportion: none may stand out.
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the corpus")]

use divan::{Bencher, counter::BytesCount};
use ironhull::syntax::{
    dockerfile::{self, Arguments, Keyword},
    shell::{self, Dialect},
};
use std::{env, fs, path::Path};

const SIZE: usize = 8 << 20;

fn main() {
    divan::main();
}

#[divan::bench]
fn corpus(bencher: Bencher<'_, '_>) {
    let scripts = scripts();
    let bytes: usize = scripts.iter().map(Vec::len).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .bench(|| scripts.iter().map(|script| shell::parse(script, Dialect::Posix).commands().len()).sum::<usize>());
}

#[divan::bench(sample_count = 3, args = [
    "a", "a ", "$a ", "\"$a\" ", "${a:-", "$(", "$(a ", "$((1+", "((", "( ", "`a` ", "\"' ", "<<A ", "<<A\n", "$(<<A\n",
    "a && ", "done ", ") ", "case a in b) ", "[[ a ", "a[", "{a,", "\\", "1>", "f() ", "if ", "x=(", "a?(", "eval ",
    "sh -c a;", "find -exec ",
])]
fn hostile(bencher: Bencher<'_, '_>, bit: &str) {
    let script = bit.repeat(SIZE / bit.len());
    bencher.counter(BytesCount::new(script.len())).bench(|| shell::parse(script.as_bytes(), Dialect::Bash));
}

fn scripts() -> Vec<Vec<u8>> {
    let Some(shared) = env::var_os("IRONHULL_SHARED") else {
        let script = "apt-get update && apt-get install -y --no-install-recommends curl \"$PACKAGES\" \
                      && rm -rf /var/lib/apt/lists/* && curl -fsSL https://example.com/$VERSION.tgz | tar -xz";
        return vec![script.into(); 10_000];
    };
    let corpus = Path::new(&shared).join("corpus");
    let index = fs::read_to_string(corpus.join("INDEX.tsv")).expect("the corpus has an index");
    let dockerfiles = index.lines().filter_map(|line| line.strip_prefix("dockerfile\t")?.split('\t').nth(1));
    let mut scripts = Vec::new();
    for path in dockerfiles {
        let source = fs::read(corpus.join("files").join(path)).expect("the index names files");
        for instruction in dockerfile::parse(&source).tree.instructions {
            if let (Keyword::Run, Arguments::Text(text)) = (instruction.keyword, instruction.arguments(&source)) {
                scripts.push(text.text.into_owned());
            }
        }
    }
    scripts
}
