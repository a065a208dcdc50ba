//! What an image is for: to run one program, or to be built and worked in.
//!
//! Facts: labels of source-to-image builders, of Cloud Native Buildpacks and of the images for jobs of `CircleCI`;
//! Go's `GOROOT_BOOTSTRAP`; command references of the build tools named.

use super::{
    dockerfile::CopySource,
    packages::{Action, Manager, PackageCommand},
    path::file_name,
    script::StepCommand,
    stage::Stage,
    step::Step,
};
use crate::{
    knowledge::Role,
    syntax::{
        dockerfile::Keyword,
        shell::{Invocation, Word},
    },
};

/// What is built in an image while it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Built {
    /// Packages of a language, which may hold code to compile.
    Packages,
    /// A program.
    Program,
}

impl<'m> Stage<'m> {
    /// Whether the image is a place to build or to work in: what it starts is a shell or a build tool and no program,
    /// or the file says so in another way.
    pub fn is_workshop(self) -> bool {
        self.is_named_workshop() || self.starts_workshop() || self.chain().flat_map(Stage::steps).any(says_workshop)
    }

    /// Whether the file does not say what is run in the image: it starts nothing, or a shell, so that others build on it
    /// or work in it.
    pub fn is_workplace(self) -> bool {
        let starts_of_base = || {
            let entrypoint = self.image_facts().and_then(|facts| facts.entrypoint.known());
            entrypoint.is_some_and(|words| !words.is_empty())
        };
        self.starts_shell() || self.start_steps().is_empty() && !starts_of_base()
    }

    /// Whether it is a language with settings and extensions, and no step brings a program that it could run: it is made
    /// for others to build on, or for sources that are mounted.
    pub fn holds_no_program(self) -> bool {
        let is_language = self.image_facts().is_some_and(|facts| facts.role.known() == Some(&Role::Language));
        if !is_language || !self.start_steps().is_empty() {
            return false;
        }
        let is_brought = |step: Step<'m>| match step.copy_source() {
            Some(CopySource::Stage(index)) => step.model().stage(index).is_none_or(|stage| {
                stage.chain_steps().any(|step| step.copy_source().is_some() || may_bring_program(step))
            }),
            Some(_) => true,
            None => may_bring_program(step),
        };
        !self.has_triggers() && !self.chain_steps().any(is_brought)
    }

    /// What the steps of the image build.
    pub fn built(self) -> Option<Built> {
        if self.has_triggers() {
            return Some(Built::Program);
        }
        let steps = self.chain().flat_map(Stage::steps).filter(|step| step.keyword() == Keyword::Run);
        steps.flat_map(Step::commands).filter_map(built_by).max()
    }

    /// Whether it certainly starts a program that is finished: one that an interpreter is given, or a known server.
    pub fn starts_finished_program(self) -> bool {
        self.start_invocations().any(|invocation| {
            let Some(name) = invocation.name() else { return false };
            let mut arguments = invocation.arguments().map(Word::text);
            match without_version(name) {
                "java" => arguments.any(|word| word == "-jar" || word == "-cp" || word.ends_with(".jar")),
                "dotnet" => arguments.any(|word| word.ends_with(".dll")),
                "python" | "node" | "nodejs" | "ruby" | "perl" | "php" => arguments.any(|word| is_program_text(&word)),
                server => SERVERS.contains(&server),
            }
        })
    }

    /// Whether it starts a script, which may call any tool.
    pub fn starts_script(self) -> bool {
        self.start_invocations().any(|invocation| {
            let is_script = |path: &str| {
                [".sh", ".bash", ".ash"].iter().any(|end| path.ends_with(end)) || file_name(path).contains("entrypoint")
            };
            let is_shell = matches!(invocation.name(), Some("sh" | "bash" | "ash"));
            invocation.path().is_some_and(is_script)
                || is_shell && invocation.arguments().any(|word| is_script(&word.text()))
        })
    }

    /// Whether it starts a shell, or an interpreter without a program, and nothing else.
    pub fn starts_shell(self) -> bool {
        let start = self.start_steps();
        let Some(step) = start.last() else { return false };
        let mut commands = step.commands();
        let (Some(command), None) = (commands.next(), commands.next()) else { return false };
        command.invocation().is_some_and(is_shell)
    }

    /// The words of the start that mean a project in the working directory: relative paths, and `tools` that look for
    /// one there.
    pub fn start_words_of_project(self, tools: &[&str]) -> impl Iterator<Item = String> {
        let commands = self.start_steps().into_iter().flat_map(Step::commands);
        let words = commands.flat_map(|command| command.command.words()).map(|word| word.text().into_owned());
        words.filter(|word| {
            let is_path = word.contains('/') && !word.starts_with(['/', '-', '$']) && !word.contains("://");
            is_path || tools.contains(&word.as_str())
        })
    }

    /// The build tool that the start calls to run what it builds.
    pub fn tool_that_runs(self) -> Option<&'m str> {
        self.start_invocations().find(|invocation| is_tool(*invocation) && runs_what_it_builds(*invocation))?.name()
    }

    /// What the start runs the tests of a project with.
    pub fn tool_that_tests(self) -> Option<&'m str> {
        self.start_invocations().find(|invocation| runs_tests(*invocation))?.name()
    }

    fn start_invocations(self) -> impl Iterator<Item = Invocation<'m>> {
        self.start_steps().into_iter().flat_map(Step::commands).filter_map(StepCommand::invocation)
    }

    fn is_named_workshop(self) -> bool {
        let by_stage = self.name().is_some_and(|name| {
            matches!(name, "dev" | "devel" | "develop" | "development" | "devcontainer" | "sdk" | "toolchain" | "ci")
        });
        let by_image = || self.named_image().is_some_and(|image| is_workshop_image(&image.reference.name()));
        let by_variable = || ["STI_SCRIPTS_PATH", "GOROOT_BOOTSTRAP"].iter().any(|name| self.variable(name).is_some());
        by_stage || by_image() || by_variable()
    }

    fn starts_workshop(self) -> bool {
        let named = |invocation: Invocation<'_>| {
            invocation.path().is_some_and(|path| is_workshop_program(file_name(path)))
                || is_tool(invocation) && !runs_what_it_builds(invocation)
                || runs_tests(invocation)
        };
        // Of an `ENTRYPOINT` and a `CMD` the latter says what is started in the end.
        let last = self.start_steps().last().and_then(|step| step.commands().last());
        self.start_invocations().any(named) || last.and_then(StepCommand::invocation).is_some_and(is_open)
    }
}

