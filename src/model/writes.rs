//! What the program of an image writes while it runs: directories that its user must own, each with what says so.
//!
//! Evidence is `VOLUME`, what steps make writable or give away, what compose files and manifests mount, the text of
//! programs and configuration in the build context, and what frameworks are known to write (Rails: `log`, `tmp`;
//! Laravel: `storage`; …). It is a list of what was found, never a proof that there is nothing else.

use super::{
    CopySource, Evidence, Step,
    compose::ServiceMountKind,
    documented::ShownMount,
    graph::Callers,
    path,
    privilege::is_of_root,
    program_text::{self, PathText},
    script::StepCommand,
    script_writes::{ScriptWrite, script_writes},
    shipped::{ContextText, Shipped, below, is_program},
    stage::Stage,
    startup::script::changed,
};
use crate::{
    context::{self, BuildContext},
    syntax::{
        dockerfile::{Arguments, Keyword},
        shell::Word,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the writes of an image.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// Directories that are written, sorted; none lies below another.
    pub places: Vec<Written>,
    /// How many files of the build context were read for it.
    pub files: usize,
    /// What says that it needs a directory for temporary files: `/tmp`.
    pub temporary: Option<Evidence>,
    /// What says that it needs a home.
    pub home: Option<Evidence>,
    /// Directories of the system that a start script writes, which are nobody's but root's.
    pub system: Vec<Written>,
    /// The working directory of an interpreted program of which nothing could be read, where nothing else says what it
    /// writes: databases, logs and numbers of processes lie there unless somebody chose another place.
    pub assumed: Option<Written>,
}

/// A directory that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The absolute path in the image.
    pub path: String,
    /// Whether only the directory itself is written, and not what is shipped below it: a database beside the code.
    pub is_shallow: bool,
    /// Whether it is no directory but a file that is there already: a database that the image is shipped with.
    pub is_file: bool,
    /// The file that says so, written as the checked file's path is.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
}

/// Paths of images that are read at run time, or that everybody may write, or that programs never keep things in.
const NEVER: [&str; 21] = [
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/include",
    "/usr/share",
    "/usr/local",
    "/etc",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/boot",
    "/proc",
    "/sys",
    "/dev",
    "/tmp",
    "/root",
    "/run",
    "/var/tmp",
];

/// Directories that hide what the image holds there from what is bound over the directory above; nobody keeps data in them.
const DEPENDENCIES: [&str; 6] = ["node_modules", "vendor", "venv", ".venv", "target", "site-packages"];

/// So deep, and in so many directories, databases are looked for.
const DEEPEST_DATABASE: usize = 2;
const MOST_DIRECTORIES: usize = 256;

/// Servers of Ruby: what they serve without a `Gemfile` to be seen may be Rails, and they keep their own pid files and
/// logs as Rails does (their documentation).
const RUBY_SERVERS: [&str; 7] = ["passenger", "rackup", "puma", "unicorn", "unicorn_rails", "rainbows", "thin"];

/// Programs that start the text of another.
const OF_TEXTS: [&str; 18] = [
    "node",
    "npm",
    "yarn",
    "pnpm",
    "python",
    "pypy",
    "gunicorn",
    "uvicorn",
    "flask",
    "celery",
    "ruby",
    "bundle",
    "rails",
    "perl",
    "php",
    "streamlit",
    "bun",
    "deno",
];

/// Directories in which programs keep things, whatever these are called.
const STATE: [&str; 6] = ["/var/lib", "/var/log", "/var/cache", "/var/spool", "/data", "/mnt"];

