//! Downloads that can only be what the Dockerfile says: a checksum behind them, without which the step fails.

use super::{
    downloads::{Download, Output, checked_file, name_key, use_of_file},
    script::StepCommand,
};
use crate::syntax::shell::Element;

/// So many commands behind a download are looked at for its check.
const NEAR: u32 = 32;

/// Digits of the shortest checksum that nobody can match with another file (SHA-224).
const SHORTEST: usize = 56;

impl Download<'_> {
    /// Whether the step fails unless the file is the one whose checksum the Dockerfile holds, before anything uses it.
    pub fn is_pinned(&self) -> bool {
        let (Output::File(file), [_]) = (&self.output, self.urls.as_slice()) else { return false };
        let script = self.command.command.script();
        let first = self.command.command.index() + 1;
        let last = first.saturating_add(NEAR).min(script.commands().len() as u32);
        let behind = (first..last).map(|index| StepCommand { command: script.command(index), ..self.command });
        let key = name_key(file);
        let check = behind
            .take_while(|command| use_of_file(*command, file).is_none())
            .find(|command| compares(*command) && checked_file(*command).as_ref() == Some(&key));
        check.is_some_and(StepCommand::is_fatal)
    }
}

/// Whether a command compares a file with a checksum that is written out: `echo "checksum  file" | sha256sum -c`.
fn compares(command: StepCommand<'_>) -> bool {
    let Some(invocation) = command.invocation() else { return false };
    let is_sum = matches!(
        invocation.name(),
        Some("sha256sum" | "sha512sum" | "sha384sum" | "sha224sum" | "shasum" | "b2sum" | "b3sum" | "gsha256sum")
    );
    let Some(Element::Command(index)) = command.command.piped_from() else { return false };
    let writer = StepCommand { command: command.command.script().command(index), ..command };
    let text = writer.command.arguments().next().and_then(|word| writer.value(word));
    let digest = text.as_deref().and_then(|text| text.split([' ', '\t', '*']).next()).unwrap_or_default();
    is_sum
        && invocation.has_option(Some('c'), "check", "a")
        && digest.len() >= SHORTEST
        && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}
