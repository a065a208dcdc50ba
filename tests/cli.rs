//! The program as people run it: real processes in real directories.

#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test runs the program and makes the files it reads"
)]

use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const GOOD: &str =
    "FROM alpine:3.22@sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1\nUSER 1000\n";
const BROKEN: &str = "FROM alpine:3.22\nRUNN id\nUSER 1000\n";

/// A directory of its own for a test, with a repository's root in it.
struct Tree(PathBuf);

impl Tree {
    fn new(test: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join(".git")).unwrap();
        Self(root)
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn link(self, name: &str, target: &str) -> Self {
        symlink(target, self.0.join(name)).unwrap();
        self
    }

    fn fifo(self, name: &str) -> Self {
        assert!(Command::new("mkfifo").arg(self.0.join(name)).status().unwrap().success());
        self
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ironhull"));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null()).env_remove("NO_COLOR");
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A run that is refused does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap().into()
    }
}

/// What a run came to.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("all output is UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }

    /// The paths of the files that were judged.
    fn files(&self) -> Vec<String> {
        strings(&self.json()["files"], "path")
    }

    /// What could not be read, as `path: message`.
    fn errors(&self) -> Vec<String> {
        let json = self.json();
        let pairs = strings(&json["errors"], "path").into_iter().zip(strings(&json["errors"], "message"));
        pairs.map(|(path, message)| format!("{path}: {message}")).collect()
    }
}

