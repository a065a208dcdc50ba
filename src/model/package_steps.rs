//! Package managers as a step uses them: what it installs, what it leaves behind, what it trusts.
//!
//! Sources: apt-get(8), apk(8), yum(8), dnf(8), zypper(8), pip, npm, yarn and conda command references; Docker's
//! best practices for `apt-get`; Dockerfile reference, `RUN --mount=type=cache`.

use super::{
    mount::MountKind,
    packages::{Action, Manager, PackageCommand},
    script::StepCommand,
    step::Step,
};
use crate::{
    syntax::{dockerfile::Keyword, shell::Word},
    text::Span,
};

/// A call of a package manager in a step.
#[derive(Clone, Debug)]
pub struct StepPackages<'m> {
    /// The command.
    pub at: StepCommand<'m>,
    /// The call.
    pub call: PackageCommand<'m>,
}

impl StepPackages<'_> {
    /// Where a word of it lies in the file.
    pub fn word_span(&self, word: Word<'_>) -> Span {
        self.at.word_span(word)
    }

    /// From the program to the action: `apt-get -y install`.
    pub fn head_span(&self) -> Span {
        let name = self.at.word_span(self.call.name);
        self.call.verb.map_or(name, |verb| name.to(self.at.word_span(verb)))
    }
}

impl<'m> Step<'m> {
    /// The calls of package managers of a `RUN`, in order.
    pub fn package_commands(self) -> impl Iterator<Item = StepPackages<'m>> {
        let scripts = if self.keyword() == Keyword::Run { self.scripts() } else { &[] };
        scripts.iter().flat_map(move |script| {
            let calls = script.package_calls();
            calls.map(move |(command, call)| StepPackages { at: StepCommand { step: self, script, command }, call })
        })
    }

    /// The caches and lists of packages that the step makes and keeps: the call that makes each.
    ///
    /// What a cache mount holds is not kept, nor what a later command of the step removes. A command that cannot be
    /// told (a script, `eval`) may clean up, but scripts that a step only calls are taken at their word: they are not
    /// read here.
    pub fn package_leftovers(self) -> Vec<(StepPackages<'m>, Leftover)> {
        let calls: Vec<_> = self.package_commands().collect();
        let mut found: Vec<(StepPackages<'m>, Leftover)> = Vec::new();
        for call in &calls {
            let Some(leftover) = Leftover::of(&call.call) else { continue };
            let is_listed = found.iter().any(|(_, seen)| seen == &leftover);
            if !is_listed
                && !leftover.is_off(self, &call.call)
                && !self.removes(leftover, &calls, call.at.span().start)
                && !self.mounts_cache(leftover)
            {
                found.push((call.clone(), leftover));
            }
        }
        found
    }

    /// Whether a command of it may install in a way that is not seen: a script, a variable, another program.
    pub fn may_install_unseen(self) -> bool {
        self.commands().any(may_install)
    }

    fn mounts_cache(self, leftover: Leftover) -> bool {
        self.mounts().iter().filter(|mount| matches!(mount.kind, MountKind::Cache | MountKind::Tmpfs)).any(|mount| {
            let Some(target) = mount.target.as_ref() else { return true };
            // A variable in the target may name any directory.
            target.known().is_none_or(|target| leftover.directories().iter().any(|directory| covers(target, directory)))
        })
    }

    /// Whether a command behind `offset` of the file removes it.
    fn removes(self, leftover: Leftover, calls: &[StepPackages<'m>], offset: u32) -> bool {
        let cleans = |call: &StepPackages<'_>| {
            let is_behind = call.at.span().start > offset;
            is_behind && call.call.action == Action::Clean && leftover.is_cleaned_by(&call.call)
        };
        if calls.iter().any(cleans) {
            return true;
        }
        self.commands().filter(|command| command.span().start > offset).any(|command| {
            let Some(invocation) = command.invocation() else { return false };
            let removes = matches!(invocation.name(), Some("rm" | "find" | "truncate" | "mv"));
            let names_it = |word: Word<'_>| {
                let text = word.text().replace("${HOME}", "$HOME");
                leftover.directories().iter().any(|directory| covers(&text, directory))
            };
            removes && invocation.arguments().any(names_it)
        })
    }
}

