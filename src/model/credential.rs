//! Whether a name and a value are a credential: by the words of the name and the shape of the value together.
//!
//! A name alone proves nothing (`DB_PASSWORD_FILE`, `AUTH_MODE`, `KEY_ALIAS`), and neither does a value alone unless its
//! form is known (`ghp_…`). What is empty, a placeholder, a path, a switch or a variable is not a credential.

use crate::{knowledge::tokens::Tokens, text::distinct_bytes};
use memchr::memmem::Finder;
use std::{ops::Range, sync::LazyLock};

/// What the name of a variable says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// The value is meant to be secret: `DB_PASSWORD`, `npm_token`, `clientSecret`.
    Credential,
    /// The value goes with a secret but is not one, or is public by design: `…_FILE`, `…_ID`, `NEXT_PUBLIC_…`.
    About,
    /// Nothing.
    Plain,
}

/// What a literal value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A credential of a known form, whatever its name; what it is.
    Known(&'static str),
    /// Long and mixed enough that nobody typed it as an example.
    Random,
    /// Could be a password that a person chose.
    Word,
    /// Empty, a placeholder, a path, a switch, a variable: not a secret.
    Harmless,
}

/// A credential, and how it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The form of the value is known; what it is.
    Known(&'static str),
    /// The name says so, and the value looks random.
    Named,
    /// The name says so, and the value is a word: a default password.
    Default,
}

/// Judges `name=value`, where `value` is the literal value, quotes off.
pub fn judge(name: &str, value: &[u8]) -> Option<Credential> {
    if let Some(what) = known(value) {
        return Some(Credential::Known(what));
    }
    // Few names are those of credentials, and a name is judged faster than a value.
    if classify(name) != Name::Credential || repeats_name(name, value) {
        return None;
    }
    match value_shape(value) {
        Value::Random if !is_fingerprint(name, value) => Some(Credential::Named),
        Value::Word if is_password(name) && !is_stand_in(name, value) => Some(Credential::Default),
        Value::Harmless if is_signing_key(name) && is_default_key(value) => Some(Credential::Default),
        Value::Known(_) | Value::Random | Value::Word | Value::Harmless => None,
    }
}

/// Whether somebody wrote a credential, however weak: no switch, path, address or variable under the name of one, or
/// what tells a client how to log in.
pub fn is_written(name: &str, value: &str) -> bool {
    let text = value.trim();
    let is_value = text.len() >= 3 && !is_switch(text) && !is_place(text) && !text.contains('$');
    let is_named = classify(name) == Name::Credential || name == "AWS_ACCESS_KEY_ID" && text.starts_with("AKIA");
    is_value && (is_named || is_connection(text))
}

/// Whether the text tells a client how to log in: `Server=db;User Id=sa;Password=x`.
fn is_connection(text: &str) -> bool {
    text.split(';').any(|part| {
        let Some((key, value)) = part.split_once('=') else { return false };
        matches!(key.trim().to_ascii_lowercase().as_str(), "password" | "pwd") && !value.trim().is_empty()
    })
}

