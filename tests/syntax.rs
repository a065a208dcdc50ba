//! The peculiarities of Dockerfiles, one test each; BuildKit decides what is right.

use ironhull::syntax::dockerfile::{self, Arg, Arguments, Assignment, Dockerfile, Instruction, Keyword, TokenKind};

fn tree(text: &str) -> Dockerfile {
    dockerfile::parse(text.as_bytes()).tree
}

/// The instruction that `text` consists of.
fn only(text: &str) -> Instruction {
    let mut instructions = tree(text).instructions;
    assert_eq!(instructions.len(), 1, "{text:?} is one instruction");
    instructions.remove(0)
}

/// Keywords and lines.
fn lines(text: &str) -> Vec<(Keyword, (u32, u32))> {
    tree(text).instructions.iter().map(|instruction| (instruction.keyword, instruction.lines)).collect()
}

/// The arguments of the only instruction, lines joined.
fn joined(text: &str) -> String {
    String::from_utf8_lossy(only(text).args_text(text.as_bytes())).into_owned()
}

fn errors(text: &str) -> Vec<String> {
    dockerfile::parse(text.as_bytes()).errors.into_iter().map(|error| error.message).collect()
}

/// What the error in `text` is about, and what it says.
fn error(text: &str) -> (String, String) {
    let errors = dockerfile::parse(text.as_bytes()).errors;
    let [error] = errors.as_slice() else { panic!("{text:?} has one error, not {errors:?}") };
    (String::from_utf8_lossy(error.span.of(text.as_bytes())).into_owned(), error.message.clone())
}

fn text_of(arg: &Arg<'_>) -> String {
    String::from_utf8_lossy(&arg.text).into_owned()
}

/// The arguments of the only instruction, one after another; assignments with what stands between.
fn words(text: &str) -> Vec<String> {
    let instruction = only(text);
    match instruction.arguments(text.as_bytes()) {
        Arguments::Json(args) | Arguments::Words(args) => args.iter().map(text_of).collect(),
        Arguments::Text(arg) => vec![text_of(&arg)],
        Arguments::Assignments(assignments) => assignments.iter().map(assignment).collect(),
        Arguments::None => Vec::new(),
    }
}

fn assignment(assignment: &Assignment<'_>) -> String {
    let between = if assignment.legacy { ' ' } else { '=' };
    match &assignment.value {
        Some(value) => format!("{}{between}{}", text_of(&assignment.name), text_of(value)),
        None => text_of(&assignment.name),
    }
}

mod lines_of_instructions {
    use super::*;
    use Keyword::{Cmd, From, Run, User};

    #[test]
    fn comments_and_blank_lines_do_not_end_a_continued_instruction() {
        let text = "FROM a\n\nRUN b \\\n  # c \\\n\n \t\n  && d\nCMD e";
        assert_eq!(lines(text), [(From, (1, 1)), (Run, (3, 7)), (Cmd, (8, 8))]);
        assert_eq!(joined("RUN a \\\n  # b\n\n  && c"), "a   && c");
    }

    #[test]
    fn an_instruction_may_be_continued_to_the_end_of_the_file() {
        assert_eq!(lines("RUN a \\\n"), [(Run, (1, 1))]);
        assert_eq!(lines("RUN a \\\n# b\n\n"), [(Run, (1, 3))]);
        assert_eq!(lines("RUN a \\"), [(Run, (1, 1))]);
    }

    #[test]
    fn blanks_may_follow_the_escape_character() {
        assert_eq!(lines("RUN a \\ \t\nb\nUSER c"), [(Run, (1, 2)), (User, (3, 3))]);
        assert_eq!(joined("RUN a\\ \nb"), "ab");
    }

    #[test]
    fn an_escaped_escape_character_continues_nothing() {
        assert_eq!(lines("RUN a \\\\\nUSER b"), [(Run, (1, 1)), (User, (2, 2))]);
        assert_eq!(lines("RUN a \\\\\\\nUSER b"), [(Run, (1, 1)), (User, (2, 2))]);
    }

