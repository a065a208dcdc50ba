//! What a step leaves in the image: packages, a build, files at known places, or nobody knows what.
//!
//! Every command of a `RUN` is classified by what it is told to do, never by what a program of its name usually does
//! elsewhere: what is not in the tables, or is decided by a variable, is [`Kind::Unknown`]. Nothing is guessed.

mod command;
mod copied;
mod directory;
mod language;
mod places;
mod writers;

use super::Subject;
use crate::{
    knowledge::Role,
    model::{CopySource, MountKind, ScriptForm, Stage, Step, StepCommand, join_path, packages::Manager},
    syntax::{
        dockerfile::Keyword,
        shell::{CompoundKind, Redirect, RedirectOperator, Word},
    },
    text::Span,
};
use directory::Directories;
use std::collections::HashSet;

pub use copied::is_of_the_system;
pub use places::{Places, absolute};

/// One thing that a step does to the image.
#[derive(Clone, Debug)]
pub struct Effect<'m> {
    /// The step.
    pub step: Step<'m>,
    /// The command; `None` where the instruction itself does it.
    pub command: Option<StepCommand<'m>>,
    /// Where it is written.
    pub span: Span,
    /// The working directory in force, `cd` followed; `None` where nobody can tell.
    pub directory: Option<String>,
    /// What it does.
    pub kind: Kind<'m>,
}

/// What is done to an image.
#[derive(Clone, Debug)]
pub enum Kind<'m> {
    /// Packages of the distribution are installed.
    Packages {
        /// By which manager.
        manager: Manager,
        /// Their names, versions left out.
        names: Vec<String>,
        /// Whether that is all of them: no variable, file or pattern names more.
        is_complete: bool,
    },
    /// Packages of the distribution are taken out.
    PackagesRemoved {
        /// By which manager.
        manager: Manager,
        /// Their names.
        names: Vec<String>,
    },
    /// All packages of the distribution are brought up to date.
    Upgrade(Manager),
    /// Packages or tools of a language are installed.
    LanguagePackages {
        /// The language.
        ecosystem: Ecosystem,
        /// The program that installs them.
        program: &'m str,
        /// Those that the command names, versions left out; none where a manifest names them.
        names: Vec<String>,
    },
    /// Something is made of sources, in the working directory, and where `to` says.
    Build {
        /// The program, and what it is told to make: `go build`.
        tool: String,
        /// Where it is told to put what it makes; hidden where the sources decide.
        to: Places,
    },
    /// Files are written, made or unpacked at these places or below.
    Files(Places),
    /// Directories are made.
    Directories(Places),
    /// Files are copied by `COPY` or `ADD`.
    Copied {
        /// What, variables replaced; an address too.
        sources: Vec<String>,
        /// The stage or image that it is taken from; `None` for the build context.
        from: Option<CopySource<'m>>,
        /// Where to.
        to: Places,
    },
    /// Owner, mode or marks of these files are set.
    Modes(Places),
    /// Users or groups are made or changed.
    Accounts,
    /// Files are removed.
    Removes(Places),
    /// The system is configured by a program that is made for it: `locale-gen`, `a2enmod`.
    System(&'m str),
    /// Something is downloaded; no place means standard output.
    Download {
        /// The addresses as written.
        urls: Vec<String>,
        /// Where to.
        to: Places,
    },
    /// Nothing that a program could need when it runs.
    Transient,
    /// Nobody can tell: what is called.
    Unknown(String),
}

/// Whose packages a program installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is the ecosystem of its name")]
pub enum Ecosystem {
    Python,
    Conda,
    Node,
    Ruby,
    Php,
    Perl,
    R,
    Lua,
    Go,
    Rust,
    Java,
    DotNet,
    Elixir,
    Haskell,
    Dart,
    Deno,
    Swift,
}

impl<'m> Effect<'m> {
    /// The places that it fills; what a build makes beside its sources included. `None` where it fills none.
    pub fn fills(&self) -> Option<&Places> {
        match &self.kind {
            Kind::Files(places) | Kind::Directories(places) => Some(places),
            Kind::Build { to, .. } | Kind::Copied { to, .. } | Kind::Download { to, .. } => Some(to),
            Kind::Packages { .. }
            | Kind::PackagesRemoved { .. }
            | Kind::Upgrade(_)
            | Kind::LanguagePackages { .. }
            | Kind::Modes(_)
            | Kind::Accounts
            | Kind::Removes(_)
            | Kind::System(_)
            | Kind::Transient
            | Kind::Unknown(_) => None,
        }
    }

    /// The absolute path that a word of its command means, if that is certain.
    pub fn path_of(&self, word: Word<'m>) -> Option<String> {
        places::path_of(self.command?, self.directory.as_deref(), word)
    }

    /// What is called, where nobody can tell what that does.
    pub fn unknown(&self) -> Option<&str> {
        match &self.kind {
            Kind::Unknown(what) => Some(what),
            _ => None,
        }
    }
}

