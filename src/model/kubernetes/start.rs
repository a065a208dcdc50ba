//! What a container fetches from elsewhere when it starts, and then runs.

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
