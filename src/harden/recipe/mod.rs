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

use super::{Change, Declined, Proposal, Rung, Runtime, Subject, kept_back, tree::Tree};
use crate::{model::Step, rewrite::user, text::Edit};

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
    if subject.target.is_workshop() || subject.target.holds_no_program() {
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

/// Takes the steps of a Python application out that only install Node.js, where nothing in it is written for Node.js.
pub fn without_node(subject: &Subject<'_>) -> Option<(Vec<Edit>, Change)> {
    // What runs JavaScript for Python looks for Node.js itself (PyExecJS, nodeenv).
    const CALLERS: [&str; 3] = ["execjs", "nodeenv", "node_modules"];
    let is_python = subject.target.named_image().is_some_and(|image| image.reference.name().ends_with("/python"));
    let mut dropped = if is_python { whole::Whole::new(subject, None).drop_node() } else { Vec::new() };
    let first = dropped.iter().map(|(edit, _)| edit.span.start).min()?;
    let tree = Tree::of(subject)?;
    let texts = tree.files.iter().filter_map(|file| subject.text_of(file));
    let may_call = |text: String| CALLERS.iter().any(|caller| text.to_ascii_lowercase().contains(caller));
    // The lists that its script fetches are those that later steps install from, unless these fetch them again.
    let needs_lists = |step: &Step<'_>| {
        let installs = step.package_commands().any(|call| call.call.manager.is_system());
        step.instruction().span.start > first && installs && !step.scripts_hold("update")
    };
    if subject.runs().iter().any(needs_lists) || texts.into_iter().any(may_call) {
        return None;
    }
    let (_, change) = dropped.first().cloned()?;
    Some((dropped.drain(..).map(|(edit, _)| edit).collect(), change))
}
