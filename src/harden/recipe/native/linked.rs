//! What a program of C or C++ is linked to, as far as the files say it.
//!
//! Facts: gcc(1) (`-l`, `-static`, `-fopenmp`), pkg-config(1), ld.so(8).

use super::{cmake::Cmake, install, makefile::Makefile};
use crate::{
    harden::{
        Evidence, Subject,
        effect::{Effect, Kind},
        recipe::compiled::{Build, Obstacle},
    },
    knowledge::{Family, Role, Runtime as Needed},
    model::StepCommand,
};
use std::collections::BTreeSet;

/// What a program is linked to.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one thing that the files say")]
pub(super) struct Linked {
    /// Names of libraries beyond those of the language, as the linker, `CMake` or pkg-config call them.
    pub(super) names: BTreeSet<String>,
    /// Parts of Boost.
    boost: BTreeSet<String>,
    pub(super) is_static: bool,
    pub(super) has_cpp: bool,
    /// Whether these are all.
    pub(super) is_known: bool,
    /// Whether the project makes libraries that the program loads.
    pub(super) has_own: bool,
    /// Whether it asks for the library of OpenMP, or of atomic operations.
    openmp: bool,
    atomic: bool,
    pub(super) place: Option<Evidence>,
}

/// Libraries that come with the compiler and the C library, whoever names them.
const OF_THE_LANGUAGE: [&str; 17] = [
    "c",
    "m",
    "dl",
    "rt",
    "pthread",
    "stdc++",
    "gcc",
    "gcc_s",
    "util",
    "resolv",
    "stdc++fs",
    "threads",
    "nsl",
    "crypt_",
    "supc++",
    "anl",
    "cmake_dl_libs",
];

/// The compilers of C and C++, and whether they compile C++.
pub(super) fn compiler(name: &str) -> Option<bool> {
    let plain = name.trim_end_matches(|char: char| char.is_ascii_digit() || char == '.').trim_end_matches('-');
    match plain {
        "gcc" | "cc" | "clang" => Some(false),
        "g++" | "c++" | "clang++" => Some(true),
        _ => None,
    }
}

impl Linked {
    pub(super) fn of(build: &Build<'_, '_>) -> Self {
        let mut linked = Self { is_known: true, ..Self::default() };
        let is_cpp = |extension: &str| matches!(extension, "cc" | "cpp" | "cxx" | "hpp" | "hxx");
        linked.has_cpp = !build.is_seen() || build.sources.all.iter().any(|source| is_cpp(source.file.extension()));
        let mut seen = BTreeSet::new();
        for effect in build.effects.iter().filter(|effect| matches!(effect.kind, Kind::Build { .. })) {
            let Some(command) = effect.command else { continue };
            match command.name() {
                Some(name) if compiler(name).is_some() => linked.compiled(command),
                Some(_) => linked.built(build, effect, &mut seen),
                None => linked.is_known = false,
            }
        }
        linked.names.retain(|name| !OF_THE_LANGUAGE.contains(&name.to_ascii_lowercase().as_str()));
        linked
    }

    fn compiled(&mut self, command: StepCommand<'_>) {
        let Some(invocation) = command.invocation() else { return };
        self.has_cpp |= invocation.name().and_then(compiler) == Some(true);
        let words: Vec<String> = invocation.arguments().map(|word| word.text().into_owned()).collect();
        self.is_known &= !words.iter().any(|word| word.starts_with('$') && !word.contains("pkg-config"));
        self.take_words(words.iter().map(String::as_str));
    }

