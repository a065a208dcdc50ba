//! What builds a program is no use to it afterwards, and much use to an attacker.

use crate::{
    knowledge::Role,
    model::{
        Built, DockerfileModel, Stage, Step, StepPackages,
        packages::{Action, is_build_tool},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "build-tools-in-image",
        title: "Build tools in the finished image",
        why: "Compilers and headers make the image several times as big, bring holes of their own, and let whoever breaks in build what they need.",
        remedy: "Build in a stage of its own, and copy what was built into a stage on a runtime base; or remove the tools in the step that installs them.",
        group: Group::Image,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "4.3"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/multi-stage/"),
        ],
        equivalents: &[],
        examples: &[
            Example::new(
                "Installed and kept",
                "FROM debian:13\nRUN apt-get update && apt-get install -y curl «gcc» make && make install\nCMD [\"app\"]\n",
                "FROM debian:13 AS build\nRUN apt-get update && apt-get install -y gcc make && make\nFROM debian:13\nCOPY --from=build /app /usr/bin/app\nCMD [\"app\"]\n",
            ),
            Example::new(
                "Removed in the same step",
                "FROM alpine:3.22\nRUN apk add --no-cache «build-base» && make\nCMD [\"app\"]\n",
                "FROM alpine:3.22\nRUN apk add --no-cache --virtual .build build-base && make && apk del .build\nCMD [\"app\"]\n",
            ),
            Example::new(
                "Versions do not matter",
                "FROM debian:13\nRUN apt-get update && apt-get install -y «g++-14» make=4.4.* && make install\nCMD [\"app\"]\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y g++-14 make=4.4.* && make install && apt-get purge -y --auto-remove g++-14 make\nCMD [\"app\"]\n",
            ),
            Example::new(
                "An image that builds for others keeps its tools",
                "FROM debian:13\nRUN apt-get update && apt-get install -y «gcc» && pip install ./app\nENTRYPOINT [\"/entrypoint.sh\"]\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y gcc && pip install ./app\nENTRYPOINT [\"/usr/local/bin/build.sh\"]\n",
            ),
            Example::new(
                "What nothing is built with may be needed",
                "FROM «golang:1.25-alpine»\nCOPY . .\nRUN go install .\nENTRYPOINT [\"/go/bin/app\"]\n",
                "FROM golang:1.25-alpine\nCOPY benchmarks /benchmarks\nENTRYPOINT [\"/benchmarks\"]\n",
            ),
            Example::new(
                "A base that is made to build",
                "FROM «maven:3-eclipse-temurin-21»\nCMD [\"java\", \"-jar\", \"app.jar\"]\n",
                "FROM eclipse-temurin:21-jre\nCMD [\"java\", \"-jar\", \"app.jar\"]\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let Some(target) = cx.model.target() else { return };
    // An image that nothing starts may be made for building.
    if target.start_steps().is_empty() || target.is_workshop() {
        return;
    }
    let is_on_tools = target.image_facts().is_some_and(|facts| facts.role.known() == Some(&Role::Build));
    if is_on_tools && target.starts_script() {
        return;
    }
    let built = target.built();
    if is_on_tools {
        base(target, built, out);
    }
    // What nothing is built with may be what the program needs when it runs.
    if built.is_none() && !target.starts_finished_program() {
        return;
    }
    for step in target.chain().flat_map(Stage::steps).filter(|step| !step.is_trigger()) {
        installed(step, out);
    }
}

/// A base whose tools have done their work.
fn base(target: Stage<'_>, built: Option<Built>, out: &mut Findings) {
    let (Some(facts), Some(image)) = (target.image_facts(), target.image()) else { return };
    let tool = target.tool_that_runs();
    let is_done = built == Some(Built::Program) || tool.is_some() || target.starts_finished_program();
    if !is_done {
        return;
    }
    // What is linked with libraries of the system does not run where there are none.
    let runtime = facts.runtime.known().filter(|_| !installs_tools(target));
    let also = match (tool, runtime) {
        (Some(tool), _) => format!(", which calls `{tool}` when it starts"),
        (None, Some(runtime)) => format!("; `{runtime}` is made to run what it builds"),
        (None, None) => String::new(),
    };
    let message = format!("`{}` is made for building, and its tools stay in the image{also}", image.reference.text());
    out.report(target.root().base_span(), message).decline(DECLINED);
}

/// Why the tools are not moved.
const DECLINED: &str =
    "what the program needs of it at run time is not in the file: that takes a stage of its own to build in";

/// Whether a step installs compilers or headers.
fn installs_tools(target: Stage<'_>) -> bool {
    let calls = target.chain().flat_map(Stage::steps).flat_map(Step::package_commands);
    let mut installs = calls.filter(|call| call.call.action == Action::Install && call.call.manager.is_system());
    installs.any(|call| call.call.packages().any(|package| is_build_tool(package.name)))
}

/// The first build tool that the step installs and does not remove.
fn installed(step: Step<'_>, out: &mut Findings) {
    let calls: Vec<_> = step.package_commands().collect();
    let removes = |after: &StepPackages<'_>| {
        calls.iter().any(|call| call.call.action == Action::Remove && call.at.span().start > after.at.span().start)
    };
    for packages in
        calls.iter().filter(|packages| packages.call.action == Action::Install && packages.call.manager.is_system())
    {
        let tools: Vec<_> = packages.call.packages().filter(|package| is_build_tool(package.name)).collect();
        let [first, ..] = tools.as_slice() else { continue };
        if removes(packages) {
            continue;
        }
        let names: Vec<String> = tools.iter().take(3).map(|tool| format!("`{}`", tool.name)).collect();
        let more = if tools.len() > 3 { format!(" and {} more", tools.len() - 3) } else { String::new() };
        let span = packages.at.script.file_span(first.span);
        out.report(span, format!("the image keeps {}{more}", names.join(", ")))
            .only_with(packages.at.needs_argument())
            .decline(DECLINED);
        return;
    }
}
