//! Rust: one program that needs the C library, and the libraries that `-sys` crates are linked to.
//!
//! Facts: The Cargo Book (`target` directory, `cargo install`, binaries of a package, workspaces), the rustup book
//! (installer, default toolchain), docker-library/rust (`CARGO_HOME` is `/usr/local/cargo`).

use super::compiled::{self, Account, Build, Obstacle, Own, Pin, System};
use crate::{
    harden::{
        Change, Declined, Evidence, Proposal, Rung, Runtime, Subject,
        effect::{self, Ecosystem, Effect, Kind},
        outputs::{Area, Made, Output},
        program::Language,
        tree::Tree,
    },
    knowledge::{Family, Libc, Runtime as Needed},
    model::{StepCommand, join_path},
    rule::Safety,
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::Word,
    },
    text::{Edit, Span},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

static LANGUAGE: Language = Language {
    extensions: &["rs"],
    manifests: &["Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml", "build.rs", "Makefile"],
    calls: &["Command::new"],
    callers: &["process::Command", "process::{", "use std::process", "tokio::process", "async_process"],
    embeds: &[
        "include_str!",
        "include_bytes!",
        "include_dir!",
        "include!",
        "#[folder",
        "#[template(path",
        "sqlx::migrate!",
        "embed_migrations!",
        "query_file!",
        "rust_i18n::i18n!",
    ],
};

const VARIABLES: [&str; 10] = [
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CARGO_NET_GIT_FETCH_WITH_CLI",
    "CARGO_INCREMENTAL",
    "RUST_VERSION",
    "SQLX_OFFLINE",
    "OPENSSL_DIR",
    "CARGO_REGISTRIES_CRATES_IO_PROTOCOL",
];

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let runs = subject.runs();
    runs.iter().flat_map(|step| step.commands()).find(|command| is_build(*command))?;
    let tree = Tree::of(subject);
    let build = Build::new(subject, &LANGUAGE, |effect, _| made(subject, tree.as_ref(), effect));
    Some(Proposal::of("Rust", proposed(&build)))
}

fn verb(command: StepCommand<'_>) -> Option<&str> {
    let invocation = command.invocation()?;
    let mut words = invocation.arguments().filter(|word| !word.bytes().starts_with(b"+"));
    let verb = words.next().filter(|_| invocation.name() == Some("cargo"))?;
    verb.literal()
}

fn is_build(command: StepCommand<'_>) -> bool {
    matches!(verb(command), Some("build" | "b" | "install" | "auditable"))
}

fn proposed(build: &Build<'_, '_>) -> Result<(Vec<Runtime>, Vec<Declined>), Obstacle> {
    let program = build.program()?;
    let installer = Installer::of(build);
    let is_installer = |effect: &Effect<'_>| installer.as_ref().is_some_and(|found| found.step == effect.step.index());
    let is_building = |effect: &Effect<'_>| {
        is_installer(effect)
            || matches!(&effect.kind, Kind::Build { tool, .. } if tool.starts_with("cargo") || tool.starts_with("rustc"))
            || effect.command.is_some_and(|command| command.name() == Some("rustup"))
    };
    let own = Own { ecosystem: Some(Ecosystem::Rust), is_building: &is_building, variables: &VARIABLES };
    let account = build.account(&program, None, &own)?;
    let crates = Crates::of(build);
    let mut runtimes = Vec::new();
    let mut declined = Vec::new();
    let toolchain = match &installer {
        Some(installer) => match installer.replaced(build) {
            Ok(edits) => Some(edits),
            Err(reason) => {
                declined.push(Declined { rung: Rung::Clean, reason });
                None
            }
        },
        None => None,
    };
    match without_shell(build, &account, &crates) {
        Ok(runtime) => runtimes.push(runtime),
        Err(reason) => declined.push(Declined { rung: Rung::NoShell, reason }),
    }
    match slim(build, &account, &crates) {
        Ok(runtime) => runtimes.push(runtime),
        Err(reason) => declined.push(Declined { rung: Rung::RuntimeOnly, reason }),
    }
    if let Some(edits) = toolchain {
        for runtime in &mut runtimes {
            runtime.build.extend(edits.iter().cloned());
            runtime.changes.push(Change {
                title: "Take the toolchain from its official image".into(),
                safety: Safety::Risky,
                reason: "the installer is a script that nobody verifies; the image of the same release has the same toolchain".into(),
                evidence: installer.iter().map(|found| build.subject.evidence(found.span, "installs the toolchain")).collect(),
            });
        }
    }
    Ok((runtimes, declined))
}

