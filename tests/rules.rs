//! Every rule keeps what it says of itself: its examples, its texts, its place in the catalogue.

#![allow(clippy::disallowed_methods, reason = "the test reads the repository and the shared data")]

mod support;

use ironhull::{
    policy::Profile,
    rule::{Builtin, Example, Finding, FixNote, Safety, Scheme},
    rules::RULES,
};
use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};
use support::{files_of, findings_of, repaired, unmarked};

/// Collects what is wrong over all rules, so that one run shows everything.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn unless(&mut self, holds: bool, rule: &Builtin, what: impl AsRef<str>) {
        if !holds {
            self.0.push(format!("{}: {}", rule.meta.id, what.as_ref()));
        }
    }

    fn assert_none(self) {
        assert!(self.0.is_empty(), "\n{}\n", self.0.join("\n"));
    }
}

#[test]
fn the_catalogue_is_sorted_and_names_each_rule_once() {
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.meta.id).collect();
    let sorted: Vec<&str> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(ids, sorted);
}

#[test]
fn an_id_is_kebab_case_and_names_the_file_and_the_group_its_folder() {
    let mut complaints = Complaints::default();
    let files = rule_files();
    for rule in RULES {
        let id = rule.meta.id;
        let kebab = id
            .split('-')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
        complaints.unless(kebab, rule, "the id is not kebab-case");
        complaints.unless(!id.starts_with("no-"), rule, "the id names the remedy, not the problem");
        let file = Path::new(rule.meta.group.name()).join(format!("{}.rs", id.replace('-', "_")));
        complaints.unless(files.contains(&file), rule, format!("there is no src/rules/{}", file.display()));
    }
    complaints.assert_none();
}

#[test]
fn every_file_of_a_rule_is_in_the_catalogue() {
    let listed: BTreeSet<PathBuf> = RULES
        .iter()
        .map(|rule| Path::new(rule.meta.group.name()).join(format!("{}.rs", rule.meta.id.replace('-', "_"))))
        .collect();
    let missing: Vec<PathBuf> = rule_files().difference(&listed).cloned().collect();
    assert!(missing.is_empty(), "not in RULES of src/rules/mod.rs: {missing:?}");
}

#[test]
fn a_bad_example_is_found_at_its_marks_and_a_good_one_is_not() {
    let mut complaints = Complaints::default();
    for rule in RULES {
        for example in rule.meta.examples {
            check_example(rule, example, &mut complaints);
        }
    }
    complaints.assert_none();
}

fn check_example(rule: &'static Builtin, example: &Example, complaints: &mut Complaints) {
    let title = example.title;
    let marked: Vec<(String, String)> = places_marked(example.bad);
    let (bad, _) = unmarked(example.bad);
    let found = places_found(&findings_of(rule, bad.as_bytes()), &bad);
    complaints.unless(!marked.is_empty(), rule, format!("`{title}`: nothing is marked in `bad`"));
    complaints.unless(found == marked, rule, format!("`{title}`: marked {marked:#?}, found {found:#?}"));

    complaints.unless(!example.good.contains(['«', '»']), rule, format!("`{title}`: `good` has a mark"));
    let left = places_found(&findings_of(rule, example.good.as_bytes()), example.good);
    complaints.unless(left.is_empty(), rule, format!("`{title}`: `good` has findings {left:#?}"));
}

#[test]
fn a_fix_turns_a_bad_example_into_the_good_one() {
    let mut complaints = Complaints::default();
    for rule in RULES {
        let fixed: Vec<bool> =
            rule.meta.examples.iter().map(|example| check_fix(rule, example, &mut complaints)).collect();
        match rule.meta.fix {
            FixNote::Never => complaints.unless(!fixed.contains(&true), rule, "it has a fix, and its note says never"),
            FixNote::Sometimes(Safety::Manual, _) | FixNote::Always(Safety::Manual, _) => {
                complaints.unless(!fixed.contains(&true), rule, "it is applied, and its note says manual");
                complaints.unless(offers_a_fix(rule), rule, "no example is offered a fix, and its note says manual");
            }
            FixNote::Sometimes(..) => {
                complaints.unless(fixed.contains(&true), rule, "no example is fixed, and its note says sometimes");
            }
            FixNote::Always(..) => {
                complaints.unless(!fixed.contains(&false), rule, "an example is not fixed, and its note says always");
            }
        }
    }
    complaints.assert_none();
}

