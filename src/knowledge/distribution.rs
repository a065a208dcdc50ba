//! Releases of distributions: number, code name, and the day the last free update ends.

use super::{
    Date, Fact,
    image::Family,
    plain::{self, Line, Value},
};
use std::{collections::BTreeMap, sync::OnceLock};

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
    let is_wanted = codenames().get(&text[..len]).is_some_and(|families| families.iter().copied().any(wanted));
    if is_wanted { len } else { 0 }
}

/// The families of each code name.
fn codenames() -> &'static BTreeMap<&'static str, Vec<Family>> {
    static CODENAMES: OnceLock<BTreeMap<&'static str, Vec<Family>>> = OnceLock::new();
    CODENAMES.get_or_init(|| {
        let mut names: BTreeMap<&str, Vec<Family>> = BTreeMap::new();
        for release in table().iter().filter(|release| !release.codename.is_empty()) {
            names.entry(&release.codename).or_default().push(release.family);
        }
        names
    })
}

fn table() -> &'static [Release] {
    static TABLE: OnceLock<Vec<Release>> = OnceLock::new();
    TABLE.get_or_init(|| read(TEXT).unwrap_or_default())
}

/// All releases, if the text is plain.
fn read(text: &str) -> Option<Vec<Release>> {
    let mut all = Vec::new();
    let (mut family, mut distribution, mut is_source) = (None, "", false);
    for line in plain::lines(text) {
        match line? {
            Line::Table("[[distribution]]") => (family, distribution, is_source) = (None, "", false),
            Line::Table("[distribution.source]") => is_source = true,
            Line::Field(_, _) if is_source => {}
            Line::Field("family", value) => family = Some(value.word()?),
            Line::Field("name", value) => distribution = value.text()?,
            Line::Field("releases", value) => {
                for release in value.list()? {
                    all.push(release_of(family?, distribution, release.list()?)?);
                }
            }
            Line::Table(_) | Line::Field(_, _) => return None,
        }
    }
    Some(all)
}

fn release_of(family: Family, distribution: &str, release: &[Value<'_>]) -> Option<Release> {
    let [number, codename, end] = release else { return None };
    let end_of_life = match end {
        Value::Text("unknown") => Fact::Unknown,
        day => Fact::Known(day.day()?),
    };
    let distribution = distribution.to_owned();
    Some(Release { family, distribution, number: number.owned()?, codename: codename.owned()?, end_of_life })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::entry;
    use serde::Deserialize;

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

    /// All releases, as a reader of all of TOML sees them; an error names the place.
    fn parse(text: &str) -> Result<Vec<Release>, String> {
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

    #[test]
    fn the_shipped_table_is_well_formed_and_plain() {
        let releases = parse(TEXT).expect("the table is read");
        assert!(releases.len() > 20);
        assert_eq!(read(TEXT), Some(releases));
    }

    #[test]
    fn a_point_release_belongs_to_its_release() {
        let found = release(Family::Alpine, "", "3.20.3").expect("Alpine 3.20 is in the table");
        assert_eq!(found.number, "3.20");
        assert_eq!(release(Family::Debian, "", "bookworm").map(|found| &*found.number), Some("12"));
        assert!(release(Family::Alpine, "", "9.99").is_none());
    }
}
