//! Scripts that start the image of a Dockerfile with what is of use to nobody but root.

use super::{
    CrossingKind, Place,
    actor::{self, Order},
    evidence,
};
use crate::context::{self, BuildContext};

/// Where a script around builds the Dockerfile that `context` is about and starts what comes of it with what is of use to
/// nobody but root; and what that is.
pub fn powered_run(context: BuildContext<'_>) -> Option<(Place, String)> {
    let dockerfile = context::resolve("", context.path());
    let files = evidence::builders(context).into_iter();
    let starts = |text: &[u8]| memchr::memmem::find(text, b"build").is_some();
    let actors = files
        .filter(|(file, _)| starts(&file.text))
        .flat_map(|(file, kind)| actor::of_file(&file.path, kind, &file.text, context.of(&file.path)));
    let (runs, builds): (Vec<_>, Vec<_>) = actors.partition(|actor| actor.is_run);
    let is_own = |order: &Order| matches!(order, Order::File(path) if *path == dockerfile);
    let names: Vec<&String> = builds
        .iter()
        .filter(|actor| is_own(&actor.builds))
        .flat_map(|actor| &actor.names)
        .filter_map(|name| name.repository.as_ref())
        .collect();
    runs.into_iter().find_map(|run| {
        let is_theirs = run.names.iter().any(|name| name.repository.as_ref().is_some_and(|name| names.contains(&name)));
        // Who names a user has decided already.
        if !is_theirs || run.caller.user.is_some() {
            return None;
        }
        let crossing = run.crossings.into_iter().find(|crossing| match crossing.kind {
            CrossingKind::Privileged | CrossingKind::EngineSocket | CrossingKind::Device | CrossingKind::Capability => {
                true
            }
            CrossingKind::HostNamespace
            | CrossingKind::SystemPath
            | CrossingKind::Unconfined
            | CrossingKind::Download
            | CrossingKind::HostPath
            | CrossingKind::Port => false,
        })?;
        let is_all = crossing.kind == CrossingKind::Privileged;
        let what = if is_all { "makes it privileged".to_owned() } else { format!("gives it `{}`", crossing.what) };
        Some((crossing.place, what))
    })
}
