//! An image that starts as root gives a broken program everything in the container.

use crate::{
    knowledge::StepDown,
    model::{DockerfileModel, Stage, Step, UserOrigin, file_name, root_reason_of_script},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::shell::{self, Dialect},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "root-user",
        title: "Image runs as root",
        why: "Whoever breaks into the program is root in the container: every file of the image is theirs, and any hole in the kernel or the engine, or any mounted directory, is one step from the host.",
        remedy: "Create a user without privileges, give it the directories that the program writes, and end the stage with `USER` and its number.",
        group: Group::User,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "4.1"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::Cwe, "250"),
        ],
        equivalents: &[
            "hadolint:DL3002",
            "checkov:CKV_DOCKER_3",
            "checkov:CKV_DOCKER_8",
            "trivy:DS-0002",
            "semgrep:last-user-is-root",
            "semgrep:missing-user",
            "semgrep:missing-user-entrypoint",
            "kics:fd54f200-402c-4333-a5a4-36ef6709af2f",
            "kics:67fd0c4a-68cf-46d7-8c41-bc9fba7e40ae",
        ],
        examples: &[
            Example::new(
                "Nobody else is named",
                "FROM «debian:13»\nCOPY app /usr/bin/app\nCMD [\"app\"]\n",
                "FROM debian:13\nCOPY app /usr/bin/app\nUSER 10001:10001\nCMD [\"app\"]\n",
            ),
            Example::new(
                "Back to root for a step, and left there",
                "FROM node:24\nUSER «root»\nRUN npm install -g pm2\nCMD [\"pm2-runtime\", \"app.js\"]\n",
                "FROM node:24\nUSER root\nRUN npm install -g pm2\nUSER node\nCMD [\"pm2-runtime\", \"app.js\"]\n",
            ),
            Example::new(
                "Builders may be root; the base of the last stage says who runs it",
                "FROM golang:1.26 AS build\nFROM «gcr.io/distroless/static-debian13»\nCOPY --from=build /app /app\nCMD [\"/app\"]\n",
                "FROM golang:1.26 AS build\nFROM gcr.io/distroless/static-debian13:nonroot\nCOPY --from=build /app /app\nCMD [\"/app\"]\n",
            ),
            Example::new(
                "An entry point that gives root up",
                "FROM «debian:13»\nCOPY app /usr/bin/app\nENTRYPOINT [\"app\"]\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y gosu\nENTRYPOINT [\"gosu\", \"nobody\", \"app\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target() else { return };
    if !target.user().is_root()
        || target.root_reason().is_some()
        || is_elsewhere(cx)
        || steps_down_in_script(cx, target)
    {
        return;
    }
    let (span, message) = match target.user().origin {
        UserOrigin::Instruction { span, .. } => (span, "the image runs as root, which `USER` says last".to_owned()),
        UserOrigin::BaseImage { .. } => (
            target.base_span(),
            match target.image() {
                Some(image) => format!(
                    "the image runs as root, as `{}` does, and no `USER` says otherwise",
                    image.reference.text()
                ),
                None => "the image runs as root: no `USER` says otherwise".to_owned(),
            },
        ),
        UserOrigin::Nobody => (
            target.base_span(),
            "the image runs as root: `scratch` has no user, and no `USER` says otherwise".to_owned(),
        ),
    };
    let is_startable =
        !target.start_steps().is_empty() || target.image_facts().is_some_and(|facts| facts.entrypoint.is_known());
    let drops_workers = target.image_facts().is_some_and(|facts| facts.step_down.known() == Some(&StepDown::Workers));
    let is_certain = target.base_value().defaulted().next().is_none();
    let finding = out.report(span, message);
    // Nothing says how it starts: it may be made for others to build on.
    if !is_startable {
        finding.severity(Severity::Medium).confidence(Confidence::Medium);
    }
    if drops_workers {
        finding.severity(Severity::Medium);
    }
    if !is_certain {
        finding.confidence(Confidence::Medium);
    }
}

/// Whether somebody else chooses the user: a GitHub action must be root, a dev container names its own.
fn is_elsewhere(cx: &Cx<'_, DockerfileModel<'_>>) -> bool {
    let is_action = |name| {
        cx.context.beside(name).is_some_and(|file| {
            let text = String::from_utf8_lossy(&file.text).replace(['\'', '"'], "");
            text.lines().any(|line| line.trim() == "using: docker")
        })
    };
    let path = &cx.file.path;
    let is_devcontainer =
        path.split('/').any(|part| part == ".devcontainer" || part == "devcontainer" || part == ".gitpod")
            || path.contains(".gitpod.")
            || cx.context.beside("devcontainer.json").is_some();
    is_devcontainer || is_action("action.yml") || is_action("action.yaml")
}

/// Whether the script that starts the image, found in the build context, becomes another user or must be root.
fn steps_down_in_script(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> bool {
    let commands = target.start_steps().into_iter().flat_map(|step| step.commands().collect::<Vec<_>>());
    let names =
        commands.flat_map(|command| command.command.words().map(|word| word.text().into_owned()).collect::<Vec<_>>());
    let scripts = names
        .map(|name| file_name(&name).to_owned())
        .filter(|name| name.contains('.') || name.contains("entrypoint") || name.contains("start"));
    scripts.take(4).any(|name| {
        let copied = target
            .chain()
            .flat_map(Stage::steps)
            .flat_map(Step::sources)
            .map(|source| source.text)
            .find(|text| file_name(text) == name);
        let file = copied.and_then(|text| cx.context.nearest(&text)).or_else(|| cx.context.nearest(&name));
        file.is_some_and(|file| root_reason_of_script(&shell::parse(&file.text, Dialect::Bash)).is_some())
    })
}
