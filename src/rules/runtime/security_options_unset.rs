//! A service without options has the defaults of the engine, whatever these are.

use crate::{
    model::compose::ComposeModel,
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "security-options-unset",
        title: "Service without security options",
        why: "Whether profiles confine it and whether it may gain privileges is left to the engine that happens to run it.",
        remedy: "Say it: `no-new-privileges:true`, and the profiles that are meant.",
        group: Group::Runtime,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisDocker, "5.2"),
            Reference::new(Scheme::CisDocker, "5.22"),
            Reference::new(Scheme::Cwe, "693"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:610e266e-6c12-4bca-9925-1ed0cd29742b"],
        examples: &[
            Example::new(
                "No options",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    security_opt: [\"no-new-privileges:true\"]\n",
            ),
            Example::new(
                "An empty list",
                "-- compose.yaml --\nservices:\n  «web»:\n    image: nginx:1.29\n    security_opt: []\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    security_opt:\n      - apparmor:docker-default\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    for service in cx.model.linux_services().filter(|service| service.is_whole()) {
        if service.list("security_opt").is_empty() {
            let message = format!("`{}` has no security options", service.name());
            out.report(service.key.span(), message).decline("`privilege-escalation` offers the one that is worth most");
        }
    }
}
