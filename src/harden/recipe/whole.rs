//! Images that are taken over whole: what the author's steps install, build and write lies in the new image where it
//! lay, and each step is accounted for.
//!
//! What programs that are made to configure a system did is done again in the new image, as it is written.

use super::common::{change, outside};
use crate::{
    harden::{
        Change, Runtime, Subject, Taken,
        effect::{self, Effect, Kind},
        packages,
        tree::{Tree, below},
    },
    model::{Step, StepCommand, packages::PackageCommand},
    syntax::dockerfile::Editor,
    text::Edit,
};

/// The image of a subject, step by step.
pub(super) struct Whole<'s, 'a> {
    pub(super) subject: &'s Subject<'a>,
    pub(super) effects: Vec<Effect<'a>>,
    /// Where the program lies, if that is one directory.
    pub(super) home: Option<String>,
    /// Packages of the distribution that certainly nothing needs when the program runs, with the reason.
    pub(super) unneeded: Vec<(&'static str, &'static str)>,
}

/// Where a command of a language puts what it installs: directories outside of the program's own.
pub(super) type Places = Result<Vec<String>, String>;

/// Programs of Node.js, and those that run on it and belong to a build.
const NODE_TOOLS: [&str; 9] = ["node", "nodejs", "npm", "npx", "yarn", "pnpm", "corepack", "bun", "webpack"];

/// A directory that no image has.
const NOWHERE: &str = "/.nowhere";

impl<'s, 'a> Whole<'s, 'a> {
    /// The image of `subject`; `home` is where its base starts, if that is known.
    pub(super) fn new(subject: &'s Subject<'a>, home: Option<&str>) -> Self {
        let home = subject.workdir().or(home).map(str::to_owned);
        Self { subject, effects: effect::effects(subject), home, unneeded: Vec::new() }
    }

    /// The author's base, as it is written.
    pub(super) fn own_base(&self) -> String {
        self.subject.cx.text(self.subject.target.root().base_span()).into_owned()
    }

    /// Whether the author's steps leave more than the program needs: packages that only build, or what is built.
    pub(super) fn has_to_part(&self) -> bool {
        self.effects.iter().any(|effect| match &effect.kind {
            Kind::Packages { names, .. } => names.iter().any(|name| packages::is_for_building(self.subject, name)),
            Kind::Build { .. } | Kind::LanguagePackages { .. } | Kind::Download { .. } => true,
            _ => false,
        })
    }

