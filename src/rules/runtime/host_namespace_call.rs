//! A namespace of the host puts the container beside the host's own processes.

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
        id: "host-namespace-call",
        title: "Namespace of the host given by a script",
        why: "The container sees the host's network, processes or memory: it reaches services that listen on the host only, and can send signals to others.",
        remedy: "Take it out, and publish the ports that are needed.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(
            Safety::Manual,
            "Takes the option out; what the program reaches through the host has to be given another way.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.10"),
            Reference::new(Scheme::CisDocker, "5.16"),
            Reference::new(Scheme::CisDocker, "5.17"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "668"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "The network",
                "-- deploy.sh --\n#!/bin/sh\ndocker run «--net=host» nginx:1.29\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker run -p 127.0.0.1:8080:80 nginx:1.29\n",
            ),
            Example::new(
                "The processes",
                "-- deploy.sh --\n#!/bin/sh\ndocker create «--pid host» tool\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker create --pid container:web tool\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Script(check),
};

fn check(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for call in cx.model.engine_calls() {
        for option in call.named(&["net", "network", "pid", "ipc", "uts", "userns"]) {
            if option.value == "host" {
                out.report(option.span, format!("the container shares `{}` with the host", option.name))
                    .repair(cx, || {
                        let reason = "what the program reaches through it is for its author to say: a port has to be published instead";
                        without_option(cx, option, "Give the container its own", Safety::Manual, reason)
                    });
            }
        }
    }
}
