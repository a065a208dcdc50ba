//! Texts that may depend on what a file does not tell.
//!
//! The text of a [`Value`] is what a build without build arguments gives. What may change it (an `ARG`, the environment
//! of the base image, the platform) is told with it, so that nobody takes a guess for a fact.

use super::platform::is_automatic;
use std::{borrow::Cow, fmt};

/// A text, and what it depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value<'a> {
    /// What a build without build arguments gives, unknown environments taken as empty.
    pub text: Cow<'a, str>,
    /// Variables that may make it another text, without repetition.
    pub depends: Vec<Dependency>,
}

/// One variable that a text depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name of the variable.
    pub name: Box<str>,
    /// Where its value comes from.
    pub cause: Cause,
}

/// Why the value of a variable is what it is, or is not known. Ordered from the surest to the least sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Set nowhere, and nothing outside of the file can set it: empty in every build.
    Undefined,
    /// An automatic platform argument, taken as of the platform that is looked at.
    Platform,
    /// The default of an `ARG`, which `--build-arg` may replace.
    Default,
    /// Set nowhere in the file, but the base image may set it.
    BaseEnvironment,
    /// An `ARG` without a default: only who builds knows.
    Missing,
    /// The word could not be expanded, or only to a text longer than [`LONGEST`].
    Unreadable,
}

impl Cause {
    /// Whether the text stands for every build of the file as it is written.
    pub fn is_certain(self) -> bool {
        match self {
            Cause::Undefined | Cause::Platform | Cause::Default => true,
            Cause::BaseEnvironment | Cause::Missing | Cause::Unreadable => false,
        }
    }
}

/// Bytes of the longest text that is worked with; what would be longer is [`super::expand::ExpandError::TooLong`].
pub const LONGEST: usize = 32 * 1024;

/// A text rarely depends on more variables than this; beyond it only the least sure are kept.
const MOST_DEPENDENCIES: usize = 16;

impl<'a> Value<'a> {
    /// A text that depends on nothing.
    pub fn literal(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), depends: Vec::new() }
    }

    /// A text that could not be found out.
    pub fn unreadable(word: &str) -> Self {
        let mut value = Self::default();
        depend(&mut value.depends, word, Cause::Unreadable);
        value
    }

    /// The text, unless something outside of the file decides what it is. Defaults of `ARG`s count as known.
    pub fn known(&self) -> Option<&str> {
        self.is_known().then_some(&*self.text)
    }

    /// Whether nothing outside of the file decides what it is. Defaults of `ARG`s count as known.
    pub fn is_known(&self) -> bool {
        self.depends.iter().all(|dependency| dependency.cause.is_certain())
    }

    /// Whether no build argument, platform or base image can make it another text.
    pub fn is_fixed(&self) -> bool {
        self.depends.iter().all(|dependency| dependency.cause == Cause::Undefined)
    }

    /// The names whose values only the build knows.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.depends.iter().filter(|dependency| !dependency.cause.is_certain()).map(|dependency| &*dependency.name)
    }

    /// The names of `ARG`s whose defaults it uses.
    pub fn defaulted(&self) -> impl Iterator<Item = &str> {
        self.depends.iter().filter(|dependency| dependency.cause == Cause::Default).map(|dependency| &*dependency.name)
    }

    /// Whether another platform may make it another text, also through an `ARG` that hands the platform on.
    pub fn is_of_platform(&self) -> bool {
        let is_of_platform =
            |dependency: &Dependency| dependency.cause == Cause::Platform || is_automatic(&dependency.name);
        self.depends.iter().any(is_of_platform)
    }

    /// The same value with its own text.
    pub fn into_owned(self) -> Value<'static> {
        Value { text: Cow::Owned(self.text.into_owned()), depends: self.depends }
    }

    /// The same value, its text borrowed.
    pub fn borrowed(&self) -> Value<'_> {
        Value { text: Cow::Borrowed(&self.text), depends: self.depends.clone() }
    }

    /// Says that it also depends on `name`.
    pub fn depending(mut self, name: &str, cause: Cause) -> Self {
        depend(&mut self.depends, name, cause);
        self
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Adds a dependency unless it is there; a full list keeps the least sure ones.
pub(super) fn depend(depends: &mut Vec<Dependency>, name: &str, cause: Cause) {
    if let Some(known) = depends.iter_mut().find(|known| *known.name == *name) {
        known.cause = known.cause.max(cause);
        return;
    }
    let name = &name[..name.floor_char_boundary(256)];
    if depends.len() < MOST_DEPENDENCIES {
        depends.push(Dependency { name: name.into(), cause });
        return;
    }
    if let Some(surest) = depends.iter_mut().min_by_key(|known| known.cause).filter(|known| known.cause < cause) {
        *surest = Dependency { name: name.into(), cause };
    }
}
