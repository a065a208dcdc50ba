//! What `CMakeLists.txt` files say: the programs that they make, what these are linked to, and what is installed.
//!
//! Facts: cmake-commands(7) (`add_executable`, `add_library`, `install`, `target_link_libraries`), `GNUInstallDirs`. What a
//! condition, a function or a variable decides is hidden.

use crate::harden::{
    Subject,
    tree::{Tree, below},
};
use crate::model::{file_name, join_path};
use std::collections::{BTreeMap, BTreeSet};

/// A project and those that it adds.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one thing that the files say")]
pub(super) struct Cmake {
    /// The names of packages and targets that are linked, as they are written.
    pub(super) linked: BTreeSet<String>,
    /// Parts of Boost.
    pub(super) boost: BTreeSet<String>,
    /// Whether C++ is compiled.
    pub(super) has_cpp: bool,
    /// Whether it may make libraries that are loaded.
    pub(super) has_shared: bool,
    /// Whether it takes other projects in.
    pub(super) fetches: bool,
    /// The file of its root.
    pub(super) found_at: Option<String>,
    programs: BTreeSet<String>,
    libraries: BTreeSet<String>,
    /// What is installed: below the prefix, or absolute.
    installed: Vec<String>,
    /// Whether more is installed than can be told.
    is_hidden: bool,
}

/// So many files of one project are read.
const MOST_FILES: usize = 200;

impl Cmake {
    /// The project whose root lies at `directory` of the image; `None` where none does.
    pub(super) fn of(subject: &Subject<'_>, tree: &Tree, directory: &str) -> Option<Self> {
        let mut project = Self::default();
        let mut open = vec![directory.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(directory) = open.pop() {
            if !seen.insert(directory.clone()) || seen.len() > MOST_FILES {
                continue;
            }
            let path = join_path(&directory, "CMakeLists.txt");
            let text = tree.at(&path).next().and_then(|file| Some((file, subject.text_of(file)?)));
            let Some((file, text)) = text else {
                project.is_hidden = true;
                continue;
            };
            project.found_at.get_or_insert_with(|| file.found_at.clone());
            let mut list = List { project: &mut project, variables: BTreeMap::new(), directory, added: Vec::new() };
            list.read(&text, tree);
            let added = std::mem::take(&mut list.added);
            open.extend(added);
        }
        project.found_at.is_some().then_some(project)
    }

    /// The absolute paths that installing puts below `prefix`, if they can be told.
    pub(super) fn installs(&self, prefix: &str) -> Option<Vec<String>> {
        let is_known = !self.is_hidden && !self.fetches && !self.installed.is_empty();
        let place = |path: &String| if path.starts_with('/') { path.clone() } else { join_path(prefix, path) };
        is_known.then(|| self.installed.iter().map(place).collect())
    }

    /// Whether `name` is a library of the project itself.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.libraries.contains(name)
    }
}

/// One `CMakeLists.txt`.
struct List<'p> {
    project: &'p mut Cmake,
    variables: BTreeMap<String, String>,
    directory: String,
    added: Vec<String>,
}