fn strings(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

const JSON: [&str; 3] = ["check", "--format", "json"];

#[test]
fn the_exit_code_says_whether_something_is_left() {
    let tree = Tree::new("exit").file("good/Dockerfile", GOOD).file("bad/Dockerfile", BROKEN);
    assert_eq!(tree.run(&["check", "good"]).code, Some(0));
    assert_eq!(tree.run(&["check", "bad"]).code, Some(1));
    assert_eq!(tree.run(&["check"]).code, Some(1));
    assert_eq!(tree.run(&["check", "--fail-at", "off", "bad"]).code, Some(0));
    assert_eq!(tree.run(&["check", "--ignore", "syntax-error", "--select", "syntax-error", "bad"]).code, Some(0));
}

#[test]
fn a_run_that_does_not_happen_exits_with_2_and_says_why() {
    let tree = Tree::new("refused").file("Dockerfile", GOOD);
    let cases: [(&[&str], &str); 7] = [
        (&["check", "nowhere"], "nowhere"),
        (&["check", "--config", "nowhere.toml"], "nowhere.toml"),
        (&["check", "--profile", "paranoid"], "paranoid"),
        (&["check", "--select", "syntaxerror"], "did you mean `syntax-error`?"),
        (&["check", "--files-from", "nowhere.txt"], "nowhere.txt"),
        (&["explain", "sintax-error"], "did you mean `syntax-error`?"),
        (&["chekc"], "check"),
    ];
    for (arguments, told) in cases {
        let run = tree.run(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?} {run:#?}");
        assert!(run.out.is_empty() && run.err.contains(told), "{arguments:?} {run:#?}");
    }
}

#[test]
fn json_says_where_in_lines_columns_and_bytes() {
    let tree = Tree::new("json").file("Dockerfile", "FROM alpine:3.22\nRUN é \nßRUN x\n");
    let json = tree.run(&JSON).json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["tool"]["name"], "ironhull");
    assert_eq!(json["files"][0], serde_json::json!({"path": "Dockerfile", "kind": "dockerfile"}));
    assert_eq!(json["errors"], serde_json::json!([]));
    let findings = json["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == "syntax-error").unwrap();
    assert_eq!(finding["path"], "Dockerfile");
    assert_eq!(finding["start"], serde_json::json!({"line": 3, "column": 1, "offset": 25}));
    assert_eq!(finding["end"]["line"], 3);
    assert_eq!(finding["level"], "error");
    assert_eq!(finding["severity"], "high");
    assert_eq!(finding["confidence"], "high");
    for field in ["related", "references", "fixes"] {
        assert!(finding[field].is_array(), "{field} in {finding:#}");
    }
}

#[test]
fn standard_input_is_a_file_of_the_given_name() {
    let tree = Tree::new("stdin");
    let run = tree.run_with_input(&["check", "--format", "json", "-", "--stdin-filename", "a/Dockerfile"], BROKEN);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert_eq!(run.files(), ["a/Dockerfile"]);
    let run = tree.run_with_input(&["check", "--format", "json", "-"], GOOD);
    assert_eq!((run.code, run.files()), (Some(0), vec!["-".to_owned()]));
    assert_eq!(tree.run_with_input(&["check", "-", "x"], GOOD).code, Some(2));
}

#[test]
fn a_list_of_files_may_come_from_a_file_or_from_standard_input() {
    let tree = Tree::new("list").file("a/Dockerfile", GOOD).file("b/Dockerfile", GOOD).file("main.rs", "");
    let tree = tree.file("list", "b/Dockerfile\r\nmain.rs\n\na/Dockerfile\n");
    let run = tree.run(&["check", "--format", "json", "--files-from", "list"]);
    assert_eq!((run.files(), run.errors()), (vec!["a/Dockerfile".to_owned(), "b/Dockerfile".to_owned()], vec![]));
    let run = tree.run_with_input(&["check", "--format", "json", "--files-from", "-"], "b/Dockerfile");
    assert_eq!(run.files(), ["b/Dockerfile"]);
}

#[test]
fn a_named_file_is_what_its_content_or_the_user_says() {
    let tree = Tree::new("named").file("image.build", GOOD).file("notes", "hello\n").file("Dockerfile.j2", GOOD);
    let run = tree.run(&["check", "--format", "json", "image.build"]);
    assert_eq!((run.code, run.files()), (Some(0), vec!["image.build".to_owned()]));
    let run = tree.run(&["check", "--format", "json", "notes"]);
    assert_eq!((run.code, run.errors().len(), run.files().len()), (Some(1), 1, 0));
    let run = tree.run(&["check", "--format", "json", "--kind", "dockerfile", "notes"]);
    assert_eq!(run.files(), ["notes"]);
    assert_eq!(tree.run(&JSON).files(), Vec::<String>::new());
}

#[test]
fn a_walk_honours_ignore_files_and_sees_hidden_directories() {
    let tree = Tree::new("walk")
        .file(".gitignore", "build/\n")
        .file("build/Dockerfile", BROKEN)
        .file(".devcontainer/Dockerfile", GOOD)
        .file(".git/Dockerfile", BROKEN)
        .file("web.dockerfile", GOOD)
        .file("Dockerfile.md", BROKEN);
    assert_eq!(tree.run(&JSON).files(), [".devcontainer/Dockerfile", "web.dockerfile"]);
    let run = tree.run(&["check", "--format", "json", "build/Dockerfile"]);
    assert_eq!(run.files(), ["build/Dockerfile"], "a named path is read whatever ignore files say");
}

#[test]
fn each_real_file_is_read_once_whatever_leads_to_it() {
    let tree = Tree::new("once").file("a/Dockerfile", GOOD).link("a/loop", "..").link("Dockerfile", "a/Dockerfile");
    fs::hard_link(tree.0.join("a/Dockerfile"), tree.0.join("a/Dockerfile.prod")).unwrap();
    assert_eq!(tree.run(&JSON).files(), ["a/Dockerfile"]);
    let run = tree.run(&["check", "--format", "json", ".", "a", "a/Dockerfile", "./a/Dockerfile"]);
    assert_eq!(run.files(), ["a/Dockerfile"]);
}

#[test]
fn what_cannot_be_read_is_said_and_stops_nothing() {
    let tree = Tree::new("unread")
        .file("good/Dockerfile", GOOD)
        .file("Dockerfile.dir/x", "")
        .fifo("Dockerfile.fifo")
        .link("Dockerfile.dangling", "/nowhere")
        .link("Dockerfile.self", "Dockerfile.self")
        .link("Dockerfile.zero", "/dev/zero")
        .link("Dockerfile.outside", "/etc/passwd");
    let run = tree.run(&JSON);
    assert_eq!((run.code, run.files()), (Some(0), vec!["good/Dockerfile".to_owned()]), "{run:#?}");
    let errors = run.errors();
    let names: Vec<&str> = errors.iter().map(|error| error.split(':').next().unwrap()).collect();
    let expected = ["dangling", "fifo", "outside", "self", "zero"].map(|name| format!("Dockerfile.{name}"));
    assert_eq!(names, expected, "{errors:#?}");
    assert!(errors[0].ends_with("the link leads nowhere"), "{errors:#?}");
    for name in expected {
        let run = tree.run(&["check", &name]);
        assert_eq!(run.code, Some(1), "{name} was named and not checked: {run:#?}");
    }
}

#[test]
fn what_is_no_dockerfile_whatever_its_name_is_said_and_not_judged() {
    let utf16: Vec<u8> = "\u{feff}FROM a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let tree = Tree::new("unjudged")
        .file("elf/Dockerfile", b"\x7fELF\0\0\x01\xff")
        .file("template/Dockerfile", "FROM debian:12\n{{ if .X }}\nADD a /b\n{{ end }}\n")
        .file("utf16/Dockerfile", utf16)
        .file("zz-good/Dockerfile", BROKEN);
    let run = tree.run(&JSON);
    assert_eq!((run.code, run.files()), (Some(1), vec!["zz-good/Dockerfile".to_owned()]));
    let expected = [
        "elf/Dockerfile: it is no text",
        "template/Dockerfile: it is a template; what it is rendered to can be checked",
        "utf16/Dockerfile: it is UTF-16, and builders read UTF-8",
    ];
    assert_eq!(run.errors(), expected);
    assert_eq!(tree.run(&["check", "template"]).code, Some(0));
    assert_eq!(tree.run(&["check", "template/Dockerfile"]).code, Some(1), "it was named and is not checked");
}

#[test]
fn a_file_that_is_too_large_is_refused_unread() {
    let tree = Tree::new("large").file("Dockerfile", "");
    fs::File::options().write(true).open(tree.0.join("Dockerfile")).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(tree.run(&JSON).errors(), ["Dockerfile: it is larger than 64 MiB"]);
}

#[test]
fn the_nearest_configuration_holds_up_to_the_root_of_the_repository() {
    let off = "[rules]\nsyntax-error = \"off\"\n";
    let tree = Tree::new("config").file("ironhull.toml", off).file("a/b/Dockerfile", BROKEN);
    for arguments in [&["check"][..], &["check", "a/b"], &["check", "a/b/Dockerfile"]] {
        assert_eq!(tree.run(arguments).code, Some(0), "{arguments:?}");
    }
    assert_eq!(tree.run(&["check", "--no-config"]).code, Some(1));
    let input = tree.run_with_input(&["check", "-", "--stdin-filename", "a/Dockerfile"], BROKEN);
    assert_eq!(input.code, Some(0), "{input:#?}");
    fs::create_dir(tree.0.join("a/.git")).unwrap();
    assert_eq!(tree.run(&["check", "a"]).code, Some(1), "the file above lies in another repository");
    assert_eq!(tree.run(&["check", "a", "--config", "ironhull.toml"]).code, Some(0));
}

#[test]
fn a_configuration_sets_levels_excludes_paths_and_overrides_levels_for_some() {
    let config = "fail-at = \"error\"\nexclude = [\"third-party/\"]\n\n[rules]\nsyntax-error = { level = \"warn\" }\n\n\
                  [[override]]\npaths = [\"shipped/\"]\nrules = { syntax-error = \"error\" }\n";
    let tree = Tree::new("levels").file("ironhull.toml", config).file("a/Dockerfile", BROKEN);
    assert_eq!(tree.run(&["check"]).code, Some(0));
    assert_eq!(tree.run(&["check", "--fail-at", "warn"]).code, Some(1));
    let tree = tree.file("third-party/x/Dockerfile", BROKEN).file("shipped/b/Dockerfile", BROKEN);
    let run = tree.run(&JSON);
    assert_eq!((run.code, run.files()), (Some(1), vec!["a/Dockerfile".to_owned(), "shipped/b/Dockerfile".to_owned()]));
    assert_eq!(strings(&run.json()["findings"], "level"), ["warn", "error"]);
    let run = tree.run_with_input(&["check", "--format", "json", "--files-from", "-"], "third-party/x/Dockerfile\n");
    assert_eq!((run.code, run.files()), (Some(0), vec![]), "a list is filtered like a walk");
    let run = tree.run(&["check", "--format", "json", "third-party/x/Dockerfile"]);
    assert_eq!(run.files(), ["third-party/x/Dockerfile"], "a named file is not");
    let absolute = tree.0.join("shipped");
    let run = tree.run(&["check", "--format", "json", absolute.to_str().unwrap()]);
    assert_eq!(strings(&run.json()["findings"], "level"), ["error"]);
}

#[test]
fn a_mistake_in_the_configuration_is_shown_where_it_is() {
    let cases = [
        ("[rules]\nsyntax-eror = \"off\"\n", "ironhull.toml:2:1", "did you mean `syntax-error`?"),
        ("[rules]\nsyntax-error = \"of\"\n", "ironhull.toml:2:16", "did you mean `off`?"),
        ("[rules]\nsyntax-error = { levl = \"off\" }\n", "ironhull.toml:2:18", "did you mean `level`?"),
        ("profil = \"strict\"\n", "ironhull.toml:1:1", "did you mean `profile`?"),
        ("profile = 3\n", "ironhull.toml:1:11", "`recommended`"),
        ("exclude = \"x\"\n", "ironhull.toml:1:11", "list of patterns"),
        ("[[override]]\nrules = {}\n", "ironhull.toml:1:1", "`paths`"),
        ("profile = \n", "ironhull.toml:1:", ""),
    ];
    for (text, place, told) in cases {
        let tree = Tree::new("mistake").file("ironhull.toml", text).file("Dockerfile", GOOD);
        let run = tree.run(&["check"]);
        assert_eq!(run.code, Some(2), "{text} {run:#?}");
        assert!(run.out.is_empty() && run.err.contains(place) && run.err.contains(told), "{text}\n{}", run.err);
    }
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let tree = Tree::new("colour").file("Dockerfile", BROKEN);
    assert!(!tree.run(&["check"]).out.contains('\x1b'));
    assert!(tree.run(&["check", "--color", "always"]).out.contains('\x1b'));
    let mut asked = tree.command(&["check", "--color", "never"]);
    let run: Run = asked.env("CLICOLOR_FORCE", "1").output().unwrap().into();
    assert!(!run.out.contains('\x1b'), "{run:#?}");
    let mut forced = tree.command(&["check"]);
    let run: Run = forced.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1").output().unwrap().into();
    assert!(!run.out.contains('\x1b'), "{run:#?}");
}

#[test]
fn nothing_in_names_or_contents_reaches_the_terminal_raw() {
    let text = "FROM alpine:3.22\n\x1b[2J\u{202e}RUNN \x07 x\n";
    let tree = Tree::new("raw").file("a\x1b[31m\nb\u{202e}/Dockerfile", text);
    for format in ["terminal", "json", "github"] {
        let run = tree.run(&["check", "--format", format]);
        assert_eq!(run.code, Some(1));
        assert!(!run.out.contains(['\x1b', '\x07']), "{format} {run:#?}");
        assert!(format == "json" || !run.out.contains('\u{202e}'), "{format} {run:#?}");
    }
    let annotations = tree.run(&["check", "--format", "github"]).out;
    assert!(annotations.lines().all(|line| line.starts_with("::error ")), "{annotations}");
}

#[test]
fn a_long_line_is_neither_printed_nor_slow() {
    let text = ["FROM alpine:3.22\nRUNN ", &"x".repeat(8_000_000), "\n"].concat();
    let tree = Tree::new("long").file("Dockerfile", text);
    let run = tree.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.out.len() < 2_000, "{} bytes", run.out.len());
}

#[test]
fn a_screen_is_enough_however_much_is_found() {
    let mut tree = Tree::new("screen");
    for at in 0..40 {
        tree = tree.file(&format!("service-{at}/Dockerfile"), BROKEN);
    }
    let run = tree.run(&["check"]);
    assert!(run.out.lines().count() <= 24, "{}", run.out);
    assert!(
        run.out.contains("ironhull check --select syntax-error") && run.out.contains("ironhull explain syntax-error")
    );
    assert!(run.out.contains("40 findings in 40 of 40 files"), "{}", run.out);
    let all = tree.run(&["check", "--select", "syntax-error"]).out;
    assert_eq!(all.lines().filter(|line| line.contains("/Dockerfile:2:1")).count(), 40, "{all}");
}

#[test]
fn output_is_the_same_every_time() {
    let mut tree = Tree::new("order");
    for at in 0..60 {
        tree = tree.file(&format!("{}/{at}.Dockerfile", at % 7), BROKEN);
    }
    let first = tree.run(&JSON);
    let files = first.files();
    assert!(files.is_sorted() && files.len() == 60, "{files:?}");
    for _ in 0..5 {
        assert_eq!(tree.run(&JSON).out, first.out);
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut tree = Tree::new("pipe");
    for at in 0..400 {
        tree = tree.file(&format!("{at}/Dockerfile"), BROKEN);
    }
    let mut command = tree.command(&JSON);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut start = [0; 16];
    child.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let run: Run = child.wait_with_output().unwrap().into();
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
}

#[test]
fn rules_are_listed_for_people_and_programs() {
    let tree = Tree::new("rules");
    let json = tree.run(&["rules", "--format", "json"]).json();
    assert_eq!(json["version"], 1);
    let rules = json["rules"].as_array().unwrap();
    for rule in rules {
        for field in ["id", "title", "group", "severity", "kinds", "fix", "references", "equivalents", "since"] {
            assert!(!rule[field].is_null(), "{field} in {rule:#}");
        }
        let availability = rule["fix"]["availability"].as_str().unwrap();
        assert!(["always", "sometimes", "never"].contains(&availability));
        assert_eq!(rule["fix"]["safety"].is_null(), availability == "never", "{rule:#}");
    }
    assert_eq!(tree.run(&["rules"]).out.lines().count(), rules.len() + 2);
}

#[test]
fn every_rule_can_be_explained() {
    let tree = Tree::new("explain");
    let json = tree.run(&["rules", "--format", "json"]).json();
    for rule in json["rules"].as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        let run = tree.run(&["explain", id]);
        assert_eq!(run.code, Some(0), "{id} {run:#?}");
        assert!(run.out.starts_with(id) && !run.out.contains(['«', '»']), "{}", run.out);
        for other in strings_of(&rule["equivalents"]) {
            assert!(tree.run(&["explain", &other]).out.contains(id), "{other}");
        }
    }
}

fn strings_of(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

#[test]
fn completions_exist_for_every_common_shell() {
    let tree = Tree::new("completions");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = tree.run(&["completions", shell]);
        assert!(run.code == Some(0) && run.out.contains("files-from"), "{shell} {run:#?}");
    }
}

#[test]
fn syntax_and_inspect_answer_a_line_for_each_file() {
    let tree =
        Tree::new("lines").file("a/Dockerfile", GOOD).file("b.txt", BROKEN).file("list", "a/Dockerfile\nb.txt\n");
    for command in [&["syntax"][..], &["inspect", "--empty-base"]] {
        let run = tree.run(&[command, &["--format", "jsonl", "--files-from", "list"]].concat());
        assert_eq!(run.code, Some(0), "{run:#?}");
        let lines: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines.iter().map(|line| line["path"].as_str().unwrap()).collect::<Vec<_>>(),
            ["a/Dockerfile", "b.txt"]
        );
    }
}

