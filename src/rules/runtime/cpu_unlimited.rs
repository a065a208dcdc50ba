//! Without a limit one service takes the processors of all.

use crate::{
    model::compose::{ComposeModel, Resource},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "cpu-unlimited",
        title: "Service without a processor limit",
        why: "A loop, a miner or a flood of requests takes all processors of the host.",
        remedy: "Set `cpus`, or `cpus` among the limits of `deploy`, to what the program needs with some room.",
        group: Group::Runtime,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.12"),
            Reference::new(Scheme::Cwe, "770"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:6b610c50-99fb-4ef0-a5f3-e312fd945bc3"],
        examples: &[
            Example::new(
                "A service without a limit",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    cpus: 0.5\n",
            ),
            Example::new(
                "Other limits only",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    deploy:\n      resources:\n        «limits»: {memory: 256M}\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    deploy:\n      resources:\n        limits: {cpus: 0.5}\n",
            ),
            Example::new(
                "A limit that is none",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    «cpus: 0»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    cpus: 0.5\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    for service in cx.model.services.iter().filter(|service| service.is_whole()) {
        let Some(place) = service.unlimited(Resource::Cpu) else { continue };
        let message = format!("`{}` may take all processors of the host", service.name());
        out.report(place, message).decline("how much the program needs has to be measured");
    }
}