impl List<'_> {
    fn read(&mut self, text: &str, tree: &Tree) {
        // How deep in conditions, loops and functions.
        let mut depth = 0_usize;
        for (command, words) in commands(text) {
            let words: Vec<String> = words.iter().map(|word| self.expanded(word)).collect();
            match command.as_str() {
                "if" | "foreach" | "while" | "function" | "macro" => depth += 1,
                "endif" | "endforeach" | "endwhile" | "endfunction" | "endmacro" => depth = depth.saturating_sub(1),
                "install" => self.install(&words, depth > 0),
                "set" => self.set(&words, depth > 0),
                "add_subdirectory" => self.add(&words, depth > 0),
                "include" => self.include(&words, tree),
                _ => self.target(&command, &words),
            }
        }
    }

    fn set(&mut self, words: &[String], is_conditional: bool) {
        let [name, values @ ..] = words else { return };
        match values {
            [value] if !is_conditional => self.variables.insert(name.clone(), value.clone()),
            _ => self.variables.remove(name),
        };
        let is_on =
            values.first().is_some_and(|value| matches!(value.to_ascii_uppercase().as_str(), "ON" | "TRUE" | "1"));
        self.project.has_shared |= name == "BUILD_SHARED_LIBS" && is_on;
        if matches!(
            name.as_str(),
            "CMAKE_INSTALL_PREFIX" | "CMAKE_RUNTIME_OUTPUT_DIRECTORY" | "CMAKE_EXECUTABLE_SUFFIX"
        ) {
            self.project.is_hidden |= name != "CMAKE_RUNTIME_OUTPUT_DIRECTORY";
        }
        if name.starts_with("CMAKE_EXE_LINKER_FLAGS") || name == "CMAKE_CXX_FLAGS" || name == "CMAKE_C_FLAGS" {
            self.project.linked.extend(values.iter().flat_map(|value| value.split_whitespace()).map(str::to_owned));
        }
    }

    fn add(&mut self, words: &[String], is_conditional: bool) {
        let Some(name) = words.first().filter(|name| !name.contains('$') && !name.starts_with('/')) else {
            self.project.is_hidden = true;
            return;
        };
        self.project.is_hidden |= is_conditional && !is_about_tests(name);
        self.added.push(join_path(&self.directory, name));
    }

    /// A file of the project may say anything; modules of `CMake` install nothing.
    fn include(&mut self, words: &[String], tree: &Tree) {
        let Some(name) = words.first() else { return };
        let is_own = |name: &str| tree.files.iter().any(|file| file.name() == file_name(name));
        let is_fetching = matches!(name.as_str(), "FetchContent" | "ExternalProject" | "CPM");
        self.project.fetches |= is_fetching;
        self.project.is_hidden |= name.contains('$') || is_own(name) || is_own(&format!("{name}.cmake"));
    }

    fn target(&mut self, command: &str, words: &[String]) {
        let project = &mut *self.project;
        match (command, words) {
            ("project", [name, languages @ ..]) => {
                self.variables.insert("PROJECT_NAME".to_owned(), name.clone());
                self.variables.insert("CMAKE_PROJECT_NAME".to_owned(), name.clone());
                let is_language = |word: &String| matches!(word.as_str(), "C" | "CXX");
                let named = languages.iter().any(is_language);
                project.has_cpp |= !named || languages.iter().any(|word| word == "CXX");
            }
            ("add_executable", [name, kind, ..]) if !matches!(kind.as_str(), "IMPORTED" | "ALIAS") => {
                project.programs.insert(name.clone());
            }
            ("add_library", [name, rest @ ..]) => {
                project.libraries.insert(name.clone());
                project.has_shared |= rest.first().is_some_and(|kind| matches!(kind.as_str(), "SHARED" | "MODULE"));
            }
            ("set_target_properties" | "set_property", words) => {
                let renames = |word: &String| matches!(word.as_str(), "OUTPUT_NAME" | "SUFFIX" | "PREFIX");
                project.is_hidden |= words.iter().any(renames);
            }
            ("find_package", [name, rest @ ..]) if name == "Boost" => {
                let parts = rest.iter().skip_while(|word| !matches!(word.as_str(), "COMPONENTS" | "REQUIRED")).skip(1);
                let is_part = |word: &&String| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                project.boost.extend(parts.filter(is_part).cloned());
            }
            ("pkg_check_modules" | "pkg_search_module", [_, rest @ ..]) => {
                let is_module = |word: &&String| {
                    !matches!(word.as_str(), "REQUIRED" | "QUIET" | "IMPORTED_TARGET" | "NO_CMAKE_PATH")
                };
                let modules = rest.iter().filter(is_module);
                project
                    .linked
                    .extend(modules.map(|word| word.split(['>', '<', '=']).next().unwrap_or(word).to_owned()));
            }
            ("fetchcontent_declare" | "fetchcontent_makeavailable" | "externalproject_add" | "cpmaddpackage", _) => {
                project.fetches = true;
            }
            ("target_link_libraries" | "target_link_options" | "link_libraries" | "add_link_options", words) => {
                let skipped = usize::from(command.starts_with("target"));
                for word in words.iter().skip(skipped) {
                    if let Some(part) = word.strip_prefix("Boost::") {
                        project.boost.insert(part.to_owned());
                    } else if !matches!(
                        word.as_str(),
                        "PRIVATE" | "PUBLIC" | "INTERFACE" | "debug" | "optimized" | "general"
                    ) {
                        project.linked.insert(word.clone());
                    }
                }
            }
            _ => {}
        }
    }

    fn install(&mut self, words: &[String], is_conditional: bool) {
        let [kind, rest @ ..] = words else { return };
        let is_words = |word: &String| {
            matches!(
                word.as_str(),
                "OPTIONAL" | "CONFIGURATIONS" | "EXCLUDE_FROM_ALL" | "PATTERN" | "FILES_MATCHING" | "REGEX"
            )
        };
        let is_plain = !is_conditional && !rest.iter().any(|word| word.contains('$')) && !rest.iter().any(is_words);
        match kind.as_str() {
            "EXPORT" => {}
            "TARGETS" if is_plain => self.install_targets(rest),
            "FILES" | "PROGRAMS" | "DIRECTORY" if is_plain => self.install_files(kind == "DIRECTORY", rest),
            _ => self.project.is_hidden = true,
        }
    }

    fn install_targets(&mut self, words: &[String]) {
        let names: Vec<&String> = words.iter().take_while(|word| !is_keyword(word)).collect();
        let of_programs = words.iter().skip_while(|word| word.as_str() != "RUNTIME");
        let behind = |words: &mut dyn Iterator<Item = &String>| {
            words.skip_while(|word| word.as_str() != "DESTINATION").nth(1).cloned()
        };
        let destination = behind(&mut of_programs.clone()).or_else(|| behind(&mut words.iter()));
        let has_programs =
            of_programs.count() > 0 || !words.iter().any(|word| matches!(word.as_str(), "LIBRARY" | "ARCHIVE"));
        for name in names {
            if self.project.programs.contains(name) && has_programs {
                let directory = destination.as_deref().unwrap_or("bin");
                self.project.installed.push(join(directory, name));
            } else if !self.project.libraries.contains(name) || self.project.has_shared {
                self.project.is_hidden = true;
            }
        }
    }

    fn install_files(&mut self, is_directory: bool, words: &[String]) {
        let names = words.iter().take_while(|word| !is_keyword(word));
        let value = |keyword: &str| words.iter().position(|word| word == keyword).and_then(|at| words.get(at + 1));
        let Some(destination) = value("DESTINATION") else {
            self.project.is_hidden = true;
            return;
        };
        for name in names {
            let last = value("RENAME").map_or_else(|| file_name(name.trim_end_matches('/')), String::as_str);
            let is_contents = is_directory && name.ends_with('/');
            self.project.installed.push(if is_contents { destination.clone() } else { join(destination, last) });
        }
    }

    /// A word with the variables that are known.
    fn expanded(&self, word: &str) -> String {
        if !word.contains("${") {
            return word.to_owned();
        }
        let of_gnu = DIRECTORIES.iter().map(|(name, value)| (*name, *value));
        let own = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let here = [("CMAKE_CURRENT_SOURCE_DIR", self.directory.as_str()), ("CMAKE_SOURCE_DIR", ".")];
        let mut word = word.replace("${CMAKE_INSTALL_PREFIX}/", "");
        for (name, value) in own.chain(of_gnu).chain(here) {
            if word.contains(name) {
                word = word.replace(&format!("${{{name}}}"), value);
            }
        }
        word
    }
}

