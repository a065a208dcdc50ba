//! What keeps another user out of an image.

use super::Obstacle;
use crate::{
    context::BuildContext,
    knowledge::Role,
    model::{
        Base, InRootHome, ShownMount, ShownRun, Stage, StartScript, Step, StepCommand, file_name,
        graph::{CallerMount, Callers, Fact, Place, powered_run},
        names_socket,
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
    if let Some(tool) = target.tool_that_tests() {
        return Some(format!("it runs tests with `{tool}`, which may write wherever they like").into());
    }
    if target.starts_shell() {
        return Some(
            "it starts a shell or interpreter: it is made to work in, or for others to build on, whose steps need root"
                .into(),
        );
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
    if !starts && !base_starts || target.holds_no_program() {
        return Some("nothing says how it starts: it may be made for others to build on, whose steps need root".into());
    }
    if let Some(directory) = target.model().file.path.split('/').rev().skip(1).find(|name| OF_BASES.contains(name)) {
        return Some(
            format!("it lies in `{directory}`: it is made for others to build on, whose steps need root").into(),
        );
    }
    if let Some(line) = renumbered(target) {
        return Some(format!("line {line} gives a user another number, so that known ones mean nobody").into());
    }
    if let Some(word) = mounted_program(target) {
        return Some(format!("`{word}` is not in the image: it is mounted, and who owns it there is not known").into());
    }
    if let Some(name) = writer_for_its_caller(target) {
        return Some(
            format!("`{name}` writes into the directory of whoever calls it, who says the user: `docker run --user`")
                .into(),
        );
    }
    if let Some(line) = comment_on_root_home(target) {
        return Some(format!("the comment in line {line} speaks of files in the home of root").into());
    }
    let need = target.start_needs().into_iter().next()?;
    let line = target.model().file.locate(need.span.start).line;
    Some(format!("the start command in line {line} does what only root may").into())
}

/// Directories whose images are made for others.
const OF_BASES: [&str; 5] = ["base", "bases", "base-image", "base-images", "baseimage"];

/// The line of a command that changes the number of a user or group that is there already.
fn renumbered(target: Stage<'_>) -> Option<u32> {
    let commands = target.chain_steps().filter(|step| step.keyword() == Keyword::Run).flat_map(Step::commands);
    let changes = |command: &StepCommand<'_>| {
        let Some(invocation) = command.invocation() else { return false };
        match invocation.name() {
            Some("usermod") => invocation.has_option(Some('u'), "uid", ""),
            Some("groupmod") => invocation.has_option(Some('g'), "gid", ""),
            Some(_) | None => false,
        }
    };
    let command = commands.into_iter().find(changes)?;
    Some(target.model().file.locate(command.span().start).line)
}

/// What the start names of a working directory that no step fills.
fn mounted_program(target: Stage<'_>) -> Option<String> {
    const OF_PROJECTS: [&str; 6] = ["rails", "rake", "npm", "yarn", "pnpm", "foreman"];
    let is_filled = target.chain_steps().any(|step| match step.keyword() {
        Keyword::Copy | Keyword::Add => true,
        Keyword::Run => step.commands().any(|command| {
            matches!(command.name(), Some("git" | "tar" | "unzip" | "cp" | "mv" | "curl" | "wget" | "svn" | "hg"))
                || command.command.words().any(|word| matches!(word.bytes(), b"new" | b"init" | b"create-project"))
        }),
        _ => false,
    });
    let has_home = target.workdir().span.is_some();
    if is_filled || target.has_triggers() || !has_home {
        return None;
    }
    target.start_words_of_project(&OF_PROJECTS).find(|word| !word.contains(':'))
}

/// A program for people that is started and leaves what it makes where it is called.
fn writer_for_its_caller(target: Stage<'_>) -> Option<&'static str> {
    const WRITERS: [&str; 22] = [
        "youtube-dl",
        "yt-dlp",
        "hexo",
        "hugo",
        "jekyll",
        "gatsby",
        "protoc",
        "buf",
        "ffmpeg",
        "aria2c",
        "wget",
        "git",
        "terraform",
        "pandoc",
        "convert",
        "magick",
        "openapi-generator-cli",
        "pdflatex",
        "asciidoctor",
        "sphinx-build",
        "mkdocs",
        "npx",
    ];
    let start = target.start_steps();
    let serves = ["serve", "server", "preview", "start"];
    let mut commands = start.iter().flat_map(|step| step.commands());
    let first = commands.next()?.name().map(str::to_owned)?;
    let is_server = start
        .iter()
        .flat_map(|step| step.commands())
        .any(|command| command.command.words().any(|word| serves.contains(&&*word.text())));
    WRITERS.iter().copied().find(|name| *name == first && !is_server)
}

/// The line of a comment that names files in the home of root: people put them there when they run the image.
fn comment_on_root_home(target: Stage<'_>) -> Option<u32> {
    let file = target.model().file;
    let is_comment = |at: &usize| {
        let start = memchr::memrchr(b'\n', &file.text[..*at]).map_or(0, |newline| newline + 1);
        file.text[start..*at].trim_ascii_start().starts_with(b"#")
    };
    let at = memchr::memmem::find_iter(&file.text, b"/root/").find(is_comment)?;
    Some(file.locate(at as u32).line)
}

/// What people are told to give the image when they run it, and only root can use.
pub(super) fn documented_obstacle(context: &BuildContext<'_>, target: Stage<'_>) -> Result<(), Obstacle> {
    for ShownRun { file, line, power, is_on_host_network, mounts } in target.shown_runs(context) {
        if let Some(power) = power {
            return Err(format!("{file}:{line} runs it with `{power}`, which is of use to nobody but root").into());
        }
        if let Some(port) = low_port(target).filter(|_| is_on_host_network) {
            return Err(format!("{file}:{line} runs it in the network of the host, where port {port} is root's").into());
        }
        for mount in mounts {
            let ShownMount { source, target, .. } = &mount;
            if mount.is_of_host_root() {
                return Err(format!("{file}:{line} mounts `{source}`, which is root's").into());
            }
            if target == "/root" || target.starts_with("/root/") {
                return Err(format!("{file}:{line} mounts `{target}`, in the home of root").into());
            }
        }
    }
    Ok(())
}

/// Why something in the home of root keeps another user out.
pub(super) fn in_root_home(target: Stage<'_>, InRootHome { span, what, .. }: &InRootHome) -> Obstacle {
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

/// A tool that the start command builds with, or the script of a package manager that does.
pub(super) fn built_at_start(target: Stage<'_>) -> Option<String> {
    const TOOLS: [&str; 31] = [
        "ant",
        "mvn",
        "mvnw",
        "gradle",
        "gradlew",
        "make",
        "cmake",
        "cargo",
        "sbt",
        "lein",
        "bazel",
        "go",
        "ninja",
        "mix",
        "rebar3",
        "stack",
        "cabal",
        "swift",
        "elm",
        "ng",
        "gulp",
        "grunt",
        "webpack",
        "webpack-dev-server",
        "vite",
        "parcel",
        "react-scripts",
        "vue-cli-service",
        "jekyll",
        "gitbook",
        "mdbook",
    ];
    let start = target.start_steps();
    let is_tool = |name: &str| TOOLS.contains(&name);
    start.iter().flat_map(|step| step.commands()).find_map(|command| {
        let name = command.name()?;
        let words: Vec<String> = command.command.words().map(|word| word.text().into_owned()).collect();
        let called = words.iter().position(|word| file_name(word) == name).map_or(&[][..], |at| &words[at + 1..]);
        let mut called = called.iter().map(|word| file_name(word)).filter(|word| !word.starts_with('-'));
        let first = called.next().unwrap_or_default();
        let second = called.next().unwrap_or_default();
        match name {
            _ if is_tool(name) => Some(name.to_owned()),
            "npx" | "bunx" | "pnpx" => is_tool(first).then(|| first.to_owned()),
            "bundle" | "dotnet" if matches!(first, "run" | "watch") || is_tool(second) => {
                Some(format!("{name} {first}"))
            }
            "npm" | "yarn" | "pnpm" => {
                let script = if matches!(first, "run" | "run-script" | "exec") { second } else { first };
                let is_building =
                    |part: &str| matches!(part, "dev" | "develop" | "watch" | "build" | "hot" | "storybook");
                let builds = is_tool(script)
                    || script.split([':', '-', '.']).any(is_building)
                    || is_built_before(target, script);
                builds.then(|| format!("{name} {script}"))
            }
            _ => None,
        }
    })
}

/// Whether a step already ran what the package manager runs before `script`: it does so at each start.
fn is_built_before(target: Stage<'_>, script: &str) -> bool {
    let hook = format!("pre{script}");
    let steps = target.chain_steps().filter(|step| step.keyword() == Keyword::Run && step.scripts_hold(&hook));
    steps.flat_map(Step::commands).any(|command| command.command.words().any(|word| word.text() == hook))
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

/// A service that starts as root, and that a script which starts the image may start.
///
/// # Errors
/// The script is not there to be read, or says something about the service, or about services at all.
pub(super) fn service_obstacle(context: &BuildContext<'_>, target: Stage<'_>) -> Result<(), Obstacle> {
    let Some(package) = service_behind_script(target) else { return Ok(()) };
    let scripts = target.start_scripts(context);
    let words: Vec<String> = target
        .start_steps()
        .iter()
        .flat_map(|step| step.commands())
        .flat_map(|command| command.command.words())
        .map(|word| word.text().into_owned())
        .collect();
    let texts = scripts.iter().map(|script| String::from_utf8_lossy(&script.file.text));
    let may_start = texts.into_iter().any(|text| speaks_of(&text, &package))
        || words.iter().any(|word| !word.ends_with(".sh") && speaks_of(word, &package));
    if scripts.is_empty() || may_start {
        return Err(format!("it installs `{package}`, which starts as root, and a script starts the image").into());
    }
    Ok(())
}

/// Whether a script says something about the service of that package, or runs what is not read here.
fn speaks_of(script: &str, package: &str) -> bool {
    const OF_SERVICES: [&str; 8] =
        ["service", "init.d", "systemctl", "supervisor", "rc-service", "run-parts", "source ", "\n. "];
    const CALLED: [(&str, &str); 5] =
        [("openssh", "ssh"), ("mariadb", "mysql"), ("postgresql", "pg_"), ("httpd", "apachectl"), ("bind", "named")];
    let stem = package.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or(package);
    let called = CALLED.iter().find(|(name, _)| *name == stem).map(|(_, called)| *called);
    OF_SERVICES.iter().chain([&stem]).chain(&called).any(|word| script.contains(word))
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

/// Parts of the names of files that are read where people work on the image, and not where it is run.
const OF_DEVELOPERS: [&str; 5] = ["override", "dev", "debug", "local", "test"];

/// What those that run the image give it, and only root can use.
pub(super) fn caller_obstacle(context: &BuildContext<'_>, target: Stage<'_>) -> Result<(), Obstacle> {
    if let Some((place, what)) = powered_run(*context) {
        return Err(format!("{}:{} {what}, which is of use to nobody but root", place.path, place.line).into());
    }
    let callers = Callers::of(*context);
    let is_run = |place: &Place| {
        let name = place.path.rsplit('/').next().unwrap_or_default();
        !OF_DEVELOPERS.iter().any(|part| name.contains(part))
    };
    for caller in callers.of_target(target.name()) {
        if let Some(Fact { value, place, .. }) = caller.powers.iter().find(|power| is_run(&power.place)) {
            let what = match value.as_deref() {
                Some("true") | None => "makes it privileged".to_owned(),
                Some(power) => format!("gives it `{power}`"),
            };
            return Err(format!("{}:{} {what}, which is of use to nobody but root", place.path, place.line).into());
        }
        if let (Some(place), Some(port)) = (&caller.host_network, low_port(target)) {
            let where_it_is = format!("{}:{}", place.path, place.line);
            return Err(format!("{where_it_is} runs it in the network of the host, where port {port} is root's").into());
        }
        let is_socket = |mount: &&CallerMount| mount.source.as_deref().is_some_and(names_socket);
        if let Some(CallerMount { place, .. }) = caller.mounts.iter().find(is_socket) {
            return Err(format!("{}:{} mounts the socket of an engine, which is root's", place.path, place.line).into());
        }
    }
    Ok(())
}

/// A port below 1024 that the image says it listens on.
fn low_port(target: Stage<'_>) -> Option<u16> {
    const FIRST_FREE: u16 = 1024;
    let exposed = target.chain_steps().flat_map(Step::exposed_ports).map(|(ports, _)| ports.first);
    let of_base = target.image_facts().and_then(|facts| facts.ports.known());
    let of_base = of_base.into_iter().flatten().map(|port| port.number);
    exposed.chain(of_base).find(|port| (1..FIRST_FREE).contains(port))
}