/// Programs that read a credential from the environment on their own, and from which variables.
const READERS: &[(&str, &[&str])] = &[
    ("aws", &["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]),
    ("cargo", &["CARGO_REGISTRY_TOKEN"]),
    ("gh", &["GH_TOKEN", "GITHUB_TOKEN"]),
    ("npm", &["NPM_TOKEN", "NODE_AUTH_TOKEN"]),
    ("pnpm", &["NPM_TOKEN", "NODE_AUTH_TOKEN"]),
    ("sentry-cli", &["SENTRY_AUTH_TOKEN"]),
    ("twine", &["TWINE_PASSWORD"]),
    ("yarn", &["NPM_TOKEN", "NODE_AUTH_TOKEN"]),
];

/// The variables with credentials that `program` reads from its environment on its own.
pub fn read_by(program: &str) -> impl Iterator<Item = &'static &'static str> {
    READERS.iter().filter(move |(name, _)| *name == program).flat_map(|(_, variables)| *variables)
}

/// What the words of `name` say.
pub fn classify(name: &str) -> Name {
    if !holds_sign(name) {
        return Name::Plain;
    }
    let words = words(name);
    let text: Vec<&str> = words.iter().map(String::as_str).collect();
    // The token of a JDK is a part of the public address that Oracle serves it at.
    if is_public(&text)
        || text.last().is_some_and(|last| ABOUT_LAST.contains(last))
        || text.first().is_some_and(|first| SWITCH_FIRST.contains(first))
        || matches!(text[..], ["java" | "jdk" | "jre", .., "token"])
        // Images of Kafka take the name of the file that holds it.
        || text.contains(&"ssl") && text.last() == Some(&"credentials")
    {
        return Name::About;
    }
    let joined = |word: &&str| (word.ends_with("password") || word.ends_with("passwd")) && *word != "htpasswd";
    let single = text.iter().any(|word| SECRET_WORDS.contains(word) || joined(word))
        || text.len() > 1 && text.last().is_some_and(|last| SECRET_LAST.contains(last));
    let pair = text.windows(2).any(|pair| SECRET_PAIRS.contains(&(pair[0], pair[1])));
    if (single || pair) && !text.iter().any(|word| ABOUT_ANYWHERE.contains(word)) {
        Name::Credential
    } else {
        Name::Plain
    }
}

/// Whether `name` holds a part of a word that names a secret; most names do not, and are done with.
fn holds_sign(name: &str) -> bool {
    const SIGNS: [&[u8]; 7] = [b"pass", b"pw", b"pat", b"secret", b"token", b"key", b"cred"];
    let begins =
        |rest: &[u8]| SIGNS.iter().any(|sign| rest.get(..sign.len()).is_some_and(|s| s.eq_ignore_ascii_case(sign)));
    let name = name.as_bytes();
    (0..name.len()).any(|at| matches!(name[at] | 0x20, b'p' | b's' | b't' | b'k' | b'c') && begins(&name[at..]))
}

/// Words that name a secret wherever they stand.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "credential",
    "credentials",
    "rootpass",
    "adminpass",
    "userpass",
    "dbpass",
    "sshpass",
    "pgpassword",
    "authtoken",
    "accesskey",
    "secretkey",
    "privatekey",
];

/// Words that name a secret only at the end of a longer name (`DB_PASS`, `ORACLE_PWD`; `GH_PAT`, a personal access token).
const SECRET_LAST: &[&str] = &["pass", "pwd", "creds", "pw", "pat"];

/// Pairs of words that name a secret.
const SECRET_PAIRS: &[(&str, &str)] = &[
    ("api", "key"),
    ("app", "key"),
    ("access", "key"),
    ("account", "key"),
    ("auth", "key"),
    ("deploy", "key"),
    ("encryption", "key"),
    ("license", "key"),
    ("master", "key"),
    ("private", "key"),
    ("secret", "key"),
    ("service", "key"),
    ("signing", "key"),
    ("storage", "key"),
];

/// Last words of names that go with a secret without being one (semantics of secrets: not-secrets list).
const ABOUT_LAST: &[&str] = &[
    "file",
    "files",
    "path",
    "paths",
    "mode",
    "name",
    "names",
    "alias",
    "id",
    "ids",
    "url",
    "uri",
    "urls",
    "host",
    "port",
    "user",
    "username",
    "dir",
    "directory",
    "folder",
    "length",
    "size",
    "ttl",
    "expiry",
    "expires",
    "expiration",
    "lifetime",
    "timeout",
    "algorithm",
    "alg",
    "type",
    "version",
    "ver",
    "enabled",
    "disabled",
    "required",
    "header",
    "field",
    "prefix",
    "suffix",
    "regex",
    "pattern",
    "policy",
    "provider",
    "service",
    "endpoint",
    "issuer",
    "class",
    "sha256",
    "sha512",
    "sha1",
    "md5",
    "checksum",
    "digest",
    "fingerprint",
    "dummy",
    "base64encoded",
    "encoded",
    "format",
    "store",
    "keystore",
    "repo",
    "ref",
    "dist",
    "checking",
    "server",
    "location",
    "var",
    "env",
    "backend",
    "method",
    "manager",
    "replacer",
    "replacment",
    "replacement",
    "count",
    "limit",
    "min",
    "max",
    "plugin",
    "arn",
    "adapter",
    "scheme",
    "namespace",
];

/// First words of names that are switches.
const SWITCH_FIRST: &[&str] = &[
    "allow", "disable", "enable", "use", "skip", "no", "is", "has", "with", "without", "require", "show", "hide",
    "ignore", "generate", "random",
];

/// Words that take the secret out of a name: public keys, key rings, tokenizers.
const ABOUT_ANYWHERE: &[&str] = &[
    "public",
    "publishable",
    "pub",
    "gpg",
    "pgp",
    "keyring",
    "keyserver",
    "keyboard",
    "tokenizer",
    "tokenizers",
    "fingerprint",
    "dummy",
    "bypass",
    "csrf",
    "warn",
    "helm",
    "check",
];

/// Whether a build writes the value of that name into what browsers are given, so that it is needed there.
pub fn is_for_browsers(name: &str) -> bool {
    let words = words(name);
    is_public(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether the value is shipped to browsers by design (Next.js, Vite, Gatsby, Nuxt, Expo, Create React App).
fn is_public(words: &[&str]) -> bool {
    matches!(words, ["next" | "nuxt" | "expo", "public", ..] | ["vite" | "gatsby", ..] | ["react", "app", ..])
}

/// Whether the name means a password that a person chooses, which a plain word can be.
fn is_password(name: &str) -> bool {
    let words = words(name);
    let last: Vec<&str> = words.iter().rev().take(2).map(String::as_str).collect();
    match last[..] {
        ["key", "secret"] => true,
        // The name of an object that Kubernetes keeps.
        ["secret", "kubernetes" | "k8s"] | [] => false,
        [last, ..] => last.contains("pass") || matches!(last, "pwd" | "pw" | "secret"),
    }
}

/// Whether the name means a key that an application signs sessions and tokens with.
fn is_signing_key(name: &str) -> bool {
    const SIGNS: [&str; 9] = ["jwt", "session", "cookie", "app", "signing", "csrf", "flask", "django", "rails"];
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let is_secret_key = matches!(words[..], [.., "secret", "key"] | [.., "secret", "key", "base"]);
    is_secret_key || words.last() == Some(&"secret") && words.iter().any(|word| SIGNS.contains(word))
}

/// Whether an application would sign with the value: it asks to be changed, but works as it is.
fn is_default_key(value: &[u8]) -> bool {
    let is_plain = value.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'{' | b'$' | b'%'));
    let is_default = String::from_utf8_lossy(value).to_ascii_lowercase().contains("default");
    is_plain && value.len() >= 8 && (is_default || asks_to_be_replaced(value))
}

/// Whether the value says that another one belongs there: `change-me`.
pub fn asks_to_be_replaced(value: &[u8]) -> bool {
    const ASKS: [&str; 4] = ["change", "chang3", "replace", "override"];
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    ASKS.iter().any(|word| text.contains(word))
}

/// Whether the value only says what belongs there, under a name of what another server decides: `SMTP_PASS=pass`.
fn is_stand_in(name: &str, value: &[u8]) -> bool {
    const STAND_INS: &[&[u8]] = &[b"password", b"pass", b"passwd", b"pwd", b"secret"];
    let of_others = |word: &String| matches!(word.as_str(), "smtp" | "email" | "mail" | "mailer" | "client" | "oauth");
    let words = words(name);
    let repeats_kind = value.eq_ignore_ascii_case(b"secret") && words.last().is_some_and(|last| last == "secret");
    repeats_kind || STAND_INS.iter().any(|word| value.eq_ignore_ascii_case(word)) && words.iter().any(of_others)
}

/// Hex of the length of a key id or a fingerprint under a name that ends in a bare `KEY`: public (`GPG_KEY`, `SWIFT_SIGNING_KEY`).
fn is_fingerprint(name: &str, value: &[u8]) -> bool {
    let hex = value.strip_prefix(b"0x").unwrap_or(value);
    let upper_hex = hex.iter().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte));
    upper_hex && matches!(hex.len(), 16 | 40) && name.to_ascii_lowercase().ends_with("key")
}

