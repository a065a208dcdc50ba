//! No damage to a file makes a rule panic, point outside the file or propose an edit that cannot be made.

#![allow(clippy::disallowed_methods, reason = "the test reads the samples")]

mod support;

use ironhull::{
    rule::{Finding, Fix},
    rules::RULES,
    text::Span,
};
use proptest::{prelude::*, sample::Index};
use std::{fs, path::Path, sync::LazyLock};
use support::{findings_of, unmarked};

/// What hands, editors and version control do to a file, and what attackers do.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    CutFront(Index),
    RepeatLine(Index),
    DropLine(Index),
    Insert(Index, &'static [u8]),
    Replace(Index, u8),
    WindowsLines,
    ByteOrderMark,
    NoFinalNewline,
}

/// Bytes that change how what follows them is read.
#[rustfmt::skip]
const LOADED: &[&[u8]] = &[
    b"\\\n",
    b"`\n",
    b"<<EOF\n",
    b"<<-'X' ",
    b"\nEOF\n",
    b"#",
    b"\n# escape=`\n",
    b"\"",
    b"'",
    b"$",
    b"${",
    b"${A:-",
    b"$(",
    b"}",
    b")",
    b"[",
    b"[\"",
    b"\"]",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b" --",
    b" --from=",
    b" AS ",
    b"\nFROM ",
    b"\nONBUILD ",
    b"\nUSER ",
    b"\nSHELL [\"pwsh\"]\n",
    b" | ",
    b" && ",
    b" > ",
    b"\t",
    b"\xc2\xa0",
    b"=",
    b"@sha256:",
];

/// What a Dockerfile is mostly made of.
#[rustfmt::skip]
const PLAIN: &[&[u8]] = &[
    b"FROM a\n", b"RUN ", b"ARG A=", b"ENV A=", b"ADD ", b"COPY ", b"CMD ", b"WORKDIR /", b"HEALTHCHECK ", b"\n", b"\n",
    b" ", b"a", b"http://a", b"curl ", b"sh ", b"chmod 777 ", b"apt-get install ",
];

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => any::<Index>().prop_map(Damage::CutFront),
        1 => any::<Index>().prop_map(Damage::RepeatLine),
        1 => any::<Index>().prop_map(Damage::DropLine),
        6 => (any::<Index>(), prop::sample::select(LOADED)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        1 => Just(Damage::WindowsLines),
        1 => Just(Damage::ByteOrderMark),
        1 => Just(Damage::NoFinalNewline),
    ]
}

impl Damage {
    fn done_to(&self, mut text: Vec<u8>) -> Vec<u8> {
        match self {
            Damage::Cut(at) => text.truncate(at.index(text.len() + 1)),
            Damage::CutFront(at) => text = text.split_off(at.index(text.len() + 1)),
            Damage::RepeatLine(at) => {
                let line = line_at(&text, *at);
                let copy = line.of(&text).to_vec();
                text.splice(line.range().start..line.range().start, copy);
            }
            Damage::DropLine(at) => {
                let line = line_at(&text, *at);
                text.drain(line.range());
            }
            Damage::Insert(at, bytes) => {
                let at = at.index(text.len() + 1);
                text.splice(at..at, bytes.iter().copied());
            }
            Damage::Replace(at, byte) if !text.is_empty() => {
                let at = at.index(text.len());
                text[at] = *byte;
            }
            Damage::Replace(..) => {}
            Damage::WindowsLines => text = text.split(|&byte| byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]),
            Damage::ByteOrderMark => drop(text.splice(0..0, *b"\xef\xbb\xbf")),
            Damage::NoFinalNewline => text.truncate(text.trim_ascii_end().len()),
        }
        text
    }
}

fn line_at(text: &[u8], at: Index) -> Span {
    let at = at.index(text.len() + 1);
    let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline + 1);
    Span::new(start, end)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn every_rule_bears_any_damage(seed in any::<Index>(), damages in prop::collection::vec(damage(), 0..6)) {
        let whole = seed.get(&TEXTS).clone();
        let text = damages.iter().fold(whole, |text, damage| damage.done_to(text));
        for rule in RULES {
            for finding in findings_of(rule, &text) {
                assert_in_bounds(&finding, text.len());
            }
        }
    }

    #[test]
    fn every_rule_bears_any_bytes(text in prop::collection::vec(prop::sample::select([PLAIN, LOADED].concat()), 0..60)) {
        let text = text.concat();
        for rule in RULES {
            for finding in findings_of(rule, &text) {
                assert_in_bounds(&finding, text.len());
            }
        }
    }
}

fn assert_in_bounds(finding: &Finding, length: usize) {
    let labels = std::iter::once(&finding.primary).chain(&finding.related);
    for label in labels {
        assert!(
            label.span.end as usize <= length || label.file != finding.primary.file,
            "{finding:#?} points past the end at {length}"
        );
    }
    for fix in &finding.fixes {
        assert_can_be_made(fix, length);
    }
}

fn assert_can_be_made(fix: &Fix, length: usize) {
    let mut spans: Vec<Span> = fix.edits.iter().map(|edit| edit.span).collect();
    spans.sort();
    assert!(spans.iter().all(|span| span.end as usize <= length), "{fix:#?} edits past the end at {length}");
    assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start), "the edits of {fix:#?} overlap");
}

/// The examples of all rules and the samples.
static TEXTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(texts);

fn texts() -> Vec<Vec<u8>> {
    let examples = RULES.iter().flat_map(|rule| rule.meta.examples);
    let examples = examples.flat_map(|example| [unmarked(example.bad).0.into_bytes(), example.good.into()]);
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let folders = fs::read_dir(samples).expect("the samples are part of the repository");
    let samples = folders.filter_map(|folder| fs::read(folder.ok()?.path().join("Dockerfile")).ok());
    let texts: Vec<Vec<u8>> = examples.chain(samples).collect();
    assert!(texts.len() >= 5, "there are samples");
    texts
}
