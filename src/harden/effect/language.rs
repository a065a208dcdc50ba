//! Programs of languages: those that install packages, and those that build.
//!
//! Sources: the command references of the programs named.

use super::{Ecosystem, Kind, Places, command::Call};
use crate::{
    model::{
        file_name,
        packages::{Action, Manager, PackageCommand},
    },
    syntax::shell::Word,
};

/// What a manager of a language is told to do.
pub(super) fn packages<'m>(call: Call<'m, '_>, package: &PackageCommand<'m>) -> Kind<'m> {
    let verb = package.verb.map(Word::text).unwrap_or_default();
    let program = package.program;
    let installs = |ecosystem| {
        let names = package.packages().map(|package| package.name.to_owned()).collect();
        Kind::LanguagePackages { ecosystem, program, names }
    };
    let build = || built(call, program, &verb);
    let unknown = || Kind::Unknown(format!("{program} {verb}").trim_end().to_owned());
    match package.action {
        Action::Clean | Action::Refresh => return Kind::Transient,
        Action::Install | Action::Upgrade | Action::Remove => {
            return match package.manager {
                // These compile what they install.
                Manager::Go if verb == "install" => built(call, program, &verb),
                manager => installs(ecosystem_of(manager)),
            };
        }
        Action::Other => {}
    }
    match package.manager {
        Manager::Pip => match &*verb {
            "download" | "wheel" => Kind::Files(directory_option(call, &["-d", "--dest", "-w", "--wheel-dir"])),
            "config" => Kind::System("pip config"),
            "" | "list" | "freeze" | "show" | "check" | "debug" | "cache" | "hash" | "index" => Kind::Transient,
            _ => unknown(),
        },
        Manager::Uv => match &*verb {
            "venv" => Kind::Files(call.written_places(call.operands().nth(1)).or(call.here_in(".venv"))),
            "lock" | "export" | "compile" | "add" | "init" => Kind::Files(call.here()),
            "build" => build(),
            "python" => installs(Ecosystem::Python),
            "cache" | "version" | "list" | "freeze" | "tree" => Kind::Transient,
            _ => unknown(),
        },
        Manager::Poetry => match &*verb {
            "config" => Kind::System("poetry config"),
            "export" => Kind::Files(directory_option(call, &["-o", "--output"])),
            "build" => build(),
            "lock" | "init" | "new" => Kind::Files(call.here()),
            "update" | "self" | "remove" => installs(Ecosystem::Python),
            "check" | "show" | "env" | "about" | "cache" | "version" => Kind::Transient,
            _ => unknown(),
        },
        Manager::Npm | Manager::Yarn | Manager::Pnpm => node(call, package, &verb),
        Manager::Gem => match &*verb {
            "build" => build(),
            "sources" => Kind::System("gem sources"),
            "list" | "env" | "environment" | "" | "which" | "contents" | "search" => Kind::Transient,
            _ => unknown(),
        },
        Manager::Bundler => match &*verb {
            "config" => Kind::System("bundle config"),
            // Without a verb it installs.
            "" | "update" | "package" | "pack" | "cache" => installs(Ecosystem::Ruby),
            "clean" | "check" | "list" | "show" | "info" | "lock" => Kind::Transient,
            "exec" => behind_runner(call, 1),
            "binstubs" => Kind::Files(call.here()),
            _ => unknown(),
        },
        Manager::Go => match &*verb {
            "build" | "generate" => build(),
            "mod" | "work" => match call.operands().nth(1).and_then(Word::literal) {
                Some("download") => Kind::LanguagePackages { ecosystem: Ecosystem::Go, program, names: Vec::new() },
                Some("tidy" | "vendor" | "init" | "edit" | "use" | "sync") => Kind::Files(call.here()),
                Some("verify" | "graph" | "why") => Kind::Transient,
                _ => unknown(),
            },
            "env" if call.has("-w") => Kind::System("go env"),
            "env" | "version" | "vet" | "test" | "list" | "fmt" | "tool" | "doc" | "help" => Kind::Transient,
            _ => unknown(),
        },
        Manager::Cargo => match &*verb {
            "build" | "rustc" | "b" | "chef" | "zigbuild" | "auditable" | "leptos" | "component" | "xtask" | "deb"
            | "cbuild" | "cinstall" | "make" => build(),
            "fetch" | "update" | "generate-lockfile" | "vendor" | "new" | "init" | "add" | "remove" => {
                Kind::Files(call.here())
            }
            "test" | "check" | "clippy" | "fmt" | "clean" | "tree" | "metadata" | "audit" | "version" | "doc" => {
                Kind::Transient
            }
            _ => unknown(),
        },
        Manager::Composer => match &*verb {
            "config" => Kind::System("composer config"),
            "global" | "remove" => installs(Ecosystem::Php),
            "dump-autoload" | "dumpautoload" | "dump" => build(),
            "self-update"
            | "selfupdate"
            | "clear-cache"
            | "validate"
            | "diagnose"
            | "show"
            | "about"
            | ""
            | "check-platform-reqs"
            | "audit" => Kind::Transient,
            _ => unknown(),
        },
        Manager::Conda => match &*verb {
            "env" => installs(Ecosystem::Conda),
            "config" | "init" => Kind::System("conda"),
            "info" | "list" | "search" | "activate" | "deactivate" | "shell.bash" => Kind::Transient,
            _ => unknown(),
        },
        _ => unknown(),
    }
}

