//! Hands a credential to builds as a secret, in the files that handed it in as a build argument.
//!
//! Every place around the Dockerfile that speaks of the argument is either edited or known to build something else; else
//! nothing is edited at all, and it is said where somebody has to look.

mod agent;
mod bake;
mod call;
mod compose;
mod environment;
mod workflow;

use super::draft::Draft;
use crate::{
    context::{BuildContext, Found},
    model::{
        self, DockerfileModel,
        graph::{self, System},
        script_file::ScriptFile,
    },
    rule::{Companion, Cx, Evidence},
    source::FileKind,
    syntax::yaml::{self, Editor, Kind, Node, Yaml},
    text::{Edit, FileId, LineIndex, Span, line_before},
};
use std::collections::BTreeMap;

/// What builds are given in the place of a build argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead<'i> {
    /// The secret of that id.
    Secret(&'i str),
    /// Nothing: nobody reads it.
    Nothing,
}

/// What becomes of those who hand a build argument in.
#[derive(Debug, Default)]
pub(super) struct Handover {
    /// The files that hand it in, edited.
    pub(super) companions: Vec<Companion>,
    /// Where they did so.
    pub(super) places: Vec<Evidence>,
    /// Whether everybody who is seen to build the Dockerfile hands it in.
    pub(super) by_all: bool,
}

impl Handover {
    /// Where they did so, as people write it: `compose.yaml:7`.
    pub(super) fn named(&self) -> Vec<String> {
        self.places.iter().map(|place| format!("{}:{}", place.path, place.line)).collect()
    }
}

/// A place that is not edited, and why: one clause.
#[derive(Debug)]
pub(super) struct Obstacle {
    /// The file.
    pub(super) path: String,
    /// The line, from 1.
    pub(super) line: u32,
    why: String,
}

impl Obstacle {
    fn new(path: &str, line: u32, why: String) -> Self {
        Self { path: path.to_owned(), line, why }
    }

    /// What somebody has to do there, where a build argument was handed in.
    pub(super) fn text(&self) -> String {
        let Self { path, line, why } = self;
        format!("{path}:{line} must hand it in as a secret, not as a build argument, and is not edited: {why}")
    }

    /// What somebody has to do there, where a key was copied.
    pub(super) fn text_of_agent(&self) -> String {
        let Self { path, line, why } = self;
        format!("{path}:{line} must lend the agent, and is not edited: {why}")
    }
}

/// Has those around the Dockerfile who are seen to build it lend the SSH agent to its builds.
///
/// # Errors
/// The first of them that is not edited.
pub(super) fn lend_agent(cx: &Cx<'_, DockerfileModel<'_>>) -> Result<Handover, Obstacle> {
    let mut work = Work::new(cx, "", Instead::Nothing);
    for caller in graph::Callers::of(cx.context).services.iter().filter(|caller| caller.build.is_some()) {
        let (path, line) = (&*caller.place.path, caller.place.line);
        // It was read just now.
        let Some(found) = cx.context.at(path) else { continue };
        agent::of_service(&mut work, &found, &caller.name, line).map_err(|why| Obstacle::new(path, line, why))?;
    }
    for (found, kind) in graph::builders(cx.context) {
        let around = cx.context.of(&found.path);
        if kind == FileKind::Bake && graph::is_baked(&found, &work.dockerfile, around) {
            return Err(Obstacle::new(&found.path, 1, "bake files are not edited".to_owned()));
        }
        let (Some(script), Some(system)) = (ScriptFile::of(kind, &found.text), System::of(kind)) else { continue };
        let edits = agent::of_calls(&mut work, &found, &script, system, around)?;
        work.apply(&found, kind, edits)?;
        if kind == FileKind::Workflow {
            agent::of_workflow(&mut work, &found, around)?;
        }
    }
    Ok(work.done())
}

