//! What a rewrite may change of an image's configuration, and what it changed.

use super::{
    image::Image,
    start,
    verdict::{Difference, Standing, Subject},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a rewrite promises to leave alone, said the other way round: what it may change.
///
/// A root user may always become a numeric one, a shell form its exec form, and things may be added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    /// Variables that go.
    pub removed_env: BTreeSet<String>,
    /// Ports that move, by the one that they had.
    pub moved_ports: BTreeMap<u16, u16>,
    /// Subjects that may change in any way.
    pub may_change: BTreeSet<Subject>,
}

/// What the author of the original wrote, as opposed to what its base image brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Authored {
    pub(super) env: BTreeSet<String>,
    pub(super) labels: BTreeSet<String>,
}

const OF_THE_BASE: &str = "the base image set it, not this Dockerfile";

/// The differences between two configurations. What the author wrote must stay; without `authored` everything counts
/// as written by the author.
pub(super) fn compare(
    before: &Image,
    after: &Image,
    promise: &Promise,
    authored: Option<&Authored>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    found.extend(user(&before.user, &after.user));
    found.extend(start::compare(before, after));
    found.extend(environment(before, after, promise, authored));
    found.extend(working_directory(before, after));
    found.extend(ports(before, after, promise));
    found.extend(set(Subject::Volumes, &before.volumes, &after.volumes));
    found.extend(labels(before, after, authored));
    found.extend(health_check(before, after));
    found.extend(stop_signal(&before.stop_signal, &after.stop_signal));
    for difference in &mut found {
        if difference.standing != Standing::Allowed && promise.may_change.contains(&difference.subject) {
            difference.standing = Standing::Allowed;
            "it may change".clone_into(&mut difference.why);
        }
    }
    found
}

/// The user in front of the group.
fn account(user: &str) -> &str {
    user.split(':').next().unwrap_or(user)
}

/// Whether a user is root by name or number.
pub(super) fn is_root(user: &str) -> bool {
    matches!(account(user), "" | "root") || account(user).parse() == Ok(0_u64)
}

fn user(before: &str, after: &str) -> Option<Difference> {
    if before == after {
        return None;
    }
    let is_number = account(after).parse::<u64>().is_ok();
    let (standing, why) = match (is_root(before), is_root(after)) {
        (true, true) => (Standing::Allowed, "both are root"),
        (false, true) => (Standing::Broken, "it runs as root now"),
        (true, false) if is_number => (Standing::Allowed, "a number that is not root"),
        (true, false) => (Standing::Noted, "a name, which an orchestrator cannot tell from root"),
        (false, false) if account(before) == account(after) => (Standing::Noted, "the group is another"),
        (false, false) if is_number && account(before).parse::<u64>().is_err() => {
            (Standing::Allowed, "a number in the place of a name")
        }
        (false, false) => (Standing::Broken, "another user, who does not own what this one owned"),
    };
    let shown = |user: &str| if user.is_empty() { "root".to_owned() } else { user.to_owned() };
    Some(Difference::new(Subject::User, standing, (shown(before), shown(after)), why))
}

fn environment(before: &Image, after: &Image, promise: &Promise, authored: Option<&Authored>) -> Vec<Difference> {
    let mut found = Vec::new();
    let is_authored = |name: &str| authored.is_none_or(|authored| authored.env.contains(name));
    let shown = |name: &str, value: &str| format!("{name}={value}");
    for (name, value) in &before.environment {
        let now = after.environment.get(name);
        if now == Some(value) {
            continue;
        }
        let (standing, why) = match now {
            None if promise.removed_env.contains(name) => (Standing::Allowed, "it was promised to go"),
            _ if name == "PATH" => (Standing::Noted, "programs are looked for elsewhere"),
            _ if !is_authored(name) => (Standing::Allowed, OF_THE_BASE),
            Some(_) => (Standing::Broken, "it has another value"),
            None => (Standing::Broken, "it is gone"),
        };
        let after = now.map(|now| shown(name, now)).unwrap_or_default();
        found.push(Difference::new(Subject::Env, standing, (shown(name, value), after), why));
    }
    for (name, value) in after.environment.iter().filter(|(name, _)| !before.environment.contains_key(*name)) {
        found.push(Difference::new(Subject::Env, Standing::Allowed, ("", shown(name, value)), "it is new"));
    }
    found
}

fn working_directory(before: &Image, after: &Image) -> Option<Difference> {
    let (before, after) = (&before.working_directory, &after.working_directory);
    let differs = before.trim_end_matches('/') != after.trim_end_matches('/');
    let why = "relative paths mean something else";
    differs.then(|| Difference::new(Subject::Workdir, Standing::Broken, (before, after), why))
}

fn ports(before: &Image, after: &Image, promise: &Promise) -> Vec<Difference> {
    let moved = |port: &String| -> Option<String> {
        let to = promise.moved_ports.get(&port.strip_suffix("/tcp")?.parse().ok()?)?;
        Some(format!("{to}/tcp"))
    };
    let mut found = Vec::new();
    let mut expected = BTreeSet::new();
    for port in &before.ports {
        let Some(to) = moved(port).filter(|to| to != port) else {
            expected.insert(port.clone());
            continue;
        };
        if after.ports.contains(&to) {
            found.push(Difference::new(Subject::Ports, Standing::Allowed, (port, &to), "it was promised to move"));
        }
        expected.insert(to);
    }
    found.extend(set(Subject::Ports, &expected, &after.ports));
    found
}