#[test]
fn the_graph_is_of_every_kind_of_file_that_the_configuration_does_not_exclude() {
    let tree = Tree::new("graph")
        .file("ironhull.toml", "exclude = [\"old/\"]\n")
        .file("old/compose.yaml", "services:\n  gone: {image: gone}\n")
        .file("web/Dockerfile", GOOD)
        .file("web/Dockerfile\x1b[2J", GOOD)
        .file("compose.yaml", "services:\n  web: {build: web, image: acme/web}\n")
        .file("web.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: pod, image: acme/web}]}\n")
        .file("run.sh", "docker run acme/web\n");
    let run = tree.run(&["graph", "--format", "json"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert_eq!(strings(&run.json()["runs"], "name"), ["web", "docker run", "pod"]);
    for format in ["text", "mermaid", "dot", "svg"] {
        let run = tree.run(&["graph", "--format", format]);
        assert!(run.out.contains("acme/web") && !run.out.contains('\x1b'), "{run:#?}");
    }
    assert_eq!(tree.run(&["graph", "nowhere"]).code, Some(2));
}

/// A file in which one word is to be repaired, and something is left that is not.
const ADDS: &str = "FROM debian:12\nADD a.txt /b.txt\nCMD [\"a\"]\n";
const FIXED: &str = "FROM debian:12\nCOPY a.txt /b.txt\nCMD [\"a\"]\n";
const FIX: [&str; 3] = ["fix", "--select", "add-local-file"];

#[test]
fn a_change_of_a_generated_file_is_said_to_be_lost() {
    let generated = format!("#\n# NOTE: THIS DOCKERFILE IS GENERATED VIA \"apply-templates.sh\"\n{ADDS}");
    let tree = Tree::new("generated").file("Dockerfile", generated).file("own/Dockerfile", ADDS);
    let note = "Dockerfile: line 2 says that the file is generated (`apply-templates.sh`)";
    let diff = tree.run(&[&FIX[..], &["--diff"]].concat());
    assert!(diff.err.contains(note) && !diff.err.contains("own/Dockerfile: line"), "{diff:#?}");
    assert!(!diff.out.contains(note), "{diff:#?}");
    let json = tree.run(&[&FIX[..], &["--diff", "--format", "json"]].concat()).json();
    let expected = serde_json::json!([{"path": "Dockerfile", "line": 2, "made_of": ["apply-templates.sh"]}]);
    assert_eq!(json["generated"], expected);
    let fixed = tree.run(&FIX);
    assert!(fixed.out.contains(note), "{fixed:#?}");
}

#[test]
fn fix_writes_one_word_and_says_so_by_its_exit_code() {
    let tree = Tree::new("fix").file("Dockerfile", ADDS);
    assert_eq!(tree.run(&[&FIX[..], &["--diff"]].concat()).code, Some(1), "there is something to change");
    assert_eq!(tree.text("Dockerfile"), ADDS);
    assert_eq!(tree.run(&FIX).code, Some(0), "nothing is left");
    assert_eq!(tree.text("Dockerfile"), FIXED);
    let again = tree.run(&[&FIX[..], &["--diff"]].concat());
    assert_eq!((again.code, again.out.as_str()), (Some(0), ""));
    let left = tree.run(&["fix", "--select", "root-user", "--fail-at", "note"]);
    assert_eq!(left.code, Some(1), "what fix cannot repair unasked is left: {left:#?}");
    assert_eq!(tree.run(&["fix", "nowhere"]).code, Some(2));
}

#[test]
fn fix_keeps_mode_owner_and_links() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let tree = Tree::new("fix-keeps").file("real/Dockerfile", ADDS).link("Dockerfile", "real/Dockerfile");
    let real = tree.0.join("real/Dockerfile");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).unwrap();
    // Only root may give files away.
    let is_given = chown(&real, Some(1234), Some(4321)).is_ok();
    let before = fs::metadata(&real).unwrap();
    assert_eq!(tree.run(&[&FIX[..], &["Dockerfile"]].concat()).code, Some(0));
    let after = fs::metadata(&real).unwrap();
    assert_eq!(tree.text("real/Dockerfile"), FIXED);
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert!(!is_given || (after.uid(), after.gid()) == (1234, 4321));
    assert_eq!(fs::read_link(tree.0.join("Dockerfile")).unwrap(), Path::new("real/Dockerfile"));
    let names: Vec<_> = fs::read_dir(tree.0.join("real")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["Dockerfile"], "nothing is left beside it");
}

