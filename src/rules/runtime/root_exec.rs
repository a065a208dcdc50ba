//! A shell as root in a container that runs as somebody else.

use crate::{
    model::{engine_call::EngineVerb, script_file::ScriptFile},
    rewrite::without_option,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "root-exec",
        title: "Program started as root in a running container",
        why: "The container was given a user that may do little, and here a program in it runs as root: what it writes belongs to root, and what it reads was not meant for it.",
        remedy: "Start it as the user of the container.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the option out; the program may need root."),
        references: &[Reference::new(Scheme::CisDocker, "5.24"), Reference::new(Scheme::Cwe, "250")],
        equivalents: &[],
        examples: &[
            Example::new(
                "By number",
                "-- deploy.sh --\n#!/bin/sh\ndocker exec «-u 0» web chown -R app /data\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker exec web ls /data\n",
            ),
            Example::new(
                "By name",
                "-- deploy.sh --\n#!/bin/sh\ndocker-compose exec «--user=root» web id\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker-compose exec --user=app web id\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Script(check),
};

fn check(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for call in cx.model.engine_calls().filter(|call| call.verb == EngineVerb::Exec) {
        for option in call.named(&["user"]) {
            if matches!(option.value.split(':').next(), Some("0" | "root")) {
                out.report(option.span, "the program runs as root in the container").repair(cx, || {
                    let reason = "the program may need it, and then the image has to be made so that it does not";
                    without_option(cx, option, "Start it as the user of the container", Safety::Manual, reason)
                });
            }
        }
    }
}
