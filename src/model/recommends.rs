//! What later commands need of what apt installs only because another package recommends it.
//!
//! Source: the `Recommends` fields of the packages in Debian 9 to 13 and Ubuntu 18.04 to 24.04. Only what programs run or
//! build with is kept: no manuals, no fonts.

use super::{
    dockerfile::Base,
    downloads::is_local_address,
    package_steps::StepPackages,
    packages::{Action, Manager, PackageCommand},
    script::StepCommand,
    stage::Stage,
    step::Step,
};
use std::collections::HashSet;

/// What a call of apt leaves behind that is only recommended, and that somebody relies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recommended {
    /// Packages that later commands use, and that are named nowhere.
    pub needed: Vec<&'static str>,
    /// Packages that those of the call do little without, or that whoever works in the image may use.
    pub kept: Vec<&'static str>,
    /// A package of the call that is made of its recommendations: without them little of it is left.
    pub carrier: Option<String>,
}

/// So many commands are looked at for one call, so that a file full of calls takes no longer than it is long.
const MOST_COMMANDS: usize = 500;

/// A package, what it recommends, and when somebody misses that.
struct Companion {
    /// Nothing where many packages do.
    of: &'static [&'static str],
    brings: &'static str,
    /// Any of these does instead.
    instead: &'static [&'static str],
    is_missed: fn(StepCommand<'_>) -> bool,
    /// Whether the package does little without it, whoever calls it.
    is_half: bool,
}

impl Companion {
    const fn new(
        of: &'static [&'static str],
        brings: &'static str,
        instead: &'static [&'static str],
        is_missed: fn(StepCommand<'_>) -> bool,
    ) -> Self {
        Self { of, brings, instead, is_missed, is_half: false }
    }

    const fn half(
        of: &'static [&'static str],
        brings: &'static str,
        instead: &'static [&'static str],
        is_missed: fn(StepCommand<'_>) -> bool,
    ) -> Self {
        Self { is_half: true, ..Self::new(of, brings, instead, is_missed) }
    }
}

const COMPANIONS: &[Companion] = &[
    Companion::new(&["curl", "wget", "git", "git-core"], "ca-certificates", &[], checks_certificates),
    Companion::new(&["git", "git-core", "mercurial"], "openssh-client", &["ssh", "openssh-server"], uses_ssh),
    Companion::half(&["gcc"], "libc6-dev", &["build-essential", "libc-dev", "g++", "musl-dev"], |_| false),
    Companion::new(&["cmake"], "make", &["build-essential", "ninja-build"], |command| {
        calls(command, &["make", "cmake"])
    }),
    Companion::new(&["autoconf"], "automake", &[], |command| {
        calls(command, &["automake", "aclocal", "autoreconf", "autogen.sh", "bootstrap", "buildconf"])
    }),
    Companion::new(&["zip"], "unzip", &[], |command| calls(command, &["unzip"])),
    Companion::new(&["npm"], "git", &["git-core"], |command| calls(command, &["git"])),
    Companion::new(&["python3-pip"], "build-essential", &["gcc", "g++"], |_| false),
    Companion::new(&["python3-pip"], "python3-dev", &[], |_| false),
    Companion::new(&["r-base", "r-base-core"], "r-base-dev", &[], |command| calls(command, &["R", "Rscript", "r"])),
    Companion::new(&["dpkg-dev"], "build-essential", &["gcc", "g++"], |command| {
        calls(command, &["dpkg-buildpackage", "debuild"])
    }),
    Companion::new(&["software-properties-common"], "gnupg", &["gnupg2", "gpg-agent"], |command| {
        calls(command, &["add-apt-repository", "apt-add-repository"])
    }),
    Companion::new(&[], "gnupg", &["gnupg2", "gpg", "gnupg1"], calls_gpg),
    Companion::new(&[], "dirmngr", &[], asks_key_server),
    Companion::half(&["xvfb"], "xauth", &[], |command| {
        command.command.words().any(|word| word.bytes().ends_with(b"xvfb-run"))
    }),
];

fn calls(command: StepCommand<'_>, programs: &[&str]) -> bool {
    command.name().is_some_and(|name| programs.contains(&name))
}

