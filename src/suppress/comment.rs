//! How a comment is written that silences findings: the own form, and those of other tools.

use super::Date;
use crate::text::Span;

/// `# ironhull: allow(rule, rule) because reason until 2027-01-31`, taken apart.
#[derive(Debug, Default)]
pub(super) struct Allow {
    pub(super) names: Vec<Named>,
    pub(super) reason: String,
    /// The last day that it holds.
    pub(super) until: Option<Date>,
    /// Why it silences nothing, however it is meant.
    pub(super) mistake: Option<Mistake>,
}

/// A rule that is named.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) span: Span,
    pub(super) message: &'static str,
}

/// What a comment of another tool leaves out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// As in the equivalents of rules.
    pub(super) tool: &'static str,
    pub(super) id: String,
    pub(super) is_global: bool,
    pub(super) until: Option<Date>,
    /// As it is shown as the reason.
    pub(super) shown: String,
}

/// Whether a comment could be one that silences: a look at its first word.
pub(super) fn may_silence(comment: &[u8]) -> bool {
    let marks = comment.iter().take_while(|&&byte| byte == b'#').count();
    let said = comment[marks..].trim_ascii_start();
    MARKS.iter().any(|mark| said.starts_with(mark.as_bytes()))
}

/// Whether a text holds anything that could be such a comment: hardly any does.
pub(super) fn is_among(text: &[u8]) -> bool {
    let begins = |at: &usize| *at == 0 || text[at - 1] != b'#';
    memchr::memchr_iter(b'#', text).filter(begins).any(|at| may_silence(&text[at..]))
}

const MARKS: [&str; 5] = ["ironhull:", "hadolint", "check", "trivy:", "checkov:"];

/// Reads a comment of this program that starts at `start`; `None` if it is none.
pub(super) fn allow(comment: &[u8], start: u32) -> Option<Allow> {
    let text = std::str::from_utf8(comment).ok()?.trim_end();
    let said = text.trim_start_matches('#').trim_start().strip_prefix("ironhull:")?;
    let place = |part: &str| {
        let at = part.as_ptr() as usize - text.as_ptr() as usize;
        Span::new(start as usize + at, start as usize + at + part.len())
    };
    let whole = place(text);
    let wrong = |message| Some(Allow { mistake: Some(Mistake { span: whole, message }), ..Allow::default() });
    let Some(list) = said.trim_start().strip_prefix("allow").and_then(|rest| rest.trim_start().strip_prefix('('))
    else {
        return wrong("this is no `ironhull: allow(rule) because reason`, so it silences nothing");
    };
    let Some((list, rest)) = list.split_once(')') else {
        return wrong("the list of rules has no `)`, so this silences nothing");
    };
    let ids = list.split(',').map(str::trim).filter(|id| !id.is_empty());
    let names: Vec<Named> = ids.map(|id| Named { id: id.to_owned(), span: place(id) }).collect();
    if names.is_empty() {
        return wrong("no rule is named, so this silences nothing");
    }
    let (reason, until) = match said_until(rest) {
        Ok(parts) => parts,
        Err(message) => return wrong(message),
    };
    // `…` is where an editor leaves the place for one.
    let says = |reason: &&str| reason.contains(char::is_alphanumeric);
    let Some(reason) = reason.trim().strip_prefix("because").map(str::trim).filter(says) else {
        return wrong("it does not say why: without `because` and a reason it silences nothing");
    };
    Some(Allow { names, reason: reason.to_owned(), until, mistake: None })
}

/// What stands around `until YYYY-MM-DD`, before or behind the reason, and the day.
fn said_until(text: &str) -> Result<(String, Option<Date>), &'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some(at) = words.windows(2).rposition(|pair| pair[0] == "until" && looks_like_a_day(pair[1])) else {
        return Ok((text.to_owned(), None));
    };
    if at != 0 && at + 2 != words.len() {
        return Ok((text.to_owned(), None));
    }
    let day = words[at + 1].trim_end_matches('.');
    let date = Date::parse(day).ok_or("there is no such day, so this silences nothing: write `until YYYY-MM-DD`")?;
    Ok(([&words[..at], &words[at + 2..]].concat().join(" "), Some(date)))
}

fn looks_like_a_day(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    word.len() >= 6 && word.bytes().all(|byte| byte.is_ascii_digit() || b"-/.".contains(&byte))
}

/// What a comment or a directive of another tool leaves out.
pub(super) fn foreign(comment: &[u8]) -> Vec<Foreign> {
    let Ok(text) = std::str::from_utf8(comment) else { return Vec::new() };
    let said = text.trim_start_matches('#').trim();
    let none = || Vec::with_capacity(0);
    if let Some(rest) = said.strip_prefix("hadolint") {
        let rest = rest.trim_start();
        let (rest, is_global) = rest.strip_prefix("global").map_or((rest, false), |rest| (rest.trim_start(), true));
        return value_of(rest, "ignore").map_or_else(none, |list| listed("hadolint", list, is_global, said));
    }
    if let Some(settings) = value_of(said, "check") {
        let skipped = settings.split(';').find_map(|setting| value_of(setting.trim(), "skip"));
        return skipped.map_or_else(none, |list| listed("buildkit", list, false, said));
    }
    if said.starts_with("trivy:ignore:") {
        return said.split_whitespace().filter_map(|word| trivy(word.strip_prefix("trivy:ignore:")?)).collect();
    }
    if let Some(rest) = said.strip_prefix("checkov:skip=") {
        let id = rest.split([':', ' ']).next().unwrap_or_default();
        // It is said anywhere and holds for the whole file.
        return listed("checkov", id, true, said);
    }
    Vec::new()
}

