//! Takes a credential out of a file: it is handed to the commands that read it as a build secret, and to nobody else.

mod assignment;
mod carrier;
mod mount;

use crate::{
    model::{Builder, Caller, DockerfileModel, callers},
    rule::{Cx, Fix, Safety},
    text::Edit,
};
use carrier::Carrier;

/// Callers that a reason names.
const MOST_CALLERS: usize = 3;

/// Takes the credential in the variable `name` out of the file, with every variable that only repeats it.
///
/// A `RUN` that reads it is given it as a build secret.
///
/// # Errors
/// Why it stays: one clause.
pub fn take_out_variable(cx: &Cx<'_, DockerfileModel<'_>>, name: &str) -> Result<Fix, String> {
    let model = cx.model;
    let carrier = Carrier::follow(model, name)?;
    let mut edits = Vec::new();
    for (instruction, names) in &carrier.assigned {
        let removed = assignment::remove(cx.file, model.syntax, instruction, names);
        edits.extend(removed.ok_or("a comment stands between the assignments, or the file ends in them")?);
    }
    let mut readers = carrier.readers.clone();
    if carrier.is_argument && !carrier.is_literal {
        // Somebody hands it in for a reason, and the project's own code is the likeliest one.
        readers.extend(carrier.suspects.iter().map(|step| (step.index(), carrier.names_seen_by(*step))));
    }
    let id = carrier.name.to_ascii_lowercase();
    if !readers.is_empty() {
        let builder = Builder::of(model.syntax, cx.file, cx.context);
        let form = mount::form(&builder)?;
        for (index, names) in &readers {
            let step = model.step(*index).ok_or("a step is gone")?;
            edits.extend(mount::mount(cx.file, step, &id, names, form)?);
        }
    }
    let callers = if carrier.is_argument { callers(cx.context, name) } else { Vec::new() };
    Ok(fix(&carrier, &id, !readers.is_empty(), &callers, edits))
}

fn fix(carrier: &Carrier<'_>, id: &str, is_mounted: bool, callers: &[Caller], edits: Vec<Edit>) -> Fix {
    let name = &carrier.name;
    let title = if is_mounted {
        format!("Mount `{name}` as a build secret")
    } else {
        format!("Take `{name}` out of the image")
    };
    let mut clauses = Vec::new();
    if carrier.is_literal {
        clauses.push("rotate it, since the history of the repository and of built images keeps it".to_owned());
    }
    if is_mounted {
        clauses.push(format!("the build fails until it is given `--secret id={id},env={name}`"));
    }
    if carrier.is_kept {
        clauses.push(format!(
            "a container that needs `{name}` must be given it when it starts (`-e`, `env_file`, a secret of the runtime)"
        ));
    }
    if let Some(step) = carrier.suspects.first().filter(|_| carrier.is_literal) {
        let line = carrier.line(step.instruction().span);
        clauses.push(format!("the project's code that runs in line {line} may read it"));
    }
    if !callers.is_empty() {
        let places: Vec<String> =
            callers.iter().take(MOST_CALLERS).map(|caller| format!("{}:{}", caller.path, caller.line)).collect();
        let more = if callers.len() > MOST_CALLERS { " and others" } else { "" };
        clauses.push(format!("{}{more} must hand it in as a secret, not as a build argument", places.join(", ")));
    } else if carrier.is_argument {
        clauses.push("whoever passes it with `--build-arg` has to be changed too".to_owned());
    }
    if clauses.is_empty() {
        clauses.push(format!("nothing else in the file reads `{name}`"));
    }
    let safety = if callers.is_empty() { Safety::Risky } else { Safety::Manual };
    Fix::new(title, safety, clauses.join("; "), edits)
}