    /// A call of a build system.
    fn built(&mut self, build: &Build<'_, '_>, effect: &Effect<'_>, seen: &mut BTreeSet<String>) {
        let subject = build.subject;
        let source = install::source_of(&build.effects, effect);
        let Some((source, tree)) = source.zip(build.tree.as_ref()) else {
            self.is_known = false;
            return;
        };
        let call: Vec<String> = effect
            .command
            .iter()
            .flat_map(|command| command.command.words())
            .map(|word| word.text().into_owned())
            .collect();
        self.is_static |= call.iter().any(|word| is_static(word));
        self.has_own |=
            call.iter().any(|word| word.contains("BUILD_SHARED_LIBS=ON") || word.contains("BUILD_SHARED_LIBS=1"));
        if !seen.insert(source.clone()) {
            return;
        }
        if let Some(project) = Cmake::of(subject, tree, &source) {
            self.take_project(&project);
            return;
        }
        let Some(makefile) = Makefile::of(subject, tree, &source, &[]) else {
            self.is_known = false;
            return;
        };
        let calls_others = ["include ", "$(MAKE)", "${MAKE}"].iter().any(|word| makefile.text.contains(word));
        self.is_known &= !calls_others;
        self.has_own |= makefile.text.contains("-shared");
        self.take_words(
            makefile.text.split(|char: char| char.is_whitespace() || matches!(char, '=' | '(' | ')' | '`' | ',')),
        );
        self.place.get_or_insert_with(|| Evidence {
            path: makefile.found_at.clone(),
            line: 1,
            shows: "what it is linked to".to_owned(),
        });
    }

    fn take_project(&mut self, project: &Cmake) {
        self.has_cpp |= project.has_cpp;
        self.has_own |= project.has_shared;
        self.is_known &= !project.fetches;
        self.boost.extend(project.boost.iter().cloned());
        let path = project.found_at.clone().unwrap_or_default();
        self.place.get_or_insert(Evidence { path, line: 1, shows: "what it is linked to".to_owned() });
        for word in project.linked.iter().filter(|word| !project.is_own(word)) {
            self.is_static |= is_static(word);
            self.openmp |= word.starts_with("OpenMP::") || word == "-fopenmp";
            if let Some(name) = word.strip_prefix("-l") {
                self.names.insert(name.to_owned());
            } else if word.starts_with('$') {
                // `${X_LIBRARIES}` of a module that is found: named after it.
                let name = word.trim_start_matches("${").trim_end_matches('}').to_ascii_lowercase();
                let name = name.trim_end_matches("_libraries").trim_end_matches("_library").trim_end_matches("_libs");
                self.names.insert(name.to_owned());
            } else if !word.starts_with('-') && !word.starts_with("OpenMP::") {
                let name = word.split("::").next().unwrap_or(word);
                self.names.insert(name.to_owned());
            }
        }
    }

