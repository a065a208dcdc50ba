//! What everybody may write, any process in the container may replace.

use crate::{
    model::{DockerfileModel, ModeChange, Step},
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
        id: "world-writable",
        title: "Files that everybody may write",
        why: "Every process of the container, also one that was broken into, can replace these files: programs, configuration, code that others run.",
        remedy: "Give the files to the user that writes them (`chown`, `COPY --chown`) and keep the mode at 755 or 644; a shared scratch directory gets the sticky bit (1777).",
        group: Group::Layer,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Lets only the owner write, and gives the files to the user that runs the image; safe for programs, which nobody writes. Not where another user is seen to write there, or the file is meant for any user.",
        ),
        references: &[
            Reference::new(Scheme::Cwe, "732"),
            Reference::new(Scheme::Cwe, "276"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "`chmod 777`",
                "FROM debian:13\nRUN mkdir /data && chmod -R «777» /data\nUSER 10001:10001\n",
                "FROM debian:13\nRUN mkdir /data && chmod -R 755 /data && chown -R 10001 /data\nUSER 10001:10001\n",
            ),
            Example::new(
                "Symbolic",
                "FROM debian:13\nRUN chmod «a+rw» /etc/app.conf\n",
                "FROM debian:13\nRUN chmod u+rw,go+r /etc/app.conf\n",
            ),
            Example::new(
                "While copying",
                "FROM debian:13\nCOPY «--chmod=777» app /app\n",
                "FROM debian:13\nCOPY --chmod=755 app /app\n",
            ),
            Example::new(
                "A directory that is gone at the end of the step",
                "FROM debian:13\nRUN dir=\"$(mktemp -d)\" && chmod 777 \"$dir\" && build \"$dir\" && rm -rf \"$dir\" && chmod «777» /x\n",
                "FROM debian:13\nRUN dir=\"$(mktemp -d)\" && chmod 777 \"$dir\" && build \"$dir\" && rm -rf \"$dir\" && chmod 755 /x\n",
            ),
            Example::new(
                "In a directory that others cannot enter",
                "FROM debian:13\nRUN chmod -R 750 /srv && chmod 777 /srv/app && chmod «777» /app\n",
                "FROM debian:13\nRUN chmod -R 750 /srv && chmod 777 /srv/app && chmod 755 /app\n",
            ),
            Example::new(
                "A scratch directory with the sticky bit is meant for everybody",
                "FROM debian:13\nRUN mkdir -m 1777 /scratch && mkdir -m «0777» /app\n",
                "FROM debian:13\nRUN mkdir -m 1777 /scratch && mkdir -m 0755 /app\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

/// So many findings have a fix at a time: each looks at how the whole image starts. The others follow.
const MOST_AT_ONCE: usize = 50;

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let mut closed = Closed::default();
    let mut repaired = 0;
    for step in cx.model.built_steps() {
        let removals = OnceCell::new();
        for change in step.mode_changes() {
            let is_out_of_reach = closed.covers(step, &change);
            closed.note(step, &change);
            let is_device = !change.targets.is_empty()
                && change
                    .targets
                    .iter()
                    .all(|target| target.starts_with("/dev/") || target == "/tmp" || target == "/var/tmp");
            if !change.mode.is_world_writable()
                || change.mode.is_sticky()
                || is_device
                || is_out_of_reach
                || is_removed(&change, removals.get_or_init(|| step.given_to("rm")))
            {
                continue;
            }
            let message = match change.targets.as_slice() {
                [only] if only.len() <= 60 => format!("mode `{}` lets everybody write `{only}`", change.text),
                _ => format!("mode `{}` lets everybody write", change.text),
            };
            let finding = out.report(change.span, message);
            if !step.stage().is_target() {
                finding.severity(Severity::Low);
            }
            repaired += 1;
            if repaired > MOST_AT_ONCE {
                continue;
            }
            match mode::close_to_others(&cx.context, step, &change) {
                Ok(fix) => finding.fix(fix),
                Err(refusal) => finding.decline(refusal),
            };
        }
    }
}

/// Whether the step removes what it made writable, so that no layer keeps it.
fn is_removed(change: &ModeChange, removals: &HashMap<String, u32>) -> bool {
    let is_removed = |target: &String| removals.get(target).is_some_and(|&at| at > change.span.start);
    !change.targets.is_empty() && change.targets.iter().all(is_removed)
}

/// Directories that a stage has closed to all but owner and group, by stage.
#[derive(Default)]
struct Closed(HashSet<(usize, String)>);

impl Closed {
    fn note(&mut self, step: Step<'_>, change: &ModeChange) {
        for target in &change.targets {
            let directory = (step.stage().index(), target.trim_end_matches('/').to_owned());
            if change.mode.shuts_others_out() {
                self.0.insert(directory);
            } else {
                self.0.remove(&directory);
            }
        }
    }

    /// Whether a directory around each of the targets is closed.
    fn covers(&self, step: Step<'_>, change: &ModeChange) -> bool {
        let stage = step.stage().index();
        let is_in_closed = |target: &String| {
            let path = target.trim_end_matches('/');
            let around = path.match_indices('/').map(|(at, _)| &path[..at]);
            target.starts_with('/') && around.skip(1).any(|around| self.0.contains(&(stage, around.to_owned())))
        };
        !self.0.is_empty() && !change.targets.is_empty() && change.targets.iter().all(is_in_closed)
    }
}
