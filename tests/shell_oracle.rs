//! The shell reader against `tree-sitter-bash`, on every script of the shared corpus.
//!
//! Both must find the same commands: the same names at the same bytes. Arguments are compared too. Where the two differ
//! it was read by hand and asked of `bash -n`; so far every difference is a mistake of tree-sitter's grammar 0.25:
//!
//! - `$A/$B` may end at the second `$`, and `B` begin a new word or even a new command ([`Excuse::SplitWord`]);
//! - `else` behind a line of assignments is a command ([`Excuse::ReservedWord`]);
//! - the `365` of `$(( 365 * 30 ))` is a command ([`Excuse::Number`]);
//! - `["a"]`, which is one word to a shell, is a test with `[` ([`Excuse::Bracket`]);
//! - commands in backquotes are lost in two scripts ([`Excuse::Listed`]: one by one in `shell_oracle.tsv`).
//!
//! `bash -n` is the other judge: of 1,500 damaged scripts it must reject those in which the reader has a doubt about form
//! (asked once about all 18,099 distinct scripts of `RUN` and 300 script files as they are, the two agreed on each).
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test reads the corpus and says why it is skipped"
)]

use ironhull::{
    syntax::{
        dockerfile::{self, Arguments, Instruction, Keyword},
        shell::{self, Dialect, Reason, Word},
    },
    text::Span,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};
use tree_sitter::{Node, Parser};

/// What one side finds in a script, sorted.
#[derive(Default)]
struct Seen {
    names: Vec<Span>,
    arguments: Vec<Span>,
    /// Targets of redirections, among which tree-sitter counts the words behind them.
    targets: BTreeSet<Span>,
}

/// Why the two may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Excuse {
    SplitWord,
    ReservedWord,
    Number,
    Bracket,
    Listed,
}

#[test]
fn the_same_commands_as_tree_sitter() {
    let Some(scripts) = scripts() else { return };
    let listed = listed_differences();
    let mut parser = parser();
    let mut excuses: BTreeMap<Excuse, usize> = BTreeMap::new();
    let (mut compared, mut same, mut same_words, mut broken) = (0, 0, 0, 0);
    let mut unexplained = Vec::new();
    for script in &scripts {
        let Some(theirs) = tree_sitter(&mut parser, script, false) else {
            broken += 1;
            continue;
        };
        compared += 1;
        let ours = ironhull(script);
        if ours.names == theirs.names {
            same += 1;
            same_words += usize::from(words_agree(&ours, &theirs));
            continue;
        }
        match excuse(script, &ours, &theirs, &listed) {
            Some(excuse) => *excuses.entry(excuse).or_default() += 1,
            None => unexplained.push(difference(script, &ours, &theirs)),
        }
    }
    println!(
        "{compared} scripts that tree-sitter reads ({broken} that it does not): the same commands in {same}, \
         of these the same words in {same_words}; explained {excuses:?}"
    );
    assert!(unexplained.is_empty(), "{} unexplained:\n{}", unexplained.len(), unexplained.join("\n"));
    assert!(same * 1000 >= compared * 995, "the same commands in {same} of {compared} scripts only");
    assert!(same_words * 1000 >= same * 999, "the same words in {same_words} of {same} scripts only");
}

#[test]
fn cut_scripts_keep_their_commands() {
    let Some(scripts) = scripts() else { return };
    let mut parser = parser();
    let mut seed = 0x5EED_u64;
    let (mut ours_true, mut theirs_true, mut ours_false, mut theirs_false, mut complete) = (0, 0, 0, 0, 0);
    for _ in 0..500 {
        let script = &scripts[random(&mut seed, scripts.len())];
        let cut = &script[..random(&mut seed, script.len())];
        let whole = ironhull(script).names;
        let starts: BTreeSet<u32> = whole.iter().map(|name| name.start).collect();
        let count = |seen: &[Span]| {
            let found = seen.iter().filter(|name| starts.contains(&name.start)).count();
            (found, seen.len() - found)
        };
        let ours = ironhull(cut).names;
        let theirs = tree_sitter(&mut parser, cut, true).expect("errors are allowed").names;
        let ((ours, ours_wrong), (theirs, theirs_wrong)) = (count(&ours), count(&theirs));
        ours_true += ours;
        ours_false += ours_wrong;
        theirs_true += theirs;
        theirs_false += theirs_wrong;
        complete += whole.iter().filter(|name| (name.end as usize) < cut.len()).count();
    }
    println!(
        "500 cuts: {ours_true} commands kept and {ours_false} made up, tree-sitter {theirs_true} and {theirs_false}; \
         {complete} end before the cuts"
    );
    assert!(ours_true >= theirs_true, "{ours_true} commands kept, tree-sitter keeps {theirs_true}");
    assert!(ours_true >= complete, "{ours_true} commands kept, {complete} end before the cut");
    assert!(ours_false * 100 <= ours_true, "{ours_false} commands made up");
}

