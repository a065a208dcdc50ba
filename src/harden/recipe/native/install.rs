//! What the commands of a Dockerfile install, and how it gets into another image: file by file where the project says
//! what it installs; as the whole prefix, or installed once more below a directory of its own, where it does not.
//!
//! Facts: `CMake`'s and GNU's `DESTDIR` (a directory in front of every installed path), `CMAKE_INSTALL_PREFIX` and GNU's
//! `prefix` (`/usr/local`).

use super::{cmake, cmake::Cmake, makefile::Makefile};
use crate::{
    harden::{
        Subject,
        effect::{self, Effect, Kind},
        recipe::compiled::Obstacle,
        tree::{Tree, below},
    },
    knowledge::Role,
    model::StepCommand,
    text::Span,
};

/// Where things are installed once more, to be copied from there.
pub(super) const STAGED: &str = "/installed";

/// One command that installs.
pub(super) struct Install {
    pub(super) span: Span,
    pub(super) step: usize,
    pub(super) prefix: String,
    /// The directories that its sources, and what is made of them, lie in.
    pub(super) sources: Vec<String>,
    pub(super) how: How,
    /// Whether the build context has its sources.
    pub(super) is_own: bool,
}

/// How what is installed gets into another image.
#[derive(Debug)]
pub(super) enum How {
    /// These files and directories are all of it.
    Files(Vec<String>),
    /// It is all in one directory, and nothing else is.
    Prefix,
    /// It is installed once more, below [`STAGED`], by this instruction.
    Staged(String),
    /// It is compiled into what is built with it.
    Nothing,
    /// Nobody can tell.
    Hidden(Obstacle),
}

/// Projects that are headers, or an archive that is linked in, unless their build is told something else.
///
/// Sources: the `CMakeLists.txt` of each makes a library without kind (`CMake`: static without `BUILD_SHARED_LIBS`), or none.
const COMPILED_IN: [&str; 12] = [
    "spdlog",
    "fmt",
    "nlohmann",
    "googletest",
    "catch2",
    "eigen",
    "cxxopts",
    "cli11",
    "asio",
    "httplib",
    "rapidjson",
    "benchmark",
];

/// Images whose server has one Makefile for all extensions, which knows `DESTDIR`.
const EXTENDED: [&str; 3] =
    ["docker.io/library/postgres", "docker.io/postgis/postgis", "docker.io/timescale/timescaledb"];

/// A call of a tool that builds: its words with their values, as far as they are known.
struct Call<'e, 'm> {
    effect: &'e Effect<'m>,
    name: &'m str,
    words: Vec<Option<String>>,
}

impl<'e, 'm> Call<'e, 'm> {
    fn of(effect: &'e Effect<'m>) -> Option<Self> {
        let command = effect.command?;
        let invocation = command.invocation()?;
        let name = invocation.name()?;
        let words = invocation.arguments().map(|word| command.value(word).map(std::borrow::Cow::into_owned));
        Some(Self { effect, name, words: words.collect() })
    }

    fn known(&self) -> impl Iterator<Item = &str> {
        self.words.iter().flatten().map(String::as_str)
    }

    fn has(&self, wanted: &str) -> bool {
        self.known().any(|word| word == wanted)
    }

    /// The value behind one of `options`, in the same word or the next.
    fn value(&self, options: &[&str]) -> Option<&str> {
        let mut words = self.known();
        while let Some(word) = words.next() {
            for option in options {
                if word == *option {
                    return words.next();
                }
                let joined = word.strip_prefix(option).map(|rest| rest.strip_prefix('=').unwrap_or(rest));
                let is_joined = option.starts_with("--") && word.as_bytes().get(option.len()) == Some(&b'=')
                    || !option.starts_with("--") && !joined.unwrap_or_default().is_empty();
                if let Some(value) = joined.filter(|_| is_joined) {
                    return Some(value);
                }
            }
        }
        None
    }

