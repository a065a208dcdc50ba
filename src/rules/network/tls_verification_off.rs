//! A connection whose other end is not checked is plain text to anybody on the way.

use crate::{
    model::DockerfileModel,
    rewrite::tls,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "tls-verification-off",
        title: "TLS verification switched off",
        why: "Anybody on the way can answer in place of the server, read what is sent and replace what comes back.",
        remedy: "Leave verification on. For a private certificate authority, copy its certificate and add it to the system's or the program's trust store.",
        group: Group::Network,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Takes the switch out, and installs `ca-certificates` where a slim system lacks them; not where the server has no public name.",
        ),
        references: &[Reference::new(Scheme::Cwe, "295"), Reference::new(Scheme::CisDocker, "4.11")],
        equivalents: &[
            "checkov:CKV2_DOCKER_2",
            "checkov:CKV2_DOCKER_3",
            "checkov:CKV2_DOCKER_4",
            "checkov:CKV2_DOCKER_5",
            "checkov:CKV2_DOCKER_6",
            "checkov:CKV2_DOCKER_12",
            "checkov:CKV2_DOCKER_13",
            "checkov:CKV2_DOCKER_14",
            "checkov:CKV2_DOCKER_15",
            "checkov:CKV2_DOCKER_16",
        ],
        examples: &[
            Example::new(
                "An option",
                "FROM debian:13\nRUN curl «-fsSkLO» https://example.com/data.json\n",
                "FROM debian:13\nRUN curl -fsSLO https://example.com/data.json\n",
            ),
            Example::new(
                "A variable of the image",
                "FROM node:24\nENV «NODE_TLS_REJECT_UNAUTHORIZED=0»\n",
                "FROM node:24\n",
            ),
            Example::new(
                "A setting that lasts",
                "FROM node:24\nRUN npm config set «strict-ssl» false && npm ci\n",
                "FROM node:24\nRUN npm ci\n",
            ),
            Example::new(
                "What is checked needs authorities",
                "FROM debian:13\nRUN apt-get update && apt-get install -y --no-install-recommends wget \\\n && wget «--no-check-certificate» https://example.com/x\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y --no-install-recommends wget ca-certificates \\\n && wget https://example.com/x\n",
            ),
            Example::new(
                "A server without a public name",
                "FROM debian:13\nRUN curl «--insecure» https://build.corp.internal/x -o /x\n",
                "FROM debian:13\nCOPY ca.crt /usr/local/share/ca-certificates/\nRUN update-ca-certificates && curl https://build.corp.internal/x -o /x\n",
            ),
            Example::new(
                "No need to check the own machine, or what a checksum in the file decides",
                "FROM python:3.13\nRUN pip install «--trusted-host» pypi.example.com flask\nRUN wget --no-check-certificate -O t.tgz https://example.com/t.tgz && echo \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  t.tgz\" | sha256sum -c - && tar -xf t.tgz\nHEALTHCHECK CMD curl -kf https://localhost:8443/ || exit 1\n",
                "FROM python:3.13\nRUN pip install flask\nRUN wget --no-check-certificate -O t.tgz https://example.com/t.tgz && echo \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  t.tgz\" | sha256sum -c - && tar -xf t.tgz\nHEALTHCHECK CMD curl -kf https://localhost:8443/ || exit 1\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps() {
        for off in step.unverified_tls() {
            let scope = if off.lasts { " from here on" } else { "" };
            let message = format!("`{}` keeps {} from checking who answers{scope}", off.text, off.program);
            let finding = out.report(off.span, message);
            match tls::verify(step, &off) {
                Ok(fix) => finding.fix(fix),
                Err(refusal) => finding.decline(refusal),
            };
        }
    }
}
