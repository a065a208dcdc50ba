//! Mounts a file with credentials where it is used, in place of copying it into the image.

use super::{mount, ssh};
use crate::{
    model::{
        Allowed, Builder, DockerfileModel, Feature, Stage, Step,
        add::{Source, SourceKind},
        join_path,
        secret_file::{SSH_KEY, secret_file},
    },
    rule::{Cx, Fix, Safety},
    syntax::dockerfile::{Arguments, Editor, Keyword},
    text::{Edit, Span},
};

/// Files that programs read on their own while an image is built, and the programs.
const CLIENTS: &[(&str, &[&str])] = &[
    (".npmrc", &["npm", "npx", "yarn", "pnpm", "bun", "lerna", "rush", "nx"]),
    ("pip.conf", &["pip", "pip3", "python", "python3", "uv", "pipenv"]),
    ("settings.xml", &["mvn", "mvnw"]),
    (".netrc", &["git", "curl", "go", "pip", "pip3", "cargo", "wget", "hg"]),
    (".git-credentials", &["git", "go", "npm", "yarn", "pip", "pip3", "composer", "bundle"]),
    (".pypirc", &["twine", "python", "python3", "pip", "pip3"]),
];

/// Mounts the file `source` of the `COPY` or `ADD` in `step` into each `RUN` whose program reads it.
///
/// # Errors
/// Why it is copied further on: one clause.
pub fn mount_copied(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, source: &Source<'_>) -> Result<Fix, String> {
    let name = source.text.rsplit('/').next().unwrap_or(&source.text);
    if is_ssh_key(step, source) {
        return ssh::lend_agent(cx, step, source);
    }
    let Some((_, programs)) = CLIENTS.iter().find(|(file, _)| *file == name) else {
        return Err(elsewhere(name).to_owned());
    };
    if step.copy_source().is_some() || source.kind != SourceKind::Local {
        return Err("it comes from another stage, which has to do without it first".to_owned());
    }
    let target = target(step, name).ok_or("nobody can tell which path the file has in the image")?;
    let readers = readers(cx, step, name, programs)?;
    match Builder::of(cx.model.syntax, cx.file, cx.context).allows(Feature::RunMount) {
        Allowed::Yes(_) => {}
        Allowed::Raise(image) => return Err(format!("a mount needs `# syntax={image}`")),
        Allowed::No(why) => return Err(why.into_owned()),
    }
    let id = name.trim_start_matches('.').replace('.', "_");
    let editor = Editor::new(cx.file, cx.model.syntax);
    let mut edits = vec![removal(cx, step, source).ok_or("the instruction holds more than can be taken apart")?];
    for reader in readers {
        mount::check(cx.file, reader, &id)?;
        let flag = format!("--mount=type=secret,id={id},target={target},required=true{}", mount::owner(reader));
        edits.push(editor.add_flag(reader.instruction(), &flag));
    }
    let path = &source.text;
    let reason = format!(
        "build with `--secret id={id},src={path}`; list `{path}` in `.dockerignore`, and rotate what it holds if an image was pushed; a container no longer has the file"
    );
    Ok(Fix::new(format!("Mount `{name}` as a build secret"), Safety::Risky, reason, edits))
}

/// What is to be done with a file that no program reads on its own.
fn elsewhere(name: &str) -> &'static str {
    if name.contains("env") {
        return "which of its variables are needed, and when, is for a person to decide: hand them in when a container starts (`--env-file`), and list the file in `.dockerignore`";
    }
    if name.contains("rsa") || name.contains("ed25519") || name.contains("ssh") {
        return "a `RUN --mount=type=ssh` can use the key without a copy, but what else in the file expects it is for a person to see";
    }
    "who reads the file is not said here: mount it as a secret, in the `RUN` that needs it or in the container"
}

/// Whether the source is a private key that programs use over SSH.
fn is_ssh_key(step: Step<'_>, source: &Source<'_>) -> bool {
    let target = step.destination().map(|target| String::from_utf8_lossy(&target.text).into_owned());
    let file = target.and_then(|target| secret_file(&source.text, &target));
    file.is_some_and(|file| file.what == SSH_KEY)
}

/// The path of the file in the image.
fn target(step: Step<'_>, name: &str) -> Option<String> {
    let destination = step.destination()?;
    let written = String::from_utf8_lossy(&destination.text).into_owned();
    let path = step.absolute(&written)?;
    let is_directory = written.ends_with('/') || matches!(written.as_str(), "." | "..") || written.ends_with("/.");
    if is_directory || step.sources().len() > 1 {
        return Some(join_path(&path, name));
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    // `COPY .npmrc /root` may name a directory.
    (last == name).then_some(path)
}

/// The `RUN`s behind `step` that may read the file.
fn readers<'m>(
    cx: &Cx<'m, DockerfileModel<'m>>,
    step: Step<'m>,
    name: &str,
    programs: &[&str],
) -> Result<Vec<Step<'m>>, String> {
    let stage = step.stage();
    let inherits = |other: Stage<'_>| other.index() != stage.index() && other.chain().any(|of| of == stage);
    if step.model().stages().any(inherits) {
        return Err("another stage starts from this one, and may read the file too".to_owned());
    }
    let mut readers = Vec::new();
    for later in step.later() {
        let line = cx.file.locate(later.instruction().span.start).line;
        let is_script = matches!(later.keyword(), Keyword::Run | Keyword::Cmd | Keyword::Entrypoint);
        if is_script && later.scripts_hold(name) {
            return Err(format!("the script in line {line} handles the file by its name"));
        }
        if later.keyword() != Keyword::Run {
            continue;
        }
        let runs = |program: &str| programs.contains(&program) || program.ends_with(".sh");
        if later.commands().any(|command| command.name().is_some_and(runs)) {
            readers.push(later);
        }
    }
    if readers.is_empty() {
        return Err("no `RUN` behind it is seen to read the file".to_owned());
    }
    Ok(readers)
}

/// Takes the source out of its instruction, and the instruction if it brings nothing else.
pub(super) fn removal(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, source: &Source<'_>) -> Option<Edit> {
    let instruction = step.instruction();
    if step.sources().len() == 1 {
        return Editor::new(cx.file, cx.model.syntax).remove(instruction);
    }
    let Arguments::Words(words) = step.arguments() else { return None };
    let at = words.iter().position(|word| word.span == source.arg.span)?;
    let next = words.get(at + 1)?;
    let room = Span { start: source.arg.span.start, end: next.span.start };
    let is_plain = cx.bytes(Span { start: source.arg.span.end, end: room.end }).iter().all(u8::is_ascii_whitespace);
    is_plain.then(|| Edit::delete(cx.file.id, room))
}
