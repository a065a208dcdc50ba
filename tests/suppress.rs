//! Comments that silence findings, as people write them, through the whole program.

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
    process::Command,
};

/// What `check --profile all` says about `text` as a Dockerfile: `rule:line` of each finding, and how many are silenced.
fn checked(name: &str, text: &str, options: &[&str]) -> (Vec<String>, u64) {
    let json = run(&tree(name, text), &[&["check", "--format", "json", "--profile", "all"], options].concat());
    let findings = json["findings"].as_array().unwrap().iter();
    let shown = findings.map(|found| format!("{}:{}", found["rule"].as_str().unwrap(), found["start"]["line"]));
    (shown.collect(), json["left_out"]["comment"].as_u64().unwrap())
}

fn run(root: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ironhull"));
    let output = command.args(arguments).current_dir(root).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn tree(name: &str, text: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suppress").join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::write(root.join("Dockerfile"), text).unwrap();
    root
}

const ROOT: [&str; 2] = ["--select", "root-user,add-local-file,pipe-to-shell,unused-allow"];

#[test]
fn an_allow_silences_its_rule_at_the_instruction_below_and_nowhere_else() {
    let text = "# ironhull: allow(root-user) because the init drops privileges\n\
                FROM alpine:3.22\n\
                # ironhull: allow(add-local-file) because it becomes an archive\n\
                # and because of a second comment\n\
                ADD a /a\n\
                ADD b /b\n";
    assert_eq!(checked("below", text, &ROOT), (vec!["add-local-file:6".to_owned()], 2));
}

#[test]
fn an_allow_inside_an_instruction_speaks_of_the_next_line() {
    let text = "FROM alpine:3.22\nUSER 1\nRUN true \\\n  # ironhull: allow(pipe-to-shell) because we own it\n  \
                && curl https://a.example/x | sh \\\n  && curl https://a.example/y | sh\n";
    assert_eq!(checked("inside", text, &ROOT), (vec!["pipe-to-shell:6".to_owned()], 1));
}

#[test]
fn an_allow_without_a_reason_or_after_its_end_silences_nothing_and_says_so() {
    for (name, comment) in [
        ("reason", "# ironhull: allow(add-local-file)"),
        ("expired", "# ironhull: allow(add-local-file) because x until 2020-01-31"),
        ("slip", "# ironhull: allow(add-lokal-file) because x"),
    ] {
        let text = format!("FROM alpine:3.22\nUSER 1\n{comment}\nADD a /a\n");
        let expected = vec!["unused-allow:3".to_owned(), "add-local-file:4".to_owned()];
        assert_eq!(checked(name, &text, &ROOT), (expected, 0), "{comment}");
    }
    let text = "FROM alpine:3.22\nUSER 1\n# ironhull: allow(add-local-file) because x until 9999-12-31\nADD a /a\n";
    assert_eq!(checked("not-yet", text, &ROOT), (vec![], 1));
}

#[test]
fn a_blank_line_takes_an_allow_from_its_instruction() {
    let text = "FROM alpine:3.22\nUSER 1\n# ironhull: allow(add-local-file) because x\n\nADD a /a\n";
    let expected = vec!["unused-allow:3".to_owned(), "add-local-file:5".to_owned()];
    assert_eq!(checked("blank", text, &ROOT), (expected, 0));
}

#[test]
fn whether_an_allow_is_used_does_not_depend_on_the_rules_that_were_chosen() {
    let text = "FROM alpine:3.22\nUSER 1\n# ironhull: allow(add-local-file) because x\nADD a /a\n";
    assert_eq!(checked("chosen", text, &["--select", "unused-allow"]), (vec![], 0));
}

#[test]
fn a_heredoc_is_data() {
    let text = "FROM alpine:3.22\nUSER 1\nCOPY <<EOF /a\n# ironhull: allow(add-local-file) because x\nEOF\nADD a /a\n";
    assert_eq!(checked("heredoc", text, &ROOT), (vec!["add-local-file:6".to_owned()], 0));
}

#[test]
fn comments_of_other_tools_count_for_the_rules_that_know_theirs() {
    for (name, comment, silenced) in [
        ("hadolint", "# hadolint ignore=DL3059,DL3020", 1),
        ("hadolint-other", "# hadolint ignore=DL3059", 0),
        ("trivy", "#trivy:ignore:AVD-DS-0005", 1),
        ("trivy-old", "#trivy:ignore:DS005:exp:9999-01-01", 1),
        ("trivy-ended", "#trivy:ignore:DS005:exp:2020-01-01", 0),
        ("checkov", "#checkov:skip=CKV_DOCKER_4: it is fine", 1),
    ] {
        let text = format!("FROM alpine:3.22\nUSER 1\n{comment}\nADD a /a\n");
        let (findings, count) = checked(name, &text, &ROOT);
        assert_eq!((findings.len(), count), (1 - silenced, silenced as u64), "{comment}: {findings:?}");
    }
    let global = "# hadolint global ignore=DL3020\nFROM alpine:3.22\nUSER 1\nADD a /a\nADD b /b\n";
    assert_eq!(checked("hadolint-global", global, &ROOT), (vec![], 2));
}

#[test]
fn a_check_directive_counts_for_the_rules_that_know_the_checks_of_the_builder() {
    let text = "# check=skip=SecretsUsedInArgOrEnv;error=true\nFROM alpine:3.22\nENV DB_PASSWORD=q7RkV2nXw9Lp\n";
    let select = ["--select", "secret-in-env,unused-allow"];
    assert_eq!(checked("check", text, &select), (vec![], 1));
    assert_eq!(checked("check-all", &text.replace("SecretsUsedInArgOrEnv", "all"), &select), (vec![], 1));
    assert_eq!(checked("check-other", &text.replace("SecretsUsedInArgOrEnv", "StageNameCasing"), &select).1, 0);
}

#[test]
fn a_silenced_finding_is_not_fixed_and_an_unused_allow_goes() {
    let text = "FROM alpine:3.22\nUSER 1\n# ironhull: allow(add-local-file) because x\nADD a /a\n\
                # ironhull: allow(add-local-file, sudo) because y\nADD b /b\n\
                # ironhull: allow(sudo) because z\nCMD [\"x\"]\n";
    let root = tree("fix", text);
    let json = run(&root, &["fix", "--format", "json", "--select", "add-local-file,unused-allow"]);
    assert_eq!(json["left_out"]["comment"], 2);
    let expected = "FROM alpine:3.22\nUSER 1\n# ironhull: allow(add-local-file) because x\nADD a /a\n\
                    # ironhull: allow(add-local-file) because y\nADD b /b\nCMD [\"x\"]\n";
    assert_eq!(fs::read_to_string(root.join("Dockerfile")).unwrap(), expected);
}

#[test]
fn without_the_files_around_nobody_knows_what_an_allow_is_for() {
    let text = "FROM alpine:3.22\nUSER 1\n# ironhull: allow(add-local-file) because x\nCOPY a /a\n";
    let root = tree("text", text);
    let mut command = Command::new(env!("CARGO_BIN_EXE_ironhull"));
    let input = fs::File::open(root.join("Dockerfile")).unwrap();
    let output = command.args(["fix", "-"]).current_dir(&root).stdin(input).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), text);
    assert_eq!(checked("text", text, &ROOT).0, ["unused-allow:3"]);
}

#[test]
fn a_comment_that_keeps_another_from_being_a_directive_stays() {
    let text = "# ironhull: allow(sudo) because z\n# escape=`\nFROM alpine:3.22\nUSER 1\n";
    let root = tree("guard", text);
    run(&root, &["fix", "--format", "json", "--select", "unused-allow"]);
    assert_eq!(fs::read_to_string(root.join("Dockerfile")).unwrap(), text);
}

#[test]
fn a_long_block_of_comments_is_read_in_linear_time() {
    let line = "# ironhull: allow(add-local-file, sudo, root-user) because x\n# hadolint ignore=DL3020,DL3002\n";
    let text = format!("FROM alpine:3.22\nUSER 1\n{}ADD a /a\n", line.repeat(40_000));
    let start = std::time::Instant::now();
    assert_eq!(checked("long", &text, &["--select", "add-local-file"]), (vec![], 1));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