impl Stage<'_> {
    /// What the program of the image made of this stage writes, as far as the file and `context` tell.
    pub fn writes(self, context: &BuildContext<'_>) -> Writes {
        let mut search = Search {
            stage: self,
            context,
            shipped: self.shipped(),
            built_from: self.built_from(),
            made: self.chain_steps().flat_map(made).collect(),
            found: BTreeMap::new(),
            files: 0,
            has_gemfile: false,
            temporary: None,
            home: None,
            system: Vec::new(),
            opened: None,
        };
        search.instructions();
        search.copied_whole();
        search.callers();
        search.shown_runs();
        search.context_files();
        search.rails();
        search.django();
        search.cloned();
        search.schedule();
        search.start_scripts();
        search.start_commands();
        search.whole_directory();
        let assumed = search.assumed();
        let mut places: Vec<Written> = Vec::new();
        for written in std::mem::take(&mut search.found).into_values() {
            let is_below = places.last().is_some_and(|last| !last.is_shallow && is_in(&written.path, &last.path));
            if !is_below {
                places.push(written);
            }
        }
        let Search { files, temporary, home, system, .. } = search;
        Writes { places, files, temporary, home, system, assumed }
    }
}

/// The directories that a step makes, and what it copies whole.
fn made(step: Step<'_>) -> Vec<String> {
    match step.keyword() {
        Keyword::Copy => step.destination().and_then(|word| step.absolute_arg(word)).into_iter().collect(),
        _ => step.made_directories(),
    }
}

/// The directories that the steps of a stage clone repositories into, each with its line.
fn clones(stage: Stage<'_>) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for step in stage.chain_steps().filter(|step| step.keyword() == Keyword::Run) {
        let mut directory = step.workdir().path.known().map(str::to_owned);
        for command in step.commands() {
            if command.name() == Some("cd") {
                directory = changed(directory.as_deref(), command.command);
            }
            if command.name() != Some("git") {
                continue;
            }
            let words: Vec<String> = command.command.arguments().map(|word| word.text().into_owned()).collect();
            if words.first().is_none_or(|verb| verb != "clone") {
                continue;
            }
            let is_repository = |word: &String| word.contains("://") || word.starts_with("git@");
            let Some(at) = words.iter().position(is_repository) else { continue };
            let name = || path::file_name(words[at].trim_end_matches('/')).trim_end_matches(".git").to_owned();
            let into = words[at + 1..].iter().find(|word| !word.starts_with('-')).cloned().unwrap_or_else(name);
            if directory.is_some() || into.starts_with('/') {
                found.push((path::join(directory.as_deref().unwrap_or("/"), &into), step.instruction().lines.0));
            }
        }
    }
    found
}

fn is_in(path: &str, directory: &str) -> bool {
    below(path, directory).is_some()
}

struct Search<'s, 'm> {
    stage: Stage<'m>,
    context: &'s BuildContext<'s>,
    shipped: Vec<Shipped>,
    built_from: Vec<Shipped>,
    /// Directories that steps make or copy.
    made: BTreeSet<String>,
    found: BTreeMap<String, Written>,
    files: usize,
    /// Whether a `Gemfile` was read, which tells whether it is Rails.
    has_gemfile: bool,
    temporary: Option<Evidence>,
    home: Option<Evidence>,
    system: Vec<Written>,
    /// The line of a build that opens the whole working directory to others.
    opened: Option<u32>,
}

impl Search<'_, '_> {
    /// What the Dockerfile itself says.
    fn instructions(&mut self) {
        let file = self.stage.model().file;
        for step in self.stage.chain_steps() {
            let line = step.instruction().lines.0;
            match step.keyword() {
                Keyword::Volume => {
                    let (Arguments::Json(words) | Arguments::Words(words)) = step.arguments() else { continue };
                    for path in words.iter().filter_map(|word| step.absolute_arg(word)) {
                        self.add(&path, false, &file.path, line);
                    }
                }
                // Deno keeps there what it fetches and compiles (Deno's manual, "Environment variables").
                Keyword::Env => {
                    let directory = step.assigned().iter().find(|variable| &*variable.name == "DENO_DIR");
                    let path = directory.and_then(|variable| variable.value.as_ref()?.known());
                    if let Some(path) = path.filter(|path| path.starts_with('/')) {
                        self.add(path.trim_end_matches('/'), false, &file.path, line);
                    }
                }
                Keyword::Run => {
                    for (path, span) in step.given_away() {
                        let line = file.locate(span.start).line;
                        self.add_if_specific(&path, &file.path, line);
                    }
                }
                _ => {}
            }
        }
    }

