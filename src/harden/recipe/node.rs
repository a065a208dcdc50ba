//! Node.js: what is installed and built with the full image runs on its slim variant, or on a base without a shell.
//!
//! Facts: the README of the official `node` image (variants), npm-install and npm-prune (`--omit`), the README of
//! distroless (`nodejs*`: `/nodejs/bin/node` is the entry point).

use super::common::{ask_for_health, change, climbing, outside};
use crate::{
    harden::{
        Declined, Proposal, Rung, Runtime, Start, Subject, Taken,
        effect::{self, Ecosystem, Effect, Kind},
        packages,
    },
    knowledge::Code,
    model::{PackageJson, StepCommand},
    text::Edit,
};
use serde_json::Value;
use std::borrow::Cow;

/// The interpreter in distroless images.
const DISTROLESS_NODE: &str = "/nodejs/bin/node";

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    if image.reference.name().rsplit('/').next() != Some("node") {
        return None;
    }
    let mut proposal = Proposal { stack: "Node.js".to_owned(), ..Proposal::default() };
    let facts = image.facts.as_deref();
    let slim = facts.and_then(|facts| facts.slim.known()).and_then(|slim| subject.named(slim));
    let recipe = Recipe::new(subject);
    let on = |base| {
        let recipe = recipe.as_ref().map_err(String::clone)?;
        Ok((recipe, recipe.slim(base)?))
    };
    let slim: Option<(&Recipe<'_, '_>, Runtime)> = match slim.map(on) {
        Some(Ok(slim)) => Some(slim),
        Some(Err(reason)) => {
            proposal.declined.push(Declined { rung: Rung::Clean, reason: Cow::Owned(reason) });
            None
        }
        None => {
            let reason = format!("no smaller variant of `{}` is known", image.reference.text());
            proposal.declined.push(Declined { rung: Rung::RuntimeOnly, reason: reason.into() });
            None
        }
    };
    let shell_less = facts.and_then(|facts| facts.shell_less.known());
    let unknown = || {
        format!(
            "`{}` does not say which Node.js it has, and a base without a shell has one of its own",
            image.reference.text()
        )
    };
    match (shell_less, slim) {
        (shell_less, Some((recipe, slim))) => {
            let better = shell_less.ok_or_else(unknown).and_then(|base| recipe.without_shell(base, &slim));
            let (runtimes, declined) = climbing(better, slim);
            proposal.runtimes = runtimes;
            proposal.declined.extend(declined);
        }
        (None, None) => proposal.declined.push(Declined { rung: Rung::NoShell, reason: unknown().into() }),
        (Some(_), None) => {}
    }
    Some(proposal)
}

struct Recipe<'s, 'a> {
    subject: &'s Subject<'a>,
    effects: Vec<Effect<'a>>,
    /// Where the program and its packages lie.
    home: String,
    manifest: Option<PackageJson>,
}

impl<'s, 'a> Recipe<'s, 'a> {
    fn new(subject: &'s Subject<'a>) -> Result<Self, String> {
        let effects = effect::effects(subject);
        let home =
            subject.workdir().ok_or("the working directory is not known, or it is the root of the file system")?;
        let manifest = subject.file("package.json").and_then(|found| PackageJson::read(&found));
        Ok(Self { subject, effects, home: home.to_owned(), manifest })
    }

    /// The image on the slim variant of the same release.
    fn slim(&self, base: String) -> Result<Runtime, String> {
        let mut runtime = Runtime { base, taken: vec![Taken::at(self.home.clone())], ..Runtime::default() };
        runtime.changes.push(change(
            "Run on the slim variant of the same release",
            "it has the same Node.js of the same distribution, without compilers and what else a build needs",
            self.subject.evidence(self.subject.target.root().base_span(), "the base that builds"),
        ));
        outside(self.subject, &self.effects, &self.home, &mut runtime)?;
        self.dependencies(&mut runtime);
        let kept = packages::kept(self.subject, &self.effects, self.subject.programs());
        runtime.packages = kept.install;
        runtime.changes.extend(kept.changes);
        self.start(&mut runtime);
        Ok(runtime)
    }

