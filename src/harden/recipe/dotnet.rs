//! .NET: what `dotnet publish` writes runs on the runtime of the same version, or on its variant without a shell.
//!
//! Facts: the documentation of `dotnet publish` (`-o`, what is published holds settings and `wwwroot`) and of `dotnet run`
//! (it builds, and reads `Properties/launchSettings.json`), of ASP.NET Core (the content root is the working directory),
//! and of the chiseled images (`-extra` has ICU and time zones, which plain ones run without).

use super::{
    common::{change, climbing, needs_more, place},
    whole::Whole,
};
use crate::{
    harden::{
        Proposal, Runtime, Subject, Taken,
        effect::{Effect, Kind},
        health::{self, Health},
        tree::{Tree, below},
    },
    model::{Process, StartWord, StepCommand, join_path},
};

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    let facts = image.facts.as_deref()?;
    let is_sdk = image.reference.name().contains("/dotnet/") && image.reference.name().ends_with("/sdk");
    let startup = subject.startup();
    let words = startup.process.as_ref().and_then(Process::known_words)?;
    let ["dotnet", rest @ ..] = words.as_slice() else { return None };
    let base = facts.runtime.known().filter(|_| is_sdk)?;
    let published = match rest {
        ["run", arguments @ ..] => Published::of_run(subject, arguments),
        [program, ..] => Published::of_start(subject, program),
        [] => return None,
    };
    let climb = || {
        let runtime = on_runtime(subject, base, &published?)?;
        Ok(climbing(without_shell(subject, base, &runtime), runtime))
    };
    Some(Proposal::of(".NET", climb().map_err(|reason: String| reason.into())))
}

/// What is published, and where.
struct Published {
    /// The directory in the build.
    directory: String,
    /// The directory in the image.
    to: String,
    /// What publishes it, where the author does not.
    build_end: Option<String>,
    /// What starts it, where that is not the author's start.
    start: Option<Vec<String>>,
}

impl Published {
    /// The directory of the program that is started, which a step publishes.
    fn of_start(subject: &Subject<'_>, program: &str) -> Result<Self, String> {
        let home = subject.workdir().unwrap_or("/");
        let path = join_path(home, program);
        if !program.ends_with(".dll") {
            return Err(format!("`dotnet {program}` starts no published program"));
        }
        let directory = path.rsplit_once('/').map_or("/", |(directory, _)| directory).to_owned();
        let publishes = |command: StepCommand<'_>| {
            let words: Vec<String> = command.command.words().map(|word| word.text().into_owned()).collect();
            let is_publish = words.first().is_some_and(|word| word == "dotnet")
                && words.get(1).is_some_and(|word| word == "publish");
            is_publish
                && (directory.ends_with("/publish") || output(&words).is_none_or(|output| ends_as(&directory, output)))
        };
        let mut commands = subject.runs().into_iter().flat_map(|step| step.commands().collect::<Vec<_>>());
        if directory == "/" || !commands.any(publishes) {
            return Err(format!("no step is seen to publish `{directory}`"));
        }
        Ok(Self { to: directory.clone(), directory, build_end: None, start: None })
    }

    /// `dotnet run` builds at each start: the same project, published once.
    fn of_run(subject: &Subject<'_>, arguments: &[&str]) -> Result<Self, String> {
        let home = subject.workdir().ok_or("the working directory is not known")?;
        let tree = Tree::of(subject).filter(|tree| tree.is_complete).ok_or("the project is not seen")?;
        if let Some(file) = tree.files.iter().find(|file| file.name() == "launchSettings.json") {
            return Err(format!("`dotnet run` reads {}, which nothing published does", file.found_at));
        }
        let mut project = None;
        let mut options = Vec::new();
        let mut passed = Vec::new();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match *word {
                "--project" | "-p" => project = words.next().map(|word| (*word).to_owned()),
                "-c" | "--configuration" => options.extend(["-c", words.next().copied().unwrap_or_default()]),
                "--no-restore" | "--no-build" | "--no-launch-profile" => {}
                "--" => passed.extend(words.by_ref().map(|word| (*word).to_owned())),
                "--urls" => passed.extend(["--urls", words.next().copied().unwrap_or_default()].map(str::to_owned)),
                other if other.starts_with("--urls=") => passed.push(other.to_owned()),
                other => return Err(format!("what `{other}` of `dotnet run` does is not known")),
            }
        }
        let place = project.as_deref().map_or_else(|| home.to_owned(), |project| join_path(home, project));
        let projects: Vec<_> = tree
            .files
            .iter()
            .filter(|file| matches!(file.extension(), "csproj" | "fsproj" | "vbproj"))
            .filter(|file| file.at == place || file.at.rsplit_once('/').is_some_and(|(above, _)| above == place))
            .collect();
        let [file] = projects.as_slice() else { return Err("which project `dotnet run` means is not told".to_owned()) };
        let text = subject.text_of(file).unwrap_or_default();
        let own = text.split_once("<AssemblyName>").and_then(|(_, rest)| rest.split_once('<')).map(|(name, _)| name);
        let name = own.unwrap_or_else(|| file.name().rsplit_once('.').map_or("", |(name, _)| name)).to_owned();
        if name.contains('$') {
            return Err(format!("{} does not say in words what the program is called", file.found_at));
        }
        let directory = format!("{home}/ironhull-publish");
        let mut publish = format!("RUN dotnet publish {}", file.at);
        for option in options {
            publish = format!("{publish} {option}");
        }
        let start = ["dotnet".to_owned(), format!("{name}.dll")].into_iter().chain(passed).collect();
        Ok(Self {
            build_end: Some(format!("{publish} -o {directory}")),
            to: home.to_owned(),
            directory,
            start: Some(start),
        })
    }
}

