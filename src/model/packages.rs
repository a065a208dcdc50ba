//! What package managers are told to do: which manager, what it does, with which options, to which packages.
//!
//! Sources of the command lines: the manual pages of apt-get(8), apk(8), yum(8), dnf(8), zypper(8), pacman(8), and the
//! command references of pip, npm, yarn, pnpm, gem, bundler, go, cargo, composer and conda.

use super::programs::Programs;
use crate::{
    syntax::shell::{Command, Invocation, Word},
    text::Span,
};

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the manager of its name")]
pub enum Manager {
    Apt,
    Dpkg,
    Apk,
    Yum,
    Dnf,
    Microdnf,
    Tdnf,
    Rpm,
    Zypper,
    Pacman,
    Pip,
    Uv,
    Poetry,
    Npm,
    Yarn,
    Pnpm,
    Gem,
    Bundler,
    Go,
    Cargo,
    Composer,
    Conda,
}

impl Manager {
    /// The manager that a program of that name drives.
    pub fn of_program(name: &str) -> Option<Self> {
        Some(match name {
            "apt-get" | "apt" | "aptitude" => Manager::Apt,
            "dpkg" => Manager::Dpkg,
            "apk" => Manager::Apk,
            "yum" => Manager::Yum,
            "dnf" | "dnf5" => Manager::Dnf,
            "microdnf" => Manager::Microdnf,
            "tdnf" => Manager::Tdnf,
            "rpm" => Manager::Rpm,
            "zypper" => Manager::Zypper,
            "pacman" => Manager::Pacman,
            "uv" => Manager::Uv,
            "poetry" => Manager::Poetry,
            "npm" => Manager::Npm,
            "yarn" | "yarnpkg" => Manager::Yarn,
            "pnpm" => Manager::Pnpm,
            "gem" => Manager::Gem,
            "bundle" | "bundler" => Manager::Bundler,
            "go" => Manager::Go,
            "cargo" => Manager::Cargo,
            "composer" => Manager::Composer,
            "conda" | "mamba" | "micromamba" => Manager::Conda,
            _ if is_pip(name) => Manager::Pip,
            _ => return None,
        })
    }

    /// Whether it installs packages of the distribution, as root, for the whole system.
    pub fn is_system(self) -> bool {
        match self {
            Manager::Apt
            | Manager::Dpkg
            | Manager::Apk
            | Manager::Yum
            | Manager::Dnf
            | Manager::Microdnf
            | Manager::Tdnf
            | Manager::Rpm
            | Manager::Zypper
            | Manager::Pacman => true,
            Manager::Pip
            | Manager::Uv
            | Manager::Poetry
            | Manager::Npm
            | Manager::Yarn
            | Manager::Pnpm
            | Manager::Gem
            | Manager::Bundler
            | Manager::Go
            | Manager::Cargo
            | Manager::Composer
            | Manager::Conda => false,
        }
    }