    /// Takes the steps out of the build that only install Node.js, where nothing is written for it; answers how.
    pub(super) fn drop_node(&mut self) -> Vec<(Edit, Change)> {
        let subject = self.subject;
        let is_seen = subject.root.is_some();
        let has_manifest =
            Tree::of(subject).is_none_or(|tree| tree.files.iter().any(|file| file.name() == "package.json"));
        let calls = |step: &Step<'a>| {
            step.commands().any(|command| {
                command
                    .name()
                    .is_some_and(|name| NODE_TOOLS.contains(&name) || name == "mix" && step.scripts_hold("assets."))
            })
        };
        let is_started = NODE_TOOLS.iter().any(|name| subject.programs().names.contains(*name));
        if !is_seen || has_manifest || is_started || subject.runs().iter().any(calls) {
            return Vec::new();
        }
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        let mut dropped = Vec::new();
        for step in subject.runs() {
            let Some(edit) = only_installs_node(step).then(|| editor.remove(step.instruction())).flatten() else {
                continue;
            };
            let evidence = subject.evidence(step.instruction().span, "installs Node.js");
            let reason = "no `package.json` is in the image, and no step and no start calls it";
            dropped.push((edit, change("Leave Node.js out", reason, evidence)));
            self.effects.retain(|effect| effect.step.index() != step.index());
        }
        dropped
    }

    /// Takes Node.js out of its own image where a step only installs it from where its packages for Debian come, the build
    /// calls it, and the start does not; answers how.
    pub(super) fn node_from_image(&mut self) -> Vec<(Edit, Change)> {
        let subject = self.subject;
        let is_started = NODE_TOOLS.iter().any(|name| subject.programs().names.contains(*name));
        if is_started {
            return Vec::new();
        }
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        let mut taken = Vec::new();
        for step in subject.runs() {
            let Some(version) = only_installs_node(step).then(|| offered_node(step)).flatten() else { continue };
            let lines = format!(
                "COPY --from=node:{version} /usr/local/bin/node /usr/local/bin/node\n\
                 COPY --from=node:{version} /usr/local/lib/node_modules /usr/local/lib/node_modules\n\
                 RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\\n    \
                 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx"
            );
            let span = step.instruction().span;
            let evidence = subject.evidence(span, "runs what a page sends");
            let reason = "a layer has a digest that is checked, and only the build calls it";
            let edit = editor.replace(span, lines.replace('\n', editor.line_ending()));
            taken.push((edit, change("Take Node.js out of its own image", reason, evidence)));
            self.effects.retain(|effect| effect.step.index() != step.index());
        }
        taken
    }

    /// The line of an effect.
    pub(super) fn line(&self, effect: &Effect<'_>) -> u32 {
        self.subject.cx.file.locate(effect.span.start).line
    }

    /// The same image on `base`, which has the same distribution; `installed` tells where languages put their packages.
    ///
    /// # Errors
    /// The first step that may leave more than can be taken over.
    pub(super) fn on(&self, base: String, installed: impl Fn(&Effect<'a>) -> Places) -> Result<Runtime, String> {
        let mut runtime = Runtime { base, ..Runtime::default() };
        if let Some(unknown) = &self.subject.startup().unknown {
            return Err(format!(
                "what {}:{} starts cannot be read, so what it needs is not known",
                unknown.path, unknown.line
            ));
        }
        for effect in &self.effects {
            if let Kind::LanguagePackages { .. } = effect.kind {
                for path in installed(effect)? {
                    self.take(path, &mut runtime);
                }
            }
        }
        runtime.taken.extend(self.home.clone().map(Taken::at));
        outside(self.subject, &self.effects, self.home.as_deref().unwrap_or(NOWHERE), &mut runtime)?;
        self.started(&mut runtime);
        self.given(&mut runtime);
        self.packages(&mut runtime)?;
        for (at, effect) in self.effects.iter().enumerate() {
            match &effect.kind {
                Kind::System(name) => self.configured(effect, name, &mut runtime)?,
                Kind::Removes(places) => self.removed(at, &places.known, &mut runtime),
                _ => {}
            }
        }
        Ok(runtime)
    }

    /// Takes a directory over that is no part of one that is.
    pub(super) fn take(&self, path: String, runtime: &mut Runtime) {
        let is_inside = |directory: &str| below(&path, directory).is_some();
        let is_taken = runtime.taken.iter().any(|taken| is_inside(&taken.to));
        if !is_taken && !self.home.as_deref().is_some_and(is_inside) {
            runtime.taken.push(Taken::at(path));
        }
    }

    /// Takes what the start names where usually nothing is kept: `CMD ["/tmp/run.sh"]`.
    fn started(&self, runtime: &mut Runtime) {
        let start = self.subject.target.start_steps();
        let words = start.iter().flat_map(|step| step.commands()).flat_map(|command| command.command.words());
        for path in words.filter_map(|word| word.literal().filter(|text| text.starts_with('/'))) {
            let fills = |effect: &&Effect<'_>| {
                effect.fills().is_some_and(|places| places.known.iter().any(|known| known == path))
            };
            if self.effects.iter().any(|effect| fills(&effect)) {
                self.take(path.to_owned(), runtime);
            }
        }
    }

    /// Takes a directory whole that a step gives to somebody, where only a part of it would be taken.
    fn given(&self, runtime: &mut Runtime) {
        for effect in &self.effects {
            let Kind::Modes(places) = &effect.kind else { continue };
            for path in
                places.known.iter().filter(|path| path.matches('/').count() > 1 && !effect::is_of_the_system(path))
            {
                let is_part = |taken: &Taken| below(&taken.to, path).is_some_and(|rest| !rest.is_empty());
                if !runtime.taken.iter().any(is_part) {
                    continue;
                }
                runtime.taken.retain(|taken| !is_part(taken));
                self.take(path.clone(), runtime);
            }
        }
    }

    /// Installs again what the program needs of the distribution's packages.
    fn packages(&self, runtime: &mut Runtime) -> Result<(), String> {
        for effect in &self.effects {
            let Kind::Packages { names, is_complete, .. } = &effect.kind else { continue };
            let line = self.line(effect);
            if !is_complete {
                return Err(format!("line {line} installs packages that only the build knows"));
            }
            let is_file =
                |name: &&String| name.contains('/') || [".deb", ".rpm", ".apk"].iter().any(|end| name.ends_with(end));
            if let Some(file) = names.iter().find(is_file) {
                return Err(format!("line {line} installs the file `{file}`, which cannot be installed again by name"));
            }
            let invocation = effect.command.and_then(StepCommand::invocation);
            let package = invocation.and_then(PackageCommand::read);
            let mut versions =
                package.iter().flat_map(PackageCommand::packages).filter(|package| package.version.is_some());
            if let Some(package) = versions.next() {
                return Err(format!(
                    "line {line} asks for a version of `{}`, which may be gone tomorrow",
                    package.name
                ));
            }
        }
        let kept = packages::kept(self.subject, &self.effects, self.subject.programs());
        if let Some(place) = kept.unknown {
            return Err(format!("line {} {}, and what that needs at run time is not known", place.line, place.shows));
        }
        runtime.packages = kept.install;
        runtime.changes.extend(kept.changes);
        for (name, reason) in &self.unneeded {
            let installs = |effect: &&Effect<'_>| matches!(&effect.kind, Kind::Packages { names, .. } if names.iter().any(|each| each == name));
            let Some(effect) = self.effects.iter().find(installs) else { continue };
            if runtime.packages.iter().any(|package| package == name) {
                runtime.packages.retain(|package| package != name);
                let evidence = self.subject.evidence(effect.span, format!("installs `{name}`"));
                runtime.changes.push(change("Leave a package of the build out", *reason, evidence));
            }
        }
        packages::foreign(self.subject, &self.effects, &runtime.packages).map_or(Ok(()), Err)
    }

    /// What a program that configures the system did, once more.
    fn configured(&self, effect: &Effect<'a>, name: &str, runtime: &mut Runtime) -> Result<(), String> {
        let line = self.line(effect);
        match name {
            "docker-php-ext-enable" => {
                for path in PHP_EXTENSIONS {
                    self.take((*path).to_owned(), runtime);
                }
            }
            "locale-gen" if !runtime.packages.iter().any(|package| package == "locales") => {
                return Err(format!("`locale-gen` in line {line} makes what cannot be copied by name"));
            }
            "a2enmod"
            | "a2dismod"
            | "a2enconf"
            | "a2disconf"
            | "a2ensite"
            | "a2dissite"
            | "ldconfig"
            | "locale-gen"
            | "fc-cache"
            | "update-ca-certificates"
            | "lighty-enable-mod" => {
                let text = effect.command.and_then(|command| as_written(self.subject, command));
                let Some(text) = text else {
                    return Err(format!("what `{name}` in line {line} changes depends on the build"));
                };
                let instruction = format!("RUN {text}");
                if !runtime.finish.contains(&instruction) {
                    runtime.finish.push(instruction);
                }
                let is_missing = |package: &str| !runtime.packages.iter().any(|known| known == package);
                if name == "update-ca-certificates" && is_missing("ca-certificates") {
                    runtime.packages.push("ca-certificates".to_owned());
                    runtime.packages.sort();
                }
            }
            _ if packages::is_about_repositories(name) || is_of_a_tool(name) => {}
            _ => return Err(format!("what `{name}` in line {line} changes cannot be copied by name")),
        }
        Ok(())
    }

    /// Takes files of the base out once more.
    fn removed(&self, at: usize, paths: &[String], runtime: &mut Runtime) {
        const FORGOTTEN: [&str; 13] = [
            "/tmp",
            "/var/tmp",
            "/var/cache",
            "/var/lib/apt",
            "/var/lib/dpkg",
            "/var/log",
            "/root",
            "/usr/src",
            "/usr/share/doc",
            "/usr/share/man",
            "/usr/share/info",
            "/usr/share/locale",
            "/usr/local/share",
        ];
        for path in paths {
            let is_own = || {
                self.effects[..at].iter().any(|effect| {
                    effect.fills().is_some_and(|places| {
                        places.known.iter().any(|filled| below(path, filled).is_some() && filled != "/")
                    })
                })
            };
            let is_inside = |directory: &str| below(path, directory).is_some();
            let is_taken =
                runtime.taken.iter().any(|taken| is_inside(&taken.to)) || self.home.as_deref().is_some_and(is_inside);
            if FORGOTTEN.iter().any(|directory| is_inside(directory)) || is_taken || is_own() {
                continue;
            }
            let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-*+".contains(&byte));
            let instruction = format!("RUN rm -rf {path}");
            if is_plain && path.matches('/').count() > 1 && !runtime.setup.contains(&instruction) {
                runtime.setup.push(instruction);
            }
        }
    }
}