    fn path(&self, written: &str) -> Option<String> {
        effect::absolute(self.effect.directory.as_deref(), written)
    }

    /// Where it builds.
    fn directory(&self) -> Option<String> {
        let named = match self.name {
            "cmake" => self.value(&["--build", "--install", "-B"]),
            "make" | "gmake" | "ninja" | "meson" => self.value(&["-C", "--directory"]),
            _ => None,
        };
        named.map_or_else(|| self.effect.directory.clone(), |named| self.path(named))
    }

    fn configures(&self) -> bool {
        match self.name {
            "configure" | "config" | "Configure" => true,
            "cmake" => !self.has("--build") && !self.has("--install") && !self.has("-P") && !self.has("-E"),
            "meson" => !matches!(self.known().next(), Some("install" | "compile" | "test")),
            _ => false,
        }
    }

    /// The targets that install; none where it does not.
    fn targets(&self) -> Vec<String> {
        let named = |word: &&str| word.starts_with("install") && !word.contains(['=', '/']);
        match self.name {
            "meson" => self.known().take(1).filter(|word| *word == "install").map(str::to_owned).collect(),
            "cmake" if self.has("--install") => vec!["install".to_owned()],
            "make" | "gmake" | "ninja" | "cmake" => self.known().filter(named).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// Variables that a call of make is given.
    fn given(&self) -> Vec<String> {
        self.known().filter(|word| word.contains('=') && !word.starts_with('-')).map(str::to_owned).collect()
    }
}

/// What `effects` install, in order.
pub(super) fn installs(subject: &Subject<'_>, tree: Option<&Tree>, effects: &[Effect<'_>]) -> Vec<Install> {
    let calls: Vec<Call<'_, '_>> =
        effects.iter().filter(|effect| matches!(effect.kind, Kind::Build { .. })).filter_map(Call::of).collect();
    let installing = calls.iter().enumerate().filter(|(_, call)| !call.targets().is_empty());
    let reader = Reader { subject, tree, effects };
    installing.map(|(at, call)| reader.install(call, &calls[..at])).collect()
}

/// The directory of the sources that are built in `directory`, by the last call before `effect` that configures there.
pub(super) fn source_of(effects: &[Effect<'_>], effect: &Effect<'_>) -> Option<String> {
    let calls: Vec<Call<'_, '_>> = effects
        .iter()
        .filter(|other| matches!(other.kind, Kind::Build { .. }) && other.span.start <= effect.span.start)
        .filter_map(Call::of)
        .collect();
    let (call, before) = calls.split_last()?;
    let directory = call.directory()?;
    let configured = calls.last().filter(|call| call.configures()).or_else(|| configured(before, &directory));
    Some(configured.and_then(source).unwrap_or(directory))
}

fn configured<'c, 'e, 'm>(before: &'c [Call<'e, 'm>], directory: &str) -> Option<&'c Call<'e, 'm>> {
    before.iter().rfind(|call| call.configures() && call.directory().as_deref() == Some(directory))
}

/// Where the sources are that a call configures.
fn source(call: &Call<'_, '_>) -> Option<String> {
    if call.name != "cmake" {
        let written = call.effect.command?.invocation()?.path()?;
        let directory = written.rsplit_once('/').map_or(".", |(directory, _)| directory);
        return call.path(directory);
    }
    if let Some(named) = call.value(&["-S"]) {
        return call.path(named);
    }
    let mut words = call.known();
    while let Some(word) = words.next() {
        if matches!(word, "-B" | "-G" | "-D" | "-A" | "-T" | "-C" | "-U") {
            words.next();
        } else if !word.starts_with('-') {
            return call.path(word);
        }
    }
    call.effect.directory.clone()
}

struct Reader<'r, 'a> {
    subject: &'r Subject<'a>,
    tree: Option<&'r Tree>,
    effects: &'r [Effect<'a>],
}

