//! Packages that a finished image has and nothing in it calls: they are taken out of the step that installs them, with
//! the step where nothing else is left of it.
//!
//! Only where all that the image calls is known: its sources are read, or its base serves files. A package goes if its
//! programs are named neither by the start command, the health check and the sources, nor by any command of the image's
//! own steps. What the base image brings along stays, and so does everything in an image that people work in.

use super::{
    Change, Evidence, Subject,
    effect::{self, Effect, Kind},
    packages::{Programs, is_fetcher},
};
use crate::{
    knowledge::{Family, Runtime},
    model::{
        Process, Step, StepCommand, StepPackages, file_name,
        packages::{Action, is_build_tool},
    },
    rewrite::shell::ShellEditor,
    rule::Safety,
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::{Redirect, Word},
    },
    text::Edit,
};
use std::collections::BTreeSet;

/// The edits that take packages out of the image of `subject` that nothing needs, and what they do.
pub fn unneeded(subject: &Subject<'_>) -> Option<(Vec<Edit>, Change)> {
    let mut image = Image::of(subject)?;
    let (edits, evidence) = if let Some(found) = image.edits() {
        found
    } else {
        image.keeps_sudo = true;
        image.edits()?
    };
    let change = Change {
        title: "Leave out packages that nothing calls".into(),
        safety: Safety::Risky,
        reason: "no start command, health check, program of the build context or later step names what they have"
            .into(),
        evidence,
    };
    (!edits.is_empty()).then_some((edits, change))
}

/// The names of `packages` that something in the image of `subject` may need.
pub fn needed<'p>(subject: &Subject<'_>, packages: &'p [String]) -> Vec<&'p str> {
    let image = Image::of(subject);
    let is_needed = |name: &&str| image.as_ref().is_none_or(|image| !image.is_unneeded(name));
    packages.iter().map(String::as_str).filter(is_needed).collect()
}

/// Programs that run those of a project.
const INTERPRETERS: [&str; 16] = [
    "python",
    "node",
    "ruby",
    "perl",
    "php",
    "java",
    "deno",
    "bun",
    "gunicorn",
    "uvicorn",
    "hypercorn",
    "daphne",
    "celery",
    "flask",
    "puma",
    "dotnet",
];

/// What an image calls, and what its steps do.
struct Image<'s, 'a> {
    subject: &'s Subject<'a>,
    family: Family,
    release: Option<&'a str>,
    effects: Vec<Effect<'a>>,
    programs: Programs,
    /// The names of all commands of its steps.
    called: BTreeSet<String>,
    /// Whether its steps tell `sudo` who may do what in a way that cannot be taken out with it.
    keeps_sudo: bool,
}

impl<'s, 'a> Image<'s, 'a> {
    /// `None` where nobody can tell what it starts.
    fn of(subject: &'s Subject<'a>) -> Option<Self> {
        let facts = subject.target.image_facts()?;
        let family = *facts.family.known()?;
        let mut programs = subject.programs().clone();
        programs.is_complete |= serves_files(subject);
        if !programs.is_complete {
            return None;
        }
        // A wrapper is called as well as what it runs: `sudo -E bash -`.
        let names = |command: StepCommand<'a>| [command.name(), command.command.name()];
        let called = subject.runs().into_iter().flat_map(Step::commands).flat_map(names).flatten();
        let image = Self {
            subject,
            family,
            release: facts.release.known().map(String::as_str),
            effects: effect::effects(subject),
            programs,
            called: called.map(str::to_owned).collect(),
            keeps_sudo: false,
        };
        (serves_files(subject) || image.starts_own()).then_some(image)
    }

    /// Whether it starts a program of the project, of which the sources tell what it calls: no shell, for people to work
    /// in, no script, and nothing that a package brings, which may call others.
    fn starts_own(&self) -> bool {
        let process = self.subject.startup().process.as_ref();
        let Some(name) = process.and_then(Process::program) else { return false };
        let is_script =
            ["sh", "bash", "ash", "dash", "zsh", "fish", "screen", "tmux"].contains(&name) || name.ends_with(".sh");
        let is_interpreter =
            INTERPRETERS.contains(&name.trim_end_matches(|char: char| char.is_ascii_digit() || char == '.'));
        let of_package = || {
            self.effects.iter().any(|effect| {
                let Kind::Packages { names, is_complete, .. } = &effect.kind else { return false };
                let brings = |package: &String| {
                    package == name
                        || self.subject.cx.knowledge.programs_of(self.family, self.release, package).contains(&name)
                };
                !is_complete || names.iter().any(brings)
            })
        };
        !is_script && (is_interpreter || !of_package())
    }

