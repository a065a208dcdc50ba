//! Deno: one program, which its official images have on a base without a shell.
//!
//! Facts: the Dockerfiles of the official images (`denoland/deno:bin-…` is `/deno` and nothing else, `distroless-…`
//! starts `/bin/deno` behind an init process, `DENO_DIR` is `/deno-dir` in all that run), Deno's manual (`DENO_DIR`
//! holds what is fetched and compiled; the installer takes the newest version, or the one behind `-s`).

use super::{
    common::{change, climbing, needs_more},
    whole::{Places, Whole},
};
use crate::{
    harden::{
        Change, Proposal, Runtime, Start, Subject,
        effect::{Ecosystem, Effect, Kind},
        health::{self, Health},
    },
    model::{Process, Step, StepCommand},
    syntax::dockerfile::{Editor, Keyword},
    text::Edit,
};

/// The official image.
const IMAGE: &str = "denoland/deno";

/// Where the program goes in a stage that builds.
const PROGRAM: &str = "/usr/local/bin/deno";

/// Where Deno keeps what it fetches and compiles, as the official images have it.
const CACHE: &str = "/deno-dir";

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let is_official =
        subject.target.named_image().is_some_and(|image| image.reference.name() == "docker.io/denoland/deno");
    let startup = subject.startup();
    let words = startup.process.as_ref().and_then(Process::known_words)?;
    let program = words.first().map(|word| crate::model::file_name(word));
    let is_deno = program == Some("deno") || is_official && words.iter().any(|word| VERBS.contains(word));
    if !is_deno || !startup.before.is_empty() {
        return None;
    }
    let arguments: Vec<String> =
        words.iter().skip_while(|word| !VERBS.contains(*word)).map(|word| (*word).to_owned()).collect();
    let mut recipe = Recipe { whole: Whole::new(subject, None), edits: Vec::new(), changes: Vec::new(), version: None };
    let origin = if is_official { recipe.of_image() } else { recipe.of_installer() };
    if let Err(reason) = origin {
        return Some(Proposal::of("Deno", Err(reason.into())));
    }
    if is_official
        && !recipe.whole.has_to_part()
        && subject.target.named_image()?.reference.tag().is_some_and(|tag| tag.contains("distroless"))
    {
        return None;
    }
    let climb = || {
        let slim = recipe.slim(&arguments)?;
        let better = recipe.without_shell(&arguments, &slim);
        Ok(climbing(better, slim))
    };
    Some(Proposal::of("Deno", climb().map_err(|reason: String| reason.into())))
}

/// What Deno is told to do.
const VERBS: [&str; 3] = ["run", "serve", "task"];

struct Recipe<'s, 'a> {
    whole: Whole<'s, 'a>,
    /// What the build needs.
    edits: Vec<Edit>,
    changes: Vec<Change>,
    /// The version, where the author names one.
    version: Option<String>,
}

