//! What the recipes of compiled languages share: one program comes out of a build, and needs little to run.
//!
//! Every step of the author's stage is accounted for: what it leaves is the program, is taken along, is installed again,
//! only built the program, or keeps the image from being split.

use super::common::{may_be_taken_out, taken_out};
use crate::{
    harden::{
        Change, Declined, Evidence, Rung, Runtime, Start, Subject, Taken,
        effect::{self, Ecosystem, Effect, Kind, Places},
        outputs::{Made, Output},
        packages::{self, Programs},
        program::{Call, Language, Sources},
        started::Started,
        tree::{Tree, below},
    },
    knowledge::{Family, Libc, Runtime as Needed},
    model::{
        CopySource, Step, StepCommand, file_name,
        graph::{Caller, Callers},
        is_program_directory, is_program_place, join_path,
    },
    rule::Safety,
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::Invocation,
    },
    text::Edit,
};
use serde::Deserialize;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

/// Why something is not done: a sentence.
pub(super) type Obstacle = Cow<'static, str>;

/// More copies than this are more than a reader follows: the whole directory is taken.
const MOST_COPIES: usize = 10;

/// A stage that compiles a program and starts it.
pub(super) struct Build<'s, 'a> {
    pub(super) subject: &'s Subject<'a>,
    pub(super) language: &'static Language,
    pub(super) effects: Vec<Effect<'a>>,
    /// The build context, where all of it is seen.
    pub(super) tree: Option<Tree>,
    pub(super) sources: Sources,
    pub(super) started: Started,
    pub(super) made: Made,
}

/// What a recipe knows of the stage besides.
pub(super) struct Own<'o> {
    /// The ecosystem whose packages only the compiler reads.
    pub(super) ecosystem: Option<Ecosystem>,
    /// Whether an effect only builds the program, or installs what builds it.
    pub(super) is_building: &'o dyn Fn(&Effect<'_>) -> bool,
    /// Variables that only the build reads.
    pub(super) variables: &'o [&'o str],
}

/// What the new image takes, and what it must have for that.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub(super) taken: Vec<Taken>,
    pub(super) start: Option<Start>,
    /// What needs a shell or a tool, each with its place.
    pub(super) shell: Vec<Evidence>,
    /// The names of programs that are started.
    pub(super) called: Programs,
    /// What proves where the program comes out and how it starts.
    pub(super) evidence: Vec<Evidence>,
    pub(super) left_out: Vec<String>,
    /// What is put among programs although nothing calls it.
    pub(super) uncalled: Vec<Evidence>,
    /// Edits that take out the steps that do nothing else.
    pub(super) dropped: Vec<Edit>,
}

