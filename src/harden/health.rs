//! Health checks that ask an address: what they ask, and how an interpreter asks the same without another program.
//!
//! Facts: curl(1) (`-f` fails from status 400 on, redirections are not followed without `-L`), wget(1) (status 8 for
//! error answers, redirections are followed), Dockerfile reference, `HEALTHCHECK` (0 is healthy, 1 is not).

use super::Subject;
use crate::{
    model::{Step, StepCommand},
    syntax::dockerfile::Keyword,
};
use std::borrow::Cow;

/// A health check that asks one address and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What it asks.
    pub url: String,
    /// Whether redirections are followed.
    pub follows: bool,
}

/// What the health check of an image is made of.
#[derive(Clone, Debug)]
pub enum Health<'a> {
    /// There is none, or it is turned off.
    None,
    /// It asks an address by a program for that.
    Probe(Step<'a>, Probe),
    /// It runs something else.
    Other(Step<'a>),
}

/// The health check that the author's stages end with.
pub fn health<'a>(subject: &Subject<'a>) -> Health<'a> {
    let mut steps = subject.steps();
    steps.retain(|step| step.keyword() == Keyword::Healthcheck);
    let Some(step) = steps.pop() else { return Health::None };
    let commands: Vec<StepCommand<'a>> = step.commands().collect();
    if commands.is_empty() {
        return Health::None;
    }
    match probe(&commands) {
        Some(probe) => Health::Probe(step, probe),
        None => Health::Other(step),
    }
}

/// `curl -f URL || exit 1`, `wget -q --spider URL`.
fn probe(commands: &[StepCommand<'_>]) -> Option<Probe> {
    let (first, rest) = commands.split_first()?;
    let is_exit = |command: &StepCommand<'_>| matches!(command.name(), Some("exit" | "false"));
    if !rest.iter().all(is_exit) || rest.len() > 1 {
        return None;
    }
    let name = first.invocation()?.name()?;
    let mut urls = Vec::new();
    let (mut fails, mut follows) = (name == "wget", name == "wget");
    let words: Vec<String> =
        first.command.arguments().map(|word| first.value(word).map(Cow::into_owned)).collect::<Option<_>>()?;
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        match (name, word) {
            ("curl", "--fail" | "--fail-with-body") => fails = true,
            ("curl", "--location") => follows = true,
            ("curl", "-o" | "--output" | "-m" | "--max-time" | "--connect-timeout" | "--retry")
            | ("wget", "-O" | "-qO" | "--output-document" | "-t" | "--tries" | "-T" | "--timeout") => {
                words.next()?;
            }
            ("curl", flags) if flags.starts_with('-') && !flags.starts_with("--") => {
                if !flags[1..].bytes().all(|flag| b"fsSL4".contains(&flag)) {
                    return None;
                }
                fails |= flags.contains('f');
                follows |= flags.contains('L');
            }
            ("curl" | "wget", flag) if is_without_meaning(flag) => {}
            ("curl" | "wget", url) if !url.starts_with('-') => urls.push(url.to_owned()),
            _ => return None,
        }
    }
    let is_plain = |url: &str| url.bytes().all(|byte| byte.is_ascii_graphic() && !b"'\"\\$`{}[]".contains(&byte));
    let [url] = urls.as_slice() else { return None };
    if !fails || !is_plain(url) || url.starts_with("https://") {
        return None;
    }
    let url = if url.contains("://") { url.clone() } else { format!("http://{url}") };
    url.starts_with("http://").then_some(Probe { url, follows })
}

/// Options that change neither what is asked nor when it fails.
fn is_without_meaning(flag: &str) -> bool {
    let plain = [
        "--silent",
        "--show-error",
        "--no-progress-meter",
        "--ipv4",
        "--quiet",
        "--spider",
        "--no-verbose",
        "-q",
        "-nv",
        "-qO-",
        "-O-",
    ];
    let valued = ["--tries=", "--timeout=", "--output-document=", "--max-time="];
    plain.contains(&flag) || valued.iter().any(|start| flag.starts_with(start))
}

impl Probe {
    /// The same question asked by Node.js 18 or newer (`fetch`); `node` is the interpreter's path.
    pub fn by_node(&self, node: &str) -> Vec<String> {
        let mode = if self.follows { "follow" } else { "manual" };
        let text = format!(
            "fetch('{}',{{redirect:'{mode}'}}).then(r=>process.exit(r.status<400?0:1),()=>process.exit(1))",
            self.url
        );
        vec![node.to_owned(), "-e".to_owned(), text]
    }

    /// The same question asked by Python 3; `python` is the interpreter's path. Redirections are followed.
    pub fn by_python(&self, python: &str) -> Vec<String> {
        // A status from 400 on is an exception, and an exception ends with status 1.
        let text = format!("import urllib.request as r; r.urlopen('{}')", self.url);
        vec![python.to_owned(), "-c".to_owned(), text]
    }
}
