//! Every other stack: what the author's steps install, build and write is taken over whole, where each step is accounted
//! for, and what only a build needs stays in the build.
//!
//! The new image is of the same distribution and release: the smaller variant of the base, what its publisher makes to
//! run programs, or the same base once more. It is only offered where a rung is won.
//!
//! Facts: where each manager of packages of a language puts them, by its own documentation: pip (the scheme of Debian's
//! Python for packages that are installed by hand is `/usr/local`), conda and miniconda's installer (`-b -p`), gem and
//! cpan on Debian, npm (`prefix`), R (`/usr/local/lib/R`), luarocks.

use super::{
    common::change,
    system,
    whole::{Places, Whole},
};
use crate::{
    harden::{
        Declined, Proposal, Rung, Runtime, Subject,
        effect::{Ecosystem, Effect, Kind},
        tree::{Tree, below},
    },
    knowledge::{Family, Role},
    model::{Process, Variable, file_name},
};

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let image = subject.target.named_image()?;
    let facts = image.facts.as_deref()?;
    let recipe = Recipe { whole: Whole::new(subject, None) };
    // The full image of a language holds what only builds need, whatever the file adds.
    let is_full = facts.role.known() == Some(&Role::Language) && facts.slim.is_known();
    if !is_full && !recipe.whole.has_to_part() || starts_nothing(subject) {
        return None;
    }
    let smaller = facts.slim.known().or(facts.runtime.known()).filter(|smaller| !smaller.contains("distroless"));
    let rebase = system::propose(subject).and_then(|proposal| proposal.rebase);
    let mut proposal = Proposal { rebase, ..Proposal::default() };
    if let Some(smaller) = smaller {
        match recipe.smaller(smaller, facts.runtime.known() == Some(smaller)) {
            Ok(runtime) => proposal.runtimes.push(runtime),
            Err(reason) => proposal.declined.push(Declined { rung: Rung::RuntimeOnly, reason: reason.into() }),
        }
    }
    if facts.role.known() != Some(&Role::Build) {
        match recipe.same() {
            Ok(runtime) => proposal.runtimes.push(runtime),
            Err(reason) => proposal.declined.push(Declined { rung: Rung::Clean, reason: reason.into() }),
        }
    }
    (!proposal.runtimes.is_empty() || !proposal.declined.is_empty()).then_some(proposal)
}

/// Whether neither the file nor its base says what is started.
fn starts_nothing(subject: &Subject<'_>) -> bool {
    let is_server = subject.target.image_facts().is_some_and(|facts| {
        matches!(facts.role.known(), Some(Role::Server | Role::Database | Role::Application))
            || facts.entrypoint.known().is_some_and(|words| !words.is_empty())
    });
    subject.target.start_steps().is_empty() && !is_server
}

struct Recipe<'s, 'a> {
    whole: Whole<'s, 'a>,
}