impl Reader<'_, '_> {
    fn install(&self, call: &Call<'_, '_>, before: &[Call<'_, '_>]) -> Install {
        let (span, step) = (call.effect.span, call.effect.step.index());
        let line = self.subject.cx.file.locate(span.start).line;
        let hidden = |why: String| Install {
            span,
            step,
            prefix: "/usr/local".to_owned(),
            sources: Vec::new(),
            how: How::Hidden(why.into()),
            is_own: false,
        };
        let Some(directory) = call.directory() else {
            return hidden(format!("where line {line} builds cannot be told"));
        };
        let configured = configured(before, &directory);
        let source = configured.and_then(self::source).unwrap_or_else(|| directory.clone());
        let Some(prefix) = prefix(call, configured) else {
            return hidden(format!("where line {line} installs is decided by a variable"));
        };
        let is_own = self.tree.is_some_and(|tree| tree.has_below(&source));
        let how = if is_own {
            self.own(call, &directory, &source, configured.is_some(), &prefix)
        } else {
            self.foreign(call, &directory, &source, configured, &prefix)
        };
        let how = how.unwrap_or_else(|| {
            How::Hidden(
                format!("what `{}` in line {line} installs, and where, is not told by the files", call.name).into(),
            )
        });
        Install { span, step, prefix, sources: vec![source, directory], how, is_own }
    }

    /// A project of the build context.
    fn own(
        &self,
        call: &Call<'_, '_>,
        directory: &str,
        source: &str,
        is_configured: bool,
        prefix: &str,
    ) -> Option<How> {
        let tree = self.tree?;
        let targets = call.targets();
        if let Some(project) = Cmake::of(self.subject, tree, source) {
            let is_plain = targets == ["install"] && prefix != "/usr";
            let files = project.installs(prefix).filter(|_| is_plain);
            let files = files.map(|files| files.into_iter().filter(|path| cmake::is_needed(path, prefix)).collect());
            return files.map(How::Files).or_else(|| self.staged(call, directory));
        }
        if is_configured {
            return self.staged(call, directory);
        }
        let makefile = Makefile::of(self.subject, tree, directory, &call.given())?;
        if let Some(files) = makefile.installs(directory, &targets) {
            let needed = files.into_iter().filter(|path| cmake::is_needed(path, prefix));
            return Some(How::Files(needed.collect()));
        }
        makefile.has_destination(&targets).then(|| self.staged(call, directory)).flatten()
    }

    /// A project that comes from elsewhere.
    fn foreign(
        &self,
        call: &Call<'_, '_>,
        directory: &str,
        source: &str,
        configured: Option<&Call<'_, '_>>,
        prefix: &str,
    ) -> Option<How> {
        let image = self.subject.target.named_image().map(|image| image.reference.name());
        let is_of_postgres = image.is_some_and(|name| EXTENDED.contains(&name.as_str()));
        let is_conventional = configured.is_some() || matches!(call.name, "cmake" | "meson") || is_of_postgres;
        let asks_for_shared = configured.is_some_and(|call| {
            call.known().any(|word| word.to_ascii_lowercase().contains("shared") && !word.ends_with("=OFF"))
        });
        let path = source.to_ascii_lowercase();
        if !asks_for_shared && COMPILED_IN.iter().any(|name| path.contains(name)) {
            return Some(How::Nothing);
        }
        if !is_conventional {
            return None;
        }
        let facts = self.subject.target.named_image().and_then(|image| image.facts.as_deref());
        let is_bare = facts.is_some_and(|facts| facts.role.known() == Some(&Role::Os));
        let is_apart = below(prefix, "/opt").is_some_and(|rest| !rest.is_empty()) || prefix == "/usr/local" && is_bare;
        let strays = configured.is_some_and(|call| {
            let option = |word: &str| {
                let (name, value) = word.split_once('=')?;
                let is_place = name.starts_with("--") && name.ends_with("dir") || name.starts_with("-DCMAKE_INSTALL_");
                (is_place && value.starts_with('/') && below(value, prefix).is_none()).then_some(())
            };
            call.known().any(|word| option(word).is_some())
        });
        if is_apart && !strays {
            return Some(How::Prefix);
        }
        self.staged(call, directory)
    }

