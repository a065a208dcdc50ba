//! What holds of the tree of every Dockerfile, whatever its bytes are.

#![allow(clippy::disallowed_methods, reason = "the test reads the corpus and the clock")]

use ironhull::{
    syntax::dockerfile::{self, Arg, Arguments, Dockerfile, Instruction, Joined},
    text::{LineIndex, Parsed, Span},
};
use proptest::{prelude::*, sample::Index};
use std::{
    borrow::Cow,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Asserts everything that holds of any text.
fn hold(text: &[u8]) -> Parsed<Dockerfile> {
    let parsed = dockerfile::parse(text);
    let lines = LineIndex::new(text);
    tokens_concatenate_to_the_file(&parsed.tree, text);
    let mut end = 0;
    for instruction in &parsed.tree.instructions {
        assert!(end <= instruction.span.start, "instructions follow each other");
        end = instruction.span.end;
        assert_eq!(lines.line(instruction.span.start), instruction.lines.0, "the first line is where the span starts");
        assert!(lines.line(instruction.span.end) <= instruction.lines.1, "the span ends on the last line or before");
        assert!(instruction.lines.1 <= lines.lines());
        holds_of_instruction(instruction, text);
        if let Some(trigger) = &instruction.trigger {
            assert!(instruction.span.covers(trigger.span), "{instruction:#?} holds its trigger");
            assert!(trigger.trigger.is_none());
            holds_of_instruction(trigger, text);
        }
    }
    assert!(end as usize <= text.len());
    assert!(parsed.errors.is_sorted_by_key(|error| error.span.start), "errors are in file order");
    for error in &parsed.errors {
        assert_in_bounds(error.span, text);
    }
    for directive in &parsed.tree.directives {
        assert!(directive.span.covers(directive.name) && directive.span.covers(directive.value));
    }
    parsed
}

fn tokens_concatenate_to_the_file(tree: &Dockerfile, text: &[u8]) {
    let mut end = 0;
    for token in &tree.tokens {
        assert_eq!(token.span.start, end, "tokens follow each other without a gap");
        assert!(!token.span.is_empty(), "a token holds something");
        end = token.span.end;
    }
    assert_eq!(end as usize, text.len(), "tokens reach the end of the file");
}

fn holds_of_instruction(instruction: &Instruction, text: &[u8]) {
    assert!(instruction.span.covers(instruction.keyword_span), "{instruction:#?} holds its keyword");
    let body = instruction.body.text(text);
    maps_back(&instruction.body, text);
    assert!(instruction.args.start <= instruction.args.end && instruction.args.end as usize <= body.len());
    let mut at = 0;
    for flag in &instruction.flags {
        assert!(at <= flag.range.start && flag.range.end <= instruction.args.start, "flags stand before arguments");
        at = flag.range.end;
        assert!(body[flag.range.start as usize..].starts_with(b"--"));
        assert!(instruction.span.covers(flag.span) && flag.span.covers(flag.value_span));
    }
    for heredoc in &instruction.heredocs {
        assert!(instruction.span.covers(heredoc.marker));
        assert!(heredoc.marker.end <= heredoc.body.start);
        assert_in_bounds(heredoc.body, text);
        if let Some(end) = heredoc.end {
            assert_eq!(heredoc.body.end, end.start, "the end follows the body");
            assert!(instruction.span.covers(end));
        }
    }
    for arg in &args(&instruction.arguments(text)) {
        assert!(instruction.span.covers(arg.span), "{arg:?} lies in {instruction:#?}");
        let is_on_one_line = instruction.body.spans().len() == 1;
        if is_on_one_line && let Cow::Borrowed(written) = arg.text {
            assert_eq!(arg.span.of(text), written, "the span of an argument is where it is written");
        }
    }
}

fn args<'a>(arguments: &Arguments<'a>) -> Vec<Arg<'a>> {
    match arguments {
        Arguments::Json(args) | Arguments::Words(args) => args.clone(),
        Arguments::Text(arg) => vec![arg.clone()],
        Arguments::Assignments(assignments) => {
            let both = assignments
                .iter()
                .flat_map(|assignment| std::iter::once(assignment.name.clone()).chain(assignment.value.clone()));
            both.collect()
        }
        Arguments::None => Vec::new(),
    }
}

