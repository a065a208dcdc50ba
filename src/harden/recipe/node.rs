//! Node.js: what is installed and built with the full image runs on its slim variant, or on a base without a shell.
//!
//! Facts: the README of the official `node` image (variants), npm-install and npm-prune (`--omit`), the README of
//! distroless (`nodejs*`: `/nodejs/bin/node` is the entry point).

use super::common::{add_libraries, ask_for_health, change, climbing, outside, place};
use crate::{
    harden::{
        Declined, Evidence, Proposal, Rung, Runtime, Subject, Taken,
        effect::{self, Ecosystem, Effect, Kind},
        packages,
        tree::below,
    },
    knowledge::{Code, Fact, LanguagePackage},
    model::{PackageJson, Step, StepCommand, Variable, is_program_directory, join_path},
    syntax::dockerfile::Keyword,
    text::Edit,
};
use serde_json::Value;
use std::borrow::Cow;

/// Packages that are installed globally to build with, or to install others with.
const DEVELOPMENT: [&str; 22] = [
    "npm",
    "yarn",
    "pnpm",
    "corepack",
    "typescript",
    "webpack",
    "webpack-cli",
    "gulp",
    "gulp-cli",
    "grunt-cli",
    "rimraf",
    "node-gyp",
    "lerna",
    "nx",
    "turbo",
    "bower",
    "eslint",
    "@angular/cli",
    "@vue/cli",
    "@nestjs/cli",
    "nodemon",
    "vite",
];

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
    // An image that is small already is its own runtime: what the build leaves stays behind.
    let is_minimal = facts.is_some_and(|facts| facts.minimal.known() == Some(&true));
    let own = || subject.cx.text(subject.target.root().base_span()).into_owned();
    let recipe = Recipe::new(subject);
    let has_to_part = recipe.as_ref().is_ok_and(Recipe::has_to_part);
    if is_minimal && slim.is_none() && !has_to_part {
        return None;
    }
    let slim = slim.or_else(|| is_minimal.then(own));
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
    let unknown = || format!("no base without a shell is known to have the Node.js of `{}`", image.reference.text());
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

    /// Whether the author's steps build, or install what is not there already once this has split the image.
    fn has_to_part(&self) -> bool {
        self.effects.iter().any(|effect| match &effect.kind {
            Kind::Packages { names, .. } => names.iter().any(|name| packages::is_for_building(self.subject, name)),
            Kind::Build { .. } | Kind::Download { .. } => true,
            Kind::LanguagePackages { .. } => !effect.command.is_some_and(is_global),
            _ => false,
        })
    }

    /// The image on the slim variant of the same release.
    fn slim(&self, base: String) -> Result<Runtime, String> {
        let root = self.subject.target.root().base_span();
        let is_own = *self.subject.cx.text(root) == *base;
        let served = self.served();
        let home = served.as_ref().map_or(&self.home, |(directory, _)| directory).clone();
        let mut runtime = Runtime { base, taken: vec![Taken::at(home)], ..Runtime::default() };
        runtime.changes.push(if is_own {
            change(
                "Run on the same base without what the build leaves",
                "it has no compilers, and caches and tools of the build stay in the stage that builds",
                self.subject.evidence(root, "the base that builds"),
            )
        } else {
            change(
                "Run on the slim variant of the same release",
                "it has the same Node.js of the same distribution, without compilers and what else a build needs",
                self.subject.evidence(root, "the base that builds"),
            )
        });
        outside(self.subject, &self.effects, &self.home, &mut runtime)?;
        if let Some((directory, evidence)) = &served {
            let reason = format!("the server reads nothing but `{directory}`, and its own packages lie elsewhere");
            runtime.changes.push(change("Take what is served alone", reason, evidence.clone()));
        } else {
            self.dependencies(&mut runtime);
        }
        self.global_packages(&mut runtime)?;
        let kept = packages::kept(self.subject, &self.effects, self.subject.programs());
        runtime.packages = kept.install;
        runtime.changes.extend(kept.changes);
        if !is_own && served.is_none() {
            add_libraries(self.subject, self.packages(), &mut runtime)?;
        }
        self.start(&mut runtime);
        self.tool_variables(&mut runtime);
        Ok(runtime)
    }

    /// Leaves variables of tools out that lie in the home of root, where what is started is looked for elsewhere.
    fn tool_variables(&self, runtime: &mut Runtime) {
        let starts_node = runtime.start.as_ref().is_some_and(|start| {
            start.entrypoint.iter().chain(&start.command).flatten().next().is_some_and(|word| word == "node")
        });
        let is_of_root = |path: &str| below(path, "/root").is_some();
        let steps = self.subject.steps();
        let variables = || steps.iter().filter(|step| step.keyword() == Keyword::Env).flat_map(|step| step.assigned());
        let value = |variable: &Variable<'_>| Some(variable.value.as_ref()?.known()?.to_owned());
        let named: Vec<String> = variables()
            .filter(|variable| variable.name != "PATH" && variable.name != "HOME")
            .filter(|variable| value(variable).is_some_and(|value| is_of_root(&value)))
            .map(|variable| variable.name.to_string())
            .collect();
        let path = self.subject.target.variable("PATH").and_then(value);
        let is_plain = |directory: &str| {
            is_of_root(directory) || is_program_directory(directory) || directory.is_empty() || directory.contains('$')
        };
        if starts_node && path.is_none_or(|path| path.split(':').all(is_plain)) && !named.is_empty() {
            runtime.left_out.extend(named);
            runtime.left_out.push("PATH".to_owned());
        }
    }

    /// The directory that the start serves with the global package `serve` or `http-server`, which read no other (their
    /// READMEs, "Usage"; the former looks for a file of settings in that directory).
    fn served(&self) -> Option<(String, Evidence)> {
        let startup = self.subject.startup();
        let is_plain = startup.shell.is_empty() && startup.before.is_empty();
        let process = startup.process.as_ref().filter(|_| is_plain)?;
        let words = process.known_words()?;
        let [server @ ("serve" | "http-server"), arguments @ ..] = words.as_slice() else { return None };
        let is_global_package = self.effects.iter().any(|effect| match &effect.kind {
            Kind::LanguagePackages { names, .. } => {
                names.iter().any(|name| without_version(name) == *server) && effect.command.is_some_and(is_global)
            }
            _ => false,
        });
        let mut directory = None;
        let mut arguments = arguments.iter();
        while let Some(word) = arguments.next() {
            match *word {
                "-l" | "--listen" | "-p" => {
                    arguments.next()?;
                }
                "-a" | "-c" if *server == "http-server" => {
                    arguments.next()?;
                }
                "-s" | "--single" | "-n" | "--no-clipboard" | "-C" | "--cors" | "-L" | "--no-request-logging" => {}
                option if option.starts_with("--listen=") => {}
                option if option.starts_with('-') => return None,
                operand => {
                    directory.is_none().then_some(())?;
                    directory = Some(join_path(&self.home, operand));
                }
            }
        }
        let is_below = |directory: &String| below(directory, &self.home).is_some_and(|rest| !rest.is_empty());
        let directory = directory.filter(|directory| is_global_package && is_below(directory))?;
        Some((directory, process.evidence.clone()))
    }

    /// What is known of the packages that the manifest and the commands name, each with its place.
    fn packages(&self) -> impl Iterator<Item = (Fact<LanguagePackage>, Evidence)> {
        let dependencies = |field: &'static str| {
            let manifest = self.manifest.as_ref();
            let names = manifest.and_then(|manifest| manifest.value().get(field)?.as_object());
            let place = move |name: &String| Some((name.clone(), manifest?.evidence(field, name, format!("`{name}`"))));
            names.into_iter().flat_map(serde_json::Map::keys).filter_map(place)
        };
        let installed = self.effects.iter().filter_map(|effect| match &effect.kind {
            Kind::LanguagePackages { ecosystem: Ecosystem::Node, names, .. } => Some((effect.span, names)),
            _ => None,
        });
        let installed = installed.flat_map(move |(span, names)| {
            names
                .iter()
                .map(move |name| (without_version(name).to_owned(), self.subject.evidence(span, format!("`{name}`"))))
        });
        let all = dependencies("dependencies").chain(dependencies("optionalDependencies")).chain(installed);
        all.map(|(name, place)| (self.subject.cx.knowledge.node_package(&name), place))
    }

    /// The image on a base without a shell, given the one on the slim variant.
    fn without_shell(&self, base: &str, slim: &Runtime) -> Result<Runtime, String> {
        if let [package, ..] = slim.packages.as_slice() {
            return Err(format!("it needs the package `{package}`, and a base without a shell takes no packages"));
        }
        if let [line, ..] = slim.setup.as_slice() {
            return Err(format!("it needs `{line}`, and a base without a shell runs no commands"));
        }
        if let Some(outside) = slim.taken.iter().find(|taken| taken.to.starts_with("/usr/local")) {
            return Err(format!("it may need `{}` of the full image", outside.to));
        }
        let start = slim.start.as_ref().ok_or("what it starts is not one call of `node`")?;
        self.subject.starts_nothing_else()?;
        let words = start.entrypoint.iter().chain(&start.command).flatten().cloned().collect::<Vec<String>>();
        let [interpreter, arguments @ ..] = words.as_slice() else { return Err("it starts nothing".to_owned()) };
        if interpreter != "node" || arguments.is_empty() {
            return Err(format!("it starts `{interpreter}`, and a base without a shell has only `node`"));
        }
        let mut runtime = slim.clone();
        runtime.base = format!("{base}:nonroot");
        runtime.start = Some(self.subject.started_with(DISTROLESS_NODE, arguments.to_vec()));
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

    /// Packages that npm installs beside the interpreter, which is another one in the new image: what the program needs
    /// of them is installed there again.
    ///
    /// # Errors
    /// A command that cannot be said again.
    fn global_packages(&self, runtime: &mut Runtime) -> Result<(), String> {
        for effect in &self.effects {
            let Kind::LanguagePackages { ecosystem: Ecosystem::Node, program: "npm", names } = &effect.kind else {
                continue;
            };
            let Some(command) = effect.command.filter(|_| !names.is_empty()) else { continue };
            if !is_global(command) || names.iter().all(|name| !self.needs(name)) {
                continue;
            }
            let line = self.subject.cx.file.locate(effect.span.start).line;
            let text = super::whole::as_written(self.subject, command)
                .ok_or_else(|| format!("what line {line} installs globally depends on the build"))?;
            runtime.setup.push(format!("RUN {text} && npm cache clean --force"));
            let reason = "it lies beside the interpreter, which the new image has already";
            runtime.changes.push(change(
                "Install global packages once more",
                reason,
                self.subject.evidence(effect.span, format!("installs {}", names.join(", "))),
            ));
        }
        Ok(())
    }

    /// Whether the program may call what a global package brings.
    fn needs(&self, package: &str) -> bool {
        let name = without_version(package);
        let starts_with = |step: Step<'_>| step.commands().any(|command| command.name() == Some(name));
        let is_manager = |words: &[String]| matches!(words[0].as_str(), "npm" | "npx" | "yarn" | "pnpm");
        let is_handed_on = self.plain_start().is_none_or(|(words, _)| words[0] == name || is_manager(&words));
        let is_started = || self.subject.target.start_steps().into_iter().any(starts_with);
        if is_handed_on && (is_started() || self.subject.startup().process.is_none()) {
            return name != "npm";
        }
        if DEVELOPMENT.contains(&name) {
            return false;
        }
        let startup = self.subject.startup();
        let starts = startup.process.as_ref().and_then(|process| process.words.first()?.known());
        let is_own = starts.is_some_and(|program| program == "node" || program.contains('/'));
        let programs = self.subject.programs();
        let is_named = || programs.names.iter().any(|program| name.contains(program.as_str()) && program != "node");
        !is_own || is_named() || !startup.before.is_empty()
    }

    /// The interpreter itself in the place of `npm start`.
    fn start(&self, runtime: &mut Runtime) {
        let Some((words, evidence)) = self.plain_start() else { return };
        runtime.start = Some(self.subject.started_by(words));
        if let Some(evidence) = evidence {
            runtime.changes.push(change(
                "Start the program itself",
                "npm does nothing but start it, and keeps signals from it",
                evidence,
            ));
        }
    }

    /// What is started in the end, where no shell and no package manager is needed for it.
    fn plain_start(&self) -> Option<(Vec<String>, Option<Evidence>)> {
        self.subject.start_words(self.manifest.as_ref()).or_else(|| self.resolved_start())
    }

    /// The program of a package that a script of the manifest starts, where no shell is needed for it.
    fn resolved_start(&self) -> Option<(Vec<String>, Option<Evidence>)> {
        let startup = self.subject.startup();
        let process = startup.process.as_ref()?;
        let is_plain = startup.shell.is_empty()
            && startup.before.is_empty()
            && startup.doubts.is_empty()
            && !startup.launchers.is_empty()
            && process.environment.is_empty()
            && !process.is_conditional
            && process.directory.as_deref().is_none_or(|directory| directory == self.home);
        let words = process.known_words().filter(|_| is_plain)?;
        let [program, ..] = words.as_slice() else { return None };
        if *program != "node" && !program.starts_with("node_modules/.bin/") {
            return None;
        }
        let evidence = startup.hops.last().map(|hop| place(&hop.path, hop.line, &hop.shows));
        Some((words.into_iter().map(str::to_owned).collect(), evidence))
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

/// The name in `@scope/name@version`.
fn without_version(package: &str) -> &str {
    let at = package.get(1..).and_then(|rest| rest.find('@')).map_or(package.len(), |at| at + 1);
    &package[..at]
}

/// Whether npm installs beside the interpreter.
fn is_global(command: StepCommand<'_>) -> bool {
    command.command.words().any(|word| matches!(word.bytes(), b"-g" | b"--global"))
}
