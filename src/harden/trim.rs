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
    syntax::dockerfile::{Editor, Keyword},
    text::Edit,
};
use std::collections::BTreeSet;

/// The edits that take packages out of the image of `subject` that nothing needs, and what they do.
pub fn unneeded(subject: &Subject<'_>) -> Option<(Vec<Edit>, Change)> {
    let image = Image::of(subject)?;
    let mut edits = Vec::new();
    let mut evidence = Vec::new();
    for step in subject.runs() {
        let mut places = Vec::new();
        let mut of_step = image.without(step, &mut places);
        of_step.sort();
        // Two calls side by side may both want the operator between them.
        let is_disjoint = of_step.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
        if is_disjoint {
            edits.extend(of_step);
            evidence.extend(places);
        }
    }
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
        let is_called = |program: &str| self.programs.names.contains(program) || self.called.contains(program);
        if is_called(name) || own.iter().any(|program| is_called(program)) {
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
