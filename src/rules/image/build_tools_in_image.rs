//! What builds a program is no use to it afterwards, and much use to an attacker.

use crate::{
    knowledge::Role,
    model::{DockerfileModel, Stage, Step, StepCommand, StepPackages, packages::Action},
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
                "FROM debian:13\nRUN apt-get update && apt-get install -y curl «gcc» make\nCMD [\"app\"]\n",
                "FROM debian:13 AS build\nRUN apt-get update && apt-get install -y gcc make\nFROM debian:13\nCOPY --from=build /app /usr/bin/app\nCMD [\"app\"]\n",
            ),
            Example::new(
                "Removed in the same step",
                "FROM alpine:3.22\nRUN apk add --no-cache «build-base» && make\nCMD [\"app\"]\n",
                "FROM alpine:3.22\nRUN apk add --no-cache --virtual .build build-base && make && apk del .build\nCMD [\"app\"]\n",
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
    if target.start_steps().is_empty() {
        return;
    }
    if let (Some(facts), Some(image)) = (target.image_facts(), target.image())
        && facts.role.known() == Some(&Role::Build)
    {
        let also = match (tool_at_start(target), facts.runtime.known()) {
            (Some(tool), _) => format!(", which calls `{tool}` when it starts"),
            (None, Some(runtime)) => format!("; `{runtime}` is made to run what it builds"),
            (None, None) => String::new(),
        };
        out.report(
            target.root().base_span(),
            format!("`{}` is made for building, and its tools stay in the image{also}", image.reference.text()),
        )
        .decline(DECLINED);
    }
    for step in target.chain().flat_map(Stage::steps).filter(|step| !step.is_trigger()) {
        installed(step, out);
    }
}

/// The program of the start that builds what it runs, so that a base without it does not do.
fn tool_at_start(target: Stage<'_>) -> Option<&str> {
    let commands = target.start_steps().into_iter().flat_map(Step::commands);
    commands.filter_map(StepCommand::invocation).find_map(|invocation| {
        let name = invocation.name()?;
        let first = || invocation.arguments().next().map(|word| word.text().into_owned());
        let builds = match name {
            "mvn" | "mvnw" | "gradle" | "gradlew" | "sbt" | "lein" | "ant" | "javac" | "go" | "cargo" | "rustc"
            | "swift" | "make" | "gcc" | "g++" | "uv" => true,
            // Without one of these verbs it runs what is built.
            "dotnet" => first().is_some_and(|verb| matches!(&*verb, "run" | "watch" | "test" | "build")),
            _ => false,
        };
        builds.then_some(name)
    })
}

/// Why the tools are not moved.
const DECLINED: &str =
    "what the program needs of it at run time is not in the file: that takes a stage of its own to build in";

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

/// Whether a package of a distribution serves to build others.
fn is_build_tool(name: &str) -> bool {
    const TOOLS: [&str; 34] = [
        "gcc",
        "g++",
        "gcc-c++",
        "clang",
        "make",
        "cmake",
        "build-essential",
        "build-base",
        "autoconf",
        "automake",
        "libtool",
        "bison",
        "flex",
        "meson",
        "ninja",
        "ninja-build",
        "rpm-build",
        "musl-dev",
        "linux-headers",
        "maven",
        "gradle",
        "ant",
        "cargo",
        "rustc",
        "rust",
        "go",
        "golang",
        "golang-go",
        "default-jdk",
        "base-devel",
        "gfortran",
        "dpkg-dev",
        "kernel-devel",
        "patchelf",
    ];
    let is_header = (name.ends_with("-dev") || name.ends_with("-devel")) && !name.starts_with("node");
    let is_jdk = name.starts_with("openjdk")
        && (name.ends_with("-jdk") || name.ends_with("-jdk-headless") || name.ends_with("-devel"));
    TOOLS.contains(&name) || is_header || is_jdk
}