    /// What a build gives away in directories that are copied out of it to the same place.
    fn copied_whole(&mut self) {
        let file = self.stage.model().file;
        for step in self.stage.chain_steps().filter(|step| step.instruction().flag("chown").is_none()) {
            let Some(CopySource::Stage(index)) = step.copy_source() else { continue };
            let Some(build) = step.model().stage(index) else { continue };
            let Some(to) = step.destination().and_then(|word| step.absolute_arg(word)) else { continue };
            let sources = step.sources();
            let [source] = sources.as_slice() else { continue };
            if source.text.trim_end_matches('/') != to {
                continue;
            }
            let steps = build.chain_steps().filter(|step| step.keyword() == Keyword::Run);
            for (path, span) in steps.flat_map(Step::given_away) {
                let line = file.locate(span.start).line;
                if self.stage.workdir().path.known() == Some(&*path) {
                    self.opened.get_or_insert(line);
                }
                if is_in(&path, &to) {
                    self.add_if_specific(&path, &file.path, line);
                }
            }
        }
    }

    /// The whole working directory, where a build opens it and nothing tells which part of it is written.
    fn whole_directory(&mut self) {
        let Some(line) = self.opened.filter(|_| self.found.is_empty()) else { return };
        let Some(path) = self.stage.workdir().path.known().map(str::to_owned) else { return };
        let file = self.stage.model().file.path.clone();
        self.add(&path, false, &file, line);
    }

    /// What those that run the image mount into it to be written.
    fn callers(&mut self) {
        let callers = Callers::of(*self.context);
        for mount in callers.of_target(self.stage.name()).flat_map(|caller| &caller.mounts) {
            let Some(target) = mount.target.as_deref().filter(|target| target.starts_with('/')) else { continue };
            let (path, line) = (path::join("/", target), mount.place.line);
            let holds_no_data = DEPENDENCIES.contains(&path::file_name(&path));
            match mount.kind {
                _ if mount.is_read_only || holds_no_data => {}
                ServiceMountKind::Volume | ServiceMountKind::Anonymous => {
                    self.add(&path, false, &mount.place.path, line);
                }
                // Sources are bound over the code that the image holds while somebody works on them.
                ServiceMountKind::Bind => self.add_if_specific(&path, &mount.place.path, line),
                ServiceMountKind::Memory | ServiceMountKind::Unknown => {}
            }
        }
    }

    /// What people are told to mount into it when they run it.
    fn shown_runs(&mut self) {
        let workdir = self.stage.workdir().path.known().unwrap_or("/").to_owned();
        for run in self.stage.shown_runs(self.context) {
            // Sources are mounted over the code of the image while somebody works on them.
            let holds_data = |mount: &&ShownMount| mount.is_written() && !is_in(&workdir, &mount.target);
            for mount in run.mounts.iter().filter(holds_data) {
                self.add(&mount.target, false, &run.file, run.line);
            }
        }
    }

    /// A path that a step makes writable; the whole working directory is more than a program can need.
    fn add_if_specific(&mut self, path: &str, file: &str, line: u32) {
        let workdir = self.stage.workdir().path.known().unwrap_or("/").to_owned();
        if is_in(&workdir, path)
            || path.matches('/').count() < 2 && !program_text::is_kept(path)
            || path.rsplit('/').next().is_some_and(|name| name.contains('.'))
        {
            return;
        }
        self.add(path, false, file, line);
    }

