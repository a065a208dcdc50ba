//! A `Secret` in a repository is there for whoever reads the repository.

use crate::{
    model::kubernetes::{Datum, KubernetesModel, Object},
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-kept-plain",
        title: "Secret kept as a plain manifest",
        why: "A `Secret` holds its values in base 64: kept beside the code they are read by everybody who has the code.",
        remedy: "Keep it encrypted (SOPS, Sealed Secrets), or let the cluster fetch it from a store (External Secrets, the CSI driver).",
        group: Group::Kubernetes,
        severity: Severity::Info,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::NsaCisa, "Secrets"),
            Reference::new(Scheme::CisKubernetes, "5.4.2"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"),
        ],
        equivalents: &["kics:b9c83569-459b-4110-8f79-6305aa33cb37"],
        examples: &[
            Example::new(
                "With values",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata:\n  «name: db»\nstringData: {user: shop}\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n",
            ),
            Example::new(
                "In base 64",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata:\n  «name: db»\ndata: {user: c2hvcA==}\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata: {user: \"{{ .Values.user }}\"}\n",
            ),
            Example::new(
                "What is filled in or encrypted elsewhere is no value",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata:\n  «name: db»\nstringData: {user: \"\", password: \"<fill in>\", pin: \"4711\"}\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData: {user: \"\", password: \"<fill in>\", pin: \"ENC[AES256_GCM,data:aGFs,type:str]\"}\n",
            ),
            Example::new(
                "Beside variables that somebody replaces only a credential counts",
                "-- secrets.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: cloud}\nstringData:\n  credentials: |\n    aws_secret_access_key = $AWS_SECRET_ACCESS_KEY\n  config: |\n    region = us-east-2\n---\napiVersion: v1\nkind: Secret\nmetadata: {«name: db»}\nstringData:\n  user: $DB_USER\n  password: kX9vQ2mLp7Wd\n",
                "-- secrets.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: cloud}\nstringData:\n  credentials: |\n    aws_secret_access_key = $AWS_SECRET_ACCESS_KEY\n  config: |\n    region = us-east-2\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  user: $DB_USER\n  password: $DB_PASSWORD\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    let holds_value = |secret: &Object<'_>| {
        let data = secret.data();
        // Where somebody puts in what is secret, what is written out is not.
        let is_filled_in = data.iter().any(Datum::is_filled_in);
        data.iter().any(|datum| !datum.is_stand_in() && (!is_filled_in || datum.holds_credential()))
    };
    for secret in cx.model.plain_secrets().filter(holds_value) {
        let place = secret.at(&["metadata"]).and_then(|metadata| metadata.entry("name"));
        let place = place.map_or(secret.node.span(), |entry| entry.span());
        let finding = out.report(place, "the values of the secret are kept beside the code");
        finding.decline("where the values can be fetched from instead is not known");
    }
}
