//! What keeps another user out of an image.

use super::Obstacle;
use crate::{
    context::BuildContext,
    knowledge::Role,
    model::{
        Base, InRootHome, Stage, StartScript, Step, StepCommand,
        packages::{Action, PackageCommand},
        script_needs_root,
    },
    syntax::{dockerfile::Keyword, shell::Invocation},
};

/// What in the file itself keeps another user out.
pub(super) fn obstacle(target: Stage<'_>) -> Option<Obstacle> {
    let steps = || target.chain_steps();
    if let Some(step) = steps().find(|step| step.keyword() == Keyword::Onbuild) {
        let line = step.instruction().lines.0;
        return Some(
            format!("`ONBUILD` in line {line} runs in the builds of others, as the user of this image").into(),
        );
    }
    match target.root_base() {
        Base::Unknown(_) => return Some("a variable decides what it is built on, and so which users it has".into()),
        Base::Image(_) if target.image_facts().is_none() => {
            return Some("nothing is known of the base image, and so of the users that it has".into());
        }
        Base::Image(_) | Base::Scratch | Base::Stage(_) => {}
    }
    if let Some(name) = target.name().filter(|name| NOT_SHIPPED.contains(name)) {
        return Some(format!("the last stage is called `{name}`: it is not what is shipped").into());
    }
    if let Some(tool) = built_at_start(target) {
        return Some(
            format!("`{tool}` builds when the container starts, and what it writes lies beside the sources").into(),
        );
    }
    if target.starts_shell() {
        return Some(
            "it starts a shell or interpreter: it is made to work in, or for others to build on, whose steps need root"
                .into(),
        );
    }
    if let Some(package) = service_behind_script(target) {
        return Some(format!("it installs `{package}`, which starts as root, and a script starts the image").into());
    }
    let starts = !target.start_steps().is_empty();
    // An entry point of the base is the program only where the file brings something for it.
    let brings = || steps().any(|step| matches!(step.keyword(), Keyword::Copy | Keyword::Add));
    let base_starts = target.image_facts().is_some_and(|facts| {
        let is_server = matches!(facts.role.known(), Some(Role::Server | Role::Application | Role::Database));
        // The entry point of a language starts its interpreter, unless that is a variant with a server.
        let is_interpreter = matches!(facts.role.known(), Some(Role::Language | Role::Os))
            && facts.ports.known().is_none_or(Vec::is_empty);
        let starts = facts.entrypoint.known().is_some_and(|words| !words.is_empty()) && !is_interpreter;
        is_server || starts && brings()
    });
    if !starts && !base_starts {
        return Some("nothing says how it starts: it may be made for others to build on, whose steps need root".into());
    }
    if let Some(found) = target.in_root_home() {
        return Some(in_root_home(target, &found));
    }
    let need = target.start_needs().into_iter().next()?;
    let line = target.model().file.locate(need.span.start).line;
    Some(format!("the start command in line {line} does what only root may").into())
}

fn in_root_home(target: Stage<'_>, InRootHome { span, what }: &InRootHome) -> Obstacle {
    let line = target.model().file.locate(span.start).line;
    format!("it needs {what} (line {line}), in the home of root, which nobody else may enter").into()
}

/// What the build context says of the home of root.
pub(super) fn data_obstacle(context: &BuildContext<'_>, target: Stage<'_>) -> Result<(), Obstacle> {
    target.data_in_root_home(context).map_or(Ok(()), |found| Err(in_root_home(target, &found)))
}

/// Names of stages that people test and work in.
const NOT_SHIPPED: [&str; 12] = [
    "test",
    "tests",
    "testing",
    "dev",
    "devel",
    "development",
    "dev-envs",
    "debug",
    "lint",
    "ci",
    "devcontainer",
    "docs",
];

/// A tool that the start command builds with.
fn built_at_start(target: Stage<'_>) -> Option<&'static str> {
    const TOOLS: [&str; 13] =
        ["ant", "mvn", "mvnw", "gradle", "gradlew", "make", "cmake", "cargo", "sbt", "lein", "bazel", "go", "ninja"];
    let start = target.start_steps();
    let mut names = start.iter().flat_map(|step| step.commands()).filter_map(StepCommand::name);
    names.find_map(|name| TOOLS.iter().copied().find(|tool| *tool == name))
}

/// Packages of services that start as root, and are started by scripts.
const SERVICES: [&str; 25] = [
    "nginx",
    "nginx-full",
    "nginx-light",
    "apache2",
    "httpd",
    "supervisor",
    "cron",
    "openssh-server",
    "openssh",
    "mysql-server",
    "mariadb-server",
    "postgresql",
    "redis-server",
    "postfix",
    "exim4",
    "dovecot-core",
    "vsftpd",
    "samba",
    "dnsmasq",
    "bind9",
    "rsyslog",
    "squid",
    "openvpn",
    "php-fpm",
    "xrdp",
];

/// A service that the image installs, where a script starts it that nobody reads here.
fn service_behind_script(target: Stage<'_>) -> Option<String> {
    let is_script = |word: &str| {
        word.ends_with(".sh") || word.contains("entrypoint") || word.contains("/start") || word.contains("/run")
    };
    let starts_script = target
        .start_steps()
        .iter()
        .flat_map(|step| step.commands())
        .any(|command| command.command.words().any(|word| is_script(&word.text())));
    if !starts_script {
        return None;
    }
    let steps = target.chain_steps().filter(|step| step.keyword() == Keyword::Run);
    let commands = steps.flat_map(Step::commands);
    let packages = commands
        .filter_map(StepCommand::invocation)
        .filter(|run| PackageCommand::read(*run).is_some_and(|call| call.action == Action::Install));
    packages
        .flat_map(Invocation::arguments)
        .map(|word| word.text().into_owned())
        .find(|name| SERVICES.contains(&name.split('=').next().unwrap_or(name)))
}

/// What a script of the build context that starts the image does as root.
pub(super) fn start_script_obstacle(context: &BuildContext<'_>, target: Stage<'_>) -> Result<(), Obstacle> {
    for StartScript { file, script } in target.start_scripts(context) {
        if let Some((line, program)) = script_needs_root(&script) {
            return Err(format!("`{program}` in {}:{line}, which starts it, needs root", file.path).into());
        }
    }
    Ok(())
}
