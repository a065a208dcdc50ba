//! Where the lines go that make a user, hand over what it writes, and name it.

use super::{
    Obstacle, ROOT_HOME, has_no_shell,
    identity::{Identity, Making, home},
    staging::{Staged, staged},
};
use crate::{
    model::{
        CopySource, DockerfileModel, Stage, Step, User, UserOrigin, Written, add::SourceKind, file_name, join_path,
    },
    rule::Cx,
    syntax::dockerfile::{Arg, Editor, Instruction, Keyword},
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
    pub(super) readable: Vec<Unreadable>,
    /// Directories for everybody that other images have and this one has not.
    pub(super) missing: Vec<&'static str>,
    /// The home that it needs and has not.
    pub(super) home: Option<&'static str>,
}

/// A file that only root may read.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    /// Where it is in the image.
    pub(super) path: String,
    /// The stage that it is copied from, and where it is there.
    pub(super) source: Option<(usize, String)>,
    /// The line that brings it.
    pub(super) line: u32,
}

/// Files that `ADD` fetches, which get mode 0600 (Dockerfile reference, `ADD`), unless a step gives them another; those
/// too that are copied out of an earlier stage.
pub(super) fn unreadable(target: Stage<'_>) -> Vec<Unreadable> {
    let own = fetched(target).into_iter().map(|(path, line)| Unreadable { path, source: None, line });
    let mut files: Vec<Unreadable> = own.collect();
    for step in target.chain_steps() {
        let Some(CopySource::Stage(index)) = step.copy_source() else { continue };
        let flags = ["chmod", "chown"];
        let Some(stage) =
            step.model().stage(index).filter(|_| flags.iter().all(|name| step.instruction().flag(name).is_none()))
        else {
            continue;
        };
        let Some(to) = step.destination().and_then(|word| step.absolute_arg(word)) else { continue };
        let is_directory = step.destination().is_some_and(|word| word.text.ends_with(b"/"));
        for (from, line) in fetched(stage) {
            for source in step.sources() {
                let source = join_path("/", &source.text);
                let Some(rest) = from.strip_prefix(source.as_str()) else { continue };
                let name = || from.rsplit('/').next().unwrap_or_default();
                let path = match rest {
                    "" if is_directory => join_path(&to, name()),
                    "" => to.clone(),
                    rest if rest.starts_with('/') => join_path(&to, rest.trim_start_matches('/')),
                    _ => continue,
                };
                if !step.later().any(|later| later.scripts_hold(&path)) {
                    files.push(Unreadable { path, source: Some((index, from.clone())), line });
                }
            }
        }
    }
    files
}

/// The files that the `ADD`s of a stage fetch, each with its line.
fn fetched(target: Stage<'_>) -> Vec<(String, u32)> {
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
            let is_opened = step.later().any(|later| opens(later, &file, name));
            if !is_opened && !file.contains(' ') {
                files.push((file, step.instruction().lines.0));
            }
        }
    }
    files
}

/// Whether a step lets everybody read a fetched file, moves it, or does anything else with it than making it a program.
fn opens(step: Step<'_>, file: &str, name: &str) -> bool {
    if !step.scripts_hold(name) {
        return false;
    }
    let is_meant = |text: &str| text == file || file_name(text) == name;
    let changes = step.mode_changes();
    let lets_read = changes
        .iter()
        .any(|change| change.mode.is_world_readable() && change.targets.iter().any(|target| is_meant(target)));
    let mut naming = step.commands().filter(|command| command.command.words().any(|word| is_meant(&word.text())));
    let first = naming.next();
    lets_read || first.into_iter().chain(naming).any(|command| command.name() != Some("chmod")) || first.is_none()
}

impl Owned {
    pub(super) fn of(place: &Written) -> Self {
        Self { path: place.path.clone(), is_file: place.is_file, is_deep: !place.is_shallow }
    }
}

