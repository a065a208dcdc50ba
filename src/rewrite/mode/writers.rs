//! Who else writes where a mode lets everybody write.
//!
//! The mode is of use to them: where one is seen, or the file speaks of any user, it is not taken away.

use super::Refusal;
use crate::{
    model::{ModeChange, Programs, Stage, Step, StepCommand, User, is_in_directory},
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::{Word, Wrapper},
    },
    text::holds,
};

const STEPS_DOWN: Refusal =
    "a command behind it works there as another user: give the files to that user in place of the mode";

const LATER_USER: Refusal =
    "a later step works there as another user than the owner: give the files to that user in place of the mode";

const ANY_USER: Refusal = "a comment says that any user is to write there: `chgrp -R 0` and `chmod -R g=u` in place of the mode let whoever is of the group of root, as OpenShift and `docker run --user` have it";

const FOR_OTHERS: Refusal = "the files have an owner already, and the mode lets others write beside it: it is for who runs the image with `--user`";

const HOME_FOR_ALL: Refusal = "it is the home of whoever runs the image, which root can write without the mode: it is for who runs it with `--user`";

const HOME_OF_TOOL: Refusal = "a tool of the image writes there as whoever runs it: give the directory to that user, or to the group of root with `chmod -R g=u`, in place of the mode";

const EARLIER_USER: Refusal =
    "earlier steps work as another user, whom the mode may be for: give the files to that user in place of the mode";

/// Why the mode has to stay: somebody works there later, or any user is to.
pub(super) fn who_needs(step: Step<'_>, change: &ModeChange, owner: Option<u32>) -> Option<Refusal> {
    if says_any_user(step) {
        return Some(ANY_USER);
    }
    if is_opened_beside_owner(step, change) {
        return Some(FOR_OTHERS);
    }
    if is_home_of_anybody(step, change) {
        return Some(HOME_FOR_ALL);
    }
    if is_home_of_tool(step, change) {
        return Some(HOME_OF_TOOL);
    }
    let tree = Tree::of(step, change);
    let start = change.span.start;
    let behind = step.commands().filter(|command| command.span().start > start);
    if behind.into_iter().any(|command| acts_as_another(command) && tree.is_worked_in_by(command)) {
        return Some(STEPS_DOWN);
    }
    let later = step.later().chain(children(step.stage()).flat_map(Stage::steps)).take(MOST_STEPS);
    for later in later.filter(|later| later.keyword() == Keyword::Run) {
        if is_another(later, step, owner) && tree.is_worked_in(later) {
            return Some(LATER_USER);
        }
        if later.commands().any(|command| acts_as_another(command) && tree.is_worked_in_by(command)) {
            return Some(STEPS_DOWN);
        }
    }
    has_worked_as_another(step, owner).then_some(EARLIER_USER)
}

/// So many steps are looked at for one mode.
const MOST_STEPS: usize = 500;

/// So many stages may start from one.
const MOST_STAGES: usize = 64;

