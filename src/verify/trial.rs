//! One original and what is tried in its place: build, start, ask, compare.

use super::{
    behaviour::{self, is_denial},
    container::Access,
    engine::{BuildOrder, Engine, EngineSettings},
    failure::{Failure, Side, last_lines},
    image::Image,
    namespace::Namespace,
    observe::{self, Observed, Plan, Ready, Start},
    promise::{self, Authored, Promise},
    verdict::{Confinement, Difference, Measures, Standing, Subject, Verdict},
    workspace::Workspace,
};
use crate::{
    knowledge::Knowledge,
    model::{BaseImages, Build, DockerfileModel, Platform},
    source::{FileKind, SourceFile},
    syntax::dockerfile,
    text::FileId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

/// A Dockerfile that is to be built.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'r> {
    /// Its text.
    pub text: &'r [u8],
    /// The text of the ignore file that belongs to it alone.
    pub ignore: Option<&'r [u8]>,
    /// The directory that it is built in.
    pub context: &'r Path,
    /// The stage to stop at, instead of the last one.
    pub target: Option<&'r str>,
    /// Build arguments, as `NAME=VALUE` or `NAME`.
    pub build_args: &'r [String],
}

/// How it is tried.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The engine and what it needs.
    pub engine: EngineSettings,
    /// A build has so long.
    pub timeout: Duration,
    /// After its start, a container has so long to become ready.
    pub ready: Duration,
    /// Ports that BEFORE listens on and does not say so.
    pub ports: BTreeSet<u16>,
    /// Pages that are asked for.
    pub paths: Vec<String>,
    /// The user's own check, a command for the shell.
    pub smoke: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: EngineSettings::default(),
            timeout: Duration::from_mins(30),
            ready: Duration::from_mins(1),
            ports: BTreeSet::new(),
            paths: vec!["/".to_owned()],
            smoke: None,
        }
    }
}

/// Builds both, starts both, compares. `progress` is told what is being done.
///
/// # Errors
/// Why nothing could be proved, which says nothing about `after`.
pub fn verify(
    before: &Recipe<'_>,
    after: &Recipe<'_>,
    promise: &Promise,
    settings: &Settings,
    progress: &dyn Fn(&str),
) -> Result<Verdict, Failure> {
    Trial::begin(before, settings, progress)?.prove(after, promise)
}

/// An original that was built, started and asked; what replaces it can be tried again and again.
pub struct Trial<'t> {
    settings: &'t Settings,
    progress: &'t dyn Fn(&str),
    engine: Engine,
    workspace: Workspace,
    access: Access,
    paths: Vec<String>,
    authored: Option<Authored>,
    measures: Measures,
    observed: Option<Observed>,
}

/// An image of this run, removed when it goes out of scope.
struct Built<'e> {
    engine: &'e Engine,
    name: String,
}

impl Drop for Built<'_> {
    fn drop(&mut self) {
        self.engine.remove_image(&self.name);
    }
}

impl<'t> Trial<'t> {
    /// Builds the original, starts it and asks it.
    ///
    /// # Errors
    /// Why there is nothing to compare with.
    pub fn begin(before: &Recipe<'_>, settings: &'t Settings, progress: &'t dyn Fn(&str)) -> Result<Self, Failure> {
        progress("looking for an engine");
        let engine = Engine::find(&settings.engine)?;
        let access = if Namespace::may_be_entered() { Access::Entered } else { Access::Published };
        let mut trial = Self {
            settings,
            progress,
            engine,
            workspace: Workspace::new()?,
            access,
            paths: settings.paths.clone(),
            authored: authored(before),
            measures: Measures::default(),
            observed: None,
        };
        let (measures, observed) = trial.observe_original(before)?;
        trial.paths = observed.as_ref().map(|(observed, _)| observed.paths()).unwrap_or_default();
        trial.access = observed.as_ref().map_or(access, |(_, access)| *access);
        trial.observed = observed.map(|(observed, _)| observed);
        trial.measures = measures;
        Ok(trial)
    }

