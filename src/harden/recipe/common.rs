//! What several recipes do alike.

use crate::{
    harden::{
        Change, Declined, Evidence, Rung, Runtime, Subject, Taken,
        effect::{self, Ecosystem, Effect, Kind, Places},
        health::{self, Health, Probe},
        packages,
        tree::below,
    },
    knowledge::{Code, Fact, Family, Knowledge, LanguagePackage},
    model::{Step, StepCommand, file_name, is_program_place},
    rule::Safety,
    syntax::dockerfile::{Editor, Keyword},
    text::Edit,
};
use memchr::memmem;
use std::borrow::Cow;

/// A change that only a start can prove.
pub(super) fn change(title: &'static str, reason: impl Into<Cow<'static, str>>, evidence: Evidence) -> Change {
    Change { title: title.into(), safety: Safety::Risky, reason: reason.into(), evidence: vec![evidence] }
}

/// A place of another file.
pub(super) fn place(path: &str, line: u32, shows: &str) -> Evidence {
    Evidence { path: path.to_owned(), line, shows: shows.to_owned() }
}

/// The image without a shell if that is proved, and the one `below` it.
pub(super) fn climbing(better: Result<Runtime, String>, below: Runtime) -> (Vec<Runtime>, Vec<Declined>) {
    match better {
        Ok(better) => (vec![better, below], Vec::new()),
        Err(reason) => (vec![below], vec![Declined { rung: Rung::NoShell, reason: reason.into() }]),
    }
}

/// Lets the interpreter of `runtime` ask what the health check asks, in the words that `ask` makes of it.
///
/// # Errors
/// The health check runs something else.
pub(super) fn ask_for_health(
    subject: &Subject<'_>,
    runtime: &mut Runtime,
    (title, reason): (&'static str, &'static str),
    ask: impl FnOnce(&Probe) -> Vec<String>,
) -> Result<(), String> {
    match health::health(subject) {
        Health::None => Ok(()),
        Health::Probe(step, probe) => {
            runtime.health = Some(ask(&probe));
            let evidence = subject.evidence(step.instruction().span, "the health check");
            runtime.changes.push(change(title, reason, evidence));
            Ok(())
        }
        Health::Other(step) => Err(needs_more(step)),
    }
}

/// Why the health check of `step` keeps an image from a base that has nothing to run it with.
pub(super) fn needs_more(step: Step<'_>) -> String {
    format!("the health check in line {} needs a shell or another program", step.instruction().lines.0)
}

