//! Which distributions of the Python package index an image holds, as far as its steps and the build context say.
//!
//! Facts: pip's documentation of requirements files and of `install`, PEP 508 (names), PEP 621 (`project.dependencies`),
//! the files of Poetry, uv and Pipenv.

use crate::{
    harden::{
        Evidence, Subject,
        effect::{Ecosystem, Effect, Kind},
    },
    model::file_name,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Requirements files that name others are followed so deep.
const DEEPEST: usize = 8;

/// What installs packages, and is none that a program needs.
pub(super) const TOOLS: [&str; 8] = ["pip", "setuptools", "wheel", "uv", "poetry", "pipenv", "pdm", "hatch"];

/// Sources by which a lock names the project itself.
const OWN: [&str; 3] = ["virtual", "editable", "directory"];

/// The distributions that are installed, by the names that the files give them.
#[derive(Debug, Default)]
pub(super) struct Requirements {
    /// Those that the steps and manifests name, each with the place that does.
    pub(super) found: BTreeMap<String, Evidence>,
    /// Those that a lock names, because others need them.
    pub(super) locked: BTreeMap<String, Evidence>,
    /// The first that is installed from a list, or a place, that cannot be read: a sentence.
    pub(super) unread: Option<String>,
}

impl Requirements {
    /// What `effects` of `subject` install.
    pub(super) fn of(subject: &Subject<'_>, effects: &[Effect<'_>]) -> Self {
        let mut search = Search { subject, effects, read: BTreeSet::new(), requirements: Self::default() };
        for effect in effects {
            let Kind::LanguagePackages { ecosystem: Ecosystem::Python, names, .. } = &effect.kind else { continue };
            for name in names.iter().filter(|name| !TOOLS.contains(&name.as_str())) {
                let place = subject.evidence(effect.span, format!("installs `{name}`"));
                search.requirements.found.entry(name.clone()).or_insert(place);
            }
            search.lists(effect);
        }
        search.requirements
    }
}

struct Search<'s, 'a> {
    subject: &'s Subject<'a>,
    effects: &'s [Effect<'a>],
    read: BTreeSet<String>,
    requirements: Requirements,
}

