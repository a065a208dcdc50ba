//! Images of a distribution that hold a program of another stage and nothing that needs the distribution: a static
//! program runs without one.
//!
//! Facts: the README of distroless (`static` has certificates, time zones, `/tmp` and `passwd`).

use super::{
    common::place,
    compiled::{self, Build},
    go::{self, Linkage},
};
use crate::{
    harden::{
        Change, Rebase, Subject,
        effect::{self, Effect, Kind, absolute},
        trim,
    },
    knowledge::Role,
    model::{CopySource, Process, ScriptForm, Stage, Step, file_name, graph::Callers, join_path},
    rule::Safety,
    syntax::dockerfile::{Editor, Keyword},
    text::Edit,
};

/// Packages of distributions whose files the image without one has as well.
const INSIDE: [&str; 2] = ["ca-certificates", "tzdata"];

/// Another base for an image that starts a Go program of another stage, or why it keeps its own; `None` where it is no
/// such image.
pub(super) fn propose(subject: &Subject<'_>) -> Option<Result<Rebase, String>> {
    let target = subject.target;
    let facts = target.named_image()?.facts.as_deref()?;
    if target.parent().is_some() || facts.role.known() != Some(&Role::Os) || facts.has_no_shell() {
        return None;
    }
    let effects = effect::effects(subject);
    let startup = subject.startup();
    let process = startup.process.as_ref()?;
    let program = process.words.first()?.known()?;
    let (stage, source) = copied_program(subject, &effects, program)?;
    let builder = Subject::at(subject.cx, stage);
    let build = Build::new(&builder, &go::LANGUAGE, |effect, _| go::made(&builder, effect));
    build.made.at(&source)?;
    Some(rebased(subject, &effects, &build, process))
}

/// The stage that the program is copied from that the image starts, and its path there.
fn copied_program<'a>(subject: &Subject<'a>, effects: &[Effect<'a>], program: &str) -> Option<(Stage<'a>, String)> {
    let workdir = subject.target.workdir().path.known();
    let path = program.contains('/').then(|| absolute(workdir, program)).flatten();
    effects.iter().rev().find_map(|effect| {
        let Kind::Copied { sources, from: Some(CopySource::Stage(index)), to } = &effect.kind else { return None };
        let ([source], [to], false) = (sources.as_slice(), to.known.as_slice(), to.is_hidden) else { return None };
        let inside = join_path(to, file_name(source));
        let is_program = match &path {
            Some(path) => path == to || *path == inside,
            None => file_name(to) == program || file_name(&inside) == program,
        };
        is_program.then(|| Some((subject.cx.model.stage(*index)?, join_path("/", source)))).flatten()
    })
}

fn rebased(
    subject: &Subject<'_>,
    effects: &[Effect<'_>],
    build: &Build<'_, '_>,
    process: &Process,
) -> Result<Rebase, String> {
    let Linkage::Static { edits, reason, mut evidence } = go::linkage(build, false) else {
        return Err(
            "the program may load the C library: built with `CGO_ENABLED=0` it would need no distribution".to_owned()
        );
    };
    calls_nothing(build)?;
    is_started_alone(subject)?;
    let mut edits = edits;
    edits.extend(without_packages(subject, effects)?);
    evidence.push(place(&process.evidence.path, process.evidence.line, "what is started"));
    Ok(Rebase {
        base: compiled::with_its_user(subject, &compiled::data().images.fixed).to_owned(),
        change: Change {
            title: "Run on a base without a shell".into(),
            safety: Safety::Risky,
            reason: format!("{reason}; it starts no other program, and nothing else of the base is used").into(),
            evidence,
        },
        edits,
    })
}

/// Whether the text of the program is seen to start no other.
fn calls_nothing(build: &Build<'_, '_>) -> Result<(), String> {
    if !build.is_seen() {
        return Err("the text of the program is not in the build context, so that it may start others".to_owned());
    }
    match build.sources.calls(&go::LANGUAGE).first() {
        Some(call) => Err(format!("{}:{} {}", call.place.path, call.place.line, call.place.shows)),
        None => Ok(()),
    }
}

/// Whether no shell stands before the program, no health check needs one, and no other file starts something else.
fn is_started_alone(subject: &Subject<'_>) -> Result<(), String> {
    let startup = subject.startup();
    if let Some(need) = startup.shell.iter().map(|need| &need.evidence).chain(&startup.doubts).next() {
        return Err(format!("{}:{}: {}", need.path, need.line, need.shows));
    }
    let is_shell_form = |step: &Step<'_>| step.script().is_some_and(|script| script.form != ScriptForm::Exec);
    let starts = subject.target.start_steps();
    if let Some(step) = starts.iter().find(|step| is_shell_form(step)) {
        return Err(format!("line {} starts through a shell", step.instruction().lines.0));
    }
    if let Some(step) = subject.steps().iter().find(|step| step.keyword() == Keyword::Healthcheck) {
        return Err(super::common::needs_more(*step));
    }
    match Callers::of(subject.cx.context).services.iter().find(|caller| caller.starts_otherwise()) {
        Some(caller) => Err(format!("`{}` of {} starts or asks it in another way", caller.name, caller.place.path)),
        None => Ok(()),
    }
}

/// Takes out the steps that install what the base without a distribution has, or what the program does not call.
///
/// # Errors
/// The first step that does something else.
fn without_packages(subject: &Subject<'_>, effects: &[Effect<'_>]) -> Result<Vec<Edit>, String> {
    let line = |step: Step<'_>| step.instruction().lines.0;
    for effect in effects.iter().filter(|effect| effect.step.keyword() == Keyword::Run) {
        let is_needless = match &effect.kind {
            Kind::Packages { names, is_complete, .. } => {
                *is_complete && trim::needed(subject, names).iter().all(|name| INSIDE.contains(name))
            }
            Kind::Upgrade(_) | Kind::Transient | Kind::PackagesRemoved { .. } => true,
            Kind::Removes(places) => {
                places.known.iter().all(|path| path.starts_with("/var/") || path.starts_with("/tmp"))
            }
            _ => false,
        };
        if !is_needless {
            return Err(format!("line {} does more than install certificates and time zones", line(effect.step)));
        }
    }
    let needs_base = |step: &Step<'_>| matches!(step.keyword(), Keyword::User | Keyword::Shell | Keyword::Onbuild);
    if let Some(step) = subject.steps().into_iter().find(needs_base) {
        return Err(format!("line {} needs the base that it has", line(step)));
    }
    let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
    let runs = subject.runs();
    let edits: Option<Vec<Edit>> = runs.iter().map(|step| editor.remove(step.instruction())).collect();
    edits.ok_or_else(|| "a step cannot be taken out by itself".to_owned())
}