    fn context_files(&mut self) {
        let Some((root, texts)) = self.stage.context_texts(self.context) else { return };
        self.files = texts.len();
        let writes = texts.iter().any(|file| is_program(&file.path) && program_text::writes(&file.text));
        for file in &texts {
            let ContextText { path, text } = file;
            self.frameworks(&root, path, text);
            if is_program(path) {
                self.needs(file);
            }
            let named = if is_program(path) { program_text::paths(text) } else { program_text::configured(text) };
            if writes || named.iter().any(|path| path.is_written) {
                for each in named {
                    self.named(&root, path, &each);
                }
            }
        }
        self.databases(&root, &texts);
    }

    /// Databases of `SQLite` that are copied into the image, where a text speaks of them: the file is written, and its
    /// directory, in which `SQLite` keeps its journal.
    fn databases(&mut self, root: &str, texts: &[ContextText]) {
        const ENDINGS: [&str; 4] = [".sqlite", ".sqlite3", ".db", ".db3"];
        let mut open: Vec<(String, usize)> = vec![(String::new(), 0)];
        let mut at = 0;
        while let Some((directory, depth)) = open.get(at).cloned().filter(|_| at < MOST_DIRECTORIES) {
            at += 1;
            for entry in self.context.list(&context::join(root, &directory)).iter() {
                let inside =
                    if directory.is_empty() { entry.name.clone() } else { format!("{directory}/{}", entry.name) };
                if entry.is_directory {
                    let is_own = !entry.name.starts_with('.') && !DEPENDENCIES.contains(&&*entry.name);
                    open.extend((is_own && depth < DEEPEST_DATABASE).then_some((inside, depth + 1)));
                    continue;
                }
                let is_database = ENDINGS.iter().any(|end| entry.name.len() > end.len() && entry.name.ends_with(end));
                let is_meant = || {
                    let is_of_sqlite = entry.name.contains(".sqlite");
                    let speaks = |text: &str| text.contains(&entry.name) || is_of_sqlite && text.contains("sqlite");
                    texts.iter().find(|file| speaks(&file.text))
                };
                let Some(by) = is_database.then(is_meant).flatten() else { continue };
                let Some(place) = self.in_image(&directory) else { continue };
                let name = if by.text.contains(&entry.name) { entry.name.as_str() } else { "sqlite" };
                let line = by.text.lines().position(|line| line.contains(name)).map_or(1, |line| line as u32 + 1);
                let path = path::join(&place, &entry.name);
                self.add(&place, true, &by.path, line);
                self.add(&path, true, &by.path, line);
                self.found.entry(path).and_modify(|written| written.is_file = true);
            }
        }
    }

    /// What the commands of scripts write that start the image.
    fn start_scripts(&mut self) {
        for script in self.stage.start_scripts(self.context) {
            for ScriptWrite { path, line, is_shallow } in script_writes(self.stage, &script.script) {
                if path == "/" || is_of_root(&path) && !self.is_of_own_prefix(&path) {
                    let file = script.file.path.clone();
                    self.system.push(Written { path, is_shallow, is_file: false, file, line });
                    continue;
                }
                let is_shipped = || self.shipped.iter().any(|shipped| is_in(&path, &shipped.place));
                if !is_shallow || !is_shipped() {
                    self.add(&path, is_shallow, &script.file.path, line);
                }
            }
        }
    }

    /// What the commands of the start itself write: `CMD sed -i … config && program`.
    fn start_commands(&mut self) {
        let file = self.stage.model().file.path.clone();
        for step in self.stage.start_steps() {
            let Some(script) = step.script() else { continue };
            for ScriptWrite { path, is_shallow, .. } in script_writes(self.stage, &script.script) {
                let line = step.instruction().lines.0;
                if path == "/" {
                    self.system.push(Written { path, is_shallow, is_file: false, file: file.clone(), line });
                } else if !is_of_root(&path) || self.is_of_own_prefix(&path) {
                    self.add(&path, is_shallow, &file, line);
                }
            }
            for command in step.commands() {
                self.told_files(&command, &file);
                self.told_directories(&command, &file);
            }
        }
    }

