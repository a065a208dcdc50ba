//! Who builds or runs something: one entry of a file, whatever kind of file it is.

use super::{
    Caller, CallerBuild, Crossing, CrossingKind, Fact, Lines, Place, System, bake, crossing, devcontainer, pods,
    services::{self, Paths, Source, Sources},
    skaffold, workflow,
};
use crate::{
    context::{self, BuildContext, Found},
    model::{
        compose::Service,
        engine_call::{BuildCall, ComposeBuild, EngineCall, EngineOption, EngineVerb},
        kubernetes::{Container, KubernetesModel, Object, Workload},
        reference::Reference,
        script_file::{FileCommand, ScriptFile},
    },
    source::FileKind,
    syntax::{
        shell::{CompoundKind, Invocation, Word},
        yaml::{self, Node},
    },
};
use std::collections::{HashMap, HashSet};

/// An entry of a file that builds an image, runs one, or both.
#[derive(Debug)]
pub(super) struct Actor {
    /// What it says.
    pub(super) caller: Caller,
    /// Which Dockerfile it builds.
    pub(super) builds: Order,
    /// What it calls the image that it builds or runs.
    pub(super) names: Vec<ImageName>,
    /// Whether it starts a container.
    pub(super) is_run: bool,
    /// Whether it is started only as somebody else than root.
    pub(super) refuses_root: bool,
    /// What it lets across a trust boundary.
    pub(super) crossings: Vec<Crossing>,
    /// What the pod is labelled with, and its namespace; what no pod is part of has none.
    pub(super) labels: Vec<(String, String)>,
}

/// A service of a cluster that whoever is outside may reach.
#[derive(Debug)]
pub(super) struct Entrance {
    /// The labels of the pods that answer.
    pub(super) selector: Vec<(String, String)>,
    /// What it lets in.
    pub(super) crossing: Crossing,
}

/// Which Dockerfile is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// None.
    Nothing,
    /// The one at this path, written as paths of checked files are.
    File(String),
    /// This text.
    Inline(String),
    /// One that nobody here can name: a variable or an address stands there.
    Hidden,
}

/// The name of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ImageName {
    /// As it is written.
    pub(super) written: String,
    /// With its tag, if nothing of it is hidden: `docker.io/library/node:22`.
    pub(super) whole: Option<String>,
    /// Registry and repository, if a variable hides no more than the tag.
    pub(super) repository: Option<String>,
}

impl ImageName {
    /// A name of which nothing is hidden.
    pub(super) fn known(written: &str) -> Self {
        Self::seen(written, written, false)
    }

    /// A name that a shell or a template replaces parts of, each beginning with one of these signs.
    pub(super) fn with_variables(written: &str) -> Self {
        let seen = written.split(['$', '{', '`', '\0']).next().unwrap_or_default();
        Self::seen(&unmasked(written), seen, seen.len() < written.len())
    }

    /// A name of which `seen` is known, and no more if it `is_cut`.
    pub(super) fn seen(written: &str, seen: &str, is_cut: bool) -> Self {
        let written = written.to_owned();
        if !is_cut {
            let reference = Reference::parse(seen).ok();
            let whole = reference.as_ref().map(Reference::normalized);
            return Self { written, whole, repository: reference.map(|reference| reference.name()) };
        }
        // What is hidden behind the colon of a tag, or behind `@`, is no part of the repository.
        let path = seen.rfind('/').map_or(0, |slash| slash + 1);
        let end = seen[path..].find([':', '@']).map(|at| path + at);
        let repository = end.and_then(|end| Some(Reference::parse(&seen[..end]).ok()?.name()));
        Self { written, whole: None, repository }
    }
}

/// A text with `${…}` where a template was masked as a variable.
pub(super) fn unmasked(text: &str) -> String {
    let mut parts = text.split("${_");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let masked = part.trim_start_matches('_').strip_prefix('}');
        shown.push_str(if masked.is_some() { "${…}" } else { "${_" });
        shown.push_str(masked.unwrap_or(part));
    }
    shown
}

