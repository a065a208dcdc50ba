//! What an image keeps in the home of root, which other users may not enter (mode 0700 in the images of distributions).
//!
//! A program that starts from there, or that finds its environment, its browsers or its models there, ends with the
//! `USER` that is put before it.

use super::{packages::Manager, path, script::StepCommand, stage::Stage, step::Step};
use crate::{
    context::BuildContext,
    syntax::{
        dockerfile::{Arguments, Keyword},
        shell::{Redirect, Word},
    },
    text::Span,
};

/// Something that lies in the home of root and is likely needed when the image runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InRootHome {
    /// What puts or looks for it there.
    pub span: Span,
    /// What it is, for a sentence: "`uv` in `/root/.local/bin`".
    pub what: String,
    /// Whether the file puts it there by its path, so that whoever owns that home and lives in it finds it; what a tool
    /// keeps there by itself may be looked for in other ways.
    pub is_placed: bool,
}

impl<'m> Stage<'m> {
    /// The first thing that the image made of this stage likely needs from the home of root; one that is only placed
    /// there where there is no other.
    pub fn in_root_home(self) -> Option<InRootHome> {
        let steps: Vec<Step<'m>> = self.chain_steps().collect();
        let start = self.start_steps();
        let of_start = start.iter().flat_map(|step| step.commands()).filter_map(|command| self.of_start(command));
        let of_instructions = steps.iter().filter_map(|step| of_instruction(*step));
        let of_commands = steps.iter().flat_map(|step| step.commands()).filter_map(of_command);
        let mut found: Vec<InRootHome> = of_start.chain(of_instructions).chain(of_commands).collect();
        // The order of what is alike stays.
        found.sort_by_key(|each| each.is_placed);
        let first = found.into_iter().next()?;
        let is_placed = first.is_placed && self.starts_from_root_home();
        Some(InRootHome { is_placed, ..first })
    }

    /// Whether the start names something that the file puts there, or a tool that looks for its project there. A program
    /// from elsewhere may be there only to work on what its caller mounts.
    fn starts_from_root_home(self) -> bool {
        let start = self.start_steps();
        let commands = || start.iter().flat_map(|step| step.commands());
        let mut words = commands().flat_map(|command| command.command.words()).map(Word::text);
        if words.any(|word| word.starts_with("/root/")) {
            return true;
        }
        let Some(workdir) = self.workdir().path.known().filter(|path| is_in_root_home(path)) else { return false };
        let copies = self.chain_steps().filter(|step| matches!(step.keyword(), Keyword::Copy | Keyword::Add));
        let brought: Vec<String> = copies.filter_map(|step| step.absolute_arg(step.destination()?)).collect();
        let is_brought = |word: &str| {
            let path = path::join(workdir, word);
            let is_file = word.contains('.') && !word.contains(':') && !word.starts_with('-');
            word.starts_with("./") || brought.contains(&path) || is_file && self.ships(&path)
        };
        let is_tool = |command: StepCommand<'_>| command.name().is_some_and(|name| PROJECT_TOOLS.contains(&name));
        let has_project = || brought.iter().any(|to| is_in_root_home(to)) && commands().any(is_tool);
        commands().flat_map(|command| command.command.words()).any(|word| is_brought(&word.text())) || has_project()
    }

    /// What is fetched while the image is built into the home of root, and looked for there by a program that is
    /// started: browsers, models. It lies in no directory that the program itself is copied from.
    pub fn data_in_root_home(self, context: &BuildContext<'_>) -> Option<InRootHome> {
        let commands: Vec<_> = self.chain_steps().flat_map(Step::commands).collect();
        let fetched = commands.iter().filter_map(|command| of_command(*command));
        let by_name = fetched.into_iter().find(|found| DATA.contains(&found.what.as_str()));
        by_name.or_else(|| {
            let manifest = context.beside("package.json")?;
            let names = memchr::memmem::find(&manifest.text, b"\"puppeteer\"").is_some();
            let installs = |command: &&StepCommand<'_>| {
                matches!(command.name(), Some("npm" | "yarn" | "pnpm"))
                    && installs_packages(**command)
                    && !is_told(**command)
            };
            let command = commands.iter().filter(|_| names).find(installs)?;
            Some(InRootHome { span: command.span(), what: BROWSER.to_owned(), is_placed: false })
        })
    }

    /// A start command whose program lies there, or is found there first.
    fn of_start(self, command: StepCommand<'m>) -> Option<InRootHome> {
        let program = command.invocation()?.path()?;
        let found = |what, is_placed| Some(InRootHome { span: command.span(), what, is_placed });
        if is_in_root_home(program) {
            return found(format!("`{program}`"), is_placed(program));
        }
        if program.contains('/') || SYSTEM_PROGRAMS.contains(&program) {
            return None;
        }
        let path = self.variable("PATH")?.value.as_ref()?;
        let directory = path.text.split(':').find(|directory| is_in_root_home(directory))?;
        found(format!("`{program}`, which may lie in `{directory}`"), false)
    }
}

