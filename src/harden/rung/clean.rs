//! Rung 2: no build tools, no caches of package managers, no secrets, nothing unverified; a build has its own stage.

use super::{Judge, Rung};
use crate::{
    harden::{
        Subject,
        effect::{self, Effect, Kind},
        kept_back,
    },
    knowledge::{ImageFacts, Role},
    model::{CopySource, Stage, Step, downloads::Download, file_name, packages::is_build_tool},
    rule::Finding,
    syntax::dockerfile::Keyword,
    text::Span,
};
use std::collections::HashSet;

/// Where a finding of a rule keeps the image down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    /// In the layers of the image.
    Image,
    /// There, and in the stages that something is copied from: what is built there ends in the image.
    Sources,
    /// There, and wherever a value is written: an argument that only a builder is given is not in the image.
    Value,
    /// Anywhere: a value that is written down is in the history of the file, and in the cache of every build.
    File,
}

/// The rules whose findings keep an image down, each with the place where they do.
const RULES: [(&str, Where); 12] = [
    ("build-tools-in-image", Where::Image),
    ("package-cache-left", Where::Image),
    ("password-in-run", Where::Image),
    ("secret-copied", Where::Image),
    ("secret-in-url", Where::Image),
    ("secret-in-arg", Where::Value),
    ("secret-in-env", Where::File),
    ("add-remote-url", Where::Sources),
    ("pipe-to-shell", Where::Sources),
    ("tls-verification-off", Where::Sources),
    ("unsigned-packages", Where::Sources),
    ("unverified-download", Where::Sources),
];

/// Programs that make files of the program's own kind out of it, without a compiler: no stage of their own is needed.
const OF_THE_PROGRAM: [&str; 4] = ["collectstatic", "compilemessages", "compileall", "composer dump"];

/// A directory that no image has.
const NOWHERE: &str = "/.nowhere";

/// A check is looked for in so many steps behind a download.
const FARTHEST: usize = 16;

/// Directories of a whole system: who copies them copies everything that is installed there.
const WHOLE: [&str; 8] = ["/", "/usr", "/bin", "/usr/bin", "/sbin", "/usr/sbin", "/lib", "/usr/lib"];