fn ecosystem_of(manager: Manager) -> Ecosystem {
    match manager {
        Manager::Npm | Manager::Yarn | Manager::Pnpm => Ecosystem::Node,
        Manager::Gem | Manager::Bundler => Ecosystem::Ruby,
        Manager::Go => Ecosystem::Go,
        Manager::Cargo => Ecosystem::Rust,
        Manager::Composer => Ecosystem::Php,
        Manager::Conda => Ecosystem::Conda,
        Manager::Pip
        | Manager::Uv
        | Manager::Poetry
        | Manager::Apt
        | Manager::Dpkg
        | Manager::Apk
        | Manager::Yum
        | Manager::Dnf
        | Manager::Microdnf
        | Manager::Tdnf
        | Manager::Rpm
        | Manager::Zypper
        | Manager::Pacman => Ecosystem::Python,
    }
}

/// `npm`, `yarn`, `pnpm` besides installing.
#[allow(clippy::match_same_arms, reason = "the arms are sorted by language and program")]
fn node<'m>(call: Call<'m, '_>, package: &PackageCommand<'m>, verb: &str) -> Kind<'m> {
    let program = package.program;
    let first = package.operands.first().and_then(|word| word.literal());
    let script = match verb {
        "run" | "run-script" => first,
        // `yarn build` runs the script of that name.
        other if package.manager != Manager::Npm => Some(other),
        _ => None,
    };
    match (verb, script) {
        (_, Some(script)) if is_building_script(script) => built(call, program, script),
        ("config" | "set" | "login" | "adduser" | "logout", _) => Kind::System("npm config"),
        ("rebuild" | "link" | "dedupe" | "prune" | "fetch" | "deploy" | "audit" | "shrinkwrap" | "import", _) => {
            Kind::LanguagePackages { ecosystem: Ecosystem::Node, program, names: Vec::new() }
        }
        ("pack" | "init" | "version" | "pkg", _) => Kind::Files(call.here()),
        (
            "" | "list" | "ls" | "view" | "info" | "why" | "bin" | "root" | "prefix" | "test" | "t" | "cache" | "store"
            | "get" | "help" | "outdated" | "fund" | "doctor" | "lint" | "autoclean" | "check" | "show",
            _,
        ) => Kind::Transient,
        ("exec" | "x" | "dlx", _) => behind_runner(call, 1),
        (_, Some("test" | "lint" | "tsc-check" | "typecheck")) => Kind::Transient,
        _ => Kind::Unknown(format!("{program} {}", script.unwrap_or(verb))),
    }
}

/// Whether a script of a manifest is called what scripts that build are called.
fn is_building_script(name: &str) -> bool {
    let parts = name.split([':', '-', '_', '.']);
    parts.into_iter().any(|part| {
        matches!(
            part,
            "build"
                | "compile"
                | "bundle"
                | "dist"
                | "prod"
                | "production"
                | "generate"
                | "transpile"
                | "tsc"
                | "webpack"
                | "codegen"
                | "export"
                | "prepare"
                | "postinstall"
        )
    })
}

