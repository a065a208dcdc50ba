//! `sudo` in an image is a way back to root.

use crate::{
    model::{
        DockerfileModel, Marks, Programs, Step, StepCommand, User,
        packages::{Action, Manager},
    },
    rewrite::sudo,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::Keyword,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "sudo",
        title: "`sudo` in the image",
        why: "In a build step it does nothing that `USER root` does not do plainly; in the finished image it lets the unprivileged user become root again.",
        remedy: "Put `USER root` before the steps that need it and the unprivileged `USER` after them, and leave `sudo` out of the image.",
        group: Group::User,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Takes `sudo` out where root runs the step already; risky where a step of another user becomes one of root, or options change what the command sees.",
        ),
        references: &[
            Reference::new(Scheme::Cwe, "250"),
            Reference::new(Scheme::CisDocker, "4.3"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/best-practices/#user"),
        ],
        equivalents: &[
            "hadolint:DL3004",
            "checkov:CKV2_DOCKER_1",
            "trivy:DS-0010",
            "semgrep:no-sudo-in-dockerfile",
            "kics:8ada6e80-0ade-439e-b176-0b28f6bce35a",
        ],
        examples: &[
            Example::new(
                "In a step",
                "FROM debian:13\nRUN «sudo» apt-get update\n",
                "FROM debian:13\nRUN apt-get update\n",
            ),
            Example::new(
                "To become another user than root",
                "FROM debian:13\nRUN «sudo» -u root apt-get update\n",
                "FROM example.com/base:1\nRUN sudo -E -u app bundle install\n",
            ),
            Example::new(
                "Where the step asks who runs it",
                "FROM debian:13\nRUN if [ \"$(id -u)\" -ne 0 ]; then sudo /setup; else /setup; fi && «sudo» /more\n",
                "FROM debian:13\nRUN if [ \"$(id -u)\" -ne 0 ]; then sudo /setup; else /setup; fi && /more\n",
            ),
            Example::new(
                "In a step of another user",
                "FROM debian:13\nUSER 1000:1000\nRUN «sudo» mkdir /app && sudo chmod 755 /app\n",
                "FROM debian:13\nRUN mkdir /app && chmod 755 /app\nUSER 1000:1000\n",
            ),
            Example::new(
                "In several steps, of a user that a variable names",
                "FROM debian:13\nENV APP=app\nRUN useradd app\nUSER ${APP}\nRUN «sudo» mkdir /app\nRUN «sudo» chmod 755 /app\nRUN id\n",
                "FROM debian:13\nENV APP=app\nRUN useradd app\nRUN mkdir /app\nRUN chmod 755 /app\nUSER ${APP}\nRUN id\n",
            ),
            Example::new(
                "Installed",
                "FROM debian:13\nRUN apt-get update && apt-get install -y curl «sudo»\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y curl\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    if !cx.model.has_marks(Marks::SUDO) {
        return;
    }
    for step in cx.model.built_steps() {
        let calls = step.commands_beside(Programs::of(&["sudo"]));
        let mut calls = calls.filter(|command| command.command.name() == Some("sudo"));
        // A script that asks who runs it calls `sudo` only where that is not root.
        let is_idle = |command: &StepCommand<'_>| command.is_behind_user_check() && !step.user().user.is_unprivileged();
        if let Some(command) = calls.find(|command| !steps_down(*command) && !is_idle(command)) {
            let Some(word) = command.command.word(0) else { continue };
            let what = if step.keyword() == Keyword::Run { "a step" } else { "the start" };
            let message = match &step.user().user {
                User::Root => format!("`sudo` in {what} that is root already"),
                User::Numeric { .. } | User::Named { .. } => format!("`sudo` makes {what} root that another user runs"),
                User::Unknown(_) => format!("`sudo` in {what}, where `USER root` does the same plainly"),
            };
            let finding = out.report(command.word_span(word), message).only_with(command.needs_argument());
            match sudo::without_sudo(command) {
                Ok(fix) => finding.fix(fix),
                Err(refusal) => finding.decline(refusal),
            };
        }
        if step.stage().is_exported() {
            installed(step, out);
        }
    }
}

/// Whether it becomes another user than root, as `sudo -u app` does, so that nothing becomes root.
fn steps_down(command: StepCommand<'_>) -> bool {
    let mut words = command.command.arguments();
    while let Some(word) = words.next() {
        let text = word.text();
        let user = match text.strip_prefix("--user").or_else(|| text.strip_prefix("-u")) {
            Some("") => words.next().map(|user| user.text().into_owned()),
            Some(user) => Some(user.trim_start_matches('=').to_owned()),
            None if text.starts_with('-') || word.assigned_name().is_some() => continue,
            None => return false,
        };
        return user.is_some_and(|user| !matches!(user.as_str(), "root" | "#0"));
    }
    false
}

fn installed(step: Step<'_>, out: &mut Findings) {
    if !step.has_marks(Marks::SUDO) {
        return;
    }
    for packages in step.package_commands() {
        if packages.call.action != Action::Install
            || !packages.call.manager.is_system()
            || packages.call.manager == Manager::Dpkg
        {
            continue;
        }
        if let Some(word) = packages
            .call
            .operands
            .iter()
            .find(|word| word.literal().is_some_and(|text| text == "sudo" || text.starts_with("sudo=")))
        {
            out.report(packages.word_span(*word), "`sudo` is installed into the image")
                .only_with(packages.at.needs_argument())
                .decline(
                    "who calls `sudo` in the container is not known: make that user root, or its rights enough, first",
                );
        }
    }
}
