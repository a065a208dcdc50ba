//! Ruby: gems that are installed with the full image run on its slim variant, with the libraries that they load.
//!
//! Facts: the Dockerfiles of the official `ruby` image (`GEM_HOME` is `/usr/local/bundle` in each variant; the full one
//! is of `buildpack-deps`, the slim one of `debian:…-slim` with what Ruby itself loads), Bundler's documentation of
//! `Gemfile.lock`, the Rails guides (`SECRET_KEY_BASE_DUMMY` from 7.1 on, the precompilation of assets).

use super::{
    common::{Distribution, change},
    whole::{Places, Whole},
};
use crate::{
    harden::{
        Declined, Evidence, Proposal, Rung, Runtime, Subject,
        effect::{Ecosystem, Effect, Kind},
    },
    knowledge::{Fact, Runtime as Needs},
    model::ScriptForm,
    syntax::dockerfile::Editor,
    text::Edit,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Where the official image has its gems.
const GEM_HOME: &str = "/usr/local/bundle";

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    // Without a start it is made for others to build on.
    if image.reference.name() != "docker.io/library/ruby" || subject.target.start_steps().is_empty() {
        return None;
    }
    let mut recipe = Recipe { whole: Whole::new(subject, None), lock: Lock::of(subject), data: Data::shipped() };
    recipe.leave_node();
    let facts = image.facts.as_deref();
    let mut proposal = Proposal { stack: "Ruby".to_owned(), ..Proposal::default() };
    match facts.and_then(|facts| facts.slim.known()).and_then(|slim| subject.named(slim)) {
        Some(slim) => match recipe.slim(slim) {
            Ok(runtime) => proposal.runtimes.push(runtime),
            Err(reason) => proposal.declined.push(Declined { rung: Rung::RuntimeOnly, reason: reason.into() }),
        },
        None if facts.is_some_and(|facts| facts.minimal.known() == Some(&true)) => {}
        None => {
            let reason = format!("no smaller variant of `{}` is known", image.reference.text());
            proposal.declined.push(Declined { rung: Rung::RuntimeOnly, reason: reason.into() });
        }
    }
    match recipe.whole.on(recipe.whole.own_base(), |effect| recipe.installed(effect)) {
        Ok(runtime) => proposal.runtimes.push(Runtime { only_higher: true, ..recipe.built(runtime) }),
        Err(reason) => proposal.declined.push(Declined { rung: Rung::Clean, reason: reason.into() }),
    }
    proposal.declined.push(Declined { rung: Rung::NoShell, reason: "no base without a shell has Ruby".into() });
    Some(proposal)
}

struct Recipe<'s, 'a> {
    whole: Whole<'s, 'a>,
    lock: Option<Lock>,
    data: Data,
}

