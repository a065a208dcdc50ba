//! Where the lines go that make a user, hand over what it writes, and name it.

use super::{
    Obstacle,
    identity::{Identity, Making, home},
};
use crate::{
    model::{DockerfileModel, Stage, Step, UserOrigin, Written, add::SourceKind},
    rule::Cx,
    syntax::dockerfile::{Editor, Instruction, Keyword},
    text::Edit,
};

/// A path that the user is given.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) path: String,
    pub(super) is_file: bool,
    /// Whether everything below it is given too.
    pub(super) is_deep: bool,
}

/// What is done to files so that the user can do its work.
#[derive(Clone, Debug, Default)]
pub(super) struct Handed {
    pub(super) owned: Vec<Owned>,
    /// Files that only root may read.
    pub(super) readable: Vec<String>,
}

/// Files that `ADD` fetches, which get mode 0600 (Dockerfile reference, `ADD`), unless a step gives them another.
pub(super) fn unreadable(target: Stage<'_>) -> Vec<String> {
    let steps: Vec<Step<'_>> = target.chain_steps().collect();
    let fetched = steps.iter().filter(|step| {
        step.keyword() == Keyword::Add
            && step.instruction().flag("chmod").is_none()
            && step.instruction().flag("chown").is_none()
    });
    let mut files = Vec::new();
    for step in fetched {
        let Some(to) = step.destination().and_then(|word| step.absolute_arg(word)) else { continue };
        let is_directory = step.destination().is_some_and(|word| word.text.ends_with(b"/") || &*word.text == b".");
        for source in step.sources().into_iter().filter(|source| source.kind == SourceKind::Url) {
            let name = source.text.split(['?', '#']).next().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
            let file = if is_directory { format!("{to}/{name}") } else { to.clone() };
            let is_touched = step.later().any(|later| later.scripts_hold(&file) || later.scripts_hold(name));
            if !is_touched && !file.contains(' ') {
                files.push(file);
            }
        }
    }
    files
}

impl Owned {
    pub(super) fn of(place: &Written) -> Self {
        Self { path: place.path.clone(), is_file: false, is_deep: !place.is_shallow }
    }
}

