//! A start script that nobody may execute stops the container before it starts.

use crate::{
    model::{Builder, DockerfileModel},
    rewrite::executable::{self, EntryScript},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "entry-script-mode",
        title: "Start script that nobody may execute",
        why: "Files of the build context keep their mode: a script without the executable bit ends the container with `permission denied`, and people reach for `chmod 777`.",
        remedy: "Copy it with `--chmod=0755`, or mark it in the repository (`git update-index --chmod=+x`).",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Copies it with a mode that lets everybody read and execute it, or sets that in a step of root.",
        ),
        references: &[
            Reference::new(Scheme::Cwe, "732"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/dockerfile/#copy---chown---chmod"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Copied on its own",
                "-- Dockerfile --\nFROM debian:13\n«COPY» run.sh /run.sh\nENTRYPOINT [\"/run.sh\"]\n-- run.sh --\n#!/bin/sh\nexec app\n",
                "-- Dockerfile --\nFROM debian:13\nCOPY --chmod=0755 run.sh /run.sh\nENTRYPOINT [\"/run.sh\"]\n-- run.sh --\n#!/bin/sh\nexec app\n",
            ),
            Example::new(
                "Copied with other files",
                "-- Dockerfile --\nFROM debian:13\nWORKDIR /app\n«COPY» . .\nCMD [\"./bin/run\"]\n-- bin/run --\n#!/bin/sh\nexec app\n",
                "-- Dockerfile --\nFROM debian:13\nWORKDIR /app\nCOPY . .\nRUN chmod 0755 /app/bin/run\nCMD [\"./bin/run\"]\n-- bin/run --\n#!/bin/sh\nexec app\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target().filter(|target| !target.is_windows()) else { return };
    for script in EntryScript::all(target, cx.context) {
        let message = format!("nobody may execute `{}`, which starts the image", script.path);
        let finding = out.report(script.copy.instruction().keyword_span, message);
        finding.relate(script.started, "started here");
        let builder = Builder::of(cx.model.syntax, cx.file, cx.context);
        match executable::make_executable(&script, &builder) {
            Ok(fix) => finding.fix(fix),
            Err(refusal) => finding.decline(refusal),
        };
    }
}
