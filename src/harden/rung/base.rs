//! Rungs 3 and 4: a base that is made to run this and no more, the program started without a shell, inputs pinned; and a
//! base without a shell.

use super::{Judge, Rung};
use crate::{
    knowledge::{ImageFacts, Role},
    model::{Base, CopySource, ScriptForm, Stage, Step, UnknownBase, UsedBy, add::is_archive, file_name},
    rewrite::start::ShellForm,
    syntax::dockerfile::Keyword,
};
use std::borrow::Cow;

impl Judge<'_, '_> {
    pub(super) fn runtime_only(&mut self) {
        if let Some(reason) = more_than_needed(self.target) {
            self.miss(Rung::RuntimeOnly, reason);
        }
        if let Some(line) = brings_system(self.target) {
            self.miss(Rung::RuntimeOnly, format!("what system line {line} unpacks is not known"));
        }
        self.start();
        self.pins();
    }

    /// The program is process 1, or an entry script that the file names.
    fn start(&mut self) {
        let start = self.target.start_steps();
        if start.is_empty() && matches!(self.target.root_base(), Base::Scratch) {
            self.miss(Rung::RuntimeOnly, "no `ENTRYPOINT` or `CMD` says what it starts");
        }
        for step in start {
            let line = step.instruction().lines.0;
            if ShellForm::of(step).is_some() || hands_to_shell(step) {
                let reason = format!("a shell stands before the program in line {line}: write its words as JSON");
                self.miss(Rung::RuntimeOnly, reason);
            } else if step.script().is_none_or(|script| !script.script.dialect().is_bourne()) {
                self.miss(Rung::RuntimeOnly, format!("what line {line} starts cannot be read"));
            }
        }
    }

    /// Every image whose digest the lock knows has it.
    fn pins(&mut self) {
        let model = self.target.model();
        for image in model.image_uses() {
            let is_needed = match image.by {
                UsedBy::From(stage) => stage.is_built(),
                UsedBy::Step(step) => step.stage().is_built(),
            };
            let is_known = image.reference.digest().is_none() && self.cx.lock.image(&image.reference).is_some();
            if is_needed && is_known {
                let (name, line) = (image.reference.text(), self.line(image.span));
                let reason = format!("`{name}` in line {line} has no digest, and `ironhull.lock` knows one");
                self.miss(Rung::RuntimeOnly, reason);
            }
        }
    }

    pub(super) fn no_shell(&mut self) {
        if let Some(reason) = shell_in(self.target) {
            self.miss(Rung::NoShell, reason);
        }
        let steps: Vec<_> = self.target.chain_steps().collect();
        for step in steps {
            if let Some(what) = brings_shell(step) {
                let line = step.instruction().lines.0;
                self.miss(Rung::NoShell, format!("line {line} copies {what}, and maybe a shell with it"));
            }
        }
    }
}

/// Why its base is not, or may not be, made to run this and no more.
fn more_than_needed(target: Stage<'_>) -> Option<Cow<'static, str>> {
    let image = match target.root_base() {
        Base::Scratch => return None,
        Base::Unknown(UnknownBase::Missing) => return Some("a variable decides what it is built on".into()),
        Base::Unknown(_) | Base::Stage(_) => return Some("what it is built on cannot be told".into()),
        Base::Image(image) => image,
    };
    let name = image.reference.text();
    let Some(facts) = image.facts.as_deref() else {
        return Some(format!("nothing is known of `{name}`").into());
    };
    if facts.role.known() == Some(&Role::Build) {
        // A base without a C library runs only programs that load none, which the tag of the builder does not tell.
        let also = facts.runtime.known().filter(|runtime| !runtime.contains("/static"));
        let also = also.map_or(String::new(), |runtime| format!(": `{runtime}` runs what it builds"));
        return Some(format!("`{name}` is made for building{also}").into());
    }
    if facts.minimal.known() == Some(&true) {
        return None;
    }
    match facts.role.known() {
        // A server has in it what it serves with: smaller variants leave out parts of it.
        Some(Role::Server | Role::Database) => None,
        Some(Role::Os | Role::Runtime | Role::Tool | Role::Application) => smaller(name, facts),
        Some(Role::Language | Role::Build) => Some(smaller(name, facts).unwrap_or_else(|| {
            format!("`{name}` may hold what only a build needs: no smaller variant of it is known").into()
        })),
        None => Some(format!("what `{name}` is made for is not known").into()),
    }
}

/// The smaller image that does the same.
fn smaller(name: &str, facts: &ImageFacts) -> Option<Cow<'static, str>> {
    let smaller = facts.slim.known().or(facts.runtime.known())?;
    Some(format!("`{smaller}` has less in it than `{name}`").into())
}

