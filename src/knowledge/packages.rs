//! What packages are good for once everything is built: those of distributions, and those of Python, Node and Ruby.
//!
//! A file of `rulesets/packages/` holds one sorted line for each package. A question reads the one line that it is
//! about, found by halving the file; nothing else is parsed, and nothing before somebody asks.

use super::{Fact, Knowledge, builtin, distribution, entry, image::Family};
use memchr::memmem;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What of a distribution's package is needed once everything is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// It is for building with a library: what is built with it loads what these packages hold.
    Libraries(Vec<&'static str>),
    /// Nothing: a compiler, a build tool, headers without a library to load.
    BuildOnly,
    /// Its programs, where the image calls one of them by name.
    Tool {
        /// Their names, without folder. There may be more that no source tells of.
        programs: Vec<&'static str>,
    },
    /// All of it: a library, certificates, fonts, time zones, an interpreter's modules.
    Needed,
    /// Nothing, as long as no person works in the container: editors, manuals, monitors.
    Comfort,
    /// Nothing has to be done for it: every image of the distribution has it.
    Present,
    /// No source tells.
    Unknown,
}

/// What a package of Python, Node or Ruby asks of the image that it runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguagePackage {
    /// Whether it is bound to the interpreter's version, the processor and the C library.
    pub code: Code,
    /// Debian's development packages of the libraries that it loads from the distribution.
    pub debian: Vec<&'static str>,
    /// Alpine's development packages of the libraries that it loads from the distribution.
    pub alpine: Vec<&'static str>,
    /// The programs that it starts by name.
    pub calls: Vec<&'static str>,
}

/// How the code of a package comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// As text that every interpreter of its language reads: it can be copied to any image.
    Plain,
    /// Compiled by its publisher, with what it links to inside.
    Prebuilt,
    /// Compiled where it is installed: that takes a compiler, and it loads what it was linked to.
    Built,
    /// Compiled, by its publisher or where it is installed: what it loads is what it loads if it was built.
    Compiled,
}

impl Knowledge {
    /// What of `package` is needed at run time in an image of that distribution. `release` is a number or a code name;
    /// without one only what all known releases agree on is answered.
    ///
    /// `package` is the name alone, without version and architecture.
    pub fn runtime_of(&self, family: Family, release: Option<&str>, package: &str) -> Runtime {
        let facts = packaged(family, release, package);
        match facts.role {
            Some(Role::Present) => Runtime::Present,
            Some(Role::Build) => Runtime::BuildOnly,
            Some(Role::Tool) => Runtime::Tool { programs: facts.programs },
            Some(Role::Needed) => Runtime::Needed,
            Some(Role::Comfort) => Runtime::Comfort,
            None if !facts.needs.is_empty() => Runtime::Libraries(facts.needs),
            None if !facts.programs.is_empty() => Runtime::Tool { programs: facts.programs },
            None if is_loaded(family, package) => Runtime::Needed,
            None => Runtime::Unknown,
        }
    }

