//! An engine that knows how a program is can restart it.

use crate::{
    model::{
        compose::{ComposeModel, Service},
        file_name,
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::dockerfile::{self, Keyword},
};
use std::collections::HashSet;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-healthcheck",
        title: "Service that nobody asks how it is",
        why: "Without a check a program that hangs counts as running: nothing restarts it, and those that depend on it wait.",
        remedy: "Write a `healthcheck` that asks the program itself, unless its image brings one.",
        group: Group::Runtime,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.27"),
            Reference::new(Scheme::Cwe, "710"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:698ed579-b239-4f8f-a388-baa4bcb13ef8"],
        examples: &[
            Example::new(
                "Nothing is said",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    healthcheck: {test: [CMD, curl, -f, \"http://localhost\"]}\n",
            ),
            Example::new(
                "Turned off",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    healthcheck:\n      «disable: true»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    healthcheck:\n      test: curl -f http://localhost\n",
            ),
            Example::new(
                "What does its work once is not asked",
                "-- compose.yaml --\nservices:\n  db-migrate:\n    image: shop/db:3\n  assets:\n    image: shop/assets:3\n  once:\n    image: shop/once:3\n    restart: \"no\"\n  rights:\n    image: alpine:3.22\n    command: chown -R 1000 /data\n  tool:\n    image: shop/tool:3\n    command: manage version\n  «web»:\n    image: nginx:1.29\n    depends_on:\n      assets: {condition: service_completed_successfully}\n",
                "-- compose.yaml --\nservices:\n  db-migrate:\n    image: shop/db:3\n  assets:\n    image: shop/assets:3\n  once:\n    image: shop/once:3\n    restart: \"no\"\n  rights:\n    image: alpine:3.22\n    command: chown -R 1000 /data\n  tool:\n    image: shop/tool:3\n    command: manage version\n  web:\n    image: nginx:1.29\n    depends_on:\n      assets: {condition: service_completed_successfully}\n    healthcheck: {test: [CMD, curl, -f, \"http://localhost\"]}\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    if lists_images_only(cx.model) {
        return;
    }
    let awaited: HashSet<&str> = cx.model.services.iter().flat_map(Service::awaits_end_of).collect();
    let is_test = file_name(&cx.file.path).contains(".test.");
    for service in cx.model.services.iter().filter(|service| service.is_whole()) {
        let reason = "what tells whether the program is well is for its author to say";
        match service.healthcheck() {
            Some(words) if words.first().is_none_or(|word| word.known() == Some("NONE")) => {
                let place = service.place_below("healthcheck", &["disable", "test"]);
                out.report(place, format!("the check of `{}` is turned off", service.name())).decline(reason);
            }
            Some(_) => {}
            None if awaited.contains(service.name()) || ends(service) => {}
            None if is_test && service.value("build").is_some() => {}
            None if is_checked_by_its_image(cx, service) => {}
            None => {
                let message = format!("nothing asks `{}` whether it is well", service.name());
                out.report(service.key.span(), message).confidence(Confidence::Medium).decline(reason);
            }
        }
    }
}

/// So many services may well be meant to run though nothing but their images is said.
const FEW: usize = 3;

/// Whether the file is a list of images to be pulled: nothing else is said of many services.
fn lists_images_only(model: &ComposeModel<'_>) -> bool {
    let has_image_only = |service: &Service<'_>| {
        service.own().is_mapping() && service.own().entries().all(|entry| entry.key.scalar() == Some("image"))
    };
    model.services.len() > FEW && model.services.iter().all(has_image_only)
}

/// Whether the service does its work once and is done: it says so by its name, its command or `restart: "no"`.
fn ends(service: &Service<'_>) -> bool {
    const WORK: [&str; 7] = ["init", "initializer", "migrate", "migration", "migrations", "seed", "setup"];
    const PROGRAMS: [&str; 9] = ["chmod", "chown", "cp", "echo", "exit", "false", "ls", "mkdir", "true"];
    let words: Vec<&str> = service.name().split(['-', '_']).collect();
    let is_named = [words.first(), words.last()].into_iter().flatten().any(|word| WORK.contains(word));
    let command = service.words("entrypoint").filter(|words| !words.is_empty()).or_else(|| service.words("command"));
    let program = command.as_ref().and_then(|words| words.first()?.known()?.split_ascii_whitespace().next());
    let last = command.as_ref().and_then(|words| words.last()?.known()?.split_ascii_whitespace().next_back());
    let is_short = last.is_some_and(|word| matches!(word, "version" | "--version" | "--help"))
        || program.is_some_and(|program| PROGRAMS.contains(&file_name(program)));
    // What others reach is there to stay.
    let is_let_go = matches!(service.switch("restart"), Some((Some(false), _))) && service.ports().is_empty();
    is_named || is_short || is_let_go
}

/// Whether the Dockerfile that the service is built of has a check in some stage; which one is built is not asked.
fn is_checked_by_its_image(cx: &Cx<'_, ComposeModel<'_>>, service: &Service<'_>) -> bool {
    let Some(path) = service.build().and_then(|build| build.dockerfile) else { return false };
    let Some(found) = cx.context.at(&path) else { return false };
    let parsed = dockerfile::parse(&found.text);
    parsed.tree.instructions.iter().any(|instruction| instruction.keyword == Keyword::Healthcheck)
}