impl StepPackages<'_> {
    /// What its stage needs of what it installs without naming it. `is_for_others`: the image is to be worked in, so that
    /// nobody sees from the file what is called in it.
    pub fn recommended(&self, is_for_others: bool) -> Recommended {
        let own: Vec<&str> = self.call.packages().map(|package| package.name).collect();
        let carrier = own.iter().find(|name| is_carrier(name)).map(|name| (*name).to_owned());
        let mut found = Recommended { carrier, ..Recommended::default() };
        let of_call: Vec<&Companion> =
            COMPANIONS.iter().filter(|companion| own.iter().any(|name| companion.is_of(name))).collect();
        if of_call.is_empty() {
            return found;
        }
        let named = named_packages(self.at.step.stage());
        for companion in of_call {
            let is_named = named.contains(companion.brings)
                || companion.instead.iter().any(|name| named.contains(*name))
                || found
                    .needed
                    .iter()
                    .chain(&found.kept)
                    .any(|name| *name == companion.brings || companion.instead.contains(name));
            if is_named {
                continue;
            }
            if self.commands_behind().any(companion.is_missed) {
                found.needed.push(companion.brings);
            } else if companion.is_half || is_for_others && !companion.of.is_empty() {
                found.kept.push(companion.brings);
            }
        }
        found
    }

    /// The commands that are run behind the call, in its step and in those that follow.
    fn commands_behind(&self) -> impl Iterator<Item = StepCommand<'_>> {
        let start = self.at.span().start;
        let step = self.at.step;
        let rest = step.commands().filter(move |command| command.span().start >= start);
        let children = children(step.stage()).flat_map(Stage::steps);
        rest.chain(step.later().chain(children).flat_map(Step::commands)).take(MOST_COMMANDS)
    }
}

/// The later stages that start from `stage`, or may: a variable hides what they start from.
fn children(stage: Stage<'_>) -> impl Iterator<Item = Stage<'_>> {
    let is_child = move |later: &Stage<'_>| {
        matches!(later.root_base(), Base::Unknown(_)) || later.chain().take(64).any(|above| above == stage)
    };
    stage.model().stages().skip(stage.index() + 1).take(MOST_COMMANDS).filter(is_child)
}

/// Whether a command runs `gpg`, or has apt run it.
fn calls_gpg(command: StepCommand<'_>) -> bool {
    matches!(command.name(), Some("gpg" | "gpg2" | "apt-key"))
}

fn asks_key_server(command: StepCommand<'_>) -> bool {
    calls_gpg(command) && command.command.words().any(|word| word.bytes().starts_with(b"--recv-key"))
}

impl Companion {
    fn is_of(&self, name: &str) -> bool {
        self.of.is_empty()
            || self.of.contains(&name)
            // `gcc-12`, `gcc-12-multilib` is a package of its own.
            || name.strip_prefix("gcc-").is_some_and(|rest| {
                self.of.contains(&"gcc") && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            })
    }
}

impl<'m> Stage<'m> {
    /// Whether a call of `manager` in the stage, or in those that it starts from, installs a package by that name.
    pub fn names_package(self, manager: Manager, name: &str) -> bool {
        self.chain().flat_map(Stage::steps).flat_map(|step: Step<'m>| step.package_commands()).take(MOST_COMMANDS).any(
            |packages| {
                packages.call.manager == manager
                    && packages.call.action == Action::Install
                    && packages.call.packages().any(|package| package.name == name)
            },
        )
    }
}

