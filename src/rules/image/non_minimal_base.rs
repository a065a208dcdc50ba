//! A bigger base than the program needs is more to update and more to use.

use crate::{
    knowledge::Role,
    model::{DockerfileModel, Stage},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::dockerfile::Keyword,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "non-minimal-base",
        title: "Base image bigger than needed",
        why: "Every package of the base is one more that can have a hole, and one more tool for whoever breaks in.",
        remedy: "Use the smaller variant of the same distribution for the last stage, and test that the program finds what it loads and calls.",
        group: Group::Image,
        severity: Severity::Low,
        confidence: Confidence::Medium,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[Reference::new(Scheme::CisDocker, "4.3"), Reference::new(Scheme::Nist800190, "4.1.2")],
        equivalents: &[],
        examples: &[
            Example::new(
                "A runtime stage on the full image",
                "FROM node:24 AS build\nRUN npm ci\nFROM «node:24»\nCOPY --from=build /app /app\nCMD [\"node\", \"/app/server.js\"]\n",
                "FROM node:24 AS build\nRUN npm ci\nFROM node:24-slim\nCOPY --from=build /app /app\nCMD [\"node\", \"/app/server.js\"]\n",
            ),
            Example::new(
                "A stage that builds needs the full image",
                "FROM «python:3.13»\nCOPY app.py /\nCMD [\"python\", \"/app.py\"]\n",
                "FROM python:3.13\nCOPY . /app\nRUN pip install -r /app/requirements.txt\nCMD [\"python\", \"/app/app.py\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target() else { return };
    let (Some(facts), Some(image)) = (target.image_facts(), target.image()) else { return };
    let Some(slim) = facts.slim.known() else { return };
    let is_language = matches!(facts.role.known(), Some(Role::Language | Role::Runtime));
    if !is_language || facts.minimal.known() == Some(&true) || target.start_steps().is_empty() || may_need_more(target)
    {
        return;
    }
    let message = format!("nothing in the last stage needs what `{}` has beyond `{slim}`", image.reference.text());
    out.report(target.root().base_span(), message)
        .decline("the program may load or call at run time what the smaller base lacks: build and start it to see");
}

/// Whether a step of the stage runs anything but what every small image of the distribution has.
fn may_need_more(target: Stage<'_>) -> bool {
    let plain = [
        "mkdir", "chown", "chmod", "rm", "cp", "mv", "ln", "touch", "echo", "printf", "cat", "true", "set", "test",
        "[", "id", "groupadd", "useradd", "addgroup", "adduser", "usermod", "groupmod", "install", "cd", "sed", "grep",
        "export", "sh", "ls",
    ];
    // A package manager at the start may need compilers and git for what it installs.
    let managers = ["yarn", "npm", "npx", "pnpm", "pip", "pip3", "bundle", "gem", "composer", "sh", "bash"];
    let starts_manager =
        |command: crate::model::StepCommand<'_>| command.name().is_none_or(|name| managers.contains(&name));
    if target.start_steps().iter().flat_map(|step| step.commands()).any(starts_manager) {
        return true;
    }
    // A script or a whole tree that is copied in may call anything.
    let copies = target
        .chain()
        .flat_map(Stage::steps)
        .filter(|step| step.copy_source().is_none())
        .flat_map(crate::model::Step::sources);
    let is_unread = |text: &str| {
        text.ends_with(".sh") || text.contains("entrypoint") || text.contains("rootfs") || text.contains("start")
    };
    if copies.into_iter().any(|source| is_unread(&source.text)) {
        return true;
    }
    let runs = target.chain().flat_map(Stage::steps).filter(|step| step.keyword() == Keyword::Run);
    let mut commands = runs.flat_map(crate::model::Step::commands);
    commands
        .any(|command| command.command.word_count() > 0 && !command.name().is_some_and(|name| plain.contains(&name)))
}