    /// The engine that is used.
    pub fn engine(&self) -> &'static str {
        self.engine.kind.program()
    }

    /// What was measured of the original.
    pub fn original(&self) -> &Measures {
        &self.measures
    }

    /// Builds `after`, starts it, asks it and compares.
    ///
    /// # Errors
    /// Why nothing could be proved, which says nothing about `after`.
    pub fn prove(&self, after: &Recipe<'_>, promise: &Promise) -> Result<Verdict, Failure> {
        let mut verdict =
            Verdict { engine: self.engine.kind.program(), before: self.measures.clone(), ..Verdict::default() };
        let built = match self.build(Side::After, after)? {
            Ok(built) => built,
            Err(said) => {
                verdict.differences.push(Difference::new(
                    Subject::Build,
                    Standing::Broken,
                    ("it builds", "it does not build"),
                    said,
                ));
                return Ok(verdict);
            }
        };
        let image = self.engine.image(&built.name)?;
        verdict.differences = promise::compare(&self.measures.image, &image, promise, self.authored.as_ref());
        verdict.after = Some(Measures { image, contents: None, user_id: None });
        self.compare_starts(&built, promise, &mut verdict)?;
        for difference in &mut verdict.differences {
            if promise.may_change.contains(&difference.subject) && difference.standing != Standing::Allowed {
                difference.standing = Standing::Allowed;
                "it may change".clone_into(&mut difference.why);
            }
        }
        verdict.differences.sort_by_key(|difference| difference.subject);
        Ok(verdict)
    }

    fn compare_starts(&self, built: &Built<'_>, promise: &Promise, verdict: &mut Verdict) -> Result<(), Failure> {
        let (Some(before), Some(measures)) = (&self.observed, &mut verdict.after) else {
            verdict.not_compared.push("what they do: buildah builds, and podman, which starts, is not here".to_owned());
            return Ok(());
        };
        if self.access == Access::Published {
            let why = "what they do without a network: entering theirs needs root and an engine on this machine";
            verdict.not_compared.push(why.to_owned());
        }
        (self.progress)("starting AFTER");
        let name = self.workspace.container(Side::After);
        let image = measures.image.clone();
        let mut plan = self.plan(built, &name, &image);
        let moved = &promise.moved_ports;
        plan.expected = before.listening.iter().map(|port| *moved.get(port).unwrap_or(port)).collect();
        plan.expects_all = true;
        plan.counts_files = true;
        let after = match observe::observe(&self.engine, &plan)? {
            Start::Seen(after) => after,
            Start::Failed(said) => {
                let values = ("it starts", "it does not start");
                verdict.differences.push(Difference::new(Subject::Ready, Standing::Broken, values, said));
                return Ok(());
            }
            Start::Elsewhere => return Err(unreachable()),
        };
        let found = behaviour::compare(before, &after, &promise.moved_ports);
        for difference in &mut verdict.differences {
            let is_proved = match difference.subject {
                // What is noted of the environment is where programs are looked for.
                Subject::Start | Subject::Env => found.does_the_same,
                Subject::HealthCheck => found.is_healthy,
                Subject::Build
                | Subject::User
                | Subject::Workdir
                | Subject::Ports
                | Subject::Volumes
                | Subject::Labels
                | Subject::StopSignal
                | Subject::Ready
                | Subject::Listens
                | Subject::Answer
                | Subject::ExitCode
                | Subject::Logs
                | Subject::Stop
                | Subject::Smoke => false,
            };
            if is_proved && difference.standing == Standing::Noted {
                difference.standing = Standing::Allowed;
                "what it does is the same".clone_into(&mut difference.why);
            }
        }
        verdict.differences.extend(found.differences);
        verdict.same.extend(found.same);
        verdict.not_compared.extend(found.not_compared);
        measures.contents.clone_from(&after.contents);
        measures.user_id = after.user_id;
        if !verdict
            .differences
            .iter()
            .all(|it| it.standing != Standing::Broken || promise.may_change.contains(&it.subject))
        {
            return Ok(());
        }
        (self.progress)("starting AFTER locked in");
        let name = self.workspace.container(Side::After);
        let confined = Plan { name: &name, is_confined: true, counts_files: false, ..plan };
        verdict.confinement = Some(self.confine(&after, &confined)?);
        Ok(())
    }

    /// Starts the result once more with everything taken away that it should not need.
    fn confine(&self, free: &Observed, plan: &Plan<'_>) -> Result<Confinement, Failure> {
        let mut confinement = Confinement { broke: Vec::new(), writes: writes(&free.changed) };
        match observe::observe(&self.engine, plan)? {
            Start::Seen(locked) => {
                let found = behaviour::compare(free, &locked, &BTreeMap::new());
                // What the logs say is told below in its own words.
                let broken = |it: &&Difference| it.standing == Standing::Broken && it.subject != Subject::Logs;
                confinement.broke.extend(found.differences.iter().filter(broken).map(sentence));
                let known: BTreeSet<&str> = free.err.lines().chain(free.out.lines()).collect();
                let denied = locked.err.lines().chain(locked.out.lines());
                let denied = denied.filter(|line| is_denial(line) && !known.contains(line));
                let denied: Vec<String> = denied.map(|line| line.trim().to_owned()).take(5).collect();
                for line in denied {
                    if !confinement.broke.iter().any(|told| told.contains(&line)) {
                        confinement.broke.push(format!("it says: {line}"));
                    }
                }
            }
            Start::Failed(said) => confinement.broke.push(format!("it does not start: {said}")),
            Start::Elsewhere => return Err(unreachable()),
        }
        Ok(confinement)
    }

    fn observe_original(&self, before: &Recipe<'_>) -> Result<(Measures, Option<(Observed, Access)>), Failure> {
        let built = self.build(Side::Before, before)?.map_err(|said| Failure::BeforeFails { said })?;
        let image = self.engine.image(&built.name)?;
        if !self.engine.can_start() {
            return Ok((Measures { image, contents: None, user_id: None }, None));
        }
        (self.progress)("starting BEFORE");
        let name = self.workspace.container(Side::Before);
        let mut paths = self.paths.clone();
        paths.extend(image.pages_of_health_check().into_iter().filter(|page| !self.paths.contains(page)));
        let mut plan = self.plan(&built, &name, &image);
        plan.paths = &paths;
        plan.expected = image.tcp_ports().union(&self.settings.ports).copied().collect();
        plan.times = 2;
        plan.counts_files = true;
        let mut start = observe::observe(&self.engine, &plan)?;
        let again = self.workspace.container(Side::Before);
        if matches!(start, Start::Elsewhere) {
            plan.access = Access::Published;
            plan.name = &again;
            start = observe::observe(&self.engine, &plan)?;
        }
        let observed = match start {
            Start::Seen(observed) => *observed,
            Start::Failed(said) => return Err(Failure::BeforeDoesNotStart { said }),
            Start::Elsewhere => return Err(unreachable()),
        };
        if observed.ready == Ready::Never {
            let said = last_lines(&format!("{}\n{}", observed.out, observed.err), 5);
            return Err(Failure::BeforeNeverReady { waited: self.settings.ready, said });
        }
        if let Some((false, said)) = &observed.smoke {
            return Err(Failure::SmokeFailsBefore { said: said.clone() });
        }
        let access = plan.access;
        let measures = Measures { contents: observed.contents.clone(), user_id: observed.user_id, image };
        Ok((measures, Some((observed, access))))
    }

    fn plan<'p>(&'p self, built: &'p Built<'_>, name: &'p str, image: &'p Image) -> Plan<'p> {
        Plan {
            image_name: &built.name,
            name,
            image,
            access: self.access,
            expected: BTreeSet::new(),
            expects_all: false,
            paths: &self.paths,
            times: 1,
            smoke: self.settings.smoke.as_deref(),
            is_confined: false,
            counts_files: false,
            ready_limit: self.settings.ready,
            limit: self.settings.timeout,
        }
    }

    /// Builds an image; the inner failure is the Dockerfile's own.
    fn build(&self, side: Side, recipe: &Recipe<'_>) -> Result<Result<Built<'_>, String>, Failure> {
        (self.progress)(&format!("building {}", side.name()));
        let dockerfile = self.workspace.lay(side, recipe.text, recipe.ignore)?;
        // Half an image may be there when the build fails.
        let built = Built { engine: &self.engine, name: self.workspace.image(side) };
        let order = BuildOrder {
            side,
            dockerfile: &dockerfile,
            context: recipe.context,
            target: recipe.target,
            arguments: recipe.build_args,
            name: &built.name,
            limit: self.settings.timeout,
        };
        Ok(self.engine.build(&order)?.map(|()| built))
    }
}