impl<'a> Recipe<'_, 'a> {
    /// The version in the tag of the official image.
    fn of_image(&mut self) -> Result<(), String> {
        let image = self.whole.subject.target.named_image().ok_or("a variable decides what it is built on")?;
        let tag = image.reference.tag().unwrap_or("latest").to_owned();
        let number = tag.rsplit('-').next().unwrap_or_default();
        match (tag.as_str(), number.starts_with(|char: char| char.is_ascii_digit())) {
            ("latest" | "debian" | "alpine" | "ubuntu" | "distroless", _) => Ok(()),
            (_, true) => {
                self.version = Some(number.to_owned());
                Ok(())
            }
            _ => Err(format!("which Deno `{}` has is not known", image.reference.text())),
        }
    }

    /// The program of the official image in the place of the installer.
    fn of_installer(&mut self) -> Result<(), String> {
        let subject = self.whole.subject;
        let steps = subject.runs();
        let installs = |step: &&Step<'a>| step.scripts_hold("deno.land/") && step.scripts_hold("install.sh");
        let step = *steps.iter().find(installs).ok_or("where Deno comes from is not known")?;
        let line = step.instruction().lines.0;
        let commands: Vec<StepCommand<'a>> = step.commands().collect();
        let at = commands
            .iter()
            .position(|command| matches!(command.name(), Some("curl" | "wget")))
            .ok_or_else(|| format!("line {line} installs Deno in a way of its own"))?;
        let shell = commands.get(at + 1).filter(|command| matches!(command.name(), Some("sh" | "bash")));
        let shell = shell.ok_or_else(|| format!("line {line} installs Deno in a way of its own"))?;
        let others = commands.iter().enumerate().filter(|(index, _)| *index != at && *index != at + 1);
        let only_prepares = others.into_iter().all(|(_, command)| {
            matches!(command.name(), Some("apt-get" | "apt" | "apk" | "set" | "rm")) && fetches_only(*command)
        });
        if !only_prepares {
            return Err(format!("line {line} does more than install Deno"));
        }
        self.version = shell.command.words().filter_map(|word| shell.value(word)).find_map(|word| {
            word.strip_prefix('v')
                .filter(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
                .map(str::to_owned)
        });
        let tag = self.version.as_ref().map_or("bin".to_owned(), |version| format!("bin-{version}"));
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        let span = step.instruction().span;
        self.edits.push(editor.replace(span, format!("COPY --from={IMAGE}:{tag} /deno {PROGRAM}")));
        let reason = "the installer is a program that a page sends; the image has the program itself";
        self.changes.push(change(
            "Take Deno out of its own image",
            reason,
            subject.evidence(span, "runs the installer"),
        ));
        self.whole.effects.retain(|effect| effect.step.index() != step.index());
        self.drop_tools(step);
        Ok(())
    }

    /// Takes out the step that only installs what the installer needed.
    fn drop_tools(&mut self, installer: Step<'a>) {
        let subject = self.whole.subject;
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        for step in subject.runs().into_iter().take_while(|step| step.index() != installer.index()) {
            let only_tools = step.commands().all(|command| {
                matches!(command.name(), Some("apt-get" | "apt" | "apk" | "set" | "rm")) && fetches_only(command)
            });
            if !only_tools {
                continue;
            }
            let removed = editor.remove(step.instruction());
            if let Some(edit) = removed {
                self.edits.push(edit);
                let reason = "only the installer called them";
                let evidence = subject.evidence(step.instruction().span, "installs them");
                self.changes.push(change("Leave the tools of the installer out", reason, evidence));
                self.whole.effects.retain(|effect| effect.step.index() != step.index());
            }
        }
    }

    /// The image on Deno's own small one.
    fn slim(&self, arguments: &[String]) -> Result<Runtime, String> {
        let subject = self.whole.subject;
        let tag = self.version.clone().unwrap_or_else(|| "latest".to_owned());
        let base = match subject.target.named_image().filter(|image| image.reference.name().ends_with(IMAGE)) {
            Some(_) => self.whole.own_base(),
            None => format!("{IMAGE}:{tag}"),
        };
        let cache = self.cache();
        let mut runtime = self.whole.on(base, |effect| self.installed(effect, &cache))?;
        runtime.build.extend(self.edits.iter().cloned());
        runtime.changes.extend(self.changes.iter().cloned());
        let caches = self.whole.effects.iter().find(|effect| is_of_deno(effect));
        if subject.target.variable("DENO_DIR").is_none() {
            // Deno's own image sets it.
            let is_own = subject.target.named_image().is_some_and(|image| image.reference.name().ends_with(IMAGE));
            if let Some(effect) = caches.filter(|_| !is_own) {
                let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
                let line = format!("ENV DENO_DIR={CACHE}");
                runtime.build.push(editor.insert_before_comments(effect.step.instruction(), &[line]));
            }
            runtime.environment.push(("DENO_DIR".to_owned(), CACHE.to_owned()));
        }
        runtime
            .left_out
            .extend(["DENO_INSTALL", "PATH"].map(str::to_owned).into_iter().filter(|name| self.is_of_root(name)));
        let mut command = vec!["deno".to_owned()];
        command.extend(arguments.iter().cloned());
        runtime.start = Some(subject.started_by(command));
        runtime.changes.push(change(
            "Run on Deno's own image",
            "it has the program and nothing to build with",
            subject.evidence(subject.target.root().base_span(), "the base"),
        ));
        Ok(runtime)
    }

    /// The image without a shell, given the other.
    fn without_shell(&self, arguments: &[String], slim: &Runtime) -> Result<Runtime, String> {
        let subject = self.whole.subject;
        if let [package, ..] = slim.packages.as_slice() {
            return Err(format!("it needs the package `{package}`, and a base without a shell takes no packages"));
        }
        subject.starts_nothing_else()?;
        match health::health(subject) {
            Health::None => {}
            Health::Probe(step, _) | Health::Other(step) => return Err(needs_more(step)),
        }
        if let Some(step) = slim.finish.first().or(slim.setup.first()) {
            return Err(format!("`{step}` takes a shell"));
        }
        if arguments.iter().any(|word| word == "task") {
            return Err("a task starts what `deno.json` says, which may be a shell".to_owned());
        }
        let tag = self.version.as_ref().map_or("distroless".to_owned(), |version| format!("distroless-{version}"));
        let mut runtime = slim.clone();
        runtime.base = format!("{IMAGE}:{tag}");
        // Its entry point is the program itself, which stays where the author has none.
        let words = std::iter::once("deno").chain(arguments.iter().map(String::as_str)).map(str::to_owned).collect();
        let start = subject.started_by(words);
        let own = || Start { entrypoint: None, command: Some(arguments.to_vec()) };
        runtime.start = Some(if start.entrypoint.is_some() { start } else { own() });
        if let Some(last) = runtime.changes.last_mut() {
            last.title = "Run on Deno's image without a shell".into();
            last.reason = "its entry point is the program, and nothing that is started needs a shell".into();
        }
        Ok(runtime)
    }

    fn cache(&self) -> String {
        let told = self.whole.subject.target.variable("DENO_DIR").and_then(|variable| variable.value.as_ref()?.known());
        told.map_or(CACHE, |path| path.trim_end_matches('/')).to_owned()
    }

    fn installed(&self, effect: &Effect<'a>, cache: &str) -> Places {
        match &effect.kind {
            Kind::LanguagePackages { ecosystem: Ecosystem::Deno, .. } => Ok(vec![cache.to_owned()]),
            Kind::LanguagePackages { program, .. } => Err(format!(
                "where `{program}` in line {} installs, and whether the program needs it, is not known",
                self.whole.line(effect)
            )),
            _ => Ok(Vec::new()),
        }
    }

    /// Whether a variable points into the home of root, where the installer puts Deno.
    fn is_of_root(&self, name: &str) -> bool {
        let steps = self.whole.subject.steps();
        let mut variables = steps.iter().filter(|step| step.keyword() == Keyword::Env).flat_map(|step| step.assigned());
        variables.any(|variable| {
            &*variable.name == name
                && variable
                    .value
                    .as_ref()
                    .is_some_and(|value| value.text.contains(".deno") || value.text.contains("DENO_INSTALL"))
        })
    }
}

fn is_of_deno(effect: &Effect<'_>) -> bool {
    matches!(effect.kind, Kind::LanguagePackages { ecosystem: Ecosystem::Deno, .. })
}

/// Whether a command of a package manager only installs what fetches and unpacks, or cleans up behind that.
fn fetches_only(command: StepCommand<'_>) -> bool {
    const TOOLS: [&str; 12] = [
        "curl",
        "unzip",
        "wget",
        "ca-certificates",
        "update",
        "install",
        "add",
        "clean",
        "upgrade",
        "apt-get",
        "apt",
        "apk",
    ];
    command.command.words().all(|word| {
        let text = word.text();
        text.starts_with('-')
            || TOOLS.contains(&&*text)
            || command.name() == Some("set")
            || text.contains("/apt/lists")
            || text == "rm"
    })
}