/// A build by `program`, told to make `what`.
fn built<'m>(call: Call<'m, '_>, program: &str, what: &str) -> Kind<'m> {
    let tool = if what.is_empty() { program.to_owned() } else { format!("{program} {what}") };
    Kind::Build { tool, to: outputs(call) }
}

/// Where a build is told to put what it makes; else in the working directory.
fn outputs(call: Call<'_, '_>) -> Places {
    let named = directory_option(call, &["-o", "--output", "--out", "--outDir", "--out-dir", "--output-path", "-d"]);
    if named.is_empty() || named == call.here() { call.here() } else { named }
}

/// What stands behind one of `options`, in the same word or the next; the working directory without them.
fn directory_option(call: Call<'_, '_>, options: &[&str]) -> Places {
    let mut words = call.arguments();
    while let Some(word) = words.next() {
        if options.iter().any(|option| word.bytes() == option.as_bytes()) {
            return call.written_places(words.next());
        }
        let text = word.text();
        let joined = options
            .iter()
            .filter(|option| option.starts_with("--"))
            .find_map(|option| text.strip_prefix(option)?.strip_prefix('='));
        if let Some(path) = joined {
            let is_plain = word.literal().is_some();
            return Places::of(is_plain.then(|| super::places::absolute(call.directory, path)).flatten());
        }
    }
    call.here()
}

/// What stands behind `bundle exec`, `npx`, `poetry run`.
fn behind_runner<'m>(call: Call<'m, '_>, skipped: usize) -> Kind<'m> {
    let words: Vec<_> = call.operands().skip(skipped).take(2).collect();
    let name = words.first().map(|word| word.text()).unwrap_or_default();
    let task = words.get(1).map(|word| word.text()).unwrap_or_default();
    builds(&name, &task).map_or_else(
        || Kind::Unknown(format!("{name} {task}").trim_end().to_owned()),
        |tool| Kind::Build { tool, to: outputs(call) },
    )
}

/// What is built by a tool that the packages of a project bring along.
fn builds(name: &str, task: &str) -> Option<String> {
    let is_build = match name {
        "tsc" | "webpack" | "rollup" | "esbuild" | "vite" | "parcel" | "gulp" | "grunt" | "swc" | "babel" | "tsup"
        | "ng" | "next" | "nuxt" | "nest" | "gatsby" | "vue-cli-service" | "react-scripts" | "turbo" | "nx"
        | "lerna" | "bower" | "ncc" | "sass" | "postcss" | "tailwindcss" | "browserify" | "medusa" | "astro"
        | "svelte-kit" | "remix" | "quasar" | "ember" | "expo" | "docusaurus" | "vuepress" | "hexo" => {
            !matches!(task, "serve" | "start" | "dev" | "test" | "lint")
        }
        "rake" | "rails" => task.starts_with("assets:") || task.starts_with("bootsnap") || task.contains("precompile"),
        "bootsnap" => task == "precompile",
        "jekyll" | "hugo" | "mkdocs" | "sphinx-build" | "middleman" | "nanoc" | "eleventy" | "zola" | "mdbook" => {
            task != "serve"
        }
        "prisma" => task == "generate",
        "pyinstaller" | "nuitka" | "pex" | "shiv" | "cythonize" => true,
        _ => false,
    };
    is_build.then(|| format!("{name} {task}").trim_end().to_owned())
}