    /// The files that a server of the start is told to write: what keeps its number, its logs, its state (the settings of
    /// Gunicorn, Puma, uWSGI and Celery). Beside them it makes others, so that their directory is what it needs.
    fn told_files(&mut self, command: &StepCommand<'_>, file: &str) {
        const OPTIONS: [&str; 9] = [
            "--pid",
            "--pidfile",
            "--pid-file",
            "--access-logfile",
            "--error-logfile",
            "--log-file",
            "--logfile",
            "--logto",
            "--statefile",
        ];
        let Some(workdir) = self.stage.workdir().path.known().map(str::to_owned) else { return };
        let line = command.step.instruction().lines.0;
        let words: Vec<_> = command.command.words().map(Word::text).collect();
        for (at, word) in words.iter().enumerate() {
            let (option, joined) =
                word.split_once('=').map_or((&**word, None), |(option, value)| (option, Some(value)));
            let value = joined.or_else(|| words.get(at + 1).map(|word| &**word));
            let Some(value) = value.filter(|_| OPTIONS.contains(&option)) else { continue };
            let is_path = !value.is_empty() && !value.starts_with(['-', '$']) && !value.contains(['$', '%', ':']);
            if !is_path {
                continue;
            }
            let path = path::join(&workdir, value);
            let above = path.rsplit_once('/').map_or("/", |(above, _)| above);
            if !is_of_root(&path) || self.is_of_own_prefix(&path) {
                self.add(if above.is_empty() { "/" } else { above }, above == workdir, file, line);
            }
        }
    }

    /// The directories that the start tells its program to keep things in, by options that say so: `--data_dir /data`,
    /// `-dbpath=/data/db`, `--storage.tsdb.path=/prometheus`.
    fn told_directories(&mut self, command: &StepCommand<'_>, file: &str) {
        let line = command.step.instruction().lines.0;
        // An entry point and the arguments of `CMD` behind it are one command.
        let words: Vec<_> = command.command.words().map(Word::text).collect();
        for (at, word) in words.iter().enumerate() {
            let Some(option) = word.strip_prefix('-') else { continue };
            let (option, joined) =
                option.split_once('=').map_or((option, None), |(option, value)| (option, Some(value)));
            let value = joined.or_else(|| words.get(at + 1).map(|word| &**word));
            let Some(value) = value.filter(|value| value.starts_with('/') && says_data(option)) else { continue };
            if value.contains(['$', '%', ':', '*', ',']) || is_of_root(value) && !self.is_of_own_prefix(value) {
                continue;
            }
            let path = value.trim_end_matches('/');
            let is_file = path::file_name(path).contains('.');
            let directory = if is_file { path.rsplit_once('/').map_or("", |(above, _)| above) } else { path };
            if !directory.is_empty() {
                self.add(directory, is_file, file, line);
            }
        }
    }

    /// What a program needs that most images have.
    fn needs(&mut self, file: &ContextText) {
        let temporary = || program_text::temporary(&file.text).map(|line| file.evidence(line, "makes temporary files"));
        self.temporary = self.temporary.take().or_else(temporary);
        let home = || program_text::home(&file.text).map(|line| file.evidence(line, "asks for the home of its user"));
        self.home = self.home.take().or_else(home);
    }