fn without_shell(build: &Build<'_, '_>, account: &Account, crates: &Crates) -> Result<Runtime, Obstacle> {
    if let Some(declined) = compiled::declined_for_shell(account) {
        return Err(declined.reason);
    }
    if let Some(package) = build.lasting_package(account) {
        return Err(format!(
            "the package `{package}` may be needed when the program runs, and no image without a package manager has it"
        )
        .into());
    }
    crates.doubt()?;
    let system = System::of(build.subject);
    let images = &compiled::data().images;
    let mut evidence = account.evidence.clone();
    evidence.extend(crates.place.clone());
    if is_static(build) {
        if let Some(name) = crates.linked.keys().next() {
            return Err(
                format!("the crate `{name}` may be linked to a library that the static program has to hold").into()
            );
        }
        return Ok(finished(
            build,
            &images.fixed,
            account,
            "the program is built for musl, and so is static",
            evidence,
        ));
    }
    let other = crates.linked.keys().find(|name| *name != "openssl-sys");
    if let Some(name) = other {
        return Err(format!("the crate `{name}` is linked to a library that images without a shell do not have: its `vendored` or `bundled` feature would compile it in").into());
    }
    if let Some(obstacle) = system.is_newer() {
        return Err(obstacle);
    }
    if crates.linked.is_empty() {
        let reason = "the program is linked to the C library alone: no crate of the lock is bound to another one";
        return Ok(finished(build, &images.cc, account, reason, evidence));
    }
    // OpenSSL 3 is in Debian since 12.
    let is_three = system.family == Some(Family::Debian) && matches!(system.release.as_deref(), Some("12" | "13"))
        || Pin::of(build.subject).is_some();
    if !is_three {
        return Err("the crate `openssl-sys` is linked to OpenSSL, and whether it is the release that images without a shell have is not known".into());
    }
    let reason = "the program is linked to the C library and to OpenSSL 3, which are both there";
    let mut runtime = finished(build, &images.cc, account, reason, evidence);
    if system.release.is_none() {
        runtime.build.extend(Pin::of(build.subject).map(|pin| pin.edit));
    }
    Ok(runtime)
}

fn finished(build: &Build<'_, '_>, base: &str, account: &Account, reason: &str, evidence: Vec<Evidence>) -> Runtime {
    let change = Change {
        title: "Move the program into an image without a shell".into(),
        safety: Safety::Risky,
        reason: format!("{reason}; nothing that it starts, and no health check, needs a shell").into(),
        evidence,
    };
    build.runtime(base, account, change)
}

/// The author's distribution with the libraries that the program loads.
fn slim(build: &Build<'_, '_>, account: &Account, crates: &Crates) -> Result<Runtime, Obstacle> {
    crates.doubt()?;
    let system = System::of(build.subject);
    let pin = Pin::of(build.subject).filter(|_| system.release.is_none() && !crates.linked.is_empty());
    let release = pin.as_ref().map(|pin| pin.codename.clone()).or_else(|| system.release.clone());
    let mut more = BTreeSet::new();
    if system.family == Some(Family::Debian) || system.family == Some(Family::Ubuntu) {
        for (name, linked) in &crates.linked {
            let family = system.family.unwrap_or(Family::Debian);
            match build.subject.cx.knowledge.runtime_of(family, release.as_deref(), &linked.package) {
                Needed::Libraries(libraries) => more.extend(libraries.iter().map(ToString::to_string)),
                _ => {
                    return Err(format!(
                        "which package holds the library of the crate `{name}` is not known: `{}` is built with it",
                        linked.package
                    )
                    .into());
                }
            }
        }
    } else if let Some(name) = crates.linked.keys().next() {
        return Err(format!("which package holds the library of the crate `{name}` is not known").into());
    }
    let more: Vec<String> = more.into_iter().collect();
    build.slim(account, &more, pin.as_ref(), &|_| crates.place.is_none())
}

