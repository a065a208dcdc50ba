//! What is compiled into an image that starts a program of its base: extensions of a database, modules of a server. They
//! are built in a stage of the same image, and only what they install goes over.
//!
//! Facts: the manual of `pg_buildext` ("Make will be called with DESTDIR"), the documentation of `PostgreSQL` (Extension
//! Building Infrastructure).

use super::{
    install::{self, How, Install, STAGED},
    is_of_build,
};
use crate::{
    harden::{
        Declined, Proposal, Rung, Runtime, Subject, Taken,
        effect::{Effect, Kind},
        recipe::{common::change, whole::Whole},
        tree::{Tree, below},
    },
    knowledge::Role,
};

pub(in crate::harden::recipe) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let facts = subject.target.named_image()?.facts.as_deref()?;
    let is_service =
        matches!(facts.role.known(), Some(Role::Database | Role::Server | Role::Application | Role::Runtime));
    if !is_service {
        return None;
    }
    let mut whole = Whole::new(subject, None);
    let tree = Tree::of(subject).filter(|tree| tree.is_complete);
    let installs = install::installs(subject, tree.as_ref(), &whole.effects);
    if installs.is_empty() {
        return None;
    }
    whole.effects.retain(|effect| !builds(effect, &installs));
    let mut proposal = Proposal { stack: "C and C++".to_owned(), ..Proposal::default() };
    match apart(&whole, &installs) {
        Ok(runtime) => proposal.runtimes.push(runtime),
        Err(reason) => proposal.declined.push(Declined { rung: Rung::Clean, reason: reason.into() }),
    }
    Some(proposal)
}

/// Whether an effect builds what is installed, or brings its sources.
fn builds(effect: &Effect<'_>, installs: &[Install]) -> bool {
    let is_source = |path: &String| {
        installs.iter().any(|install| install.sources.iter().any(|sources| below(sources, path).is_some()))
    };
    match &effect.kind {
        Kind::Build { .. } => effect.command.is_some_and(is_of_build),
        Kind::Files(places) | Kind::Download { to: places, .. } | Kind::Copied { to: places, .. } => {
            !places.known.is_empty() && !places.is_hidden && places.known.iter().all(is_source)
        }
        _ => false,
    }
}

fn apart(whole: &Whole<'_, '_>, installs: &[Install]) -> Result<Runtime, String> {
    let mut runtime = whole
        .on(whole.own_base(), |effect| Err(format!("line {} installs packages of a language", whole.line(effect))))?;
    let mut lines = Vec::new();
    for install in installs {
        match &install.how {
            How::Staged(line) => lines.push(line.clone()),
            How::Files(paths) => runtime.taken.extend(paths.iter().cloned().map(Taken::at)),
            How::Prefix => runtime.taken.push(Taken::at(install.prefix.clone())),
            How::Nothing => {}
            How::Hidden(reason) => return Err(reason.to_string()),
        }
    }
    if !lines.is_empty() {
        runtime.build_end.extend(lines);
        runtime.taken.push(Taken { from: format!("{STAGED}/"), to: "/".to_owned() });
    }
    let reason = "the same image starts once more, with what was compiled for it, without what compiled it";
    let place = whole.subject.evidence(installs[0].span, "installs what was compiled");
    runtime.changes.insert(0, change("Build in a stage of its own", reason, place));
    Ok(runtime)
}