/// The later stages that start from `stage`.
fn children(stage: Stage<'_>) -> impl Iterator<Item = Stage<'_>> {
    let is_child = move |later: &Stage<'_>| later.chain().skip(1).take(MOST_STAGES).any(|above| above == stage);
    stage.model().stages().skip(stage.index() + 1).take(MOST_STAGES).filter(is_child)
}

/// Whether a step is run by somebody who writes only what everybody may: neither root nor the owner.
fn is_another(later: Step<'_>, step: Step<'_>, owner: Option<u32>) -> bool {
    let user = &later.user().user;
    let is_owner = || owner.is_some() && later.stage().ids_of(user).map(|ids| ids.uid) == owner;
    match user {
        User::Root | User::Unknown(_) => false,
        User::Numeric { .. } | User::Named { .. } => *user != step.user().user && !is_owner(),
    }
}

/// Whether a command is run by another user than its step.
fn acts_as_another(command: StepCommand<'_>) -> bool {
    let Some(invocation) = command.invocation() else { return false };
    let words = || command.command.arguments();
    let is_root = |word: Word<'_>| matches!(word.bytes(), b"root" | b"-uroot" | b"--user=root" | b"0");
    if invocation.is_wrapped_by(Wrapper::StepDown) {
        return !words().any(is_root);
    }
    if invocation.is_wrapped_by(Wrapper::Elevate) || matches!(command.command.name(), Some("sudo" | "doas")) {
        let names_user = |word: Word<'_>| word.bytes().starts_with(b"-u") || word.bytes().starts_with(b"--user");
        return words().any(names_user) && !words().any(is_root);
    }
    match invocation.name() {
        Some("runuser" | "setuser" | "setuidgid" | "s6-setuidgid") => !words().any(is_root),
        Some("su") => names_account(invocation.arguments()) && !words().any(is_root),
        Some(_) | None => false,
    }
}

/// Whether the arguments of `su` name an account: without one it becomes root.
fn names_account<'s>(mut words: impl Iterator<Item = Word<'s>>) -> bool {
    while let Some(word) = words.next() {
        match word.bytes() {
            b"-c" | b"--command" | b"-s" | b"--shell" | b"-lc" | b"-g" | b"--group" | b"-G" | b"-w" => {
                words.next();
            }
            [b'-', ..] => {}
            _ => return true,
        }
    }
    false
}

/// The files that a mode is of.
struct Tree {
    /// As they are written, and as absolute paths.
    names: Vec<String>,
    /// The absolute ones; none where a variable or a directory of the script hides one.
    paths: Option<Vec<String>>,
}

impl Tree {
    fn of(step: Step<'_>, change: &ModeChange) -> Self {
        let to = || step.destination().and_then(|word| step.absolute_arg(word));
        let paths: Option<Vec<String>> = match step.keyword() {
            Keyword::Copy | Keyword::Add => to().map(|path| vec![path]),
            _ => change.targets.iter().map(|target| step.absolute(target.trim_end_matches("/*"))).collect(),
        };
        let names = change.targets.iter().chain(paths.iter().flatten());
        let names = names.map(|name| name.trim_end_matches(['/', '*', '.']).to_owned());
        Self { names: names.filter(|name| name.len() > 1).collect(), paths }
    }

    /// Whether a path is of the tree, or around it; every path may be where nobody knows the tree.
    fn meets(&self, path: &str) -> bool {
        let Some(paths) = &self.paths else { return true };
        let is_around = |tree: &String| path != "/" && is_in_directory(tree, path);
        paths.iter().any(|tree| is_in_directory(path, tree) || is_around(tree))
    }

    fn is_named_in(&self, text: &[u8]) -> bool {
        self.names.iter().any(|name| holds(text, name.as_bytes()))
    }

    /// Whether a step works in the tree: it begins there, or names it.
    fn is_worked_in(&self, step: Step<'_>) -> bool {
        let begins_there = step.workdir().path.known().is_none_or(|path| path != "/" && self.meets(path));
        begins_there || self.is_named_in(step.instruction().span.of(&step.model().file.text))
    }

    /// Whether a command of a step works in the tree: it names it, or the step went there before.
    fn is_worked_in_by(&self, command: StepCommand<'_>) -> bool {
        let step = command.step;
        let text = |command: StepCommand<'_>| command.span().of(&step.model().file.text);
        let start = command.span().start;
        let mut goes = step.commands_beside(Programs::of(&["cd", "pushd"]));
        let goes_there = goes.any(|other| {
            other.span().start < start && matches!(other.name(), Some("cd" | "pushd")) && self.is_named_in(text(other))
        });
        let begins_there = step.workdir().path.known().is_none_or(|path| path != "/" && self.meets(path));
        goes_there || begins_there || self.is_named_in(text(command))
    }
}