    /// The same command once more, with a directory in front of all that it installs.
    fn staged(&self, call: &Call<'_, '_>, directory: &str) -> Option<How> {
        let is_gone = self.effects.iter().any(|effect| {
            let Kind::Removes(places) = &effect.kind else { return false };
            let is_later = effect.span.start > call.effect.span.start;
            is_later && places.known.iter().any(|gone| below(directory, gone.trim_end_matches("/*")).is_some())
        });
        let is_mounted = effect::mounted(call.effect.step).iter().any(|mount| below(directory, mount).is_some());
        let is_root = self.subject.runs().last().is_some_and(|step| step.runs_as_root());
        let is_plain =
            |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./=+:,@".contains(&byte));
        if is_gone || is_mounted || !is_root || !is_plain(directory) {
            return None;
        }
        let is_parallel = |word: &Option<String>| word.as_ref().is_some_and(|word| word.starts_with("-j"));
        let mut words = vec![call.name.to_owned()];
        let mut rest = call.words.iter().zip(written(call)).peekable();
        while let Some((word, written)) = rest.next() {
            if written.starts_with("-j") || is_parallel(word) {
                rest.next_if(|(word, _)| word.as_ref().is_some_and(|word| word.parse::<u32>().is_ok()));
                continue;
            }
            words.push(word.clone().filter(|word| is_plain(word))?);
        }
        let here = call.effect.directory.as_deref().filter(|here| is_plain(here))?;
        let line = if matches!(call.name, "make" | "gmake") {
            format!("RUN cd {here} && {} DESTDIR={STAGED}", words.join(" "))
        } else {
            format!("RUN cd {here} && DESTDIR={STAGED} {}", words.join(" "))
        };
        Some(How::Staged(line))
    }
}

/// The words of a call as they are written.
fn written(call: &Call<'_, '_>) -> Vec<String> {
    let invocation = call.effect.command.and_then(StepCommand::invocation);
    invocation.map_or_else(Vec::new, |invocation| invocation.arguments().map(|word| word.text().into_owned()).collect())
}

/// Where a call installs; `None` where a variable decides.
fn prefix(call: &Call<'_, '_>, configured: Option<&Call<'_, '_>>) -> Option<String> {
    let of_make = call.known().find_map(|word| word.strip_prefix("PREFIX=").or_else(|| word.strip_prefix("prefix=")));
    let of_install = (call.name == "cmake").then(|| call.value(&["--prefix"])).flatten();
    let of_configure = configured.and_then(|call| {
        let typed = call.value(&["-DCMAKE_INSTALL_PREFIX:PATH", "-DCMAKE_INSTALL_PREFIX:STRING"]);
        let typed = typed.map(|value| value.trim_start_matches('='));
        let plain = call.known().find_map(|word| word.strip_prefix("-DCMAKE_INSTALL_PREFIX="));
        plain.or(typed).or_else(|| call.value(&["--prefix", "-Dprefix"]))
    });
    let hides = |call: &Call<'_, '_>| {
        let is_hidden = |text: &String| text.to_ascii_lowercase().contains("prefix") && text.contains('$');
        call.words.iter().any(Option::is_none) && written(call).iter().any(is_hidden)
    };
    let named = of_make.or(of_install).or(of_configure);
    if named.is_none() && (hides(call) || configured.is_some_and(hides)) {
        return None;
    }
    let named = named.unwrap_or("/usr/local");
    named.starts_with('/').then(|| if named == "/" { named.to_owned() } else { named.trim_end_matches('/').to_owned() })
}
