//! `ADD` of a plain local file does what `COPY` does, and hides that it could do more.

use crate::{
    model::{DockerfileModel, add::SourceKind},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::Keyword,
    text::Edit,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "add-local-file",
        title: "`ADD` used where `COPY` is enough",
        why: "`ADD` also unpacks archives and downloads addresses, so a reader cannot tell which was meant, and a file that becomes an archive one day is unpacked without a word.",
        remedy: "Use `COPY` for local files and directories.",
        group: Group::Image,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Only the keyword changes; `COPY` does the same with what is neither an archive nor an address.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.9"),
            Reference::new(Scheme::Cwe, "22"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/best-practices/#add-or-copy"),
        ],
        equivalents: &[
            "hadolint:DL3020",
            "checkov:CKV_DOCKER_4",
            "trivy:DS-0005",
            "semgrep:prefer-copy-over-add",
            "kics:9513a694-aa0d-41d8-be61-3271e056f36b",
        ],
        examples: &[
            Example::new(
                "A local directory",
                "FROM alpine:3.22\n«ADD» src /app\n",
                "FROM alpine:3.22\nCOPY src /app\n",
            ),
            Example::new(
                "Several files, in JSON form",
                "FROM alpine:3.22\n«ADD» [\"a.conf\", \"b.conf\", \"/etc/\"]\n",
                "FROM alpine:3.22\nCOPY [\"a.conf\", \"b.conf\", \"/etc/\"]\n",
            ),
            Example::new(
                "An archive, an address or a variable may be what `ADD` is for",
                "FROM alpine:3.22\nARG FILE\n«ADD» run.sh /\nADD rootfs.tar.xz /\nADD $FILE /\n",
                "FROM alpine:3.22\nARG FILE\nCOPY run.sh /\nADD rootfs.tar.xz /\nADD $FILE /\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for step in cx.model.built_steps().filter(|step| step.keyword() == Keyword::Add) {
        let sources = step.sources();
        let is_plain = !sources.is_empty() && sources.iter().all(|source| source.kind == SourceKind::Local);
        let unpacks = step.instruction().flag("unpack").is_some();
        if is_plain && !unpacks {
            let instruction = step.instruction();
            let rename = Edit::replace(cx.file.id, instruction.keyword_span, "COPY");
            let reason = "no source is an address or, by its name, an archive";
            let fix = Fix::new("Use `COPY`", Safety::Safe, reason, vec![rename]).claiming(cx.file.id, instruction.span);
            out.report(instruction.keyword_span, "`ADD` copies a local file; `COPY` says so").fix(fix);
        }
    }
}