/// What a program of a language does; `None` where nobody can tell.
#[allow(clippy::match_same_arms, reason = "the arms are sorted by language and program")]
pub(super) fn of_program<'m>(call: Call<'m, '_>, name: &'m str) -> Option<Kind<'m>> {
    let verb = call.verb().unwrap_or_default();
    let holds = |text: &str| call.arguments().any(|word| word.text().contains(text));
    let installs = |ecosystem| {
        let names = call.operands().filter_map(Word::literal).map(str::to_owned).collect();
        Some(Kind::LanguagePackages { ecosystem, program: name, names })
    };
    let build = |what: &str| Some(built(call, name, what));
    match without_version(name) {
        "make" | "gmake" | "ninja" | "meson" | "bazel" | "scons" | "waf" | "xmake" => Some(make(call, name)),
        "cmake" => build(if call.has("--install") { "--install" } else { "" }).map(|kind| installed_by(call, kind)),
        "configure" | "autoreconf" | "autoconf" | "automake" | "aclocal" | "libtoolize" | "autogen.sh"
        | "bootstrap.sh" | "qmake" | "phpize" | "buildconf" | "autoheader" => build(""),
        "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++" | "ld" | "ar" | "as" | "gfortran" | "rustc" | "javac"
        | "scalac" | "kotlinc" | "ghc" | "ocamlfind" | "nim" | "zig" | "v" | "crystal" | "tsc" | "strip" | "upx"
        | "objcopy" | "ranlib" | "patchelf" | "protoc" | "nvcc" | "fpc" | "gnatmake" | "valac" | "flex" | "bison"
        | "jar" | "jlink" | "jpackage" | "native-image" | "sassc" | "msgfmt" | "xcaddy" | "statik" | "packr" => {
            build(verb_of_compiler(name, verb))
        }
        "mvn" | "mvnw" | "gradle" | "gradlew" | "ant" | "sbt" | "lein" | "mill" | "boot" | "clojure" | "clj" => {
            Some(java(call, name, verb))
        }
        "bash" | "sh" => conda_installer(call).map(Kind::Files),
        "rustup" => installs(Ecosystem::Rust),
        "dotnet" => match verb {
            "restore" | "add" | "tool" | "workload" | "nuget" => installs(Ecosystem::DotNet),
            "build" | "publish" | "pack" | "msbuild" => build(verb),
            "test" | "clean" | "--info" => Some(Kind::Transient),
            "new" => Some(Kind::Files(call.here())),
            _ => None,
        },
        "nuget" | "msbuild" | "xbuild" => build(verb),
        "mix" => match verb {
            "deps.get" | "deps" | "local.hex" | "local.rebar" | "archive.install" | "deps.update" | "hex.info" => {
                installs(Ecosystem::Elixir)
            }
            "compile"
            | "release"
            | "phx.digest"
            | "deps.compile"
            | "do"
            | "assets.deploy"
            | "distillery.release"
            | "escript.build"
            | "phoenix.digest"
            | "assets.build"
            | "sentry.package_source_code" => build(verb),
            "test" | "format" | "credo" => Some(Kind::Transient),
            _ => None,
        },
        "rebar3" => build(verb),
        "stack" | "cabal" => match verb {
            "build" | "install" | "new-build" | "new-install" | "v2-build" | "v2-install" => build(verb),
            "update" | "setup" | "new-update" | "v2-update" => installs(Ecosystem::Haskell),
            _ => None,
        },
        "swift" => match verb {
            "build" => build(verb),
            "package" => installs(Ecosystem::Swift),
            _ => None,
        },
        "dart" | "flutter" | "pub" => match verb {
            "pub" | "get" => installs(Ecosystem::Dart),
            "compile" | "build" => build(verb),
            _ => None,
        },
        "deno" => match verb {
            "cache" | "install" => installs(Ecosystem::Deno),
            "compile" | "bundle" => build(verb),
            "check" | "lint" | "fmt" | "test" => Some(Kind::Transient),
            _ => None,
        },
        "bun" => match verb {
            "install" | "i" | "add" | "ci" => {
                let names = call.operands().skip(1).filter_map(Word::literal).map(str::to_owned).collect();
                Some(Kind::LanguagePackages { ecosystem: Ecosystem::Node, program: name, names })
            }
            "build" => build(verb),
            "run" => {
                let script = call.operands().nth(1).and_then(Word::literal)?;
                is_building_script(script).then(|| built(call, name, script))
            }
            _ => None,
        },
        "corepack" => installs(Ecosystem::Node),
        "npx" | "bunx" | "pnpx" => Some(behind_runner(call, 0)),
        "bower" | "lerna" | "nvm" | "fnm" | "n" | "volta" | "nodenv" => installs(Ecosystem::Node),
        "pyenv" | "pipenv" | "easy_install" | "pdm" | "pip-sync" | "pip-compile" | "rye" | "hatch" | "pipx"
        | "flit" => match verb {
            "run" | "shell" => None,
            _ => installs(Ecosystem::Python),
        },
        "virtualenv" => Some(Kind::Files(call.written_places(call.operands().next_back()))),
        "python" | "pypy" => python(call, name),
        "rbenv" | "rvm" | "ruby-install" => installs(Ecosystem::Ruby),
        "docker-php-ext-install"
        | "docker-php-ext-configure"
        | "pecl"
        | "pear"
        | "install-php-extensions"
        | "pickle"
        | "docker-php-source" => installs(Ecosystem::Php),
        "php" => php(call, name),
        "cpan" | "cpanm" | "cpm" | "carton" => installs(Ecosystem::Perl),
        "luarocks" => installs(Ecosystem::Lua),
        "install2.r" | "installGithub.r" | "installBioc.r" | "install.r" => installs(Ecosystem::R),
        "R" | "Rscript" if holds("install") => {
            Some(Kind::LanguagePackages { ecosystem: Ecosystem::R, program: name, names: Vec::new() })
        }
        "fluent-gem" | "td-agent-gem" | "chef-gem" => installs(Ecosystem::Ruby),
        "jupyter" if matches!(verb, "labextension" | "serverextension" | "nbextension") => installs(Ecosystem::Python),
        "dpkg-buildpackage" | "debuild" | "rpmbuild" | "doxygen" => build(""),
        "sdk" => installs(Ecosystem::Java),
        other => {
            let task = call.operands().next().map(Word::text).unwrap_or_default();
            builds(other, &task).map(|tool| Kind::Build { tool, to: outputs(call) })
        }
    }
}