/// Whether the program is built for musl by Rust's own target, which links it statically.
fn is_static(build: &Build<'_, '_>) -> bool {
    let subject = build.subject;
    let commands: Vec<StepCommand<'_>> = subject
        .runs()
        .into_iter()
        .flat_map(|step| step.commands().collect::<Vec<_>>())
        .filter(|command| is_build(*command))
        .collect();
    let has_target =
        |command: &StepCommand<'_>| value(*command, "--target").is_some_and(|target| target.ends_with("-linux-musl"));
    let flags =
        subject.target.variable("RUSTFLAGS").and_then(|flags| flags.value.as_ref().map(|value| value.text.clone()));
    let is_dynamic = flags.is_some_and(|flags| flags.contains("-crt-static"))
        || commands.iter().any(|command| command.command.words().any(|word| word.text().contains("-crt-static")));
    let is_official = subject.target.named_image().is_some_and(|image| image.reference.name().ends_with("/rust"));
    let is_musl = is_official && System::of(subject).libc == Some(Libc::Musl);
    !is_dynamic && (is_musl || !commands.is_empty() && commands.iter().all(has_target))
}

/// The value of a long option.
fn value(command: StepCommand<'_>, option: &str) -> Option<String> {
    let mut words = command.invocation()?.arguments();
    while let Some(word) = words.next() {
        let text = word.text();
        if text == option {
            return words.next().and_then(|word| command.value(word).map(std::borrow::Cow::into_owned));
        }
        if let Some(value) = text.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}

fn made(subject: &Subject<'_>, tree: Option<&Tree>, effect: &Effect<'_>) -> Made {
    let Some(command) = effect.command else { return Made::default() };
    match verb(command) {
        Some("build" | "b" | "auditable") => built(subject, tree, effect, command),
        Some("install") => installed(subject, tree, effect, command),
        _ => Made::default(),
    }
}

fn built(subject: &Subject<'_>, tree: Option<&Tree>, effect: &Effect<'_>, command: StepCommand<'_>) -> Made {
    let has = |wanted: &[u8]| command.command.words().any(|word: Word<'_>| word.bytes() == wanted);
    let variable = command
        .step
        .variable("CARGO_TARGET_DIR")
        .and_then(|variable| variable.value.as_ref()?.known().map(str::to_owned));
    let named = value(command, "--target-dir").or(variable);
    let profile = match value(command, "--profile") {
        Some(profile) if profile == "dev" => "debug".to_owned(),
        Some(profile) => profile,
        None if has(b"--release") || has(b"-r") => "release".to_owned(),
        None => "debug".to_owned(),
    };
    let manifest = value(command, "--manifest-path");
    let Some(directory) = effect.directory.as_deref() else { return Made::default() };
    let mut roots = vec![directory.to_owned()];
    if let Some(manifest) = manifest.and_then(|path| effect::absolute(Some(directory), &path)) {
        roots = manifest.rsplit_once('/').map(|(above, _)| above.to_owned()).into_iter().collect();
    }
    // A member of a workspace is built into the directory of the workspace.
    if let (Some(tree), Some(root)) = (tree, roots.first().cloned()) {
        let mut above = root.as_str();
        while let Some((parent, _)) = above.rsplit_once('/').filter(|(parent, _)| !parent.is_empty()) {
            let manifest = tree.files.iter().find(|file| file.at == format!("{parent}/Cargo.toml"));
            let text = manifest.and_then(|file| subject.text_of(file));
            if text.is_some_and(|text| text.contains("[workspace]")) {
                roots.push(parent.to_owned());
            }
            above = parent;
        }
    }
    let mut made = Made::default();
    for root in roots {
        let target = match &named {
            Some(path) => effect::absolute(Some(&root), path),
            None => Some(join_path(&root, "target")),
        };
        let Some(target) = target else { continue };
        let target = match value(command, "--target") {
            Some(triple) => join_path(&target, &triple),
            None => target,
        };
        let path = join_path(&target, &profile);
        for name in tree.map(|tree| binaries(subject, tree)).unwrap_or_default() {
            made.outputs.push(Output { path: join_path(&path, &name), links_to: None, span: effect.span });
        }
        made.areas.push(Area { path, span: effect.span });
    }
    made
}

fn installed(subject: &Subject<'_>, tree: Option<&Tree>, effect: &Effect<'_>, command: StepCommand<'_>) -> Made {
    let variable = |name: &str| {
        command.step.variable(name).and_then(|variable| variable.value.as_ref()?.known().map(str::to_owned))
    };
    let is_official = subject.target.named_image().is_some_and(|image| image.reference.name().ends_with("/rust"));
    let home = || {
        variable("CARGO_HOME")
            .unwrap_or_else(|| if is_official { "/usr/local/cargo" } else { "/root/.cargo" }.to_owned())
    };
    let root = value(command, "--root").or_else(|| variable("CARGO_INSTALL_ROOT")).unwrap_or_else(home);
    let Some(root) = effect::absolute(effect.directory.as_deref(), &root) else { return Made::default() };
    let path = join_path(&root, "bin");
    let mut made = Made::area(path.clone(), effect.span);
    if value(command, "--path").is_some() {
        for name in tree.map(|tree| binaries(subject, tree)).unwrap_or_default() {
            made.outputs.push(Output { path: join_path(&path, &name), links_to: None, span: effect.span });
        }
    }
    made
}

/// The names of the programs that the packages of the context make.
fn binaries(subject: &Subject<'_>, tree: &Tree) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in tree.files.iter().filter(|file| file.name() == "Cargo.toml") {
        let Some(manifest) = subject.text_of(file).and_then(|text| text.parse::<toml::Table>().ok()) else { continue };
        let directory = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let at = |name: &str| if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
        let bins = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
        names.extend(bins.filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned())));
        let package = manifest.get("package").and_then(|package| package.get("name")?.as_str());
        if let Some(package) = package.filter(|_| tree.file(&at("src/main.rs")).is_some()) {
            names.insert(package.to_owned());
        }
        let folder = format!("{}/", at("src/bin"));
        for other in &tree.files {
            let Some(rest) = other.path.strip_prefix(&folder) else { continue };
            let name = rest.strip_suffix("/main.rs").or_else(|| rest.strip_suffix(".rs"));
            names.extend(name.filter(|name| !name.contains('/')).map(str::to_owned));
        }
    }
    names
}

