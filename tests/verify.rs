//! `verify` with engines that are stand-ins: scripts that write down what they are told and play every state that a
//! real engine can be in. What real engines do is tried in `tests/e2e`.

#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test runs the program and makes the engines that it finds"
)]

use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Writes down its words, plays what the test says, and is otherwise an engine whose containers end well at once.
const ENGINE: &str = r#"#!/bin/sh
printf '%s\n' "${0##*/} $*" >> "$STAGE/told"
. "$STAGE/play"
case "$*" in
    *'image inspect '*) echo '[{"Size": 5000000, "Config": {"Cmd": ["run"]}}]' ;;
    *'container inspect --format {{json .State}}'*) echo '{"Running": false, "ExitCode": 0, "Pid": 0}' ;;
    *'container inspect --format {{.Config.Hostname}}'*) echo host ;;
    *'export '*) /usr/bin/head -c 1024 /dev/zero ;;
    *'logs '*) echo done ;;
esac
"#;

/// A directory with engines and two Dockerfiles.
struct Stage(PathBuf);

impl Stage {
    fn new(test: &str, engines: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verify").join(test);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::create_dir_all(root.join("tmp")).unwrap();
        symlink("/bin/sh", root.join("bin/sh")).unwrap();
        for engine in engines {
            let path = root.join("bin").join(engine);
            fs::write(&path, ENGINE).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(root.join("before"), "FROM scratch\nENV MINE=1\nCMD [\"run\"]\n").unwrap();
        fs::write(root.join("after"), "FROM scratch\nUSER 1000\nCMD [\"run\"]\n").unwrap();
        fs::write(root.join("play"), "").unwrap();
        Self(root)
    }

    /// Shell text with cases of its own: it may print and `exit`.
    fn play(self, text: &str) -> Self {
        fs::write(self.0.join("play"), text).unwrap();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ironhull"));
        command.args(["verify", "before", "after"]).args(arguments).current_dir(&self.0).stdin(Stdio::null());
        command.env_clear().env("PATH", self.0.join("bin")).env("STAGE", &self.0).env("TMPDIR", self.0.join("tmp"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let run: Run = self.command(arguments).output().unwrap().into();
        self.assert_clean();
        run
    }

    /// What engines were told, a line for each command.
    fn told(&self) -> Vec<String> {
        let told = fs::read_to_string(self.0.join("told")).unwrap_or_default();
        told.lines().map(str::to_owned).collect()
    }

    fn was_told(&self, words: &str) -> bool {
        self.told().iter().any(|line| line.contains(words))
    }

    /// Whatever was made under a name of the run was removed under the same name.
    fn assert_clean(&self) {
        let told = self.told();
        let words = |line: &String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let is_removed =
            |kind: &str, name: &String| told.iter().any(|line| line.contains(kind) && words(line).last() == Some(name));
        for line in &told {
            let words = words(line);
            let behind = |flag: &str| words.iter().position(|word| word == flag).map(|at| words[at + 1].clone());
            if let Some(image) = behind("--tag") {
                assert!(is_removed("image rm", &image) || is_removed("rmi", &image), "{image} is left in {told:#?}");
            }
            if let Some(container) = behind("--name") {
                assert!(is_removed("rm --force --volumes", &container), "{container} is left in {told:#?}");
            }
        }
        let files: Vec<_> = fs::read_dir(self.0.join("tmp")).unwrap().collect();
        assert!(files.is_empty(), "{files:?}");
    }
}

#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Run {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }
}

/// Plays `text` when AFTER is built.
fn when_after_is_built(text: &str) -> String {
    format!("case \"$*\" in *':after-'*) case \"$*\" in *build*--tag*|*bud*--tag*) {text} ;; esac ;; esac\n")
}

/// Plays `text` when anything is built.
fn when_built(text: &str) -> String {
    format!("case \"$*\" in *build*--tag*|*bud*--tag*) {text} ;; esac\n")
}

fn assert_refused(run: &Run, told: &[&str]) {
    assert_eq!(run.code, Some(2), "{run:#?}");
    assert!(run.out.is_empty(), "{run:#?}");
    for told in told {
        assert!(run.err.contains(told), "`{told}` in {run:#?}");
    }
    assert!(run.err.contains("\nnext: "), "{run:#?}");
}

#[test]
fn without_an_engine_nothing_can_be_proved() {
    assert_refused(&Stage::new("none", &[]).run(&[]), &["no build engine is installed", "apt-get install podman"]);
    let run = Stage::new("other", &["docker"]).run(&["--engine", "buildah"]);
    assert_refused(&run, &["`buildah` is not installed", "--engine"]);
}

#[test]
fn an_engine_that_does_not_answer_is_passed_over_for_one_that_does() {
    let silent = "case \"${0##*/} $*\" in docker*) echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1 ;; esac\n";
    let run = Stage::new("silent", &["docker"]).play(silent).run(&[]);
    assert_refused(&run, &["docker is installed and does not answer", "Cannot connect", "systemctl start docker"]);
    let stage = Stage::new("second", &["docker", "podman"]).play(silent);
    let run = stage.run(&[]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(stage.was_told("podman build --force-rm"));
    assert_refused(&stage.run(&["--engine", "docker"]), &["docker is installed and does not answer"]);
}

#[test]
fn an_engine_that_is_not_permitted_is_told_from_one_that_is_silent() {
    let said = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock";
    let stage = Stage::new("permission", &["docker"]).play(&format!("echo '{said}' >&2; exit 1\n"));
    assert_refused(&stage.run(&[]), &["you may not use docker here", said, "usermod -aG docker"]);
}

#[test]
fn what_the_machine_lacks_is_said_with_the_next_command() {
    let cases = [
        (
            "Error: creating build container: initializing source docker://example.org/base:1: pinging",
            &["starts from `example.org/base:1`, which is not here", "podman pull example.org/base:1"][..],
        ),
        ("Error: docker.io/library/x:1: image not known", &["is not here and cannot be fetched", "podman pull"]),
        ("W: Temporary failure resolving 'deb.debian.org'", &["needs a network", "--network=host"]),
        ("write /var/x: no space left on device", &["no room left for podman", "podman system df"]),
    ];
    for (at, (said, told)) in cases.into_iter().enumerate() {
        let stage = Stage::new(&format!("lacks-{at}"), &["podman"]);
        let stage = stage.play(&when_built(&format!("echo \"{said}\" >&2; exit 125")));
        let run = stage.run(&[]);
        assert_refused(&run, told);
        assert!(run.err.contains(said), "the engine's own words in {run:#?}");
    }
}

#[test]
fn a_before_that_does_not_build_proves_nothing_and_an_after_is_wrong() {
    let before = Stage::new("before", &["podman"]).play(&when_built("echo 'make: not found' >&2; exit 2"));
    assert_refused(&before.run(&[]), &["BEFORE does not build", "make: not found"]);
    let after = Stage::new("after", &["podman"]).play(&when_after_is_built("echo 'make: not found' >&2; exit 2"));
    let run = after.run(&["--format", "json"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert_eq!(run.json()["differences"][0]["subject"], "build");
    assert!(run.json()["differences"][0]["why"].as_str().unwrap().contains("make: not found"));
}

#[test]
fn a_build_that_takes_too_long_is_ended_with_everything_that_it_started() {
    let play = when_built("/bin/sleep 300 & echo $! > \"$STAGE/child\"; wait");
    let stage = Stage::new("long", &["podman"]).play(&play);
    assert_refused(&stage.run(&["--timeout", "1"]), &["building BEFORE took longer than 1 s", "--timeout"]);
    assert_is_gone(&stage);
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    for signal in ["-INT", "-TERM"] {
        let play = when_after_is_built("/bin/sleep 300 & echo $! > \"$STAGE/child\"; wait");
        let stage = Stage::new(&format!("interrupted{signal}"), &["podman"]).play(&play);
        let mut command = stage.command(&["--format", "json"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until(|| fs::read_to_string(stage.0.join("child")).is_ok_and(|text| text.ends_with('\n')));
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let run: Run = child.wait_with_output().unwrap().into();
        assert_eq!(run.code, Some(2), "{run:#?}");
        assert_eq!(run.json()["error"]["name"], "interrupted");
        stage.assert_clean();
        assert_is_gone(&stage);
    }
}

/// Waits for what must come, and not for ever.
fn wait_until(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < end, "it never came");
        thread::sleep(Duration::from_millis(20));
    }
}

fn assert_is_gone(stage: &Stage) {
    let child = fs::read_to_string(stage.0.join("child")).unwrap();
    let status = format!("/proc/{}/stat", child.trim());
    // A process that nobody has asked about yet is dead all the same.
    wait_until(|| fs::read_to_string(&status).map_or(true, |text| text.contains(") Z ")));
}

#[test]
fn a_container_that_cannot_be_made_or_started_is_said() {
    let play = "case \"$*\" in 'start '*) echo 'exec: \"run\": not found' >&2; exit 127 ;; esac\n";
    let run = Stage::new("unstartable", &["podman"]).play(play).run(&[]);
    assert_refused(&run, &["BEFORE does not start", "exec: \"run\": not found", "--run-option"]);
    let play = "case \"$*\" in 'create '*after*) echo 'no such user' >&2; exit 126 ;; esac\n";
    let run = Stage::new("unmakable", &["podman"]).play(play).run(&["--format", "json"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert_eq!(run.json()["differences"].as_array().unwrap().last().unwrap()["why"], "no such user");
}

#[test]
fn a_before_that_never_becomes_ready_proves_nothing() {
    let play = "case \"$*\" in\n\
        *'image inspect '*) echo '[{\"Config\": {\"ExposedPorts\": {\"8080/tcp\": {}}}}]'; exit ;;\n\
        *'{{json .State}}'*) echo '{\"Running\": true, \"Pid\": 1}'; exit ;;\n\
        'port '*) echo 127.0.0.1:1; exit ;;\n\
        'logs '*) echo waiting for the database; exit ;;\n\
        esac\n";
    let run = Stage::new("never", &["podman"]).play(play).run(&["--ready", "1"]);
    assert_refused(&run, &["BEFORE runs and is not ready after 1 s", "waiting for the database", "--port"]);
}

#[test]
fn programs_that_end_alike_hold_and_others_do_not() {
    let stage = Stage::new("alike", &["podman"]);
    let run = stage.run(&[]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(run.out.contains("AFTER does what BEFORE did.") && run.out.contains("both end with 0"), "{run:#?}");
    let play = "case \"$*\" in *'{{json .State}}'*after*) echo '{\"Running\": false, \"ExitCode\": 3}'; exit ;; esac\n";
    let run = Stage::new("unlike", &["podman"]).play(play).run(&["--format", "json"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    let json = run.json();
    let broken = json["differences"].as_array().unwrap().iter().find(|it| it["standing"] == "broken").unwrap().clone();
    assert_eq!((&broken["subject"], &broken["after"]), (&"exit-code".into(), &"3".into()));
}

#[test]
fn what_the_author_set_must_stay_unless_it_is_allowed_to_go() {
    let play = "case \"$*\" in *'image inspect '*before*)\n\
        echo '[{\"Config\": {\"Cmd\": [\"run\"], \"Env\": [\"MINE=1\", \"BASE=2\"]}}]'; exit ;; esac\n";
    let stage = Stage::new("env", &["podman"]).play(play);
    let run = stage.run(&["--format", "json"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    let json = run.json();
    let standing = |name: &str| {
        let all = json["differences"].as_array().unwrap();
        all.iter().find(|it| it["before"] == name).map(|it| it["standing"].clone()).unwrap()
    };
    assert_eq!((standing("MINE=1"), standing("BASE=2")), ("broken".into(), "allowed".into()));
    for allowance in [["--allow-removed-env", "MINE"], ["--allow", "env:MINE"], ["--allow", "env"]] {
        assert_eq!(stage.run(&allowance).code, Some(0), "{allowance:?}");
    }
    assert_refused_usage(&stage.run(&["--allow", "weather"]), "health-check");
}

fn assert_refused_usage(run: &Run, told: &str) {
    assert_eq!(run.code, Some(2), "{run:#?}");
    assert!(run.err.contains(told), "{run:#?}");
}

#[test]
fn words_for_the_engine_stand_where_they_belong() {
    let words = [
        ["--engine-arg", "--runtime=runc"],
        ["--build-option", "--network=host"],
        ["--run-option", "--env=A=1"],
        ["--target", "web"],
        ["--build-arg", "V=2"],
        ["--context", "bin"],
    ];
    let stage = Stage::new("words", &["buildah", "podman"]);
    let run = stage.run(&[["--engine", "buildah"]].iter().chain(&words).flatten().copied().collect::<Vec<_>>());
    assert_eq!(run.code, Some(0), "{run:#?}");
    let told = stage.told();
    let build = told.iter().find(|line| line.contains(" bud ")).unwrap();
    assert!(
        build.starts_with("buildah --runtime=runc bud --force-rm --layers=false --format docker --file "),
        "{build}"
    );
    assert!(build.contains(" --target web --build-arg V=2 --network=host bin"), "{build}");
    let create: Vec<_> = told.iter().filter(|line| line.contains(" create ")).collect();
    assert_eq!(create.len(), 3, "{told:#?}");
    assert!(create.iter().all(|line| line.starts_with("podman --runtime=runc create --name ironhull-verify-")));
    assert!(create.iter().all(|line| line.contains("--network none") && line.contains(" --env=A=1 localhost/")));
    let locked = "--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges";
    let is_locked: Vec<_> = create.iter().map(|line| line.contains(locked)).collect();
    assert_eq!(is_locked, [false, false, true]);
}

#[test]
fn docker_builds_with_buildx_where_it_is() {
    let stage = Stage::new("buildx", &["docker"]);
    assert_eq!(stage.run(&[]).code, Some(0));
    assert!(stage.was_told("docker buildx build --load --progress plain --file "));
    let stage = Stage::new("no-buildx", &["docker"]).play("case \"$*\" in 'buildx version') exit 1 ;; esac\n");
    assert_eq!(stage.run(&[]).code, Some(0));
    assert!(stage.was_told("docker build --force-rm --file "));
}

#[test]
fn buildah_alone_compares_what_can_be_compared_and_says_so() {
    let play =
        "case \"$*\" in 'inspect --type image '*) echo '{\"Docker\": {\"config\": {\"User\": \"7\"}}}'; exit ;; esac\n";
    let stage = Stage::new("buildah", &["buildah"]).play(play);
    let run = stage.run(&["--format", "json"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(run.json()["not_compared"][0].as_str().unwrap().contains("podman"));
    assert_eq!(stage.run(&["--strict"]).code, Some(1), "a strict run wants it proved");
}

/// Answers requests until the test ends: the first word of each with `HTTP/1.1 200`.
fn server(body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut request = [0; 1024];
                // Who only looks whether somebody is there says nothing.
                if stream.read(&mut request).is_ok_and(|count| count > 0) {
                    let page = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = stream.write_all(page.as_bytes());
                }
            });
        }
    });
    port
}

/// Containers run, listen on 8080, and are found on `before` and `after` of this machine.
fn serving(before: u16, after: u16) -> String {
    format!(
        "case \"$*\" in\n\
         *'image inspect '*) echo '[{{\"Config\": {{\"ExposedPorts\": {{\"8080/tcp\": {{}}}}}}}}]'; exit ;;\n\
         *'{{{{json .State}}}}'*) echo '{{\"Running\": true, \"Pid\": 1}}'; exit ;;\n\
         'port '*before*) echo 127.0.0.1:{before}; exit ;;\n\
         'port '*after*) echo 127.0.0.1:{after}; exit ;;\n\
         esac\n"
    )
}

#[test]
fn servers_are_asked_and_their_answers_compared() {
    let (hello, also, bye) = (server("hello at 2026-11-21"), server("hello at 2027-01-01"), server("bye"));
    let stage = Stage::new("same-page", &["podman"]).play(&serving(hello, also));
    let run = stage.run(&["--path", "/health", "--path", "/"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(run.out.contains("GET /health on 8080: 200, text/plain, 19 bytes"), "{run:#?}");
    assert!(run.out.contains("what they do without a network"), "the network was there: {run:#?}");
    assert!(stage.was_told("--publish 127.0.0.1::8080/tcp"));
    let run = Stage::new("other-page", &["podman"]).play(&serving(hello, bye)).run(&[]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.out.contains("GET / on 8080: hello at <date> → bye"), "{run:#?}");
    let run = Stage::new("no-page", &["podman"]).play(&serving(hello, 1)).run(&["--ready", "1"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.out.contains("ready: it serves → it runs and never becomes ready"), "{run:#?}");
}

#[test]
fn the_users_own_check_finds_the_container_and_decides() {
    let (one, other) = (server("hello"), server("hello"));
    let stage = Stage::new("smoke", &["podman"]).play(&serving(one, other));
    let check = "echo \"$IRONHULL_URL $IRONHULL_ENGINE\" >> \"$STAGE/asked\"";
    let run = stage.run(&["--smoke", check]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    let asked = fs::read_to_string(stage.0.join("asked")).unwrap();
    assert!(asked.starts_with(&format!("http://127.0.0.1:{one} podman\nhttp://127.0.0.1:{other} podman\n")), "{asked}");
    let check = format!("echo broken; test \"$IRONHULL_PORT\" = {one}");
    let run = stage.run(&["--smoke", &check]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.out.contains("smoke: it went well → broken"), "{run:#?}");
    assert_refused(&stage.run(&["--smoke", "exit 1"]), &["the smoke command fails with BEFORE already"]);
}

#[test]
fn what_breaks_when_it_is_locked_in_is_told_and_fails_only_a_strict_run() {
    let play = "case \"$*\" in\n\
        *'create '*--read-only*) for last; do :; done; echo locked > \"$STAGE/locked\" ;;\n\
        'logs '*) test ! -e \"$STAGE/locked\" || echo \"open '/data/x': Read-only file system\" >&2; echo done; exit ;;\n\
        'diff '*) printf 'C /data\\nA /data/x\\nC /tmp\\n'; exit ;;\n\
        esac\n";
    let stage = Stage::new("locked", &["podman"]).play(play);
    let run = stage.run(&["--format", "json"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    let json = run.json();
    assert_eq!(json["locked_in"]["writes"], serde_json::json!(["/data/x"]));
    assert!(json["locked_in"]["broke"][0].as_str().unwrap().contains("Read-only file system"), "{json:#}");
    fs::remove_file(stage.0.join("locked")).unwrap();
    assert_eq!(stage.run(&["--strict"]).code, Some(1));
}

/// A program that `harden` gives a user, in a directory of its own.
fn with_program(stage: Stage) -> Stage {
    fs::create_dir(stage.0.join("app")).unwrap();
    fs::create_dir(stage.0.join("app/.git")).unwrap();
    let dockerfile = "FROM python:3.13\nWORKDIR /app\nCOPY app.py .\nEXPOSE 8000\nCMD python app.py\n";
    fs::write(stage.0.join("app/Dockerfile"), dockerfile).unwrap();
    fs::write(stage.0.join("app/app.py"), "print('hello')\n").unwrap();
    stage
}

fn harden(stage: &Stage) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ironhull"));
    command.args(["harden", "app", "--no-config", "--verify=podman", "--format", "json"]).current_dir(&stage.0);
    command.env_clear().env("PATH", stage.0.join("bin")).env("STAGE", &stage.0).env("TMPDIR", stage.0.join("tmp"));
    let run: Run = command.stdin(Stdio::null()).output().unwrap().into();
    stage.assert_clean();
    run
}

#[test]
fn harden_writes_what_building_proves() {
    let stage = with_program(Stage::new("harden", &["podman"]));
    let before = fs::read_to_string(stage.0.join("app/Dockerfile")).unwrap();
    let run = harden(&stage);
    assert_eq!(run.code, Some(0), "{run:#?}");
    let file = run.json()["files"][0].clone();
    assert_eq!((&file["proof"]["holds"], &file["proof"]["engine"]), (&true.into(), &"podman".into()), "{file:#}");
    assert_ne!(fs::read_to_string(stage.0.join("app/Dockerfile")).unwrap(), before);
}

#[test]
fn harden_goes_down_rung_by_rung_and_leaves_what_no_build_proves() {
    let stage = Stage::new("harden-down", &["podman"]).play(&when_after_is_built("echo 'no such thing' >&2; exit 1"));
    let stage = with_program(stage);
    let before = fs::read_to_string(stage.0.join("app/Dockerfile")).unwrap();
    let run = harden(&stage);
    assert_eq!(run.code, Some(0), "{run:#?}");
    let file = run.json()["files"][0].clone();
    assert_eq!((&file["proof"], &file["rung_after"]), (&Value::Null, &file["rung_before"]), "{file:#}");
    assert!(file["declined"][0]["reason"].as_str().unwrap().contains("no such thing"), "{file:#}");
    assert_eq!(fs::read_to_string(stage.0.join("app/Dockerfile")).unwrap(), before);
}

#[test]
fn callers_of_a_build_that_is_not_proved_stay_as_they_are() {
    let dockerfile = "# syntax=docker/dockerfile:1\nFROM debian:13\nARG NPM_TOKEN\nRUN curl -fsS -H \"Auth: ${NPM_TOKEN}\" https://example.com/x -o /srv/x\nCMD [\"sleep\", \"1\"]\n";
    let compose = "services:\n  web:\n    build:\n      context: .\n      args:\n        - NPM_TOKEN\n";
    let written = |stage: &Stage| {
        let text = |name: &str| fs::read_to_string(stage.0.join("app").join(name)).unwrap();
        (text("Dockerfile"), text("compose.yaml"))
    };
    let staged = |name: &str, play: &str| {
        let stage = with_program(Stage::new(name, &["podman"]).play(play));
        fs::write(stage.0.join("app/Dockerfile"), dockerfile).unwrap();
        fs::write(stage.0.join("app/compose.yaml"), compose).unwrap();
        stage
    };
    let stage = staged("harden-secret", &when_after_is_built("echo 'secret npm_token: not found' >&2; exit 1"));
    let file = harden(&stage).json()["files"][0].clone();
    assert_eq!(written(&stage), (dockerfile.to_owned(), compose.to_owned()));
    assert_eq!((&file["manual"], &file["edits"]), (&serde_json::json!([]), &serde_json::json!([])), "{file:#}");
    let reason = file["declined"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("`--build-option=--secret=id=ID,env=NAME`"), "{reason}");
    let stage = staged("harden-secret-proved", "");
    let file = harden(&stage).json()["files"][0].clone();
    assert_eq!(file["proof"]["holds"], true, "{file:#}");
    let (dockerfile, compose) = written(&stage);
    assert!(dockerfile.contains("id=npm_token") && compose.contains("environment: NPM_TOKEN"), "{dockerfile}{compose}");
}

#[test]
fn harden_writes_nothing_where_nothing_can_be_proved() {
    let stage = Stage::new("harden-unproved", &["podman"]).play(&when_built("echo 'no such thing' >&2; exit 1"));
    let stage = with_program(stage);
    let before = fs::read_to_string(stage.0.join("app/Dockerfile")).unwrap();
    assert_refused(&harden(&stage), &["app/Dockerfile: BEFORE does not build", "no such thing"]);
    assert_eq!(fs::read_to_string(stage.0.join("app/Dockerfile")).unwrap(), before);
}

#[test]
fn a_dockerfile_that_cannot_be_read_is_named() {
    let stage = Stage::new("unread", &["podman"]);
    fs::remove_file(stage.0.join("after")).unwrap();
    assert_refused_usage(&stage.run(&[]), "reading after: there is no such file");
}
