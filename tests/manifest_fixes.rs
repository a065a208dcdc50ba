//! Fixes of compose files, manifests and scripts over the whole corpus, judged by `PyYAML` and not by our own reader:
//! comments stay, the documents differ in what the finding is about and nowhere else, and a second run changes nothing.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "a test reads the corpus and asks `python3`")]

mod support;

use ironhull::{
    rule::{Finding, Fix, Safety},
    rules::RULES,
    source::FileKind,
};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Kinds of the corpus, and what they are read as.
const KINDS: [(&str, FileKind); 8] = [
    ("compose", FileKind::Compose),
    ("k8s", FileKind::Kubernetes),
    ("k8s-other", FileKind::Kubernetes),
    ("helm-template", FileKind::Kubernetes),
    ("script", FileKind::Script),
    ("makefile", FileKind::Makefile),
    ("gha-workflow", FileKind::Workflow),
    ("gitlab-ci", FileKind::GitlabCi),
];

/// Reads a file and what is done to it from each line of the standard input, and says what is wrong with that.
///
/// A document is compared as a tree: mappings by key, sequences without their common head and tail. A change has to lie in
/// the document, the service and the container of its finding.
const JUDGE: &str = r#"
import json, re, sys, yaml
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

def documents(text):
    return list(yaml.compose_all(text, Loader))

def same(a, b):
    if a is None or b is None: return a is b
    if type(a) is not type(b) or a.tag != b.tag: return False
    if isinstance(a, yaml.ScalarNode): return a.value == b.value
    if len(a.value) != len(b.value): return False
    if isinstance(a, yaml.MappingNode):
        return all(same(k, l) and same(v, w) for (k, v), (l, w) in zip(a.value, b.value))
    return all(map(same, a.value, b.value))

def differences(a, b, path=()):
    if same(a, b): return
    if isinstance(a, yaml.MappingNode) and isinstance(b, yaml.MappingNode):
        left, right = ([(k.value if isinstance(k.value, str) else repr(k.value), v) for k, v in n.value] for n in (a, b))
        kept = [k for k, _ in left if any(k == l for l, _ in right)]
        if kept != [l for l, _ in right if any(k == l for k, _ in left)]: yield path + ("(order)",)
        left, right = dict(left), dict(right)
        for key in list(left) + [k for k in right if k not in left]:
            if key not in left or key not in right: yield path + (key,)
            else: yield from differences(left[key], right[key], path + (key,))
    elif isinstance(a, yaml.SequenceNode) and isinstance(b, yaml.SequenceNode):
        left, right, head = list(a.value), list(b.value), 0
        while left and right and same(left[0], right[0]): left.pop(0), right.pop(0); head += 1
        while left and right and same(left[-1], right[-1]): left.pop(), right.pop()
        if left and right and len(left) == len(right):
            for at, (x, y) in enumerate(zip(left, right)): yield from differences(x, y, path + (head + at,))
        else: yield path + (head,)
    else: yield path