/// Whether the value only repeats the name (`KEY=KEY`, `'AWS_ACCESS_KEY_SECRET'`, `GOOGLE_API_KEY_VAL`), which is a
/// placeholder.
fn repeats_name(name: &str, value: &[u8]) -> bool {
    const ADDED: [&[u8]; 6] = [b"", b"val", b"value", b"var", b"variable", b"placeholder"];
    let Some((same, rest)) = value.split_at_checked(name.len()) else { return false };
    let rest = rest.strip_prefix(b"_").or_else(|| rest.strip_prefix(b"-")).unwrap_or(rest);
    same.eq_ignore_ascii_case(name.as_bytes()) && ADDED.iter().any(|added| rest.eq_ignore_ascii_case(added))
}

/// Whether the value is made of words for what belongs there, the first or the last of which says that it is no real
/// one: `my-password`, `testValue`, `drift-value`.
pub fn is_made_up(value: &[u8]) -> bool {
    const FIRST: [&str; 3] = ["my", "some", "test"];
    const WORDS: [&str; 18] = [
        "access",
        "api",
        "app",
        "auth",
        "client",
        "credential",
        "data",
        "db",
        "key",
        "name",
        "pass",
        "password",
        "private",
        "secret",
        "text",
        "token",
        "user",
        "value",
    ];
    let Ok(text) = std::str::from_utf8(value) else { return false };
    // Words of which the last says what all of them are: `drift-value`.
    let words: Vec<&str> = text.split(['-', '_', ' ']).collect();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    if words.len() > 1 && words.last() == Some(&"value") && words.iter().all(is_word) {
        return true;
    }
    let plain: String = text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).collect::<String>().to_ascii_lowercase();
    let Some(mut rest) = FIRST.iter().find_map(|first| plain.strip_prefix(first)).filter(|rest| !rest.is_empty())
    else {
        return false;
    };
    while !rest.is_empty() {
        // The longest word first: `password` begins with `pass`.
        let word = WORDS.iter().filter(|word| rest.starts_with(**word)).max_by_key(|word| word.len());
        let Some(word) = word else { return false };
        rest = &rest[word.len()..];
    }
    true
}

