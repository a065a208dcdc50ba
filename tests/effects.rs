//! What the commands of real Dockerfiles leave behind: how many of them are told.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the test reads files that are not of the repository"
)]

use ironhull::{
    harden::effect::of_stage,
    knowledge::Knowledge,
    model::DockerfileModel,
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::FileId,
};

/// Counts over the Dockerfiles of a collection; says which commands nobody can tell, most frequent first.
#[test]
fn most_commands_of_real_files_are_told() {
    let Ok(shared) = std::env::var("IRONHULL_SHARED") else {
        eprintln!("skipped: IRONHULL_SHARED is not set");
        return;
    };
    let index = std::fs::read_to_string(format!("{shared}/corpus/INDEX.tsv")).unwrap();
    let (mut all, mut told) = (0_u32, 0_u32);
    let mut unknown = std::collections::BTreeMap::<String, u32>::new();
    for line in index.lines().filter(|line| line.starts_with("dockerfile\t")).step_by(20) {
        let Some(name) = line.split('\t').nth(2) else { continue };
        let Ok(text) = std::fs::read(format!("{shared}/corpus/files/{name}")) else { continue };
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text);
        let parsed = dockerfile::parse(&file.text);
        let model = DockerfileModel::new(&file, &parsed.tree, &Knowledge::builtin());
        for effect in model.target().into_iter().flat_map(of_stage) {
            all += 1;
            match effect.unknown() {
                Some(what) => *unknown.entry(what.to_owned()).or_default() += 1,
                None => told += 1,
            }
        }
    }
    let mut unknown: Vec<_> = unknown.into_iter().collect();
    unknown.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    eprintln!("{told} of {all} are told");
    for (what, count) in unknown.iter().take(120) {
        eprintln!("{count:5} {}", what.chars().take(70).collect::<String>());
    }
    assert!(all > 1000, "{all}");
    assert!(f64::from(told) / f64::from(all) > 0.9, "{told} of {all}");
}
