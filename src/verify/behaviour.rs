//! What two starts have in common and what not: readiness, answers, exit codes, logs.

use super::{
    engine::Health,
    failure::last_lines,
    http::Answer,
    mask::{Numbers, masked},
    observe::{Observed, Ready},
    verdict::{Difference, Standing, Subject},
};
use std::collections::{BTreeMap, BTreeSet};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) differences: Vec<Difference>,
    pub(super) same: Vec<String>,
    pub(super) not_compared: Vec<String>,
    /// Both gave the same page, or came to the same good end.
    pub(super) does_the_same: bool,
    /// The health checks of both say yes.
    pub(super) is_healthy: bool,
}

impl Comparison {
    fn differs(
        &mut self,
        subject: Subject,
        standing: Standing,
        values: (impl Into<String>, impl Into<String>),
        why: &str,
    ) {
        self.differences.push(Difference::new(subject, standing, values, why));
    }
}

/// What a program says when it may not do something.
const DENIED: [&str; 8] = [
    "permission denied",
    "permissionerror",
    "operation not permitted",
    "eacces",
    "eperm",
    "read-only file system",
    "erofs",
    "accessdenied",
];

/// Compares two starts; ports in `moved` are looked for elsewhere.
pub(super) fn compare(before: &Observed, after: &Observed, moved: &BTreeMap<u16, u16>) -> Comparison {
    let mut found = Comparison::default();
    readiness(before, after, &mut found);
    health(before, after, &mut found);
    listeners(before, after, moved, &mut found);
    if before.ready == Ready::Serving && after.ready == Ready::Serving {
        answers(before, after, moved, &mut found);
    }
    logs(before, after, &mut found);
    stop(before, after, &mut found);
    smoke(before, after, &mut found);
    found
}

fn described(ready: Ready) -> String {
    match ready {
        Ready::Serving => "it serves".to_owned(),
        Ready::Working => "it runs".to_owned(),
        Ready::Ended(code) => format!("it ends with {code}"),
        Ready::Never => "it runs and never becomes ready".to_owned(),
    }
}

fn readiness(before: &Observed, after: &Observed, found: &mut Comparison) {
    let (old, new) = (described(before.ready), described(after.ready));
    match (before.ready, after.ready) {
        (Ready::Ended(old), Ready::Ended(new)) if old != new => {
            found.differs(
                Subject::ExitCode,
                Standing::Broken,
                (old.to_string(), new.to_string()),
                &reason(before, after),
            );
        }
        (Ready::Ended(code), Ready::Ended(_)) => {
            found.same.push(format!("both end with {code}"));
            if code != 0 {
                found.not_compared.push("what they do when they have what they lack here".to_owned());
            }
        }
        _ if old != new => found.differs(Subject::Ready, Standing::Broken, (old, new), &reason(before, after)),
        (Ready::Working, _) => found.same.push("both run; neither listens on a port".to_owned()),
        (Ready::Serving | Ready::Ended(_) | Ready::Never, _) => {}
    }
}

/// Ports from here on are everybody's, whatever the engine.
const FIRST_FREE_PORT: u16 = 1024;

/// What a program said last, in place of a reason, and what is known about it.
fn reason(before: &Observed, after: &Observed) -> String {
    let words = if after.err.trim().is_empty() { &after.out } else { &after.err };
    let mut said = last_lines(words, 3);
    let Some(denial) = words.lines().find(|line| is_denial(line)) else { return said };
    if !said.contains(denial.trim_end()) {
        said = format!("{}\n{said}", denial.trim_end());
    }
    if before.listening.iter().any(|port| *port < FIRST_FREE_PORT) {
        said.push_str("\nports below 1024 are root's with podman; docker gives them to everybody, as does ");
        said.push_str("`--run-option=--sysctl=net.ipv4.ip_unprivileged_port_start=0`");
    }
    said
}

fn health(before: &Observed, after: &Observed, found: &mut Comparison) {
    let is_well = |observed: &Observed| observed.health == Some(Health::Healthy);
    match (is_well(before), is_well(after)) {
        (true, true) => {
            found.is_healthy = true;
            found.same.push("the health check says yes".to_owned());
        }
        (true, false) if after.health.is_some() => {
            found.differs(Subject::HealthCheck, Standing::Broken, ("healthy", "not healthy"), "the check says no");
        }
        (true | false, false) if before.health.is_none() && after.health.is_some() && after.ready == Ready::Serving => {
            found.differs(Subject::HealthCheck, Standing::Broken, ("", "not healthy"), "the new check says no");
        }
        (false, false) if before.health.is_some() && before.ready == Ready::Serving => {
            found.not_compared.push("the health check, which says no in BEFORE already".to_owned());
        }
        (true | false, true | false) => {}
    }
}

