//! What `BuildKit` refuses to read. The parsers say it; the engine makes findings of it.

use crate::{
    rule::{Builtin, Check, Confidence, Example, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "syntax-error",
        title: "The file cannot be built as it is written",
        why: "A build stops at this place, and what comes after it may mean something else than it seems to: the other findings of this file are incomplete.",
        remedy: "Write it the way the Dockerfile reference has it. A template of a Dockerfile should not be named like one.",
        group: Group::Syntax,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[Reference::new(Scheme::Url, "https://docs.docker.com/reference/dockerfile/")],
        equivalents: &[],
        examples: &[
            Example::new(
                "A slip in a keyword",
                "FROM alpine:3.22\n«RUNN» apk upgrade\n",
                "FROM alpine:3.22\nRUN apk upgrade\n",
            ),
            Example::new(
                "A heredoc that never ends",
                "FROM alpine:3.22\nRUN «<<EOF»\napk upgrade\n",
                "FROM alpine:3.22\nRUN <<EOF\napk upgrade\nEOF\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Syntax,
};