    /// Options that take the next word as their value.
    fn takes_value(self, option: &str) -> bool {
        let options: &[&str] = match self {
            Manager::Apt => {
                &["-o", "--option", "-t", "--target-release", "--default-release", "-c", "--config-file", "-a"]
            }
            Manager::Apk => &[
                "-t",
                "--virtual",
                "-X",
                "--repository",
                "-p",
                "--root",
                "--keys-dir",
                "--repositories-file",
                "--wait",
                "--arch",
                "--cache-dir",
                "--cache-max-age",
            ],
            Manager::Yum | Manager::Dnf | Manager::Microdnf | Manager::Tdnf => &[
                "-c",
                "--config",
                "--enablerepo",
                "--disablerepo",
                "--installroot",
                "--releasever",
                "--setopt",
                "-x",
                "--exclude",
                "--repo",
                "--repoid",
                "--forcearch",
                "--comment",
            ],
            Manager::Zypper => {
                &["-R", "--root", "-r", "--repo", "-D", "--reposd-dir", "-C", "--cache-dir", "--from", "-t", "--type"]
            }
            Manager::Pacman => {
                &["-r", "--root", "-b", "--dbpath", "--cachedir", "--config", "--arch", "--ignore", "--overwrite"]
            }
            Manager::Pip | Manager::Uv => &[
                "-r",
                "--requirement",
                "-c",
                "--constraint",
                "-i",
                "--index-url",
                "--extra-index-url",
                "--trusted-host",
                "-t",
                "--target",
                "-f",
                "--find-links",
                "--prefix",
                "--root",
                "--proxy",
                "--timeout",
                "--retries",
                "--cache-dir",
                "--python",
                "-p",
                "--only-binary",
                "--no-binary",
                "--config-settings",
                "--progress-bar",
                "--src",
                "--platform",
                "--python-version",
                "--cert",
                "--upgrade-strategy",
            ],
            Manager::Npm | Manager::Yarn | Manager::Pnpm => &[
                "--prefix",
                "--registry",
                "--cache",
                "--loglevel",
                "--cwd",
                "--cache-folder",
                "--network-timeout",
                "-C",
                "--dir",
                "--filter",
                "-F",
                "--store-dir",
                "--modules-folder",
                "--userconfig",
                "-w",
                "--workspace",
            ],
            Manager::Gem => {
                &["-v", "--version", "-i", "--install-dir", "-n", "--bindir", "-s", "--source", "--platform"]
            }
            Manager::Bundler => &["-j", "--jobs", "--without", "--with", "--path", "--gemfile", "--retry"],
            Manager::Go => &["-o", "-ldflags", "-tags", "-gcflags", "-mod", "-p", "-C"],
            Manager::Cargo => &[
                "--version",
                "--vers",
                "--git",
                "--branch",
                "--tag",
                "--rev",
                "--path",
                "--root",
                "--features",
                "-F",
                "--bin",
                "--profile",
                "--target",
                "-j",
                "--jobs",
                "--manifest-path",
                "--index",
                "--registry",
            ],
            Manager::Composer => &["-d", "--working-dir"],
            Manager::Conda => {
                &["-n", "--name", "-p", "--prefix", "-c", "--channel", "-f", "--file", "--root-prefix", "-r"]
            }
            Manager::Dpkg | Manager::Rpm | Manager::Poetry => &["--root", "--dbpath", "--admindir"],
        };
        options.contains(&option)
    }
}

/// What a manager is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Fetch the lists of what there is (`apt-get update`).
    Refresh,
    /// Install packages, by name or from a manifest.
    Install,
    /// Bring everything that is installed up to date.
    Upgrade,
    /// Take packages out.
    Remove,
    /// Empty the cache.
    Clean,
    /// Anything else.
    Other,
}

/// One call of a package manager.
#[derive(Clone, Debug)]
pub struct PackageCommand<'s> {
    /// Which manager.
    pub manager: Manager,
    /// The program as it is called (`apt`, `apt-get`, `pip3`).
    pub program: &'s str,
    /// What it is told to do.
    pub action: Action,
    /// The command, wrappers included.
    pub command: Command<'s>,
    /// The word that names the program, and the word that names the action.
    pub name: Word<'s>,
    /// The word that names the action, where one does.
    pub verb: Option<Word<'s>>,
    /// Words that start with a dash, values of options left out.
    pub options: Vec<Word<'s>>,
    /// Values of options that stand in a word of their own, with the option.
    pub values: Vec<(&'s str, Word<'s>)>,
    /// The other words: packages, files, variables.
    pub operands: Vec<Word<'s>>,
}

/// A package as it is named on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package<'s> {
    /// Its name.
    pub name: &'s str,
    /// The version that is asked for.
    pub version: Option<&'s str>,
    /// Where it stands in the script.
    pub span: Span,
}

impl<'s> PackageCommand<'s> {
    /// The programs that drive a manager, and Python, whose module `pip` is one.
    pub(super) const PROGRAMS: Programs = Programs::of(&[
        "apt-get",
        "apt",
        "aptitude",
        "dpkg",
        "apk",
        "yum",
        "dnf",
        "microdnf",
        "tdnf",
        "rpm",
        "zypper",
        "pacman",
        "pip",
        "python",
        "uv",
        "poetry",
        "npm",
        "yarn",
        "yarnpkg",
        "pnpm",
        "gem",
        "bundle",
        "bundler",
        "go",
        "cargo",
        "composer",
        "conda",
        "mamba",
        "micromamba",
    ]);