/// What a script at a path of the project does, as far as its name is that of a known tool.
pub(super) fn of_script<'m>(call: Call<'m, '_>, name: &'m str) -> Option<Kind<'m>> {
    match name {
        "gradlew" | "mvnw" | "configure" | "autogen.sh" | "bootstrap.sh" | "sbt" | "lein" | "mill" | "buildconf" => {
            of_program(call, name)
        }
        "config" | "Configure" => Some(built(call, name, "")),
        // Programs of a toolchain or an environment that is named by its path.
        "go" | "cargo" | "python" | "python3" | "npm" | "node" | "make" | "cmake" | "rustup" | "rake" | "rails"
        | "tsc" | "ng" | "webpack" | "grunt" | "gulp" | "conda" => of_program(call, name),
        _ => None,
    }
}

/// `make`, which may put anything anywhere once it installs.
fn make<'m>(call: Call<'m, '_>, name: &str) -> Kind<'m> {
    let target = call.operands().filter(|word| word.assigned_name().is_none()).find_map(Word::literal).unwrap_or("");
    let kind = match target {
        "clean" | "distclean" | "mrproper" | "check" | "test" => return Kind::Transient,
        target => built(call, name, target),
    };
    installed_by(call, kind)
}

/// A build that also installs: where to is what its sources say.
fn installed_by<'m>(call: Call<'m, '_>, kind: Kind<'m>) -> Kind<'m> {
    let installs = call.arguments().any(|word| {
        let text = word.text();
        text.starts_with("install") || text.ends_with("install") && !text.starts_with("--no")
    });
    match kind {
        Kind::Build { tool, mut to } if installs => {
            to.is_hidden = true;
            Kind::Build { tool, to }
        }
        kind => kind,
    }
}

fn verb_of_compiler<'v>(name: &str, verb: &'v str) -> &'v str {
    if matches!(name, "zig" | "nim" | "crystal" | "xcaddy" | "v") { verb } else { "" }
}

fn java<'m>(call: Call<'m, '_>, name: &'m str, verb: &str) -> Kind<'m> {
    let fetches =
        verb.starts_with("dependency:") || verb.contains("go-offline") || verb == "dependencies" || verb == "deps";
    if fetches {
        return Kind::LanguagePackages { ecosystem: Ecosystem::Java, program: name, names: Vec::new() };
    }
    let only_says = matches!(verb, "help" | "tasks" | "properties") || call.has("--stop");
    if only_says { Kind::Transient } else { built(call, name, verb) }
}