/// Whether a step may bring a program from elsewhere, and not only settings.
fn may_bring_program(step: Step<'_>) -> bool {
    const SETTINGS: [&str; 8] = ["ini", "conf", "cnf", "cfg", "toml", "list", "pem", "crt"];
    let is_setting = |path: &str| path.rsplit_once('.').is_some_and(|(_, end)| SETTINGS.contains(&end));
    match step.keyword() {
        Keyword::Copy | Keyword::Add => !step.sources().iter().all(|source| is_setting(&source.text)),
        Keyword::Run => step.commands().any(|command| {
            let is_made = || command.command.words().any(|word| matches!(word.bytes(), b"create-project" | b"new"));
            matches!(command.name(), Some("git" | "svn" | "tar" | "unzip")) || is_made()
        }),
        _ => false,
    }
}

/// Images of the services and editors that build in them.
fn is_workshop_image(name: &str) -> bool {
    const PARTS: [&str; 10] = [
        "/circleci/",
        "/cimg/",
        "/devcontainers/",
        "/jenkins/",
        "/s2i-",
        "/gitlab-runner",
        "/actions-runner",
        "/inbound-agent",
        "/travisci/",
        "/aws-codebuild",
    ];
    PARTS.iter().any(|part| name.contains(part))
}

/// Whether an instruction says that the image builds what it is given.
fn says_workshop(step: Step<'_>) -> bool {
    let marks: &[&str] = match step.keyword() {
        Keyword::Label => &["io.openshift.s2i.", "=\"builder,", ",builder,", "io.buildpacks.", "com.circleci."],
        Keyword::Run => &["codebuild-user"],
        Keyword::Cmd | Keyword::Entrypoint => &["STI_SCRIPTS_PATH"],
        _ => return false,
    };
    let text = step.instruction().span.of(&step.model().file.text);
    marks.iter().any(|mark| memchr::memmem::find(text, mark.as_bytes()).is_some())
}

