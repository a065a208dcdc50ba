//! Templates of charts: judged with the values that the chart ships with, repaired in `values.yaml` and nowhere else.

#![allow(clippy::disallowed_methods, reason = "the test reads the shared data")]

use ironhull::{
    context::{self, Entry, Files},
    lock::Lock,
    policy::{Layer, Place, Policy, Profile},
    project::{Project, Repaired},
    rule::Safety,
    source::{FileKind, SourceFile},
    syntax::yaml,
    text::FileId,
};
use std::{collections::BTreeMap, env, fs, path::Path, sync::Arc};

const TEMPLATE: &str = "templates/web.yaml";

/// A chart with one template, in memory.
struct Chart {
    values: String,
    template: String,
}

impl Files for Chart {
    fn read(&self, path: &str) -> Option<Arc<[u8]>> {
        let text = match path {
            "Chart.yaml" => "name: web\nappVersion: \"1.29.1\"\n",
            "values.yaml" => &self.values,
            TEMPLATE => &self.template,
            _ => return None,
        };
        Some(Arc::from(text.as_bytes()))
    }

    fn list(&self, path: &str) -> Arc<[Entry]> {
        context::entries(["Chart.yaml", "values.yaml", TEMPLATE].into_iter(), path)
    }
}

impl Chart {
    fn new(values: &str, container: &str) -> Self {
        let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"\n";
        let mut image = "image:\n  repository: nginx\n  tag: \"\"\n".to_owned();
        if values.contains('\r') {
            image = image.replace('\n', "\r\n");
        }
        let values = format!("{image}{values}");
        Self { values, template: format!("{head}{container}") }
    }

    fn file(&self) -> SourceFile {
        SourceFile::new(FileId(0), TEMPLATE, FileKind::Kubernetes, self.template.clone().into_bytes())
    }

    /// The messages of `rule`.
    fn said(&self, rule: &str) -> Vec<String> {
        let verdict = project().check(&self.file(), self).expect("it is a manifest");
        let own = verdict.findings.iter().filter(|ranked| ranked.finding.rule == rule);
        own.map(|ranked| ranked.finding.message.clone()).collect()
    }

    fn repaired(&self) -> Repaired {
        project().fix(&self.file(), self, Safety::Risky).expect("it is a manifest")
    }

    /// What becomes of the values; the template stays as it is.
    fn values_after(&self) -> String {
        let repaired = self.repaired();
        assert_eq!(repaired.outcome.sources.files()[0].text, self.template.as_bytes(), "the template is not edited");
        assert!(repaired.outcome.quarantined.is_empty(), "{:?}", repaired.outcome.quarantined);
        let after = match repaired.outcome.beside.as_slice() {
            [] => self.values.clone(),
            [only] => {
                assert_eq!(only.path, "values.yaml");
                String::from_utf8(only.after.clone()).expect("it stays text")
            }
            more => panic!("{} files change", more.len()),
        };
        let again = Chart { values: after.clone(), template: self.template.clone() };
        assert!(again.repaired().outcome.beside.is_empty(), "a second run changes nothing:\n{after}");
        after
    }
}

/// With every rule.
fn project() -> Project {
    Project::new(
        Policy::new(Layer { profile: Some(Profile::All), ..Layer::default() }, Place::default()),
        Lock::default(),
    )
}

const PASSED: &str = "          securityContext:\n            {{- toYaml .Values.securityContext | nindent 12 }}\n";

#[test]
fn an_empty_default_is_replaced_and_the_comments_below_it_stay() {
    let chart =
        Chart::new("\nsecurityContext: {}  # to be filled\n  # runAsUser: 1000\n\nservice: {port: 80}\n", PASSED);
    let after = chart.values_after();
    let expected = "image:\n  repository: nginx\n  tag: \"\"\n\nsecurityContext:  # to be filled\n  capabilities:\n    drop:\n      - ALL\n    add:\n      - CHOWN\n      - NET_BIND_SERVICE\n      - SETGID\n      - SETUID\n  allowPrivilegeEscalation: false\n  # runAsUser: 1000\n\nservice: {port: 80}\n";
    assert_eq!(after, expected);
}