def place(node, at, path=()):
    """The keys that lead to what stands at that character."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.start_mark.index <= at < max(value.end_mark.index, key.end_mark.index):
                name = key.value if isinstance(key.value, str) else repr(key.value)
                return place(value, at, path + (name,))
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            if item.start_mark.index <= at < item.end_mark.index: return place(item, at, path + (number,))
    return path

def scope(path):
    """The service or the container that a path lies in."""
    if path[:1] == ("services",): return path[:2]
    for at, key in enumerate(path):
        if key in ("containers", "initContainers", "ephemeralContainers"): return path[:at + 2]
    return ()

def comments(text):
    return re.findall(rb"(?m)(?:^|[ \t])#[^\r\n]*", text)

def splice(text, edits):
    out, last = b"", 0
    for start, end, new in sorted(edits):
        out += text[last:start] + new.encode(); last = end
    return out + text[last:]

def judge(before, after, at, removed):
    old, new = documents(before), documents(after)
    # A document more at the end, with all others as they were, is an object more.
    if len(new) == len(old) + 1 and all(map(same, old, new)) and after.startswith(before.rstrip(b"\r\n")): return None
    if len(old) != len(new): return "the number of documents"
    found = [(i, path) for i, (a, b) in enumerate(zip(old, new)) for path in differences(a, b)]
    if not found: return "nothing changed"
    notes = comments(after)
    for note in comments(before):
        if note in notes: notes.remove(note)
        elif note.strip() not in removed: return "lost the comment %r" % note
    if at is None: return None
    at = len(before[:at].decode("utf-8", "replace").lstrip("\ufeff"))
    home = max((i for i, d in enumerate(old) if d and d.start_mark.index <= at), default=0)
    wanted = scope(place(old[home], at))
    for index, path in found:
        if index != home: return "changed document %d and not %d" % (index, home)
        other = scope(path)
        # A proxy between a service and the engine is a service of its own.
        if other == ("services", "docker-socket-proxy"): continue
        if wanted and other and wanted != other: return "changed %r and not %r" % (path, wanted)
    return None

asked = 0
for line in sys.stdin:
    entry = json.loads(line)
    text = open(entry["path"], "rb").read()
    try: documents(text)
    except Exception: continue
    for fix in entry["fixes"]:
        asked += 1
        gone = b"\n".join(text[s:e] for s, e in fix["gone"])
        try: wrong = judge(text, splice(text, fix["edits"]), fix["at"], gone)
        except Exception as error: wrong = "broken: %s" % " ".join(str(error).split())
        if wrong: print("%s: %s at %s: %s" % (entry["path"], fix["rule"], fix["at"], wrong))
print("asked", asked)
"#;

#[test]
fn fixes_change_what_the_finding_is_about_and_nothing_else() {
    let Some(shared) = env::var_os("IRONHULL_SHARED").map(PathBuf::from) else {
        eprintln!("skipped: IRONHULL_SHARED names no directory with the corpus");
        return;
    };
    let files = listed(&shared);
    let answers: Vec<Result<Option<Value>, String>> =
        files.par_iter().map(|(path, kind)| looked_at(path, *kind)).collect();
    let complaints: Vec<&String> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(complaints.is_empty(), "{} of {} files:\n{complaints:#?}", complaints.len(), files.len());
    let lines: Vec<String> =
        answers.into_iter().filter_map(|answer| answer.ok()?).map(|line| line.to_string()).collect();
    let Some(verdict) = ask(&lines.join("\n")) else { return };
    let (wrong, count) = verdict.trim_end().rsplit_once('\n').unwrap_or(("", verdict.trim_end()));
    println!("{} files, {} with fixes of YAML, {count}", files.len(), lines.len());
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_judge_sees_harm() {
    let text = "services:\n  a: # why\n    image: x\n  b:\n    image: y\n";
    let path = env::temp_dir().join(format!("ironhull-judged-{}.yaml", std::process::id()));
    fs::write(&path, text).expect("the temporary directory can be written");
    let edit = |start: usize, end: usize, new: &str| json!({ "rule": "r", "at": 12, "edits": [[start, end, new]], "gone": [] });
    let fixes = [
        edit(34, 34, "    init: true\n"),
        edit(text.len(), text.len(), "    init: true\n"),
        edit(14, 33, "\n    image: z"),
        edit(33, 33, " # x"),
        edit(32, 33, ": x: y"),
    ];
    let verdict = ask(&json!({ "path": path, "fixes": fixes }).to_string());
    fs::remove_file(&path).expect("it was written just now");
    let Some(verdict) = verdict else { return };
    let wrong: Vec<&str> = verdict.lines().collect();
    assert_eq!(wrong.len(), 5, "{verdict}");
    for (line, why) in wrong.iter().zip(["and not ('services', 'a')", "lost the comment", "nothing changed", "broken"])
    {
        assert!(line.contains(why), "{line}");
    }
}

/// What fixes of these rules make of a compose file or a manifest, and that a second run leaves it as it is.
fn confined(kind: FileKind, text: &str) -> String {
    const CONFINING: [&str; 3] = ["capabilities-kept", "default-capabilities", "writable-root"];
    let rules: Vec<_> = RULES.iter().copied().filter(|rule| CONFINING.contains(&rule.meta.id)).collect();
    let fixed = support::repaired_as(kind, &rules, text.as_bytes(), Safety::Risky).expect("no fix does harm");
    let again = support::repaired_as(kind, &rules, &fixed, Safety::Risky).expect("no fix does harm");
    assert_eq!(fixed, again, "a second run changes something");
    String::from_utf8(fixed).expect("text stays text")
}

#[test]
fn services_of_known_images_are_confined_as_these_need_it() {
    let text = "\
services:
  db: # the shop's
    image: postgres:16-alpine
    command: -c max_connections=50
    cap_drop: [NET_RAW]
    tmpfs: [/tmp]
    volumes:
      - data:/var/lib/postgresql/data
  cache:
    image: redis:8-alpine
    user: 999:1000
    command: [redis-server, --save, \"\"]
    volumes: [cache:/data]
    cap_add: [SYS_RESOURCE]
  web:
    image: nginxinc/nginx-unprivileged:1.29
    read_only: false
volumes: {data: {}, cache: {}}
";
    let fixed = "\
services:
  db: # the shop's
    image: postgres:16-alpine
    command: -c max_connections=50
    cap_drop: [NET_RAW, ALL]
    tmpfs: [/tmp, /var/run/postgresql]
    volumes:
      - data:/var/lib/postgresql/data
    cap_add:
      - CHOWN
      - DAC_OVERRIDE
      - FOWNER
      - SETGID
      - SETUID
    read_only: true
  cache:
    image: redis:8-alpine
    user: 999:1000
    command: [redis-server, --save, \"\"]
    volumes: [cache:/data]
    cap_add: [SYS_RESOURCE]
    cap_drop:
      - ALL
    read_only: true
  web:
    image: nginxinc/nginx-unprivileged:1.29
    read_only: true
    cap_drop:
      - ALL
    tmpfs:
      - /tmp
volumes: {data: {}, cache: {}}
";
    assert_eq!(sorted(&confined(FileKind::Compose, text)), sorted(fixed));
}

/// Lines in an order of their own: rules that add keys to one service may do so in either order.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn services_of_which_too_little_is_known_stay_as_they_are() {
    for service in [
        "image: shop/web:3",
        "{image: postgres:16, entrypoint: /start.sh}",
        "{image: postgres:16, command: [sh, -c, 'pg_dump']}",
        "{image: postgres:16, user: \"${WHO}\", cap_drop: [ALL]}",
        "{image: postgres:16, volumes: [\"data:${WHERE}\"], cap_drop: [ALL]}",
        "{image: redis:8, cap_drop: [ALL]}",
        "{image: nginx:1.29, volumes: [./t:/etc/nginx/templates], cap_drop: [ALL]}",
        "{image: postgres:16, privileged: true, read_only: true}",
        "{image: caddy:2, cap_drop: [ALL]}",
        "{image: nginx:1.29, user: 101:101, cap_drop: [ALL]}",
    ] {
        let service = if service.starts_with('{') { service.to_owned() } else { format!("\n    {service}") };
        let text = format!("services:\n  a: {service}\n");
        assert_eq!(confined(FileKind::Compose, &text), text);
    }
}

#[test]
fn containers_of_known_images_are_confined_as_these_need_it() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  template:
    spec:
      volumes:
        - name: data
          persistentVolumeClaim: {claimName: data}
      containers:
        - name: db
          image: postgres:16
          volumeMounts:
            - {name: data, mountPath: /var/lib/postgresql/data}
        - name: web
          image: nginxinc/nginx-unprivileged:1.29
          securityContext:
            allowPrivilegeEscalation: false
        - name: log
          image: shop/log:1
";
    let fixed = confined(FileKind::Kubernetes, text);
    for added in [
        "        - name: db-tmp\n          emptyDir: {}\n        - name: db-var-run-postgresql\n          emptyDir: {}\n",
        "            - name: db-tmp\n              mountPath: /tmp\n",
        "                - ALL\n              add:\n                - CHOWN\n",
        "            allowPrivilegeEscalation: false\n",
        "        - name: web-tmp\n          emptyDir: {}\n",
        "        - name: log\n          image: shop/log:1\n",
    ] {
        assert!(fixed.contains(added), "no {added:?} in\n{fixed}");
    }
    assert_eq!(fixed.matches("readOnlyRootFilesystem: true").count(), 2, "{fixed}");
}

#[test]
fn a_credential_becomes_a_secret_where_the_program_reads_a_file() {
    let rules: Vec<_> = RULES.iter().copied().filter(|rule| rule.meta.id == "secret-in-service-env").collect();
    let made = |service: &str| {
        let text = format!("services:\n  db:\n{service}");
        let findings = support::findings_as(FileKind::Compose, &rules, text.as_bytes());
        let fix = findings.into_iter().flat_map(|finding| finding.fixes).next().expect("there is a fix");
        assert_eq!(fix.safety, Safety::Manual);
        String::from_utf8(ironhull::fix::splice(text.as_bytes(), &fix.edits)).expect("text stays text")
    };
    let list = made("    image: mysql:8.4\n    environment:\n      - MYSQL_ROOT_PASSWORD=kX9vQ2mLp7Wd # old\n");
    let expected = "services:\n  db:\n    image: mysql:8.4\n    environment:\n      - MYSQL_ROOT_PASSWORD_FILE=/run/secrets/db_mysql_root_password # old\n    secrets:\n      - db_mysql_root_password\nsecrets:\n  db_mysql_root_password:\n    file: \"./secrets/db_mysql_root_password\"\n";
    assert_eq!(list, expected);
    let asked = made(
        "    image: mysql:8.4\n    environment:\n      MYSQL_ROOT_PASSWORD: kX9vQ2mLp7Wd\n    healthcheck:\n      test: mysqladmin ping -p$$MYSQL_ROOT_PASSWORD\n",
    );
    assert!(asked.contains("MYSQL_ROOT_PASSWORD: \"${MYSQL_ROOT_PASSWORD:?}\""), "{asked}");
    let other = made("    image: shop/db:1\n    environment: {MYSQL_ROOT_PASSWORD: kX9vQ2mLp7Wd}\n");
    assert!(other.contains("${MYSQL_ROOT_PASSWORD:?}"), "{other}");
}

/// What fixing does to a file, for another reader to judge; none if that is nothing or no YAML.
fn looked_at(path: &Path, kind: FileKind) -> Result<Option<Value>, String> {
    let complaint = |why: String| format!("{}: {why}", path.display());
    let text = fs::read(path).expect("a file of the corpus can be read");
    support::repaired_as(kind, RULES, &text, Safety::Safe).map_err(complaint)?;
    let after = support::repaired_as(kind, RULES, &text, Safety::Risky).map_err(complaint)?;
    if matches!(kind, FileKind::Script | FileKind::Makefile) {
        return Ok(None);
    }
    let findings = support::findings_as(kind, RULES, &text);
    let mut fixes: Vec<Value> = findings
        .iter()
        .flat_map(|finding| finding.fixes.iter().map(move |fix| (finding, fix)))
        .filter(|(_, fix)| !fix.edits.is_empty())
        .map(|(finding, fix)| described(finding, fix))
        .collect();
    if after != text
        && let Ok(after) = String::from_utf8(after)
    {
        let edits = findings.iter().flat_map(|finding| finding.fixes.iter().flat_map(|fix| &fix.edits));
        let gone: Vec<Value> = edits.map(|edit| json!([edit.span.start, edit.span.end])).collect();
        fixes.push(json!({ "rule": "all of them", "at": null, "edits": [[0, text.len(), after]], "gone": gone }));
    }
    Ok((!fixes.is_empty()).then(|| json!({ "path": path, "fixes": fixes })))
}

fn described(finding: &Finding, fix: &Fix) -> Value {
    let edits: Vec<Value> = fix.edits.iter().map(|edit| json!([edit.span.start, edit.span.end, edit.text])).collect();
    let gone: Vec<Value> = fix.edits.iter().map(|edit| json!([edit.span.start, edit.span.end])).collect();
    json!({ "rule": finding.rule, "at": finding.primary.span.start, "edits": edits, "gone": gone })
}

/// The files of the corpus that are of these kinds.
fn listed(shared: &Path) -> Vec<(PathBuf, FileKind)> {
    let index = fs::read_to_string(shared.join("corpus/INDEX.tsv")).expect("the corpus has an index");
    let rows = index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let wanted = rows.filter_map(|row| {
        let (_, kind) = KINDS.iter().find(|(name, _)| *name == row[0])?;
        Some((shared.join("corpus/files").join(row[2]), *kind))
    });
    wanted.filter(|(path, _)| path.is_file()).collect()
}

/// What the judge prints that reads `input`.
fn ask(input: &str) -> Option<String> {
    let judge = Command::new("python3").args(["-c", JUDGE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut judge) = judge else {
        eprintln!("skipped: there is no `python3`");
        return None;
    };
    let mut lines = judge.stdin.take().expect("it was asked for");
    let text = input.to_owned();
    // What it prints while it reads has to be taken from it at the same time.
    let writer = std::thread::spawn(move || lines.write_all(text.as_bytes()));
    let output = judge.wait_with_output().expect("a child that was started ends");
    let is_written = writer.join().expect("writing does not panic").is_ok();
    if !output.status.success() || !is_written {
        eprintln!("skipped: `python3` has no PyYAML");
        return None;
    }
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
