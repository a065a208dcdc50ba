//! Python: what `pip` installs goes into a virtual environment, which runs on the slim variant of the same release, or
//! on a base without a shell that has the same Python.
//!
//! Facts: venv in Python's library reference (an environment is tied to its path and to the interpreter), the README of
//! the official `python` image (variants), uv's and Poetry's documentation on where environments lie, the README of
//! distroless (`python3`: `/usr/bin/python3` is the entry point).

mod requirements;

use super::common::{add_libraries, ask_for_health, change, climbing, outside, place};
use requirements::Requirements;

use crate::{
    harden::{
        Declined, Proposal, Rung, Runtime, Subject, Taken,
        effect::{self, Ecosystem, Effect, Kind},
        packages,
    },
    knowledge::{Code, Fact},
    model::{Process, StartWord, Step, file_name},
    syntax::{
        dockerfile::{Editor, Keyword},
        shell::Word,
    },
    text::Edit,
};
use memchr::memmem;

/// Where the packages of the program go.
const ENVIRONMENT: &str = "/opt/venv";

/// The interpreter in distroless images.
const DISTROLESS_PYTHON: &str = "/usr/bin/python3";

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    if image.reference.name().rsplit('/').next() != Some("python") {
        return None;
    }
    let facts = image.facts.as_deref();
    let slim = facts.and_then(|facts| facts.slim.known()).and_then(|slim| subject.named(slim));
    let is_slim = facts.is_some_and(|facts| facts.minimal.known() == Some(&true));
    let base = slim.or_else(|| if is_slim { subject.named(&image.reference.normalized()) } else { None });
    let Some(base) = base else {
        let reason = format!("no smaller variant of `{}` is known", image.reference.text());
        let declined = Declined { rung: Rung::RuntimeOnly, reason: reason.into() };
        return Some(Proposal::of("Python", Ok((Vec::new(), vec![declined]))));
    };
    let climb = || {
        let recipe = Recipe::new(subject)?;
        let slim = recipe.slim(base, is_slim)?;
        let better = match facts.and_then(|facts| facts.shell_less.known()) {
            Some(base) => recipe.without_shell(base, &slim),
            None => Err(format!("no base without a shell has the Python of `{}`", image.reference.text())),
        };
        Ok(climbing(better, slim))
    };
    Some(Proposal::of("Python", climb().map_err(|reason: String| reason.into())))
}

/// Where the packages of the program lie once they are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packages {
    /// `pip` installs them into an environment that the build is given.
    Environment,
    /// In `.venv` beside the program.
    Beside,
    /// In an environment that the author's steps make, and that the path of programs names.
    Own,
    /// In the interpreter's own directories.
    Interpreter,
    /// There are none.
    None,
}

struct Recipe<'s, 'a> {
    subject: &'s Subject<'a>,
    effects: Vec<Effect<'a>>,
    /// Where the program lies.
    home: String,
    packages: Packages,
    requirements: Requirements,
}

impl<'s, 'a> Recipe<'s, 'a> {
    fn new(subject: &'s Subject<'a>) -> Result<Self, String> {
        let effects = effect::effects(subject);
        let home =
            subject.workdir().ok_or("the working directory is not known, or it is the root of the file system")?;
        let packages = if own_environment(subject, &effects)? { Packages::Own } else { packages_of(&effects)? };
        let requirements = Requirements::of(subject, &effects);
        Ok(Self { subject, effects, home: home.to_owned(), packages, requirements })
    }

    /// The image on `base`; `was_slim` tells whether the author's own is no larger.
    fn slim(&self, base: String, was_slim: bool) -> Result<Runtime, String> {
        let mut runtime = Runtime { base, taken: vec![Taken::at(self.home.clone())], ..Runtime::default() };
        runtime.changes.push(change(
            "Run on the slim variant of the same release",
            "it has the same Python of the same distribution, without compilers and what else a build needs",
            self.subject.evidence(self.subject.target.root().base_span(), "the base that builds"),
        ));
        self.take_packages(&mut runtime)?;
        outside(self.subject, &self.effects, &self.home, &mut runtime)?;
        let kept = packages::kept(self.subject, &self.effects, self.subject.programs());
        if let Some(place) = kept.unknown {
            return Err(format!("line {} {}, and what that needs at run time is not known", place.line, place.shows));
        }
        runtime.packages = kept.install;
        runtime.changes.extend(kept.changes);
        if !was_slim {
            self.add_libraries(&mut runtime)?;
        }
        self.start(&mut runtime);
        if self.path_is_of_root() {
            runtime.left_out.push("PATH".to_owned());
        }
        Ok(runtime)
    }