    /// Reads a call, if the program is a package manager.
    pub fn read(invocation: Invocation<'s>) -> Option<Self> {
        let mut program = invocation.name()?;
        let mut arguments = invocation.arguments();
        if is_python(program) {
            // `python3 -m pip install x`
            arguments.find(|word| word.literal() == Some("-m"))?;
            program = arguments.next()?.literal()?;
        }
        let manager = Manager::of_program(program)?;
        let mut call = Self {
            manager,
            program,
            action: Action::Other,
            command: invocation.command(),
            name: invocation.name_word(),
            verb: None,
            options: Vec::new(),
            values: Vec::new(),
            operands: Vec::with_capacity(arguments.len()),
        };
        call.sort(arguments);
        call.take_verb();
        Some(call)
    }

    fn sort(&mut self, mut words: impl Iterator<Item = Word<'s>>) {
        while let Some(word) = words.next() {
            let Some(option) = word.literal().filter(|text| text.starts_with('-')) else {
                if word.bytes().starts_with(b"-") {
                    self.options.push(word);
                } else {
                    self.operands.push(word);
                }
                continue;
            };
            self.options.push(word);
            if self.manager.takes_value(option)
                && let Some(value) = words.next()
            {
                self.values.push((option, value));
            }
        }
    }

    fn take_verb(&mut self) {
        if matches!(self.manager, Manager::Dpkg | Manager::Rpm | Manager::Pacman) {
            self.action = self.action_of_option();
            return;
        }
        // `uv pip install`, `yarn global add`, `poetry self add`: the verb is the second word.
        let prefixes: &[&str] = match self.manager {
            Manager::Uv => &["pip", "tool"],
            Manager::Yarn => &["global", "workspace"],
            _ => &[],
        };
        while self.operands.first().and_then(|word| word.literal()).is_some_and(|text| prefixes.contains(&text)) {
            self.operands.remove(0);
        }
        let Some(text) = self.operands.first().and_then(|word| word.literal()) else {
            // A bare `yarn` installs what the manifest asks for.
            let installs = self.manager == Manager::Yarn
                && self.operands.is_empty()
                && self.options.iter().all(|word| word.literal() != Some("--version"));
            self.action = if installs { Action::Install } else { Action::Other };
            return;
        };
        self.action = action(self.manager, text);
        self.verb = Some(self.operands.remove(0));
        if matches!((self.manager, text), (Manager::Npm | Manager::Pnpm | Manager::Yarn, "cache" | "store"))
            || matches!((self.manager, text), (Manager::Pip | Manager::Uv, "cache"))
        {
            let cleans = self
                .operands
                .first()
                .and_then(|word| word.literal())
                .is_some_and(|next| matches!(next, "clean" | "purge" | "prune" | "clear" | "rm"));
            self.action = if cleans { Action::Clean } else { Action::Other };
        }
    }

    fn action_of_option(&self) -> Action {
        let has = |short: char, long: &str| {
            self.options
                .iter()
                .filter_map(|word| word.literal())
                .any(|text| text == long || text.starts_with('-') && !text.starts_with("--") && text.contains(short))
        };
        match self.manager {
            Manager::Dpkg if has('i', "--install") => Action::Install,
            Manager::Dpkg if has('r', "--remove") || has('P', "--purge") => Action::Remove,
            Manager::Rpm if has('i', "--install") || has('U', "--upgrade") || has('F', "--freshen") => {
                if has('q', "--query") { Action::Other } else { Action::Install }
            }
            Manager::Rpm if has('e', "--erase") => Action::Remove,
            Manager::Pacman if has('R', "--remove") => Action::Remove,
            Manager::Pacman if has('S', "--sync") => {
                let (cleans, upgrades, refreshes) =
                    (has('c', "--clean"), has('u', "--sysupgrade"), has('y', "--refresh"));
                match (self.operands.is_empty(), cleans, upgrades, refreshes) {
                    (_, true, _, _) => Action::Clean,
                    (false, ..) => Action::Install,
                    (true, _, true, _) => Action::Upgrade,
                    (true, _, false, true) => Action::Refresh,
                    (true, _, false, false) => Action::Other,
                }
            }
            Manager::Pacman if has('U', "--upgrade") => Action::Install,
            _ => Action::Other,
        }
    }

