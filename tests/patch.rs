//! Patches, judged by git: what `fix --diff` prints is what `git apply` makes of the file, byte for byte.

#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test runs the program and git, and makes the files they read"
)]

use ironhull::{emit, report::Change};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Texts before and after a change, by what is odd about them.
const CASES: [(&str, &[u8], &[u8]); 18] = [
    ("LF", b"FROM a\nADD b c\nCMD d\n", b"FROM a\nCOPY b c\nCMD d\n"),
    ("CRLF", b"FROM a\r\nADD b c\r\nCMD d\r\n", b"FROM a\r\nCOPY b c\r\nCMD d\r\n"),
    ("mixed endings", b"FROM a\r\nADD b c\nCMD d\r\n", b"FROM a\r\nCOPY b c\nCMD d\r\n"),
    ("no last ending, last line", b"FROM a\nADD b c", b"FROM a\nCOPY b c"),
    ("no last ending, line before", b"FROM a\nADD b c\nCMD d", b"FROM a\nCOPY b c\nCMD d"),
    ("no last ending, far away", b"ADD b c\n#\n#\n#\n#\n#\nCMD d", b"COPY b c\n#\n#\n#\n#\n#\nCMD d"),
    ("no last ending, lines more", b"FROM a\nCMD d", b"FROM a\nCMD d\nUSER 1"),
    ("a last ending more", b"FROM a\nCMD d", b"FROM a\nCMD d\n"),
    ("a last ending less", b"FROM a\nCMD d\n", b"FROM a\nCMD d"),
    ("CRLF, no last ending", b"FROM a\r\nADD b c", b"FROM a\r\nCOPY b c"),
    ("bare CR in a line", b"FROM a\nADD b\rc d\nCMD e\n", b"FROM a\nCOPY b\rc d\nCMD e\n"),
    ("bare CR ends the file", b"FROM a\nADD b c\nCMD d\r", b"FROM a\nCOPY b c\nCMD d\r"),
    ("form feed", b"FROM a\n\x0cADD b c\nCMD\x0cd\n", b"FROM a\n\x0cCOPY b c\nCMD\x0cd\n"),
    ("U+2028", b"FROM a\nADD b\xe2\x80\xa8 c\nCMD d\n", b"FROM a\nCOPY b\xe2\x80\xa8 c\nCMD d\n"),
    ("Latin-1", b"LABEL m=caf\xe9\nADD b c\n", b"LABEL m=caf\xe9\nCOPY b c\n"),
    ("byte order mark", b"\xef\xbb\xbfADD b c\n", b"\xef\xbb\xbfCOPY b c\n"),
    ("empty before", b"", b"FROM a\n"),
    ("empty behind", b"FROM a\n", b""),
];

/// A repository of its own for a test.
struct Repository(PathBuf);

impl Repository {
    fn new(test: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("patch").join(test);
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let repository = Self(root);
        assert!(repository.git(&["init", "-q", "."], b"").status.success());
        repository
    }

    fn write(&self, name: &str, text: &[u8]) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    fn git(&self, arguments: &[&str], input: &[u8]) -> Output {
        // No setting of the machine may mend what the patch has wrong.
        let mut command = Command::new("git");
        command.args(["-c", "core.autocrlf=false", "-c", "apply.whitespace=nowarn"]).args(arguments);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let mut child = command
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("these tests need git");
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    fn apply(&self, patch: &[u8], what: &str) {
        let applied = self.git(&["apply", "-"], patch);
        let said = String::from_utf8_lossy(&applied.stderr);
        assert!(applied.status.success(), "{what}: {said}\n{}", String::from_utf8_lossy(patch));
    }

    /// The patch of `fix --diff`, run in `directory` on `paths`.
    fn fix(&self, directory: &str, paths: &[&str]) -> Vec<u8> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ironhull"));
        command.args(["fix", "--select", "add-local-file", "--diff"]).args(paths);
        let output = command.current_dir(self.0.join(directory)).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        output.stdout
    }
}

#[test]
fn git_applies_a_patch_whatever_the_bytes_are() {
    let repository = Repository::new("bytes");
    for (what, before, after) in CASES {
        repository.write("Dockerfile", before);
        let change = Change { path: "Dockerfile".to_owned(), before: before.to_vec(), after: after.to_vec() };
        let mut patch = Vec::new();
        emit::patch(&[change], &mut patch).unwrap();
        repository.apply(&patch, what);
        assert_eq!(repository.read("Dockerfile"), after, "{what}");
    }
}

#[test]
fn what_fix_prints_is_what_fix_writes() {
    let repository = Repository::new("written");
    let texts: [&[u8]; 5] = [
        b"FROM debian:12\nADD a /b\n",
        b"\xef\xbb\xbfFROM debian:12\r\nADD a /b\r\nUSER 1\r\n",
        b"FROM debian:12\nLABEL m=\"caf\xe9\"\nADD x /y",
        b"FROM debian:12\nADD \xc3\xa4 /\xe2\x80\xa8\nRUN \\\n  a\x0c\n",
        b"FROM debian:12\nadd a /b # \r c\n",
    ];
    for text in texts {
        repository.write("Dockerfile", text);
        let patch = repository.fix(".", &["Dockerfile"]);
        assert_eq!(repository.read("Dockerfile"), text, "a patch is printed, and nothing is written");
        repository.apply(&patch, "fix --diff");
        let patched = repository.read("Dockerfile");
        repository.write("Dockerfile", text);
        let mut fix = Command::new(env!("CARGO_BIN_EXE_ironhull"));
        fix.args(["fix", "--select", "add-local-file", "Dockerfile"]).current_dir(&repository.0).output().unwrap();
        assert_eq!(repository.read("Dockerfile"), patched);
        assert_ne!(patched, text);
    }
}

#[test]
fn names_of_files_come_through_as_they_are() {
    let repository = Repository::new("names");
    let names = [
        "deep/er/Dockerfile",
        "with blank/Dockerfile",
        "with \"quote\"/Dockerfile",
        "with\ttab/Dockerfile",
        "back\\slash/Dockerfile",
        "umläut/Dockerfile",
        "Dockerfile.日本",
        "-dash/Dockerfile",
        "a b.dockerfile",
    ];
    for name in names {
        repository.write(name, b"FROM debian:12\nADD a /b\n");
    }
    let patch = repository.fix(".", &[]);
    repository.apply(&patch, "all names");
    for name in names {
        assert_eq!(repository.read(name), b"FROM debian:12\nCOPY a /b\n", "{name}");
    }
}

#[test]
fn paths_are_those_of_the_directory_that_fix_runs_in() {
    let repository = Repository::new("directory");
    repository.write("app/web/Dockerfile", b"FROM debian:12\nADD a /b\n");
    let patch = repository.fix("app", &["./web/../web"]);
    let applied = repository.git(&["apply", "--directory=app", "-"], &patch);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&patch));
    assert_eq!(repository.read("app/web/Dockerfile"), b"FROM debian:12\nCOPY a /b\n");
}
