//! Lends the SSH agent of whoever builds to the steps that use a private key, in place of copying the key into the image.
//!
//! Facts: Dockerfile reference, `RUN --mount=type=ssh` (the socket belongs to root unless said otherwise), and
//! `docker build --ssh default`. What the file does about hosts that are known stays as it is.

use super::{file, mount};
use crate::{
    model::{
        Allowed, Builder, CopySource, DockerfileModel, Feature, Step, StepCommand,
        add::{Source, SourceKind},
        file_name, join_path,
    },
    rewrite::{caller, shell::ShellEditor},
    rule::{Cx, Fix, Safety},
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::Word,
    },
    text::{Edit, holds},
};

/// Programs that fetch with Git or over SSH.
const CLIENTS: &[&str] = &[
    "git", "ssh", "scp", "sftp", "rsync", "go", "npm", "npx", "yarn", "pnpm", "bun", "pip", "pip3", "uv", "poetry",
    "pipenv", "composer", "bundle", "cargo", "mix", "hg", "svn", "make", "west", "repo", "bazel", "python", "python3",
];

/// A key on its way through a stage.
struct Key {
    /// Its path in the image.
    path: String,
    /// The directory that it lies in.
    directory: String,
}

/// What becomes of the steps behind the one that copies the key.
#[derive(Default)]
struct Plan<'m> {
    /// Those that are lent the agent.
    readers: Vec<Step<'m>>,
    edits: Vec<Edit>,
    /// Whether one of them needs the directory of the key for something else.
    needs_directory: bool,
}

/// Takes the private key `source` out of the `COPY` or `ADD` in `step`, and lends the agent to each `RUN` that uses it.
///
/// # Errors
/// Why it is copied further on: one clause.
pub(super) fn lend_agent(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, source: &Source<'_>) -> Result<Fix, String> {
    if step.copy_source().is_some() || source.kind != SourceKind::Local {
        return Err("it comes from another stage, which has to do without it first".to_owned());
    }
    let key = key(step, source).ok_or("nobody can tell which path the key has in the image")?;
    let stage = step.stage();
    if step.model().stages().any(|other| other.index() != stage.index() && other.chain().any(|of| of == stage)) {
        return Err("another stage starts from this one, and may use the key too".to_owned());
    }
    if step.model().steps().any(|other| takes_from(other, step, &key)) {
        return Err("another stage copies the key from this one".to_owned());
    }
    match Builder::of(cx.model.syntax, cx.file, cx.context).allows(Feature::RunMount) {
        Allowed::Yes(_) => {}
        Allowed::Raise(image) => return Err(format!("a mount needs `# syntax={image}`")),
        Allowed::No(why) => return Err(why.into_owned()),
    }
    let mut plan = plan(cx, step, &key)?;
    let editor = Editor::new(cx.file, cx.model.syntax);
    for reader in &plan.readers {
        mount::check(cx.file, *reader, "default")?;
        let owner = mount::owner(*reader).replace("mode=0444", "mode=0666");
        plan.edits.push(editor.add_flag(reader.instruction(), &format!("--mount=type=ssh{owner}")));
    }
    plan.edits.push(removal(cx, step, source, plan.needs_directory.then_some(&key))?);
    plan.edits.sort();
    if plan.edits.windows(2).any(|pair| pair[1].span.start < pair[0].span.end) {
        return Err("the commands that handle the key cannot be told apart from the others".to_owned());
    }
    let (safety, handover, obstacle) = match caller::lend_agent(cx) {
        Ok(handover) => (Safety::Risky, Some(handover), None),
        Err(obstacle) => (Safety::Manual, None, Some(obstacle)),
    };
    let path = &source.text;
    let mut clauses = vec![format!(
        "build with `--ssh default` and with the key in the agent (`ssh-add {path}`); list `{path}` in `.dockerignore`, and rotate the key if an image was pushed; a container no longer has it"
    )];
    clauses.extend(obstacle.map(|obstacle| obstacle.text_of_agent()));
    let handover = handover.unwrap_or_default();
    if !handover.places.is_empty() {
        clauses.push(format!("{} lend the agent now, and need one", handover.named().join(", ")));
    }
    let fix = Fix::new("Lend the SSH agent in place of the key", safety, clauses.join("; "), plan.edits);
    Ok(fix.with(handover.companions).shown_by(handover.places))
}

/// Where the key is in the image: in a directory `.ssh`.
fn key(step: Step<'_>, source: &Source<'_>) -> Option<Key> {
    let destination = step.destination()?;
    let written = String::from_utf8_lossy(&destination.text).into_owned();
    let at = step.absolute(&written)?;
    let path =
        if written.ends_with('/') || step.sources().len() > 1 { join_path(&at, file_name(&source.text)) } else { at };
    let directory = path.strip_suffix(file_name(&path))?.trim_end_matches('/').to_owned();
    directory.ends_with("/.ssh").then_some(Key { path, directory })
}

/// Whether `other` copies from the stage of `step` what the key may be part of.
fn takes_from(other: Step<'_>, step: Step<'_>, key: &Key) -> bool {
    let is_of_stage = matches!(other.copy_source(), Some(CopySource::Stage(of)) if of == step.stage().index());
    is_of_stage
        && other.sources().iter().any(|source| {
            let path = format!("/{}", source.text.trim_matches('/'));
            key.path.starts_with(path.trim_end_matches('*').trim_end_matches('/'))
        })
}

