//! What a Makefile written by hand says: what it links, and what its target `install` copies where.
//!
//! Facts: GNU make (assignments, automatic variables, `include`), GNU Coding Standards (`DESTDIR`, `prefix`). Functions of
//! make, loops and patterns are not followed: what they install is hidden.

use crate::{
    harden::{
        Subject, effect,
        tree::{Tree, below},
    },
    model::{file_name, join_path},
};
use std::collections::BTreeSet;

/// One Makefile.
#[derive(Debug, Default)]
pub(super) struct Makefile {
    pub(super) text: String,
    /// As the checked file's path is written.
    pub(super) found_at: String,
    variables: Vec<(String, String)>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    targets: Vec<String>,
    needs: Vec<String>,
    lines: Vec<String>,
}

const NAMES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// Variables that Makefiles use without setting them.
const USUAL: [(&str, &str); 6] = [
    ("INSTALL_PROGRAM", "install"),
    ("INSTALL_DATA", "install"),
    ("INSTALL", "install"),
    ("DESTDIR", ""),
    ("MKDIR_P", "mkdir -p"),
    ("CP", "cp"),
];

/// A variable of a variable, and so on, and no further.
const DEEPEST: usize = 6;

/// A longer line is not expanded any further.
const LONGEST: usize = 4_000;

impl Makefile {
    /// The one in `directory` of the image, called with `given` variables.
    pub(super) fn of(subject: &Subject<'_>, tree: &Tree, directory: &str, given: &[String]) -> Option<Self> {
        let file =
            NAMES.iter().find_map(|name| tree.files.iter().find(|file| file.at == join_path(directory, name)))?;
        let text = subject.text_of(file)?;
        Some(Self { found_at: file.found_at.clone(), ..Self::read(text, given) })
    }

    fn read(text: String, given: &[String]) -> Self {
        let joined = text.replace("\\\n", " ");
        let mut variables: Vec<(String, String)> = Vec::new();
        let mut rules: Vec<Rule> = Vec::new();
        for line in joined.lines() {
            if let Some(recipe) = line.strip_prefix('\t') {
                if let Some(rule) = rules.last_mut() {
                    rule.lines.push(recipe.trim_start_matches(['@', '-', '+', ' ']).to_owned());
                }
                continue;
            }
            let line = line.split('#').next().unwrap_or_default();
            if let Some((name, value)) = assignment(line) {
                variables.push((name.to_owned(), value.to_owned()));
            } else if let Some((targets, needs)) = line.split_once(':') {
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                rules.push(Rule { targets: words(targets), needs: words(needs), lines: Vec::new() });
            }
        }
        let given: Vec<(&str, &str)> = given.iter().filter_map(|word| word.split_once('=')).collect();
        // What the caller gives stands in the place of what the file says.
        variables.retain(|(name, _)| !given.iter().any(|(given, _)| given == name));
        variables.extend(given.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        Self { text, variables, rules, found_at: String::new() }
    }

    /// The absolute paths that `targets` install from `directory`, and the directories that they make, if all of it can
    /// be told.
    pub(super) fn installs(&self, directory: &str, targets: &[String]) -> Option<Vec<String>> {
        let mut place = Place { directory, paths: Vec::new(), made: BTreeSet::new() };
        for (line, rule) in self.recipe(targets) {
            let expanded = self.expanded(line, rule);
            for command in expanded.split("&&").flat_map(|part| part.split(';')) {
                place.command(command.trim())?;
            }
        }
        (!place.paths.is_empty()).then_some(place.paths)
    }

    /// Whether all that `targets` install goes below `DESTDIR`, where that is given.
    pub(super) fn has_destination(&self, targets: &[String]) -> bool {
        let names_it = |line: &str| line.contains("$(DESTDIR)") || line.contains("${DESTDIR}");
        let through_variable = |line: &str| {
            let of_destination = self.variables.iter().filter(|(_, value)| names_it(value));
            of_destination
                .map(|(name, _)| name)
                .any(|name| line.contains(&format!("({name})")) || line.contains(&format!("{{{name}}}")))
        };
        let recipe = self.recipe(targets);
        let writes = |line: &str| ["install", "INSTALL", "cp ", "mkdir", "ln "].iter().any(|word| line.contains(word));
        !recipe.is_empty()
            && recipe
                .iter()
                .all(|(line, _)| !writes(line) || names_it(line) || through_variable(line) || line.contains("$(MAKE)"))
    }

    /// The lines that make `targets`, those of other targets that install included.
    fn recipe(&self, targets: &[String]) -> Vec<(&str, &Rule)> {
        let mut open: Vec<&str> = targets.iter().rev().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        let mut lines = Vec::new();
        while let Some(target) = open.pop() {
            if !seen.insert(target) {
                continue;
            }
            for rule in self.rules.iter().filter(|rule| rule.targets.iter().any(|name| name == target)) {
                open.extend(rule.needs.iter().map(String::as_str).filter(|name| name.contains("install")));
                lines.extend(rule.lines.iter().map(|line| (line.as_str(), rule)));
            }
        }
        lines
    }

    fn expanded(&self, line: &str, rule: &Rule) -> String {
        let first = rule.needs.first().map_or("", String::as_str);
        let all = rule.needs.join(" ");
        let target = rule.targets.first().map_or("", String::as_str);
        let mut line = line.replace("$<", first).replace("$^", &all).replace("$@", target);
        for _ in 0..DEEPEST {
            if !line.contains('$') || line.len() > LONGEST {
                break;
            }
            for (name, value) in self.variables.iter().rev() {
                line = line.replace(&format!("$({name})"), value).replace(&format!("${{{name}}}"), value);
            }
        }
        for (name, value) in USUAL {
            line = line.replace(&format!("$({name})"), value).replace(&format!("${{{name}}}"), value);
        }
        line
    }
}

/// `NAME = value`, `NAME ?= value`, `export NAME := value`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end_matches(['?', ':', '+', ' ', '\t']);
    let name = name.trim_start().strip_prefix("export ").unwrap_or(name).trim();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    is_name.then(|| (name, value.trim()))
}