/// Whether the name is that of somebody's name, which proves nothing without what goes with it.
pub fn names_user(name: &str) -> bool {
    words(name).last().is_some_and(|last| matches!(last.as_str(), "user" | "username" | "login" | "email"))
}

/// Whether the name is that of a place or its part, so that a value without a user in it is no secret.
pub fn names_place(name: &str) -> bool {
    const LAST: [&str; 11] =
        ["address", "bucket", "domain", "endpoint", "endpoints", "host", "hostname", "hosts", "port", "uri", "url"];
    words(name).last().is_some_and(|last| LAST.contains(&last.as_str()))
}

/// The words of a name in lower case: `dbPassword`, `DB_PASSWORD` and `db-password` are the same two.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = '_';
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            before = '_';
            continue;
        }
        let starts = before == '_' || c.is_ascii_uppercase() && before.is_ascii_lowercase();
        match words.last_mut() {
            Some(word) if !starts => word.push(c.to_ascii_lowercase()),
            _ => words.push(c.to_ascii_lowercase().to_string()),
        }
        before = c;
    }
    words
}

/// What a literal value looks like.
pub fn value_shape(value: &[u8]) -> Value {
    if let Some(what) = known(value) {
        return Value::Known(what);
    }
    let text = String::from_utf8_lossy(value);
    let text = text.trim();
    if text.len() < 3
        || is_published(value)
        || is_placeholder(text)
        || is_switch(text)
        || is_place(text)
        || text.contains('$')
    {
        return Value::Harmless;
    }
    if is_random(text) { Value::Random } else { Value::Word }
}

