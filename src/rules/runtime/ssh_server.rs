//! An SSH server in a container is a second way in.

use crate::{
    model::{DockerfileModel, Ports, Step},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::dockerfile::{Arguments, Keyword},
};
use std::collections::HashMap;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "ssh-server",
        title: "SSH server in the image",
        why: "It needs keys or passwords in the image or a volume, a process that starts as root, and updates of its own; the engine already has a way in.",
        remedy: "Use `docker exec` or `kubectl exec`; leave the SSH server out.",
        group: Group::Runtime,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.7"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::Cwe, "668"),
        ],
        equivalents: &["checkov:CKV_DOCKER_1", "trivy:DS-0004", "kics:5907595b-5b6d-4142-b173-dbb0e73fbff8"],
        examples: &[
            Example::new("Its port", "FROM debian:13\nEXPOSE 80 «22»\n", "FROM debian:13\nEXPOSE 80\n"),
            Example::new(
                "Its program",
                "FROM debian:13\nCMD [«\"/usr/sbin/sshd\", \"-D\"»]\n",
                "FROM debian:13\nCMD [\"nginx\", \"-g\", \"daemon off;\"]\n",
            ),
            Example::new(
                "Port 22 within a range",
                "FROM debian:13\nEXPOSE «20-22/tcp»\n",
                "FROM debian:13\nEXPOSE 2222\n",
            ),
            Example::new(
                "The port of something else",
                "FROM debian:13\nRUN apt-get update && apt-get install -y openssh-server\nEXPOSE «22»\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y qemu-kvm\nEXPOSE 22\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

const REFUSAL: &str = "whether people come in by SSH is for the project to decide";

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let mut without_server: HashMap<usize, bool> = HashMap::new();
    for step in cx.model.built_steps() {
        match step.keyword() {
            Keyword::Expose => {
                let stage = step.stage();
                let is_without = without_server.entry(stage.index()).or_insert_with(|| stage.has_no_ssh_server());
                if !*is_without {
                    exposed(step, out);
                }
            }
            Keyword::Cmd | Keyword::Entrypoint => {
                for command in step.commands().filter(|command| command.name() == Some("sshd")) {
                    out.report(command.span(), "the container starts an SSH server").decline(REFUSAL);
                }
            }
            _ => {}
        }
    }
}

fn exposed(step: Step<'_>, out: &mut Findings) {
    let Arguments::Words(words) = step.arguments() else { return };
    for word in words {
        let Ok(value) = step.expand_arg(word) else { continue };
        let ports = value.known().and_then(|text| Ports::parse(text).ok());
        if ports.is_some_and(|ports| (ports.first..=ports.last).contains(&22)) {
            out.report(word.span, "the image exposes port 22, the port of SSH").decline(REFUSAL);
        }
    }
}