/// What is gone is broken, what is new is not.
fn set(subject: Subject, before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<Difference> {
    let gone = before.difference(after).map(|name| (Standing::Broken, (name.as_str(), ""), "it is gone"));
    let new = after.difference(before).map(|name| (Standing::Allowed, ("", name.as_str()), "it is new"));
    gone.chain(new).map(|(standing, values, why)| Difference::new(subject, standing, values, why)).collect()
}

fn labels(before: &Image, after: &Image, authored: Option<&Authored>) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, value) in &before.labels {
        let now = after.labels.get(name);
        if now == Some(value) {
            continue;
        }
        let is_authored = authored.is_none_or(|authored| authored.labels.contains(name));
        let (standing, why) = match now {
            _ if !is_authored => (Standing::Allowed, OF_THE_BASE),
            Some(_) => (Standing::Broken, "it has another value"),
            None => (Standing::Broken, "it is gone"),
        };
        let after = now.map(|now| format!("{name}={now}")).unwrap_or_default();
        found.push(Difference::new(Subject::Labels, standing, (format!("{name}={value}"), after), why));
    }
    for (name, value) in after.labels.iter().filter(|(name, _)| !before.labels.contains_key(*name)) {
        let shown = format!("{name}={value}");
        found.push(Difference::new(Subject::Labels, Standing::Allowed, ("", shown), "it is new"));
    }
    found
}

fn health_check(before: &Image, after: &Image) -> Option<Difference> {
    let (old, new) = (&before.health_check, &after.health_check);
    if old == new {
        return None;
    }
    let (standing, why) = if old.is_empty() {
        (Standing::Allowed, "it is new")
    } else if new.is_empty() {
        (Standing::Broken, "it is gone")
    } else if start::are_the_same_words(&start::health_command(old), &start::health_command(new)) {
        (Standing::Allowed, "the same words without a shell")
    } else {
        (Standing::Noted, "it is another command; what it says is compared below")
    };
    Some(Difference::new(Subject::HealthCheck, standing, (old.join(" "), new.join(" ")), why))
}

fn stop_signal(before: &str, after: &str) -> Option<Difference> {
    let plain = |signal: &str| match signal.trim_start_matches("SIG") {
        "" | "15" => "TERM".to_owned(),
        name => name.to_owned(),
    };
    let (old, new) = (plain(before), plain(after));
    let why = "it is asked to end in another way";
    (old != new).then(|| Difference::new(Subject::StopSignal, Standing::Broken, (old, new), why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standings(before: &Image, after: &Image, promise: &Promise) -> Vec<(Subject, Standing)> {
        let authored = Authored { env: ["MINE".to_owned()].into(), labels: BTreeSet::new() };
        let found = compare(before, after, promise, Some(&authored));
        found.into_iter().map(|difference| (difference.subject, difference.standing)).collect()
    }

    fn image(change: impl FnOnce(&mut Image)) -> Image {
        let mut image = Image { working_directory: "/".to_owned(), ..Image::default() };
        change(&mut image);
        image
    }

    #[test]
    fn root_may_become_a_number_and_nothing_may_become_root() {
        let of = |before: &str, after: &str| user(before, after).map(|difference| difference.standing);
        assert_eq!(of("", "65532"), Some(Standing::Allowed));
        assert_eq!(of("root", "1000:1000"), Some(Standing::Allowed));
        assert_eq!(of("node", "1000"), Some(Standing::Allowed));
        assert_eq!(of("", "app"), Some(Standing::Noted));
        assert_eq!(of("1000", "65532"), Some(Standing::Broken));
        assert_eq!(of("1000", "00"), Some(Standing::Broken));
        assert_eq!(of("1000", "1000"), None);
    }

    #[test]
    fn a_variable_of_the_author_must_stay_unless_it_was_promised_to_go() {
        let before = image(|image| {
            image.environment.insert("MINE".to_owned(), "1".to_owned());
            image.environment.insert("PYTHON_VERSION".to_owned(), "3.11".to_owned());
        });
        let after = image(|_| {});
        let found = standings(&before, &after, &Promise::default());
        assert_eq!(found, [(Subject::Env, Standing::Broken), (Subject::Env, Standing::Allowed)]);
        let promise = Promise { removed_env: ["MINE".to_owned()].into(), ..Promise::default() };
        assert_eq!(standings(&before, &after, &promise)[0].1, Standing::Allowed);
    }

    #[test]
    fn a_port_may_move_only_where_it_was_promised_to() {
        let before = image(|image| image.ports = ["80/tcp".to_owned(), "53/udp".to_owned()].into());
        let after = image(|image| image.ports = ["8080/tcp".to_owned(), "53/udp".to_owned()].into());
        let found = standings(&before, &after, &Promise::default());
        assert_eq!(found, [(Subject::Ports, Standing::Broken), (Subject::Ports, Standing::Allowed)]);
        let promise = Promise { moved_ports: [(80, 8080)].into(), ..Promise::default() };
        assert_eq!(standings(&before, &after, &promise), [(Subject::Ports, Standing::Allowed)]);
    }

    #[test]
    fn what_may_change_is_allowed() {
        let before = image(|_| {});
        let after = image(|image| "/app".clone_into(&mut image.working_directory));
        assert_eq!(standings(&before, &after, &Promise::default()), [(Subject::Workdir, Standing::Broken)]);
        let promise = Promise { may_change: [Subject::Workdir].into(), ..Promise::default() };
        assert_eq!(standings(&before, &after, &promise), [(Subject::Workdir, Standing::Allowed)]);
    }

    #[test]
    fn the_default_signal_is_the_one_that_ends() {
        assert_eq!(stop_signal("", "SIGTERM"), None);
        assert!(stop_signal("SIGQUIT", "").is_some());
    }
}
