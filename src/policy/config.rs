//! `ironhull.toml` as it was written: every value with its place, every mistake with a place and a way out.

use crate::{
    policy::{Layer, Override, Profile, closest},
    rule::Level,
    text::Span,
};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::{borrow::Cow, collections::BTreeMap, ops::Range};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// What is wrong with a configuration file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where.
    pub span: Span,
    /// One sentence, present tense, no full stop.
    pub message: String,
    /// What was probably meant, or what can be written here.
    pub help: Option<String>,
}

/// What a configuration file says.
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    profile: Option<Spanned<Profile>>,
    fail_at: Option<Spanned<Level>>,
    exclude: Vec<Spanned<String>>,
    baseline: Option<String>,
    images: Option<Vec<String>>,
    rules: Vec<(Spanned<String>, Spanned<Level>)>,
    overrides: Vec<PathRules>,
}

/// One `[[override]]`.
#[derive(Clone, Debug, Default)]
struct PathRules {
    paths: Vec<Spanned<String>>,
    rules: Vec<(Spanned<String>, Spanned<Level>)>,
}

const KEYS: [&str; 7] = ["profile", "fail-at", "exclude", "baseline", "images", "rules", "override"];

const LEVELS: [&str; 4] = ["off", "note", "warn", "error"];

impl ConfigFile {
    /// Reads `text`; the rules that exist are `ids`.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn read(text: &str, ids: &[&str]) -> Result<Self, Vec<Complaint>> {
        let table = DeTable::parse(text).map_err(|error| vec![Complaint::from_toml(&error)])?;
        let mut reader = Reader { ids, complaints: Vec::new() };
        let file = reader.file(table.get_ref());
        reader.complaints.sort_by_key(|complaint| complaint.span);
        if reader.complaints.is_empty() { Ok(file) } else { Err(reader.complaints) }
    }

    /// The same, ready to be merged.
    pub fn into_layer(self) -> Layer {
        let overrides = self.overrides.into_iter().map(|part| Override {
            paths: patterns(&part.paths).expect("every pattern was tried when it was read"),
            levels: levels(part.rules),
        });
        Layer {
            profile: self.profile.map(Spanned::into_inner),
            fail_at: self.fail_at.map(Spanned::into_inner),
            levels: levels(self.rules),
            overrides: overrides.collect(),
            baseline: self.baseline,
            images: self.images,
            exclude: patterns(&self.exclude).filter(|patterns| !patterns.is_empty()),
            ..Layer::default()
        }
    }
}

fn levels(rules: Vec<(Spanned<String>, Spanned<Level>)>) -> BTreeMap<String, Level> {
    rules.into_iter().map(|(id, level)| (id.into_inner(), level.into_inner())).collect()
}

/// `globs`, each read as a line of a `.gitignore`; `None` if one is not such a line.
fn patterns(globs: &[Spanned<String>]) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        builder.add_line(None, glob.get_ref()).ok()?;
    }
    builder.build().ok()
}

impl Complaint {
    fn from_toml(error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or_default();
        Self { span: Span::new(span.start, span.end), message: error.message().to_owned(), help: None }
    }
}

/// A value and where it was written.
type Value<'t> = Spanned<DeValue<'t>>;

/// Reads tables and keeps what is wrong with them.
struct Reader<'a> {
    ids: &'a [&'a str],
    complaints: Vec<Complaint>,
}