/// `GNUInstallDirs`, as far as they are the same everywhere below a prefix that is not `/usr`.
const DIRECTORIES: [(&str, &str); 9] = [
    ("CMAKE_INSTALL_BINDIR", "bin"),
    ("CMAKE_INSTALL_SBINDIR", "sbin"),
    ("CMAKE_INSTALL_LIBEXECDIR", "libexec"),
    ("CMAKE_INSTALL_SYSCONFDIR", "etc"),
    ("CMAKE_INSTALL_LOCALSTATEDIR", "var"),
    ("CMAKE_INSTALL_INCLUDEDIR", "include"),
    ("CMAKE_INSTALL_DATADIR", "share"),
    ("CMAKE_INSTALL_DATAROOTDIR", "share"),
    ("CMAKE_INSTALL_MANDIR", "share/man"),
];

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "DESTINATION"
            | "RUNTIME"
            | "LIBRARY"
            | "ARCHIVE"
            | "PERMISSIONS"
            | "RENAME"
            | "EXPORT"
            | "COMPONENT"
            | "PUBLIC_HEADER"
            | "BUNDLE"
            | "TYPE"
            | "FILE_PERMISSIONS"
            | "DIRECTORY_PERMISSIONS"
            | "USE_SOURCE_PERMISSIONS"
    )
}

