//! Typed views of `rulesets/`: facts about images, packages and releases of distributions, each with a source that was
//! opened and a date.
//!
//! Nothing is parsed before it is asked for: the first question about an image finds the entries by name without parsing
//! any, then parses those blocks of the entry that hold for the tag, once. What no source says is [`Fact::Unknown`];
//! nothing is ever inferred.

pub mod tokens;

mod allowed;
mod builtin;
mod confined;
mod distribution;
mod entry;
mod image;
mod packages;
mod pattern;
mod plain;

pub use allowed::AllowedImages;
pub use confined::{Capabilities, Start};
pub use distribution::Release;
pub use entry::{Defect, check_entry};
pub use image::{
    Deprecation, Family, Identity, ImageFacts, Libc, PackageManager, Port, Protocol, Role, StepDown, User,
};
pub use packages::{Code, LanguagePackage, Runtime, check_packages};

use crate::text::Span;
use entry::Entry;
use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, OnceLock, RwLock},
};

/// The day the rulesets were closed. Rules compare ends of life with it, never with a clock.
pub const RULESET_DATE: Date = Date { year: 2026, month: 11, day: 21 };

/// A calendar day; ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Four digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// An answer that a source gives, or none.
///
/// The source itself, an address and the words that say it, stays in the entry's text: nothing reads it at run time, and
/// [`check_entry`] proves that there is one for each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<T> {
    /// A source says so.
    Known(T),
    /// No source was found, or the tag hides the answer. Not the same as "no".
    Unknown,
}

impl<T> Fact<T> {
    /// The value, where one is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            Fact::Unknown => None,
        }
    }

    /// Whether a value is known.
    pub fn is_known(&self) -> bool {
        self.known().is_some()
    }

    /// This answer, or `other` where this one is unknown.
    pub fn or(self, other: Self) -> Self {
        match self {
            Fact::Known(_) => self,
            Fact::Unknown => other,
        }
    }
}

/// Which of a repository's images is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag<'a> {
    /// The one of this tag.
    Named(&'a str),
    /// One that the reference does not tell, as with a digest alone: only what holds for every tag is answered.
    Any,
}

/// Facts about images and packages.
#[derive(Debug, Default)]
pub struct Knowledge {
    images: OnceLock<Index>,
    allowed: Option<AllowedImages>,
}

impl Knowledge {
    /// What ships with the program. Costs nothing until it is asked.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// What is known of `repository:tag`; an absent tag is `latest`. `None`: nothing is known of this repository.
    ///
    /// `repository` is a normalised name (`docker.io/library/node`). Mirrors of Docker Hub answer as Docker Hub does.
    /// A reference that has a digest and no tag is asked with [`Knowledge::image_of`] and [`Tag::Any`].
    pub fn image(&self, repository: &str, tag: Option<&str>) -> Option<Arc<ImageFacts>> {
        self.image_of(repository, Tag::Named(tag.unwrap_or("latest")))
    }

    /// What is known of an image of `repository`. `None`: nothing is known of this repository.
    pub fn image_of(&self, repository: &str, tag: Tag<'_>) -> Option<Arc<ImageFacts>> {
        self.facts(repository, tag, 0)
    }

    /// Every repository that has an entry, sorted.
    pub fn repositories(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.index().by_name.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// As `image_of`, for an image that `depth` others are built on.
    fn facts(&self, repository: &str, tag: Tag<'_>, depth: usize) -> Option<Arc<ImageFacts>> {
        let index = self.index();
        let slot = index.slot_of(&canonical_repository(repository))?;
        if let Some(known) = slot.remembered(tag) {
            return Some(known);
        }
        let entry = slot.entry.get_or_init(|| Entry::new(slot.text));
        let facts = Arc::new(image::facts(self, entry, tag, depth));
        slot.remember(tag, &facts);
        Some(facts)
    }

    fn index(&self) -> &Index {
        self.images.get_or_init(|| Index::new(builtin::IMAGES))
    }
}

/// The names and texts of the files in `rulesets/images/`.
pub fn builtin_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    builtin::IMAGES.iter().copied()
}

/// The names and texts of the files in `rulesets/packages/`.
pub fn builtin_packages() -> impl Iterator<Item = (&'static str, &'static str)> {
    builtin::PACKAGES.iter().copied()
}