/// A command as it is written, where nothing in it is decided by the build.
pub(super) fn as_written(subject: &Subject<'_>, command: StepCommand<'_>) -> Option<String> {
    let is_plain = command.script.is_verbatim()
        && command.command.words().all(|word| word.literal().is_some())
        && command.command.assignments().len() == 0
        && command.command.redirects().len() == 0;
    let text = subject.cx.text(command.span()).into_owned();
    (is_plain && !text.contains('\n')).then_some(text)
}

/// Whether a step does nothing but install Node.js from where its packages for Debian come.
fn only_installs_node(step: Step<'_>) -> bool {
    let is_about = |command: StepCommand<'_>| match command.name() {
        Some("curl" | "wget") => command.command.words().any(|word| word.text().contains("nodesource.com")),
        Some("bash" | "sh") => command.command.arguments().all(|word| word.bytes().starts_with(b"-")),
        Some("apt-get" | "apt") => command.command.arguments().all(|word| {
            let text = word.text();
            text.starts_with('-') || matches!(&*text, "install" | "update" | "clean" | "nodejs" | "npm" | "yarn")
        }),
        Some("rm") => {
            command.command.arguments().all(|word| word.text().starts_with('-') || word.text().contains("/apt/"))
        }
        Some("set") => true,
        _ => false,
    };
    step.scripts_hold("nodesource.com") && step.commands().all(is_about)
}