/// Where commands put files.
struct Place<'d> {
    directory: &'d str,
    paths: Vec<String>,
    made: BTreeSet<String>,
}

impl Place<'_> {
    /// `None` where nobody can tell what the command does.
    fn command(&mut self, command: &str) -> Option<()> {
        let is_plain = !command.contains(['$', '`', '*', '?', '|', '>', '<', '"', '\'', '(', '{', '\\', '~']);
        let words: Vec<&str> = command.split_whitespace().collect();
        let [program, arguments @ ..] = words.as_slice() else { return Some(()) };
        match *program {
            "echo" | "true" | ":" | "printf" => Some(()),
            _ if !is_plain => None,
            "strip" | "chmod" | "ldconfig" => Some(()),
            "install" | "cp" | "ln" | "mkdir" => self.put(program, arguments),
            _ => None,
        }
    }

    fn put(&mut self, program: &str, arguments: &[&str]) -> Option<()> {
        let is_link = program == "ln";
        let mut operands = Vec::new();
        let (mut makes, mut target) = (program == "mkdir", None);
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            match *word {
                "-m" | "-o" | "-g" | "--mode" => {
                    rest.next();
                }
                "-t" if !is_link => target = rest.next().copied(),
                "-d" | "--directory" => makes = true,
                word if word.starts_with('-') => makes |= program == "install" && word.starts_with("-d"),
                word => operands.push(word),
            }
        }
        let absolute = |word: &str| effect::absolute(Some(self.directory), word);
        if makes {
            self.made.extend(operands.iter().filter_map(|word| absolute(word)));
            return Some(());
        }
        let (sources, to) = match (target, operands.as_slice()) {
            (Some(to), sources) => (sources, to),
            (None, [sources @ .., to]) if !sources.is_empty() => (sources, *to),
            (None, _) => return None,
        };
        let place = absolute(to)?;
        let is_directory = target.is_some()
            || to.ends_with('/')
            || sources.len() > 1
            || self.made.iter().any(|made| *made == place || below(made, &place).is_some())
            || matches!(file_name(&place), "bin" | "sbin" | "lib" | "etc" | "share" | "libexec");
        for source in sources {
            let name = file_name(source.trim_end_matches('/'));
            self.paths.push(if is_directory { join_path(&place, name) } else { place.clone() });
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installs(text: &str, given: &[&str]) -> Option<Vec<String>> {
        let given: Vec<String> = given.iter().map(ToString::to_string).collect();
        Makefile::read(text.to_owned(), &given).installs("/src", &["install".to_owned()])
    }

    #[test]
    fn what_is_installed() {
        let text = "PREFIX ?= /usr/local\nBIN := $(PREFIX)/bin\n\nall: hitsd\n\ninstall: hitsd hits.conf\n\
                    \tinstall -d $(DESTDIR)$(BIN)\n\tinstall -m 755 $< $(DESTDIR)$(BIN)/hits\n\
                    \t@mkdir -p $(DESTDIR)/etc/hits && cp hits.conf $(DESTDIR)/etc/hits\n";
        assert_eq!(installs(text, &[]).unwrap(), ["/usr/local/bin/hits", "/etc/hits/hits.conf"]);
        assert_eq!(installs(text, &["PREFIX=/opt/hits"]).unwrap(), ["/opt/hits/bin/hits", "/etc/hits/hits.conf"]);
        let makefile = Makefile::read(text.to_owned(), &[]);
        assert!(makefile.has_destination(&["install".to_owned()]));
    }

    #[test]
    fn targets_that_install_for_others() {
        let text = "install: install-bin install-conf\ninstall-bin:\n\tcp a /usr/local/bin/\ninstall-conf:\n\tcp a.conf /etc\n";
        let mut places = installs(text, &[]).unwrap();
        places.sort();
        assert_eq!(places, ["/etc/a.conf", "/usr/local/bin/a"]);
    }

    #[test]
    fn loops_and_patterns_are_hidden() {
        assert_eq!(installs("install:\n\tfor f in a b; do cp $$f /usr/bin; done\n", &[]), None);
        assert_eq!(installs("install:\n\tcp *.conf /etc/x/\n", &[]), None);
        assert_eq!(installs("install:\n\t$(MAKE) -C sub install\n", &[]), None);
    }
}
