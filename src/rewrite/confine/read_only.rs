//! Makes the root file system of a container read-only, with memory where its program writes.

use super::{Program, together};
use crate::{
    knowledge::{ImageFacts, Knowledge},
    model::{
        compose::{Service, ServiceMountKind},
        graph::Made,
        kubernetes::Container,
    },
    rewrite::manifest::set_below,
    rule::{Fix, Safety},
    syntax::yaml::{Editor, Node, Refusal, Value},
    text::Edit,
};
use std::borrow::Cow;

const TITLE: &str = "Make the root file system read-only";

/// Makes the root file system of `service` read-only, with memory where the program of its image writes.
///
/// # Errors
/// Why it is not edited.
pub fn read_only_service<'y>(
    knowledge: &Knowledge,
    made: &mut Made<'_>,
    editor: &Editor<'y>,
    service: &Service<'y>,
) -> Result<Fix, String> {
    let program = Program::of_service(knowledge, made, service);
    let places = Places::of(&program)?;
    let mounts = service.mounts();
    let targets: Option<Vec<&str>> = mounts.iter().map(|mount| mount.target.as_deref()).collect();
    let targets = targets.ok_or("a variable hides where something is mounted")?;
    places.check_templates(&targets)?;
    // An engine mounts a volume where the image declares one.
    let lost = places.data.iter().find(|path| !is_covered(path, &targets) && !places.declared.contains(path));
    if let Some(path) = lost {
        return Err(format!("it keeps its data in `{path}`, where nothing is mounted: that needs a volume first"));
    }
    if mounts.iter().any(|mount| mount.kind == ServiceMountKind::Unknown) {
        return Err("what is mounted is not known".to_owned());
    }
    let memory: Vec<&str> = places.writable.iter().copied().filter(|path| !is_covered(path, &targets)).collect();
    let refused = |refusal: Refusal| refusal.to_string();
    let mut edits: Vec<Edit> = Vec::new();
    let mut keys: Vec<(&str, Value)> = Vec::new();
    match service.own_entry("read_only") {
        Some(_) => edits.push(editor.set(service.own(), "read_only", &Value::Word("true")).map_err(refused)?),
        None => keys.push(("read_only", Value::Word("true"))),
    }
    match service.own_entry("tmpfs") {
        _ if memory.is_empty() => {}
        Some(entry) => {
            let items = memory.iter().map(|path| Value::text(*path)).collect();
            edits.push(editor.append_all(entry.value, items).map_err(refused)?);
        }
        None => keys.push(("tmpfs", Value::texts(memory.iter().copied()))),
    }
    if !keys.is_empty() {
        edits.push(editor.insert_all(service.own(), keys).map_err(refused)?);
    }
    Ok(Fix::new(TITLE, Safety::Risky, Places::reason(&memory), together(edits)?))
}

/// The same for a container of a pod.
///
/// # Errors
/// Why it is not edited.
pub fn read_only_container<'y>(
    knowledge: &Knowledge,
    made: &mut Made<'_>,
    editor: &Editor<'y>,
    container: Container<'y>,
) -> Result<Fix, String> {
    let program = Program::of_container(knowledge, made, container);
    let places = Places::of(&program)?;
    let hidden = || "a template hides where something is mounted".to_owned();
    container.setting(&["volumeMounts"]).items().ok_or_else(hidden)?;
    let targets: Option<Vec<&str>> = container.mounts().map(|mount| mount.target).collect();
    let targets = targets.ok_or_else(hidden)?;
    places.check_templates(&targets)?;
    // What is written where nothing is mounted is gone with the container already.
    let all = places.writable.iter().chain(&places.data).copied();
    let memory: Vec<&str> = all.filter(|path| !is_covered(path, &targets)).collect();
    let names = volume_names(container, &memory)?;
    let mounts = names.iter().zip(&memory);
    let mounts =
        mounts.map(|(name, path)| Value::map([("name", Value::text(name)), ("mountPath", Value::text(*path))]));
    let empty = || Value::map([]);
    let volumes = names.iter().map(|name| Value::map([("name", Value::text(name)), ("emptyDir", empty())]));
    let path = ["securityContext", "readOnlyRootFilesystem"];
    let mut edits = vec![];
    let mut keys: Vec<(&str, Value)> = Vec::new();
    let refused = |refusal: Refusal| refusal.to_string();
    match container.node.entry("securityContext").filter(|entry| entry.value.is_mapping()) {
        Some(_) => edits.push(set_below(editor, container.node, &path, Value::Word("true"))?),
        None => keys.push((path[0], Value::map([(path[1], Value::Word("true"))]))),
    }
    if !memory.is_empty() {
        match filled(container.node, "volumeMounts") {
            Some(list) => edits.push(editor.append_all(list, mounts.collect()).map_err(refused)?),
            None => keys.push(("volumeMounts", Value::List(mounts.collect()))),
        }
    }
    if !keys.is_empty() {
        edits.push(editor.insert_all(container.node, keys).map_err(refused)?);
    }
    if !memory.is_empty() {
        let pod = container.workload.pod;
        edits.push(match filled(pod, "volumes") {
            Some(list) => editor.append_all(list, volumes.collect()).map_err(refused)?,
            None => editor.insert(pod, "volumes", &Value::List(volumes.collect())).map_err(refused)?,
        });
    }
    Ok(Fix::new(TITLE, Safety::Risky, Places::reason(&memory), together(edits)?))
}