    /// Whether all that the author puts on the path of programs lies in the home of root: tools of the build.
    fn path_is_of_root(&self) -> bool {
        let steps = self.subject.steps();
        let set = steps.iter().filter(|step| step.keyword() == Keyword::Env).flat_map(|step| step.assigned());
        let mut paths = set.filter(|variable| &*variable.name == "PATH").peekable();
        let is_of_root = |value: &str| value.split(':').filter(|part| part.starts_with("/root/")).count() == 1;
        paths.peek().is_some()
            && paths.all(|variable| {
                variable.value.as_ref().is_some_and(|value| value.text.starts_with("/root/") && is_of_root(&value.text))
            })
    }

    /// Installs the libraries that packages of Python load: the full base has them all, smaller ones have none.
    fn add_libraries(&self, runtime: &mut Runtime) -> Result<(), String> {
        if let Some(unread) = &self.requirements.unread {
            return Err(format!("{unread}, so which libraries the packages load is not known"));
        }
        let packages = self.requirements.found.iter().chain(&self.requirements.locked);
        let known = |name: &str| self.subject.cx.knowledge.python_distribution(name);
        add_libraries(self.subject, packages.map(|(name, place)| (known(name), place.clone())), runtime)
    }

    fn take_packages(&self, runtime: &mut Runtime) -> Result<(), String> {
        let installs =
            |effect: &&Effect<'_>| matches!(effect.kind, Kind::LanguagePackages { ecosystem: Ecosystem::Python, .. });
        let is_packages = |effect: &&Effect<'_>| installs(effect) && !installs_manager(effect);
        let first = self.effects.iter().find(is_packages).or_else(|| self.effects.iter().find(installs));
        let Some(first) = first else { return Ok(()) };
        match self.packages {
            Packages::None | Packages::Own => {}
            Packages::Interpreter => runtime.taken.insert(0, Taken::at("/usr/local")),
            Packages::Beside => self.own_interpreter()?,
            Packages::Environment => {
                let tag = self.subject.target.image().and_then(|image| image.reference.tag());
                if tag.is_some_and(|tag| tag == "2" || tag.starts_with("2.") || tag.starts_with("2-")) {
                    return Err("Python 2 has no `venv` to put its packages into".to_owned());
                }
                self.leaves_interpreter_alone()?;
                let editor = Editor::new(self.subject.cx.file, self.subject.cx.model.syntax);
                let lines = [
                    format!("ENV VIRTUAL_ENV={ENVIRONMENT}"),
                    "ENV PATH=$VIRTUAL_ENV/bin:$PATH".to_owned(),
                    "RUN python -m venv $VIRTUAL_ENV".to_owned(),
                ];
                runtime.build.push(editor.insert_before_comments(first.step.instruction(), &lines));
                runtime.taken.insert(0, Taken::at(ENVIRONMENT));
                runtime.environment.push(("VIRTUAL_ENV".to_owned(), ENVIRONMENT.to_owned()));
                runtime.environment.push(("PATH".to_owned(), "$VIRTUAL_ENV/bin:$PATH".to_owned()));
                runtime.changes.push(change(
                    "Install packages into a virtual environment",
                    "it is one directory that can be copied, and the interpreter's own stays as it is",
                    self.subject.evidence(first.span, "the first packages"),
                ));
                self.leave_groups(runtime);
            }
        }
        Ok(())
    }

