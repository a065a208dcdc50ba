//! Whoever may write to the socket is root.

use crate::{
    model::{names_socket, script_file::ScriptFile},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    text::Edit,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "open-engine-socket",
        title: "Socket of the engine opened to everybody",
        why: "The engine does whatever it is told through its socket: with these modes every user and every program of the host is root.",
        remedy: "Leave the modes as they are; use a rootless engine, or `sudo` for the one command.",
        group: Group::Runtime,
        severity: Severity::Critical,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(Safety::Risky, "Gives the socket the mode that it has where nobody changes it."),
        references: &[Reference::new(Scheme::CisDocker, "3.16"), Reference::new(Scheme::Cwe, "732")],
        equivalents: &[],
        examples: &[
            Example::new(
                "For everybody",
                "-- deploy.sh --\n#!/bin/sh\nsudo «chmod 666 /var/run/docker.sock»\n",
                "-- deploy.sh --\n#!/bin/sh\nsudo chmod 660 /var/run/docker.sock\n",
            ),
            Example::new(
                "In letters",
                "-- deploy.sh --\n#!/bin/sh\n«chmod a+rw /run/docker.sock»\n",
                "-- deploy.sh --\n#!/bin/sh\nchmod 660 /run/docker.sock\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Script(check),
};

fn check(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for command in cx.model.commands() {
        let Some(invocation) = command.invocation().filter(|invocation| invocation.name() == Some("chmod")) else {
            continue;
        };
        let words = || invocation.arguments().filter(|word| !word.text().starts_with("--"));
        let opens = words().find(|word| is_open(&word.text()));
        let is_of_socket = words().any(|word| names_socket(&word.text()));
        let (Some(last), Some(mode), true) = (words().next_back(), opens, is_of_socket) else { continue };
        let place = command.word_span(invocation.name_word()).to(command.word_span(last));
        let finding = out.report(place, "everybody on the host may tell the engine what to do");
        if words().count() > 2 {
            finding.decline("the same mode is given to other files");
            continue;
        }
        let edit = Edit::replace(cx.file.id, command.word_span(mode), "660");
        let reason = "who is not in the group of the socket may not ask the engine any more";
        finding.fix(Fix::new("Leave it to root and its group", Safety::Risky, reason, vec![edit]));
    }
}

/// Whether a mode lets everybody write.
fn is_open(mode: &str) -> bool {
    let is_octal = mode.len() >= 3 && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let last = mode.bytes().last().map_or(0, |byte| byte - b'0' * u8::from(is_octal));
    if is_octal {
        return last & 2 != 0;
    }
    mode.split(',').any(|part| {
        let Some((who, what)) = part.split_once(['+', '=']) else { return false };
        (who.contains(['o', 'a']) || who.is_empty()) && what.contains('w') && !who.contains('/')
    })
}