/// What the crates of the lock link.
#[derive(Default)]
struct Crates {
    linked: BTreeMap<String, Linked>,
    doubtful: Option<String>,
    /// The lock, or the manifest of a package without any crate.
    place: Option<Evidence>,
}

impl Crates {
    fn of(build: &Build<'_, '_>) -> Self {
        let mut crates = Self::default();
        let Some(tree) = &build.tree else { return crates };
        let lock = tree.files.iter().find(|file| file.name() == "Cargo.lock");
        let text = lock.and_then(|file| build.subject.text_of(file));
        let Some((lock, text)) = lock.zip(text) else {
            crates.without_lock(build, tree);
            return crates;
        };
        let Ok(table) = text.parse::<toml::Table>() else { return crates };
        crates.place =
            Some(Evidence { path: lock.found_at.clone(), line: 1, shows: "the crates that it is made of".to_owned() });
        let packages: Vec<(&str, Vec<&str>)> = table
            .get("package")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|package| {
                let needs = package.get("dependencies").and_then(toml::Value::as_array).into_iter().flatten();
                let needs = needs.filter_map(|name| name.as_str()?.split(' ').next()).collect();
                Some((package.get("name")?.as_str()?, needs))
            })
            .collect();
        for (name, needs) in &packages {
            let lists = lists();
            if let Some(linked) = lists.linked.get(*name) {
                let is_inside = linked.unless.iter().any(|other| packages.iter().any(|(name, _)| name == other))
                    || linked.compiled_with.as_deref().is_some_and(|tool| needs.contains(&tool));
                if !is_inside && Self::may_link(build, linked) {
                    crates.linked.insert((*name).to_owned(), linked.clone());
                }
            } else if lists.doubtful.crates.iter().any(|known| known == name)
                || name.ends_with("-sys") && !lists.inside.crates.iter().any(|known| known == name)
            {
                crates.doubtful.get_or_insert_with(|| (*name).to_owned());
            }
        }
        crates
    }

    /// Whether the library is there to be linked: a crate that can do without it compiles its own.
    fn may_link(build: &Build<'_, '_>, linked: &Linked) -> bool {
        if linked.first.is_none() {
            return true;
        }
        let is_whole = build.subject.target.named_image().is_some_and(|image| {
            image.reference.name().ends_with("/rust")
                && !image.reference.tag().is_some_and(|tag| tag.contains("slim") || tag.contains("alpine"))
        });
        let is_installed = build
            .effects
            .iter()
            .any(|effect| matches!(&effect.kind, Kind::Packages { names, .. } if names.contains(&linked.package)));
        is_whole || is_installed
    }

    /// A program without any crate needs no lock.
    fn without_lock(&mut self, build: &Build<'_, '_>, tree: &Tree) {
        let manifests = tree.files.iter().filter(|file| file.name() == "Cargo.toml");
        let tables: Vec<_> = manifests
            .filter_map(|file| Some((file, build.subject.text_of(file)?.parse::<toml::Table>().ok()?)))
            .collect();
        let is_bare = |table: &toml::Table| {
            ["dependencies", "build-dependencies"].iter().all(|key| {
                let dependencies = table.get(*key).and_then(toml::Value::as_table);
                dependencies.is_none_or(|all| all.values().all(|value| value.get("path").is_some()))
            })
        };
        if let Some((file, _)) = tables.first().filter(|_| tables.iter().all(|(_, table)| is_bare(table))) {
            self.place = Some(Evidence { path: file.found_at.clone(), line: 1, shows: "needs no crate".to_owned() });
        }
    }

    fn doubt(&self) -> Result<(), Obstacle> {
        if self.place.is_none() {
            return Err("no `Cargo.lock` is in the build context, so that the libraries that the program is linked to are not known".into());
        }
        match &self.doubtful {
            Some(name) => Err(format!("which library the crate `{name}` loads is not known").into()),
            None => Ok(()),
        }
    }
}

