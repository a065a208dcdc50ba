//! Another user for an image: which one, what it must own, and where `USER` goes.
//!
//! One engine for rules and `harden`. It answers a fix, which is always risky because only a start proves that nothing
//! else is written, or a sentence that says what stands in the way.

mod identity;
mod obstacle;
mod place;
mod root;
mod server;
mod staging;
mod unseen;

use crate::{
    context::BuildContext,
    knowledge::ImageFacts,
    model::{
        Base, DockerfileModel, Stage, Step, UserOrigin, Writes, Written, compose::ServiceMountKind, graph::Callers,
    },
    rule::{Cx, Fix, Safety},
    syntax::dockerfile::Keyword,
    text::Edit,
};
use identity::{Identity, Kept, Making};
use place::{Handed, Owned};
use server::Server;
use std::borrow::Cow;

pub use root::why_root;
pub use unseen::needs_all;

/// Why nobody else can run an image: a sentence.
pub type Obstacle = Cow<'static, str>;

/// Makes the image of `target` start as somebody without privileges who owns what it writes.
///
/// That is the user whom the file names last, if it has none yet one of the base image, or a new one. The number is
/// always written, also where the base image says it. Without edits the file says all of that already. An image without
/// a shell gets its directories from a stage that it copies from.
///
/// # Errors
/// What stands in the way, or what nobody can tell.
pub fn unprivileged(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> Result<Fix, Obstacle> {
    run_as(cx, target, Some(target), || identity::identity(target))
}

/// The same, as the user who runs the image of `old`: what an image that is split off another one needs. Who has no
/// number there that can be told is replaced as by [`unprivileged`].
///
/// # Errors
/// What stands in the way, or what nobody can tell.
pub fn restated(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>, old: Stage<'_>) -> Result<Fix, Obstacle> {
    run_as(cx, target, Some(old), || identity::restated(old, target))
}

/// The same, as the user with the numbers `ids`, whom somebody asked for who knows the image: what is not seen of its
/// start is no obstacle then.
///
/// # Errors
/// What stands in the way.
pub fn asked(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>, ids: (u32, u32)) -> Result<Fix, Obstacle> {
    run_as(cx, target, None, || Ok(identity::asked(target, ids)))
}

fn run_as(
    cx: &Cx<'_, DockerfileModel<'_>>,
    target: Stage<'_>,
    old: Option<Stage<'_>>,
    identity: impl FnOnce() -> Result<Identity, Obstacle>,
) -> Result<Fix, Obstacle> {
    if let Some(obstacle) = obstacle::obstacle(target) {
        return Err(obstacle);
    }
    obstacle::service_obstacle(&cx.context, target)?;
    obstacle::start_script_obstacle(&cx.context, target)?;
    obstacle::data_obstacle(&cx.context, target)?;
    obstacle::caller_obstacle(&cx.context, target)?;
    obstacle::documented_obstacle(&cx.context, target)?;
    let server = server::server(cx, target)?;
    // Who runs it without privileges already does what nobody sees without them.
    let was_unprivileged = old.is_some_and(|old| old.user().user.is_unprivileged());
    if old.is_some() && !was_unprivileged {
        unseen::unseen_obstacle(&cx.context, target)?;
    }
    let mut identity = identity()?;
    let home = root_home(target, &mut identity)?;
    let mut writes = target.writes(&cx.context);
    writes.assumed.take_if(|_| was_unprivileged);
    let is_given = |path: &str| target.gives(path, identity.uid, identity.name.as_deref());
    if let Some(place) = writes.system.iter().find(|place| !is_given(&place.path)) {
        let (path, file, line) = (&place.path, &place.file, place.line);
        return Err(format!("{file}:{line}, which starts it, writes into `{path}`, where only root may").into());
    }
    let mut handed = handed(target, &identity, &writes, server);
    handed.owned.extend(home);
    // A directory that is copied is root's again, whoever had it.
    if let Some(workdir) = target.workdir().path.known().filter(|path| *path != "/")
        && let Some(old) = old.filter(|old| *old != target)
    {
        let is_theirs = |stage: Stage<'_>| stage.gives(workdir, identity.uid, identity.name.as_deref());
        let is_handed = handed.owned.iter().any(|owned| owned.path == *workdir);
        if is_theirs(old) && !target.always_gives(workdir, identity.uid, identity.name.as_deref()) && !is_handed {
            handed.owned.push(Owned { path: workdir.to_owned(), is_file: false, is_deep: false });
        }
    }
    let edits = place::edits(cx, target, &identity, &handed)?;
    let title = match &identity.name {
        Some(name) => format!("Run as `{name}` ({})", identity.written()),
        None => format!("Run as {}", identity.written()),
    };
    Ok(Fix::new(title, Safety::Risky, reason(&cx.context, target, &identity, &writes, &handed.owned), edits))
}

/// The home of root, to be given to `identity` where the image starts from there: who is made for the image lives in it,
/// and who has a home keeps that.
///
/// # Errors
/// What is needed from there, where nobody else would find it.
fn root_home(target: Stage<'_>, identity: &mut Identity) -> Result<Option<Owned>, Obstacle> {
    let Some(found) = target.in_root_home() else { return Ok(None) };
    if found.is_placed && target.always_gives(ROOT_HOME, identity.uid, identity.name.as_deref()) {
        return Ok(None);
    }
    if !found.is_placed || has_no_shell(target) || identity.home.is_some() {
        return Err(obstacle::in_root_home(target, &found));
    }
    if matches!(identity.making, Making::Shadow | Making::BusyBox) {
        identity.home = Some(ROOT_HOME.to_owned());
    }
    Ok(Some(Owned { path: ROOT_HOME.to_owned(), is_file: false, is_deep: true }))
}

/// Where root lives.
const ROOT_HOME: &str = "/root";

/// What has to be done to files so that `identity` can do its work.
fn handed(target: Stage<'_>, identity: &Identity, writes: &Writes, server: Server) -> Handed {
    let is_given = |path: &str| target.always_gives(path, identity.uid, identity.name.as_deref());
    let mut owned: Vec<Owned> = writes.places.iter().filter(|place| !is_given(&place.path)).map(Owned::of).collect();
    // An image without a shell has nothing to give it with but a copy, which is a guess too much.
    let assumed = writes.assumed.iter().filter(|place| !has_no_shell(target) && !is_given(&place.path));
    owned.extend(assumed.map(Owned::of));
    owned.extend(server.owns.into_iter().filter(|path| !is_given(path)).map(|path| Owned {
        path,
        is_file: false,
        is_deep: true,
    }));
    owned.extend(server.files.into_iter().filter(|path| !is_given(path)).map(|path| Owned {
        path,
        is_file: true,
        is_deep: false,
    }));
    let mut handed = Handed { owned, readable: place::unreadable(target), ..Handed::default() };
    // An empty image has neither a place for temporary files nor a home.
    if matches!(target.root_base(), Base::Scratch) {
        let brings = |path: &str| {
            target
                .chain_steps()
                .any(|step| step.destination().and_then(|word| step.absolute_arg(word)).as_deref() == Some(path))
        };
        if writes.temporary.is_some() && !brings("/tmp") {
            handed.missing.push("/tmp");
        }
        if writes.home.is_some() && target.variable("HOME").is_none() {
            handed.missing.push(HOME);
            handed.home = Some(HOME);
        }
    }
    handed
}

/// The home of the user of images without a shell, as distroless images have it.
const HOME: &str = "/home/nonroot";

/// A path that the image of `target` writes and that the steps do not give to the user with the number `uid`, also called
/// `name`; with what says that it is written. `None` where there is none, as far as the files tell.
///
/// # Errors
/// Why nobody can tell.
pub fn withheld(
    cx: &Cx<'_, DockerfileModel<'_>>,
    target: Stage<'_>,
    uid: u32,
    name: Option<&str>,
) -> Result<Option<(String, String)>, Obstacle> {
    let is_given = |path: &str| target.gives(path, uid, name);
    let writes = target.writes(&cx.context);
    if let Some(place) = writes.places.iter().find(|place| !is_given(&place.path)) {
        return Ok(Some((place.path.clone(), format!("{}:{}", place.file, place.line))));
    }
    // Nobody else may enter the home of root, so that the container would not start there.
    let workdir = target.workdir();
    let is_of_root = workdir.path.known().is_some_and(|path| path == ROOT_HOME || path.starts_with("/root/"));
    if is_of_root && !matches!(target.root_base(), Base::Scratch) && !target.always_gives(ROOT_HOME, uid, name) {
        return Err("its working directory lies in the home of root, which nobody else may enter".into());
    }
    // A base that does not run as root is made for its own user.
    if matches!(target.user().origin, UserOrigin::BaseImage { .. }) {
        return Ok(None);
    }
    let server = server::server(cx, target)?;
    let path = server.owns.into_iter().chain(server.files).find(|path| !is_given(path));
    Ok(path.map(|path| (path, "the server of the base image".to_owned())))
}

/// Gives the user `name`, whom the file makes without a number, one; and names it by that in the last `USER`.
///
/// `None` where the file does not make the user, or makes another one too.
pub fn number(target: Stage<'_>, name: &str) -> Option<Fix> {
    let identity = identity::own_user(target).ok()??;
    let UserOrigin::Instruction { span, .. } = target.user().origin else { return None };
    let (Making::Number(edit), Some(made)) = (&identity.making, &identity.name) else { return None };
    if made != name {
        return None;
    }
    let edits = vec![edit.clone(), Edit::replace(target.model().file.id, span, identity.written())];
    let (safety, reason): (_, Cow<'static, str>) = match identity::kept_number(target, &identity) {
        Kept::Certainly => (Safety::Safe, "it is the number that the system gives the first user of its own".into()),
        Kept::Likely => (
            Safety::Risky,
            "it is the number that the system gives the first user of its own: check that nothing makes another before"
                .into(),
        ),
        Kept::No => (
            Safety::Risky,
            format!(
                "the user had a number that the system chose: volumes made before need `chown -R {}` once",
                identity.written()
            )
            .into(),
        ),
    };
    Some(Fix::new(format!("Number `{name}` {}", identity.written()), safety, reason, edits))
}

/// Why those that run the image of `target` would not do with anybody else than root, if that is so.
pub fn needed_by_callers(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> Option<Obstacle> {
    let by_callers = obstacle::caller_obstacle(&cx.context, target);
    by_callers.and_then(|()| obstacle::documented_obstacle(&cx.context, target)).err()
}

fn has_no_shell(target: Stage<'_>) -> bool {
    matches!(target.root_base(), Base::Scratch) || target.image_facts().is_some_and(ImageFacts::has_no_shell)
}

/// So many mounts are told.
const MOST_MOUNTS: usize = 3;

/// What those that run the image mount from the host to be written, with the places that say so.
fn bound_by_callers(context: &BuildContext<'_>, target: Stage<'_>) -> Vec<String> {
    let callers = Callers::of(*context);
    let mounts = callers.of_target(target.name()).flat_map(|caller| &caller.mounts);
    let bound = mounts.filter(|mount| mount.kind == ServiceMountKind::Bind && !mount.is_read_only);
    let told = bound
        .filter_map(|mount| Some(format!("`{}` ({}:{})", mount.target.as_ref()?, mount.place.path, mount.place.line)));
    told.take(MOST_MOUNTS).collect()
}

/// What was found, what was not, and what is left to do.
fn reason(
    context: &BuildContext<'_>,
    target: Stage<'_>,
    identity: &Identity,
    writes: &Writes,
    owned: &[Owned],
) -> String {
    let mut parts = Vec::new();
    if writes.places.is_empty() {
        let is_given = |assumed: &&Written| owned.iter().any(|owned| owned.path == assumed.path);
        parts.push(match (writes.files, writes.assumed.as_ref().filter(is_given)) {
            (0, Some(assumed)) => format!(
                "no program of the build context could be read, so what it writes is not known: its working directory \
                 `{}` is given to it, start it and look",
                assumed.path
            ),
            (0, None) => {
                "no program of the build context could be read, so what it writes is not known: start it and look"
                    .to_owned()
            }
            (files, _) => format!(
                "no write was found in {files} files of the build context, which proves nothing: start it and look"
            ),
        });
    } else {
        let evidence: Vec<String> =
            writes.places.iter().map(|place| format!("`{}` ({}:{})", place.path, place.file, place.line)).collect();
        parts.push(format!("it writes {}; what else it writes would fail", evidence.join(", ")));
    }
    let bound = bound_by_callers(context, target);
    if !bound.is_empty() {
        parts.push(format!(
            "what is mounted from the host has to let {} write, if it is written: {}",
            identity.uid,
            bound.join(", ")
        ));
    }
    if owned.iter().any(|owned| owned.path == ROOT_HOME) {
        parts.push("what it starts lies in the home of root, which is given to it".to_owned());
    }
    let is_low = |step: &Step<'_>| {
        step.keyword() == Keyword::Expose
            && step
                .expand_words(&String::from_utf8_lossy(step.instruction().args_text(&target.model().file.text)))
                .is_ok_and(|ports| {
                    ports.iter().any(|port| {
                        port.text
                            .split('/')
                            .next()
                            .and_then(|port| port.parse::<u16>().ok())
                            .is_some_and(|port| port < 1024)
                    })
                })
    };
    if target.chain_steps().any(|step| is_low(&step)) {
        parts.push(
            "the port below 1024 stays, which Docker 20.10 and containerd 2 let everybody bind, and CRI-O does not"
                .to_owned(),
        );
    }
    // The system gives the first person 1000.
    let is_renumbered = matches!(identity.making, Making::Number(_)) && identity.uid != identity::FIRST_ID;
    if !owned.is_empty() || is_renumbered {
        parts.push(format!("volumes made before need `chown -R {}` once", identity.written()));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests;
