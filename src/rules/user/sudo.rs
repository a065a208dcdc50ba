//! `sudo` in an image is a way back to root.

use crate::{
    model::{
        DockerfileModel, Step, StepCommand, User,
        packages::{Action, Manager},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
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
        fix: FixNote::Never,
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
    for step in cx.model.built_steps() {
        if let Some(command) =
            step.commands().find(|command| command.command.name() == Some("sudo") && !steps_down(step, *command))
        {
            let Some(word) = command.command.word(0) else { continue };
            let what = if step.keyword() == Keyword::Run { "a step" } else { "the start" };
            let message = match &step.user().user {
                User::Root => format!("`sudo` in {what} that is root already"),
                User::Numeric { .. } | User::Named { .. } => format!("`sudo` makes {what} root that another user runs"),
                User::Unknown(_) => format!("`sudo` in {what}: `USER` says who runs it"),
            };
            out.report(command.word_span(word), message);
        }
        installed(step, out);
    }
}

/// `sudo -u app` gives root up, unless another user calls it.
fn steps_down(step: Step<'_>, command: StepCommand<'_>) -> bool {
    let names_user = |text: &str| text == "-u" || text.starts_with("--user") || text.starts_with("-u");
    step.runs_as_root()
        && command
            .command
            .arguments()
            .take_while(|word| word.bytes().starts_with(b"-"))
            .any(|word| names_user(&word.text()))
}

fn installed(step: Step<'_>, out: &mut Findings) {
    let enters_image = step.stage().is_exported();
    for packages in step.package_commands().filter(|_| enters_image) {
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
            out.report(packages.word_span(*word), "`sudo` is installed into the image");
        }
    }
}
