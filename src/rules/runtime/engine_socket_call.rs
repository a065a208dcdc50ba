//! The socket of a container engine in a container is root on the host.

use crate::{
    model::{names_socket, script_file::ScriptFile},
    rewrite::without_option,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "engine-socket-call",
        title: "Socket of the engine mounted by a script",
        why: "Whoever can write to the socket starts containers with any mount and any privilege, and so is root on the host; mounted read-only it is the same.",
        remedy: "Do without, or put a proxy in between that lets only the requests through that are needed.",
        group: Group::Runtime,
        severity: Severity::Critical,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the mount out; a program that needs the engine stops working."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.32"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "668"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A volume",
                "-- deploy.sh --\n#!/bin/sh\ndocker run «-v /var/run/docker.sock:/var/run/docker.sock» portainer/portainer-ce\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker run -v data:/data portainer/portainer-ce\n",
            ),
            Example::new(
                "A mount",
                "-- deploy.sh --\n#!/bin/sh\ndocker run «--mount type=bind,src=/run/containerd/containerd.sock,dst=/s» tool\n",
                "-- deploy.sh --\n#!/bin/sh\ndocker run --mount type=bind,src=/srv,dst=/s tool\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Script(check),
};

fn check(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for call in cx.model.engine_calls() {
        for option in call.named(&["volume", "mount"]) {
            if names_socket(&option.value) {
                out.report(option.span, "the container may tell the engine of the host what to do")
                    .repair(cx, || {
                        let reason = "a program that asks the engine stops working: let it ask a proxy that only answers what it needs";
                        without_option(cx, option, "Take the socket away", Safety::Manual, reason)
                    });
            }
        }
    }
}
