//! The `ironhull.toml`, baseline and `ironhull.lock` that hold in one directory.

use crate::{
    baseline::{Baseline, Scope},
    disk,
    lock::{self, Lock},
    policy::{Complaint, ConfigFile, Layer, Place, Policy},
    project::Project,
    rules::RULES,
    suppress::Date,
    text::Span,
};
use std::path::Path;

/// The name of the configuration file.
pub(super) const CONFIGURATION: &str = "ironhull.toml";

/// How files of one directory are judged.
pub(super) struct Home {
    read: Texts,
    /// An editor stays open over midnight, and comments that silence may end with the day.
    today: Date,
    /// What holds; of a file that cannot be used, its last text that could.
    pub(super) project: Project,
    policy: Policy,
    lock: Lock,
    scope: Scope,
    /// What is wrong with the files.
    pub(super) troubles: Vec<Trouble>,
}

/// What the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Texts {
    configuration: Option<Text>,
    lock: Option<Text>,
    baseline: Option<Text>,
}

/// A file that was looked for and found.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text {
    path: String,
    content: Result<String, String>,
}

/// Something that is wrong with a configuration file or a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The file.
    pub(super) path: String,
    /// Its text.
    pub(super) text: String,
    /// Where.
    pub(super) span: Span,
    /// What.
    pub(super) message: String,
}

/// Reads a file: as it is open in the editor, or from the disk.
pub(super) type ReadText<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

impl Home {
    /// What holds where there is no file.
    pub(super) fn empty() -> Self {
        let (policy, lock) = (Policy::new(Layer::default(), Place::default()), Lock::default());
        let today = today();
        let project = Project::new(policy.clone(), lock.clone());
        Self { read: Texts::default(), today, project, policy, lock, scope: Scope::default(), troubles: Vec::new() }
    }

    /// Reads the files that hold in `directory` anew, and takes over what changed.
    pub(super) fn refresh(&mut self, directory: &str, read: &ReadText<'_>) {
        let file = |path: String| Text { content: read(&path), path };
        let nearest = |name: &str| {
            let path = disk::nearest_above(Path::new(directory), name)?;
            Some(file(path.to_string_lossy().into_owned()))
        };
        let mut texts = Texts {
            configuration: nearest(CONFIGURATION),
            lock: nearest(lock::FILE_NAME),
            baseline: self.policy.baseline().map(file),
        };
        let today = today();
        if texts == self.read && today == self.today {
            return;
        }
        let mut troubles = Vec::new();
        match texts.configuration.as_ref().map_or(Ok(Policy::new(Layer::default(), Place::default())), policy) {
            Ok(policy) => self.policy = policy,
            Err(found) => troubles.extend(found),
        }
        match texts.lock.as_ref().map_or(Ok(Lock::default()), locked) {
            Ok(lock) => self.lock = lock,
            Err(trouble) => troubles.push(trouble),
        }
        // Another configuration may name another file.
        texts.baseline = self.policy.baseline().map(file);
        match texts.baseline.as_ref().map_or(Ok(Scope::default()), known) {
            Ok(scope) => self.scope = scope,
            Err(trouble) => troubles.push(trouble),
        }
        self.read = texts;
        self.today = today;
        self.troubles = troubles;
        let project = Project::new(self.policy.clone(), self.lock.clone());
        self.project = project.on(today).within(self.scope.clone());
    }
}

fn today() -> Date {
    Date::of_days_since_1970(disk::days_since_1970())
}

fn policy(file: &Text) -> Result<Policy, Vec<Trouble>> {
    let text = file.content.as_ref().map_err(|why| vec![file.trouble(Span::default(), why.clone())])?;
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.meta.id).collect();
    let configuration = ConfigFile::read(text, &ids).map_err(|complaints| {
        let trouble = |Complaint { span, message, help }| match help {
            Some(help) => file.trouble(span, format!("{message}; {help}")),
            None => file.trouble(span, message),
        };
        complaints.into_iter().map(trouble).collect::<Vec<_>>()
    })?;
    Ok(Policy::new(configuration.into_layer(), file.place()))
}

fn locked(file: &Text) -> Result<Lock, Trouble> {
    let text = file.content.as_ref().map_err(|why| file.trouble(Span::default(), why.clone()))?;
    Lock::parse(text).map_err(|why| file.trouble(Span::default(), why.to_string()))
}

fn known(file: &Text) -> Result<Scope, Trouble> {
    let text = file.content.as_ref().map_err(|why| file.trouble(Span::default(), why.clone()))?;
    let baseline = Baseline::parse(text).map_err(|why| file.trouble(Span::default(), why))?;
    Ok(Scope { baseline: Some((baseline, file.place())), changes: None })
}

impl Text {
    /// Where paths start that are written in it: in its directory. Paths of documents are absolute.
    fn place(&self) -> Place {
        let root = self.path.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
        Place { working: root.clone(), root }
    }

    fn trouble(&self, span: Span, message: String) -> Trouble {
        let text = self.content.clone().unwrap_or_default();
        Trouble { path: self.path.clone(), text, span, message }
    }
}
