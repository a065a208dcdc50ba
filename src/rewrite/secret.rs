//! Takes a credential out of a file: it is handed to the commands that read it as a build secret, and to nobody else.

mod assignment;
mod carrier;
mod file;
mod mount;
mod ssh;
mod stand_in;

use super::caller::{self, Handover, Instead, Obstacle};
use crate::{
    model::{Builder, DockerfileModel, credential},
    rule::{Cx, Fix, Safety},
    text::Edit,
};
pub use file::mount_copied;

use carrier::{Carrier, Reader};
use mount::Form;
use std::{collections::BTreeMap, fmt::Write as _};

/// Callers that a reason names.
const MOST_CALLERS: usize = 3;

/// Takes the credential in the variable `name` out of the file, with every variable that only repeats it.
///
/// A `RUN` that reads it is given it as a build secret, and whoever is seen to pass the argument hands the secret in, in
/// the same fix. Where one of them cannot be edited, that is manual, and a second fix mounts the secret and keeps the
/// argument.
///
/// # Errors
/// Why it stays: one clause.
pub fn take_out_variable(cx: &Cx<'_, DockerfileModel<'_>>, name: &str) -> Result<Vec<Fix>, String> {
    let model = cx.model;
    let mut carrier = Carrier::follow(model, name)?;
    let mut removals = Vec::new();
    for (instruction, names) in &carrier.assigned {
        let removed = assignment::remove(cx.file, model.syntax, instruction, names);
        removals.extend(removed.ok_or("a comment stands between the assignments, or the file ends in them")?);
    }
    let mut readers = carrier.readers.clone();
    let is_for_browsers = credential::is_for_browsers(name);
    if is_for_browsers || carrier.is_argument && !carrier.is_literal && readers.is_empty() {
        // Somebody hands it in for a reason, and the project's own code is the likeliest one. Nothing shows that it
        // cannot do without.
        for step in &carrier.suspects {
            let names = carrier.names_seen_by(*step);
            let always = is_for_browsers && carrier.is_literal;
            readers.insert(step.index(), Reader { names, always, keeps: false });
        }
    }
    let mut served = Vec::new();
    if carrier.is_literal && !is_for_browsers {
        for step in carrier.suspects.iter().filter(|step| !readers.contains_key(&step.index())) {
            let Some(edits) =
                stand_in::stand_in(cx.file, *step, &carrier.names_seen_by(*step), carrier.written.as_deref())
            else {
                continue;
            };
            removals.extend(edits);
            served.push(step.index());
        }
        carrier.suspects.retain(|step| !served.contains(&step.index()));
    }
    let id = carrier.name.to_ascii_lowercase();
    let instead = if readers.is_empty() { Instead::Nothing } else { Instead::Secret(&id) };
    let handed = if carrier.is_argument { Some(caller::hand_over(cx, name, instead)) } else { None };
    let (handover, obstacle) = match handed {
        Some(Ok(handover)) => (Some(handover), None),
        Some(Err(obstacle)) => (None, Some(obstacle)),
        None => (None, None),
    };
    let safety = if obstacle.is_none() { Safety::Risky } else { Safety::Manual };
    let mut reason = reason(&carrier, &id, &readers, handover.as_ref(), obstacle.as_ref());
    if let Some(line) = served.first().and_then(|index| model.step(*index)).map(|step| step.instruction().lines.0) {
        let _ = write!(reason, "; the task in line {line} needs it to be set, to whatever value");
    }
    let by_all = handover.as_ref().is_none_or(|handover| handover.by_all);
    let Handover { companions, places, .. } = handover.unwrap_or_default();
    if readers.is_empty() {
        let title = format!("Take `{name}` out of the image");
        return Ok(vec![Fix::new(title, safety, reason, removals).with(companions).shown_by(places)]);
    }
    let form = mount::form(&Builder::of(model.syntax, cx.file, cx.context))?;
    let mounts = |readers: &BTreeMap<usize, Reader>| -> Result<Vec<Edit>, String> {
        let mut edits = Vec::new();
        for (index, reader) in readers {
            let step = model.step(*index).expect("a reader is a step of the model");
            edits.extend(mount::mount(cx.file, step, &id, reader, form)?);
        }
        Ok(edits)
    };
    if !by_all {
        // Somebody builds without it, and has to be able to go on.
        for reader in readers.values_mut() {
            reader.always = false;
        }
    }
    removals.extend(mounts(&readers)?);
    let mount = Fix::new(format!("Mount `{name}` as a build secret"), safety, reason, removals);
    let mut fixes = vec![mount.with(companions).shown_by(places)];
    if obstacle.is_some() && form == Form::Variable {
        for reader in readers.values_mut() {
            reader.always = false;
        }
        let title = format!("Mount `{name}`, and keep the argument for a while");
        let reason =
            "a secret that is given wins over the argument, which stays readable until nobody passes it any more";
        fixes.push(Fix::new(title, Safety::Manual, reason, mounts(&readers)?));
    }
    Ok(fixes)
}

/// What to do when the fix is made, and why it has its safety.
fn reason(
    carrier: &Carrier<'_>,
    id: &str,
    readers: &BTreeMap<usize, Reader>,
    handover: Option<&Handover>,
    obstacle: Option<&Obstacle>,
) -> String {
    let name = &carrier.name;
    let mut clauses = Vec::new();
    if carrier.is_literal {
        clauses.push("rotate it, since the history of the repository and of built images keeps it".to_owned());
    }
    if !readers.is_empty() {
        clauses.push(format!("build with `--secret id={id},env={name}`"));
    }
    if readers.values().any(|reader| reader.keeps) {
        clauses.push("a command may still write it into a file of the image".to_owned());
    }
    if carrier.is_kept {
        clauses.push(format!(
            "a container that needs `{name}` must be given it when it starts (`-e`, `env_file`, a secret of the runtime)"
        ));
    }
    if let Some(step) = carrier.suspects.first().filter(|step| !readers.contains_key(&step.index())) {
        let line = carrier.line(step.instruction().span);
        clauses.push(format!("the code that runs in line {line} may read it"));
    }
    if let Some(obstacle) = obstacle {
        clauses.push(obstacle.text());
    }
    match handover {
        Some(handover) if !handover.places.is_empty() => {
            clauses.push(handed_over(&handover.named(), readers.is_empty()));
        }
        Some(_) => clauses.push("whoever passes it with `--build-arg` has to change that".to_owned()),
        None => {}
    }
    if clauses.is_empty() {
        clauses.push(format!("nothing else in the file reads `{name}`"));
    }
    clauses.join("; ")
}

/// What becomes of those who are seen to hand the argument in.
fn handed_over(places: &[String], is_dropped: bool) -> String {
    let named = places.iter().take(MOST_CALLERS).cloned().collect::<Vec<_>>().join(", ");
    let more = if places.len() > MOST_CALLERS { " and others" } else { "" };
    let verb = match (places.len(), is_dropped) {
        (1, false) => "hands it in as a secret",
        (1, true) => "no longer hands it in",
        (_, false) => "hand it in as a secret",
        (_, true) => "no longer hand it in",
    };
    format!("{named}{more} {verb} now, and whoever else passes it with `--build-arg` has to change that")
}
