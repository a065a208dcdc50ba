//! What a finished image needs of those that run it.
//!
//! Whoever is not root writes where the image gave something away, into the directory for temporary files, and into
//! what is mounted: as far as its program is read, that is all that has to stay writable.

use super::is_in;
use crate::{
    harden::rung,
    model::{Base, DockerfileModel, Ids, Ports, Stage, Step, User},
    rule::Cx,
    syntax::dockerfile::{Arguments, Keyword},
};
use std::borrow::Cow;

/// What an image needs.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Who runs it.
    pub ids: Ids,
    /// Whether the image says that by number, which is all that a cluster believes.
    pub is_numbered: bool,
    /// Whether it ran as root, and does not any more.
    pub was_root: bool,
    /// Where it writes; or why that is not known.
    pub writes: Result<Vec<Place>, Cow<'static, str>>,
    /// Directories that are declared to be volumes.
    pub volumes: Vec<String>,
    /// A port below 1024 that it says it listens on.
    pub low_port: Option<u16>,
    /// What is in it beside the program.
    pub beside: Beside,
    /// What those that run it call in it that may not be there.
    pub called: Option<String>,
}

/// What is in an image beside its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Nothing: a directory for temporary files is not everybody's by itself.
    Nothing,
    /// Files, and none that loads libraries.
    Files,
    /// A dynamic loader, or there may be one: programs unpack libraries and load them.
    Loader,
}

impl Beside {
    fn of(target: Stage<'_>) -> Self {
        let has_no_loader = target.image_facts().is_some_and(|facts| facts.libc.known() == Some(&None));
        match target.root_base() {
            Base::Scratch => Self::Nothing,
            Base::Image(_) if has_no_loader => Self::Files,
            Base::Image(_) | Base::Stage(_) | Base::Unknown(_) => Self::Loader,
        }
    }
}

/// A directory that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The absolute path.
    pub path: String,
    /// What says so: a place of a file, or a sentence.
    pub shown_by: String,
    /// Whether what lies there is worth nothing when the container is gone.
    pub is_passing: bool,
}

/// The first port that everybody may open wherever a container runs.
const FIRST_FREE: u16 = 1024;

/// Names of directories of which nobody misses what was in them.
const PASSING: [&str; 9] = ["tmp", "temp", "cache", ".cache", "log", "logs", "run", "pids", "sockets"];

impl Needs {
    /// What the image of `target` needs, if it certainly does not run as root; `was_root` where it did.
    pub fn of(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>, was_root: bool) -> Option<Self> {
        let user = target.user();
        let ids = target.user_ids().filter(|ids| ids.uid != 0)?;
        Some(Self {
            ids,
            is_numbered: matches!(user.user, User::Numeric { .. }),
            was_root,
            writes: writes(cx, target),
            volumes: volumes(target),
            low_port: target
                .chain_steps()
                .flat_map(Step::exposed_ports)
                .find_map(|(Ports { first, .. }, _)| (1..FIRST_FREE).contains(&first).then_some(first)),
            beside: Beside::of(target),
            called: rung::called(cx, target),
        })
    }

    /// The number of the group that volumes are given to.
    pub fn group(&self) -> u32 {
        self.ids.gid.filter(|gid| *gid != 0).unwrap_or(self.ids.uid)
    }
}

/// Where the image of `target` writes.
fn writes(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> Result<Vec<Place>, Cow<'static, str>> {
    let writes = target.writes(&cx.context);
    if let Some(place) = writes.system.first() {
        return Err(format!("{}:{} writes into `{}`", place.file, place.line, place.path).into());
    }
    if writes.files == 0 {
        return Err("no program of the build context could be read, so what it writes is not known".into());
    }
    if let Some(line) = ships_temporary(target) {
        return Err(format!("line {line} puts files into `/tmp`, which memory there would hide").into());
    }
    let mut places: Vec<Place> = writes
        .places
        .iter()
        .filter(|place| !place.is_file)
        .map(|place| Place {
            path: place.path.clone(),
            shown_by: format!("{}:{}", place.file, place.line),
            is_passing: !place.is_shallow && is_passing(&place.path),
        })
        .collect();
    let is_covered = |places: &[Place], path: &str| places.iter().any(|place| is_in(path, &place.path));
    if let Some(home) = &writes.home {
        let path = home_of(target).ok_or("it asks for the home of its user, and where that is is not known")?;
        if !is_covered(&places, &path) {
            places.push(Place { path, shown_by: format!("{}:{}", home.path, home.line), is_passing: true });
        }
    }
    let of_base = target.image_facts().and_then(|facts| facts.writable.known());
    for path in of_base.into_iter().flatten() {
        if !is_covered(&places, path) {
            places.push(Place { path: path.clone(), shown_by: "its base image".to_owned(), is_passing: true });
        }
    }
    let has_temporary = writes.temporary.is_some() || !matches!(target.root_base(), Base::Scratch);
    if has_temporary && !is_covered(&places, "/tmp") {
        let shown_by = writes
            .temporary
            .as_ref()
            .map_or_else(|| "it is everybody's".to_owned(), |evidence| format!("{}:{}", evidence.path, evidence.line));
        places.push(Place { path: "/tmp".to_owned(), shown_by, is_passing: true });
    }
    Ok(places)
}

/// The line of a step that puts files of its own into the directory for temporary files.
fn ships_temporary(target: Stage<'_>) -> Option<u32> {
    let fills = |step: &Step<'_>| {
        let to = step.destination().and_then(|word| step.absolute_arg(word)).unwrap_or_default();
        // The directory itself, out of the build, is how an image from nothing gets one.
        to.starts_with("/tmp/") || to == "/tmp" && step.copy_source().is_none()
    };
    let mut steps = target.chain_steps().filter(|step| matches!(step.keyword(), Keyword::Copy | Keyword::Add));
    steps.find(fills).map(|step| step.instruction().lines.0)
}

fn is_passing(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    PASSING.contains(&name)
        || ["/var/cache", "/var/log", "/run", "/var/run", "/var/tmp"].iter().any(|it| is_in(path, it))
}

/// The home of the user of an image, if it is known.
fn home_of(target: Stage<'_>) -> Option<String> {
    if let Some(variable) = target.variable("HOME") {
        return variable.value.as_ref()?.known().map(str::to_owned).filter(|home| home.starts_with('/'));
    }
    let identity = target.image_facts()?.identity.known()?.as_ref()?;
    let is_theirs = identity.uid.is_some() && identity.uid == target.user_ids().map(|ids| ids.uid);
    identity.home.clone().filter(|_| is_theirs)
}

/// The directories that are declared to be volumes.
fn volumes(target: Stage<'_>) -> Vec<String> {
    let of_base = target.image_facts().and_then(|facts| facts.volumes.known());
    let mut found: Vec<String> = of_base.into_iter().flatten().cloned().collect();
    for step in target.chain_steps().filter(|step| step.keyword() == Keyword::Volume) {
        let (Arguments::Json(words) | Arguments::Words(words)) = step.arguments() else { continue };
        found.extend(words.iter().filter_map(|word| step.absolute_arg(word)));
    }
    found
}
