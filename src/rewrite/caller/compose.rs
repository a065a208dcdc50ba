//! Compose files: `build.args` become `build.secrets`, and the file says where the secret comes from.
//!
//! Facts: compose file reference, "secrets" (`environment` names a variable of whoever runs compose) and "build"
//! (`secrets`, short form); a variable that is not set gives an empty secret, as it gave an empty argument.

use super::{Instead, Obstacle, Work, below, differ_only, edit_yaml};
use crate::{
    context::Found,
    model::{
        DockerfileModel,
        compose::{ComposeModel, Variables},
        graph::{self, System},
    },
    rule::Cx,
    source::FileKind,
    syntax::yaml::{self, Node, Value},
    text::LineIndex,
};

pub(super) fn hand_over(
    work: &mut Work<'_>,
    cx: &Cx<'_, DockerfileModel<'_>>,
    callers: &graph::Callers,
) -> Result<(), Obstacle> {
    for found in graph::compose_files(cx.context) {
        settle_others(work, &found, callers);
    }
    let builds = callers.services.iter().filter(|caller| caller.system == System::Compose);
    for (caller, build) in builds.filter_map(|caller| Some((caller, caller.build.as_ref()?))) {
        let path = &*caller.place.path;
        // It was read just now.
        let Some(found) = cx.context.at(path) else { continue };
        let is_given = build.arguments.iter().any(|(name, _)| name == work.name);
        if !is_given && !is_merged_in(&found, &caller.name, work.name) {
            work.by_all = false;
            continue;
        }
        let line = line_of(&found, &caller.name, work.name).unwrap_or(caller.place.line);
        edit(work, &found, &caller.name).map_err(|why| Obstacle { path: path.to_owned(), line, why })?;
    }
    Ok(())
}

/// Services that are known to build another Dockerfile may hand in what they like.
fn settle_others(work: &mut Work<'_>, found: &Found, callers: &graph::Callers) {
    if graph::is_on_top(&found.path) {
        return;
    }
    let parsed = yaml::parse(&found.text);
    let lines = LineIndex::new(&found.text);
    let model = ComposeModel::new(&parsed.tree, crate::context::directory(&found.path), &Variables::default());
    for service in &model.services {
        let is_ours =
            callers.services.iter().any(|caller| *caller.place.path == *found.path && caller.name == service.name());
        let names_another = || service.build()?.dockerfile.filter(|path| *path != work.dockerfile);
        if !is_ours && names_another().is_some() {
            work.settle(found, &lines, service.key.span().to(service.own().span()));
        }
    }
}

/// Whether a service is given the argument `name` by what is merged into its arguments.
fn is_merged_in(found: &Found, service: &str, name: &str) -> bool {
    let parsed = yaml::parse(&found.text);
    below(&parsed.tree, &["services", service, "build", "args"]).is_some_and(|all| all.get(name).is_some())
}

/// The line that gives a service the argument `name`, if the service itself does.
fn line_of(found: &Found, service: &str, name: &str) -> Option<u32> {
    let parsed = yaml::parse(&found.text);
    let (place, _) = given(below(&parsed.tree, &["services", service, "build", "args"])?, name)?;
    Some(LineIndex::new(&found.text).line(place.span().start))
}

fn edit(work: &mut Work<'_>, found: &Found, service: &str) -> Result<(), String> {
    const ELSEWHERE: &str = "the argument comes from another place than the service itself";
    if graph::is_on_top(&found.path) {
        return Err("the file is read on top of another one".to_owned());
    }
    let name = work.name;
    let parsed = yaml::parse(&found.text);
    let lines = LineIndex::new(&found.text);
    let build = ["services", service, "build"];
    let arguments = below(&parsed.tree, &["services", service, "build", "args"]).ok_or(ELSEWHERE)?;
    let (place, variable) = given(arguments, name).ok_or(ELSEWHERE)?;
    let variable = match (work.instead, variable) {
        (Instead::Nothing, _) => String::new(),
        (Instead::Secret(_), Some(variable)) => variable,
        (Instead::Secret(_), None) => {
            return Err("its value is no variable of the environment that can be named".to_owned());
        }
    };
    let line = lines.line(place.span().start);
    let whole = below(&parsed.tree, &build).ok_or(ELSEWHERE)?;
    work.settle(found, &lines, whole.span());
    work.note(&found.path, line);
    let instead = work.instead;
    let draft = work.draft(found, FileKind::Compose);
    if let Instead::Secret(id) = instead {
        add_secret(draft, &build, id)?;
        declare(draft, id, &variable)?;
    }
    edit_yaml(draft, |editor, tree| {
        let arguments = below(tree, &["services", service, "build", "args"]).ok_or(ELSEWHERE)?;
        let edit = match item_of(arguments, name) {
            Some(item) => editor.remove_item(item),
            None => editor.remove_key(arguments, name),
        };
        edit.map_err(|refusal| refusal.to_string())
    })?;
    let is_meant = |path: &[String]| {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        match parts[..] {
            ["0", "services", _, "build", "args" | "secrets", ..] => true,
            ["0", "secrets", id, ..] => instead == Instead::Secret(id),
            _ => false,
        }
    };
    if differ_only(&draft.original, &draft.text, is_meant) {
        Ok(())
    } else {
        Err("the change would have changed more than is meant".to_owned())
    }
}