/// What `-o` says.
fn output(words: &[String]) -> Option<&str> {
    let at = words.iter().position(|word| word == "-o" || word == "--output");
    let behind = at.and_then(|at| words.get(at + 1)).map(String::as_str);
    behind.or_else(|| words.iter().find_map(|word| word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o="))))
}

/// Whether the end of a directory is what an option says of it.
fn ends_as(directory: &str, output: &str) -> bool {
    let output = output.trim_start_matches("./").trim_start_matches("../").trim_end_matches('/');
    directory == output || directory.ends_with(&format!("/{}", output.trim_start_matches('/')))
}

/// The image on the runtime of the same version.
fn on_runtime(subject: &Subject<'_>, base: &str, published: &Published) -> Result<Runtime, String> {
    let named = subject.named(base).ok_or("a variable decides which .NET the base has")?;
    let mut whole = Whole::new(subject, None);
    let home = whole.home.take();
    // Sources, packages and tools of the build are in what is published.
    whole.effects.retain(|effect| !is_of_build(effect, &published.directory));
    let mut runtime = whole.on(named, |_| Ok(Vec::new()))?;
    let is_inside = |taken: &Taken| below(&taken.to, &published.to).is_some();
    runtime.taken.retain(|taken| !is_inside(taken));
    runtime.taken.insert(0, Taken { from: published.directory.clone(), to: published.to.clone() });
    // The content root is the working directory.
    if let Some(home) = home.filter(|home| *home != published.to && *home != "/") {
        for name in content(subject, &home) {
            runtime.taken.push(Taken::at(format!("{home}/{name}")));
        }
    }
    runtime.build_end.extend(published.build_end.clone());
    runtime.start = published.start.clone().map(|words| subject.started_by(words));
    let evidence = subject
        .startup()
        .process
        .as_ref()
        .map(|process| place(&process.evidence.path, process.evidence.line, "what is started"));
    let evidence = evidence.ok_or("what it starts is not known")?;
    if published.build_end.is_some() {
        let reason = "`dotnet run` compiles at each start, which takes the SDK and files that can be written";
        runtime.changes.insert(0, change("Publish the program, and start what is published", reason, evidence.clone()));
    }
    let reason = "what is published needs no more than the runtime";
    runtime.changes.insert(0, change("Run on the runtime of the same version", reason, evidence));
    Ok(runtime)
}

/// Whether a step only serves the build: it fills no place outside of what is built, or one that only holds sources.
fn is_of_build(effect: &Effect<'_>, published: &str) -> bool {
    match &effect.kind {
        Kind::LanguagePackages { .. } | Kind::Build { .. } => true,
        Kind::Copied { to, from: None, .. } | Kind::Directories(to) => to.known.iter().all(|path| {
            let is_of_system = ["/etc", "/usr", "/opt", "/var"].iter().any(|place| below(path, place).is_some());
            !is_of_system || below(published, path).is_some()
        }),
        _ => false,
    }
}

/// Names beside the sources that a program reads where it starts.
fn content(subject: &Subject<'_>, home: &str) -> Vec<String> {
    let Some(tree) = Tree::of(subject) else { return Vec::new() };
    let mut names: Vec<String> = tree
        .files
        .iter()
        .filter_map(|file| {
            let first = below(&file.at, home)?.split('/').next()?.to_owned();
            let is_read = first == "wwwroot" || first.starts_with("appsettings") && first.ends_with(".json");
            is_read.then_some(first)
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The image on the variant of the runtime without a shell, given the one on the runtime.
fn without_shell(subject: &Subject<'_>, base: &str, runtime: &Runtime) -> Result<Runtime, String> {
    let (repository, tag) = base.rsplit_once(':').unwrap_or((base, "latest"));
    let facts = subject.cx.knowledge.image(repository, Some(tag));
    let shell_less = facts.as_ref().and_then(|facts| facts.shell_less.known());
    let shell_less = shell_less.ok_or_else(|| format!("no variant of `{base}` without a shell is known"))?;
    if let [package, ..] = runtime.packages.as_slice() {
        return Err(format!("it needs the package `{package}`, and a base without a shell takes no packages"));
    }
    if let Some(line) = runtime.setup.first().or(runtime.finish.first()) {
        return Err(format!("it needs `{line}`, and a base without a shell runs no commands"));
    }
    let startup = subject.startup();
    if let Some(need) = startup.shell.first() {
        let place = &need.evidence;
        return Err(format!("the start needs a shell: {}:{} {}", place.path, place.line, place.shows));
    }
    let words = startup.process.as_ref().and_then(Process::known_words).ok_or("what it starts is not known")?;
    if let Some(before) = startup.before.first() {
        return Err(format!("the start runs `{}` first", before.words.first().map_or("", StartWord::written)));
    }
    match health::health(subject) {
        Health::None => {}
        Health::Probe(step, _) | Health::Other(step) => return Err(needs_more(step)),
    }
    loads_nothing(subject)?;
    let mut better = runtime.clone();
    better.base = format!("{shell_less}-extra");
    better.start.get_or_insert_with(|| subject.started_by(words.into_iter().map(str::to_owned).collect()));
    better.changes.push(change(
        "Run on a base without a shell",
        "nothing that is started needs one, and the base has the same .NET with ICU and time zones",
        subject.evidence(subject.target.root().base_span(), "the .NET that builds"),
    ));
    Ok(better)
}

/// Whether no source starts another program, and no package brings code that loads libraries of a distribution.
fn loads_nothing(subject: &Subject<'_>) -> Result<(), String> {
    const NATIVE: [&str; 10] = [
        "SkiaSharp",
        "System.Drawing.Common",
        "ImageMagick",
        "Magick.NET",
        "PuppeteerSharp",
        "Playwright",
        "DinkToPdf",
        "LibGit2Sharp",
        "Oracle",
        "OpenCv",
    ];
    let tree = Tree::of(subject).filter(|tree| tree.is_complete);
    let tree = tree.ok_or("the sources are not seen, and may start other programs")?;
    for file in &tree.files {
        let is_source = matches!(file.extension(), "cs" | "fs" | "vb");
        let is_project = matches!(file.extension(), "csproj" | "fsproj" | "vbproj" | "props");
        if !is_source && !is_project {
            continue;
        }
        let text = subject.text_of(file).unwrap_or_default();
        let asks: &[&str] = if is_source { &["Process.Start", "ProcessStartInfo", "DllImport"] } else { &NATIVE };
        if let Some(word) = asks.iter().find(|word| text.contains(**word)) {
            return Err(format!("{} has `{word}`, which may need what the base has not", file.found_at));
        }
    }
    Ok(())
}
