//! `package.json` and the lock file beside it: what scripts and programs a Node.js package has.

use super::Evidence;
use crate::context::Found;
use serde_json::Value;

/// A larger manifest or lock file is not read.
const LARGEST: usize = 16 << 20;

/// A `package.json`.
#[derive(Clone, Debug)]
pub struct PackageJson {
    path: String,
    text: String,
    value: Value,
}

impl PackageJson {
    /// Reads one; `None` for what is no JSON object.
    pub fn read(file: &Found) -> Option<Self> {
        if file.text.len() > LARGEST {
            return None;
        }
        let text = String::from_utf8_lossy(&file.text);
        let text = text.trim_start_matches('\u{feff}').to_owned();
        let value: Value = serde_json::from_str(&text).ok()?;
        value.is_object().then(|| Self { path: file.path.clone(), text, value })
    }

    /// The command of a script.
    pub fn script(&self, name: &str) -> Option<&str> {
        self.value.get("scripts")?.get(name)?.as_str()
    }

    /// What `require` of the package loads: `main`.
    pub fn main(&self) -> Option<&str> {
        self.value.get("main")?.as_str()
    }

    /// A text at the top: `name`, `packageManager`, `type`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.value.get(key)?.as_str()
    }

    /// Whether one of its lists of dependencies names a package.
    pub fn depends_on(&self, name: &str) -> bool {
        ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]
            .iter()
            .any(|list| self.value.get(list).is_some_and(|list| list.get(name).is_some()))
    }

    /// All of it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The line of a key within another one (`scripts`, `start`), or of a key at the top where `within` is empty.
    pub fn evidence(&self, within: &str, key: &str, shows: impl Into<String>) -> Evidence {
        Evidence { path: self.path.clone(), line: line_of(&self.text, within, key), shows: shows.into() }
    }
}

/// The first line at or behind that of `within` which has `key` as a key; 1 where none has.
fn line_of(text: &str, within: &str, key: &str) -> u32 {
    let has_key = |line: &str, key: &str| {
        let quoted = format!("\"{key}\"");
        line.match_indices(&quoted).any(|(at, _)| line[at + quoted.len()..].trim_start().starts_with(':'))
    };
    let mut lines = text.lines().zip(1..).skip_while(|(line, _)| !within.is_empty() && !has_key(line, within));
    lines.find(|(line, _)| has_key(line, key)).map_or(1, |(_, line)| line)
}

/// The file in `node_modules` behind a program that packages bring, as `package-lock.json` says: its path below the
/// project, and the package.
pub fn program_in_lock(lock: &Found, program: &str) -> Option<(String, String)> {
    let holds = |text: &[u8]| memchr::memmem::find(text, program.as_bytes()).is_some();
    if lock.text.len() > LARGEST || !holds(&lock.text) {
        return None;
    }
    let value: Value = serde_json::from_slice(&lock.text).ok()?;
    let packages = value.get("packages")?.as_object()?;
    let top = packages
        .iter()
        .filter(|(place, _)| place.strip_prefix("node_modules/").is_some_and(|name| !name.contains("/node_modules/")));
    for (place, package) in top {
        let name = place.trim_start_matches("node_modules/");
        let file = match package.get("bin") {
            Some(Value::String(file)) if name.rsplit('/').next() == Some(program) => file.as_str(),
            Some(Value::Object(programs)) => match programs.get(program).and_then(Value::as_str) {
                Some(file) => file,
                None => continue,
            },
            Some(_) | None => continue,
        };
        return Some((format!("{place}/{}", file.trim_start_matches("./")), name.to_owned()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Found {
        Found { path: path.to_owned(), text: text.as_bytes().into() }
    }

    #[test]
    fn a_key_has_its_line() {
        let text = "{\n  \"start\": 1,\n  \"scripts\": {\n    \"build\": \"x\",\n    \"start\": \"node .\"\n  }\n}\n";
        let package = PackageJson::read(&found("package.json", text)).expect("it is JSON");
        assert_eq!(package.script("start"), Some("node ."));
        assert_eq!(package.evidence("scripts", "start", "").line, 5);
        assert_eq!(package.evidence("", "start", "").line, 2);
    }

    #[test]
    fn a_lock_file_knows_where_a_program_lies() {
        let lock = found(
            "package-lock.json",
            r#"{"packages":{"":{"bin":{"next":"x"}},"node_modules/next":{"bin":{"next":"./dist/bin/next"}},"node_modules/@a/tool":{"bin":"t.js"}}}"#,
        );
        let path = |name| program_in_lock(&lock, name).map(|(path, _)| path);
        assert_eq!(path("next").as_deref(), Some("node_modules/next/dist/bin/next"));
        assert_eq!(path("tool").as_deref(), Some("node_modules/@a/tool/t.js"));
        assert_eq!(path("vite"), None);
    }

    #[test]
    fn what_is_no_object_is_no_manifest() {
        for text in ["", "[]", "{", "1"] {
            assert!(PackageJson::read(&found("package.json", text)).is_none(), "{text}");
        }
    }
}