/// What the steps of the image do to it, in the order in which they run.
pub fn effects<'a>(subject: &Subject<'a>) -> Vec<Effect<'a>> {
    let mut found: Vec<Effect<'a>> = subject.steps().into_iter().flat_map(of_step).collect();
    for effect in &mut found {
        if let Kind::Copied { sources, from: None, to } = &mut effect.kind {
            copied::name_files(subject, sources, to);
        }
    }
    found
}

/// What the steps of `stage` and of the stages that it starts from do, in the order in which they run.
pub fn of_stage(stage: Stage<'_>) -> Vec<Effect<'_>> {
    let mut chain: Vec<Stage<'_>> = stage.chain().take(LONGEST_CHAIN).collect();
    chain.reverse();
    chain.into_iter().flat_map(Stage::steps).flat_map(of_step).collect()
}

/// So many stages that start from each other are looked through.
const LONGEST_CHAIN: usize = 64;

/// What one step does.
pub fn of_step(step: Step<'_>) -> Vec<Effect<'_>> {
    match step.keyword() {
        Keyword::Run => of_run(step),
        Keyword::Copy | Keyword::Add => vec![copied(step)],
        Keyword::Workdir => {
            let behind = step.next().map_or(step.stage().workdir(), Step::workdir);
            vec![of_instruction(step, Kind::Directories(Places::of(behind.path.known().map(str::to_owned))))]
        }
        Keyword::Volume => {
            let made = step.made_directories();
            vec![of_instruction(step, Kind::Directories(Places { known: made, is_hidden: false }))]
        }
        Keyword::Arg
        | Keyword::Cmd
        | Keyword::Entrypoint
        | Keyword::Env
        | Keyword::Expose
        | Keyword::From
        | Keyword::Healthcheck
        | Keyword::Label
        | Keyword::Maintainer
        | Keyword::Onbuild
        | Keyword::Shell
        | Keyword::Stopsignal
        | Keyword::User
        | Keyword::Unknown => Vec::new(),
    }
}

/// A directory that the image gets from outside of its working directory, or what hides some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The absolute path; `None` where a variable, a script or a build decides.
    pub path: Option<String>,
    /// What fills it.
    pub span: Span,
    /// The place of what fills it among the effects.
    pub at: usize,
}

/// What the steps fill outside of `workdir` and leave there, in order; places for temporary files do not count.
pub fn filled_outside(effects: &[Effect<'_>], workdir: &str) -> Vec<Filled> {
    let mut gone = Gone::default();
    let mut found = Vec::new();
    for (at, effect) in effects.iter().enumerate().rev() {
        if let Kind::Removes(places) = &effect.kind {
            gone.add(places);
        }
        let Some(places) = effect.fills() else { continue };
        let hidden = places.is_hidden.then_some(None);
        let is_kept = |path: &&String| {
            let is_temporary = TEMPORARY.iter().any(|directory| is_in(path, directory));
            // A directory that every system has is there already.
            let is_there = matches!(effect.kind, Kind::Directories(_)) && is_of_the_system(path);
            !is_in(path, workdir) && !is_temporary && !is_there && !gone.holds(path)
        };
        let kept = places.known.iter().rev().filter(is_kept).map(|path| Some(path.clone()));
        found.extend(hidden.into_iter().chain(kept).map(|path| Filled { path, span: effect.span, at }));
    }
    found.reverse();
    found
}

/// What later commands remove.
#[derive(Default)]
struct Gone {
    /// These and all below them.
    trees: HashSet<String>,
    /// All that lies in these.
    contents: HashSet<String>,
}

impl Gone {
    fn add(&mut self, places: &Places) {
        for path in &places.known {
            match path.strip_suffix("/*") {
                Some(directory) => self.contents.insert(directory.to_owned()),
                None => self.trees.insert(path.clone()),
            };
        }
    }

    fn holds(&self, path: &str) -> bool {
        let around = |path: &str| path.rfind('/').map(|at| path[..at].to_owned()).filter(|above| !above.is_empty());
        let mut above = std::iter::successors(around(path), |path| around(path));
        self.trees.contains(path) || above.any(|each| self.trees.contains(&each) || self.contents.contains(&each))
    }
}

/// The first effect that nobody can tell.
pub fn first_unknown<'e, 'm>(effects: &'e [Effect<'m>]) -> Option<&'e Effect<'m>> {
    effects.iter().find(|effect| effect.unknown().is_some())
}

/// Where nothing is kept.
const TEMPORARY: [&str; 7] =
    ["/tmp", "/var/tmp", "/var/cache", "/var/lib/apt/lists", "/root/.cache", "/root/.npm", "/dev"];

/// Whether `path` is `directory`, or lies in it.
fn is_in(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The working directory of a step, if it is known. Plain images of distributions say none, and so start at the root.
fn workdir(step: Step<'_>) -> Option<&str> {
    let workdir = step.workdir();
    let is_plain = || {
        let image = step.stage().named_image();
        let facts = image.and_then(|image| image.facts.as_deref());
        facts.is_some_and(|facts| facts.role.known() == Some(&Role::Os))
    };
    workdir.path.known().or_else(|| (workdir.span.is_none() && is_plain()).then_some("/"))
}

fn of_instruction<'m>(step: Step<'m>, kind: Kind<'m>) -> Effect<'m> {
    let directory = workdir(step).map(str::to_owned);
    Effect { step, command: None, span: step.instruction().span, directory, kind }
}

fn copied(step: Step<'_>) -> Effect<'_> {
    let sources = step.sources().into_iter().map(|source| source.text).collect();
    let to = Places::of(step.destination().and_then(|word| step.absolute_arg(word)));
    of_instruction(step, Kind::Copied { sources, from: step.copy_source(), to })
}

fn of_run(step: Step<'_>) -> Vec<Effect<'_>> {
    let mut found = Vec::new();
    for script in step.scripts() {
        let is_read = script.form == ScriptForm::Exec || script.script.dialect().is_bourne();
        if !is_read || script.script.doubts().len() > 0 {
            found.push(of_instruction(
                step,
                Kind::Unknown("a script in another language, or one with errors".to_owned()),
            ));
        }
    }
    if step.scripts().is_empty() {
        found.push(of_instruction(step, Kind::Unknown("an instruction that cannot be read".to_owned())));
    }
    let mut directories = Directories::new(step);
    for command in step.commands() {
        let directory = directories.of(command);
        let mut kinds = command::kinds(command, directory.as_deref());
        kinds.extend(redirected(command, command.command.redirects(), directory.as_deref()));
        let span = command.span();
        let effect = |kind| Effect { step, command: Some(command), span, directory: directory.clone(), kind };
        found.extend(kinds.into_iter().map(effect));
    }
    found.extend(of_compounds(step));
    let mounted = mounted(step);
    for effect in &mut found {
        if let Kind::Files(places) | Kind::Directories(places) | Kind::Build { to: places, .. } = &mut effect.kind {
            places.known.retain(|path| !mounted.iter().any(|mount| is_in(path, mount)));
        }
    }
    found
}

/// Redirections of `{ …; } > file` and loops.
fn of_compounds(step: Step<'_>) -> Vec<Effect<'_>> {
    let is_moved = step.commands().any(|command| matches!(command.name(), Some("cd" | "pushd")));
    let directory = (!is_moved).then(|| workdir(step)).flatten();
    let mut found = Vec::new();
    for script in step.scripts() {
        let Some(command) = script.script.commands().next() else { continue };
        let command = StepCommand { step, script, command };
        let compounds = script.script.compounds().filter(|compound| compound.kind() != CompoundKind::Test);
        for compound in compounds {
            let span = script.file_span(compound.span());
            let directory_of = directory.map(str::to_owned);
            let effect = |kind| Effect { step, command: None, span, directory: directory_of.clone(), kind };
            found.extend(redirected(command, compound.redirects(), directory).map(effect));
        }
    }
    found
}

/// The files that redirections write.
fn redirected<'m>(
    command: StepCommand<'m>,
    redirects: impl Iterator<Item = Redirect<'m>>,
    directory: Option<&str>,
) -> Option<Kind<'m>> {
    let writes = |redirect: &Redirect<'_>| match redirect.operator() {
        RedirectOperator::Write
        | RedirectOperator::Append
        | RedirectOperator::ReadWrite
        | RedirectOperator::WriteAll
        | RedirectOperator::AppendAll => true,
        RedirectOperator::DuplicateOutput => !is_descriptor(&redirect.target().text()),
        RedirectOperator::Read
        | RedirectOperator::DuplicateInput
        | RedirectOperator::Heredoc
        | RedirectOperator::HereString => false,
    };
    let mut places = Places::default();
    for redirect in redirects.filter(writes) {
        places.add(command, directory, redirect.target());
    }
    places.known.retain(|path| !is_in(path, "/dev") && !is_in(path, "/proc"));
    (!places.is_empty()).then_some(Kind::Files(places))
}

/// `2>&1`, `>&-`
fn is_descriptor(target: &str) -> bool {
    target == "-" || target.bytes().all(|byte| byte.is_ascii_digit())
}

/// What lies under mounts of the step, and so is no part of the image.
pub fn mounted(step: Step<'_>) -> Vec<String> {
    let workdir = workdir(step);
    let kept_out = |kind| matches!(kind, MountKind::Bind | MountKind::Cache | MountKind::Tmpfs | MountKind::Secret);
    let mounts = step.mounts().into_iter().filter(|mount| kept_out(mount.kind));
    let targets = mounts.filter_map(|mount| {
        let target = mount.target?;
        let target = target.known()?;
        if target.starts_with('/') { Some(join_path("/", target)) } else { Some(join_path(workdir?, target)) }
    });
    targets.filter(|target| target != "/").collect()
}

#[cfg(test)]
mod tests;