    #[test]
    fn the_other_escape_character_continues_nothing() {
        assert_eq!(lines("RUN a `\nUSER b"), [(Run, (1, 1)), (User, (2, 2))]);
        let windows = "# escape=`\nRUN a `\n b\nRUN c \\\nUSER d";
        assert_eq!(lines(windows), [(Run, (2, 3)), (Run, (4, 4)), (User, (5, 5))]);
    }

    #[test]
    fn a_keyword_may_lie_on_several_lines() {
        let text = "FR\\\nOM a\n\\\nUSER b";
        assert_eq!(lines(text), [(From, (1, 2)), (User, (3, 4))]);
        let from = &tree(text).instructions[0];
        assert_eq!(from.keyword_span.of(text.as_bytes()), b"FR\\\nOM");
        assert_eq!(from.args_text(text.as_bytes()), b"a");
    }

    #[test]
    fn a_lone_escape_character_is_an_instruction_without_a_name() {
        assert_eq!(lines("\\\n"), [(Keyword::Unknown, (1, 1))]);
        assert_eq!(error("FROM a\n\\"), (String::new(), "`` is no instruction".to_owned()));
    }

    #[test]
    fn windows_line_endings_are_endings() {
        assert_eq!(lines("RUN a \\\r\n  b\r\n\r\nUSER c\r\n"), [(Run, (1, 2)), (User, (4, 4))]);
        assert_eq!(joined("USER a\r\r\n"), "a");
    }

    #[test]
    fn a_bare_carriage_return_separates_words() {
        assert_eq!(words("FROM\ra\rAS\rb"), ["a", "AS", "b"]);
        assert_eq!(lines("FROM a\rUSER b\n"), [(From, (1, 1))]);
    }

    #[test]
    fn keywords_have_no_case() {
        assert_eq!(lines("fRoM a"), [(From, (1, 1))]);
    }

    #[test]
    fn indented_comments_are_comments() {
        assert_eq!(lines("  # a\n\u{a0}# b\n\tUSER c # d"), [(User, (3, 3))]);
        assert_eq!(joined("USER c # d"), "c # d");
    }

    #[test]
    fn white_space_beyond_ascii_is_trimmed_but_separates_nothing() {
        assert_eq!(words("\u{a0}USER a\u{3000}"), ["a"]);
        assert_eq!(lines("USER\u{a0}a"), [(Keyword::Unknown, (1, 1))]);
        assert_eq!(words("EXPOSE 1\u{a0}2"), ["1\u{a0}2"]);
    }

    #[test]
    fn a_byte_order_mark_counts_at_the_start_only() {
        let tree = tree("\u{feff}FROM a\n");
        assert!(tree.bom);
        assert_eq!(tree.instructions[0].keyword_span.start, 3);
        assert_eq!(lines("\n\u{feff}FROM a"), [(Keyword::Unknown, (2, 2))]);
    }

    #[test]
    fn bytes_that_are_no_text_are_kept() {
        let source = b"FROM a\nRUN b\0\xff \\\n\xfe\n";
        let parsed = dockerfile::parse(source);
        assert_eq!(parsed.errors, []);
        assert_eq!(parsed.tree.instructions[1].args_text(source), b"b\0\xff \xfe");
    }

    #[test]
    fn a_bad_line_does_not_hide_the_next() {
        let text = "FROM a\nFOO b\nENV c\nUSER d\n";
        assert_eq!(lines(text).last(), Some(&(User, (4, 4))));
        assert_eq!(errors(text), ["`FOO` is no instruction", "`ENV` has a name and no value"]);
    }
}

mod directives {
    use super::*;