    /// Whether no step names the interpreter's own packages: what is put beside them there is not in an environment.
    fn leaves_interpreter_alone(&self) -> Result<(), String> {
        let names = |step: &Step<'_>| {
            let text = self.subject.cx.file.bytes(step.instruction().span);
            ["site-packages", "dist-packages"].iter().any(|name| memmem::find(text, name.as_bytes()).is_some())
        };
        match self.subject.steps().into_iter().find(names) {
            Some(step) => Err(format!(
                "line {} names the interpreter's own packages, which an environment does not have",
                step.instruction().lines.0
            )),
            None => Ok(()),
        }
    }

    /// Leaves groups of packages out that Poetry installs for development.
    fn leave_groups(&self, runtime: &mut Runtime) {
        const GROUPS: [&str; 8] = ["dev", "test", "tests", "testing", "lint", "docs", "typing", "ci"];
        const TOLD: [&str; 4] = ["--no-dev", "--only", "--without", "--with"];
        let installs = |effect: &&Effect<'_>| {
            matches!(effect.kind, Kind::LanguagePackages { program: "poetry", .. }) && !installs_manager(effect)
        };
        let Some(command) = self.effects.iter().find(installs).and_then(|effect| effect.command) else { return };
        let is_told = |word: Word<'_>| TOLD.iter().any(|flag| word.text().starts_with(flag));
        let found = self.subject.file("pyproject.toml").filter(|_| command.script.is_verbatim());
        let Some(found) = found.filter(|_| !command.command.words().any(is_told)) else { return };
        let text = String::from_utf8_lossy(&found.text).into_owned();
        let Ok(table) = text.parse::<toml::Table>() else { return };
        let groups = table.get("tool").and_then(|tool| tool.get("poetry")?.get("group")?.as_table());
        let groups = groups.into_iter().flat_map(|groups| groups.keys().map(String::as_str));
        let names: Vec<&str> = groups.filter(|name| GROUPS.contains(name)).collect();
        let verb = command.command.words().find(|word| word.bytes() == b"install");
        let (Some(verb), [first, ..]) = (verb, names.as_slice()) else { return };
        let line = text.lines().zip(1..).find(|(line, _)| line.contains(&format!("poetry.group.{first}")));
        let place = place(&found.path, line.map_or(1, |(_, line)| line), "groups of packages");
        let end = command.word_span(verb).end as usize;
        runtime.build.push(Edit::insert(self.subject.cx.file.id, end, format!(" --without {}", names.join(","))));
        runtime.changes.push(change("Leave development packages out", "only development needs their groups", place));
    }

    /// Whether uv takes the interpreter of the base: for another one it fetches its own, which lies in root's home.
    fn own_interpreter(&self) -> Result<(), String> {
        let Some(found) = self.subject.file(".python-version") else { return Ok(()) };
        let wanted = String::from_utf8_lossy(&found.text).trim().to_owned();
        match self.version() {
            Some(version) if wanted == version || wanted.starts_with(&format!("{version}.")) => Ok(()),
            _ => Err(format!("{}:1 wants Python {wanted}, which the base may not have", found.path)),
        }
    }

    /// The program itself in the place of tools that only start it.
    fn start(&self, runtime: &mut Runtime) {
        let startup = self.subject.startup();
        let Some(words) = startup.process.as_ref().and_then(Process::known_words) else { return };
        if startup.launchers.is_empty() || !startup.shell.is_empty() || !startup.before.is_empty() {
            return;
        }
        let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        if self.packages == Packages::Beside && !words[0].contains('/') {
            words[0] = format!("{}/.venv/bin/{}", self.home, words[0]);
        }
        let evidence = startup.hops.last().map(|hop| place(&hop.path, hop.line, &hop.shows));
        runtime.start = Some(self.subject.started_by(words));
        runtime
            .changes
            .extend(evidence.map(|evidence| {
                change("Start the program itself", "what stands before it only looks it up", evidence)
            }));
    }

    /// The image on a base without a shell, given the one on the slim variant.
    fn without_shell(&self, base: &str, slim: &Runtime) -> Result<Runtime, String> {
        if let [package, ..] = slim.packages.as_slice() {
            return Err(format!("it needs the package `{package}`, and a base without a shell takes no packages"));
        }
        let site = match self.packages {
            Packages::None => None,
            Packages::Environment => Some(ENVIRONMENT.to_owned()),
            Packages::Beside => Some(format!("{}/.venv", self.home)),
            Packages::Own => return Err("its packages lie in an environment of the author's own".to_owned()),
            Packages::Interpreter => {
                return Err("its packages lie among the interpreter's own, and the base has another one".to_owned());
            }
        };
        if let Some(compiled) = self.compiled()? {
            return Err(format!("`{compiled}` is compiled for the interpreter of the build and its libraries"));
        }
        self.subject.starts_nothing_else()?;
        let startup = self.subject.startup();
        if let Some(need) = startup.shell.first() {
            return Err(format!(
                "the start needs a shell: {}:{} {}",
                need.evidence.path, need.evidence.line, need.evidence.shows
            ));
        }
        if let Some(before) = startup.before.first() {
            return Err(format!("the start runs `{}` first", before.words.first().map_or("", StartWord::written)));
        }
        let words = startup.process.as_ref().and_then(Process::known_words).ok_or("what it starts is not known")?;
        let [program, arguments @ ..] = words.as_slice() else { return Err("it starts nothing".to_owned()) };
        let name = program.rsplit('/').next().unwrap_or(program);
        let mut command: Vec<String> = match name {
            "python" | "python3" => Vec::new(),
            name => match module_of(name) {
                Some(module) => vec!["-m".to_owned(), module.to_owned()],
                None => return Err(format!("it starts `{program}`, and a base without a shell has only `python3`")),
            },
        };
        command.extend(arguments.iter().map(|word| (*word).to_owned()));
        let mut runtime = slim.clone();
        runtime.base = format!("{base}:nonroot");
        runtime.environment.clear();
        if let Some(site) = site {
            let version = self.version().ok_or("which Python it has is not told")?;
            runtime.environment.push(("PYTHONPATH".to_owned(), format!("{site}/lib/python{version}/site-packages")));
        }
        runtime.start = Some(self.subject.started_with(DISTROLESS_PYTHON, command));
        let words = (
            "Let Python ask for the health check",
            "the base has no other program, and `urlopen` fails for the same answers",
        );
        ask_for_health(self.subject, &mut runtime, words, |probe| probe.by_python(DISTROLESS_PYTHON))?;
        runtime.changes.push(change(
            "Run on a base without a shell",
            "nothing that is started needs one, and the base has the Python that installed the packages",
            self.subject.evidence(self.subject.target.root().base_span(), "the Python that builds"),
        ));
        Ok(runtime)
    }

    /// The first package that is certainly, or perhaps, compiled where it is installed.
    fn compiled(&self) -> Result<Option<String>, String> {
        if self.packages == Packages::None {
            return Ok(None);
        }
        if let Some(unread) = &self.requirements.unread {
            return Err(unread.clone());
        }
        let code = |name: &str| match self.subject.cx.knowledge.python_distribution(name) {
            Fact::Known(package) => Some(package.code),
            Fact::Unknown => None,
        };
        let is_compiled = |name: &str| matches!(code(name), Some(Code::Built | Code::Compiled));
        let mut direct = self.requirements.found.keys();
        let mut locked = self.requirements.locked.keys();
        let compiled = direct.find(|name| is_compiled(name) || code(name).is_none());
        Ok(compiled.or_else(|| locked.find(|name| is_compiled(name))).cloned())
    }

    /// `3.13`, as the base says.
    fn version(&self) -> Option<String> {
        let tag = self.subject.target.image()?.reference.tag()?.to_owned();
        let number: String = tag.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let mut parts = number.split('.');
        Some(format!("{}.{}", parts.next()?, parts.next().filter(|part| !part.is_empty())?))
    }
}

