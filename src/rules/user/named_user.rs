//! A user that is a name cannot be shown to be unprivileged.

use crate::{
    model::{DockerfileModel, User, UserOrigin},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
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
        fix: FixNote::Never,
        references: &[
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
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target().filter(|target| !target.is_windows()) else { return };
    let user = target.user();
    let (User::Named { name, .. }, UserOrigin::Instruction { span, .. }) = (&user.user, user.origin) else { return };
    if !user.value.is_known() || user.user.is_root() {
        return;
    }
    let number = target.user_ids().map_or(String::new(), |ids| format!(" ({} in this image)", ids.uid));
    out.report(span, format!("`{name}`{number} is a name: Kubernetes cannot tell that it is not root"));
}
