//! A password that is written out in a command.

use crate::{
    model::{DockerfileModel, Password, credential::Value},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};
use std::collections::BTreeMap;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "password-in-run",
        title: "Password written out in a command",
        why: "The history of the image shows each command, so everybody who can pull it knows the password, and every container made of it has the same one.",
        remedy: "Change the password wherever it is in use; set it when a container starts, or let the `RUN` read it from a `--mount=type=secret`. An account that nobody logs in to needs none.",
        group: Group::Secret,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "4.10"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::Cwe, "259"),
            Reference::new(Scheme::Cwe, "798"),
        ],
        equivalents: &["checkov:CKV2_DOCKER_17"],
        examples: &[
            Example::new(
                "For an account of the system",
                "FROM debian:trixie\nRUN echo 'root:«toor»' | chpasswd\n",
                "FROM debian:trixie\nRUN passwd --lock root && useradd -p '*' app\n",
            ),
            Example::new(
                "For a database",
                "FROM mysql:8.4\nRUN mysqladmin -uroot password «secure» && mysql -uroot -psecure -e \"CREATE USER app IDENTIFIED BY '«k9Qz0fWm»'\"\n",
                "FROM mysql:8.4\nRUN --mount=type=secret,id=root,env=MYSQL_PWD mysql -uroot -e \"CREATE DATABASE app\"\n",
            ),
            Example::new(
                "For a server that something is fetched from",
                "FROM alpine:3.22\nRUN curl -u 'ci:«hunter22»' -O https://repo.example.com/app.jar\n",
                "FROM alpine:3.22\nRUN --mount=type=secret,id=netrc,target=/root/.netrc curl --netrc -O https://repo.example.com/app.jar\n",
            ),
            Example::new(
                "For a client, in its environment",
                "FROM postgres:17\nRUN PGPASSWORD=«umami» psql -h db -c 'SELECT 1'\n",
                "FROM postgres:17\nARG DB_PASS\nRUN PGPASSWORD=$DB_PASS psql -h db -c 'SELECT 1'\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.steps().filter(|step| !step.is_trigger()) {
        let stage = step.stage();
        let is_builder = stage.is_built() && !stage.is_exported();
        let mut passwords: BTreeMap<&[u8], Vec<Password>> = BTreeMap::new();
        for password in step.passwords() {
            passwords.entry(cx.bytes(password.span)).or_default().push(password);
        }
        for same in passwords.into_values() {
            report(&same, is_builder, out);
        }
    }
}

/// Reports the first of the places at which one password is written.
fn report(same: &[Password], is_builder: bool, out: &mut Findings) {
    let [first, others @ ..] = same else { return };
    let severity = match (first.shape, is_builder) {
        (Value::Known(_) | Value::Random, false) => Severity::High,
        (Value::Known(_) | Value::Random, true) | (Value::Word | Value::Harmless, false) => Severity::Medium,
        (Value::Word | Value::Harmless, true) => Severity::Low,
    };
    let message = format!("the password given to `{}` is readable in the history of the image", first.taker);
    let finding = out.report(first.span, message).severity(severity);
    for other in others {
        finding.relate(other.span, format!("it is also given to `{}`", other.taker));
    }
    finding.decline(match first.taker.as_str() {
        "chpasswd" | "passwd" | "useradd" | "usermod" | "adduser" => {
            "whether anybody logs in with it is for a person to say: an account that nobody logs in to needs no password (`passwd --lock`)"
        }
        _ => "what the server at the other end expects is not said here: rotate the password, then read it from a `--mount=type=secret` or set it when a container starts",
    });
}