fn python<'m>(call: Call<'m, '_>, name: &'m str) -> Option<Kind<'m>> {
    let mut words = call.arguments();
    let first = words.next()?.text();
    let second = words.next().map(Word::text).unwrap_or_default();
    match (file_name(&first), &*second) {
        ("-m", "venv" | "virtualenv") => Some(Kind::Files(call.written_places(call.operands().next_back()))),
        ("-m", "compileall" | "build" | "grpc_tools.protoc" | "PyInstaller" | "nuitka") => {
            Some(built(call, name, &second))
        }
        ("-m", "ensurepip" | "pipx" | "easy_install") | ("setup.py", "install" | "develop") => {
            Some(Kind::LanguagePackages { ecosystem: Ecosystem::Python, program: name, names: Vec::new() })
        }
        ("setup.py", verb) => Some(built(call, name, &format!("setup.py {verb}"))),
        ("manage.py", "collectstatic" | "compilemessages" | "compress" | "compilescss") => {
            Some(built(call, name, &format!("manage.py {second}")))
        }
        ("manage.py", "check" | "test") => Some(Kind::Transient),
        ("get-pip.py" | "ez_setup.py", _) => {
            Some(Kind::LanguagePackages { ecosystem: Ecosystem::Python, program: name, names: vec!["pip".to_owned()] })
        }
        _ => None,
    }
}

/// Where the installer of conda puts it, run in batch mode: `bash Miniconda3-….sh -b -p /opt/conda`.
fn conda_installer(call: Call<'_, '_>) -> Option<Places> {
    let mut words = call.arguments();
    let script = words.next()?.text().to_ascii_lowercase();
    let is_installer = ["miniconda", "miniforge", "mambaforge", "anaconda"].iter().any(|name| script.contains(name));
    let mut is_batch = false;
    let mut place = None;
    while let Some(word) = words.next() {
        match &*word.text() {
            "-b" | "-f" | "-u" | "-fb" | "-bf" => is_batch = true,
            "-p" | "-bp" | "-bfp" | "-fbp" | "-ufbp" | "--prefix" => {
                is_batch |= word.text().contains('b');
                place = words.next();
            }
            _ => return None,
        }
    }
    (is_installer && is_batch).then(|| call.written_places(place)).filter(|places| !places.is_empty())
}

/// The installer of Composer, and Composer as an archive that `php` runs.
fn php<'m>(call: Call<'m, '_>, name: &'m str) -> Option<Kind<'m>> {
    let mut words = call.arguments();
    let first = words.next()?.text();
    let second = words.next().map(Word::text).unwrap_or_default();
    match file_name(&first) {
        "-r" => one_line_of_php(call, &second),
        "composer-setup.php" | "composer-installer" | "installer" => {
            let option = call.arguments().find_map(|word| word.literal()?.strip_prefix("--install-dir="));
            Some(Kind::Files(Places::of(super::places::absolute(call.directory, option.unwrap_or(".")))))
        }
        "composer" | "composer.phar" if matches!(&*second, "install" | "update" | "require" | "create-project") => {
            Some(Kind::LanguagePackages { ecosystem: Ecosystem::Php, program: name, names: Vec::new() })
        }
        _ => None,
    }
}

/// The lines that Composer's download page gives: fetch the installer, compare its checksum, remove it.
fn one_line_of_php<'m>(call: Call<'m, '_>, text: &str) -> Option<Kind<'m>> {
    let text = text.trim().trim_end_matches(';');
    let quoted: Vec<&str> = text.split(['\'', '"']).skip(1).step_by(2).collect();
    let places = |path: &str| Places::of(super::places::absolute(call.directory, path));
    let is_one = text.matches('(').count() == 1;
    match (text.split('(').next()?, quoted.as_slice()) {
        ("copy", [url, file]) if is_one && url.contains("://") => {
            Some(Kind::Download { urls: vec![(*url).to_owned()], to: places(file) })
        }
        ("unlink", [file]) if is_one => Some(Kind::Removes(places(file))),
        ("if ", [_, ..]) if text.contains("hash_file") && !text.contains("copy(") => Some(Kind::Transient),
        _ => None,
    }
}

/// `python3.11` is `python`, `g++-12` is `g++`.
fn without_version(name: &str) -> &str {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if base.is_empty() { name } else { base.strip_suffix('-').unwrap_or(base) }
}