#[test]
fn fix_refuses_what_it_may_not_write_and_repairs_the_rest() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new("fix-read-only").file("a/Dockerfile", ADDS).file("b/Dockerfile", ADDS);
    fs::set_permissions(tree.0.join("a/Dockerfile"), fs::Permissions::from_mode(0o444)).unwrap();
    // Root may write what is marked read-only: then it is repaired, and keeps its mark.
    let is_root = fs::OpenOptions::new().write(true).open(tree.0.join("a/Dockerfile")).is_ok();
    let run = tree.run(&[&FIX[..], &["--format", "json", "a/Dockerfile", "b/Dockerfile"]].concat());
    if is_root {
        assert_eq!((tree.text("a/Dockerfile").as_str(), tree.text("b/Dockerfile").as_str()), (FIXED, FIXED));
        let mode = fs::metadata(tree.0.join("a/Dockerfile")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o444, "the mode is kept");
        return;
    }
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert_eq!((tree.text("a/Dockerfile").as_str(), tree.text("b/Dockerfile").as_str()), (ADDS, FIXED));
    let applied = &run.json()["applied"];
    assert_eq!(strings(applied, "path"), ["b/Dockerfile"], "what was not written was not applied");
}

#[test]
fn a_file_that_was_changed_meanwhile_is_left_alone_and_so_are_those_with_it() {
    use ironhull::disk::{Replacement, replace_all};
    let tree = Tree::new("fix-changed").file("a", "old a").file("b", "somebody else was here");
    let (a, b) = (tree.0.join("a"), tree.0.join("b"));
    let replacements = [
        Replacement { path: &a, before: b"old a", after: b"new a" },
        Replacement { path: &b, before: b"old b", after: b"new b" },
    ];
    let why = replace_all(&replacements).unwrap_err();
    assert!(why.why.contains("it was changed since it was read"), "{why:?}");
    assert_eq!((tree.text("a").as_str(), tree.text("b").as_str()), ("old a", "somebody else was here"));
    assert_eq!(fs::read_dir(&tree.0).unwrap().count(), 3, "`.git`, `a`, `b` and nothing else");
}

