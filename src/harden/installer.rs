//! Tools of a build that come from a page unseen, and where the same tool comes from with a checksum: a package, or the
//! image that its publisher makes of it.
//!
//! Facts: uv's documentation, "Installing uv": the standalone installer puts it into `~/.local/bin`; the same program is
//! published on the Python package index; Poetry's, "Installation": the installer, its `POETRY_VERSION`, and pip. Gradle's own image (keeganwitt/docker-gradle, `GRADLE_HOME` is `/opt/gradle`)
//! and Maven's (carlossg/docker-maven, `MAVEN_HOME` is `/usr/share/maven`, which its own Dockerfiles copy out of it) hold
//! what the archive of that version holds, unpacked; so does Go's (docker-library/golang, `/usr/local/go`). pnpm's
//! documentation, "Installation": the standalone script, its `PNPM_VERSION`, and npm.

use super::{Change, Subject, recipe};
use crate::{
    knowledge::Family,
    model::{Step, StepCommand, Value, VariableKind, downloads::Download, file_name, join_path, packages::Action},
    rule::Safety,
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::Word,
    },
    text::Edit,
};
use std::borrow::Cow;

/// A build tool that is published as an archive and as an image.
struct Published {
    name: &'static str,
    /// What the address of the archive holds before the version, and after it.
    address: (&'static str, &'static [&'static str]),
    /// The directory in the archive, before the version.
    folder: &'static str,
    /// Whether the version is a part of that directory's name.
    has_versioned_folder: bool,
    /// The image.
    image: &'static str,
    /// Where the image has the same directory.
    home: &'static str,
}

const GO: Published = Published {
    name: "Go",
    address: ("go.dev/dl/go", &[".linux-amd64.tar.gz"]),
    folder: "go",
    has_versioned_folder: false,
    image: "golang",
    home: "/usr/local/go",
};

const PUBLISHED: [Published; 5] = [
    Published {
        name: "gradle",
        address: ("services.gradle.org/distributions/gradle-", &["-bin.zip", "-all.zip"]),
        folder: "gradle-",
        has_versioned_folder: true,
        image: "gradle",
        home: "/opt/gradle",
    },
    Published {
        name: "maven",
        address: ("/apache-maven-", &["-bin.tar.gz", "-bin.zip"]),
        folder: "apache-maven-",
        has_versioned_folder: true,
        image: "maven",
        home: "/usr/share/maven",
    },
    GO,
    Published { address: ("dl.google.com/go/go", GO.address.1), ..GO },
    Published { address: ("golang.org/dl/go", GO.address.1), ..GO },
];

/// The edits that take a tool from where it has a checksum, and what they do; `None` where there is none to take.
pub fn replaced(subject: &Subject<'_>) -> Option<(Vec<Edit>, Change)> {
    let package = || by_package(subject).map(|(edit, change)| (vec![edit], change));
    package()
        .or_else(|| bun(subject))
        .or_else(|| client_of_perl(subject))
        .or_else(|| from_image(subject))
        .or_else(|| recipe::without_node(subject))
}

/// The program out of Bun's own image, in the place of its installer, which puts it into the home of root.
///
/// Facts: bun.sh/docs, "Installation" (`~/.bun/bin`, the version behind `-s`); the Dockerfiles of the image
/// (`/usr/local/bin/bun`, on Alpine with `libgcc` and `libstdc++`; a tag for each version, with `-alpine` for musl).
fn bun(subject: &Subject<'_>) -> Option<(Vec<Edit>, Change)> {
    let step = subject.runs().into_iter().find(|step| is_piped(*step, "bun.sh/install", &["bash", "sh"]))?;
    let is_alpine = match subject.target.image_facts()?.family.known()? {
        Family::Alpine => true,
        Family::Debian | Family::Ubuntu => false,
        _ => return None,
    };
    let words = step.commands().last()?.command.words();
    let version = words.filter_map(Word::literal).find_map(|word| word.strip_prefix("bun-v"));
    let tag = match (version, is_alpine) {
        (Some(version), true) => format!("{version}-alpine"),
        (Some(version), false) => version.to_owned(),
        (None, true) => "alpine".to_owned(),
        (None, false) => "latest".to_owned(),
    };
    let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
    let span = step.instruction().span;
    let libraries = if is_alpine { "RUN apk add --no-cache libgcc libstdc++\n" } else { "" };
    let copy = format!("{libraries}COPY --from=oven/bun:{tag} /usr/local/bin/bun /usr/local/bin/bun");
    let mut edits = vec![editor.replace(span, copy)];
    // What only says where the installer put it.
    let is_about_it = |step: &Step<'_>| {
        let is_its = |value: &Value<'_>| value.text.contains("/.bun") || value.text.contains("BUN_INSTALL");
        step.keyword() == Keyword::Env
            && step.assigned().iter().all(|variable| variable.value.as_ref().is_some_and(is_its))
    };
    let steps = subject.steps();
    edits.extend(steps.iter().filter(|step| is_about_it(step)).filter_map(|step| editor.remove(step.instruction())));
    let change = Change {
        title: "Take Bun out of its own image".into(),
        safety: Safety::Risky,
        reason: "the installer is a program that a page sends, and puts it into the home of root; the image has the program itself".into(),
        evidence: vec![subject.evidence(span, "runs the installer")],
    };
    Some((edits, change))
}

/// The client of CPAN that the official image of Perl brings along, in the place of its installer.
///
/// Facts: the Dockerfiles of the image (Perl/docker-perl): `cpanm` and `cpm` lie in `/usr/local/bin`.
fn client_of_perl(subject: &Subject<'_>) -> Option<(Vec<Edit>, Change)> {
    if subject.target.named_image()?.reference.name() != "docker.io/library/perl" {
        return None;
    }
    let step = subject.runs().into_iter().find(|step| is_piped(*step, "cpanmin.us", &["perl"]))?;
    let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
    let edit = editor.remove(step.instruction())?;
    let change = Change {
        title: "Use the `cpanm` of the base image".into(),
        safety: Safety::Risky,
        reason: "the image has it already, and the installer runs what a page sends".into(),
        evidence: vec![subject.evidence(step.instruction().span, "runs the installer")],
    };
    Some((vec![edit], change))
}

/// Whether a step fetches what `address` sends and hands it to one of `runners`, and does nothing else.
fn is_piped(step: Step<'_>, address: &str, runners: &[&str]) -> bool {
    let commands: Vec<StepCommand<'_>> = step.commands().filter(|command| command.name() != Some("set")).collect();
    let [fetch, run] = commands.as_slice() else { return false };
    matches!(fetch.name(), Some("curl" | "wget"))
        && fetch.command.words().any(|word| word.text().contains(address))
        && run.name().is_some_and(|name| runners.contains(&name))
}

/// A build tool out of its own image, in the place of the step that only unpacks its archive.
fn from_image(subject: &Subject<'_>) -> Option<(Vec<Edit>, Change)> {
    let runs = subject.runs();
    let (step, copy) = runs.iter().find_map(|step| Some((*step, unpacked(*step)?)))?;
    let (published, version) = (copy.published, &copy.version);
    let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
    let line = format!("COPY --from={}:{version} {} {}", published.image, published.home, copy.place);
    let span = step.instruction().span;
    let mut edits = vec![editor.replace(span, line)];
    let mut evidence = vec![subject.evidence(span, "unpacks what nothing verifies")];
    let before = runs.iter().take_while(|each| each.index() != step.index());
    for tools in before.filter(|each| only_fetches(**each)) {
        let is_called = runs
            .iter()
            .filter(|each| ![tools.index(), step.index()].contains(&each.index()))
            .any(|each| each.commands().any(|command| command.name().is_some_and(|name| FETCHERS.contains(&name))));
        if let Some(edit) = editor.remove(tools.instruction()).filter(|_| !is_called) {
            edits.push(edit);
            evidence.push(subject.evidence(tools.instruction().span, "installs what only that step called"));
        }
    }
    let change = Change {
        title: format!("Take {} {version} out of its own image", published.name).into(),
        safety: Safety::Risky,
        reason: "a layer has a digest that is checked, an archive from a page has none here".into(),
        evidence,
    };
    Some((edits, change))
}

/// Programs that fetch and unpack, by the names that their packages have too.
const FETCHERS: [&str; 8] = ["wget", "curl", "unzip", "tar", "gzip", "bzip2", "xz-utils", "ca-certificates"];

/// Whether a step does nothing but install what fetches and unpacks.
fn only_fetches(step: Step<'_>) -> bool {
    let is_clean_up = |command: StepCommand<'_>| {
        let is_list = |word: Word<'_>| word.text().contains("/var/lib/apt/lists") || word.text().contains("/var/cache");
        matches!(command.name(), Some("rm")) && command.command.arguments().skip(1).all(is_list)
    };
    let calls: Vec<_> = step.package_commands().collect();
    let is_known = step.commands().all(|command| {
        is_clean_up(command) || calls.iter().any(|call| call.at.command.index() == command.command.index())
    });
    let installs = calls.iter().filter(|call| call.call.action == Action::Install);
    let mut names = installs.flat_map(|call| call.call.packages().map(|package| package.name)).peekable();
    is_known && names.peek().is_some() && names.all(|name| FETCHERS.contains(&name))
}

