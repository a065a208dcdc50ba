//! Releases of distributions: number, code name, and the day the last free update ends.

use super::{Date, Fact, entry, image::Family};
use serde::Deserialize;
use std::sync::OnceLock;

const TEXT: &str = include_str!("../../rulesets/distributions.toml");

/// One release of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The distribution.
    pub family: Family,
    /// Its name within the family (`centos` in the family of Red Hat), empty where the family is one distribution.
    pub distribution: String,
    /// The number, as the distribution writes it.
    pub number: String,
    /// The code name, empty where there is none.
    pub codename: String,
    /// The day after which nobody gets updates without paying.
    pub end_of_life: Fact<Date>,
}

/// The release of `family` that `name` (a number or a code name) belongs to: `3.20.1` belongs to `3.20`.
pub(super) fn release(family: Family, distribution: &str, name: &str) -> Option<&'static Release> {
    let of_family =
        || table().iter().filter(|release| release.family == family && release.distribution == distribution);
    of_family().find(|release| release.codename == name || release.number == name).or_else(|| {
        of_family()
            .filter(|release| name.strip_prefix(&*release.number).is_some_and(|rest| rest.starts_with('.')))
            .max_by_key(|release| release.number.len())
    })
}

/// The length of the code name of a wanted family at the start of `text`; 0 where none is there.
pub(super) fn codename_len(text: &str, wanted: impl Fn(Family) -> bool) -> usize {
    let len = text.len() - text.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
    let word = &text[..len];
    if !word.is_empty() && table().iter().any(|release| release.codename == word && wanted(release.family)) {
        len
    } else {
        0
    }
}

/// All releases; an error in the text names the place.
pub(super) fn parse(text: &str) -> Result<Vec<Release>, String> {
    let file: RawFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut releases = Vec::new();
    for raw in file.distribution {
        entry::check_source(&raw.source)?;
        for RawRelease(number, codename, end) in raw.releases {
            let end_of_life = match &end {
                RawEnd::Day(day) => Fact::Known(entry::date(day)?),
                RawEnd::Word(word) if word == "unknown" => Fact::Unknown,
                RawEnd::Word(word) => return Err(format!("`{word}` is neither a date nor `unknown`")),
            };
            let distribution = raw.name.clone();
            releases.push(Release { family: raw.family, distribution, number, codename, end_of_life });
        }
    }
    Ok(releases)
}

fn table() -> &'static [Release] {
    static TABLE: OnceLock<Vec<Release>> = OnceLock::new();
    TABLE.get_or_init(|| parse(TEXT).unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    distribution: Vec<RawDistribution>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDistribution {
    family: Family,
    #[serde(default)]
    name: String,
    releases: Vec<RawRelease>,
    source: entry::RawSource,
}

#[derive(Deserialize)]
struct RawRelease(String, String, RawEnd);

#[derive(Deserialize)]
#[serde(untagged)]
enum RawEnd {
    Day(toml::value::Datetime),
    Word(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_well_formed() {
        assert_eq!(parse(TEXT).map(|releases| releases.len() > 20), Ok(true));
    }

    #[test]
    fn a_point_release_belongs_to_its_release() {
        let found = release(Family::Alpine, "", "3.20.3").expect("Alpine 3.20 is in the table");
        assert_eq!(found.number, "3.20");
        assert_eq!(release(Family::Debian, "", "bookworm").map(|found| &*found.number), Some("12"));
        assert!(release(Family::Alpine, "", "9.99").is_none());
    }
}
