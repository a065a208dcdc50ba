//! Verifies a download by the checksum that `ironhull.lock` has for its address.
//!
//! A file is checked by the command behind the download. What flows through a pipe or a substitution is kept in a
//! file first, checked, then used, then removed.

mod apart;
mod joint;
mod user;

use crate::{
    lock::LockedUrl,
    model::{
        DockerfileModel, ScriptForm, Stage, StepCommand,
        downloads::{Download, Output},
        expand::Cause,
        packages::{Manager, PackageCommand},
    },
    rule::{Cx, Fix, Safety},
    text::Edit,
};
use joint::Joint;

/// Checks are added for so many downloads of a file at once; a real file has a few.
const MOST_CHECKS: usize = 200;

/// Verifies the downloads of one file.
#[derive(Debug, Default)]
pub struct Verifier {
    checks: usize,
}

impl Verifier {
    /// Verifies `download`, or says what is missing: a fix without edits where the lock does not know its address.
    ///
    /// # Errors
    /// Why a check would be wrong there: one clause.
    pub fn verify(&mut self, cx: &Cx<'_, DockerfileModel<'_>>, download: &Download<'_>) -> Result<Fix, String> {
        self.checks += 1;
        if self.checks > MOST_CHECKS {
            return Err("the file holds more downloads than are verified at once".to_owned());
        }
        verify(cx, download)
    }
}

fn verify(cx: &Cx<'_, DockerfileModel<'_>>, download: &Download<'_>) -> Result<Fix, String> {
    let address = Address::of(download)?;
    let Some(entry) = cx.lock.url(&address.url) else { return Ok(address.unresolved()) };
    check_script(cx, download)?;
    if !has_sha256sum(download.command.step.stage()) {
        return Err("nothing shows that `sha256sum` is in the image of the stage".to_owned());
    }
    let (title, edits) = match &download.output {
        Output::File(file) => ("Verify the download", in_place(cx, download, file, entry)?),
        Output::Stdout => ("Download, verify, then use", apart::take_apart(cx, download, &address.url, entry)?),
        Output::Unknown => return Err("nobody can tell what the file is called".to_owned()),
    };
    let runs = download.output == Output::Stdout && user::is_run(download);
    let is_lasting = address.defaults.is_empty() && !is_mutable(&address.url);
    let safety = if is_lasting && !runs { Safety::Safe } else { Safety::Risky };
    Ok(Fix::new(title, safety, address.reason(entry, runs), edits).claiming(cx.file.id, download.span()))
}

/// `curl -o file URL`: a check behind it.
fn in_place(
    cx: &Cx<'_, DockerfileModel<'_>>,
    download: &Download<'_>,
    file: &str,
    entry: &LockedUrl,
) -> Result<Vec<Edit>, String> {
    if download.command.command.redirects().any(|redirect| redirect.heredoc().is_some()) {
        return Err("a here-document belongs to the command".to_owned());
    }
    let renames = |word: &str| {
        let is_cluster = word.starts_with('-') && !word.starts_with("--") && !word.contains('=');
        is_cluster && word.contains('J') || matches!(word, "--remote-header-name" | "--content-disposition")
    };
    let invocation = download.command.invocation().ok_or("the command is unclear")?;
    if invocation.arguments().any(|word| renames(&word.text())) {
        return Err("the server decides what the file is called".to_owned());
    }
    let has_query = download.urls.iter().any(|url| url.bytes().contains(&b'?'));
    if download.program == "wget" && has_query && !invocation.arguments().any(|word| names_output(&word.text())) {
        return Err("the query of the address becomes a part of the file's name".to_owned());
    }
    let check = check(file, entry).ok_or("the name of the file cannot be written in quotes")?;
    let joint = Joint::behind(cx, download.command)?;
    Ok(vec![joint.insert(cx, &check)])
}

/// Whether a word of `wget` may say what the file is called.
fn names_output(word: &str) -> bool {
    word.starts_with("--output-document") || word.starts_with('-') && !word.starts_with("--") && word.contains('O')
}

/// The command that fails unless `file` is what the lock knows.
fn check(file: &str, entry: &LockedUrl) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/+@%=:,-${}~".contains(&byte);
    // A tilde in quotes is no home.
    let file = file.strip_prefix("~/").map_or_else(|| file.to_owned(), |rest| format!("$HOME/{rest}"));
    let is_sure = !file.is_empty() && !file.contains('~') && file.bytes().all(is_plain);
    is_sure.then(|| format!("echo \"{}  {file}\" | sha256sum -c -", entry.sha256))
}