impl Reader<'_> {
    fn file(&mut self, table: &DeTable<'_>) -> ConfigFile {
        let mut file = ConfigFile::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "profile" => file.profile = self.named(value, Profile::from_name, &Profile::ALL.map(Profile::name)),
                "fail-at" => file.fail_at = self.level(value),
                "exclude" => file.exclude = self.globs(value),
                "baseline" => file.baseline = self.file_name(value),
                "images" => file.images = self.images(value),
                "rules" => file.rules = self.rules(value),
                "override" => file.overrides = self.overrides(value),
                _ => self.unknown_key(key, &KEYS),
            }
        }
        file
    }

    fn overrides(&mut self, value: &Value<'_>) -> Vec<PathRules> {
        let Some(parts) = value.get_ref().as_array() else {
            self.expected(value, "one or more `[[override]]` tables");
            return Vec::new();
        };
        parts.iter().map(|part| self.path_rules(part)).collect()
    }

    fn path_rules(&mut self, value: &Value<'_>) -> PathRules {
        let mut part = PathRules::default();
        let Some(table) = value.get_ref().as_table() else {
            self.expected(value, "a table with `paths` and `rules`");
            return part;
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "paths" => part.paths = self.globs(value),
                "rules" => part.rules = self.rules(value),
                _ => self.unknown_key(key, &["paths", "rules"]),
            }
        }
        if !table.contains_key("paths") {
            self.complain(value.span(), "an override without `paths` never applies", None);
        }
        part
    }

    fn rules(&mut self, value: &Value<'_>) -> Vec<(Spanned<String>, Spanned<Level>)> {
        let Some(table) = value.get_ref().as_table() else {
            self.expected(value, "a table of rules and levels");
            return Vec::new();
        };
        let mut rules = Vec::new();
        for (key, value) in table {
            if !self.ids.contains(&key.get_ref().as_ref()) {
                self.unknown_rule(key);
            } else if let Some(level) = self.rule_level(value) {
                rules.push((Spanned::new(key.span(), key.get_ref().to_string()), level));
            }
        }
        rules
    }

    /// A level, or a table with one.
    fn rule_level(&mut self, value: &Value<'_>) -> Option<Spanned<Level>> {
        let Some(table) = value.get_ref().as_table() else { return self.level(value) };
        let mut level = None;
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "level" => level = self.level(value),
                _ => self.unknown_key(key, &["level"]),
            }
        }
        level
    }

    fn level(&mut self, value: &Value<'_>) -> Option<Spanned<Level>> {
        self.named(value, Level::from_name, &LEVELS)
    }

    fn named<T>(&mut self, value: &Value<'_>, from_name: fn(&str) -> Option<T>, names: &[&str]) -> Option<Spanned<T>> {
        let Some(name) = value.get_ref().as_str() else {
            self.expected(value, &format!("one of {}", quoted(names)));
            return None;
        };
        let Some(found) = from_name(name) else {
            let help = did_you_mean(name, names);
            self.complain(value.span(), format!("`{name}` is none of {}", quoted(names)), help);
            return None;
        };
        Some(Spanned::new(value.span(), found))
    }

    fn file_name(&mut self, value: &Value<'_>) -> Option<String> {
        let name = value.get_ref().as_str().filter(|name| !name.is_empty());
        if name.is_none() {
            self.expected(value, "the path of a file");
        }
        name.map(str::to_owned)
    }

    fn images(&mut self, value: &Value<'_>) -> Option<Vec<String>> {
        let items = value.get_ref().as_array().map(|items| items.iter().map(|item| item.get_ref().as_str()));
        let names: Option<Vec<String>> = items.and_then(|items| items.map(|item| item.map(str::to_owned)).collect());
        if names.is_none() {
            self.expected(value, "a list of images, as in `[\"docker.io/library/\", \"ghcr.io/shop/*\"]`");
        }
        names
    }

    fn globs(&mut self, value: &Value<'_>) -> Vec<Spanned<String>> {
        let Some(items) = value.get_ref().as_array() else {
            self.expected(value, "a list of patterns, as in `[\"vendor/\"]`");
            return Vec::new();
        };
        items.iter().filter_map(|item| self.glob(item)).collect()
    }

    fn glob(&mut self, value: &Value<'_>) -> Option<Spanned<String>> {
        let Some(glob) = value.get_ref().as_str() else {
            self.expected(value, "a pattern, written as in `.gitignore`");
            return None;
        };
        let glob = Spanned::new(value.span(), glob.to_owned());
        if patterns(std::slice::from_ref(&glob)).is_none() {
            self.complain(value.span(), "this is not a pattern as `.gitignore` has them", None);
            return None;
        }
        Some(glob)
    }

    fn unknown_key(&mut self, key: &Spanned<Cow<'_, str>>, known: &[&str]) {
        let name = key.get_ref();
        let help = did_you_mean(name, known).or_else(|| Some(format!("known keys: {}", quoted(known))));
        self.complain(key.span(), format!("there is no key `{name}` here"), help);
    }

    fn unknown_rule(&mut self, key: &Spanned<Cow<'_, str>>) {
        let name = key.get_ref();
        let help = did_you_mean(name, self.ids).unwrap_or_else(|| "`ironhull rules` lists them".to_owned());
        self.complain(key.span(), format!("there is no rule `{name}`"), Some(help));
    }

    fn expected(&mut self, value: &Value<'_>, what: &str) {
        let message = format!("expected {what}, and found a value of type {}", value.get_ref().type_str());
        self.complain(value.span(), message, None);
    }

    fn complain(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.complaints.push(Complaint { span: Span::new(span.start, span.end), message: message.into(), help });
    }
}

fn did_you_mean(name: &str, known: &[&str]) -> Option<String> {
    closest(name, known.iter().copied()).map(|name| format!("did you mean `{name}`?"))
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
