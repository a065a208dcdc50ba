//! Files that hold credentials, told by their names, and by their text where it can be read.

use super::{credential, path::file_name};

/// A file that is known to hold credentials, or often does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretFile {
    /// What it is, as a message names it.
    pub what: &'static str,
    /// How its text shows that there is a credential in it.
    pub proof: Proof,
    /// Whether the name alone is enough, where the text cannot be read.
    pub is_telling: bool,
    /// Of a directory, the files in it that show it; a directory itself cannot be read.
    pub inside: &'static [&'static str],
}

/// How the text of a file shows that there is a credential in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// `NAME=value`, `NAME: value` or `"NAME": "value"` with a credential.
    Assignment,
    /// A private key in PEM form.
    PrivateKey,
    /// One of the words that such a file has in front of a password; the value is no variable.
    Field(&'static [&'static str]),
    /// It is there: files of this form are credentials, or are not text.
    Presence,
}

const fn file(what: &'static str, proof: Proof) -> SecretFile {
    SecretFile { what, proof, is_telling: true, inside: &[] }
}

const fn doubtful(what: &'static str, proof: Proof) -> SecretFile {
    SecretFile { what, proof, is_telling: false, inside: &[] }
}

/// What a `COPY` of `source` to `target` brings, if that may be a credential; both as paths.
pub fn secret_file(source: &str, target: &str) -> Option<SecretFile> {
    let source = source.trim_end_matches('*').trim_end_matches('/').to_ascii_lowercase();
    let target = target.to_ascii_lowercase();
    if is_public(file_name(&source)) || is_public(file_name(&target)) && !target.ends_with('/') {
        return None;
    }
    named(&source, &target).or_else(|| renamed(&target))
}

/// A file that is told by the name that it is given in the image: `COPY keys/core /root/.ssh/id_rsa`.
fn renamed(target: &str) -> Option<SecretFile> {
    if is_ssh_key(file_name(target)) {
        return Some(file(SSH_KEY, Proof::PrivateKey));
    }
    let is_tls_key = target.ends_with(".key") && KEY_PLACES.iter().any(|place| target.contains(place));
    is_tls_key.then_some(file("a private key", Proof::PrivateKey))
}

fn named(source: &str, target: &str) -> Option<SecretFile> {
    let name = file_name(source);
    let directory = source.strip_suffix(name).map(|rest| file_name(rest.trim_end_matches('/'))).unwrap_or_default();
    let into_home = in_home(target);
    if is_ssh_key(name) {
        return Some(file(SSH_KEY, Proof::PrivateKey));
    }
    match (directory, name) {
        (".aws", "credentials") => {
            return Some(file("an AWS credentials file", AWS));
        }
        (".docker", "config.json") => return Some(file("a registry login", DOCKER)),
        (".kube", "config") => return Some(file("a kubeconfig", KUBE)),
        (".gem" | ".cargo", "credentials" | "credentials.toml") => {
            return Some(file("a registry token", Proof::Presence));
        }
        _ => {}
    }
    Some(match name {
        ".aws" => SecretFile { inside: &["credentials"], ..doubtful("a directory of AWS credentials", AWS) },
        ".ssh" => SecretFile { inside: SSH_KEYS, ..doubtful("a directory of private keys", Proof::PrivateKey) },
        ".kube" => SecretFile { inside: &["config"], ..doubtful("a directory of a kubeconfig", KUBE) },
        "config.json" if target.contains("/.docker/") => file("a registry login", DOCKER),
        ".dockercfg" | ".dockerconfigjson" => file("a registry login", DOCKER),
        "kubeconfig" | ".kubeconfig" | "kubeconfig.yaml" | "kubeconfig.yml" => file("a kubeconfig", KUBE),
        ".netrc" | "_netrc" => file("a file of passwords", Proof::Field(&["password"])),
        ".git-credentials" | ".pgpass" | ".vault-token" | ".s3cfg" | "master.key" => {
            file("a file of passwords", Proof::Presence)
        }
        ".my.cnf" if into_home => file("a file of passwords", Proof::Field(&["password"])),
        ".pypirc" => file("a login of a package index", Proof::Field(&["password"])),
        "settings.xml" | "settings-docker.xml" => doubtful("the settings of Maven", Proof::Field(&["<password>"])),
        ".npmrc" | "npmrc" => SecretFile { is_telling: into_home, ..NPMRC },
        "terraform.tfstate" => file("a Terraform state", Proof::Presence),
        "credentials.json" | "client_secret.json" | "client_secrets.json" => file("a credentials file", CREDENTIALS),
        "secrets.yml" | "secrets.yaml" | "secrets.json" | "secrets.toml" | "secrets.env" | "secrets.properties" => {
            file("a file of secrets", Proof::Assignment)
        }
        _ if name.ends_with(".json") && is_service_account(name) => {
            file("a service account key", Proof::Field(&["\"private_key\""]))
        }
        _ if is_environment(name) => SecretFile { is_telling: is_telling_environment(name), ..ENVIRONMENT },
        _ => return by_extension(source, name, target),
    })
}