fn listeners(before: &Observed, after: &Observed, moved: &BTreeMap<u16, u16>, found: &mut Comparison) {
    if after.ready != before.ready {
        return;
    }
    let expected: BTreeSet<u16> = before.listening.iter().map(|port| *moved.get(port).unwrap_or(port)).collect();
    for port in expected.difference(&after.listening) {
        found.differs(Subject::Listens, Standing::Broken, (port.to_string(), ""), "nobody listens there now");
    }
    for port in after.listening.difference(&expected) {
        found.differs(Subject::Listens, Standing::Noted, ("", port.to_string()), "somebody listens there now");
    }
}

fn answers(before: &Observed, after: &Observed, moved: &BTreeMap<u16, u16>, found: &mut Comparison) {
    for ((port, path), old) in &before.answers {
        let now = moved.get(port).unwrap_or(port);
        let Some(new) = after.answers.get(&(*now, path.clone())) else { continue };
        let place = format!("GET {path} on {port}");
        match (old.as_slice(), new.first()) {
            ([first @ Answer::Page { .. }, others @ ..], Some(new @ Answer::Page { .. })) => {
                page(&place, first, others, new, found);
            }
            ([Answer::Page { .. }, ..], Some(Answer::Other | Answer::Refused)) => {
                found.differs(Subject::Answer, Standing::Broken, (place, "no answer"), "it does not speak HTTP now");
            }
            ([Answer::Other, ..], Some(Answer::Other)) => {
                found.same.push(format!("port {port} takes connections"));
                found.not_compared.push(format!("what is spoken on port {port}, which is not HTTP"));
            }
            _ => found.not_compared.push(format!("{place}: BEFORE does not answer it")),
        }
    }
}

/// Compares two pages; `again` is the first one asked for once more.
fn page(place: &str, before: &Answer, again: &[Answer], after: &Answer, found: &mut Comparison) {
    let (
        Answer::Page { status: old_status, content_type: old_type, location: old_location, body: old },
        Answer::Page { status, content_type, location, body },
    ) = (before, after)
    else {
        return;
    };
    let count = found.differences.len();
    let mut differs = |what: &str, old: String, new: String| {
        let values = (format!("{place}: {what} {old}"), format!("{what} {new}"));
        found.differs(Subject::Answer, Standing::Broken, values, "another answer");
    };
    if old_status != status {
        differs("status", old_status.to_string(), status.to_string());
    }
    if old_type != content_type {
        differs("content type", old_type.clone(), content_type.clone());
    }
    if masked(old_location, Numbers::Kept) != masked(location, Numbers::Kept) {
        differs("location", old_location.clone(), location.clone());
    }
    let again: Vec<&[u8]> = again
        .iter()
        .filter_map(|answer| match answer {
            Answer::Page { body, .. } => Some(body.as_slice()),
            Answer::Other | Answer::Refused => None,
        })
        .collect();
    match compare_bodies(old, &again, body) {
        Bodies::Same => {}
        Bodies::Unsteady => found.not_compared.push(format!("{place}: the body, which is another each time")),
        Bodies::Different { before, after } => {
            let values = (format!("{place}: {before}"), after);
            found.differs(Subject::Answer, Standing::Broken, values, "another answer");
        }
    }
    if found.differences.len() == count {
        found.does_the_same = true;
        let kind = if old_type.is_empty() { "no type" } else { old_type };
        found.same.push(format!("{place}: {status}, {kind}, {} bytes", body.len()));
    }
}

enum Bodies {
    Same,
    /// They are never the same, even from one and the same program.
    Unsteady,
    /// The first lines that differ.
    Different {
        before: String,
        after: String,
    },
}

fn compare_bodies(before: &[u8], again: &[&[u8]], after: &[u8]) -> Bodies {
    if before == after {
        return Bodies::Same;
    }
    let (Ok(old), Ok(new)) = (std::str::from_utf8(before), std::str::from_utf8(after)) else {
        if again.iter().any(|again| *again != before) {
            return Bodies::Unsteady;
        }
        let shown = |body: &[u8]| format!("{} bytes", body.len());
        return Bodies::Different { before: shown(before), after: format!("{}, others", shown(after)) };
    };
    let (old, new) = (masked(old, Numbers::Kept), masked(new, Numbers::Kept));
    let (old, new) = (pieces(&old), pieces(&new));
    let mut unsteady = BTreeSet::new();
    for again in again {
        let again = masked(&String::from_utf8_lossy(again), Numbers::Kept);
        let again = pieces(&again);
        if again.len() != old.len() {
            return Bodies::Unsteady;
        }
        unsteady.extend((0..old.len()).filter(|at| again[*at] != old[*at]));
    }
    let count = old.len().max(new.len());
    let first = (0..count).filter(|at| !unsteady.contains(at)).find(|at| old.get(*at) != new.get(*at));
    match first {
        None if unsteady.len() == old.len() && !old.is_empty() => Bodies::Unsteady,
        None => Bodies::Same,
        Some(at) => Bodies::Different { before: around(&old, at), after: around(&new, at) },
    }
}

