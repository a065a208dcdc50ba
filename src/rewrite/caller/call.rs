//! Commands that build: `--build-arg TOKEN=$TOKEN` becomes `--secret id=token,env=TOKEN`.
//!
//! Facts: docker, podman, nerdctl and buildah documentation of `build --secret id=…,env=…`; what the variable names must
//! be in the environment of the command, and not only one of the shell.

use super::{Instead, Obstacle, Work, compose::is_name, environment};
use crate::{
    context::{BuildContext, Found},
    model::{
        engine_call::{BuildCall, EngineOption},
        graph::{self, System},
        script_file::ScriptFile,
    },
    rewrite::call::whole,
    source::FileKind,
    syntax::shell::Invocation,
    text::{Edit, FileId, LineIndex, Span},
};

pub(super) fn edits(
    work: &mut Work<'_>,
    found: &Found,
    kind: FileKind,
    around: BuildContext<'_>,
) -> Result<Vec<Edit>, Obstacle> {
    let (Some(script), Some(system)) = (ScriptFile::of(kind, &found.text), System::of(kind)) else {
        return Ok(Vec::new());
    };
    let lines = LineIndex::new(&found.text);
    let mut edits = Vec::new();
    for call in script.build_calls() {
        let built = graph::built_by(&call, system, around);
        let ours = built.iter().filter(|path| path.as_deref() == Some(&*work.dockerfile)).count();
        let place = call.command.span();
        if ours == 0 {
            if built.iter().all(Option::is_some) {
                work.settle(found, &lines, place);
            }
            continue;
        }
        let options: Vec<_> = call.options.iter().filter(|option| gives(option, work.name)).collect();
        if options.is_empty() {
            work.by_all = false;
            continue;
        }
        for option in options {
            let line = lines.line(option.span.start);
            let obstacle = |why: String| Obstacle { path: found.path.clone(), line, why };
            if ours < built.len() {
                return Err(obstacle("the call builds other Dockerfiles as well".to_owned()));
            }
            edits.push(edit(work, found, kind, &call, option).map_err(obstacle)?);
            work.note(&found.path, line);
        }
        work.settle(found, &lines, place);
    }
    Ok(edits)
}

/// Whether an option hands in the build argument `name`.
fn gives(option: &EngineOption<'_>, name: &str) -> bool {
    option.name == "build-arg" && option.value.split('=').next() == Some(name)
}

fn edit(
    work: &Work<'_>,
    found: &Found,
    kind: FileKind,
    call: &BuildCall<'_>,
    option: &EngineOption<'_>,
) -> Result<Edit, String> {
    let Instead::Secret(id) = work.instead else {
        return Ok(Edit::delete(FileId::BESIDE, whole(&found.text, option.span)));
    };
    if call.command.command.script().is_inline() {
        return Err("another command is handed the call".to_owned());
    }
    if !call.command.invocation().is_some_and(Invocation::is_direct) {
        return Err("another program starts the build, perhaps in another environment".to_owned());
    }
    let text = std::str::from_utf8(&found.text).map_err(|_| "the file is not UTF-8".to_owned())?;
    let Span { start, end } = option.span;
    let written = &text[start as usize..end as usize];
    let variable =
        value(written, work.name, kind).ok_or("its value is no variable of the environment that can be named")?;
    // What is handed in by its name alone is taken from the environment anyway.
    if written.contains(&format!("{}=", work.name)) {
        environment::holds(text, kind, variable)?;
    }
    Ok(Edit::replace(FileId::BESIDE, option.span, format!("--secret id={id},env={variable}")))
}

/// The variable that the option gives as the value of `name`.
fn value<'t>(written: &'t str, name: &'t str, kind: FileKind) -> Option<&'t str> {
    let given = written.strip_prefix("--build-arg")?;
    let given = given.strip_prefix('=').unwrap_or_else(|| given.trim_start_matches([' ', '\t']));
    let given = unquoted(given);
    let Some(value) = given.strip_prefix(name)?.strip_prefix('=') else { return (given == name).then_some(name) };
    let value = unquoted(value);
    let (value, is_of_make) = match (kind, value.strip_prefix("$$")) {
        (FileKind::Makefile, Some(value)) => (value, false),
        _ => (value.strip_prefix('$')?, kind == FileKind::Makefile),
    };
    let inside = |open: char, close: char| value.strip_prefix(open)?.strip_suffix(close);
    let braced = inside('{', '}');
    let variable = match braced {
        Some(inner) if !is_of_make => inner.strip_suffix(":-").or(inner.strip_suffix('-')).unwrap_or(inner),
        Some(inner) => inner,
        None if is_of_make => inside('(', ')')?,
        None => value,
    };
    is_name(variable).then_some(variable)
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_variable_or_none_that_is_known() {
        fn read(written: &str, kind: FileKind) -> Option<&str> {
            value(written, "TOKEN", kind)
        }
        let shell = |written| read(written, FileKind::Script);
        assert_eq!(shell("--build-arg TOKEN"), Some("TOKEN"));
        assert_eq!(shell("--build-arg=TOKEN=$NPM"), Some("NPM"));
        assert_eq!(shell("--build-arg \"TOKEN=${NPM:-}\""), Some("NPM"));
        assert_eq!(shell("--build-arg TOKEN=\"$NPM\""), Some("NPM"));
        for other in ["TOKEN=abc", "TOKEN=$1", "TOKEN=$(cat f)", "TOKEN='$NPM'", "TOKEN=a$NPM", "TOKEN=${NPM:-x}"] {
            assert_eq!(read(&format!("--build-arg {other}"), FileKind::Script), None, "{other}");
        }
        let make = |written| read(written, FileKind::Makefile);
        assert_eq!(make("--build-arg TOKEN=$(NPM)"), Some("NPM"));
        assert_eq!(make("--build-arg TOKEN=${NPM}"), Some("NPM"));
        assert_eq!(make("--build-arg TOKEN=$$NPM"), Some("NPM"));
        assert_eq!(make("--build-arg TOKEN=$(shell cat f)"), None);
        assert_eq!(make("--build-arg TOKEN=$NPM"), None);
    }
}