fn is_about_tests(name: &str) -> bool {
    ["test", "example", "bench", "doc"].iter().any(|start| name.starts_with(start))
}

fn join(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// The commands of a `CMakeLists.txt` with their words; quotes and comments are taken off.
fn commands(text: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut bytes = text.char_indices().peekable();
    let mut name = String::new();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let (mut depth, mut is_quoted) = (0_usize, false);
    while let Some((_, char)) = bytes.next() {
        match char {
            '#' if !is_quoted => while bytes.next_if(|(_, char)| *char != '\n').is_some() {},
            '\\' if depth > 0 => word.extend(bytes.next().map(|(_, char)| char)),
            '"' if depth > 0 => is_quoted = !is_quoted,
            '(' if !is_quoted => {
                depth += 1;
                if depth == 1 {
                    words.clear();
                }
            }
            ')' if !is_quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    found.push((std::mem::take(&mut name), std::mem::take(&mut words)));
                }
            }
            char if depth == 0 => {
                if char.is_ascii_alphanumeric() || char == '_' {
                    name.push(char.to_ascii_lowercase());
                } else if !char.is_whitespace() {
                    name.clear();
                }
            }
            char if !is_quoted && (char.is_whitespace() || char == ';') => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            char => word.push(char),
        }
    }
    found
}

/// Whether a path that is installed is read when the program runs: headers, archives and manuals are not.
pub(super) fn is_needed(path: &str, prefix: &str) -> bool {
    let rest = below(path, prefix).unwrap_or(path);
    let is_of_developers = ["include", "share/man", "share/doc", "lib/cmake", "lib/pkgconfig", "share/cmake"]
        .iter()
        .any(|directory| below(rest, directory).is_some());
    !is_of_developers && !rest.ends_with(".a") && !rest.ends_with(".h") && !rest.ends_with(".hpp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_their_words() {
        let text = "# one\nproject(a VERSION 1) # two\nset(B \"x y\" c;d)\nif(NOT (A AND B))\nendif()\n";
        let found = commands(text);
        let written: Vec<String> = found.iter().map(|(name, words)| format!("{name}: {}", words.join("|"))).collect();
        assert_eq!(written, ["project: a|VERSION|1", "set: B|x y|c|d", "if: NOT|A|AND|B", "endif: "]);
    }

    fn read(text: &str) -> Cmake {
        let mut project = Cmake::default();
        let mut list =
            List { project: &mut project, variables: BTreeMap::new(), directory: "/src".into(), added: Vec::new() };
        list.read(text, &Tree::default());
        project
    }

    #[test]
    fn what_is_installed() {
        let project = read(
            "project(dice)\nadd_executable(${PROJECT_NAME} a.cpp)\nadd_library(part STATIC b.cpp)\n\
             install(TARGETS dice part RUNTIME DESTINATION sbin ARCHIVE DESTINATION lib)\n\
             install(FILES conf/dice.conf DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/dice)\n\
             install(DIRECTORY web/ DESTINATION share/dice)\ninstall(DIRECTORY maps DESTINATION /srv)\n",
        );
        let places = project.installs("/usr/local").unwrap();
        assert_eq!(
            places,
            ["/usr/local/sbin/dice", "/usr/local/etc/dice/dice.conf", "/usr/local/share/dice", "/srv/maps"]
        );
    }

    #[test]
    fn what_nobody_can_tell_is_hidden() {
        let hidden = [
            "add_executable(a a.c)\nif(X)\ninstall(TARGETS a DESTINATION bin)\nendif()\n",
            "add_executable(a a.c)\ninstall(TARGETS a DESTINATION ${WHERE})\n",
            "add_library(a SHARED a.c)\ninstall(TARGETS a DESTINATION lib)\n",
            "add_executable(a a.c)\ninstall(TARGETS a)\ninstall(CODE \"message(x)\")\n",
            "add_executable(a a.c)\nset_target_properties(a PROPERTIES OUTPUT_NAME b)\ninstall(TARGETS a)\n",
        ];
        for text in hidden {
            assert_eq!(read(text).installs("/usr/local"), None, "{text}");
        }
    }
}
