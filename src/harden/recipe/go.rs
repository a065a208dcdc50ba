//! Go: one program, static where it needs no C.
//!
//! Facts: `go help build` (`-o`, the name of the program), `go help install` (GOBIN, GOPATH), cmd/cgo (`CGO_ENABLED`), the
//! README of distroless (`static` has certificates, time zones and `/tmp`).

use super::compiled::{self, Account, Build, Obstacle, Own, Pin, System};
use crate::{
    harden::{
        Change, Declined, Evidence, Proposal, Rung, Runtime, Start, Subject,
        effect::{self, Ecosystem, Effect, Kind},
        outputs::{Made, Output},
        program::Language,
        started::Started,
    },
    model::{CopySource, Step, StepCommand, file_name, join_path},
    rule::Safety,
    syntax::{
        dockerfile::Editor,
        shell::{Assignment, Word},
    },
    text::Edit,
};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::OnceLock};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["go", "s"],
    manifests: &[
        "go.mod",
        "go.sum",
        "go.work",
        "go.work.sum",
        "Gopkg.toml",
        "Gopkg.lock",
        "glide.yaml",
        "glide.lock",
        "Makefile",
    ],
    calls: &["exec.Command", "exec.CommandContext", "exec.LookPath", "syscall.Exec", "os.StartProcess"],
    callers: &["os/exec", "syscall", "os.StartProcess"],
    embeds: &["//go:embed"],
};

/// Variables that only the Go tool reads.
const VARIABLES: [&str; 17] = [
    "GO111MODULE",
    "GOPROXY",
    "GOSUMDB",
    "GOPRIVATE",
    "GONOSUMDB",
    "GONOPROXY",
    "GOFLAGS",
    "GOCACHE",
    "GOMODCACHE",
    "GOBIN",
    "GOPATH",
    "GOROOT",
    "GOOS",
    "GOARCH",
    "GOARM",
    "CGO_ENABLED",
    "GO_VERSION",
];

/// Options of `go build` with a value in the next word.
const VALUED: [&str; 16] = [
    "o",
    "p",
    "asmflags",
    "buildmode",
    "compiler",
    "gccgoflags",
    "gcflags",
    "installsuffix",
    "ldflags",
    "mod",
    "modfile",
    "overlay",
    "pkgdir",
    "tags",
    "toolexec",
    "exec",
];

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let runs_go = |command: StepCommand<'_>| verb(command).is_some_and(|verb| matches!(verb, "build" | "install"));
    let is_built = subject.runs().into_iter().flat_map(Step::commands).any(runs_go);
    let is_started_by_go = started_by_go(subject).is_some();
    if !is_built && !is_started_by_go {
        return None;
    }
    let build = Build::new(subject, &LANGUAGE, |effect, _| made(subject, effect));
    Some(Proposal::of("Go", proposed(&build)))
}

/// The verb of a call of the Go tool.
fn verb(command: StepCommand<'_>) -> Option<&str> {
    let invocation = command.invocation()?;
    let is_go = invocation.name()? == "go";
    let verb = invocation.arguments().next().filter(|_| is_go)?;
    verb.literal()
}

fn proposed(build: &Build<'_, '_>) -> Result<(Vec<Runtime>, Vec<Declined>), Obstacle> {
    let (program, run) = match started_by_go(build.subject) {
        Some(package) => {
            let (output, run) = built_for_start(build, package)?;
            (output, Some(run))
        }
        None => (build.program()?, None),
    };
    let is_building = |effect: &Effect<'_>| {
        let is_go = |kind: &Kind<'_>| match kind {
            Kind::Build { tool, .. } => tool.starts_with("go "),
            // The toolchain itself.
            Kind::Copied { from: Some(CopySource::Image(image)), .. } => image.name() == "docker.io/library/golang",
            _ => false,
        };
        is_go(&effect.kind)
            || effect.command.is_some_and(|command| {
                matches!(
                    command.name(),
                    Some("swag" | "wire" | "sqlc" | "protoc" | "templ" | "mockgen" | "golangci-lint")
                )
            })
    };
    let own = Own { ecosystem: Some(Ecosystem::Go), is_building: &is_building, variables: &VARIABLES };
    let account = build.account(&program, run.as_ref().map(|run| &run.start), &own)?;
    let mut runtimes = Vec::new();
    let mut declined = Vec::new();
    let linkage = linkage(build, run.is_some());
    match without_shell(build, &account, &linkage) {
        Ok(runtime) => runtimes.push(runtime),
        Err(reason) => declined.push(Declined { rung: Rung::NoShell, reason }),
    }
    let pin = Pin::of(build.subject).filter(|_| matches!(linkage, Linkage::Libraries(_)));
    match build.slim(&account, &[], pin.as_ref(), &|_| !matches!(linkage, Linkage::Static { .. })) {
        Ok(mut runtime) => {
            if let Linkage::Static { edits, .. } = &linkage {
                runtime.build.extend(edits.iter().cloned());
            }
            runtimes.push(runtime);
        }
        Err(reason) => declined.push(Declined { rung: Rung::RuntimeOnly, reason }),
    }
    if let Some(run) = run {
        for runtime in &mut runtimes {
            runtime.build_end.push(run.line(&linkage));
            runtime.changes.push(Change {
                title: "Compile the program when the image is built".into(),
                safety: Safety::Risky,
                reason: "`go run` compiles at every start, and so needs the whole toolchain and a place to write"
                    .into(),
                evidence: vec![run.place.clone()],
            });
        }
    }
    Ok((runtimes, declined))
}