    /// A path that a file of the context names.
    fn named(&mut self, root: &str, file: &str, named: &PathText) {
        let workdir = self.stage.workdir().path.known().map(str::to_owned);
        let inside = below_root(file, root);
        let beside = || self.in_image(inside.rsplit_once('/').map_or("", |(directory, _)| directory));
        let base = if named.is_beside { beside().or_else(|| workdir.clone()) } else { workdir.clone() };
        let relative = if named.is_beside { named.path.trim_start_matches('/') } else { &named.path };
        let path = match (relative.starts_with('/'), base) {
            (true, _) => path::join("/", relative),
            (false, Some(base)) => path::join(&base, relative),
            (false, None) => return,
        };
        // A name with an extension is a file: what is written is its directory. So is what is not made itself in a
        // directory of state that a step makes.
        let (above, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let above = if above.is_empty() { "/" } else { above };
        let is_of_made = || self.made.contains(above) && !self.made.contains(&path);
        let is_file = named.is_opened
            || name.trim_start_matches('.').contains('.')
            || STATE.iter().any(|state| above != *state && is_in(above, state)) && is_of_made();
        let directory = if is_file { above } else { &path };
        let Some(workdir) = workdir.as_deref().filter(|workdir| *workdir != "/") else {
            if STATE.iter().any(|state| is_in(directory, state)) && named.path.starts_with('/') {
                self.add(directory, false, file, named.line);
            }
            return;
        };
        let is_of_app = is_in(directory, workdir) && directory != workdir;
        let is_state = STATE.iter().any(|state| is_in(directory, state));
        if is_state {
            return self.add(directory, false, file, named.line);
        }
        if directory == workdir {
            // A file beside the code: the directory is written, what is shipped in it is not.
            if named.is_written && is_file {
                self.add(directory, true, file, named.line);
            }
            return;
        }
        let is_kept = program_text::is_kept(directory.strip_prefix(workdir).unwrap_or(directory));
        let is_new = || !self.is_shipped(root, directory);
        let is_configured = !is_program(file) && named.path.starts_with('/');
        let counts = if is_of_app {
            is_kept || (named.is_written || is_configured) && is_new()
        } else {
            let is_made = named.is_written && is_program(file) && is_new();
            (is_kept || is_made) && ["/srv", "/opt", "/home", "/app"].iter().any(|place| is_in(directory, place))
        };
        if counts {
            self.add(directory, false, file, named.line);
        }
    }

    /// What frameworks write, told by the files that they cannot be without.
    fn frameworks(&mut self, root: &str, file: &str, text: &str) {
        let inside = below_root(file, root);
        let (directory, name) = inside.rsplit_once('/').map_or(("", inside), |(directory, name)| (directory, name));
        self.has_gemfile |= name == "Gemfile";
        let writes: &[&str] = match name {
            // Rails guides, "Getting started": the directory structure of an application.
            "Gemfile" if text.contains("rails") || text.contains("railties") => &["log", "tmp", "storage"],
            // Laravel documentation, "Directory structure" and "Directory permissions".
            "composer.json" if text.contains("laravel/framework") => &["storage", "bootstrap/cache"],
            // Symfony documentation, "Best practices": cache and logs lie in var.
            "composer.json" if text.contains("symfony/framework-bundle") => &["var"],
            // Next.js documentation, "Caching": pages that are made again lie in .next/cache.
            "package.json" if text.contains("\"next\"") => &[".next/cache"],
            _ => &[],
        };
        if writes.is_empty() {
            return;
        }
        let line = 1 + text
            .lines()
            .take_while(|line| {
                !["rails", "railties", "laravel/framework", "symfony/framework-bundle", "\"next\""]
                    .iter()
                    .any(|word| line.contains(word))
            })
            .count();
        let Some(base) = self.in_image(directory).or_else(|| self.stage.workdir().path.known().map(str::to_owned))
        else {
            return;
        };
        for path in writes {
            self.add(&path::join(&base, path), false, file, line as u32);
        }
    }

    /// Rails in the working directory, told by the steps where no `Gemfile` is seen: then the database may lie beside
    /// the code too (Rails guides, "Getting started" and "Configuring a database").
    fn rails(&mut self) {
        let is_rails = |command: &StepCommand<'_>| {
            let is_start = command.step.keyword() != Keyword::Run;
            let serves =
                |word: &str| is_start && word.split(' ').any(|word| RUBY_SERVERS.contains(&path::file_name(word)));
            let mut words = command.command.words().map(Word::text);
            let runs = words.any(|word| {
                word == "rails" || word.ends_with("/rails") || word == "assets:precompile" || serves(&word)
            });
            runs && !command.invocation().is_some_and(|invocation| matches!(invocation.name(), Some("gem" | "rm")))
        };
        let told = self.stage.start_steps().into_iter().chain(self.stage.chain_steps()).find(|step| {
            let is_command = matches!(step.keyword(), Keyword::Run | Keyword::Cmd | Keyword::Entrypoint);
            is_command && step.commands().any(|command| is_rails(&command))
        });
        let (Some(step), Some(workdir)) = (told, self.stage.workdir().path.known()) else { return };
        if self.has_gemfile || workdir == "/" {
            return;
        }
        let (line, _) = step.instruction().lines;
        let file = self.stage.model().file.path.clone();
        for path in ["db", "log", "storage", "tmp"] {
            self.add(&path::join(workdir, path), false, &file, line);
        }
    }