/// Every byte of the joined text is the byte of the file that it says it is.
fn maps_back(joined: &Joined, text: &[u8]) {
    let logical = joined.text(text);
    let mut at = 0;
    for span in joined.spans() {
        assert_in_bounds(*span, text);
        assert_eq!(&logical[at..at + span.len()], span.of(text));
        for offset in [0, span.len() / 2].into_iter().filter(|&offset| offset < span.len()) {
            assert_eq!(joined.file_offset((at + offset) as u32), span.start + offset as u32);
        }
        at += span.len();
    }
    assert_eq!(at, logical.len());
}

fn assert_in_bounds(span: Span, text: &[u8]) {
    assert!(span.start <= span.end && span.end as usize <= text.len(), "{span:?} lies in {} bytes", text.len());
}

/// Bytes that change how what follows them is read, and what Dockerfiles are made of.
#[rustfmt::skip]
const PARTS: &[&[u8]] = &[
    b"\n", b"\n", b"\n", b"\r\n", b"\r", b" ", b" ", b"\t", b"\\\n", b"\\\n", b"\\", b"\\ \n", b"`\n", b"`", b"#", b"\n# a\n", b"# escape=`\n", b"# syntax=a\n",
    b"# escape=\\\n", b"\n\n", b"\xef\xbb\xbf", b"\xc2\xa0", b"\xe3\x80\x80", b"\xff", b"\xc3", b"\x85", b"\0", b"\x0b", b"FROM ", b"FROM a\n", b" AS ", b"RUN ",
    b"COPY ", b"ADD ", b"ENV ", b"LABEL ", b"ARG ", b"ONBUILD ", b"HEALTHCHECK ", b"CMD ", b"NONE", b"SHELL ", b"VOLUME ", b"USER ", b"EXPOSE ",
    b"FR", b"OM ", b"--", b"--from=", b"--mount=", b"--a ", b"=", b"a=b", b"\"", b"'", b"[", b"]", b"[\"a\"", b", \"b\"]", b"\\u00", b"{\"a\":", b"1", b"null",
    b"<<", b"<<a", b"<<-a", b"<<'a b'", b" << a", b"3<<a", b"\na\n", b"\n\ta\n", b"\na b\n", b"$", b"${", b"${a:-", b"${a/", b"/", b"}", b"a", b"b c", b"\xc3\xa9",
];

