//! One `[[image]]` of `rulesets/images/*.toml`: found by name without parsing, its blocks read when a tag asks for them.

use super::{
    Date, Fact,
    confined::{self, Capabilities},
    image::{Deprecation, Family, Identity, Libc, PackageManager, Port, Protocol, Role, StepDown, User},
    pattern::{self, Bindings, PLACEHOLDERS},
    plain::{self, Line, Value},
};
use crate::text::Span;
use memchr::memmem;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, sync::OnceLock};

/// An image's blocks in the order of the file.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub(super) parts: Vec<Part<'t>>,
}

/// A block of which no more is read than the tags that it holds for, until one of them is asked for.
#[derive(Debug)]
pub(super) struct Part<'t> {
    text: &'t str,
    tags: Vec<&'t str>,
    versions: Vec<&'t str>,
    block: OnceLock<Option<Block>>,
}

/// What a block says of a field: a value, or that it is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known<T>(pub(super) Fact<T>);

/// Facts that hold for every tag, or for those that fit one of `tags` and one of `versions`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    tags: Vec<String>,
    versions: Vec<String>,
    pub(super) base: Option<Known<String>>,
    pub(super) user: Option<Known<User>>,
    pub(super) identity: Option<Known<Option<Identity>>>,
    pub(super) step_down: Option<Known<StepDown>>,
    pub(super) any_user: Option<Known<bool>>,
    pub(super) entrypoint: Option<Known<Vec<String>>>,
    pub(super) family: Option<Known<Family>>,
    pub(super) distribution: Option<Known<String>>,
    pub(super) release: Option<Known<String>>,
    pub(super) package_manager: Option<Known<Option<PackageManager>>>,
    pub(super) shell: Option<Known<Vec<String>>>,
    pub(super) libc: Option<Known<Option<Libc>>>,
    pub(super) command: Option<Known<Vec<String>>>,
    pub(super) ports: Option<Known<Vec<Port>>>,
    pub(super) volumes: Option<Known<Vec<String>>>,
    pub(super) data: Option<Known<Vec<String>>>,
    pub(super) writable: Option<Known<Vec<String>>>,
    pub(super) templates: Option<Known<Vec<String>>>,
    pub(super) capabilities: Option<Known<Capabilities>>,
    pub(super) secret_files: Option<Known<Vec<String>>>,
    pub(super) environment: Option<Known<BTreeMap<String, String>>>,
    pub(super) workdir: Option<Known<String>>,
    pub(super) slim: Option<Known<String>>,
    pub(super) runtime: Option<Known<String>>,
    pub(super) shell_less: Option<Known<String>>,
    pub(super) role: Option<Known<Role>>,
    pub(super) minimal: Option<Known<bool>>,
    pub(super) deprecated: Option<Known<Deprecation>>,
    pub(super) end_of_life: Vec<(String, Known<Date>)>,
}

impl<'t> Entry<'t> {
    /// Finds the blocks of an entry: each begins with a line `[[image.facts]]`.
    pub(super) fn new(text: &'t str) -> Self {
        const HEAD: &str = "\n[[image.facts]]\n";
        let mut starts: Vec<usize> = memmem::find_iter(text.as_bytes(), HEAD).collect();
        starts.push(text.len());
        Self { parts: starts.windows(2).map(|place| Part::new(&text[place[0]..place[1]])).collect() }
    }
}

impl<'t> Part<'t> {
    fn new(text: &'t str) -> Self {
        let mut part = Self { text, tags: Vec::new(), versions: Vec::new(), block: OnceLock::new() };
        // Behind the line that begins the block, its own fields reach up to the next table.
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).skip(1);
        for field in ends.map(|end| &text[end + 1..]).take_while(|field| !field.starts_with('[')) {
            if let Some(list) = field.strip_prefix("tag = [") {
                part.tags = strings(list).collect();
            } else if let Some(list) = field.strip_prefix("version = [") {
                part.versions = strings(list).collect();
            }
        }
        part
    }

    /// What the tag binds, where the block holds for it.
    pub(super) fn holds_for<'a>(&'a self, tag: &'a str) -> Option<Bindings<'a>> {
        if !self.versions.is_empty() && !self.versions.iter().any(|condition| pattern::satisfies(tag, condition)) {
            return None;
        }
        match self.tags.as_slice() {
            [] => Some(Bindings::default()),
            patterns => patterns.iter().find_map(|pattern| pattern::matches(pattern, tag)),
        }
    }

    /// What it says. A defect is found by `tests/image_facts.rs`; the program itself goes on without the block.
    pub(super) fn block(&self) -> Option<&Block> {
        self.block.get_or_init(|| self.read()).as_ref()
    }

    /// Reads it. Its sources are passed over: they are most of its text, and at run time nobody asks for them.
    fn read(&self) -> Option<Block> {
        const SOURCE: &str = "\n[[image.facts.source]]";
        let mut block = Block::default();
        let heads = memmem::find_iter(self.text.as_bytes(), "\n[").chain([self.text.len()]);
        let mut start = 0;
        for end in heads {
            let table = &self.text[start..end];
            start = end;
            if !table.starts_with(SOURCE) {
                block.read_table(table)?;
            }
        }
        block.end_of_life.sort_by(|(one, _), (other, _)| one.cmp(other));
        Some(block)
    }
}

