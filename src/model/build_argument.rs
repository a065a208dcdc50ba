//! Who hands a build argument in: compose files, CI files, scripts and make files around the Dockerfile.
//!
//! Found by the text alone: a line that speaks of build arguments and names the variable, or one that stands under a
//! key of build arguments. What is not found may still exist.

use super::builder;
use crate::context::BuildContext;

/// A line that hands a build argument in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The file, written as the checked file's path is.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
}

/// The lines around the Dockerfile that hand the build argument `name` in, as far as they are seen.
pub fn callers(context: BuildContext<'_>, name: &str) -> Vec<Caller> {
    let mut callers = Vec::new();
    for found in builder::evidence(context, tells) {
        let Ok(text) = std::str::from_utf8(&found.text) else { continue };
        if !holds_word(text, name) {
            continue;
        }
        callers.extend(lines_with(text, name).map(|line| Caller { path: found.path.clone(), line }));
    }
    callers
}

/// Whether a file of that name may start builds.
fn tells(directory: &str, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_yaml = lower.ends_with(".yml") || lower.ends_with(".yaml");
    builder::tells(directory, name)
        || is_yaml && lower.contains("compose")
        || lower.contains("bake") && (lower.ends_with(".hcl") || lower.ends_with(".json"))
        || matches!(lower.as_str(), "makefile" | "package.json")
}

/// Words of a line that hands an argument in, or of a key that arguments stand under.
///
/// `bake --set target.args.NAME=…` hands one in too, and bake files may have a target in one line.
const MARKS: [&str; 7] = ["build-arg", "build_arg", "buildarg", "buildargs", ".args.", "\"args\":", "{ args"];

fn lines_with<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    // The keys that the line at hand stands under, with how far each is indented.
    let mut above: Vec<(usize, bool)> = Vec::new();
    text.lines().enumerate().filter_map(move |(at, line)| {
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') || content.starts_with("//") {
            return None;
        }
        let indent = line.len() - content.len();
        above.retain(|&(outer, _)| outer < indent);
        let lower = content.to_ascii_lowercase();
        let key = lower.trim_start_matches('"').strip_prefix("args");
        let behind = key.map(|behind| behind.trim_start_matches('"').trim_start());
        let is_key = behind.is_some_and(|behind| behind.starts_with([':', '=']));
        let speaks = is_key || MARKS.iter().any(|mark| lower.contains(mark));
        let is_under = above.iter().any(|&(_, is_of_arguments)| is_of_arguments);
        above.push((indent, speaks));
        ((speaks || is_under) && holds_word(content, name)).then_some(at + 1)
    })
}

fn holds_word(text: &str, word: &str) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, word.as_bytes())
        .any(|at| !is_part(at.checked_sub(1).map(|before| &bytes[before])) && !is_part(bytes.get(at + word.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        lines_with(text, "NPM_TOKEN").collect()
    }

    #[test]
    fn arguments_are_seen_on_a_line_and_under_a_key() {
        assert_eq!(lines("build:\n\tdocker build --build-arg NPM_TOKEN=$(NPM_TOKEN) .\n"), [2]);
        assert_eq!(lines("services:\n  a:\n    build:\n      args:\n        - X=1\n        - NPM_TOKEN\n"), [6]);
        assert_eq!(lines("with:\n  build-args: |\n    NPM_TOKEN=${{ secrets.NPM_TOKEN }}\n"), [3]);
        assert_eq!(lines("target \"a\" {\n  args = {\n    NPM_TOKEN = \"\"\n  }\n}\n"), [3]);
        assert_eq!(lines("target \"a\" { args = { NPM_TOKEN = \"\" } }\n"), [1]);
        assert_eq!(lines("{\n  \"args\" : {\n    \"NPM_TOKEN\": \"\"\n  }\n}\n"), [3]);
        assert_eq!(lines("docker buildx bake --set '*.args.NPM_TOKEN=x'\n"), [1]);
    }

    #[test]
    fn other_mentions_are_none() {
        assert!(lines("services:\n  a:\n    environment:\n      - NPM_TOKEN=x\n").is_empty());
        assert!(lines("args:\n  - MY_NPM_TOKEN=x\nenv:\n  NPM_TOKEN: x\n").is_empty());
        assert!(lines("# --build-arg NPM_TOKEN\n").is_empty());
    }
}