/// Whether some finding in an example has a fix, be it one that nobody applies unasked.
fn offers_a_fix(rule: &'static Builtin) -> bool {
    let found = |example: &Example| findings_of(rule, unmarked(example.bad).0.as_bytes());
    rule.meta.examples.iter().flat_map(found).any(|finding| !finding.fixes.is_empty())
}

/// Whether the fixes of `rule` change `bad`; what they make of it must be `good`, with no finding left.
fn check_fix(rule: &'static Builtin, example: &Example, complaints: &mut Complaints) -> bool {
    let title = example.title;
    let (bad, _) = unmarked(example.bad);
    for fix in findings_of(rule, bad.as_bytes()).iter().flat_map(|finding| &finding.fixes) {
        let is_worded = !fix.title.is_empty() && !fix.reason.is_empty() && !fix.title.ends_with('.');
        complaints.unless(is_worded, rule, format!("`{title}`: a fix needs a title without a full stop, and a reason"));
    }
    let fixed = repaired(&[rule], bad.as_bytes(), Safety::Risky);
    if fixed == bad.as_bytes() {
        return false;
    }
    let fixed = String::from_utf8(fixed).expect("an example is UTF-8");
    complaints.unless(fixed == example.good, rule, format!("`{title}`: fixed to\n{fixed}instead of\n{}", example.good));
    true
}

/// File and text of each mark, with what stands before it so that equal texts differ.
fn places_marked(marked: &str) -> Vec<(String, String)> {
    files_of(marked.as_bytes())
        .into_iter()
        .flat_map(|(path, text)| {
            let (text, spans) = unmarked(&String::from_utf8(text).expect("an example is UTF-8"));
            spans.into_iter().map(move |span| (path.clone(), place(&text, span.range())))
        })
        .collect()
}

fn places_found(found: &[Finding], text: &str) -> Vec<(String, String)> {
    let files = files_of(text.as_bytes());
    let places = found.iter().map(|finding| {
        let (path, text) = &files[finding.primary.file.0 as usize];
        let text = std::str::from_utf8(text).expect("an example is UTF-8");
        (path.clone(), place(text, finding.primary.span.range()))
    });
    places.collect()
}

fn place(text: &str, range: std::ops::Range<usize>) -> String {
    let line = text[..range.start].matches('\n').count() + 1;
    format!("line {line}: «{}»", &text[range])
}

#[test]
fn a_rule_has_two_to_six_examples_with_different_titles() {
    let mut complaints = Complaints::default();
    for rule in RULES {
        let titles: BTreeSet<&str> = rule.meta.examples.iter().map(|example| example.title).collect();
        complaints.unless((2..=6).contains(&titles.len()), rule, format!("{} examples", titles.len()));
        complaints.unless(titles.len() == rule.meta.examples.len(), rule, "two examples have one title");
        for title in titles {
            complaints.unless(is_heading(title), rule, format!("`{title}` is no heading"));
        }
    }
    complaints.assert_none();
}

#[test]
fn titles_are_headings_and_reasons_are_sentences() {
    let mut complaints = Complaints::default();
    for rule in RULES {
        let meta = &rule.meta;
        complaints.unless(is_heading(meta.title), rule, format!("the title `{}` is no heading", meta.title));
        complaints.unless(meta.title.chars().count() <= 72, rule, "the title is longer than 72 characters");
        complaints.unless(is_sentences(meta.why), rule, format!("`why` is no sentence: {}", meta.why));
        complaints.unless(is_sentences(meta.remedy), rule, format!("`remedy` is no sentence: {}", meta.remedy));
        complaints.unless(!meta.kinds.is_empty(), rule, "it reads no kind of file");
        complaints.unless(is_version(meta.since), rule, format!("`since` is no version: {}", meta.since));
        match meta.fix {
            FixNote::Never => {}
            FixNote::Sometimes(_, note) | FixNote::Always(_, note) => {
                complaints.unless(is_sentences(note), rule, format!("the fix note is no sentence: {note}"));
            }
        }
    }
    complaints.assert_none();
}