impl Block {
    /// Reads a table of the block, as far as everything in it is plain.
    fn read_table(&mut self, text: &str) -> Option<()> {
        let mut is_of_ends = false;
        for line in plain::lines(text) {
            match line? {
                Line::Table("[[image.facts]]") => is_of_ends = false,
                Line::Table("[image.facts.end-of-life]") => is_of_ends = true,
                Line::Table(_) => return None,
                Line::Field(version, day) if is_of_ends => {
                    self.end_of_life.push((version.to_owned(), stated(&day, Value::day)?));
                }
                Line::Field(name, value) => self.read_field(name, &value)?,
            }
        }
        Some(())
    }

    fn read_field(&mut self, name: &str, value: &Value<'_>) -> Option<()> {
        match name {
            "tag" => self.tags = value.texts()?,
            "version" => self.versions = value.texts()?,
            "base" => self.base = Some(stated(value, Value::owned)?),
            "user" => self.user = Some(stated(value, user_of)?),
            "identity" => self.identity = Some(stated_or_none(value, identity_of)?),
            "step-down" => self.step_down = Some(stated(value, Value::word)?),
            "any-user" => self.any_user = Some(stated(value, Value::switch)?),
            "entrypoint" => self.entrypoint = Some(stated(value, Value::texts)?),
            "family" => self.family = Some(stated(value, Value::word)?),
            "distribution" => self.distribution = Some(stated(value, Value::owned)?),
            "release" => self.release = Some(stated(value, Value::owned)?),
            "package-manager" => self.package_manager = Some(stated_or_none(value, Value::word)?),
            "shell" if value.text() == Some("none") => self.shell = Some(Known(Fact::Known(Vec::new()))),
            "shell" => self.shell = Some(stated(value, Value::texts)?),
            "libc" => self.libc = Some(stated_or_none(value, Value::word)?),
            "command" => self.command = Some(stated(value, Value::texts)?),
            "ports" => self.ports = Some(stated(value, |value| value.list()?.iter().map(port_of).collect())?),
            "volumes" => self.volumes = Some(stated(value, Value::texts)?),
            "data" => self.data = Some(stated(value, Value::texts)?),
            "writable" => self.writable = Some(stated(value, Value::texts)?),
            "templates" => self.templates = Some(stated(value, Value::texts)?),
            "capabilities" => self.capabilities = Some(stated(value, capabilities_of)?),
            "secret-files" => self.secret_files = Some(stated(value, Value::texts)?),
            "environment" => self.environment = Some(stated(value, environment_of)?),
            "workdir" => self.workdir = Some(stated(value, Value::owned)?),
            "slim" => self.slim = Some(stated(value, Value::owned)?),
            "runtime" => self.runtime = Some(stated(value, Value::owned)?),
            "shell-less" => self.shell_less = Some(stated(value, Value::owned)?),
            "role" => self.role = Some(stated(value, Value::word)?),
            "minimal" => self.minimal = Some(stated(value, Value::switch)?),
            "deprecated" => self.deprecated = Some(stated(value, deprecation_of)?),
            _ => return None,
        }
        Some(())
    }
}

/// A value, or the word `unknown`.
fn stated<'t, T>(value: &Value<'t>, read: impl FnOnce(&Value<'t>) -> Option<T>) -> Option<Known<T>> {
    match value {
        Value::Text("unknown") => Some(Known(Fact::Unknown)),
        value => read(value).map(|value| Known(Fact::Known(value))),
    }
}

