//! `file:` addresses and paths.

use gen_lsp_types::Uri;
use std::fmt::Write;

/// The path of a `file:` address, `/` between parts; `None` for a document that is on no disk.
pub(super) fn path(uri: &Uri) -> Option<String> {
    let rest = uri.as_ref().strip_prefix("file://")?;
    // What stands before the first `/` names a host, and that can only be this one.
    let path = decoded(&rest[rest.find('/')?..])?;
    let is_drive = path.as_bytes().get(2) == Some(&b':');
    Some(if cfg!(windows) && is_drive { path[1..].to_owned() } else { path })
}

/// The address of an absolute path, `/` between parts.
pub(super) fn of_path(path: &str) -> Uri {
    let mut uri = String::from("file://");
    if !path.starts_with('/') {
        uri.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => write!(uri, "%{byte:02X}").expect("a string takes what is written to it"),
        }
    }
    Uri(uri)
}

/// The last part of an address, for a document that has no path.
pub(super) fn last_part(uri: &Uri) -> &str {
    uri.as_ref().rsplit(['/', ':']).next().unwrap_or_default()
}

/// `text` with every `%41` taken for what it stands for; `None` if that is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| byte == b'%').and_then(hexadecimal);
        bytes.push(code.unwrap_or(byte));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(bytes).ok()
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_its_address_are_the_same() {
        for name in ["/srv/a b/Dockerfile", "/ä/100%/Dockerfile#1?", "/a/%41"] {
            assert_eq!(path(&of_path(name)).as_deref(), Some(name));
        }
        assert_eq!(of_path("/a b/ö").as_ref(), "file:///a%20b/%C3%B6");
    }

    #[test]
    fn addresses_of_editors_are_understood() {
        let path = |uri: &str| path(&Uri::from(uri));
        assert_eq!(path("file:///a/@b+c/Dockerfile").as_deref(), Some("/a/@b+c/Dockerfile"));
        assert_eq!(path("file://localhost/a%2").as_deref(), Some("/a%2"));
        assert_eq!(path("untitled:Untitled-1"), None);
        assert_eq!(path("file:///%ff"), None);
        assert_eq!(last_part(&Uri::from("untitled:Untitled-1")), "Untitled-1");
    }
}
