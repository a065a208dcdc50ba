//! Without a limit a fork bomb in one container stops the host.

use crate::{
    model::compose::{ComposeModel, Resource},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "processes-unlimited",
        title: "Service without a limit of processes",
        why: "A program that starts others without end fills the process table of the host, and nothing more can be started on it.",
        remedy: "Set `pids_limit`, or `pids` among the limits of `deploy`.",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.29"),
            Reference::new(Scheme::Cwe, "770"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:221e0658-cb2a-44e3-b08a-db96a341d6fa"],
        examples: &[
            Example::new(
                "A service without a limit",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    pids_limit: 200\n",
            ),
            Example::new(
                "Other limits only",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    deploy:\n      resources:\n        «limits»: {cpus: 0.5}\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    deploy:\n      resources:\n        limits: {pids: 200}\n",
            ),
            Example::new(
                "A limit that is none",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «pids_limit: -1»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    pids_limit: 200\n",
            ),
            Example::new(
                "Windows knows no such limit",
                "-- compose.yaml --\nservices:\n  queue:\n    image: nats:2.12-windowsservercore\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  queue:\n    image: nats:2.12-windowsservercore\n  web:\n    image: nginx:1.29\n    pids_limit: 200\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    for service in cx.model.linux_services().filter(|service| service.is_whole()) {
        let Some(place) = service.unlimited(Resource::Processes) else { continue };
        let message = format!("`{}` may start processes without end", service.name());
        out.report(place, message).decline("how much the program needs has to be measured");
    }
}