#[test]
fn what_the_values_give_is_not_missing() {
    let given = "securityContext:\n  runAsNonRoot: true\n  runAsUser: 10001\n  allowPrivilegeEscalation: false\n  readOnlyRootFilesystem: true\n  capabilities: {drop: [ALL]}\n";
    for container in [
        PASSED,
        "          {{- with .Values.securityContext }}\n          securityContext:\n            {{- toYaml . | nindent 12 }}\n          {{- end }}\n",
        "          securityContext: {{- .Values.securityContext | toYaml | nindent 12 }}\n",
        "          securityContext:\n{{ toYaml .Values.securityContext | indent 12 }}\n",
    ] {
        let chart = Chart::new(given, container);
        for rule in ["container-may-be-root", "privilege-escalation", "writable-root", "default-capabilities"] {
            assert!(chart.said(rule).is_empty(), "{rule}: {container}");
        }
        let open = Chart::new("securityContext: {}\n", container);
        for rule in ["container-may-be-root", "privilege-escalation", "writable-root", "default-capabilities"] {
            assert_eq!(open.said(rule).len(), 1, "{rule}: {container}");
        }
    }
}

#[test]
fn a_scalar_of_the_values_is_replaced_where_it_stands() {
    let container = "          securityContext:\n            allowPrivilegeEscalation: {{ .Values.mayEscalate }}\n            capabilities: {drop: [ALL]}\n";
    let chart = Chart::new("mayEscalate: true # nobody knows why\nother: 1\n", container);
    assert!(chart.values_after().ends_with("mayEscalate: false # nobody knows why\nother: 1\n"));
    let quoted = Chart::new("mayEscalate: 'true'\r\nother: 1\r\n", container);
    assert!(quoted.values_after().ends_with("\r\nother: 1\r\n"), "{}", quoted.values_after());
}

#[test]
fn values_of_every_form_are_added_to() {
    for (before, after) in [
        ("securityContext: {runAsUser: 1}\n", "securityContext: {runAsUser: 1, capabilities: {drop: [ALL]}, "),
        (
            "securityContext:\r\n    runAsUser: 1 # x\r\n",
            "securityContext:\r\n    runAsUser: 1 # x\r\n    capabilities:\r\n",
        ),
        ("securityContext: null\n", "securityContext:\n  capabilities:\n"),
        ("securityContext:\nx: 1\n", "securityContext:\n  capabilities:\n"),
        ("securityContext:\n  capabilities:\n    add: [CHOWN]\n", "    add: [CHOWN, NET_BIND_SERVICE, SETGID, SETUID]"),
    ] {
        let chart = Chart::new(before, PASSED);
        let values = chart.values_after();
        assert!(values.contains(after), "{before} becomes {values}");
        assert!(values.contains("allowPrivilegeEscalation: false"), "{values}");
    }
}

#[test]
fn what_the_values_do_not_decide_is_said_and_not_edited() {
    for (values, container) in [
        // The template says it itself.
        ("x: 1\n", "          securityContext:\n            allowPrivilegeEscalation: true\n"),
        // Others have a say in the value.
        ("base: &base {privileged: false}\nsecurityContext:\n  <<: *base\n", PASSED),
        ("securityContext: &own {}\nother: *own\n", PASSED),
        // Nothing says what it is.
        ("x: 1\n", PASSED),
        (
            "securityContext: {}\n",
            "          securityContext:\n            {{- include \"web.security\" . | nindent 12 }}\n",
        ),
        (
            "securityContext: {}\n",
            "          securityContext:\n            {{- tpl (toYaml .Values.securityContext) . | nindent 12 }}\n",
        ),
        ("securityContext: [\n", PASSED),
    ] {
        let chart = Chart::new(values, container);
        assert_eq!(chart.values_after(), chart.values, "{container}");
    }
    let own = Chart::new("x: 1\n", "          securityContext:\n            allowPrivilegeEscalation: true\n");
    assert_eq!(own.said("privilege-escalation").len(), 1);
    let hidden = Chart::new("x: 1\n", PASSED);
    assert!(hidden.said("privilege-escalation").is_empty());
}

#[test]
fn a_finding_in_a_value_is_where_the_template_passes_it_on() {
    let chart = Chart::new("securityContext: {privileged: true}\n", PASSED);
    let verdict = project().check(&chart.file(), &chart).expect("it is a manifest");
    let place = |rule: &str| {
        let found = verdict.findings.iter().find(|ranked| ranked.finding.rule == rule).expect("it is found");
        String::from_utf8_lossy(found.finding.primary.span.of(chart.template.as_bytes())).into_owned()
    };
    assert_eq!(place("privileged-container"), "{{- toYaml .Values.securityContext | nindent 12 }}");
    assert_eq!(
        place("unpinned-image"),
        "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\""
    );
}

