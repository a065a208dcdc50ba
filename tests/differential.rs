//! Compares how Dockerfiles are read with BuildKit's own parser, the first opinion, and with two crates, the second.
//!
//! `IRONHULL_SHARED` names the directory of the corpus; without it there is nothing to compare. What differs from
//! BuildKit is listed in `syntax_differences.tsv` with its reason.

#![allow(clippy::disallowed_methods, reason = "the test reads the corpus, and the tool that compares is run")]
#![allow(clippy::print_stdout, reason = "what is skipped and how well parsers agree is told")]

use ironhull::syntax::dockerfile;
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn shared() -> Option<PathBuf> {
    let shared = env::var_os("IRONHULL_SHARED").map(PathBuf::from);
    if shared.is_none() {
        println!("skipped: IRONHULL_SHARED names no corpus");
    }
    shared
}

#[test]
fn files_are_read_as_buildkit_reads_them() {
    let Some(shared) = shared() else { return };
    let mut different = BTreeMap::new();
    let corpus = shared.join("corpus");
    for (folder, answers, count) in [("files", "buildkit.jsonl.gz", 8_993), ("mutated", "mutated.jsonl.gz", 3_000)] {
        let root = corpus.join(folder);
        let output = compare(&shared.join("tools/syntax_diff.py"), &corpus.join(answers), &root);
        assert!(output.contains(&format!("files: {count}\n")), "all were compared: {output}");
        let rows = output.lines().filter_map(|line| line.split_once('\t'));
        different.extend(
            rows.filter_map(|(what, rest)| Some((format!("{folder}/{}", rest.split('\t').next()?), what.to_owned()))),
        );
    }
    assert_eq!(different, known_differences());
}

/// What the comparing tool prints: differences in lines with tabs, then counts.
fn compare(tool: &Path, answers: &Path, root: &Path) -> String {
    let mut python = Command::new("python3");
    python.arg(tool).args(["--bin", env!("CARGO_BIN_EXE_ironhull"), "--show", "100000", "--answers"]);
    let output = python.arg(answers).arg("--root").arg(root).output().expect("Python runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What differs, by path.
fn known_differences() -> BTreeMap<String, String> {
    let rows = include_str!("syntax_differences.tsv").lines().filter(|line| !line.starts_with('#'));
    let rows = rows.map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        [path, what, reason] if !reason.is_empty() => (path.to_owned(), what.to_owned()),
        _ => panic!("{line:?} is not path, difference and reason"),
    });
    rows.collect()
}

/// How a crate agrees with this parser on where instructions start.
#[derive(Debug, Default)]
struct Agreement {
    /// Files that the crate can read.
    read: usize,
    same: usize,
    different: Vec<String>,
}

impl Agreement {
    fn note(&mut self, path: &Path, ours: &[usize], theirs: &[usize]) {
        self.read += 1;
        if ours == theirs {
            self.same += 1;
            return;
        }
        let at = ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
        self.different.push(format!("{}: {:?} / {:?}", path.display(), ours.get(at), theirs.get(at)));
    }

    fn assert_at_least(&self, read: usize, different: usize) {
        let Agreement { read: seen, same, different: list } = self;
        println!("{same} of {seen} agree; {list:#?}");
        assert!(*seen >= read, "{seen} files could be read, {read} before");
        assert!(list.len() <= different, "{} files differ, {different} before: {list:#?}", list.len());
    }
}

/// Calls `visit` with each Dockerfile of the corpus that is UTF-8.
fn each_dockerfile(shared: &Path, mut visit: impl FnMut(&Path, &str)) {
    let mut folders = vec![shared.join("corpus/files")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the corpus can be read") {
            let path = entry.expect("an entry of the corpus can be read").path();
            let is_dockerfile = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("Dockerfile"));
            if path.is_dir() {
                folders.push(path);
            } else if is_dockerfile && let Ok(text) = String::from_utf8(fs::read(&path).expect("a file can be read")) {
                visit(&path, &text);
            }
        }
    }
}

/// Where instructions start.
fn starts(text: &str) -> Vec<usize> {
    let tree = dockerfile::parse(text.as_bytes()).tree;
    tree.instructions.iter().map(|instruction| instruction.keyword_span.start as usize).collect()
}

/// It knows neither heredocs nor byte order marks and gives up a whole file for one line, so that four of five files
/// can be compared. Those that differ are continued by a backquote, or have blank lines with blanks or comments of
/// several lines in a continued instruction: it ends the instruction there, BuildKit does not.
#[test]
fn instructions_start_where_dockerfile_parser_sees_them() {
    let Some(shared) = shared() else { return };
    let mut agreement = Agreement::default();
    each_dockerfile(&shared, |path, text| {
        let Ok(theirs) = dockerfile_parser::Dockerfile::parse(text) else { return };
        let theirs: Vec<_> = theirs.instructions.iter().map(|instruction| instruction.span().start).collect();
        agreement.note(path, &starts(text), &theirs);
    });
    agreement.assert_at_least(7_212, 9);
}

/// It counts from behind a byte order mark, which is taken into account here; it agrees about every file that it reads.
#[test]
fn instructions_start_where_parse_dockerfile_sees_them() {
    let Some(shared) = shared() else { return };
    let mut agreement = Agreement::default();
    each_dockerfile(&shared, |path, text| {
        let Ok(theirs) = parse_dockerfile::parse(text) else { return };
        let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let theirs: Vec<_> = theirs.instructions.iter().map(|instruction| keyword(instruction).start + mark).collect();
        agreement.note(path, &starts(text), &theirs);
    });
    agreement.assert_at_least(8_718, 0);
}

fn keyword(instruction: &parse_dockerfile::Instruction<'_>) -> parse_dockerfile::Span {
    use parse_dockerfile::Instruction;
    match instruction {
        Instruction::Add(add) => add.add.span.clone(),
        Instruction::Arg(arg) => arg.arg.span.clone(),
        Instruction::Cmd(cmd) => cmd.cmd.span.clone(),
        Instruction::Copy(copy) => copy.copy.span.clone(),
        Instruction::Entrypoint(entrypoint) => entrypoint.entrypoint.span.clone(),
        Instruction::Env(env) => env.env.span.clone(),
        Instruction::Expose(expose) => expose.expose.span.clone(),
        Instruction::From(from) => from.from.span.clone(),
        Instruction::Healthcheck(healthcheck) => healthcheck.healthcheck.span.clone(),
        Instruction::Label(label) => label.label.span.clone(),
        Instruction::Maintainer(maintainer) => maintainer.maintainer.span.clone(),
        Instruction::Onbuild(onbuild) => onbuild.onbuild.span.clone(),
        Instruction::Run(run) => run.run.span.clone(),
        Instruction::Shell(shell) => shell.shell.span.clone(),
        Instruction::Stopsignal(stopsignal) => stopsignal.stopsignal.span.clone(),
        Instruction::User(user) => user.user.span.clone(),
        Instruction::Volume(volume) => volume.volume.span.clone(),
        Instruction::Workdir(workdir) => workdir.workdir.span.clone(),
        other => panic!("{other:?} is an instruction of its own"),
    }
}