/// The module that a program of a package runs.
fn module_of(program: &str) -> Option<&'static str> {
    Some(match program {
        "gunicorn" => "gunicorn",
        "uvicorn" => "uvicorn",
        "flask" => "flask",
        "hypercorn" => "hypercorn",
        "waitress-serve" => "waitress",
        "celery" => "celery",
        "streamlit" => "streamlit",
        _ => return None,
    })
}

/// Whether the author's steps make an environment that the path of programs names, and install all packages there.
///
/// # Errors
/// It is made, and not all that is installed certainly goes there.
fn own_environment(subject: &Subject<'_>, effects: &[Effect<'_>]) -> Result<bool, String> {
    let makes = |effect: &&Effect<'_>| {
        let words = effect.command.iter().flat_map(|command| command.command.words());
        words.map(Word::text).any(|word| matches!(file_name(&word), "venv" | "virtualenv"))
            && matches!(effect.kind, Kind::Files(_) | Kind::Directories(_))
    };
    let is_set = subject.target.variable("VIRTUAL_ENV").is_some();
    let Some(making) = effects.iter().find(makes) else {
        return if is_set {
            Err("what `VIRTUAL_ENV` names is made by nothing that is seen".to_owned())
        } else {
            Ok(false)
        };
    };
    let line = subject.cx.file.locate(making.span.start).line;
    let path = subject.target.variable("PATH").and_then(|path| path.value.as_ref()).map_or("", |path| &path.text);
    let is_on_path = match &making.kind {
        Kind::Files(places) | Kind::Directories(places) => {
            places.known.iter().any(|place| path.split(':').any(|part| part == format!("{place}/bin")))
        }
        _ => false,
    };
    let installs_before = effects.iter().take_while(|effect| effect.span.start < making.span.start).any(|effect| {
        let Kind::LanguagePackages { ecosystem: Ecosystem::Python, names, .. } = &effect.kind else { return false };
        let is_tool = !names.is_empty() && names.iter().all(|name| requirements::TOOLS.contains(&name.as_str()));
        !is_tool && !installs_manager(effect)
    });
    if !is_on_path || installs_before {
        return Err(format!("line {line} makes an environment of its own, and other packages may lie elsewhere"));
    }
    Ok(true)
}