    fn names(text: &str) -> Vec<(String, String)> {
        let part = |span: ironhull::text::Span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned();
        tree(text).directives.iter().map(|directive| (part(directive.name), part(directive.value))).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn they_stand_at_the_top() {
        let text = "\u{feff}# syntax=docker/dockerfile:1\r\n  #ESCAPE = ` \n#\tcheck=skip=all\nFROM a";
        assert_eq!(
            names(text),
            [pair("syntax", "docker/dockerfile:1"), pair("ESCAPE", "`"), pair("check", "skip=all")]
        );
        assert_eq!(tree(text).escape, b'`');
    }

    #[test]
    fn the_frontend_is_dockers_or_anothers() {
        let is_foreign = |text: &str| tree(text).has_foreign_frontend(text.as_bytes());
        for text in ["", "# syntax=docker/dockerfile:1\n", "# syntax=a.example:5000/b/dockerfile-upstream@sha256:0\n"] {
            assert!(!is_foreign(text), "{text:?}");
        }
        assert!(is_foreign("# syntax=devthefuture/dockerfile-x\n"));
        assert!(is_foreign("# syntax=a/dockerfiles:1 b\n"));
    }

    #[test]
    fn anything_else_ends_them() {
        for before in ["\n", "# a comment\n", "#\n", "#!/bin/sh\n", "# other=value\n", "// syntax=a\n", "FROM a\n"] {
            assert_eq!(tree(&format!("{before}# escape=`\n")).escape, b'\\', "{before:?}");
        }
    }

    #[test]
    fn a_second_one_of_a_name_is_an_error() {
        let (span, message) = error("# escape=`\n# Escape=\\\nFROM a");
        assert_eq!(span, "# Escape=\\");
        assert_eq!(message, "the directive `escape` is given twice");
    }

    #[test]
    fn only_two_characters_can_escape() {
        assert_eq!(error("# escape=`\\\nFROM a").0, "`\\");
        assert_eq!(error("# escape= \nFROM a").0, " ");
        assert_eq!(errors("# escape=\nFROM a"), [""; 0]);
    }
}

mod heredocs {
    use super::*;
    use Keyword::{Add, Cmd, Copy, From, Onbuild, Run, User};

    fn bodies(text: &str) -> Vec<(String, String)> {
        let instruction = only(text);
        let body =
            |heredoc: &dockerfile::Heredoc| String::from_utf8_lossy(heredoc.body.of(text.as_bytes())).into_owned();
        instruction.heredocs.iter().map(|heredoc| (heredoc.name.clone(), body(heredoc))).collect()
    }

    fn pair(name: &str, body: &str) -> (String, String) {
        (name.to_owned(), body.to_owned())
    }

    #[test]
    fn a_heredoc_hides_what_looks_like_instructions() {
        let text = "FROM a\nRUN <<EOF\nUSER b\n# c\n\nEOF\nUSER d\n";
        assert_eq!(lines(text), [(From, (1, 1)), (Run, (2, 6)), (User, (7, 7))]);
    }

    #[test]
    fn several_follow_each_other() {
        let text = "COPY <<a <<-\"b c\" 3<<d /e\nx\na\n\ty\n\t\tb c\nd\n";
        assert_eq!(bodies(text), [pair("a", "x\n"), pair("b c", "\ty\n"), pair("d", "")]);
        let descriptors: Vec<_> = only(text).heredocs.iter().map(|heredoc| heredoc.descriptor).collect();
        assert_eq!(descriptors, [0, 0, 3]);
    }

    #[test]
    fn only_a_dash_lets_tabs_stand_before_the_end() {
        assert_eq!(bodies("RUN <<a\n\ta\na\n"), [pair("a", "\ta\n")]);
        assert_eq!(bodies("RUN <<-a\n\ta\n"), [pair("a", "")]);
        assert_eq!(bodies("RUN <<-a\n a\na\n"), [pair("a", " a\n")]);
    }

    #[test]
    fn quotes_keep_variables_from_being_expanded() {
        let expand = |text: &str| only(text).heredocs[0].expand;
        assert!(expand("RUN <<a\na"));
        assert!(!expand("RUN <<'a'\na"));
        assert!(!expand("RUN <<a\"b\"\nab"));
    }

