//! What starts an image and is not seen: a script or a configuration of a build context that is not there, a program that
//! an installer put somewhere.
//!
//! Whoever starts as root for years may do there what only root may: change `/etc`, own volumes, start services, keep
//! its state beside itself. Reading it would tell.

use super::{Obstacle, obstacle};
use crate::{
    context::BuildContext,
    model::{
        Evidence, Process, ShellUse, Stage, StartWord, Startup, Step, StepCommand, file_name, join_path,
        packages::Action,
    },
    syntax::{dockerfile::Keyword, shell::Invocation},
};
use memchr::memmem;

/// Why nobody can tell what the start of an image writes.
pub(super) fn unseen_obstacle(context: &BuildContext<'_>, target: Stage<'_>) -> Result<(), Obstacle> {
    let startup = target.startup(context);
    if let Some(script) = unseen_script(context, target, &startup) {
        return Err(format!(
            "{script}: it starts the image, and may write where only root may, or become another user"
        )
        .into());
    }
    let processes = || startup.before.iter().chain(&startup.process);
    if let Some(file) = processes().find_map(|process| unseen_configuration(context, target, process)) {
        return Err(format!("`{file}` could not be read, which may tell its program where to write").into());
    }
    if let Some(daemon) = processes().find_map(|process| daemon_of_package(target, process)) {
        return Err(format!("`{daemon}` is a service of a package of the distribution, which gives its files to root or to a user of its own").into());
    }
    if let Some(line) = unseen_server_settings(context, target) {
        return Err(
            format!("the settings of the server in line {line} could not be read: they say where it writes").into()
        );
    }
    if let Some(package) = engine_client(target) {
        return Err(format!("it installs `{package}`, whose engine lets nobody but root and its own group in").into());
    }
    if let Some(player) = player_of_sound(target) {
        return Err(format!(
            "it installs `{player}`, which plays on `/dev/snd`: that is root's and the group `audio`'s"
        )
        .into());
    }
    if processes().filter_map(|process| process.words.first()?.known()).any(|program| file_name(program) == "vault") {
        return Err("Vault locks its memory, which another user may only by `setcap cap_ipc_lock=+ep`".into());
    }
    if let Some(service) = service_of_host(target) {
        return Err(format!("it speaks to {service}, which lets in nobody but root of the host").into());
    }
    match installed(target) {
        Some(line) => {
            Err(format!("what the installer in line {line} installs may keep its state beside itself").into())
        }
        None => Ok(()),
    }
}

/// Why the start of the image of `target` may need whatever is in it, unless something else starts it: a sentence.
pub fn needs_all(context: &BuildContext<'_>, target: Stage<'_>) -> Option<String> {
    if let Some(tool) = obstacle::built_at_start(target) {
        return Some(format!("`{tool}` builds when the container starts, with what the image holds"));
    }
    let script = unseen_script(context, target, &target.startup(context))?;
    Some(format!("{script}: it starts the image, and may need whatever that holds"))
}

fn unseen_script(context: &BuildContext<'_>, target: Stage<'_>, startup: &Startup) -> Option<String> {
    let runs_script = startup.shell.iter().any(|need| need.kind == ShellUse::Script);
    if let Some(Evidence { path, line, shows }) = startup.unknown.as_ref().filter(|_| runs_script) {
        return Some(format!("{path}:{line} {shows}"));
    }
    let mut processes = startup.before.iter().chain(&startup.process);
    let script = processes.find_map(|process| script_of(context, target, process))?;
    Some(format!("the script `{script}` could not be read"))
}

/// The program of `process`, where it is a script that is not in the build context.
fn script_of(context: &BuildContext<'_>, target: Stage<'_>, process: &Process) -> Option<String> {
    let program = process.words.first().and_then(StartWord::known)?;
    let is_of_base = || {
        let facts = target.image_facts();
        let entrypoint = facts.and_then(|facts| facts.entrypoint.known());
        // What the base has for its own user, who is not root, and no step brings.
        let has_user = facts.and_then(|facts| facts.user.known()).is_some_and(|user| !user.is_root());
        let is_brought = || {
            let text = &target.model().file.text;
            target.chain_steps().any(|step| {
                let is_start = matches!(step.keyword(), Keyword::Cmd | Keyword::Entrypoint);
                !is_start && memmem::find(step.instruction().span.of(text), program.as_bytes()).is_some()
            })
        };
        entrypoint.is_some_and(|words| words.iter().any(|word| file_name(word) == file_name(program)))
            || has_user && !program.contains('/') && !is_brought()
    };
    let directory = process.directory.as_deref().unwrap_or("/");
    let is_unseen =
        |word: &str| !KNOWN.contains(&file_name(word)) && target.context_program(context, word, directory).is_none();
    if is_named_like_script(program) && !is_of_base() && is_unseen(program) {
        return Some(program.to_owned());
    }
    // `bundle exec ./start.sh`, `xvfb-run ./start.sh`
    let mut handed = process.words.iter().skip(1).take(MOST_WORDS).filter_map(StartWord::known);
    handed.find(|word| is_script_of_shell(word) && word.contains('/') && is_unseen(word)).map(str::to_owned)
}