/// Whether a comment of the step, or above it, speaks of users that nobody knows beforehand.
fn says_any_user(step: Step<'_>) -> bool {
    const PHRASES: [&str; 24] = [
        "random uid",
        "random user",
        "arbitrary uid",
        "arbitrary user",
        "arbitrary non-root",
        "any uid",
        "any user",
        "any non-root",
        "any other user",
        "all users",
        "every user",
        "every uid",
        "everybody",
        "everyone",
        "anyone",
        "anybody",
        "other users",
        "different user",
        "different uid",
        "host user",
        "user id of the host",
        "openshift",
        "docker run -u",
        "docker run --user",
    ];
    let model = step.model();
    let editor = Editor::new(model.file, model.syntax);
    let Some(lines) = editor.lines_with_comments(step.instruction()) else { return false };
    let text = String::from_utf8_lossy(lines.of(&model.file.text)).to_ascii_lowercase();
    let comments = text.lines().filter_map(|line| line.split_once('#').map(|(_, comment)| comment));
    let says = |comment: &str| PHRASES.iter().any(|phrase| comment.contains(phrase));
    // Where root runs the image, who is not root is anybody.
    let runs_as_root = || model.target().is_some_and(|target| target.user().user.is_root());
    let says_not_root = |comment: &str| ["non-root", "non root", "nonroot"].iter().any(|name| comment.contains(name));
    let speaks_of_start = |comment: &str| comment.contains("permission") && comment.contains("runtime");
    let means_others =
        |comment: &str| says(comment) || speaks_of_start(comment) || says_not_root(comment) && runs_as_root();
    comments.into_iter().any(means_others)
}

/// Whether the mode names others apart, of files that the step has just given to another user than root.
fn is_opened_beside_owner(step: Step<'_>, change: &ModeChange) -> bool {
    let is_of_others = |clause: &str| {
        let who = clause.split(['+', '=', '-']).next().unwrap_or_default();
        who.contains('o') && !who.contains(['u', 'a']) && clause.contains('w')
    };
    if !change.text.split(',').any(is_of_others) || change.targets.is_empty() {
        return false;
    }
    let owners = step.owner_changes();
    change.targets.iter().all(|target| {
        let gives = owners.iter().filter(|given| given.at < change.span.start && given.is_to_another());
        gives.into_iter().any(|given| given.covers(target))
    })
}

/// Whether the mode is of the directory that `HOME` says, in an image that root runs.
fn is_home_of_anybody(step: Step<'_>, change: &ModeChange) -> bool {
    let Some(target) = step.model().target().filter(|target| target.user().user.is_root()) else { return false };
    let home = target.variable("HOME").and_then(|home| home.value.as_ref()?.known());
    let Some(home) = home.filter(|home| home.starts_with('/') && !home.starts_with("/root")) else { return false };
    change.targets.iter().filter_map(|target| step.absolute(target)).any(|path| path == home.trim_end_matches('/'))
}

/// Whether it is where a tool keeps what it fetches, by the variable that tells it so, and not in anybody's home.
fn is_home_of_tool(step: Step<'_>, change: &ModeChange) -> bool {
    const HOMES: [&str; 9] = [
        "CARGO_HOME",
        "RUSTUP_HOME",
        "GOPATH",
        "GOCACHE",
        "GEM_HOME",
        "BUNDLE_PATH",
        "BUNDLE_APP_CONFIG",
        "GRADLE_USER_HOME",
        "PUB_CACHE",
    ];
    // Where a number without an account has its home, `/`.
    const OF_NOBODY: [&str; 4] = ["/.cache", "/.config", "/.local", "/.npm"];
    let homes: Vec<&str> = HOMES.iter().filter_map(|name| step.variable(name)?.value.as_ref()?.known()).collect();
    let is_home = |path: &str| {
        let is_nobodys = !path.starts_with("/root") && !path.starts_with("/home/");
        OF_NOBODY.contains(&path) || is_nobodys && homes.iter().any(|home| home.trim_end_matches('/') == path)
    };
    change.targets.iter().filter_map(|target| step.absolute(target)).any(|path| is_home(path.trim_end_matches('/')))
}

/// Whether an earlier step of the image names another user than the owner of the files, who may come back.
fn has_worked_as_another(step: Step<'_>, owner: Option<u32>) -> bool {
    let start = step.instruction().span.start;
    let earlier = step.stage().chain_steps().filter(|other| other.instruction().span.start < start);
    earlier.filter(|other| other.keyword() == Keyword::Run).any(|other| is_another(other, step, owner))
}
