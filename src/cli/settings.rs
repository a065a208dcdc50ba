//! Which policy holds: options of the command line over the nearest `ironhull.toml` over a profile.

use crate::{
    cli::Terminal,
    discover::{self, Named},
    disk, emit,
    lock::{self, Lock},
    policy::{ConfigFile, Layer, Place, Policy, Profile, closest},
    rule::{Builtin, Level},
    rules::RULES,
};
use anyhow::Context;
use clap::{
    Arg, Args, Command,
    builder::{PossibleValue, TypedValueParser},
};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

/// The options that say what counts.
#[derive(Debug, Default, Args)]
pub(crate) struct Settings {
    /// Read this configuration, instead of the nearest `ironhull.toml` up to the root of the repository.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Read no configuration.
    #[arg(long)]
    no_config: bool,
    /// The rules to start from: few and certain, those of a hardened image, or every rule.
    #[arg(long, value_name = "NAME", value_parser = profile_parser())]
    profile: Option<Profile>,
    /// Run only these rules, or groups of rules.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    select: Vec<String>,
    /// Leave out these rules, or groups of rules.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Exit with 1 from this level on, `off` never does; `warn` if the configuration says nothing.
    #[arg(long, value_name = "LEVEL", value_parser = level_parser())]
    fail_at: Option<Level>,
    /// Take digests from this file, instead of the nearest `ironhull.lock` up to the root of the repository.
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
}

pub(crate) fn profile_parser() -> impl clap::builder::TypedValueParser<Value = Profile> {
    ProfileParser
}

/// Names of profiles; those of Pod Security may end in a release, which no list of values holds.
#[derive(Clone)]
struct ProfileParser;

impl ProfileParser {
    fn names() -> clap::builder::PossibleValuesParser {
        clap::builder::PossibleValuesParser::new(Profile::ALL.map(Profile::name))
    }
}

impl TypedValueParser for ProfileParser {
    type Value = Profile;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Profile, clap::Error> {
        match value.to_str().and_then(Profile::from_name) {
            Some(profile) => Ok(profile),
            None => Self::names()
                .map(|name| Profile::from_name(&name).expect("only names of profiles are accepted"))
                .parse_ref(command, arg, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Profile::ALL.into_iter().map(|profile| PossibleValue::new(profile.name()))))
    }
}

fn level_parser() -> impl clap::builder::TypedValueParser<Value = Level> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new([Level::Off, Level::Note, Level::Warn, Level::Error].map(Level::name))
        .map(|name| Level::from_name(&name).expect("only names of levels are accepted"))
}

impl Settings {
    /// The policy for a run over `paths`, or `None` after complaints about the configuration on standard error.
    pub(crate) fn policy(&self, paths: &[Named], terminal: Terminal) -> anyhow::Result<Option<Policy>> {
        let options = self.layer()?;
        let working = disk::working_directory().context("finding the working directory")?;
        let Some(path) = self.configuration(paths, &working) else {
            return Ok(Some(Policy::new(options, Place::default())));
        };
        let Some(file) = read(&path, terminal)? else { return Ok(None) };
        let root = working.join(&path).parent().map(discover::display_name).unwrap_or_default();
        let place = Place { working: discover::display_name(&working), root };
        Ok(Some(Policy::new(file.into_layer().under(options), place)))
    }