const READS_TOKEN: &str =
    "# syntax=docker/dockerfile:1\nFROM node:22\nARG NPM_TOKEN\nRUN npm ci --token \"$NPM_TOKEN\"\n";
const MOUNTS_TOKEN: &str = "# syntax=docker/dockerfile:1\nFROM node:22\nRUN --mount=type=secret,id=npm_token,env=NPM_TOKEN,required=true npm ci --token \"$NPM_TOKEN\"\n";
const FIX_TOKENS: [&str; 5] = ["fix", "--risky", "--no-config", "--select", "secret-in-arg"];

/// Two services that hand the same token to two builds, and a service with its own trouble.
const TWO_BUILDS: &str = "services:\n  a:\n    build:\n      context: ./a\n      args: [NPM_TOKEN]\n  b:\n    build:\n      context: ./b\n      args: [NPM_TOKEN]\n";
const TWO_SECRETS: &str = "services:\n  a:\n    build:\n      context: ./a\n      secrets:\n        - npm_token\n  b:\n    build:\n      context: ./b\n      secrets:\n        - npm_token\nsecrets:\n  npm_token:\n    environment: NPM_TOKEN\n";

#[test]
fn files_that_depend_on_each_other_are_repaired_together() {
    let tree = Tree::new("change-set")
        .file("a/Dockerfile", READS_TOKEN)
        .file("b/Dockerfile", READS_TOKEN)
        .file("compose.yaml", TWO_BUILDS);
    let patch = tree.run(&[&FIX_TOKENS[..], &["--diff"]].concat()).out;
    for name in ["a/Dockerfile", "b/Dockerfile", "compose.yaml"] {
        assert_eq!(patch.matches(&format!("+++ b/{name}\n")).count(), 1, "{patch}");
    }
    let run = tree.run(&FIX_TOKENS);
    assert!(run.out.contains("and with it compose.yaml"), "{}", run.out);
    assert_eq!((tree.text("a/Dockerfile").as_str(), tree.text("b/Dockerfile").as_str()), (MOUNTS_TOKEN, MOUNTS_TOKEN));
    assert_eq!(tree.text("compose.yaml"), TWO_SECRETS);
    let again = tree.run(&[&FIX_TOKENS[..], &["--diff"]].concat());
    assert_eq!((again.out.as_str(), again.code), ("", Some(0)));
}