    fn take_words<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
        let mut is_config = false;
        for word in words {
            self.is_static |= is_static(word);
            self.openmp |= word == "-fopenmp";
            if let Some(name) = word.strip_prefix("-l").filter(|name| !name.is_empty() && !name.starts_with('-')) {
                match name.strip_prefix("boost_") {
                    Some(part) => self.boost.insert(part.to_owned()),
                    None => self.names.insert(name.to_owned()),
                };
                self.atomic |= name == "atomic";
                self.openmp |= name == "gomp";
            }
            let program = word.rsplit('/').next().unwrap_or(word);
            if let Some(name) = program
                .strip_suffix("-config")
                .or_else(|| program.strip_suffix("_config"))
                .filter(|name| *name != "pkg" && !name.is_empty())
            {
                self.names.insert(name.to_owned());
            }
            // `pkg-config --libs x y`
            is_config = match word {
                "pkg-config" | "pkgconf" | "PKG_CONFIG" | "$(pkg-config" => true,
                word if word.starts_with('-') || word.is_empty() => is_config,
                word if is_config
                    && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte)) =>
                {
                    self.names.insert(word.to_owned());
                    true
                }
                _ => false,
            };
        }
    }

    /// What the library of all of Boost stands for where the parts are named: only these are loaded.
    pub(super) fn narrow(&self, build: &mut Build<'_, '_>) {
        const ALL: [&str; 1] = ["libboost-all-dev"];
        if self.boost.is_empty() || !self.is_known && !self.names.is_empty() && build.tree.is_none() {
            return;
        }
        let facts = build.subject.target.image_facts();
        let family = facts.and_then(|facts| facts.family.known().copied()).unwrap_or(Family::Debian);
        let release = facts.and_then(|facts| facts.release.known().map(String::as_str));
        let packages: Option<Vec<String>> = self
            .boost
            .iter()
            .filter(|part| {
                !matches!(part.as_str(), "boost" | "headers" | "asio" | "dynamic_linking" | "disable_autolinking")
            })
            .map(|part| {
                let package = format!("libboost-{}-dev", part.replace('_', "-"));
                let runtime = build.subject.cx.knowledge.runtime_of(family, release, &package);
                matches!(runtime, Needed::Libraries(_)).then_some(package)
            })
            .collect();
        let Some(packages) = packages else { return };
        for effect in &mut build.effects {
            let Kind::Packages { names, .. } = &mut effect.kind else { continue };
            if names.iter().any(|name| ALL.contains(&name.as_str())) {
                names.retain(|name| !ALL.contains(&name.as_str()));
                names.extend(packages.iter().cloned());
            }
        }
    }

    /// Packages of libraries that no development package of the author stands for.
    ///
    /// # Errors
    /// The image that builds has libraries of its own to link to, and whether the program loads one of them is not known.
    pub(super) fn more(&self, build: &Build<'_, '_>) -> Result<Vec<String>, Obstacle> {
        if self.is_static {
            return Ok(Vec::new());
        }
        let facts = build.subject.target.image_facts();
        let family = facts.and_then(|facts| facts.family.known().copied());
        let release = facts.and_then(|facts| facts.release.known().map(String::as_str));
        let mut more = BTreeSet::new();
        let is_alpine = family == Some(Family::Alpine);
        if is_alpine && self.has_cpp {
            more.insert("libstdc++".to_owned());
        }
        if self.openmp {
            more.insert(if is_alpine { "libgomp" } else { "libgomp1" }.to_owned());
        }
        if self.atomic {
            more.insert(if is_alpine { "libatomic" } else { "libatomic1" }.to_owned());
        }
        if !brings_libraries(build.subject) {
            return Ok(more.into_iter().collect());
        }
        if !self.is_known {
            return Err("the image that builds has many libraries to link to, and which of them the program loads is not told by the files".into());
        }
        for name in &self.names {
            let of = |package: &String| build.subject.cx.knowledge.runtime_of(Family::Debian, release, package);
            let packages = [format!("lib{name}-dev"), format!("{name}-dev")]
                .into_iter()
                .chain(package_of(name).map(str::to_owned));
            let found = packages.map(|package| of(&package)).find_map(|runtime| match runtime {
                Needed::Libraries(libraries) => Some(libraries),
                _ => None,
            });
            let Some(libraries) = found else {
                return Err(format!(
                    "which package holds the library `{name}`, which the program is linked to, is not known"
                )
                .into());
            };
            more.extend(libraries.iter().map(ToString::to_string));
        }
        Ok(more.into_iter().collect())
    }
}

/// Whether the image that builds comes with development packages: those of `buildpack-deps`, and what is made of it.
fn brings_libraries(subject: &Subject<'_>) -> bool {
    let facts = subject.target.named_image().and_then(|image| image.facts.as_deref());
    facts.is_none_or(|facts| facts.role.known() != Some(&Role::Os))
}

/// The development package of a library that is not called like it.
///
/// Source: the file lists of Debian's packages: `libz.so` in zlib1g-dev, `libcrypto.so` in libssl-dev.
fn package_of(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "z" | "zlib" => "zlib1g-dev",
        "ssl" | "crypto" | "openssl" | "libssl" | "libcrypto" => "libssl-dev",
        "curl" | "libcurl" => "libcurl4-openssl-dev",
        "sqlite3" | "sqlite" => "libsqlite3-dev",
        "ncurses" | "ncursesw" | "curses" | "tinfo" => "libncurses-dev",
        "bz2" => "libbz2-dev",
        "png" | "libpng" => "libpng-dev",
        "jpeg" => "libjpeg-dev",
        "expat" => "libexpat1-dev",
        "uuid" => "uuid-dev",
        "lzma" => "liblzma-dev",
        "pq" | "libpq" | "postgresql" => "libpq-dev",
        "event" | "libevent" => "libevent-dev",
        "yaml" => "libyaml-dev",
        "pcre2-8" => "libpcre2-dev",
        "xml2" => "libxml2-dev",
        _ => return None,
    })
}

/// `-static`, alone or among other flags, and not `-static-libgcc`.
fn is_static(word: &str) -> bool {
    word.split([' ', '=', '"', '\'', ',']).any(|part| part == "-static")
}
