//! Without a limit one service takes the memory of all.

use crate::{
    model::compose::{ComposeModel, Resource},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "memory-unlimited",
        title: "Service without a memory limit",
        why: "A leak or a flood of requests takes all memory of the host, and the kernel ends programs of others.",
        remedy: "Set `mem_limit`, or `memory` among the limits of `deploy`, to what the program needs with some room.",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.11"),
            Reference::new(Scheme::Cwe, "770"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:bb9ac4f7-e13b-423d-a010-c74a1bfbe492"],
        examples: &[
            Example::new(
                "A service without a limit",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    mem_limit: 256m\n",
            ),
            Example::new(
                "Other limits only",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    deploy:\n      resources:\n        «limits»: {cpus: 0.5}\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    deploy:\n      resources:\n        limits: {memory: 256m}\n",
            ),
            Example::new(
                "A limit that is none",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «mem_limit: 0»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    mem_limit: 256m\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    for service in cx.model.services.iter().filter(|service| service.is_whole()) {
        let Some(place) = service.unlimited(Resource::Memory) else { continue };
        let message = format!("`{}` may take all memory of the host", service.name());
        out.report(place, message).decline("how much the program needs has to be measured");
    }
}