    #[test]
    fn white_space_may_stand_before_the_name() {
        assert_eq!(bodies("RUN cat <<  a\nx\na"), [pair("a", "x\n")]);
    }

    #[test]
    fn a_trigger_has_them_too() {
        let text = "ONBUILD RUN <<a\nx\na\nUSER b";
        assert_eq!(lines(text), [(Onbuild, (1, 3)), (User, (4, 4))]);
        let onbuild = &tree(text).instructions[0];
        let trigger = onbuild.trigger.as_ref().expect("there is a trigger");
        assert_eq!(trigger.keyword, Run);
        assert_eq!(trigger.heredocs[0].body.of(text.as_bytes()), b"x\n");
        assert_eq!(onbuild.span, trigger.span.to(onbuild.keyword_span));
    }

    #[test]
    fn json_and_other_instructions_have_none() {
        assert_eq!(lines("RUN [\"<<a\"]\nUSER b"), [(Run, (1, 1)), (User, (2, 2))]);
        assert_eq!(lines("CMD <<a\nUSER b"), [(Cmd, (1, 1)), (User, (2, 2))]);
        assert_eq!(lines("ADD [\"<<a\", \"/\"]\nUSER b"), [(Add, (1, 1)), (User, (2, 2))]);
        assert_eq!(lines("COPY <<a /\na\nUSER b"), [(Copy, (1, 2)), (User, (3, 3))]);
    }

    #[test]
    fn an_open_quote_on_the_line_opens_none() {
        assert_eq!(lines("RUN echo it's <<a\nUSER b"), [(Run, (1, 1)), (User, (2, 2))]);
    }

    #[test]
    fn the_line_may_be_continued_before_the_body() {
        assert_eq!(bodies("RUN <<a \\\n  cat\nx\na\n"), [pair("a", "x\n")]);
    }

    #[test]
    fn windows_lines_end_them() {
        assert_eq!(bodies("RUN <<a\r\nx\r\na\r\n"), [pair("a", "x\r\n")]);
    }

    #[test]
    fn one_that_is_not_ended_takes_the_rest() {
        let text = "FROM a\nRUN <<b <<c\nUSER d\n";
        assert_eq!(lines(text), [(From, (1, 1)), (Run, (2, 3))]);
        assert_eq!(errors(text), ["no line ends the heredoc `b`", "no line ends the heredoc `c`"]);
        assert_eq!(tree(text).instructions[1].heredocs[0].end, None);
    }

    #[test]
    fn a_shift_looks_like_one_to_buildkit() {
        assert_eq!(bodies("RUN echo $((1 << 3))\n3))\n"), [pair("3))", "")]);
    }

    #[test]
    fn none_is_a_destination() {
        assert_eq!(error("FROM a\nCOPY b <<c\nc").0, "<<c");
    }
}

mod arguments {
    use super::*;

    #[test]
    fn words_lie_between_blanks() {
        assert_eq!(words("FROM --platform=a b  AS\tc"), ["b", "AS", "c"]);
        assert_eq!(words("COPY --from=a \"b c\" \\\n d /"), ["\"b", "c\"", "d", "/"]);
    }

    #[test]
    fn the_json_form_is_decoded() {
        let text = "CMD [ \"a\\u0020\\\"b\", \\\n \"c\" ]";
        assert_eq!(words(text), ["a \"b", "c"]);
        let instruction = only(text);
        let Arguments::Json(args) = instruction.arguments(text.as_bytes()) else { panic!("{text:?} is JSON") };
        assert_eq!(args[1].span.of(text.as_bytes()), b"\"c\"");
        assert!(instruction.is_json(text.as_bytes()));
    }

