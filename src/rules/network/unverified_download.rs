//! A file that comes over the network and is run, installed or unpacked without a check.

use crate::{
    model::{
        DockerfileModel,
        downloads::{Download, Trusted, Use, is_interpreter},
    },
    rewrite::Verifier,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unverified-download",
        title: "Download used without verification",
        why: "What the server sends becomes part of the image. A replaced release, a hijacked name or a broken proxy goes unnoticed, and the next build may get another file.",
        remedy: "Verify a checksum that is written in the Dockerfile (`sha256sum -c`), or the publisher's signature, before the file is used.",
        group: Group::Network,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "With an entry for the address in `ironhull.lock` the file is checked right behind the download; without one the fix is manual.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.11"),
            Reference::new(Scheme::CisDocker, "4.12"),
            Reference::new(Scheme::Cwe, "494"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "An archive that is unpacked",
                "-- Dockerfile --\nFROM debian:13\nRUN «curl -fsSLO https://example.com/tool-1.2.tar.gz» \\\n && tar -xf tool-1.2.tar.gz\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/tool-1.2.tar.gz\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\nFROM debian:13\nRUN curl -fsSLO https://example.com/tool-1.2.tar.gz \\\n && echo \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  tool-1.2.tar.gz\" | sha256sum -c - \\\n && tar -xf tool-1.2.tar.gz\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/tool-1.2.tar.gz\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
            Example::new(
                "A program, made executable in a later step",
                "FROM debian:13\nRUN «wget -O /opt/tool https://example.com/tool»\nRUN chmod +x /opt/tool\n",
                "FROM debian:13\nRUN wget -O /opt/tool.json https://example.com/tool.json\n",
            ),
            Example::new(
                "Through a pipe into `tar`",
                "-- Dockerfile --\nFROM debian:13\nRUN «curl -fsSL https://example.com/tool-1.2.tgz» | tar -xz -C /opt\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/tool-1.2.tgz\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
                "-- Dockerfile --\nFROM debian:13\nRUN curl -o /tmp/tool-1.2.tgz -fsSL https://example.com/tool-1.2.tgz && echo \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d  /tmp/tool-1.2.tgz\" | sha256sum -c - && tar -f /tmp/tool-1.2.tgz -xz -C /opt && rm -f /tmp/tool-1.2.tgz\n-- ironhull.lock --\nversion = 1\n[[url]]\nurl = \"https://example.com/tool-1.2.tgz\"\nsha256 = \"24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\"\nresolved = 2026-11-20\n",
            ),
            Example::new(
                "A signature counts",
                "FROM debian:13\nRUN «curl -o x.deb https://example.com/x.deb» && dpkg -i x.deb\n",
                "FROM debian:13\nRUN curl -o x.deb https://example.com/x.deb && curl -o x.asc https://example.com/x.asc \\\n && gpg --verify x.asc x.deb && dpkg -i x.deb\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    if !cx.model.may_run(Download::PROGRAMS) {
        return;
    }
    let mut verifier = Verifier::default();
    for stage in cx.model.stages().filter(|stage| stage.is_built()) {
        for trusted in stage.unverified_downloads() {
            if !trusted.download.command.step.is_trigger() && !is_piped_to_interpreter(&trusted) {
                report(cx, &trusted, &mut verifier, out);
            }
        }
    }
}

/// What a pipe feeds to an interpreter is another rule's.
fn is_piped_to_interpreter(trusted: &Trusted<'_>) -> bool {
    let consumer = trusted.download.consumer().and_then(|command| command.invocation()?.name());
    consumer.is_some_and(is_interpreter)
}

fn report(cx: &Cx<'_, DockerfileModel<'_>>, trusted: &Trusted<'_>, verifier: &mut Verifier, out: &mut Findings) {
    let becomes = match trusted.used_as {
        Use::Run => "run",
        Use::Program => "made a program",
        Use::Install => "installed",
        Use::Unpack => "unpacked",
    };
    let plain = trusted.download.is_plain_http();
    let over = if plain { " over plain HTTP" } else { "" };
    let message =
        format!("what `{}` downloads{over} is {becomes} without a check of its content", trusted.download.program);
    let finding = out.report(trusted.download.span(), message);
    if trusted.by.span() != trusted.download.span() {
        finding.relate(trusted.by.span(), format!("{becomes} here"));
    }
    if plain {
        finding.severity(Severity::High);
    }
    if trusted.download.command.is_conditional() {
        finding.confidence(Confidence::Medium);
    }
    finding.only_with(trusted.download.command.needs_argument());
    finding.repair(cx, || verifier.verify(cx, &trusted.download));
}