/// Tools that start the project in the working directory.
const PROJECT_TOOLS: [&str; 14] = [
    "npm",
    "yarn",
    "pnpm",
    "bun",
    "bundle",
    "rails",
    "rackup",
    "puma",
    "gunicorn",
    "uvicorn",
    "hypercorn",
    "flask",
    "celery",
    "streamlit",
];

/// The browser that Puppeteer fetches.
const BROWSER: &str = "the browser of Puppeteer";

/// What programs look for in the home of their user, wherever they lie themselves.
const DATA: [&str; 4] = [BROWSER, "the browsers of Playwright", "the data of NLTK", "the models of Hugging Face"];

/// Programs that distributions and the images of languages have outside of anybody's home.
const SYSTEM_PROGRAMS: [&str; 22] = [
    "sh", "bash", "ash", "env", "exec", "node", "npm", "npx", "yarn", "python", "python3", "ruby", "bundle", "php",
    "perl", "java", "go", "nginx", "httpd", "cd", "echo", "tini",
];

fn is_in_root_home(path: &str) -> bool {
    path == "/root"
        || path.starts_with("/root/")
        || path.starts_with("~/")
        || path.starts_with("$HOME/")
        || path.starts_with("${HOME}/")
}

/// Whether a path in the home of root is one that people choose, and not a hidden one that a tool keeps to itself.
fn is_placed(path: &str) -> bool {
    let inside = path.trim_start_matches("/root").trim_start_matches('~').trim_start_matches('/');
    !inside.starts_with('.') && !path.starts_with('$')
}

fn of_instruction(step: Step<'_>) -> Option<InRootHome> {
    let span = step.instruction().span;
    match step.keyword() {
        Keyword::Copy | Keyword::Add => {
            let to = step.absolute_arg(step.destination()?)?;
            let is_placed = is_placed(&to);
            is_in_root_home(&to).then(|| InRootHome { span, what: format!("what is copied to `{to}`"), is_placed })
        }
        Keyword::Workdir => {
            let to = step.next().map_or(step.stage().workdir(), Step::workdir).path.known()?;
            let is_placed = is_placed(to);
            is_in_root_home(&path::join("/", to)).then(|| InRootHome {
                span,
                what: format!("the working directory `{to}`"),
                is_placed,
            })
        }
        Keyword::Volume => {
            let (Arguments::Json(words) | Arguments::Words(words)) = step.arguments() else { return None };
            let paths = words.iter().filter_map(|word| step.absolute_arg(word));
            let to = paths.into_iter().find(|path| is_in_root_home(path))?;
            Some(InRootHome { span, what: format!("the volume `{to}`"), is_placed: false })
        }
        Keyword::Env => {
            let Arguments::Assignments(_) = step.arguments() else { return None };
            let variable = step.assigned().iter().find(|variable| {
                let value = variable.value.as_ref().map_or("", |value| &value.text);
                variable.name != "PATH" && variable.name != "HOME" && value.split(':').any(is_in_root_home)
            })?;
            Some(InRootHome { span, what: format!("what `{}` points to", variable.name), is_placed: false })
        }
        _ => None,
    }
}

