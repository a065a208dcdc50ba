//! A container without its profile may make any call to the kernel.

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
        why: "The default profile forbids calls to the kernel that programs hardly need and attackers do; without it a hole in the kernel is within reach.",
        remedy: "Take it out: the default profile suits nearly every program.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Takes the option out; a debugger and the like need a profile of their own.",
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
                out.report(option.span, format!("the container is not confined: `{}`", option.value))
                    .repair(cx, || {
                        let reason = "a program that makes rare calls to the kernel, such as a debugger, may need a profile of its own";
                        without_option(cx, option, "Leave the profile of the engine on", Safety::Risky, reason)
                    });
            }
        }
    }
}
