//! A set-uid program gives its caller the rights of its owner.

use crate::{
    model::{DockerfileModel, ModeChange, OwnerChange, Step},
    rewrite::mode,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};
use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "setuid-bit",
        title: "Program made set-uid",
        why: "Whoever runs the program gets the rights of its owner, usually root: one mistake in it undoes the unprivileged user of the image.",
        remedy: "Leave the bit out. Do what needs root while the image is built, or give the one capability that is needed (`setcap`).",
        group: Group::Layer,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Takes the bit out of the mode, but not of programs that do nothing without it.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.8"),
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::Cwe, "732"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Octal",
                "FROM debian:13\nRUN chmod «4755» /usr/bin/tool\n",
                "FROM debian:13\nRUN chmod 755 /usr/bin/tool\n",
            ),
            Example::new(
                "Symbolic",
                "FROM debian:13\nRUN chmod «u+s» /bin/ping\n",
                "FROM debian:13\nRUN chmod u-s /bin/ping\n",
            ),
            Example::new(
                "Set-gid on a directory only passes the group on",
                "FROM debian:13\nRUN chmod «6755» /usr/bin/tool && chmod 2775 /srv/shared\n",
                "FROM debian:13\nRUN chmod 2755 /usr/bin/tool && chmod 2775 /srv/shared\n",
            ),
            Example::new(
                "Set-uid on a directory means nothing",
                "FROM debian:13\nRUN chmod «+s» /usr/bin/tool && chmod -R «u+s» /opt && mkdir /data && chmod a+s /opt /data\n",
                "FROM debian:13\nRUN chmod -s /usr/bin/tool && chmod -R u-s /opt && mkdir /data && chmod a+s /opt /data\n",
            ),
            Example::new(
                "Of an owner without rights, closed to others",
                "FROM debian:13\nRUN chown app /usr/bin/tool /usr/bin/appd && chmod «4755» /usr/bin/tool && chmod 4750 /usr/bin/appd\n",
                "FROM debian:13\nRUN chown app /usr/bin/tool /usr/bin/appd && chmod 755 /usr/bin/tool && chmod 4750 /usr/bin/appd\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let directories = OnceCell::new();
    let owners = OnceCell::new();
    let all_owners = || cx.model.built_steps().flat_map(Step::owner_changes).take(MOST_OWNERS).collect::<Vec<_>>();
    let made = || directories.get_or_init(|| cx.model.built_steps().flat_map(Step::made_directories).collect());
    for step in cx.model.built_steps() {
        let chowned = OnceCell::new();
        let is_cleared = |change: &ModeChange| is_cleared(change, chowned.get_or_init(|| step.given_to("chown")));
        let changes = step.mode_changes().into_iter().filter(|change| change.mode.is_setuid());
        let changes = changes.filter(|change| !is_cleared(change) && !is_of_directories(change, made));
        for change in changes.filter(|change| !gives_nothing(change, owners.get_or_init(all_owners))) {
            let what = match change.targets.first() {
                Some(target) if change.is_recursive => format!("callers of programs in `{target}` act as their owner"),
                Some(target) => format!("callers of `{target}` act as its owner"),
                None => "callers act as its owner".to_owned(),
            };
            let finding = out.report(change.span, format!("mode `{}` lets {what}", change.text));
            if !step.stage().is_target() {
                finding.severity(Severity::Low);
            }
            match mode::without_set_uid(step, &change) {
                Ok(fix) => finding.fix(fix),
                Err(refusal) => finding.decline(refusal),
            };
        }
    }
}

/// Whether all that gets the bit is a directory, on which it means nothing.
fn is_of_directories<'d>(change: &ModeChange, made: impl Fn() -> &'d HashSet<String>) -> bool {
    if change.is_recursive || change.targets.is_empty() {
        return false;
    }
    change.targets.iter().all(|target| {
        let path = target.trim_end_matches('/');
        path.len() < target.len() || IN_EVERY_IMAGE.contains(&path) || made().contains(path)
    })
}

/// Changes of owners that are looked at; no real file comes near.
const MOST_OWNERS: usize = 256;

/// Whether the owner is another user than root, and nobody who is neither he nor of the group can run it, or it is a
/// whole tree of files of that user that nobody meant as programs.
fn gives_nothing(change: &ModeChange, owners: &[OwnerChange]) -> bool {
    let is_of_another = |target: &String| {
        let before = owners.iter().rev().filter(|owner| owner.at < change.span.start);
        before.into_iter().find(|owner| owner.covers(target)).is_some_and(OwnerChange::is_to_another)
    };
    (change.is_recursive || change.mode.shuts_others_out())
        && !change.targets.is_empty()
        && change.targets.iter().all(is_of_another)
}

/// Directories of the Filesystem Hierarchy Standard.
const IN_EVERY_IMAGE: [&str; 12] =
    ["/bin", "/etc", "/home", "/lib", "/mnt", "/opt", "/root", "/run", "/srv", "/tmp", "/usr", "/var"];

/// Whether a later `chown` of the same file takes the bit away again (chown(2)).
fn is_cleared(change: &ModeChange, chowned: &HashMap<String, u32>) -> bool {
    change.targets.iter().any(|target| chowned.get(target).is_some_and(|&at| at > change.span.start))
}