/// Where the packages go that the steps install.
fn packages_of(effects: &[Effect<'_>]) -> Result<Packages, String> {
    let mut found = Packages::None;
    for effect in effects {
        let Kind::LanguagePackages { ecosystem: Ecosystem::Python, program, names } = &effect.kind else { continue };
        let words: Vec<String> = effect
            .command
            .iter()
            .flat_map(|command| command.command.words().map(|word| word.text().into_owned()).collect::<Vec<_>>())
            .collect();
        let is_tool = !names.is_empty() && names.iter().all(|name| requirements::TOOLS.contains(&name.as_str()));
        if is_tool || installs_manager(effect) {
            continue;
        }
        let goes_elsewhere = ["--user", "--target", "-t", "--prefix", "--root", "--break-system-packages"];
        let own = match *program {
            "pip" | "pip3"
                if words.iter().any(|word| {
                    goes_elsewhere.iter().any(|flag| word == flag || word.starts_with(&format!("{flag}=")))
                }) =>
            {
                return Err(format!("`{}` installs in a place of its own", words.join(" ")));
            }
            // Poetry and Pipenv use the environment that is active.
            "pip" | "pip3" | "python" | "python3" | "poetry" => Packages::Environment,
            "uv" if words.iter().any(|word| word == "sync") => Packages::Beside,
            "pipenv" if !words.iter().any(|word| word == "--system") => Packages::Environment,
            _ => Packages::Interpreter,
        };
        found = match (found, own) {
            (Packages::None, own) => own,
            (found, own) if found == own => found,
            _ => Packages::Interpreter,
        };
    }
    Ok(found)
}

/// Whether a command installs nothing but what manages packages itself, or tells that how to: `pip install poetry==1.8`.
fn installs_manager(effect: &Effect<'_>) -> bool {
    const MANAGERS: [&str; 7] = ["uv", "poetry", "poetry-core", "pipenv", "virtualenv", "pdm", "hatch"];
    let Kind::LanguagePackages { names, .. } = &effect.kind else { return false };
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let length = |text: &str| text.bytes().take_while(is_name).count();
    let is_manager = |text: &String| MANAGERS.contains(&&text[..length(text)]);
    let is_configuration = effect.command.is_some_and(|command| {
        let mut words = command.command.words().map(Word::text);
        words.next().as_deref() == Some("poetry") && !words.any(|word| word == "install" || word == "sync")
    });
    // A version in a variable leaves nothing but the words: `pip install "poetry==$POETRY_VERSION"`.
    let is_written = || {
        let command = effect.command.filter(|command| matches!(command.name(), Some("pip" | "pip3")));
        let words = command.map(|command| command.command.arguments().map(|word| word.text().into_owned()));
        let mut operands = words.into_iter().flatten().filter(|word| !word.starts_with('-') && word != "install");
        let first = operands.next();
        first.iter().chain(&operands.collect::<Vec<_>>()).all(is_manager) && first.is_some()
    };
    is_configuration || if names.is_empty() { is_written() } else { names.iter().all(is_manager) }
}