    /// The digests for a run over `paths`: of `--lock`, or of the nearest `ironhull.lock`.
    pub(crate) fn lock(&self, paths: &[Named]) -> anyhow::Result<Lock> {
        let path = match &self.lock {
            Some(path) => path.clone(),
            None => match nearest_lock(paths)? {
                (_, Some(path)) => path,
                (_, None) => return Ok(Lock::default()),
            },
        };
        let text = disk::read(&path).map_err(|why| anyhow::anyhow!("reading {}: {why}", path.display()))?;
        let text = String::from_utf8(text).with_context(|| format!("reading {}", path.display()))?;
        Lock::parse(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// Whether rules were named to run.
    pub(crate) fn selects(&self) -> bool {
        !self.select.is_empty()
    }

    fn layer(&self) -> anyhow::Result<Layer> {
        Ok(Layer {
            profile: self.profile,
            fail_at: self.fail_at,
            select: rules_named(&self.select)?,
            ignore: rules_named(&self.ignore)?,
            ..Layer::default()
        })
    }

    /// The configuration file, if there is one: the one that was named, or the nearest above what is checked.
    fn configuration(&self, paths: &[Named], working: &Path) -> Option<PathBuf> {
        if self.no_config {
            return None;
        }
        if let Some(path) = &self.config {
            return Some(path.clone());
        }
        let start = common_directory(paths, working);
        disk::nearest_above(&start, "ironhull.toml")
    }
}

/// The directory that `paths` lie in, and the lock file that holds for it, if there is one.
pub(crate) fn nearest_lock(paths: &[Named]) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    let working = disk::real(&disk::working_directory().context("finding the working directory")?);
    let directory = common_directory(paths, &working);
    let nearest = disk::nearest_above(&directory, lock::FILE_NAME);
    let short = |path: PathBuf| path.strip_prefix(&working).map(Path::to_owned).unwrap_or(path);
    Ok((short(directory), nearest.map(short)))
}

/// The directory that all of `paths` lie in: one run has one policy, wherever its files are.
///
/// Paths are taken as they are named, since there may be many, and only the answer is resolved; but what lies behind `..`
/// depends on links.
pub(crate) fn common_directory(paths: &[Named], working: &Path) -> PathBuf {
    let mut common: Option<PathBuf> = None;
    for Named::Argument(path) | Named::Listed(path) in paths {
        let may_lead_up = memchr::memmem::find(path.as_os_str().as_encoded_bytes(), b"..").is_some();
        let leads_up = may_lead_up && path.components().any(|component| component == Component::ParentDir);
        let path = working.join(path);
        let path = if leads_up { disk::real(&path) } else { path };
        common = Some(match common {
            None => path,
            Some(common) if is_plainly_below(&common, &path) => common,
            Some(common) => common.ancestors().find(|above| path.starts_with(above)).unwrap_or(working).to_owned(),
        });
    }
    let common = disk::real(common.as_deref().unwrap_or(working));
    if common.is_dir() { common } else { common.parent().unwrap_or(working).to_owned() }
}

/// Whether `path` certainly lies below `directory`: it begins so. Where it does not, it still may.
fn is_plainly_below(directory: &Path, path: &Path) -> bool {
    let rest = path.as_os_str().as_encoded_bytes().strip_prefix(directory.as_os_str().as_encoded_bytes());
    rest.is_some_and(|rest| rest.starts_with(b"/"))
}

fn read(path: &Path, terminal: Terminal) -> anyhow::Result<Option<ConfigFile>> {
    let text = disk::read(path).map_err(|why| anyhow::anyhow!("reading {}: {why}", path.display()))?;
    let text = String::from_utf8(text).with_context(|| format!("reading {}", path.display()))?;
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.meta.id).collect();
    match ConfigFile::read(&text, &ids) {
        Ok(file) => Ok(Some(file)),
        Err(complaints) => {
            let name = discover::display_name(path);
            terminal.remark(|out| emit::complaints(&name, &text, &complaints, out))?;
            Ok(None)
        }
    }
}

/// The ids that `names` stand for; a name is a rule or a group.
fn rules_named(names: &[String]) -> anyhow::Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for name in names {
        let is_meant = |rule: &&&Builtin| rule.meta.id == name || rule.meta.group.name() == name;
        let before = ids.len();
        ids.extend(RULES.iter().filter(is_meant).map(|rule| rule.meta.id.to_owned()));
        if ids.len() == before && !ids.contains(name) {
            anyhow::bail!("{}", no_such_rule(name));
        }
    }
    Ok(ids)
}

/// What to say about a rule that does not exist.
pub(crate) fn no_such_rule(name: &str) -> String {
    let known = RULES.iter().flat_map(|rule| [rule.meta.id, rule.meta.group.name()]);
    let name = name.escape_debug();
    match closest(&name.to_string(), known) {
        Some(near) => format!("there is no rule `{name}`; did you mean `{near}`?"),
        None => format!("there is no rule `{name}`; `ironhull rules` lists them"),
    }
}