#[allow(clippy::match_same_arms, reason = "the arms are sorted by what the effects are")]
impl<'s, 'a> Build<'s, 'a> {
    /// The stage of `subject`, with what its commands make as `made` tells.
    pub(super) fn new(
        subject: &'s Subject<'a>,
        language: &'static Language,
        made: impl FnMut(&Effect<'a>, &Made) -> Made,
    ) -> Self {
        let effects = effect::effects(subject);
        let tree = Tree::of(subject).filter(|tree| tree.is_complete);
        let sources = tree.as_ref().map_or_else(Sources::default, |tree| Sources::of(subject, tree, language));
        let made = Made::by(&effects, made);
        Self { subject, language, effects, tree, sources, started: Started::of(subject), made }
    }

    /// Whether the program's text is there to be read.
    pub(super) fn is_seen(&self) -> bool {
        !self.sources.all.is_empty()
    }

    /// The program that the image starts, and how it is named.
    pub(super) fn program(&self) -> Result<Output, Obstacle> {
        let words = match &self.started {
            Started::Words { .. } => self.started.first_words().unwrap_or_default(),
            Started::Through(..) => {
                return self.called_at_start().pop().or_else(|| self.installed()).ok_or_else(|| {
                    "which of the files that are built the start command needs is not certain: start it in JSON form"
                        .into()
                });
            }
            Started::Inherited => {
                return Err(
                    "no instruction says what the image starts: a `CMD` or `ENTRYPOINT` in JSON form would".into()
                );
            }
        };
        let Some(word) = words.first() else { return Err("the start command is empty".into()) };
        self.named(word)
            .ok_or_else(|| format!("no command of the file is seen to build `{word}`, which the image starts").into())
    }

    /// The file that the word of a start command means.
    fn named(&self, word: &str) -> Option<Output> {
        let workdir = self.subject.target.workdir().path.known();
        if word.contains('/') {
            let path = effect::absolute(workdir, word)?;
            return self.made.at(&path);
        }
        let path = self.subject.target.variable("PATH").and_then(|path| path.value.as_ref()?.known());
        let own = path.unwrap_or_default().split(':').filter(|directory| directory.starts_with('/'));
        let directories: Vec<&str> = own.chain(USUAL).collect();
        let exact = |directory: &&str| {
            let path = join_path(directory, word);
            self.made.outputs.iter().rfind(|output| output.path == path).cloned()
        };
        directories.iter().find_map(exact).or_else(|| {
            let in_area = |directory: &&str| self.made.areas.iter().any(|area| area.path == **directory);
            let mut found: Vec<&&str> = directories.iter().filter(|directory| in_area(directory)).collect();
            // Nothing says which of them it is put into; programs that everybody may start lie in `bin`.
            found.sort_by_key(|directory| directory.ends_with("/sbin"));
            self.made.at(&join_path(found.first()?, word))
        })
    }

    /// The programs of the build that the start calls, through a shell or a script that can be read, in their order.
    fn called_at_start(&self) -> Vec<Output> {
        let mut found: Vec<Output> = Vec::new();
        for path in self.paths_at_start() {
            let called = self.named(&path).filter(|output| !found.iter().any(|known| known.path == output.path));
            found.extend(called);
        }
        found
    }

    /// The programs that the start calls, as they are written.
    fn paths_at_start(&self) -> Vec<String> {
        let target = self.subject.target;
        let path = |command: Option<Invocation<'_>>| command.and_then(|command| Some(command.path()?.to_owned()));
        let mut paths: Vec<String> = Vec::new();
        for script in target.start_scripts(&self.subject.cx.context) {
            paths.extend(script.script.commands().filter_map(|command| path(command.invocation())));
        }
        let steps = target.start_steps();
        paths.extend(steps.iter().flat_map(|step| step.commands()).filter_map(|command| path(command.invocation())));
        // What a script is handed to run in its place.
        let handed = steps
            .iter()
            .flat_map(|step| step.commands())
            .filter_map(|command| command.command.words().next().and_then(|word| word.literal().map(str::to_owned)));
        paths.extend(handed);
        paths
    }

    /// The one file that is put where programs are looked for.
    fn installed(&self) -> Option<Output> {
        let is_installed = |output: &&Output| !self.is_of_build(&output.path);
        let mut installed = self.made.outputs.iter().filter(is_installed);
        installed.next().filter(|_| installed.next().is_none()).cloned()
    }

    /// Whether a path lies where only the build works.
    fn is_of_build(&self, path: &str) -> bool {
        let in_sources = |directory: &str| below(path, directory).is_some();
        let copied = self.tree.iter().flat_map(|tree| &tree.directories).any(|(_, to, _)| to != "/" && in_sources(to));
        copied
            || ["/tmp", "/root", "/go"].iter().any(|directory| in_sources(directory))
            || self.subject.workdir().is_some_and(in_sources)
    }

    /// What the image needs besides `program`, every step accounted for.
    ///
    /// `start` is given where the author's own start command does not name the program.
    pub(super) fn account(&self, program: &Output, start: Option<&Start>, own: &Own<'_>) -> Result<Account, Obstacle> {
        let mut account = Account::default();
        match start {
            Some(start) => {
                account.start = Some(start.clone());
                account.taken.push(Taken::at(program.path.clone()));
            }
            None => self.take_program(program, &mut account)?,
        }
        self.take_assets(&mut account)?;
        for effect in &self.effects {
            self.take_effect(effect, own, &mut account)?;
        }
        self.take_calls(&mut account);
        self.health(&mut account);
        account.left_out = self.build_variables(own);
        dedup(&mut account.taken);
        Ok(account)
    }

    fn take_program(&self, program: &Output, account: &mut Account) -> Result<(), Obstacle> {
        let subject = self.subject;
        account.evidence.push(subject.evidence(program.span, format!("makes `{}`", program.path)));
        let (entrypoint, command, is_exec) = match &self.started {
            Started::Words { entrypoint, command, is_exec, place } => {
                account.evidence.push(place.clone());
                (entrypoint, command, *is_exec)
            }
            Started::Through(what, place) => {
                account.shell.push(Evidence { shows: format!("starts through {what}"), ..place.clone() });
                account.called.names.extend(
                    ["tini", "dumb-init", "gosu", "su-exec", "env", "supervisord"]
                        .iter()
                        .filter(|name| what.contains(*name))
                        .map(ToString::to_string),
                );
                let called = self.called_at_start();
                let others = called.iter().filter(|other| other.path != program.path);
                for output in others.chain([program]) {
                    let from = output.links_to.clone().unwrap_or_else(|| output.path.clone());
                    account.taken.push(Taken { from, to: output.path.clone() });
                }
                let named = self.paths_at_start();
                account.called.names.extend(named.iter().map(|path| file_name(path).to_owned()));
                return Ok(());
            }
            Started::Inherited => return Err("no instruction says what the image starts".into()),
        };
        let words = entrypoint.as_ref().or(command.as_ref()).map(Vec::as_slice).unwrap_or_default();
        let word = words.first().map(String::as_str).unwrap_or_default();
        // A program whose folder is not on the search path of other images is put where it is found.
        let from = program.links_to.clone().unwrap_or_else(|| program.path.clone());
        let is_hidden = !word.contains('/') && !on_path(&program.path) || below(&program.path, "/root").is_some();
        let to = if is_hidden { join_path("/usr/local/bin", file_name(&program.path)) } else { program.path.clone() };
        if !is_exec || is_hidden && word.contains('/') {
            let first = if is_hidden && !word.contains('/') {
                word.to_owned()
            } else if is_hidden {
                to.clone()
            } else {
                word.to_owned()
            };
            let renamed = |words: &Vec<String>| {
                std::iter::once(first.clone()).chain(words.iter().skip(1).cloned()).collect::<Vec<String>>()
            };
            account.start = Some(match (entrypoint, command) {
                (Some(entrypoint), command) => {
                    Start { entrypoint: Some(renamed(entrypoint)), command: command.clone() }
                }
                (None, command) => Start { entrypoint: None, command: command.as_ref().map(renamed) },
            });
        }
        account.taken.push(Taken { from, to });
        Ok(())
    }

    /// The files of the build context that the program may read.
    fn take_assets(&self, account: &mut Account) -> Result<(), Obstacle> {
        let Some(tree) = self.tree.as_ref().filter(|_| self.is_seen()) else { return self.take_everything(account) };
        let assets = self.sources.assets(tree, self.language);
        let wanted: BTreeSet<&str> = assets.iter().map(|file| file.at.as_str()).collect();
        let mut paths: Vec<String> = Vec::new();
        for file in &assets {
            let mut path = file.at.as_str();
            // The highest directory that holds nothing else, and is no place that a step copies to.
            while let Some((above, _)) = path.rsplit_once('/').filter(|(above, _)| !above.is_empty()) {
                let is_copied_to = tree.directories.iter().any(|(from, to, _)| to == above && from.is_empty())
                    || self.subject.target.workdir().path.known() == Some(above);
                let is_pure = tree
                    .files
                    .iter()
                    .filter(|file| below(&file.at, above).is_some())
                    .all(|file| wanted.contains(file.at.as_str()));
                let is_directory_of_context = tree.directories.iter().any(|(_, to, _)| below(above, to).is_some());
                if is_copied_to || !is_pure || !is_directory_of_context {
                    break;
                }
                path = above;
            }
            if !paths.iter().any(|known| below(path, known).is_some()) {
                paths.push(path.to_owned());
            }
        }
        if paths.len() > MOST_COPIES {
            return self.take_everything(account);
        }
        account.taken.extend(paths.into_iter().map(Taken::at));
        Ok(())
    }

    /// The working directory and every place that files are copied to, where the program's text cannot be read.
    fn take_everything(&self, account: &mut Account) -> Result<(), Obstacle> {
        if self.is_seen() {
            account.evidence.push(Evidence {
                path: self.subject.cx.file.path.clone(),
                line: 1,
                shows: "the program may read many files of the build context".to_owned(),
            });
        }
        // Where the base starts is the toolchain's own place.
        let workdir = self.subject.workdir().filter(|_| self.subject.target.workdir().span.is_some());
        account.taken.extend(workdir.map(Taken::at));
        for effect in &self.effects {
            let Kind::Copied { sources, from: None, to } = &effect.kind else { continue };
            for place in &to.known {
                let is_of_build = sources.iter().all(|source| self.is_manifest(source));
                let is_inside = workdir.is_some_and(|workdir| below(place, workdir).is_some());
                if is_of_build || is_inside {
                    continue;
                }
                if place == "/" || is_system_directory(place) && sources.len() != 1 {
                    return Err(format!(
                        "what line {} copies to `{place}` cannot be told from what lies there",
                        self.line(effect)
                    )
                    .into());
                }
                let is_file = !is_system_directory(place);
                let place =
                    if is_file { place.clone() } else { join_path(place, file_name(sources[0].trim_end_matches('/'))) };
                account.taken.push(Taken::at(place));
            }
        }
        Ok(())
    }

    fn is_manifest(&self, source: &str) -> bool {
        let name = file_name(source.trim_end_matches('/'));
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        self.language.manifests.contains(&name) || self.language.extensions.contains(&extension)
    }

    fn line(&self, effect: &Effect<'_>) -> u32 {
        self.subject.cx.file.locate(effect.span.start).line
    }

    fn take_effect(&self, effect: &Effect<'a>, own: &Own<'_>, account: &mut Account) -> Result<(), Obstacle> {
        if (own.is_building)(effect) {
            return Ok(());
        }
        let line = self.line(effect);
        match &effect.kind {
            Kind::Packages { is_complete: false, .. } => {
                Err(format!("line {line} installs packages that only the build knows").into())
            }
            Kind::Packages { .. }
            | Kind::PackagesRemoved { .. }
            | Kind::Upgrade(_)
            | Kind::Modes(_)
            | Kind::Accounts
            | Kind::Removes(_)
            | Kind::Transient => Ok(()),
            Kind::LanguagePackages { ecosystem, .. } if Some(*ecosystem) == own.ecosystem => Ok(()),
            Kind::LanguagePackages { program, .. } => Err(format!(
                "line {line} installs packages with `{program}`, and nobody can tell whether the program needs them"
            )
            .into()),
            Kind::Build { tool, .. } => {
                Err(format!("what `{tool}` in line {line} makes besides the program cannot be told").into())
            }
            Kind::System(
                "ldconfig"
                | "git config"
                | "go env"
                | "pip config"
                | "update-ca-certificates"
                | "apt-key"
                | "add-apt-repository"
                | "debconf-set-selections"
                | "update-alternatives"
                | "fc-cache",
            ) => Ok(()),
            Kind::System(name) => Err(format!("what `{name}` in line {line} changes cannot be copied by name").into()),
            Kind::Unknown(what) => {
                Err(format!("what `{what}` in line {line} leaves in the image cannot be told").into())
            }
            Kind::Copied { from: Some(from), sources, to } => {
                self.take_copied(from, sources, &to.known, to.is_hidden, line, account)
            }
            Kind::Copied { from: None, to, .. } if to.is_hidden => {
                Err(format!("where line {line} copies to depends on the build").into())
            }
            // `take_assets` took what is needed of them.
            Kind::Copied { from: None, .. } => Ok(()),
            Kind::Files(places) | Kind::Directories(places) | Kind::Download { to: places, .. } => {
                if places.is_hidden {
                    return Err(format!("where the command in line {line} writes cannot be told").into());
                }
                places.known.iter().try_for_each(|path| self.take_place(effect, path, account))
            }
        }
    }

    /// A file or directory that a step makes.
    fn take_place(&self, effect: &Effect<'_>, path: &str, account: &mut Account) -> Result<(), Obstacle> {
        let is_made =
            self.made.at(path).is_some() || self.made.outputs.iter().any(|output| below(&output.path, path).is_some());
        let is_made = is_made || self.made.areas.iter().any(|area| below(&area.path, path).is_some());
        let builds_in = |other: &Effect<'_>| {
            let directory = other.directory.as_deref().filter(|_| matches!(other.kind, Kind::Build { .. }));
            directory.is_some_and(|directory| below(directory, path).is_some())
        };
        let is_building_place = self.effects.iter().any(builds_in);
        let is_temporary = TEMPORARY.iter().any(|directory| below(path, directory).is_some());
        let is_workdir = self.subject.workdir() == Some(path);
        let is_removed = self.effects.iter().any(|other| {
            let Kind::Removes(places) = &other.kind else { return false };
            other.span.start >= effect.span.start
                && places.known.iter().any(|gone| {
                    let gone = gone.trim_end_matches("/*");
                    below(path, gone).is_some()
                })
        });
        let is_source = self.tree.as_ref().is_some_and(|tree| tree.has_below(path) || tree.at(path).next().is_some())
            || self.is_manifest(path);
        let is_covered = account.taken.iter().any(|taken| below(path, &taken.to).is_some());
        if is_made || is_building_place || is_temporary || is_workdir || is_removed || is_source || is_covered {
            return Ok(());
        }
        if may_be_taken_out(&self.effects, effect, path) {
            return Err(taken_out(self.line(effect), path).into());
        }
        let is_of_programs = is_program_directory(path) || is_program_place(path);
        let is_uncalled = is_of_programs && self.calls_nothing_else();
        if !is_system_directory(path) && !is_uncalled {
            account.taken.push(Taken::at(path));
            return Ok(());
        }
        if let Kind::Directories(_) = effect.kind {
            return Ok(());
        }
        if is_uncalled {
            let evidence = self.subject.evidence(effect.span, format!("puts programs into `{path}`"));
            if !account.uncalled.contains(&evidence) {
                account.uncalled.push(evidence);
                account.dropped.extend(self.without(effect.step));
            }
            return Ok(());
        }
        let line = self.line(effect);
        Err(format!("what the command in line {line} writes into `{path}` cannot be told from what lies there").into())
    }