#[test]
fn one_run_does_all_that_there_is_to_do() {
    const MANY: usize = 40;
    let container = |number: usize| {
        format!(
            "        - name: web{number}\n          image: nginx:1.29\n          securityContext:\n            {{{{- toYaml .Values.web{number} | nindent 12 }}}}\n"
        )
    };
    let values: Vec<String> = (0..MANY).map(|number| format!("web{number}: {{}}\n")).collect();
    let containers: Vec<String> = (0..MANY).map(container).collect();
    let after = Chart::new(&values.concat(), &containers.concat()).values_after();
    assert_eq!(after.matches("allowPrivilegeEscalation: false").count(), MANY);
    assert_eq!(after.matches("- NET_BIND_SERVICE").count(), MANY);
}

/// Charts made of the templates of public repositories: every value that one passes on is empty, or a word.
#[test]
fn templates_of_others_are_left_as_they_are() {
    let Some(shared) = env::var_os("IRONHULL_SHARED") else {
        println!("skipped: IRONHULL_SHARED names no shared data");
        return;
    };
    let corpus = Path::new(&shared).join("corpus");
    let index = fs::read_to_string(corpus.join("INDEX.tsv")).expect("the corpus has an index");
    let (mut charts, mut changed) = (0, 0);
    for path in index.lines().filter_map(|line| line.split('\t').nth(2)) {
        if !path.ends_with(".yaml") && !path.ends_with(".yml") {
            continue;
        }
        let Ok(template) = fs::read_to_string(corpus.join("files").join(path)) else { continue };
        if !template.contains("{{") || !template.contains(".Values.") {
            continue;
        }
        let chart = Chart { values: made_up(&template), template };
        charts += 1;
        let Ok(repaired) = project().fix(&chart.file(), &chart, Safety::Risky) else { continue };
        assert_eq!(repaired.outcome.sources.files()[0].text, chart.template.as_bytes(), "{path}");
        assert!(repaired.outcome.quarantined.is_empty(), "{path}: {:?}", repaired.outcome.quarantined);
        for beside in &repaired.outcome.beside {
            changed += 1;
            assert!(yaml::parse(&beside.after).errors.is_empty(), "{path}");
            let comments = |text: &[u8]| String::from_utf8_lossy(text).matches("# kept").count();
            assert_eq!(comments(&beside.before), comments(&beside.after), "{path}");
            let values = String::from_utf8(beside.after.clone()).expect("it stays text");
            let again = Chart { values, template: chart.template.clone() };
            assert!(again.repaired().outcome.beside.is_empty(), "{path}: a second run changes nothing");
        }
    }
    println!("{charts} charts, {changed} values changed");
    assert!(charts > 100 && changed > 5, "{charts} charts, {changed} values changed");
}

/// A tree of keys; a leaf holds nothing, or a word.
#[derive(Default)]
struct Keys {
    below: BTreeMap<String, Keys>,
    is_word: bool,
}

fn made_up(template: &str) -> String {
    let mut top = Keys::default();
    for line in template.lines() {
        for rest in line.split(".Values.").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_').unwrap_or(rest.len());
            let mut at = &mut top;
            for key in rest[..end].trim_end_matches('.').split('.').filter(|key| !key.is_empty()) {
                at = at.below.entry(key.to_owned()).or_default();
            }
            at.is_word |= !line.contains("toYaml");
        }
    }
    let mut text = String::new();
    write(&top, 0, &mut text);
    text
}

fn write(keys: &Keys, depth: usize, text: &mut String) {
    for (key, below) in &keys.below {
        let indent = "  ".repeat(depth);
        match (below.below.is_empty(), below.is_word) {
            (true, true) => text.extend([indent.as_str(), key, ": word # kept\n"]),
            (true, false) => text.extend([indent.as_str(), key, ": {} # kept\n"]),
            (false, _) => {
                text.extend([indent.as_str(), key, ": # kept\n"]);
                write(below, depth + 1, text);
            }
        }
    }
}