impl<'a> Recipe<'_, 'a> {
    /// The image on the slim variant of the same release.
    fn slim(&self, base: String) -> Result<Runtime, String> {
        let subject = self.whole.subject;
        let mut runtime = self.whole.on(base, |effect| self.installed(effect))?;
        let libraries = self.libraries()?;
        runtime.packages.extend(libraries.keys().cloned());
        runtime.packages.sort();
        runtime.packages.dedup();
        let missing: Vec<Evidence> = libraries.into_values().collect();
        if !missing.is_empty() {
            let reason = "the full image has them, the slim one has not";
            runtime.changes.push(crate::harden::Change {
                evidence: missing,
                ..change("Install what gems load", reason, subject.evidence(subject.target.root().base_span(), ""))
            });
        }
        runtime.changes.insert(
            0,
            change(
                "Run on the slim variant of the same release",
                "it has the same Ruby of the same distribution, without compilers and what else a build needs",
                subject.evidence(subject.target.root().base_span(), "the base that builds"),
            ),
        );
        Ok(self.built(runtime))
    }

    fn installed(&self, effect: &Effect<'a>) -> Places {
        let line = self.whole.line(effect);
        match &effect.kind {
            Kind::LanguagePackages { ecosystem: Ecosystem::Ruby, .. } => Ok(vec![GEM_HOME.to_owned()]),
            // `npm install`, `yarn`: what they bring lies beside the program.
            Kind::LanguagePackages { ecosystem: Ecosystem::Node, names, .. }
                if effect.directory.is_some() && names.is_empty() =>
            {
                Ok(effect.directory.clone().into_iter().collect())
            }
            Kind::LanguagePackages { ecosystem: Ecosystem::Node, names, .. }
                if names.iter().all(|name| matches!(name.as_str(), "yarn" | "npm" | "corepack" | "pnpm")) =>
            {
                Ok(Vec::new())
            }
            Kind::LanguagePackages { program, .. } => Err(format!(
                "where `{program}` in line {line} installs, and whether the program needs it, is not known"
            )),
            _ => Ok(Vec::new()),
        }
    }

    /// The packages of Debian that gems load or call, each with the line of the lock that says so.
    fn libraries(&self) -> Result<BTreeMap<String, Evidence>, String> {
        let subject = self.whole.subject;
        let Some(lock) = &self.lock else {
            return Err("`Gemfile.lock` is not seen, so which libraries the gems load is not known".to_owned());
        };
        let distribution = Distribution::of(subject)?;
        let mut found = BTreeMap::new();
        for (gem, line) in &lock.gems {
            let place = || Evidence { path: lock.path.clone(), line: *line, shows: format!("`{gem}`") };
            if let Fact::Known(known) = subject.cx.knowledge.ruby_gem(gem) {
                let libraries = distribution.loaded_by(&known).ok_or_else(|| {
                    let path = &lock.path;
                    format!(
                        "{path}:{line} has the gem `{gem}`, and which libraries it loads is not known of this release"
                    )
                })?;
                found.extend(libraries.into_iter().map(|library| (library.to_owned(), place())));
            }
            for package in self.data.gems.get(gem).into_iter().flat_map(|gem| &gem.packages) {
                match subject.cx.knowledge.runtime_of(distribution.family, distribution.release, package) {
                    Needs::Libraries(libraries) => {
                        found.extend(libraries.into_iter().map(|library| (library.to_owned(), place())));
                    }
                    Needs::Tool { .. } | Needs::Needed | Needs::Comfort => {
                        found.insert(package.clone(), place());
                    }
                    Needs::Present => {}
                    Needs::BuildOnly | Needs::Unknown => {
                        return Err(format!(
                            "{}:{line} has the gem `{gem}`, and what it loads is not known",
                            lock.path
                        ));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Node.js only serves the build where no gem runs JavaScript.
    fn leave_node(&mut self) {
        let Some(lock) = &self.lock else { return };
        let runs = |name: &str| self.whole.subject.programs().names.contains(name);
        let needs = self.data.javascript.gems.iter().any(|gem| lock.gems.contains_key(gem));
        if needs || ["node", "npm", "npx", "yarn"].into_iter().any(runs) {
            return;
        }
        let reason = "no gem of `Gemfile.lock` runs JavaScript, and nothing that is started is called so";
        self.whole.unneeded.extend(["nodejs", "npm", "yarn", "yarnpkg"].map(|name| (name, reason)));
    }

    /// Keeps packages installed that have the names by which gems open their libraries, also where it is not seen which
    /// gems there are.
    fn opened_by_name(&self, runtime: &mut Runtime) {
        for (gem, package) in &self.data.by_name {
            let is_used = self.lock.as_ref().is_none_or(|lock| lock.gems.contains_key(gem));
            let installs =
                |effect: &&Effect<'_>| matches!(&effect.kind, Kind::Packages { names, .. } if names.contains(package));
            let Some(effect) = self.whole.effects.iter().find(installs).filter(|_| is_used) else { continue };
            if runtime.packages.contains(package) {
                continue;
            }
            runtime.packages.push(package.clone());
            let evidence = self.whole.subject.evidence(effect.span, format!("installs `{package}`"));
            let reason = format!("`{gem}` opens its library by a name that only this package has");
            runtime.changes.push(change("Keep a package whose library is opened by name", reason, evidence));
        }
        runtime.packages.sort();
    }

    /// The image with a build that needs no secret.
    fn built(&self, mut runtime: Runtime) -> Runtime {
        let subject = self.whole.subject;
        self.opened_by_name(&mut runtime);
        let edits: Vec<(Edit, Evidence)> =
            self.whole.effects.iter().filter_map(|effect| self.placeholder(effect)).collect();
        if edits.is_empty() {
            return runtime;
        }
        let (edits, evidence): (Vec<Edit>, Vec<Evidence>) = edits.into_iter().unzip();
        runtime.build.extend(edits);
        let reason = "Rails wants one to start, and what is built does not hold it";
        let first = subject.evidence(subject.target.root().base_span(), "");
        runtime.changes.push(crate::harden::Change {
            evidence,
            ..change("Build with a placeholder for the secret", reason, first)
        });
        runtime
    }

    /// What stands in front of a command that starts Rails to build something.
    fn placeholder(&self, effect: &Effect<'a>) -> Option<(Edit, Evidence)> {
        let subject = self.whole.subject;
        let Kind::Build { tool, .. } = &effect.kind else { return None };
        let starts_rails = tool.contains("assets:") && (tool.starts_with("rake") || tool.starts_with("rails"));
        let command = effect.command.filter(|_| starts_rails)?;
        let is_plain = command.script.is_verbatim() && command.script.form != ScriptForm::Exec;
        let names = ["SECRET_KEY_BASE", "SECRET_KEY_BASE_DUMMY"];
        let has_one = names.iter().any(|name| effect.step.variable(name).is_some())
            || names.iter().any(|name| command.assigns(name));
        if !is_plain || has_one {
            return None;
        }
        let is_recent = self.lock.as_ref().is_some_and(|lock| lock.rails.is_some_and(|version| version >= (7, 1)));
        let text = if is_recent { "SECRET_KEY_BASE_DUMMY=1 " } else { "SECRET_KEY_BASE=placeholder " };
        let span = command.span();
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        Some((editor.insert(span.start as usize, text), subject.evidence(span, format!("`{tool}`"))))
    }
}

/// What `Gemfile.lock` holds.
struct Lock {
    path: String,
    /// The gems with their lines.
    gems: BTreeMap<String, u32>,
    /// The version of Rails: its first two numbers.
    rails: Option<(u32, u32)>,
}

impl Lock {
    fn of(subject: &Subject<'_>) -> Option<Self> {
        let found = subject.file("Gemfile.lock")?;
        let text = String::from_utf8_lossy(&found.text).into_owned();
        let mut lock = Self { path: found.path, gems: BTreeMap::new(), rails: None };
        for (line, number) in text.lines().zip(1..) {
            // Gems are indented by four; what they need, by six.
            let Some(gem) = line.strip_prefix("    ").filter(|gem| !gem.starts_with(' ')) else { continue };
            let Some((name, version)) = gem.split_once(" (") else { continue };
            if name == "railties" {
                lock.rails = numbers(version);
            }
            lock.gems.insert(name.to_owned(), number);
        }
        (!lock.gems.is_empty()).then_some(lock)
    }
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', ')', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// `rulesets/recipes/ruby.toml`.
#[derive(Deserialize)]
struct Data {
    gems: BTreeMap<String, Gem>,
    /// The package that has the name by which a gem opens a library.
    #[serde(rename = "by-name")]
    by_name: BTreeMap<String, String>,
    javascript: JavaScript,
}

#[derive(Deserialize)]
struct Gem {
    packages: Vec<String>,
}

#[derive(Deserialize)]
struct JavaScript {
    gems: BTreeSet<String>,
}

impl Data {
    fn shipped() -> Self {
        toml::from_str(include_str!("../../../rulesets/recipes/ruby.toml")).expect("the shipped recipe is well formed")
    }
}