    fn take_copied(
        &self,
        from: &CopySource<'_>,
        sources: &[String],
        to: &[String],
        is_hidden: bool,
        line: u32,
        account: &mut Account,
    ) -> Result<(), Obstacle> {
        let what = match from {
            CopySource::Stage(_) | CopySource::Image(_) => "another stage or image",
            CopySource::Scratch | CopySource::Invalid => return Err(format!("line {line} copies from nowhere").into()),
        };
        let ([source], [to], false) = (sources, to, is_hidden) else {
            return Err(format!("what line {line} copies from {what} cannot be told by name").into());
        };
        let name = file_name(source.trim_end_matches('/'));
        if source.contains(['*', '?', '$']) || name.is_empty() {
            return Err(format!("what line {line} copies from {what} cannot be told by name").into());
        }
        let path = if is_system_directory(to) || self.subject.workdir() == Some(to) {
            join_path(to, name)
        } else {
            to.clone()
        };
        account.taken.push(Taken::at(path));
        Ok(())
    }

    /// The programs that the program starts.
    fn take_calls(&self, account: &mut Account) {
        let calls: Vec<Call> = self.sources.calls(self.language);
        account.called.is_complete = self.is_seen()
            && calls.iter().all(|call| call.name.is_some())
            && !matches!(self.started, Started::Through(..));
        for call in calls {
            if let Some(name) = &call.name {
                account.called.names.extend(name.split_whitespace().next().map(|name| file_name(name).to_owned()));
            }
            account.shell.push(call.place);
        }
        if !self.is_seen() {
            account.shell.push(Evidence {
                path: self.subject.cx.file.path.clone(),
                line: 1,
                shows: "the text of the program is not in the build context, so that it may start others".to_owned(),
            });
        }
    }

