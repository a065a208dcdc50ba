//! An SSH server in a container is a second way in.

use crate::{
    model::{DockerfileModel, Ports, Step},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::{Arg, Arguments, Editor, Keyword},
    text::Span,
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
        fix: FixNote::Sometimes(
            Safety::Risky,
            "The port goes where nothing that the image starts listens there; whether people come in by SSH is for the project to decide.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "5.7"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::Cwe, "668"),
        ],
        equivalents: &["checkov:CKV_DOCKER_1", "trivy:DS-0004", "kics:5907595b-5b6d-4142-b173-dbb0e73fbff8"],
        examples: &[
            Example::new(
                "Its port",
                "FROM debian:13\nEXPOSE 80 «22»\nCMD [\"/srv/serve\"]\n",
                "FROM debian:13\nEXPOSE 80\nCMD [\"/srv/serve\"]\n",
            ),
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
            Example::new(
                "Where a script that nobody sees, or an init of others, may start it, the port stays",
                "FROM ubuntu:24.04\nADD init.sh /root/\nEXPOSE 5432\nEXPOSE «22»\nENTRYPOINT [\"/root/init.sh\"]\n",
                "FROM ubuntu:24.04\nADD init.sh /root/\nEXPOSE 5432\nENTRYPOINT [\"/root/init.sh\"]\n",
            ),
            Example::new(
                "An init that starts it in the base",
                "FROM phusion/baseimage:0.9.15\nEXPOSE 80 «22»\nCMD [\"/sbin/my_init\"]\n",
                "FROM phusion/baseimage:0.9.15\nEXPOSE 80\nCMD [\"/sbin/my_init\"]\n",
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
                    exposed(cx, step, out);
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

fn exposed(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, out: &mut Findings) {
    let Arguments::Words(words) = step.arguments() else { return };
    for word in words {
        let Ok(value) = step.expand_arg(word) else { continue };
        let Some(ports) = value.known().and_then(|text| Ports::parse(text).ok()) else { continue };
        if (ports.first..=ports.last).contains(&22) {
            let is_alone = ports.first == ports.last;
            let finding = out.report(word.span, "the image exposes port 22, the port of SSH");
            finding.repair(cx, || if is_alone { without(cx, step, word) } else { Err(REFUSAL.to_owned()) });
        }
    }
}

/// Takes the port out of its instruction, where nobody can listen on it.
fn without(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, word: &Arg<'_>) -> Result<Fix, String> {
    if !step.stage().serves_no_ssh(&cx.context) {
        return Err(REFUSAL.to_owned());
    }
    let Arguments::Words(words) = step.arguments() else { return Err(REFUSAL.to_owned()) };
    let editor = Editor::new(cx.file, cx.model.syntax);
    let take = |start: u32, end: u32| {
        let span = Span { start, end };
        (!cx.bytes(span).contains(&b'#')).then(|| editor.replace(span, ""))
    };
    let edit = match words.iter().position(|each| each.span == word.span) {
        Some(_) if words.len() == 1 => editor.remove(step.instruction()),
        Some(0) => take(word.span.start, words[1].span.start),
        Some(at) => take(words[at - 1].span.end, word.span.end),
        None => None,
    };
    let edit = edit.ok_or("a comment stands within the instruction")?;
    let reason = "nothing that the image starts is seen to listen there, and a port that is only named opens nothing";
    Ok(Fix::new("Take port 22 away", Safety::Risky, reason, vec![edit]))
}
