//! Steps of GitHub workflows: `build-args` of the build action become `secrets`.
//!
//! Facts: docker/build-push-action, "Inputs": `build-args` and `secrets` are lists of `name=value`, a line each, and
//! `secret-envs` of `id=VARIABLE`; the first version of the action has no secrets.

use super::{Instead, Obstacle, Work};
use crate::{
    context::{BuildContext, Found},
    model::graph::{BuildStep, build_steps},
    syntax::yaml::{self, Form, Kind, Node, Style},
    text::{Edit, FileId, LineIndex, Span},
};

const ARGUMENTS: &str = "build-args";

pub(super) fn edits(work: &mut Work<'_>, found: &Found, around: BuildContext<'_>) -> Result<Vec<Edit>, Obstacle> {
    let parsed = yaml::parse(&found.text);
    let lines = LineIndex::new(&found.text);
    let mut edits = Vec::new();
    for step in build_steps(&parsed.tree) {
        let Some(dockerfile) = step.dockerfile(around) else { continue };
        if dockerfile != work.dockerfile {
            work.settle(found, &lines, step.node.span());
            continue;
        }
        let arguments = step.inputs.and_then(|inputs| inputs.entry(ARGUMENTS)).map(|entry| entry.value);
        let given = arguments.and_then(|arguments| Given::read(&found.text, arguments, work.name));
        let Some(given) = given else {
            work.by_all = false;
            continue;
        };
        let line = lines.line(given.line.start);
        let obstacle = |why: &str| Obstacle { path: found.path.clone(), line, why: why.to_owned() };
        if !parsed.errors.is_empty() {
            return Err(obstacle("the file is damaged"));
        }
        edits.extend(edit(&found.text, step, &given, work).map_err(obstacle)?);
        work.settle(found, &lines, step.node.span());
        work.note(&found.path, line);
    }
    Ok(edits)
}

/// Whether the scalar that `path` leads to is a list of what builds are given.
pub(super) fn is_list(path: &[String]) -> bool {
    match path {
        [.., inputs, key] => inputs == "with" && matches!(key.as_str(), ARGUMENTS | "secrets" | "secret-envs"),
        _ => false,
    }
}

const FORM: &str = "it is written in a form that is not edited";

const ENDS: &str = "the file ends there without the end of a line";

/// Where a list of arguments gives one.
struct Given<'t> {
    /// The scalar that is the list.
    list: Node<'t>,
    /// The line of the list, its end included; all of the scalar where it is the only one.
    line: Span,
    /// Whether it gives others as well.
    has_others: bool,
    /// What stands behind the name.
    value: Option<&'t str>,
}

impl<'t> Given<'t> {
    fn read(text: &'t [u8], list: Node<'t>, name: &str) -> Option<Self> {
        let gives = |line: &str| line.trim().split('=').next().is_some_and(|given| given.trim() == name);
        let written = list.scalar()?.lines().filter(|line| !line.trim().is_empty());
        let count = written.clone().count();
        let value = written.clone().find(|line| gives(line))?.trim().split_once('=').map(|(_, value)| value);
        let is_block = list.kind() == Kind::Scalar(Style::Literal);
        let span = list.span();
        let mut line = span;
        if is_block {
            let mut at = span.start as usize;
            while at < span.end as usize {
                let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end + 1);
                if std::str::from_utf8(&text[at..end]).is_ok_and(gives) {
                    line = Span::new(at, end);
                }
                at = end;
            }
        }
        Some(Self { list, line, has_others: count > 1, value })
    }
}

fn edit(text: &[u8], step: BuildStep<'_>, given: &Given<'_>, work: &Work<'_>) -> Result<Vec<Edit>, &'static str> {
    let inputs = step.inputs.filter(|inputs| inputs.form() == Some(Form::Block)).ok_or(FORM)?;
    let is_block = given.list.kind() == Kind::Scalar(Style::Literal);
    if given.has_others && !is_block || given.list.is_anchored() || inputs.is_anchored() {
        return Err(FORM);
    }
    let entry = inputs.entry(ARGUMENTS).ok_or(FORM)?;
    let key = entry.key.span();
    let start = memchr::memrchr(b'\n', &text[..key.start as usize]).map_or(0, |at| at + 1);
    let indent = std::str::from_utf8(&text[start..key.start as usize]).map_err(|_| FORM)?;
    if !indent.bytes().all(|byte| byte == b' ') {
        return Err(FORM);
    }
    let ending = if text.contains(&b'\r') { "\r\n" } else { "\n" };
    let end = end_of_line(text, (given.list.span().end as usize).saturating_sub(1)).ok_or(ENDS)?;
    let whole = Span::new(start, end);
    let gone = if given.has_others { given.line } else { whole };
    let Instead::Secret(id) = work.instead else { return Ok(vec![Edit::delete(FileId::BESIDE, gone)]) };
    let (list, line) = match given.value {
        Some(value) if value.trim_start().starts_with("${{") => ("secrets", format!("{id}={value}")),
        Some(_) => return Err("its value is written out there, or is made of several"),
        None => ("secret-envs", format!("{id}={}", work.name)),
    };
    if matches!(step.version, "v1" | "v1.0" | "v1.1") || step.version.starts_with("v1.") {
        return Err("this version of the action takes no secrets");
    }
    let new = match inputs.entry(list).map(|entry| entry.value) {
        None => {
            let text = format!("{indent}{list}: |{ending}{indent}  {line}{ending}");
            // The list of secrets stands where the list of arguments was, or behind it.
            if !given.has_others {
                return Ok(vec![Edit::replace(FileId::BESIDE, gone, text)]);
            }
            Edit::insert(FileId::BESIDE, end, text)
        }
        Some(secrets) if secrets.kind() == Kind::Scalar(Style::Literal) && !secrets.is_anchored() => {
            append(text, secrets, id, &format!("{line}{ending}"))?
        }
        Some(_) => return Err(FORM),
    };
    Ok(vec![Edit::delete(FileId::BESIDE, gone), new])
}

/// `line`, its ending included, behind the others of the list `secrets`.
fn append(text: &[u8], secrets: Node<'_>, id: &str, line: &str) -> Result<Edit, &'static str> {
    let mut known = secrets.scalar().unwrap_or_default().lines();
    if known.any(|known| known.trim().split('=').next() == Some(id)) {
        return Err("the step has a secret of that name already");
    }
    let shown = secrets.span().of(text).trim_ascii_end().len();
    let end = secrets.span().start as usize + shown;
    let begin = memchr::memrchr(b'\n', &text[..end]).map_or(0, |at| at + 1);
    let depth = text[begin..].iter().take_while(|&&byte| byte == b' ').count();
    let at = end_of_line(text, end).ok_or(ENDS)?;
    Ok(Edit::insert(FileId::BESIDE, at, format!("{}{line}", " ".repeat(depth))))
}

/// Behind the line of `at`, if it has an ending.
fn end_of_line(text: &[u8], at: usize) -> Option<usize> {
    memchr::memchr(b'\n', &text[at..]).map(|end| at + end + 1)
}