/// Keys that programs for trying things out are published with: the emulators of Azure's storage and of Cosmos DB.
const PUBLISHED: [&[u8]; 2] = [
    b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    b"C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
];

/// Whether the only secret in the value is one that everybody has.
fn is_published(value: &[u8]) -> bool {
    PUBLISHED.iter().any(|key| memchr::memmem::find(value, key).is_some())
}

/// A credential of known form.
fn known(value: &[u8]) -> Option<&'static str> {
    if let Some(token) = Tokens::builtin().find(value).find(|token| !is_published(&value[token.range.clone()])) {
        return Some(&token.shape.title);
    }
    private_keys(value).next().map(|_| "private key")
}

/// The private keys in PEM form in `text`, from the first dash to the end of the first line of the key.
pub fn private_keys(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    static BEGIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"-----BEGIN "));
    const KIND: &[u8] = b"PRIVATE KEY";
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    BEGIN.find_iter(text).filter_map(move |start| {
        let header = &text[start..text.len().min(start + 80)];
        let kind = memchr::memmem::find(header, KIND)?;
        let behind = start + kind + KIND.len();
        let rest = &text[behind..text.len().min(behind + 200)];
        // Between the header and the key: dashes, the rest of ` BLOCK`, line ends in any notation.
        let gap = rest.iter().position(is_base64).filter(|&gap| gap < 16)?;
        let body = rest[gap..].strip_prefix(b"n").unwrap_or(&rest[gap..]);
        let length = body.iter().take_while(|byte| is_base64(byte)).count();
        let is_key = length >= 32 && begins_key(header, &body[..length]);
        is_key.then(|| start..behind + (rest.len() - body.len()) + length)
    })
}

/// Whether what stands below `header` can be a key: a sequence of DER, or what OpenSSH and PGP begin with, and no letter
/// again and again.
fn begins_key(header: &[u8], body: &[u8]) -> bool {
    let is_of = |kind: &[u8]| memchr::memmem::find(header, kind).is_some();
    let is_begun = is_of(b" PGP ") || body.starts_with(b"M") || body.starts_with(b"b3BlbnNzaC1rZXk");
    is_begun && distinct_bytes(&body[..32]) >= 8
}

/// Whether the text says that something else is to be put here.
pub fn is_placeholder(text: &str) -> bool {
    const MARKS: &[&str] = &[
        "change",
        "chang3",
        "replace",
        "placeholder",
        "example",
        "dummy",
        "your",
        "insert",
        "redacted",
        "todo",
        "fixme",
        "not_set",
        "notset",
        "not-set",
        "nodefault",
        "undefined",
        "fake",
        "sample",
        "unset",
        "ignored",
        "xxx",
        "***",
        "**none",
        "**random",
        "not-a-",
        "not_a_",
        "notasecret",
        "not-secret",
        "not_secret",
        "notsecret",
        "envvarhere",
        "default",
        "test_secret",
        "here",
        "foobar",
        "00000000",
        "tobe",
        "override",
        "_me",
        "enter_",
        "unused",
        "none",
        "null",
        "n/a",
        "encryptedpassword",
    ];
    let lower = text.to_ascii_lowercase();
    let bracketed = text.starts_with(['<', '{', '%', '@', '[', '(']) || text.contains("{{");
    let one_character = text.bytes().all(|byte| byte == text.as_bytes()[0]);
    bracketed || one_character || MARKS.iter().any(|mark| lower.contains(mark)) && !has_own_digits(text)
}

/// Whether the text holds a number that somebody thought of, neither one digit again and again nor `1234`.
fn has_own_digits(text: &str) -> bool {
    let runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() >= 4);
    runs.into_iter().any(|run| !"1234567890".starts_with(run) && distinct_bytes(run.as_bytes()) > 1)
}