    /// The edits of all steps, and what they are about; `None` where `sudo` would go and what it is told could not.
    fn edits(&self) -> Option<(Vec<Edit>, Vec<Evidence>)> {
        let mut edits = Vec::new();
        let mut evidence = Vec::new();
        let takes_sudo = !self.keeps_sudo && self.installs(SUDO) && self.is_unneeded(SUDO);
        for step in self.subject.runs() {
            let mut places = Vec::new();
            let mut of_step = self.without(step, &mut places);
            if takes_sudo {
                of_step.extend(self.untold(step)?);
            }
            of_step.sort();
            of_step.dedup();
            // Two calls side by side may both want the operator between them.
            let is_disjoint = of_step.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
            if is_disjoint {
                edits.extend(of_step);
                evidence.extend(places);
            } else if takes_sudo {
                return None;
            }
        }
        Some((edits, evidence))
    }

    fn installs(&self, name: &str) -> bool {
        let names = |effect: &Effect<'_>| matches!(&effect.kind, Kind::Packages { names, .. } if names.iter().any(|each| each == name));
        self.effects.iter().any(names)
    }

    /// Takes out what a step tells `sudo`; `None` where it does more with that.
    fn untold(&self, step: Step<'a>) -> Option<Vec<Edit>> {
        if !step.scripts_hold(SUDOERS) {
            return Some(Vec::new());
        }
        let commands: Vec<StepCommand<'a>> = step.commands().collect();
        let told: Vec<&StepCommand<'a>> = commands.iter().filter(|command| names(command, SUDOERS)).collect();
        if told.is_empty() || !told.iter().all(|command| only_tells(command)) {
            return None;
        }
        if told.len() == commands.len() {
            let editor = Editor::new(self.subject.cx.file, self.subject.cx.model.syntax);
            return Some(vec![editor.remove(step.instruction())?]);
        }
        told.into_iter().map(|command| ShellEditor::of(*command)?.remove_command(command.command)).collect()
    }

    /// The edits of one step.
    fn without(&self, step: Step<'a>, evidence: &mut Vec<Evidence>) -> Vec<Edit> {
        let calls: Vec<StepPackages<'a>> =
            step.package_commands().filter(|packages| packages.call.action == Action::Install).collect();
        let mut edits = Vec::new();
        for packages in &calls {
            let all: Vec<_> = packages.call.packages().collect();
            let is_complete = !packages.call.is_dynamic() && all.iter().all(|package| package.version.is_none());
            let gone: Vec<_> = all.iter().filter(|package| self.is_unneeded(package.name)).collect();
            if gone.is_empty() || !packages.call.manager.is_system() {
                continue;
            }
            let removed = if gone.len() == all.len() && is_complete {
                self.without_call(step, packages, calls.len()).map(|edit| vec![edit])
            } else {
                let editor = ShellEditor::of(packages.at);
                editor.and_then(|editor| gone.iter().map(|package| editor.remove_span(package.span)).collect())
            };
            let Some(removed) = removed else { continue };
            edits.extend(removed);
            let names = gone.iter().map(|package| format!("`{}`", package.name)).collect::<Vec<_>>().join(", ");
            evidence.push(self.subject.evidence(packages.at.span(), format!("installs {names}")));
        }
        edits
    }

