//! Base 64 hides nothing.

use crate::{
    model::{
        credential::{self, Value},
        kubernetes::{KubernetesModel, Object},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "secret-in-manifest",
        title: "Credential in a manifest",
        why: "Whoever reads the repository has the credential: base 64 is a spelling and no encryption, and history keeps what is deleted.",
        remedy: "Rotate it, then keep it encrypted (SOPS, Sealed Secrets) or fetch it from a store (External Secrets).",
        group: Group::Kubernetes,
        severity: Severity::High,
        confidence: Confidence::High,
        kinds: &[FileKind::Kubernetes],
        fix: FixNote::Never,
        references: &[
            Reference::new(Scheme::CisKubernetes, "5.4.2"),
            Reference::new(Scheme::Nist800190, "4.1.4"),
            Reference::new(Scheme::NsaCisa, "Secrets"),
            Reference::new(Scheme::Cwe, "798"),
            Reference::new(Scheme::Url, "https://kubernetes.io/docs/concepts/security/secrets-good-practices/"),
        ],
        equivalents: &["semgrep:secrets-in-config-file"],
        examples: &[
            Example::new(
                "In base 64",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata:\n  «password»: c3VwZXItU2VjcmV0LTQ3MTE=\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata: {}\n",
            ),
            Example::new(
                "As it is",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: mail}\nstringData:\n  «api-key»: r7eJvn9HIvMh25CWknMUFoNuW2d2\n  stage: prod\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: mail}\nstringData:\n  api-key: \"<fill in>\"\n  stage: prod\n",
            ),
            Example::new(
                "What stands in for a credential, places and authorities",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: mail}\ndata:\n  ssh: your private ssh key in base64\nstringData:\n  password: my-password\n  testKey: testValue\n  storage: AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;\n  db_endpoint: shop.c9akciq32.eu-west-1.rds.amazonaws.com\n  cache: cache.example.com:6379\n  username: shop-owner\n  «pin»: hunter2-4711\n",
                "-- object.k8s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: mail}\ndata:\n  ssh: your private ssh key in base64\nstringData:\n  password: my-password\n  testKey: testValue\n  storage: AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;\n  db_endpoint: shop.c9akciq32.eu-west-1.rds.amazonaws.com\n  cache: cache.example.com:6379\n  username: shop-owner\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Kubernetes(check),
};

fn check(cx: &Cx<'_, KubernetesModel<'_>>, out: &mut Findings) {
    for datum in cx.model.plain_secrets().flat_map(Object::data) {
        let name = datum.key.scalar().unwrap_or_default();
        let value = datum.value.trim_ascii();
        if value.len() < SHORTEST || is_public(name, value) || datum.is_stand_in() {
            continue;
        }
        // Whoever puts a value into a secret says that it is one: its name need not say so too. Only of a file it is
        // not known which part is meant.
        let is_file = value.iter().any(|byte| matches!(byte, b'\n' | b'=' | b' '));
        let severity = match credential::value_shape(value) {
            Value::Known(_) => Severity::Critical,
            Value::Random | Value::Word if credential::is_made_up(value) || is_place(name, value) => continue,
            Value::Word if credential::names_user(name) => continue,
            Value::Random if !is_file => Severity::High,
            Value::Word if !is_file => Severity::Medium,
            Value::Random | Value::Word if datum.holds_credential() => Severity::High,
            Value::Random | Value::Word | Value::Harmless => continue,
        };
        let finding = out.report(datum.key.span(), format!("`{name}` is there for everybody who reads the repository"));
        finding.severity(severity).decline("where the credential can be fetched from instead is not known");
    }
}

/// Shorter values are settings that somebody put beside the secret.
const SHORTEST: usize = 8;

/// Certificates, public keys and names are for everybody.
fn is_public(name: &str, value: &[u8]) -> bool {
    let is_public_form = [&b"-----BEGIN CERTIFICATE"[..], b"-----BEGIN PUBLIC", b"ssh-rsa ", b"ssh-ed25519 "];
    let is_authority = name == "ca" || name.starts_with("ca.") && name != "ca.key";
    is_public_form.iter().any(|form| value.starts_with(form))
        || is_authority
        || name.ends_with(".crt")
        || name == "namespace"
}

/// Whether the value says where something is, and not who may use it: an address by its name, or host and port.
fn is_place(name: &str, value: &[u8]) -> bool {
    let colon = value.iter().rposition(|&byte| byte == b':');
    let (host, port) = colon.map_or((value, None), |at| (&value[..at], Some(&value[at + 1..])));
    let is_host = host.contains(&b'.') && host.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte));
    let is_port = port.is_some_and(|port| (2..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit));
    credential::names_place(name) && !value.contains(&b'@') || is_host && is_port
}
