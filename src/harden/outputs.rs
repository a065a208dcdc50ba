//! Where what is built comes out, and where later steps put it: `cp target/release/x /usr/local/bin/`.

use super::{
    effect::{self, Effect, Kind},
    ignored::is_match,
    tree::below,
};
use crate::{
    model::{Options, Valued, file_name, join_path},
    syntax::shell::Word,
    text::Span,
};

/// A file that a build makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its absolute path.
    pub path: String,
    /// The file that it is a link to, where it is one.
    pub links_to: Option<String>,
    /// What makes it.
    pub span: Span,
}

/// A directory in which a build makes files that only the sources name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Its absolute path.
    pub path: String,
    /// What makes them.
    pub span: Span,
}

/// What one command makes.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Files.
    pub outputs: Vec<Output>,
    /// Directories with files that nobody names.
    pub areas: Vec<Area>,
}

impl Made {
    /// One file.
    pub fn file(path: String, span: Span) -> Self {
        Self { outputs: vec![Output { path, links_to: None, span }], areas: Vec::new() }
    }

    /// Files of unknown names in one directory.
    pub fn area(path: String, span: Span) -> Self {
        Self { outputs: Vec::new(), areas: vec![Area { path, span }] }
    }

    fn add(&mut self, other: Self) {
        for output in other.outputs {
            self.outputs.retain(|known| known.path != output.path);
            self.outputs.push(output);
        }
        self.areas.extend(other.areas);
    }

    /// The file of that path, if something makes it, or may.
    pub fn at(&self, path: &str) -> Option<Output> {
        let exact = self.outputs.iter().rfind(|output| output.path == path);
        let in_area = || {
            let area = self.areas.iter().rfind(|area| below(path, &area.path).is_some_and(|rest| !rest.is_empty()))?;
            Some(Output { path: path.to_owned(), links_to: None, span: area.span })
        };
        exact.cloned().or_else(in_area)
    }

    /// What the commands of `effects` make, each as `made` tells, and where they put it. What lies in a mount of a step
    /// is gone behind that step.
    pub fn by<'m>(effects: &[Effect<'m>], mut made: impl FnMut(&Effect<'m>, &Made) -> Made) -> Self {
        let mut all = Self::default();
        for (at, effect) in effects.iter().enumerate() {
            let own = made(effect, &all);
            all.add(own);
            all.follow(effect);
            let ends_step = effects.get(at + 1).is_none_or(|next| next.step != effect.step);
            if ends_step {
                for mount in effect::mounted(effect.step) {
                    all.outputs.retain(|output| below(&output.path, &mount).is_none());
                    all.areas.retain(|area| below(&area.path, &mount).is_none());
                }
            }
        }
        all
    }

    /// Follows `cp`, `mv`, `install` and `ln`.
    fn follow(&mut self, effect: &Effect<'_>) {
        let Some(command) = effect.command.filter(|_| matches!(effect.kind, Kind::Files(_))) else { return };
        let Some(invocation) = command.invocation() else { return };
        let Some(name @ ("cp" | "mv" | "install" | "ln")) = invocation.name() else { return };
        let valued = match name {
            "install" => Valued { short: "mgotS", long: &["mode", "group", "owner", "target-directory", "suffix"] },
            _ => Valued { short: "tS", long: &["target-directory", "suffix"] },
        };
        let options = Options::of(command, invocation, valued);
        let target = options.value(Some('t'), "target-directory").map(std::borrow::Cow::into_owned);
        let (sources, to) = match (&target, options.operands.as_slice()) {
            (Some(target), sources) => (sources, effect::absolute(effect.directory.as_deref(), target)),
            (None, [sources @ .., to]) if !sources.is_empty() => (sources, effect.path_of(*to)),
            (None, _) => return,
        };
        let Some(to) = to else { return };
        let is_written_directory = target.is_some()
            || options.operands.last().is_some_and(|word| word.bytes().ends_with(b"/") || word.bytes() == b".");
        let is_directory = is_written_directory || sources.len() > 1 || is_known_directory(&to, effect);
        let mut new = Self::default();
        for source in sources {
            new.add(self.copied(effect, *source, &to, is_directory, name == "ln"));
        }
        if name == "mv" {
            let from: Vec<String> = sources.iter().filter_map(|word| effect.path_of(*word)).collect();
            self.outputs.retain(|output| !from.iter().any(|path| below(&output.path, path).is_some()));
        }
        self.add(new);
    }

    fn copied<'m>(&self, effect: &Effect<'m>, source: Word<'m>, to: &str, is_directory: bool, is_link: bool) -> Self {
        let span = effect.span;
        let mut new = Self::default();
        let Some(from) = effect.path_of(source) else {
            // A pattern: all files of a directory that it may mean.
            let text = source.text();
            let Some(pattern) = effect::absolute(effect.directory.as_deref(), &text).filter(|_| source.has_glob())
            else {
                return new;
            };
            let (directory, name) = pattern.rsplit_once('/').unwrap_or(("", &pattern));
            let is_meant = |output: &&Output| {
                below(&output.path, directory).is_some_and(|rest| !rest.contains('/') && is_match(name, rest))
            };
            for output in self.outputs.iter().filter(is_meant) {
                let path = join_path(to, file_name(&output.path));
                new.outputs.push(Output { path, links_to: None, span });
            }
            if new.outputs.is_empty() && self.areas.iter().any(|area| area.path == directory) {
                new.areas.push(Area { path: to.to_owned(), span });
            }
            return new;
        };
        let path = if is_directory { join_path(to, file_name(&from)) } else { to.to_owned() };
        if self.at(&from).is_some() {
            let links_to = is_link.then(|| from.clone());
            new.outputs.push(Output { path, links_to, span });
            return new;
        }
        // A directory and all that is in it.
        let place = |old: &str| below(old, &from).map(|rest| join_path(&path, rest));
        let outputs = self.outputs.iter().filter_map(|output| Some((place(&output.path)?, output)));
        new.outputs.extend(outputs.map(|(path, _)| Output { path, links_to: None, span }));
        new.areas.extend(self.areas.iter().filter_map(|area| Some(Area { path: place(&area.path)?, span })));
        new
    }
}

/// Whether a path is a directory before anything is copied to it.
fn is_known_directory(path: &str, effect: &Effect<'_>) -> bool {
    const KNOWN: [&str; 12] = [
        "/",
        "/bin",
        "/sbin",
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib",
        "/usr/local/bin",
        "/usr/local/sbin",
        "/usr/local/lib",
        "/go/bin",
        "/opt",
        "/tmp",
    ];
    KNOWN.contains(&path)
        || effect.directory.as_deref() == Some(path)
        || effect.step.workdir().path.known() == Some(path)
}
