//! `apt-get update` in a layer of its own goes stale.

use crate::{
    model::{
        DockerfileModel, Step, StepPackages,
        packages::{Action, Manager},
    },
    rule::{Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Scheme, Severity},
    source::FileKind,
};

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
        fix: FixNote::Never,
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
    for step in cx.model.built_steps() {
        let calls: Vec<_> = step.package_commands().collect();
        let Some(refresh) =
            calls.iter().find(|packages| packages.call.action == Action::Refresh && goes_stale(packages.call.manager))
        else {
            continue;
        };
        let uses = |action| matches!(action, Action::Install | Action::Upgrade);
        let is_used = calls.iter().any(|packages| uses(packages.call.action)) || may_install(step);
        if !is_used && !removes_lists(step) && !is_refreshed_later(step, refresh.call.manager) {
            out.report(refresh.head_span(), "the lists are cached in a layer of their own, and go stale");
        }
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

/// Whether every later step of the stage that installs also refreshes, so that nothing uses the old lists.
fn is_refreshed_later(step: Step<'_>, manager: Manager) -> bool {
    let mut installs = false;
    for later in step.later() {
        let calls: Vec<_> = later.package_commands().filter(|packages| packages.call.manager == manager).collect();
        if calls.iter().any(|packages| packages.call.action == Action::Install) {
            installs = true;
            if !calls.iter().any(|packages| packages.call.action == Action::Refresh) {
                return false;
            }
        }
    }
    installs
}

/// Whether a later step installs from lists that are as old as the cached layer.
fn goes_stale(manager: Manager) -> bool {
    matches!(manager, Manager::Apt | Manager::Apk | Manager::Zypper | Manager::Pacman | Manager::Yum | Manager::Dnf)
}

/// Whether a command of the step may install in a way that is not seen: a script, a variable, another program.
fn may_install(step: Step<'_>) -> bool {
    step.commands().any(|command| {
        let Some(invocation) = command.invocation() else { return false };
        match invocation.name() {
            None => true,
            Some(name) => {
                let is_script = invocation.path().is_some_and(|path| path.contains('/'))
                    || matches!(
                        name,
                        "sh" | "ash"
                            | "dash"
                            | "rosdep"
                            | "bash"
                            | "."
                            | "source"
                            | "eval"
                            | "make"
                            | "ansible-playbook"
                            | "python"
                            | "python3"
                            | "perl"
                            | "ruby"
                    );
                let is_installer = name.contains("install")
                    || name.contains("apt")
                        && !matches!(
                            name,
                            "apt-get"
                                | "apt"
                                | "apt-key"
                                | "add-apt-repository"
                                | "apt-add-repository"
                                | "apt-cache"
                                | "apt-mark"
                                | "aptitude"
                        );
                is_script || is_installer || invocation.arguments().any(|word| word.text() == "build-dep")
            }
        }
    })
}
