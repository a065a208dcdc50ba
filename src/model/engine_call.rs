//! What scripts tell a container engine to do: `docker run`, `podman create`, `nerdctl exec`, `docker compose exec`.

use super::script_file::{FileCommand, ScriptFile};
use crate::{syntax::shell::Word, text::Span};
use std::borrow::Cow;

/// A call of an engine that starts a container or a program in one.
#[derive(Clone, Debug)]
pub struct EngineCall<'m> {
    /// The command.
    pub command: FileCommand<'m>,
    /// What it does.
    pub verb: EngineVerb,
    /// Its options in front of the image or the container.
    pub options: Vec<EngineOption<'m>>,
    /// The image or the container; a variable may hide it, and more options with it.
    pub subject: Option<Word<'m>>,
}

/// A call of an engine that builds an image.
#[derive(Clone, Debug)]
pub struct BuildCall<'m> {
    /// The command.
    pub command: FileCommand<'m>,
    /// Its options.
    pub options: Vec<EngineOption<'m>>,
    /// The directory or address that it builds from.
    pub context: Option<Word<'m>>,
}

/// A call of compose that builds services, with options of its own: `docker compose build --build-arg A=b web`.
#[derive(Clone, Debug)]
pub struct ComposeBuild<'m> {
    /// The command.
    pub command: FileCommand<'m>,
    /// Its options.
    pub options: Vec<EngineOption<'m>>,
    /// The compose files that it names; those that lie there if it names none.
    pub files: Vec<Word<'m>>,
    /// The services that it names; all of them if it names none.
    pub services: Vec<Word<'m>>,
}

/// A call that starts a program in a container of a cluster: `kubectl exec`.
#[derive(Clone, Debug)]
pub struct PodCall<'m> {
    /// The command.
    pub command: FileCommand<'m>,
    /// The name of the pod, or of the object that makes it, without its kind; a variable may hide it.
    pub object: Option<&'m str>,
    /// The container that is named.
    pub container: Option<String>,
    /// What is started.
    pub words: Vec<Word<'m>>,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineVerb {
    /// Makes a container: `run`, `create`.
    Run,
    /// Starts a program in one: `exec`.
    Exec,
}

/// An option of a call.
#[derive(Clone, Debug)]
pub struct EngineOption<'m> {
    /// Its long name.
    pub name: Cow<'m, str>,
    /// Its value; empty where it takes none.
    pub value: Cow<'m, str>,
    /// Where it is written, its value included.
    pub span: Span,
    /// Whether a part of the value is hidden by a variable.
    pub is_hidden: bool,
}

const ENGINES: [&str; 3] = ["docker", "podman", "nerdctl"];

/// Options of `build` that take no value.
const BUILD_SWITCHES: [&str; 16] = [
    "all-platforms",
    "check",
    "compress",
    "disable-content-trust",
    "force-rm",
    "help",
    "layers",
    "load",
    "no-cache",
    "pull",
    "push",
    "quiet",
    "rm",
    "squash",
    "squash-all",
    "stream",
];

/// Options of `build` of compose that take no value.
const COMPOSE_BUILD_SWITCHES: [&str; 14] = [
    "check",
    "compress",
    "force-rm",
    "help",
    "no-cache",
    "no-rm",
    "parallel",
    "print",
    "pull",
    "push",
    "quiet",
    "ssh",
    "with-dependencies",
    "in-pod",
];

/// Letters of `build` with a value, and the names that they stand for.
const BUILD_LETTERS: [(char, &str); 6] =
    [('c', "cpu-shares"), ('f', "file"), ('m', "memory"), ('o', "output"), ('t', "tag"), ('v', "volume")];

/// Options of `kubectl exec` with a value, which may also stand in front of `exec`.
const POD_OPTIONS: [&str; 16] = [
    "-c",
    "--container",
    "-f",
    "--filename",
    "-n",
    "--namespace",
    "-s",
    "--server",
    "--as",
    "--cluster",
    "--context",
    "--kubeconfig",
    "--pod-running-timeout",
    "--request-timeout",
    "--token",
    "--user",
];

/// Options of the engine itself that take a value.
const GLOBAL: [&str; 15] = [
    "-H",
    "--host",
    "-c",
    "--context",
    "--config",
    "-l",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--profile",
];

