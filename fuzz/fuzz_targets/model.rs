//! The model and every rule bear any Dockerfile, and what a rule says lies in the file.

#![no_main]

use ironhull::{
    context::NoFiles,
    engine::{self, Evidence},
    knowledge::Knowledge,
    lock::Lock,
    rule::Detail,
    rules::RULES,
    source::{FileKind, SourceFile},
    text::FileId,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Read once: what is looked for is what a Dockerfile does to the rules.
static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(Knowledge::builtin);
static LOCK: LazyLock<Lock> = LazyLock::new(Lock::default);

fuzz_target!(|text: &[u8]| {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.to_vec());
    let evidence = Evidence { knowledge: &KNOWLEDGE, around: &NoFiles, lock: &LOCK, today: None, detail: Detail::Repairs };
    let Ok(judgement) = engine::judge(&file, RULES, evidence) else { return };
    for finding in &judgement.findings {
        let edits = finding.fixes.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        let labels = std::iter::once(&finding.primary).chain(&finding.related).map(|label| label.span);
        for span in labels.chain(edits) {
            assert!(span.start <= span.end && span.end as usize <= text.len(), "{finding:#?}");
        }
    }
});
