//! The default account is given to every pod that names none.

use crate::{
    model::kubernetes::KubernetesModel,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::yaml::{Node, Value},
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "default-account-token",
        title: "Default account hands out its token",
        why: "Every pod of the namespace that names no account gets the token of this one: a program that never asks the server for anything can be made to.",
        remedy: "Set `automountServiceAccountToken: false` on it, and give programs that ask the server an account of their own.",
        group: Group::Kubernetes,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Hands out no token; a program that asks the server with this account is refused.",
        ),
        references: &[
            Reference::new(Scheme::NsaCisa, "Protecting Pod service account tokens"),
            Reference::new(Scheme::CisKubernetes, "5.1.5"),
            Reference::new(Scheme::CisKubernetes, "5.1.6"),
            Reference::new(
                Scheme::Url,
                "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
            ),
        ],
        equivalents: &["checkov:CKV_K8S_41"],
        examples: &[
            Example::new(
                "Nothing is said",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  «name: default»\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: default\nautomountServiceAccountToken: false\n",
            ),
            Example::new(
                "Said the wrong way",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: default\n«automountServiceAccountToken: true»\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: default\nautomountServiceAccountToken: false\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

const KEY: &str = "automountServiceAccountToken";

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    let accounts = cx.model.objects.iter().filter(|object| object.kind == "ServiceAccount");
    for account in accounts.filter(|account| account.name() == Some("default")) {
        let setting = account.node.entry(KEY);
        let is_said = |value: Node<'_>| value.is_template() || value.boolean() == Some(false);
        if account.node.is_open() || setting.is_some_and(|entry| is_said(entry.value)) {
            continue;
        }
        let place = setting.or_else(|| account.at(&["metadata"])?.entry("name"));
        let place = place.map_or(account.node.span(), |entry| entry.span());
        let finding = out.report(place, "every pod that names no account gets its token");
        finding.repair(cx, || {
            let edit = editor.set(account.node, KEY, &Value::Word("false")).map_err(|refusal| refusal.to_string())?;
            let reason = "a program that asks the server with this account is refused then";
            Ok::<Fix, String>(Fix::new("Hand out no token", Safety::Risky, reason, vec![edit]))
        });
    }
}