    /// Whether it installs for everybody on the system, not for one project or user, as far as the call tells.
    pub fn is_for_everybody(&self) -> bool {
        let is_install = self.action == Action::Install;
        match self.manager {
            Manager::Npm | Manager::Pnpm => is_install && self.has_option(&["-g", "--global", "--location=global"]),
            Manager::Yarn => is_install && self.command.words().any(|word| word.bytes() == b"global"),
            Manager::Pip => is_install && !self.has_option(&["--user", "-t", "--target", "--prefix", "--root"]),
            Manager::Gem => is_install && !self.has_option(&["--user-install", "-i", "--install-dir"]),
            other => is_install && other.is_system(),
        }
    }

    /// Whether one of `names` is among the options: `--name`, `--name=value`, or a letter in a cluster such as `-qy`.
    pub fn has_option(&self, names: &[&str]) -> bool {
        self.option(names).is_some()
    }

    /// The options, then the values of options that stand in a word of their own.
    pub fn option_words(&self) -> impl Iterator<Item = Word<'s>> + '_ {
        self.options.iter().copied().chain(self.values.iter().map(|&(_, word)| word))
    }

    /// The option of one of those names.
    pub fn option(&self, names: &[&str]) -> Option<Word<'s>> {
        self.options.iter().copied().find(|word| {
            let text = word.text();
            names.iter().any(|name| {
                let with_value = text
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || name.starts_with("--") && rest.starts_with('='));
                let letter = name.strip_prefix('-').filter(|letter| letter.len() == 1);
                let in_cluster = letter.is_some_and(|letter| {
                    text.starts_with('-') && !text.starts_with("--") && text.contains(letter) && self.has_clusters()
                });
                with_value || in_cluster
            })
        })
    }

    /// Whether short options of this manager can be written as one word.
    fn has_clusters(&self) -> bool {
        !matches!(self.manager, Manager::Go | Manager::Npm | Manager::Composer)
    }

    /// The values of an option, whether written `--option value` or `--option=value`.
    pub fn values_of<'a>(&'a self, names: &'a [&'a str]) -> impl Iterator<Item = String> + 'a {
        let apart =
            self.values.iter().filter(|(option, _)| names.contains(option)).map(|(_, word)| word.text().into_owned());
        let joined = self.options.iter().filter_map(move |word| {
            let text = word.text();
            names.iter().find_map(|name| text.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
        });
        apart.chain(joined)
    }

    /// Whether what it installs depends on a variable, a pattern or a substitution.
    pub fn is_dynamic(&self) -> bool {
        self.operands.iter().any(|word| word.literal().is_none())
    }

    /// The text of a word whose only riddle is a pattern in the version: `gcc=4:4.8.*`.
    fn with_pattern(&self, word: Word<'s>) -> Option<&'s str> {
        let is_pattern = word.has_glob() && !word.is_dynamic() && !word.has_braces() && !word.has_tilde();
        let text = std::str::from_utf8(word.source()).ok().filter(|_| is_pattern && !word.is_quoted())?;
        let (name, version) = split_version(self.manager, text);
        (version.is_some() && !name.contains(['*', '?', '[', '\\']) && !text.contains('\\')).then_some(text)
    }

    /// The packages that it names; words whose value is not known are left out.
    pub fn packages(&self) -> impl Iterator<Item = Package<'s>> + '_ {
        self.operands.iter().filter_map(|word| {
            let text = word.literal().or_else(|| self.with_pattern(*word))?;
            let (name, version) = split_version(self.manager, text);
            Some(Package { name, version, span: word.span() })
        })
    }
}

