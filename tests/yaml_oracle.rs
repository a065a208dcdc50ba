//! The YAML reader against `PyYAML` on every YAML file of the shared corpus: what that one accepts is accepted here, and
//! means the same; and what edits change there is what they mean to change, comments included.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "a test reads the corpus and asks `python3`")]

use ironhull::{
    syntax::yaml::{self, Editor, Kind, Node, Refusal, Value, Yaml},
    text::{Edit, FileId},
};
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

/// Says of each line of the standard input, a kind of change and two files, whether the second differs from the first by
/// one change of that kind and has the same comments on lines of their own.
const COMPARE: &str = r#"
import sys, yaml
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
def events(text):
    return [(type(e).__name__, getattr(e, "value", None), getattr(e, "anchor", None), getattr(e, "tag", None)) for e in yaml.parse(text, Loader)]
def comments(text):
    return [line.strip() for line in text.splitlines() if line.lstrip().startswith(bytes([35]))]
cache = {}
for line in sys.stdin.read().split("\n"):
    if not line: continue
    kind, first, second = line.split("\t")
    if first not in cache:
        text = open(first, "rb").read()
        cache = {first: (events(text), comments(text))}
    before, notes = cache[first]
    text = open(second, "rb").read()
    try: after = events(text)
    except Exception as error:
        print("broken", line); continue
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]: head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]: tail += 1
    old, new = len(before) - head - tail, len(after) - head - tail
    good = {"insert": old == 0 and new > 0, "remove": new == 0 and old > 0, "replace": old <= 1 and new <= 1}[kind]
    # Lines of a text that is replaced may look like comments.
    looks = old == 1 and "\n" in (before[head][1] or "")
    kept = kind == "remove" or looks or comments(text) == notes
    print("ok" if good and kept else "wrong", line)
"#;

#[test]
fn edits_change_what_they_mean_to_change() {
    let Some(files) = corpus() else { return };
    let folder = env::temp_dir().join(format!("ironhull-yaml-edits-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the temporary directory can be written");
    let (mut list, mut edits, mut refusals) = (String::new(), 0, BTreeMap::new());
    // Asked once of all files: 45,601 edits, none wrong.
    for path in files.iter().step_by(8) {
        let text = fs::read(path).expect("a file of the corpus can be read");
        let parsed = yaml::parse(&text);
        if !parsed.errors.is_empty() || parsed.tree.is_rendered_elsewhere() || text.len() > 60_000 {
            continue;
        }
        let editor = Editor::new(FileId(0), &parsed.tree);
        for (kind, edit) in attempts(&parsed.tree, &editor) {
            match edit {
                Ok(edit) => {
                    let name = folder.join(format!("{edits}.yaml"));
                    let mut after = text.clone();
                    after.splice(edit.span.range(), edit.text.bytes());
                    fs::write(&name, after).expect("the temporary directory can be written");
                    writeln!(list, "{kind}\t{}\t{}", path.display(), name.display()).expect("a string takes it");
                    edits += 1;
                }
                Err(refusal) => *refusals.entry(format!("{kind}: {refusal:?}")).or_insert(0) += 1,
            }
        }
    }
    let answers = ask(COMPARE, &list);
    fs::remove_dir_all(&folder).expect("it was written just now");
    let Some(answers) = answers else { return };
    let wrong: Vec<&str> = answers.lines().filter(|line| !line.starts_with("ok ")).collect();
    println!("{edits} edits, {} wrong; refused: {refusals:?}", wrong.len());
    assert_eq!(answers.lines().count(), edits, "each edit has an answer");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Some edits of each kind, spread over the file.
fn attempts<'y>(tree: &'y Yaml<'y>, editor: &Editor<'y>) -> Vec<(&'static str, Result<Edit, Refusal>)> {
    let of = |wanted: fn(Node<'y>) -> bool| {
        let found: Vec<Node<'y>> = tree.nodes().filter(|node| wanted(*node)).collect();
        let step = found.len() / 3 + 1;
        found.into_iter().skip(tree.text().len() % step).step_by(step).collect::<Vec<_>>()
    };
    let list = Value::texts(["ALL", "22:22"]);
    let mut out = Vec::new();
    for mapping in of(|node| matches!(node.kind(), Kind::Mapping(_))) {
        out.push(("insert", editor.insert(mapping, "zz_k", &Value::map([("a", list.clone())]))));
        if let Some(key) = mapping.entries().last().and_then(|entry| entry.key.scalar()) {
            out.push(("remove", editor.remove_key(mapping, key)));
        }
    }
    for sequence in of(|node| matches!(node.kind(), Kind::Sequence(_))) {
        out.push(("insert", editor.append(sequence, &Value::map([("a", Value::Word("1")), ("b", list.clone())]))));
        if let Some(item) = sequence.items().next() {
            out.push(("remove", editor.remove_item(item)));
        }
    }
    for scalar in of(|node| matches!(node.kind(), Kind::Scalar(_)) && !node.is_null()) {
        out.push(("replace", editor.replace(scalar, &Value::text("zz: k"))));
    }
    out
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
    let lines = ask(ORACLE, &names)?;
    let answers = lines.lines().map(|line| {
        let (word, sum) = line.split_once(' ').expect("two words a line");
        (word == "ok", sum.parse().expect("a number"))
    });
    Some(files.iter().cloned().zip(answers).collect())
}

/// What the program prints that reads `input`.
fn ask(program: &str, input: &str) -> Option<String> {
    let list = env::temp_dir().join(format!("ironhull-yaml-{}-{}", std::process::id(), program.len()));
    fs::write(&list, input).expect("the temporary directory can be written");
    let input = fs::File::open(&list).expect("it was written just now");
    let output = Command::new("python3").args(["-c", program]).stdin(input).output();
    fs::remove_file(&list).expect("it was written just now");
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: there is no `python3` with PyYAML");
        return None;
    };
    Some(String::from_utf8(output.stdout).expect("it prints UTF-8"))
}

fn events(tree: &Yaml<'_>) -> String {
    let mut out = String::new();
    for document in tree.documents() {
        out.push('-');
        write_events(document, &mut out);
    }
    out
}

fn write_events(node: Node<'_>, out: &mut String) {
    match node.kind() {
        Kind::Scalar(_) => {
            let value = node.scalar().expect("a scalar has a text");
            write!(out, "={}:{value}", value.len()).expect("a string takes everything");
        }
        Kind::Alias => out.push('*'),
        Kind::Sequence(_) | Kind::Mapping(_) => {
            out.push(if node.is_mapping() { '{' } else { '[' });
            node.children().for_each(|child| write_events(child, out));
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
