//! An engine that knows how a program is can restart it.

use crate::{
    model::compose::{ComposeModel, Service},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
    syntax::dockerfile::{self, Keyword},
};

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
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    for service in cx.model.services.iter().filter(|service| service.is_whole()) {
        let reason = "what tells whether the program is well is for its author to say";
        match service.healthcheck() {
            Some(words) if words.first().is_none_or(|word| word.known() == Some("NONE")) => {
                let place = service.place_below("healthcheck", &["disable", "test"]);
                out.report(place, format!("the check of `{}` is turned off", service.name())).decline(reason);
            }
            Some(_) => {}
            None if is_checked_by_its_image(cx, service) => {}
            None => {
                let message = format!("nothing asks `{}` whether it is well", service.name());
                out.report(service.key.span(), message).confidence(Confidence::Medium).decline(reason);
            }
        }
    }
}

/// Whether the Dockerfile that the service is built of has a check in some stage; which one is built is not asked.
fn is_checked_by_its_image(cx: &Cx<'_, ComposeModel<'_>>, service: &Service<'_>) -> bool {
    let Some(path) = service.build().and_then(|build| build.dockerfile) else { return false };
    let Some(found) = cx.context.at(&path) else { return false };
    let parsed = dockerfile::parse(&found.text);
    parsed.tree.instructions.iter().any(|instruction| instruction.keyword == Keyword::Healthcheck)
}