/// Options of `run`, `create` and `exec` that take no value.
const SWITCHES: [&str; 20] = [
    "detach",
    "disable-content-trust",
    "help",
    "init",
    "interactive",
    "no-deps",
    "no-healthcheck",
    "no-hosts",
    "no-TTY",
    "oom-kill-disable",
    "privileged",
    "publish-all",
    "quiet",
    "read-only",
    "replace",
    "rm",
    "rmi",
    "service-ports",
    "sig-proxy",
    "tty",
];

/// Letters with a value, and the names that they stand for.
const LETTERS: [(char, &str); 11] = [
    ('a', "attach"),
    ('c', "cpu-shares"),
    ('e', "env"),
    ('h', "hostname"),
    ('l', "label"),
    ('m', "memory"),
    ('p', "publish"),
    ('u', "user"),
    ('v', "volume"),
    ('w', "workdir"),
    ('f', "filter"),
];

impl ScriptFile {
    /// The calls that start containers, or programs in them.
    pub fn engine_calls(&self) -> impl Iterator<Item = EngineCall<'_>> {
        self.commands().filter_map(EngineCall::read)
    }

    /// The calls that start programs in containers of a cluster.
    pub fn pod_calls(&self) -> impl Iterator<Item = PodCall<'_>> {
        self.commands().filter_map(PodCall::read)
    }

    /// The calls that build services of compose files.
    pub fn compose_builds(&self) -> impl Iterator<Item = ComposeBuild<'_>> {
        self.commands().filter_map(ComposeBuild::read)
    }

    /// The calls that build images.
    pub fn build_calls(&self) -> impl Iterator<Item = BuildCall<'_>> {
        self.commands().filter_map(BuildCall::read)
    }
}

impl<'m> BuildCall<'m> {
    fn read(command: FileCommand<'m>) -> Option<Self> {
        let invocation = command.invocation()?;
        let name = invocation.name()?;
        if !ENGINES.contains(&name) && name != "buildah" {
            return None;
        }
        let mut words = invocation.arguments();
        loop {
            let word = words.next()?;
            match word.literal()? {
                option if option.starts_with('-') => {
                    if GLOBAL.contains(&option) {
                        words.next()?;
                    }
                }
                "image" | "buildx" | "builder" => {}
                "build" | "b" | "bud" => break,
                _ => return None,
            }
        }
        let mut call = Self { command, options: Vec::new(), context: None };
        // Options may stand behind the context, too.
        loop {
            let usage = Usage { switches: &BUILD_SWITCHES, letters: &BUILD_LETTERS };
            let operand = usage.read(command, &mut words, &mut call.options);
            call.context = call.context.or(operand);
            if operand.is_none() {
                return Some(call);
            }
        }
    }

    /// The values of the options of that name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.options.iter().filter(move |option| option.name == name).map(|option| &*option.value)
    }
}

impl<'m> ComposeBuild<'m> {
    fn read(command: FileCommand<'m>) -> Option<Self> {
        let invocation = command.invocation()?;
        let name = invocation.name()?;
        let mut is_compose = name == "docker-compose" || name == "podman-compose";
        if !is_compose && !ENGINES.contains(&name) {
            return None;
        }
        let mut call = Self { command, options: Vec::new(), files: Vec::new(), services: Vec::new() };
        let mut words = invocation.arguments();
        loop {
            let word = words.next()?;
            match word.literal()? {
                "-f" | "--file" if is_compose => call.files.push(words.next()?),
                option if option.starts_with('-') => {
                    if GLOBAL.contains(&option) {
                        words.next()?;
                    }
                }
                "compose" if !is_compose => is_compose = true,
                "build" if is_compose => break,
                _ => return None,
            }
        }
        let usage = Usage { switches: &COMPOSE_BUILD_SWITCHES, letters: &BUILD_LETTERS };
        while let Some(service) = usage.read(command, &mut words, &mut call.options) {
            call.services.push(service);
        }
        Some(call)
    }
}