/// So many words behind a program are looked at for a script that it is handed.
const MOST_WORDS: usize = 4;

/// Whether a name ends as those of scripts for a shell do.
fn is_script_of_shell(word: &str) -> bool {
    matches!(word.rsplit_once('.'), Some((_, "sh" | "bash" | "ash" | "ksh")))
}

/// Scripts that are known: those of Tomcat, and those that wait for a port.
const KNOWN: [&str; 6] = ["catalina.sh", "startup.sh", "wait-for-it.sh", "wait-for.sh", "wait-for-it", "wait-for"];

/// Whether a program is certainly or likely a script for a shell, as its name tells.
fn is_named_like_script(program: &str) -> bool {
    let name = file_name(program);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_of_start = || stem.split(['-', '_', '.']).any(|part| STARTS.contains(&part));
    let has_part = |part: &str| stem.contains('-') && stem.split('-').any(|each| each == part);
    let is_bare = || name != "dumb-init" && (has_part("init") || has_part("start") || has_part("launch"));
    let is_named = || if program.contains('/') { is_of_start() } else { is_bare() };
    is_script_of_shell(name) || extension.is_empty() && (stem.contains("entrypoint") || is_named())
}

/// What scripts that start something are called.
const STARTS: [&str; 13] = [
    "start",
    "startup",
    "run",
    "runner",
    "init",
    "launch",
    "launcher",
    "boot",
    "bootstrap",
    "cmd",
    "setup",
    "entry",
    "wrapper",
];

/// A configuration that `process` is told to read, from a build context that is not seen.
fn unseen_configuration(context: &BuildContext<'_>, target: Stage<'_>, process: &Process) -> Option<String> {
    let directory = process.directory.as_deref().unwrap_or("/");
    let words = process.words.iter().skip(1).filter_map(StartWord::known);
    let named = words.map(|word| word.split_once('=').map_or(word, |(_, value)| value));
    let mut unseen = named.filter(|word| {
        let extension = word.rsplit_once('.').map_or("", |(_, extension)| extension);
        let is_configuration = matches!(extension, "conf" | "cfg" | "cnf" | "ini" | "properties" | "xml");
        is_configuration
            && target.ships(&join_path(directory, word))
            && target.context_file(context, &join_path(directory, word)).is_none()
    });
    unseen.next().map(str::to_owned)
}

/// The line of an installer that brings a program with files of its own, which nobody here knows.
fn installed(target: Stage<'_>) -> Option<u32> {
    let is_installer = |command: &StepCommand<'_>| {
        let mut words = command.command.words().map(|word| word.text().to_ascii_lowercase());
        let is_java =
            command.name() == Some("java") && words.any(|word| word.contains("install") && word.ends_with(".jar"));
        let path = command.invocation().and_then(Invocation::path);
        is_java || path.is_some_and(|path| path.contains('/') && path.ends_with(".run"))
    };
    let steps = target.chain_steps().filter(|step| step.keyword() == Keyword::Run);
    let command = steps.flat_map(Step::commands).find(is_installer)?;
    Some(target.model().file.locate(command.span().start).line)
}

/// The program of `process`, where it is a service that a package of the distribution brings: `vnstatd` of `vnstat`.
fn daemon_of_package(target: Stage<'_>, process: &Process) -> Option<String> {
    let program = process.words.first().and_then(StartWord::known).map(file_name)?;
    let installs = target.chain_steps().filter(|step| step.keyword() == Keyword::Run).flat_map(Step::package_commands);
    let mut packages = installs
        .filter(|packages| packages.call.action == Action::Install && packages.call.manager.is_system())
        .flat_map(|packages| packages.call.packages().map(|package| package.name.to_owned()).collect::<Vec<_>>());
    let is_daemon = DAEMONS.contains(&program);
    let brings = |package: &String| {
        let is_named_after = is_daemon && (package.starts_with(program) || program.starts_with(package.as_str()));
        is_named_after || program.strip_suffix('d') == Some(package) || program.strip_suffix("-daemon") == Some(package)
    };
    packages.any(|package| brings(&package)).then(|| program.to_owned())
}

/// Services that keep files of their own where their packages put them.
const DAEMONS: [&str; 46] = [
    "asterisk",
    "avahi-daemon",
    "bitlbee",
    "cassandra",
    "collectd",
    "coturn",
    "turnserver",
    "deluged",
    "dovecot",
    "ejabberd",
    "fail2ban-server",
    "freeswitch",
    "gearmand",
    "haproxy",
    "icecast2",
    "influxd",
    "kamailio",
    "mosquitto",
    "mpd",
    "murmurd",
    "ngircd",
    "nginx",
    "nsd",
    "opendkim",
    "polipo",
    "privoxy",
    "prosody",
    "rabbitmq-server",
    "redis-server",
    "rsyslogd",
    "rtorrent",
    "slapd",
    "snmpd",
    "squid",
    "stunnel4",
    "syslog-ng",
    "tinyproxy",
    "tor",
    "transmission-daemon",
    "unbound",
    "varnishd",
    "vnstatd",
    "znc",
    "zabbix_agentd",
    "zabbix_server",
    "minidlnad",
];