/// A text in pieces that may change each by itself: the fields of a line of JSON, the words of a page.
fn pieces(text: &str) -> Vec<&str> {
    text.split_inclusive([' ', '\n', ',', '<', '>', '"', '=', '&', ';', '/']).collect()
}

/// The piece at `at`, with some in front of it and behind it, on one line.
fn around(pieces: &[&str], at: usize) -> String {
    let shown = &pieces[at.saturating_sub(5).min(pieces.len())..(at + 10).min(pieces.len())];
    let shown = shown.concat();
    let shown: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    if shown.is_empty() { "nothing".to_owned() } else { shown.chars().take(LONGEST_EXCERPT).collect() }
}

/// So much of an answer or a log is shown.
const LONGEST_EXCERPT: usize = 160;

fn line(lines: &[&str], at: usize) -> String {
    lines.get(at).map_or("nothing", |line| line.trim()).chars().take(LONGEST_EXCERPT).collect()
}

/// Logs may differ in much that means nothing. What a program is denied means something, and so does all that a
/// program says which does nothing but say something.
fn logs(before: &Observed, after: &Observed, found: &mut Comparison) {
    let old = log_lines(before);
    let new = log_lines(after);
    let told: String = found.differences.iter().map(|difference| masked(&difference.why, Numbers::Masked)).collect();
    let denied: Vec<&String> = new.difference(&old).filter(|line| is_denial(line)).collect();
    let denied: Vec<&String> = denied.into_iter().filter(|line| !told.contains(line.as_str())).collect();
    if let Some(line) = denied.first() {
        found.differs(Subject::Logs, Standing::Broken, ("", line.as_str()), "it is denied what BEFORE may do");
    }
    let Ready::Ended(_) = before.ready else {
        if denied.is_empty() && new != old && before.ready == after.ready {
            let new_line = new.difference(&old).next().cloned().unwrap_or_default();
            let old_line = old.difference(&new).next().cloned().unwrap_or_default();
            found.differs(Subject::Logs, Standing::Allowed, (old_line, new_line), "a server may say other things");
        }
        return;
    };
    let printed = |observed: &Observed| masked(&observed.out, Numbers::Kept).trim().to_owned();
    if printed(before) == printed(after) {
        found.does_the_same = before.ready == Ready::Ended(0) && after.ready == before.ready;
        found.same.push("what they print is the same".to_owned());
        return;
    }
    let (old, new) = (printed(before), printed(after));
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let at = (0..old.len().max(new.len())).find(|at| old.get(*at) != new.get(*at)).unwrap_or_default();
    found.differs(Subject::Logs, Standing::Broken, (line(&old, at), line(&new, at)), "it prints something else");
}

fn log_lines(observed: &Observed) -> BTreeSet<String> {
    let lines = observed.out.lines().chain(observed.err.lines());
    lines.map(|line| masked(line.trim(), Numbers::Masked)).filter(|line| !line.is_empty()).collect()
}

pub(super) fn is_denial(line: &str) -> bool {
    let line = line.to_lowercase();
    DENIED.iter().any(|word| line.contains(word))
}

/// 128 and the number of the signal that nobody can refuse.
const KILLED: i32 = 137;

fn stop(before: &Observed, after: &Observed, found: &mut Comparison) {
    let (Some(old), Some(new)) = (before.stopped, after.stopped) else { return };
    let values = (old.to_string(), new.to_string());
    match (old == KILLED, new == KILLED) {
        _ if old == new => found.same.push(format!("both end with {old} when they are asked to")),
        (true, false) => found.differs(Subject::Stop, Standing::Allowed, values, "it ends when it is asked to"),
        (false, true) => found.differs(Subject::Stop, Standing::Broken, values, "it has to be killed"),
        (_, false) => found.differs(Subject::Stop, Standing::Noted, values, "it ends in another way when asked to"),
        (true, true) => {}
    }
}

