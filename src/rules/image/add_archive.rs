//! `ADD` of a local archive unpacks it into the image, whatever is in it.

use crate::{
    model::{DockerfileModel, add::SourceKind},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::dockerfile::Keyword,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "add-archive",
        title: "`ADD` unpacks a local archive",
        why: "Whatever the archive holds enters the image with its owners, modes and links, and nobody sees it in a review.",
        remedy: "Keep archives of a root file system where they are needed; else copy the files, or unpack a verified archive in a build stage.",
        group: Group::Image,
        severity: Severity::Info,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "4.9"),
            Reference::new(Scheme::Cwe, "22"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/dockerfile/#adding-local-tar-archives"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A release of the own project",
                "FROM alpine:3.22\nADD «dist/app.tar.gz» /opt/\n",
                "FROM alpine:3.22\nCOPY dist/app /opt/app\n",
            ),
            Example::new(
                "Told to leave it packed",
                "FROM alpine:3.22\nADD «backup.tgz» /opt/\n",
                "FROM alpine:3.22\nADD --unpack=false backup.tgz /opt/\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps().filter(|step| step.keyword() == Keyword::Add) {
        let stays_packed = step.instruction().flag("unpack").is_some_and(|flag| flag.value.as_deref() == Some("false"));
        for source in step.sources() {
            if source.kind == SourceKind::Archive && !stays_packed {
                let finding = out.report(source.arg.span, format!("`ADD` unpacks `{}` into the image", source.text));
                finding.decline(
                    "`COPY` would leave it packed, and only who wrote the file knows which of its files are needed",
                );
            }
        }
    }
}