#[test]
fn what_runs_an_image_is_repaired_as_its_dockerfile_will_be() {
    const ROOT: &str = "FROM nginx:1.29\nCOPY site /usr/share/nginx/html\n";
    const ALL: [&str; 5] = ["fix", "--risky", "--no-config", "--profile", "all"];
    const COMPOSE: &str = "services:\n  web:\n    build: ./web\n";
    let tree = Tree::new("change-set-of-runner")
        .file("web/Dockerfile", ROOT)
        .file("web/site/index.html", "hello\n")
        .file("compose.yaml", COMPOSE);
    // The first alone would give back what root needs.
    let alone = tree.run(&[&ALL[..], &["--diff", "compose.yaml"]].concat());
    assert!(alone.out.contains("SETUID"), "{}", alone.out);
    tree.run(&[&ALL[..], &["."]].concat());
    let (dockerfile, compose) = (tree.text("web/Dockerfile"), tree.text("compose.yaml"));
    assert!(dockerfile.contains("USER 101:101"), "{dockerfile}");
    assert!(compose.contains("cap_drop") && !compose.contains("cap_add"), "{compose}");
    let again = tree.run(&[&ALL[..], &["--diff", "."]].concat());
    assert_eq!((again.out.as_str(), again.code), ("", Some(0)));
}