/// Whether the script that downloads may be edited.
fn check_script(cx: &Cx<'_, DockerfileModel<'_>>, download: &Download<'_>) -> Result<(), String> {
    let command = download.command;
    let is_file =
        matches!(command.script.form, ScriptForm::Shell | ScriptForm::Heredoc) && command.script.is_verbatim();
    if !is_file || command.command.script().is_inline() || !command.command.is_verbatim() {
        return Err("the command stands in a string that another program reads".to_owned());
    }
    let is_bourne = command.script.script.dialect().is_bourne();
    if !is_bourne || command.step.stage().is_windows() || cx.model.syntax.has_foreign_frontend(&cx.file.text) {
        return Err("no Bourne shell reads the script".to_owned());
    }
    if command.script.script.doubts().len() > 0 {
        return Err("the script cannot be read with certainty".to_owned());
    }
    Ok(())
}

/// Whether the image of `stage` certainly has `sha256sum`: a distribution with its core utilities, or `BusyBox`.
fn has_sha256sum(stage: Stage<'_>) -> bool {
    let facts = stage.named_image().and_then(|image| image.facts.as_ref());
    let is_system = facts.is_some_and(|facts| {
        let has_shell = facts.shell.known().is_some_and(|shells| !shells.is_empty());
        !facts.has_no_shell() && (has_shell || matches!(facts.package_manager.known(), Some(Some(_))))
    });
    is_system || stage.chain().take(8).any(|stage| stage.steps().any(|step| step.commands().any(is_system_package)))
}

/// Whether a command calls the package manager of a distribution, which a system without core utilities does not have.
fn is_system_package(command: StepCommand<'_>) -> bool {
    use Manager::{Apk, Apt, Dnf, Microdnf, Pacman, Tdnf, Yum, Zypper};
    let call = command.invocation().and_then(PackageCommand::read);
    call.is_some_and(|call| matches!(call.manager, Apt | Apk | Yum | Dnf | Microdnf | Tdnf | Zypper | Pacman))
}

/// Arguments that a build sets by the platform; an `ARG` of that name takes the value as its default.
const PLATFORM: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

/// The address of a download.
struct Address {
    url: String,
    /// The arguments whose defaults it is made of.
    defaults: Vec<String>,
}

impl Address {
    fn of(download: &Download<'_>) -> Result<Self, String> {
        let [word] = download.urls.as_slice() else { return Err("it downloads several addresses at once".to_owned()) };
        let step = download.command.step;
        let names: Vec<String> = word.variables().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
        let mut defaults = Vec::new();
        for name in &names {
            let depends = step.variable(name).and_then(|variable| variable.value.as_ref()).map(|value| &value.depends);
            for dependency in depends.into_iter().flatten() {
                if dependency.cause == Cause::Platform || PLATFORM.contains(&&*dependency.name) {
                    return Err(format!(
                        "the address depends on the platform (`{name}`), so one checksum is not enough"
                    ));
                }
                if dependency.cause == Cause::Default {
                    defaults.push(dependency.name.to_string());
                }
            }
        }
        let Some(url) = download.command.value(*word) else {
            return Err(match names.first() {
                Some(name) => format!("the address depends on `{name}`, whose value the file does not tell"),
                None => "the script makes the address when it runs".to_owned(),
            });
        };
        defaults.sort();
        defaults.dedup();
        Ok(Self { url: url.into_owned(), defaults })
    }

    /// What to do where the lock does not know the address.
    fn unresolved(&self) -> Fix {
        let url = &self.url;
        let reason = if is_mutable(url) {
            format!(
                "what is behind `{url}` changes without notice, and a checksum would break the build then; use the address of a fixed version, which `ironhull lock` can resolve"
            )
        } else {
            format!("`ironhull.lock` has no checksum of `{url}`; `ironhull lock` can resolve it")
        };
        Fix::new("Verify the download", Safety::Manual, reason, Vec::new())
    }

    fn reason(&self, entry: &LockedUrl, runs: bool) -> String {
        let mut reason =
            format!("the checksum of `{}` is that of `ironhull.lock`, resolved {}", self.url, entry.resolved);
        if let Some(name) = self.defaults.first() {
            reason.extend(["; it holds for the default of `", name, "` only"]);
        }
        if is_mutable(&self.url) {
            reason.push_str("; what is behind the address changes without notice, and the build fails then");
        }
        if runs {
            reason.push_str("; a script that reads its standard input, or looks at its own name, sees another one");
        }
        reason
    }
}

/// Whether an address names no version of what is behind it.
fn is_mutable(url: &str) -> bool {
    const MOVING: &[&str] = &["latest", "/master/", "/main/", "/head/", "nightly", "/stable", "current", "/develop/"];
    let lower = url.to_ascii_lowercase();
    let path = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let path = path.split_once('/').map_or("", |(_, path)| path);
    let is_commit = |part: &str| part.len() >= 12 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_number = path.bytes().any(|byte| byte.is_ascii_digit());
    let names_version = has_number || path.split(['/', '-', '.', '=']).any(is_commit);
    !names_version || MOVING.iter().any(|word| lower.contains(word))
}