    /// Takes out a step that does nothing but put programs among others, if no later step can call them.
    fn without(&self, step: Step<'a>) -> Vec<Edit> {
        let is_of_programs = |places: &Places| {
            let is_passing = |path: &str| TEMPORARY.iter().any(|directory| below(path, directory).is_some());
            let is_of_program =
                |path: &String| is_program_directory(path) || is_program_place(path) || is_passing(path);
            !places.is_hidden && places.known.iter().all(is_of_program)
        };
        let is_needless = |effect: &Effect<'_>| match &effect.kind {
            Kind::Files(to) | Kind::Download { to, .. } => is_of_programs(to),
            Kind::Transient | Kind::Removes(_) => true,
            _ => false,
        };
        let mut own = self.effects.iter().filter(|effect| effect.step.index() == step.index());
        // Programs with names of their own are called by these; what fills a whole directory may be called by any.
        let put: Vec<&Effect<'_>> = self.effects.iter().filter(|effect| effect.step.index() == step.index()).collect();
        let names: Vec<&str> = put
            .iter()
            .filter_map(|effect| effect.fills())
            .flat_map(|places| &places.known)
            .filter(|path| is_program_place(path))
            .map(|path| file_name(path))
            .collect();
        let fills_directory = put
            .iter()
            .filter_map(|effect| effect.fills())
            .any(|places| places.known.iter().any(|path| is_program_directory(path)));
        let later = self.subject.runs().into_iter().filter(|run| run.index() > step.index());
        let is_called_by = |run: Step<'a>| fills_directory || names.iter().any(|name| run.scripts_hold(name));
        let is_last = !later.into_iter().any(is_called_by);
        if !is_last || !own.all(is_needless) {
            return Vec::new();
        }
        // A shell that was chosen for this step alone goes with it.
        let steps = self.subject.steps();
        let before = steps.iter().rfind(|other| other.index() < step.index());
        let shell = before.filter(|other| other.keyword() == Keyword::Shell);
        let editor = Editor::new(self.subject.cx.file, self.subject.cx.model.syntax);
        shell.into_iter().chain([&step]).filter_map(|step| editor.remove(step.instruction())).collect()
    }

    /// Whether nothing is started but the program itself, which starts no other.
    fn calls_nothing_else(&self) -> bool {
        let has_check = self.subject.steps().iter().any(|step| step.keyword() == Keyword::Healthcheck);
        matches!(self.started, Started::Words { .. })
            && !has_check
            && self.is_seen()
            && self.sources.calls(self.language).is_empty()
            && !Callers::of(self.subject.cx.context).services.iter().any(Caller::starts_otherwise)
    }

    /// The health check: in JSON form it may start the program itself.
    fn health(&self, account: &mut Account) {
        let checks = |step: &Step<'_>| step.keyword() == Keyword::Healthcheck;
        let Some(step) = self.subject.steps().into_iter().rfind(checks) else { return };
        let names: Vec<&str> = step.commands().filter_map(StepCommand::name).collect();
        if names.is_empty() {
            return;
        }
        let is_exec = step.script().is_some_and(|script| script.form == crate::model::ScriptForm::Exec);
        let own = account.taken.iter().any(|taken| names.contains(&file_name(&taken.to)));
        account.called.names.extend(names.iter().map(ToString::to_string));
        if !is_exec || !own {
            account
                .shell
                .push(self.subject.evidence(step.instruction().span, "the health check needs a shell or a tool"));
        }
    }

    fn build_variables(&self, own: &Own<'_>) -> Vec<String> {
        const OF_ALL: [&str; 10] = [
            "DEBIAN_FRONTEND",
            "CC",
            "CXX",
            "CFLAGS",
            "CXXFLAGS",
            "LDFLAGS",
            "MAKEFLAGS",
            "CMAKE_BUILD_TYPE",
            "PKG_CONFIG_PATH",
            "DEBCONF_NONINTERACTIVE_SEEN",
        ];
        let mut names: Vec<String> = OF_ALL.iter().chain(own.variables).map(ToString::to_string).collect();
        let path = self.subject.target.variable("PATH").and_then(|path| Some(path.value.as_ref()?.text.clone()));
        let is_of_tools = |directory: &str| {
            directory.is_empty()
                || directory.starts_with('$')
                || on_path(&format!("{directory}/x"))
                || ["/root", "/go", "/usr/local/go", "/usr/local/cargo", "/usr/lib/go"]
                    .iter()
                    .any(|tools| below(directory, tools).is_some())
                || directory.ends_with("/go/bin")
                || directory.ends_with(".cargo/bin")
        };
        if path.is_some_and(|path| path.split(':').all(is_of_tools)) {
            names.push("PATH".to_owned());
        }
        names
    }

    /// A runtime on `base`, without packages.
    pub(super) fn runtime(&self, base: &str, account: &Account, change: Change) -> Runtime {
        let mut changes = vec![change];
        if !account.uncalled.is_empty() {
            changes.push(Change {
                title: "Leave out programs that nothing calls".into(),
                safety: Safety::Risky,
                reason: "the image starts its own program alone, which starts no other".into(),
                evidence: account.uncalled.clone(),
            });
        }
        let image = self.subject.target.named_image();
        let is_golang = image.is_some_and(|image| image.reference.name() == "docker.io/library/golang");
        Runtime {
            base: with_its_user(self.subject, base).to_owned(),
            taken: account.taken.clone(),
            // The official image of Go works in `/go`, where no instruction says something else.
            setup: (is_golang && self.subject.target.workdir().span.is_none())
                .then(|| "WORKDIR /go".to_owned())
                .into_iter()
                .collect(),
            left_out: account.left_out.clone(),
            start: account.start.clone(),
            changes,
            build: account.dropped.clone(),
            ..Runtime::default()
        }
    }

    /// A runtime on the author's own distribution with the packages that are needed when the program runs; `is_loaded`
    /// says of a library's package whether the program loads it.
    pub(super) fn slim(
        &self,
        account: &Account,
        more: &[String],
        pin: Option<&Pin>,
        is_loaded: &dyn Fn(&str) -> bool,
    ) -> Result<Runtime, Obstacle> {
        let mut system = System::of(self.subject);
        if let Some(pin) = pin {
            system.release = Some(pin.release.clone());
        }
        let kept = packages::kept(self.subject, &self.effects, &account.called);
        if let Some(unknown) = kept.unknown {
            return Err(format!(
                "line {} {}: which library that leaves for the program is not known",
                unknown.line, unknown.shows
            )
            .into());
        }
        let libraries = self.libraries();
        let is_needed = |name: &String| !libraries.contains(name.as_str()) || is_loaded(name);
        let mut install: BTreeSet<String> = kept.install.into_iter().filter(is_needed).collect();
        install.extend(more.iter().cloned());
        if self.may_speak_tls()
            && system.family.is_some_and(|family| matches!(family, Family::Debian | Family::Ubuntu | Family::Alpine))
        {
            install.insert("ca-certificates".to_owned());
        }
        // Go looks names of time zones up in the files of the system, or of its own toolchain.
        if self.sources.all.iter().any(|source| source.text.contains("time.LoadLocation("))
            && !self.sources.all.iter().any(|source| source.text.contains("\"time/tzdata\""))
        {
            install.insert("tzdata".to_owned());
        }
        for tool in ["curl", "wget"] {
            let is_called = account.called.names.contains(tool);
            if is_called && system.family != Some(Family::Alpine) {
                install.insert(tool.to_owned());
            }
        }
        let has_libraries = install.iter().any(|name| libraries.contains(name.as_str())) || !more.is_empty();
        let base = system.slim(self.subject, has_libraries)?;
        let change = Change {
            title: "Move the program into an image without its build".into(),
            safety: Safety::Risky,
            reason: match system.release {
                Some(_) => "the program is compiled, and runs on the release of the distribution that it is compiled on",
                None => "the program is compiled, and what it loads of the C library newer releases of the distribution have",
            }
            .into(),
            evidence: account.evidence.clone(),
        };
        let mut runtime = self.runtime(&base, account, change);
        runtime.build.extend(pin.map(|pin| pin.edit.clone()));
        runtime.packages = install.into_iter().collect();
        runtime.changes.extend(kept.changes);
        Ok(runtime)
    }

    /// The packages of libraries that the author's development packages stand for.
    pub(super) fn libraries(&self) -> BTreeSet<&'static str> {
        self.development_packages().into_iter().flat_map(|(_, libraries)| libraries).collect()
    }

    /// The author's development packages, each with the libraries that it stands for.
    pub(super) fn development_packages(&self) -> Vec<(String, Vec<&'static str>)> {
        let system = System::of(self.subject);
        let Some(family) = system.family else { return Vec::new() };
        let mut found = Vec::new();
        for effect in &self.effects {
            let Kind::Packages { names, .. } = &effect.kind else { continue };
            for name in names {
                if let Needed::Libraries(libraries) =
                    self.subject.cx.knowledge.runtime_of(family, system.release.as_deref(), name)
                {
                    found.push((name.clone(), libraries));
                }
            }
        }
        found
    }

    /// Whether a development package is installed, whatever is known of it.
    pub(super) fn development_package(&self) -> Option<(String, Evidence)> {
        self.effects.iter().find_map(|effect| {
            let Kind::Packages { names, .. } = &effect.kind else { return None };
            let name = names.iter().find(|name| name.ends_with("-dev") || name.ends_with("-devel"))?;
            let is_libc =
                matches!(name.as_str(), "libc6-dev" | "libc-dev" | "musl-dev" | "linux-headers-dev" | "libstdc++-dev");
            (!is_libc).then(|| (name.clone(), self.subject.evidence(effect.span, format!("installs `{name}`"))))
        })
    }

    /// Packages whose files the program may need and an image without a package manager cannot have.
    pub(super) fn lasting_package(&self, account: &Account) -> Option<String> {
        const PRESENT: [&str; 4] = ["ca-certificates", "tzdata", "netbase", "media-types"];
        let kept = packages::kept(self.subject, &self.effects, &account.called);
        let libraries = self.libraries();
        kept.install.into_iter().find(|name| {
            !PRESENT.contains(&name.as_str()) && !libraries.contains(name.as_str()) && !name.ends_with("-dev")
        })
    }

    /// Whether the program may look at certificates.
    fn may_speak_tls(&self) -> bool {
        let author = self.effects.iter().any(|effect| matches!(&effect.kind, Kind::Packages { names, .. } if names.iter().any(|name| name == "ca-certificates")));
        author
            || !self.is_seen()
            || self.sources.all.iter().any(|source| {
                ["https://", "net/http", "crypto/tls", "reqwest", "rustls", "native_tls", "openssl/", "curl/", "SSL_"]
                    .iter()
                    .any(|word| source.text.contains(word))
            })
    }
}