/// Whether a command may install packages in a way that is not seen.
pub(super) fn may_install(command: StepCommand<'_>) -> bool {
    const INTERPRETERS: [&str; 14] = [
        "sh",
        "ash",
        "dash",
        "rosdep",
        "bash",
        ".",
        "source",
        "eval",
        "make",
        "ansible-playbook",
        "python",
        "python3",
        "perl",
        "ruby",
    ];
    const KNOWN: [&str; 8] =
        ["apt-get", "apt", "apt-key", "add-apt-repository", "apt-add-repository", "apt-cache", "apt-mark", "aptitude"];
    let Some(invocation) = command.invocation() else { return false };
    let Some(name) = invocation.name() else { return true };
    let is_script = invocation.path().is_some_and(|path| path.contains('/')) || INTERPRETERS.contains(&name);
    let is_installer = name.contains("install") || name.contains("apt") && !KNOWN.contains(&name);
    is_script || is_installer || invocation.arguments().any(|word| word.text() == "build-dep")
}

/// What a package manager keeps although the image does not need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leftover {
    /// The lists of `apt-get update`.
    AptLists,
    /// The index of `apk update`, or of `apk add` without `--no-cache`.
    ApkIndex,
    /// Metadata and packages of `yum`, `dnf` and their like.
    RpmCache,
    /// Metadata and packages of `zypper`.
    ZypperCache,
    /// Wheels and answers of `pip`.
    PipCache,
    /// Packages of `yarn`.
    YarnCache,
    /// Packages of `conda`.
    CondaCache,
}

impl Leftover {
    fn of(call: &PackageCommand<'_>) -> Option<Self> {
        let (manager, action) = (call.manager, call.action);
        match (manager, action) {
            (Manager::Apt, Action::Refresh) => Some(Leftover::AptLists),
            (Manager::Apk, Action::Refresh | Action::Install) => Some(Leftover::ApkIndex),
            (
                Manager::Yum | Manager::Dnf | Manager::Microdnf | Manager::Tdnf,
                Action::Install | Action::Upgrade | Action::Refresh,
            ) => Some(Leftover::RpmCache),
            (Manager::Zypper, Action::Install | Action::Upgrade | Action::Refresh) => Some(Leftover::ZypperCache),
            (Manager::Pip, Action::Install) => Some(Leftover::PipCache),
            (Manager::Yarn, Action::Install) => Some(Leftover::YarnCache),
            (Manager::Conda, Action::Install | Action::Upgrade) => Some(Leftover::CondaCache),
            _ => None,
        }
    }

    /// What it is, as a message names it: the program that makes it is named as the file calls it.
    pub fn made_by(self, call: &PackageCommand<'_>) -> String {
        let program = call.program;
        match self {
            Leftover::AptLists => format!("package lists of `{program} update`"),
            Leftover::ApkIndex => format!("package index of `{program}`"),
            Leftover::PipCache => format!("download cache of `{program}`"),
            Leftover::RpmCache | Leftover::ZypperCache | Leftover::YarnCache | Leftover::CondaCache => {
                format!("package cache of `{program}`")
            }
        }
    }

