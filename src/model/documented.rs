//! How people are told to run an image: `docker run` in the comments and labels of its Dockerfile, and in the README
//! beside it.
//!
//! It is how those who have the image use it, so what it mounts and what it allows belongs to what the image needs. What
//! is shown is an example and never the whole truth: nothing is proved by what is not shown.

use super::{
    engine_call::{EngineCall, EngineVerb},
    engine_socket::names_socket,
    path,
    reference::Reference,
    script_file::ScriptFile,
    stage::Stage,
};
use crate::{context::BuildContext, syntax::dockerfile::Keyword};

/// A run of the image that people are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRun {
    /// The file that shows it, written as the checked file's path is.
    pub file: String,
    /// The line where it begins, from 1.
    pub line: u32,
    /// An option that gives what only root can use: `--privileged`, `--device /dev/kvm`.
    pub power: Option<String>,
    /// Whether it shares the network of the host.
    pub is_on_host_network: bool,
    /// What is mounted.
    pub mounts: Vec<ShownMount>,
}

/// A mount of such a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownMount {
    /// A path of the host or the name of a volume; empty for a volume without a name.
    pub source: String,
    /// The absolute path in the container.
    pub target: String,
    /// Whether the container may only read it.
    pub is_read_only: bool,
}

impl ShownMount {
    /// Whether what is mounted belongs to root of the host: the socket of a service, devices, the files of services that
    /// run.
    pub fn is_of_host_root(&self) -> bool {
        const OF_ROOT: [&str; 6] =
            ["/dev", "/run", "/var/run", "/var/lib/docker", "/var/lib/containerd", "/var/lib/kubelet"];
        let source = if self.source == "/" { "/" } else { self.source.trim_end_matches('/') };
        let is_socket = source.ends_with(".sock") || source.contains("-sock") && source.starts_with("/var/run/");
        source == "/"
            || names_socket(source)
            || is_socket && !source.contains("X11")
            || OF_ROOT.contains(&source)
            || source.starts_with("/dev/") && !source.starts_with("/dev/null") && !source.starts_with("/dev/shm")
    }

    /// Whether it is a directory that the program keeps things in, as far as its name tells.
    pub fn is_written(&self) -> bool {
        let name = path::file_name(&self.target);
        !self.is_read_only && !name.trim_start_matches('.').contains('.') && !name.starts_with('.')
    }
}

/// So many runs are read of one file.
const MOST_RUNS: usize = 16;

/// A command goes over so many lines.
const MOST_LINES: usize = 64;

/// A README of so many bytes is about one image; larger ones are read so far.
const MOST_README: usize = 128 * 1024;

/// Images that examples start beside the one they are about.
const COMPANIONS: [&str; 22] = [
    "alpine",
    "busybox",
    "debian",
    "elasticsearch",
    "grafana",
    "httpd",
    "influxdb",
    "mariadb",
    "memcached",
    "mongo",
    "mysql",
    "nginx",
    "node",
    "php",
    "postgres",
    "prom",
    "python",
    "rabbitmq",
    "redis",
    "registry",
    "traefik",
    "ubuntu",
];

impl Stage<'_> {
    /// The runs of the image that its Dockerfile and the README beside it show, in their order. A run as a user who is
    /// named says nothing about the user of the image, and is left out.
    pub fn shown_runs(self, context: &BuildContext<'_>) -> Vec<ShownRun> {
        let file = self.model().file;
        let labels = self.chain().flat_map(Stage::steps).filter(|step| step.keyword() == Keyword::Label);
        let mut lines: Vec<u32> =
            labels.flat_map(|step| step.instruction().lines.0..=step.instruction().lines.1).collect();
        lines.sort_unstable();
        let is_shown =
            |line: &str, number: u32| line.trim_start().starts_with('#') || lines.binary_search(&number).is_ok();
        let mut found = runs_in(&file.path, &file.text, &is_shown);
        let entries = context.list(context.directory());
        let readme = entries.iter().find(|entry| entry.name.to_ascii_lowercase().starts_with("readme"));
        if let Some(readme) = readme.and_then(|entry| context.beside(&entry.name)) {
            let text = &readme.text[..readme.text.len().min(MOST_README)];
            found.extend(runs_in(&readme.path, text, &|_, _| true));
        }
        found
    }
}

fn runs_in(file: &str, text: &[u8], is_shown: &dyn Fn(&str, u32) -> bool) -> Vec<ShownRun> {
    if memchr::memmem::find(text, b" run").is_none() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() && found.len() < MOST_RUNS {
        let number = at as u32 + 1;
        let start = Some(lines[at].trim()).filter(|_| is_shown(lines[at], number)).and_then(start_of_run);
        at += 1;
        let Some(start) = start else { continue };
        let mut command = start.to_owned();
        for _ in 0..MOST_LINES {
            let Some(next) = command.strip_suffix('\\').and_then(|_| lines.get(at)) else { break };
            command.pop();
            command.push_str(next.trim().trim_start_matches(['#', '>', ' ', '\t']));
            at += 1;
        }
        let script = ScriptFile::of_script(command.trim_end_matches(['`', '"', '\\']).as_bytes());
        let call = script.engine_calls().find(|call| call.verb == EngineVerb::Run);
        found.extend(call.and_then(|call| shown(file, number, &call)));
    }
    found
}