/// A tool that a step unpacks, and where.
struct Unpacked {
    published: &'static Published,
    version: String,
    place: String,
}

/// What a step unpacks that does nothing else, with addresses that no build argument changes.
fn unpacked(step: Step<'_>) -> Option<Unpacked> {
    let is_argument = |name: &str| step.variable(name).is_none_or(|variable| variable.kind == VariableKind::Arg);
    if step.mentions().iter().any(|mention| is_argument(&mention.name)) || !step.dialect().is_bourne() {
        return None;
    }
    let mut directory = step.workdir().path.known().map(str::to_owned);
    let absolute = |directory: &Option<String>, path: &str| {
        if path.starts_with('/') { Some(join_path("/", path)) } else { Some(join_path(directory.as_ref()?, path)) }
    };
    let mut found: Option<(&'static Published, String)> = None;
    let mut place = None;
    for command in step.commands() {
        if let Some(download) = Download::read(command) {
            let [url] = download.urls.as_slice() else { return None };
            found = Some(published(&command.value(*url)?).filter(|_| found.is_none())?);
            continue;
        }
        let words: Vec<String> =
            command.command.arguments().map(|word| command.value(word).map(Cow::into_owned)).collect::<Option<_>>()?;
        let behind = |option: &str| {
            words.iter().position(|word| word == option).and_then(|at| words.get(at + 1)).map(String::as_str)
        };
        match command.name()? {
            "cd" => directory = Some(absolute(&directory, words.first()?)?),
            "mkdir" | "rm" | "set" | "chmod" => {}
            name @ ("unzip" | "tar") => {
                let (published, version) = found.as_ref()?;
                let into = behind(if name == "tar" { "-C" } else { "-d" });
                let into = absolute(&directory, into.unwrap_or("."))?;
                let version = if published.has_versioned_folder { version.as_str() } else { "" };
                let folder = format!("{}{version}", published.folder);
                place = match words.iter().find_map(|word| word.strip_prefix("--strip-components=")) {
                    Some("1") => Some(into),
                    Some(_) => return None,
                    None if behind("--strip-components").is_some() || behind("--strip").is_some() => return None,
                    None => Some(join_path(&into, &folder)),
                };
            }
            "mv" => {
                let [from, to] = words.as_slice() else { return None };
                let place = place.as_mut().filter(|place| absolute(&directory, from).as_ref() == Some(place))?;
                let is_into = to.ends_with('/');
                let to = absolute(&directory, to)?;
                *place = if is_into { join_path(&to, file_name(place)) } else { to };
            }
            _ => return None,
        }
    }
    let (published, version) = found?;
    Some(Unpacked { published, version, place: place? })
}

/// The tool and its version that an address is the archive of.
fn published(url: &str) -> Option<(&'static Published, String)> {
    PUBLISHED.iter().find_map(|published| {
        let (before, ends) = published.address;
        let (_, rest) = url.rsplit_once(before)?;
        let version = ends.iter().find_map(|end| rest.strip_suffix(end))?;
        let is_version = version.starts_with(|first: char| first.is_ascii_digit())
            && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        is_version.then(|| (published, version.to_owned()))
    })
}

/// A tool that a page offers an installer of, and that the package index has.
struct Piped {
    /// What the address of the installer holds.
    address: &'static str,
    /// What runs the installer.
    runners: &'static [&'static str],
    package: &'static str,
    /// The image that has the package manager, and how that installs a package and asks for a version.
    base: &'static str,
    install: &'static str,
    sign: &'static str,
    /// The variable that asks the installer for a version.
    version: &'static str,
    title: &'static str,
}

