//! `ADD` of an address, verified by the checksum of the lock: `--checksum` where the builder has it, else a download in
//! a `RUN`.
//!
//! Dockerfile reference, `ADD`: a remote file belongs to root with mode 0600, and is not unpacked; `--checksum` takes
//! one source.

use super::raise_frontend;
use crate::{
    knowledge::Family,
    lock::LockedUrl,
    model::{
        Allowed, Base, Builder, DockerfileModel, Feature, Step, StepPackages, Value,
        add::Source,
        join_path,
        packages::{Action, Package},
    },
    rule::{Cx, Fix, Safety},
    syntax::{
        dockerfile::{Editor, TokenKind},
        shell::dialect_of,
    },
    text::Edit,
};
use std::{borrow::Cow, cell::OnceCell};

/// Verifies what the `ADD`s of one file download.
pub struct RemoteAdds<'a, 'm> {
    cx: &'a Cx<'a, DockerfileModel<'m>>,
    /// Who builds the file; looked for when it is asked.
    builder: OnceCell<Builder>,
}

impl<'a, 'm> RemoteAdds<'a, 'm> {
    /// For the file that `cx` is about.
    pub fn new(cx: &'a Cx<'a, DockerfileModel<'m>>) -> Self {
        Self { cx, builder: OnceCell::new() }
    }

    /// The fix that verifies what `step`, an `ADD`, takes from the address `source`; manual without an entry in the
    /// lock.
    ///
    /// # Errors
    /// If no change would be right here: why.
    pub fn fix(&self, step: Step<'_>, source: &Source<'_>) -> Result<Fix, Cow<'static, str>> {
        fix(self, step, source)
    }
}

fn fix(adds: &RemoteAdds<'_, '_>, step: Step<'_>, source: &Source<'_>) -> Result<Fix, Cow<'static, str>> {
    const TITLE: &str = "Verify the download by checksum";
    let cx = adds.cx;
    let value = step.expand_arg(source.arg).unwrap_or_default();
    let Some(url) = value.known() else {
        return Err("only the build knows the address, and so its checksum".into());
    };
    if value.is_of_platform() {
        return Err("the address depends on the platform, and so does its checksum".into());
    }
    if step.sources().len() > 1 {
        return Err("a checksum belongs to one source: give each address an `ADD` of its own".into());
    }
    let moves = moves_on(url);
    let Some(locked) = cx.lock.url(url) else {
        let reason = match moves {
            Some(why) => format!("{why}: name a version, then `ironhull lock` writes down the checksum of it"),
            None => format!("`ironhull.lock` has no checksum of `{url}`; `ironhull lock` writes it down"),
        };
        return Ok(Fix::new(TITLE, Safety::Manual, reason, Vec::new()));
    };
    let (edits, mut safety, how) = edits(adds, step, source, locked)?;
    let mut reason = format!("`ironhull.lock` has the checksum, resolved on {}; {how}", locked.resolved);
    if let Some(name) = value.defaulted().next() {
        safety = Safety::Risky;
        reason = format!("{reason}; it holds for the default of `{name}` only");
    }
    if let Some(why) = moves {
        safety = Safety::Risky;
        reason = format!("{reason}; {why}, and the build fails as soon as that is another file");
    }
    Ok(Fix::new(TITLE, safety, reason, edits).claiming(cx.file.id, step.instruction().span))
}