/// What the program is linked to.
pub(super) enum Linkage {
    /// Nothing.
    Static { edits: Vec<Edit>, reason: String, evidence: Vec<Evidence> },
    /// The C library, and that of C++ where it says so.
    C { with_cpp: bool, reason: String, evidence: Vec<Evidence> },
    /// Libraries of the distribution.
    Libraries(String),
}

pub(super) fn linkage(build: &Build<'_, '_>, is_run: bool) -> Linkage {
    let subject = build.subject;
    let builds: Vec<StepCommand<'_>> = subject
        .runs()
        .into_iter()
        .flat_map(Step::commands)
        .filter(|command| verb(*command).is_some_and(|verb| matches!(verb, "build" | "install")))
        .collect();
    let is_off = |command: &StepCommand<'_>| cgo(*command) == Some(false) || is_static_linked(*command);
    if !builds.is_empty() && builds.iter().all(is_off) {
        let evidence = builds.iter().map(|command| subject.evidence(command.span(), "is built without C")).collect();
        return Linkage::Static {
            edits: Vec::new(),
            reason: "the program is built without C, and so is static".to_owned(),
            evidence,
        };
    }
    let is_on = builds.iter().any(|command| cgo(*command) == Some(true));
    let c_file = build.sources.has_line(|line| line == "import \"C\"" || line == "import `C`");
    let modules = Modules::of(build);
    let evidence: Vec<Evidence> = c_file.iter().cloned().chain(modules.place.clone()).collect();
    let development = build.development_package();
    if let Some((name, _)) = &development
        && (c_file.is_some() || is_on || !modules.is_pure())
    {
        return Linkage::Libraries(format!("the program may load the library of `{name}`"));
    }
    if let Some(name) = modules.linked {
        return Linkage::Libraries(format!("the module `{name}` loads libraries of the distribution"));
    }
    if let Some(place) = c_file {
        let links = build
            .sources
            .has_line(|line| line.starts_with("#cgo") || line.starts_with("// #cgo") || line.starts_with("//#cgo"));
        if links.is_some() {
            return Linkage::Libraries(format!("{}:{} is linked to C libraries", place.path, place.line));
        }
        return Linkage::C {
            with_cpp: false,
            reason: "the program has C code of its own, and loads the C library".to_owned(),
            evidence,
        };
    }
    if let Some((name, with_cpp)) = modules.bundled {
        let reason = format!("the module `{name}` brings its C code along, and the program loads the C library alone");
        return Linkage::C { with_cpp, reason, evidence };
    }
    if build.is_seen() && modules.is_known && modules.unknown.is_none() && !is_on {
        let mut edits = Vec::new();
        for command in &builds {
            edits.extend(without_c(subject, *command));
        }
        edits.dedup();
        if edits.len() == builds.len() || is_run && builds.is_empty() {
            let reason =
                "no file of the program and no module that it requires needs C, so that it can be static".to_owned();
            return Linkage::Static { edits, reason, evidence };
        }
    }
    // Nothing but the C library is there to be linked to, with or without C in the modules.
    Linkage::C {
        with_cpp: true,
        reason: "no C library but that of the system is installed where the program is built".to_owned(),
        evidence,
    }
}