/// Where programs are looked for, and where Go and Rust install them.
const USUAL: [&str; 11] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/go/bin",
    "/usr/local/cargo/bin",
    "/root/.cargo/bin",
    "/root/go/bin",
    "/usr/local/go/bin",
];

/// Where nothing is kept.
const TEMPORARY: [&str; 10] = [
    "/tmp",
    "/var/tmp",
    "/var/cache",
    "/var/lib/apt",
    "/root",
    "/dev",
    "/usr/local/go",
    "/go",
    "/etc/apt",
    "/etc/sudoers",
];

/// The distroless image `base`, of a tag that runs as its user only where the program writes nothing: the engine for users
/// makes what it writes where the image does not have a user yet.
pub(super) fn with_its_user<'b>(subject: &Subject<'_>, base: &'b str) -> &'b str {
    let writes = !subject.target.writes(&subject.cx.context).places.is_empty();
    if writes { base.trim_end_matches(":nonroot") } else { base }
}

/// Directories that every image has, or that are too much to be copied whole.
fn is_system_directory(path: &str) -> bool {
    matches!(
        path,
        "/" | "/bin"
            | "/sbin"
            | "/lib"
            | "/etc"
            | "/usr"
            | "/usr/bin"
            | "/usr/sbin"
            | "/usr/lib"
            | "/usr/share"
            | "/usr/local"
            | "/usr/local/bin"
            | "/usr/local/sbin"
            | "/usr/local/lib"
            | "/usr/local/etc"
            | "/usr/local/share"
            | "/var"
            | "/var/lib"
            | "/var/log"
            | "/var/run"
            | "/run"
            | "/opt"
            | "/home"
            | "/srv"
            | "/etc/profile.d"
    )
}