/// Whether the JSON form starts a shell that runs a text: `["sh", "-c", "…"]`. A text that begins with `exec` leaves none.
fn hands_to_shell(step: Step<'_>) -> bool {
    let is_exec = step.script().is_some_and(|script| script.form == ScriptForm::Exec);
    let mut commands = step.commands();
    let inline = commands.next().and_then(|command| command.invocation()?.inline_script());
    is_exec
        && inline.is_some_and(|(text, _)| {
            let text = text.text();
            !text.trim_start().starts_with("exec ")
        })
}

/// Why its base has a shell or a package manager, or may have.
fn shell_in(target: Stage<'_>) -> Option<Cow<'static, str>> {
    let image = match target.root_base() {
        Base::Scratch => return None,
        Base::Unknown(_) | Base::Stage(_) => return Some("what it is built on cannot be told".into()),
        Base::Image(image) => image,
    };
    let name = image.reference.text();
    let facts = image.facts.as_deref();
    let (shell, manager) = (facts.and_then(|facts| facts.shell.known()), facts.map(|facts| &facts.package_manager));
    match (shell, manager.and_then(|manager| manager.known())) {
        (Some(shells), _) if !shells.is_empty() => Some(format!("`{name}` has the shell `{}`", shells[0]).into()),
        (_, Some(Some(_))) => Some(format!("`{name}` has a package manager").into()),
        (Some(_), Some(None)) => None,
        (None, _) | (_, None) => Some(format!("whether `{name}` has a shell or a package manager is not known").into()),
    }
}

/// Whether the base of an image has a shell or a package manager, or may have.
pub fn has_shell(target: Stage<'_>) -> bool {
    shell_in(target).is_some()
}

/// What a `COPY` or `ADD` may bring a shell with.
fn brings_shell(step: Step<'_>) -> Option<String> {
    if !matches!(step.keyword(), Keyword::Copy | Keyword::Add) {
        return None;
    }
    let to = step.destination().and_then(|word| step.absolute_arg(word)).unwrap_or_default();
    if let Some(CopySource::Image(reference)) = step.copy_source()
        && file_name(&reference.name()) == "busybox"
    {
        return Some(format!("from `{}`", reference.text()));
    }
    let names = step.sources().into_iter().map(|source| source.text).chain([to]);
    let mut names = names.filter(|name| is_shell(name) || is_whole(name) && step.copy_source().is_some());
    names.next().map(|name| format!("`{name}`"))
}

fn is_shell(path: &str) -> bool {
    matches!(file_name(path), "sh" | "bash" | "ash" | "dash" | "busybox" | "busybox-static" | "zsh")
}

fn is_whole(path: &str) -> bool {
    matches!(path, "/bin" | "/usr/bin" | "/bin/" | "/usr/bin/" | "/usr" | "/usr/" | ".")
}

/// The line in which a system is unpacked at the root: `ADD rootfs.tar.gz /`, `COPY --from=build / /`.
fn brings_system(target: Stage<'_>) -> Option<u32> {
    let mut steps = target.chain_steps();
    let step = steps.find(|step| {
        let to = step.destination().and_then(|word| step.absolute_arg(word));
        let is_root = to.as_deref() == Some("/");
        let sources = step.sources();
        match (step.keyword(), step.copy_source()) {
            (Keyword::Add, _) => is_root && sources.iter().any(|source| is_archive(&source.text)),
            (Keyword::Copy, Some(_)) => sources.iter().any(|source| source.text.trim_matches('/').is_empty()),
            _ => false,
        }
    })?;
    Some(step.instruction().lines.0)
}