const PIPED: [Piped; 3] = [
    Piped {
        address: "astral.sh/uv/install.sh",
        runners: &["sh", "bash"],
        package: "uv",
        base: "python",
        install: "pip install --no-cache-dir",
        sign: "==",
        version: "UV_VERSION",
        title: "Install uv as a package",
    },
    Piped {
        address: "install.python-poetry.org",
        runners: &["python", "python3"],
        package: "poetry",
        base: "python",
        install: "pip install --no-cache-dir",
        sign: "==",
        version: "POETRY_VERSION",
        title: "Install Poetry as a package",
    },
    Piped {
        address: "get.pnpm.io/install.sh",
        runners: &["sh", "bash"],
        package: "pnpm",
        base: "node",
        install: "npm install -g",
        sign: "@",
        version: "PNPM_VERSION",
        title: "Install pnpm as a package",
    },
];

impl Piped {
    /// Whether a step fetches the installer and runs it, and does nothing else.
    fn is_run_by(&self, step: Step<'_>) -> bool {
        let mut commands = step.commands();
        let fetches = commands.next().is_some_and(|command| {
            matches!(command.name(), Some("curl" | "wget"))
                && command.command.words().any(|word| word.text().contains(self.address))
        });
        let runs = |command: StepCommand<'_>| command.name().is_some_and(|name| self.runners.contains(&name));
        fetches && commands.next().is_some_and(runs) && commands.next().is_none()
    }