impl<'a> Recipe<'_, 'a> {
    /// The image on the same base once more.
    fn same(&self) -> Result<Runtime, String> {
        let subject = self.whole.subject;
        self.starts_alone()?;
        let mut runtime = self.whole.on(self.whole.own_base(), |effect| self.installed(effect))?;
        let reason = "the same base starts once more, with what was installed and built, without what built it";
        let evidence = subject.evidence(subject.target.root().base_span(), "the base that builds");
        runtime.changes.insert(0, change("Build in a stage of its own", reason, evidence));
        runtime.only_higher = true;
        Ok(runtime)
    }

    /// The image on a base with less in it.
    fn smaller(&self, base: &str, is_other: bool) -> Result<Runtime, String> {
        let subject = self.whole.subject;
        self.starts_alone()?;
        let named = subject.named(base).ok_or("a variable decides what it is built on")?;
        let mut runtime = self.whole.on(named, |effect| self.installed(effect))?;
        if !runtime.packages.is_empty() && !subject.installs_alike(base) {
            return Err(format!("`{base}` may install packages in another way"));
        }
        let is_os = subject.target.image_facts().is_some_and(|facts| facts.role.known() == Some(&Role::Os));
        if !is_os && !is_other {
            self.links_nothing(base)?;
            self.keeps_modules(base)?;
        }
        if is_other {
            self.has_program(&runtime, base)?;
            self.needs_no_compiler(base)?;
        }
        let reason = "it has the same distribution and release, without what only a build needs";
        let evidence = subject.evidence(subject.target.root().base_span(), "the base that builds");
        runtime.changes.insert(0, change("Run on a base with less in it", reason, evidence));
        runtime.only_higher = !is_other;
        Ok(runtime)
    }

    /// Whether what is started builds nothing.
    fn starts_alone(&self) -> Result<(), String> {
        let startup = self.whole.subject.startup();
        let words = startup.process.as_ref().and_then(Process::known_words).unwrap_or_default();
        let builds = matches!(
            words.as_slice(),
            ["dotnet", "run" | "watch" | "build" | "test", ..]
                | ["swift", "run" | "build", ..]
                | [
                    "cargo"
                        | "go"
                        | "stack"
                        | "cabal"
                        | "mix"
                        | "sbt"
                        | "lein"
                        | "gradle"
                        | "mvn"
                        | "make"
                        | "ghc"
                        | "runghc",
                    ..,
                ]
        );
        if builds {
            return Err(format!("`{}` builds when the container starts", words.join(" ")));
        }
        Ok(())
    }

    /// Whether nothing is compiled against libraries that the full image has and the smaller one may not have.
    fn links_nothing(&self, base: &str) -> Result<(), String> {
        let compiles = |effect: &&Effect<'_>| match &effect.kind {
            Kind::LanguagePackages { .. } => true,
            Kind::Build { tool, .. } => !tool.contains("compileall"),
            _ => false,
        };
        match self.whole.effects.iter().find(compiles) {
            Some(effect) => Err(format!(
                "line {} may compile what loads libraries that `{base}` has not: a list of what it installs would tell",
                self.whole.line(effect)
            )),
            None => Ok(()),
        }
    }

    /// Whether the program uses none of the modules of Perl that only the full image is built with (the packages that
    /// the Dockerfiles of the official image install for the build: `libdb-dev` and `libgdbm-dev` are in the full one).
    fn keeps_modules(&self, base: &str) -> Result<(), String> {
        const MODULES: [&str; 5] = ["DB_File", "GDBM_File", "NDBM_File", "ODBM_File", "AnyDBM_File"];
        if !base.contains("/perl:") {
            return Ok(());
        }
        let subject = self.whole.subject;
        let tree = Tree::of(subject).filter(|tree| tree.is_complete);
        let tree = tree.ok_or_else(|| format!("the program is not seen, and may use modules that `{base}` has not"))?;
        for file in &tree.files {
            let text = subject.text_of(file).unwrap_or_default();
            if let Some(module) = MODULES.iter().find(|module| text.contains(**module)) {
                return Err(format!("{} uses `{module}`, which `{base}` has not", file.found_at));
            }
        }
        Ok(())
    }

    /// Whether the program that is started is in an image on `base`.
    fn has_program(&self, runtime: &Runtime, base: &str) -> Result<(), String> {
        let subject = self.whole.subject;
        let startup = subject.startup();
        let program = startup.process.as_ref().and_then(|process| process.words.first()?.known());
        let program = program.ok_or_else(|| format!("what it starts is not known, so `{base}` may not have it"))?;
        let is_inside = |path: &str| {
            let home = self.whole.home.as_deref();
            runtime.taken.iter().any(|taken| below(path, &taken.to).is_some())
                || home.is_some_and(|home| below(path, home).is_some())
        };
        if program.contains('/') {
            let is_there = program.starts_with('.') || !program.starts_with('/') || is_inside(program);
            return if is_there { Ok(()) } else { Err(format!("whether `{base}` has `{program}` is not known")) };
        }
        let facts = subject.target.image_facts();
        let family = facts.and_then(|facts| facts.family.known().copied());
        let release = facts.and_then(|facts| facts.release.known().map(String::as_str));
        let is_installed = family.is_some_and(|family| {
            runtime
                .packages
                .iter()
                .any(|package| subject.cx.knowledge.programs_of(family, release, package).contains(&program))
        });
        let is_first = self.prefix().is_some_and(|prefix| is_inside(&prefix));
        // What such an image is made to start, in every variant of it.
        let is_of_image =
            program == "dotnet" && base.contains("/dotnet/") || program == "catalina.sh" && base.contains("/tomcat:");
        if is_installed || is_first || is_of_image {
            return Ok(());
        }
        Err(format!("whether `{base}` has `{program}` is not known"))
    }

    /// Whether no text of the program asks for a compiler of CUDA.
    fn needs_no_compiler(&self, base: &str) -> Result<(), String> {
        const ASKS: [&str; 8] =
            ["torch.compile", "cpp_extension", "load_inline", "nvcc", "import triton", "numba", "cupy", "pycuda"];
        if !base.contains("/cuda:") {
            return Ok(());
        }
        let subject = self.whole.subject;
        let tree = Tree::of(subject)
            .ok_or("the files of the build context are not seen, and they may be compiled for the device")?;
        for file in &tree.files {
            let is_source = matches!(file.extension(), "cu" | "cuh");
            let is_text = matches!(file.extension(), "py" | "txt" | "toml" | "yaml" | "yml" | "cfg" | "sh");
            let text = if is_text { subject.text_of(file).unwrap_or_default() } else { String::new() };
            let asks = ASKS.iter().find(|word| text.contains(**word));
            if is_source || asks.is_some() {
                let what = asks.map_or(String::new(), |word| format!(" (`{word}`)"));
                return Err(format!("{} may be compiled for the device when it runs{what}", file.found_at));
            }
        }
        Ok(())
    }

    /// Where programs of a prefix of its own are found before others: a conda or virtual environment in `PATH`.
    fn prefix(&self) -> Option<String> {
        self.prefix_of_file().or_else(|| self.conda_of_base().map(str::to_owned))
    }

    /// The conda environment that a base brings along, in front of all others in its `PATH`.
    ///
    /// Facts: jupyter/docker-stacks, `docker-stacks-foundation` (`CONDA_DIR=/opt/conda`, `PATH="${CONDA_DIR}/bin:${PATH}"`).
    fn conda_of_base(&self) -> Option<&'static str> {
        let target = self.whole.subject.target;
        let name = target.named_image()?.reference.name();
        let is_of_notebooks = ["quay.io/jupyter/", "docker.io/jupyter/"].iter().any(|start| name.starts_with(start));
        let is_own = |path: &Variable<'_>| path.value.as_ref().is_some_and(|value| value.known().is_some());
        (is_of_notebooks && !target.variable("PATH").is_some_and(is_own)).then_some("/opt/conda")
    }

    fn prefix_of_file(&self) -> Option<String> {
        let path = self.whole.subject.target.variable("PATH")?.value.as_ref()?;
        let text = path.text.split(':').next()?.to_owned();
        let prefix = text.strip_suffix("/bin")?.to_owned();
        let is_own =
            prefix.starts_with('/') && !prefix.contains('$') && !matches!(prefix.as_str(), "/usr/local" | "/usr");
        let is_filled = self.whole.effects.iter().any(|effect| {
            effect.fills().is_some_and(|places| places.known.iter().any(|filled| below(&prefix, filled).is_some()))
        });
        (is_own && is_filled).then_some(prefix)
    }

    /// Whether Python is the distribution's own, or the official image's, which installs into `/usr/local` as well: other
    /// images that bring one along have it in a place of their own.
    fn has_python_of_distribution(&self) -> bool {
        let image = self.whole.subject.target.named_image();
        let is_official = image.is_some_and(|image| image.reference.name() == "docker.io/library/python");
        let facts = self.whole.subject.target.image_facts();
        let is_os = facts.is_some_and(|facts| facts.role.known() == Some(&Role::Os));
        let installs_python = |effect: &Effect<'_>| match &effect.kind {
            Kind::Packages { names, .. } => names.iter().any(|name| name.starts_with("python")),
            _ => false,
        };
        is_official || is_os || self.whole.effects.iter().any(installs_python)
    }

    /// Where a step puts the packages of a language.
    fn installed(&self, effect: &Effect<'a>) -> Places {
        let Kind::LanguagePackages { ecosystem, program, names } = &effect.kind else { return Ok(Vec::new()) };
        let line = self.whole.line(effect);
        let words: Vec<String> = effect
            .command
            .iter()
            .flat_map(|command| command.command.words().map(|word| word.text().into_owned()))
            .collect();
        let has = |flags: &[&str]| words.iter().any(|word| flags.contains(&word.split('=').next().unwrap_or(word)));
        let unknown = || Err(format!("where `{program}` in line {line} installs is not known"));
        let beside = || match effect.directory.clone().filter(|directory| directory != "/") {
            Some(directory) => Ok(vec![directory]),
            None => unknown(),
        };
        let facts = self.whole.subject.target.image_facts();
        let family = facts.and_then(|facts| facts.family.known().copied());
        let is_debian = matches!(family, Some(Family::Debian | Family::Ubuntu));
        let local = |is_known: bool| if is_known { Ok(vec!["/usr/local".to_owned()]) } else { unknown() };
        match ecosystem {
            Ecosystem::Python if has(&["--user", "--target", "-t", "--prefix", "--root", "--system"]) => unknown(),
            Ecosystem::Python if matches!(file_name(program), "pip" | "pip3" | "python" | "python3") => {
                match self.prefix() {
                    Some(prefix) => Ok(vec![prefix]),
                    None => local(is_debian && self.has_python_of_distribution()),
                }
            }
            Ecosystem::Conda => self.prefix().map_or_else(unknown, |prefix| Ok(vec![prefix])),
            Ecosystem::Node if has(&["-g", "--global", "global"]) => local(is_debian),
            Ecosystem::Node if matches!(*program, "npm" | "yarn" | "pnpm" | "bun") && names.is_empty() => beside(),
            Ecosystem::Ruby if has(&["--path", "--user-install", "-i", "--install-dir"]) => unknown(),
            Ecosystem::Ruby if is_debian => Ok(vec!["/var/lib/gems".to_owned(), "/usr/local".to_owned()]),
            Ecosystem::Perl if has(&["-l", "-L", "--local-lib", "--local-lib-contained"]) || *program == "carton" => {
                beside()
            }
            Ecosystem::Perl | Ecosystem::R | Ecosystem::Lua => local(is_debian),
            Ecosystem::Php if *program == "composer" && !has(&["global"]) => beside(),
            // What is compiled holds them.
            Ecosystem::DotNet if !words.iter().any(|word| word == "tool" || word == "workload") => Ok(Vec::new()),
            Ecosystem::Swift | Ecosystem::Dart => Ok(Vec::new()),
            Ecosystem::Python
            | Ecosystem::Node
            | Ecosystem::Ruby
            | Ecosystem::Php
            | Ecosystem::DotNet
            | Ecosystem::Go
            | Ecosystem::Rust
            | Ecosystem::Java
            | Ecosystem::Elixir
            | Ecosystem::Haskell
            | Ecosystem::Deno => unknown(),
        }
    }
}
