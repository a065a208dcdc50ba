//! What each stack needs at run time, and what only its build needs: one file for each.
//!
//! A recipe looks at a [`Subject`] and answers nothing where it is not of its kind. What it cannot prove it declines,
//! with the rung and what would prove it.

mod bun;
mod common;
mod compiled;
mod copied;
mod deno;
mod dotnet;
mod elixir;
mod generic;
mod go;
mod haskell;
mod java;
mod native;
mod node;
mod php;
mod python;
mod ruby;
mod rust;
mod system;
mod whole;

use super::{Declined, Proposal, Rung, Runtime, Subject, kept_back};
use crate::rewrite::user;

/// The recipes, in the order in which they are asked. The first that knows the stack answers.
const RECIPES: &[fn(&Subject<'_>) -> Option<Proposal>] = &[
    go::propose,
    node::propose,
    python::propose,
    java::propose,
    rust::propose,
    deno::propose,
    dotnet::propose,
    bun::propose,
    haskell::propose,
    elixir::propose,
    ruby::propose,
    php::propose,
    native::propose,
    native::extension::propose,
    generic::propose,
    system::propose,
];

/// What could take the place of the image of `subject`; nothing where no recipe knows its stack, and where nothing
/// is left to take apart.
pub fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    if subject.target.is_workshop() {
        return None;
    }
    let (rebase, declined) = match copied::propose(subject) {
        Some(Ok(rebase)) => (Some(rebase), None),
        Some(Err(reason)) => (None, Some(Declined { rung: Rung::NoShell, reason: reason.into() })),
        None => (None, None),
    };
    if rebase.is_some() {
        return Some(Proposal { stack: "Go".to_owned(), rebase, ..Proposal::default() });
    }
    let found = subject.is_whole().then(|| RECIPES.iter().find_map(|recipe| recipe(subject))).flatten();
    let mut proposal = found.or_else(|| declined.as_ref().map(|_| Proposal::default()))?;
    proposal.declined.extend(declined);
    if let Some(reason) = user::needs_all(&subject.cx.context, subject.target) {
        proposal.runtimes.retain(|runtime| runtime.start.is_some());
        if proposal.runtimes.is_empty() {
            return Some(Proposal::of(&proposal.stack, Err(reason.into())));
        }
    }
    let takes_home = |runtime: &Runtime| runtime.taken.iter().any(|taken| taken.to.trim_end_matches('/') == "/root");
    if proposal.runtimes.iter().any(takes_home) {
        let reason = "its program lies in the home of root itself, among what tools of the build keep there";
        return Some(Proposal::of(&proposal.stack, Err(reason.into())));
    }
    proposal.runtimes.iter_mut().for_each(|runtime| kept_back::keep_back(subject, runtime));
    let Some(left) = subject.target.data_in_root_home(&subject.cx.context) else { return Some(proposal) };
    let line = subject.cx.file.locate(left.span.start).line;
    let reason = format!("line {line} puts {} into the home of root, where another image does not have it", left.what);
    Some(Proposal::of(&proposal.stack, Err(reason.into())))
}