fn without_shell(build: &Build<'_, '_>, account: &Account, linkage: &Linkage) -> Result<Runtime, Obstacle> {
    if let Some(declined) = compiled::declined_for_shell(account) {
        return Err(declined.reason);
    }
    if let Some(package) = build.lasting_package(account) {
        return Err(format!(
            "the package `{package}` may be needed when the program runs, and no image without a package manager has it"
        )
        .into());
    }
    let images = &compiled::data().images;
    let (base, reason, more, edits) = match linkage {
        Linkage::Static { edits, reason, evidence } => (&images.fixed, reason, evidence, edits.clone()),
        Linkage::C { with_cpp, reason, evidence } => {
            if let Some(obstacle) = System::of(build.subject).is_newer() {
                return Err(obstacle);
            }
            (if *with_cpp { &images.cc } else { &images.base }, reason, evidence, Vec::new())
        }
        Linkage::Libraries(reason) => return Err(format!("{reason}, which images without a shell do not have").into()),
    };
    let mut evidence = account.evidence.clone();
    evidence.extend(more.iter().cloned());
    let change = Change {
        title: "Move the program into an image without a shell".into(),
        safety: Safety::Risky,
        reason: format!("{reason}; nothing that it starts, and no health check, needs a shell").into(),
        evidence,
    };
    let mut runtime = build.runtime(base, account, change);
    runtime.build.extend(edits);
    Ok(runtime)
}

/// Whether a call may use C, where the file says so.
fn cgo(command: StepCommand<'_>) -> Option<bool> {
    let own = command.command.assignments().filter(|assignment| assignment.name() == "CGO_ENABLED").last();
    if let Some(value) = own.and_then(Assignment::literal) {
        return Some(value != "0");
    }
    let words = || command.command.words();
    if let Some(word) = words().find_map(|word| word.literal()?.strip_prefix("CGO_ENABLED=")) {
        return Some(word != "0");
    }
    let exported = command.step.commands().filter(|other| other.span().start < command.span().start);
    let exported = exported.filter(|other| matches!(other.name(), Some("export" | "go")));
    let value = exported
        .flat_map(|other| other.command.words())
        .filter_map(|word| Some(word.literal()?.strip_prefix("CGO_ENABLED=")? != "0"))
        .last();
    value.or_else(|| {
        let value = command.step.variable("CGO_ENABLED")?.value.as_ref()?;
        value.known().map(|value| value != "0")
    })
}

/// `-extldflags "-static"`
fn is_static_linked(command: StepCommand<'_>) -> bool {
    command.command.words().any(|word| {
        let text = word.text();
        text.contains("-extldflags") && text.contains("-static")
    })
}

/// What keeps C out of one call.
fn without_c(subject: &Subject<'_>, command: StepCommand<'_>) -> Option<Edit> {
    if cgo(command) == Some(false) {
        return None;
    }
    let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
    let invocation = command.invocation()?;
    let is_plain = command.script.is_verbatim() && invocation.is_direct() && !command.command.script().is_inline();
    if !is_plain {
        return Some(editor.insert_before(command.step.instruction(), &["ENV CGO_ENABLED=0"]));
    }
    let first = command.command.assignments().next().map(|assignment| command.script.file_span(assignment.span()));
    let at = first.unwrap_or_else(|| command.word_span(invocation.name_word())).start;
    Some(editor.insert(at as usize, "CGO_ENABLED=0 "))
}

/// What a call of the Go tool makes.
pub(super) fn made(subject: &Subject<'_>, effect: &Effect<'_>) -> Made {
    let Some(command) = effect.command else { return Made::default() };
    match verb(command) {
        Some("build") => built(subject, effect, command),
        Some("install" | "get") => installed(subject, effect, command),
        _ => Made::default(),
    }
}

/// The words behind the verb that name packages.
fn packages(command: StepCommand<'_>) -> Vec<Word<'_>> {
    let Some(invocation) = command.invocation() else { return Vec::new() };
    let mut words = invocation.arguments().skip(1);
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let text = word.text();
        let Some(option) = text.strip_prefix('-') else {
            found.push(word);
            continue;
        };
        if VALUED.contains(&option.trim_start_matches('-')) {
            words.next();
        }
    }
    found
}