fn smoke(before: &Observed, after: &Observed, found: &mut Comparison) {
    match (&before.smoke, &after.smoke) {
        (Some((true, _)), Some((true, _))) => found.same.push("the smoke command says yes to both".to_owned()),
        (Some((true, _)), Some((false, said))) => {
            found.differs(Subject::Smoke, Standing::Broken, ("it went well", said.as_str()), "it fails now");
        }
        (Some((true, _)), None) => {
            found.differs(Subject::Smoke, Standing::Broken, ("it went well", ""), "it could not be run");
        }
        (Some((false, _)) | None, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(change: impl FnOnce(&mut Observed)) -> Observed {
        let mut observed = Observed {
            ready: Ready::Serving,
            health: None,
            listening: BTreeSet::new(),
            answers: BTreeMap::new(),
            out: String::new(),
            err: String::new(),
            user_id: None,
            stopped: None,
            smoke: None,
            changed: Vec::new(),
            contents: None,
        };
        change(&mut observed);
        observed
    }

    fn served(bodies: &[&str]) -> Observed {
        let page = |body: &&str| Answer::Page {
            status: 200,
            content_type: "text/plain".to_owned(),
            location: String::new(),
            body: body.as_bytes().to_vec(),
        };
        seen(|observed| {
            observed.listening.insert(80);
            observed.answers.insert((80, "/".to_owned()), bodies.iter().map(page).collect());
        })
    }

    fn broken(before: &Observed, after: &Observed) -> Vec<Subject> {
        let found = compare(before, after, &BTreeMap::new()).differences;
        let broken = found.into_iter().filter(|difference| difference.standing == Standing::Broken);
        broken.map(|difference| difference.subject).collect()
    }

    #[test]
    fn a_page_is_the_same_but_for_dates_and_what_changes_by_itself() {
        let before = served(&["hello\nat 10:00:01\nvisitor 1", "hello\nat 10:00:02\nvisitor 2"]);
        assert_eq!(broken(&before, &served(&["hello\nat 11:30:00\nvisitor 1"])), []);
        assert_eq!(broken(&before, &served(&["hello\nat 11:30:00\nvisitor 9"])), []);
        assert_eq!(broken(&before, &served(&["bye\nat 11:30:00\nvisitor 1"])), [Subject::Answer]);
    }

    #[test]
    fn a_field_that_changes_by_itself_does_not_hide_the_others() {
        let before = served(&[r#"{"hits":1,"name":"shop"}"#, r#"{"hits":2,"name":"shop"}"#]);
        assert_eq!(broken(&before, &served(&[r#"{"hits":1,"name":"shop"}"#])), []);
        assert_eq!(broken(&before, &served(&[r#"{"hits":9,"name":"shop"}"#])), []);
        assert_eq!(broken(&before, &served(&[r#"{"hits":1,"name":"chop"}"#])), [Subject::Answer]);
    }

    #[test]
    fn a_page_that_is_never_the_same_is_not_compared() {
        let found = compare(&served(&["a1b", "a2b"]), &served(&["a3b"]), &BTreeMap::new());
        assert!(found.differences.is_empty() && found.not_compared.len() == 1, "{found:?}");
    }

    #[test]
    fn what_is_denied_now_is_broken_even_if_pages_are_the_same() {
        let after = seen(|observed| "IOError: [Errno 13] Permission denied: '/app/log'".clone_into(&mut observed.err));
        assert_eq!(broken(&seen(|_| {}), &after), [Subject::Logs]);
        assert_eq!(broken(&after, &after), []);
    }

    #[test]
    fn the_line_that_says_what_was_denied_is_told_wherever_it_stands() {
        let after = seen(|observed| {
            observed.ready = Ready::Ended(1);
            "Error: listen EACCES: permission denied 0.0.0.0:443\n a\n b\n c\n d".clone_into(&mut observed.err);
        });
        let mut before = served(&["a"]);
        before.listening = [443].into();
        let found = compare(&before, &after, &BTreeMap::new()).differences;
        assert_eq!(found.len(), 1, "one reason is told once: {found:?}");
        assert!(
            found[0].why.starts_with("Error: listen EACCES") && found[0].why.contains("ip_unprivileged_port_start")
        );
    }

    #[test]
    fn a_program_that_ends_is_its_exit_code_and_what_it_prints() {
        let ended = |code, out: &str| {
            seen(|observed| {
                observed.ready = Ready::Ended(code);
                out.clone_into(&mut observed.out);
            })
        };
        assert_eq!(broken(&ended(0, "42"), &ended(0, "42")), []);
        assert_eq!(broken(&ended(0, "42"), &ended(0, "43")), [Subject::Logs]);
        assert_eq!(broken(&ended(0, "42"), &ended(1, "42")), [Subject::ExitCode]);
        assert_eq!(broken(&served(&["a"]), &ended(1, "")), [Subject::Ready]);
    }

    #[test]
    fn a_port_that_moved_is_asked_where_it_is() {
        let mut after = served(&["a"]);
        after.listening = [8080].into();
        let page = after.answers.remove(&(80, "/".to_owned())).unwrap();
        after.answers.insert((8080, "/".to_owned()), page);
        assert_eq!(broken(&served(&["a"]), &after), [Subject::Listens]);
        let found = compare(&served(&["a"]), &after, &[(80, 8080)].into());
        assert!(found.differences.is_empty() && found.same.len() == 1, "{found:?}");
    }
}