impl<'m> PodCall<'m> {
    fn read(command: FileCommand<'m>) -> Option<Self> {
        let invocation = command.invocation()?;
        if !matches!(invocation.name()?, "kubectl" | "oc") {
            return None;
        }
        let mut call = Self { command, object: None, container: None, words: Vec::new() };
        let mut words = invocation.arguments();
        let (mut is_exec, mut has_object) = (false, false);
        while let Some(word) = words.next() {
            let text = word.text();
            match text.split_once('=').unwrap_or((&text, "")) {
                ("--", _) => break,
                ("-c" | "--container", "") => call.container = words.next()?.literal().map(str::to_owned),
                ("-c" | "--container", name) => call.container = Some(name.to_owned()),
                (option, "") if POD_OPTIONS.contains(&option) => {
                    words.next()?;
                }
                _ if text.starts_with('-') => {}
                _ if !is_exec => {
                    if word.literal()? != "exec" {
                        return None;
                    }
                    is_exec = true;
                }
                _ if !has_object => {
                    call.object = word.literal().map(|name| name.rsplit('/').next().unwrap_or(name));
                    has_object = true;
                }
                // Older clients take the program without `--`.
                _ => {
                    call.words.push(word);
                    break;
                }
            }
        }
        call.words.extend(words);
        (is_exec && !call.words.is_empty()).then_some(call)
    }
}

impl<'m> EngineCall<'m> {
    fn read(command: FileCommand<'m>) -> Option<Self> {
        let invocation = command.invocation()?;
        let name = invocation.name()?;
        let is_compose = name == "docker-compose" || name == "podman-compose";
        if !is_compose && !ENGINES.contains(&name) {
            return None;
        }
        let mut words = invocation.arguments();
        let verb = loop {
            let word = words.next()?;
            match word.literal()? {
                option if option.starts_with('-') => {
                    if GLOBAL.contains(&option) {
                        words.next()?;
                    }
                }
                "container" | "compose" => {}
                "run" | "create" => break EngineVerb::Run,
                "exec" => break EngineVerb::Exec,
                _ => return None,
            }
        };
        let mut call = Self { command, verb, options: Vec::new(), subject: None };
        let usage = Usage { switches: &SWITCHES, letters: &LETTERS };
        call.subject = usage.read(command, &mut words, &mut call.options);
        Some(call)
    }

    /// The options of one of these names.
    pub fn named<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a EngineOption<'m>> {
        self.options.iter().filter(|option| names.contains(&&*option.name))
    }
}

impl EngineCall<'_> {
    /// Whether it mounts files of the host as they are labelled there: with `:z` or `:Z` they would be labelled anew.
    pub fn mounts_foreign_labels(&self) -> bool {
        self.options.iter().any(|option| match &*option.name {
            "volume" => {
                let mut parts = option.value.split(':');
                let is_of_host = parts.next().is_some_and(|source| source.contains(['/', '$', '.', '~']));
                let options = parts.nth(1).unwrap_or_default();
                let is_relabelled = options.split(',').any(|word| matches!(word, "z" | "Z"));
                is_of_host && option.value.contains(':') && !is_relabelled
            }
            "mount" => option.is_hidden || option.value.contains("type=bind") && !option.value.contains("relabel="),
            _ => false,
        })
    }
}

/// How a call takes its options.
struct Usage {
    /// Options without a value.
    switches: &'static [&'static str],
    /// Letters with a value, and the names that they stand for.
    letters: &'static [(char, &'static str)],
}

