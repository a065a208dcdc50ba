//! A script that mounts a directory of the host's system hands out what the host does.

use crate::{
    model::{engine_call::EngineOption, host_path, script_file::ScriptFile},
    rewrite::without_option,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "host-system-path-call",
        title: "Part of the host's system mounted by a script",
        why: "Whoever writes to `/`, `/etc` or `/usr` of the host changes its users, programs and jobs; whoever reads them has its keys.",
        remedy: "Mount the one file that is needed, read-only, or a directory of your own.",
        group: Group::Runtime,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Script, FileKind::Makefile, FileKind::Workflow, FileKind::GitlabCi],
        fix: FixNote::Sometimes(Safety::Manual, "Takes the mount out; the program may need what lies there."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.6"),
            Reference::new(Scheme::Nist800190, "4.4.3"),
            Reference::new(Scheme::Cwe, "552"),
            Reference::new(Scheme::Url, "https://docs.docker.com/engine/storage/bind-mounts/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "The whole host",
                "-- scan.sh --\n#!/bin/sh\ndocker run --rm «-v /:/host» scanner:1.4\n",
                "-- scan.sh --\n#!/bin/sh\ndocker run --rm scanner:1.4\n",
            ),
            Example::new(
                "Configuration, in words",
                "-- Makefile --\nrun:\n\tdocker run «--mount type=bind,source=/etc,target=/host/etc,readonly» -v /srv/data:/data tool:2\n",
                "-- Makefile --\nrun:\n\tdocker run -v /srv/data:/data tool:2\n",
            ),
            Example::new(
                "What everybody knows is no part of it",
                "-- run.sh --\n#!/bin/sh\ndocker run -v /etc/localtime:/etc/localtime:ro -v \"$PWD\":/src «-v /root:/root» tool:2\n",
                "-- run.sh --\n#!/bin/sh\ndocker run -v /etc/localtime:/etc/localtime:ro -v \"$PWD\":/src tool:2\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Script(check),
};

fn check(cx: &Cx<'_, ScriptFile>, out: &mut Findings) {
    for call in cx.model.engine_calls() {
        for option in call.named(&["volume", "mount"]) {
            let Some((path, is_read_only)) = mounted(option) else { continue };
            if !host_path::is_sensitive(path) || is_read_only && host_path::is_record(path) {
                continue;
            }
            let access = if is_read_only { "read" } else { "write to" };
            let finding = out.report(option.span, format!("the container may {access} `{path}` of the host"));
            finding.severity(if is_read_only { Severity::Medium } else { Severity::High }).repair(cx, || {
                let reason = "the program may need what lies there: mount the one file that it reads instead";
                without_option(cx, option, "Take the mount out", Safety::Manual, reason)
            });
        }
    }
}

/// The path of the host that an option mounts, and whether it may only be read.
fn mounted<'o>(option: &'o EngineOption<'_>) -> Option<(&'o str, bool)> {
    if option.name == "volume" {
        let mut parts = option.value.split(':');
        let (source, _, options) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        return source.starts_with('/').then(|| (source, options.split(',').any(|option| option == "ro")));
    }
    let value = |key: &str| option.value.split(',').find_map(|part| part.strip_prefix(key)?.strip_prefix('='));
    let source = value("source").or_else(|| value("src")).filter(|source| source.starts_with('/'))?;
    let is_read_only =
        option.value.split(',').any(|part| matches!(part, "readonly" | "ro" | "readonly=true" | "ro=true"));
    (value("type") == Some("bind")).then_some((source, is_read_only))
}
