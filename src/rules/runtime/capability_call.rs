//! Some capabilities are as good as root on the host.

use crate::{
    model::{capability, script_file::ScriptFile},
    rewrite::without_option,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "capability-call",
        title: "Capability given by a script",
        why: "Each capability is a part of what root may do on the host; `SYS_ADMIN`, `SYS_MODULE`, `SYS_PTRACE` and their like are enough to leave the container.",
        remedy: "Take it out, or name the one capability that the program needs.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the option out; the program may need the capability."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.4"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "250"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "All of them",
                "-- deploy.sh --\n#!/bin/sh\ndocker run «--cap-add=ALL» tool\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker run --cap-add=NET_BIND_SERVICE tool\n",
            ),
            Example::new(
                "One that loads modules",
                "-- deploy.sh --\n#!/bin/sh\npodman run «--cap-add SYS_MODULE» tool\n",
                "-- deploy.sh --\n#!/bin/sh\npodman run --cap-drop ALL tool\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Script(check),
};

fn check(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for call in cx.model.engine_calls() {
        for option in call.named(&["cap-add"]) {
            if !option.is_hidden && !option.value.split(',').all(capability::is_usual) {
                out.report(option.span, format!("the container is given `{}`", option.value)).repair(cx, || {
                    let reason = "the program may need it: see that it starts, and does its work";
                    without_option(cx, option, "Take the capability away", Safety::Manual, reason)
                });
            }
        }
    }
}
