//! `apt-get update` in a layer of its own goes stale.

use crate::{
    model::{
        DockerfileModel, LaterUse, Marks, Programs, Step, StepPackages,
        packages::{Action, Manager},
    },
    rewrite::packages,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
};
use std::collections::BTreeMap;

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "update-alone",
        title: "Package lists refreshed in a step of their own",
        why: "The layer is cached: months later the next step still installs from these lists, old packages with known holes, or packages that are gone.",
        remedy: "Refresh and install in one `RUN`: `apt-get update && apt-get install -y … && rm -rf /var/lib/apt/lists/*`.",
        group: Group::Package,
        severity: Severity::Medium,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Safe,
            "Fetches the lists in each step that installs from them, where the sources and the user are the same; risky where a script between them may use them, or nobody does.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.7"),
            Reference::new(Scheme::Cwe, "1104"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/best-practices/#apt-get"),
        ],
        equivalents: &["checkov:CKV_DOCKER_5", "trivy:DS-0017", "kics:9bae49be-0aa3-4de5-bab2-4c3a069e40cd"],
        examples: &[
            Example::new(
                "With apt",
                "FROM debian:13\nRUN «apt-get update»\nRUN apt-get install -y curl\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y curl\n",
            ),
            Example::new(
                "Among other commands",
                "FROM debian:13\nRUN mkdir /app && «apt-get -qq update»\nENV A=b\nRUN set -eux; \\\n    apt-get install -y curl\n",
                "FROM debian:13\nRUN mkdir /app\nENV A=b\nRUN set -eux; \\\n    apt-get -qq update && apt-get install -y curl\n",
            ),
            Example::new(
                "Nobody installs from the lists",
                "FROM debian:13\nRUN «apt-get update»\nRUN apt-get clean\nCMD [\"sh\"]\n",
                "FROM debian:13\nRUN apt-get clean\nCMD [\"sh\"]\n",
            ),
            Example::new(
                "With apk",
                "FROM alpine:3.22\nRUN «apk update»\nRUN apk add curl\n",
                "FROM alpine:3.22\nRUN apk add --no-cache curl\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let mut later: BTreeMap<Manager, Vec<LaterUse>> = BTreeMap::new();
    for step in cx.model.built_steps().filter(|step| !step.is_trigger()) {
        // `pacman` fetches them with a letter, `zypper` with a short word.
        if !step.has_marks(Marks::UPDATE) && !step.may_run(Programs::of(&["pacman", "zypper"])) {
            continue;
        }
        let calls: Vec<_> = step.package_commands().collect();
        let Some(refresh) =
            calls.iter().find(|packages| packages.call.action == Action::Refresh && goes_stale(packages.call.manager))
        else {
            continue;
        };
        let uses = |action| matches!(action, Action::Install | Action::Upgrade);
        let is_used = calls.iter().any(|packages| uses(packages.call.action)) || step.may_install_unseen();
        if is_used || removes_lists(step) {
            continue;
        }
        let manager = refresh.call.manager;
        let later = later.entry(manager).or_insert_with(|| cx.model.later_list_use(manager))[step.index()];
        // Every later step that installs fetches the lists itself.
        if later.installs && !later.relies {
            continue;
        }
        let finding = out.report(refresh.head_span(), "the lists are cached in a layer of their own, and go stale");
        match packages::join_refresh(refresh, later) {
            Ok(fix) => finding.fix(fix),
            Err(refusal) => finding.decline(refusal),
        };
    }
}

/// Whether the step removes the lists that it fetched.
fn removes_lists(step: Step<'_>) -> bool {
    let cleans = |packages: StepPackages<'_>| {
        packages.call.verb.is_some_and(|verb| matches!(&*verb.text(), "dist-clean" | "distclean"))
    };
    if step.package_commands().any(cleans) {
        return true;
    }
    let source = &step.model().file.text;
    step.commands().any(|command| {
        matches!(command.name(), Some("rm" | "find"))
            && memchr::memmem::find(command.span().of(source), b"/lists").is_some()
    })
}

/// Whether a later step installs from lists that are as old as the cached layer.
fn goes_stale(manager: Manager) -> bool {
    matches!(manager, Manager::Apt | Manager::Apk | Manager::Zypper | Manager::Pacman | Manager::Yum | Manager::Dnf)
}
