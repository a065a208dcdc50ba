//! Enforces the tables of `ARCHITECTURE.md`: which module may use which, and which crates belong where.

#![allow(clippy::disallowed_methods, reason = "the test reads the repository")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Rows in order: the name on the left, and the names on the right.
type Table = Vec<(String, BTreeSet<String>)>;

#[test]
fn a_module_uses_only_the_modules_of_its_row() {
    let layers = table("| module | may use |");
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        let Some((_, allowed)) = layers.iter().find(|(name, _)| *name == module) else {
            broken.push(format!("{}: `{module}` has no row in the layer table", path.display()));
            continue;
        };
        for used in modules_used(&text) {
            if used != module && !allowed.contains(&used) {
                broken.push(format!("{}: `{module}` may not use `{used}`", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "against the layer table of ARCHITECTURE.md:\n{}", broken.join("\n"));
}

#[test]
fn every_row_is_about_a_module_that_exists() {
    let modules: BTreeSet<String> = sources().iter().map(|(path, _)| module_of(path)).collect();
    for (module, _) in table("| module | may use |") {
        assert!(modules.contains(&module), "ARCHITECTURE.md has a row for `{module}`, which is no module of src/");
    }
}

#[test]
fn a_row_names_only_rows_above_it() {
    let layers = table("| module | may use |");
    let mut above = BTreeSet::new();
    for (module, allowed) in layers {
        let below: Vec<_> = allowed.difference(&above).collect();
        assert!(below.is_empty(), "`{module}` may use {below:?}, which is no row above it: layers have no cycles");
        above.insert(module);
    }
}

#[test]
fn a_crate_appears_only_where_it_belongs() {
    let homes = table("| crate | only in |");
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        for (name, allowed) in &homes {
            if mentions_crate(&text, name) && !allowed.contains(&module) {
                broken.push(format!("{}: `{name}` does not belong in `{module}`", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "against the crate table of ARCHITECTURE.md:\n{}", broken.join("\n"));
}

#[test]
fn a_rule_never_uses_another_rule() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let is_catalogue = path.ends_with("rules/mod.rs");
        let is_rule = path.components().any(|part| part.as_os_str() == "rules") && !is_catalogue;
        if is_rule && (modules_used(&text).contains("rules") || code(&text).contains("super::super")) {
            broken.push(path.display().to_string());
        }
    }
    assert!(broken.is_empty(), "what rules share is a fact and belongs in `model`:\n{}", broken.join("\n"));
}

#[test]
fn only_the_shell_of_the_program_lifts_the_bans_of_clippy_toml() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        let may = ["disk", "discover", "verify", "cli", "main"].contains(&module.as_str());
        if code(&text).contains("clippy::disallowed_methods") && !may {
            broken.push(path.display().to_string());
        }
    }
    assert!(broken.is_empty(), "the core is a function of its input:\n{}", broken.join("\n"));
}

#[test]
fn the_reader_of_paths_sees_groups_and_single_paths() {
    let text = "use crate::{\n    text::{Span, Edit},\n    rule::Rule,\n};\nfn f() -> crate::model::User {}\n// crate::cli is only talked about\nuse ironhull::cli;\n";
    let used: Vec<String> = modules_used(text).into_iter().collect();
    assert_eq!(used, ["cli", "model", "rule", "text"]);
}

/// The table of `ARCHITECTURE.md` under `header`, names taken from between backticks.
fn table(header: &str) -> Table {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page is part of the repository");
    let rows = page.lines().skip_while(|line| *line != header).skip(2).take_while(|line| line.starts_with('|'));
    let table: Table = rows.map(row).collect();
    assert!(!table.is_empty(), "ARCHITECTURE.md has no table `{header}`");
    table
}

fn row(line: &str) -> (String, BTreeSet<String>) {
    let mut cells = line.trim_matches('|').split('|');
    let names = |cell: Option<&str>| -> Vec<String> {
        cell.unwrap_or_default().split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let left = names(cells.next());
    let [name] = left.as_slice() else { panic!("a row names one module: {line}") };
    (name.clone(), names(cells.next()).into_iter().collect())
}

/// Every `.rs` file under `src/`, by its path from there.
fn sources() -> Vec<(PathBuf, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    let mut open = vec![src.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be listed") {
            let path = entry.expect("a folder of the repository can be listed").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is UTF-8");
                files.push((path.strip_prefix(&src).expect("it lies under src").to_owned(), text));
            }
        }
    }
    files.retain(|(path, _)| path != Path::new("lib.rs"));
    files.sort();
    files
}

/// The top-level module that a file belongs to.
fn module_of(path: &Path) -> String {
    let first = path.components().next().expect("a path under src has a part");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The text without lines that are comments.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The top-level modules named by `crate::…`, `crate::{…}` or, in the binary, `ironhull::…`.
fn modules_used(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut used = BTreeSet::new();
    for root in ["crate::", "ironhull::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => used.extend(names_in_group(group)),
                None => used.extend(first_name(rest)),
            }
        }
    }
    used
}

/// The first name of each path in `a::{b, c}, d::e}`, up to the brace that closes the group.
fn names_in_group(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut path_starts = true;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => path_starts = true,
            _ if path_starts && !character.is_whitespace() => {
                names.extend(first_name(&group[at..]));
                path_starts = false;
            }
            _ => {}
        }
    }
    names
}

fn first_name(path: &str) -> Option<String> {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    let name = &path[..end];
    name.starts_with(char::is_lowercase).then(|| name.to_owned())
}

fn mentions_crate(text: &str, name: &str) -> bool {
    let code = code(text);
    let path = format!("{name}::");
    let whole = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    code.match_indices(&path).any(|(at, _)| whole(at)) || code.lines().any(|line| line.trim() == format!("use {name};"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
