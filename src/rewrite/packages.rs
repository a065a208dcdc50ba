//! Edits of what steps do with package managers: where lists are fetched, and what is kept of them.

use super::shell::ShellEditor;
use crate::{
    model::{
        LaterUse, Leftover, ListUse, MountKind, Step, StepCommand, StepPackages,
        packages::{Action, Manager, PackageCommand},
    },
    rule::{Fix, Safety},
    syntax::{
        dockerfile::{Editor, Instruction, Keyword},
        shell::{CompoundKind, Connector, Wrapper},
    },
    text::{Edit, Span},
};

/// Why an edit is not made.
pub type Refusal = &'static str;

const UNSURE: Refusal = "the script is not written as the shell reads it";

/// Fetches the lists of `refresh`, which are cached in a layer of their own, where packages are installed from them.
///
/// # Errors
/// Why that would be wrong, or cannot be told.
pub fn join_refresh(refresh: &StepPackages<'_>, later: LaterUse) -> Result<Fix, Refusal> {
    let step = refresh.at.step;
    if step.mounts().iter().any(|mount| mount.kind == MountKind::Cache) {
        return Err("the lists are in a cache mount");
    }
    let found = installers(refresh);
    let mut edits = vec![without(refresh).ok_or("the step decides by it what to do, or its script is not certain")?];
    for install in &found.calls {
        edits.extend(fetch_with(refresh, install)?);
    }
    let keeps_lists = matches!(refresh.call.manager, Manager::Yum | Manager::Dnf);
    if found.calls.is_empty() {
        return match later.lists {
            ListUse::Certain => Err("a stage that starts from this one installs from the lists"),
            ListUse::Perhaps => Err("a later script may install from the lists"),
            ListUse::Nobody => {
                let reason =
                    "no later step installs from the lists; who installs in a container has to fetch them first";
                Ok(Fix::new("Take the refresh out", Safety::Risky, reason, edits))
            }
        };
    }
    let (safety, reason) = if found.passes_sources {
        (Safety::Risky, "the sources change before the packages are installed, and then count too")
    } else if found.passes_unseen {
        (Safety::Risky, "a script between them may use the lists")
    } else if keeps_lists {
        (Safety::Safe, "the manager fetches lists that are missing or old by itself")
    } else {
        (Safety::Safe, "the same lists are fetched in the step that uses them, by the same user, from the same sources")
    };
    let fix = Fix::new("Fetch the lists where they are used", safety, reason, edits);
    let claimed = found.calls.iter().fold(fix, |fix, install| fix.claiming(step.model().file.id, install.head_span()));
    Ok(claimed)
}

/// The steps that install from the lists of one refresh.
struct Installers<'m> {
    /// The first call of each step.
    calls: Vec<StepPackages<'m>>,
    /// Whether a script that may use the lists is run before the first of them.
    passes_unseen: bool,
    /// Whether somebody changes the sources before the first of them.
    passes_sources: bool,
}

fn installers<'m>(refresh: &StepPackages<'m>) -> Installers<'m> {
    let manager = refresh.call.manager;
    let mut found = Installers { calls: Vec::new(), passes_unseen: false, passes_sources: false };
    for step in refresh.at.step.later() {
        let call = step.package_commands().find(|packages| {
            let uses = matches!(packages.call.action, Action::Install | Action::Upgrade | Action::Refresh);
            packages.call.manager == manager && uses
        });
        if call.as_ref().is_some_and(|call| call.call.action == Action::Refresh) {
            break;
        }
        let until = call.as_ref().map(|call| call.at.span().start);
        let is_changed = changes_sources(step, until);
        // The lists of what comes then stay as old as they were.
        if is_changed && !found.calls.is_empty() {
            break;
        }
        found.passes_sources |= is_changed;
        match call {
            Some(call) => found.calls.push(call),
            None if found.calls.is_empty() && step.keyword() == Keyword::Run => {
                found.passes_unseen |= step.may_install_unseen();
            }
            None => {}
        }
    }
    found
}

/// Whether a step says where packages come from, before the offset `until` of the file.
fn changes_sources(step: Step<'_>, until: Option<u32>) -> bool {
    const PLACES: [&[u8]; 6] =
        [b"/etc/apt", b"/etc/apk", b"/etc/yum", b"/etc/zypp", b"/etc/pacman", b"--add-architecture"];
    if !matches!(step.keyword(), Keyword::Run | Keyword::Copy | Keyword::Add) {
        return false;
    }
    let span = step.instruction().span;
    let end = until.unwrap_or(span.end).clamp(span.start, span.end);
    let text = Span { end, ..span }.of(&step.model().file.text);
    let is_command = |command: StepCommand<'_>| {
        matches!(command.name(), Some("add-apt-repository" | "apt-add-repository" | "apt-key"))
            && command.span().start < end
    };
    PLACES.iter().any(|place| memchr::memmem::find(text, place).is_some()) || step.commands().any(is_command)
}