type Edits = (Vec<Edit>, Safety, Cow<'static, str>);

fn edits(
    adds: &RemoteAdds<'_, '_>,
    step: Step<'_>,
    source: &Source<'_>,
    locked: &LockedUrl,
) -> Result<Edits, Cow<'static, str>> {
    let cx = adds.cx;
    let tree = cx.model.syntax;
    let flag = Editor::new(cx.file, tree).add_flag(step.instruction(), &format!("--checksum=sha256:{}", locked.sha256));
    let builder = adds.builder.get_or_init(|| Builder::of(tree, cx.file, cx.context));
    match builder.allows(Feature::AddChecksum) {
        Allowed::Yes(why) => Ok((vec![flag], Safety::Safe, why)),
        Allowed::Raise(image) => {
            // A frontend that is named already comes from where the new one does.
            let is_named = tree.frontend(&cx.file.text).is_some();
            if let Ok(found) = download_edits(cx, step, source, locked)
                && !is_named
            {
                return Ok(found);
            }
            let how = format!("`--checksum` takes the frontend `{image}`, which the build must be able to pull");
            Ok((vec![flag, raise_frontend(cx.file, tree, &image)], Safety::Risky, how.into()))
        }
        Allowed::No(why) => {
            download_edits(cx, step, source, locked).map_err(|also| format!("{why}; and {also}").into())
        }
    }
}

/// The same with a program of the image, which every builder can run.
fn download_edits(
    cx: &Cx<'_, DockerfileModel<'_>>,
    step: Step<'_>,
    source: &Source<'_>,
    locked: &LockedUrl,
) -> Result<Edits, Cow<'static, str>> {
    let download = Download::plan(cx, step, source)?;
    let instruction = step.instruction();
    let escape = char::from(cx.model.syntax.escape);
    let between = format!(" {escape}{} && ", Editor::new(cx.file, cx.model.syntax).line_ending());
    let text = format!("RUN {}", download.commands(&locked.sha256).join(&between));
    let how = format!("`{}` runs in the build, which must reach the network as the builder does", download.program);
    Ok((vec![Edit::replace(cx.file.id, instruction.span, text)], Safety::Risky, how.into()))
}

/// A download in a `RUN` that does what an `ADD` did.
struct Download {
    program: &'static str,
    url: String,
    target: String,
    mode: String,
    /// The directory that has to be made first.
    directory: Option<String>,
}