/// What stands behind `name` and `=`, blanks around it left out.
fn value_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.strip_prefix(name)?.trim_start().strip_prefix('=').map(str::trim)
}

fn listed(tool: &'static str, list: &str, is_global: bool, shown: &str) -> Vec<Foreign> {
    let ids = list.split(',').map(str::trim).filter_map(|item| item.split_whitespace().next());
    ids.map(|id| Foreign { tool, id: id.to_owned(), is_global, until: None, shown: shown.to_owned() }).collect()
}

/// `AVD-DS-0002`, `DS-0002` or `DS002`, and the day it ends on, as in `DS-0002:exp:2027-01-31`.
fn trivy(said: &str) -> Option<Foreign> {
    let (id, rest) = said.split_once(':').unwrap_or((said, ""));
    let id = id.strip_prefix("AVD-").unwrap_or(id);
    let digits = id.trim_start_matches("DS").trim_start_matches('-');
    let id = format!("DS-{:04}", digits.parse::<u16>().ok()?);
    let until = rest.strip_prefix("exp:").and_then(Date::parse);
    Some(Foreign { tool: "trivy", id, is_global: false, until, shown: format!("trivy:ignore:{said}") })
}

/// Whether BuildKit would take a comment for a parser directive, were it at the top of the file.
pub(super) fn looks_like_a_directive(comment: &[u8]) -> bool {
    let said = comment.trim_ascii_start().strip_prefix(b"#").unwrap_or_default().trim_ascii_start();
    let name = said.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    name > 0 && said[name..].trim_ascii_start().starts_with(b"=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> Allow {
        allow(text.as_bytes(), 0).expect("it is one")
    }

    #[test]
    fn an_allow_names_rules_and_says_why_and_until_when() {
        let read = allowed("#ironhull: allow(root-user,  sudo ) because the init needs it until 2027-01-31");
        let names: Vec<_> = read.names.iter().map(|name| (name.id.as_str(), name.span.start)).collect();
        assert_eq!(names, [("root-user", 17), ("sudo", 29)]);
        assert_eq!(
            (read.reason.as_str(), read.until.unwrap().to_string().as_str()),
            ("the init needs it", "2027-01-31")
        );
        let first = allowed("# ironhull: allow(sudo) until 2027-01-31 because reasons");
        assert_eq!((first.reason.as_str(), first.until.is_some()), ("reasons", true));
        let text = allowed("# ironhull: allow(sudo) because it stays until upstream moves");
        assert_eq!((text.reason.as_str(), text.until.is_none()), ("it stays until upstream moves", true));
    }

    #[test]
    fn what_is_written_wrongly_says_what_is_missing() {
        for (text, word) in [
            ("# ironhull: allow(root-user)", "why"),
            ("# ironhull: allow(root-user) because", "why"),
            ("# ironhull: allow(root-user) because …", "why"),
            ("# ironhull: allow(root-user) it is fine", "why"),
            ("# ironhull: allow(root-user because x", "`)`"),
            ("# ironhull: allow() because x", "named"),
            ("# ironhull: ignore root-user", "allow(rule)"),
            ("# ironhull: allow(root-user) because x until 2027-02-30", "day"),
        ] {
            let message = allowed(text).mistake.expect(text).message;
            assert!(message.contains(word), "{text}: {message}");
        }
        assert!(allow(b"# see ironhull: allow(x)", 0).is_none());
    }

    #[test]
    fn comments_of_other_tools_are_read_as_those_tools_write_them() {
        let ids = |text: &str| -> Vec<String> {
            let show =
                |other: &Foreign| format!("{}:{}{}", other.tool, other.id, if other.is_global { "!" } else { "" });
            foreign(text.as_bytes()).iter().map(show).collect()
        };
        assert_eq!(ids("# hadolint ignore=DL3008,SC2046"), ["hadolint:DL3008", "hadolint:SC2046"]);
        assert_eq!(ids("#hadolint global ignore = DL3008, DL3009"), ["hadolint:DL3008!", "hadolint:DL3009!"]);
        assert_eq!(ids("# check=skip=JSONArgsRecommended,StageNameCasing;error=true").len(), 2);
        assert_eq!(ids("# check=error=true;skip=all"), ["buildkit:all"]);
        assert_eq!(ids("#trivy:ignore:AVD-DS-0002 trivy:ignore:DS013"), ["trivy:DS-0002", "trivy:DS-0013"]);
        assert_eq!(ids("# checkov:skip=CKV_DOCKER_2: no health check"), ["checkov:CKV_DOCKER_2!"]);
        assert_eq!(ids("# check the version"), [""; 0]);
    }
}