    /// Takes a whole call out, with its instruction where that does nothing else that lasts.
    fn without_call(&self, step: Step<'a>, packages: &StepPackages<'a>, calls: usize) -> Option<Edit> {
        let of_step = self.effects.iter().filter(|effect| effect.step == step);
        let serves_it = |effect: &Effect<'_>| match &effect.kind {
            Kind::Packages { .. } | Kind::Transient => true,
            Kind::Removes(places) => places.known.iter().all(|path| path.starts_with("/var/")),
            _ => false,
        };
        let is_all = calls == 1 && of_step.into_iter().all(serves_it);
        if is_all {
            let editor = Editor::new(self.subject.cx.file, self.subject.cx.model.syntax);
            return editor.remove(step.instruction());
        }
        ShellEditor::of(packages.at)?.remove_command(packages.at.command)
    }

    fn is_unneeded(&self, name: &str) -> bool {
        let knowledge = self.subject.cx.knowledge;
        let own = knowledge.programs_of(self.family, self.release, name);
        let is_called = |program: &str| self.programs.are_to_have(program) || self.called.contains(program);
        if is_called(name) || own.iter().any(|program| is_called(program)) {
            return false;
        }
        if name == SUDO {
            if self.keeps_sudo {
                return false;
            }
        } else if self.is_configured(name) || own.iter().any(|program| self.is_configured(program)) {
            return false;
        }
        match knowledge.runtime_of(self.family, self.release, name) {
            Runtime::Comfort => true,
            Runtime::Tool { .. } => !self.works(),
            Runtime::BuildOnly => is_build_tool(name) && !self.works(),
            Runtime::Unknown => is_fetcher(name) && !self.works(),
            Runtime::Libraries(_) | Runtime::Present | Runtime::Needed => false,
        }
    }

    /// Whether a step writes into the settings of a package: without it their directory is not there.
    fn is_configured(&self, name: &str) -> bool {
        const ENDS: [&str; 5] = ["/", "_", ".", "rc", "config"];
        let paths = ENDS.map(|end| format!("/etc/{name}{end}"));
        self.subject.runs().iter().any(|step| paths.iter().any(|path| step.scripts_hold(path)))
    }

    /// Whether a step does something that may call a program that it does not name.
    fn works(&self) -> bool {
        self.effects
            .iter()
            .any(|effect| matches!(effect.kind, Kind::Build { .. } | Kind::LanguagePackages { .. } | Kind::Unknown(_)))
    }
}

/// Whether a web server of the base image serves files, and nothing of the project runs: its own start, and no script
/// for its entry point.
///
/// Facts: docker-nginx (`/docker-entrypoint.d`), docker-library/httpd (`httpd-foreground`).
fn serves_files(subject: &Subject<'_>) -> bool {
    let Some(image) = subject.target.named_image() else { return false };
    let is_server = matches!(
        image.reference.name().as_str(),
        "docker.io/library/nginx" | "docker.io/nginxinc/nginx-unprivileged" | "docker.io/library/httpd"
    );
    let start = subject.target.start_steps();
    let names = || start.iter().flat_map(|step| step.commands()).filter_map(StepCommand::name);
    let is_own = names().all(|name| matches!(file_name(name), "nginx" | "httpd-foreground" | "httpd"))
        && start.iter().all(|step| step.keyword() == Keyword::Cmd);
    let has_scripts = subject.steps().iter().any(|step| {
        let to = step.destination().and_then(|word| step.absolute_arg(word));
        to.is_some_and(|to| to.starts_with("/docker-entrypoint"))
    });
    is_server && is_own && !has_scripts
}

const SUDO: &str = "sudo";

/// The beginning of the paths of what tells `sudo` who may do what.
const SUDOERS: &str = "/etc/sudoers";

/// Whether a command names a path that begins so.
fn names(command: &StepCommand<'_>, path: &str) -> bool {
    let targets = command.command.redirects().map(Redirect::target);
    command.command.words().chain(targets).any(|word| word.text().starts_with(path))
}

/// Whether a command does nothing but write into what `sudo` is told, or set the mode of that.
fn only_tells(command: &StepCommand<'_>) -> bool {
    let is_told = |word: Word<'_>| word.text().starts_with(SUDOERS);
    match command.name() {
        Some("echo" | "printf") => command.command.redirects().map(Redirect::target).all(is_told),
        Some("chmod" | "chown" | "rm" | "mkdir") => {
            let mut paths = command.command.arguments().filter(|word| word.bytes().starts_with(b"/"));
            paths.all(is_told) && command.command.redirects().len() == 0
        }
        Some(_) | None => false,
    }
}
