//! Bun: one program, which its official image has on a base without a shell.
//!
//! Facts: the Dockerfiles of the official images (`oven/bun:distroless` starts `/usr/local/bin/bun`; `slim` has Bun and
//! its user on Debian's slim variant).

use super::{
    common::{change, climbing, needs_more},
    whole::Whole,
};
use crate::{
    harden::{
        Proposal, Runtime, Subject,
        effect::{Effect, Kind},
        health::{self, Health},
    },
    knowledge::Code,
    model::{PackageJson, Process, StartWord},
};
use serde_json::Value;

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    let words = subject.startup().process.as_ref().and_then(Process::known_words)?;
    if image.reference.name() != "docker.io/oven/bun" || !matches!(words.first(), Some(&"bun")) {
        return None;
    }
    let facts = image.facts.as_deref()?;
    let slim = facts.slim.known().map(String::as_str);
    let shell_less = facts.shell_less.known().map(String::as_str);
    let climb = || {
        let slim = slim.ok_or_else(|| format!("no smaller variant of `{}` is known", image.reference.text()))?;
        let slim = on_slim(subject, slim)?;
        let shell_less =
            shell_less.ok_or_else(|| format!("no variant of `{}` without a shell is known", image.reference.text()));
        Ok(climbing(shell_less.and_then(|base| without_shell(subject, base, &words, &slim)), slim))
    };
    Some(Proposal::of("Bun", climb().map_err(|reason: String| reason.into())))
}

/// The image on the slim variant of the same version.
fn on_slim(subject: &Subject<'_>, base: &str) -> Result<Runtime, String> {
    let base = subject.named(base).ok_or("a variable decides which Bun the base has")?;
    let whole = Whole::new(subject, None);
    if whole.home.is_none() {
        return Err("the working directory is not known, or it is the root of the file system".to_owned());
    }
    let installed = |effect: &Effect<'_>| match &effect.kind {
        // Packages lie beside the program.
        Kind::LanguagePackages { program: "bun", .. } if !is_global(effect) => Ok(Vec::new()),
        Kind::LanguagePackages { program, .. } => Err(format!("where `{program}` installs is not known")),
        _ => Ok(Vec::new()),
    };
    let mut runtime = whole.on(base, installed)?;
    let reason = "it has the same Bun, without what only a build needs";
    let evidence = subject.evidence(subject.target.root().base_span(), "the base that builds");
    runtime.changes.insert(0, change("Run on the slim variant of the same release", reason, evidence));
    Ok(runtime)
}

/// The image without a shell, given the one on the slim variant.
fn without_shell(subject: &Subject<'_>, base: &str, words: &[&str], slim: &Runtime) -> Result<Runtime, String> {
    if let [package, ..] = slim.packages.as_slice() {
        return Err(format!("it needs the package `{package}`, and a base without a shell takes no packages"));
    }
    if let Some(line) = slim.setup.first().or(slim.finish.first()) {
        return Err(format!("it needs `{line}`, and a base without a shell runs no commands"));
    }
    let startup = subject.startup();
    if let Some(need) = startup.shell.first() {
        let place = &need.evidence;
        return Err(format!("the start needs a shell: {}:{} {}", place.path, place.line, place.shows));
    }
    if let Some(before) = startup.before.first() {
        return Err(format!("the start runs `{}` first", before.words.first().map_or("", StartWord::written)));
    }
    subject.starts_nothing_else()?;
    if let Some(native) = native(subject)? {
        return Err(format!("`{native}` may load libraries that the base has not"));
    }
    match health::health(subject) {
        Health::None => {}
        Health::Probe(step, _) | Health::Other(step) => return Err(needs_more(step)),
    }
    let mut runtime = slim.clone();
    runtime.base = subject.named(base).ok_or("a variable decides which Bun the base has")?;
    let arguments = words[1..].iter().map(|word| (*word).to_owned()).collect();
    runtime.start = Some(subject.started_with("/usr/local/bin/bun", arguments));
    runtime.changes.push(change(
        "Run on Bun's image without a shell",
        "its entry point is the program, and nothing that is started needs a shell",
        subject.evidence(subject.target.root().base_span(), "the Bun that builds"),
    ));
    Ok(runtime)
}

/// The first package that may hold compiled code.
fn native(subject: &Subject<'_>) -> Result<Option<String>, String> {
    let Some(manifest) = subject.file("package.json").and_then(|found| PackageJson::read(&found)) else {
        return Err("`package.json` is not seen, and packages may load libraries that the base has not".to_owned());
    };
    let packages = manifest.value().get("dependencies").and_then(Value::as_object);
    let is_native = |name: &&String| {
        let package = subject.cx.knowledge.node_package(name);
        package.known().is_some_and(|package| matches!(package.code, Code::Built | Code::Compiled))
    };
    Ok(packages.and_then(|packages| packages.keys().find(is_native).cloned()))
}

/// Whether packages are installed for every program.
fn is_global(effect: &Effect<'_>) -> bool {
    effect.command.is_none_or(|command| command.command.words().any(|word| matches!(word.bytes(), b"-g" | b"--global")))
}
