//! Real editors, set up as `docs/editors.md` says. Where an editor is not installed, its test says so and does nothing;
//! `.ci/run` installs them.

#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "the test runs editors and makes the files they open"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const TEXT: &str =
    "FROM alpine:3.22\nLABEL a=1\nRUN echo ü𝓤\nADD run.sh /srv/ü𝓤/\nADD \\\n  conf /etc/\nCMD [\"sleep\", \"9\"]\n";

/// The settings in the chapter `heading` of the page: its first block in `language`.
fn settings(heading: &str, language: &str) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/editors.md")).unwrap();
    let (_, chapter) = page.split_once(&format!("\n## {heading}\n")).expect("the page has that chapter");
    let (_, block) = chapter.split_once(&format!("\n```{language}\n")).expect("the chapter has settings");
    block.split_once("\n```").expect("the block ends").0.to_owned()
}

/// An empty directory of its own for the test of an editor.
fn directory(editor: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("editors").join(editor);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join(".git")).unwrap();
    root
}

/// The search path with the program that is tested in front.
fn search_path() -> std::ffi::OsString {
    let own = Path::new(env!("CARGO_BIN_EXE_ironhull")).parent().unwrap().to_owned();
    let others = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(own).chain(env::split_paths(&others))).unwrap()
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

#[test]
fn neovim_shows_and_repairs() {
    if !is_installed("nvim") {
        eprintln!("skipped: Neovim is not installed");
        return;
    }
    let root = directory("neovim");
    fs::write(root.join("init.lua"), settings("Neovim", "lua")).unwrap();
    let dos = TEXT.replace('\n', "\r\n");
    let cut = TEXT.trim_end();
    for (name, text) in [("unix", TEXT), ("dos", &dos), ("cut", cut)] {
        fs::create_dir(root.join(name)).unwrap();
        fs::write(root.join(name).join("Dockerfile"), text).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/editors/neovim.lua");
    let output = Command::new("timeout")
        .args(["120", "nvim", "--headless", "-n", "-i", "NONE", "-u", "init.lua", "-c"])
        .arg(format!("luafile {}", script.display()))
        .current_dir(&root)
        .env("PATH", search_path())
        .env("HOME", &root)
        .env("XDG_STATE_HOME", &root)
        .env("XDG_CACHE_HOME", &root)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "Neovim ended with {}:\n{said}", output.status);
    let on_disk = |name: &str| fs::read_to_string(root.join(name).join("Dockerfile")).unwrap();
    assert_eq!(on_disk("unix"), TEXT.replace("ADD", "COPY"));
    assert_eq!(on_disk("dos"), dos.replace("ADD", "COPY"));
    // Neovim itself ends the last line when it writes; nothing else may differ.
    assert_eq!(on_disk("cut").trim_end(), cut.replace("ADD", "COPY"));
}
