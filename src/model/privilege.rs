//! Which steps need root, and why: what keeps a `USER` from standing before them.
//!
//! A reason is told for what fails without root in an image as its publisher makes it. Paths that earlier steps give to
//! another user are left out; where nobody can tell whose a path is, nothing is told.

use super::{
    packages::{Action, Manager, PackageCommand},
    path,
    script::StepCommand,
    stage::Stage,
    step::Step,
};
use crate::{
    syntax::{
        dockerfile::Keyword,
        shell::{Invocation, Redirect, RedirectOperator, Script, Word, Wrapper},
    },
    text::Span,
};
use std::collections::HashSet;

/// Why a step needs root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootNeed {
    /// What it does.
    pub kind: RootNeedKind,
    /// The command, or the instruction.
    pub span: Span,
    /// Whether it fails without root for certain, or only where the base image has not given the path away.
    pub is_certain: bool,
}

/// What needs root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootNeedKind {
    /// Packages of the distribution are installed, removed or brought up to date.
    Packages(Manager),
    /// Packages of a language are installed for the whole system.
    SystemWide(Manager),
    /// Users or groups are made or changed.
    Accounts,
    /// Files are given to another user.
    Owner,
    /// Capabilities or other marks are set on files.
    Capabilities,
    /// The system is configured: certificates, libraries, locales, services.
    System,
    /// Something is written below a directory that belongs to root.
    Path(String),
    /// A program that becomes another user is called.
    StepDown,
}

impl<'m> Stage<'m> {
    /// The steps of the stage that need root, each with its reasons, in order.
    pub fn root_needs(self) -> Vec<(Step<'m>, Vec<RootNeed>)> {
        let mut given = Given::default();
        let mut parents: Vec<Stage<'m>> = self.chain().skip(1).take(MOST_STAGES).collect();
        parents.reverse();
        for step in parents.into_iter().flat_map(Stage::steps) {
            given.add(step);
        }
        let mut found = Vec::new();
        for step in self.steps() {
            let needs = needs_of_step(step, &given);
            given.add(step);
            if !needs.is_empty() {
                found.push((step, needs));
            }
        }
        found
    }
}

impl Stage<'_> {
    /// What its start commands do that fails without root: packages that are installed, a file below `/etc` that is
    /// written.
    pub fn start_needs(self) -> Vec<RootNeed> {
        let mut needs = Vec::new();
        for step in self.start_steps() {
            let is_certain = !step.commands().any(|command| matches!(command.name(), Some("cd" | "pushd")));
            let directory = Directory { step, is_certain };
            needs.extend(step.commands().flat_map(|command| needs_of(command, directory, &Given::default())));
        }
        needs.retain(|need| need.is_certain);
        needs
    }
}

/// What a script that starts an image does that fails without root; the line in it, from 1, and the program.
pub fn script_needs_root(script: &Script) -> Option<(u32, String)> {
    let line =
        |span: Span| 1 + memchr::memchr_iter(b'\n', script.bytes(Span { start: 0, end: span.start })).count() as u32;
    script.every_command().filter(|command| !command.script().is_inline()).find_map(|command| {
        let invocation = command.invocation()?;
        let name = invocation.name()?;
        let is_system = PackageCommand::read(invocation)
            .is_some_and(|call| call.manager.is_system() && call.action != Action::Other);
        let needs = is_system || kind_of_program(name).is_some();
        needs.then(|| (line(command.span()), name.to_owned()))
    })
}

/// Ownership is followed through so many stages that start from each other.
const MOST_STAGES: usize = 64;

/// The paths that steps give to somebody other than root.
#[derive(Debug, Default)]
struct Given(HashSet<String>);

impl Given {
    fn add(&mut self, step: Step<'_>) {
        match step.keyword() {
            Keyword::Run => self.0.extend(step.commands().flat_map(given_by)),
            Keyword::Copy | Keyword::Add if step.instruction().flag("chown").is_some() => {
                self.0.extend(step.destination().and_then(|destination| step.absolute_arg(destination)));
            }
            // BuildKit makes the directory as the user in force.
            Keyword::Workdir if step.user().user.is_unprivileged() => {
                let behind = step.next().map_or(step.stage().workdir(), Step::workdir);
                self.0.extend(behind.path.known().map(|path| path::join("/", path)));
            }
            Keyword::Add
            | Keyword::Arg
            | Keyword::Cmd
            | Keyword::Copy
            | Keyword::Entrypoint
            | Keyword::Env
            | Keyword::Expose
            | Keyword::From
            | Keyword::Healthcheck
            | Keyword::Label
            | Keyword::Maintainer
            | Keyword::Onbuild
            | Keyword::Shell
            | Keyword::Stopsignal
            | Keyword::User
            | Keyword::Volume
            | Keyword::Workdir
            | Keyword::Unknown => {}
        }
    }