    fn directories(self) -> &'static [&'static str] {
        match self {
            Leftover::AptLists => &["/var/lib/apt/lists", "/var/lib/apt"],
            Leftover::ApkIndex => &["/var/cache/apk", "/etc/apk/cache"],
            Leftover::RpmCache => &["/var/cache/yum", "/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/tdnf"],
            Leftover::ZypperCache => &["/var/cache/zypp"],
            Leftover::PipCache => &["/root/.cache/pip", "~/.cache/pip", "$HOME/.cache/pip", "/root/.cache", "~/.cache"],
            Leftover::YarnCache => &[
                "/usr/local/share/.cache",
                "/root/.cache/yarn",
                "~/.cache/yarn",
                "/usr/local/share/.cache/yarn",
                "~/.yarn",
            ],
            Leftover::CondaCache => &["/opt/conda/pkgs", "/root/.cache"],
        }
    }

    fn is_cleaned_by(self, call: &PackageCommand<'_>) -> bool {
        let manager = call.manager;
        match self {
            // `clean` keeps the lists.
            Leftover::AptLists => {
                let verb = call.verb.map(Word::text);
                manager == Manager::Apt && matches!(verb.as_deref(), Some("dist-clean" | "distclean"))
            }
            Leftover::ApkIndex => manager == Manager::Apk,
            Leftover::RpmCache => matches!(manager, Manager::Yum | Manager::Dnf | Manager::Microdnf | Manager::Tdnf),
            Leftover::ZypperCache => manager == Manager::Zypper,
            Leftover::PipCache => manager == Manager::Pip,
            Leftover::YarnCache => manager == Manager::Yarn,
            Leftover::CondaCache => manager == Manager::Conda,
        }
    }

    /// Whether the call, or a variable that it sees, keeps it from being made.
    fn is_off(self, step: Step<'_>, call: &PackageCommand<'_>) -> bool {
        let is_set = |name: &str| switch_in_force(step, call, name).unwrap_or(false);
        match self {
            Leftover::ApkIndex => {
                call.has_option(&["--no-cache"]) || call.has_option(&["--virtual", "-t"]) && call.operands.is_empty()
            }
            Leftover::PipCache => call.has_option(&["--no-cache-dir", "--no-cache"]) || is_set("PIP_NO_CACHE_DIR"),
            Leftover::YarnCache => {
                call.operands.is_empty() && call.verb.is_none() && call.has_option(&["--version", "-v", "--help"])
            }
            Leftover::AptLists | Leftover::RpmCache | Leftover::ZypperCache | Leftover::CondaCache => false,
        }
    }
}

/// Whether removing or mounting `written` (a path, possibly a pattern) takes `directory` along.
fn covers(written: &str, directory: &str) -> bool {
    let written = written.trim_end_matches('*').trim_end_matches('/');
    written == directory
        || directory.strip_prefix(written).is_some_and(|rest| rest.starts_with('/') && !written.is_empty())
        // `rm -rf /var/lib/apt/lists/*_dists_*`, `/var/cache/yum/x86_64`: part of it, by someone who knows.
        || written.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
        || expanded(written).any(|path| path == directory || directory.starts_with(&format!("{path}/")))
}

/// The paths that `/a/{b,c}` stands for.
fn expanded(written: &str) -> impl Iterator<Item = String> {
    let parts =
        written.split_once('{').and_then(|(head, rest)| rest.split_once('}').map(|(list, tail)| (head, list, tail)));
    parts.into_iter().flat_map(|(head, list, tail)| {
        list.split(',')
            .map(move |item| format!("{head}{item}{tail}").trim_end_matches('*').trim_end_matches('/').to_owned())
    })
}

/// Whether the variable `name` switches something on for a call: set for it, exported before it, or by `ENV` or `ARG`.
fn switch_in_force(step: Step<'_>, call: &PackageCommand<'_>, name: &str) -> Option<bool> {
    let is_on =
        |value: &str| !matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false" | "off" | "no" | "n" | "f");
    let own = call.command.assignments().filter(|assignment| assignment.name() == name).last();
    if let Some(own) = own {
        return Some(own.literal().is_none_or(is_on));
    }
    let before = step.commands().take_while(|command| command.command.span() != call.command.span());
    let exports = before
        .filter(|command| command.command.name() == Some("export"))
        .flat_map(|command| command.command.arguments());
    let exported = exports.filter_map(|word| Some(is_on(word.text().strip_prefix(name)?.strip_prefix('=')?))).last();
    exported.or_else(|| step.variable(name)?.value.as_ref().map(|value| is_on(&value.text)))
}