    #[test]
    fn what_is_not_quite_json_is_shell_form() {
        for text in ["CMD ['a']", "CMD [\"a\",]", "CMD [\"a\"] # b", "CMD [\"c:\\x\"]", "CMD [ -f a ]"] {
            assert!(matches!(only(text).arguments(text.as_bytes()), Arguments::Text(_)), "{text}");
        }
        assert_eq!(words("COPY ['a', '/b']"), ["['a',", "'/b']"]);
    }

    #[test]
    fn json_that_holds_anything_but_strings_is_refused() {
        assert_eq!(error("FROM a\nCMD [1]").0, "[1]");
        assert_eq!(error("FROM a\nHEALTHCHECK CMD [\"a\", null]").1, "the JSON form holds strings only");
    }

    #[test]
    fn assignments_keep_their_quotes() {
        assert_eq!(words("ENV a=\"b c\" d='e f' g=h\\ i j="), ["a=\"b c\"", "d='e f'", "g=h\\ i", "j="]);
        assert_eq!(words("ENV a=\"b \\\n c\" \\\n d=e"), ["a=\"b  c\"", "d=e"]);
        assert_eq!(words("ARG a b=c=d"), ["a", "b=c=d"]);
    }

    #[test]
    fn the_old_form_takes_the_rest_of_the_line() {
        assert_eq!(words("ENV a  b=c d "), ["a b=c d"]);
        assert_eq!(words("LABEL \"a b\" c"), ["\"a b\" c"]);
        assert_eq!(words("LABEL a = b"), ["a = b"]);
    }

    #[test]
    fn the_escape_character_of_the_file_protects_in_assignments() {
        let text = "# escape=`\nENV a=b` c d=C:\\\n";
        assert_eq!(words(text), ["a=b` c", "d=C:\\"]);
    }

    #[test]
    fn a_health_check_has_a_type_and_a_command() {
        assert_eq!(words("HEALTHCHECK --interval=1s CMD a  b"), ["CMD", "a  b"]);
        assert_eq!(words("HEALTHCHECK CMD [\"a\", \"b\"]"), ["CMD", "a", "b"]);
        assert_eq!(words("HEALTHCHECK none"), ["none"]);
    }

    #[test]
    fn flags_are_taken_off() {
        let text = "COPY --from=a --chown=\"b c\":d --link e f";
        let copy = only(text);
        let flags: Vec<_> = copy.flags.iter().map(|flag| (flag.name.as_str(), flag.value.as_deref())).collect();
        assert_eq!(flags, [("from", Some("a")), ("chown", Some("b c:d")), ("link", None)]);
        assert_eq!(copy.flag("CHOWN").expect("there is one").value_span.of(text.as_bytes()), b"\"b c\":d");
        assert_eq!(words(text), ["e", "f"]);
    }

    #[test]
    fn flags_may_lie_on_lines_of_their_own() {
        let text = "RUN --mount=type=cache,\\\ntarget=/a \\\n  --network=none \\\n  b";
        let run = only(text);
        assert_eq!(run.flags[0].value.as_deref(), Some("type=cache,target=/a"));
        assert_eq!(run.flags[0].span.of(text.as_bytes()), b"--mount=type=cache,\\\ntarget=/a");
        assert_eq!(run.args_text(text.as_bytes()), b"b");
    }
}

mod refusals {
    use super::*;