impl Usage {
    /// Reads options up to the first word that is none, and answers that; what a variable holds may be anything, and
    /// ends them too.
    fn read<'m>(
        &self,
        command: FileCommand<'m>,
        words: &mut impl Iterator<Item = Word<'m>>,
        options: &mut Vec<EngineOption<'m>>,
    ) -> Option<Word<'m>> {
        while let Some(word) = words.next() {
            let text = word.text();
            let Some(option) = text.strip_prefix('-').filter(|option| !option.is_empty()) else { return Some(word) };
            let (name, joined) = match option.strip_prefix('-') {
                Some("") => return words.next(),
                Some(long) => match long.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (long.to_owned(), None),
                },
                None => match self.letter(option) {
                    Some((name, rest)) => (name.to_owned(), (!rest.is_empty()).then(|| rest.to_owned())),
                    None => continue,
                },
            };
            let is_switch = self.switches.contains(&&*name);
            let next = if joined.is_none() && !is_switch { words.next() } else { None };
            let value = joined.or_else(|| next.map(|word| word.text().into_owned())).unwrap_or_default();
            let last = next.unwrap_or(word);
            options.push(EngineOption {
                name: Cow::Owned(name),
                value: Cow::Owned(value),
                span: command.word_span(word).to(command.word_span(last)),
                is_hidden: last.literal().is_none(),
            });
        }
        None
    }

    /// The option with a value in a cluster of letters, with what follows it.
    fn letter<'c>(&self, cluster: &'c str) -> Option<(&'static str, &'c str)> {
        cluster.char_indices().find_map(|(at, letter)| {
            let (_, name) = self.letters.iter().find(|(known, _)| *known == letter)?;
            let rest = &cluster[at + letter.len_utf8()..];
            Some((*name, rest.strip_prefix('=').unwrap_or(rest)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(script: &str) -> Vec<(String, String)> {
        let file = ScriptFile::of_script(script.as_bytes());
        let calls = file.engine_calls().flat_map(|call| call.options);
        calls.map(|option| (option.name.into_owned(), option.value.into_owned())).collect()
    }

    #[test]
    fn options_end_where_the_image_begins() {
        let found = options("sudo docker -H tcp://a container run -itv /a:/b --net=host --rm -u 0 img --privileged\n");
        let expected = [("volume", "/a:/b"), ("net", "host"), ("rm", ""), ("user", "0")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(options("docker ps --net=host; podman build --privileged .\n"), []);
        assert_eq!(options("docker run $OPTS --privileged img\n"), []);
    }

    #[test]
    fn compose_builds_services_with_options() {
        let read = |script: &str| {
            let file = ScriptFile::of_script(script.as_bytes());
            let call = file.compose_builds().next()?;
            let texts = |words: &[Word<'_>]| words.iter().map(|word| word.text().into_owned()).collect::<Vec<_>>();
            let options = call.options.iter().map(|option| format!("{}={}", option.name, option.value));
            Some((texts(&call.files), options.collect::<Vec<_>>().join(" "), texts(&call.services)))
        };
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            read("docker compose -p x -f a.yaml build --no-cache --build-arg A=b web api\n"),
            Some((texts(&["a.yaml"]), "no-cache= build-arg=A=b".to_owned(), texts(&["web", "api"])))
        );
        assert_eq!(read("docker-compose build\n"), Some((Vec::new(), String::new(), Vec::new())));
        assert_eq!(read("docker build --build-arg A=b .\n"), None);
        assert_eq!(read("docker compose up --build\n"), None);
    }

    #[test]
    fn a_program_in_a_pod_is_told_from_its_options() {
        let read = |script: &str| {
            let file = ScriptFile::of_script(script.as_bytes());
            let call = file.pod_calls().next()?;
            let words: Vec<_> = call.words.iter().map(|word| word.text().into_owned()).collect();
            Some(format!("{:?} {:?} {}", call.object, call.container, words.join(" ")))
        };
        for (script, found) in [
            ("kubectl exec -it deploy/web -- sh -c 'a b'\n", Some("Some(\"web\") None sh -c a b")),
            ("kubectl -n shop exec web-0 -c app -- psql -c x\n", Some("Some(\"web-0\") Some(\"app\") psql -c x")),
            ("kubectl exec --container=app --namespace=x web ls /\n", Some("Some(\"web\") Some(\"app\") ls /")),
            ("kubectl exec \"$POD\" -- ls\n", Some("None None ls")),
            ("kubectl get pods -- ls\n", None),
            ("kubectl apply -f exec\n", None),
            ("kubectl exec web\n", None),
        ] {
            assert_eq!(read(script).as_deref(), found, "{script}");
        }
    }

    #[test]
    fn files_of_the_host_keep_their_labels_unless_they_are_given_new_ones() {
        let mounts = |script: &str| {
            let file = ScriptFile::of_script(script.as_bytes());
            file.engine_calls().any(|call| call.mounts_foreign_labels())
        };
        assert!(mounts("docker run -v \"${root}:${root}\" a\n") && mounts("podman run -v $PWD:/a:ro a\n"));
        assert!(mounts("docker run --mount type=bind,source=/a,target=/b a\n"));
        assert!(!mounts("podman run -v $PWD:/a:ro,Z a\n") && !mounts("docker run -v data:/a -v /cache a\n"));
    }

    #[test]
    fn a_build_has_options_on_both_sides_of_its_context() {
        let file = ScriptFile::of_script(b"docker buildx build -qt a/b:1 --push ./web --build-arg=A=b --target x\n");
        let call = file.build_calls().next().expect("it builds");
        assert_eq!(call.context.map(|word| word.text().into_owned()).as_deref(), Some("./web"));
        let read = |name: &'static str| call.values(name).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            (read("tag"), read("build-arg"), read("target")),
            (vec!["a/b:1".to_owned()], vec!["A=b".to_owned()], vec!["x".to_owned()])
        );
        assert_eq!(ScriptFile::of_script(b"docker builder prune; docker build --help\n").build_calls().count(), 1);
    }
}