/// Whether a program is named after the work that it does: `build_kernel`, `runner.sh`, `go.bash`.
fn is_workshop_program(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let is_script = name.len() > stem.len();
    let mut parts = stem.split(['-', '_']);
    is_script && matches!(stem, "go" | "make" | "mvn" | "gradle" | "runner" | "agent")
        || parts
            .any(|part| matches!(part, "build" | "builder" | "compile" | "ci" | "test" | "tests" | "dind" | "dockerd"))
}

/// Whether a command runs the tests of a project: a program made for that, or a task that is called after them.
fn runs_tests(invocation: Invocation<'_>) -> bool {
    let Some(name) = invocation.name() else { return false };
    let arguments = invocation.arguments().map(|word| word.text().into_owned());
    let words: Vec<String> = std::iter::once(name.to_owned()).chain(arguments).collect();
    let Some((name, arguments)) = behind_runner(&words).split_first() else { return false };
    let is_task = |word: &str| {
        !word.starts_with('-')
            && word.split([':', '_', '-']).any(|part| matches!(part, "test" | "tests" | "spec" | "specs"))
    };
    match file_name(name) {
        "rspec" | "pytest" | "py.test" | "phpunit" | "tox" | "nosetests" | "behave" | "cucumber" | "jest" | "mocha"
        | "vitest" | "unittest" => true,
        "rake" | "npm" | "yarn" | "pnpm" | "composer" => arguments.iter().any(|word| is_task(word)),
        "rails" | "mix" | "artisan" | "manage.py" | "deno" | "bun" => {
            arguments.first().is_some_and(|word| is_task(word))
        }
        _ => false,
    }
}

/// The words behind one that only starts another program in the environment of a project.
fn behind_runner(words: &[String]) -> &[String] {
    let (first, second) = (words.first().map(String::as_str), words.get(1).map(String::as_str));
    match (first, second) {
        (Some("bundle"), Some("exec"))
        | (Some("poetry" | "pipenv" | "uv" | "pdm" | "hatch"), Some("run"))
        | (Some("python" | "python3"), Some("-m")) => &words[2..],
        (Some("npx" | "bunx" | "python" | "python3" | "php"), Some(_)) => &words[1..],
        _ => words,
    }
}

/// Whether a command is a shell or an interpreter without a program, or only waits for people to come in.
fn is_open(invocation: Invocation<'_>) -> bool {
    let mut arguments = invocation.arguments().map(Word::text);
    match invocation.name() {
        Some("npm" | "yarn" | "gulp" | "grunt") => arguments.all(|word| word.starts_with('-')),
        Some("tail") => arguments.any(|word| matches!(&*word, "-f" | "-F" | "--follow")),
        Some("sleep") => true,
        Some(_) | None => is_shell(invocation),
    }
}

/// Whether a command is a shell or an interpreter without a program.
fn is_shell(invocation: Invocation<'_>) -> bool {
    const SHELLS: [&str; 32] = [
        "sh", "bash", "dash", "ash", "zsh", "fish", "ksh", "pwsh", "python", "ipython", "pypy", "node", "nodejs",
        "ruby", "irb", "perl", "php", "lua", "julia", "ghci", "iex", "erl", "jshell", "dotnet", "R", "scala",
        "groovysh", "sbcl", "swipl", "deno", "bun", "racket",
    ];
    let runs_text = |word: &str| matches!(word, "-m" | "-e" | "--eval") || is_short_with(word, 'c');
    invocation.name().is_some_and(|name| SHELLS.contains(&without_version(name)))
        && invocation.arguments().map(Word::text).all(|word| word.starts_with('-') && !runs_text(&word))
}

/// Whether a word is short options of which one is `letter`.
fn is_short_with(word: &str, letter: char) -> bool {
    !word.starts_with("--") && word.contains(letter)
}