/// The line that replaces the settings of Apache as a whole by a file that is not seen.
fn unseen_server_settings(context: &BuildContext<'_>, target: Stage<'_>) -> Option<u32> {
    const WHOLE: [&str; 4] =
        ["/etc/apache2/envvars", "/etc/apache2/apache2.conf", "/etc/apache2", "/usr/local/apache2/conf/httpd.conf"];
    let replaces = |step: &Step<'_>| {
        let Some(to) = step.destination().and_then(|word| step.absolute_arg(word)) else { return false };
        let sources = step.sources();
        let places = sources.iter().map(|source| join_path(&to, file_name(&source.text)));
        let is_whole = WHOLE.contains(&to.as_str()) || places.clone().any(|place| WHOLE.contains(&place.as_str()));
        is_whole && step.copy_source().is_none() && sources.iter().all(|source| context.nearest(&source.text).is_none())
    };
    let step =
        target.chain_steps().find(|step| matches!(step.keyword(), Keyword::Copy | Keyword::Add) && replaces(step))?;
    Some(step.instruction().lines.0)
}

/// What the image installs to play sound on the devices of its host.
fn player_of_sound(target: Stage<'_>) -> Option<&'static str> {
    const PLAYERS: [&str; 10] =
        ["alsa-utils", "cmus", "moc", "mpd", "mplayer", "mpv", "pulseaudio", "sox", "spotify-client", "vlc"];
    installed_of(target, &PLAYERS)
}

/// The client of a container engine that the image installs, whose socket belongs to root.
fn engine_client(target: Stage<'_>) -> Option<&'static str> {
    const CLIENTS: [&str; 5] = ["docker-ce-cli", "docker-ce", "docker.io", "docker-cli", "docker-compose-plugin"];
    installed_of(target, &CLIENTS)
}

/// The first of `names` that the image installs with a manager of its system.
fn installed_of(target: Stage<'_>, names: &[&'static str]) -> Option<&'static str> {
    let installs = target.chain_steps().filter(|step| step.keyword() == Keyword::Run).flat_map(Step::package_commands);
    let mut packages = installs
        .filter(|packages| packages.call.action == Action::Install && packages.call.manager.is_system())
        .flat_map(|packages| packages.call.packages().map(|package| package.name.to_owned()).collect::<Vec<_>>());
    packages.find_map(|package| names.iter().copied().find(|name| *name == package))
}

/// A service of the host that the image speaks to: by an address that its start or a variable names, or because its
/// program is one that is made for that.
fn service_of_host(target: Stage<'_>) -> Option<String> {
    let is_address = |word: &str| {
        let path = word.rsplit_once("unix://").map_or(word, |(_, path)| path);
        word.contains("qemu:///system")
            || ["/var/run/", "/run/"].iter().any(|directory| path.starts_with(directory)) && path.ends_with(".sock")
    };
    let start = target.start_steps();
    let words = || start.iter().flat_map(|step| step.commands()).flat_map(|command| command.command.words());
    let named = words().map(|word| word.text().into_owned()).find(|word| word.split(['=', ',']).any(is_address));
    let of_variable = || {
        let steps = target.chain_steps().filter(|step| step.keyword() == Keyword::Env);
        let values =
            steps.flat_map(|step| step.assigned().iter().filter_map(|variable| variable.value.as_ref()?.known()));
        values.map(str::to_owned).find(|value| is_address(value))
    };
    let is_made_for = |word: &str| ENGINE_PROGRAMS.contains(&file_name(word).trim_end_matches(".git"));
    let of_program = || {
        let commands = target.chain_steps().filter(|step| step.keyword() == Keyword::Run).flat_map(Step::commands);
        let fetched = commands.filter(|command| matches!(command.name(), Some("git" | "go")));
        let words = words().take(1).chain(fetched.flat_map(|command| command.command.words()));
        let mut programs = words.map(|word| word.text().split('@').next().unwrap_or_default().to_owned());
        programs
            .find(|word| is_made_for(word))
            .map(|word| format!("the engine, as `{}` does", file_name(&word).trim_end_matches(".git")))
    };
    named.or_else(of_variable).map(|address| format!("`{address}`")).or_else(of_program)
}

/// Programs that watch or drive the containers of their host by the socket of its engine (their READMEs).
const ENGINE_PROGRAMS: [&str; 22] = [
    "cadvisor",
    "ctop",
    "diun",
    "dnsdock",
    "docker-gc",
    "docker-gen",
    "docker-hosts",
    "docker-proxy",
    "dockly",
    "dozzle",
    "dry",
    "kata-monitor",
    "lazydocker",
    "logspout",
    "ouroboros",
    "portainer",
    "registrator",
    "resolvable",
    "scope",
    "swarmpit",
    "watchtower",
    "whaler",
];