#[test]
fn a_file_with_repairs_of_its_own_takes_those_of_its_dockerfile_too() {
    let service = "    read_only: false\n    privileged: true\n";
    let tree = Tree::new("change-set-of-both")
        .file("a/Dockerfile", READS_TOKEN)
        .file("b/Dockerfile", READS_TOKEN)
        .file("compose.yaml", TWO_BUILDS.replace("  b:\n", &format!("{service}  b:\n")));
    tree.run(&["fix", "--risky", "--no-config", "--profile", "all"]);
    let after = tree.text("compose.yaml");
    assert!(after.contains("npm_token") && !after.contains("args") && after.contains("no-new-privileges"), "{after}");
    let left = tree.run(&["fix", "--risky", "--no-config", "--profile", "all", "--diff"]);
    assert_eq!(left.out, "");
}

#[test]
fn what_is_excluded_or_builds_something_else_is_left_alone() {
    let tree = Tree::new("change-set-elsewhere")
        .file("a/Dockerfile", READS_TOKEN)
        .file("b/Dockerfile", READS_TOKEN)
        .file("c/Dockerfile", READS_TOKEN)
        .file("shop/compose.yaml", TWO_BUILDS.replace("./", "../"));
    let only = tree.run(&[&FIX_TOKENS[..], &["c", "shop"]].concat());
    assert_eq!(tree.text("c/Dockerfile"), MOUNTS_TOKEN, "{}", only.out);
    assert_eq!(tree.text("shop/compose.yaml"), TWO_BUILDS.replace("./", "../"));

    let tree = Tree::new("change-set-excluded")
        .file("ironhull.toml", "exclude = [\"compose.yaml\"]\n")
        .file("a/Dockerfile", READS_TOKEN)
        .file("compose.yaml", TWO_BUILDS);
    let run = tree.run(&["fix", "--risky", "--format", "json", "--select", "secret-in-arg"]);
    assert_eq!((tree.text("a/Dockerfile").as_str(), tree.text("compose.yaml").as_str()), (READS_TOKEN, TWO_BUILDS));
    let reason = run.json()["declined"][0]["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason, "`compose.yaml` would have to change with it, and is excluded here");
}

#[test]
fn a_text_on_standard_input_comes_out_repaired() {
    let tree = Tree::new("fix-stdin");
    let run = tree.run_with_input(&[&FIX[..], &["-"]].concat(), ADDS);
    assert_eq!((run.code, run.out.as_str()), (Some(0), FIXED), "{run:#?}");
    let run = tree.run_with_input(&[&FIX[..], &["--diff", "-", "--stdin-filename", "a/Dockerfile"]].concat(), ADDS);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.out.starts_with("diff --git a/a/Dockerfile b/a/Dockerfile\n"), "{run:#?}");
    let utf16 = "\u{feff}F\0R\0";
    let run = tree.run_with_input(&[&FIX[..], &["-"]].concat(), utf16);
    assert_eq!((run.code, run.out.as_str()), (Some(1), utf16), "what cannot be repaired comes out as it is: {run:#?}");
}

#[test]
fn fix_says_in_json_what_was_done_declined_and_left() {
    let lock = format!(
        "version = 1\n[[image]]\nreference = \"debian:12\"\ndigest = \"sha256:{}\"\nresolved = 2026-11-20\n",
        "0".repeat(64)
    );
    let text = "ARG V=3.22\nFROM alpine:$V AS a\nFROM node:$V-slim\nFROM debian:12\nADD a.txt /b.txt\n";
    let tree = Tree::new("fix-json").file("Dockerfile", text).file("ironhull.lock", lock);
    let select = ["--profile", "all", "--select", "add-local-file,unpinned-base"];
    let run = tree.run(&[&["fix", "--format", "json"], &select[..]].concat());
    let json = run.json();
    assert_eq!(json["version"], 1);
    assert_eq!(strings(&json["applied"], "rule"), ["unpinned-base", "add-local-file"]);
    for applied in json["applied"].as_array().unwrap() {
        assert_eq!((&applied["path"], &applied["safety"]), (&"Dockerfile".into(), &"safe".into()), "{applied:#}");
        assert!(applied["title"].as_str().is_some_and(|title| !title.is_empty()), "{applied:#}");
    }
    let declined = json["declined"].as_array().unwrap();
    let lines: Vec<&Value> = declined.iter().map(|declined| &declined["line"]).collect();
    assert_eq!(lines, [2, 3], "{declined:#?}");
    assert!(declined.iter().all(|each| each["rule"] == "unpinned-base" && each["path"] == "Dockerfile"));
    assert_eq!(declined[0]["reason"], "`V` is read elsewhere too, where a digest would be wrong");
    assert_eq!(strings(&json["findings"], "rule"), ["unpinned-base", "unpinned-base"]);
    let pinned = format!("FROM debian:12@sha256:{}\nCOPY a.txt /b.txt\n", "0".repeat(64));
    assert!(tree.text("Dockerfile").ends_with(&pinned));
}