/// What bash refuses is in doubt, and what is in doubt bash refuses, but for a few forms that bash finds out about later
/// or never: an unclosed `a[`, `]]` alone.
#[test]
fn bash_refuses_what_is_in_doubt() {
    let Some(scripts) = scripts() else { return };
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("skipped: there is no bash to ask");
        return;
    }
    let mut seed = 0xBA5E_u64;
    let (mut refused, mut disagreements) = (0, Vec::new());
    for _ in 0..1500 {
        let mut script = scripts[random(&mut seed, scripts.len())].clone();
        script.truncate(4000);
        damage(&mut script, &mut seed);
        let is_doubtful = shell::parse(&script, Dialect::Bash).doubts().any(|doubt| match doubt.reason {
            // Bash finds these out when it runs the script, or never.
            Reason::BadExpansion | Reason::Eval | Reason::EscapedBackquotes => false,
            Reason::UnterminatedQuote
            | Reason::UnterminatedExpansion
            | Reason::UnterminatedSubstitution
            | Reason::UnterminatedBlock
            | Reason::UnterminatedHeredoc
            | Reason::Unexpected
            | Reason::MissingCommand
            | Reason::BashOnly
            | Reason::TooDeep
            | Reason::TooMany
            | Reason::NotShell => true,
        });
        let is_refused = bash_refuses(&script);
        refused += usize::from(is_refused);
        if is_refused != is_doubtful {
            disagreements.push(String::from_utf8_lossy(&script[..script.len().min(200)]).replace('\n', " "));
        }
    }
    println!("1500 damaged scripts: bash refuses {refused}, the reader disagrees on {}", disagreements.len());
    assert!(refused > 200, "the damage is too small to learn from: {refused} refused");
    assert!(disagreements.len() <= 20, "{} disagreements:\n{}", disagreements.len(), disagreements.join("\n"));
}

/// Puts a bit of syntax into the script, or takes an operator out.
fn damage(script: &mut Vec<u8>, seed: &mut u64) {
    let bits: [&[u8]; 18] = [
        b"$(", b"(", b")", b"{ ", b"}", b"'", b"\"", b"`", b"\\", b";", b"&&", b"|", b"<", b"if ", b"fi", b"do ",
        b";;", b"((",
    ];
    let operators: Vec<usize> = (0..script.len()).filter(|&at| b"$(){}'\"`\\;&|<>[]".contains(&script[at])).collect();
    if random(seed, 2) == 0 && !operators.is_empty() {
        script.remove(operators[random(seed, operators.len())]);
        return;
    }
    let at = random(seed, script.len() + 1);
    let bit = bits[random(seed, bits.len())];
    script.splice(at..at, bit.iter().copied());
}

/// Whether bash finds an error in the form of the script; it runs nothing of it.
fn bash_refuses(script: &[u8]) -> bool {
    let command = Command::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut bash = command.expect("bash was there a moment ago");
    let mut input = bash.stdin.take().expect("its input is a pipe");
    // Bash may stop at the error, which closes the pipe.
    _ = input.write_all(script).and_then(|()| input.write_all(b"\n"));
    drop(input);
    let output = bash.wait_with_output().expect("bash ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    // A broken `[[ … ]]` and an unfinished here-document are said, but answered with success.
    !output.status.success() || errors.contains("conditional") || errors.contains("here-document")
}

/// The next number below `limit` of a linear congruential generator: the same cuts on every run.
fn random(seed: &mut u64, limit: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % limit.max(1)
}

fn parser() -> Parser {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).expect("the grammar fits the library");
    parser
}