/// The entries of the compose files among `sources`, each with what it extends and what is read on top of it.
pub(super) fn of_compose(sources: &[Source<'_>]) -> Vec<Actor> {
    let paths = Paths::of(sources);
    let by_path = Sources::of(sources);
    let mut actors = Vec::new();
    for source in sources {
        let base = by_path.base_below(source);
        for service in source.services(&by_path) {
            // What is read on top of a service is part of it.
            let is_part = base.is_some_and(|base| base.model.service(service.name()).is_some());
            if !is_part {
                actors.push(of_service(&service, &paths));
            }
        }
    }
    actors
}

fn of_service(service: &Service<'_>, paths: &Paths) -> Actor {
    let builds = match service.build() {
        None => Order::Nothing,
        Some(build) => match (build.dockerfile, build.inline.as_ref().map(|text| text.known())) {
            (Some(path), _) => Order::File(path),
            (None, Some(Some(text))) => Order::Inline(text.to_owned()),
            (None, Some(None) | None) => Order::Hidden,
        },
    };
    let name = service.image().map(|text| {
        let written = text.known().or_else(|| text.node.scalar()).unwrap_or_default().to_owned();
        ImageName::seen(&written, text.seen(), text.known().is_none())
    });
    Actor {
        caller: Source::caller(service, paths),
        builds,
        names: name.into_iter().collect(),
        is_run: true,
        refuses_root: false,
        crossings: crossing::of_service(service, paths),
        labels: Vec::new(),
    }
}

/// The entries of a file of another kind than compose.
pub(super) fn of_file(path: &str, kind: FileKind, text: &[u8], around: BuildContext<'_>) -> Vec<Actor> {
    let lines = Lines::of(path, text);
    match kind {
        FileKind::Dockerfile | FileKind::Compose | FileKind::Seccomp => Vec::new(),
        FileKind::Kubernetes => {
            let tree = yaml::parse(text).tree;
            let model = KubernetesModel::new(&tree);
            let containers = model.containers().filter(|container| container.node.get("image").is_some());
            let runs = containers.map(|container| of_container(container, &lines));
            runs.chain(skaffold::actors(&tree, &lines)).collect()
        }
        FileKind::Workflow => {
            let tree = yaml::parse(text).tree;
            let calls = of_script(&ScriptFile::of_steps(&tree), System::Workflow, &lines, around);
            workflow::actors(&tree, &lines, around).into_iter().chain(calls).collect()
        }
        FileKind::GitlabCi | FileKind::Script | FileKind::Makefile => {
            let script = ScriptFile::of(kind, text).zip(System::of(kind));
            script.map_or_else(Vec::new, |(script, system)| of_script(&script, system, &lines, around))
        }
        FileKind::Bake => bake::actors(text, &lines, around),
        FileKind::Devcontainer => devcontainer::actors(text, &lines),
    }
}

fn of_container(container: Container<'_>, lines: &Lines) -> Actor {
    let name = container.node.get("image").map(|node| image_of(node));
    Actor {
        caller: pods::caller(container, lines),
        builds: Order::Nothing,
        names: name.into_iter().collect(),
        is_run: true,
        refuses_root: container.is_kept_from_root() == Some(true),
        crossings: crossing::of_container(container, lines),
        labels: labels_of(container.workload),
    }
}

/// The labels that pods of a workload have, its namespace among them; none where a template may add to them.
fn labels_of(workload: Workload<'_>) -> Vec<(String, String)> {
    let labels = workload.metadata.and_then(|metadata| metadata.get("labels"));
    pairs(labels, workload.object.at(&["metadata", "namespace"]))
}

/// What stands for the namespace among labels: no label begins with a slash.
const NAMESPACE: &str = "/namespace";

fn pairs(labels: Option<Node<'_>>, namespace: Option<Node<'_>>) -> Vec<(String, String)> {
    let labels = labels.filter(|labels| !labels.resolved().is_open());
    let known = |node: Node<'_>| node.scalar().filter(|_| !node.resolved().is_template()).map(str::to_owned);
    let pairs = labels.into_iter().flat_map(Node::entries);
    let mut pairs: Vec<_> =
        pairs.filter_map(|entry| Some((entry.key.scalar()?.to_owned(), known(entry.value)?))).collect();
    if !pairs.is_empty() {
        pairs.push((NAMESPACE.to_owned(), namespace.and_then(known).unwrap_or_default()));
    }
    pairs
}

/// The services of a cluster in a file that whoever is outside may reach.
pub(super) fn entrances(path: &str, text: &[u8]) -> Vec<Entrance> {
    let tree = yaml::parse(text).tree;
    let lines = Lines::of(path, text);
    let model = KubernetesModel::new(&tree);
    let services = model.objects.iter().filter(|object| object.kind == "Service");
    let entrance = |object: &Object<'_>| {
        let kind = object.at(&["spec", "type"]).filter(|kind| !kind.resolved().is_template())?;
        let name = kind.scalar().filter(|kind| matches!(*kind, "NodePort" | "LoadBalancer"))?;
        let ports = object.at(&["spec", "ports"]).into_iter().flat_map(Node::items);
        let ports: Vec<&str> = ports.filter_map(|port| port.get("port")?.scalar()).take(MOST_PORTS).collect();
        let what = format!("{} of {name} {}", ports.join(", "), object.name().unwrap_or_default());
        let crossing = Crossing { kind: CrossingKind::Port, what, place: lines.place(kind.span()) };
        let selector = pairs(object.at(&["spec", "selector"]), object.at(&["metadata", "namespace"]));
        (!selector.is_empty()).then_some(Entrance { selector, crossing })
    };
    services.filter_map(entrance).collect()
}

