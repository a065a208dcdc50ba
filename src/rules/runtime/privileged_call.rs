//! A privileged container is the host with another file system.

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
        id: "privileged-call",
        title: "Privileged container started by a script",
        why: "The container has every capability, every device of the host and no profile that confines it: whoever breaks into its program owns the machine.",
        remedy: "Take it out, and give the container the one device or capability that it needs.",
        group: Group::Runtime,
        severity: Severity::Critical,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the option out; the device or the capability that the program needs has to be given instead.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.5"),
            Reference::new(Scheme::CisDocker, "5.23"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "250"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A container",
                "-- deploy.sh --\n#!/bin/sh\ndocker run -d «--privileged» nginx:1.29\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker run -d nginx:1.29\n",
            ),
            Example::new(
                "A program in one",
                "-- deploy.sh --\n#!/bin/sh\nsudo podman exec -it «--privileged» web sh\n",
                "-- deploy.sh --\n#!/bin/sh\nsudo podman exec -it web sh\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Script(check),
};

fn check(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for call in cx.model.engine_calls() {
        for option in call.named(&["privileged"]) {
            if matches!(&*option.value, "" | "true") {
                out.report(option.span, "what is started has every privilege of the host").repair(cx, || {
                    let reason = "which device or capability the program needs instead is for its author to say";
                    without_option(cx, option, "Take the privileges away", Safety::Manual, reason)
                });
            }
        }
    }
}