impl Search<'_, '_> {
    /// The lists that a command names, or those that its program reads by itself.
    fn lists(&mut self, effect: &Effect<'_>) {
        let Some(command) = effect.command else { return };
        let line = self.subject.cx.file.locate(effect.span.start).line;
        let value = |word| command.value(word).map(Cow::into_owned);
        let words: Vec<Option<String>> = command.command.words().map(value).collect();
        let mut has_list = false;
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let Some(word) = word.as_deref() else { continue };
            let is_list = word == "-r" || word == "--requirement" || word == "--requirements";
            let list = if is_list {
                at += 1;
                words.get(at - 1).cloned().flatten()
            } else {
                let joined = word.strip_prefix("-r").or_else(|| word.strip_prefix("--requirement="));
                match joined.filter(|list| !list.is_empty() && !list.starts_with('-')) {
                    Some(list) => Some(list.to_owned()),
                    None => continue,
                }
            };
            has_list = true;
            let is_read = list.as_deref().is_some_and(|list| self.list(list));
            if !is_read {
                self.unread(format!(
                    "what line {line} installs from `{}` is not seen",
                    list.as_deref().unwrap_or("a list that a variable names")
                ));
            }
        }
        let names_itself = |word: &Option<String>| {
            word.as_deref().is_some_and(|word| matches!(word, "sync" | "install" | "develop" | "setup.py"))
        };
        let installs_itself =
            words.iter().flatten().any(|word| word == "." || word.starts_with(".[") || word.starts_with("./"));
        let names_nothing =
            matches!(&effect.kind, Kind::LanguagePackages { names, .. } if names.is_empty()) && !has_list;
        if (installs_itself || names_nothing) && words.iter().any(names_itself) && !self.project() {
            self.unread(format!("the manifest of what line {line} installs is not seen"));
        }
    }

    fn unread(&mut self, reason: String) {
        self.requirements.unread.get_or_insert(reason);
    }

    /// Reads the list that a step knows as `path`; whether it is there.
    fn list(&mut self, path: &str) -> bool {
        let name = file_name(path);
        let copied = self.effects.iter().filter_map(|effect| match &effect.kind {
            Kind::Copied { sources, from: None, .. } => Some(sources),
            _ => None,
        });
        let mut candidates: Vec<String> = copied
            .flatten()
            .map(|source| source.trim_start_matches("./").to_owned())
            .filter(|source| file_name(source) == name)
            .collect();
        let workdir = self.subject.workdir().unwrap_or("/");
        let inside = path.strip_prefix(workdir).unwrap_or(path);
        candidates.extend([inside.trim_start_matches("./").trim_start_matches('/').to_owned(), name.to_owned()]);
        candidates.into_iter().any(|path| self.requirements_file(&path, 0))
    }

    /// Reads a requirements file of the build context; whether it is there.
    fn requirements_file(&mut self, path: &str, depth: usize) -> bool {
        if self.read.contains(path) {
            return true;
        }
        let Some(file) = self.subject.file(path) else { return false };
        self.read.insert(path.to_owned());
        let text = String::from_utf8_lossy(&file.text).into_owned();
        for (at, line) in text.lines().enumerate() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let number = at as u32 + 1;
            let nested = line.strip_prefix("-r").or_else(|| line.strip_prefix("--requirement"));
            if let Some(nested) = nested.map(|nested| nested.trim_start_matches('=').trim()) {
                let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
                let nested = crate::context::join(directory, nested);
                if depth >= DEEPEST || !self.requirements_file(&nested, depth + 1) {
                    self.unread(format!("{}:{number} names the list `{nested}`, which is not seen", file.path));
                }
            } else if line.starts_with("-e") || line.starts_with("--editable") || line.contains("git+") {
                self.unread(format!("{}:{number} installs from a place of its own", file.path));
            } else if !line.is_empty() && !line.starts_with(['#', '-', '\\']) {
                match name_of(line) {
                    Some(name) => self.add(name, &file.path, number),
                    None => self.unread(format!("{}:{number} does not name a distribution", file.path)),
                }
            }
        }
        true
    }

    /// Reads the manifest and the lock of the project itself; whether one of them is there.
    fn project(&mut self) -> bool {
        // Each is asked: a lock names also what others need.
        let read = [self.pyproject(), self.setup(), self.pipfile(), self.lock("poetry.lock"), self.lock("uv.lock")];
        read.contains(&true)
    }

    fn pyproject(&mut self) -> bool {
        let Some((path, text, table)) = self.table("pyproject.toml") else { return false };
        let project = table.get("project");
        let listed = project.and_then(|project| project.get("dependencies")?.as_array());
        let poetry = table.get("tool").and_then(|tool| tool.get("poetry")?.get("dependencies")?.as_table());
        let of_list = listed.into_iter().flatten().filter_map(|each| name_of(each.as_str()?));
        let of_table = poetry.into_iter().flatten().map(|(name, _)| name.clone()).filter(|name| name != "python");
        self.add_all(of_list.chain(of_table).collect(), &path, &text);
        // A list that is made while it is built is told by no table.
        listed.is_some() || poetry.is_some() || project.is_some_and(|project| project.get("dynamic").is_none())
    }

    fn pipfile(&mut self) -> bool {
        let Some((path, text, table)) = self.table("Pipfile") else { return false };
        let Some(packages) = table.get("packages").and_then(toml::Value::as_table) else { return false };
        self.add_all(packages.keys().cloned().collect(), &path, &text);
        true
    }

    fn lock(&mut self, name: &str) -> bool {
        let Some((path, text, table)) = self.table(name) else { return false };
        let packages = table.get("package").and_then(toml::Value::as_array);
        let is_own = |package: &&toml::Value| {
            let source = package.get("source").and_then(toml::Value::as_table);
            let is_here = |source: &toml::Table| OWN.iter().any(|own| source.contains_key(*own));
            source.is_some_and(is_here)
        };
        let others = packages.into_iter().flatten().filter(|package| !is_own(package));
        let lines = lines_of_words(&text);
        for name in others.filter_map(|package| package.get("name")?.as_str()) {
            let line = lines.get(name).copied().unwrap_or(1);
            let place = Evidence { path: path.clone(), line, shows: format!("`{name}`") };
            self.requirements.locked.entry(name.to_owned()).or_insert(place);
        }
        true
    }

    /// The list that `setup.py` or `setup.cfg` writes out.
    fn setup(&mut self) -> bool {
        const KEY: &str = "install_requires";
        let mut is_there = false;
        for name in ["setup.py", "setup.cfg"] {
            let Some(file) = self.subject.file(name) else { continue };
            let text = String::from_utf8_lossy(&file.text).into_owned();
            let Some(at) = text.find(KEY) else { continue };
            let list = text[at + KEY.len()..].trim_start().trim_start_matches('=').trim_start();
            let names: Vec<String> = if name == "setup.cfg" {
                let lines = list.lines().take_while(|line| line.starts_with([' ', '\t']) || name_of(line).is_some());
                lines.take_while(|line| !line.contains(" = ")).filter_map(|line| name_of(line.trim())).collect()
            } else {
                let Some((list, _)) = list.strip_prefix('[').and_then(|list| list.split_once(']')) else { continue };
                list.split(['"', '\'']).skip(1).step_by(2).filter_map(name_of).collect()
            };
            is_there = true;
            self.add_all(names, &file.path, &text);
        }
        is_there
    }

    fn table(&self, name: &str) -> Option<(String, String, toml::Table)> {
        let file = self.subject.file(name)?;
        let text = String::from_utf8_lossy(&file.text).into_owned();
        let table = text.parse().ok()?;
        Some((file.path, text, table))
    }

    fn add_all(&mut self, names: Vec<String>, path: &str, text: &str) {
        let lines = lines_of_words(text);
        for name in names {
            let line = lines.get(name.as_str()).copied().unwrap_or(1);
            self.add(name, path, line);
        }
    }

    fn add(&mut self, name: String, path: &str, line: u32) {
        let shows = format!("`{name}`");
        self.requirements.found.entry(name).or_insert_with(|| Evidence { path: path.to_owned(), line, shows });
    }
}

/// The number of the line where each word of a text stands first.
fn lines_of_words(text: &str) -> HashMap<&str, u32> {
    let mut lines = HashMap::new();
    for (line, at) in text.lines().zip(1..) {
        for word in line.split(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)) {
            lines.entry(word).or_insert(at);
        }
    }
    lines
}

/// The name that a requirement starts with (PEP 508).
fn name_of(text: &str) -> Option<String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let length = text.bytes().take_while(|byte| is_name(*byte)).count();
    let rest = text[length..].trim_start();
    let is_plain = rest.is_empty() || rest.starts_with(['[', '=', '<', '>', '~', '!', ';', '(', '@', '\\', '-']);
    (length > 0 && is_plain).then(|| text[..length].to_owned())
}