/// The edit that takes a command out, with its instruction where it is all of it.
fn without(packages: &StepPackages<'_>) -> Option<Edit> {
    let step = packages.at.step;
    let editor = ShellEditor::of(packages.at)?;
    let is_all = step.commands().count() == 1 && packages.at.command.script().compounds().len() == 0;
    if is_all { remove_instruction(step, step.instruction()) } else { editor.remove_command(packages.at.command) }
}

fn remove_instruction(step: Step<'_>, instruction: &Instruction) -> Option<Edit> {
    let model = step.model();
    Editor::new(model.file, model.syntax).remove(instruction)
}

/// The edits that fetch the lists right before `install`.
fn fetch_with(refresh: &StepPackages<'_>, install: &StepPackages<'_>) -> Result<Vec<Edit>, Refusal> {
    let (from, to) = (refresh.at.step, install.at.step);
    match refresh.call.manager {
        Manager::Yum | Manager::Dnf => return Ok(Vec::new()),
        Manager::Apk => {
            let calls = to.package_commands().filter(|packages| packages.call.manager == Manager::Apk);
            return calls.filter_map(|packages| without_apk_cache(&packages)).collect();
        }
        _ => {}
    }
    if from.user().user != to.user().user {
        return Err("another user runs the step that installs");
    }
    if to.instruction().flag("network").is_some() || to.mounts().iter().any(|mount| mount.kind == MountKind::Cache) {
        return Err("the step that installs sees another network or other lists");
    }
    let text = refresh.at.span().of(&from.model().file.text);
    let is_one_line = !text.contains(&b'\n') && refresh.at.command.is_verbatim();
    let text = std::str::from_utf8(text).ok().filter(|_| is_one_line).ok_or(UNSURE)?;
    let editor = ShellEditor::of_step(to).ok_or(UNSURE)?;
    let edit = editor.prepend(install.at, text).ok_or(UNSURE)?;
    Ok(vec![edit])
}

/// `--no-cache` for a call of apk that lacks it.
fn without_apk_cache(packages: &StepPackages<'_>) -> Option<Result<Edit, Refusal>> {
    let uses = matches!(packages.call.action, Action::Install | Action::Upgrade);
    let verb = packages.call.verb.filter(|_| uses && !packages.call.has_option(&["--no-cache", "--no-network"]))?;
    Some(ShellEditor::of(packages.at).map(|editor| editor.insert_behind(verb, "--no-cache")).ok_or(UNSURE))
}

/// Keeps what `packages` leaves behind out of the layer.
///
/// # Errors
/// Why that would be wrong, or cannot be told.
pub fn drop_leftover(packages: &StepPackages<'_>, leftover: Leftover, later: LaterUse) -> Result<Fix, Refusal> {
    let step = packages.at.step;
    if step.mounts().iter().any(|mount| mount.kind == MountKind::Cache) {
        return Err("the step keeps a cache in a mount; whether this one is meant to be there, it does not say");
    }
    match leftover {
        Leftover::AptLists => drop_apt_lists(packages, later),
        Leftover::ApkIndex => drop_apk_index(packages),
        Leftover::RpmCache | Leftover::ZypperCache | Leftover::CondaCache | Leftover::YarnCache
            if !is_run_always(packages.at) =>
        {
            Err("the step calls the manager only on a condition, and may be run where it is not there")
        }
        Leftover::RpmCache if packages.call.has_option(&["--installroot"]) => Err("the cache is in another root"),
        Leftover::RpmCache => {
            let clean = format!("{} clean all", packages.call.program);
            appended(packages, "Clean the cache", &clean, "later steps fetch what they need again")
        }
        Leftover::ZypperCache => {
            appended(packages, "Clean the cache", "zypper clean --all", "later steps fetch what they need again")
        }
        Leftover::CondaCache => {
            let clean = format!("{} clean --all --yes", packages.call.program);
            appended(packages, "Clean the cache", &clean, "only archives and packages that no environment uses go")
        }
        Leftover::YarnCache => {
            let fix = appended(packages, "Clean the cache", "yarn cache clean", "")?;
            Ok(Fix {
                safety: Safety::Risky,
                reason: "from Yarn 2 on the cache may be what programs run from".into(),
                ..fix
            })
        }
        Leftover::PipCache => drop_pip_cache(step),
    }
}

