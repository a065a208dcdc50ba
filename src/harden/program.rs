//! The text of a program that is compiled: which files it names, which it takes into itself, which programs it starts.
//!
//! No language is parsed: string literals, and a few words in front of them, are enough to err on the side of taking a
//! file too many, or of saying that a program may be started.

use super::{
    Evidence, Subject,
    tree::{File, Tree},
};
use std::collections::BTreeSet;

/// What a compiled language looks like.
#[derive(Debug)]
pub struct Language {
    /// Extensions of files that are compiled.
    pub extensions: &'static [&'static str],
    /// Names of files that only a build reads.
    pub manifests: &'static [&'static str],
    /// Words in front of the name of a program that is started.
    pub calls: &'static [&'static str],
    /// A text that starts programs has one of these words; empty where `calls` say enough.
    pub callers: &'static [&'static str],
    /// Words in front of the name of a file that becomes part of the program.
    pub embeds: &'static [&'static str],
}

/// The text of one program file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it lies.
    pub file: File,
    /// What it says.
    pub text: String,
}

/// A program that the text starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name as written; `None` where a variable holds it.
    pub name: Option<String>,
    /// Where that is.
    pub place: Evidence,
}

/// Words of a line that reads or serves files, so that what it names is not part of the program.
const READS: [&str; 16] = [
    "os.",
    "http.Dir",
    "ioutil.",
    "ParseFiles",
    "ParseGlob",
    "LoadHTML",
    "StaticFile",
    "File::open",
    "fs::",
    "ServeDir",
    "ServeFile",
    "fopen",
    "ifstream",
    "NamedFile",
    "Files::new",
    "env::",
];

/// Program texts of the build context.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The texts, tests left out.
    pub all: Vec<Source>,
}

impl Sources {
    /// The texts of `tree` in that language.
    pub fn of(subject: &Subject<'_>, tree: &Tree, language: &Language) -> Self {
        let is_read = |file: &&File| language.extensions.contains(&file.extension()) && !is_test(&file.path);
        let read = |file: &File| Some(Source { file: file.clone(), text: subject.text_of(file)? });
        Self { all: tree.files.iter().filter(is_read).filter_map(read).collect() }
    }

    /// Whether a line of a text is one of these, blanks aside.
    pub fn has_line(&self, wanted: impl Fn(&str) -> bool) -> Option<Evidence> {
        self.all.iter().find_map(|source| {
            let line = source.text.lines().zip(1..).find(|(line, _)| wanted(line.trim()));
            line.map(|(line, number)| Evidence {
                path: source.file.found_at.clone(),
                line: number,
                shows: format!("`{}`", line.trim()),
            })
        })
    }

    /// The programs that the texts start.
    pub fn calls(&self, language: &Language) -> Vec<Call> {
        let mut calls = Vec::new();
        for source in &self.all {
            let is_caller =
                language.callers.is_empty() || language.callers.iter().any(|word| source.text.contains(word));
            if !is_caller {
                continue;
            }
            for (line, number) in code(&source.text) {
                for word in language.calls {
                    let Some(at) = find_word(line, word) else { continue };
                    let name = first_literal(&line[at + word.len()..]);
                    let shows = name.as_ref().map_or("starts a program".to_owned(), |name| format!("starts `{name}`"));
                    calls.push(Call {
                        name,
                        place: Evidence { path: source.file.found_at.clone(), line: number, shows },
                    });
                    break;
                }
            }
        }
        calls
    }