/// The new lines, at the place where nothing that needs root follows.
pub(super) fn edits(
    cx: &Cx<'_, DockerfileModel<'_>>,
    target: Stage<'_>,
    identity: &Identity,
    handed: &Handed,
) -> Result<Vec<Edit>, Obstacle> {
    let editor = Editor::new(cx.file, cx.model.syntax);
    let mut edits = Vec::new();
    let mut lines = if has_no_shell(target) {
        let Staged { edits: elsewhere, first, last } = staged(cx, target, identity, handed)?;
        edits.extend(elsewhere);
        if !first.is_empty() {
            let edit = editor.insert_after(target.instruction(), &first);
            edits.push(edit.ok_or("the end of the file cuts its last instruction off")?);
        }
        last
    } else {
        run_lines(target, identity, handed)
    };
    let needs_root = lines.first().is_some_and(|line| line.starts_with("RUN "));
    if let Some(home) = handed.home.map(str::to_owned).or_else(|| home(target, identity)) {
        lines.push(format!("ENV HOME={home}"));
    }
    if let Making::Number(edit) = &identity.making {
        edits.push(edit.clone());
    }
    let steps: Vec<Step<'_>> = target.steps().filter(|step| !step.is_trigger()).collect();
    let is_work =
        |step: &Step<'_>| matches!(step.keyword(), Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir);
    let last_work = steps.iter().rposition(is_work);
    // A last `USER` says the new number instead, where no work behind it is about what is handed over.
    if let UserOrigin::Instruction { span, stage } = target.user().origin
        && stage as usize == target.index()
        && let Some(at) = steps.iter().rposition(|step| step.keyword() == Keyword::User)
        && !steps[at + 1..].iter().any(|step| may_fill(*step, handed))
        && (!needs_root || steps[at].runs_as_root())
    {
        if !lines.is_empty() {
            edits.push(editor.insert_before_comments(steps[at].instruction(), &lines));
        }
        if !is_number_of(&target.user().user, identity) {
            edits.push(editor.replace(span, identity.written()));
        }
        return Ok(edits);
    }
    let behind = last_work.map_or(0, |at| at + 1);
    let before = if behind == 0 { None } else { steps.get(behind - 1) };
    let is_root = match before {
        Some(step) => step.user().is_root(),
        None => !target.user().user.is_unprivileged(),
    };
    if lines.is_empty() && is_number_of(&target.user().user, identity) && is_own_line(target) {
        return Ok(edits);
    }
    if needs_root && !is_root {
        lines.insert(0, "USER 0".to_owned());
    } else if needs_root && let Some(volume) = volume_of(&steps, handed) {
        // What a step changes in a volume is lost with older builders.
        edits.push(editor.insert_before_comments(volume.instruction(), &lines));
        lines.clear();
    }
    let start = steps[behind.min(steps.len())..]
        .iter()
        .position(|step| matches!(step.keyword(), Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck))
        .map(|at| at + behind);
    // Copies stand with copies, and the user where it starts.
    if has_no_shell(target)
        && start.is_some_and(|at| at > behind)
        && let (Some(step), false) = (before, lines.is_empty())
    {
        let edit = editor.insert_after(step.instruction(), &lines);
        edits.push(edit.ok_or("the end of the file cuts its last instruction off")?);
        lines.clear();
    }
    lines.push(format!("USER {}", identity.written()));
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

/// The first `VOLUME` of something that is given away, where root runs and no later step brings more into that.
fn volume_of<'m>(steps: &[Step<'m>], handed: &Handed) -> Option<Step<'m>> {
    let is_owned = |path: &str| handed.owned.iter().any(|owned| below(path, &owned.path) || below(&owned.path, path));
    let at = steps.iter().position(|step| {
        step.keyword() == Keyword::Volume && step.made_directories().iter().any(|path| is_owned(path))
    })?;
    (steps[at].user().is_root() && !steps[at + 1..].iter().any(|step| may_fill(*step, handed))).then(|| steps[at])
}

/// Whether a step may bring more into what is given away, or change who runs the next.
fn may_fill(step: Step<'_>, handed: &Handed) -> bool {
    let mut owned = handed.owned.iter().map(|owned| owned.path.as_str());
    match step.keyword() {
        Keyword::Copy | Keyword::Add => {
            let to = step.destination().and_then(|word| step.absolute_arg(word));
            to.is_none_or(|to| to == "/" || owned.any(|path| below(path, &to) || below(&to, path)))
        }
        // What is made above it is there already.
        Keyword::Workdir => {
            let behind = step.next().map_or(step.stage().workdir(), Step::workdir);
            behind.path.known().is_none_or(|path| owned.any(|owned| below(path, owned)))
        }
        Keyword::Run | Keyword::User => true,
        _ => false,
    }
}