    /// The names of the programs that `package` puts on the search path, whatever the package is for: a compiler's too.
    /// Empty: none, or no source tells.
    pub fn programs_of(&self, family: Family, release: Option<&str>, package: &str) -> Vec<&'static str> {
        packaged(family, release, package).programs
    }

    /// What is known of a distribution on the Python package index; `name` in any spelling.
    pub fn python_distribution(&self, name: &str) -> Fact<LanguagePackage> {
        language_package(&["python", "python-debian"], &normal_python_name(name))
    }

    /// What is known of a package of the npm registry; `name` with its scope.
    pub fn node_package(&self, name: &str) -> Fact<LanguagePackage> {
        language_package(&["node", "node-debian"], name)
    }

    /// What is known of a gem.
    pub fn ruby_gem(&self, name: &str) -> Fact<LanguagePackage> {
        language_package(&["ruby", "ruby-debian"], name)
    }

    /// The distribution's packages that hold what `package` loads. Unknown if that is not known of one of them.
    pub fn loaded_by(
        &self,
        package: &LanguagePackage,
        family: Family,
        release: Option<&str>,
    ) -> Fact<Vec<&'static str>> {
        let development = match family {
            Family::Debian | Family::Ubuntu => &package.debian,
            Family::Alpine => &package.alpine,
            _ => return Fact::Unknown,
        };
        if development.is_empty() && !(package.debian.is_empty() && package.alpine.is_empty()) {
            return Fact::Unknown;
        }
        let mut loaded = Vec::new();
        for name in development {
            match self.runtime_of(family, release, name) {
                Runtime::Libraries(libraries) => loaded.extend(libraries),
                Runtime::Needed => loaded.push(*name),
                Runtime::Present => {}
                Runtime::BuildOnly | Runtime::Tool { .. } | Runtime::Comfort | Runtime::Unknown => {
                    return Fact::Unknown;
                }
            }
        }
        loaded.sort_unstable();
        loaded.dedup();
        Fact::Known(loaded)
    }
}

/// All that the files of the distribution and of its release say of a package.
fn packaged(family: Family, release: Option<&str>, package: &str) -> Packaged {
    let of_release = |distribution| match release {
        Some(release) => release_name(family, release)
            .map_or_else(Packaged::default, |name| Packaged::read(&format!("{distribution}-{name}"), package)),
        None => Packaged::agreed(distribution, package),
    };
    let said = |file| Packaged::read(file, package);
    match family {
        Family::Debian => said("debian").over(of_release("debian")).over(said("debian-index")),
        Family::Ubuntu => of_release("ubuntu").over(said("debian")).over(said("debian-index").elsewhere()),
        Family::Alpine => of_release("alpine").over(said("alpine")),
        _ => Packaged::default(),
    }
}

/// Whether some development package leaves this one.
fn is_loaded(family: Family, package: &str) -> bool {
    let distribution = match family {
        Family::Debian => "debian",
        Family::Ubuntu => "ubuntu",
        Family::Alpine => "alpine",
        _ => return false,
    };
    let quoted = format!("\"{package}\"");
    let mut files = builtin::PACKAGES.iter().filter(|(file, _)| file.starts_with(distribution));
    files.any(|(_, text)| memmem::find_iter(text.as_bytes(), &quoted).any(|at| is_needed_there(text, at)))
}

/// Whether the place is in a list of what is needed, not in one of programs.
fn is_needed_there(text: &str, at: usize) -> bool {
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    line.rfind("needs = [").is_some_and(|list| !line[list..].contains(']'))
}

/// What lines say of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Packaged {
    role: Option<Role>,
    needs: Vec<&'static str>,
    programs: Vec<&'static str>,
}

/// What a package is for, where it is not for building with a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Role {
    Build,
    Tool,
    Needed,
    Comfort,
    Present,
}

impl Packaged {
    fn read(file: &str, package: &str) -> Self {
        let Some(line) = line_of(file, package) else { return Self::default() };
        let role = match quoted(line, "is").next() {
            Some("build") => Some(Role::Build),
            Some("tool") => Some(Role::Tool),
            Some("needed") => Some(Role::Needed),
            Some("comfort") => Some(Role::Comfort),
            Some("present") => Some(Role::Present),
            Some(_) | None => None,
        };
        Self { role, needs: quoted(line, "needs").collect(), programs: quoted(line, "programs").collect() }
    }

    /// This word, where it says something, over another one.
    fn over(self, other: Self) -> Self {
        if other.role == Some(Role::Present) {
            return other;
        }
        let mut programs = self.programs;
        programs.extend(other.programs);
        programs.sort_unstable();
        programs.dedup();
        let (role, needs) = match (self.role, self.needs.is_empty()) {
            (None, true) => (other.role, other.needs),
            (role, _) => (role, self.needs),
        };
        Self { role, needs, programs }
    }

