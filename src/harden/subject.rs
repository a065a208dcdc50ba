//! The image that is to climb: its target stage and all that its files tell of it.

use super::{
    Evidence, Start,
    effect::{self, Effect, Kind},
    packages::{self, Programs},
    rung,
};
use crate::{
    context::{BuildContext, Found},
    model::{DockerfileModel, PackageJson, ProcessCalls, Stage, Startup, Step, StepCommand, graph},
    rule::Cx,
    syntax::dockerfile::Keyword,
    text::Span,
};
use memchr::memmem;
use std::{borrow::Cow, cell::OnceCell};

/// The image of one Dockerfile's target, and the files that it is made of.
pub struct Subject<'a> {
    /// File, model, knowledge, build context, lock.
    pub cx: &'a Cx<'a, DockerfileModel<'a>>,
    /// The stage that the build answers.
    pub target: Stage<'a>,
    /// The directory of the build context, where `COPY` shows which it is.
    pub root: Option<String>,
    startup: OnceCell<Startup>,
    calls: OnceCell<ProcessCalls>,
    programs: OnceCell<Programs>,
}

/// Programs that run what the people who use them write, so that nobody can tell what they call.
const HOSTS: [&str; 14] = [
    "jupyter",
    "jupyter-lab",
    "jupyter-notebook",
    "jupyterhub",
    "code-server",
    "rserver",
    "R",
    "airflow",
    "ansible-playbook",
    "bash",
    "zsh",
    "sshd",
    "supervisord",
    "cron",
];

/// Whether a program may call any other: a host of what others write, or a script of the base that nobody here reads.
fn runs_anything(program: &&str) -> bool {
    HOSTS.contains(program) || program.ends_with(".sh")
}

impl<'a> Subject<'a> {
    /// The image that `cx` makes of its target; `None` for a file without stages.
    pub fn new(cx: &'a Cx<'a, DockerfileModel<'a>>) -> Option<Self> {
        Some(Self::at(cx, cx.model.target()?))
    }

    /// What `cx` makes of another stage, as if that were the image.
    pub fn at(cx: &'a Cx<'a, DockerfileModel<'a>>, target: Stage<'a>) -> Self {
        let mut sources = Vec::new();
        for step in target.chain_steps().filter(|step| step.copy_source().is_none()) {
            let local = step.sources().into_iter().filter(|source| source.kind.is_of_context());
            sources.extend(local.map(|source| source.text.clone()));
        }
        let names: Vec<&str> = sources.iter().map(|name| &**name).collect();
        let root = cx.context.root(&names);
        let (startup, calls, programs) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { cx, target, root, startup, calls, programs }
    }

