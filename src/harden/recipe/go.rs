//! Go: one static program.
//!
//! Facts: `go help build` (`-o`), cmd/go and cmd/cgo (`CGO_ENABLED`), the README of distroless (`static` has certificates,
//! time zones and `/tmp`).

use crate::{
    harden::{Change, Declined, Proposal, Rung, Runtime, Start, Subject, Taken},
    model::StepCommand,
    rule::Safety,
};

/// The base of a program that needs no library.
const STATIC: &str = "gcr.io/distroless/static-debian12:nonroot";

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let runs = subject.runs();
    let builds: Vec<StepCommand<'_>> =
        runs.iter().flat_map(|step| step.commands()).filter(|command| is_build(*command)).collect();
    let build = *builds.last()?;
    let mut proposal = Proposal { stack: "Go".to_owned(), ..Proposal::default() };
    match runtime(subject, build) {
        Ok(runtime) => proposal.runtimes.push(runtime),
        Err(reason) => proposal.declined.push(Declined { rung: Rung::Clean, reason: reason.into() }),
    }
    Some(proposal)
}

fn is_build(command: StepCommand<'_>) -> bool {
    let Some(invocation) = command.invocation() else { return false };
    invocation.name() == Some("go") && invocation.arguments().next().is_some_and(|word| word.text() == "build")
}

fn runtime(subject: &Subject<'_>, build: StepCommand<'_>) -> Result<Runtime, String> {
    let words: Vec<String> = build.command.arguments().map(|word| word.text().into_owned()).collect();
    let output = words.iter().position(|word| word == "-o").and_then(|at| words.get(at + 1));
    let output = output.ok_or("`go build` without `-o`")?;
    let path = build.step.absolute(output).ok_or("the program's place depends on the build")?;
    let evidence = vec![subject.evidence(build.span(), "the program is built here")];
    Ok(Runtime {
        base: STATIC.to_owned(),
        taken: vec![Taken::at(path.clone())],
        start: Some(Start { entrypoint: Some(vec![path]), command: None }),
        changes: vec![Change {
            title: "Move the program into an image without a shell".into(),
            safety: Safety::Risky,
            reason: "the program is static".into(),
            evidence,
        }],
        ..Runtime::default()
    })
}
