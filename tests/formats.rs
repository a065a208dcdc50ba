//! What other programs read: every format of `check`, on plain and on hostile files.

#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test runs the program and makes the files it reads"
)]

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const SHOP: &str = "FROM alpine:latest\nADD app /app\nRUN curl -k https://a.example/x | sh\n";

/// Everything in a name and a text that a terminal, a log, an address or a document could stumble over.
const HOSTILE_NAME: &str = "Dockerfile.a\u{1b}[2J::error::b%0A\n<c>\"&'\u{202e}|`é";
const HOSTILE_TEXT: &str = "FROM alpine:latest\nUSER root\nADD \u{1b}]0;x\u{7}::warning::%0A<b>&]]>|`*@all\u{9b}\u{202e} /a\nRUNN \u{1b}[31m::error::\n";

struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats").join(name);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self(root)
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.0.join(name), text).unwrap();
        self
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=x", "-c", "user.email=x@y.example", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        let output = command.current_dir(&self.0).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ironhull"));
        command.args(arguments).current_dir(&self.0).output().unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.output(arguments).stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.text(arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// `rule:line` of what `check` reports with these options.
    fn found(&self, options: &[&str]) -> Vec<String> {
        let json = self.json(&[&["check", "--format", "json"], options].concat());
        let findings = json["findings"].as_array().unwrap().iter();
        findings.map(|found| format!("{}:{}", found["rule"].as_str().unwrap(), found["start"]["line"])).collect()
    }
}

const FORMATS: [&str; 10] =
    ["terminal", "json", "github", "sarif", "gitlab", "rdjson", "junit", "checkstyle", "markdown", "diff"];

#[test]
fn no_format_lets_through_what_moves_a_cursor_or_reorders_a_line() {
    let tree = Tree::new("hostile").file(HOSTILE_NAME, HOSTILE_TEXT);
    for format in FORMATS {
        // A patch holds the bytes of the file; that is what it is for.
        if format == "diff" {
            continue;
        }
        let text = tree.text(&["check", "--profile", "all", "--format", format]);
        assert!(!text.is_empty(), "{format}");
        let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{9b}'));
        assert_eq!(bad, None, "{format}: {text}");
    }
}

#[test]
fn a_log_command_is_only_what_the_program_says() {
    let tree = Tree::new("commands").file(HOSTILE_NAME, HOSTILE_TEXT);
    let text = tree.text(&["check", "--profile", "all", "--format", "github"]);
    let (rest, last) = (text.lines().filter(|line| !line.starts_with("::")).count(), text.lines().last().unwrap());
    assert_eq!(rest, 0, "{text}");
    assert!(last.starts_with("::") && !text.contains("::error::b") && !text.contains("::warning::%0A"), "{text}");
    for format in ["terminal", "junit", "checkstyle", "markdown"] {
        let text = tree.text(&["check", "--profile", "all", "--format", format]);
        assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{format}: {text}");
    }
}

#[test]
fn documents_in_xml_have_only_their_own_tags() {
    let tree = Tree::new("xml").file(HOSTILE_NAME, HOSTILE_TEXT);
    for (format, root) in [("junit", "testsuites"), ("checkstyle", "checkstyle")] {
        let text = tree.text(&["check", "--profile", "all", "--format", format]);
        assert!(
            text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<")
                && text.ends_with(&format!("</{root}>\n"))
        );
        assert!(!text.contains("<c>") && !text.contains("<b>") && !text.contains("]]>"), "{text}");
    }
}

#[test]
fn sarif_says_where_what_and_how_to_mend_it() {
    let tree = Tree::new("sarif").file("Dockerfile.a b", SHOP);
    let sarif = tree.json(&["check", "--format", "sarif"]);
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "Dockerfile.a%20b");
        assert_eq!(result["partialFingerprints"]["ironhull/v1"].as_str().unwrap().len(), 16);
    }
    let add = results.iter().find(|result| result["ruleId"] == "add-local-file").unwrap();
    let replacement = &add["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], "COPY");
    let region = &replacement["deletedRegion"];
    assert_eq!((region["startLine"].as_u64(), region["endColumn"].as_u64()), (Some(2), Some(4)));
    assert_eq!((region["byteOffset"].as_u64(), region["byteLength"].as_u64()), (Some(19), Some(3)));
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let fingerprints = |text: &str| -> Vec<String> {
        let tree = Tree::new("moved").file("Dockerfile", text);
        let issues = tree.json(&["check", "--format", "gitlab"]);
        issues.as_array().unwrap().iter().map(|issue| issue["fingerprint"].as_str().unwrap().to_owned()).collect()
    };
    let before = fingerprints(SHOP);
    assert_eq!(before, fingerprints(&format!("# a comment\n\n{}", SHOP.replace("curl -k", "curl \\\n  # why\n  -k"))));
    let distinct: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(distinct.len(), before.len());
}