    /// The steps of the image in the order in which they run, those of the stages that it starts from first.
    pub fn steps(&self) -> Vec<Step<'a>> {
        let mut chain: Vec<Stage<'a>> = self.target.chain().collect();
        chain.reverse();
        chain.into_iter().flat_map(Stage::steps).collect()
    }

    /// Whether the image builds, installs or unpacks something itself, or has a base with a smaller variant: else there
    /// is nothing to take apart.
    pub fn is_whole(&self) -> bool {
        let facts = self.target.image_facts();
        let has_smaller = facts.is_some_and(|facts| facts.slim.is_known() || facts.runtime.is_known());
        let works = |effect: &Effect<'_>| match &effect.kind {
            Kind::Packages { names, .. } => names.iter().any(|name| packages::is_for_building(self, name)),
            Kind::LanguagePackages { .. } | Kind::Build { .. } | Kind::Download { .. } | Kind::Unknown(_) => true,
            Kind::PackagesRemoved { .. }
            | Kind::Upgrade(_)
            | Kind::Files(_)
            | Kind::Directories(_)
            | Kind::Copied { .. }
            | Kind::Modes(_)
            | Kind::Accounts
            | Kind::Removes(_)
            | Kind::System(_)
            | Kind::Transient => false,
        };
        has_smaller || effect::effects(self).iter().any(works)
    }

    /// The file `name` of the build context: `package.json`, `cmd/server/main.go`.
    pub fn file(&self, name: &str) -> Option<Found> {
        let root = self.root.as_deref()?;
        self.cx.context.at(&crate::context::join(root, name))
    }

    /// The working directory of the finished image, where it is known and not the root of the file system.
    pub fn workdir(&self) -> Option<&'a str> {
        self.target.workdir().path.known().filter(|path| *path != "/")
    }

    /// The place of `span` of the Dockerfile.
    pub fn evidence(&self, span: Span, shows: impl Into<String>) -> Evidence {
        let line = self.cx.file.locate(span.start).line;
        Evidence { path: self.cx.file.path.clone(), line, shows: shows.into() }
    }

    /// The `RUN` steps.
    pub fn runs(&self) -> Vec<Step<'a>> {
        self.steps().into_iter().filter(|step| step.keyword() == Keyword::Run && !step.is_trigger()).collect()
    }

    /// The programs that the image starts, its health check included.
    pub fn programs(&self) -> &Programs {
        self.programs.get_or_init(|| {
            let check = self.target.health_check(&self.cx.context);
            let started = || std::iter::once(self.startup()).chain(&check);
            let calls = self.calls();
            let called = calls.calls.iter().filter_map(|call| call.program.clone());
            let by_callers = rung::programs(self.cx, self.target);
            let is_read = by_callers.is_some()
                && started().all(|startup| startup.unknown.is_none() && !startup.programs().iter().any(runs_anything));
            let names = started().flat_map(Startup::programs).map(str::to_owned);
            let names = names.chain(called).chain(by_callers.unwrap_or_default()).collect();
            let is_complete = is_read && calls.files > 0 && calls.calls.iter().all(|call| call.program.is_some());
            let probing = probing_tools(&self.cx.context).collect();
            Programs { names, is_complete, probing }
        })
    }

    /// `words` by the instruction that the author starts with: those who run the image put theirs in the place of `CMD`,
    /// and behind `ENTRYPOINT`.
    pub fn started_by(&self, mut words: Vec<String>) -> Start {
        let steps = self.target.start_steps();
        let of = |keyword| steps.iter().copied().find(|step| step.keyword() == keyword);
        if of(Keyword::Entrypoint).is_none() {
            return Start { entrypoint: None, command: Some(words) };
        }
        let arguments = of(Keyword::Cmd).and_then(|step| {
            let [command] = step.commands().collect::<Vec<_>>()[..] else { return None };
            let words = command.command.words().map(|word| command.value(word).map(Cow::into_owned));
            words.collect::<Option<Vec<String>>>()
        });
        let command = arguments.filter(|arguments| words.len() > arguments.len() && words.ends_with(arguments));
        words.truncate(words.len() - command.as_ref().map_or(0, Vec::len));
        Start { entrypoint: Some(words), command }
    }

    /// The same on a base that has nothing but `program` to start: it is the entry point, whatever is given behind it.
    pub fn started_with(&self, program: &str, arguments: Vec<String>) -> Start {
        let words = std::iter::once(program.to_owned()).chain(arguments.iter().cloned()).collect();
        match self.started_by(words) {
            Start { entrypoint: None, .. } => {
                Start { entrypoint: Some(vec![program.to_owned()]), command: Some(arguments) }
            }
            start @ Start { entrypoint: Some(_), .. } => start,
        }
    }

    /// The words of the one command that the image starts, as far as it needs no shell; `npm` looked through with
    /// `manifest`.
    pub fn start_words(&self, manifest: Option<&PackageJson>) -> Option<(Vec<String>, Option<Evidence>)> {
        let steps = self.target.start_steps();
        let [step] = steps.as_slice() else { return None };
        let commands: Vec<StepCommand<'_>> = step.commands().collect();
        let [command] = commands.as_slice() else { return None };
        let words = command.command.words().map(|word| command.value(word).map(Cow::into_owned));
        let words: Vec<String> = words.collect::<Option<_>>()?;
        let script = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["npm" | "yarn" | "pnpm", "start"] => "start",
            ["npm" | "yarn" | "pnpm", "run", script] => script,
            // These take the name of a script for a command.
            ["yarn" | "pnpm", script] if manifest.is_some_and(|manifest| manifest.script(script).is_some()) => script,
            _ => return Some((words, None)),
        };
        let manifest = manifest?;
        let scripts = manifest.value().get("scripts")?.as_object()?;
        if ["pre", "post"].iter().any(|hook| scripts.contains_key(&format!("{hook}{script}"))) {
            return None;
        }
        let text = manifest.script(script)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b" ./-_=:,@".contains(&byte);
        if !text.bytes().all(is_plain) {
            return None;
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let evidence = manifest.evidence("scripts", script, format!("`{script}` runs `{text}`"));
        (words.first()? == "node").then_some((words, Some(evidence)))
    }

    /// What the image runs in the end.
    pub fn startup(&self) -> &Startup {
        self.startup.get_or_init(|| self.target.startup(&self.cx.context))
    }

    /// Whether the interpreted program of the image certainly starts no other one, which a base with nothing but its
    /// interpreter does not have.
    ///
    /// # Errors
    /// Where it does, or that nothing of it could be read.
    pub fn starts_nothing_else(&self) -> Result<(), String> {
        let calls = self.calls();
        match calls.calls.first().map(|call| &call.evidence) {
            Some(call) => {
                Err(format!("{}:{} starts another program, which the base may not have", call.path, call.line))
            }
            None if calls.files == 0 => {
                Err("no program of the build context could be read, and it may start others".to_owned())
            }
            None => Ok(()),
        }
    }

    /// The processes that the programs of the context make; every text of it is read for them.
    fn calls(&self) -> &ProcessCalls {
        self.calls.get_or_init(|| self.target.process_calls(&self.cx.context))
    }
}

/// The tools that compose files and manifests around name in health checks: services name images by what they are called
/// where they are published, so that nobody can tell which of them runs this one.
fn probing_tools(context: &BuildContext<'_>) -> impl Iterator<Item = &'static str> {
    let says = |file: &Found, word: &str| memmem::find(&file.text, word.as_bytes()).is_some();
    let probes = |file: &Found| {
        ["healthcheck:", "livenessProbe:", "readinessProbe:", "startupProbe:"].iter().any(|key| says(file, key))
    };
    let files: Vec<Found> = graph::compose_files(*context).into_iter().filter(probes).collect();
    ["curl", "wget"].into_iter().filter(move |tool| files.iter().any(|file| says(file, tool)))
}