/// Has those around the Dockerfile who hand the build argument `name` in give its builds something else.
///
/// # Errors
/// The first place that is not edited.
pub(super) fn hand_over(
    cx: &Cx<'_, DockerfileModel<'_>>,
    name: &str,
    instead: Instead<'_>,
) -> Result<Handover, Obstacle> {
    let mentions = model::callers(cx.context, name);
    let mut work = Work::new(cx, name, instead);
    let callers = graph::Callers::of(cx.context);
    compose::hand_over(&mut work, cx, &callers)?;
    for (found, kind) in graph::builders(cx.context) {
        let Found { path, text } = &found;
        if kind == FileKind::Bake {
            bake::hand_over(&mut work, &found, cx.context.of(path))?;
            continue;
        }
        if !crate::text::holds(text, b"build") {
            continue;
        }
        let around = cx.context.of(path);
        match kind {
            FileKind::Workflow => {
                let mut edits = workflow::edits(&mut work, &found, around)?;
                edits.extend(call::edits(&mut work, &found, kind, around)?);
                work.apply(&found, kind, edits)?;
            }
            FileKind::GitlabCi | FileKind::Script | FileKind::Makefile => {
                let edits = call::edits(&mut work, &found, kind, around)?;
                work.apply(&found, kind, edits)?;
            }
            FileKind::Dockerfile
            | FileKind::Compose
            | FileKind::Kubernetes
            | FileKind::Bake
            | FileKind::Devcontainer
            | FileKind::Seccomp => {}
        }
    }
    let is_settled = |mention: &&model::Caller| !work.is_settled(&mention.path, mention.line as u32);
    if let Some(left) = mentions.iter().find(is_settled) {
        let why = "nobody can tell here what it builds, or it is written in a form that is not edited".to_owned();
        return Err(Obstacle { path: left.path.clone(), line: left.line as u32, why });
    }
    Ok(work.done())
}

/// Callers on their way.
struct Work<'w> {
    context: BuildContext<'w>,
    dockerfile: String,
    name: &'w str,
    instead: Instead<'w>,
    /// Files that are edited, by path.
    drafts: BTreeMap<String, (FileKind, Draft)>,
    places: Vec<Evidence>,
    /// Lines that are edited, or that are about something else.
    settled: Vec<(String, u32, u32)>,
    by_all: bool,
}

impl<'w> Work<'w> {
    fn new(cx: &Cx<'w, DockerfileModel<'_>>, name: &'w str, instead: Instead<'w>) -> Self {
        Self {
            context: cx.context,
            dockerfile: crate::context::resolve("", &cx.file.path),
            name,
            instead,
            drafts: BTreeMap::new(),
            places: Vec::new(),
            settled: Vec::new(),
            by_all: true,
        }
    }

    fn is_settled(&self, path: &str, line: u32) -> bool {
        self.settled.iter().any(|(of, first, last)| of == path && (*first..=*last).contains(&line))
    }

    /// Says that the lines of `span` were seen to.
    fn settle(&mut self, found: &Found, lines: &LineIndex, span: Span) {
        self.settled.push((found.path.clone(), lines.line(span.start), lines.line(span.end)));
    }

    /// Notes that `line` of the file handed the argument in.
    fn note(&mut self, path: &str, line: u32) {
        let line = self.line_as_it_is(path, line);
        let shows = match self.name {
            "" => "builds it".to_owned(),
            name => format!("hands the build argument `{name}` in"),
        };
        let place = Evidence { path: path.to_owned(), line, shows };
        if !self.places.contains(&place) {
            self.places.push(place);
        }
    }

    /// The line of the file as it is, where an earlier fix has edited what is seen of it.
    fn line_as_it_is(&self, path: &str, line: u32) -> u32 {
        let texts = self.context.at(path).zip(self.context.original(path));
        texts.map_or(line, |(seen, original)| line_before(&seen.text, line, &original))
    }

    fn draft(&mut self, found: &Found, kind: FileKind) -> &mut Draft {
        let new = || (kind, Draft::new(found.text.clone()));
        &mut self.drafts.entry(found.path.clone()).or_insert_with(new).1
    }