/// Takes over what the steps fill outside of the program's directory `home`.
///
/// # Errors
/// What may be lost, with its line.
pub(super) fn outside(
    subject: &Subject<'_>,
    effects: &[Effect<'_>],
    home: &str,
    runtime: &mut Runtime,
) -> Result<(), String> {
    if let Some(unknown) = effect::first_unknown(effects) {
        let line = subject.cx.file.locate(unknown.span.start).line;
        let what = unknown.unknown().unwrap_or_default();
        return Err(format!("what `{what}` in line {line} leaves in the image is not known"));
    }
    if let Some(word) = mounted_program(subject) {
        return Err(format!(
            "`{word}` is not in the image: it is mounted, and what it needs or builds there is not known"
        ));
    }
    let programs = subject.programs();
    for filled in effect::filled_outside(effects, home) {
        let line = subject.cx.file.locate(filled.span.start).line;
        let Some(path) = filled.path else {
            return Err(format!("what line {line} puts where depends on the build, so it may be lost"));
        };
        if packages::is_of_repositories(&path) {
            continue;
        }
        if may_be_taken_out(effects, &effects[filled.at], &path) {
            return Err(taken_out(line, &path));
        }
        if effect::is_of_the_system(&path) {
            return Err(format!("line {line} fills `{path}`, and with what is not told"));
        }
        if path.starts_with("/etc/sudoers") && programs.is_complete && !programs.names.contains("sudo") {
            let evidence = subject.evidence(filled.span, format!("fills `{path}`"));
            let reason = "no start command, health check or program of the build context calls `sudo`";
            runtime.changes.push(change("Leave out what only `sudo` reads", reason, evidence));
            continue;
        }
        let is_called =
            programs.names.iter().any(|name| path.ends_with(&format!("/{name}"))) || is_started(subject, &path);
        if is_program_place(&path) && !is_called && programs.is_complete {
            let evidence = subject.evidence(filled.span, format!("fills `{path}`"));
            let reason = "no start command, health check or program of the build context names it";
            runtime.changes.push(change("Leave out a program that nothing calls", reason, evidence));
            runtime.build.extend(without(subject, effects, &path));
            continue;
        }
        let covers = |taken: &Taken| {
            path.strip_prefix(taken.to.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !runtime.taken.iter().any(covers) {
            runtime.taken.push(Taken::at(path));
        }
    }
    Ok(())
}

/// The distribution of an image, as its packages are known by.
pub(super) struct Distribution<'a> {
    knowledge: &'a Knowledge,
    pub(super) family: Family,
    pub(super) release: Option<&'a str>,
}

impl<'a> Distribution<'a> {
    /// That of the image of `subject`.
    ///
    /// # Errors
    /// Nothing is known of its base.
    pub(super) fn of(subject: &Subject<'a>) -> Result<Self, String> {
        let facts = subject.target.image_facts();
        let family = facts.and_then(|facts| facts.family.known().copied()).ok_or("nothing is known of the base")?;
        let release = facts.and_then(|facts| facts.release.known().map(String::as_str));
        Ok(Self { knowledge: subject.cx.knowledge, family, release })
    }

    /// Its packages that hold what a package of a language loads, none for one that is only text; `None` where that is not
    /// known.
    pub(super) fn loaded_by(&self, package: &LanguagePackage) -> Option<Vec<&'static str>> {
        match self.knowledge.loaded_by(package, self.family, self.release) {
            Fact::Known(libraries) => Some(libraries),
            Fact::Unknown => (package.code == Code::Plain).then(Vec::new),
        }
    }
}

/// Installs the libraries that packages of a language load: the full base has them all, a smaller one has none. Each
/// package comes with the place that names it.
///
/// # Errors
/// A compiled package of which nobody knows what it loads in this release.
pub(super) fn add_libraries(
    subject: &Subject<'_>,
    packages: impl Iterator<Item = (Fact<LanguagePackage>, Evidence)>,
    runtime: &mut Runtime,
) -> Result<(), String> {
    let distribution = Distribution::of(subject)?;
    let mut evidence = Vec::new();
    for (package, place) in packages {
        let Fact::Known(package) = package else { continue };
        if package.code == Code::Prebuilt {
            continue;
        }
        let Some(libraries) = distribution.loaded_by(&package) else {
            let Evidence { path, line, .. } = place;
            return Err(format!("{path}:{line} has a package of which it is not known which libraries it loads"));
        };
        if !libraries.is_empty() {
            let shows = format!("{} loads {}", place.shows, libraries.join(", "));
            evidence.push(Evidence { shows, ..place });
        }
        runtime.packages.extend(libraries.into_iter().map(str::to_owned));
    }
    runtime.packages.sort();
    runtime.packages.dedup();
    if !evidence.is_empty() {
        runtime.changes.push(Change {
            title: "Install the libraries that packages load".into(),
            safety: Safety::Risky,
            reason: "the full base brings them along, and the smaller one does not".into(),
            evidence,
        });
    }
    Ok(())
}

/// Whether `effect` only changes the file at `path`, which may be of a package that the same step takes out again.
pub(super) fn may_be_taken_out(effects: &[Effect<'_>], effect: &Effect<'_>, path: &str) -> bool {
    let name = effect.command.and_then(StepCommand::name);
    let takes_out = |other: &Effect<'_>| {
        let is_purge = other.command.is_some_and(|command| {
            command.command.words().any(|word| matches!(word.bytes(), b"purge" | b"autoremove" | b"--auto-remove"))
        });
        other.step.index() == effect.step.index() && (is_purge || matches!(other.kind, Kind::PackagesRemoved { .. }))
    };
    path.starts_with("/etc/") && matches!(name, Some("sed" | "mv")) && effects.iter().any(takes_out)
}

/// Why such a file cannot be copied.
pub(super) fn taken_out(line: u32, path: &str) -> String {
    format!("line {line} changes `{path}`, which may be of a package that the step takes out again")
}

/// What the start names of a working directory that no step fills.
fn mounted_program(subject: &Subject<'_>) -> Option<String> {
    const OF_PROJECTS: [&str; 8] = ["rails", "rake", "npm", "yarn", "pnpm", "mix", "foreman", "bundle"];
    let home = subject.workdir()?;
    let word = subject.target.start_words_of_project(&OF_PROJECTS).next()?;
    let fills_home = |effect: &Effect<'_>| match &effect.kind {
        Kind::LanguagePackages { ecosystem, names, .. } => names.is_empty() || *ecosystem == Ecosystem::Php,
        Kind::Files(places) | Kind::Copied { to: places, .. } | Kind::Download { to: places, .. } => {
            places.is_hidden || places.known.iter().any(|path| below(path, home).is_some())
        }
        Kind::Build { .. } | Kind::Unknown(_) => true,
        Kind::Packages { .. }
        | Kind::PackagesRemoved { .. }
        | Kind::Upgrade(_)
        | Kind::Directories(_)
        | Kind::Modes(_)
        | Kind::Accounts
        | Kind::Removes(_)
        | Kind::System(_)
        | Kind::Transient => false,
    };
    let is_filled = || effect::effects(subject).iter().any(fills_home);
    // A base that runs the steps of its `ONBUILD` may fill it.
    (!subject.target.has_triggers() && subject.target.parent().is_none() && !is_filled()).then_some(word)
}

