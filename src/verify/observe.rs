//! Starting an image and looking at what it does: whether it becomes ready, what it answers, says and writes, and how
//! it ends.

#![allow(clippy::disallowed_methods, reason = "readiness is waited for so long and no longer")]

use super::{
    archive::Contents,
    container::{Access, Container, Way},
    engine::{Engine, Health, StartOrder},
    failure::{Failure, last_lines},
    http::Answer,
    image::Image,
    process::Unfinished,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

/// Between two looks at a container.
const LOOK: Duration = Duration::from_millis(100);

/// Ports that are listened on do not change for so long before they count as all.
const SETTLED: Duration = Duration::from_millis(400);

/// A program without ports and without a health check counts as at work when it has said nothing new for so long.
const QUIET: Duration = Duration::from_secs(4);

/// A server whose health check says no for so long is unhealthy.
const UNHEALTHY: Duration = Duration::from_secs(15);

/// A program that is asked to end has so long.
const GRACE: Duration = Duration::from_secs(3);

/// So many ports are asked.
const MOST_PORTS: usize = 16;

/// What is done with a container.
pub(super) struct Plan<'p> {
    pub(super) image_name: &'p str,
    pub(super) name: &'p str,
    pub(super) image: &'p Image,
    pub(super) access: Access,
    /// Ports that somebody is expected to listen on.
    pub(super) expected: BTreeSet<u16>,
    /// Whether all of `expected` must come, as with a copy of what listened on them.
    pub(super) expects_all: bool,
    pub(super) paths: &'p [String],
    /// Each page is asked for so often, to see what changes by itself.
    pub(super) times: usize,
    pub(super) smoke: Option<&'p str>,
    pub(super) is_confined: bool,
    pub(super) counts_files: bool,
    pub(super) ready_limit: Duration,
    pub(super) limit: Duration,
}

/// How it was found to be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// Its health check says so, or somebody listens.
    Serving,
    /// It runs, and says nothing new.
    Working,
    /// It came to its end.
    Ended(i32),
    /// It runs, and never became ready.
    Never,
}

/// What was seen of one start.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) ready: Ready,
    pub(super) health: Option<Health>,
    pub(super) listening: BTreeSet<u16>,
    pub(super) answers: BTreeMap<(u16, String), Vec<Answer>>,
    pub(super) out: String,
    pub(super) err: String,
    pub(super) user_id: Option<u32>,
    /// The exit code after it was asked to end.
    pub(super) stopped: Option<i32>,
    /// The user's own check: whether it went well, and the end of what it says.
    pub(super) smoke: Option<(bool, String)>,
    pub(super) changed: Vec<String>,
    pub(super) contents: Option<Contents>,
}

impl Observed {
    /// The pages that were asked for.
    pub(super) fn paths(&self) -> Vec<String> {
        let paths: BTreeSet<&String> = self.answers.keys().map(|(_, path)| path).collect();
        paths.into_iter().cloned().collect()
    }
}

/// What came of a start.
#[derive(Debug)]
pub(super) enum Start {
    /// It was started and looked at.
    Seen(Box<Observed>),
    /// The engine could not start it.
    Failed(String),
    /// It was started, and its network is not on this machine.
    Elsewhere,
}

/// Starts an image, looks at it and removes what was started.
pub(super) fn observe(engine: &Engine, plan: &Plan<'_>) -> Result<Start, Failure> {
    let published: Vec<u16> = match plan.access {
        Access::Entered => Vec::new(),
        Access::Published => plan.expected.iter().copied().take(MOST_PORTS).collect(),
    };
    let order = StartOrder {
        image: plan.image_name,
        name: plan.name,
        published: &published,
        is_confined: plan.is_confined,
        has_health_check: !plan.image.health_check.is_empty(),
    };
    let container = match Container::create(engine, &order)? {
        Ok(container) => container,
        Err(said) => return Ok(Start::Failed(said)),
    };
    let contents = if plan.counts_files { engine.contents(plan.name, plan.limit)? } else { None };
    if let Err(said) = engine.start(plan.name)? {
        return Ok(Start::Failed(said));
    }
    let mut sight = Sight { engine, plan, container, way: None };
    if !sight.find_way()? {
        return Ok(Start::Elsewhere);
    }
    let mut observed = sight.look()?;
    observed.contents = contents;
    Ok(Start::Seen(Box::new(observed)))
}

/// A container that was started.
struct Sight<'s> {
    engine: &'s Engine,
    plan: &'s Plan<'s>,
    container: Container<'s>,
    way: Option<Way>,
}