fn ironhull(script: &[u8]) -> Seen {
    let script = shell::parse(script, Dialect::Bash);
    let mut seen = Seen::default();
    for command in script.commands() {
        let Some(name) = command.word(0) else { continue };
        seen.names.push(name.span());
        // The operands of `[` are an expression to tree-sitter.
        if name.bytes() != b"[" {
            seen.arguments.extend(command.arguments().map(Word::span));
        }
    }
    seen.names.sort_unstable();
    seen.arguments.sort_unstable();
    seen
}

/// What tree-sitter finds; `None` if it finds an error and those are not allowed.
fn tree_sitter(parser: &mut Parser, script: &[u8], errors: bool) -> Option<Seen> {
    let tree = parser.parse(script, None).expect("a language is set");
    if tree.root_node().has_error() && !errors {
        return None;
    }
    let mut seen = Seen::default();
    let mut cursor = tree.walk();
    'walk: loop {
        look_at(cursor.node(), &mut seen);
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                break 'walk;
            }
        }
    }
    seen.names.sort_unstable();
    seen.arguments.sort_unstable();
    // Words that touch are one word that tree-sitter has split.
    seen.arguments.dedup_by(|next, word| {
        let touches = word.end == next.start;
        if touches {
            word.end = next.end;
        }
        touches
    });
    Some(seen)
}

fn look_at(node: Node<'_>, seen: &mut Seen) {
    let mut cursor = node.walk();
    match node.kind() {
        "command" => {
            seen.names.extend(node.child_by_field_name("name").map(span));
            seen.arguments.extend(node.children_by_field_name("argument", &mut cursor).map(span));
        }
        "declaration_command" | "unset_command" => {
            seen.names.extend(node.child(0).map(span));
            seen.arguments.extend(node.named_children(&mut cursor).map(span));
        }
        "test_command" => seen.names.extend(node.child(0).filter(|child| child.kind() == "[").map(span)),
        "file_redirect" => seen.targets.extend(node.children_by_field_name("destination", &mut cursor).map(span)),
        "heredoc_redirect" => seen.arguments.extend(node.children_by_field_name("argument", &mut cursor).map(span)),
        _ => {}
    }
}

fn span(node: Node<'_>) -> Span {
    Span::new(node.start_byte(), node.end_byte())
}

fn words_agree(ours: &Seen, theirs: &Seen) -> bool {
    let ours_known = ours.arguments.iter().all(|word| theirs.arguments.contains(word) || theirs.targets.contains(word));
    ours_known && theirs.arguments.iter().all(|word| ours.arguments.binary_search(word).is_ok())
}

fn excuse(script: &[u8], ours: &Seen, theirs: &Seen, listed: &BTreeSet<String>) -> Option<Excuse> {
    let of_one = |name: &Span| {
        let text = name.of(script);
        let is_split = name.start > 0 && script[name.start as usize - 1] == b'$';
        let is_number = text.iter().all(u8::is_ascii_digit);
        match text {
            _ if is_split => Some(Excuse::SplitWord),
            b"else" | b"elif" | b"fi" | b"done" => Some(Excuse::ReservedWord),
            b"[" if script.get(name.end as usize).is_some_and(|byte| !byte.is_ascii_whitespace()) => {
                Some(Excuse::Bracket)
            }
            _ if is_number => Some(Excuse::Number),
            _ => None,
        }
    };
    if listed.contains(&checksum(script)) {
        return Some(Excuse::Listed);
    }
    let has_missed = |name: &Span| theirs.names.iter().all(|theirs| theirs.start != name.start);
    let missing = ours.names.iter().any(has_missed);
    let extra = theirs.names.iter().filter(|name| ours.names.binary_search(name).is_err());
    let excuses: Option<Vec<Excuse>> = extra.map(of_one).collect();
    excuses?.first().copied().filter(|_| !missing)
}