    /// What BuildKit refuses behind a `FROM`, and what the error is about.
    const REFUSED: [(&str, &str, &str); 45] = [
        ("FOO a", "FOO", "`FOO` is no instruction"),
        ("FROM", "FROM", "`FROM` takes an image, or an image, `AS` and a name"),
        ("FROM a AS", "AS", "`FROM` takes an image, or an image, `AS` and a name"),
        ("FROM a b c", "b", "`FROM` takes an image, or an image, `AS` and a name"),
        ("FROM a AS b c", "a AS b c", "`FROM` takes an image, or an image, `AS` and a name"),
        ("FROM a AS 1b", "1b", "`1b` is no name for a stage: a letter, then letters, digits, `-`, `_` and `.`"),
        ("FROM --platform a", "--platform", "`--platform` has no value"),
        ("ADD a", "ADD", "`ADD` needs a source and a destination"),
        ("copy a", "copy", "`COPY` needs a source and a destination"),
        ("COPY [\"a\"]", "COPY", "`COPY` needs a source and a destination"),
        ("COPY --bogus=1 a b", "--bogus=1", "`COPY` has no flag `--bogus`"),
        ("COPY --FROM=c a b", "--FROM=c", "`COPY` has no flag `--FROM`"),
        ("COPY --from=c --from=d a b", "--from=d", "`--from` is given twice"),
        ("COPY --link=maybe a b", "--link=maybe", "`--link` is neither `true` nor `false`"),
        ("ENV a", "a", "`ENV` has a name and no value"),
        ("ENV", "ENV", "`ENV` has no argument"),
        ("ENV a=b c", "c", "`c` is not of the form `name=value`"),
        ("ENV =a", "=a", "there is no name before `=`"),
        ("LABEL a", "a", "`LABEL` has a name and no value"),
        ("ARG", "ARG", "`ARG` has no argument"),
        ("ARG a =b", "=b", "there is no name before `=`"),
        ("CMD --a b", "--a", "`CMD` has no flag `--a`"),
        ("USER", "USER", "`USER` has no argument"),
        ("WORKDIR", "WORKDIR", "`WORKDIR` has no argument"),
        ("STOPSIGNAL", "STOPSIGNAL", "`STOPSIGNAL` has no argument"),
        ("MAINTAINER", "MAINTAINER", "`MAINTAINER` has no argument"),
        ("EXPOSE", "EXPOSE", "`EXPOSE` has no argument"),
        ("VOLUME", "VOLUME", "`VOLUME` has no argument"),
        ("VOLUME []", "[]", "`VOLUME` has no argument"),
        ("VOLUME [\"a\", \" \"]", "\" \"", "a `VOLUME` has no path"),
        ("SHELL a", "a", "`SHELL` takes the JSON form only"),
        ("SHELL []", "[]", "`SHELL` has no argument"),
        ("HEALTHCHECK", "HEALTHCHECK", "`HEALTHCHECK` has no argument"),
        ("HEALTHCHECK FOO a", "FOO", "`FOO` is neither `CMD` nor `NONE`"),
        ("HEALTHCHECK CMD", "CMD", "`HEALTHCHECK CMD` has no command"),
        ("HEALTHCHECK CMD []", "CMD", "`HEALTHCHECK CMD` has no command"),
        ("HEALTHCHECK NONE a", "a", "`HEALTHCHECK NONE` takes nothing more"),
        ("HEALTHCHECK --interval=5 CMD a", "--interval=5", "`5` is not a duration of a millisecond or more"),
        ("HEALTHCHECK --retries=-1 CMD a", "--retries=-1", "`-1` is not a number of retries"),
        ("ONBUILD", "ONBUILD", "`ONBUILD` has no argument"),
        ("ONBUILD FROM a", "FROM a", "an `ONBUILD` cannot hold a `FROM`"),
        ("ONBUILD ONBUILD RUN a", "ONBUILD RUN a", "an `ONBUILD` cannot hold another one"),
        ("ONBUILD ENV a", "a", "`ENV` has a name and no value"),
        ("RUN --network=a b", "--network=a", "`a` is not a network: `default`, `none` or `host`"),
        (
            "RUN --mount=from=$a,target=/b c",
            "--mount=from=$a,target=/b",
            "`from` of `--mount` takes no variable, as in `$a`",
        ),
    ];

    #[test]
    fn what_buildkit_refuses_is_an_error_at_its_place() {
        for (line, place, message) in REFUSED {
            assert_eq!(error(&format!("FROM x\n{line}\n")), (place.to_owned(), message.to_owned()), "{line}");
        }
    }