    /// Whether a path or a directory around it has been given away.
    fn covers(&self, path: &str) -> bool {
        let mut path = path;
        while !path.is_empty() {
            if self.0.contains(path) {
                return true;
            }
            path = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        }
        false
    }
}

/// The paths that a command gives away: with `chown`, `chmod` for everybody, or `install -o`.
fn given_by(command: StepCommand<'_>) -> Vec<String> {
    let Some(invocation) = command.invocation() else { return Vec::new() };
    let operands = || invocation.arguments().filter(|word| !word.bytes().starts_with(b"-"));
    let gives = match invocation.name() {
        Some("chown" | "chgrp") => true,
        Some("chmod") => operands().next().is_some_and(|mode| is_for_everybody(&mode.text())),
        Some("install") => invocation.has_option(Some('o'), "owner", "mgoSt"),
        Some(_) | None => false,
    };
    if !gives {
        return Vec::new();
    }
    let directory = Directory { step: command.step, is_certain: true };
    operands().skip(1).filter_map(|word| written(command, directory, word)).collect()
}

/// Whether a mode lets everybody write: `777`, `a+w`, `o+rw`, `+w`.
fn is_for_everybody(mode: &str) -> bool {
    match mode.bytes().last() {
        Some(digit @ b'0'..=b'7') => (digit - b'0') & 2 != 0,
        Some(_) | None => mode.split(',').any(|part| {
            let (who, what) = part.split_once(['+', '=']).unwrap_or(("", ""));
            what.contains('w') && (who.is_empty() || who.contains(['a', 'o']))
        }),
    }
}

impl Step<'_> {
    /// The absolute paths that its commands give to somebody other than root, or let everybody write; each with the
    /// command that does.
    pub fn given_away(self) -> Vec<(String, Span)> {
        if self.keyword() != Keyword::Run {
            return Vec::new();
        }
        self.commands()
            .flat_map(|command| given_by(command).into_iter().map(move |path| (path, command.span())))
            .collect()
    }
}

/// The directory that relative paths of a step start from.
#[derive(Clone, Copy, Debug)]
struct Directory<'m> {
    step: Step<'m>,
    /// Whether no command changes it.
    is_certain: bool,
}

fn needs_of_step(step: Step<'_>, given: &Given) -> Vec<RootNeed> {
    if step.keyword() != Keyword::Run {
        return Vec::new();
    }
    let is_certain = !step.commands().any(|command| matches!(command.name(), Some("cd" | "pushd")));
    let directory = Directory { step, is_certain };
    let mut needs: Vec<RootNeed> = step.commands().flat_map(|command| needs_of(command, directory, given)).collect();
    needs.sort_by_key(|need| need.span);
    needs
}

fn needs_of<'m>(command: StepCommand<'m>, directory: Directory<'m>, given: &Given) -> Vec<RootNeed> {
    let Some(invocation) = command.invocation() else { return Vec::new() };
    // `sudo` brings its own root, and must be asked about itself.
    if invocation.is_wrapped_by(Wrapper::Elevate) {
        return Vec::new();
    }
    let need = |kind, is_certain| RootNeed { kind, span: command.span(), is_certain };
    let mut needs = Vec::new();
    if invocation.is_wrapped_by(Wrapper::StepDown) || matches!(invocation.name(), Some("su" | "chroot")) {
        needs.push(need(RootNeedKind::StepDown, true));
    }
    if let Some(call) = PackageCommand::read(invocation) {
        needs.extend(packages(command, &call).map(|(kind, is_certain)| need(kind, is_certain)));
        return needs;
    }
    let Some(name) = invocation.name() else { return needs };
    let known = kind_of_program(name);
    if let Some(kind) = known {
        // Files of one's own may be given to oneself.
        let is_certain = kind != RootNeedKind::Owner || !command.step.user().user.is_unprivileged();
        needs.push(need(kind, is_certain));
        return needs;
    }
    if name == "make" && command.command.words().any(|word| word.bytes() == b"install") {
        needs.push(need(RootNeedKind::System, false));
    }
    let mut paths: Vec<String> = written_paths(command, directory, name).filter(|path| !given.covers(path)).collect();
    paths.retain(|path| place_of(path) != Place::Open);
    paths.sort_by_key(|path| place_of(path) != Place::OfRoot);
    if let Some(path) = paths.into_iter().next() {
        // What another user writes in the file as it is may well be that user's.
        let is_certain = place_of(&path) == Place::OfRoot && !command.step.user().user.is_unprivileged();
        needs.push(need(RootNeedKind::Path(path), is_certain));
    }
    needs
}