fn difference(script: &[u8], ours: &Seen, theirs: &Seen) -> String {
    let text = |name: &Span| format!("{}: {}", name.start, String::from_utf8_lossy(name.of(script)));
    let only = |one: &Seen, other: &Seen| -> Vec<String> {
        one.names.iter().filter(|name| !other.names.contains(name)).map(text).collect()
    };
    let head = String::from_utf8_lossy(&script[..script.len().min(300)]).replace('\n', " ");
    format!(
        "{}\n  ours only {:?}\n  theirs only {:?}\n  {head}",
        checksum(script),
        only(ours, theirs),
        only(theirs, ours)
    )
}

/// Names a script in the list (FNV-1a).
fn checksum(script: &[u8]) -> String {
    let hash = script
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// Checksums of scripts whose difference was judged; the second column of the list says why.
fn listed_differences() -> BTreeSet<String> {
    let list = include_str!("shell_oracle.tsv");
    list.lines().skip(1).filter_map(|line| line.split('\t').next()).map(str::to_owned).collect()
}

/// The distinct scripts of the corpus: instructions in shell form, their here-documents, script files.
fn scripts() -> Option<Vec<Vec<u8>>> {
    let Some(shared) = env::var_os("IRONHULL_SHARED") else {
        eprintln!("skipped: IRONHULL_SHARED is not set, so there are no scripts to compare");
        return None;
    };
    let corpus = Path::new(&shared).join("corpus");
    let index = fs::read_to_string(corpus.join("INDEX.tsv")).expect("the corpus has an index");
    let mut scripts = BTreeSet::new();
    for line in index.lines().skip(1) {
        let mut columns = line.split('\t');
        let (kind, path) = (columns.next().unwrap_or_default(), columns.nth(1).unwrap_or_default());
        match kind {
            "dockerfile" => scripts_of_dockerfile(&read(&corpus.join("files").join(path)), &mut scripts),
            "script" => add(&read(&corpus.join("files").join(path)), Dialect::Posix, &mut scripts),
            _ => {}
        }
    }
    assert!(scripts.len() > 10_000, "only {} scripts found", scripts.len());
    Some(scripts.into_iter().collect())
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

fn scripts_of_dockerfile(source: &[u8], scripts: &mut BTreeSet<Vec<u8>>) {
    let parsed = dockerfile::parse(source);
    let mut dialect = Dialect::Posix;
    for instruction in &parsed.tree.instructions {
        let instruction = instruction.trigger.as_deref().unwrap_or(instruction);
        match instruction.keyword {
            Keyword::From => dialect = Dialect::Posix,
            Keyword::Shell => {
                if let Arguments::Json(words) = instruction.arguments(source) {
                    let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(&word.text)).collect();
                    dialect = shell::dialect_of(&words);
                }
            }
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint => {
                if let Arguments::Text(text) = instruction.arguments(source) {
                    script_of_instruction(instruction, &text.text, source, dialect, scripts);
                }
            }
            _ => {}
        }
    }
}

/// What the shell is given: the line with its here-documents behind it, or the here-document alone.
fn script_of_instruction(
    instruction: &Instruction,
    text: &[u8],
    source: &[u8],
    dialect: Dialect,
    scripts: &mut BTreeSet<Vec<u8>>,
) {
    if let [heredoc] = &instruction.heredocs[..]
        && heredoc.marker.len() == text.len()
    {
        return add(heredoc.body.of(source), dialect, scripts);
    }
    let mut script = text.to_vec();
    for heredoc in &instruction.heredocs {
        let end = heredoc.end.map_or(heredoc.body.end, |end| end.end);
        script.push(b'\n');
        script.extend_from_slice(&source[heredoc.body.start as usize..end as usize]);
    }
    add(&script, dialect, scripts);
}

fn add(script: &[u8], dialect: Dialect, scripts: &mut BTreeSet<Vec<u8>>) {
    if shell::dialect_of_shebang(script).unwrap_or(dialect).is_bourne() {
        scripts.insert(script.to_vec());
    }
}