impl Sight<'_> {
    /// False if it runs and its network is not on this machine. A program that has ended needs no way.
    fn find_way(&mut self) -> Result<bool, Failure> {
        self.way = self.container.way(self.plan.access, &self.plan.expected)?;
        Ok(self.way.is_some() || !self.engine.state(self.plan.name)?.is_running)
    }

    fn look(&self) -> Result<Observed, Failure> {
        let user_id = self.way.as_ref().and_then(Way::user_id);
        let (mut ready, health) = self.wait()?;
        let listening = self.listening();
        let mut answers = BTreeMap::new();
        if ready == Ready::Serving {
            answers = self.ask(&listening);
        }
        let smoke = self.smoke(&listening)?;
        let changed = self.engine.changed(self.plan.name)?;
        let state = self.engine.state(self.plan.name)?;
        let mut stopped = None;
        if !state.is_running {
            // It may have ended after it was ready: by a question, or because it was not well.
            ready = Ready::Ended(state.exit_code);
        } else if !self.plan.is_confined {
            self.engine.stop(self.plan.name, GRACE)?;
            stopped = Some(self.engine.state(self.plan.name)?.exit_code);
        }
        let (out, err) = self.engine.logs(self.plan.name)?;
        let contents = None;
        Ok(Observed { ready, health, listening, answers, out, err, user_id, stopped, smoke, changed, contents })
    }

    fn listening(&self) -> BTreeSet<u16> {
        self.way.as_ref().map(Way::listening).unwrap_or_default()
    }

    /// Waits until it is ready or has ended; says what the health check said last.
    fn wait(&self) -> Result<(Ready, Option<Health>), Failure> {
        let plan = self.plan;
        let start = Instant::now();
        let has_health_check = !plan.image.health_check.is_empty();
        let mut health = has_health_check.then_some(Health::Unknown);
        let mut listening = (BTreeSet::new(), start);
        let mut said = ((String::new(), String::new()), start);
        loop {
            if self.engine.interrupt().is_asked() {
                return Err(Failure::Interrupted);
            }
            let state = self.engine.state(plan.name)?;
            if !state.is_running {
                return Ok((Ready::Ended(state.exit_code), health));
            }
            let now = self.listening();
            if now != listening.0 {
                listening = (now, Instant::now());
            }
            let has_settled = listening.1.elapsed() > SETTLED;
            if has_health_check {
                health = Some(self.engine.health(plan.name, &state)?);
            }
            let listens = match (plan.expects_all, plan.expected.is_empty()) {
                (_, true) => !listening.0.is_empty() && has_settled,
                (true, false) => plan.expected.is_subset(&listening.0),
                (false, false) => !plan.expected.is_disjoint(&listening.0) && has_settled,
            };
            let is_known_to_be_unwell = listens && listening.1.elapsed() > UNHEALTHY;
            match health {
                Some(Health::Healthy) if listens || has_settled => return Ok((Ready::Serving, health)),
                Some(Health::Unhealthy | Health::Unknown) if is_known_to_be_unwell => {
                    return Ok((Ready::Serving, health));
                }
                None if listens => return Ok((Ready::Serving, health)),
                None if plan.expected.is_empty() => {
                    let logs = self.engine.logs(plan.name)?;
                    if logs != said.0 {
                        said = (logs, Instant::now());
                    }
                    if said.1.elapsed() > QUIET {
                        return Ok((Ready::Working, health));
                    }
                }
                Some(_) | None => {}
            }
            if start.elapsed() > plan.ready_limit {
                return Ok((if listening.0.is_empty() { Ready::Never } else { Ready::Serving }, health));
            }
            thread::sleep(LOOK);
        }
    }

    fn ask(&self, listening: &BTreeSet<u16>) -> BTreeMap<(u16, String), Vec<Answer>> {
        let mut answers = BTreeMap::new();
        let Some(way) = &self.way else { return answers };
        for port in listening.iter().take(MOST_PORTS) {
            for path in self.plan.paths {
                let given = (0..self.plan.times).map(|_| way.ask(*port, path)).collect();
                answers.insert((*port, path.clone()), given);
            }
        }
        answers
    }

    fn smoke(&self, listening: &BTreeSet<u16>) -> Result<Option<(bool, String)>, Failure> {
        let (Some(check), Some(way)) = (self.plan.smoke, &self.way) else { return Ok(None) };
        let port = self.plan.expected.intersection(listening).next().or(listening.first()).copied();
        match way.smoke(check, self.plan.name, self.engine, port, self.plan.ready_limit) {
            Ok(ended) => {
                let said = format!("{}\n{}", ended.text(), ended.complaint());
                Ok(Some((ended.is_success(), last_lines(&said, 5))))
            }
            Err(Unfinished::Interrupted) => Err(Failure::Interrupted),
            Err(Unfinished::TimedOut) => Ok(Some((false, "it does not end".to_owned()))),
            Err(Unfinished::NotStarted(error)) => Ok(Some((false, format!("it cannot be started: {error}")))),
        }
    }
}
