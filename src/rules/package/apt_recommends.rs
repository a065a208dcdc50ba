//! `apt-get install` takes what packages recommend, unless it is told not to.

use crate::{
    model::{
        DockerfileModel, Step, StepPackages,
        packages::{Action, Manager},
    },
    rewrite::shell::ShellEditor,
    rule::{
        Builtin, Check, Confidence, Cx, Example, Finding, Findings, Fix, FixNote, Group, Reference, RuleMeta, Safety,
        Scheme, Severity,
    },
    source::FileKind,
    syntax::shell::Word,
};

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
                "FROM debian:13\nRUN apt-get update && «apt-get install» -y curl\n",
                "FROM debian:13\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n",
            ),
            Example::new(
                "What is needed is named",
                "FROM debian:13\nRUN apt-get update && «apt-get -y install» \\\n      curl \\\n      git \\\n    && curl -fsSL https://example.com/x -o /x\n",
                "FROM debian:13\nRUN apt-get update && apt-get -y install --no-install-recommends \\\n      curl \\\n      git \\\n      ca-certificates \\\n    && curl -fsSL https://example.com/x -o /x\n",
            ),
            Example::new(
                "A setting for all calls",
                "FROM debian:13\nRUN apt-get update && «apt-get -y install» xfce4\n",
                "FROM debian:13\nRUN echo 'APT::Install-Recommends \"false\";' > /etc/apt/apt.conf.d/99norecommends\nRUN apt-get update && apt-get -y install xfce4\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for stage in cx.model.stages().filter(|stage| stage.is_built()) {
        let mut is_set = false;
        for step in stage.steps() {
            is_set |= sets_for_all(step);
            if is_set || step.is_trigger() {
                continue;
            }
            report(step, out);
        }
    }
}

fn report(step: Step<'_>, out: &mut Findings) {
    for packages in step.package_commands() {
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
            repair(&packages, finding);
        }
    }
}

fn repair(packages: &StepPackages<'_>, finding: &mut Finding) {
    let recommended = packages.recommended();
    if let Some(carrier) = recommended.carrier {
        let reason = format!("`{carrier}` is made of the packages that it recommends: name those that are needed");
        finding.decline(reason);
        return;
    }
    let (Some(editor), Some(verb)) = (ShellEditor::of(packages.at), packages.call.verb) else {
        finding.decline("the script is not written as the shell reads it");
        return;
    };
    let option = if packages.call.program == "aptitude" { "--without-recommends" } else { "--no-install-recommends" };
    let mut edits = vec![editor.insert_behind(last_flag(packages, verb), option)];
    let named = recommended.needed.join("`, `");
    if let Some(last) = packages.call.operands.last().filter(|_| !recommended.needed.is_empty()) {
        edits.push(editor.add_words(*last, &recommended.needed));
    }
    let reason = if named.is_empty() {
        "recommended packages stay out: build and start the image once, and name what it misses".to_owned()
    } else {
        format!(
            "`{named}`, which later commands need, is named; build and start the image once for what else it misses"
        )
    };
    finding.fix(Fix::new("Leave recommended packages out", Safety::Risky, reason, edits));
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
