use super::RedirectOperator::{Append, DuplicateOutput, HereString, Read, Write, WriteAll};
use super::*;

/// Commands of a script in order: words by their text between `|`.
fn commands(script: &str) -> Vec<String> {
    let script = parse(script.as_bytes(), Dialect::Bash);
    let words = |command: Command<'_>| command.words().map(|word| word.text().into_owned()).collect::<Vec<_>>();
    script.commands().map(|command| words(command).join("|")).collect()
}

fn doubts(script: &str) -> Vec<Reason> {
    parse(script.as_bytes(), Dialect::Bash).doubts().map(|doubt| doubt.reason).collect()
}

/// The commands are these, and nothing is doubtful.
#[track_caller]
fn reads(script: &str, expected: &[&str]) {
    assert_eq!(commands(script), expected, "{script}");
    assert_eq!(doubts(script), [], "{script}");
}

/// The commands are these, and the doubts those.
#[track_caller]
fn doubts_in(script: &str, expected: &[&str], reasons: &[Reason]) {
    assert_eq!(commands(script), expected, "{script}");
    assert_eq!(doubts(script), reasons, "{script}");
}

fn first_word(script: &Script, index: usize) -> Word<'_> {
    script.command(0).word(index).unwrap()
}

#[test]
fn commands_of_a_chain_come_in_order_with_their_connectors() {
    let script = parse(b"apt-get update && apt-get install -y curl || true; echo done &", Dialect::Posix);
    let joints: Vec<_> = script.commands().map(|command| (command.name(), command.place().after)).collect();
    assert_eq!(
        joints,
        [
            (Some("apt-get"), Connector::And),
            (Some("apt-get"), Connector::Or),
            (Some("true"), Connector::Semicolon),
            (Some("echo"), Connector::Background)
        ]
    );
    assert_eq!(script.doubts().len(), 0);
    assert_eq!(script.bytes(script.command(1).span()), b"apt-get install -y curl");
    assert_eq!(script.command(1).place().previous, Some(Element::Command(0)));
    assert_eq!(script.command(1).place().next, Some(Element::Command(2)));
}

#[test]
fn a_pipeline_knows_its_members() {
    let script = parse(b"a; curl -fsSL x | tee log |& ( sh ) && b", Dialect::Bash);
    let curl = script.command(1);
    assert_eq!(curl.piped_into(), Some(Element::Command(2)));
    assert_eq!(script.command(2).piped_from(), Some(Element::Command(1)));
    assert_eq!(script.command(2).piped_into(), Some(Element::Compound(0)));
    let pipelines: Vec<_> = script.commands().map(|c| (c.place().pipeline, c.place().position)).collect();
    assert_eq!(pipelines[1].0, pipelines[2].0);
    assert_eq!(script.compound(0).place().position, 2);
    assert_ne!(pipelines[0].0, pipelines[1].0);
    assert_ne!(pipelines[4].0, pipelines[1].0);
}

#[test]
fn a_bang_negates_its_pipeline_only() {
    let script = parse(b"! a | b && c", Dialect::Posix);
    let negated: Vec<_> = script.commands().map(|command| command.place().negated).collect();
    assert_eq!(negated, [true, true, false]);
    reads("if !(a); then b; fi", &["a", "b"]);
}

