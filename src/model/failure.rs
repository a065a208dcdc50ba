//! Whether a build fails where a command does.

use super::script::StepCommand;
use crate::syntax::shell::{Command, Connector, Element, Place, Section};

/// A list of commands is followed so far.
const LONGEST_LIST: usize = 4096;

/// So many commands of a script are looked at for `set -e`, which stands near its start.
const MOST_COMMANDS: usize = 4096;

impl StepCommand<'_> {
    /// Whether the step certainly fails where this command, or the pipeline that it ends, does.
    pub fn is_fatal(self) -> bool {
        let place = self.command.place();
        if place.negated || place.section == Section::Condition || self.command.blocks().next().is_some() {
            return false;
        }
        let ends_statement = matches!(place.after, Connector::None | Connector::Semicolon | Connector::Newline);
        self.ends_script() || ends_statement && self.stops_at_failure()
    }

    /// Whether everything behind it is joined to it by `&&`: its failure is that of the script.
    pub fn ends_script(self) -> bool {
        ends_script(self.command)
    }

    /// Whether its script ends where a command fails: `set -e`, or a shell that is started so.
    pub fn stops_at_failure(self) -> bool {
        let is_switch = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('e');
        let script = self.script;
        let text = script.script.text();
        let shebang = text.starts_with(b"#!").then(|| text.split(|&byte| byte == b'\n').next().unwrap_or_default());
        let shebang = shebang.map(String::from_utf8_lossy).unwrap_or_default();
        let by_shell = if shebang.is_empty() {
            self.step.shell().words.iter().skip(1).any(|word| is_switch(word) || word == "errexit")
        } else {
            shebang.split(' ').skip(1).any(is_switch)
        };
        let sets = |each: Command<'_>| {
            each.name() == Some("set")
                && each.span().start < self.command.span().start
                && each.arguments().any(|word| is_switch(&word.text()) || &*word.text() == "errexit")
        };
        by_shell || script.script.commands().take(MOST_COMMANDS).any(sets)
    }
}

fn ends_script(last: Command<'_>) -> bool {
    let script = last.script();
    let mut place: &Place = last.place();
    for _ in 0..LONGEST_LIST {
        match (place.after, place.next) {
            (Connector::None, _) | (Connector::Semicolon | Connector::Newline, None) => return true,
            (Connector::And | Connector::Pipe | Connector::PipeAll, Some(next)) => place = script.place_of(next),
            (Connector::Or, Some(_)) if ends_in_exit(last) => return true,
            _ => return false,
        }
    }
    false
}

/// Whether what is run where `last` fails only ends the script.
pub(crate) fn ends_in_exit(last: Command<'_>) -> bool {
    match last.place().next {
        Some(Element::Command(index)) => {
            let next = last.script().command(index);
            next.name() == Some("exit") && next.place().after == Connector::None
        }
        Some(Element::Compound(_)) | None => false,
    }
}
