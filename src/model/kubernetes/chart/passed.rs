//! Actions of templates that pass a value on as it is.

use crate::{
    syntax::yaml::{Branch, Branches},
    text::Span,
};

/// An action that writes one of the chart's values and changes nothing about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passed<'t> {
    /// The keys that lead to the value.
    pub(super) path: Vec<&'t str>,
    /// Whether it is written as YAML, whatever it is; else it is a scalar.
    pub(super) is_yaml: bool,
    /// Whether it is written as a text, in quotes.
    pub(super) is_quoted: bool,
    /// What is written where the value is empty.
    pub(super) default: Option<&'t str>,
}

/// What `.` or a value stands for.
#[derive(Clone, Copy)]
enum Source<'t> {
    /// `.Values.a.b`, from wherever `.` is.
    Values(&'t str),
    /// `$.Values.a.b`.
    Rooted(&'t str),
    /// `.`, which `with` has set.
    Dot,
}

/// What the action at `span` of `text` passes on, if that is all that it does.
pub(super) fn passed<'t>(text: &'t str, span: Span, branches: &Branches) -> Option<Passed<'t>> {
    let (source, mut passed) = pipeline(body(&text[span.range()])?)?;
    let path = match (source, dot(text, span, branches)) {
        (Source::Rooted(path), _) | (Source::Values(path), Dot::Root) | (Source::Dot, Dot::Values(path)) => path,
        (Source::Values(_) | Source::Dot, _) => return None,
    };
    passed.path = keys(path)?;
    Some(passed)
}

/// What lies between the braces.
fn body(action: &str) -> Option<&str> {
    let body = action.strip_prefix("{{")?.strip_suffix("}}")?;
    let body = body.strip_prefix('-').unwrap_or(body);
    Some(body.strip_suffix('-').unwrap_or(body).trim())
}

/// A value and what is done with it, the path left open.
fn pipeline(body: &str) -> Option<(Source<'_>, Passed<'_>)> {
    let mut passed = Passed { path: Vec::new(), is_yaml: false, is_quoted: false, default: None };
    let mut parts = body.split('|').map(str::trim);
    let mut words = parts.next()?.split_ascii_whitespace();
    let first = words.next()?;
    let mut arguments: Vec<&str> = words.collect();
    let source = match (source_of(first), arguments.pop()) {
        (Some(source), None) => source,
        // `toYaml .Values.a`, `default "x" .Values.a`
        (None, Some(last)) => {
            step(first, &arguments, &mut passed)?;
            source_of(last)?
        }
        (Some(_), Some(_)) | (None, None) => return None,
    };
    for part in parts {
        let mut words = part.split_ascii_whitespace();
        let (name, arguments) = (words.next()?, words.collect::<Vec<_>>());
        step(name, &arguments, &mut passed)?;
    }
    Some((source, passed))
}

/// Takes note of one function; none where it may change the value.
fn step<'t>(name: &str, arguments: &[&'t str], passed: &mut Passed<'t>) -> Option<()> {
    match (name, arguments) {
        ("toYaml", []) => passed.is_yaml = true,
        ("quote" | "squote", []) if !passed.is_yaml => passed.is_quoted = true,
        ("nindent" | "indent", [_]) if passed.is_yaml => {}
        ("trim" | "toString", []) if !passed.is_yaml => {}
        ("default", [value]) if !passed.is_yaml => passed.default = Some(value),
        _ => return None,
    }
    Some(())
}

fn source_of(word: &str) -> Option<Source<'_>> {
    match word {
        "." => Some(Source::Dot),
        word => {
            let rooted = word.strip_prefix("$.Values.").map(Source::Rooted);
            rooted.or_else(|| word.strip_prefix(".Values.").map(Source::Values))
        }
    }
}

fn keys(path: &str) -> Option<Vec<&str>> {
    let is_key = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let keys: Vec<&str> = path.split('.').collect();
    keys.iter().all(|key| is_key(key)).then_some(keys)
}

/// What `.` is.
enum Dot<'t> {
    /// What the template was called with.
    Root,
    /// One of the values.
    Values(&'t str),
    /// Something else.
    Other,
}