impl Download {
    fn plan(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, source: &Source<'_>) -> Result<Self, &'static str> {
        let instruction = step.instruction();
        let mut flags = instruction.flags.iter();
        let mode = match (flags.next(), flags.next()) {
            (None, _) => "600",
            (Some(flag), None) if flag.name == "chmod" => {
                flag.value.as_deref().filter(|mode| is_octal(mode)).ok_or("its flags say more than a `RUN` can")?
            }
            (Some(_), _) => return Err("its flags say more than a `RUN` can"),
        };
        if has_comment(cx, step) {
            return Err("a comment inside of it has no place in a `RUN`");
        }
        if !step.runs_as_root() {
            return Err("a `RUN` would not be root, whom the file belongs to");
        }
        if !dialect_of(&step.shell().words).is_bourne() {
            return Err("the shell of the stage is none that takes this");
        }
        let program = downloader(step, &source.text)
            .ok_or("nothing shows that the stage has `curl` or `wget`, and certificates")?;
        let url = String::from_utf8_lossy(&source.arg.text).into_owned();
        if !is_plain(&without_variables(&url)) {
            return Err("a shell would read the address in another way");
        }
        let target = target(step, &source.text)?;
        if !is_plain(&target) {
            return Err("a shell would read the destination in another way");
        }
        let directory = target.rsplit_once('/').map_or("", |(directory, _)| directory);
        let exists = EXISTING.contains(&directory) || step.workdir().path.known() == Some(directory);
        let directory = (!exists).then(|| directory.to_owned());
        Ok(Self { program, url, target, mode: mode.to_owned(), directory })
    }

    fn commands(&self, sha256: &str) -> Vec<String> {
        let Self { program, url, target, mode, directory } = self;
        let mut commands: Vec<String> = directory.iter().map(|directory| format!("mkdir -p {directory}")).collect();
        let options = if *program == "curl" { "-fsSLo" } else { "-qO" };
        let quote = if url.contains('$') { "\"" } else { "" };
        commands.push(format!("{program} {options} {target} {quote}{url}{quote}"));
        commands.push(format!("echo \"{sha256}  {target}\" | sha256sum -c -"));
        commands.push(format!("chmod {mode} {target}"));
        commands
    }
}

/// The file that an `ADD` of `url` writes.
///
/// Into a directory it goes by the last part of the address; without a `/` at its end, only the image knows whether the
/// destination is one.
fn target(step: Step<'_>, url: &str) -> Result<String, &'static str> {
    const HIDDEN: &str = "a variable hides its destination";
    let destination = step.destination().ok_or("it has no destination")?;
    let written = step.expand_arg(destination).ok().filter(Value::is_fixed).ok_or(HIDDEN)?;
    let target = step.absolute_arg(destination).ok_or(HIDDEN)?;
    let name = url.split(['?', '#']).next().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
    let (directory, last) = target.rsplit_once('/').unwrap_or(("", &target));
    let is_known_directory = EXISTING.contains(&target.as_str()) || step.workdir().path.known() == Some(&target);
    if written.text.ends_with(['/', '.']) || is_known_directory {
        return if name.is_empty() { Err("the address names no file") } else { Ok(join_path(&target, name)) };
    }
    let is_file = last == name || last.contains('.') || directory.ends_with("/bin") || directory.ends_with("/sbin");
    if is_file { Ok(target) } else { Err("the destination may be a file or a directory") }
}

/// A word with its plain variables taken out, which a shell reads as a builder does.
fn without_variables(word: &str) -> String {
    let is_of_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let mut parts = word.split('$');
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let braced = part.strip_prefix('{').and_then(|part| part.split_once('}'));
        match braced {
            Some((name, behind)) if !name.is_empty() && name.chars().all(is_of_name) => rest.push_str(behind),
            None if part.starts_with(is_of_name) => rest.push_str(part.trim_start_matches(is_of_name)),
            Some(_) | None => rest.push('$'),
        }
    }
    rest
}

/// Whether a comment stands between the lines of the instruction.
fn has_comment(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>) -> bool {
    let span = step.instruction().span;
    let tokens = &cx.model.syntax.tokens;
    let first = tokens.partition_point(|token| token.span.start < span.start);
    let inside = tokens[first..].iter().take_while(|token| token.span.start < span.end);
    inside.into_iter().any(|token| token.kind == TokenKind::Comment)
}

/// Directories that every distribution has.
const EXISTING: [&str; 16] = [
    "",
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local",
    "/usr/local/bin",
    "/usr/lib",
    "/usr/share",
    "/etc",
    "/opt",
    "/tmp",
    "/root",
    "/srv",
    "/var",
    "/home",
];

/// So many steps before a download are looked through for a program that can do it.
const MOST_STEPS: usize = 200;

/// The program that certainly can download `url` in the stage of `step`, before it.
fn downloader(step: Step<'_>, url: &str) -> Option<&'static str> {
    let Base::Image(image) = step.stage().root_base() else { return None };
    let facts = image.facts.as_ref();
    let family = facts.and_then(|facts| facts.family.known().copied());
    let earlier = std::iter::successors(step.previous(), |step| step.previous()).take(MOST_STEPS);
    let earlier: Vec<Step<'_>> = earlier.collect();
    let calls: Vec<StepPackages<'_>> = earlier.iter().flat_map(|step| step.package_commands()).collect();
    if calls.iter().any(|call| call.call.action == Action::Remove) {
        return None;
    }
    let is_https = |url: &str| url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("https:"));
    let has_called = |program: &str| {
        let downloads = earlier.iter().flat_map(|step| step.downloads());
        downloads
            .filter(|download| download.program == program && !download.command.is_conditional())
            .any(|download| !is_https(url) || download.urls.iter().any(|word| is_https(&word.text())))
    };
    let installs = |name: &str| {
        let is_it = |package: Package<'_>| package.name == name;
        calls.iter().any(|call| {
            call.call.action == Action::Install && !call.at.is_conditional() && call.call.packages().any(is_it)
        })
    };
    let brings_certificates = matches!(family, Some(Family::Alpine | Family::Rhel | Family::Amazon));
    let is_installed =
        |program: &str| installs(program) && (!is_https(url) || brings_certificates || installs("ca-certificates"));
    let found = ["curl", "wget"].into_iter().find(|program| has_called(program) || is_installed(program));
    let release = facts.and_then(|facts| facts.release.known());
    let has_busybox = family == Some(Family::Alpine) && release.is_some_and(|release| is_recent_alpine(release));
    found.or(has_busybox.then_some("wget"))
}

/// Whether BusyBox of that release of Alpine speaks TLS and has certificates beside it.
fn is_recent_alpine(release: &str) -> bool {
    let minor = release.strip_prefix("3.").and_then(|minor| minor.split('.').next()?.parse::<u32>().ok());
    release == "edge" || minor.is_some_and(|minor| minor >= 10)
}

/// Why an address may answer another file tomorrow, if it says so.
fn moves_on(url: &str) -> Option<&'static str> {
    const MOVING: [&str; 13] = [
        "latest", "master", "main", "head", "nightly", "current", "stable", "trunk", "develop", "dev", "edge",
        "release", "snapshot",
    ];
    let path = url.split_once("://").map_or(url, |(_, rest)| rest).split_once('/').map_or("", |(_, path)| path);
    let path = path.to_ascii_lowercase();
    let mut words = path.split(|char: char| !char.is_ascii_alphanumeric());
    if words.any(|word| MOVING.contains(&word)) {
        return Some("the address serves whatever is newest");
    }
    let is_version = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit()) && !is_architecture(word);
    let names_version = path.split(|char: char| !char.is_ascii_alphanumeric()).any(is_version);
    (!names_version).then_some("nothing in the address names a version")
}

