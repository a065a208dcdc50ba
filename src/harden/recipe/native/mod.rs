//! C and C++: a program, what its build installs beside it, and the libraries that it is linked to.
//!
//! Facts: gcc(1) (`-o`, `-c`), cmake(1), make(1), ld.so(8), docker-library/gcc (its own libstdc++ in `/usr/local/lib64`).

mod cmake;
pub(super) mod extension;
mod install;
mod linked;
mod makefile;

use super::compiled::{self, Account, Build, Obstacle, Own, System};
use crate::{
    harden::{
        Change, Declined, Proposal, Rung, Runtime, Subject, Taken,
        effect::{self, Effect, Kind},
        outputs::{Area, Made, Output},
        program::Language,
        tree::{File, Tree, below},
    },
    knowledge::{Family, Libc, Role},
    model::{StepCommand, file_name, join_path},
    rule::Safety,
    syntax::dockerfile::Editor,
    text::Edit,
};
use install::{How, Install, STAGED};
use linked::{Linked, compiler};

static LANGUAGE: Language = Language {
    extensions: &[
        "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "inl", "ipp", "tpp", "s", "S", "cmake", "in", "am", "ac",
        "m4", "o", "a",
    ],
    manifests: &[
        "CMakeLists.txt",
        "CMakePresets.json",
        "Makefile",
        "makefile",
        "GNUmakefile",
        "configure",
        "conanfile.txt",
        "conanfile.py",
        "vcpkg.json",
        "meson.build",
        "meson_options.txt",
    ],
    calls: &[
        "system(",
        "popen(",
        "execl(",
        "execlp(",
        "execle(",
        "execv(",
        "execvp(",
        "execve(",
        "execvpe(",
        "posix_spawn(",
        "posix_spawnp(",
        "boost::process::child",
    ],
    callers: &[],
    embeds: &["#embed", "#include"],
};

/// What a build reads, and no program.
const VARIABLES: [&str; 6] =
    ["CPPFLAGS", "LD_RUN_PATH", "CMAKE_PREFIX_PATH", "CMAKE_GENERATOR", "VCPKG_ROOT", "LIBRARY_PATH"];

/// Interpreters are not what somebody builds beside their program.
const INTERPRETERS: [&str; 12] =
    ["node", "python", "python3", "ruby", "perl", "php", "java", "bash", "sh", "lua", "R", "Rscript"];

pub(super) fn propose(subject: &Subject<'_>) -> Option<Proposal> {
    let runs = subject.runs();
    runs.iter().flat_map(|step| step.commands()).find(|command| is_build(*command))?;
    let facts = subject.target.named_image()?.facts.as_deref()?;
    let is_for_building = matches!(facts.role.known(), Some(Role::Os | Role::Build));
    if !is_for_building {
        return None;
    }
    let tree = Tree::of(subject).filter(|tree| tree.is_complete);
    let is_source = |extension: &str| matches!(extension, "c" | "cc" | "cpp" | "cxx" | "C");
    let is_other = tree
        .as_ref()
        .is_some_and(|tree| !tree.files.is_empty() && !tree.files.iter().any(|file| is_source(file.extension())));
    let effects = effect::effects(subject);
    let installs = install::installs(subject, tree.as_ref(), &effects);
    if is_other && !installs.iter().any(|install| !install.is_own) {
        return None;
    }
    let mut build = Build::new(subject, &LANGUAGE, |effect, _| made(tree.as_ref(), &installs, effect));
    let program = build.program().ok().filter(|program| !INTERPRETERS.contains(&file_name(&program.path)))?;
    let linked = Linked::of(&build);
    linked.narrow(&mut build);
    let native = Native { build, installs, linked };
    Some(Proposal::of("C and C++", native.proposed(&program)))
}

fn is_build(command: StepCommand<'_>) -> bool {
    let builds = |name: &str| {
        compiler(name).is_some() || matches!(name, "cmake" | "make" | "gmake" | "ninja" | "meson" | "configure")
    };
    command.name().is_some_and(builds)
}

struct Native<'s, 'a> {
    build: Build<'s, 'a>,
    installs: Vec<Install>,
    linked: Linked,
}

impl Native<'_, '_> {
    fn proposed(&self, program: &Output) -> Result<(Vec<Runtime>, Vec<Declined>), Obstacle> {
        let account = self.account(program)?;
        let mut runtimes = Vec::new();
        let mut declined = Vec::new();
        match self.without_shell(&account) {
            Ok(runtime) => runtimes.push(runtime),
            Err(reason) => declined.push(Declined { rung: Rung::NoShell, reason }),
        }
        match self.slim(&account) {
            Ok(runtime) => runtimes.push(runtime),
            Err(reason) => declined.push(Declined { rung: Rung::RuntimeOnly, reason }),
        }
        Ok((runtimes, declined))
    }