#[test]
fn messages_are_one_sentence_without_a_full_stop() {
    let mut complaints = Complaints::default();
    for rule in RULES {
        for example in rule.meta.examples {
            for finding in findings_of(rule, unmarked(example.bad).0.as_bytes()) {
                let related = finding.related.iter().map(|label| &label.message);
                for message in std::iter::once(&finding.message).chain(related) {
                    let fits = !message.trim().is_empty() && !message.ends_with(['.', '!']) && !message.contains('\n');
                    complaints.unless(fits, rule, format!("a message breaks the style: {message}"));
                }
            }
        }
    }
    complaints.assert_none();
}

#[test]
fn references_name_a_place_that_can_be_opened() {
    let mut complaints = Complaints::default();
    for rule in RULES {
        complaints.unless(!rule.meta.references.is_empty(), rule, "it has no reference");
        for reference in rule.meta.references {
            let fits = match reference.scheme {
                Scheme::CisDocker | Scheme::CisKubernetes | Scheme::Nist800190 => {
                    reference.id.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
                }
                Scheme::PodSecurity => reference.id.split_once(" 1.").is_some_and(|(level, since)| {
                    matches!(level, "baseline" | "restricted") && since.parse::<u16>().is_ok()
                }),
                Scheme::NsaCisa => is_heading(reference.id),
                Scheme::Cwe => !reference.id.is_empty() && reference.id.bytes().all(|b| b.is_ascii_digit()),
                Scheme::Url => reference.id.starts_with("https://"),
            };
            complaints.unless(fits, rule, format!("{} has no `{}`", reference.scheme.name(), reference.id));
        }
    }
    complaints.assert_none();
}

/// The one check of BuildKit that rules here have too: <https://docs.docker.com/reference/build-checks/>.
const BUILD_CHECK: &str = "buildkit:SecretsUsedInArgOrEnv";

#[test]
fn equivalents_are_rules_that_other_tools_have() {
    let Some(shared) = env::var_os("IRONHULL_SHARED") else {
        eprintln!("skipped: IRONHULL_SHARED is not set, so the rules of other tools are not known");
        return;
    };
    let list = Path::new(&shared).join("labelled/rules.tsv");
    let list = fs::read_to_string(&list).unwrap_or_else(|error| panic!("reading {}: {error}", list.display()));
    let known: BTreeSet<String> = list
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some(format!("{}:{}", columns.next()?, columns.next()?))
        })
        .collect();
    let mut complaints = Complaints::default();
    for rule in RULES {
        // The list is about scanners; the builder's own checks are those of its reference.
        let of_scanners = rule.meta.equivalents.iter().filter(|equivalent| **equivalent != BUILD_CHECK);
        for equivalent in of_scanners {
            complaints.unless(known.contains(*equivalent), rule, format!("no tool has `{equivalent}`"));
        }
    }
    complaints.assert_none();
}

#[test]
fn a_profile_names_only_rules_that_exist() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.meta.id).collect();
    for profile in Profile::ALL {
        let unknown: Vec<String> = profile.layer().levels.into_keys().filter(|id| !ids.contains(&**id)).collect();
        assert!(unknown.is_empty(), "`{}` names {unknown:?}", profile.name());
    }
}

fn is_heading(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '`');
    starts && !text.ends_with(['.', '!', '?', ' ']) && !text.contains('\n')
}

fn is_sentences(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '`');
    starts && text.ends_with('.') && !text.contains('\n') && !text.contains("  ")
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

/// The files of `src/rules/<group>/`, by their path from `src/rules/`.
fn rule_files() -> BTreeSet<PathBuf> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let groups = list(&rules).into_iter().filter(|path| path.is_dir());
    let files = groups.flat_map(|group| list(&group)).filter(|path| !path.ends_with("mod.rs"));
    files.map(|path| path.strip_prefix(&rules).expect("it lies there").to_owned()).collect()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the repository can be listed");
    entries.map(|entry| entry.expect("a folder of the repository can be listed").path()).collect()
}
