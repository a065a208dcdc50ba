//! The model and every rule bear any Dockerfile, and what a rule says lies in the file.

#![no_main]

use ironhull::{
    context::{BuildContext, NoFiles},
    knowledge::Knowledge,
    model::DockerfileModel,
    rule::{Check, Cx, Findings},
    rules::RULES,
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::FileId,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Read once: what is looked for is what a Dockerfile does to the rules.
static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(Knowledge::builtin);

fuzz_target!(|text: &[u8]| {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.to_vec());
    let parsed = dockerfile::parse(&file.text);
    let model = DockerfileModel::new(&file, &parsed.tree, &KNOWLEDGE);
    let context = BuildContext::new(&NoFiles, &file.path);
    let cx = Cx { file: &file, model: &model, knowledge: &KNOWLEDGE, context };
    for rule in RULES {
        let Check::Dockerfile(check) = rule.check else { continue };
        let mut findings = Findings::new(&rule.meta, file.id);
        check(&cx, &mut findings);
        for finding in findings.into_vec() {
            for label in std::iter::once(&finding.primary).chain(&finding.related) {
                assert!(label.span.end as usize <= text.len(), "{finding:#?}");
            }
        }
    }
});