    /// Django's own server or its migrations in the working directory, where no settings are seen: by default it keeps
    /// `SQLite` beside the code (Django's documentation, "Writing your first Django app", part 2).
    fn django(&mut self) {
        let is_told = |step: &Step<'_>| {
            step.commands().any(|command| {
                let words: Vec<String> = command.command.words().map(|word| word.text().into_owned()).collect();
                words.iter().any(|word| path::file_name(word) == "manage.py")
                    && words.iter().any(|word| matches!(word.as_str(), "runserver" | "migrate"))
            })
        };
        let told = self.stage.start_steps().into_iter().find(is_told);
        let (Some(step), Some(workdir), 0) = (told, self.stage.workdir().path.known(), self.files) else { return };
        if workdir != "/" {
            let file = self.stage.model().file.path.clone();
            self.add(workdir, false, &file, step.instruction().lines.0);
        }
    }

    /// The repository that a step clones and the start runs as it is: nobody sees here what it writes beside itself.
    fn cloned(&mut self) {
        let Some(workdir) = self.stage.workdir().path.known().map(str::to_owned) else { return };
        if self.starts_text(&OF_TEXTS).is_none() {
            return;
        }
        let copied = self.stage.chain_steps().filter_map(|step| {
            let Some(CopySource::Stage(index)) = step.copy_source() else { return None };
            let to = step.destination().and_then(|word| step.absolute_arg(word))?;
            let is_same = step.sources().iter().any(|source| source.text.trim_end_matches('/') == to);
            step.model().stage(index).filter(|_| is_same).map(|stage| (stage, to))
        });
        let own = clones(self.stage);
        let copied = copied.flat_map(|(stage, to)| clones(stage).into_iter().filter(move |(path, _)| is_in(path, &to)));
        let found = own.into_iter().chain(copied).find(|(path, _)| is_in(&workdir, path));
        let Some((path, line)) = found else { return };
        let file = self.stage.model().file.path.clone();
        self.add(&path, false, &file, line);
    }

    /// The working directory, where nothing tells what is written and nothing of the program could be read.
    fn assumed(&self) -> Option<Written> {
        let workdir = self.stage.workdir().path.known()?;
        if self.files > 0 || !self.found.is_empty() || !self.may_keep(workdir) {
            return None;
        }
        let line = self.starts_text(&OF_TEXTS).or_else(|| self.starts_text(&["java"]))?;
        let file = self.stage.model().file.path.clone();
        Some(Written { path: workdir.to_owned(), is_shallow: true, is_file: false, file, line })
    }

    /// The line of the start that runs a text, or a program of a virtual machine, with one of `programs`.
    fn starts_text(&self, programs: &[&str]) -> Option<u32> {
        let runs_text = |command: StepCommand<'_>| {
            let name = command.name().map(|name| name.trim_end_matches(|end: char| end.is_ascii_digit() || end == '.'));
            name.is_some_and(|name| programs.contains(&name))
        };
        let step = self.stage.start_steps().into_iter().find(|step| step.commands().any(runs_text))?;
        Some(step.instruction().lines.0)
    }

    /// Celery's scheduler keeps `celerybeat-schedule` and `celerybeat.pid` in its working directory, unless it is told
    /// another place or another scheduler (Celery's reference, "celery beat": `-s`, `-S`, `--pidfile`).
    fn schedule(&mut self) {
        const TOLD: [&str; 4] = ["-s", "--schedule", "-S", "--scheduler"];
        let schedules = |command: &StepCommand<'_>| {
            let words: Vec<_> = command.command.words().map(Word::text).collect();
            let has =
                |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.split('=').next().unwrap_or(word)));
            has(&["celery"]) && has(&["beat", "--beat", "-B"]) && !has(&TOLD)
        };
        let told = self.stage.start_steps().into_iter().find(|step| step.commands().any(|command| schedules(&command)));
        let (Some(step), Some(workdir)) = (told, self.stage.workdir().path.known()) else { return };
        let (line, _) = step.instruction().lines;
        let file = self.stage.model().file.path.clone();
        self.add(workdir, true, &file, line);
    }

    /// Where a directory of the context lies in the image; one that is only built from lies where that is done.
    fn in_image(&self, directory: &str) -> Option<String> {
        let place_in = |shipped: &[Shipped]| {
            let places = shipped.iter().filter_map(|Shipped { source, place }| {
                Some((source.len(), path::join(place, below(directory, source)?)))
            });
            places.max_by_key(|(length, _)| *length).map(|(_, place)| place)
        };
        place_in(&self.shipped).or_else(|| place_in(&self.built_from))
    }

    /// Whether a directory of the image comes from the context as it is.
    fn is_shipped(&self, root: &str, directory: &str) -> bool {
        self.shipped.iter().any(|Shipped { source, place }| {
            below(directory, place).is_some_and(|rest| {
                let path = [source.as_str(), rest]
                    .iter()
                    .filter(|part| !part.is_empty())
                    .fold(root.to_owned(), |path, part| context::join(&path, part));
                !self.context.list(&path).is_empty()
            })
        })
    }

    /// Whether a path lies in a working directory that is the program's own although it is below `/usr`.
    fn is_of_own_prefix(&self, path: &str) -> bool {
        let workdir = self.stage.workdir().path.known().unwrap_or("/");
        let depth = if is_in(workdir, "/usr/local") || is_in(workdir, "/usr/share") { 3 } else { usize::MAX };
        let is_shared = ["bin", "sbin", "lib", "etc", "share", "include", "src"].contains(&path::file_name(workdir));
        workdir.matches('/').count() >= depth && !is_shared && is_in(path, workdir)
    }

    /// Whether a program may keep things at `path`.
    fn may_keep(&self, path: &str) -> bool {
        let is_never = matches!(path, "/" | "/usr") || NEVER.iter().any(|never| is_in(path, never));
        !is_never || self.is_of_own_prefix(path)
    }

    fn add(&mut self, path: &str, is_shallow: bool, file: &str, line: u32) {
        if !self.may_keep(path) {
            return;
        }
        let written = Written { path: path.to_owned(), is_shallow, is_file: false, file: file.to_owned(), line };
        let known = self.found.entry(path.to_owned()).or_insert(written);
        known.is_shallow &= is_shallow;
    }
}

/// Whether an option names a place that a program writes: `data-dir`, `dbpath`, `storage.tsdb.path`.
fn says_data(option: &str) -> bool {
    const PARTS: [&str; 14] = [
        "data", "datadir", "datapath", "db", "dbpath", "dbdir", "storage", "store", "state", "statedir", "cache",
        "spool", "logdir", "uploads",
    ];
    option.split(['-', '_', '.']).any(|part| PARTS.contains(&part.to_ascii_lowercase().as_str()))
}

fn below_root<'p>(file: &'p str, root: &str) -> &'p str {
    if root.is_empty() { file } else { file.strip_prefix(root).unwrap_or(file).trim_start_matches('/') }
}
