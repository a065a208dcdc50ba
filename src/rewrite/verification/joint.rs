//! Where more commands fit behind one, so that the build fails if they fail.

use crate::{
    model::{DockerfileModel, StepCommand, StepScript, ends_in_exit},
    rule::Cx,
    syntax::shell::{Command, Compound, CompoundKind, Connector, Section},
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
    if blocks.is_empty() && (StepCommand { command: last, ..command }).ends_script() {
        return Ok(Kind::List);
    }
    if blocks.contains(&CompoundKind::Subshell) {
        return Err("the download stands in a subshell, whose failure the rest may not notice".to_owned());
    }
    let stops = command.stops_at_failure();
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