/// What `.` is at `span`: the innermost block that sets it decides.
fn dot<'t>(text: &'t str, span: Span, branches: &Branches) -> Dot<'t> {
    for branch in branches.around(span.start) {
        let Some(condition) = text.get(branch.condition.range()).and_then(body) else { return Dot::Other };
        let (word, rest) = condition.split_once(char::is_whitespace).unwrap_or((condition, ""));
        match word {
            "if" => {}
            "else" if keeps_dot(rest, branch, text, branches) => {}
            // What `with` names inside of another block depends on that one.
            "with" if branches.around(branch.condition.start).all(|outer| is_if(text, outer)) => {
                return match source_of(rest.trim()) {
                    Some(Source::Values(path) | Source::Rooted(path)) => Dot::Values(path),
                    Some(Source::Dot) | None => Dot::Other,
                };
            }
            _ => return Dot::Other,
        }
    }
    Dot::Root
}

/// Whether an `else` leaves `.` as it is around it.
fn keeps_dot(rest: &str, branch: Branch, text: &str, branches: &Branches) -> bool {
    let is_plain = rest.is_empty() || rest.starts_with("if ");
    is_plain && branches.before(branch).all(|other| is_if(text, other))
}

fn is_if(text: &str, branch: Branch) -> bool {
    let condition = text.get(branch.condition.range()).and_then(body).unwrap_or_default();
    condition.starts_with("if ") || condition == "else" || condition.starts_with("else if ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    /// The last action of `text` that passes something on.
    fn last(text: &str) -> Option<String> {
        let parsed = parse(text.as_bytes());
        let branches = parsed.tree.branches();
        let found = parsed.tree.actions().iter().filter_map(|&span| passed(text, span, &branches)).next_back()?;
        let mut said = found.path.join(".");
        said += if found.is_yaml { " yaml" } else { "" };
        said += if found.is_quoted { " quoted" } else { "" };
        Some(said + &found.default.map(|value| format!(" else {value}")).unwrap_or_default())
    }

    #[test]
    fn a_value_is_passed_on_in_many_ways() {
        for (action, said) in [
            ("{{ .Values.a }}", "a"),
            ("{{- $.Values.a.b -}}", "a.b"),
            ("{{- toYaml .Values.a | nindent 8 }}", "a yaml"),
            ("{{ .Values.a | toYaml | indent 4 }}", "a yaml"),
            ("{{ .Values.a | quote }}", "a quoted"),
            ("{{ quote .Values.a }}", "a quoted"),
            ("{{ .Values.a | default .Chart.AppVersion }}", "a else .Chart.AppVersion"),
            ("{{ default \"x\" .Values.a }}", "a else \"x\""),
        ] {
            assert_eq!(last(&format!("k: {action}\n")).as_deref(), Some(said), "{action}");
        }
    }

    #[test]
    fn what_changes_a_value_does_not_pass_it_on() {
        for action in [
            "{{ .Values.a | upper }}",
            "{{ include \"a\" . }}",
            "{{ tpl .Values.a . }}",
            "{{ omit .Values.a \"b\" | toYaml }}",
            "{{ .Release.Name }}",
            "{{ . }}",
            "{{ .Values.a .Values.b }}",
            "{{ printf \"%s\" .Values.a }}",
            "{{ .Values }}",
        ] {
            assert_eq!(last(&format!("k: {action}\n")), None, "{action}");
        }
    }

    #[test]
    fn with_and_range_decide_what_the_dot_is() {
        for (text, said) in [
            ("{{ with .Values.a }}\nk:\n  {{ toYaml . | nindent 2 }}\n{{ end }}\n", Some("a yaml")),
            ("{{ if .Values.x }}{{ with .Values.a }}\nk: {{ toYaml . }}\n{{ end }}{{ end }}\n", Some("a yaml")),
            ("{{ if .Values.x }}\nk: 1\n{{ else if .Values.y }}\nk: {{ .Values.a }}\n{{ end }}\n", Some("a")),
            ("{{ with .Values.a }}\nk: {{ .Values.b }}\n{{ end }}\n", None),
            ("{{ with .Values.a }}\nk: {{ $.Values.b }}\n{{ end }}\n", Some("b")),
            ("{{ range .Values.a }}\nk: {{ toYaml . }}\n{{ end }}\n", None),
            ("{{ range .Values.a }}{{ with .Values.b }}\nk: {{ toYaml . }}\n{{ end }}{{ end }}\n", None),
            ("{{ with .Values.a }}\nk: 1\n{{ else }}\nk: {{ . }}\n{{ end }}\n", None),
            ("{{ define \"x\" }}\nk: {{ .Values.b }}\n{{ end }}\n", None),
        ] {
            assert_eq!(last(text).as_deref(), said, "{text}");
        }
    }
}
