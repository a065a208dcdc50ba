//! Data of a `Secret` or a `ConfigMap`.

use super::{KubernetesModel, Object};
use crate::{model::credential, syntax::yaml::Node};

/// One value of a `Secret` or a `ConfigMap`.
#[derive(Clone, Debug)]
pub struct Datum<'y> {
    /// Its name.
    pub key: Node<'y>,
    /// Where it is written.
    pub node: Node<'y>,
    /// What programs are given: decoded, if it is written in base 64.
    pub value: Vec<u8>,
}

/// Values longer than this are files and no credentials.
const LONGEST: usize = 8 * 1024;

impl<'y> KubernetesModel<'y> {
    /// Objects of the kind `Secret` that are as they are written: encrypted ones of `sops` are not.
    pub fn plain_secrets(&self) -> impl Iterator<Item = Object<'y>> {
        let secrets = self.objects.iter().copied().filter(|object| object.kind == "Secret");
        secrets.filter(|object| object.node.get("sops").is_none() && !object.is_of("bitnami"))
    }

    /// Objects of the kind `ConfigMap`.
    pub fn config_maps(&self) -> impl Iterator<Item = Object<'y>> {
        self.objects.iter().copied().filter(|object| object.kind == "ConfigMap" && object.node.get("sops").is_none())
    }
}

impl<'y> Object<'y> {
    /// Its values, those that a template hides left out.
    pub fn data(self) -> Vec<Datum<'y>> {
        let of_key = |name: &str, is_encoded: bool| {
            let entries = self.node.get(name).into_iter().flat_map(Node::entries);
            let seen = entries.filter(|entry| !entry.key.is_template() && !entry.value.is_template());
            let read = seen.filter_map(|entry| {
                let text = entry.value.scalar().filter(|text| text.len() <= LONGEST)?;
                let value = if is_encoded { decoded(text)? } else { text.as_bytes().to_vec() };
                Some(Datum { key: entry.key, node: entry.value, value })
            });
            read.collect::<Vec<_>>()
        };
        let mut data = of_key("data", self.kind == "Secret");
        data.extend(of_key("stringData", false));
        data
    }
}

impl Datum<'_> {
    /// Whether it holds nothing yet, or stands for what is filled in or encrypted elsewhere.
    pub fn is_stand_in(&self) -> bool {
        let text = String::from_utf8_lossy(self.value.trim_ascii());
        let is_encrypted = memchr::memmem::find(&self.value, b"ENC[AES256_GCM,").is_some();
        // What `sops` and its like leave in the place of a value.
        let is_starred = text.starts_with('*') && text.ends_with('*') || text.contains("**SOPS**");
        // Rows of one letter, between the first and the last line of a key or without them.
        let mut written = text.lines().filter(|line| !line.starts_with("-----")).flat_map(str::bytes);
        let is_blackened = written.next().is_some_and(|first| {
            first.is_ascii_alphabetic() && written.all(|byte| byte == first || byte.is_ascii_whitespace())
        });
        // A file says `example` of something else.
        let is_file = text.contains('\n') || text.starts_with("{\"");
        // A word that stands for a value where its base 64 belongs: `EXAMPLE`.
        let written = self.node.scalar().unwrap_or_default();
        let is_word = written.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        if is_word && !written.is_empty() && credential::is_placeholder(written) {
            return true;
        }
        text.is_empty() || is_encrypted || is_starred || is_blackened || !is_file && credential::is_placeholder(&text)
    }

    /// Whether it is the name of a variable, or has a line that is set to one: somebody puts the values in.
    pub fn is_filled_in(&self) -> bool {
        self.assignments().iter().any(|(_, value)| is_variable(value))
    }

    /// Whether a line of it is a credential by its name and value.
    pub fn holds_credential(&self) -> bool {
        self.assignments().iter().any(|(name, value)| credential::judge(name, value).is_some())
    }

    /// Names with values that it holds: its own, and those of lines `name=value` and `name: value` in a file.
    pub fn assignments(&self) -> Vec<(String, Vec<u8>)> {
        let own = (self.key.scalar().unwrap_or_default().to_owned(), self.value.trim_ascii().to_vec());
        let lines = self.value.split(|&byte| byte == b'\n').filter_map(|line| {
            let at = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
            let name = std::str::from_utf8(line[..at].trim_ascii()).ok()?;
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
            let value = line[at + 1..].trim_ascii();
            let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
            (is_name && !name.is_empty()).then(|| (name.to_owned(), unquoted.unwrap_or(value).to_vec()))
        });
        let lines = lines.collect::<Vec<_>>();
        if own.1.contains(&b'\n') { lines } else { std::iter::once(own).chain(lines).collect() }
    }
}

/// Whether a value is nothing but `$NAME` or `${NAME}`, as `envsubst` replaces it.
fn is_variable(value: &[u8]) -> bool {
    let Some(name) = value.strip_prefix(b"$") else { return false };
    let braced = name.strip_prefix(b"{").and_then(|name| name.strip_suffix(b"}"));
    let name = braced.unwrap_or(name);
    name.len() > 1 && name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// What `text` is in base 64, blanks and line endings left out; nothing for words, which decode to no text.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let is_mixed = text.bytes().any(|byte| byte.is_ascii_uppercase()) && !text.trim_ascii().contains(' ');
    bytes_of(text).filter(|bytes| is_mixed || std::str::from_utf8(bytes).is_ok())
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    let letters = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    for byte in letters.take_while(|byte| *byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    #[test]
    fn values_of_a_secret_are_decoded() {
        let text =
            "apiVersion: v1\nkind: Secret\ndata: {a: Y2FsZWJraW5uZXk=, b: '{{ .x }}', c: '***'}\nstringData: {d: e}\n";
        let parsed = parse(text.as_bytes());
        let model = KubernetesModel::new(&parsed.tree);
        let values: Vec<_> = model.plain_secrets().flat_map(Object::data).map(|datum| datum.value).collect();
        assert_eq!(values, [b"calebkinney".to_vec(), b"e".to_vec()]);
    }

    #[test]
    fn words_are_no_base_64() {
        for text in ["your private ssh key in base64", "replace-me", "thisisbase64encoded="] {
            assert_eq!(decoded(text), None, "{text}");
        }
        assert_eq!(decoded("/Pv5+Q==\n"), Some(vec![252, 251, 249, 249]));
    }

    #[test]
    fn what_is_filled_in_elsewhere_stands_in() {
        let tree = parse(b"apiVersion: v1\nkind: Secret\nstringData: {a: '', b: 'ENC[AES256_GCM,data:x]', c: '<fill in>', d: '{\"a\": \"ENC[AES256_GCM,data:x]\"}', e: 'hunter4711', f: '{\"example\": 1}', g: '{\"mask\": \"**SOPS**\"}', h: \"-----BEGIN PRIVATE KEY-----\\nXXXX\\nXXXX\\n\"}\n");
        let model = KubernetesModel::new(&tree.tree);
        let stand_ins: Vec<bool> =
            model.plain_secrets().flat_map(Object::data).map(|datum| datum.is_stand_in()).collect();
        assert_eq!(stand_ins, [true, true, true, true, false, false, true, true]);
        let tree = parse(b"apiVersion: v1\nkind: Secret\ndata: {a: EXAMPLE, b: REPLACE_ME, c: aHVudGVyNDcxMQ==}\n");
        let model = KubernetesModel::new(&tree.tree);
        let left: Vec<_> = model.plain_secrets().flat_map(Object::data).filter(|datum| !datum.is_stand_in()).collect();
        assert_eq!(left.len(), 1);
    }
}
