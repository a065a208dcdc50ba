//! A service that fails for ever is started for ever.

use crate::{
    model::compose::ComposeModel,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Editor, Node, Value},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "restart-storm",
        title: "Service that is restarted too often",
        why: "A program that cannot start is started again and again: it fills logs, repeats half of its work, and hides what is wrong.",
        remedy: "Stop after five attempts.",
        group: Group::Runtime,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Compose],
        fix: FixNote::Sometimes(Safety::Risky, "Five attempts; a program that needs more stays down."),
        references: &[
            Reference::new(Scheme::CisDocker, "5.15"),
            Reference::new(Scheme::Cwe, "400"),
            Reference::new(Scheme::Url, "https://docs.docker.com/reference/compose-file/services/"),
        ],
        equivalents: &["kics:2fc99041-ddad-49d5-853f-e35e70a48391"],
        examples: &[
            Example::new(
                "Ten attempts",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    restart: «on-failure:10»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    restart: on-failure:5\n",
            ),
            Example::new(
                "Ten attempts of a swarm",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    deploy:\n      restart_policy:\n        condition: on-failure\n        max_attempts: «10»\n",
                "-- compose.yaml --\nservices:\n  web:\n    image: nginx:1.29\n    deploy:\n      restart_policy:\n        condition: on-failure\n        max_attempts: 5\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Compose(check),
};

/// What the benchmark asks for.
const ATTEMPTS: u32 = 5;

fn check(cx: &Cx<'_, ComposeModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let is_more = |attempts: &str| attempts.parse::<u32>().is_ok_and(|attempts| attempts > ATTEMPTS);
    for service in &cx.model.services {
        let restart = service.text("restart");
        let restart =
            restart.filter(|text| text.known().and_then(|text| text.strip_prefix("on-failure:")).is_some_and(is_more));
        let deployed = service.below("deploy", &["restart_policy", "max_attempts"]);
        let deployed = deployed.filter(|text| text.known().is_some_and(is_more));
        let found = restart.map(|text| (text, Value::text("on-failure:5")));
        for (text, five) in found.into_iter().chain(deployed.map(|text| (text, Value::Word("5")))) {
            let message = format!("`{}` is started again more than {ATTEMPTS} times", service.name());
            let finding = out.report(service.place_of_item(text.node), message);
            finding.repair(cx, || fewer(editor, text.node, &five));
        }
    }
}

fn fewer<'y>(editor: &Editor<'y>, node: Node<'y>, five: &Value) -> Result<Fix, String> {
    let edit = editor.replace(node, five).map_err(|refusal| refusal.to_string())?;
    let reason = "a program that comes up only after more attempts stays down";
    Ok(Fix::new("Stop after five attempts", Safety::Risky, reason, vec![edit]))
}