    /// The image on a base without a shell, given the one on the slim variant.
    fn without_shell(&self, base: &str, slim: &Runtime) -> Result<Runtime, String> {
        if let [package, ..] = slim.packages.as_slice() {
            return Err(format!("it needs the package `{package}`, and a base without a shell takes no packages"));
        }
        if let Some(outside) = slim.taken.iter().find(|taken| taken.to.starts_with("/usr/local")) {
            return Err(format!("it may need `{}` of the full image", outside.to));
        }
        let start = slim.start.as_ref().ok_or("what it starts is not one call of `node`")?;
        let words = start.entrypoint.iter().chain(&start.command).flatten().cloned().collect::<Vec<String>>();
        let [interpreter, arguments @ ..] = words.as_slice() else { return Err("it starts nothing".to_owned()) };
        if interpreter != "node" || arguments.is_empty() {
            return Err(format!("it starts `{interpreter}`, and a base without a shell has only `node`"));
        }
        let mut runtime = slim.clone();
        runtime.base = format!("{base}:nonroot");
        let entrypoint = Some(vec![DISTROLESS_NODE.to_owned()]);
        runtime.start = Some(Start { entrypoint, command: Some(arguments.to_vec()) });
        let words = (
            "Let Node.js ask for the health check",
            "the base has no other program, and `fetch` fails for the same answers",
        );
        ask_for_health(self.subject, &mut runtime, words, |probe| probe.by_node(DISTROLESS_NODE))?;
        if let Some(native) = self.native() {
            return Err(format!("`{native}` may be compiled against the base that builds, and load its libraries"));
        }
        Ok(runtime)
    }

    /// Packages that only development needs stay out, where that is certain.
    fn dependencies(&self, runtime: &mut Runtime) {
        let Some(manifest) = &self.manifest else { return };
        let has = |name: &str| manifest.value().get(name).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
        let scripts = manifest.value().get("scripts").and_then(Value::as_object);
        let has_hook = scripts.is_some_and(|scripts| {
            ["preinstall", "install", "postinstall", "prepare"].iter().any(|name| scripts.contains_key(*name))
        });
        if !has("devDependencies") || has_hook {
            return;
        }
        let installs = self.effects.iter().filter_map(|effect| match &effect.kind {
            Kind::LanguagePackages { ecosystem: Ecosystem::Node, program: "npm", names } if names.is_empty() => {
                effect.command
            }
            _ => None,
        });
        let installs: Vec<StepCommand<'_>> = installs.collect();
        let [install] = installs.as_slice() else { return };
        let builds = self.effects.iter().any(|effect| matches!(effect.kind, Kind::Build { .. }));
        let evidence = manifest.evidence("", "devDependencies", "`devDependencies`");
        if builds {
            runtime.build_end.push("RUN npm prune --omit=dev".to_owned());
        } else {
            let words: Vec<String> = install.command.arguments().map(|word| word.text().into_owned()).collect();
            let is_told = |word: &String| {
                word.starts_with("--omit") || word.starts_with("--production") || word.starts_with("--only")
            };
            let Some(verb) = install.command.arguments().next().filter(|_| !words.iter().any(is_told)) else { return };
            if !install.script.is_verbatim() {
                return;
            }
            let end = install.word_span(verb).end as usize;
            runtime.build.push(Edit::insert(self.subject.cx.file.id, end, " --omit=dev"));
        }
        runtime.changes.push(change(
            "Leave development packages in the build",
            "they are listed as what only development needs",
            evidence,
        ));
    }

    /// The interpreter itself in the place of `npm start`.
    fn start(&self, runtime: &mut Runtime) {
        let Some((words, evidence)) = self.subject.start_words(self.manifest.as_ref()) else { return };
        runtime.start = Some(Start { entrypoint: None, command: Some(words) });
        if let Some(evidence) = evidence {
            runtime.changes.push(change(
                "Start the program itself",
                "npm does nothing but start it, and keeps signals from it",
                evidence,
            ));
        }
    }

    /// The first dependency that may hold compiled code that loads libraries of the distribution.
    fn native(&self) -> Option<String> {
        let manifest = self.manifest.as_ref()?;
        let dependencies = manifest.value().get("dependencies")?.as_object()?;
        dependencies
            .keys()
            .find(|name| {
                self.subject
                    .cx
                    .knowledge
                    .node_package(name)
                    .known()
                    .is_some_and(|package| matches!(package.code, Code::Built | Code::Compiled))
            })
            .cloned()
    }
}