/// So many ports of one service are listed.
const MOST_PORTS: usize = 8;

/// So many pairs of a service and a container are compared.
const MOST_PAIRS: usize = 200_000;

/// Gives each container what lets others reach it.
pub(super) fn open(actors: &mut [Actor], entrances: Vec<Entrance>) {
    let mut by_label: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (at, actor) in actors.iter().enumerate() {
        for label in &actor.labels {
            by_label.entry(label.clone()).or_default().push(at);
        }
    }
    let mut left = MOST_PAIRS;
    for Entrance { selector, crossing } in entrances {
        let fewest =
            selector.iter().map(|label| by_label.get(label).map_or(&[][..], Vec::as_slice)).min_by_key(|at| at.len());
        for &at in fewest.unwrap_or_default() {
            left = left.saturating_sub(1);
            if left == 0 {
                return;
            }
            if selector.iter().all(|label| actors[at].labels.contains(label)) {
                actors[at].crossings.push(crossing.clone());
            }
        }
    }
}

fn image_of(node: Node<'_>) -> ImageName {
    let node = node.resolved();
    if !node.is_template() {
        return ImageName::known(node.scalar().unwrap_or_default());
    }
    let written = String::from_utf8_lossy(node.span().of(node.tree().text())).into_owned();
    ImageName::with_variables(written.trim_matches(['"', '\'']))
}

fn of_script(script: &ScriptFile, system: System, lines: &Lines, around: BuildContext<'_>) -> Vec<Actor> {
    let builds = script.build_calls().flat_map(|call| {
        let turns = turns_of(call.command);
        turns.iter().map(|turn| of_build(&call, turn, system, lines, around)).collect::<Vec<_>>()
    });
    let runs = script.engine_calls().flat_map(|call| {
        let turns = turns_of(call.command);
        turns.iter().filter_map(|turn| of_run(&call, turn, system, lines)).collect::<Vec<_>>()
    });
    let mut actors: Vec<Actor> = builds.chain(runs).collect();
    for call in script.compose_builds() {
        // Without arguments of its own it builds what the compose file says, which says so itself.
        if call.options.iter().any(|option| option.name == "build-arg") {
            actors.extend(of_compose_build(&call, system, lines, around));
        }
    }
    actors.sort_by_key(|actor| actor.caller.place.span);
    actors
}

/// One turn of the loop that a command stands in: its variable with a value. Outside of loops there is one turn, and it
/// gives nothing.
struct Turn<'s> {
    command: FileCommand<'s>,
    variable: &'s str,
    value: &'s str,
}

/// So many turns of a loop, and so many loops around a command, are looked at.
const MOST_TURNS: usize = 32;
const MOST_LOOPS: usize = 8;

/// The turns of the nearest loop around `command` that lists what it goes through; else one that gives nothing.
fn turns_of(command: FileCommand<'_>) -> Vec<Turn<'_>> {
    let loops = command.command.blocks().take(MOST_LOOPS).filter(|block| block.kind() == CompoundKind::For);
    let listed = loops.filter_map(|block| {
        let words: Option<Vec<&str>> = block.words().take(MOST_TURNS + 1).map(Word::literal).collect();
        let words = words.filter(|words| words.len() > 1 && words.len() <= MOST_TURNS)?;
        Some(words[1..].iter().map(|value| Turn { command, variable: words[0], value }).collect())
    });
    listed.into_iter().next().unwrap_or_else(|| vec![Turn { command, variable: "", value: "" }])
}

impl Turn<'_> {
    /// `text` with the value in the place of the variable, and those of variables that the file sets.
    fn fill(&self, text: &str) -> String {
        self.command.filled(&self.turned(text)).into_owned()
    }

    fn turned(&self, text: &str) -> String {
        if self.variable.is_empty() || !text.contains('$') {
            return text.to_owned();
        }
        let braced = text.replace(&format!("${{{}}}", self.variable), self.value);
        let mut parts = braced.split('$');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            match part.strip_prefix(self.variable).filter(|rest| !rest.starts_with(is_of_name)) {
                Some(rest) => filled.extend([self.value, rest]),
                None => filled.extend(["$", part]),
            }
        }
        filled
    }
}