/// A command that puts into the home of its user what programs look for there when they run.
fn of_command(command: StepCommand<'_>) -> Option<InRootHome> {
    if command.step.keyword() != Keyword::Run {
        return None;
    }
    let invocation = command.invocation()?;
    let name = invocation.name()?;
    let words: Vec<_> = invocation.arguments().map(|word| word.text().into_owned()).collect();
    let has = |word: &str| words.iter().any(|each| each == word);
    let is_set = |variable: &str| command.step.variable(variable).is_some();
    if !matches!(name, "rm" | "cd" | "ls" | "echo" | "chmod" | "test" | "[") {
        let targets = command.command.redirects().map(Redirect::target);
        let mut written = invocation.arguments().chain(targets).map(|word| word.text().into_owned());
        // A cache is made anew by whoever needs it.
        if let Some(path) = written.find(|path| is_in_root_home(path) && !path.contains("/.cache")) {
            let is_placed = is_placed(&path);
            return Some(InRootHome { span: command.span(), what: format!("`{path}`"), is_placed });
        }
    }
    let what = match name {
        "vdb-config" => "the settings of `vdb-config`",
        "git" if has("config") && has("--global") => "the settings of Git",
        "npm" | "pip" | "pip3" | "conda" | "aws" | "gcloud" | "composer" | "yarn" if has("config") && has("set") => {
            "what the tool was configured with"
        }
        "helm" if has("repo") || has("plugin") => "the repositories and plugins of Helm",
        "pip" | "pip3" if has("install") && has("--user") => "packages of `pip install --user`",
        "playwright" | "npx" | "python" | "python3"
            if has("playwright") && has("install") && !is_set("PLAYWRIGHT_BROWSERS_PATH") =>
        {
            "the browsers of Playwright"
        }
        "playwright" if has("install") && !is_set("PLAYWRIGHT_BROWSERS_PATH") => "the browsers of Playwright",
        "python" | "python3" if words.iter().any(|word| word.contains("nltk")) => "the data of NLTK",
        "huggingface-cli" | "hf" if has("download") && !is_set("HF_HOME") => "the models of Hugging Face",
        "mix"
            if words.iter().any(|word| word.starts_with("local."))
                && !is_set("MIX_HOME")
                && starts_with_mix(command) =>
        {
            "Hex and Rebar of `mix`"
        }
        "deno" if !is_set("DENO_DIR") => "the cache of Deno",
        "poetry"
            if has("install")
                && !is_set("POETRY_VIRTUALENVS_CREATE")
                && !is_set("POETRY_VIRTUALENVS_IN_PROJECT")
                && !is_set("VIRTUAL_ENV")
                && !configures(command, "virtualenvs") =>
        {
            "the environment of Poetry"
        }
        "pipenv" if (has("install") || has("sync")) && !has("--system") && !is_set("PIPENV_VENV_IN_PROJECT") => {
            "the environment of Pipenv"
        }
        "npm" | "yarn" | "pnpm" if installs_browser(command, &words) => BROWSER,
        "cabal" if has("install") && !words.iter().any(|word| word.contains("dir") || word.starts_with("--prefix")) => {
            "programs of `cabal install`"
        }
        "stack" if has("install") && !words.iter().any(|word| word.starts_with("--local-bin-path")) => {
            "programs of `stack install`"
        }
        "nvm" | "sdk" | "pyenv" | "rbenv" | "asdf" => "versions kept by a version manager",
        "composer" if has("global") => "global packages of Composer",
        "dotnet" if has("tool") && (has("-g") || has("--global")) => "global tools of .NET",
        _ => return None,
    };
    Some(InRootHome { span: command.span(), what: what.to_owned(), is_placed: false })
}

/// Whether a command installs Puppeteer, which fetches a browser into the home of its user (its documentation,
/// "Configuration"): by name, or where the system gets the libraries that nothing but a browser needs.
fn installs_browser(command: StepCommand<'_>, words: &[String]) -> bool {
    let stage = command.step.stage();
    let has = |names: &[&str]| names.iter().any(|name| stage.names_package(Manager::Apt, name));
    let has_libraries = has(&["libnss3", "libnss3-dev"])
        && has(&["libatk-bridge2.0-0", "libgbm1", "libgbm-dev", "libatk1.0-0", "libxkbcommon0"])
        && !has(&["chromium", "chromium-browser", "google-chrome-stable"]);
    installs_packages(command)
        && !is_told(command)
        && (words.iter().any(|word| word.starts_with("puppeteer")) || has_libraries)
}

fn installs_packages(command: StepCommand<'_>) -> bool {
    let first = command.command.arguments().find(|word| !word.bytes().starts_with(b"-"));
    first.is_none_or(|word| matches!(word.bytes(), b"install" | b"i" | b"add" | b"ci"))
}

/// Whether a variable tells Puppeteer where to put the browser, or to fetch none.
fn is_told(command: StepCommand<'_>) -> bool {
    ["PUPPETEER_CACHE_DIR", "PUPPETEER_SKIP_DOWNLOAD", "PUPPETEER_SKIP_CHROMIUM_DOWNLOAD"]
        .iter()
        .any(|name| command.step.variable(name).is_some())
}

/// Whether `mix` is what starts the image; a release needs neither Hex nor Rebar.
fn starts_with_mix(command: StepCommand<'_>) -> bool {
    let target = command.step.model().target();
    target.is_some_and(|target| {
        target.start_steps().iter().flat_map(|step| step.commands()).any(|start| start.name() == Some("mix"))
    })
}

/// Whether a step configures the tool, so that nobody can tell where it puts things.
fn configures(command: StepCommand<'_>, setting: &str) -> bool {
    command.step.stage().chain().flat_map(Stage::steps).any(|step| step.scripts_hold(setting))
}