/// Whether the file gives a place to that user already.
pub(super) fn is_owned(target: Stage<'_>, identity: &Identity, place: &Written) -> bool {
    let is_theirs = |owner: &str| {
        let user = owner.split([':', '.']).next().unwrap_or(owner);
        user == identity.uid.to_string() || identity.name.as_deref() == Some(user)
    };
    let covers = |path: &str| {
        place.path == path
            || place.path.strip_prefix(path.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    };
    target.chain_steps().any(|step| match step.keyword() {
        Keyword::Copy | Keyword::Add => {
            let owner = step.instruction().flag("chown").and_then(|flag| flag.value.clone());
            let to = step.destination().and_then(|word| step.absolute_arg(word));
            owner.is_some_and(|owner| is_theirs(&owner)) && to.is_some_and(|to| to == place.path)
        }
        Keyword::Run => step.commands().filter(|command| command.name() == Some("chown")).any(|command| {
            let words: Vec<String> = command.command.arguments().map(|word| word.text().into_owned()).collect();
            let is_deep =
                words.iter().any(|word| word == "-R" || word == "--recursive" || word == "-hR" || word == "-Rh");
            let mut operands = words.iter().filter(|word| !word.starts_with('-'));
            operands.next().is_some_and(|owner| is_theirs(owner))
                && operands
                    .filter_map(|path| step.absolute(path))
                    .any(|path| if is_deep { covers(&path) } else { path == place.path })
        }),
        _ => false,
    })
}

/// The new lines, at the place where nothing that needs root follows.
pub(super) fn edits(
    cx: &Cx<'_, DockerfileModel<'_>>,
    target: Stage<'_>,
    identity: &Identity,
    handed: &Handed,
) -> Result<Vec<Edit>, Obstacle> {
    let editor = Editor::new(cx.file, cx.model.syntax);
    let mut lines = run_lines(identity, handed);
    if let Some(home) = home(target, identity) {
        lines.push(format!("ENV HOME={home}"));
    }
    let mut edits = Vec::new();
    if let Making::Number(edit) = &identity.making {
        edits.push(edit.clone());
    }
    let steps: Vec<Step<'_>> = target.steps().filter(|step| !step.is_trigger()).collect();
    let is_work =
        |step: &Step<'_>| matches!(step.keyword(), Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir);
    let last_work = steps.iter().rposition(is_work);
    // A last `USER root` with no work behind it says the new number instead.
    if let UserOrigin::Instruction { span, stage } = target.user().origin
        && stage as usize == target.index()
        && let Some(at) = steps.iter().rposition(|step| step.keyword() == Keyword::User)
        && last_work.is_none_or(|work| work < at)
        && (lines.is_empty() || steps[at].runs_as_root())
    {
        if !lines.is_empty() {
            edits.push(editor.insert_before_comments(steps[at].instruction(), &lines));
        }
        edits.push(editor.replace(span, identity.written()));
        return Ok(edits);
    }
    lines.push(format!("USER {}", identity.written()));
    let behind = last_work.map_or(0, |at| at + 1);
    let start = steps[behind.min(steps.len())..]
        .iter()
        .position(|step| matches!(step.keyword(), Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck))
        .map(|at| at + behind);
    let edit = match start {
        Some(at) => {
            let before = if at == 0 { target.instruction() } else { steps[at - 1].instruction() };
            insert_between(&editor, cx.file.text.as_slice(), before, steps[at].instruction(), &lines)
        }
        None => editor.insert_after(steps.last().map_or(target.instruction(), |step| step.instruction()), &lines),
    };
    edits.push(edit.ok_or("the end of the file cuts its last instruction off")?);
    Ok(edits)
}

/// In front of an instruction, unless a comment about it stands there: then behind the one before.
fn insert_between(
    editor: &Editor<'_>,
    text: &[u8],
    before: &Instruction,
    instruction: &Instruction,
    lines: &[String],
) -> Option<Edit> {
    let between = &text[before.span.end as usize..instruction.span.start as usize];
    let has_comment = memchr::memchr(b'#', between).is_some();
    if has_comment { editor.insert_after(before, lines) } else { Some(editor.insert_before(instruction, lines)) }
}

/// The commands that make the user and hand over what it writes, one `RUN`.
fn run_lines(identity: &Identity, handed: &Handed) -> Vec<String> {
    let Handed { owned, readable } = handed;
    let (uid, name) = (identity.uid, identity.name.as_deref().unwrap_or_default());
    let mut commands = Vec::new();
    match identity.making {
        Making::Shadow => {
            commands.push(format!("groupadd --system --gid {uid} {name}"));
            commands.push(format!("useradd --system --no-log-init --uid {uid} --gid {uid} --create-home --home-dir /home/{name} --shell /usr/sbin/nologin {name}"));
        }
        Making::BusyBox => {
            commands.push(format!("addgroup -S -g {uid} {name}"));
            commands.push(format!("adduser -S -D -u {uid} -G {name} -h /home/{name} -s /sbin/nologin {name}"));
        }
        Making::None | Making::HomeOnly | Making::Number(_) => {}
    }
    let paths = |wanted: &dyn Fn(&Owned) -> bool| -> String {
        owned.iter().filter(|each| wanted(each)).fold(String::new(), |mut all, each| {
            all.push(' ');
            all.push_str(&each.path);
            all
        })
    };
    let (directories, files) = (paths(&|each| !each.is_file), paths(&|each| each.is_file));
    let (deep, flat) = (paths(&|each| each.is_deep), paths(&|each| !each.is_deep));
    let whom = identity.owner();
    commands.extend((!directories.is_empty()).then(|| format!("mkdir -p{directories}")));
    commands.extend((!files.is_empty()).then(|| format!("touch{files}")));
    commands.extend((!deep.is_empty()).then(|| format!("chown -R {whom}{deep}")));
    commands.extend((!flat.is_empty()).then(|| format!("chown {whom}{flat}")));
    commands.extend((!readable.is_empty()).then(|| format!("chmod a+r {}", readable.join(" "))));
    let last = commands.len().saturating_sub(1);
    let line = |(at, command): (usize, String)| {
        let start = if at == 0 { "RUN " } else { "    && " };
        let end = if at == last { "" } else { " \\" };
        format!("{start}{command}{end}")
    };
    commands.into_iter().enumerate().map(line).collect()
}
