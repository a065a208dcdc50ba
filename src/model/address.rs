//! Credentials inside of addresses: `scheme://user:password@host`.

use super::credential::{self, Value};
use std::ops::Range;

/// A credential in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressCredential {
    /// Where the credential lies in the text.
    pub range: Range<usize>,
    /// What the credential looks like; never [`Value::Harmless`].
    pub shape: Value,
    /// Whether the host is the machine itself.
    pub is_loopback: bool,
}

/// Longer than any user and password in an address.
const LONGEST: usize = 512;

/// The credentials in the addresses of `text`, in order; variables and placeholders are none.
pub fn credentials(text: &[u8]) -> impl Iterator<Item = AddressCredential> {
    memchr::memmem::find_iter(text, b"://").filter_map(|at| credential_at(text, at))
}

fn credential_at(text: &[u8], separator: usize) -> Option<AddressCredential> {
    let has_scheme = separator > 0 && text[separator - 1].is_ascii_alphanumeric();
    let start = separator + 3;
    let rest = &text[start..text.len().min(start + LONGEST)];
    let end = rest.iter().position(|&byte| ends_authority(byte)).unwrap_or(rest.len());
    let authority = &rest[..end];
    let at = memchr::memrchr(b'@', authority)?;
    let (user_info, host) = (&authority[..at], &authority[at + 1..]);
    if !has_scheme || host.is_empty() || !user_info.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let colon = memchr::memchr(b':', user_info);
    let (user, password) = user_info.split_at(colon.unwrap_or(user_info.len()));
    let password = password.get(1..).unwrap_or_default();
    // GitHub takes a token as the user, with nothing or this word as the password.
    let user_is_token = password.is_empty() || password == b"x-oauth-basic";
    let (range, shape) = if user_is_token {
        (start..start + user.len(), token_shape(user, host)?)
    } else {
        let from = start + user.len() + 1;
        (from..from + password.len(), password_shape(user, password, host)?)
    };
    Some(AddressCredential { range, shape, is_loopback: is_loopback(host) })
}

fn ends_authority(byte: u8) -> bool {
    matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b'|' | b';') || byte <= b' '
}

/// What a user without a password looks like. The user of a Sentry address is public by design.
fn token_shape(user: &[u8], host: &[u8]) -> Option<Value> {
    let is_public = memchr::memmem::find(host, b"sentry").is_some();
    match credential::value_shape(user) {
        shape @ Value::Known(_) => Some(shape),
        shape @ Value::Random if user.len() >= 20 && !is_public => Some(shape),
        Value::Random | Value::Word | Value::Harmless => None,
    }
}

fn password_shape(user: &[u8], password: &[u8], host: &[u8]) -> Option<Value> {
    const MADE_UP: &[&[u8]] = &[b"user", b"username", b"myuser", b"login", b"usr"];
    const STAND_INS: &[&[u8]] = &[b"password", b"pass", b"passwd", b"pwd", b"secret"];
    // Nobody has this password on a server of the internet; beside the container somebody may.
    let is_stand_in = STAND_INS.iter().any(|word| password.eq_ignore_ascii_case(word));
    if is_stand_in && host.contains(&b'.') && !is_loopback(host) {
        return None;
    }
    match credential::value_shape(password) {
        Value::Harmless => None,
        Value::Word if MADE_UP.iter().any(|name| user.eq_ignore_ascii_case(name)) => None,
        shape @ (Value::Known(_) | Value::Random | Value::Word) => Some(shape),
    }
}

fn is_loopback(host: &[u8]) -> bool {
    let name = host.split(|&byte| byte == b':').next().unwrap_or(host);
    name.eq_ignore_ascii_case(b"localhost") || name.starts_with(b"127.") || name == b"0.0.0.0"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, bool)> {
        credentials(text.as_bytes()).map(|found| (&text[found.range], found.is_loopback)).collect()
    }

    #[test]
    fn a_password_behind_a_user_is_found() {
        assert_eq!(found("git clone https://bob:s3cr3t@git.example.com/x.git"), [("s3cr3t", false)]);
        assert_eq!(found("A=mysql://root:passw0rd@127.0.0.1/x B=ftp://a:b12@h"), [("passw0rd", true), ("b12", false)]);
    }

    #[test]
    fn a_token_as_the_user_is_found() {
        let token = "d54c1d3a095b4ff2b6607d096fa80163d54c1d3a";
        assert_eq!(found(&format!("https://{token}@github.com/x")), [(token, false)]);
        assert_eq!(found(&format!("https://{token}:x-oauth-basic@github.com/x")), [(token, false)]);
        assert!(found(&format!("https://{token}@o1.ingest.sentry.io/1")).is_empty(), "public by design");
    }

    #[test]
    fn variables_placeholders_and_plain_users_are_passed_over() {
        for text in [
            "https://$USER:$TOKEN@github.com/x",
            "https://oauth2:${TOKEN}@gitlab.com/x",
            "https://<user>:<password>@host/",
            "ssh://git@github.com/x",
            "https://npm.example.com/@scope/x:y@1",
            "postgres://user:pass@localhost:5432/x",
            "https://host/path:with@sign",
            "https://x:changeme@host",
            "ftp://backup:password@backup.network/x",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}
