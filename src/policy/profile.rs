//! The built-in profiles: `recommended`, `strict`, `all`, and what standards ask for.
//!
//! The rules of a standard are those that name it among their references: there is no second list.

use crate::{
    policy::Layer,
    rule::{Level, RuleMeta, Scheme},
};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

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
    /// What a standard asks for, each rule at the level of its own severity.
    Standard(Standard),
}

/// A standard that rules refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// CIS Docker Benchmark, section 5: how containers are run.
    CisDocker5,
    /// NIST SP 800-190.
    Nist800190,
    /// The Kubernetes Hardening Guide of NSA and CISA.
    NsaCisa,
    /// A Pod Security Standard.
    PodSecurity {
        /// Whether it is `restricted`, which holds all of `baseline`.
        is_restricted: bool,
        /// The release of Kubernetes, `1.x`, whose standard it is; the newest if it is none.
        release: Option<u16>,
    },
}

const BASELINE: Standard = Standard::PodSecurity { is_restricted: false, release: None };
const RESTRICTED: Standard = Standard::PodSecurity { is_restricted: true, release: None };

impl Profile {
    /// Every profile, from the fewest rules to the most, and then the standards.
    pub const ALL: [Profile; 8] = [
        Profile::Recommended,
        Profile::Strict,
        Profile::All,
        Profile::Standard(Standard::CisDocker5),
        Profile::Standard(Standard::Nist800190),
        Profile::Standard(Standard::NsaCisa),
        Profile::Standard(BASELINE),
        Profile::Standard(RESTRICTED),
    ];

    /// Its name on the command line and in `ironhull.toml`, without the release of a standard.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Recommended => "recommended",
            Profile::Strict => "strict",
            Profile::All => "all",
            Profile::Standard(Standard::CisDocker5) => "cis-docker-5",
            Profile::Standard(Standard::Nist800190) => "nist-800-190",
            Profile::Standard(Standard::NsaCisa) => "nsa-cisa",
            Profile::Standard(Standard::PodSecurity { is_restricted: false, .. }) => "pss-baseline",
            Profile::Standard(Standard::PodSecurity { is_restricted: true, .. }) => "pss-restricted",
        }
    }

    /// The profile of that name; those of Pod Security may end in a release: `pss-restricted-1.25`.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(profile) = Self::ALL.into_iter().find(|profile| profile.name() == name) {
            return Some(profile);
        }
        let (name, minor) = name.rsplit_once("-1.")?;
        let release = Some(minor.parse().ok()?);
        let is_restricted = match name {
            "pss-baseline" => false,
            "pss-restricted" => true,
            _ => return None,
        };
        Some(Profile::Standard(Standard::PodSecurity { is_restricted, release }))
    }

    /// The standard that it is.
    pub fn standard(self) -> Option<Standard> {
        match self {
            Profile::Standard(standard) => Some(standard),
            Profile::Recommended | Profile::Strict | Profile::All => None,
        }
    }

    /// What it says of single rules, the profiles below it included.
    pub fn layer(self) -> Layer {
        match self {
            Profile::Recommended => read(include_str!("../../rulesets/profiles/recommended.toml")),
            Profile::Strict => {
                Profile::Recommended.layer().under(read(include_str!("../../rulesets/profiles/strict.toml")))
            }
            Profile::All | Profile::Standard(_) => Layer::default(),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())?;
        match self {
            Profile::Standard(Standard::PodSecurity { release: Some(release), .. }) => write!(out, "-1.{release}"),
            Profile::Recommended | Profile::Strict | Profile::All | Profile::Standard(_) => Ok(()),
        }
    }
}

impl Standard {
    /// Whether it asks for what `rule` looks at.
    pub fn asks_for(self, rule: &RuleMeta) -> bool {
        let ids = |scheme: Scheme| {
            let own = rule.references.iter().filter(move |reference| reference.scheme == scheme);
            own.map(|reference| reference.id)
        };
        match self {
            Standard::CisDocker5 => ids(Scheme::CisDocker).any(|id| id.starts_with("5.")),
            Standard::Nist800190 => ids(Scheme::Nist800190).next().is_some(),
            Standard::NsaCisa => ids(Scheme::NsaCisa).next().is_some(),
            Standard::PodSecurity { is_restricted, release } => ids(Scheme::PodSecurity).any(|id| {
                let Some((level, since)) = id.split_once(" 1.") else { return false };
                let is_there = since.parse().is_ok_and(|since: u16| release.is_none_or(|release| since <= release));
                (level == "baseline" || is_restricted) && is_there
            }),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_found_by_the_name_that_it_shows() {
        for profile in Profile::ALL {
            assert_eq!(Profile::from_name(&profile.to_string()), Some(profile));
        }
        let old = Profile::from_name("pss-restricted-1.22").expect("it names a release");
        assert_eq!(old.to_string(), "pss-restricted-1.22");
        assert_eq!(Profile::from_name("strict-1.22"), None);
        assert_eq!(Profile::from_name("pss-baseline-1.x"), None);
    }
}