/// What a shell would not replace anything of.
fn settled(text: String) -> Option<String> {
    (!text.contains(['$', '`'])).then_some(text)
}

/// The Dockerfiles that a call builds, one for each turn of the loop that it stands in; `None` for one that nobody here
/// can name. `around` is what is around its file.
pub fn built_by(call: &BuildCall<'_>, system: System, around: BuildContext<'_>) -> Vec<Option<String>> {
    let orders = turns_of(call.command).into_iter().map(|turn| order_of(call, &turn, system, around));
    let path = |order| match order {
        Order::File(path) => Some(path),
        Order::Nothing | Order::Inline(_) | Order::Hidden => None,
    };
    orders.map(path).collect()
}

/// Whether a bake file builds the Dockerfile at that path, or one that nobody here can name.
pub fn is_baked(found: &Found, dockerfile: &str, around: BuildContext<'_>) -> bool {
    let lines = Lines::of(&found.path, &found.text);
    bake::actors(&found.text, &lines, around).iter().any(|actor| match &actor.builds {
        Order::File(path) => path == dockerfile,
        Order::Hidden => true,
        Order::Nothing | Order::Inline(_) => false,
    })
}

fn order_of(call: &BuildCall<'_>, turn: &Turn<'_>, system: System, around: BuildContext<'_>) -> Order {
    let context = call.context.map(|word| turn.fill(&word_of(word)));
    let file = call.options.iter().rfind(|option| option.name == "file").map(|file| turn.fill(&file.value));
    match context.as_deref() {
        Some(context) if is_plain_path(context) => {
            order(&file.unwrap_or_else(|| context::join(context, "Dockerfile")), system, around)
        }
        Some(_) | None => Order::Hidden,
    }
}

fn of_build(call: &BuildCall<'_>, turn: &Turn<'_>, system: System, lines: &Lines, around: BuildContext<'_>) -> Actor {
    let place = lines.place(call.command.span());
    let builds = order_of(call, turn, system, around);
    let arguments = arguments_of(&call.options, turn);
    let target = call.options.iter().rfind(|option| option.name == "target").map(|option| Fact {
        value: settled(turn.fill(&option.value)),
        is_defaulted: false,
        place: lines.place(option.span),
    });
    let names = call.values("tag").map(|tag| ImageName::with_variables(&turn.fill(tag))).collect();
    let build = CallerBuild {
        place: place.clone(),
        target,
        arguments,
        secrets: call.values("secret").filter_map(id_of).map(str::to_owned).collect(),
    };
    let caller = Caller { build: Some(build), ..Caller::new(command_name(call.command, "build"), place, system) };
    Actor { caller, builds, names, is_run: false, refuses_root: false, crossings: Vec::new(), labels: Vec::new() }
}

/// The build arguments among `options`, with their values where these are written.
fn arguments_of(options: &[EngineOption<'_>], turn: &Turn<'_>) -> Vec<(String, Option<String>)> {
    let given = options.iter().filter(|option| option.name == "build-arg").map(|option| {
        let (name, value) =
            option.value.split_once('=').map_or((&*option.value, None), |(name, value)| (name, Some(value)));
        (name.to_owned(), value.and_then(|value| settled(turn.fill(value))))
    });
    given.collect()
}

/// The services that a call of compose builds with arguments of its own.
fn of_compose_build(call: &ComposeBuild<'_>, system: System, lines: &Lines, around: BuildContext<'_>) -> Vec<Actor> {
    let mut files = super::compose_files(around);
    if !call.files.is_empty() {
        let named = |path: &str| {
            let is_it = |file: &str| around.directories().any(|at| context::resolve(at, file) == path);
            call.files.iter().filter_map(|word| word.literal()).any(is_it)
        };
        files.retain(|file| named(&file.path));
    }
    let turns = turns_of(call.command);
    let mut actors: Vec<Actor> = Vec::new();
    for mut actor in services::read(&files, around, of_compose) {
        let Some(build) = &actor.caller.build else { continue };
        let names = |turn: &&Turn<'_>| {
            let is_it = |word: &Word<'_>| turn.fill(&word_of(*word)) == actor.caller.name;
            call.services.is_empty() || call.services.iter().any(is_it)
        };
        let Some(turn) = turns.iter().find(names) else { continue };
        let place = lines.place(call.command.span());
        let build = CallerBuild { place: place.clone(), arguments: arguments_of(&call.options, turn), ..build.clone() };
        let name = command_name(call.command, "compose build");
        actor.caller = Caller { build: Some(build), ..Caller::new(name, place, system) };
        actors.push(Actor { is_run: false, crossings: Vec::new(), ..actor });
    }
    actors
}