/// Whether the text is a switch or a small number.
fn is_switch(text: &str) -> bool {
    const SWITCHES: &[&str] = &[
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "none",
        "null",
        "enabled",
        "disabled",
        "auto",
        "always",
        "never",
        "optional",
        "required",
        "production",
        "development",
    ];
    SWITCHES.iter().any(|switch| text.eq_ignore_ascii_case(switch))
        || text.len() < 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text is a path, a file name or an address without a user.
fn is_place(text: &str) -> bool {
    let starts = ["/", "./", "../", "~/", "C:\\", "c:\\"];
    let ends = [
        ".pem", ".key", ".json", ".txt", ".crt", ".jks", ".p12", ".yml", ".yaml", ".conf", ".env", ".php", ".jar",
        ".html",
    ];
    let address = text.contains("://") && !text.contains('@');
    let is_path = starts.iter().any(|start| text.starts_with(start)) && !is_base64(text);
    is_path || ends.iter().any(|end| text.ends_with(end)) || address
}

/// Whether the text has the length and the letters of a key in base64, which may start with a `/`.
fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has = |is: fn(&u8) -> bool| bytes.iter().filter(|byte| is(byte)).count() >= 4;
    let all = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    all && bytes.len() >= 32 && mixed && text.split('/').any(|part| part.len() >= 16)
}