    /// Paths of the context that the texts take into the program, patterns cut off.
    fn embedded(&self, language: &Language, tree: &Tree) -> Vec<String> {
        let mut found = Vec::new();
        for source in &self.all {
            for (line, _) in source.text.lines().zip(1..) {
                let Some((word, at)) = language.embeds.iter().find_map(|word| Some((word, line.find(word)?))) else {
                    continue;
                };
                let rest = &line[at + word.len()..];
                let directory = source.file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
                let names: Vec<String> = if word.starts_with("//") {
                    rest.split_whitespace().map(|name| name.trim_matches(['"', '`']).to_owned()).collect()
                } else {
                    first_literal(rest).into_iter().collect()
                };
                for name in &names {
                    let name = name
                        .trim_start_matches("all:")
                        .trim_start_matches("$CARGO_MANIFEST_DIR")
                        .trim_start_matches('/');
                    let name = name.split(['*', '?', '[']).next().unwrap_or_default();
                    // The file's own directory, or that of the manifest above it.
                    let mut above = Some(directory);
                    while let Some(base) = above {
                        let path = resolved(base, name);
                        if path.as_ref().is_some_and(|path| !path.is_empty() && has(tree, path)) {
                            found.extend(path);
                            break;
                        }
                        above = (!base.is_empty()).then(|| base.rsplit_once('/').map_or("", |(above, _)| above));
                    }
                }
            }
        }
        found
    }

    /// The parts of every literal that looks like a path, and those of them that stand on a line that reads files.
    fn named(&self, language: &Language) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut all, mut read) = (BTreeSet::new(), BTreeSet::new());
        for source in &self.all {
            for (line, _) in code(&source.text) {
                if language.embeds.iter().any(|word| line.contains(word)) {
                    continue;
                }
                let reads = READS.iter().any(|word| line.contains(word));
                for literal in literals(line) {
                    let literal = literal.trim_start_matches("file://");
                    for part in literal.split('/').filter(|part| is_name(part)) {
                        all.insert(part.to_owned());
                        if reads {
                            read.insert(part.to_owned());
                        }
                    }
                }
            }
        }
        (all, read)
    }

    /// The files of `tree` that the program may read when it runs: what it names, and what nobody can tell to be only
    /// for its build or its people.
    pub fn assets<'t>(&self, tree: &'t Tree, language: &Language) -> Vec<&'t File> {
        let embedded = self.embedded(language, tree);
        let (named, read) = self.named(language);
        let is_asset = |file: &&File| {
            if is_compiled(file, language) || is_git(file) {
                return false;
            }
            let is_among = |words: &BTreeSet<String>| {
                file.path.split('/').any(|part| words.contains(part)) || words.contains(stem(file.name()))
            };
            let is_embedded =
                embedded.iter().any(|path| super::tree::below(&file.path, path.trim_end_matches('/')).is_some());
            if is_embedded {
                return is_among(&read);
            }
            is_among(&named) && !is_about_building(file) || !is_about_project(file)
        };
        tree.files.iter().filter(is_asset).collect()
    }
}

/// Whether a file only serves to compile the program.
fn is_compiled(file: &File, language: &Language) -> bool {
    language.extensions.contains(&file.extension())
        || language.manifests.contains(&file.name())
        || is_test(&file.path)
        || ["vendor", "target", "node_modules"].iter().any(|name| file.path.split('/').any(|part| part == *name))
}

fn is_git(file: &File) -> bool {
    file.path.split('/').any(|part| part.starts_with(".git") || part == ".github")
}

fn is_about_building(file: &File) -> bool {
    let name = file.name().to_ascii_lowercase();
    name.contains("dockerfile") || name == ".dockerignore" || name == "makefile" || name.contains("compose.y")
}

/// Files of people, editors and pipelines, which no program reads unless it names them.
fn is_about_project(file: &File) -> bool {
    let name = file.name().to_ascii_lowercase();
    let first = file.path.split('/').next().unwrap_or_default();
    let in_folder = file.path.contains('/')
        && matches!(
            first.to_ascii_lowercase().as_str(),
            "docs"
                | "doc"
                | "examples"
                | "example"
                | "k8s"
                | "kubernetes"
                | "helm"
                | "charts"
                | "chart"
                | "deploy"
                | "deployment"
                | "deployments"
                | "terraform"
                | "ansible"
                | "scripts"
                | "hack"
                | "ci"
                | "benches"
                | "fuzz"
                | "tools"
                | "test"
                | "tests"
                | "testdata"
        );
    let is_hidden = first.starts_with('.') && !name.starts_with(".env");
    is_about_building(file)
        || in_folder
        || is_hidden
        || [
            "readme",
            "license",
            "licence",
            "copying",
            "changelog",
            "contributing",
            "authors",
            "notice",
            "security",
            "code_of_conduct",
            "codeowners",
            "todo",
            "taskfile",
            "jenkinsfile",
            "procfile",
            "tiltfile",
            "skaffold",
            "renovate",
            "sonar-project",
            "justfile",
            "rustfmt",
            "clippy",
            "deny.",
            "cross.",
            "buf.",
        ]
        .iter()
        .any(|start| name.starts_with(start))
        || matches!(
            file.extension(),
            "md" | "adoc" | "rst" | "proto" | "mk" | "bat" | "ps1" | "patch" | "http" | "drawio"
        )
}

