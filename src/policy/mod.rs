//! What one project makes of findings: profiles, `ironhull.toml`, the command line, resolved to a level for every rule.
//!
//! Three types, in order: [`ConfigFile`] is what was written, with its places; [`Layer`] can be merged; [`Policy`] is
//! resolved and cannot be invalid. Rules never see any of them: they say what is true, and the policy what it is worth.

mod config;
mod profile;
mod suggestion;

pub use config::{Complaint, ConfigFile};
pub use profile::Profile;
pub use suggestion::closest;

use crate::rule::{Level, RuleMeta, Severity};
use ignore::gitignore::Gitignore;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// What one source of configuration asks for: a profile, a file, the command line.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// The profile below this layer.
    pub profile: Option<Profile>,
    /// The level from which on a run fails.
    pub fail_at: Option<Level>,
    /// Levels by rule id.
    pub levels: BTreeMap<String, Level>,
    /// Levels for some paths only; later ones win.
    pub overrides: Vec<Override>,
    /// Paths that a walk leaves out.
    pub exclude: Option<Gitignore>,
    /// Only these rules run, wherever they are turned on or off.
    pub select: BTreeSet<String>,
    /// These rules do not run.
    pub ignore: BTreeSet<String>,
}

/// Levels that hold below some paths.
#[derive(Clone, Debug)]
pub struct Override {
    paths: Gitignore,
    levels: BTreeMap<String, Level>,
}

impl Layer {
    /// This layer with `above` on top: what `above` says wins.
    pub fn under(mut self, above: Layer) -> Layer {
        self.levels.extend(above.levels);
        self.overrides.extend(above.overrides);
        self.ignore.extend(above.ignore);
        Layer {
            profile: above.profile.or(self.profile),
            fail_at: above.fail_at.or(self.fail_at),
            levels: self.levels,
            overrides: self.overrides,
            exclude: above.exclude.or(self.exclude),
            select: if above.select.is_empty() { self.select } else { above.select },
            ignore: self.ignore,
        }
    }
}

/// A resolved configuration.
#[derive(Clone, Debug)]
pub struct Policy {
    layer: Layer,
    profile: Profile,
    place: Place,
}

/// Where paths of a run lie, seen from the configuration file whose patterns are asked about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The directory that relative paths of the run start in, absolute, `/` between parts.
    pub working: String,
    /// The directory of the configuration file, absolute, `/` between parts.
    pub root: String,
}

impl Policy {
    /// The policy of `layer` on top of the profile that it names, or of the default one.
    pub fn new(layer: Layer, place: Place) -> Self {
        let profile = layer.profile.unwrap_or_default();
        Self { layer: profile.layer().under(layer), profile, place }
    }

    /// What is done about findings of `rule` in the file at `path`.
    pub fn level(&self, rule: &RuleMeta, path: &str) -> Level {
        self.restrict(rule, || {
            let overridden = self.overrides_for(path).filter_map(|levels| levels.get(rule.id)).next_back();
            *overridden.unwrap_or(&self.base_level(rule))
        })
    }

    /// Whether any file could have a finding of `rule`.
    pub fn uses(&self, rule: &RuleMeta) -> bool {
        let anywhere = || self.layer.overrides.iter().filter_map(|part| part.levels.get(rule.id).copied()).max();
        self.restrict(rule, || self.base_level(rule).max(anywhere().unwrap_or(Level::Off))) > Level::Off
    }

    /// The level from which on a run fails.
    pub fn fail_at(&self) -> Level {
        self.layer.fail_at.unwrap_or(Level::Warn)
    }

    /// Whether a walk leaves out `path`.
    pub fn excludes(&self, path: &str, is_directory: bool) -> bool {
        let Some(exclude) = &self.layer.exclude else { return false };
        self.place.seen_from_root(path).is_some_and(|path| exclude.matched(path.as_ref(), is_directory).is_ignore())
    }

    /// What the command line says about which rules run, over `level`.
    fn restrict(&self, rule: &RuleMeta, level: impl FnOnce() -> Level) -> Level {
        if self.layer.ignore.contains(rule.id) {
            return Level::Off;
        }
        if self.layer.select.is_empty() {
            return level();
        }
        match (self.layer.select.contains(rule.id), level()) {
            (false, _) => Level::Off,
            (true, Level::Off) => level_of(rule.severity),
            (true, level) => level,
        }
    }

    fn base_level(&self, rule: &RuleMeta) -> Level {
        let unnamed = match self.profile {
            Profile::All => level_of(rule.severity),
            Profile::Recommended | Profile::Strict => Level::Off,
        };
        self.layer.levels.get(rule.id).copied().unwrap_or(unnamed)
    }

    fn overrides_for(&self, path: &str) -> impl DoubleEndedIterator<Item = &BTreeMap<String, Level>> {
        let path = if self.layer.overrides.is_empty() { None } else { self.place.seen_from_root(path) };
        self.layer.overrides.iter().filter_map(move |part| {
            let path = path.as_deref()?;
            part.paths.matched_path_or_any_parents(path, false).is_ignore().then_some(&part.levels)
        })
    }
}

/// What a project does about a finding if nobody says otherwise.
pub fn level_of(severity: Severity) -> Level {
    match severity {
        Severity::Critical | Severity::High => Level::Error,
        Severity::Medium => Level::Warn,
        Severity::Low | Severity::Info => Level::Note,
    }
}

impl Place {
    /// `path` as seen from the configuration file; `None` for what does not lie below it.
    fn seen_from_root<'p>(&self, path: &'p str) -> Option<Cow<'p, str>> {
        if path.starts_with('/') {
            let below = path.strip_prefix(self.root.as_str())?;
            return Some(Cow::Borrowed(below.trim_start_matches('/')));
        }
        let whole = lexically_clean(&format!("{}/{path}", self.working));
        let below = whole.strip_prefix(self.root.trim_end_matches('/'))?.strip_prefix('/')?;
        Some(Cow::Owned(below.to_owned()))
    }
}

/// An absolute path without `.` and `..`.
fn lexically_clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