/// Whether a word of what is started names the program at `path`, or the script.
fn is_started(subject: &Subject<'_>, path: &str) -> bool {
    let start = subject.target.start_steps();
    let check = subject.target.chain_steps().filter(|step| step.keyword() == Keyword::Healthcheck);
    let mut commands = start.iter().copied().chain(check).flat_map(Step::commands);
    commands.any(|command| command.command.words().any(|word| file_name(&word.text()) == file_name(path)))
}

/// Takes out the steps that do nothing but fetch `path` and set its mode: what nobody uses nobody has to verify.
fn without(subject: &Subject<'_>, effects: &[Effect<'_>], path: &str) -> Vec<Edit> {
    let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
    let is_about = |places: &Places| !places.is_hidden && places.known == [path];
    let touches = |effect: &Effect<'_>| match &effect.kind {
        Kind::Copied { to, .. } => effect.step.keyword() == Keyword::Add && is_about(to),
        Kind::Modes(places) => is_about(places),
        Kind::Transient => true,
        _ => false,
    };
    let mut gone = Vec::new();
    let mut seen = None;
    for effect in effects {
        let step = effect.step;
        if seen == Some(step.index()) {
            continue;
        }
        seen = Some(step.index());
        let mut own = effects.iter().filter(|each| each.step.index() == step.index());
        let is_fetched = !matches!(effect.kind, Kind::Transient) && own.all(touches);
        if is_fetched {
            gone.push(step);
        }
    }
    // What another step still does with it would fail.
    let name = file_name(path).as_bytes();
    let names = |step: &Step<'_>| memmem::find(subject.cx.file.bytes(step.instruction().span), name).is_some();
    let is_gone = |step: &Step<'_>| gone.iter().any(|each| each.index() == step.index());
    if subject.steps().iter().any(|step| names(step) && !is_gone(step)) {
        return Vec::new();
    }
    gone.into_iter().filter_map(|step| editor.remove(step.instruction())).collect()
}