/// Whether a program at `path` is found by its name in every image.
fn on_path(path: &str) -> bool {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].contains(&directory)
}

fn dedup(taken: &mut Vec<Taken>) {
    let mut kept: Vec<Taken> = Vec::new();
    let all = std::mem::take(taken);
    for one in &all {
        let is_inside = |other: &Taken| {
            other != one
                && other.from == other.to
                && one.from == one.to
                && below(&one.to, &other.to).is_some_and(|rest| !rest.is_empty())
        };
        if !kept.contains(one) && !all.iter().any(is_inside) {
            kept.push(one.clone());
        }
    }
    *taken = kept;
}

/// The distribution that the program is compiled on.
pub(super) struct System {
    pub(super) family: Option<Family>,
    /// Its number.
    pub(super) release: Option<String>,
    pub(super) libc: Option<Libc>,
}

impl System {
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        let facts = subject.target.image_facts();
        Self {
            family: facts.and_then(|facts| facts.family.known().copied()),
            release: facts.and_then(|facts| facts.release.known().cloned()),
            libc: facts.and_then(|facts| facts.libc.known().copied().flatten()),
        }
    }

    /// Why what is linked here to the C library alone may not run on the newest image without a shell.
    pub(super) fn is_newer(&self) -> Option<Obstacle> {
        if self.libc == Some(Libc::Musl) {
            return Some("the program is linked to musl, and images without a shell have the GNU C library or none: a static build would run on one".into());
        }
        let versions = match self.family {
            Some(Family::Debian) => &data().glibc.debian,
            Some(Family::Ubuntu) => &data().glibc.ubuntu,
            _ => return Some("the C library of the image that builds the program is not known: a Debian release in its tag would tell".into()),
        };
        let Some(release) = &self.release else {
            // A tag of Debian's official images without a release means the newest stable one, or an older one.
            let is_debian = self.family == Some(Family::Debian);
            return (!is_debian).then(|| "the release of the image that builds the program is not known".into());
        };
        let number = versions.iter().find(|(known, _)| release == *known || release.starts_with(&format!("{known}.")));
        match number {
            Some((_, version)) if is_at_most(version, &data().images.glibc) => None,
            Some(_) => Some("the C library of the build is newer than that of any image without a shell".into()),
            None => Some(format!("the C library of release {release} is not known").into()),
        }
    }

    /// The image of the same distribution that holds little else; libraries must be of the very same release.
    fn slim(&self, subject: &Subject<'_>, has_libraries: bool) -> Result<String, Obstacle> {
        let reference = match (self.family, &self.release) {
            (Some(Family::Debian), Some(release)) => {
                let name = codename(release).ok_or("the Debian release of the build is not known")?;
                format!("docker.io/library/debian:{name}-slim")
            }
            (Some(Family::Debian), None) if !has_libraries => {
                format!("docker.io/library/debian:{}-slim", data().images.debian)
            }
            (Some(Family::Ubuntu), Some(release)) => format!("docker.io/library/ubuntu:{release}"),
            (Some(Family::Alpine), Some(release)) => format!("docker.io/library/alpine:{release}"),
            (Some(Family::Debian | Family::Ubuntu | Family::Alpine), None) => {
                return Err("the release of the distribution that builds is not written, so that no image is known to have the same libraries: a tag with it would tell".into());
            }
            _ => return Err("no smaller image of the distribution that builds is known".into()),
        };
        subject
            .named(&reference)
            .ok_or_else(|| "the tag of the base image is a variable that the new base cannot share".into())
    }
}

