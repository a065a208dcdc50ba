//! What a container runs when it starts: what it fetches from elsewhere, and whether it does anything but wait.

use super::Container;
use crate::{
    model::{
        downloads,
        packages::{Action, Manager, PackageCommand},
    },
    syntax::{
        shell::{self, Command, Dialect, Element},
        yaml::Node,
    },
    text::Span,
};
use std::collections::BTreeSet;

/// Code that a container fetches when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is written.
    pub place: Span,
    /// The words that fetch it: `apk add`.
    pub words: String,
}

/// Lists of words that are run when a container starts.
const STARTS: [&[&[&str]]; 2] = [&[&["command"], &["args"]], &[&["lifecycle", "postStart", "exec", "command"]]];

impl Container<'_> {
    /// Code that it fetches when it starts: packages, repositories, scripts that are run as they come.
    pub fn fetched_at_start(self) -> Vec<Fetched> {
        let mut fetched: Vec<Fetched> = Vec::new();
        for paths in STARTS {
            let lists: Option<Vec<Vec<Node<'_>>>> = paths.iter().map(|path| self.setting(path).items()).collect();
            let items: Vec<Node<'_>> = lists.unwrap_or_default().into_iter().flatten().collect();
            let Some(last) = paths.iter().rev().find(|path| !self.setting(path).is_absent()) else { continue };
            let script = shell::parse(as_script(&items).as_bytes(), Dialect::Posix);
            // The same words are looked for once: a script may have them on each of its lines.
            let words: BTreeSet<String> = script.every_command().filter_map(fetching_words).collect();
            fetched.extend(words.into_iter().map(|words| {
                let place = items.iter().find_map(|item| place_in(*item, &words));
                Fetched { place: place.unwrap_or_else(|| self.place_of(last)), words }
            }));
        }
        fetched
    }
}

/// Programs that end only when they are told to, or after a time.
const WAITING: [&str; 3] = ["sleep", "tail", "wait"];

/// Programs that answer nobody and are done soon.
const BRIEF: [&str; 16] = [
    ":", "[", "cat", "cd", "chmod", "cp", "date", "echo", "exit", "export", "ls", "mkdir", "printf", "test", "touch",
    "trap",
];

impl Container<'_> {
    /// Whether it is seen to do nothing but wait: there is nothing that could be asked how it is.
    pub fn only_waits(self) -> bool {
        let lists: Option<Vec<Vec<Node<'_>>>> = STARTS[0].iter().map(|path| self.setting(path).items()).collect();
        let Some(lists) = lists else { return false };
        if lists.iter().all(Vec::is_empty) {
            return self.image().is_some_and(|image| is_pause(image.basename()));
        }
        if !self.setting(&["ports"]).is_absent() {
            return false;
        }
        // Words behind an entry point that the image has are its arguments.
        if lists[0].is_empty() {
            return false;
        }
        let words: Vec<Node<'_>> = lists.concat();
        let script = shell::parse(as_script(&words).as_bytes(), Dialect::Posix);
        let mut waits = false;
        let is_quiet = script.every_command().all(|command| {
            let name = command.name().unwrap_or_default();
            waits |= WAITING.contains(&name);
            let is_known = WAITING.contains(&name) || BRIEF.contains(&name) || matches!(name, "true" | "false");
            !command.is_doubtful() && (is_known || command.inline().is_some())
        });
        is_quiet && waits
    }
}

/// Whether an image of that name has the program that only keeps a pod alive.
fn is_pause(name: &str) -> bool {
    name == "pause" || name.starts_with("pause-") || name.ends_with("-pause")
}

/// The words of a list as a script of one command.
fn as_script(items: &[Node<'_>]) -> String {
    let is_plain =
        |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-./:,@+".contains(&c));
    let quoted = |(at, text): (usize, &str)| {
        if at > 0 && is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
    };
    let words: Vec<String> = items.iter().filter_map(|item| item.scalar()).enumerate().map(quoted).collect();
    words.join(" ")
}

/// The words by which a command fetches code, if it does.
fn fetching_words(command: Command<'_>) -> Option<String> {
    if command.is_doubtful() {
        return None;
    }
    let invocation = command.invocation()?;
    let name = invocation.name()?;
    if let Some(call) = PackageCommand::read(invocation) {
        // These two install files that are there already.
        let is_local = matches!(call.manager, Manager::Dpkg | Manager::Rpm);
        let verb = call.verb.and_then(shell::Word::literal)?;
        return (call.action == Action::Install && !is_local).then(|| format!("{} {verb}", call.program));
    }
    match name {
        "git" if invocation.arguments().any(|word| word.literal() == Some("clone")) => Some("git clone".to_owned()),
        "curl" | "wget" => {
            let Element::Command(reader) = command.piped_into()? else { return None };
            let reader = command.script().command(reader).invocation()?.name()?;
            downloads::is_interpreter(reader).then(|| name.to_owned())
        }
        _ => None,
    }
}

/// Where `words` stand in the text of `item`.
fn place_in(item: Node<'_>, words: &str) -> Option<Span> {
    let span = item.resolved().span();
    let at = memchr::memmem::find(span.of(item.tree().text()), words.as_bytes())?;
    let start = span.start as usize + at;
    Some(Span::new(start, start + words.len()))
}

#[cfg(test)]
mod tests {
    use crate::{
        model::kubernetes::{Container, KubernetesModel},
        syntax::yaml::parse,
    };

    fn only_waits(container: &str) -> bool {
        let text = format!("apiVersion: v1\nkind: Pod\nspec: {{containers: [{{name: a, {container}}}]}}\n");
        let parsed = parse(text.as_bytes());
        KubernetesModel::new(&parsed.tree).containers().all(Container::only_waits)
    }

    #[test]
    fn who_only_sleeps_cannot_answer() {
        for container in [
            "image: 'registry.k8s.io/pause:3.10'",
            "image: 'rancher/mirrored-pause:3.6', ports: [{containerPort: 80}]",
            "image: nginx, command: [sleep, '30']",
            "image: nginx, command: [/bin/sh, -c], args: ['tail -f /dev/null']",
            "image: nginx, command: [sh, -c, 'while true; do echo $(date) >> /mnt/out; sleep 1; done']",
        ] {
            assert!(only_waits(container), "{container}");
        }
        for container in [
            "image: nginx",
            "image: nginx, args: [sleep, '30']",
            "image: nginx, command: [sleep, '30'], ports: [{containerPort: 80}]",
            "image: nginx, command: [sh, -c, 'sleep 5; exec /srv/serve']",
            "image: nginx, command: [sh, -c, 'echo hello']",
            "image: nginx, command: [sh, -c, 'sleep $(/srv/serve)']",
            "image: nginx, command: [sh, /start.sh]",
            "image: nginx, command: [sh, -c, 'sleep 5; $PROGRAM']",
        ] {
            assert!(!only_waits(container), "{container}");
        }
    }
}