/// Whether a file only tests.
pub fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.ends_with("_test")
        || path.split('/').any(|part| matches!(part, "testdata" | "benches" | "examples"))
        || path.starts_with("tests/")
        || path.contains("/tests/")
        || path.starts_with("test/")
        || path.contains("/test/")
}

/// A file's name up to its first dot: `viper.SetConfigName("config")` means `config.yaml`.
fn stem(name: &str) -> &str {
    name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// Whether a part of a literal can be the name of a file.
fn is_name(part: &str) -> bool {
    !part.is_empty()
        && part.len() <= 64
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'@'))
        && !matches!(part, "." | "..")
}

/// The lines that are no comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (&str, u32)> {
    const LONGEST_LINE: usize = 1_000;
    let is_code = |line: &str| !line.trim_start().starts_with("//") && line.len() <= LONGEST_LINE;
    text.lines().zip(1..).filter(move |(line, _)| is_code(line))
}

/// The string literals of a line, without escapes.
fn literals(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(['"', '`']) {
        let quote = &rest[start..=start];
        let inside = &rest[start + 1..];
        let Some(end) = inside.find(quote) else { break };
        found.push(&inside[..end]);
        rest = &inside[end + 1..];
    }
    found
}

/// The first argument behind a call, if it is a literal.
fn first_literal(rest: &str) -> Option<String> {
    let rest = rest.trim_start_matches(['(', '!', ' ', '=']);
    // `exec.CommandContext(ctx, "x")`
    let rest = match rest.split_once(',') {
        Some((first, more))
            if matches!(first.trim(), "ctx" | "context.Background()" | "c" | "cmdCtx" | "r.Context()") =>
        {
            more.trim_start()
        }
        _ => rest,
    };
    let rest = rest.strip_prefix('r').map_or(rest, |raw| raw.trim_start_matches('#'));
    let quote = rest.chars().next().filter(|char| matches!(char, '"' | '`'))?;
    let inside = &rest[1..];
    let end = inside.find(quote)?;
    Some(inside[..end].to_owned())
}

/// Where `word` stands in `line` and is not the end of a longer name.
fn find_word(line: &str, word: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = line[from..].find(word) {
        let at = from + at;
        let before = line[..at].chars().next_back();
        if !before.is_some_and(|char| char.is_alphanumeric() || char == '_') {
            return Some(at);
        }
        from = at + word.len();
    }
    None
}

/// `../x` in `directory` of the context.
fn resolved(directory: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn has(tree: &Tree, path: &str) -> bool {
    tree.files.iter().any(|file| super::tree::below(&file.path, path).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_calls() {
        assert_eq!(literals(r#"f("a/b", `c`, "d)"#), ["a/b", "c"]);
        assert_eq!(first_literal(r#"(ctx, "git", "x")"#).as_deref(), Some("git"));
        assert_eq!(first_literal(r##"(r#"a"#)"##).as_deref(), Some("a"));
        assert_eq!(first_literal("(name)"), None);
        assert_eq!(find_word("a.ecosystem(", "system("), None);
        assert_eq!(find_word("  system(\"ls\")", "system("), Some(2));
        assert_eq!(resolved("api/src", "../../static/x").as_deref(), Some("static/x"));
    }
}