    #[test]
    fn what_buildkit_takes_is_no_error() {
        for line in [
            "RUN",
            "CMD",
            "ENTRYPOINT []",
            "RUN --mount=type=cache,target=/a --mount=type=bind b",
            "RUN -- --a",
            "COPY --link --parents --exclude=a --exclude=b c d",
            "ADD --unpack=TRUE --keep-git-dir a b",
            "ARG --a b",
            "STOPSIGNAL --a b",
            "HEALTHCHECK --bogus NONE",
            "HEALTHCHECK --interval=0s --retries=3 cmd a",
            "ENV a b=c",
            "LABEL a = b",
            "ENV a=",
            "ONBUILD FOO a",
            "ONBUILD USER",
            "FROM $a",
            "FROM scratch as B.c-d_e",
            "EXPOSE a b",
            "USER a b",
            "WORKDIR [\"a\"]",
            "VOLUME [a]",
        ] {
            assert_eq!(errors(&format!("FROM x\n{line}\n")), [""; 0], "{line}");
        }
    }

    #[test]
    fn messages_stay_short_and_guess_what_was_meant() {
        assert_eq!(error("FROM a\nRUNN b").1, "`RUNN` is no instruction; `RUN` is");
        let word = "x".repeat(1_000);
        for line in [word.clone(), format!("COPY --{word} a b"), format!("ENV a=b {word}"), format!("RUN <<{word}")] {
            let (_, message) = error(&format!("FROM a\n{line}\n"));
            assert!(message.len() < 100 && message.contains("x…`"), "{message}");
        }
    }

    #[test]
    fn a_file_has_a_stage() {
        assert_eq!(errors(""), ["the file has no instruction"]);
        assert_eq!(errors("# a\n"), ["the file has no instruction"]);
        assert_eq!(error("ARG a\n"), ("ARG".to_owned(), "the file has no stage: there is no `FROM`".to_owned()));
        let orphan = "only `ARG` may stand before the first `FROM`".to_owned();
        assert_eq!(error("ARG a\nRUN b\nUSER c\nFROM d"), ("RUN".to_owned(), orphan));
    }

    #[test]
    fn a_line_has_a_greatest_length() {
        let line = |length: usize| format!("FROM a\nRUN {}\n", "b".repeat(length - 4));
        assert_eq!(errors(&line(65_535)), [""; 0]);
        assert_eq!(errors(&line(65_536)), ["the line is longer than 65535 bytes"]);
    }
}

mod tokens {
    use super::*;
    use TokenKind::{
        Blank, Bom, Comment, Continuation, Directive, Flag, HeredocBody, HeredocEnd, Keyword, LineEnd, Text,
    };

    #[test]
    fn every_byte_has_one() {
        let text = "\u{feff}# escape=\\\n\n # a\nRUN --mount=b\\\n,c  d \\ \n\t# e\n  <<f \ng\nf";
        let tokens: Vec<_> = tree(text).tokens.iter().map(|token| (token.kind, &text[token.span.range()])).collect();
        assert_eq!(
            tokens,
            [
                (Bom, "\u{feff}"),
                (Directive, "# escape=\\"),
                (LineEnd, "\n"),
                (LineEnd, "\n"),
                (Blank, " "),
                (Comment, "# a"),
                (LineEnd, "\n"),
                (Keyword, "RUN"),
                (Blank, " "),
                (Flag, "--mount=b"),
                (Continuation, "\\"),
                (LineEnd, "\n"),
                (Flag, ",c"),
                (Blank, "  "),
                (Text, "d "),
                (Continuation, "\\ "),
                (LineEnd, "\n"),
                (Blank, "\t"),
                (Comment, "# e"),
                (LineEnd, "\n"),
                (Text, "  <<f"),
                (Blank, " "),
                (LineEnd, "\n"),
                (HeredocBody, "g\n"),
                (HeredocEnd, "f"),
            ]
        );
    }
}
