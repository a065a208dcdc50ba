//! Builds are lent the SSH agent of whoever starts them.
//!
//! Facts: `docker build --ssh default`; compose file reference, "build" (`ssh`); docker/build-push-action, `ssh`.

use super::{Obstacle, Work, below, differ_only, edit_yaml};
use crate::{
    context::{BuildContext, Found},
    model::{
        engine_call::BuildCall,
        graph::{self, BuildStep, System, build_steps},
        script_file::ScriptFile,
    },
    rewrite::draft::Draft,
    source::FileKind,
    syntax::{
        shell::Invocation,
        yaml::{self, Form, Node, Value},
    },
    text::{Edit, FileId, LineIndex, Span},
};

const AGENT: &str = "default";

/// Lends the agent to the builds of `service` in the compose file `found`, unless it is.
pub(super) fn of_service(work: &mut Work<'_>, found: &Found, service: &str, line: u32) -> Result<(), String> {
    if graph::is_on_top(&found.path) {
        return Err("the file is read on top of another one".to_owned());
    }
    let draft = work.draft(found, FileKind::Compose);
    let before = draft.text.len();
    edit_yaml_if(draft, |editor, tree| {
        let service = below(tree, &["services", service]).ok_or("the service is not written out")?;
        let build = service.entry("build").ok_or("the build comes from another place than the service itself")?;
        if build.value.scalar().is_some() {
            return spelled_out(tree.text(), build.key, build.value).map(Some);
        }
        let edit = match build.value.entry("ssh").map(|entry| entry.value) {
            None => editor.insert(build.value, "ssh", &Value::texts([AGENT])),
            Some(ssh) if lends(ssh) => return Ok(None),
            Some(ssh) => editor.append(ssh, &Value::text(AGENT)),
        };
        edit.map(Some).map_err(|refusal| refusal.to_string())
    })?;
    let has_changed = draft.text.len() != before;
    let is_meant = |path: &[String]| {
        path.get(1).is_some_and(|key| key == "services") && path.get(3).is_some_and(|key| key == "build")
    };
    if !differ_only(&draft.original, &draft.text, is_meant) {
        return Err("the change would have changed more than is meant".to_owned());
    }
    if has_changed {
        work.note(&found.path, line);
    }
    Ok(())
}

fn edit_yaml_if(
    draft: &mut Draft,
    make: impl for<'y> FnOnce(&yaml::Editor<'y>, &'y yaml::Yaml<'y>) -> Result<Option<Edit>, String>,
) -> Result<(), String> {
    let nothing = Edit::insert(FileId::BESIDE, 0, "");
    edit_yaml(draft, |editor, tree| Ok(make(editor, tree)?.unwrap_or(nothing)))
}

/// Whether a list of agents, or a mapping, holds the usual one.
fn lends(ssh: Node<'_>) -> bool {
    let items = ssh.items().filter_map(Node::scalar);
    let keys = ssh.entries().filter_map(|entry| entry.key.scalar());
    let mut all = items.chain(keys).chain(ssh.scalar());
    all.any(|text| text.split('=').next() == Some(AGENT))
}

/// `build: .` as a mapping with the agent.
fn spelled_out(text: &[u8], key: Node<'_>, value: Node<'_>) -> Result<Edit, String> {
    const FORM: &str = "it is written in a form that is not edited";
    let start = memchr::memrchr(b'\n', &text[..key.span().start as usize]).map_or(0, |at| at + 1);
    let indent = std::str::from_utf8(&text[start..key.span().start as usize]).map_err(|_| FORM)?;
    let colon = value.lead() as usize + 1;
    let context = std::str::from_utf8(value.span().of(text)).map_err(|_| FORM)?;
    let is_plain = indent.bytes().all(|byte| byte == b' ')
        && text[colon..value.span().start as usize].iter().all(|&byte| byte == b' ')
        && !context.contains('\n')
        && !value.is_template();
    if !is_plain {
        return Err(FORM.to_owned());
    }
    let ending = if text.contains(&b'\r') { "\r\n" } else { "\n" };
    let inner = format!("{ending}{indent}  ");
    let text = format!("{inner}context: {context}{inner}ssh:{inner}  - {AGENT}");
    Ok(Edit::replace(FileId::BESIDE, Span::new(colon, value.span().end as usize), text))
}

/// Lends the agent to the steps of a workflow that build the Dockerfile.
pub(super) fn of_workflow(work: &mut Work<'_>, found: &Found, around: BuildContext<'_>) -> Result<(), Obstacle> {
    let parsed = yaml::parse(&found.text);
    let lines = LineIndex::new(&found.text);
    let ours = |step: &BuildStep<'_>| step.dockerfile(around).as_deref() == Some(&work.dockerfile);
    let steps: Vec<(usize, u32)> = build_steps(&parsed.tree)
        .enumerate()
        .filter(|(_, step)| ours(step))
        .map(|(at, step)| (at, lines.line(step.node.span().start)))
        .collect();
    for (at, line) in steps {
        let draft = work.draft(found, FileKind::Workflow);
        let before = draft.text.len();
        let edited = edit_yaml_if(draft, |editor, tree| {
            let step = build_steps(tree).nth(at).ok_or("it is written in a form that is not edited")?;
            let agent = Value::text(AGENT);
            let edit = match step.inputs {
                None => editor.insert(step.node, "with", &Value::map([("ssh", agent)])),
                Some(inputs) if inputs.form() == Some(Form::Block) && inputs.get("ssh").is_none() => {
                    editor.insert(inputs, "ssh", &agent)
                }
                Some(inputs) if inputs.get("ssh").is_some_and(lends) => return Ok(None),
                Some(_) => return Err("it is written in a form that is not edited".to_owned()),
            };
            edit.map(Some).map_err(|refusal| refusal.to_string())
        });
        edited.map_err(|why| Obstacle::new(&found.path, line, why))?;
        if draft.text.len() != before {
            work.note(&found.path, line);
        }
    }
    Ok(())
}

/// Lends the agent to the commands that build the Dockerfile: the edits of the file as it was read.
pub(super) fn of_calls(
    work: &mut Work<'_>,
    found: &Found,
    script: &ScriptFile,
    system: System,
    around: BuildContext<'_>,
) -> Result<Vec<Edit>, Obstacle> {
    let lines = LineIndex::new(&found.text);
    let mut edits = Vec::new();
    for call in script.build_calls() {
        let built = graph::built_by(&call, system, around);
        let is_lent = call.values("ssh").any(|value| value.split('=').next() == Some(AGENT));
        if is_lent || !built.iter().any(|path| path.as_deref() == Some(&*work.dockerfile)) {
            continue;
        }
        let line = lines.line(call.command.span().start);
        let place = behind_verb(&call).map_err(|why| Obstacle::new(&found.path, line, why.to_owned()))?;
        edits.push(Edit::insert(FileId::BESIDE, place as usize, format!(" --ssh {AGENT}")));
        work.note(&found.path, line);
    }
    Ok(edits)
}

/// Where the options of a call may begin.
fn behind_verb(call: &BuildCall<'_>) -> Result<u32, &'static str> {
    if call.command.command.script().is_inline() || !call.command.invocation().is_some_and(Invocation::is_direct) {
        return Err("another program starts the build, perhaps in another environment");
    }
    let mut words = call.command.command.words();
    let verb = words.find(|word| matches!(word.literal(), Some("build" | "b" | "bud")));
    verb.map(|verb| call.command.word_span(verb).end).ok_or("it is written in a form that is not edited")
}
