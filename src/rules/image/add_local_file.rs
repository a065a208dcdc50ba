//! `ADD` of a plain local file does what `COPY` does, and hides that it could do more.

use crate::{
    context::BuildContext,
    model::{
        DockerfileModel, Step,
        add::{Source, SourceKind, may_be_unpacked},
    },
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::Keyword,
    text::Edit,
};
use std::borrow::Cow;

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
                "What is an archive whatever its name says stays; `PK` starts a ZIP file, which nothing unpacks",
                "-- Dockerfile --\nFROM alpine:3.22\n«ADD» app.war /srv/\nADD layer /\n-- app.war --\nPK\u{3}\u{4}\n-- layer --\nBZh91AY\n",
                "-- Dockerfile --\nFROM alpine:3.22\nCOPY app.war /srv/\nADD layer /\n-- app.war --\nPK\u{3}\u{4}\n-- layer --\nBZh91AY\n",
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
        let instruction = step.instruction();
        let sources = step.sources();
        let is_plain = !sources.is_empty() && sources.iter().all(|source| source.kind == SourceKind::Local);
        if let Some(hidden) = sources.iter().find(|source| source.kind == SourceKind::Unknown) {
            let text = String::from_utf8_lossy(&hidden.arg.text);
            out.decline(
                hidden.arg.span,
                format!("what `{text}` stands for may be an archive, which `ADD` unpacks and `COPY` does not"),
            );
        }
        if !is_plain || OWN_FLAGS.iter().any(|flag| instruction.flag(flag).is_some()) {
            continue;
        }
        if let Some(archive) = sources.iter().find(|source| seen(cx.context, &source.text) == Seen::Archive) {
            let reason =
                "the file is compressed or an archive, whatever its name says, and `ADD` may be there to unpack it";
            out.decline(archive.arg.span, reason);
            continue;
        }
        let (safety, reason) = judge(cx, step, &sources);
        let rename = Edit::replace(cx.file.id, instruction.keyword_span, "COPY");
        let fix = Fix::new("Use `COPY`", safety, reason, vec![rename]).claiming(cx.file.id, instruction.span);
        out.report(instruction.keyword_span, "`ADD` copies a local file; `COPY` says so").fix(fix);
    }
}

/// Flags that `COPY` does not have.
const OWN_FLAGS: [&str; 3] = ["unpack", "checksum", "keep-git-dir"];

/// What `COPY` may do otherwise than `ADD` here.
fn judge(cx: &Cx<'_, DockerfileModel<'_>>, step: Step<'_>, sources: &[Source<'_>]) -> (Safety, Cow<'static, str>) {
    for source in sources {
        let value = step.expand_arg(source.arg).unwrap_or_default();
        if let Some(name) = value.defaulted().next() {
            let reason = format!("whoever builds may give `{name}` the name of an archive or an address");
            return (Safety::Risky, reason.into());
        }
        if seen(cx.context, &source.text) == Seen::Unread {
            let reason = format!("`{}` is too large to look into: it must be no archive", source.text);
            return (Safety::Risky, reason.into());
        }
    }
    (Safety::Safe, "no source is an address or, by its name and by what lies beside the file, an archive".into())
}

/// What the source turns out to be in the files beside the Dockerfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It is not there, or is a directory: its name has to do.
    Nothing,
    /// A file that no builder unpacks.
    Plain,
    /// A file that starts as an archive does.
    Archive,
    /// A file too large to be read.
    Unread,
}

fn seen(context: BuildContext<'_>, source: &str) -> Seen {
    match context.nearest(source) {
        Some(file) if may_be_unpacked(&file.text) => Seen::Archive,
        Some(_) => Seen::Plain,
        None if !has_extension(source) && context.holds_file(source) => Seen::Unread,
        None => Seen::Nothing,
    }
}

/// Whether the last part of a path names a type: `app.jar`, and not `rootfs`.
fn has_extension(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.trim_start_matches('.').contains('.'))
}