/// A release of Debian written into a tag that names none, so that the libraries of both images are the same.
#[derive(Clone, Debug)]
pub(super) struct Pin {
    pub(super) codename: String,
    release: String,
    pub(super) edit: Edit,
}

impl Pin {
    /// The release to write into the tag of an official image of a language; `None` where there is one, or no image of
    /// that version is known to have it.
    pub(super) fn of(subject: &Subject<'_>) -> Option<Self> {
        let root = subject.target.root();
        let image = subject.target.named_image()?;
        let name = image.reference.name();
        let first = match name.as_ref() {
            "docker.io/library/rust" => 71,
            "docker.io/library/golang" => 21,
            _ => return None,
        };
        let system = System::of(subject);
        let word = root.base_word()?;
        let is_plain = root.base_value().depends.is_empty() && image.reference.digest().is_none();
        if system.family != Some(Family::Debian) || system.release.is_some() || !is_plain {
            return None;
        }
        let tag = image.reference.tag().unwrap_or("latest");
        let text = String::from_utf8_lossy(&word.text).into_owned();
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        let pinned = |codename: &str, release: &str, text: String| {
            let edit = editor.replace(root.base_span(), text);
            Some(Self { codename: codename.to_owned(), release: release.to_owned(), edit })
        };
        // Docker's official images: bookworm since June 2023, trixie since August 2025.
        let minor = tag.strip_prefix("1.").map(|rest| rest.split(['.', '-']).next().unwrap_or(rest));
        match (tag, minor.and_then(|minor| minor.parse::<u32>().ok())) {
            ("latest", _) if !text.contains(':') => pinned("trixie", "13", format!("{text}:1-trixie")),
            ("1" | "slim", _) => pinned("trixie", "13", format!("{text}-trixie")),
            ("latest", _) => pinned("trixie", "13", text.replace(":latest", ":1-trixie")),
            (_, Some(minor)) if minor >= first => pinned("bookworm", "12", format!("{text}-bookworm")),
            _ => None,
        }
    }
}