/// The texts of all shipped entries, one for each `[[image]]`; a test checks each of them.
pub fn builtin_entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    builtin_files().flat_map(|(file, text)| entry::split(text).map(move |span| (file, entry_text(text, span))))
}

/// `docker.io/library/node` for the names under which the same image is served elsewhere.
///
/// Docker's per-architecture namespaces: <https://github.com/docker-library/official-images#architectures-other-than-amd64>.
fn canonical_repository(repository: &str) -> std::borrow::Cow<'_, str> {
    const HUB_MIRRORS: [&str; 3] = ["mirror.gcr.io/", "index.docker.io/", "registry-1.docker.io/"];
    const ARCHITECTURES: [&str; 12] = [
        "amd64",
        "arm32v5",
        "arm32v6",
        "arm32v7",
        "arm64v8",
        "i386",
        "mips64le",
        "ppc64le",
        "riscv64",
        "s390x",
        "winamd64",
        "windows-amd64",
    ];
    if let Some(name) = repository.strip_prefix("public.ecr.aws/docker/library/") {
        return format!("docker.io/library/{name}").into();
    }
    let Some(path) = HUB_MIRRORS.iter().chain(&["docker.io/"]).find_map(|host| repository.strip_prefix(host)) else {
        return repository.into();
    };
    match path.split_once('/') {
        Some((namespace, name)) if ARCHITECTURES.contains(&namespace) => format!("docker.io/library/{name}").into(),
        Some(_) if repository.starts_with("docker.io/") => repository.into(),
        Some(_) => format!("docker.io/{path}").into(),
        None => format!("docker.io/library/{path}").into(),
    }
}

/// Where each repository's entry is, found without parsing TOML.
#[derive(Debug)]
struct Index {
    by_name: HashMap<&'static str, usize, BuildHasherDefault<NameHasher>>,
    slots: Vec<Slot>,
}

/// FNV-1a, which is fast for short names. All names that are put in are our own, so that nobody can make them collide.
#[derive(Debug)]
struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, step);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// One entry: its text, what it says once somebody asks, and what was answered for a tag.
#[derive(Debug)]
struct Slot {
    text: &'static str,
    entry: OnceLock<Entry<'static>>,
    answers: RwLock<HashMap<Box<str>, Arc<ImageFacts>>>,
}

impl Slot {
    /// Repositories use few tags of an image over and over; a file that makes tags up does not fill the memory.
    const MOST_ANSWERS: usize = 1024;

    fn remembered(&self, tag: Tag<'_>) -> Option<Arc<ImageFacts>> {
        self.answers.read().ok()?.get(Self::key(tag)).cloned()
    }

    fn remember(&self, tag: Tag<'_>, facts: &Arc<ImageFacts>) {
        let Ok(mut answers) = self.answers.write() else { return };
        if answers.len() < Self::MOST_ANSWERS {
            answers.insert(Self::key(tag).into(), Arc::clone(facts));
        }
    }

    /// The tag, or the empty text, which is no tag.
    fn key(tag: Tag<'_>) -> &str {
        match tag {
            Tag::Named(tag) => tag,
            Tag::Any => "",
        }
    }
}

impl Index {
    fn new(files: &[(&'static str, &'static str)]) -> Self {
        let mut index = Self { by_name: HashMap::default(), slots: Vec::new() };
        for (_, text) in files {
            for span in entry::split(text) {
                let text = entry_text(text, span);
                let slot = index.slots.len();
                index.slots.push(Slot { text, entry: OnceLock::new(), answers: RwLock::default() });
                index.by_name.extend(entry::names(text).map(|name| (name, slot)));
            }
        }
        index
    }

    /// The entry of a repository, or that of all repositories of its namespace.
    fn slot_of(&self, repository: &str) -> Option<&Slot> {
        let slot = self.by_name.get(repository).or_else(|| {
            let (namespace, _) = repository.rsplit_once('/')?;
            self.by_name.get(format!("{namespace}/*").as_str())
        });
        slot.map(|slot| &self.slots[*slot])
    }
}

fn entry_text(file: &'static str, span: Span) -> &'static str {
    &file[span.start as usize..span.end as usize]
}