fn drop_apt_lists(packages: &StepPackages<'_>, later: LaterUse) -> Result<Fix, Refusal> {
    let remove = "rm -rf /var/lib/apt/lists/*";
    match later.lists {
        ListUse::Certain => Err("a later step installs from these lists without fetching them"),
        ListUse::Perhaps => {
            let fix = appended(packages, "Remove the lists", remove, "")?;
            let reason = "a script of a later step may install from these lists without fetching them";
            Ok(Fix { safety: Safety::Risky, reason: reason.into(), ..fix })
        }
        ListUse::Nobody => {
            appended(packages, "Remove the lists", remove, "no later step installs without fetching the lists itself")
        }
    }
}

fn drop_apk_index(packages: &StepPackages<'_>) -> Result<Fix, Refusal> {
    let step = packages.at.step;
    let calls: Vec<_> = step.package_commands().filter(|each| each.call.manager == Manager::Apk).collect();
    let mut edits = calls.iter().filter_map(without_apk_cache).collect::<Result<Vec<_>, _>>()?;
    let refreshes: Vec<_> = calls.iter().filter(|each| each.call.action == Action::Refresh).collect();
    let removed: Option<Vec<Edit>> = match refreshes.as_slice() {
        [] => Some(Vec::new()),
        // One at a time: two neighbours would both take the operator between them.
        [one] if !edits.is_empty() || uses_no_cache(&calls) => without(one).map(|edit| vec![edit]),
        [..] => None,
    };
    // `apk search` and the like read the index that `apk update` keeps.
    let reads_index = |each: &StepPackages<'_>| each.call.action == Action::Other;
    let has_unseen = !refreshes.is_empty()
        && (calls.iter().any(reads_index) || step.commands().any(|command| command.name().is_none()));
    if let Some(removed) = removed.filter(|_| !has_unseen) {
        edits.extend(removed);
        let reason = "with `--no-cache` apk fetches the index for the call and keeps nothing";
        return Ok(Fix::new("Use `--no-cache`", Safety::Safe, reason, edits));
    }
    appended(packages, "Remove the index", "rm -rf /var/cache/apk/*", "apk fetches an index that is missing by itself")
}

fn uses_no_cache(calls: &[StepPackages<'_>]) -> bool {
    calls.iter().any(|each| each.call.action == Action::Install && each.call.has_option(&["--no-cache"]))
}

fn drop_pip_cache(step: Step<'_>) -> Result<Fix, Refusal> {
    let lacks = |call: &PackageCommand<'_>| {
        call.manager == Manager::Pip
            && call.action == Action::Install
            && !call.has_option(&["--no-cache-dir", "--no-cache"])
    };
    let calls: Vec<_> = step.package_commands().filter(|packages| lacks(&packages.call)).collect();
    if calls.iter().any(|packages| packages.call.has_option(&["--cache-dir"])) {
        return Err("the call names a directory for its cache");
    }
    let edits = calls.iter().map(|packages| {
        let verb = packages.call.verb.ok_or(UNSURE)?;
        let editor = ShellEditor::of(packages.at).ok_or(UNSURE)?;
        Ok(editor.insert_behind(verb, "--no-cache-dir"))
    });
    let edits = edits.collect::<Result<Vec<_>, Refusal>>()?;
    Ok(Fix::new("Use `--no-cache-dir`", Safety::Safe, "pip only keeps its cache for later calls", edits))
}

/// A command more at the end of the step, as root where the call is made so.
fn appended(
    packages: &StepPackages<'_>,
    title: &'static str,
    text: &str,
    reason: &'static str,
) -> Result<Fix, Refusal> {
    let at = packages.at;
    let text = if is_elevated(at) { format!("sudo {text}") } else { text.to_owned() };
    if at.command.script().is_inline() && !at.step.runs_as_root() && !is_elevated(at) {
        return Err("another shell makes the call, perhaps for another user");
    }
    let editor = ShellEditor::of_step(at.step).ok_or(UNSURE)?;
    let edit = editor.append(&text).ok_or("the script ends itself, or goes on in the background")?;
    Ok(Fix::new(title, Safety::Safe, reason, vec![edit]))
}

/// Whether a command is run whenever its step is: `yum install x || apt-get install x` runs one or both.
fn is_run_always(command: StepCommand<'_>) -> bool {
    let place = command.command.place();
    let is_choice = [place.before, place.after].contains(&Connector::Or);
    !is_choice && command.command.blocks().all(|block| block.kind() == CompoundKind::Group)
}

/// Whether a command needs `sudo` to be root.
fn is_elevated(command: StepCommand<'_>) -> bool {
    let is_sudo = command.command.name() == Some("sudo");
    is_sudo && command.invocation().is_some_and(|run| run.is_wrapped_by(Wrapper::Elevate))
}
