//! What one project makes of findings: profiles, `ironhull.toml`, the command line, resolved to a level for every rule.
//!
//! Three types, in order: [`ConfigFile`] is what was written, with its places; [`Layer`] can be merged; [`Policy`] is
//! resolved and cannot be invalid. Rules never see any of them: they say what is true, and the policy what it is worth.

mod config;
mod profile;
mod suggestion;

pub use config::{Complaint, ConfigFile};
pub use profile::{Profile, Standard};
pub use suggestion::closest;

use crate::rule::{Level, RuleMeta, Severity};
use ignore::gitignore::Gitignore;
use std::collections::{BTreeMap, BTreeSet};

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
    /// The file of findings that are left out, as the configuration file names it.
    pub baseline: Option<String>,
    /// The images that the project lets in; all of them if it does not say.
    pub images: Option<Vec<String>>,
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
            baseline: above.baseline.or(self.baseline),
            images: above.images.or(self.images),
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

    /// The file of findings that are left out, absolute or as the run sees it.
    pub fn baseline(&self) -> Option<String> {
        let name = self.layer.baseline.as_deref()?;
        Some(if name.starts_with('/') { name.to_owned() } else { format!("{}/{name}", self.place.root) })
    }

    /// The images that the project lets in, as it writes them; all of them if it does not say.
    pub fn images(&self) -> Option<&[String]> {
        self.layer.images.as_deref()
    }

    /// Whether a walk or a list of files leaves out `path`.
    pub fn excludes(&self, path: &str, is_directory: bool) -> bool {
        let Some(exclude) = &self.layer.exclude else { return false };
        self.place
            .seen_from_root(path)
            .is_some_and(|path| exclude.matched_path_or_any_parents(path, is_directory).is_ignore())
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
            Profile::Standard(standard) if standard.asks_for(rule) => level_of(rule.severity),
            Profile::Recommended | Profile::Strict | Profile::Standard(_) => Level::Off,
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
    /// `path` as seen from `root`; `None` for what does not lie below it.
    pub fn seen_from_root(&self, path: &str) -> Option<String> {
        let whole = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.working) };
        let below =
            lexically_clean(&whole).strip_prefix(self.root.trim_end_matches('/'))?.strip_prefix('/')?.to_owned();
        Some(below)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        rule::{Confidence, FixNote, Group},
        source::FileKind,
    };

    const fn rule(id: &'static str, severity: Severity) -> RuleMeta {
        RuleMeta {
            id,
            title: "",
            why: "",
            remedy: "",
            group: Group::Image,
            severity,
            confidence: Confidence::High,
            kinds: &[FileKind::Dockerfile],
            fix: FixNote::Never,
            references: &[],
            equivalents: &[],
            examples: &[],
            since: "0.1.0",
        }
    }

    const LOCAL: RuleMeta = rule("add-local-file", Severity::Low);
    const UNPINNED: RuleMeta = rule("unpinned-base", Severity::Medium);

    fn policy(config: &str, options: Layer) -> Policy {
        let file = ConfigFile::read(config, &[LOCAL.id, UNPINNED.id]).expect("the configuration is valid");
        let place = Place { working: "/repo/services".to_owned(), root: "/repo".to_owned() };
        Policy::new(file.into_layer().under(options), place)
    }

    #[test]
    fn every_built_in_profile_can_be_read_and_each_has_the_rules_of_the_one_before() {
        let [recommended, strict, all] = [Profile::Recommended, Profile::Strict, Profile::All]
            .map(|profile| Policy::new(Layer { profile: Some(profile), ..Layer::default() }, Place::default()));
        assert!(strict.layer.levels.len() > recommended.layer.levels.len());
        assert!(recommended.layer.levels.iter().all(|(id, level)| strict.layer.levels[id] >= *level));
        assert_eq!(all.level(&rule("add-archive", Severity::Info), "Dockerfile"), Level::Note);
        assert_eq!(strict.level(&rule("add-archive", Severity::Info), "Dockerfile"), Level::Off);
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_the_file_over_the_profile() {
        let file = "profile = \"strict\"\n[rules]\nadd-local-file = \"error\"\n";
        assert_eq!(policy("", Layer::default()).level(&LOCAL, "Dockerfile"), Level::Note);
        let strict = policy(file, Layer::default());
        assert_eq!(strict.level(&LOCAL, "Dockerfile"), Level::Error);
        assert_eq!(strict.level(&UNPINNED, "Dockerfile"), Level::Warn);
        let back = policy(file, Layer { profile: Some(Profile::Recommended), ..Layer::default() });
        assert_eq!(back.level(&UNPINNED, "Dockerfile"), Level::Off);
        let selected = policy(file, Layer { select: [UNPINNED.id.to_owned()].into(), ..Layer::default() });
        assert!(!selected.uses(&LOCAL));
        let ignored = policy(file, Layer { ignore: [LOCAL.id.to_owned()].into(), ..Layer::default() });
        assert!(!ignored.uses(&LOCAL) && ignored.uses(&UNPINNED));
    }

    #[test]
    fn a_selected_rule_runs_even_if_it_is_off() {
        let selected = policy("", Layer { select: [UNPINNED.id.to_owned()].into(), ..Layer::default() });
        assert_eq!(selected.level(&UNPINNED, "Dockerfile"), Level::Warn);
    }

    #[test]
    fn patterns_are_about_paths_as_the_configuration_file_sees_them() {
        let file = "exclude = [\"/third-party/\", \"*.tmp\"]\n\
                    [[override]]\npaths = [\"/services/shop/\"]\nrules = { add-local-file = \"off\" }\n";
        let policy = policy(file, Layer::default());
        assert_eq!(policy.level(&LOCAL, "shop/api/Dockerfile"), Level::Off);
        assert_eq!(policy.level(&LOCAL, "/repo/services/shop/Dockerfile"), Level::Off);
        assert_eq!(policy.level(&LOCAL, "../services/shop/Dockerfile"), Level::Off);
        assert_eq!(policy.level(&LOCAL, "other/Dockerfile"), Level::Note);
        assert_eq!(policy.level(&LOCAL, "/repository/services/shop/Dockerfile"), Level::Note);
        assert!(policy.uses(&LOCAL));
        assert!(policy.excludes("../third-party", true) && !policy.excludes("third-party", true));
        assert!(policy.excludes("a/b.tmp", false) && !policy.excludes("/tmp/x.tmp", false));
    }

    #[test]
    fn every_mistake_is_told_in_the_order_of_the_text() {
        let text = "proile = \"strict\"\n[rules]\nadd-lokal-file = \"off\"\nunpinned-base = 3\n";
        let complaints = ConfigFile::read(text, &[LOCAL.id, UNPINNED.id]).expect_err("it is full of mistakes");
        let told: Vec<_> = complaints.iter().map(|complaint| complaint.message.as_str()).collect();
        let expected = [
            "there is no key `proile` here",
            "there is no rule `add-lokal-file`",
            "expected one of `off`, `note`, `warn`, `error`, and found a value of type integer",
        ];
        assert_eq!(told, expected);
        assert_eq!(complaints[1].help.as_deref(), Some("did you mean `add-local-file`?"));
        assert_eq!(complaints[1].span.of(text.as_bytes()), b"add-lokal-file");
    }
}