#[test]
fn quotes_are_removed() {
    reads(r#"echo 'a b' "c d" e\ f "g"'h'i "\$x\n" "#, &["echo|a b|c d|e f|ghi|$x\\n"]);
    reads("echo '' \"\" x", &["echo|||x"]);
    reads(r"echo $'a\tb\'c' $'\x41\u00e9'", &["echo|a\tb'c|Aé"]);
    reads("echo $\"text\"", &["echo|text"]);
    reads("echo a\\\nb \\\n c", &["echo|ab|c"]);
}

#[test]
fn only_certain_words_are_literal() {
    let script =
        parse(br#"x plain 'q*' $v "${v}" $(c) `c` *.c a? [ab] [ {a,b} {} {a} ~/x a~ $((1)) \$v <(c)"#, Dialect::Bash);
    let literals: Vec<_> = script.command(0).arguments().map(Word::literal).collect();
    assert_eq!(
        literals,
        [
            Some("plain"),
            Some("q*"),
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            Some("["),
            None,
            Some("{}"),
            Some("{a}"),
            None,
            Some("a~"),
            None,
            Some("$v"),
            None
        ]
    );
    assert!(first_word(&script, 7).has_glob());
    assert!(first_word(&script, 11).has_braces());
    assert!(first_word(&script, 14).has_tilde());
    assert!(first_word(&script, 16).is_dynamic());
}

#[test]
fn variables_have_names_and_operators() {
    let script = parse(br#"x a$one-${two:-$three}"${#four}" ${five##*/} $1 ${!six} ${a[0]} ${@} $$"#, Dialect::Bash);
    let names: Vec<_> =
        script.command(0).arguments().flat_map(|word| word.variables().map(|(name, _)| name.to_vec())).collect();
    let expected: Vec<Vec<u8>> =
        ["one", "two", "three", "four", "five", "1", "six", "a", "@", "$"].map(|name| name.as_bytes().to_vec()).into();
    assert_eq!(names, expected);
    let pieces: Vec<_> = first_word(&script, 1).pieces().collect();
    assert_eq!(pieces.len(), 6);
    assert_eq!(pieces[2].kind, PieceKind::Text(Quoting::Bare));
    assert_eq!(script.bytes(pieces[3].span), b"${two:-$three}");
    assert!(pieces[4].nested && !pieces[3].nested);
    let PieceKind::Variable { operator, operand, .. } = pieces[3].kind else { panic!("a variable") };
    assert_eq!((operator, script.bytes(operand)), (Operator::Default, &b"$three"[..]));
    assert!(pieces[5].quoted);
    assert_eq!(script.doubts().len(), 0);
}

#[test]
fn parameters_hold_quotes_and_braces() {
    reads(
        r#"echo "${a:-"b c"}" ${a:-'}'} "${a:-it's}" ${a:+"}"} x"#,
        &[r#"echo|${a:-"b c"}|${a:-'}'}|${a:-it's}|${a:+"}"}|x"#],
    );
    reads(r#"echo "${a%'}'}" "${a//\}/x}" ${a:$((1+1)):2}"#, &[r"echo|${a%'}'}|${a//\}/x}|${a:$((1+1)):2}"]);
    doubts_in("echo ${a b}", &["echo|${a b}"], &[Reason::BadExpansion]);
}

#[test]
fn substitutions_hold_commands() {
    reads(r#"a "$(b "$(c)" | d)" `e f` g"#, &[r#"a|$(b "$(c)" | d)|`e f`|g"#, "b|$(c)", "c", "d", "e|f"]);
    reads("diff <(sort a) >(tee b) --x=<(c)", &["diff|<(sort a)|>(tee b)|--x=<(c)", "sort|a", "tee|b", "c"]);
    reads("a $(case x in y) b;; (z) c; esac) d", &["a|$(case x in y) b;; (z) c; esac)|d", "b", "c"]);
    reads("a ${b:-$(c)} $((1 + $(d)))", &["a|${b:-$(c)}|$((1 + $(d)))", "c", "d"]);
}

#[test]
fn a_substitution_knows_whose_word_it_is() {
    let script = parse(b"v=$(a) b c$(d) > $(e)", Dialect::Bash);
    let owners: Vec<_> = script.compounds().map(|compound| compound.owner().unwrap().slot).collect();
    assert_eq!(owners, [Slot::Assignment(0), Slot::Word(1), Slot::Redirect(0)]);
    assert_eq!(script.compound(0).owner().unwrap().element, Element::Command(0));
    assert_eq!(script.command(2).blocks().next().map(Compound::kind), Some(CompoundKind::Substitution));
}

#[test]
fn arithmetic_is_no_subshell() {
    reads("echo $((1 << 2)) $(( (1) + ${x:-2} ))", &["echo|$((1 << 2))|$(( (1) + ${x:-2} ))"]);
    reads("(( i++ )) && a", &["a"]);
    reads("echo $((a); b) x", &["echo|$((a); b)|x", "a", "b"]);
    reads("((a); b); c", &["a", "b", "c"]);
    reads("for ((i = 0; i < 3; i++)); do a $i; done", &["a|$i"]);
    reads("echo $[1 + 2] y", &["echo|$[1 + 2]|y"]);
}

#[test]
fn control_structures_hold_commands() {
    reads("if a; then b; elif c; then d; else e; fi; f", &["a", "b", "c", "d", "e", "f"]);
    reads("while a; do b; done < c | d", &["a", "b", "d"]);
    reads("until a\ndo b\ndone", &["a", "b"]);
    reads("for x in 1 $(a) 3; do b; done", &["a", "b"]);
    reads("for x\ndo b; done", &["b"]);
    reads("for x do b; done", &["b"]);
    reads("case $(a) in b|c) d;; *) e ;& (f) g; esac; h", &["a", "d", "e", "g", "h"]);
    reads("case x in esac", &[]);
    reads("{ a; b; } > c && (d; e)", &["a", "b", "d", "e"]);
    reads("select x in a b; do c; done", &["c"]);
    reads("if (a) then { b; } fi", &["a", "b"]);
    reads("if [[ a == b* && -f $(c) || ( x =~ ^(a b|c)$ ) ]]; then d; fi", &["c", "d"]);
    reads("[ -f a ] && b", &["[|-f|a|]", "b"]);
    reads("time (a) ; time b", &["a", "time|b"]);
}

#[test]
fn sections_say_when_a_command_runs() {
    let script = parse(b"if a; then b; else c; fi", Dialect::Posix);
    let sections: Vec<_> = script.commands().map(|command| command.place().section).collect();
    assert_eq!(sections, [Section::Condition, Section::Then, Section::Else]);
    assert_eq!(script.span_of(Element::Compound(0)), crate::text::Span::new(0, 24));
}

#[test]
fn heads_have_words() {
    let script = parse(b"case $x in a|b) c;; esac; for y in d e; do f; done; g() { h; }", Dialect::Posix);
    let heads: Vec<Vec<_>> =
        script.compounds().map(|compound| compound.words().map(|word| word.text().into_owned()).collect()).collect();
    assert_eq!(heads[0], ["$x", "a", "b"]);
    assert_eq!(heads[1], ["y", "d", "e"]);
    assert_eq!(heads[2], ["g"]);
}

#[test]
fn functions_are_definitions() {
    reads("f() { a; }; f x", &["a", "f|x"]);
    reads("f ()\n{\na\n}\nb", &["a", "b"]);
    reads("function f { a; } && b", &["a", "b"]);
    reads("function f() ( a ) > x; b", &["a", "b"]);
    reads("if a; then f() { b; }; fi", &["a", "b"]);
    let script = parse(b"a; f() { b; }; c", Dialect::Posix);
    let kinds: Vec<_> = script.command(1).blocks().map(Compound::kind).collect();
    assert_eq!(kinds, [CompoundKind::Group, CompoundKind::Function]);
    assert_eq!(script.command(0).place().next, Some(Element::Compound(0)));
    assert_eq!(script.bytes(script.compound(0).span()), b"f() { b; }");
}

#[test]
fn assignments_stand_before_the_name() {
    let script = parse(b"A=1 B+='x y' C[2]= D=(1 $(e) 3) cmd E=f", Dialect::Bash);
    let command = script.command(0);
    let names: Vec<_> = command.assignments().map(Assignment::name).collect();
    assert_eq!(names, ["A", "B", "C", "D"]);
    let values: Vec<_> = command.assignments().map(Assignment::literal).collect();
    assert_eq!(values, [Some("1"), None, None, None]);
    assert!(command.assignments().nth(1).unwrap().appends());
    let Value::Array(words) = command.assignments().nth(3).unwrap().value() else { panic!("an array") };
    assert_eq!(words.count(), 3);
    assert_eq!(command.name(), Some("cmd"));
    assert_eq!(first_word(&script, 1).assigned_name(), Some("E"));
    reads("A=b", &[""]);
    reads("declare -a x=(1 'a b') && b", &["declare|-a|x=(1 a b)", "b"]);
    reads("x=(a # it's\n b) c", &["c"]);
}

#[test]
fn redirections_are_no_words() {
    let script = parse(b"cmd 2>&1 >> log < in &> all {fd}> x a 2> /dev/null <<< \"$y\"", Dialect::Bash);
    let command = script.command(0);
    let operators: Vec<_> = command.redirects().map(Redirect::operator).collect();
    assert_eq!(operators, [DuplicateOutput, Append, Read, WriteAll, Write, Write, HereString]);
    assert_eq!(command.redirects().next().unwrap().descriptor(), Some(&b"2"[..]));
    assert_eq!(command.redirects().nth(4).unwrap().descriptor(), Some(&b"{fd}"[..]));
    assert_eq!(command.word_count(), 2);
    reads("> x; 2>&- a", &["", "a"]);
    reads("echo 2 >x; echo a2>x", &["echo|2", "echo|a2"]);
}

#[test]
fn heredocs_are_no_commands() {
    reads("cat <<EOF > x && b\n$(c) not a command\nEOF\nd", &["cat", "b", "c", "d"]);
    reads("cat <<'EOF'\n$(c)\nEOF\nd", &["cat", "d"]);
    reads("a <<A; b <<-\"B\"\n`c`\nA\n\t$x\n\tB\nd", &["a", "b", "c", "d"]);
    reads("cat <<EOF > x", &["cat"]);
    let script = parse(b"cat <<-\\EOF\n\ta $b\n\tEOF\n", Dialect::Posix);
    let heredoc = script.command(0).redirects().next().unwrap().heredoc().unwrap();
    assert_eq!(script.bytes(heredoc.body().unwrap()), b"\ta $b\n");
    assert!(!heredoc.expands() && heredoc.strips_tabs());
    doubts_in("cat <<EOF\na\n", &["cat"], &[Reason::UnterminatedHeredoc]);
}

#[test]
fn comments_end_with_their_line() {
    let script = parse(b"a # b; c\nd#e \\\n# f", Dialect::Posix);
    let names: Vec<_> = script.commands().map(Command::name).collect();
    assert_eq!(names, [Some("a"), Some("d#e")]);
    assert_eq!(script.comments().len(), 2);
}

#[test]
fn a_newline_joins_where_no_operator_does() {
    let script = parse(b"a &&\n\n b\nc;\nd\r\ne", Dialect::Posix);
    let joints: Vec<_> = script.commands().map(|command| command.place().before).collect();
    assert_eq!(joints, [Connector::None, Connector::And, Connector::Newline, Connector::Semicolon, Connector::Newline]);
    assert_eq!(script.command(3).path(), Some("d"));
}

#[test]
fn damaged_text_keeps_its_commands() {
    doubts_in("a && b 'c", &["a", "b|c"], &[Reason::UnterminatedQuote]);
    doubts_in("a; if b; then c", &["a", "b", "c"], &[Reason::UnterminatedBlock]);
    doubts_in("a $(b; c", &["a|$(b; c", "b", "c"], &[Reason::UnterminatedSubstitution]);
    doubts_in("a ) b && ", &["a|b"], &[Reason::Unexpected, Reason::MissingCommand]);
    doubts_in("(if a; then b) ; c", &["a", "b", "c"], &[Reason::UnterminatedBlock]);
    doubts_in("a && ; b", &["a", "b"], &[Reason::MissingCommand]);
    doubts_in("done; b", &["b"], &[Reason::Unexpected, Reason::MissingCommand]);
    doubts_in("a > ; b", &["a", "b"], &[Reason::Unexpected]);
    doubts_in(
        "for i in a; do case b in c) d; done; e",
        &["d", "e"],
        &[Reason::UnterminatedBlock, Reason::UnterminatedBlock],
    );
}

#[test]
fn what_only_the_run_knows_is_said() {
    doubts_in("eval \"$x\" && b", &["eval|$x", "b"], &[Reason::Eval]);
    doubts_in("a `b \\`c\\``", &["a|`b \\`c\\``", "b|`c`"], &[Reason::EscapedBackquotes]);
}

#[test]
fn what_only_bash_reads_so_is_uncertain_elsewhere() {
    let script = parse(b"a &> b; c $'d'", Dialect::Posix);
    let reasons: Vec<_> = script.doubts().map(|doubt| doubt.reason).collect();
    assert_eq!(reasons, [Reason::BashOnly]);
    assert_eq!(script.command(1).word(1).and_then(Word::literal), None);
    reads("a &> b", &["a"]);
}

#[test]
fn other_languages_are_left_alone() {
    for dialect in [Dialect::Cmd, Dialect::PowerShell, Dialect::Other] {
        let script = parse(b"dir & del x", dialect);
        assert_eq!(script.commands().len(), 0);
        let doubts: Vec<_> = script.doubts().collect();
        assert_eq!(doubts, [Doubt { span: crate::text::Span::new(0, 11), reason: Reason::NotShell }]);
    }
}

#[test]
fn wrappers_are_looked_through() {
    #[track_caller]
    fn runs(script: &str, expected: Option<&str>) {
        let script = parse(script.as_bytes(), Dialect::Bash);
        assert_eq!(script.command(0).invocation().and_then(Invocation::name), expected);
    }
    runs("sudo -E -u root A=b /usr/bin/apt-get update", Some("apt-get"));
    runs("env -i PATH=$PATH -- sh x", Some("sh"));
    runs("exec nice -n 5 timeout -s KILL 10 java -jar x", Some("java"));
    runs("find . | xargs rm", Some("find"));
    runs("xargs -0 -n 1 -I{} rm {}", Some("rm"));
    runs("command -v curl", Some("command"));
    runs("sudo $X apt-get", None);
    runs("gosu app tini -- node", Some("node"));
    runs("$X", None);
    runs("A=b", None);
    runs("sudo", Some("sudo"));
}

#[test]
fn find_runs_what_it_is_told_to() {
    let script = parse(br"find / -type d -exec sudo chmod 777 {} \; -exec sh -c 'a; b' + -print", Dialect::Posix);
    let names: Vec<_> = script.command(0).invocations().map(|run| (run.name(), run.arguments().len())).collect();
    assert_eq!(names, [(Some("find"), 15), (Some("chmod"), 2), (Some("sh"), 2)]);
    assert_eq!(script.every_command().count(), 3);
}

#[test]
fn options_are_found_in_clusters() {
    let script = parse(b"curl -fsSLk --proto =https -okey -- -x", Dialect::Posix);
    let curl = script.command(0).invocation().unwrap();
    assert!(curl.has_option(Some('k'), "insecure", "oH"));
    assert!(curl.has_option(None, "proto", "oH"));
    assert!(!curl.has_option(Some('y'), "", "oH"));
    assert!(!curl.has_option(Some('x'), "", "oH"));
}

/// Every command, inline scripts included, as written in the text around.
fn every_command(script: &str) -> Vec<String> {
    let script = parse(script.as_bytes(), Dialect::Posix);
    let written = |command: Command<'_>| String::from_utf8_lossy(script.bytes(command.span())).into_owned();
    script.every_command().map(written).collect()
}

#[test]
fn inline_scripts_are_read() {
    assert_eq!(
        every_command("sudo bash -o pipefail -lc 'a x | b' name; c"),
        ["sudo bash -o pipefail -lc 'a x | b' name", "a x", "b", "c"]
    );
    assert_eq!(every_command("sh -c ''"), ["sh -c ''"]);
    assert!(parse(b"sh -c ''", Dialect::Posix).command(0).inline().is_some());
    assert_eq!(every_command("sh script.sh -c x"), ["sh script.sh -c x"]);
    assert_eq!(every_command("python -c 'a; b'; grep -c sh"), ["python -c 'a; b'", "grep -c sh"]);
    assert_eq!(every_command("su - app -c \"a && b\""), ["su - app -c \"a && b\"", "a", "b"]);
    assert_eq!(every_command("sh -c \"sh -c 'a; b'\""), ["sh -c \"sh -c 'a; b'\"", "sh -c 'a; b'", "a", "b"]);
}

#[test]
fn spans_of_inline_scripts_lie_in_the_text_around_them() {
    let written = "bash -c \"a \\\"b c\\\" && d \\$e; f 'g'\"'h'";
    assert_eq!(every_command(written), [written, "a \\\"b c\\\"", "d \\$e", "f 'g'\"'h"]);
    let script = parse(written.as_bytes(), Dialect::Posix);
    let inline = script.command(0).inline().unwrap();
    let words: Vec<_> = inline.commands().flat_map(Command::words).map(|word| word.text().into_owned()).collect();
    assert_eq!(words, ["a", "b c", "d", "$e", "f", "gh"]);
    assert!(inline.is_inline() && inline.dialect() == Dialect::Bash);
    let verbatim: Vec<_> = inline.commands().map(Command::is_verbatim).collect();
    assert_eq!(verbatim, [false, false, false]);
    assert_eq!(every_command("sh -c \"sh -c 'a \"b'")[2..], ["a \"b"]);
    let script = parse(b"sh -c \"sh -c 'a \"b", Dialect::Posix);
    let inner = script.every_command().last().unwrap();
    let words: Vec<_> = inner.words().map(|word| word.span().range()).collect();
    assert_eq!(words, [14..15, 17..18]);
    let twice = r#"sh -c "sh -c \"a 'b' \\\"c\\\"\"""#;
    assert_eq!(every_command(twice)[2], r#"a 'b' \\\"c\\\""#);
}

#[test]
fn what_the_script_around_expands_is_not_literal_inside() {
    let script = parse(b"bash -c \"a '$b' c$(d)e; f\"", Dialect::Bash);
    assert_eq!(script.commands().len(), 2);
    let inline = script.command(0).inline().unwrap();
    let literals: Vec<_> = inline.commands().flat_map(Command::words).map(Word::literal).collect();
    assert_eq!(literals, [Some("a"), None, None, Some("f")]);
    assert!(inline.command(0).word(1).unwrap().is_dynamic());
    let script = parse(b"bash -c \"$x\"", Dialect::Bash);
    assert_eq!(script.command(0).inline().unwrap().command(0).name(), None);
}

#[test]
fn deep_nesting_is_given_up_not_followed() {
    for (open, times) in [("$(", 3000), ("( ", 20_000), ("\"$(", 3000), ("${a:-", 3000), ("$((", 3000), ("if ", 9000)] {
        let script = open.repeat(times);
        assert!(doubts(&script).contains(&Reason::TooDeep), "{open}");
    }
    let heredocs = "$(cat <<A\n".repeat(100);
    assert!(doubts(&heredocs).contains(&Reason::TooDeep));
}

#[test]
fn what_arithmetic_commands_expand_is_part_of_no_word() {
    let script = parse(b"a $((b); (( $c )); for ((i = $d; ; )); do e; done)", Dialect::Bash);
    assert_eq!(first_word(&script, 1).variables().count(), 0);
}

#[test]
fn spans_lead_back_to_the_dockerfile() {
    use crate::syntax::dockerfile;
    let source = b"FROM a\nRUN apt-get \\\n  # why\n  install -y \\\n\n  cu\\\nrl && sh -c 'a \\\n b'\n";
    let parsed = dockerfile::parse(source);
    let run = &parsed.tree.instructions[1];
    let script = parse(run.args_text(source), Dialect::Posix);
    let written = |span: crate::text::Span| {
        let start = run.args.start;
        run.body.file_span(start + span.start..start + span.end).of(source)
    };
    assert_eq!(
        script.command(0).words().map(Word::literal).collect::<Vec<_>>(),
        ["apt-get", "install", "-y", "curl"].map(Some)
    );
    assert_eq!(written(script.command(0).word(3).unwrap().span()), b"cu\\\nrl");
    let inner = script.every_command().last().unwrap();
    assert_eq!(written(inner.word(1).unwrap().span()), b"b");
    assert_eq!(written(inner.span()), b"a \\\n b");
}
