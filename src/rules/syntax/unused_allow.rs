//! A comment that should silence a finding and silences none. `suppress` reads them; the engine knows what they did.

use crate::{
    rule::{Builtin, Check, Confidence, Example, FixNote, Group, Reference, RuleMeta, Safety, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "unused-allow",
        title: "An `allow` that silences nothing",
        why: "It reads as if somebody had weighed a risk that is not there, or it hides nothing although it should: it has no reason, has ended, or names no rule. Left behind, it would silence the next finding at this place unseen.",
        remedy: "Remove it, or write `# ironhull: allow(rule) because reason` directly above the instruction, with `until YYYY-MM-DD` if it should end.",
        group: Group::Syntax,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(Safety::Safe, "One that no rule needs any more is removed, the line with it."),
        references: &[Reference::new(Scheme::Cwe, "1164")],
        equivalents: &[],
        examples: &[
            Example::new(
                "Nothing is found there any more",
                "FROM alpine:3.22\n# ironhull: allow(«add-local-file») because the archive is unpacked\nCOPY app /app\n",
                "FROM alpine:3.22\nCOPY app /app\n",
            ),
            Example::new(
                "One of two rules",
                "FROM alpine:3.22\n# ironhull: allow(add-local-file, «sudo») because it is a test image\nADD app /app\n",
                "FROM alpine:3.22\n# ironhull: allow(add-local-file) because it is a test image\nADD app /app\n",
            ),
            Example::new(
                "No reason",
                "FROM alpine:3.22\n«# ironhull: allow(add-local-file)»\nADD app /app\n",
                "FROM alpine:3.22\n# ironhull: allow(add-local-file) because `app` becomes an archive soon\nADD app /app\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Suppressions,
};