    /// Does `edits` of the file as it was read; of YAML nothing else may change by them.
    fn apply(&mut self, found: &Found, kind: FileKind, mut edits: Vec<Edit>) -> Result<(), Obstacle> {
        let Some(first) = edits.iter().map(|edit| edit.span).min() else { return Ok(()) };
        // From the end, so that what comes first stays where it is.
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
        let draft = self.draft(found, kind);
        for edit in &edits {
            draft.edit(edit);
        }
        let is_yaml = matches!(kind, FileKind::Workflow | FileKind::GitlabCi);
        let is_script = |path: &[String]| path.iter().any(|part| part.contains("script") || part == "run");
        let is_meant = |path: &[String]| is_script(path) || workflow::is_list(path);
        if !is_yaml || differ_only(&draft.original, &draft.text, is_meant) {
            return Ok(());
        }
        let line = LineIndex::new(&found.text).line(first.start);
        let why = "the change would have changed more than is meant".to_owned();
        Err(Obstacle { path: found.path.clone(), line, why })
    }

    fn done(self) -> Handover {
        let companion = |(path, (kind, draft)): (String, (FileKind, Draft))| Companion {
            path,
            kind,
            edits: draft.edits(),
            text: draft.original,
        };
        let companions = self.drafts.into_iter().map(companion).filter(|other| !other.edits.is_empty());
        Handover { companions: companions.collect(), places: self.places, by_all: self.by_all }
    }
}

/// Does one edit of a YAML file, as its text is now.
fn edit_yaml(
    draft: &mut Draft,
    make: impl for<'y> FnOnce(&Editor<'y>, &'y Yaml<'y>) -> Result<Edit, String>,
) -> Result<(), String> {
    let edit = {
        let parsed = yaml::parse(&draft.text);
        if !parsed.errors.is_empty() {
            return Err("the file is damaged".to_owned());
        }
        make(&Editor::new(FileId::BESIDE, &parsed.tree), &parsed.tree)?
    };
    draft.edit(&edit);
    Ok(())
}

/// The node below the first document that these keys lead to, each written where the one before it is.
fn below<'y>(tree: &'y Yaml<'y>, keys: &[&str]) -> Option<Node<'y>> {
    let document = tree.documents().next()?;
    keys.iter().try_fold(document, |node, key| Some(node.entry(key)?.value))
}

/// Whether both texts are the same but for scalars whose path `may_differ`.
fn differ_only(before: &[u8], after: &[u8], may_differ: impl Fn(&[String]) -> bool) -> bool {
    let (before, after) = (yaml::parse(before), yaml::parse(after));
    if !after.errors.is_empty() {
        return false;
    }
    let rest = |tree: &Yaml<'_>| {
        let all = scalars(tree).into_iter();
        all.filter(|(path, _)| !may_differ(path)).collect::<Vec<_>>()
    };
    rest(&before.tree) == rest(&after.tree)
}

/// Every scalar with the keys and numbers that lead to it.
fn scalars(tree: &Yaml<'_>) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut open: Vec<(Vec<String>, Node<'_>)> = Vec::new();
    for (at, document) in tree.documents().enumerate() {
        open.push((vec![at.to_string()], document));
        while let Some((path, node)) = open.pop() {
            let below = |part: &str| path.iter().cloned().chain([part.to_owned()]).collect::<Vec<_>>();
            match node.kind() {
                Kind::Scalar(_) => found.push((path, node.scalar().unwrap_or_default().to_owned())),
                Kind::Alias => found.push((path, String::from_utf8_lossy(node.span().of(tree.text())).into_owned())),
                Kind::Sequence(_) => {
                    let items: Vec<_> = node.items().enumerate().collect();
                    open.extend(items.into_iter().rev().map(|(at, item)| (below(&at.to_string()), item)));
                }
                Kind::Mapping(_) => {
                    let entries: Vec<_> = node.entries().collect();
                    let entries = entries.into_iter().rev();
                    open.extend(entries.map(|entry| (below(entry.key.scalar().unwrap_or_default()), entry.value)));
                }
            }
        }
    }
    found
}