/// The rest of a line from a call of an engine that runs a container.
fn start_of_run(line: &str) -> Option<&str> {
    const CALLS: [&str; 6] =
        ["docker run ", "docker container run ", "docker create ", "podman run ", "podman create ", "nerdctl run "];
    let at = CALLS.iter().filter_map(|call| line.find(call)).min()?;
    let rest = &line[at..];
    // In a sentence the command ends with its quotation.
    let is_quoted = line[..at].ends_with('`');
    Some(if is_quoted { rest.split('`').next().unwrap_or(rest) } else { rest })
}

fn shown(file: &str, line: u32, call: &EngineCall<'_>) -> Option<ShownRun> {
    let is_companion = || {
        let subject = call.subject.map(|word| word.text().into_owned())?;
        let reference = Reference::parse(&subject).ok()?;
        COMPANIONS.contains(&reference.written_repository()).then_some(())
    };
    if call.named(&["user"]).next().is_some() || is_companion().is_some() {
        return None;
    }
    let power = call.options.iter().find_map(|option| match &*option.name {
        "privileged" if option.value != "false" => Some("--privileged".to_owned()),
        "device" => Some(format!("--device {}", option.value)),
        "cap-add" if !option.value.to_ascii_uppercase().ends_with("NET_BIND_SERVICE") => {
            Some(format!("--cap-add {}", option.value))
        }
        "pid" if option.value == "host" => Some("--pid host".to_owned()),
        _ => None,
    });
    let is_on_host_network = call.named(&["net", "network"]).any(|option| option.value == "host");
    let mounts = call.named(&["volume", "mount"]).filter_map(|option| mount(&option.name, &option.value)).collect();
    Some(ShownRun { file: file.to_owned(), line, power, is_on_host_network, mounts })
}

fn mount(option: &str, value: &str) -> Option<ShownMount> {
    let (source, target, is_read_only) = if option == "volume" {
        let mut parts = value.split(':');
        let first = parts.next().unwrap_or_default();
        match parts.next() {
            None => ("", first, false),
            Some(target) => {
                (first, target, parts.next().is_some_and(|options| options.split(',').any(|one| one == "ro")))
            }
        }
    } else {
        let field = |names: &[&str]| {
            let pairs = value.split(',').map(|part| part.split_once('=').unwrap_or((part, "")));
            pairs.into_iter().find(|(name, _)| names.contains(name)).map(|(_, value)| value)
        };
        let is_read_only = field(&["readonly", "ro"]).is_some_and(|value| value != "false");
        (field(&["source", "src"]).unwrap_or_default(), field(&["target", "dst", "destination"])?, is_read_only)
    };
    let target = target.trim_end_matches('/');
    let is_path = target.starts_with('/') && !target.contains('$');
    is_path.then(|| ShownMount { source: source.to_owned(), target: target.to_owned(), is_read_only })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> Vec<ShownRun> {
        runs_in("README.md", text.as_bytes(), &|_, _| true)
    }

    #[test]
    fn a_run_over_several_lines_is_one() {
        let found =
            runs("# Tool\n#\n# docker run -d \\\n# \t--restart always \\\n#\t-v /volumes/x:/data \\\n# \tjess/tool\n");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].mounts.len()), (3, 1));
        assert_eq!(found[0].mounts[0].target, "/data");
        assert!(found[0].mounts[0].is_written());
    }

    #[test]
    fn powers_sockets_and_files_are_told_apart() {
        let found = runs(
            "Start it: `docker run --privileged x/y`.\n    $ sudo docker run -v /var/run/docker.sock:/s.sock:ro \
             -v /etc/localtime:/etc/localtime:ro --net=host x/y\n",
        );
        assert_eq!(found[0].power.as_deref(), Some("--privileged"));
        assert!(found[1].mounts[0].is_of_host_root() && found[1].is_on_host_network);
        assert!(found[1].mounts[1].is_read_only && !found[1].mounts[1].is_of_host_root());
    }

    #[test]
    fn a_companion_and_a_named_user_say_nothing() {
        assert!(
            runs("docker run -v /var/lib/postgresql/data postgres:16\ndocker run -u 1000 -v /a:/b x/y\n").is_empty()
        );
    }

    #[test]
    fn a_mount_is_read_in_its_long_form_too() {
        let found = runs("docker run --mount type=bind,src=/home/me/.aws,dst=/root/.aws,readonly x/y\n");
        let mount = &found[0].mounts[0];
        assert_eq!(
            (mount.source.as_str(), mount.target.as_str(), mount.is_read_only),
            ("/home/me/.aws", "/root/.aws", true)
        );
    }
}