/// Why a program needs root whatever it is told.
fn kind_of_program(name: &str) -> Option<RootNeedKind> {
    match name {
        "useradd" | "adduser" | "userdel" | "deluser" | "usermod" | "groupadd" | "addgroup" | "groupdel"
        | "delgroup" | "groupmod" | "gpasswd" | "chpasswd" | "passwd" | "chsh" | "chage" | "visudo" | "newusers"
        | "vipw" => Some(RootNeedKind::Accounts),
        "chown" | "chgrp" => Some(RootNeedKind::Owner),
        "setcap" | "setfattr" | "mknod" | "mount" | "umount" => Some(RootNeedKind::Capabilities),
        "update-ca-certificates"
        | "update-ca-trust"
        | "ldconfig"
        | "locale-gen"
        | "localedef"
        | "update-locale"
        | "update-alternatives"
        | "alternatives"
        | "update-rc.d"
        | "rc-update"
        | "systemctl"
        | "service"
        | "dpkg-reconfigure"
        | "debconf-set-selections"
        | "add-apt-repository"
        | "apt-add-repository"
        | "apt-key"
        | "apt-mark"
        | "sysctl"
        | "a2enmod"
        | "a2dismod"
        | "a2ensite"
        | "a2dissite"
        | "phpenmod"
        | "docker-php-ext-install"
        | "docker-php-ext-configure"
        | "docker-php-ext-enable"
        | "pecl"
        | "chkconfig"
        | "install_packages"
        | "setup-timezone"
        | "add-pkg"
        | "clean-install" => Some(RootNeedKind::System),
        _ => None,
    }
}

/// Whether a package manager needs root.
fn packages(command: StepCommand<'_>, call: &PackageCommand<'_>) -> Option<(RootNeedKind, bool)> {
    match call.action {
        Action::Refresh | Action::Install | Action::Upgrade | Action::Remove | Action::Clean => {}
        Action::Other => return None,
    }
    if call.manager.is_system() {
        return Some((RootNeedKind::Packages(call.manager), true));
    }
    // Outside of a virtual environment pip writes to the system, or else quietly to the home of the user.
    let is_elsewhere = call.manager == Manager::Pip && command.step.variable("VIRTUAL_ENV").is_some();
    (call.is_for_everybody() && !is_elsewhere).then_some((RootNeedKind::SystemWide(call.manager), false))
}

/// The absolute paths that a command writes, as far as they are certain.
fn written_paths<'m>(command: StepCommand<'m>, directory: Directory<'m>, name: &str) -> impl Iterator<Item = String> {
    let redirects = command.command.redirects().filter(move |redirect| writes(redirect.operator()));
    let mut words: Vec<Word<'m>> = redirects.map(Redirect::target).collect();
    let invocation = command.invocation();
    let operands = || {
        let arguments = invocation.into_iter().flat_map(Invocation::arguments);
        arguments.filter(|word| !word.bytes().starts_with(b"-"))
    };
    match name {
        "mkdir" | "rm" | "rmdir" | "touch" | "tee" | "unlink" | "truncate" => words.extend(operands()),
        // The mode or the script comes first.
        "chmod" => words.extend(operands().skip(1)),
        "cp" | "mv" | "ln" | "install" | "rsync" => words.extend(operands().next_back()),
        "sed" if in_place(command) => words.extend(operands().skip(1)),
        _ => {}
    }
    words.into_iter().filter_map(move |word| written(command, directory, word))
}

fn writes(operator: RedirectOperator) -> bool {
    matches!(
        operator,
        RedirectOperator::Write | RedirectOperator::Append | RedirectOperator::WriteAll | RedirectOperator::AppendAll
    )
}

fn in_place(command: StepCommand<'_>) -> bool {
    command.invocation().is_some_and(|invocation| invocation.has_option(Some('i'), "in-place", "efl"))
}

/// The absolute path that a word means; a pattern counts as its directory.
fn written<'m>(command: StepCommand<'m>, directory: Directory<'m>, word: Word<'m>) -> Option<String> {
    let text = if word.has_glob() && !word.is_dynamic() { word.text() } else { command.value(word)? };
    let text = text.split(['*', '?', '[']).next().unwrap_or_default();
    if text.starts_with('/') {
        return Some(path::join("/", text));
    }
    // A relative path is only certain where nothing changes the directory.
    let around = directory.is_certain.then(|| directory.step.workdir().path.known())??;
    (!text.starts_with('~')).then(|| path::join(around, text))
}

/// Whose a path is in images as their publishers make them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Root's, in every image.
    OfRoot,
    /// Root's, unless the base image gives it to its own user.
    OfRootUnlessGiven,
    /// Anybody's, or nobody can tell.
    Open,
}

/// Whether the directory belongs to root in every image, and to nobody else unless a step gives it away.
pub(super) fn is_of_root(path: &str) -> bool {
    place_of(path) == Place::OfRoot
}

fn place_of(path: &str) -> Place {
    let any = |directories: &[&str]| directories.iter().any(|directory| path::is_in(path, directory));
    if any(&["/tmp", "/var/tmp", "/var/lock", "/proc", "/sys", "/dev", "/run/secrets"]) {
        Place::Open
    } else if any(&["/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/boot", "/root"]) {
        Place::OfRoot
    } else if any(&["/opt", "/srv", "/var", "/run"]) {
        Place::OfRootUnlessGiven
    } else {
        Place::Open
    }
}