    /// What is copied, every step accounted for.
    fn account(&self, program: &Output) -> Result<Account, Obstacle> {
        let is_building = |effect: &Effect<'_>| match &effect.kind {
            Kind::Build { .. } => effect.command.is_some_and(is_of_build),
            Kind::Unknown(what) => matches!(file_name(what), "ctest"),
            _ => false,
        };
        let own = Own { ecosystem: None, is_building: &is_building, variables: &VARIABLES };
        let mut account = self.build.account(program, None, &own)?;
        account.called.names.extend(self.build.subject.programs().names.iter().cloned());
        let shared = self.linked.has_own && !self.installs.iter().any(|install| install.is_own);
        if shared && let Some((directory, _)) = program.path.rsplit_once('/') {
            // Libraries of the project are loaded from where they were built.
            let area = self.build.made.areas.iter().find(|area| below(directory, &area.path).is_some());
            account.taken.extend(area.map(|area| Taken::at(area.path.clone())));
        }
        for install in &self.installs {
            self.take(install, program, &mut account)?;
        }
        Ok(account)
    }

    /// Whether a file of the sources is read where it is installed, and nowhere else.
    fn is_installed_asset(&self, path: &str, installed: &[String]) -> bool {
        let Some(tree) = &self.build.tree else { return false };
        let is_read_there = |file: &File| {
            let name = file.name();
            let place = installed.iter().find(|place| **place != file.at && file_name(place) == name);
            let count = |text: &str, wanted: &str| text.matches(wanted).count();
            place.is_some_and(|place| {
                self.build.sources.all.iter().all(|source| count(&source.text, name) == count(&source.text, place))
            })
        };
        let mut files = tree.files.iter().filter(|file| below(&file.at, path).is_some()).peekable();
        files.peek().is_some() && files.all(is_read_there)
    }

    /// Takes out what makes the program set-uid, where it never asks for rights of another user: a copy would keep it.
    fn without_set_uid(&self) -> Vec<Edit> {
        let calls = ["setuid(", "seteuid(", "setreuid(", "setresuid(", "geteuid(", "cap_set"];
        let asks = |text: &str| calls.iter().any(|call| text.contains(call));
        if !self.build.is_seen() || self.build.sources.all.iter().any(|source| asks(&source.text)) {
            return Vec::new();
        }
        let subject = self.build.subject;
        let editor = Editor::new(subject.cx.file, subject.cx.model.syntax);
        let sets = |command: StepCommand<'_>| {
            let words: Vec<String> = command.command.words().map(|word| word.text().into_owned()).collect();
            let [program, mode, paths @ ..] = words.as_slice() else { return false };
            let is_set = matches!(mode.as_str(), "u+s" | "+s") || mode.len() == 4 && mode.starts_with('4');
            program == "chmod"
                && is_set
                && !paths.is_empty()
                && paths.iter().all(|path| self.build.made.at(path).is_some())
        };
        let steps = subject.runs().into_iter().filter(|step| {
            let mut commands = step.commands().peekable();
            commands.peek().is_some() && commands.all(sets)
        });
        steps.filter_map(|step| editor.remove(step.instruction())).collect()
    }

    fn take(&self, install: &Install, program: &Output, account: &mut Account) -> Result<(), Obstacle> {
        let place = |shows: String| self.build.subject.evidence(install.span, shows);
        match &install.how {
            How::Nothing => {}
            How::Hidden(reason) => return Err(reason.clone()),
            How::Files(paths) => {
                let new =
                    paths.iter().filter(|path| !account.taken.iter().any(|taken| below(path, &taken.to).is_some()));
                let new: Vec<Taken> = new.map(|path| Taken::at(path.clone())).collect();
                account.taken.retain(|taken| !self.is_installed_asset(&taken.to, paths));
                account.taken.extend(new);
                account.evidence.push(place(format!("installs {}", listed(paths))));
            }
            How::Prefix => {
                account.taken.retain(|taken| below(&taken.to, &install.prefix).is_none());
                account.taken.push(Taken::at(install.prefix.clone()));
                account.evidence.push(place(format!("installs below `{}`", install.prefix)));
            }
            How::Staged(_) => {
                // The program is among what is installed, wherever that puts it; what others installed there is not.
                account.taken.retain(|taken| taken.to != program.path);
                let whole = Taken { from: format!("{STAGED}/"), to: "/".to_owned() };
                if !account.taken.contains(&whole) {
                    account.taken.push(whole);
                }
                account.evidence.push(place("installs what the files do not name".to_owned()));
            }
        }
        Ok(())
    }

    /// What both runtimes need besides.
    fn finished(&self, mut runtime: Runtime, is_glibc: bool) -> Runtime {
        let staged = self.installs.iter().filter_map(|install| match &install.how {
            How::Staged(line) => Some(line.clone()),
            _ => None,
        });
        runtime.build_end.extend(staged);
        let set_uid = self.without_set_uid();
        if !set_uid.is_empty() {
            runtime.changes.push(Change {
                title: "Leave the program without the rights of its owner".into(),
                safety: Safety::Risky,
                reason: "its sources ask for no other user".into(),
                evidence: Vec::new(),
            });
            runtime.build.extend(set_uid);
        }
        if is_glibc && self.may_have_libraries() {
            runtime.finish.push("RUN ldconfig".to_owned());
        }
        runtime
    }

    /// Whether libraries may be among what is installed.
    fn may_have_libraries(&self) -> bool {
        self.installs.iter().any(|install| match &install.how {
            How::Files(paths) => paths.iter().any(|path| path.contains(".so")),
            How::Prefix => !install.is_own,
            How::Staged(_) => !install.is_own || self.linked.has_own || !self.linked.is_known,
            How::Nothing | How::Hidden(_) => false,
        })
    }

    fn slim(&self, account: &Account) -> Result<Runtime, Obstacle> {
        self.cpp_library(System::of(self.build.subject).release.as_deref())?;
        let more = self.linked.more(&self.build)?;
        let is_static = self.linked.is_static;
        let runtime = self.build.slim(account, &more, None, &|_| !is_static)?;
        let is_glibc = System::of(self.build.subject).libc != Some(Libc::Musl);
        Ok(self.finished(runtime, is_glibc))
    }

    fn without_shell(&self, account: &Account) -> Result<Runtime, Obstacle> {
        if let Some(declined) = compiled::declined_for_shell(account) {
            return Err(declined.reason);
        }
        if let Some(package) = self.build.lasting_package(account) {
            return Err(format!("the package `{package}` may be needed when the program runs, and no image without a package manager has it").into());
        }
        if self.may_have_libraries() || self.linked.has_own {
            return Err(
                "the build installs libraries, which have to be made known by `ldconfig` where they are loaded".into(),
            );
        }
        let images = &compiled::data().images;
        let linked = &self.linked;
        let (base, reason) = if linked.is_static {
            self.resolves_names()?;
            (&images.fixed, "the program is linked statically")
        } else {
            self.is_linked_to_language()?;
            self.runs_elsewhere()?;
            let base = if linked.has_cpp { &images.cc } else { &images.base };
            (base, "the program is linked to nothing but the libraries of its language")
        };
        let mut evidence = account.evidence.clone();
        evidence.extend(linked.place.clone());
        let change = Change {
            title: "Move the program into an image without a shell".into(),
            safety: Safety::Risky,
            reason: format!("{reason}; nothing that it starts, and no health check, needs a shell").into(),
            evidence,
        };
        Ok(self.finished(self.build.runtime(base, account, change), false))
    }

    /// A static program of the GNU C library loads libraries of the very same release to look up names.
    fn resolves_names(&self) -> Result<(), Obstacle> {
        let words = ["getaddrinfo", "gethostbyname", "getpwnam", "getpwuid", "getgrnam", "dlopen", "iconv_open"];
        let looks_up = |text: &str| words.iter().find(|word| text.contains(*word));
        let found =
            self.build.sources.all.iter().find_map(|source| Some((looks_up(&source.text)?, &source.file.found_at)));
        match found {
            Some((word, path)) if System::of(self.build.subject).libc != Some(Libc::Musl) => Err(format!(
                "{path} calls `{word}`, for which a static program loads libraries of the release that it is built on"
            )
            .into()),
            _ => Ok(()),
        }
    }

    fn is_linked_to_language(&self) -> Result<(), Obstacle> {
        let linked = &self.linked;
        let loads = |text: &str| text.contains("dlopen(");
        if let Some(source) = self.build.sources.all.iter().find(|source| loads(&source.text)) {
            return Err(format!("{} calls `dlopen`, and what that loads is not known", source.file.found_at).into());
        }
        let has_nothing = self.build.development_package().is_none()
            && self
                .build
                .subject
                .target
                .named_image()
                .and_then(|image| image.facts.as_deref())
                .is_some_and(|facts| facts.role.known() == Some(&Role::Os))
            && !self.installs.iter().any(|install| !install.is_own);
        if has_nothing {
            return Ok(());
        }
        if let Some(name) = linked.names.first() {
            return Err(format!("the program is linked to `{name}`, and images without a shell do not have that library: linked statically it would not need it").into());
        }
        if !linked.is_known {
            return Err("which libraries the program is linked to is not told by the files".into());
        }
        Ok(())
    }

    /// The C library of the image without a shell is the one of the build or a later one.
    fn runs_elsewhere(&self) -> Result<(), Obstacle> {
        let system = System::of(self.build.subject);
        if let Some(obstacle) = system.is_newer() {
            return Err(obstacle);
        }
        let is_late =
            system.family == Some(Family::Ubuntu) && system.release.as_deref().is_some_and(|release| release > "24.04");
        if is_late && self.linked.has_cpp {
            return Err("the C++ library of the build is newer than that of any image without a shell".into());
        }
        self.cpp_library(Some("13"))
    }

    /// The official image of the compiler has a C++ library of its own, which may be newer than that of a release.
    fn cpp_library(&self, release: Option<&str>) -> Result<(), Obstacle> {
        let image = self.build.subject.target.named_image();
        let image = image.filter(|image| image.reference.name() == "docker.io/library/gcc");
        let Some(image) = image.filter(|_| self.linked.has_cpp && !self.linked.is_static) else { return Ok(()) };
        let tag = image.reference.tag().unwrap_or("latest");
        let major = tag.split(['.', '-']).next().and_then(|major| major.parse::<u32>().ok());
        let newest = match release.unwrap_or("13") {
            "13" => 14,
            "12" => 12,
            "11" => 10,
            _ => 0,
        };
        match major {
            Some(major) if major <= newest => Ok(()),
            _ => Err(format!("the C++ library of `{}` may be newer than that of the image that would run the program: `-static-libstdc++` links it in", image.reference.text()).into()),
        }
    }
}

