//! A container without its profile, or without its label, is held by nothing that the kernel looks at.

use crate::{
    model::script_file::ScriptFile,
    rewrite::without_option,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unconfined-call",
        title: "Confinement turned off by a script",
        why: "The default profiles forbid calls to the kernel and ways through its files that programs hardly need and attackers do; the label keeps a container, where SELinux is on, from files that are not its own. Without them a hole in the program is one in the host.",
        remedy: "Take it out: the default profile suits nearly every program.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Takes the option out, but for labels where files of the host are mounted with theirs; a debugger and the like need a profile of their own.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.2"),
            Reference::new(Scheme::CisDocker, "5.3"),
            Reference::new(Scheme::CisDocker, "5.22"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "693"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "System calls",
                "-- deploy.sh --\n#!/bin/sh\ndocker run «--security-opt seccomp=unconfined» tool\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker run tool\n",
            ),
            Example::new(
                "Labels",
                "-- deploy.sh --\n#!/bin/sh\ndocker run «--security-opt=label=disable» tool\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker run tool\n",
            ),
            Example::new(
                "Labels, where files of the host are mounted with theirs",
                "-- deploy.sh --\n#!/bin/sh\ndocker run «--security-opt label=disable» -v \"$PWD:/src\" tool\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker run -v \"$PWD:/src:Z\" tool\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Script(check),
};

/// Options that turn confinement off, `=` written as `:`.
const OFF: [&str; 5] =
    ["seccomp:unconfined", "apparmor:unconfined", "label:disable", "systempaths:unconfined", "no-new-privileges:false"];

fn check(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for call in cx.model.engine_calls() {
        for option in call.named(&["security-opt"]) {
            if OFF.contains(&&*option.value.replace('=', ":")) {
                let finding = out.report(option.span, format!("the container is not confined: `{}`", option.value));
                finding.repair(cx, || {
                    let (title, reason) = match option.value.starts_with("label") {
                        true if call.mounts_foreign_labels() => return Err(LABELS),
                        true => ("Leave the label on", "where SELinux is on, the container may then use no files of the host but those labelled for it"),
                        false => ("Leave the profile of the engine on", "a program that makes rare calls to the kernel, such as a debugger, may need a profile of its own"),
                    };
                    without_option(cx, option, title, Safety::Risky, reason)
                });
            }
        }
    }
}

const LABELS: &str = "where SELinux is on, the files of the host that are mounted could not be used any more: `:z` behind a mount labels its files anew, and that is for whoever owns them to say";