/// The packages that the stage and those that it starts from install by name.
fn named_packages<'m>(stage: Stage<'m>) -> HashSet<String> {
    let calls = stage.chain().flat_map(Stage::steps).flat_map(|step: Step<'m>| step.package_commands());
    calls
        .take(MOST_COMMANDS)
        .filter(|packages| packages.call.manager == Manager::Apt && packages.call.action == Action::Install)
        .flat_map(|packages| names_in(&packages.call))
        .collect()
}

/// The names with what stands for them: `g++-12` is a `g++`, `libc6-dev-i386` brings `libc6-dev`.
fn names_in(call: &PackageCommand<'_>) -> Vec<String> {
    let stem = |name: &str| {
        ["g++", "libc6-dev"].iter().find(|stem| name.starts_with(&format!("{stem}-"))).map(|stem| (*stem).to_owned())
    };
    call.packages().flat_map(|package| [Some(package.name.to_owned()), stem(package.name)]).flatten().collect()
}

/// Whether a package is little more than a list of recommendations: desktops, and programs with their plugins apart.
fn is_carrier(name: &str) -> bool {
    name.ends_with("-desktop") && !name.starts_with("ros-")
        || ["task-", "kde-", "kali-linux-", "winehq-"].iter().any(|start| name.starts_with(start))
        || matches!(name, "lxde" | "lxqt" | "xfce4" | "gnome" | "gnome-core" | "wine" | "wine64")
}

/// Whether a command talks to a server whose certificate it may check.
fn checks_certificates(command: StepCommand<'_>) -> bool {
    let Some(invocation) = command.invocation() else { return false };
    let is_client = matches!(invocation.name(), Some("curl" | "wget" | "git" | "aria2c" | "svn" | "go"));
    let names_https = || invocation.arguments().any(|word| word.text().contains("https://"));
    let hides_address = || {
        invocation.arguments().any(|word| word.is_dynamic() && !is_local_address(&word.text()))
            && !invocation.arguments().any(|word| word.text().starts_with("http://"))
    };
    let is_command = !matches!(invocation.name(), Some("echo" | "printf" | "sed" | "apt-key"));
    is_command && names_https() || is_client && hides_address()
}

fn uses_ssh(command: StepCommand<'_>) -> bool {
    let words = command.command.words().any(|word| {
        let text = word.text();
        text.contains("git@") || text.contains("ssh://")
    });
    words || matches!(command.name(), Some("ssh" | "ssh-keyscan" | "ssh-keygen" | "scp" | "ssh-add" | "ssh-agent"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        knowledge::Knowledge,
        model::DockerfileModel,
        source::{FileKind, SourceFile},
        syntax::dockerfile,
        text::FileId,
    };

    fn recommended(text: &str) -> Recommended {
        let text = format!("FROM debian:13\n{text}\n");
        let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, text.into_bytes());
        let parsed = dockerfile::parse(&file.text);
        let model = DockerfileModel::new(&file, &parsed.tree, &Knowledge::builtin());
        let call = model.steps().flat_map(|step| step.package_commands().collect::<Vec<_>>()).next();
        call.expect("there is a call").recommended(false)
    }

    #[test]
    fn what_is_used_later_and_named_nowhere_is_needed() {
        for (text, expected) in [
            ("RUN apt-get install -y curl && curl https://example.com", vec!["ca-certificates"]),
            ("RUN apt-get install -y curl\nRUN curl \"$URL\"", vec!["ca-certificates"]),
            ("RUN apt-get install -y curl && curl http://localhost", vec![]),
            ("RUN apt-get install -y curl ca-certificates && curl https://example.com", vec![]),
            ("RUN apt-get install -y curl\nRUN apt-get install -y ca-certificates && curl https://example.com", vec![]),
            ("RUN apt-get install -y git && git clone git@example.com:a/b", vec!["openssh-client"]),
            ("RUN apt-get install -y gcc g++-12", vec![]),
            ("RUN apt-get install -y xvfb\nCMD xvfb-run app", vec!["xauth"]),
            ("RUN apt-get install -y zip && unzip a.zip", vec!["unzip"]),
            ("RUN apt-get install -y autoconf && autoreconf -i", vec!["automake"]),
            ("RUN apt-get install -y vim", vec![]),
        ] {
            assert_eq!(recommended(text), Recommended { needed: expected, ..Recommended::default() }, "{text}");
        }
        assert_eq!(recommended("RUN apt-get install -y xfce4").carrier.as_deref(), Some("xfce4"));
    }

    #[test]
    fn what_a_package_does_little_without_is_kept() {
        for (text, expected) in [
            ("RUN apt-get install -y gcc-12", vec!["libc6-dev"]),
            ("RUN apt-get install -y xvfb", vec!["xauth"]),
            ("RUN apt-get install -y zip", vec![]),
        ] {
            assert_eq!(recommended(text), Recommended { kept: expected, ..Recommended::default() }, "{text}");
        }
    }
}