/// Which rules found something in which instructions, told by where these start.
#[derive(Default)]
struct Told(HashSet<(u32, &'static str)>);

impl Told {
    /// Whether a rule says of the same instruction what is to be said of the effect.
    fn says(&self, effect: &Effect<'_>) -> bool {
        let rules: &[&str] = match &effect.kind {
            Kind::Packages { names, .. } if names.iter().any(|name| is_build_tool(name)) => &["build-tools-in-image"],
            Kind::Unknown(_) => &["pipe-to-shell", "unverified-download"],
            _ => return false,
        };
        rules.iter().any(|rule| self.0.contains(&(effect.step.instruction().span.start, *rule)))
    }
}

impl<'j> Judge<'j, '_> {
    pub(super) fn clean(&mut self, findings: &[Finding]) {
        let told = self.findings(findings);
        let effects = effect::of_stage(self.target);
        let kept: HashSet<u32> =
            effect::filled_outside(&effects, NOWHERE).iter().map(|filled| filled.span.start).collect();
        for of_step in effects.chunk_by(|one, next| one.step == next.step) {
            let removal = of_step.iter().rposition(|effect| matches!(effect.kind, Kind::PackagesRemoved { .. }));
            let mut is_building = false;
            for (at, effect) in of_step.iter().enumerate() {
                let is_removed = removal.is_some_and(|removal| removal > at) && left_in(of_step, at).is_empty();
                let is_second = is_building && matches!(effect.kind, Kind::Build { .. });
                is_building |= matches!(effect.kind, Kind::Build { .. });
                if is_second || told.says(effect) {
                    continue;
                }
                if let Some(reason) = self.left_by(effect, is_removed, &kept) {
                    self.miss(Rung::Clean, reason);
                }
            }
            self.caches(of_step);
        }
        let steps: Vec<Step<'j>> = self.target.chain_steps().collect();
        for step in steps {
            self.copied(step);
        }
        self.sources();
        self.secrets();
    }

    /// Files with credentials that no instruction names, which rules say of those that one does.
    fn secrets(&mut self) {
        for secret in kept_back::held(&Subject::at(self.cx, self.target)) {
            let (path, line) = &secret.place;
            self.miss(Rung::Clean, format!("{path}:{line} {}", kept_back::shows(&secret)));
        }
    }

    /// What rules found; answers where they said so.
    fn findings(&mut self, findings: &[Finding]) -> Told {
        let mut told = Told::default();
        let stages = self.stages_by_place();
        let stage_of = |span: Span| {
            let at = stages.partition_point(|(place, _)| place.start <= span.start).checked_sub(1)?;
            stages.get(at).filter(|(place, _)| place.covers(span)).copied()
        };
        for finding in findings {
            let Some((_, place)) = RULES.iter().find(|(rule, _)| *rule == finding.rule) else { continue };
            let found = stage_of(finding.primary.span);
            let stage = found.map(|(_, stage)| stage);
            let counts = match place {
                Where::Image => stage.is_some_and(Stage::is_exported),
                Where::Sources => stage.is_some_and(Stage::is_built),
                Where::Value => self.is_value(finding.primary.span) || stage.is_none_or(Stage::is_exported),
                Where::File => true,
            };
            if counts {
                let line = self.line(finding.primary.span);
                self.miss(Rung::Clean, format!("{} (`{}` in line {line})", finding.message, finding.rule));
                told.0.extend(found.map(|(place, _)| (place.start, finding.rule)));
            }
        }
        told
    }

    /// Whether a value is written at `span`, and not only the name of a variable.
    fn is_value(&self, span: Span) -> bool {
        let before = self.cx.file.text.get(..span.start as usize).and_then(<[u8]>::last);
        matches!(before, Some(b'=' | b'"' | b'\''))
    }

    /// The instructions of the file with the stage that each is part of, in order.
    fn stages_by_place(&self) -> Vec<(Span, Stage<'j>)> {
        let model = self.target.model();
        let bases = model.stages().map(|stage| (stage.instruction().span, stage));
        let steps = model.steps().filter(|step| !step.is_trigger());
        let mut places: Vec<_> = bases.chain(steps.map(|step| (step.instruction().span, step.stage()))).collect();
        places.sort_by_key(|(span, _)| span.start);
        places
    }

    /// What an effect leaves that does not belong into an image; `is_removed` tells of packages that its step removes.
    fn left_by(&self, effect: &Effect<'j>, is_removed: bool, kept: &HashSet<u32>) -> Option<String> {
        let line = self.line(effect.span);
        match &effect.kind {
            Kind::Packages { .. } if is_removed => None,
            Kind::Packages { names, is_complete, .. } => {
                if let Some(tool) = names.iter().find(|name| is_build_tool(name)) {
                    return Some(format!("line {line} installs `{tool}`, which serves to build"));
                }
                (!is_complete).then(|| format!("which packages line {line} installs is not told by the file alone"))
            }
            Kind::Build { tool, .. } => {
                let is_own = OF_THE_PROGRAM.iter().any(|own| tool.contains(own));
                (!is_own)
                    .then(|| format!("`{tool}` in line {line} builds in the image itself, not in a stage of its own"))
            }
            Kind::Unknown(what) => Some(format!("what `{what}` in line {line} leaves in the image is not known")),
            Kind::Download { .. } if kept.contains(&effect.span.start) => {
                let file = unverified_file(effect)?;
                Some(format!("`{file}`, downloaded in line {line}, is not verified"))
            }
            Kind::Download { .. }
            | Kind::PackagesRemoved { .. }
            | Kind::Upgrade(_)
            | Kind::LanguagePackages { .. }
            | Kind::Files(_)
            | Kind::Directories(_)
            | Kind::Copied { .. }
            | Kind::Modes(_)
            | Kind::Accounts
            | Kind::Removes(_)
            | Kind::System(_)
            | Kind::Transient => None,
        }
    }

    /// Caches of managers that no rule looks for, filled by one step.
    fn caches(&mut self, of_step: &[Effect<'j>]) {
        let mut seen = Vec::new();
        for effect in of_step {
            let Kind::LanguagePackages { program, .. } = effect.kind else { continue };
            let Some(cache) = Cache::of(program).filter(|_| !seen.contains(&program)) else { continue };
            seen.push(program);
            if !cache.is_dropped(effect.step, of_step) {
                let line = self.line(effect.span);
                self.miss(Rung::Clean, format!("the download cache of `{program}` in line {line} stays in the image"));
            }
        }
    }

    /// What a `COPY` brings along that nobody can tell, or that serves to build.
    fn copied(&mut self, step: Step<'_>) {
        let Some(source) = step.copy_source() else { return };
        let line = step.instruction().lines.0;
        let taken: Vec<String> = step.sources().into_iter().map(|source| source.text).collect();
        let cleaned = |text: &str| format!("/{}", text.trim_matches('/'));
        if let Some(whole) = taken.iter().find(|text| WHOLE.contains(&cleaned(text).as_str())) {
            return self.miss(
                Rung::Clean,
                format!("line {line} copies all of `{whole}`, and with it whatever is installed there"),
            );
        }
        let CopySource::Image(reference) = source else { return };
        let facts = reference.facts(self.cx.knowledge);
        if facts.is_some_and(|facts: std::sync::Arc<ImageFacts>| facts.role.known() == Some(&Role::Build)) {
            let text = reference.text();
            self.miss(Rung::Clean, format!("line {line} copies from `{text}`, which is made for building"));
        }
    }

    /// What stages that something is copied from take unverified, and no rule looks for.
    fn sources(&mut self) {
        let model = self.target.model();
        for stage in model.stages().filter(|stage| stage.is_built()) {
            let steps = stage.steps().filter(|step| step.keyword() == Keyword::Run && !step.is_trigger());
            for (step, line) in steps.filter_map(|step| Some((step, unpinned_clone(step)?))) {
                let line = self.line(line);
                let is_here = step.stage().is_exported();
                let also = if is_here { "" } else { ", and what is made of it is copied into the image" };
                self.miss(Rung::Clean, format!("`git clone` in line {line} takes what a branch or tag is today{also}"));
            }
        }
    }
}

/// The words of the installation at `at` that no removal behind it names, where that does not take all of them out.
fn left_in(of_step: &[Effect<'_>], at: usize) -> Vec<String> {
    let words = |effect: &Effect<'_>| -> Vec<String> {
        let arguments = effect.command.iter().flat_map(|command| command.command.arguments());
        let plain = |text: &str| text.replace(['"', '{', '}'], "");
        arguments.map(|word| plain(&word.text())).filter(|word| !word.starts_with('-')).collect()
    };
    let is_removal = |effect: &&Effect<'_>| matches!(effect.kind, Kind::PackagesRemoved { .. });
    let gone: Vec<String> = of_step[at..].iter().filter(is_removal).flat_map(words).collect();
    // `apk add --virtual`, `apt-mark auto`: what a removal takes out is said elsewhere.
    let is_said_elsewhere = of_step.iter().filter_map(|effect| effect.command).any(|command| {
        command
            .command
            .words()
            .any(|word| matches!(word.bytes(), b"--virtual" | b"-t" | b"apt-mark" | b"undo" | b"markauto"))
            || command.command.words().any(|word| word.bytes().starts_with(b"--virtual="))
    });
    if is_said_elsewhere {
        return Vec::new();
    }
    let own = words(&of_step[at]).into_iter().skip(1);
    own.filter(|word| !gone.contains(word) && (word.starts_with('$') || is_build_tool(word))).collect()
}

/// The first `git clone` of a step that no full commit pins.
fn unpinned_clone(step: Step<'_>) -> Option<Span> {
    if !step.scripts_hold("clone") {
        return None;
    }
    let is_commit = |text: &str| text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pins = step.commands().any(|command| {
        command.name() == Some("git")
            && command.command.words().any(|word| {
                let text = command.value(word);
                text.is_some_and(|text| is_commit(text.rsplit('=').next().unwrap_or(&text)))
            })
    });
    let clone = step.commands().find(|command| {
        command.name() == Some("git") && command.command.words().any(|word| word.bytes() == b"clone")
    })?;
    (!pins).then(|| clone.span())
}

/// The file that a download keeps without a check of its content.
fn unverified_file(effect: &Effect<'_>) -> Option<String> {
    let Kind::Download { to, .. } = &effect.kind else { return None };
    let file = to.known.first()?;
    let download = effect.command.and_then(Download::read);
    let is_harmless = download.is_some_and(|download| download.is_local() || download.is_pinned());
    let is_verified = || {
        let name = file_name(file);
        effect.step.verifies(name) || effect.step.later().take(FARTHEST).any(|step| step.verifies(name))
    };
    (!is_harmless && !is_verified()).then(|| file.clone())
}

/// What a manager of a language keeps of what it downloads.
struct Cache {
    /// Parts of the paths under which it lies in the home of the user.
    directories: &'static [&'static str],
    /// Words of a command that empties it.
    cleaned: &'static [&'static str],
    /// A variable that turns it off.
    off: &'static str,
}

