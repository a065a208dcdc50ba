//! What holds for any bytes.

use super::*;
use crate::text::Span;
use proptest::prelude::*;

/// Bits that scripts are made of, so that random text is nested, quoted and broken often.
const BITS: &[&str] = &[
    "a",
    "b=",
    "$",
    "$(",
    "${",
    "$((",
    "((",
    "))",
    "(",
    ")",
    "{",
    "}",
    " ",
    " ",
    "\n",
    ";",
    ";;",
    "&",
    "&&",
    "|",
    "||",
    "<",
    ">",
    "<<",
    "<<-E",
    "<<<",
    "E\n",
    "'",
    "\"",
    "`",
    "\\",
    "#",
    "!",
    "[",
    "]",
    "[[ ",
    " ]]",
    "*",
    "~",
    ",",
    "..",
    "if ",
    "then ",
    "elif ",
    "else ",
    "fi",
    "while ",
    "do ",
    "done",
    "for ",
    " in ",
    "case ",
    "esac",
    "function ",
    "f()",
    "time ",
    "eval ",
    "sh -c ",
    "sudo ",
    "x=(",
    "=~",
    "2>",
    "\r\n",
    "\t",
    "é",
    "-",
    ":-",
    "%",
    "/",
    "@",
    "$'",
    "$\"",
];

fn scripts() -> impl Strategy<Value = Vec<u8>> {
    let bits = prop::collection::vec(prop::sample::select(BITS), 0..60);
    prop_oneof![
        8 => bits.prop_map(|bits| bits.concat().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..80),
    ]
}

/// Asks everything that a script answers; spans must lie in the text and in each other.
fn look_at(script: &Script, whole: Span) {
    let mut last = 0;
    for command in script.commands() {
        let span = command.span();
        assert!(whole.covers(span), "{span:?} of a command");
        assert!(last <= span.start, "commands are in source order");
        last = span.start;
        look_at_place(script, command.place());
        assert!(whole.covers(command.operator_span()));
        let mut end = span.start;
        for word in command.words() {
            assert!(span.covers(word.span()), "{:?} of a word", word.span());
            assert!(end <= word.span().start, "words are in order");
            end = word.span().end;
            look_at_word(word, whole);
        }
        for assignment in command.assignments() {
            assert!(span.covers(assignment.span()));
            assert!(!assignment.name().is_empty());
            match assignment.value() {
                Value::Word(word) => look_at_word(word, whole),
                Value::Array(words) => words.for_each(|word| look_at_word(word, whole)),
            }
        }
        for redirect in command.redirects() {
            assert!(span.covers(redirect.span()));
            look_at_word(redirect.target(), whole);
        }
        if !script.is_inline() {
            assert_eq!(command.is_doubtful(), script.doubts_in(span).next().is_some());
        }
        assert!(command.blocks().count() <= script.compounds().len());
        if let Some(invocation) = command.invocation() {
            _ = (invocation.name(), invocation.inline_script(), invocation.has_option(Some('x'), "long", "o"));
        }
        if let Some(inline) = command.inline() {
            assert_eq!(inline.text(), script.text());
            look_at(inline, span);
        }
    }
    let mut last = 0;
    for compound in script.compounds() {
        let span = compound.span();
        assert!(whole.covers(span), "{span:?} of {:?}", compound.kind());
        assert!(last <= span.start, "compound commands are in source order");
        last = span.start;
        look_at_place(script, compound.place());
        compound.words().for_each(|word| look_at_word(word, whole));
    }
    for heredoc in script.heredocs() {
        assert!(heredoc.body().is_none_or(|body| whole.covers(body)));
        assert!(heredoc.end().is_none_or(|end| whole.covers(end)));
        assert!(heredoc.pieces().all(|piece| whole.covers(piece.span)));
    }
    assert!(script.comments().all(|comment| whole.covers(comment)));
    assert!(script.doubts().is_sorted());
    assert!(script.doubts().all(|doubt| whole.covers(doubt.span)));
}

fn look_at_word(word: Word<'_>, whole: Span) {
    assert!(whole.covers(word.span()));
    _ = (word.text(), word.literal(), word.source(), word.assigned_name());
    for piece in word.pieces() {
        assert!(word.span().covers(piece.span), "{piece:?} in {:?}", word.span());
        if let PieceKind::Variable { name, operand, .. } = piece.kind {
            assert!(piece.span.covers(name) && piece.span.covers(operand), "{piece:?}");
        }
    }
    assert_eq!(word.literal().is_some(), !word.is_expanded() && std::str::from_utf8(word.bytes()).is_ok());
}

/// Neighbours point at each other and agree on how they are joined.
fn look_at_place(script: &Script, place: &Place) {
    if let Some(next) = place.next {
        let next = script.place_of(next);
        assert_eq!(next.before, place.after);
        assert_eq!((next.block, next.section), (place.block, place.section));
        assert_eq!(next.pipeline == place.pipeline, place.after.is_pipe());
    }
    if let Some(previous) = place.previous {
        assert_eq!(script.place_of(previous).after, place.before);
    }
    assert!(place.block.is_none_or(|block| (block as usize) < script.compounds().len()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_have_a_script(text in scripts(), is_bash in any::<bool>()) {
        let script = parse(&text, if is_bash { Dialect::Bash } else { Dialect::Posix });
        look_at(&script, Span::new(0, text.len()));
    }

    #[test]
    fn quoted_text_is_one_literal_word(text in "[^\0]{0,40}") {
        let quoted = format!("x '{}' y", text.replace('\'', "'\\''"));
        let script = parse(quoted.as_bytes(), Dialect::Posix);
        prop_assert_eq!(script.command(0).word(1).and_then(Word::literal), Some(text.as_str()));
        prop_assert_eq!(script.command(0).word_count(), 3);
    }

    #[test]
    fn an_inline_script_has_the_commands_that_it_has_alone(text in scripts()) {
        let Ok(text) = String::from_utf8(text) else { return Ok(()) };
        let alone = parse(text.as_bytes(), Dialect::Posix);
        let quoted = format!("sh -c -- '{}'", text.replace('\'', "'\\''"));
        let script = parse(quoted.as_bytes(), Dialect::Posix);
        let inline = script.command(0).inline().expect("a shell with a script");
        let words = |script: &Script| -> Vec<Vec<u8>> {
            script.commands().flat_map(Command::words).map(|word| word.bytes().to_vec()).collect()
        };
        prop_assert_eq!(words(&alone), words(inline));
    }
}