/// Where `arguments` give the one called `name`, and the variable of the environment that is its value.
fn given<'y>(arguments: Node<'y>, name: &str) -> Option<(Node<'y>, Option<String>)> {
    if let Some(item) = item_of(arguments, name) {
        let value = item.scalar()?.split_once('=').map_or(Some(name), |(_, value)| variable(value));
        return Some((item, value.filter(|_| !item.is_template()).map(str::to_owned)));
    }
    let entry = arguments.entry(name)?;
    let value = if entry.value.is_null() { Some(name) } else { entry.value.scalar().and_then(variable) };
    Some((entry.key, value.filter(|_| !entry.value.is_template()).map(str::to_owned)))
}

/// The item of a list of arguments that gives the one called `name`.
fn item_of<'y>(arguments: Node<'y>, name: &str) -> Option<Node<'y>> {
    let is_it =
        |item: &Node<'y>| item.scalar().is_some_and(|text| text.split('=').next().is_some_and(|given| given == name));
    arguments.items().find(is_it)
}

/// The variable that a value is nothing but; one with another default than nothing is something else.
fn variable(value: &str) -> Option<&str> {
    let rest = value.strip_prefix('$')?;
    let name = match rest.strip_prefix('{') {
        Some(inner) => {
            let inner = inner.strip_suffix('}')?;
            inner.strip_suffix(":-").or(inner.strip_suffix('-')).unwrap_or(inner)
        }
        None => rest,
    };
    is_name(name).then_some(name)
}

/// Whether `name` may be that of a variable.
pub(super) fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_part) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Gives the build at `build` the secret `id`.
fn add_secret(draft: &mut super::Draft, build: &[&str], id: &str) -> Result<(), String> {
    edit_yaml(draft, |editor, tree| {
        let build = below(tree, build).ok_or("the build is not written out")?;
        let edit = match build.entry("secrets").map(|entry| entry.value) {
            None => editor.insert(build, "secrets", &Value::texts([id])),
            Some(secrets) if secrets.items().any(|item| names_secret(item, id)) => {
                return Err(format!("it has a secret `{id}` already"));
            }
            Some(secrets) => editor.append(secrets, &Value::text(id)),
        };
        edit.map_err(|refusal| refusal.to_string())
    })
}

fn names_secret(item: Node<'_>, id: &str) -> bool {
    let long = ["source", "target"].into_iter().filter_map(|key| item.get(key)?.scalar());
    item.scalar().into_iter().chain(long).any(|text| text == id)
}

/// Says at the top of the file that the secret `id` is the value of `variable`, unless it does.
fn declare(draft: &mut super::Draft, id: &str, variable: &str) -> Result<(), String> {
    let is_declared = {
        let parsed = yaml::parse(&draft.text);
        let known = below(&parsed.tree, &["secrets", id]);
        known.map(|secret| secret.get("environment").and_then(Node::scalar) == Some(variable))
    };
    match is_declared {
        Some(true) => return Ok(()),
        Some(false) => return Err(format!("the file has another secret `{id}`")),
        None => {}
    }
    edit_yaml(draft, |editor, tree| {
        let document = tree.documents().next().ok_or("the file is empty")?;
        let secret = Value::map([("environment", Value::text(variable))]);
        let edit = match document.entry("secrets").map(|entry| entry.value) {
            None => editor.insert(document, "secrets", &Value::map([(id, secret)])),
            Some(secrets) => editor.set(secrets, id, &secret),
        };
        edit.map_err(|refusal| refusal.to_string())
    })
}