#[test]
fn a_lock_is_filled_from_lists_and_fix_uses_it() {
    let sum = "24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d";
    let text = "# syntax=docker/dockerfile:1\nFROM node:22\nADD https://example.com/1.2/tool /usr/bin/tool\n\
                COPY --from=alpine:3.22 /a /b\nARG TARGETARCH\nADD https://example.com/1.2/tool-$TARGETARCH /x\n";
    let tree = Tree::new("lock")
        .file("app/Dockerfile", text)
        .file("SHA256SUMS", format!("{sum}  dist/tool\n"))
        .file("images", format!("node:22 sha256:{sum}\n"));
    let run = tree.run(&["lock", "--from", "SHA256SUMS", "--from", "images", "--date", "2026-11-20"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(run.out.contains("missing docker.io/library/alpine:3.22 (app/Dockerfile:4)"), "{run:#?}");
    assert!(run.out.ends_with("ironhull.lock: 2 added, 0 changed, 1 missing\n"), "{run:#?}");
    let written = tree.text("ironhull.lock");
    assert!(written.starts_with("version = 1\n") && written.matches("resolved = 2026-11-20").count() == 2, "{written}");
    tree.run(&["fix", "--profile", "all", "--select", "unpinned-base,add-remote-url"]);
    let fixed = text.replace("node:22", &format!("node:22@sha256:{sum}"));
    let fixed = fixed.replacen("ADD ", &format!("ADD --checksum=sha256:{sum} "), 1);
    assert_eq!(tree.text("app/Dockerfile"), fixed);
    let again = tree.run(&["lock", "app", "--from", "images"]);
    assert!(again.out.ends_with("ironhull.lock: 0 added, 0 changed, 1 missing\n"), "{again:#?}");
    assert_eq!(tree.text("ironhull.lock"), written, "a day alone changes nothing");
}

#[test]
fn a_lock_that_cannot_be_filled_is_refused_with_the_place() {
    let tree = Tree::new("lock-refused").file("Dockerfile", GOOD).file("list", "# digests\nnode:22 sha256:12\n");
    let cases: [(&[&str], &str); 4] = [
        (&["lock"], "`--from FILE`"),
        (&["lock", "--from", "list"], "list:2: `sha256:12` is not"),
        (&["lock", "--from", "nowhere"], "nowhere: there is no such file"),
        (&["lock", "--from", "list", "--date", "tomorrow"], "YYYY-MM-DD"),
    ];
    for (arguments, told) in cases {
        let run = tree.run(arguments);
        assert!(run.code == Some(2) && run.err.contains(told), "{arguments:?} {run:#?}");
    }
    assert!(!tree.0.join("ironhull.lock").exists());
    let tree = tree.file("ironhull.lock", "version = 1\n[[image]]\n").file("list", "");
    let run = tree.run(&["lock", "--from", "list"]);
    assert!(run.code == Some(2) && run.err.contains("ironhull.lock") && run.err.contains("line 2"), "{run:#?}");
}

#[test]
fn a_lock_wants_the_images_of_compose_files_and_manifests_too() {
    let sum = "24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d";
    let compose = "services:\n  web:\n    image: nginx:1.29\n  api:\n    build: .\n    image: shop/api:3\n  job:\n    image: shop/api:3\n  db:\n    image: postgres:${PG:-18}\n  cache:\n    image: redis:${REDIS}\n";
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - {name: a, image: nginx:1.29}\n    - {name: b, image: envoyproxy/envoy:v1.35.0}\n    - {name: c, image: \"{{ .Values.image }}\"}\n";
    let tree = Tree::new("lock-of-services")
        .file("compose.yaml", compose)
        .file("k8s/pod.yaml", manifest)
        .file("images", format!("nginx:1.29 sha256:{sum}\n"));
    let run = tree.run(&["lock", "--from", "images", "--date", "2026-11-20"]);
    let expected = "added docker.io/library/nginx:1.29\nmissing docker.io/envoyproxy/envoy:v1.35.0 (k8s/pod.yaml:7)\n\
                    skipped the image of compose.yaml:10: a variable or another service has a say in the name\n\
                    skipped the image of compose.yaml:12: nobody can tell here what its name is\n\
                    skipped the image of k8s/pod.yaml:8: nobody can tell here what its name is\n\
                    ironhull.lock: 1 added, 0 changed, 1 missing\n";
    assert_eq!((run.code, run.out.as_str()), (Some(0), expected), "{run:#?}");
    tree.run(&["fix", "--profile", "all", "--select", "unpinned-image"]);
    let pinned = |text: &str| text.replace("nginx:1.29", &format!("nginx:1.29@sha256:{sum}"));
    assert_eq!(tree.text("compose.yaml"), pinned(compose));
    assert_eq!(tree.text("k8s/pod.yaml"), pinned(manifest));
    let again = tree.run(&["lock", "--from", "images"]);
    assert!(again.out.ends_with("ironhull.lock: 0 added, 0 changed, 1 missing\n"), "{again:#?}");
}
