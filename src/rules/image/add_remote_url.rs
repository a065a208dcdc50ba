//! `ADD` of an address takes whatever the server sends that day.

use crate::{
    model::{
        DockerfileModel, Step,
        add::{Source, SourceKind, is_pinned_git},
        file_name,
    },
    rewrite::RemoteAdds,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::Keyword,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "add-remote-url",
        title: "`ADD` of an address without a checksum",
        why: "Whoever controls the server, the name or the way to it decides what enters the image, and nothing notices a change.",
        remedy: "Give `ADD` a `--checksum=sha256:…` (a full commit for Git), or download the file in a `RUN` and verify it there.",
        group: Group::Image,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Writes the checksum that `ironhull.lock` has of the address: as a flag where the builder knows it, else with a download in a `RUN`.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.9"),
            Reference::new(Scheme::CisDocker, "4.11"),
            Reference::new(Scheme::Cwe, "494"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/dockerfile/#add---checksum"),
        ],
        equivalents: &["kics:4b410d24-1cbe-4430-a632-62c9a931cf1c", "checkov:CKV_DOCKER_4"],
        examples: &[
            Example::new(
                "A file",
                "FROM alpine:3.22\nADD «https://example.com/tool-1.2.bin» /usr/bin/tool\n",
                "FROM alpine:3.22\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.com/tool-1.2.bin /usr/bin/tool\n",
            ),
            Example::new(
                "A Git repository, by a tag that can be moved",
                "FROM scratch\nADD «https://github.com/moby/buildkit.git#v0.14.1» /src\n",
                "FROM scratch\nADD https://github.com/moby/buildkit.git#eb864a84592468ee9b434326cb7efd66f58555af /src\n",
            ),
            Example::new(
                "A variable that holds the address",
                "ARG SITE=https://example.com\nFROM alpine:3.22\nARG SITE\nADD «$SITE/x.conf» /etc/\n",
                "ARG FILE\nFROM alpine:3.22\nARG FILE\nADD $FILE /etc/\n",
            ),
            Example::new(
                "The lock has the checksum",
                "-- Dockerfile --\n# syntax=docker/dockerfile:1\nFROM alpine:3.22\nADD --chmod=755 «https://example.com/1.2/tool» /usr/bin/tool\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/1.2/tool\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\n# syntax=docker/dockerfile:1\nFROM alpine:3.22\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d --chmod=755 https://example.com/1.2/tool /usr/bin/tool\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/1.2/tool\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
            Example::new(
                "The lock has the checksum, and nothing shows a builder that takes `--checksum`",
                "-- Dockerfile --\nFROM alpine:3.22\nADD «https://example.com/1.2/tool» /opt/tools/\nCMD [\"/opt/tools/tool\"]\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/1.2/tool\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\nFROM alpine:3.22\nRUN mkdir -p /opt/tools \\\n && wget -qO /opt/tools/tool https://example.com/1.2/tool \\\n && echo \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  /opt/tools/tool\" | sha256sum -c - \\\n && chmod 600 /opt/tools/tool\nCMD [\"/opt/tools/tool\"]\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/1.2/tool\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let adds = RemoteAdds::new(cx);
    for step in cx.model.built_steps().filter(|step| step.keyword() == Keyword::Add) {
        if step.instruction().flag("checksum").is_some() {
            continue;
        }
        for source in step.sources() {
            if !is_verified_later(step, &source) {
                report(&adds, step, &source, out);
            } else if source.kind == SourceKind::Url {
                out.decline(
                    source.arg.span,
                    "a later step of the stage verifies the file, or it is a signature itself",
                );
            }
        }
    }
}

/// Whether the file is a signature, or a later step of the stage checks it against a checksum or signature.
fn is_verified_later(step: Step<'_>, source: &Source<'_>) -> bool {
    let name = file_name(&source.text);
    let is_signature = [".asc", ".sig", ".sha256", ".sha512", ".minisig"].iter().any(|end| name.ends_with(end));
    let target = step.destination().map(|arg| String::from_utf8_lossy(&arg.text).into_owned()).unwrap_or_default();
    let target = Some(file_name(&target)).filter(|target| !target.is_empty()).unwrap_or(name);
    is_signature || step.later().any(|step| step.verifies(target) || step.verifies(name))
}

fn report(adds: &RemoteAdds<'_, '_>, step: Step<'_>, source: &Source<'_>, out: &mut Findings) {
    let message = match source.kind {
        SourceKind::Url => "`ADD` takes what the server sends, without a checksum",
        SourceKind::Git if !is_pinned_git(&source.text) => {
            "`ADD` clones what a branch or tag names that day, not one commit"
        }
        SourceKind::Local | SourceKind::Archive | SourceKind::Git | SourceKind::Heredoc | SourceKind::Unknown => return,
    };
    let is_plain_http = source.text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"));
    let finding = out.report(source.arg.span, message);
    if is_plain_http {
        finding.severity(Severity::High);
        finding.message.push_str(", over plain HTTP");
    }
    if source.kind == SourceKind::Git {
        let reason = "which commit was meant is not in the file: `git ls-remote` tells which one the name is today";
        finding.fix(Fix::new("Name a commit", Safety::Manual, reason, Vec::new()));
        return;
    }
    match adds.fix(step, source) {
        Ok(fix) => finding.fix(fix),
        Err(reason) => finding.decline(reason),
    };
}