/// The version of Node.js that the script of its packages for Debian is for: `setup_18.x`, `setup_lts.x`.
fn offered_node(step: Step<'_>) -> Option<String> {
    let installs_more = step.package_commands().any(|call| {
        let mut packages = call.call.packages();
        packages.any(|package| package.name != "nodejs" || package.version.is_some())
    });
    let words = step.commands().flat_map(|command| command.command.words()).map(|word| word.text().into_owned());
    let script = words.filter(|_| !installs_more).find(|word| word.contains("nodesource.com/setup_"))?;
    let (_, version) = script.rsplit_once("setup_")?;
    let version = version.strip_suffix(".x")?;
    let is_known = matches!(version, "lts" | "current") || version.parse::<u32>().is_ok_and(|major| major >= 10);
    is_known.then(|| version.to_owned())
}

/// Where the scripts of the official image of PHP put extensions, and what turns them on.
pub(super) const PHP_EXTENSIONS: &[&str] = &["/usr/local/lib/php/extensions", "/usr/local/etc/php/conf.d"];

/// Programs that only set up the tool that builds, or that nobody asks when the program runs.
fn is_of_a_tool(name: &str) -> bool {
    matches!(
        name,
        "pip config"
            | "poetry config"
            | "gem sources"
            | "bundle config"
            | "composer config"
            | "npm config"
            | "go env"
            | "git config"
            | "mandb"
            | "makewhatis"
            | "update-desktop-database"
    )
}