/// Whether `path` is `directory`, or lies in it.
fn below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the file says that number already.
fn is_number_of(user: &User, identity: &Identity) -> bool {
    match user {
        User::Numeric { uid, .. } => *uid == identity.uid,
        User::Root | User::Named { .. } | User::Unknown(_) => false,
    }
}

/// Whether an instruction of the stage itself says who runs it.
fn is_own_line(target: Stage<'_>) -> bool {
    matches!(target.user().origin, UserOrigin::Instruction { stage, .. } if stage as usize == target.index())
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
fn run_lines(target: Stage<'_>, identity: &Identity, handed: &Handed) -> Vec<String> {
    let Handed { owned, readable, .. } = handed;
    let (uid, name) = (identity.uid, identity.name.as_deref().unwrap_or_default());
    let gid = identity.gid.unwrap_or(uid);
    let home = identity.home.clone().unwrap_or_else(|| format!("/home/{name}"));
    // The home of root is there.
    let is_there = home == ROOT_HOME;
    let mut commands = Vec::new();
    match identity.making {
        Making::Shadow => {
            commands.push(format!("groupadd --system --gid {gid} {name}"));
            commands.push(format!("useradd --system --no-log-init --uid {uid} --gid {gid} {} --home-dir {home} --shell /usr/sbin/nologin {name}", if is_there { "--no-create-home" } else { "--create-home" }));
        }
        Making::BusyBox => {
            commands.push(format!("addgroup -S -g {gid} {name}"));
            commands.push(format!(
                "adduser -S -D{} -u {uid} -G {name} -h {home} -s /sbin/nologin {name}",
                if is_there { " -H" } else { "" }
            ));
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
    let makes_home = matches!(identity.making, Making::Shadow | Making::BusyBox);
    let is_made = |path: &str| path == ROOT_HOME || makes_home && path == home || is_made_by_steps(target, path);
    let (directories, files) = (paths(&|each| !each.is_file && !is_made(&each.path)), paths(&|each| each.is_file));
    let (deep, flat) = (paths(&|each| each.is_deep), paths(&|each| !each.is_deep));
    let whom = identity.owner();
    commands.extend((!directories.is_empty()).then(|| format!("mkdir -p{directories}")));
    commands.extend((!files.is_empty()).then(|| format!("touch{files}")));
    commands.extend((!deep.is_empty()).then(|| format!("chown -R {whom}{deep}")));
    commands.extend((!flat.is_empty()).then(|| format!("chown {whom}{flat}")));
    let readable: Vec<&str> = readable.iter().map(|file| file.path.as_str()).collect();
    commands.extend((!readable.is_empty()).then(|| format!("chmod a+r {}", readable.join(" "))));
    run(commands)
}

/// Whether a step certainly makes the directory at `path`: none of those behind what hands it over may bring it.
fn is_made_by_steps(target: Stage<'_>, path: &str) -> bool {
    target.chain_steps().any(|step| match step.keyword() {
        Keyword::Workdir => step.made_directories().iter().any(|made| made == path),
        Keyword::Copy | Keyword::Add => {
            let is_whole = || step.sources().iter().any(|source| matches!(&*source.text, "." | "./"));
            let is_directory = |word: &&Arg| word.text.ends_with(b"/") || is_whole();
            let to = step.destination().filter(|word| is_directory(word)).and_then(|word| step.absolute_arg(word));
            to.is_some_and(|to| to.trim_end_matches('/') == path)
        }
        _ => false,
    })
}

/// One `RUN` of `commands`, a line for each.
pub(super) fn run(commands: Vec<String>) -> Vec<String> {
    let last = commands.len().saturating_sub(1);
    let line = |(at, command): (usize, String)| {
        let start = if at == 0 { "RUN " } else { "    && " };
        let end = if at == last { "" } else { " \\" };
        format!("{start}{command}{end}")
    };
    commands.into_iter().enumerate().map(line).collect()
}
