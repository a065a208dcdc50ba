//! Ways from a container to the engine that runs it: its socket, its group, its port. Each is root on the host.

use super::{
    accounts::{AccountChange, AccountKind},
    evaluate::text_of,
    marks::Marks,
    programs::Programs,
    script::StepCommand,
    script_file::ScriptFile,
    step::Step,
    user::Group,
};
use crate::{
    syntax::{
        dockerfile::{Arguments, Keyword},
        shell::Word,
    },
    text::Span,
};
use std::borrow::Cow;

/// A place that leads to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Where it is written.
    pub span: Span,
    /// The socket, user or address.
    pub what: String,
}

/// Sockets of container engines (Docker, containerd, CRI-O, Podman, the old shim of Kubernetes).
const SOCKETS: [&str; 6] =
    ["docker.sock", "containerd.sock", "crio.sock", "podman.sock", "dockershim.sock", "cri-dockerd.sock"];

impl Step<'_> {
    /// The programs that load and unload modules of the kernel.
    pub const KERNEL_PROGRAMS: Programs = Programs::of(&["modprobe", "insmod", "rmmod"]);

    /// Where the step names the socket of an engine to use it: volumes, variables, commands.
    pub fn engine_sockets(self) -> Vec<Reach> {
        let arguments = || match self.arguments() {
            Arguments::Json(words) | Arguments::Words(words) => words.as_slice(),
            Arguments::Assignments(_) | Arguments::Text(_) | Arguments::None => &[],
        };
        match self.keyword() {
            Keyword::Volume | Keyword::Copy | Keyword::Add => {
                let words = arguments().iter().map(|arg| (text_of(arg), arg.span));
                words.filter_map(|(text, span)| Some(Reach { span, what: socket(&text)?.to_owned() })).collect()
            }
            Keyword::Env => {
                let values = self.assigned().iter().filter_map(|variable| {
                    let what = socket(variable.value.as_ref()?.known()?)?.to_owned();
                    Some(Reach { span: variable.value_span.unwrap_or(variable.name_span), what })
                });
                values.collect()
            }
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint if self.has_marks(Marks::SOCKET) => {
                let named = self.commands().filter(|command| !is_talk(*command) && !command.is_conditional()).flat_map(
                    |command| {
                        let words = command.command.words();
                        words.filter_map(move |word| {
                            Some(Reach { span: command.word_span(word), what: socket(&word.text())?.to_owned() })
                        })
                    },
                );
                named.collect()
            }
            _ => Vec::new(),
        }
    }

    /// The words that put a user into the group `docker`.
    pub fn engine_group_members(self) -> Vec<Reach> {
        let is_docker = |group: &Option<Group>| matches!(group, Some(Group::Named(name)) if &**name == "docker");
        // Root has the engine anyway.
        let is_root = |user: &Option<String>| user.as_deref() == Some("root");
        let joins = |change: &AccountChange<'_>| match &change.kind {
            AccountKind::Membership { user, groups } => !is_root(user) && groups.iter().any(|group| group == "docker"),
            AccountKind::User(user) => is_docker(&user.group) || user.groups.iter().any(|group| group == "docker"),
            AccountKind::Renumbered { user, group, .. } => !is_root(user) && is_docker(group),
            AccountKind::Group { .. } => false,
        };
        let members = self.account_changes().into_iter().filter(joins);
        members.map(|change| Reach { span: change.span(), what: "docker".to_owned() }).collect()
    }

    /// Addresses of an engine that anybody who reaches the port may use: `tcp://…` without TLS.
    pub fn engine_addresses(self) -> Vec<Reach> {
        match self.keyword() {
            Keyword::Env | Keyword::Arg => {
                let verifies = || {
                    ["DOCKER_TLS_VERIFY", "DOCKER_TLS"].iter().any(|name| {
                        let own = self.assigned().iter().find(|variable| variable.name == *name);
                        own.or_else(|| self.stage().variable(name))
                            .is_some_and(|variable| variable.value.as_ref().is_some_and(|value| !value.text.is_empty()))
                    })
                };
                let hosts = self.assigned().iter().filter(|variable| variable.name == "DOCKER_HOST" && !verifies());
                let open = hosts.filter_map(|variable| {
                    let what = open_address(variable.value.as_ref()?.known()?)?.to_owned();
                    Some(Reach { span: variable.value_span.unwrap_or(variable.name_span), what })
                });
                open.collect()
            }
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint if self.has_marks(Marks::TCP) => {
                self.commands().flat_map(open_addresses).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The words that load or unload a module of the host's kernel.
    pub fn kernel_modules(self) -> impl Iterator<Item = Reach> {
        self.commands_beside(Self::KERNEL_PROGRAMS).filter_map(|command| {
            let invocation = command.invocation()?;
            let name = invocation.name().filter(|name| matches!(*name, "modprobe" | "insmod" | "rmmod"))?;
            // `modprobe --version`, `modprobe -n` change nothing.
            let harmless = invocation.arguments().any(|word| {
                matches!(&*word.text(), "-n" | "--dry-run" | "--version" | "-V" | "--help" | "-c" | "--showconfig")
            });
            (!harmless).then(|| Reach { span: command.span(), what: name.to_owned() })
        })
    }
}

impl ScriptFile {
    /// Commands that put a user into the group `docker`.
    pub fn engine_group_members(&self) -> impl Iterator<Item = Span> {
        self.commands().filter_map(|command| {
            let invocation = command.invocation()?;
            let name = invocation.name()?;
            let words: Vec<Cow<'_, str>> = invocation.arguments().map(Word::text).collect();
            let joins = match name {
                "usermod" => words.windows(2).any(|pair| {
                    let is_groups = matches!(&*pair[0], "--groups" | "-G" | "-aG" | "-Ga");
                    is_groups && pair[1].split(',').any(|group| group == "docker")
                }),
                "gpasswd" => {
                    words.last().is_some_and(|word| word == "docker")
                        && words.iter().any(|word| matches!(&**word, "-a" | "--add"))
                }
                "adduser" | "addgroup" => {
                    let mut plain = words.iter().filter(|word| !word.starts_with('-'));
                    plain.nth(1).is_some_and(|word| word == "docker") && plain.next().is_none()
                }
                _ => false,
            };
            let end = invocation.arguments().last()?;
            let is_root = words.last().is_some_and(|word| word == "root");
            (joins && !is_root).then(|| command.word_span(invocation.name_word()).to(command.word_span(end)))
        })
    }

    /// Addresses of an engine that anybody who reaches the port may use, as commands name them.
    pub fn engine_addresses(&self) -> Vec<Reach> {
        let mut found = Vec::new();
        let has_tls = |text: &str| text.starts_with("DOCKER_TLS_VERIFY=") || text.starts_with("--tls");
        for command in self.commands() {
            let words = command.command.words();
            if words.clone().any(|word| has_tls(&word.text())) {
                continue;
            }
            let mut add = |span, text: Option<&str>| {
                if let Some(what) =
                    text.and_then(|text| open_address(text.strip_prefix("DOCKER_HOST=").unwrap_or(text)))
                {
                    found.push(Reach { span, what: what.to_owned() });
                }
            };
            for assignment in command.command.assignments().filter(|assignment| assignment.name() == "DOCKER_HOST") {
                add(command.placed(assignment.span()), assignment.literal());
            }
            for word in words.filter(|word| word.text().starts_with("DOCKER_HOST=")) {
                add(command.word_span(word), word.literal());
            }
        }
        found
    }
}

/// Whether a text holds the path of the socket of a container engine.
pub fn names_socket(text: &str) -> bool {
    socket(text).is_some()
}

/// The name of the socket that a text holds the path of.
fn socket(text: &str) -> Option<&'static str> {
    if !text.contains(".sock") || !text.contains('/') {
        return None;
    }
    SOCKETS.iter().copied().find(|socket| text.split(['/', ':', ',', '=']).any(|part| part == *socket))
}

/// Whether a command only prints or looks for what it names.
fn is_talk(command: StepCommand<'_>) -> bool {
    matches!(command.name(), Some("echo" | "printf" | "grep" | "sed" | "test" | "[" | "ls" | "rm" | "cat"))
}

fn open_addresses(command: StepCommand<'_>) -> Vec<Reach> {
    let Some(invocation) = command.invocation() else { return Vec::new() };
    let mut found: Vec<Reach> = command
        .command
        .assignments()
        .filter(|assignment| assignment.name() == "DOCKER_HOST")
        .filter_map(|assignment| {
            Some(Reach {
                span: command.script.file_span(assignment.span()),
                what: open_address(assignment.literal()?)?.to_owned(),
            })
        })
        .collect();
    let is_engine =
        matches!(invocation.name(), Some("dockerd" | "docker" | "docker-compose" | "dockerd-entrypoint.sh" | "podman"));
    let verifies = || invocation.arguments().any(|word| word.text().starts_with("--tls"));
    if is_engine && !verifies() {
        let hosts = invocation.arguments().filter_map(|word| {
            let text = word.text();
            let address = text
                .strip_prefix("--host=")
                .or_else(|| text.strip_prefix("-H="))
                .or_else(|| text.strip_prefix("-H"))
                .unwrap_or(&text);
            Some(Reach { span: command.word_span(word), what: open_address(address)?.to_owned() })
        });
        found.extend(hosts);
    }
    if invocation.name() == Some("export") {
        let hosts = invocation.arguments().filter_map(|word| {
            let address = word.literal()?.strip_prefix("DOCKER_HOST=")?;
            Some(Reach { span: command.word_span(word), what: open_address(address)?.to_owned() })
        });
        found.extend(hosts);
    }
    found
}

/// The text, if it is a TCP address that is not Docker's port for TLS.
fn open_address(text: &str) -> Option<&str> {
    (text.starts_with("tcp://") && !text.contains(":2376")).then_some(text)
}