impl Cache {
    fn of(program: &str) -> Option<Self> {
        let cache = |directories, cleaned, off| Some(Self { directories, cleaned, off });
        match program {
            "npm" | "npx" => cache(&[".npm"], &["npm", "cache"], "npm_config_cache"),
            "uv" => cache(&[".cache/uv"], &["uv", "cache"], "UV_NO_CACHE"),
            "poetry" => cache(&[".cache/pypoetry"], &["poetry", "cache"], "POETRY_NO_CACHE"),
            "composer" => cache(&[".composer", ".cache/composer"], &["composer", "clear"], "COMPOSER_CACHE_DIR"),
            _ => None,
        }
    }

    /// Whether the step that fills it does not keep it.
    fn is_dropped(&self, step: Step<'_>, of_step: &[Effect<'_>]) -> bool {
        let covers = |path: &str| {
            self.directories.iter().any(|directory| {
                let (parent, _) = directory.split_once('/').unwrap_or((directory, ""));
                path.contains(directory) || path.ends_with(parent) || path.ends_with(&format!("{parent}/*"))
            })
        };
        let is_mounted = step
            .mounts()
            .iter()
            .any(|mount| mount.target.as_ref().is_some_and(|target| target.known().is_some_and(covers)));
        let is_off = step.variable(self.off).is_some()
            || step.commands().any(|command| command.command.words().any(|word| word.bytes() == b"--no-cache"));
        let cleans = || {
            step.commands().any(|command| {
                let mut words = command.command.words().map(|word| word.text().into_owned());
                words.next().as_deref() == Some(self.cleaned[0])
                    && words.next().is_some_and(|word| word.starts_with(self.cleaned[1]))
            })
        };
        let removes = || {
            of_step.iter().any(|effect| match &effect.kind {
                Kind::Removes(places) => places.known.iter().any(|path| covers(path)),
                _ => false,
            })
        };
        is_mounted || is_off || cleans() || removes()
    }
}