/// Whether the program builds, except `dotnet` with a program that is built.
fn is_tool(invocation: Invocation<'_>) -> bool {
    let first = || invocation.arguments().next().map(|word| word.text().into_owned());
    match invocation.name() {
        Some(
            "mvn" | "mvnw" | "gradle" | "gradlew" | "sbt" | "lein" | "ant" | "javac" | "go" | "cargo" | "rustc"
            | "swift" | "make" | "gcc" | "g++" | "uv" | "rpmbuild" | "dpkg-buildpackage" | "debuild" | "cmake"
            | "ninja" | "bazel",
        ) => true,
        Some("R") => first().as_deref() == Some("CMD"),
        Some("dotnet") => {
            first().is_some_and(|verb| matches!(&*verb, "run" | "watch" | "test" | "build" | "publish" | "restore"))
        }
        Some(_) | None => false,
    }
}

/// Whether a build tool is told to run something too: `mvn jetty:run`, `gradle bootRun`, `make serve`.
fn runs_what_it_builds(invocation: Invocation<'_>) -> bool {
    invocation.arguments().any(|word| {
        let word = word.text().to_ascii_lowercase();
        ["run", "exec", "start", "serve", "watch"].iter().any(|verb| word.contains(verb))
    })
}

/// What a command of a `RUN` builds.
fn built_by(command: StepCommand<'_>) -> Option<Built> {
    let invocation = command.invocation()?;
    let path = invocation.path()?;
    let first = invocation.arguments().next().map(|word| word.text().into_owned()).unwrap_or_default();
    let is_about = matches!(&*first, "--version" | "-version" | "-v" | "--help" | "version" | "env" | "clean");
    let program = match without_version(file_name(path)) {
        "make" | "gmake" | "cmake" | "ninja" | "meson" | "configure" | "autogen.sh" | "gcc" | "g++" | "cc" | "c++"
        | "clang" | "clang++" | "rustc" | "javac" | "mvn" | "mvnw" | "gradle" | "gradlew" | "ant" | "sbt" | "lein"
        | "bazel" | "xcaddy" | "rpmbuild" | "dpkg-buildpackage" => !is_about,
        "go" => matches!(&*first, "build" | "install" | "get" | "generate"),
        "cargo" => matches!(&*first, "build" | "install"),
        "dotnet" => matches!(&*first, "build" | "publish"),
        "swift" | "stack" => first == "build",
        name => path.contains('/') && is_workshop_program(name) && name.contains("build"),
    };
    if program {
        return Some(Built::Program);
    }
    installs_code(command, &first).then_some(Built::Packages)
}

/// Whether a command installs packages that may have to be compiled.
fn installs_code(command: StepCommand<'_>, first: &str) -> bool {
    let Some(invocation) = command.invocation() else { return false };
    if let Some(call) = PackageCommand::read(invocation) {
        let compiles = !call.manager.is_system() && !matches!(call.manager, Manager::Conda | Manager::Composer);
        return compiles && call.action == Action::Install;
    }
    let holds = |text: &str| invocation.arguments().any(|word| word.text().contains(text));
    match invocation.name().map(without_version) {
        Some("docker-php-ext-install" | "docker-php-ext-configure" | "phpize" | "cpan" | "cpanm" | "install2.r") => {
            true
        }
        Some("pecl" | "luarocks" | "pipenv" | "easy_install" | "raco") => first.contains("install"),
        Some("python") => holds("setup.py"),
        Some("R" | "Rscript") => holds("install"),
        Some("perl") => holds("Makefile.PL") || holds("Build.PL"),
        Some(_) | None => false,
    }
}

/// Whether an argument of an interpreter is the program that it runs.
fn is_program_text(word: &str) -> bool {
    word == "-m" || [".py", ".js", ".mjs", ".cjs", ".rb", ".pl", ".php"].iter().any(|end| word.ends_with(end))
}

/// `python3.11` is `python`, `g++-12` is `g++`.
fn without_version(name: &str) -> &str {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if base.is_empty() { name } else { base.strip_suffix('-').unwrap_or(base) }
}

/// Servers that come ready to run.
const SERVERS: [&str; 18] = [
    "nginx",
    "apache2-foreground",
    "apache2ctl",
    "apachectl",
    "httpd",
    "httpd-foreground",
    "php-fpm",
    "gunicorn",
    "uwsgi",
    "uvicorn",
    "puma",
    "unicorn",
    "redis-server",
    "mysqld",
    "postgres",
    "mongod",
    "haproxy",
    "varnishd",
];
