//! Places in an image that a command names.

use crate::{
    model::{Step, StepCommand, join_path},
    syntax::shell::Word,
};

/// Absolute paths that a command names, as far as they can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Those that can be told; what ends in a variable or a pattern is told by its directory, except where files are
    /// removed.
    pub known: Vec<String>,
    /// Whether there are others that nobody can tell.
    pub is_hidden: bool,
}

impl Places {
    /// One place, or a hidden one.
    pub fn of(path: Option<String>) -> Self {
        let is_hidden = path.is_none();
        Self { known: path.into_iter().collect(), is_hidden }
    }

    /// A place that nobody can tell.
    pub fn hidden() -> Self {
        Self::of(None)
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty() && !self.is_hidden
    }

    /// These, or `other` where there are none.
    pub(super) fn or(self, other: Self) -> Self {
        if self.is_empty() { other } else { self }
    }

    /// The places that `words` of a command in `directory` write.
    pub(super) fn written<'m>(
        command: StepCommand<'m>,
        directory: Option<&str>,
        words: impl IntoIterator<Item = Word<'m>>,
    ) -> Self {
        let mut places = Self::default();
        for word in words {
            places.add(command, directory, word);
        }
        places
    }

    /// The places that `words` name exactly; a pattern is kept as it is.
    pub(super) fn named<'m>(
        command: StepCommand<'m>,
        directory: Option<&str>,
        words: impl IntoIterator<Item = Word<'m>>,
    ) -> Self {
        let mut places = Self::default();
        for word in words {
            let pattern = || (word.has_glob() && !word.is_dynamic() && !word.has_tilde()).then(|| word.text());
            let path = path_of(command, directory, word);
            let path = path.or_else(|| absolute(directory, &pattern()?));
            places.push(path);
        }
        places
    }

    /// The place that `word` means, or the directory that it certainly lies in.
    pub(super) fn add<'m>(&mut self, command: StepCommand<'m>, directory: Option<&str>, word: Word<'m>) {
        let braces = word.has_braces().then(|| alternatives(&word.text())).flatten();
        if let Some(paths) = braces.filter(|_| !word.is_dynamic() && !word.has_glob() && !word.has_tilde()) {
            for path in &paths {
                self.push(absolute(directory, path));
            }
            return;
        }
        self.push(path_of(command, directory, word).or_else(|| directory_of(command, directory, word)));
    }

    pub(super) fn push(&mut self, path: Option<String>) {
        match path {
            Some(path) if !self.known.contains(&path) => self.known.push(path),
            Some(_) => {}
            None => self.is_hidden = true,
        }
    }
}

/// The absolute path that a word means, if that is certain.
pub(super) fn path_of<'m>(command: StepCommand<'m>, directory: Option<&str>, word: Word<'m>) -> Option<String> {
    if let Some(value) = command.value(word) {
        return absolute(directory, &value).filter(|_| !value.is_empty());
    }
    let rest = below_home(word)?;
    home(command.step).map(|home| join_path(&home, rest.trim_start_matches('/')))
}

/// What lies behind `~`, `$HOME` or `${HOME}`, if nothing else in the word is expanded.
fn below_home(word: Word<'_>) -> Option<String> {
    let text = word.text();
    let rest = ["~", "$HOME", "${HOME}"].iter().find_map(|home| text.strip_prefix(home))?;
    let is_plain = !rest.contains(['$', '*', '?', '[', '{', '`', '(']) && !word.has_substitution();
    (is_plain && (rest.is_empty() || rest.starts_with('/'))).then(|| rest.to_owned())
}

/// The home of the user that runs a step.
pub(super) fn home(step: Step<'_>) -> Option<String> {
    match step.variable("HOME") {
        Some(home) => home.value.as_ref()?.known().map(str::to_owned),
        None => step.runs_as_root().then(|| "/root".to_owned()),
    }
}

/// The directory that what a word means certainly lies in, although a variable or a pattern hides the end of it.
fn directory_of<'m>(command: StepCommand<'m>, directory: Option<&str>, word: Word<'m>) -> Option<String> {
    let text = word.text();
    if word.has_tilde() || text.contains("..") {
        return None;
    }
    let (replaced, rest) = match text.strip_prefix('$') {
        None => (String::new(), &*text),
        Some(_) => leading_variable(command, &text)?,
    };
    let end = rest.find(['$', '*', '?', '[', '{', '`']).unwrap_or(rest.len());
    let known = &rest[..end];
    let known = &known[..known.rfind('/')?];
    let path = absolute(directory, &format!("{replaced}{known}"))?;
    (path != "/").then_some(path)
}

/// The value of the variable that a text starts with, and the rest.
fn leading_variable<'t>(command: StepCommand<'_>, text: &'t str) -> Option<(String, &'t str)> {
    let name = text.strip_prefix("${").unwrap_or(&text[1..]);
    let length = name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let rest = &name[length..];
    let rest = if text.starts_with("${") { rest.strip_prefix('}')? } else { rest };
    let name = &name[..length];
    if command.assigns(name) {
        return None;
    }
    let value = match name {
        "HOME" => home(command.step)?,
        name => command.step.variable(name)?.value.as_ref()?.known()?.to_owned(),
    };
    (!value.is_empty()).then_some((value, rest))
}

/// `path`, or what it means in `directory`.
pub fn absolute(directory: Option<&str>, path: &str) -> Option<String> {
    if path.starts_with('/') { Some(join_path("/", path)) } else { Some(join_path(directory?, path)) }
}

/// What bash makes of one brace list; other shells keep it as it is, and mean the same directory or fail.
fn alternatives(text: &str) -> Option<Vec<String>> {
    let (before, rest) = text.split_once('{')?;
    let (list, behind) = rest.split_once('}')?;
    let is_one = !list.contains(['{', '}']) && !behind.contains('{') && list.contains(',');
    is_one.then(|| list.split(',').map(|each| format!("{before}{each}{behind}")).collect())
}