/// A value, the word `none`, or the word `unknown`.
fn stated_or_none<'t, T>(value: &Value<'t>, read: impl FnOnce(&Value<'t>) -> Option<T>) -> Option<Known<Option<T>>> {
    match value {
        Value::Text("none") => Some(Known(Fact::Known(None))),
        value => stated(value, |value| read(value).map(Some)),
    }
}

fn user_of(value: &Value<'_>) -> Option<User> {
    if value.text() == Some("root") {
        return Some(User::root());
    }
    let mut user = User { written: String::new(), name: None, uid: None, gid: None };
    for (key, value) in value.table()? {
        match *key {
            "written" => user.written = value.owned()?,
            "name" => user.name = Some(value.owned()?),
            "uid" => user.uid = Some(value.number()?),
            "gid" => user.gid = Some(value.number()?),
            _ => return None,
        }
    }
    Some(user)
}

fn identity_of(value: &Value<'_>) -> Option<Identity> {
    let mut identity = Identity { name: String::new(), uid: None, gid: None, home: None };
    for (key, value) in value.table()? {
        match *key {
            "name" => identity.name = value.owned()?,
            "uid" => identity.uid = Some(value.number()?),
            "gid" => identity.gid = Some(value.number()?),
            "home" => identity.home = Some(value.owned()?),
            _ => return None,
        }
    }
    Some(identity)
}

fn environment_of(value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    value.table()?.iter().map(|(name, value)| Some(((*name).to_owned(), value.owned()?))).collect()
}

fn port_of(value: &Value<'_>) -> Option<Port> {
    match value {
        Value::Text(text) => port(RawPort::Text((*text).to_owned())).ok(),
        number => Some(Port { number: number.number()?, protocol: Protocol::Tcp }),
    }
}

fn capabilities_of(value: &Value<'_>) -> Option<Capabilities> {
    let mut capabilities = Capabilities::default();
    for (key, value) in value.table()? {
        match *key {
            "root" => capabilities.root = Some(value.texts()?),
            "user" => capabilities.user = Some(value.texts()?),
            _ => return None,
        }
    }
    Some(capabilities)
}

fn deprecation_of(value: &Value<'_>) -> Option<Deprecation> {
    let mut deprecation = Deprecation { since: None, replacement: None };
    for (key, value) in value.table()? {
        match *key {
            "since" => deprecation.since = Some(value.day()?),
            "replacement" => deprecation.replacement = Some(value.owned()?),
            _ => return None,
        }
    }
    Some(deprecation)
}

impl Block {
    /// Whether it holds for some tags only.
    pub(super) fn is_conditional(&self) -> bool {
        !self.tags.is_empty() || !self.versions.is_empty()
    }