/// A file as people write them.
const WRITTEN: &[u8] = b"# syntax=docker/dockerfile:1\n# escape=\\\n\nARG VERSION=3.22\nFROM --platform=$BUILDPLATFORM alpine:${VERSION} AS build\n\
# Tools\nRUN --mount=type=cache,target=/var/cache \\\n    apk add \\\n      # for git\n      git \\\n\n      curl && \\\n    echo \"a # b\"\n\
ENV A=\"b c\" \\\n    D=e\nCOPY --chown=1:1 [\"a b\", \"/c/\"]\nCOPY <<EOF <<-'END' /etc/\nx $y\nEOF\n\tz\n\tEND\nONBUILD RUN <<A\nid\nA\n\n\
FROM scratch\nCOPY --from=build /a /b\nHEALTHCHECK --interval=5s CMD [\"/a\", \"-h\"]\nLABEL old form\nEXPOSE 80 443/tcp\nVOLUME /d\n\
SHELL [\"/bin/sh\", \"-c\"]\nSTOPSIGNAL 9\nUSER 1:1\nWORKDIR /a\nENTRYPOINT [\"/b\"]\nCMD a b\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_bytes_have_a_tree(text in prop::collection::vec(any::<u8>(), 0..200)) {
        hold(&text);
    }

    #[test]
    fn any_parts_have_a_tree(parts in prop::collection::vec(prop::sample::select(PARTS), 0..60)) {
        hold(&parts.concat());
    }

    #[test]
    fn a_damaged_file_has_a_tree(
        cuts in prop::collection::vec((any::<Index>(), 0_usize..40, prop::sample::select(PARTS)), 0..8),
    ) {
        let mut text = WRITTEN.to_vec();
        for (at, length, part) in cuts {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, part.iter().copied());
        }
        hold(&text);
    }

    #[test]
    fn a_part_of_a_joined_text_is_that_part(
        lengths in prop::collection::vec((0_usize..5, 0_usize..3), 1..8),
        (from, to) in (any::<Index>(), any::<Index>()),
    ) {
        let source: Vec<u8> = (0..64).collect();
        let mut at = 0;
        let spans = lengths.into_iter().map(|(length, gap)| {
            let span = Span::new(at, at + length);
            at = span.end as usize + gap;
            span
        });
        let joined = Joined::new(&source, spans.collect());
        let text = joined.text(&source);
        let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        let part = joined.part(&source, from as u32..to as u32);
        prop_assert_eq!(part.text(&source), &text[from..to]);
        for logical in from..to {
            prop_assert_eq!(part.file_offset((logical - from) as u32), joined.file_offset(logical as u32));
        }
    }
}

#[test]
fn a_written_file_is_accepted() {
    assert_eq!(hold(WRITTEN).errors, []);
}

#[test]
fn size_costs_time_in_proportion() {
    let line = |part: &str, times: usize| format!("FROM a\nRUN {}\n", part.repeat(times)).into_bytes();
    let from = |part: &str, times: usize| format!("FROM a\n{}", part.repeat(times)).into_bytes();
    let started = Instant::now();
    for text in [
        line("x", 8_000_000),
        line("a \\\n", 200_000),
        line("\\\n", 1_000_000),
        line("\\\n# a\n\n", 500_000),
        line("--mount=type=cache,target=/a ", 100_000),
        line("<<a ", 300_000),
        line("${a:-", 500_000),
        line("<<${a:-", 500_000),
        line("'", 2_000_001),
        line("[\"a\", ", 500_000),
        line("[", 2_000_000),
        from("RUN a\n", 100_000),
        from("FOO a\n", 100_000),
        from("RUN <<a <<b\na\nb\n", 50_000),
        from("RUN <<a\n", 50_000),
        from("ONBUILD ", 500_000),
        from("ENV a=b \\\n", 200_000),
        from("ENV ", 500_000),
        from("COPY [\"a\", \"b\"]\n", 50_000),
        from("F\\\n", 500_000),
        from("\\\n", 1_000_000),
        from("\r", 4_000_000),
        from("\u{a0}", 2_000_000),
        "# escape=`\n# syntax=a\n".repeat(100_000).into_bytes(),
        "# escape=`\n".repeat(100_000).into_bytes(),
    ] {
        hold(&text);
    }
    // Whatever grows faster than its input takes hours here.
    assert!(started.elapsed() < Duration::from_mins(2), "{:?} is too long", started.elapsed());
}

#[test]
fn every_file_of_the_corpus_has_a_tree() {
    let Some(shared) = env::var_os("IRONHULL_SHARED").map(PathBuf::from) else {
        println!("skipped: IRONHULL_SHARED names no corpus");
        return;
    };
    let mut count = 0;
    for folder in ["files", "mutated"] {
        each_file(&shared.join("corpus").join(folder), &mut |path| {
            let text = fs::read(path).expect("a file of the corpus can be read");
            hold(&text);
            count += 1;
        });
    }
    assert!(count > 17_000, "the corpus is whole, {count} files are not");
}

fn each_file(top: &Path, visit: &mut impl FnMut(&Path)) {
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the corpus can be read") {
            let path = entry.expect("an entry of the corpus can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                visit(&path);
            }
        }
    }
}