fn unreachable() -> Failure {
    Failure::EngineFails {
        doing: "reaching a container".to_owned(),
        said: "its network is not on this machine".to_owned(),
    }
}

/// What the author of a Dockerfile sets; none if that cannot be said.
fn authored(recipe: &Recipe<'_>) -> Option<Authored> {
    let file = SourceFile::new(FileId(0), "Dockerfile", FileKind::Dockerfile, recipe.text.to_vec());
    let parsed = dockerfile::parse(&file.text);
    let given = |argument: &String| match argument.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (argument.clone(), None),
    };
    let arguments: Vec<_> = recipe.build_args.iter().map(given).collect();
    let platform = Platform::default();
    let build = Build { arguments: &arguments, platform, target: recipe.target, bases_are_empty: true };
    let knowledge = Knowledge::builtin();
    let model = DockerfileModel::of_build(&file, &parsed.tree, &knowledge, &build);
    let config = model.image_config(BaseImages::Empty).ok()?;
    let env = config.environment.into_iter().map(|(name, _)| name).collect();
    Some(Authored { env, labels: config.labels.into_keys().collect() })
}

/// What was written, without directories that only changed because of it, and what every engine or program writes:
/// podman gives a user without a name one in `/etc/passwd`.
fn writes(changed: &[String]) -> BTreeSet<String> {
    let changed: BTreeSet<&str> = changed.iter().map(String::as_str).collect();
    let holds_another = |path: &str| {
        let inside = format!("{path}/");
        changed.range(inside.as_str()..).next().is_some_and(|next| next.starts_with(&inside))
    };
    let is_known = |path: &str| {
        let lies_in =
            |known: &&str| path.strip_prefix(*known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        ["/etc", "/etc/passwd", "/etc/group"].contains(&path)
            || ["/tmp", "/run", "/dev", "/proc", "/sys"].iter().any(lies_in)
    };
    changed.iter().filter(|path| !holds_another(path) && !is_known(path)).map(|path| (*path).to_owned()).collect()
}

fn sentence(difference: &Difference) -> String {
    let Difference { subject, before, after, why, .. } = difference;
    match (before.is_empty(), after.is_empty()) {
        (false, false) => format!("{}: {before}, locked in {after}: {why}", subject.name()),
        (true, false) => format!("{}: {after}: {why}", subject.name()),
        (_, true) => format!("{}: {before}: {why}", subject.name()),
    }
}