pub(super) fn codename(release: &str) -> Option<&'static str> {
    Some(match release.split('.').next()? {
        "13" => "trixie",
        "12" => "bookworm",
        "11" => "bullseye",
        "10" => "buster",
        _ => return None,
    })
}

fn is_at_most(version: &str, limit: &str) -> bool {
    let numbers = |text: &str| text.split('.').filter_map(|part| part.parse::<u32>().ok()).collect::<Vec<_>>();
    numbers(version) <= numbers(limit)
}

/// `rulesets/recipes/compiled.toml`.
#[derive(Debug, Deserialize)]
pub(super) struct Data {
    pub(super) images: Images,
    glibc: Glibc,
}

#[derive(Debug, Deserialize)]
pub(super) struct Images {
    #[serde(rename = "static")]
    pub(super) fixed: String,
    pub(super) base: String,
    pub(super) cc: String,
    glibc: String,
    debian: String,
}

#[derive(Debug, Deserialize)]
struct Glibc {
    debian: BTreeMap<String, String>,
    ubuntu: BTreeMap<String, String>,
}

pub(super) fn data() -> &'static Data {
    static DATA: OnceLock<Data> = OnceLock::new();
    DATA.get_or_init(|| {
        toml::from_str(include_str!("../../../rulesets/recipes/compiled.toml"))
            .expect("the shipped recipe is well formed")
    })
}

/// What keeps an image from having no shell, as one sentence for each.
pub(super) fn declined_for_shell(account: &Account) -> Option<Declined> {
    let first = account.shell.first()?;
    let reason =
        format!("{}:{}: {}: without that, an image without a shell would do", first.path, first.line, first.shows);
    Some(Declined { rung: Rung::NoShell, reason: reason.into() })
}