/// What the verb means to the manager.
fn action(manager: Manager, verb: &str) -> Action {
    match manager {
        Manager::Apt => match verb {
            "update" => Action::Refresh,
            "install" | "build-dep" | "reinstall" => Action::Install,
            "upgrade" | "dist-upgrade" | "full-upgrade" | "safe-upgrade" => Action::Upgrade,
            "remove" | "purge" | "autoremove" | "auto-remove" | "autopurge" => Action::Remove,
            "clean" | "autoclean" | "dist-clean" | "distclean" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Apk => match verb {
            "update" => Action::Refresh,
            "add" => Action::Install,
            "upgrade" | "fix" => Action::Upgrade,
            "del" => Action::Remove,
            "cache" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Yum | Manager::Dnf | Manager::Microdnf | Manager::Tdnf => match verb {
            "makecache" | "check-update" => Action::Refresh,
            "install" | "localinstall" | "groupinstall" | "group" | "reinstall" | "builddep" | "module" | "in"
            | "swap" => Action::Install,
            "update" | "upgrade" | "up" | "distro-sync" | "update-minimal" | "upgrade-minimal" => Action::Upgrade,
            "remove" | "erase" | "autoremove" => Action::Remove,
            "clean" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Zypper => match verb {
            "refresh" | "ref" => Action::Refresh,
            "install" | "in" | "source-install" | "si" => Action::Install,
            "update" | "up" | "dist-upgrade" | "dup" | "patch" => Action::Upgrade,
            "remove" | "rm" => Action::Remove,
            "clean" | "cc" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Pip | Manager::Uv => match verb {
            "install" | "sync" => Action::Install,
            "uninstall" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Poetry | Manager::Bundler => match verb {
            "install" | "add" | "sync" => Action::Install,
            _ => Action::Other,
        },
        Manager::Npm | Manager::Pnpm => match verb {
            "install" | "i" | "add" | "ci" | "clean-install" | "install-clean" | "isntall" => Action::Install,
            "update" | "up" | "upgrade" => Action::Upgrade,
            "uninstall" | "remove" | "rm" | "r" | "un" | "prune" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Yarn => match verb {
            "install" | "add" => Action::Install,
            "upgrade" | "up" => Action::Upgrade,
            "remove" => Action::Remove,
            _ => Action::Other,
        },
        Manager::Gem => match verb {
            "install" | "i" => Action::Install,
            "update" => Action::Upgrade,
            "uninstall" => Action::Remove,
            "cleanup" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Go => match verb {
            "install" | "get" => Action::Install,
            "clean" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Cargo => {
            if verb == "install" || verb == "binstall" {
                Action::Install
            } else {
                Action::Other
            }
        }
        Manager::Composer => match verb {
            "install" | "require" | "create-project" | "i" => Action::Install,
            "update" | "upgrade" | "u" => Action::Upgrade,
            "clear-cache" | "clearcache" | "cc" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Conda => match verb {
            "install" | "create" => Action::Install,
            "update" | "upgrade" => Action::Upgrade,
            "remove" | "uninstall" => Action::Remove,
            "clean" => Action::Clean,
            _ => Action::Other,
        },
        Manager::Dpkg | Manager::Rpm | Manager::Pacman => Action::Other,
    }
}

/// Name and version of a package as the manager writes them.
fn split_version(manager: Manager, text: &str) -> (&str, Option<&str>) {
    let at = match manager {
        Manager::Apt => text.find(['=', '/']).map(|at| (at, 1)),
        Manager::Apk | Manager::Conda => text
            .find(['=', '<', '>', '~', '@'])
            .map(|at| (at, text[at..].len() - text[at..].trim_start_matches(['=', '<', '>', '~', '@']).len())),
        Manager::Pip | Manager::Uv | Manager::Poetry => return split_requirement(text),
        Manager::Npm | Manager::Yarn | Manager::Pnpm | Manager::Go | Manager::Cargo => {
            text.rfind('@').filter(|&at| at > 0).map(|at| (at, 1))
        }
        Manager::Gem | Manager::Composer => text.find(':').map(|at| (at, 1)),
        Manager::Zypper => text.find(['=', '<', '>']).map(|at| (at, 1)),
        // A version is joined by a dash there, which names hold too: `yum install nginx-1.20`.
        Manager::Yum | Manager::Dnf | Manager::Microdnf | Manager::Tdnf => text
            .match_indices('-')
            .find(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
            .map(|(at, _)| (at, 1)),
        Manager::Dpkg | Manager::Rpm | Manager::Pacman | Manager::Bundler => None,
    };
    match at {
        Some((at, skip)) => (&text[..at], Some(&text[at + skip..]).filter(|version| !version.is_empty())),
        None => (text, None),
    }
}

/// Name and version of a Python requirement: `requests[security]>=2; python_version > '3'`.
fn split_requirement(text: &str) -> (&str, Option<&str>) {
    let requirement = text.split(';').next().unwrap_or(text);
    let name = requirement.split(['=', '<', '>', '~', '!', '[']).next().unwrap_or(requirement);
    let version = requirement.find(['=', '<', '>', '~', '!']).map(|at| &requirement[at..]);
    let version = version.map(|version| version.trim_start_matches(['=', '<', '>', '~', '!', ' ']));
    (name, version.filter(|version| !version.is_empty()))
}

/// Whether a package of a distribution serves to build others.
pub fn is_build_tool(name: &str) -> bool {
    const TOOLS: [&str; 34] = [
        "gcc",
        "g++",
        "gcc-c++",
        "clang",
        "make",
        "cmake",
        "build-essential",
        "build-base",
        "autoconf",
        "automake",
        "libtool",
        "bison",
        "flex",
        "meson",
        "ninja",
        "ninja-build",
        "rpm-build",
        "musl-dev",
        "linux-headers",
        "maven",
        "gradle",
        "ant",
        "cargo",
        "rustc",
        "rust",
        "go",
        "golang",
        "golang-go",
        "default-jdk",
        "base-devel",
        "gfortran",
        "dpkg-dev",
        "kernel-devel",
        "patchelf",
    ];
    // `gcc-14` and `clang-19` are compilers as well.
    let versioned = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').strip_suffix('-');
    let name = versioned.unwrap_or(name);
    let is_header = (name.ends_with("-dev") || name.ends_with("-devel")) && !name.starts_with("node");
    let is_jdk = name.starts_with("openjdk")
        && (name.ends_with("-jdk") || name.ends_with("-jdk-headless") || name.ends_with("-devel"));
    TOOLS.contains(&name) || is_header || is_jdk
}

fn is_pip(name: &str) -> bool {
    name.strip_prefix("pip").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn is_python(name: &str) -> bool {
    name.strip_prefix("python").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::shell::{Dialect, Script, parse};

    fn script(text: &str) -> Script {
        parse(text.as_bytes(), Dialect::Posix)
    }

    fn calls(script: &Script) -> Vec<PackageCommand<'_>> {
        script.commands().filter_map(|command| PackageCommand::read(command.invocation()?)).collect()
    }

    #[test]
    fn verbs_and_packages() {
        let cases = [
            ("apt-get -qq -y update", Manager::Apt, Action::Refresh, ""),
            (
                "apt-get install -y --no-install-recommends curl=7.88.1 git",
                Manager::Apt,
                Action::Install,
                "curl@7.88.1 git",
            ),
            ("apt-get -o Dpkg::Options::=--force-confold -y install curl", Manager::Apt, Action::Install, "curl"),
            ("sudo apt-get install -y -t bookworm-backports golang", Manager::Apt, Action::Install, "golang"),
            ("DEBIAN_FRONTEND=noninteractive apt install -y tzdata", Manager::Apt, Action::Install, "tzdata"),
            (
                "apk add --no-cache --virtual .build-deps gcc musl-dev>=1.2",
                Manager::Apk,
                Action::Install,
                "gcc musl-dev",
            ),
            ("apk add --no-cache bash=5.2.15-r0 'git<3'", Manager::Apk, Action::Install, "bash@5.2.15-r0 git@3"),
            ("apk del .build-deps", Manager::Apk, Action::Remove, ".build-deps"),
            ("yum install -y nginx-1.20 java-11-openjdk", Manager::Yum, Action::Install, "nginx@1.20 java@11-openjdk"),
            ("dnf --setopt=install_weak_deps=0 install -y gcc-c++", Manager::Dnf, Action::Install, "gcc-c++"),
            ("yum -y update", Manager::Yum, Action::Upgrade, ""),
            ("yum clean all", Manager::Yum, Action::Clean, "all"),
            ("zypper -n in -y curl", Manager::Zypper, Action::Install, "curl"),
            ("pacman -Sy --noconfirm git", Manager::Pacman, Action::Install, "git"),
            ("pacman -Syu --noconfirm", Manager::Pacman, Action::Upgrade, ""),
            ("pacman -Scc --noconfirm", Manager::Pacman, Action::Clean, ""),
            (
                "pip3 install --no-cache-dir -r requirements.txt flask==2.0 'requests[security]>=2'",
                Manager::Pip,
                Action::Install,
                "flask@2.0 requests@2",
            ),
            ("python3 -m pip install --upgrade pip", Manager::Pip, Action::Install, "pip"),
            ("uv pip install flask", Manager::Uv, Action::Install, "flask"),
            ("npm ci --omit=dev", Manager::Npm, Action::Install, ""),
            ("npm install -g @angular/cli@17 typescript", Manager::Npm, Action::Install, "@angular/cli@17 typescript"),
            ("npm cache clean --force", Manager::Npm, Action::Clean, "clean"),
            ("npm run build", Manager::Npm, Action::Other, "build"),
            ("yarn", Manager::Yarn, Action::Install, ""),
            ("yarn global add serve@14", Manager::Yarn, Action::Install, "serve@14"),
            ("gem install bundler -v 2.4 --no-document", Manager::Gem, Action::Install, "bundler"),
            ("go install example.com/tool@v1.2.3", Manager::Go, Action::Install, "example.com/tool@v1.2.3"),
            ("cargo install --locked ripgrep@13", Manager::Cargo, Action::Install, "ripgrep@13"),
            ("rpm -ivh https://example.com/x.rpm", Manager::Rpm, Action::Install, "https://example.com/x.rpm"),
            ("rpm -qa", Manager::Rpm, Action::Other, ""),
            ("dpkg -i /tmp/x.deb", Manager::Dpkg, Action::Install, "/tmp/x.deb"),
            ("conda install -c conda-forge numpy=1.26", Manager::Conda, Action::Install, "numpy@1.26"),
            ("composer install --no-dev", Manager::Composer, Action::Install, ""),
        ];
        for (text, manager, action, packages) in cases {
            let script = script(text);
            let calls = calls(&script);
            let [call] = &calls[..] else { panic!("{text}: {} calls", calls.len()) };
            let named = call.packages().map(|package| {
                package.version.map_or(package.name.to_owned(), |version| format!("{}@{version}", package.name))
            });
            assert_eq!(
                (call.manager, call.action, named.collect::<Vec<_>>().join(" ").as_str()),
                (manager, action, packages),
                "{text}"
            );
        }
    }

    #[test]
    fn options() {
        let script = script("apt-get install -qqy --no-install-recommends -o APT::X=1 curl $EXTRA");
        let calls = calls(&script);
        assert!(calls[0].has_option(&["-y", "--yes"]));
        assert!(calls[0].has_option(&["--no-install-recommends"]));
        assert!(!calls[0].has_option(&["--install-recommends", "-d"]));
        assert_eq!(calls[0].values_of(&["-o", "--option"]).collect::<Vec<_>>(), ["APT::X=1"]);
        assert!(calls[0].is_dynamic());
    }

    #[test]
    fn other_programs_are_none() {
        for text in
            ["echo apt-get install x", "pipenv install", "gofmt -w .", "python3 setup.py install", "$APT install x"]
        {
            assert!(calls(&script(text)).is_empty(), "{text}");
        }
    }
}
