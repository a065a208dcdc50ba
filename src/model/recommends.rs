//! What later commands need of what apt installs only because another package recommends it.
//!
//! Source: the `Recommends` fields of the packages in Debian 9 to 13 and Ubuntu 18.04 to 24.04.

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

/// What a call of apt leaves behind that is only recommended, and that the file relies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recommended {
    /// Packages that are used later and named nowhere.
    pub needed: Vec<&'static str>,
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
}

const COMPANIONS: &[Companion] = &[
    Companion {
        of: &["curl", "wget", "git", "git-core"],
        brings: "ca-certificates",
        instead: &[],
        is_missed: checks_certificates,
    },
    Companion {
        of: &["git", "git-core", "mercurial"],
        brings: "openssh-client",
        instead: &["ssh", "openssh-server"],
        is_missed: uses_ssh,
    },
    Companion {
        of: &["gcc"],
        brings: "libc6-dev",
        instead: &["build-essential", "libc-dev", "g++", "musl-dev"],
        is_missed: |_| true,
    },
    Companion {
        of: &["cmake"],
        brings: "make",
        instead: &["build-essential", "ninja-build"],
        is_missed: |command| matches!(command.name(), Some("make" | "cmake")),
    },
    Companion {
        of: &["software-properties-common"],
        brings: "gnupg",
        instead: &["gnupg2", "gpg-agent"],
        is_missed: |command| matches!(command.name(), Some("add-apt-repository" | "apt-add-repository")),
    },
    Companion { of: &[], brings: "gnupg", instead: &["gnupg2", "gpg", "gnupg1"], is_missed: calls_gpg },
    Companion { of: &[], brings: "dirmngr", instead: &[], is_missed: asks_key_server },
    Companion { of: &["xvfb"], brings: "xauth", instead: &[], is_missed: |_| true },
];

impl StepPackages<'_> {
    /// What its stage needs of what it installs without naming it.
    pub fn recommended(&self) -> Recommended {
        let own: Vec<&str> = self.call.packages().map(|package| package.name).collect();
        let carrier = own.iter().find(|name| is_carrier(name)).map(|name| (*name).to_owned());
        let of_call: Vec<&Companion> =
            COMPANIONS.iter().filter(|companion| own.iter().any(|name| companion.is_of(name))).collect();
        if of_call.is_empty() {
            return Recommended { needed: Vec::new(), carrier };
        }
        let named = named_packages(self.at.step.stage());
        let is_named = |name: &str| named.contains(name);
        let needed = of_call.into_iter().filter(|companion| {
            !is_named(companion.brings)
                && !companion.instead.iter().any(|name| is_named(name))
                && self.commands_behind().any(companion.is_missed)
        });
        Recommended { needed: needed.map(|companion| companion.brings).collect(), carrier }
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
        call.expect("there is a call").recommended()
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
            ("RUN apt-get install -y gcc-12", vec!["libc6-dev"]),
            ("RUN apt-get install -y gcc g++-12", vec![]),
            ("RUN apt-get install -y xvfb\nCMD xvfb-run app", vec!["xauth"]),
            ("RUN apt-get install -y vim", vec![]),
        ] {
            assert_eq!(recommended(text), Recommended { needed: expected, carrier: None }, "{text}");
        }
        assert_eq!(recommended("RUN apt-get install -y xfce4").carrier.as_deref(), Some("xfce4"));
    }
}