    /// The version that is asked for, where it is written.
    fn version(&self, step: Step<'_>) -> Option<String> {
        let option = step.commands().last().and_then(|command| {
            let mut words = command.command.words().skip_while(|word| word.bytes() != b"--version").skip(1);
            words.next().and_then(|word| command.value(word).map(Cow::into_owned))
        });
        let assigned = || {
            let mut all = step.commands().flat_map(|command| command.command.assignments());
            all.find(|each| each.name() == self.version)?.literal().map(str::to_owned)
        };
        let behind_env = || {
            let mut words = step.commands().flat_map(|command| command.command.words()).map(Word::text);
            words.find_map(|word| word.strip_prefix(self.version)?.strip_prefix('=').map(str::to_owned))
        };
        let variable =
            || step.variable(self.version).and_then(|variable| variable.value.as_ref()?.known().map(str::to_owned));
        let is_version = |text: &String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        option
            .or_else(assigned)
            .or_else(behind_env)
            .or_else(variable)
            .filter(|text| is_version(text) && !text.is_empty())
    }
}

/// The tool of a piped installer by the package manager of the base; `None` where there is none.
fn by_package(subject: &Subject<'_>) -> Option<(Edit, Change)> {
    let image = subject.target.named_image()?.reference.name();
    let base = image.rsplit('/').next()?;
    let mut offered = PIPED.iter().filter(|piped| piped.base == base).peekable();
    offered.peek()?;
    let offered: Vec<&Piped> = offered.collect();
    let is_run_by = |step: Step<'_>| offered.iter().copied().find(|piped| piped.is_run_by(step));
    let (step, piped) = subject.runs().into_iter().find_map(|step| Some((step, is_run_by(step)?)))?;
    let script = step.script()?;
    let first = step.commands().next()?.span();
    let last = step.commands().last()?.span();
    let span = first.to(last);
    if !script.is_verbatim() {
        return None;
    }
    let title = piped.title;
    let version = piped.version(step).map_or(String::new(), |version| format!("{}{version}", piped.sign));
    let reason = "the package index has it with checksums, and the installer runs what a page sends";
    let edit = Edit::replace(subject.cx.file.id, span, format!("{} {}{version}", piped.install, piped.package));
    let change = Change {
        title: title.into(),
        safety: Safety::Risky,
        reason: reason.into(),
        evidence: vec![subject.evidence(span, "the installer")],
    };
    Some((edit, change))
}
