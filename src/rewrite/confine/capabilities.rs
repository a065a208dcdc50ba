//! Takes all capabilities from a container and gives back what its program needs.

use super::{Program, together};
use crate::{
    knowledge::{Knowledge, Start},
    model::{Evidence, capability, compose::Service, graph::Made, kubernetes::Container},
    rewrite::manifest::set_below,
    rule::{Fix, Safety},
    syntax::yaml::{Editor, Node, Refusal, Value},
    text::Edit,
};
use std::borrow::Cow;

const TITLE: &str = "Drop all capabilities";

/// Takes all capabilities from `service`, but for what its program needs.
///
/// # Errors
/// Why it is not edited.
pub fn drop_all_of_service<'y>(
    knowledge: &Knowledge,
    made: &mut Made<'_>,
    editor: &Editor<'y>,
    service: &Service<'y>,
) -> Result<Fix, String> {
    if service.switch("privileged").is_some_and(|(value, _)| value != Some(false)) {
        return Err("a privileged container has them all, whatever it drops".to_owned());
    }
    let kept = Kept::of(&Program::of_service(knowledge, made, service))?.with_init(service);
    let added = service.list("cap_add");
    let added: Option<Vec<&str>> = added.iter().map(|text| text.known()).collect();
    let missing = kept.missing(&added.ok_or("a variable hides what it is given")?);
    let list = |key| service.own_entry(key).map(|entry| entry.value).filter(|value| !value.is_null());
    let edits = lists(editor, service.own(), [("cap_drop", list("cap_drop")), ("cap_add", list("cap_add"))], &missing);
    kept.fix(edits.map_err(|refusal| refusal.to_string())?)
}

/// The same for a container of a pod.
///
/// # Errors
/// Why it is not edited.
pub fn drop_all<'y>(
    knowledge: &Knowledge,
    made: &mut Made<'_>,
    editor: &Editor<'y>,
    container: Container<'y>,
) -> Result<Fix, String> {
    let kept = Kept::of(&Program::of_container(knowledge, made, container))?;
    let list = |key| container.own_security(&["capabilities", key]);
    let added = list("add").items().ok_or("a template hides what it is given")?;
    let added: Vec<&str> = added.into_iter().filter_map(Node::scalar).collect();
    let missing = kept.missing(&added);
    let path = ["securityContext", "capabilities"];
    let edits = if let Some(capabilities) = container.setting(&path).node().filter(|node| node.is_mapping()) {
        let filled = |key| list(key).node().filter(|node| node.items().next().is_some());
        let edits = lists(editor, capabilities, [("drop", filled("drop")), ("add", filled("add"))], &missing);
        edits.map_err(|refusal| refusal.to_string())?
    } else {
        let drop = [("drop", Value::texts(["ALL"]))];
        let add = (!missing.is_empty()).then(|| ("add", Value::texts(missing)));
        vec![set_below(editor, container.node, &path, Value::map(drop.into_iter().chain(add)))?]
    };
    kept.fix(edits)
}

/// Lists of a mapping with `ALL` in the first and `missing` in the second; those that are there already are added to.
fn lists<'y>(
    editor: &Editor<'y>,
    mapping: Node<'y>,
    [(drop, dropped), (add, added)]: [(&'static str, Option<Node<'y>>); 2],
    missing: &[&str],
) -> Result<Vec<Edit>, Refusal> {
    let mut edits = Vec::new();
    let mut keys = Vec::new();
    match dropped {
        Some(list) => edits.push(editor.append(list, &Value::text("ALL"))?),
        None => keys.push((drop, Value::texts(["ALL"]))),
    }
    let missing_values = missing.iter().map(|name| Value::text(*name)).collect();
    match added {
        _ if missing.is_empty() => {}
        Some(list) => edits.push(editor.append_all(list, missing_values)?),
        None => keys.push((add, Value::List(missing_values))),
    }
    if let [(key, value)] = keys.as_slice() {
        // An empty list may stand there.
        edits.push(editor.set(mapping, key, value)?);
    } else if !keys.is_empty() {
        edits.push(editor.insert_all(mapping, keys)?);
    }
    Ok(edits)
}

/// What a program keeps of the capabilities that engines give.
struct Kept {
    names: Vec<String>,
    start: Start,
    reason: Cow<'static, str>,
    evidence: Vec<Evidence>,
}

impl Kept {
    fn of(program: &Program) -> Result<Self, String> {
        const KNOWN: &str = "what the program of this image needs is added back; volumes whose files belong to others, and hooks of its own, may need more: see that it starts";
        const SOMEBODY: &str = "the program does not start as root, and hardly any other needs one: see that it starts, and binds its ports where these are low";
        let start = program.start.clone()?;
        if let Some(image) = program.made.as_ref().filter(|image| image.is_same_tag) {
            let names = program.power_of_made(image, start)?;
            let dockerfile = &image.dockerfile;
            let reason = match start {
                Start::User(_) => format!("`{dockerfile}` makes its image, and {SOMEBODY}"),
                Start::Root => format!("`{dockerfile}` makes its image, and {KNOWN}"),
            };
            return Ok(Self { names, start, reason: reason.into(), evidence: program.evidence() });
        }
        let needed = program.known().ok().and_then(|facts| facts.needed_capabilities(start));
        let (names, reason) = match (needed, start) {
            (Some(names), _) => (names.to_vec(), KNOWN),
            (None, Start::User(_)) => (Vec::new(), SOMEBODY),
            (None, Start::Root) => {
                return Err(match program.known() {
                    Ok(_) => "it starts as root, and which capabilities it needs then is not known here".to_owned(),
                    Err(why) => {
                        format!("it starts as root, and which capabilities it needs then is not known here: {why}")
                    }
                });
            }
        };
        Ok(Self { names, start, reason: reason.into(), evidence: Vec::new() })
    }

    /// With what the init of the engine needs, if `service` has one.
    fn with_init(mut self, service: &Service<'_>) -> Self {
        let has_init = service.switch("init").is_some_and(|(value, _)| value != Some(false));
        // Root's init hands signals to the program, which is another user by then.
        if has_init && self.start == Start::Root && !self.names.iter().any(|name| name == "KILL") {
            self.names.push("KILL".to_owned());
            self.names.sort_unstable();
        }
        self
    }

    fn missing(&self, added: &[&str]) -> Vec<&str> {
        let is_given = |name: &str| {
            added.iter().any(|added| matches!(&*capability::canonical(added), given if given == name || given == "ALL"))
        };
        self.names.iter().map(String::as_str).filter(|name| !is_given(name)).collect()
    }

    fn fix(&self, edits: Vec<Edit>) -> Result<Fix, String> {
        Ok(Fix::new(TITLE, Safety::Risky, self.reason.clone(), together(edits)?).shown_by(self.evidence.clone()))
    }
}