fn output_option(command: StepCommand<'_>) -> Option<Word<'_>> {
    let mut words = command.invocation()?.arguments().skip(1);
    words.find(|word| matches!(word.bytes(), b"-o" | b"--o"))?;
    words.next()
}

fn built(subject: &Subject<'_>, effect: &Effect<'_>, command: StepCommand<'_>) -> Made {
    let packages = packages(command);
    if let Some(word) = output_option(command) {
        let joined = word.text().starts_with("-o=");
        let Some(path) = effect.path_of(word).filter(|_| !joined) else { return Made::default() };
        let is_directory = word.bytes().ends_with(b"/")
            || packages.len() > 1
            || packages.iter().any(|word| word.text().contains("..."));
        return match program_name(subject, effect, &packages) {
            _ if !is_directory => Made::file(path, effect.span),
            Some(name) => Made::file(join_path(&path, &name), effect.span),
            None => Made::area(path, effect.span),
        };
    }
    let joined = command.invocation().and_then(|invocation| {
        invocation.arguments().find_map(|word| word.literal()?.strip_prefix("-o=").map(str::to_owned))
    });
    if let Some(path) = joined.and_then(|path| effect::absolute(effect.directory.as_deref(), &path)) {
        return Made::file(path, effect.span);
    }
    let Some(directory) = effect.directory.as_deref() else { return Made::default() };
    match program_name(subject, effect, &packages) {
        Some(name) => Made::file(join_path(directory, &name), effect.span),
        // The module is not seen: the start command has the name.
        None => started_name(subject, directory).map_or_else(Made::default, |path| Made::file(path, effect.span)),
    }
}

/// What the image starts, if it lies in `directory` itself.
fn started_name(subject: &Subject<'_>, directory: &str) -> Option<String> {
    let started = Started::of(subject);
    let word = started.first_words()?.first()?;
    let path = effect::absolute(subject.target.workdir().path.known(), word).filter(|_| word.contains('/'))?;
    (path.rsplit_once('/')?.0 == directory).then_some(path)
}

/// The name that the Go tool gives to a program of these packages.
fn program_name(subject: &Subject<'_>, effect: &Effect<'_>, packages: &[Word<'_>]) -> Option<String> {
    let first = match packages {
        [] => ".".to_owned(),
        [only] => only.literal()?.to_owned(),
        [first, ..] if first.text().ends_with(".go") => first.literal()?.to_owned(),
        [..] => return None,
    };
    if first.contains("...") {
        return None;
    }
    if let Some(file) = first.strip_suffix(".go") {
        return Some(file_name(file).to_owned());
    }
    let path = first.trim_end_matches('/');
    let name = file_name(path);
    if !matches!(name, "." | ".." | "") {
        return Some(without_version(path).to_owned());
    }
    // The package of the working directory: the last part of its path, which in the module's root is the module's.
    let directory = effect.directory.as_deref()?;
    let tree = crate::harden::tree::Tree::of(subject)?;
    let module = tree.at(&join_path(directory, "go.mod")).next().cloned();
    if let Some(module) = module {
        let text = subject.text_of(&module)?;
        let path = text.lines().find_map(|line| line.trim().strip_prefix("module "))?;
        return Some(without_version(path.trim().trim_matches('"')).to_owned());
    }
    let has_go = tree
        .files
        .iter()
        .any(|file| file.extension() == "go" && file.at.rsplit_once('/').is_some_and(|(above, _)| above == directory));
    has_go.then(|| file_name(directory).to_owned())
}

/// The last part of an import path, `/v2` left out.
fn without_version(path: &str) -> &str {
    let name = file_name(path);
    let is_version =
        name.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    match path.rsplit_once('/') {
        Some((above, _)) if is_version => file_name(above),
        _ => name,
    }
}

/// Programs that `go install` puts into GOBIN.
fn installed(subject: &Subject<'_>, effect: &Effect<'_>, command: StepCommand<'_>) -> Made {
    let variable = |name: &str| {
        command.step.variable(name).and_then(|variable| variable.value.as_ref()?.known().map(str::to_owned))
    };
    let is_official = subject.target.named_image().is_some_and(|image| image.reference.name().ends_with("/golang"));
    let path = variable("GOPATH").unwrap_or_else(|| if is_official { "/go" } else { "/root/go" }.to_owned());
    let directory = variable("GOBIN").unwrap_or_else(|| join_path(path.split(':').next().unwrap_or("/go"), "bin"));
    let packages = packages(command);
    let name = match packages.as_slice() {
        [word] if word.text().contains('@') => {
            word.literal().map(|text| without_version(text.split('@').next().unwrap_or(text)).to_owned())
        }
        words => program_name(subject, effect, words),
    };
    match name {
        Some(name) => Made::file(join_path(&directory, &name), effect.span),
        None => Made::area(directory, effect.span),
    }
}

/// A start command that compiles the program first.
struct Run {
    /// What is compiled, as written.
    package: String,
    program: String,
    start: Start,
    place: Evidence,
}

impl Run {
    fn line(&self, linkage: &Linkage) -> String {
        let without_c = if matches!(linkage, Linkage::Static { .. }) { "CGO_ENABLED=0 " } else { "" };
        format!("RUN {without_c}go build -o {} {}", self.program, self.package)
    }
}

/// The words behind `go run` of the start command.
fn started_by_go(subject: &Subject<'_>) -> Option<(Vec<String>, Vec<String>, Evidence)> {
    let started = Started::of(subject);
    let Started::Words { entrypoint, command, place, .. } = &started else { return None };
    let words: Vec<String> = entrypoint.iter().chain(command).flatten().cloned().collect();
    let [go, run, rest @ ..] = words.as_slice() else { return None };
    if file_name(go) != "go" || run != "run" {
        return None;
    }
    let is_file = rest.first().is_some_and(|word| word.ends_with(".go"));
    let count = if is_file { rest.iter().take_while(|word| word.ends_with(".go")).count() } else { 1 };
    let (package, arguments) = rest.split_at_checked(count)?;
    let is_plain = package.iter().all(|word| {
        !word.starts_with('-') && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./_-".contains(&byte))
    });
    is_plain.then(|| (package.to_vec(), arguments.to_vec(), place.clone()))
}

fn built_for_start(
    build: &Build<'_, '_>,
    (package, arguments, place): (Vec<String>, Vec<String>, Evidence),
) -> Result<(Output, Run), Obstacle> {
    let subject = build.subject;
    let directory = subject.workdir().ok_or("`go run` starts in the root of the file system, where no module is")?;
    let first = package.first().map_or(".", |word| word.trim_end_matches('/'));
    let name = match first.strip_suffix(".go") {
        Some(file) => file_name(file).to_owned(),
        None if matches!(first, "." | "./") => file_name(directory).to_owned(),
        None => without_version(first).to_owned(),
    };
    let program = join_path("/usr/local/bin", &name);
    let mut words = vec![program.clone()];
    words.extend(arguments);
    let output = Output { path: program.clone(), links_to: None, span: subject.target.instruction().span };
    let start = Start { entrypoint: Some(words), command: None };
    Ok((output, Run { package: package.join(" "), program, start, place }))
}

/// The modules that the program requires.
#[derive(Default)]
struct Modules {
    /// Whether the list is there.
    is_known: bool,
    bundled: Option<(String, bool)>,
    linked: Option<String>,
    /// One that no list knows.
    unknown: Option<String>,
    place: Option<Evidence>,
}

impl Modules {
    fn of(build: &Build<'_, '_>) -> Self {
        let mut modules = Self::default();
        let Some(tree) = &build.tree else { return modules };
        let files: Vec<_> = tree.files.iter().filter(|file| file.name() == "go.mod").collect();
        modules.is_known = !files.is_empty();
        for file in files {
            let Some(text) = build.subject.text_of(file) else { continue };
            modules.place.get_or_insert_with(|| Evidence {
                path: file.found_at.clone(),
                line: 1,
                shows: "the modules that it requires".to_owned(),
            });
            for line in text.lines() {
                let line = line.trim();
                let line = line.strip_prefix("require ").unwrap_or(line);
                let mut words = line.split_whitespace();
                let (Some(path), Some(version)) = (words.next(), words.next()) else { continue };
                if path.contains('.') && path.contains('/') && version.starts_with('v') && !line.contains("=>") {
                    modules.add(path);
                }
            }
        }
        modules
    }

    fn add(&mut self, path: &str) {
        let lists = lists();
        if lists.linked.has(path) {
            self.linked.get_or_insert_with(|| path.to_owned());
        } else if lists.bundled_cpp.has(path) {
            self.bundled = Some((path.to_owned(), true));
        } else if lists.bundled.has(path) {
            self.bundled.get_or_insert_with(|| (path.to_owned(), false));
        } else if !lists.pure.has(path) {
            self.unknown.get_or_insert_with(|| path.to_owned());
        }
    }

    fn is_pure(&self) -> bool {
        self.is_known && self.bundled.is_none() && self.linked.is_none() && self.unknown.is_none()
    }
}

/// `rulesets/recipes/go.toml`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lists {
    bundled: NeedsC,
    bundled_cpp: NeedsC,
    linked: NeedsC,
    pure: Pure,
}

/// Modules with what says that they need C.
#[derive(Debug, Deserialize)]
struct NeedsC {
    modules: BTreeMap<String, String>,
}

impl NeedsC {
    fn has(&self, path: &str) -> bool {
        self.modules.keys().any(|known| path.starts_with(known.as_str()))
    }
}

#[derive(Debug, Deserialize)]
struct Pure {
    modules: Vec<String>,
}

impl Pure {
    fn has(&self, path: &str) -> bool {
        self.modules.iter().any(|known| path.starts_with(known.as_str()))
    }
}

fn lists() -> &'static Lists {
    static LISTS: OnceLock<Lists> = OnceLock::new();
    LISTS.get_or_init(|| {
        toml::from_str(include_str!("../../../rulesets/recipes/go.toml")).expect("the shipped recipe is well formed")
    })
}