/// What a private key is called that programs use over SSH.
pub const SSH_KEY: &str = "a private SSH key";

const AWS: Proof = Proof::Field(&["aws_secret_access_key"]);
const DOCKER: Proof = Proof::Field(&["\"auth\"", "\"identitytoken\""]);
const KUBE: Proof = Proof::Field(&["client-key-data", "token", "password"]);
const CREDENTIALS: Proof = Proof::Field(&["\"private_key\"", "\"client_secret\"", "\"refresh_token\""]);
const NPMRC: SecretFile = SecretFile {
    what: "which is where logins of package registries are kept",
    proof: Proof::Field(&["_authtoken", "_password", "_auth"]),
    is_telling: false,
    inside: &[],
};
const ENVIRONMENT: SecretFile =
    SecretFile { what: "an environment file", proof: Proof::Assignment, is_telling: false, inside: &[] };

/// Parts of paths at which servers look for the private key of their certificate.
const KEY_PLACES: &[&str] = &["ssl", "tls", "priv", "https", "server.key", "cert", "nginx"];

fn by_extension(path: &str, name: &str, target: &str) -> Option<SecretFile> {
    let (stem, extension) = name.rsplit_once('.')?;
    let says = |words: &[&str]| words.iter().any(|word| path.contains(word) || target.contains(word));
    let is_certificate = ["cert", "chain", "ca-", "cacert", "bundle", "root", "dh", "ffdhe"];
    Some(match extension {
        "kdbx" => file("a password database", Proof::Presence),
        "ppk" => file("a private SSH key", Proof::Presence),
        "keytab" => file("a Kerberos keytab", Proof::Presence),
        "p12" | "pfx" => file("a private key with its certificate", Proof::Presence),
        "jks" | "keystore" if !says(&["trust", "cacerts", "-ca."]) => file("a key store", Proof::Presence),
        "pem" if stem.contains("key") || stem.contains("priv") => file("a private key", Proof::PrivateKey),
        "pem" if is_certificate.iter().any(|word| stem.contains(word)) => return None,
        "key" if says(KEY_PLACES) => file("a private key", Proof::PrivateKey),
        "pem" | "key" => doubtful("a private key", Proof::PrivateKey),
        _ => return None,
    })
}

/// Whether the name says that the file is public, or shows what a real one would look like.
fn is_public(name: &str) -> bool {
    const ENDS: &[&str] = &[
        ".pub",
        ".crt",
        ".cer",
        ".asc",
        ".gpg",
        ".gpg.key",
        ".sig",
        ".example",
        ".sample",
        ".dist",
        ".template",
        ".tpl",
        ".tmpl",
        ".j2",
        ".erb",
        ".enc",
        ".sops",
        ".md",
        ".sh",
        ".py",
        ".js",
        ".ts",
        ".in",
        ".default",
        ".defaults",
    ];
    const PARTS: &[&str] = &[
        "example",
        "sample",
        "template",
        "public",
        "pubkey",
        "signing",
        "release",
        "keyring",
        "authorized_keys",
        "known_hosts",
    ];
    ENDS.iter().any(|end| name.ends_with(end)) || PARTS.iter().any(|part| name.contains(part))
}

const SSH_KEYS: &[&str] = &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "identity"];

fn is_ssh_key(name: &str) -> bool {
    SSH_KEYS.contains(&name) || ["_id_rsa", "_rsa", "-id_rsa", "_ed25519"].iter().any(|end| name.ends_with(end))
}

fn is_service_account(name: &str) -> bool {
    ["service-account", "service_account", "serviceaccount", "gcp-key", "gcloud-key", "google-credentials", "sa-key"]
        .iter()
        .any(|part| name.contains(part))
}

/// `.env`, `.env.production`, `prod.env`.
fn is_environment(name: &str) -> bool {
    const NOT_REAL: &[&str] = &[".env.test", ".env.ci", ".env.testing", "test.env"];
    (name == ".env" || name.starts_with(".env.") || name.ends_with(".env")) && !NOT_REAL.contains(&name)
}

/// Whether a project keeps its credentials in the environment file of that name.
fn is_telling_environment(name: &str) -> bool {
    let kind = name.strip_prefix(".env").map(|rest| rest.trim_start_matches('.'));
    kind.is_some_and(|kind| matches!(kind, "" | "prod" | "production" | "local" | "live" | "secret" | "secrets"))
}

fn in_home(target: &str) -> bool {
    ["/root", "~", "/home/", "$home", "${home}"].iter().any(|home| target.starts_with(home))
}

