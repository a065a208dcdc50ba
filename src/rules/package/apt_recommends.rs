//! `apt-get install` takes what packages recommend, unless it is told not to.

use crate::{
    model::{
        CopySource, DockerfileModel, Recommended, Stage, Step, StepPackages,
        packages::{Action, Manager},
    },
    rewrite::shell::ShellEditor,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Finding, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety,
        Scheme, Severity,
    },
    source::FileKind,
    syntax::{
        dockerfile::{Arg, Arguments},
        shell::Word,
    },
};
use std::{borrow::Cow, collections::HashSet};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "apt-recommends",
        title: "Recommended packages installed",
        why: "Debian and Ubuntu packages recommend others that most images never use: each is more to update and more for an attacker to use.",
        remedy: "Add `--no-install-recommends`, and name what is really needed, such as `ca-certificates`.",
        group: Group::Package,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Adds the option, and names the recommended packages that later commands are seen to need.",
        ),
        references: &[
            Reference::new(Scheme::CisDocker, "4.3"),
            Reference::new(Scheme::Nist800190, "4.1.2"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/best-practices/#apt-get"),
        ],
        equivalents: &[
            "hadolint:DL3015",
            "trivy:DS-0029",
            "semgrep:missing-no-install-recommends",
            "kics:7384dfb2-fcd1-4fbf-91cd-6c44c318c33c",
        ],
        examples: &[
            Example::new(
                "Without the option",
                "FROM debian:13\nRUN apt-get update && «apt-get install» -y curl\nCMD [\"app\"]\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y --no-install-recommends curl\nCMD [\"app\"]\n",
            ),
            Example::new(
                "What is needed is named",
                "FROM debian:13\nRUN apt-get update && «apt-get -y install» \\\n      curl \\\n      git \\\n    && curl -fsSL https://example.com/x -o /x\nCMD [\"/x\"]\n",
                "FROM debian:13\nRUN apt-get update && apt-get -y install --no-install-recommends \\\n      ca-certificates \\\n      curl \\\n      git \\\n    && curl -fsSL https://example.com/x -o /x\nCMD [\"/x\"]\n",
            ),
            Example::new(
                "An image that others build on",
                "FROM debian:13\nRUN apt-get update && «apt-get install» -y git tzdata zip\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git openssh-client tzdata unzip zip\n",
            ),
            Example::new(
                "A setting for all calls",
                "FROM debian:13\nRUN apt-get update && «apt-get -y install» xfce4\n",
                "FROM debian:13\nRUN echo 'APT::Install-Recommends \"false\";' > /etc/apt/apt.conf.d/99norecommends\nRUN apt-get update && apt-get -y install xfce4\n",
            ),
            Example::new(
                "What is taken out in the same step",
                "FROM debian:13\nRUN apt-get update && «apt-get install» -y jq && apt-get install -y make && make && apt-get purge -y --auto-remove make\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y --no-install-recommends jq && apt-get install -y make && make && apt-get purge -y --auto-remove make\n",
            ),
            Example::new(
                "A stage that leaves a directory of its own behind",
                "FROM debian:13 AS files\nRUN apt-get update && apt-get install -y file\nFROM debian:13 AS root\nRUN apt-get update && «apt-get install» -y file\nFROM scratch\nCOPY --from=files /rootfs /\nCOPY --from=root / /\n",
                "FROM debian:13 AS files\nRUN apt-get update && apt-get install -y file\nFROM debian:13 AS root\nRUN apt-get update && apt-get install -y --no-install-recommends file\nFROM scratch\nCOPY --from=files /rootfs /\nCOPY --from=root / /\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    let emptied = stages_left_behind(cx.model);
    let is_workplace = cx.model.target().is_some_and(Stage::is_workplace);
    for stage in cx.model.stages().filter(|stage| stage.is_built()) {
        if emptied.contains(&stage.index()) {
            if let Some(packages) = stage.steps().flat_map(Step::package_commands).find(|each| installs_with_apt(each))
            {
                out.decline(packages.head_span(), "no image gets the packages of this stage");
            }
            continue;
        }
        let mut is_set = false;
        for step in stage.steps() {
            is_set |= sets_for_all(step);
            if is_set || step.is_trigger() {
                continue;
            }
            report(step, is_workplace && stage.is_exported(), out);
        }
    }
}

fn installs_with_apt(packages: &StepPackages<'_>) -> bool {
    packages.call.manager == Manager::Apt && packages.call.action == Action::Install
}

/// The stages whose packages get into no image: it takes files of the project from them, no directory of the system.
fn stages_left_behind(model: &DockerfileModel<'_>) -> HashSet<usize> {
    const SYSTEM: [&str; 12] =
        ["", "bin", "etc", "lib", "lib64", "opt", "sbin", "usr", "usr/bin", "usr/lib", "usr/share", "var"];
    let mut left: HashSet<usize> = model.stages().filter(|stage| !stage.is_exported()).map(Stage::index).collect();
    for step in model.built_steps() {
        let Some(CopySource::Stage(source)) = step.copy_source() else { continue };
        let (Arguments::Words(words) | Arguments::Json(words)) = step.arguments() else { continue };
        let sources = words.iter().take(words.len().saturating_sub(1));
        let is_system = |word: &Arg<'_>| {
            let path = step.expand_arg(word).ok().and_then(|path| path.known().map(str::to_owned));
            path.is_none_or(|path| {
                let path = path.trim_start_matches(['.', '/']).trim_end_matches(['/', '*', '.']);
                SYSTEM.contains(&path)
            })
        };
        if sources.into_iter().any(is_system) {
            // Stages below one that is no longer left are not either.
            let mut chain = model.stage(source).into_iter().flat_map(Stage::chain);
            while chain.next().is_some_and(|stage| left.remove(&stage.index())) {}
        }
    }
    left
}

/// For each call of a package manager in the step, whether all that it installs and what came along is taken out later
/// in the step: `apt-get purge --auto-remove`.
fn taken_out(calls: &[StepPackages<'_>]) -> Vec<bool> {
    let mut removed: HashSet<Cow<'_, str>> = HashSet::new();
    let mut takes_along = false;
    let mut is_out = vec![false; calls.len()];
    for (is_out, packages) in is_out.iter_mut().zip(calls).rev() {
        let call = &packages.call;
        match call.action {
            Action::Remove if call.manager == Manager::Apt && !packages.at.is_conditional() => {
                let verb = call.verb.map(Word::text).unwrap_or_default();
                takes_along |= matches!(&*verb, "autoremove" | "auto-remove" | "autopurge")
                    || call.has_option(&["--auto-remove", "--autoremove"]);
                removed.extend(call.operands.iter().map(|word| word.text()));
            }
            Action::Install => {
                *is_out = takes_along && call.operands.iter().all(|word| removed.contains(&word.text()));
            }
            Action::Remove | Action::Refresh | Action::Upgrade | Action::Clean | Action::Other => {}
        }
    }
    is_out
}

fn report(step: Step<'_>, is_for_others: bool, out: &mut Findings) {
    let calls: Vec<_> = step.package_commands().collect();
    let taken_out = taken_out(&calls);
    for (packages, is_out) in calls.iter().zip(taken_out) {
        if is_out {
            out.decline(packages.head_span(), "the step takes the packages out again, and what came along with them");
            continue;
        }
        let call = &packages.call;
        let installs = call.manager == Manager::Apt && call.action == Action::Install && !call.operands.is_empty();
        let is_dependency_build = call.verb.is_some_and(|verb| verb.text() == "build-dep");
        let told = call.has_option(&["--no-install-recommends", "--install-recommends", "--without-recommends", "-R"])
            || call.option_words().any(|word| word.text().to_ascii_lowercase().contains("install-recommends"))
            // A variable among the options may hold anything.
            || call.options.iter().any(|word| word.literal().is_none())
            || call.operands.first().is_some_and(|word| word.literal().is_none() && word.text().to_ascii_lowercase().contains("opt"));
        if installs && !told && !is_dependency_build {
            let message = format!("`{} install` takes recommended packages too", call.program);
            let finding = out.report(packages.head_span(), message).only_with(packages.at.needs_argument());
            repair(packages, is_for_others, finding);
        }
    }
}

fn repair(packages: &StepPackages<'_>, is_for_others: bool, finding: &mut Finding) {
    let recommended = packages.recommended(is_for_others);
    if let Some(carrier) = recommended.carrier {
        let reason = format!("`{carrier}` is made of the packages that it recommends: name those that are needed");
        finding.decline(reason);
        return;
    }
    let mut added = [recommended.needed.as_slice(), &recommended.kept].concat();
    added.sort_unstable();
    if !added.is_empty() && !says_yes(packages) {
        finding.decline("without `-y` the command may ask before it installs more, and nobody is there to answer");
        return;
    }
    let (Some(editor), Some(verb)) = (ShellEditor::of(packages.at), packages.call.verb) else {
        finding.decline("the script is not written as the shell reads it");
        return;
    };
    let option = if packages.call.program == "aptitude" { "--without-recommends" } else { "--no-install-recommends" };
    let mut edits = vec![editor.insert_behind(last_flag(packages, verb), option)];
    edits.extend(editor.add_to_list(&packages.call.operands, &added));
    let reason = reason(&recommended, is_for_others);
    finding.fix(Fix::new("Leave recommended packages out", Safety::Risky, reason, edits));
}

/// What is named, and why, and what is left to look at.
fn reason(recommended: &Recommended, is_for_others: bool) -> String {
    let named = |packages: &[&str]| packages.join("`, `");
    let mut parts = Vec::new();
    if !recommended.needed.is_empty() {
        parts.push(format!("`{}`, which later commands need, is named", named(&recommended.needed)));
    }
    if !recommended.kept.is_empty() {
        let who = if is_for_others {
            "which whoever works in the image may use"
        } else {
            "without which the rest does little"
        };
        parts.push(format!("`{}`, {who}, is named", named(&recommended.kept)));
    }
    match parts.as_slice() {
        [] => "recommended packages stay out: build and start the image once, and name what it misses".to_owned(),
        [..] => format!("{}; build and start the image once for what else it misses", parts.join("; ")),
    }
}

/// Whether the call installs without asking.
fn says_yes(packages: &StepPackages<'_>) -> bool {
    packages.call.option_words().any(|word| {
        let text = word.text();
        match text.strip_prefix("--") {
            Some(long) => matches!(long, "yes" | "assume-yes" | "force-yes"),
            // Two `q` imply `-y` (apt-get(8)).
            None => text.contains('y') || text.matches('q').count() > 1,
        }
    })
}

/// The verb, or the last of the plain switches behind it: `install -y`.
fn last_flag<'m>(packages: &StepPackages<'m>, verb: Word<'m>) -> Word<'m> {
    let is_switch = |word: &Word<'_>| {
        matches!(word.bytes(), b"-y" | b"-q" | b"-qq" | b"-qy" | b"-qqy" | b"-yq" | b"-yqq" | b"-f" | b"-fy" | b"--yes")
            || matches!(word.bytes(), b"--assume-yes" | b"--quiet")
    };
    let behind = packages.at.command.words().skip_while(|word| word.span().start <= verb.span().start);
    behind.take_while(is_switch).last().unwrap_or(verb)
}

/// Whether the step writes the setting that turns recommended packages off, or a variable points to such a file.
fn sets_for_all(step: Step<'_>) -> bool {
    let source = &step.model().file.text;
    let text = step.instruction().span.of(source);
    let setting = memchr::memmem::find(text, b"APT::Install-Recommends").is_some()
        || memchr::memmem::find(text, b"Install-Recommends ").is_some();
    setting && memchr::memmem::find(text, b"apt.conf").is_some() || memchr::memmem::find(text, b"APT_CONFIG").is_some()
}
