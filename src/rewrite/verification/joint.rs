//! Where more commands fit behind one, so that the build fails if they fail.

use crate::{
    model::{DockerfileModel, StepCommand, StepScript},
    rule::Cx,
    syntax::shell::{Command, Compound, CompoundKind, Connector, Element, Place, Section},
    text::{Edit, Span},
};

/// How commands are joined to those around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `a && new && b`: nothing behind the list runs if it fails.
    List,
    /// `a; new; b` in a script that ends where a command fails.
    Statement,
    /// `a && { new || exit 1; }; b` in a script that goes on.
    Guarded,
}

/// The place behind a command, and how commands are added there.
#[derive(Clone, Debug)]
pub(super) struct Joint {
    pub(super) kind: Kind,
    at: usize,
    /// What stands between the command and the operator behind it, and between that and what follows.
    gaps: (String, String),
}

impl Joint {
    /// The place behind `command`, which writes a file.
    ///
    /// # Errors
    /// Why nothing fits there: one clause.
    pub(super) fn behind(cx: &Cx<'_, DockerfileModel<'_>>, command: StepCommand<'_>) -> Result<Self, String> {
        if command.command.place().before.is_pipe() || command.command.place().after.is_pipe() {
            return Err("the download is part of a pipe".to_owned());
        }
        let kind = kind(command, command.command)?;
        let end = command.script.file_span(command.command.span()).end;
        Ok(Self { kind, at: end as usize, gaps: gaps(cx, command.script, command.command) })
    }

    /// `check` behind the command.
    pub(super) fn insert(&self, cx: &Cx<'_, DockerfileModel<'_>>, check: &str) -> Edit {
        let (lead, gap) = &self.gaps;
        let text = match self.kind {
            Kind::List => format!("{lead}&&{gap}{check}"),
            Kind::Statement => format!("; {check}"),
            Kind::Guarded => format!("{lead}&&{gap}{}", guarded(check)),
        };
        Edit::insert(cx.file.id, self.at, text)
    }
}

/// `check`, which ends the script if it fails.
pub(super) fn guarded(check: &str) -> String {
    format!("{{ {check} || exit 1; }}")
}

/// How commands between `first` and `last`, one command or a pipeline, are joined so that the build fails with them.
pub(super) fn kind_between(command: StepCommand<'_>, last: Command<'_>) -> Result<Kind, String> {
    kind(command, last)
}

fn kind(command: StepCommand<'_>, last: Command<'_>) -> Result<Kind, String> {
    let (first, end) = (command.command.place(), last.place());
    if first.negated || first.section == Section::Condition {
        return Err("whether the download succeeds decides what is run".to_owned());
    }
    if first.before == Connector::Or || end.after == Connector::Or && !ends_in_exit(last) {
        return Err("something else is run where the download fails".to_owned());
    }
    if end.after == Connector::Background {
        return Err("the download runs beside the rest of the script".to_owned());
    }
    let blocks: Vec<CompoundKind> = command.command.blocks().map(Compound::kind).collect();
    let is_hidden = |kind: &CompoundKind| {
        matches!(kind, CompoundKind::Substitution | CompoundKind::ProcessSubstitution | CompoundKind::Function)
    };
    if blocks.iter().any(is_hidden) {
        return Err("the download stands in a function or a substitution".to_owned());
    }
    if blocks.is_empty() && ends_script(last) {
        return Ok(Kind::List);
    }
    if blocks.contains(&CompoundKind::Subshell) {
        return Err("the download stands in a subshell, whose failure the rest may not notice".to_owned());
    }
    let stops = stops_at_failure(command);
    match end.after {
        Connector::Semicolon | Connector::Newline | Connector::None if stops && first.before != Connector::And => {
            Ok(Kind::Statement)
        }
        Connector::Semicolon | Connector::Newline | Connector::None if stops => {
            Err("a failing download would no longer end the script".to_owned())
        }
        _ => Ok(Kind::Guarded),
    }
}

/// Whether everything behind `last` is joined to it by `&&`: its failure is that of the script.
fn ends_script(last: Command<'_>) -> bool {
    let script = last.script();
    let mut place: &Place = last.place();
    let mut steps = 0;
    loop {
        match (place.after, place.next) {
            (Connector::None, _) | (Connector::Semicolon | Connector::Newline, None) => return true,
            (Connector::And | Connector::Pipe | Connector::PipeAll, Some(next)) => place = script.place_of(next),
            (Connector::Or, Some(_)) if ends_in_exit(last) => return true,
            _ => return false,
        }
        steps += 1;
        if steps > 4096 {
            return false;
        }
    }
}

/// Whether what is run where `last` fails only ends the script.
fn ends_in_exit(last: Command<'_>) -> bool {
    match last.place().next {
        Some(Element::Command(index)) => {
            let next = last.script().command(index);
            next.name() == Some("exit") && next.place().after == Connector::None
        }
        Some(Element::Compound(_)) | None => false,
    }
}

/// Whether the script ends where a command fails: `set -e`, or a shell that is started so.
fn stops_at_failure(command: StepCommand<'_>) -> bool {
    let is_switch = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('e');
    let script = command.script;
    let text = script.script.text();
    let shebang = text.starts_with(b"#!").then(|| text.split(|&byte| byte == b'\n').next().unwrap_or_default());
    let shebang = shebang.map(String::from_utf8_lossy).unwrap_or_default();
    let by_shell = if shebang.is_empty() {
        command.step.shell().words.iter().skip(1).any(|word| is_switch(word) || word == "errexit")
    } else {
        shebang.split(' ').skip(1).any(is_switch)
    };
    let sets = |each: Command<'_>| {
        each.name() == Some("set")
            && each.span().start < command.command.span().start
            && each.arguments().any(|word| is_switch(&word.text()) || &*word.text() == "errexit")
    };
    by_shell || script.script.commands().any(sets)
}

/// The blanks and line ends around the operator behind `last`, to write another one in the same way.
fn gaps(cx: &Cx<'_, DockerfileModel<'_>>, script: &StepScript, last: Command<'_>) -> (String, String) {
    let plain = || (" ".to_owned(), " ".to_owned());
    let place = last.place();
    let (Connector::And, Some(next)) = (place.after, place.next) else { return plain() };
    let end = script.file_span(last.span()).end;
    let operator = script.file_span(last.operator_span());
    let next = script.file_span(last.script().span_of(next)).start;
    if end > operator.start || operator.end > next || cx.bytes(operator) != b"&&" {
        return plain();
    }
    let lead = cx.bytes(Span { start: end, end: operator.start });
    let gap = cx.bytes(Span { start: operator.end, end: next });
    match (blank(lead), blank(gap)) {
        (Some(lead), Some(gap)) if !lead.is_empty() || !gap.is_empty() => (lead, gap),
        _ => plain(),
    }
}

/// Text that holds nothing but blanks, line ends and the characters that continue lines.
pub(super) fn blank(bytes: &[u8]) -> Option<String> {
    let is_blank = bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'\\' | b'`'));
    let lines = memchr::memchr_iter(b'\n', bytes).count();
    (is_blank && lines <= 1).then(|| String::from_utf8_lossy(bytes).into_owned())
}