    /// Whether it speaks of another distribution than the blocks before it.
    pub(super) fn changes_system(&self) -> bool {
        self.base.is_some() || self.family.is_some()
    }
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect(String);

impl fmt::Display for Defect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Reads the text of one entry as the program does, its sources too, and says what is wrong with it.
///
/// # Errors
/// The first defect: TOML that cannot be read, an unknown key or value, a field that no source covers, a placeholder that no
/// pattern binds, a name that the index cannot see.
pub fn check_entry(text: &str) -> Result<(), Defect> {
    let raw = raw(text).map_err(Defect)?;
    raw.facts.iter().try_for_each(check_block).map_err(Defect)?;
    let blocks = raw.facts.into_iter().map(block).collect::<Result<Vec<_>, _>>().map_err(Defect)?;
    let parts = Entry::new(text).parts;
    let reads_the_same = |(part, block): (&Part<'_>, &Block)| {
        part.tags == block.tags && part.versions == block.versions && part.block() == Some(block)
    };
    if parts.len() != blocks.len() || !parts.iter().zip(&blocks).all(reads_the_same) {
        let form = "`[[image.facts]]`, `tag`, `version` and sources must be plain lines: the entry is read by blocks";
        return Err(Defect(form.to_owned()));
    }
    let indexed: Vec<_> = names(text).collect();
    if raw.names != indexed {
        return Err(Defect(format!("`match` must be a plain list of plain strings: the index sees {indexed:?}")));
    }
    Ok(())
}

/// The places of the entries of a file, without parsing it: an entry begins with a line `[[image]]`.
pub(super) fn split(file: &str) -> impl Iterator<Item = Span> {
    const HEAD: &str = "[[image]]";
    let mut starts: Vec<usize> = memmem::find_iter(file.as_bytes(), HEAD).collect();
    starts.retain(|at| *at == 0 || file.as_bytes()[at - 1] == b'\n');
    let ends = starts.clone().into_iter().skip(1).chain([file.len()]);
    let spans: Vec<_> = starts.into_iter().zip(ends).collect();
    spans.into_iter().map(|(start, end)| Span { start: start as u32, end: end as u32 })
}

/// The repositories of an entry, without parsing it.
pub(super) fn names(entry: &str) -> impl Iterator<Item = &str> {
    const HEAD: &str = "\nmatch = [";
    let start = memmem::find(entry.as_bytes(), HEAD.as_bytes()).map_or(entry.len(), |at| at + HEAD.len());
    strings(&entry[start..])
}

/// The plain strings of a list, behind the bracket that opens it.
fn strings(list: &str) -> impl Iterator<Item = &str> {
    let list = list.split_once(']').map_or("", |(list, _)| list);
    list.split('"').skip(1).step_by(2)
}

fn raw(text: &str) -> Result<RawImage, String> {
    let raw: RawFile = toml::from_str(text).map_err(|error| error.to_string())?;
    let [image] = raw.image;
    if image.names.is_empty() || image.facts.is_empty() {
        return Err("an image needs `match` and at least one `[[image.facts]]`".to_owned());
    }
    Ok(image)
}

/// Says what is wrong with a source; each part of it is required.
pub(super) fn check_source(raw: &RawSource) -> Result<(), String> {
    if !raw.url.starts_with("https://") {
        return Err(format!("`{}` is not an address", raw.url));
    }
    if raw.says.trim().is_empty() {
        return Err(format!("the source {} does not quote what it says", raw.url));
    }
    date(&raw.checked).map(drop)
}

/// Reads a day.
pub(super) fn date(raw: &toml::value::Datetime) -> Result<Date, String> {
    match (raw.date, raw.time) {
        (Some(day), None) => Ok(Date { year: day.year, month: day.month, day: day.day }),
        (Some(_) | None, _) => Err(format!("`{raw}` is not a plain date")),
    }
}

fn block(raw: RawBlock) -> Result<Block, String> {
    Ok(Block {
        base: known(raw.base, Ok)?,
        user: known(raw.user, user)?,
        identity: known(raw.identity, |raw| Ok(raw.or_none(Some)))?,
        step_down: known(raw.step_down, Ok)?,
        any_user: known(raw.any_user, Ok)?,
        entrypoint: known(raw.entrypoint, Ok)?,
        family: known(raw.family, Ok)?,
        distribution: known(raw.distribution, Ok)?,
        release: known(raw.release, Ok)?,
        package_manager: known(raw.package_manager, |raw| Ok(raw.or_none(Some)))?,
        shell: known(raw.shell, |raw| Ok(raw.or_none(|list: Vec<String>| list)))?,
        libc: known(raw.libc, |raw| Ok(raw.or_none(Some)))?,
        command: known(raw.command, Ok)?,
        ports: known(raw.ports, |list| list.into_iter().map(port).collect())?,
        volumes: known(raw.volumes, confined::directories)?,
        data: known(raw.data, confined::directories)?,
        writable: known(raw.writable, confined::directories)?,
        templates: known(raw.templates, confined::directories)?,
        capabilities: known(raw.capabilities, Capabilities::checked)?,
        secret_files: known(raw.secret_files, confined::file_variables)?,
        environment: known(raw.environment, Ok)?,
        workdir: known(raw.workdir, Ok)?,
        slim: known(raw.slim, Ok)?,
        runtime: known(raw.runtime, Ok)?,
        shell_less: known(raw.shell_less, Ok)?,
        role: known(raw.role, Ok)?,
        minimal: known(raw.minimal, Ok)?,
        deprecated: known(raw.deprecated, deprecation)?,
        end_of_life: end_of_life(raw.end_of_life)?,
        tags: raw.tag,
        versions: raw.version,
    })
}

fn known<R, T>(raw: Option<Maybe<R>>, read: impl FnOnce(R) -> Result<T, String>) -> Result<Option<Known<T>>, String> {
    match raw {
        None => Ok(None),
        Some(Maybe::Unknown(_)) => Ok(Some(Known(Fact::Unknown))),
        Some(Maybe::Value(raw)) => Ok(Some(Known(Fact::Known(read(raw)?)))),
    }
}

fn end_of_life(raw: BTreeMap<String, Maybe<toml::value::Datetime>>) -> Result<Vec<(String, Known<Date>)>, String> {
    let mut ends = Vec::new();
    for (version, day) in raw {
        if let Some(known) = known(Some(day), |day| date(&day))? {
            ends.push((version, known));
        }
    }
    Ok(ends)
}

fn check_block(raw: &RawBlock) -> Result<(), String> {
    raw.tag.iter().try_for_each(|pattern| check_pattern(pattern))?;
    raw.templates().try_for_each(|template| check_template(template, &raw.tag))?;
    raw.source.iter().try_for_each(check_source)?;
    let covered: Vec<&str> = raw.source.iter().flat_map(|source| &source.covers).map(String::as_str).collect();
    let fields = raw.fields();
    if let Some((field, _)) = fields.iter().find(|(field, has_value)| *has_value && !covered.contains(field)) {
        return Err(format!("no source covers `{field}`"));
    }
    match covered.into_iter().find(|covered| fields.iter().all(|(field, _)| field != covered)) {
        Some(field) => Err(format!("a source covers `{field}`, which is not a field")),
        None => Ok(()),
    }
}

fn user(raw: RawUser) -> Result<User, String> {
    match raw {
        RawUser::Word(word) if word == "root" => Ok(User::root()),
        RawUser::Word(word) => Err(format!("`user = \"{word}\"`: write `root`, `unknown`, or a table")),
        RawUser::Table { written, name, uid, gid } => Ok(User { written, name, uid, gid }),
    }
}

fn port(raw: RawPort) -> Result<Port, String> {
    let text = match raw {
        RawPort::Number(number) => return Ok(Port { number, protocol: Protocol::Tcp }),
        RawPort::Text(text) => text,
    };
    let (number, protocol) = match text.split_once('/') {
        Some((number, "tcp")) => (number, Protocol::Tcp),
        Some((number, "udp")) => (number, Protocol::Udp),
        Some(_) | None => return Err(format!("`{text}` is not a port")),
    };
    number.parse().map(|number| Port { number, protocol }).map_err(|_| format!("`{text}` is not a port"))
}

fn deprecation(raw: RawDeprecation) -> Result<Deprecation, String> {
    Ok(Deprecation { since: raw.since.as_ref().map(date).transpose()?, replacement: raw.replacement })
}

fn check_pattern(pattern: &str) -> Result<(), String> {
    match pattern::placeholders(pattern).iter().find(|name| !PLACEHOLDERS.contains(name)) {
        Some(name) => Err(format!("`{{{name}}}` in the pattern `{pattern}` is none of {PLACEHOLDERS:?}")),
        None if pattern.matches('*').count() > 3 => Err(format!("`{pattern}` has more than three stars")),
        None => Ok(()),
    }
}

fn check_template(template: &str, patterns: &[String]) -> Result<(), String> {
    for name in pattern::placeholders(template) {
        let binds = |pattern: &String| {
            let bound = pattern::placeholders(pattern);
            bound.contains(&name) || (name == "major" && bound.contains(&"version"))
        };
        if name != "tag" && (patterns.is_empty() || !patterns.iter().all(binds)) {
            return Err(format!("`{template}` uses `{{{name}}}`, which not every pattern of the block binds"));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    image: [RawImage; 1],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawImage {
    #[serde(rename = "match")]
    names: Vec<String>,
    facts: Vec<RawBlock>,
}

/// A source as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    url: String,
    says: String,
    checked: toml::value::Datetime,
    #[serde(default)]
    covers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawBlock {
    #[serde(default)]
    tag: Vec<String>,
    #[serde(default)]
    version: Vec<String>,
    base: Option<Maybe<String>>,
    user: Option<Maybe<RawUser>>,
    identity: Option<Maybe<OrNone<Identity>>>,
    step_down: Option<Maybe<StepDown>>,
    any_user: Option<Maybe<bool>>,
    entrypoint: Option<Maybe<Vec<String>>>,
    family: Option<Maybe<Family>>,
    distribution: Option<Maybe<String>>,
    release: Option<Maybe<String>>,
    package_manager: Option<Maybe<OrNone<PackageManager>>>,
    shell: Option<Maybe<OrNone<Vec<String>>>>,
    libc: Option<Maybe<OrNone<Libc>>>,
    command: Option<Maybe<Vec<String>>>,
    ports: Option<Maybe<Vec<RawPort>>>,
    volumes: Option<Maybe<Vec<String>>>,
    data: Option<Maybe<Vec<String>>>,
    writable: Option<Maybe<Vec<String>>>,
    templates: Option<Maybe<Vec<String>>>,
    capabilities: Option<Maybe<Capabilities>>,
    secret_files: Option<Maybe<Vec<String>>>,
    environment: Option<Maybe<BTreeMap<String, String>>>,
    workdir: Option<Maybe<String>>,
    slim: Option<Maybe<String>>,
    runtime: Option<Maybe<String>>,
    shell_less: Option<Maybe<String>>,
    role: Option<Maybe<Role>>,
    minimal: Option<Maybe<bool>>,
    deprecated: Option<Maybe<RawDeprecation>>,
    #[serde(default)]
    end_of_life: BTreeMap<String, Maybe<toml::value::Datetime>>,
    #[serde(default)]
    source: Vec<RawSource>,
}

impl RawBlock {
    /// The name of every field, and whether the block gives it a value.
    fn fields(&self) -> [(&'static str, bool); 29] {
        fn has_value<T>(field: Option<&Maybe<T>>) -> bool {
            matches!(field, Some(Maybe::Value(_)))
        }
        [
            ("base", has_value(self.base.as_ref())),
            ("user", has_value(self.user.as_ref())),
            ("identity", has_value(self.identity.as_ref())),
            ("step-down", has_value(self.step_down.as_ref())),
            ("any-user", has_value(self.any_user.as_ref())),
            ("entrypoint", has_value(self.entrypoint.as_ref())),
            ("family", has_value(self.family.as_ref())),
            ("distribution", has_value(self.distribution.as_ref())),
            ("release", has_value(self.release.as_ref())),
            ("package-manager", has_value(self.package_manager.as_ref())),
            ("shell", has_value(self.shell.as_ref())),
            ("libc", has_value(self.libc.as_ref())),
            ("command", has_value(self.command.as_ref())),
            ("ports", has_value(self.ports.as_ref())),
            ("volumes", has_value(self.volumes.as_ref())),
            ("data", has_value(self.data.as_ref())),
            ("writable", has_value(self.writable.as_ref())),
            ("templates", has_value(self.templates.as_ref())),
            ("capabilities", has_value(self.capabilities.as_ref())),
            ("secret-files", has_value(self.secret_files.as_ref())),
            ("environment", has_value(self.environment.as_ref())),
            ("workdir", has_value(self.workdir.as_ref())),
            ("slim", has_value(self.slim.as_ref())),
            ("runtime", has_value(self.runtime.as_ref())),
            ("shell-less", has_value(self.shell_less.as_ref())),
            ("role", has_value(self.role.as_ref())),
            ("minimal", has_value(self.minimal.as_ref())),
            ("deprecated", has_value(self.deprecated.as_ref())),
            ("end-of-life", self.end_of_life.values().any(|end| has_value(Some(end)))),
        ]
    }

    fn templates(&self) -> impl Iterator<Item = &String> {
        let fields = [&self.base, &self.release, &self.slim, &self.runtime, &self.shell_less];
        fields.into_iter().filter_map(|field| match field {
            Some(Maybe::Value(template)) => Some(template),
            Some(Maybe::Unknown(_)) | None => None,
        })
    }
}

/// A value, or the word `unknown`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Maybe<T> {
    Unknown(UnknownWord),
    Value(T),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum UnknownWord {
    Unknown,
}

/// A value, or the word `none`.
#[derive(Deserialize)]
#[serde(untagged)]
enum OrNone<T> {
    None(NoneWord),
    Value(T),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NoneWord {
    None,
}

impl<T> OrNone<T> {
    fn or_none<U: Default>(self, wrap: impl FnOnce(T) -> U) -> U {
        match self {
            OrNone::None(NoneWord::None) => U::default(),
            OrNone::Value(value) => wrap(value),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawUser {
    Word(String),
    Table { written: String, name: Option<String>, uid: Option<u32>, gid: Option<u32> },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawPort {
    Number(u16),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeprecation {
    since: Option<toml::value::Datetime>,
    replacement: Option<String>,
}
