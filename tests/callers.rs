//! What compose files and manifests around a Dockerfile say counts where the Dockerfile is judged.

#![allow(clippy::disallowed_methods, reason = "the support code reads the shared data")]

mod support;

use ironhull::{
    rule::{Builtin, Finding, Safety, Severity},
    rules::RULES,
};
use support::{findings_of, repaired};

const DOCKERFILE: &str = "-- Dockerfile --\nFROM debian:13\nCOPY app /usr/bin/app\nCMD [\"app\"]\n-- app --\n#!/bin/sh\nexec sleep infinity\n";

fn rule() -> &'static Builtin {
    RULES.iter().copied().find(|rule| rule.meta.id == "root-user").expect("the rule exists")
}

fn finding(compose: &str) -> Finding {
    let text = format!("{DOCKERFILE}-- compose.yaml --\n{compose}");
    let mut found = findings_of(rule(), text.as_bytes());
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn a_volume_is_written_and_belongs_to_the_new_user() {
    let text = format!(
        "{DOCKERFILE}-- compose.yaml --\nservices:\n  app:\n    build: .\n    volumes:\n      - state:/srv/state\n      - ./conf:/etc/app:ro\n    tmpfs: [/srv/scratch]\nvolumes:\n  state:\n"
    );
    let fixed = String::from_utf8(repaired(&[rule()], text.as_bytes(), Safety::Risky)).expect("the text is UTF-8");
    assert!(fixed.contains("/srv/state"), "{fixed}");
    let dockerfile = fixed.split("-- app --").next().expect("the Dockerfile is first");
    assert!(dockerfile.contains("/srv/state") && !dockerfile.contains("scratch"), "{dockerfile}");
    assert!(fixed.contains("compose.yaml"));
}

#[test]
fn a_user_in_the_compose_file_is_said_and_makes_it_less() {
    let quiet = finding("services:\n  app:\n    build: .\n    user: '1000'\n");
    assert!(quiet.message.ends_with("; `compose.yaml` starts it as `1000` (line 4)"), "{}", quiet.message);
    assert_eq!(quiet.severity, Severity::Medium);
    let loud = finding("services:\n  app:\n    build: .\n    user: '1000'\n  job:\n    build: .\n");
    assert_eq!(loud.severity, Severity::High);
    let root = finding("services:\n  app:\n    build: .\n    user: root\n");
    assert!(!root.message.contains("compose.yaml"), "{}", root.message);
    let default = finding("services:\n  app:\n    build: .\n    user: '${USER_ID:-1000}'\n");
    assert_eq!(default.severity, Severity::High);
}

#[test]
fn what_a_script_starts_with_what_only_root_can_use_stays_roots() {
    let with = |makefile: &str| {
        let text =
            format!("{DOCKERFILE}-- Makefile --\nNAME = scanner\nbuild:\n\tdocker build -t $(NAME) .\n{makefile}");
        let mut found = findings_of(rule(), text.as_bytes());
        found.remove(0)
    };
    let declined = |makefile: &str| with(makefile).declined.map(std::borrow::Cow::into_owned);
    let why = declined("run:\n\tdocker run --rm --privileged $(NAME)\n").expect("it says why");
    assert_eq!(why, "Makefile:5 makes it privileged, which is of use to nobody but root");
    let why = declined("run:\n\tdocker run --cap-add NET_ADMIN scanner:latest\n").expect("it says why");
    assert!(why.contains("gives it `NET_ADMIN`"), "{why}");
    for fine in [
        "run:\n\tdocker run --rm $(NAME)\n",
        "run:\n\tdocker run --privileged -u 7 $(NAME)\n",
        "run:\n\tdocker run --privileged other\n",
    ] {
        assert!(!with(fine).fixes.is_empty(), "{fine}");
    }
}