/// The list at `key` of `mapping`, if it holds something.
fn filled<'y>(mapping: Node<'y>, key: &str) -> Option<Node<'y>> {
    mapping.get(key).filter(|list| list.items().next().is_some())
}

/// Names of volumes for `paths` that the pod of `container` does not have yet.
fn volume_names(container: Container<'_>, paths: &[&str]) -> Result<Vec<String>, String> {
    /// The longest name that a cluster takes.
    const LONGEST: usize = 63;
    let taken = container.workload.setting(&["volumes"]).items().ok_or("a template hides the volumes of the pod")?;
    let taken: Vec<&str> = taken.iter().filter_map(|volume| volume.get("name")?.scalar()).collect();
    let owner = container.text("name").ok_or("the container has no name")?;
    let mut names = Vec::with_capacity(paths.len());
    for path in paths {
        let name = format!("{owner}{}", path.to_ascii_lowercase().replace(['/', '.', '_'], "-"));
        if name.len() > LONGEST || taken.contains(&name.as_str()) || names.contains(&name) {
            return Err(format!("the pod cannot have a volume `{name}` more"));
        }
        names.push(name);
    }
    Ok(names)
}

/// Where a program writes.
struct Places<'f> {
    facts: &'f ImageFacts,
    data: Vec<&'f str>,
    /// What the image declares to be volumes.
    declared: Vec<&'f str>,
    writable: Vec<&'f str>,
}

impl<'f> Places<'f> {
    fn of(program: &'f Program) -> Result<Self, String> {
        const UNKNOWN: &str =
            "what the program writes beside its volumes is not known: that has to be mounted as memory first";
        let Some(facts) = program.facts.as_deref() else { return Err(UNKNOWN.to_owned()) };
        let (Some(data), Some(writable)) = (facts.data.known(), facts.writable.known()) else {
            return Err(UNKNOWN.to_owned());
        };
        program.known()?;
        let unknown = |_| "who starts it is not known, and so not what it may write".to_owned();
        let start = program.start.clone().map_err(unknown)?;
        if program.facts.as_ref().and_then(|facts| facts.needed_capabilities(start)).is_none() {
            return Err("what it writes when that user starts it is not known".to_owned());
        }
        let texts = |list: &'f [String]| list.iter().map(String::as_str).collect();
        let declared = facts.volumes.known().map_or(Vec::new(), |list| texts(list));
        Ok(Self { facts, data: texts(data), declared, writable: texts(writable) })
    }

    /// Whether its start command writes nothing else for what is mounted at `targets`.
    fn check_templates(&self, targets: &[&str]) -> Result<(), String> {
        let templates = self.facts.templates.known().into_iter().flatten();
        let is_there = |path: &&String| targets.iter().any(|target| is_at(target, path) || is_at(path, target));
        match templates.into_iter().find(is_there) {
            Some(path) => Err(format!("what is mounted at `{path}` lets its start write to other places")),
            None => Ok(()),
        }
    }

    fn reason(memory: &[&str]) -> Cow<'static, str> {
        let where_to = match memory {
            [] => "the program of this image writes to its volumes only".to_owned(),
            paths => format!("the program of this image writes to `{}` beside its volumes", paths.join("`, `")),
        };
        format!("{where_to}; its configuration and scripts of its own may name other places: see that it starts").into()
    }
}

/// Whether something is mounted at one of `targets` that `path` is part of.
fn is_covered(path: &str, targets: &[&str]) -> bool {
    targets.iter().any(|target| is_at(path, target))
}

/// Whether `path` is `place` or lies below it.
fn is_at(path: &str, place: &str) -> bool {
    let (path, place) = (canonical(path), canonical(place));
    path.strip_prefix(&*place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `/var/run` is a link to `/run`.
fn canonical(path: &str) -> Cow<'_, str> {
    let path = path.trim_end_matches('/');
    match path.strip_prefix("/var/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}").into(),
        Some(_) | None => path.into(),
    }
}
