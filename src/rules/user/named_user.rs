//! A user that is a name cannot be shown to be unprivileged.

use crate::{
    model::{DockerfileModel, Ids, User, UserOrigin},
    rewrite::user,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    text::Edit,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "named-user",
        title: "User named instead of numbered",
        why: "Kubernetes refuses to start an image under `runAsNonRoot` when its user is a name, because only the image's own files say which number that is.",
        remedy: "Write the number of the user and of its group: `USER 10001:10001`.",
        group: Group::User,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "The number that the file or the base image gives to the name is the same user; where nobody gave one, the command that makes the user gets one.",
        ),
        references: &[
            Reference::new(Scheme::NsaCisa, "Non-root containers and rootless container engines"),
            Reference::new(Scheme::CisDocker, "4.1"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "A user of the image",
                "FROM debian:13\nRUN useradd -r -u 10001 app\nUSER «app»\nCMD [\"app\"]\n",
                "FROM debian:13\nRUN useradd -r -u 10001 app\nUSER 10001\nCMD [\"app\"]\n",
            ),
            Example::new(
                "With a group",
                "FROM node:24\nUSER «node:node»\nCMD [\"node\", \"app.js\"]\n",
                "FROM node:24\nUSER 1000:1000\nCMD [\"node\", \"app.js\"]\n",
            ),
            Example::new(
                "A user that nobody numbered",
                "FROM alpine:3.22\nRUN adduser -D app\nUSER «app»\nCMD [\"app\"]\n",
                "FROM alpine:3.22\nRUN adduser -u 1000 -D app\nUSER 1000\nCMD [\"app\"]\n",
            ),
            Example::new(
                "The number that the system gives anyway",
                "FROM ubuntu:22.04\nRUN useradd --create-home app\nUSER «app»\nCMD [\"app\"]\n",
                "FROM ubuntu:22.04\nRUN useradd --uid 1000 --create-home app\nUSER 1000\nCMD [\"app\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target().filter(|target| !target.is_windows()) else { return };
    let user = target.user();
    let (User::Named { name, group }, UserOrigin::Instruction { span, .. }) = (&user.user, user.origin) else { return };
    if !user.value.is_known() || user.user.is_root() {
        return;
    }
    let ids = target.user_ids();
    let number = ids.map_or(String::new(), |ids| format!(" ({} in this image)", ids.uid));
    let finding = out.report(span, format!("`{name}`{number} is a name: Kubernetes cannot tell that it is not root"));
    let is_written = cx.bytes(span).eq_ignore_ascii_case(user.value.text.as_bytes());
    let written = match (ids, group) {
        (Some(Ids { uid, .. }), None) => Some(uid.to_string()),
        (Some(Ids { uid, gid: Some(gid) }), Some(_)) => Some(format!("{uid}:{gid}")),
        (Some(Ids { gid: None, .. }) | None, _) => None,
    };
    match written.filter(|_| is_written) {
        Some(written) => {
            let reason = "the file or the base image says that this is the number of the name";
            let edits = vec![Edit::replace(cx.file.id, span, written)];
            finding.fix(Fix::new("Write the number", Safety::Safe, reason, edits));
        }
        None => match user::number(target, name).filter(|_| is_written && group.is_none()) {
            Some(fix) => {
                finding.fix(fix);
            }
            None => {
                finding
                    .decline("which number the user gets is said neither in the file nor by what is known of its base");
            }
        },
    }
}