/// Whether a word with digits in it names a machine, not a version.
fn is_architecture(word: &str) -> bool {
    let systems = ["linux", "win", "windows", "darwin", "macos"];
    let machine = systems.iter().find_map(|system| word.strip_prefix(system)).unwrap_or(word);
    matches!(
        machine,
        "64" | "32"
            | "amd64"
            | "x64"
            | "x86"
            | "86"
            | "386"
            | "i386"
            | "i586"
            | "i686"
            | "arm64"
            | "aarch64"
            | "armv5"
            | "armv6"
            | "armv6l"
            | "armv7"
            | "armv7l"
            | "ppc64le"
            | "ppc64"
            | "s390x"
            | "riscv64"
            | "64bit"
            | "32bit"
            | "86_64"
    )
}

fn is_octal(mode: &str) -> bool {
    (3..=4).contains(&mode.len()) && mode.bytes().all(|byte| matches!(byte, b'0'..=b'7'))
}

/// Whether a shell takes a word as it is.
fn is_plain(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/:._-+=@%,~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_moves_on_unless_it_names_a_version() {
        assert_eq!(moves_on("https://example.com/releases/v1.2/tool"), None);
        assert!(moves_on("https://example.com/latest/tool-1.2").is_some());
        assert!(moves_on("https://example.com/a/b/master/x2.sh").is_some());
        assert!(moves_on("https://1.example.com/install.sh").is_some());
        assert!(moves_on("https://example.com/download/linux64/tool-x86_64").is_some());
        assert_eq!(moves_on("https://example.com/maintain/tool-2.bin"), None);
    }

    #[test]
    fn only_plain_variables_are_the_same_to_a_shell() {
        assert_eq!(without_variables("https://a/$V/${NAME}_x"), "https://a//_x");
        for word in ["${V:-1}", "$", "a$(id)", "${V", "$$", "${}"] {
            assert!(!is_plain(&without_variables(word)), "{word}");
        }
    }
}