/// The script that installs the toolchain, on an image of a distribution.
struct Installer {
    /// The step, by index.
    step: usize,
    span: Span,
    version: Option<String>,
}

impl Installer {
    fn of(build: &Build<'_, '_>) -> Option<Self> {
        let of_rustup = |effect: &&Effect<'_>| {
            let Kind::Download { urls, .. } = &effect.kind else { return false };
            urls.iter().any(|url| url.contains("sh.rustup.rs") || url.contains("static.rust-lang.org/rustup"))
        };
        let effect = build.effects.iter().find(of_rustup)?;
        let words: Vec<String> = effect
            .step
            .commands()
            .flat_map(|command| command.command.words().map(|word| word.text().into_owned()).collect::<Vec<_>>())
            .collect();
        let at = words.iter().position(|word| word == "--default-toolchain");
        let version = at.and_then(|at| words.get(at + 1).cloned());
        Some(Self { step: effect.step.index(), span: effect.span, version })
    }

    /// The edits that take the toolchain from the official image of the same release of Debian.
    fn replaced(&self, build: &Build<'_, '_>) -> Result<Vec<Edit>, Obstacle> {
        let subject = build.subject;
        let root = subject.target.root();
        let line = subject.cx.file.locate(self.span.start).line;
        let kept =
            |why: &str| -> Obstacle { format!("the installer in line {line} is not verified, and {why}").into() };
        let system = System::of(subject);
        let codename =
            system.release.as_deref().filter(|_| system.family == Some(Family::Debian)).and_then(compiled::codename);
        let codename = codename.ok_or_else(|| kept("no official image of the toolchain has this distribution"))?;
        let is_debian =
            subject.target.named_image().is_some_and(|image| image.reference.name().ends_with("library/debian"));
        if !is_debian || root != subject.target {
            return Err(kept("the base of the image is more than Debian"));
        }
        let version = match self.version.as_deref() {
            None | Some("stable") => "1",
            Some(version) if version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => version,
            Some(_) => return Err(kept("no official image has the toolchain that it is told to install")),
        };
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        let step = subject
            .steps()
            .into_iter()
            .find(|step| step.index() == self.step)
            .ok_or_else(|| kept("it cannot be taken out"))?;
        let others = build.effects.iter().filter(|effect| effect.step.index() == self.step);
        let is_own = |effect: &Effect<'_>| match &effect.kind {
            Kind::Download { .. } | Kind::Transient => true,
            Kind::Unknown(what) => matches!(what.as_str(), "sh" | "bash"),
            Kind::LanguagePackages { ecosystem, .. } => *ecosystem == Ecosystem::Rust,
            _ => false,
        };
        if !others.clone().all(is_own) || others.count() > 6 {
            return Err(kept(
                "its step does more than install: apart from the rest it could be replaced by the official image",
            ));
        }
        let mut edits = vec![editor.replace(root.base_span(), format!("rust:{version}-{codename}"))];
        edits.push(editor.remove(step.instruction()).ok_or_else(|| kept("it cannot be taken out"))?);
        for other in subject.steps() {
            if other.index() == self.step {
                continue;
            }
            let text = subject.cx.text(other.instruction().span).into_owned();
            let is_path =
                other.keyword() == Keyword::Env && other.assigned().iter().all(|variable| &*variable.name == "PATH");
            let is_shell =
                other.keyword() == Keyword::Shell && other.next().is_some_and(|next| next.index() == self.step);
            if is_path && text.contains(".cargo/bin")
                || is_shell && text.contains("pipefail") && !has_pipe(subject, self.step)
            {
                edits.push(editor.remove(other.instruction()).ok_or_else(|| kept("it cannot be taken out"))?);
            } else if text.contains(".cargo") || text.contains(".rustup") {
                let line = other.instruction().lines.0;
                return Err(kept(&format!("line {line} names the place where it installs")));
            }
        }
        Ok(edits)
    }
}

/// Whether a later command is part of a pipeline.
fn has_pipe(subject: &Subject<'_>, step: usize) -> bool {
    let later = subject.runs().into_iter().filter(|other| other.index() > step);
    later.flat_map(|step| step.commands().collect::<Vec<_>>()).any(|command| command.command.place().before.is_pipe())
}

/// `rulesets/recipes/rust.toml`.
#[derive(Debug, Deserialize)]
struct Lists {
    linked: BTreeMap<String, Linked>,
    doubtful: List,
    inside: List,
}

/// How a crate is bound to a library.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Linked {
    /// The package that it is built with.
    package: String,
    /// Crates that compile the library.
    #[serde(default)]
    unless: Vec<String>,
    /// A crate that it needs where it compiles the library itself.
    compiled_with: Option<String>,
    /// Given where it takes the library of the system first, and else compiles its own.
    first: Option<String>,
}

#[derive(Debug, Deserialize)]
struct List {
    crates: Vec<String>,
}

fn lists() -> &'static Lists {
    static LISTS: OnceLock<Lists> = OnceLock::new();
    LISTS.get_or_init(|| {
        toml::from_str(include_str!("../../../rulesets/recipes/rust.toml")).expect("the shipped recipe is well formed")
    })
}