fn plan<'m>(cx: &Cx<'m, DockerfileModel<'m>>, step: Step<'m>, key: &Key) -> Result<Plan<'m>, String> {
    let mut plan = Plan::default();
    for later in step.later() {
        let line = cx.file.locate(later.instruction().span.start).line;
        let text = cx.bytes(later.instruction().span);
        let names_key = holds(text, file_name(&key.path).as_bytes());
        let configures = holds(text, b"IdentityFile") || holds(text, b"IdentitiesOnly") || holds(text, b".ssh/config");
        if configures {
            return Err(format!("line {line} says which key is used"));
        }
        match later.keyword() {
            Keyword::Run => {}
            Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck if uses(later) => {
                return Err(format!("what starts in line {line} may use the key"));
            }
            _ if names_key => return Err(format!("line {line} handles the key by its name")),
            _ => continue,
        }
        if later.keyword() != Keyword::Run {
            continue;
        }
        let handled = handle(cx, later, key)?;
        if handled == Handled::Whole {
            let removed = Editor::new(cx.file, cx.model.syntax).remove(later.instruction());
            plan.edits.push(removed.ok_or_else(|| format!("line {line} has no end of its own"))?);
            continue;
        }
        let mut gone = 0;
        if let Handled::Parts(edits) = handled {
            gone = edits.len();
            plan.edits.extend(edits);
        }
        if uses(later) {
            plan.readers.push(later);
        }
        plan.needs_directory |= memchr::memmem::find_iter(text, b".ssh").count() > gone;
    }
    if plan.readers.is_empty() {
        return Err("no `RUN` behind it is seen to use the key".to_owned());
    }
    Ok(plan)
}

/// Whether a command of `step` may use a key, or runs a script that does.
fn uses(step: Step<'_>) -> bool {
    let is_client = |program: &str| CLIENTS.contains(&program) || program.ends_with(".sh");
    step.commands().any(|command| command.name().is_some_and(is_client))
}

/// What is done about the commands of a step that handle the key.
#[derive(PartialEq, Eq)]
enum Handled {
    /// There are none.
    Nothing,
    /// These edits take them out.
    Parts(Vec<Edit>),
    /// There are no others.
    Whole,
}

fn handle(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, key: &Key) -> Result<Handled, String> {
    let line = cx.file.locate(step.instruction().span.start).line;
    let name = file_name(&key.path);
    let by_name = || format!("the script in line {line} handles the key by its name");
    let commands: Vec<StepCommand<'_>> = step.commands().collect();
    let about: Vec<&StepCommand<'_>> = commands.iter().filter(|command| is_about(command, key)).collect();
    if about.is_empty() {
        let has_glob = step.scripts_hold(".ssh/*");
        return if step.scripts_hold(name) || has_glob { Err(by_name()) } else { Ok(Handled::Nothing) };
    }
    let count = about.iter().filter(|command| holds(cx.bytes(command.span()), name.as_bytes())).count();
    let mentions = memchr::memmem::find_iter(cx.bytes(step.instruction().span), name.as_bytes()).count();
    if count != about.len() || mentions != about.len() {
        return Err(by_name());
    }
    if about.len() == commands.len() {
        return Ok(Handled::Whole);
    }
    let remove = |command: &&StepCommand<'_>| ShellEditor::of(**command)?.remove_command(command.command);
    let edits: Option<Vec<Edit>> = about.iter().map(remove).collect();
    edits.map(Handled::Parts).ok_or_else(by_name)
}

/// Whether a command does nothing but to give the key a mode or an owner, or to take it away.
fn is_about(command: &StepCommand<'_>, key: &Key) -> bool {
    let first_operand = match command.name() {
        Some("chmod" | "chown") => 1,
        Some("rm") => 0,
        _ => return false,
    };
    let home = key.directory.strip_suffix("/.ssh").unwrap_or_default();
    let is_key = |word: Word<'_>| {
        let text = word.text();
        let path = text.strip_prefix("~").or(text.strip_prefix("$HOME")).or(text.strip_prefix("${HOME}"));
        *text == *key.path || path.is_some_and(|rest| format!("{home}{rest}") == key.path)
    };
    let words: Vec<Word<'_>> = command.command.arguments().filter(|word| !word.text().starts_with('-')).collect();
    words.len() > first_operand && words[first_operand..].iter().all(|word| is_key(*word))
}

/// Takes the key out of its instruction; where others need its directory, that is made in its place.
fn removal(
    cx: &Cx<'_, DockerfileModel<'_>>,
    step: Step<'_>,
    source: &Source<'_>,
    needed: Option<&Key>,
) -> Result<Edit, String> {
    const FORM: &str = "the instruction holds more than can be taken apart";
    let Some(key) = needed.filter(|_| step.sources().len() == 1) else {
        return file::removal(cx, step, source).ok_or_else(|| FORM.to_owned());
    };
    if !step.runs_as_root() {
        return Err("its directory would have to be made by somebody who is not root".to_owned());
    }
    let span = step.instruction().span;
    Ok(Edit::replace(cx.file.id, span, format!("RUN mkdir -p -m 0700 {}", key.directory)))
}