    /// What of Debian's word holds in a distribution that takes over most of its packages: what they are for, and their
    /// programs, but not the names of libraries, nor what the smallest installation has.
    fn elsewhere(self) -> Self {
        match self.role {
            Some(Role::Present) => Self { role: None, needs: Vec::new(), ..self },
            Some(_) | None => Self { needs: Vec::new(), ..self },
        }
    }

    /// What the releases of a distribution that know the package say alike.
    fn agreed(distribution: &str, package: &str) -> Self {
        let of_distribution = |file: &str| file.strip_prefix(distribution).is_some_and(|rest| rest.starts_with('-'));
        let files = builtin::PACKAGES.iter().map(|(file, _)| *file).filter(|file| of_distribution(file));
        let mut words = files.map(|file| Self::read(file, package)).filter(|word| *word != Self::default());
        let Some(mut agreed) = words.next() else { return Self::default() };
        for word in words {
            if (word.role, &word.needs) != (agreed.role, &agreed.needs) {
                return Self::default();
            }
            agreed = agreed.over(word);
        }
        agreed
    }
}

/// The name that a release's file has: its code name, or its number where it has none.
fn release_name(family: Family, release: &str) -> Option<&'static str> {
    let release = distribution::release(family, "", release)?;
    Some(if release.codename.is_empty() { &release.number } else { &release.codename })
}

/// What the first file that has a line for the package says; words that it leaves out are the next one's.
fn language_package(files: &[&str], name: &str) -> Fact<LanguagePackage> {
    let lines: Vec<&'static str> = files.iter().filter_map(|file| line_of(file, name)).collect();
    let code = match lines.iter().find_map(|line| quoted(line, "is").next()) {
        Some("plain") => Code::Plain,
        Some("prebuilt") => Code::Prebuilt,
        Some("built") => Code::Built,
        Some("compiled") => Code::Compiled,
        Some(_) | None => return Fact::Unknown,
    };
    let list = |key| {
        let speaker = lines.iter().find(|line| speaks_of(line, key)).copied().unwrap_or_default();
        // What its publisher compiled has the libraries inside, unless a person says otherwise.
        let is_own_word = lines.first() == Some(&speaker);
        if code == Code::Prebuilt && !is_own_word { Vec::new() } else { quoted(speaker, key).collect() }
    };
    Fact::Known(LanguagePackage { code, debian: list("debian"), alpine: list("alpine"), calls: list("calls") })
}

/// One spelling for all: <https://packaging.python.org/en/latest/specifications/name-normalization/>.
fn normal_python_name(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// The line of `package` in a file, without reading the others: they are sorted by name, as bytes.
fn line_of(file: &str, package: &str) -> Option<&'static str> {
    let (_, text) = builtin::PACKAGES.iter().find(|(name, _)| *name == file)?;
    let lines = table(text);
    let (mut start, mut end) = (0, lines.len());
    while start < end {
        let middle = start + (end - start) / 2;
        let from = lines[..middle].rfind('\n').map_or(0, |at| at + 1).max(start);
        let to = lines[middle..].find('\n').map_or(lines.len(), |at| middle + at + 1);
        let line = &lines[from..to];
        match name_of(line).cmp(package) {
            std::cmp::Ordering::Equal => return Some(line),
            std::cmp::Ordering::Less => start = to,
            std::cmp::Ordering::Greater => end = from,
        }
    }
    None
}

/// The lines of the packages, which are the last table of a file.
fn table(text: &str) -> &str {
    const HEAD: &str = "\n[packages]\n";
    memmem::find(text.as_bytes(), HEAD.as_bytes()).map_or("", |at| &text[at + HEAD.len()..])
}

/// `libpq-dev` in `"libpq-dev" = { … }`.
fn name_of(line: &str) -> &str {
    line.split('"').nth(1).unwrap_or_default()
}