/// Whether a command builds or serves a build of C, and leaves nothing that is not looked at.
fn is_of_build(command: StepCommand<'_>) -> bool {
    let serves = |name: &str| {
        matches!(
            name,
            "autoreconf"
                | "autoconf"
                | "automake"
                | "aclocal"
                | "libtoolize"
                | "autogen.sh"
                | "bootstrap.sh"
                | "autoheader"
                | "buildconf"
                | "config"
                | "Configure"
                | "ar"
                | "ld"
                | "as"
                | "ranlib"
                | "strip"
                | "objcopy"
                | "flex"
                | "bison"
        )
    };
    is_build(command) || command.name().is_some_and(serves)
}

/// What one command makes, and where.
fn made(tree: Option<&Tree>, installs: &[Install], effect: &Effect<'_>) -> Made {
    let Some(command) = effect.command.filter(|_| matches!(effect.kind, Kind::Build { .. })) else {
        return Made::default();
    };
    let Some(directory) = effect.directory.as_deref() else { return Made::default() };
    if command.name().and_then(compiler).is_some() {
        return compiled_by(effect, command, directory);
    }
    if !is_build(command) {
        return Made::default();
    }
    let span = effect.span;
    let mut made = Made::default();
    // A directory of the system holds more than what is built in it.
    let is_apart = directory.matches('/').count() > 1 || !is_of_system(directory);
    if is_apart && directory != "/" {
        made.areas.push(Area { path: directory.to_owned(), span });
    }
    for install in installs.iter().filter(|install| install.span == span) {
        match &install.how {
            How::Files(paths) => {
                made.outputs.extend(paths.iter().map(|path| Output { path: path.clone(), links_to: None, span }));
            }
            How::Prefix | How::Staged(_) => {
                let directories = ["bin", "sbin", "libexec"].map(|name| join_path(&install.prefix, name));
                made.areas.extend(directories.into_iter().map(|path| Area { path, span }));
            }
            How::Nothing | How::Hidden(_) => {}
        }
    }
    let builds_elsewhere = tree.is_none_or(|tree| !tree.has_below(directory));
    if builds_elsewhere
        && installs.iter().any(|install| install.step == effect.step.index() && matches!(install.how, How::Nothing))
    {
        return Made::default();
    }
    made
}

fn is_of_system(directory: &str) -> bool {
    let first = directory.trim_start_matches('/').split('/').next().unwrap_or_default();
    matches!(first, "usr" | "bin" | "sbin" | "lib" | "etc" | "var" | "opt" | "tmp" | "root" | "home" | "dev")
}

fn compiled_by(effect: &Effect<'_>, command: StepCommand<'_>, directory: &str) -> Made {
    let Some(invocation) = command.invocation() else { return Made::default() };
    let is_part = invocation.arguments().any(|word| matches!(word.bytes(), b"-c" | b"-S" | b"-E" | b"-M" | b"-MM"));
    if is_part {
        return Made::default();
    }
    let mut words = invocation.arguments();
    let output = words.find(|word| word.bytes().starts_with(b"-o"));
    let path = match output {
        Some(word) if word.bytes() == b"-o" => words.next().and_then(|word| effect.path_of(word)),
        Some(word) => word.literal().and_then(|text| effect::absolute(Some(directory), &text[2..])),
        None => Some(join_path(directory, "a.out")),
    };
    path.map_or_else(Made::default, |path| Made::file(path, effect.span))
}

fn listed(paths: &[String]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
}
