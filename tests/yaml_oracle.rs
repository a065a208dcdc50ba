//! The YAML reader against `PyYAML` on every YAML file of the shared corpus: what that one accepts is accepted here, and
//! means the same.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "a test reads the corpus and asks `python3`")]

use ironhull::syntax::yaml::{self, Kind, Node, Style, Yaml};
use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Kinds of the corpus that are YAML.
const KINDS: [&str; 9] = [
    "compose",
    "k8s",
    "k8s-other",
    "helm-template",
    "gha-workflow",
    "gha-action",
    "gitlab-ci",
    "ci-other",
    "cloudbuild",
];

/// Says of each file named on a line of the standard input whether `PyYAML` takes it, and the checksum of its events.
const ORACLE: &str = r#"
import sys, yaml, zlib
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
for path in sys.stdin.read().split("\n"):
    if not path: continue
    text = open(path, "rb").read()
    try:
        yaml_nodes = list(yaml.compose_all(text, Loader))
        out = []
        for event in yaml.parse(text, Loader):
            name = type(event).__name__
            if name == "ScalarEvent": out.append("=%d:%s" % (len(event.value.encode()), event.value))
            elif name == "MappingStartEvent": out.append("{")
            elif name == "SequenceStartEvent": out.append("[")
            elif name in ("MappingEndEvent", "SequenceEndEvent"): out.append(")")
            elif name == "AliasEvent": out.append("*")
            elif name == "DocumentStartEvent": out.append("-")
        print("ok", zlib.crc32("".join(out).encode()))
    except Exception as error:
        print("no", 0)
"#;

#[test]
fn what_pyyaml_accepts_is_accepted_and_means_the_same() {
    let Some(files) = corpus() else { return };
    let Some(answers) = oracle(&files) else { return };
    let (mut accepted, mut refused, mut same, mut templates) = (0, Vec::new(), 0, 0);
    let mut different = Vec::new();
    for (path, &(is_valid, theirs)) in &answers {
        let text = fs::read(path).expect("a file of the corpus can be read");
        let parsed = yaml::parse(&text);
        check_spans(&parsed.tree, path);
        if !is_valid {
            continue;
        }
        accepted += 1;
        if !parsed.errors.is_empty() {
            refused.push(format!("{}: {}", path.display(), parsed.errors[0].message));
        } else if parsed.tree.is_rendered_elsewhere() {
            // `a: {{ b }}` is a mapping in a mapping to `PyYAML`, and a template to whoever wrote it.
            templates += 1;
        } else if checksum(events(&parsed.tree).as_bytes()) == theirs {
            same += 1;
        } else {
            different.push(path.display().to_string());
        }
    }
    println!(
        "{} files, {accepted} accepted by PyYAML: {} refused here, {same} with the same events, {templates} templates",
        answers.len(),
        refused.len()
    );
    assert!(refused.is_empty(), "PyYAML accepts these:\n{}", refused.join("\n"));
    assert!(different.is_empty(), "these mean something else:\n{}", different.join("\n"));
}

#[test]
fn templates_of_charts_parse_after_masking() {
    let Some(shared) = env::var_os("IRONHULL_SHARED").map(PathBuf::from) else { return };
    let templates = listed(&shared, &["helm-template"]);
    let fails = |path: &&PathBuf| {
        let text = fs::read(path).expect("a file of the corpus can be read");
        let parsed = yaml::parse(&text);
        parsed.errors.first().inspect(|error| println!("{}: {}", path.display(), error.message)).is_some()
    };
    let damaged = templates.iter().filter(fails).count();
    println!("{} templates, {damaged} do not parse", templates.len());
    assert!(damaged * 20 <= templates.len(), "{damaged} of {} templates do not parse", templates.len());
}

/// Spans lie in the file, children in their parent, and siblings behind each other.
fn check_spans(tree: &Yaml<'_>, path: &Path) {
    for node in tree.nodes() {
        assert!(node.span().end as usize <= tree.text().len(), "{}", path.display());
        let mut end = node.span().start;
        for child in node.children() {
            assert!(child.span().start >= end, "{}: {:?} in {:?}", path.display(), child.span(), node.span());
            assert!(node.span().end >= child.span().end, "{}: {:?} in {:?}", path.display(), child.span(), node.span());
            end = child.span().end;
        }
    }
}

fn corpus() -> Option<Vec<PathBuf>> {
    let Some(shared) = env::var_os("IRONHULL_SHARED").map(PathBuf::from) else {
        eprintln!("skipped: IRONHULL_SHARED names no directory with the corpus");
        return None;
    };
    Some(listed(&shared, &KINDS))
}

/// The files of `kinds` in the index of the corpus.
fn listed(shared: &Path, kinds: &[&str]) -> Vec<PathBuf> {
    let index = fs::read_to_string(shared.join("corpus/INDEX.tsv")).expect("the corpus has an index");
    let rows = index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let wanted = rows.filter(|row| kinds.contains(&row[0]) && !row[2].ends_with(".json"));
    wanted.map(|row| shared.join("corpus/files").join(row[2])).filter(|path| path.is_file()).collect()
}

fn oracle(files: &[PathBuf]) -> Option<BTreeMap<PathBuf, (bool, u32)>> {
    let names = files.iter().fold(String::new(), |mut names, path| {
        writeln!(names, "{}", path.display()).expect("a string takes everything");
        names
    });
    let list = env::temp_dir().join(format!("ironhull-yaml-{}", std::process::id()));
    fs::write(&list, names).expect("the temporary directory can be written");
    let input = fs::File::open(&list).expect("it was written just now");
    let output = Command::new("python3").args(["-c", ORACLE]).stdin(input).output();
    fs::remove_file(&list).expect("it was written just now");
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: there is no `python3` with PyYAML");
        return None;
    };
    let lines = String::from_utf8(output.stdout).expect("it prints ASCII");
    let answers = lines.lines().map(|line| {
        let (word, sum) = line.split_once(' ').expect("two words a line");
        (word == "ok", sum.parse().expect("a number"))
    });
    Some(files.iter().cloned().zip(answers).collect())
}

fn events(tree: &Yaml<'_>) -> String {
    let mut out = String::new();
    for document in tree.documents() {
        out.push('-');
        write_events(document, tree.text(), &mut out);
    }
    out
}

fn write_events(node: Node<'_>, text: &[u8], out: &mut String) {
    match node.kind() {
        Kind::Scalar(style) => {
            let mut value = node.scalar().expect("a scalar has a text");
            // The parser gives a block scalar that the end of the file cuts off the line ending that it lacks.
            let is_cut = node.span().end as usize == text.len() && matches!(style, Style::Literal | Style::Folded);
            if is_cut {
                value = value.strip_suffix('\n').unwrap_or(value);
            }
            write!(out, "={}:{value}", value.len()).expect("a string takes everything");
        }
        Kind::Alias => out.push('*'),
        Kind::Sequence(_) | Kind::Mapping(_) => {
            out.push(if node.is_mapping() { '{' } else { '[' });
            node.children().for_each(|child| write_events(child, text, out));
            out.push(')');
        }
    }
}

/// CRC-32, as `zlib` counts it.
fn checksum(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256u32)
        .map(|byte| (0..8).fold(byte, |sum, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 }))
        .collect();
    !bytes.iter().fold(!0u32, |sum, &byte| table[((sum ^ u32::from(byte)) & 0xff) as usize] ^ (sum >> 8))
}