/// The plain strings of a value in a line: of a list, or the one that it is.
fn quoted<'t>(line: &'t str, key: &str) -> impl Iterator<Item = &'t str> + use<'t> {
    let value = line
        .match_indices(key)
        .filter(|(at, _)| line[..*at].ends_with([' ', '{']))
        .find_map(|(at, _)| line[at + key.len()..].strip_prefix(" = "))
        .unwrap_or_default();
    let end = match value.strip_prefix('[') {
        Some(list) => list.find(']').map_or(value.len(), |at| at + 1),
        None => value.match_indices('"').nth(1).map_or(0, |(at, _)| at + 1),
    };
    value[..end].split('"').skip(1).step_by(2)
}

/// Whether a line has that key.
fn speaks_of(line: &str, key: &str) -> bool {
    line.match_indices(key).any(|(at, _)| line[..at].ends_with([' ', '{']) && line[at + key.len()..].starts_with(" = "))
}

/// Says what is wrong with a file of `rulesets/packages/`.
///
/// # Errors
/// The first defect: TOML that cannot be read, an unknown key or word, a package without a source, lines that are not sorted
/// or that the program reads otherwise than TOML does.
pub fn check_packages(text: &str) -> Result<(), String> {
    let raw: RawFile = toml::from_str(text).map_err(|error| error.to_string())?;
    raw.sources.values().try_for_each(entry::check_source)?;
    let lines: Vec<&str> = table(text).lines().collect();
    if lines.len() != raw.packages.len() {
        return Err(format!("{} lines for {} packages", lines.len(), raw.packages.len()));
    }
    let pairs = lines.iter().zip(lines.iter().skip(1));
    if let Some((_, line)) = pairs.into_iter().find(|(one, next)| name_of(one) >= name_of(next)) {
        return Err(format!("not sorted: {line}"));
    }
    lines.iter().try_for_each(|line| check_line(line, &raw))
}

fn check_line(line: &str, file: &RawFile) -> Result<(), String> {
    let Some(package) = file.packages.get(name_of(line)) else {
        return Err(format!("the name is not read as TOML does: {line}"));
    };
    let lists = [
        ("needs", &package.needs),
        ("programs", &package.programs),
        ("debian", &package.debian),
        ("alpine", &package.alpine),
        ("calls", &package.calls),
    ];
    let same = lists.iter().all(|(key, list)| quoted(line, key).eq(list.iter().map(String::as_str)));
    if !same || quoted(line, "is").next() != package.is.map(Word::text) {
        return Err(format!("not read as TOML does: {line}"));
    }
    match &package.source {
        // Then all sources of the file say so.
        None if !file.sources.is_empty() => Ok(()),
        Some(name) if file.sources.contains_key(name) => Ok(()),
        Some(_) | None => Err(format!("no source: {line}")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    sources: BTreeMap<String, entry::RawSource>,
    packages: BTreeMap<String, RawPackage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPackage {
    is: Option<Word>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    debian: Vec<String>,
    #[serde(default)]
    alpine: Vec<String>,
    #[serde(default)]
    calls: Vec<String>,
    source: Option<String>,
}

/// The words that `is` can be.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Word {
    OfDistribution(Role),
    OfLanguage(Code),
}

impl Word {
    fn text(self) -> &'static str {
        match self {
            Word::OfDistribution(Role::Build) => "build",
            Word::OfDistribution(Role::Tool) => "tool",
            Word::OfDistribution(Role::Needed) => "needed",
            Word::OfDistribution(Role::Comfort) => "comfort",
            Word::OfDistribution(Role::Present) => "present",
            Word::OfLanguage(Code::Plain) => "plain",
            Word::OfLanguage(Code::Prebuilt) => "prebuilt",
            Word::OfLanguage(Code::Built) => "built",
            Word::OfLanguage(Code::Compiled) => "compiled",
        }
    }
}
