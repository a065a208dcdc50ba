//! The built-in profiles: `recommended`, `strict`, `all`.

use crate::{policy::Layer, rule::Level};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A named choice of rules and levels that ships with the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Few and certain.
    #[default]
    Recommended,
    /// What a team that hardens its images holds itself to.
    Strict,
    /// Every rule, at the level of its own severity.
    All,
}

impl Profile {
    /// Every profile, from the fewest rules to the most.
    pub const ALL: [Profile; 3] = [Profile::Recommended, Profile::Strict, Profile::All];

    /// The name on the command line and in `ironhull.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Recommended => "recommended",
            Profile::Strict => "strict",
            Profile::All => "all",
        }
    }

    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// What it asks for, the profiles below it included.
    pub fn layer(self) -> Layer {
        match self {
            Profile::Recommended => read(include_str!("../../rulesets/profiles/recommended.toml")),
            Profile::Strict => {
                Profile::Recommended.layer().under(read(include_str!("../../rulesets/profiles/strict.toml")))
            }
            Profile::All => Layer::default(),
        }
    }
}

/// A file of `rulesets/profiles/`. It ships with the program and a test reads it, so it needs no places for mistakes.
#[derive(Deserialize)]
struct ProfileFile {
    rules: BTreeMap<String, String>,
}

fn read(text: &str) -> Layer {
    let file: ProfileFile = toml::from_str(text).expect("a test reads every built-in profile");
    let level = |name: &str| Level::from_name(name).expect("a test reads every built-in profile");
    Layer { levels: file.rules.into_iter().map(|(id, name)| (id, level(&name))).collect(), ..Layer::default() }
}