impl SecretFile {
    /// Whether `text`, which is all of the file, holds a credential.
    pub fn is_proved_by(self, text: &[u8]) -> bool {
        match self.proof {
            Proof::Presence => true,
            Proof::PrivateKey => credential::private_keys(text).next().is_some(),
            Proof::Assignment => lines(text).any(|line| is_credential(&line)),
            Proof::Field(fields) => lines(text).any(|line| has_field(&line, fields)),
        }
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = String> {
    let lines = text.split(|&byte| byte == b'\n').map(|line| String::from_utf8_lossy(line).trim().to_owned());
    lines.filter(|line| !line.starts_with(['#', ';']))
}

fn is_credential(line: &str) -> bool {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let Some(at) = line.find(['=', ':']) else { return false };
    let quotes: &[char] = &['"', '\'', ',', ' ', '\t'];
    let (name, value) = (line[..at].trim_matches(quotes), line[at + 1..].trim_matches(quotes));
    credential::judge(name, value.as_bytes()).is_some() || super::address::credentials(line.as_bytes()).next().is_some()
}

/// Whether a line has one of `fields` with a value that is written out.
fn has_field(line: &str, fields: &[&str]) -> bool {
    let lower = line.to_ascii_lowercase();
    fields.iter().any(|field| {
        let Some(at) = lower.find(field) else { return false };
        let value = line[at + field.len()..].split("</").next().unwrap_or_default();
        let value = value.trim_matches(|c: char| c.is_whitespace() || "=:\"',".contains(c));
        credential::value_shape(value.as_bytes()) != credential::Value::Harmless
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(source: &str, target: &str) -> Option<(&'static str, bool)> {
        secret_file(source, target).map(|file| (file.what, file.is_telling))
    }

    #[test]
    fn names_that_tell() {
        for (source, target) in [
            (".env", "./"),
            ("deploy/.env.production", "/app/.env"),
            ("id_rsa", "/root/.ssh/id_rsa"),
            ("keys/core_key", "/root/.ssh/id_rsa"),
            (".aws/credentials", "/root/.aws/"),
            (".npmrc", "/root/"),
            (".netrc", "/root/"),
            ("config.json", "/root/.docker/config.json"),
            ("local.key", "/etc/ssl/nginx/"),
            ("etc/ssl/*.key", "/etc/ssl/private/"),
            ("certs/privkey.pem", "/app/"),
            ("store.p12", "/app/"),
            ("my-service-account.json", "/app/"),
        ] {
            assert!(what(source, target).is_some_and(|(_, telling)| telling), "{source} {target}");
        }
    }

    #[test]
    fn names_that_do_not() {
        for (source, target) in [
            (".env.example", ".env"),
            ("id_rsa.pub", "/root/.ssh/"),
            ("authorized_keys", "/root/.ssh/authorized_keys"),
            ("jenkins.io-2026.key", "/war/jenkins-key.pub"),
            ("postgresql.gpg.key", "/tmp/"),
            ("nginx_public_keys.key", "/tmp/"),
            ("ca.crt", "/etc/ssl/"),
            ("cacert.pem", "/etc/ssl/"),
            ("config.json", "/app/config.json"),
            ("ssh_config", "/root/.ssh/config"),
            ("config/secrets.yml.docker", "app/config/secrets.yml.docker"),
            ("truststore.jks", "/app/"),
            (".", "/app"),
        ] {
            assert_eq!(what(source, target), None, "{source} {target}");
        }
        for (source, target) in
            [(".npmrc", "./"), ("server.pem", "/app"), ("docker.env", "/app/.env"), ("a.key", "/tmp/")]
        {
            assert!(what(source, target).is_some_and(|(_, telling)| !telling), "{source} {target}");
        }
    }

    #[test]
    fn the_text_decides() {
        let proved = |source, target, text: &str| secret_file(source, target).unwrap().is_proved_by(text.as_bytes());
        assert!(proved(".env", ".", "PORT=80\nexport DB_PASSWORD='kq29fjs02kfp'\n"));
        assert!(!proved(".env", ".", "PORT=80\nDB_PASSWORD=\n# API_KEY=kq29fjs02kfpskf029s\n"));
        assert!(proved(".npmrc", ".", "//npm.example.com/:_authToken=aK3j9ZpQ1xL7aK3j9ZpQ1xL7\n"));
        assert!(!proved(".npmrc", ".", "//npm.example.com/:_authToken=${NPM_TOKEN}\nsave-exact=true\n"));
        assert!(!proved("server.pem", ".", "-----BEGIN CERTIFICATE-----\nMIID\n"));
        assert!(proved(".netrc", ".", "machine github.com login bob password kq29fjs02kfp\n"));
    }
}