fn of_run(call: &EngineCall<'_>, turn: &Turn<'_>, system: System, lines: &Lines) -> Option<Actor> {
    if call.verb != EngineVerb::Run {
        return None;
    }
    // `docker compose run` names a service, and its user and image are those of the compose file.
    let is_of_compose = call.command.command.words().take(3).any(|word| word.text().contains("compose"));
    let subject = call.subject.filter(|_| !is_of_compose)?;
    let place = lines.place(call.command.span());
    let fact = |names: &[&str]| {
        let option = call.options.iter().rfind(|option| names.contains(&&*option.name))?;
        let value = settled(turn.fill(&option.value));
        Some(Fact { value, is_defaulted: false, place: lines.place(option.span) })
    };
    let mut name = command_name(call.command, "run");
    name.extend(fact(&["name"]).and_then(|fact| fact.value).map(|given| format!(" {given}")));
    let caller = Caller { user: fact(&["user"]), ..Caller::new(name, place, system) };
    Some(Actor {
        caller,
        builds: Order::Nothing,
        names: vec![ImageName::with_variables(&turn.fill(&word_of(subject)))],
        is_run: true,
        refuses_root: false,
        crossings: crossing::of_call(call, lines),
        labels: Vec::new(),
    })
}

/// A word as it is written where a shell would replace a part of it; else as it reads.
fn word_of(word: Word<'_>) -> String {
    match word.literal() {
        Some(text) => text.to_owned(),
        None => String::from_utf8_lossy(word.source()).trim_matches('"').to_owned(),
    }
}

/// What a command is called: `docker run`.
fn command_name(command: FileCommand<'_>, verb: &str) -> String {
    let program = command.invocation().and_then(Invocation::name).unwrap_or_default();
    [program, " ", verb].concat()
}

/// The id of a secret that a build may read: `id=npm,src=.npmrc`.
pub(super) fn id_of(option: &str) -> Option<&str> {
    option.split(',').find_map(|part| part.trim().strip_prefix("id="))
}

/// Whether a build context is a directory that is written out.
pub(super) fn is_plain_path(context: &str) -> bool {
    !context.contains(['$', '`', '\0', '*', '{'])
        && !context.contains("://")
        && !context.starts_with("git@")
        && context != "-"
}

/// The Dockerfile that `path` is where commands of a file of that system run.
///
/// Steps of CI run at the top of a repository and recipes of make beside their file. Where a script runs nobody says: a
/// Dockerfile counts that is there in one of the directories from the script's own upwards, and in no other one.
pub(super) fn order(path: &str, system: System, around: BuildContext<'_>) -> Order {
    if !is_plain_path(path) {
        return Order::Hidden;
    }
    let mut found = around.directories().map(|directory| context::resolve(directory, path));
    let is_there = |path: &String| around.at(path).is_some();
    match system {
        System::Makefile => found.next().filter(is_there),
        System::Workflow | System::GitlabCi => found.filter(is_there).last(),
        System::Compose
        | System::Kubernetes
        | System::Script
        | System::Bake
        | System::Devcontainer
        | System::Skaffold => {
            let mut there = found.filter(is_there);
            there.next().filter(|_| there.next().is_none())
        }
    }
    .map_or(Order::Hidden, Order::File)
}

/// The compose files among `files`, with those that they include or extend and that are not among them.
pub(super) fn with_included(mut files: Vec<Found>, around: impl Fn(&str) -> Option<Found>) -> Vec<Found> {
    let mut known: HashSet<String> = files.iter().map(|file| file.path.clone()).collect();
    let mut at = 0;
    while at < files.len() {
        for path in super::evidence::named(&files[at]) {
            if known.insert(path.clone()) {
                files.extend(around(&path));
            }
        }
        at += 1;
    }
    files
}

impl Caller {
    /// One of whom nothing more is said.
    pub(super) fn new(name: String, place: Place, system: System) -> Self {
        Self {
            name,
            place,
            system,
            build: None,
            image: None,
            user: None,
            entrypoint: None,
            command: None,
            mounts: Vec::new(),
            ports: Vec::new(),
            environment: Vec::new(),
            healthcheck: None,
            host_network: None,
            powers: Vec::new(),
            probes: Vec::new(),
            container: None,
            read_only: None,
            dropped: Vec::new(),
            is_open: false,
        }
    }
}