#[test]
fn gitlab_and_reviewdog_get_the_fields_that_they_ask_for() {
    let tree = Tree::new("others").file("Dockerfile", SHOP);
    let issue = &tree.json(&["check", "--format", "gitlab", "--select", "add-local-file"])[0];
    assert_eq!((&issue["check_name"], &issue["severity"]), (&"add-local-file".into(), &"minor".into()));
    assert_eq!(issue["location"]["path"], "Dockerfile");
    assert_eq!(issue["location"]["lines"]["begin"], 2);
    let rdjson = tree.json(&["check", "--format", "rdjson", "--select", "add-local-file"]);
    let diagnostic = &rdjson["diagnostics"][0];
    assert_eq!(diagnostic["code"]["value"], "add-local-file");
    assert_eq!(diagnostic["suggestions"][0]["text"], "COPY");
    assert_eq!(diagnostic["suggestions"][0]["range"]["end"]["column"], 4);
}

#[test]
fn a_diff_is_what_fix_would_do_and_changes_nothing() {
    let tree = Tree::new("diff").file("Dockerfile", SHOP);
    let output = tree.output(&["check", "--format", "diff"]);
    assert_eq!(output.status.code(), Some(1));
    let patch = String::from_utf8(output.stdout).unwrap();
    assert!(patch.contains("-ADD app /app\n+COPY app /app\n"), "{patch}");
    assert_eq!(patch, tree.text(&["fix", "--diff"]));
    assert_eq!(fs::read_to_string(tree.0.join("Dockerfile")).unwrap(), SHOP);
}

#[test]
fn a_baseline_leaves_out_what_was_there_wherever_it_moves() {
    let tree = Tree::new("baseline").file("Dockerfile", SHOP);
    fs::create_dir_all(tree.0.join(".git")).unwrap();
    assert_eq!(tree.output(&["check", "--write-baseline", "known.json"]).status.code(), Some(0));
    let with = ["--baseline", "known.json"];
    assert!(tree.found(&with).is_empty());
    let tree = tree.file("Dockerfile", &format!("# new\n{SHOP}ADD app /app\nADD other /other\n"));
    assert_eq!(tree.found(&with), ["add-local-file:5", "add-local-file:6"]);
    let sarif = tree.json(&["check", "--format", "sarif", "--baseline", "known.json"]);
    assert_eq!(sarif["runs"][0]["results"][0]["baselineState"], "new");
    // The same from another directory: paths start where the baseline lies.
    let root = tree.0.display().to_string();
    let elsewhere = Tree::new("baseline-elsewhere");
    assert_eq!(elsewhere.found(&[&root, "--baseline", &format!("{root}/known.json")]).len(), 2);
    // What is left out is not fixed.
    tree.output(&["fix", "--select", "add-local-file", "--baseline", "known.json"]);
    let fixed = format!("# new\n{SHOP}COPY app /app\nCOPY other /other\n");
    assert_eq!(fs::read_to_string(tree.0.join("Dockerfile")).unwrap(), fixed);
}

#[test]
fn a_baseline_that_is_none_is_told() {
    let tree = Tree::new("no-baseline").file("Dockerfile", SHOP).file("broken.json", "[]");
    for name in ["broken.json", "missing.json"] {
        let output = tree.output(&["check", "--baseline", name]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(name), "{output:?}");
    }
}

#[test]
fn since_a_revision_only_changed_lines_count() {
    let tree = Tree::new("since").file("Dockerfile", SHOP);
    tree.git(&["init", "-q"]);
    tree.git(&["add", "."]);
    tree.git(&["commit", "-qm", "first"]);
    assert!(tree.found(&["--since", "HEAD"]).is_empty());
    let tree =
        tree.file("Dockerfile", &format!("{SHOP}ADD b /b\n")).file("Dockerfile.new", "FROM alpine:3.22\nADD c /c\n");
    // Nothing that the repository's configuration names is run.
    tree.git(&["config", "diff.external", "false"]);
    tree.git(&["config", "core.fsmonitor", "touch ran"]);
    let found = tree.found(&["--since", "HEAD", "--select", "add-local-file"]);
    assert_eq!(found, ["add-local-file:4", "add-local-file:2"]);
    assert!(!tree.0.join("ran").exists());
    tree.output(&["fix", "--select", "add-local-file", "--since", "HEAD", "Dockerfile"]);
    assert_eq!(fs::read_to_string(tree.0.join("Dockerfile")).unwrap(), format!("{SHOP}COPY b /b\n"));
    for (revision, told) in [("nowhere", "no revision `nowhere`"), ("--output=x", "is no revision")] {
        let output = tree.output(&["check", &format!("--since={revision}")]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{output:?}");
    }
}

#[test]
fn init_writes_a_configuration_that_holds_and_never_overwrites_one() {
    let tree = Tree::new("init").file("Dockerfile", SHOP);
    fs::create_dir_all(tree.0.join(".git")).unwrap();
    assert_eq!(tree.output(&["init", "--profile", "strict", "--baseline"]).status.code(), Some(0));
    let written = fs::read_to_string(tree.0.join("ironhull.toml")).unwrap();
    assert!(written.contains("profile = \"strict\""), "{written}");
    assert!(tree.found(&[]).is_empty(), "the baseline of the configuration is used");
    assert!(!tree.found(&["--no-config", "--profile", "strict"]).is_empty());
    let again = tree.output(&["init"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"), "{again:?}");
    assert_eq!(fs::read_to_string(tree.0.join("ironhull.toml")).unwrap(), written);
}
