//! Of a pipe, the shell only asks the last command whether it failed.

use crate::{
    model::DockerfileModel,
    rewrite::pipefail::{self, Pipes},
    rule::{
        Builtin, Check, Confidence, Cx, Example, Findings, FixNote, Group, Reference, RuleMeta, Safety, Scheme,
        Severity,
    },
    source::FileKind,
    syntax::dockerfile::Keyword,
};

pub(crate) static RULE: Builtin = Builtin {
    meta: RuleMeta {
        id: "missing-pipefail",
        title: "Failure in a pipe not noticed",
        why: "Without `pipefail` the step succeeds when the last command of the pipe does: a download that broke off is unpacked or run as far as it came.",
        remedy: "Begin the step with `set -o pipefail &&`, or set `SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]` where the image has bash; dash has no such option before 0.5.13.",
        group: Group::Layer,
        severity: Severity::Low,
        confidence: Confidence::High,
        kinds: &[FileKind::Dockerfile],
        fix: FixNote::Sometimes(
            Safety::Risky,
            "Sets the option in the step where its shell has it, else puts bash in force where the image has it; not where a command is meant to end early.",
        ),
        references: &[
            Reference::new(Scheme::Cwe, "390"),
            Reference::new(Scheme::Url, "https://docs.docker.com/build/building/best-practices/#using-pipes"),
        ],
        equivalents: &["hadolint:DL4006", "semgrep:set-pipefail", "kics:efbf148a-67e9-42d2-ac47-02fa1c0d0b22"],
        examples: &[
            Example::new(
                "BusyBox has the option",
                "FROM alpine:3.22\nRUN «wget -O - https://example.com/x.tar.gz | tar xz»\n",
                "FROM alpine:3.22\nRUN set -o pipefail && wget -O - https://example.com/x.tar.gz | tar xz\n",
            ),
            Example::new(
                "So has bash; options that are set already go on",
                "FROM debian:13\nSHELL [\"/bin/bash\", \"-c\"]\nRUN set -eux; \\\n    «curl https://example.com/x.tar.gz | tar xz»\n",
                "FROM debian:13\nSHELL [\"/bin/bash\", \"-c\"]\nRUN set -eux -o pipefail; \\\n    curl https://example.com/x.tar.gz | tar xz\n",
            ),
            Example::new(
                "The shell of Debian has it not, but there is bash",
                "FROM debian:13\nRUN «curl https://example.com/x.tar.gz | tar xz»\n",
                "FROM debian:13\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN curl https://example.com/x.tar.gz | tar xz\n",
            ),
            Example::new(
                "Some commands end early by intent",
                "FROM alpine:3.22\nRUN «wget -O - https://example.com/list | head -n 1 > /list»\n",
                "FROM alpine:3.22\nRUN wget -O /tmp/list https://example.com/list && head -n 1 /tmp/list > /list\n",
            ),
        ],
        since: "0.1.0",
    },
    check: Check::Dockerfile(check),
};

fn check(cx: &Cx<'_, DockerfileModel<'_>>, out: &mut Findings) {
    for stage in cx.model.stages().filter(|stage| stage.is_built() && !stage.is_windows()) {
        let mut is_shell_set = false;
        for step in stage.steps().filter(|step| step.keyword() == Keyword::Run && !step.is_trigger()) {
            let Some(pipes) = Pipes::of(step) else { continue };
            let finding = out.report(pipes.span(), "only the last command of the pipe decides whether the step fails");
            match pipefail::noticed(step) {
                // One `SHELL` is enough for all that follows it.
                Ok(repair) if repair.sets_shell && is_shell_set => {}
                Ok(repair) => {
                    is_shell_set |= repair.sets_shell;
                    finding.fix(repair.fix);
                }
                Err(refusal) => {
                    finding.decline(refusal);
                }
            }
        }
    }
}
