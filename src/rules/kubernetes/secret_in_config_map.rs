//! A `ConfigMap` is shown to everybody who may look at it.

use crate::{
    model::{
        credential::{self, Credential},
        kubernetes::{KubernetesModel, Object},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-in-config-map",
        title: "Credential in a `ConfigMap`",
        why: "Configuration is shown by every tool and read by roles that may not read secrets; it is not encrypted where the cluster keeps it.",
        remedy: "Rotate it, and put it into a secret that is kept encrypted or fetched from a store.",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.4.1"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::NsaCisa, "Secrets"),
            Reference::new(Scheme::Cwe, "798"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/configuration/configmap/"),
        ],
        equivalents: &["trivy:KSV-01010", "trivy:KSV-0109"],
        examples: &[
            Example::new(
                "A password by name",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata:\n  «DB_PASSWORD»: hunter2-4711\n  DB_HOST: db\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata:\n  DB_HOST: db\n",
            ),
            Example::new(
                "In a file",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata:\n  «app.env»: |\n    STAGE=prod\n    API_KEY=r7eJvn9HIvMh25CWknMUFoNuW2d2\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata:\n  app.env: |\n    STAGE=prod\n    API_KEY=${API_KEY}\n",
            ),
            Example::new(
                "Programs, and names of secrets",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata:\n  run.py: |\n    token = f.read().strip()\n  values.yaml: |\n    mailSecret: shop-mail-2\n    _password: hunter2-4711\n  «app.yaml»: |\n    clientSecret: hunter2-4711\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata:\n  run.py: |\n    token = f.read().strip()\n  values.yaml: |\n    mailSecret: shop-mail-2\n    _password: hunter2-4711\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

/// Whether the value is a piece of a program, which calls something: `f.read().strip()`.
fn is_program(value: &[u8]) -> bool {
    let calls = value.windows(2).any(|pair| (pair[0].is_ascii_alphanumeric() || pair[0] == b'_') && pair[1] == b'(');
    calls && value.contains(&b')')
}

/// Whether the name says that the value is that of a `Secret`, as charts write it: `existingSecret: shop-mail`.
fn names_object(name: &str, value: &[u8]) -> bool {
    const OWNERS: [&str; 10] =
        ["api", "app", "client", "consumer", "cookie", "hmac", "jwt", "oauth", "session", "shared"];
    let Some(owner) = name.strip_suffix("Secret").filter(|owner| !owner.is_empty()) else { return false };
    let is_label = value.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
    is_label && value.contains(&b'-') && !OWNERS.iter().any(|known| owner.to_ascii_lowercase().ends_with(known))
}

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for datum in cx.model.config_maps().flat_map(Object::data) {
        let assignments = datum.assignments();
        // A value with a `/` names a secret of a namespace, or a file.
        let mut own = assignments.iter().filter(|(name, value)| {
            !value.contains(&b'/') && !name.starts_with('_') && !is_program(value) && !names_object(name, value)
        });
        let judged = own.find_map(|(name, value)| Some((name, credential::judge(name, value)?)));
        let Some((name, credential)) = judged else { continue };
        let (what, severity) = match credential {
            Credential::Known(what) => (what, Severity::Critical),
            Credential::Named => ("credential", Severity::High),
            Credential::Default => ("password", Severity::Medium),
        };
        let finding = out.report(datum.key.span(), format!("`{name}` is a {what}, and a `ConfigMap` hides nothing"));
        finding.severity(severity).decline("the pods that read it have to be written for a secret first");
    }
}
