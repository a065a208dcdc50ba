//! Fixing bears any Dockerfile: nothing is taken back, no error of form is added, and a second run changes nothing.

#![no_main]

use ironhull::{
    context::NoFiles,
    engine::{self, Evidence},
    fix,
    knowledge::Knowledge,
    lock::Lock,
    rule::{Detail, Safety},
    rules::RULES,
    source::{FileKind, SourceSet},
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(Knowledge::builtin);
static LOCK: LazyLock<Lock> = LazyLock::new(Lock::default);

fuzz_target!(|text: &[u8]| {
    let Some(once) = repaired(text) else { return };
    let twice = repaired(&once).expect("it stays a Dockerfile");
    assert!(once == twice, "a second run changes\n{}", String::from_utf8_lossy(&once));
});

fn repaired(text: &[u8]) -> Option<Vec<u8>> {
    let mut sources = SourceSet::new();
    sources.add("Dockerfile", FileKind::Dockerfile, text.to_vec());
    let evidence = Evidence { knowledge: &KNOWLEDGE, around: &NoFiles, lock: &LOCK, today: None, detail: Detail::Repairs };
    let judge = |sources: &SourceSet| engine::judge(&sources.files()[0], RULES, evidence);
    let before = judge(&sources).ok()?.errors;
    let (outcome, after) = fix::repair(sources, Safety::Risky, &judge).ok()?;
    assert!(outcome.quarantined.is_empty(), "{:?}", outcome.quarantined);
    assert!(after.errors <= before, "{} errors of form, {before} before", after.errors);
    Some(outcome.sources.into_files().remove(0).text)
}