/// Whether the text is the name of an AWS key, as far as its form tells.
fn is_aws_key(text: &str) -> bool {
    let rest = text.strip_prefix("AKIA").or_else(|| text.strip_prefix("ASIA"));
    rest.is_some_and(|rest| {
        rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

/// Whether the text is long and mixed like something a machine made.
fn is_random(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 12 || bytes.contains(&b' ') {
        return false;
    }
    if is_aws_key(text) {
        return true;
    }
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let changes = bytes.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    distinct_bytes(bytes) >= 8 && (changes * 5 >= bytes.len() || bytes.len() >= 24 && changes >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let credential = [
            "DB_PASSWORD",
            "dbPassword",
            "npm_token",
            "AWS_SECRET_ACCESS_KEY",
            "API_KEY",
            "ORACLE_PWD",
            "MYSQL_PASS",
            "SECRET_KEY_BASE",
            "LDAP_ROOTPASS",
            "PGPASSWORD",
            "CLIENT_SECRET",
            "PASSWORD",
            "sa_password",
            "DBPASSWORD",
            "ADMINPASS",
        ];
        for name in credential {
            assert_eq!(classify(name), Name::Credential, "{name}");
        }
        let about = [
            "DB_PASSWORD_FILE",
            "SECRETS_DIR",
            "AUTH_MODE",
            "KMS_KEY_ALIAS",
            "AWS_ACCESS_KEY_ID",
            "NEXT_PUBLIC_API_KEY",
            "VITE_API_KEY",
            "TOKEN_URL",
            "ALLOW_EMPTY_PASSWORD",
            "GPG_KEY",
            "GPG_KEYS",
            "PYTHON_SHA256",
            "SECRET_KEY_BASE_DUMMY",
            "KEYRING",
            "TOKENIZERS_PARALLELISM",
            "KEYBOARD",
            "PWD",
            "AUTHOR",
            "KEYSERVER",
            "STRIPE_PUBLISHABLE_KEY",
            "PASSENGER_APP_ENV",
            "HELM_SECRETS_VERSION",
            "AGENT_BYPASS_LOGIN",
            "PATH",
            "OLDPWD",
            "HTPASSWD",
            "JAVA_TOKEN",
            "GLUU_SECRET_ADAPTER",
        ];
        for name in about {
            assert_ne!(classify(name), Name::Credential, "{name}");
        }
    }

    #[test]
    fn values() {
        for value in [
            "",
            "changeme",
            "changeme-1234",
            "<token>",
            "your_api_key",
            "/run/secrets/x",
            "false",
            "$TOKEN",
            "**None**",
            "xxxxxxxx",
            "NOTSET",
            "https://example.com/x",
            "FAKE_TO_GENERATE_WARNING_OUTPUT",
            "1",
        ] {
            assert_eq!(value_shape(value.as_bytes()), Value::Harmless, "{value}");
        }
        for value in [
            "uYqBu/41C4Iog4vq9eShKg==",
            "r7eJvn9HIvMh25CWknMUFoNuW2d2",
            "d54c1d3a095b4ff2b6607d096fa80163",
            "4dc53dcd-7572-490d-a9fa-34f4875fad02",
            "aK3j9ZpQ1xL7",
        ] {
            assert_eq!(value_shape(value.as_bytes()), Value::Random, "{value}");
        }
        for value in ["AKIAVNACSSWMQM4TVS40", "/OnCZYXZk6oAI3wXTF4eG0W0-0hNZSL18EFgsgxc"] {
            assert_eq!(value_shape(value.as_bytes()), Value::Random, "{value}");
        }
        for value in ["/usr/lib/jvm/java-17-openjdk-amd64/lib/security", "/run/secrets/key"] {
            assert_eq!(value_shape(value.as_bytes()), Value::Harmless, "{value}");
        }
        for value in ["postgres", "admin", "wso2am", "123456", "changeit-9431"] {
            assert_eq!(value_shape(value.as_bytes()), Value::Word, "{value}");
        }
        assert_eq!(
            value_shape(b"-----BEGIN RSA PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA7bq8cXvJ0kYw2mQp4nR"),
            Value::Known("private key")
        );
    }

    #[test]
    fn what_is_no_key_between_the_lines_of_one_is_none() {
        let count = |body: &str| private_keys(format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n").as_bytes()).count();
        assert_eq!(count("MIIEpAIBAAKCAQEA7bq8cXvJ0kYw2mQp4nR"), 1);
        assert_eq!(count("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ"), 1);
        assert_eq!(count("thisisnotakeybutatextthatsaysthatthereisone"), 0);
        assert_eq!(count("MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM"), 0);
    }

    #[test]
    fn made_up_values_name_what_belongs_there() {
        for value in ["my-password", "mysecret", "testValue", "my_secret_token", "some-api-key", "drift-value"] {
            assert!(is_made_up(value.as_bytes()), "{value}");
        }
        for value in ["password", "mysecret1", "my", "mystery-meat", "testify", "value", "drift2-value"] {
            assert!(!is_made_up(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn both_together() {
        assert_eq!(judge("POSTGRES_PASSWORD", b"postgres"), Some(Credential::Default));
        assert_eq!(judge("FLASK_SECRET_KEY", b"dev-secret-key-change-me"), Some(Credential::Default));
        assert_eq!(judge("API_KEY", b"r7eJvn9HIvMh25CWknMUFoNuW2d2"), Some(Credential::Named));
        assert_eq!(
            judge("ANYTHING", b"ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
            Some(Credential::Known("GitHub personal access token"))
        );
        for (name, value) in [
            ("GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568"),
            ("SWIFT_SIGNING_KEY", "A62AE125BBBFBB96A6E042EC925CC1CCED3D1561"),
            ("MIXPANEL_TOKEN", "token"),
            ("API_KEY", "changeme"),
            ("FLASK_SECRET_KEY", "<change-me>"),
            ("SECRET_KEY_BASE", "not-a-secret"),
            ("SMTP_PASS", "pass"),
            ("WILDDOG_SECRET", "secret"),
            ("GLUU_SECRET_KUBERNETES_SECRET", "gluu"),
            ("AWS_ACCESS_KEY_SECRET", "AWS_ACCESS_KEY_SECRET"),
            ("GOOGLE_API_KEY", "GOOGLE_API_KEY_VAL"),
            ("STORAGE_KEY", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="),
        ] {
            assert_eq!(judge(name, value.as_bytes()), None, "{name}={value}");
        }
    }
}
